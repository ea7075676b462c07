//! All that is known of the cluster, as one plain value: tables, indexes, and what was seen when.
//!
//! It learns by `apply` alone, which is given the time; it never asks for it. What it deliberately does not do:
//! judge (that is `findings`), decode (`wire`) or talk to anyone (`k8s`).

mod api_service;
mod budget;
mod change;
mod cordon;
mod daemon_set;
mod deployment;
mod event;
mod eviction;
mod index;
mod indexes;
mod job;
mod leader;
mod lease;
mod memory;
mod meta;
mod name;
mod namespace;
mod node;
mod objects;
mod pod;
mod quantity;
mod readiness;
mod replica_set;
mod rollout;
mod selector;
mod service;
mod stateful_set;
mod storage;
mod table;
mod take;
mod text;
mod timers;
mod touched;
mod trial;
mod trouble;
mod volume;
mod workload;

pub use api_service::ApiService;
pub use budget::PodDisruptionBudget;
pub use change::{Change, Delta, Feed, FeedChange, FeedState, Sync};
pub use cordon::{Cordon, Cordoner};
pub use daemon_set::DaemonSet;
pub use deployment::Deployment;
pub use event::{Event, FoldedEvent, Regarding};
pub use eviction::Eviction;
pub use index::Index;
pub use job::{Job, JobState};
pub use leader::{Component, Leader, LeaderLease, Leading};
pub use lease::{Heartbeat, Lease, SignOfLife};
pub use memory::Since;
pub use meta::{Deletion, Meta, Owner};
pub use name::{Kind, Name, ObjectRef};
pub use namespace::Namespace;
pub use node::{Condition, Effect, MARKS, Node, Readiness, Status, Taint};
pub use pod::{Container, Ended, Phase, Pod, Resources, State, Toleration};
pub use quantity::millis;
pub use readiness::{Checks, Readiness as ServerReadiness};
pub use replica_set::ReplicaSet;
pub use rollout::{Counts, Image, Rollout};
pub use selector::{Expression, Operator, Selector};
pub use service::{Port, Service};
pub use stateful_set::StatefulSet;
pub use storage::{
    AccessModes, ClaimRef, PersistentVolume, PersistentVolumeClaim, Requirement, Source, VolumeAttachment,
    VolumeError,
};
pub use table::{Row, Table};
pub use text::{Interner, Labels, Text};
pub use timers::Timers;
pub use touched::Touched;
pub use trial::{Acceptance, Fault, Trial, Tried};
pub use volume::{Attached, AttachedBy, Storage, VolumeId, VolumeJoin};
pub use workload::{Backed, Backing, Workload};

use indexes::Indexes;
use jiff::Timestamp;
use memory::Memory;
use std::collections::BTreeMap;

/// The most events that are kept: what a list of twenty pages of 500 brings.
pub const MOST_EVENTS: usize = 10_000;

#[derive(Debug, Default)]
pub struct Cluster {
    pub nodes: Table<Node>,
    pub pods: Table<Pod>,
    pub persistent_volumes: Table<PersistentVolume>,
    pub persistent_volume_claims: Table<PersistentVolumeClaim>,
    pub volume_attachments: Table<VolumeAttachment>,
    pub namespaces: Table<Namespace>,
    pub deployments: Table<Deployment>,
    pub replica_sets: Table<ReplicaSet>,
    pub stateful_sets: Table<StatefulSet>,
    pub daemon_sets: Table<DaemonSet>,
    pub jobs: Table<Job>,
    pub pod_disruption_budgets: Table<PodDisruptionBudget>,
    pub services: Table<Service>,
    pub api_services: Table<ApiService>,
    pub events: Table<Event>,
    /// The only namespace that is read; `None` where all are.
    pub namespace: Option<Text>,
    heartbeats: BTreeMap<Text, Heartbeat>,
    leaders: BTreeMap<Component, Leader>,
    readiness: Option<ServerReadiness>,
    trials: trial::Trials,
    feeds: BTreeMap<Feed, FeedState>,
    indexes: Indexes,
    memory: Memory,
    touched: Touched,
    /// Events that were dropped to keep the store within its bound.
    events_dropped: u64,
}

/// What a change touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty(u32);

impl Dirty {
    const LEASES: u32 = 1 << 30;
    const FEEDS: u32 = 1 << 31;

    const fn of(kind: Kind) -> Self {
        Self(1 << kind as u16)
    }

    pub const fn is_clean(self) -> bool {
        self.0 == 0
    }

    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

macro_rules! rows {
    ($($row:ident),*) => { $(
        impl Row for $row {
            const KIND: Kind = Kind::$row;

            fn meta(&self) -> &Meta {
                &self.meta
            }
        }
    )* };
}

rows!(
    Node,
    Pod,
    PersistentVolume,
    PersistentVolumeClaim,
    VolumeAttachment,
    Namespace,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    PodDisruptionBudget,
    Service,
    ApiService,
    Event
);

impl Cluster {
    /// Takes a batch in, at one moment, and says what it touched.
    pub fn apply_all(&mut self, changes: impl IntoIterator<Item = Change>, at: Timestamp) -> Dirty {
        let mut dirty = Dirty::default();
        self.touched.bound();
        for change in changes {
            dirty = dirty.and(self.take(change, at));
        }
        self.judge_touched(at);
        dirty
    }

