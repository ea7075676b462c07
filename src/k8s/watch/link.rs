//! What all streams of one server share: the login, whether the link is up, and what the server can do.
//!
//! It deliberately asks nothing by itself: the pulse tells it whether the link is up, and who is refused asks it for
//! a new login.

use super::{Limits, LoginState, Update, Upstream};
use crate::k8s::backoff::Backoff;
use kube::Client;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::time::Instant;

/// A renewal is not tried more often than this when renewals do not help: each may run a plugin, and too many
/// failed logins lock an account.
const FIRST_RENEWAL: Duration = Duration::from_secs(2);
const RAREST_RENEWAL: Duration = Duration::from_mins(5);
/// A login that was good for so long was a good one.
const GOOD_LOGIN: Duration = Duration::from_mins(1);

pub struct Link {
    pub limits: Limits,
    pub upstream: Arc<dyn Upstream>,
    out: mpsc::Sender<Update>,
    /// How many times the login was renewed.
    login: watch::Sender<u64>,
    renewals: Mutex<Renewals>,
    outage: watch::Sender<Option<Outage>>,
    relist: watch::Sender<u64>,
    suspicion: Notify,
    weakness: Notify,
    has_no_watch_list: AtomicBool,
    is_slow: AtomicBool,
}

struct Renewals {
    backoff: Backoff,
    last: Instant,
}

/// The client of one login. A higher number is a later login.
#[derive(Clone)]
pub struct Login {
    pub client: Client,
    number: u64,
}

/// A time without answers that is over: what was silent through it may be dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub since: Instant,
    pub until: Instant,
}

/// Nobody listens any more: the board is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl Link {
    pub fn new(upstream: Arc<dyn Upstream>, out: mpsc::Sender<Update>, limits: Limits) -> Self {
        let backoff = Backoff::new(FIRST_RENEWAL, RAREST_RENEWAL);
        Self {
            limits,
            upstream,
            out,
            login: watch::Sender::new(0),
            renewals: Mutex::new(Renewals { backoff, last: Instant::now() }),
            outage: watch::Sender::new(None),
            relist: watch::Sender::new(0),
            suspicion: Notify::new(),
            weakness: Notify::new(),
            has_no_watch_list: AtomicBool::new(false),
            is_slow: AtomicBool::new(false),
        }
    }

    /// Tells the board. Waits where it is behind, and with it all that arrives.
    pub async fn tell(&self, update: Update) -> Result<(), Closed> {
        self.out.send(update).await.map_err(|_| Closed)
    }

    /// The login to send the next request with.
    pub fn login(&self) -> Login {
        // In this order: a client that is newer than its number only costs a look, one that is older a renewal.
        let number = *self.login.borrow();
        Login { client: self.upstream.client(), number }
    }

    /// Waits for a later login than this one.
    pub async fn later_login(&self, login: &Login) {
        let mut logins = self.login.subscribe();
        // The sender is ours, so this ends with such a login only.
        let _found = logins.wait_for(|current| *current > login.number).await;
    }

    /// Waits for a login later than the one that was refused. However many ask, one renewal runs at a time, and all
    /// are content with its outcome.
    pub async fn renewed(&self, refused: &Login) -> Result<(), Closed> {
        let mut renewals = self.renewals.lock().await;
        if renewals.last.elapsed() >= GOOD_LOGIN {
            renewals.backoff.reset();
        }
        while *self.login.borrow() <= refused.number {
            tokio::time::sleep(renewals.backoff.pause_unless_first()).await;
            self.tell(Update::Login(LoginState::Renewing)).await?;
            let renewed = self.upstream.renew().await;
            renewals.last = Instant::now();
            match renewed {
                Ok(()) => {
                    self.login.send_modify(|number| *number += 1);
                    self.tell(Update::Login(LoginState::Renewed)).await?;
                }
                Err(reason) => {
                    self.tell(Update::Login(LoginState::Failed { reason: reason.into() })).await?;
                }
            }
        }
        Ok(())
    }

    /// The link is up again after an outage.
    pub fn has_recovered(&self, since: Instant) {
        self.outage.send_replace(Some(Outage { since, until: Instant::now() }));
    }

    pub fn outages(&self) -> watch::Receiver<Option<Outage>> {
        self.outage.subscribe()
    }

    /// A stream broke: whether it was alone is worth knowing at once.
    pub fn suspect(&self) {
        self.suspicion.notify_one();
    }

    pub async fn suspected(&self) {
        self.suspicion.notified().await;
    }

    /// The pulse missed a beat: what the server says of itself is worth knowing at once.
    pub fn falter(&self) {
        self.weakness.notify_waiters();
    }

    /// Ends with the next beat that is missed, from this call on.
    pub fn faltered(&self) -> impl Future<Output = ()> + '_ {
        self.weakness.notified()
    }

    /// Everything is to be listed anew.
    pub fn refresh(&self) {
        self.relist.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub fn refreshes(&self) -> watch::Receiver<u64> {
        self.relist.subscribe()
    }

    /// Whether to begin with a WatchList: one that the server can do, and that a slow link need not carry
    /// uncompressed.
    pub fn wants_watch_list(&self) -> bool {
        !self.has_no_watch_list.load(Ordering::Relaxed) && !self.is_slow()
    }

    /// The server was seen not to know `WatchList`, or not in protobuf.
    pub fn forget_watch_lists(&self) {
        self.has_no_watch_list.store(true, Ordering::Relaxed);
    }

    pub fn is_slow(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed)
    }

    pub fn set_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::Relaxed);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("login", &*self.login.borrow())
            .field("outage", &*self.outage.borrow())
            .finish_non_exhaustive()
    }
}
