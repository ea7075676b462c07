//! The streams that keep the picture of a cluster alive: one watch for each kind, what is read again and again, and
//! the pulse.
//!
//! What they learn leaves as `Update`s over one bounded channel: who does not keep up slows the watches down, and
//! never loses or heaps up anything. It deliberately keeps no rows, and decides nothing about them.

mod answer;
mod link;
mod request;
mod stream;

pub(super) use answer::{Answer, Trouble, innermost};
pub(super) use link::{Closed, Link, Login};
pub(super) use request::{escaped, get, path};

use super::clock::Clock;
use super::connect::{Scope, Session};
use super::{checks, leaders, leases, pulse};
use crate::cluster::{Change, Component, Kind, Text};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use kube::Client;
use std::sync::Arc;
use std::time::Duration;
use stream::Stream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What the streams tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// In this order, and at this moment.
    Changes(Vec<Change>),
    Link(LinkState),
    /// The server's clock less ours, when it is first known or better known.
    ServerTime(SignedDuration),
    Login(LoginState),
}

/// Whether the server answers. Told after each beat of the pulse, so that the age of the last one is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    Up { latency: Duration },
    Down { reason: Text },
}

/// What becomes of a login that the server no longer takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginState {
    Renewing,
    Renewed,
    Failed { reason: Text },
}

/// The way to a server: a session, or what stands in for one.
pub trait Upstream: Send + Sync {
    /// The client with the newest credentials.
    fn client(&self) -> Client;

    /// The server's time. Fed by the client's stack.
    fn clock(&self) -> &Clock;

    /// Logs in again, or says why that fails and what to do.
    fn renew(&self) -> BoxFuture<'_, Result<(), String>>;
}

impl Upstream for Session {
    fn client(&self) -> Client {
        self.client()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn renew(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.renew().await.map(|_| ()).map_err(|error| error.to_string()) })
    }
}

/// How long things may take. The defaults are what is meant; tests use shorter ones.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bookmarks come every minute: a watch that is silent for longer is opened anew.
    pub silence: Duration,
    /// A list, or a page of one, has begun to arrive.
    pub list: Duration,
    /// A watch has been accepted.
    pub watch: Duration,
    /// How long the server is asked to keep a watch open, from and to.
    pub lasting: (Duration, Duration),
    /// A stream that lived for so long was a good one: its next trouble is a first one.
    pub settled: Duration,
    /// A watch that ended before this ended at once.
    pub at_once: Duration,
    /// Pauses after troubles, first and most.
    pub backoff: (Duration, Duration),
    /// What is forbidden or absent is asked for again, in case that it no longer is.
    pub refused: Duration,
    /// A list that was pieced together from two versions is taken again, first and rarest.
    pub recheck: (Duration, Duration),
    /// Between two beats of the pulse, while they are answered and while they are not.
    pub beat: (Duration, Duration),
    /// How long a beat may take. Two that fail in a row are an outage.
    pub answer: Duration,
    /// Between two lists of the leases: up to 500 nodes, and at 5,000.
    pub leases: (Duration, Duration),
    /// Between two readings of the leases of suspects.
    pub suspects: Duration,
    /// Between two readings of a leader lease, until it was seen to move and from then on.
    pub leaders: (Duration, Duration),
    /// Between two questions for the server's own checks, while it is ready and while it is not.
    pub checks: (Duration, Duration),
}

impl Default for Limits {
    fn default() -> Self {
        const fn seconds(seconds: u64) -> Duration {
            Duration::from_secs(seconds)
        }
        Self {
            silence: seconds(75),
            list: seconds(60),
            watch: seconds(30),
            lasting: (seconds(240), seconds(300)),
            settled: seconds(10),
            at_once: seconds(5),
            backoff: (Duration::from_millis(800), seconds(30)),
            refused: seconds(300),
            recheck: (seconds(30), seconds(600)),
            beat: (seconds(5), seconds(1)),
            answer: seconds(4),
            leases: (seconds(10), seconds(60)),
            suspects: seconds(5),
            leaders: (seconds(1), seconds(5)),
            checks: (seconds(10), seconds(3)),
        }
    }
}

/// All streams of one cluster. Dropped, they end.
#[derive(Debug)]
pub struct Streams {
    link: Arc<Link>,
    suspects: watch::Sender<Vec<Text>>,
    node_count: watch::Sender<usize>,
    _tasks: JoinSet<()>,
}

impl Streams {
    /// Starts everything, within a tokio runtime. `out` should hold a few dozen updates.
    pub fn start(
        upstream: Arc<dyn Upstream>,
        scope: &Scope,
        out: mpsc::Sender<Update>,
        limits: Limits,
    ) -> Self {
        Self::start_for(upstream, (scope, &Kind::ALL), out, limits)
    }

    /// Starts the watches of these kinds alone, with the leases where nodes are among them.
    pub fn start_for(
        upstream: Arc<dyn Upstream>,
        (scope, kinds): (&Scope, &[Kind]),
        out: mpsc::Sender<Update>,
        limits: Limits,
    ) -> Self {
        let link = Arc::new(Link::new(upstream, out, limits));
        let suspects = watch::Sender::new(Vec::new());
        let node_count = watch::Sender::new(0);
        let mut tasks = JoinSet::new();
        for kind in kinds {
            tasks.spawn(Stream::new(*kind, scope, Arc::clone(&link)).run());
        }
        tasks.spawn(pulse::run(Arc::clone(&link)));
        // The health of the control plane is asked for by who looks at the whole of it.
        if kinds.len() == Kind::ALL.len() {
            tasks.spawn(checks::run(Arc::clone(&link)));
            for component in Component::ALL {
                tasks.spawn(leaders::run(Arc::clone(&link), component));
            }
        }
        if kinds.contains(&Kind::Node) {
            tasks.spawn(leases::run(Arc::clone(&link), node_count.subscribe()));
            tasks.spawn(leases::run_suspects(Arc::clone(&link), suspects.subscribe()));
        }
        Self { link, suspects, node_count, _tasks: tasks }
    }

    /// The nodes whose leases are worth live reads, worst first: only the first few are read.
    pub fn set_suspects(&self, nodes: Vec<Text>) {
        self.suspects.send_if_modified(|known| {
            let is_new = *known != nodes;
            *known = nodes;
            is_new
        });
    }

    /// How many nodes there are: the more, the rarer their leases are listed.
    pub fn set_node_count(&self, count: usize) {
        self.node_count.send_replace(count);
    }

    /// Lists everything anew, and asks again for what was forbidden or absent. The old rows stay meanwhile.
    pub fn refresh(&self) {
        self.link.refresh();
    }
}
