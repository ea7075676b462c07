//! What can be made to go wrong with the API server, and what it saw: the tests' levers and their evidence.
//!
//! Faults of the cluster (a kubelet that stops) are not here but in the scenario; these are faults of the server
//! and of the way to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::watch;

use super::api::status::Refusal;
use super::backend::Backend;
use super::resource::Resource;
use super::store::Key;

/// A request as the server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub query: String,
    /// The `Accept` header; empty if there was none.
    pub accept: String,
    /// As it came, for all that is text.
    pub body: String,
}

/// Where a verb is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Everywhere,
    /// For all namespaces at once, while single namespaces stay allowed.
    AllNamespaces,
    Namespace(String),
}

#[derive(Debug)]
struct Denial {
    verb: String,
    resource: Resource,
    scope: Scope,
}

#[derive(Debug)]
struct Canned {
    prefix: String,
    refusal: Refusal,
    body: Option<String>,
    times: usize,
}

/// An answer that a fault gives instead of the real one.
#[derive(Debug)]
pub(crate) struct Instead {
    pub(crate) refusal: Refusal,
    pub(crate) body: Option<String>,
}

#[derive(Debug)]
struct Settings {
    denials: Vec<Denial>,
    canned: VecDeque<Canned>,
    has_watch_list: bool,
    bookmark_period: Duration,
    clock_offset: Option<jiff::SignedDuration>,
}

/// The state of the faults, shared by the server and the handle.
#[derive(Debug)]
pub(crate) struct Levers {
    settings: Mutex<Settings>,
    received: Mutex<Vec<Received>>,
    open_watches: AtomicUsize,
    pub(crate) is_hanging: watch::Sender<bool>,
    pub(crate) is_silent: watch::Sender<bool>,
    /// Counts the orders to end all watches, and to drop all connections.
    pub(crate) ended_watches: watch::Sender<u64>,
    pub(crate) dropped_connections: watch::Sender<u64>,
    pub(crate) wants_to_listen: watch::Sender<bool>,
    pub(crate) is_listening: watch::Sender<bool>,
}

impl Levers {
    pub(crate) fn new() -> Self {
        Self {
            settings: Mutex::new(Settings {
                denials: Vec::new(),
                canned: VecDeque::new(),
                has_watch_list: true,
                bookmark_period: Duration::from_mins(1),
                clock_offset: None,
            }),
            received: Mutex::new(Vec::new()),
            open_watches: AtomicUsize::new(0),
            is_hanging: watch::Sender::new(false),
            is_silent: watch::Sender::new(false),
            ended_watches: watch::Sender::new(0),
            dropped_connections: watch::Sender::new(0),
            wants_to_listen: watch::Sender::new(true),
            is_listening: watch::Sender::new(true),
        }
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self, received: Received) {
        /// Enough for any test; a demo that is left running for days must not grow.
        const MOST: usize = 10_000;
        let mut all = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST {
            all.push(received);
        }
    }

    pub(crate) fn denies(&self, verb: &str, resource: Resource, key: &Key) -> bool {
        self.settings().denials.iter().any(|denial| {
            denial.verb == verb
                && denial.resource == resource
                && match &denial.scope {
                    Scope::Everywhere => true,
                    Scope::AllNamespaces => key.namespace.is_empty(),
                    Scope::Namespace(namespace) => *namespace == key.namespace,
                }
        })
    }

    /// What to answer instead, if a fault waits for this path.
    pub(crate) fn instead(&self, path: &str) -> Option<Instead> {
        let mut settings = self.settings();
        let at = settings.canned.iter().position(|canned| path.starts_with(&canned.prefix))?;
        let canned = settings.canned.get_mut(at)?;
        canned.times -= 1;
        let instead = Instead { refusal: canned.refusal.clone(), body: canned.body.clone() };
        if canned.times == 0 {
            settings.canned.remove(at);
        }
        Some(instead)
    }

    pub(crate) fn has_watch_list(&self) -> bool {
        self.settings().has_watch_list
    }

    pub(crate) fn bookmark_period(&self) -> Duration {
        self.settings().bookmark_period
    }

    pub(crate) fn clock_offset(&self) -> Option<jiff::SignedDuration> {
        self.settings().clock_offset
    }

