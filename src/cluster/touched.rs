//! What the changes since somebody last asked have touched, by name: what is derived from the cluster is made anew
//! for these and for what hangs on them, and for nothing else.
//!
//! It holds what a row was as well as what it is: a pod that has moved concerns both nodes. What hangs on what is
//! `findings`' to say.

use super::{
    Event, Heartbeat, Kind, Labels, Meta, Name, Node, PersistentVolume, PersistentVolumeClaim, Pod,
    ReplicaSet, Row, Service, Text, VolumeAttachment,
};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// So much that names are of no use, or what all hangs on: the state of a stream.
    pub is_everything: bool,
    /// Nodes whose own state may have changed, for all that is on them.
    pub nodes: BTreeSet<Text>,
    /// Nodes of which only what is there may have changed.
    pub places: BTreeSet<Text>,
    pub pods: BTreeSet<Name>,
    /// By namespace and labels.
    pub labels: BTreeSet<(Text, Labels)>,
    /// Claims that pods mount or mounted.
    pub mounted: BTreeSet<Name>,
    pub claims: BTreeSet<Name>,
    pub volumes: BTreeSet<Text>,
    /// Volumes by the unique names in a node's status.
    pub uniques: BTreeSet<Text>,
    pub workloads: BTreeSet<(Kind, Name)>,
    /// Uids of workloads that have come or gone.
    pub owners: BTreeSet<Text>,
    pub services: BTreeSet<Name>,
}

/// With more than this it is cheaper to look at everything.
const MOST: usize = 20_000;

impl Touched {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a node, a volume, a claim or an attachment is among it.
    pub fn has_storage(&self) -> bool {
        self.is_everything || !self.nodes.is_empty() || !self.volumes.is_empty()
    }

    pub(super) fn everything(&mut self) {
        *self = Self { is_everything: true, ..Self::default() };
    }

    /// Before a batch: forgets the names where they have become too many.
    pub(super) fn bound(&mut self) {
        let many = self.pods.len() + self.nodes.len() + self.workloads.len() + self.volumes.len();
        if self.is_everything || many > MOST {
            self.everything();
        }
    }

    pub(super) fn node(&mut self, old: Option<&Node>, new: Option<&Node>) {
        for node in old.into_iter().chain(new) {
            self.nodes.insert(node.meta.name.name.clone());
            self.uniques.extend(node.volumes_attached.iter().chain(&node.volumes_in_use).cloned());
        }
    }

    pub(super) fn pod(&mut self, old: Option<&Pod>, new: Option<&Pod>) {
        for pod in old.into_iter().chain(new) {
            let namespace = &pod.meta.name.namespace;
            self.pods.insert(pod.meta.name.clone());
            self.places.insert(pod.node.clone());
            self.labels.insert((namespace.clone(), pod.meta.labels.clone()));
            self.mounted.extend(pod.claims.iter().map(|claim| Name::new(namespace.clone(), claim.clone())));
            self.owner(&pod.meta);
        }
    }

    fn owner(&mut self, meta: &Meta) {
        let Some(owner) = &meta.owner else { return };
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| owner.kind == *kind.word()) {
            self.workloads.insert((kind, Name::new(meta.name.namespace.clone(), owner.name.clone())));
        }
    }

    pub(super) fn volume(&mut self, old: Option<&PersistentVolume>, new: Option<&PersistentVolume>) {
        for volume in old.into_iter().chain(new) {
            self.volumes.insert(volume.meta.name.name.clone());
            self.claims.extend(volume.claim.as_ref().map(|claim| claim.name.clone()));
            self.uniques.extend(volume.unique_name().map(Text::from));
        }
    }

    pub(super) fn claim(&mut self, old: Option<&PersistentVolumeClaim>, new: Option<&PersistentVolumeClaim>) {
        for claim in old.into_iter().chain(new) {
            self.claims.insert(claim.meta.name.clone());
            self.volumes.insert(claim.volume.clone());
        }
    }

    pub(super) fn attachment(&mut self, old: Option<&VolumeAttachment>, new: Option<&VolumeAttachment>) {
        for attachment in old.into_iter().chain(new) {
            self.places.insert(attachment.node.clone());
            self.volumes.insert(attachment.volume.clone());
        }
    }

    pub(super) fn workload<R: Row>(&mut self, old: Option<&R>, new: Option<&R>) {
        let uid = |row: &R| row.meta().uid.clone();
        let has_changed_hands = old.map(uid) != new.map(uid);
        for row in old.into_iter().chain(new) {
            self.workloads.insert((R::KIND, row.name().clone()));
            if has_changed_hands {
                self.owners.insert(uid(row));
            }
        }
    }

    pub(super) fn replica_set(&mut self, old: Option<&ReplicaSet>, new: Option<&ReplicaSet>) {
        let owner = |set: &ReplicaSet| set.meta.owner.clone();
        if old.and_then(owner) != new.and_then(owner) {
            self.owners.extend(old.into_iter().chain(new).map(|set| set.meta.uid.clone()));
        }
        for set in old.into_iter().chain(new) {
            self.owner(&set.meta);
        }
        self.workload(old, new);
    }

    pub(super) fn service(&mut self, old: Option<&Service>, new: Option<&Service>) {
        self.services.extend(old.into_iter().chain(new).map(|service| service.meta.name.clone()));
    }

    /// A workload may be judged with the words of its events.
    pub(super) fn event(&mut self, old: Option<&Event>, new: Option<&Event>) {
        for event in old.into_iter().chain(new) {
            let told = [Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet];
            let kind = told.into_iter().find(|kind| event.regarding.kind == *kind.word());
            self.workloads.extend(kind.map(|kind| (kind, event.regarding.name.clone())));
        }
    }

    /// A lease that goes on moving says nothing new of a node that is ready.
    pub(super) fn heartbeat(&mut self, node: &Text, old: Option<&Heartbeat>, new: Option<&Heartbeat>) {
        let moves = |beat: &Heartbeat| beat.moved == Some(beat.read);
        if !old.is_some_and(moves) || !new.is_some_and(moves) {
            self.nodes.insert(node.clone());
        } else {
            self.places.insert(node.clone());
        }
    }
}
