//! How the changes of workloads and the readings of leases are taken in; all others are `Cluster::take`'s own.

use super::{
    Cluster, DaemonSet, Delta, Deployment, Dirty, Feed, FeedChange, Heartbeat, Kind, Lease, ReplicaSet,
    Since, StatefulSet, Text, Workload, step,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Cluster {
    pub(super) fn take_deployment(&mut self, delta: Delta<Deployment>, at: Timestamp) -> Dirty {
        let now = Since { at, is_exact: self.is_seen(Kind::Deployment, &delta) };
        let (indexes, touched) = (&mut self.indexes, &mut self.touched);
        step(&mut self.deployments, delta, |old, new| {
            touched.workload(old, new);
            indexes.workload(old.map(Workload::Deployment), new.map(Workload::Deployment), now);
        });
        Dirty::of(Kind::Deployment)
    }

    pub(super) fn take_replica_set(&mut self, delta: Delta<ReplicaSet>, at: Timestamp) -> Dirty {
        let now = Since { at, is_exact: self.is_seen(Kind::ReplicaSet, &delta) };
        let (indexes, touched) = (&mut self.indexes, &mut self.touched);
        step(&mut self.replica_sets, delta, |old, new| {
            touched.replica_set(old, new);
            indexes.replica_set(old, new);
            indexes.workload(old.map(Workload::ReplicaSet), new.map(Workload::ReplicaSet), now);
        });
        Dirty::of(Kind::ReplicaSet)
    }

    pub(super) fn take_stateful_set(&mut self, delta: Delta<StatefulSet>, at: Timestamp) -> Dirty {
        let now = Since { at, is_exact: self.is_seen(Kind::StatefulSet, &delta) };
        let (indexes, touched) = (&mut self.indexes, &mut self.touched);
        step(&mut self.stateful_sets, delta, |old, new| {
            touched.workload(old, new);
            indexes.workload(old.map(Workload::StatefulSet), new.map(Workload::StatefulSet), now);
        });
        Dirty::of(Kind::StatefulSet)
    }

    pub(super) fn take_daemon_set(&mut self, delta: Delta<DaemonSet>, at: Timestamp) -> Dirty {
        let now = Since { at, is_exact: self.is_seen(Kind::DaemonSet, &delta) };
        let (indexes, touched) = (&mut self.indexes, &mut self.touched);
        step(&mut self.daemon_sets, delta, |old, new| {
            touched.workload(old, new);
            indexes.workload(old.map(Workload::DaemonSet), new.map(Workload::DaemonSet), now);
        });
        Dirty::of(Kind::DaemonSet)
    }

    pub(super) fn take_leases(&mut self, leases: Vec<Lease>, is_complete: bool, at: Timestamp) -> Dirty {
        if is_complete {
            let named: BTreeSet<Text> = leases.iter().map(|lease| lease.node.clone()).collect();
            let touched = &mut self.touched;
            self.heartbeats.retain(|node, heartbeat| {
                let stays = named.contains(node);
                if !stays {
                    touched.heartbeat(node, Some(heartbeat), None);
                }
                stays
            });
        }
        for lease in leases {
            let node = lease.node.clone();
            let old = self.heartbeats.get(&node).cloned();
            let new = match old.clone() {
                Some(mut heartbeat) => {
                    heartbeat.read(lease, at);
                    heartbeat
                }
                None => Heartbeat::new(lease, at),
            };
            self.touched.heartbeat(&node, old.as_ref(), Some(&new));
            self.heartbeats.insert(node, new);
        }
        Dirty(Dirty::LEASES)
    }

    pub(super) fn take_feed(&mut self, feed: Feed, change: FeedChange, at: Timestamp) -> Dirty {
        let before = self.feed(feed);
        if let (Feed::Checks, FeedChange::Down { .. }) = (feed, &change) {
            self.forget_readiness();
        }
        let state = self.feeds.entry(feed).or_default();
        state.apply(change, at);
        if *state != before {
            self.touched.everything();
        }
        if feed == Feed::Watch(Kind::Pod) && !before.was_complete && self.feed(feed).was_complete {
            self.touch_unready();
        }
        Dirty(Dirty::FEEDS)
    }
}
