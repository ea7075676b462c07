//! What a watch can tell: one delta each. A recording of a session is a list of these with their times.

use super::{
    ApiService, Checks, Component, DaemonSet, Deployment, Event, Job, Kind, LeaderLease, Lease, Name,
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicaSet, Service,
    StatefulSet, Text, Trial, VolumeAttachment,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Node(Delta<Node>),
    Pod(Delta<Pod>),
    PersistentVolume(Delta<PersistentVolume>),
    PersistentVolumeClaim(Delta<PersistentVolumeClaim>),
    VolumeAttachment(Delta<VolumeAttachment>),
    Namespace(Delta<Namespace>),
    Deployment(Delta<Deployment>),
    ReplicaSet(Delta<ReplicaSet>),
    StatefulSet(Delta<StatefulSet>),
    DaemonSet(Delta<DaemonSet>),
    Job(Delta<Job>),
    PodDisruptionBudget(Delta<PodDisruptionBudget>),
    Service(Delta<Service>),
    ApiService(Delta<ApiService>),
    Event(Delta<Event>),
    /// One reading of node leases: all of them, or the ones that were asked for.
    Leases {
        leases: Vec<Lease>,
        is_complete: bool,
    },
    /// One reading of a leader lease.
    Leader(Component, LeaderLease),
    /// What the API server said of its own checks.
    Checks(Checks),
    /// What the API server said when it was asked whether it would take an update of an object.
    Trial(Box<Trial>),
    /// How a stream fares.
    Feed(Feed, FeedChange),
}

/// A delta of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delta<R> {
    /// A list begins; the old rows stay until `Synced`.
    Reset,
    Apply(Box<R>),
    Delete {
        name: Name,
        uid: Text,
    },
    /// The list is complete, and the watch goes on from it.
    Synced,
}

/// A stream of changes: the watch of a kind, or what is read again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Feed {
    Watch(Kind),
    Leases,
    Leader(Component),
    /// The API server's own checks.
    Checks,
}

impl Feed {
    /// What it brings, as what could not be read is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watch(kind) => kind.plural(),
            Self::Leases => "node leases",
            Self::Leader(component) => component.lease(),
            Self::Checks => "checks of the API server",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeedChange {
    /// A list or a WatchList was started.
    Listing,
    /// The table is complete and follows the cluster.
    Live,
    /// The stream broke; it is tried again, and the rows are as old as the break.
    Down { reason: Text },
    /// The server refuses it: it is not tried again until the next login.
    Forbidden { reason: Text },
    /// The server does not have this kind.
    Absent { reason: Text },
    /// The list was cut off on purpose: so many were read, and so many more are there if the server said.
    Truncated { read: usize, left: Option<u64> },
    /// An object that could not be decoded was skipped.
    Undecodable { reason: Text },
}

/// Where a stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    #[default]
    Waiting,
    Listing {
        since: Timestamp,
    },
    Live {
        since: Timestamp,
    },
    Down {
        since: Timestamp,
        reason: Text,
    },
    Forbidden {
        reason: Text,
    },
    Absent {
        reason: Text,
    },
}

/// What is known of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedState {
    pub sync: Sync,
    /// Whether the table was complete at some time.
    pub was_complete: bool,
    pub truncated: Option<(usize, Option<u64>)>,
    pub undecodable: u32,
    pub last_undecodable: Option<Text>,
}

impl FeedState {
    pub fn apply(&mut self, change: FeedChange, at: Timestamp) {
        match change {
            // A relist of a broken stream: the rows are as old as the break until it is complete.
            FeedChange::Listing => match self.sync {
                Sync::Down { .. } => {}
                Sync::Waiting
                | Sync::Listing { .. }
                | Sync::Live { .. }
                | Sync::Forbidden { .. }
                | Sync::Absent { .. } => {
                    self.sync = Sync::Listing { since: at };
                }
            },
            FeedChange::Live => {
                self.was_complete = true;
                if !matches!(self.sync, Sync::Live { .. }) {
                    self.sync = Sync::Live { since: at };
                }
            }
            FeedChange::Down { reason } => {
                let since = match &self.sync {
                    Sync::Down { since, .. } => *since,
                    Sync::Waiting
                    | Sync::Listing { .. }
                    | Sync::Live { .. }
                    | Sync::Forbidden { .. }
                    | Sync::Absent { .. } => at,
                };
                self.sync = Sync::Down { since, reason };
            }
            FeedChange::Forbidden { reason } => self.sync = Sync::Forbidden { reason },
            FeedChange::Absent { reason } => self.sync = Sync::Absent { reason },
            FeedChange::Truncated { read, left } => self.truncated = Some((read, left)),
            FeedChange::Undecodable { reason } => {
                self.undecodable = self.undecodable.saturating_add(1);
                self.last_undecodable = Some(reason);
            }
        }
    }

    /// Whether its first list has not come in yet, and may.
    pub const fn is_first_awaited(&self) -> bool {
        match self.sync {
            Sync::Waiting | Sync::Listing { .. } => !self.was_complete,
            Sync::Live { .. } | Sync::Down { .. } | Sync::Forbidden { .. } | Sync::Absent { .. } => false,
        }
    }

    /// Whether nothing more is to be expected before the table can be trusted.
    pub const fn is_settled(&self) -> bool {
        match self.sync {
            Sync::Live { .. } | Sync::Forbidden { .. } | Sync::Absent { .. } => true,
            Sync::Waiting | Sync::Listing { .. } | Sync::Down { .. } => false,
        }
    }
}