    pub(crate) fn watch_opened(&self) {
        self.open_watches.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn watch_closed(&self) {
        self.open_watches.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The handle on a running demo's faults. Clones move the same levers.
#[derive(Clone, Debug)]
pub struct Faults {
    backend: Arc<Backend>,
}

impl Faults {
    pub(crate) fn new(backend: Arc<Backend>) -> Self {
        Self { backend }
    }

    fn levers(&self) -> &Levers {
        &self.backend.levers
    }

    /// Answers 403 to a verb (`get`, `list`, `watch`) on a resource from now on.
    pub fn deny(&self, verb: &str, resource: Resource, scope: Scope) {
        self.levers().settings().denials.push(Denial { verb: verb.to_owned(), resource, scope });
    }

    /// Takes back all denials.
    pub fn allow_everything(&self) {
        self.levers().settings().denials.clear();
    }

    /// Answers the next `times` requests whose path begins with `prefix` with an error status and the Status object
    /// that goes with it.
    pub fn fail(&self, prefix: &str, times: usize, code: StatusCode, retry_after: Option<u64>) {
        self.answer(prefix, times, Refusal::canned(code, retry_after), None);
    }

    /// The same with a body that no API server wrote, as proxies and load balancers answer.
    pub fn fail_with_body(&self, prefix: &str, times: usize, code: StatusCode, body: &str) {
        self.answer(prefix, times, Refusal::canned(code, None), Some(body.to_owned()));
    }

    fn answer(&self, prefix: &str, times: usize, refusal: Refusal, body: Option<String>) {
        if times > 0 {
            self.levers().settings().canned.push_back(Canned {
                prefix: prefix.to_owned(),
                refusal,
                body,
                times,
            });
        }
    }

    /// Takes requests and never answers them, until [`Self::release`]. Open watches go on.
    pub fn hang(&self) {
        self.levers().is_hanging.send_replace(true);
    }

    pub fn release(&self) {
        self.levers().is_hanging.send_replace(false);
    }

    /// Lets nothing more out on any watch, as a link does that is dead and nobody knows it; [`Self::speak`] ends it.
    pub fn silence(&self) {
        self.levers().is_silent.send_replace(true);
    }

    pub fn speak(&self) {
        self.levers().is_silent.send_replace(false);
    }

    /// Ends every open watch cleanly, as a server does that is shut down.
    pub fn end_watches(&self) {
        self.levers().ended_watches.send_modify(|orders| *orders += 1);
    }

    /// Drops every open connection, in the middle of whatever it was saying.
    pub fn drop_connections(&self) {
        self.levers().dropped_connections.send_modify(|orders| *orders += 1);
    }

    /// Stops listening: connections are refused from when this returns. Open ones go on.
    pub async fn refuse_connections(&self) {
        self.listen(false).await;
    }

    /// Listens again, at the same address.
    pub async fn accept_connections(&self) {
        self.listen(true).await;
    }

    async fn listen(&self, wanted: bool) {
        let mut is_listening = self.levers().is_listening.subscribe();
        self.levers().wants_to_listen.send_replace(wanted);
        // It fails only when the server is gone, and then nobody listens anyway.
        let _ = is_listening.wait_for(|listening| *listening == wanted).await;
    }

    /// Makes every version of a resource that was handed out too old.
    pub fn compact(&self, resource: Resource) {
        self.backend.with(|world| world.store.compact(resource));
    }

    pub fn compact_everything(&self) {
        self.backend.with(|world| {
            for resource in Resource::ALL {
                world.store.compact(resource);
            }
        });
    }

    /// As if the cluster had come back from an old copy of etcd: the objects keep their uids, versions start again
    /// at `version`, connections are dropped.
    pub fn restore_at(&self, version: u64) {
        self.backend.with(|world| world.store.restore_at(version));
        self.drop_connections();
    }

    /// How many changes of each resource a watch can look back on (2,000 unless set).
    pub fn set_window(&self, changes: usize) {
        self.backend.with(|world| world.store.set_window(changes));
    }

    /// How often idle watches get a bookmark (60 s unless set); for watches opened from now on.
    pub fn set_bookmark_period(&self, period: Duration) {
        self.levers().settings().bookmark_period = period;
    }

    /// Whether the server knows streaming lists; without, it answers them as one with the feature gate off.
    pub fn set_watch_list(&self, is_known: bool) {
        self.levers().settings().has_watch_list = is_known;
    }

    /// Sets the server's clock wrong, as its `Date` header tells it.
    pub fn set_clock_offset(&self, offset: jiff::SignedDuration) {
        self.levers().settings().clock_offset = Some(offset);
    }

    /// The requests received so far, in their order.
    pub fn received(&self) -> Vec<Received> {
        self.levers().received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the requests received so far.
    pub fn forget_received(&self) {
        self.levers().received.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many watches are open now.
    pub fn open_watches(&self) -> usize {
        self.levers().open_watches.load(Ordering::SeqCst)
    }
}