    pub fn apply(&mut self, change: Change, at: Timestamp) -> Dirty {
        self.apply_all([change], at)
    }

    fn take(&mut self, change: Change, at: Timestamp) -> Dirty {
        match change {
            Change::Node(delta) => {
                let is_seen = self.is_seen(Kind::Node, &delta);
                let (indexes, touched) = (&mut self.indexes, &mut self.touched);
                let names = step(&mut self.nodes, delta, |old, new| {
                    indexes.node(old, new);
                    touched.node(old, new);
                });
                for name in names {
                    self.remember_node(&name, is_seen, at);
                }
                Dirty::of(Kind::Node)
            }
            Change::Pod(delta) => {
                let is_seen = self.is_seen(Kind::Pod, &delta);
                let (indexes, memory, touched) = (&mut self.indexes, &mut self.memory, &mut self.touched);
                let now = Since { at, is_exact: is_seen };
                step(&mut self.pods, delta, |old, new| {
                    indexes.pod(old, new);
                    touched.pod(old, new);
                    old.filter(|_| new.is_none()).into_iter().for_each(|gone| indexes.pod_gone(gone, now));
                    memory.touch_pod(old, new, is_seen);
                });
                Dirty::of(Kind::Pod)
            }
            Change::PersistentVolume(delta) => {
                let (indexes, touched) = (&mut self.indexes, &mut self.touched);
                let names = step(&mut self.persistent_volumes, delta, |old, new| {
                    indexes.volume(old, new);
                    touched.volume(old, new);
                });
                for name in names {
                    self.touch_volume(&name);
                }
                Dirty::of(Kind::PersistentVolume)
            }
            Change::PersistentVolumeClaim(delta) => {
                let (indexes, touched) = (&mut self.indexes, &mut self.touched);
                step(&mut self.persistent_volume_claims, delta, |old, new| {
                    indexes.claim(old, new);
                    touched.claim(old, new);
                });
                Dirty::of(Kind::PersistentVolumeClaim)
            }
            Change::VolumeAttachment(delta) => {
                let (indexes, memory, touched) = (&mut self.indexes, &mut self.memory, &mut self.touched);
                step(&mut self.volume_attachments, delta, |old, new| {
                    indexes.attachment(old, new);
                    touched.attachment(old, new);
                    memory.touch_attachment(old, new);
                });
                Dirty::of(Kind::VolumeAttachment)
            }
            Change::Namespace(delta) => plain(&mut self.namespaces, delta),
            Change::Deployment(delta) => self.take_deployment(delta, at),
            Change::ReplicaSet(delta) => self.take_replica_set(delta, at),
            Change::StatefulSet(delta) => self.take_stateful_set(delta, at),
            Change::DaemonSet(delta) => self.take_daemon_set(delta, at),
            Change::Job(delta) => {
                let touched = &mut self.touched;
                step(&mut self.jobs, delta, |old, new| touched.workload(old, new));
                Dirty::of(Kind::Job)
            }
            Change::PodDisruptionBudget(delta) => plain(&mut self.pod_disruption_budgets, delta),
            Change::Service(delta) => {
                let touched = &mut self.touched;
                step(&mut self.services, delta, |old, new| touched.service(old, new));
                Dirty::of(Kind::Service)
            }
            Change::ApiService(delta) => plain(&mut self.api_services, delta),
            Change::Event(delta) => {
                let (indexes, touched) = (&mut self.indexes, &mut self.touched);
                step(&mut self.events, delta, |old, new| {
                    indexes.event(old, new);
                    touched.event(old, new);
                });
                self.bound_events();
                Dirty::of(Kind::Event)
            }
            Change::Leases { leases, is_complete } => self.take_leases(leases, is_complete, at),
            Change::Leader(component, lease) => self.take_leader(component, lease, at),
            Change::Checks(checks) => self.take_readiness(checks, at),
            Change::Trial(trial) => self.take_trial(*trial, at),
            Change::Feed(feed, change) => self.take_feed(feed, change, at),
        }
    }

    fn bound_events(&mut self) {
        while self.events.len() > MOST_EVENTS {
            let Some(name) = self.indexes.oldest_event() else {
                return;
            };
            let Some(uid) = self.events.get(&name).map(|event| event.meta.uid.clone()) else {
                return;
            };
            let gone = self.events.remove(&name, &uid);
            self.indexes.event(gone.as_ref(), None);
            self.touched.event(gone.as_ref(), None);
            self.events_dropped += 1;
        }
    }

    /// What was touched since this was last asked.
    pub fn take_touched(&mut self) -> Touched {
        self.touched.bound();
        std::mem::take(&mut self.touched)
    }

