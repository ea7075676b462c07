//! What the runtime would make of the updates, and nothing more: a cluster, and what was told beside it.

use super::script::PATIENCE;
use jiff::SignedDuration;
use sickbay::cluster::{Change, Cluster, Delta, Feed, FeedChange, Kind, Sync};
use sickbay::k8s::connect::Scope;
use sickbay::k8s::watch::{Limits, LinkState, LoginState, Streams, Update, Upstream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

pub struct Board {
    pub streams: Streams,
    updates: mpsc::UnboundedReceiver<Update>,
    patience: Duration,
    pub cluster: Cluster,
    pub server_time: Option<SignedDuration>,
    /// All that was told of the streams, in order.
    pub feeds: Vec<(Feed, FeedChange)>,
    pub links: Vec<(Instant, LinkState)>,
    pub logins: Vec<LoginState>,
    pub synced: Vec<Kind>,
    pub lease_readings: Vec<(Instant, bool, usize)>,
}

impl Board {
    pub fn watch(upstream: Arc<dyn Upstream>) -> Self {
        Self::with_patience(upstream, &Scope::All, Limits::default(), PATIENCE)
    }

    pub fn with_patience(
        upstream: Arc<dyn Upstream>,
        scope: &Scope,
        limits: Limits,
        patience: Duration,
    ) -> Self {
        let (out, mut told) = mpsc::channel(16);
        let (pump, updates) = mpsc::unbounded_channel();
        // A board keeps up, also while a test is busy with the server.
        tokio::spawn(async move {
            while let Some(update) = told.recv().await {
                if pump.send(update).is_err() {
                    return;
                }
            }
        });
        Self {
            streams: Streams::start(upstream, scope, out, limits),
            patience,
            server_time: None,
            updates,
            cluster: Cluster::default(),
            feeds: Vec::new(),
            links: Vec::new(),
            logins: Vec::new(),
            synced: Vec::new(),
            lease_readings: Vec::new(),
        }
    }

    /// Takes updates in until something holds.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let patience = self.patience;
        let reading = async {
            while !holds(self) {
                let update = self.updates.recv().await.unwrap();
                self.take(update);
            }
        };
        let came = timeout(patience, reading).await.is_ok();
        assert!(came, "{what} never came; feeds: {:?}, links: {:?}", self.feeds, self.links.last());
    }

    /// Takes updates in for a while.
    pub async fn during(&mut self, time: Duration) {
        let reading = async {
            loop {
                let update = self.updates.recv().await.unwrap();
                self.take(update);
            }
        };
        assert!(timeout(time, reading).await.is_err());
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::Changes(changes) => {
                for change in &changes {
                    self.note(change);
                }
                self.cluster.apply_all(changes, jiff::Timestamp::now());
            }
            Update::Link(state) => self.links.push((Instant::now(), state)),
            Update::ServerTime(offset) => self.server_time = Some(offset),
            Update::Login(state) => self.logins.push(state),
        }
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::Feed(feed, told) => self.feeds.push((*feed, told.clone())),
            Change::Namespace(Delta::Synced) => self.synced.push(Kind::Namespace),
            Change::Event(Delta::Synced) => self.synced.push(Kind::Event),
            Change::Pod(Delta::Synced) => self.synced.push(Kind::Pod),
            Change::Leases { leases, is_complete } => {
                self.lease_readings.push((Instant::now(), *is_complete, leases.len()));
            }
            Change::Node(_)
            | Change::Pod(_)
            | Change::PersistentVolume(_)
            | Change::PersistentVolumeClaim(_)
            | Change::VolumeAttachment(_)
            | Change::Namespace(_)
            | Change::Deployment(_)
            | Change::ReplicaSet(_)
            | Change::StatefulSet(_)
            | Change::DaemonSet(_)
            | Change::Job(_)
            | Change::PodDisruptionBudget(_)
            | Change::Service(_)
            | Change::ApiService(_)
            | Change::Leader(..)
            | Change::Checks(_)
            | Change::Trial(_)
            | Change::Event(_) => {}
        }
    }

    pub fn namespaces(&self) -> Vec<&str> {
        self.cluster.namespaces.values().map(|row| row.meta.name.name.as_str()).collect()
    }

    pub fn sync(&self, kind: Kind) -> Sync {
        self.cluster.feed(Feed::Watch(kind)).sync
    }

    pub fn is_live(&self, kind: Kind) -> bool {
        matches!(self.sync(kind), Sync::Live { .. })
    }

    pub fn is_settled(&self, feed: Feed) -> bool {
        self.cluster.feed(feed).is_settled()
    }

    /// Whether a stream was ever told to be down.
    pub fn was_down(&self, kind: Kind) -> bool {
        let is_down = |told: &FeedChange| matches!(told, FeedChange::Down { .. });
        self.feeds.iter().any(|(feed, told)| *feed == Feed::Watch(kind) && is_down(told))
    }

    pub fn is_link_down(&self) -> bool {
        matches!(self.links.last(), Some((_, LinkState::Down { .. })))
    }

    pub fn is_link_up(&self) -> bool {
        matches!(self.links.last(), Some((_, LinkState::Up { .. })))
    }
}
