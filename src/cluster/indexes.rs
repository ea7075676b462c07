//! The indexes that the cluster's joins read, kept by the difference of what a row was and what it is.

use super::{
    Event, Index, Kind, Labels, Meta, Name, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicaSet,
    Since, Text, VolumeAttachment, Workload,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes {
    pub pods_by_node: Index<Text, Name>,
    pub pods_by_claim: Index<Name, Name>,
    /// By namespace and label set, of which there are far fewer than pods.
    pub pods_by_labels: Index<(Text, Labels), Name>,
    /// By the uid of what owns them.
    pub pods_by_owner: Index<Text, Name>,
    pub sets_by_owner: Index<Text, Name>,
    /// Pods with a deletion timestamp.
    pub pods_deleting: BTreeSet<Name>,
    pub deleting_by_node: Index<Text, Name>,
    /// Pods that are worth a look: few among many.
    pub pods_troubled: BTreeSet<Name>,
    /// Pods that have not ended and are not ready, by namespace and label set.
    pub pods_unready: Index<(Text, Labels), Name>,
    pub claims_unbound: BTreeSet<Name>,
    pub claims_deleting: BTreeSet<Name>,
    pub volumes_failed: BTreeSet<Name>,
    /// Attachments that fail, are to go, or are not there yet.
    pub attachments_odd: BTreeSet<Name>,
    /// Workloads with less than they want, or on the way to a new template; and since when they are seen to be.
    pub unwell: BTreeMap<(Kind, Name), Since>,
    /// The same of those that have fewer pods than they want, ready or not.
    pub unmade: BTreeMap<(Kind, Name), Since>,
    pub attachments_by_node: Index<Text, Name>,
    pub attachments_by_volume: Index<Text, Name>,
    pub volumes_by_claim: Index<Name, Name>,
    pub volumes_by_unique_name: Index<Text, Name>,
    /// Volumes of which one machine alone has the data.
    pub volumes_by_host: Index<Text, Name>,
    pub nodes_by_attached: Index<Text, Name>,
    pub nodes_by_in_use: Index<Text, Name>,
    pub nodes_unready: BTreeSet<Name>,
    /// Nodes that are cordoned, tainted, or run out of something: few among many.
    pub nodes_marked: BTreeSet<Name>,
    pub events_by_regarding: Index<(Text, Name), Name>,
    events_by_time: BTreeSet<(Option<Timestamp>, Name)>,
}

/// The values of a row that may not be there.
fn values<R, V>(row: Option<&R>, of: impl Fn(&R) -> Vec<V>) -> Vec<V> {
    row.map_or_else(Vec::new, of)
}

impl Indexes {
    pub fn node(&mut self, old: Option<&Node>, new: Option<&Node>) {
        let Some(name) = old.or(new).map(|node| &node.meta.name) else {
            return;
        };
        let attached = |node: &Node| node.volumes_attached.to_vec();
        let in_use = |node: &Node| node.volumes_in_use.to_vec();
        self.nodes_by_attached.update(name, &values(old, attached), &values(new, attached));
        self.nodes_by_in_use.update(name, &values(old, in_use), &values(new, in_use));
        keep(&mut self.nodes_unready, name, new.is_some_and(|node| !node.is_ready()));
        keep(&mut self.nodes_marked, name, new.is_some_and(Node::is_marked));
    }

    pub fn pod(&mut self, old: Option<&Pod>, new: Option<&Pod>) {
        let Some(name) = old.or(new).map(|pod| &pod.meta.name) else {
            return;
        };
        let node = |pod: &Pod| Vec::from_iter((!pod.node.is_empty()).then(|| pod.node.clone()));
        let claims = |pod: &Pod| {
            let namespace = &pod.meta.name.namespace;
            pod.claims.iter().map(|claim| Name::new(namespace.clone(), claim.clone())).collect()
        };
        self.pods_by_node.update(name, &values(old, node), &values(new, node));
        let labels = |pod: &Pod| vec![(pod.meta.name.namespace.clone(), pod.meta.labels.clone())];
        self.pods_by_labels.update(name, &values(old, labels), &values(new, labels));
        self.pods_by_claim.update(name, &values(old, claims), &values(new, claims));
        let owner = |pod: &Pod| owner(&pod.meta);
        self.pods_by_owner.update(name, &values(old, owner), &values(new, owner));
        let unready = |pod: &Pod| {
            let is_unready = !pod.phase.is_terminal() && !pod.is_ready();
            Vec::from_iter(is_unready.then(|| (pod.meta.name.namespace.clone(), pod.meta.labels.clone())))
        };
        self.pods_unready.update(name, &values(old, unready), &values(new, unready));
        let place = |pod: &Pod| {
            let node = pod.meta.is_deleting().then(|| pod.node.clone());
            node.into_iter().collect()
        };
        self.deleting_by_node.update(name, &values(old, place), &values(new, place));
        keep(&mut self.pods_deleting, name, new.is_some_and(|pod| pod.meta.is_deleting()));
        keep(&mut self.pods_troubled, name, new.is_some_and(Pod::is_troubled));
    }

    pub fn volume(&mut self, old: Option<&PersistentVolume>, new: Option<&PersistentVolume>) {
        let Some(name) = old.or(new).map(|volume| &volume.meta.name) else {
            return;
        };
        let claim =
            |volume: &PersistentVolume| Vec::from_iter(volume.claim.as_ref().map(|claim| claim.name.clone()));
        let unique = |volume: &PersistentVolume| Vec::from_iter(volume.unique_name().map(Text::from));
        self.volumes_by_claim.update(name, &values(old, claim), &values(new, claim));
        let host = |volume: &PersistentVolume| volume.pinned_to().cloned().collect();
        self.volumes_by_host.update(name, &values(old, host), &values(new, host));
        self.volumes_by_unique_name.update(name, &values(old, unique), &values(new, unique));
        keep(&mut self.volumes_failed, name, new.is_some_and(|volume| volume.phase == "Failed"));
    }

    pub fn claim(&mut self, old: Option<&PersistentVolumeClaim>, new: Option<&PersistentVolumeClaim>) {
        if let Some(name) = old.or(new).map(|claim| &claim.meta.name) {
            keep(&mut self.claims_unbound, name, new.is_some_and(|claim| claim.phase != "Bound"));
            keep(&mut self.claims_deleting, name, new.is_some_and(|claim| claim.meta.is_deleting()));
        }
    }

    pub fn replica_set(&mut self, old: Option<&ReplicaSet>, new: Option<&ReplicaSet>) {
        if let Some(name) = old.or(new).map(|set| &set.meta.name) {
            let owner = |set: &ReplicaSet| owner(&set.meta);
            self.sets_by_owner.update(name, &values(old, owner), &values(new, owner));
        }
    }

    pub fn workload(&mut self, old: Option<Workload<'_>>, new: Option<Workload<'_>>, now: Since) {
        let Some(row) = old.or(new) else {
            return;
        };
        let key = (row.kind(), row.meta().name.clone());
        // A replica set that somebody owns is part of its owner.
        let new = new.filter(|row| row.kind() != Kind::ReplicaSet || row.meta().owner.is_none());
        keep_since(&mut self.unmade, &key, new.is_some_and(Workload::lacks_pods), now);
        keep_since(&mut self.unwell, &key, new.is_some_and(|row| !row.is_well()), now);
    }

    /// A stateful set whose pod is gone is short anew: the next one of that name can only come now.
    pub fn pod_gone(&mut self, pod: &Pod, now: Since) {
        let owner = pod.meta.owner.as_ref().filter(|owner| owner.kind == "StatefulSet");
        let Some(owner) = owner else { return };
        let key = (Kind::StatefulSet, Name::new(pod.meta.name.namespace.clone(), owner.name.clone()));
        self.unwell.entry(key).and_modify(|since| *since = now);
    }

    pub fn attachment(&mut self, old: Option<&VolumeAttachment>, new: Option<&VolumeAttachment>) {
        let Some(name) = old.or(new).map(|attachment| &attachment.meta.name) else {
            return;
        };
        let node = |attachment: &VolumeAttachment| vec![attachment.node.clone()];
        let volume = |attachment: &VolumeAttachment| vec![attachment.volume.clone()];
        self.attachments_by_node.update(name, &values(old, node), &values(new, node));
        self.attachments_by_volume.update(name, &values(old, volume), &values(new, volume));
        let is_odd = |attachment: &VolumeAttachment| {
            !attachment.is_attached || attachment.meta.is_deleting() || attachment.detach_error.is_some()
        };
        keep(&mut self.attachments_odd, name, new.is_some_and(is_odd));
    }

    pub fn event(&mut self, old: Option<&Event>, new: Option<&Event>) {
        let Some(name) = old.or(new).map(|event| &event.meta.name) else {
            return;
        };
        let regarding = |event: &Event| vec![(event.regarding.kind.clone(), event.regarding.name.clone())];
        self.events_by_regarding.update(name, &values(old, regarding), &values(new, regarding));
        if let Some(old) = old {
            self.events_by_time.remove(&(old.last, name.clone()));
        }
        if let Some(new) = new {
            self.events_by_time.insert((new.last, name.clone()));
        }
    }

    pub fn oldest_event(&self) -> Option<Name> {
        self.events_by_time.first().map(|(_, name)| name.clone())
    }
}

fn owner(meta: &Meta) -> Vec<Text> {
    let uid = meta.owner.as_ref().map(|owner| owner.uid.clone());
    Vec::from_iter(uid.filter(|uid| !uid.is_empty()))
}

fn keep_since(kept: &mut BTreeMap<(Kind, Name), Since>, key: &(Kind, Name), is_in: bool, now: Since) {
    if is_in {
        kept.entry(key.clone()).or_insert(now);
    } else {
        kept.remove(key);
    }
}

fn keep(names: &mut BTreeSet<Name>, name: &Name, is_in: bool) {
    if is_in {
        names.insert(name.clone());
    } else {
        names.remove(name);
    }
}