    // -- readings --------------------------------------------------------------------------------------------

    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(&Name::cluster(name))
    }

    /// Nodes whose Ready condition is anything but True, new ones included.
    pub fn unready_nodes(&self) -> impl Iterator<Item = &Node> {
        self.indexes.nodes_unready.iter().filter_map(|name| self.nodes.get(name))
    }

    /// Whether a node of this name is there and Ready.
    pub fn is_node_ready(&self, name: &str) -> bool {
        self.node(name).is_some_and(Node::is_ready)
    }

    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &Pod> {
        self.indexes.pods_by_node.keys(node).filter_map(|name| self.pods.get(name))
    }

    pub fn pod_count(&self, node: &str) -> usize {
        self.indexes.pods_by_node.count(node)
    }

    pub fn pods_of_claim(&self, claim: &Name) -> impl Iterator<Item = &Pod> {
        self.indexes.pods_by_claim.keys(claim).filter_map(|name| self.pods.get(name))
    }

    /// Pods with a deletion timestamp.
    pub fn deleting_pods(&self) -> impl Iterator<Item = &Pod> {
        self.indexes.pods_deleting.iter().filter_map(|name| self.pods.get(name))
    }

    /// The same of one node.
    pub fn deleting_on(&self, node: &str) -> impl Iterator<Item = &Pod> {
        self.indexes.deleting_by_node.keys(node).filter_map(|name| self.pods.get(name))
    }

    /// Nodes with at least so many of them.
    pub fn nodes_with_deleting(&self, least: usize) -> impl Iterator<Item = &Text> {
        self.indexes
            .deleting_by_node
            .iter()
            .filter(move |(_, pods)| pods.len() >= least)
            .map(|(node, _)| node)
    }

    pub fn attachments_on(&self, node: &str) -> impl Iterator<Item = &VolumeAttachment> {
        self.indexes.attachments_by_node.keys(node).filter_map(|name| self.volume_attachments.get(name))
    }

    pub fn attachments_of(&self, volume: &str) -> impl Iterator<Item = &VolumeAttachment> {
        self.indexes.attachments_by_volume.keys(volume).filter_map(|name| self.volume_attachments.get(name))
    }

    /// Nodes whose status lists a volume, attached ones first; and whether only as in use.
    fn nodes_with_volume(&self, unique_name: &str) -> Vec<(&Node, bool)> {
        let attached = self.indexes.nodes_by_attached.keys(unique_name).map(|name| (name, false));
        let in_use = self.indexes.nodes_by_in_use.keys(unique_name).map(|name| (name, true));
        attached.chain(in_use).filter_map(|(name, only)| Some((self.nodes.get(name)?, only))).collect()
    }

    /// Events about an object, newest first. By kind and name: an event's uid may be the node's name, or empty.
    pub fn events_of(&self, kind: Kind, name: &Name) -> Vec<&Event> {
        let regarding = (Text::from(kind.word()), name.clone());
        let mut events: Vec<&Event> = self
            .indexes
            .events_by_regarding
            .keys(&regarding)
            .filter_map(|name| self.events.get(name))
            .collect();
        events.sort_by(|one, two| two.last.cmp(&one.last).then_with(|| one.meta.name.cmp(&two.meta.name)));
        events
    }

    pub const fn events_dropped(&self) -> u64 {
        self.events_dropped
    }

    pub fn heartbeat(&self, node: &str) -> Option<&Heartbeat> {
        self.heartbeats.get(node)
    }

    pub fn feed(&self, feed: Feed) -> FeedState {
        self.feeds.get(&feed).cloned().unwrap_or_default()
    }

    pub fn feeds(&self) -> impl Iterator<Item = (Feed, &FeedState)> {
        self.feeds.iter().map(|(feed, state)| (*feed, state))
    }
}

/// Carries a delta out on its table, telling `changed` what was and what is; the names it touched.
fn step<R: Row>(
    table: &mut Table<R>,
    delta: Delta<R>,
    mut changed: impl FnMut(Option<&R>, Option<&R>),
) -> Vec<Name> {
    match delta {
        Delta::Reset => {
            table.begin_reset();
            Vec::new()
        }
        Delta::Apply(row) => {
            let name = row.name().clone();
            let old = table.apply(*row);
            changed(old.as_ref(), table.get(&name));
            vec![name]
        }
        Delta::Delete { name, uid } => match table.remove(&name, &uid) {
            Some(old) => {
                changed(Some(&old), None);
                vec![name]
            }
            None => Vec::new(),
        },
        Delta::Synced => {
            let gone = table.end_reset();
            for old in &gone {
                changed(Some(old), None);
            }
            gone.into_iter().map(|old| old.name().clone()).collect()
        }
    }
}

/// Carries a delta out on a table that nothing is joined to but by name.
fn plain<R: Row>(table: &mut Table<R>, delta: Delta<R>) -> Dirty {
    step(table, delta, |_, _| ());
    Dirty::of(R::KIND)
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
