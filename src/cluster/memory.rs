//! What was seen to begin, and cannot be read off the objects as they are now.
//!
//! Judged anew at the end of each batch, for the nodes that it touched only: a zone that falls over changes
//! every pod in it, and each is looked at once.

use super::{Cluster, Delta, Feed, Kind, Name, Node, PersistentVolume, Pod, Sync, Text, VolumeAttachment};
use jiff::Timestamp;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Nodes that have had a NoExecute taint without a break, and since when.
    no_execute: BTreeMap<Name, Since>,
    /// Nodes that are not there although pods or attachments name them, and since when.
    absent: BTreeMap<Text, Since>,
    /// By node, for nodes that are not ready or absent: the persistent volumes attached there, and since when
    /// no pod there wants them; `None` while one does.
    held: BTreeMap<Text, BTreeMap<Text, Option<Since>>>,
    /// Nodes to be judged at the end of the batch, and whether what touched them was seen as it happened.
    touched: BTreeMap<Text, bool>,
}

/// A moment, and whether it was the beginning or only the first that was seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    pub at: Timestamp,
    pub is_exact: bool,
}

impl Memory {
    pub fn touch(&mut self, node: &Text, is_seen: bool) {
        if !node.is_empty() {
            self.touched.entry(node.clone()).and_modify(|seen| *seen &= is_seen).or_insert(is_seen);
        }
    }

    pub fn touch_pod(&mut self, old: Option<&Pod>, new: Option<&Pod>, is_seen: bool) {
        let is_moved = old.map(|pod| &pod.node) != new.map(|pod| &pod.node);
        for pod in old.into_iter().chain(new) {
            if is_moved || !pod.claims.is_empty() {
                self.touch(&pod.node, is_seen);
            }
        }
    }

    pub fn touch_attachment(&mut self, old: Option<&VolumeAttachment>, new: Option<&VolumeAttachment>) {
        for attachment in old.into_iter().chain(new) {
            self.touch(&attachment.node, true);
        }
    }
}

impl Cluster {
    /// Whether a delta tells of what happens now, rather than of what had happened while nobody looked.
    pub(super) fn is_seen<R>(&self, kind: Kind, delta: &Delta<R>) -> bool {
        let is_live = matches!(self.feed(Feed::Watch(kind)).sync, Sync::Live { .. });
        is_live && matches!(delta, Delta::Apply(_) | Delta::Delete { .. })
    }

    pub(super) fn remember_node(&mut self, name: &Name, is_seen: bool, at: Timestamp) {
        self.remember_no_execute(name, at);
        if self.nodes.get(name).is_none() {
            self.memory.absent.insert(name.name.clone(), Since { at, is_exact: is_seen });
        }
        self.memory.touch(&name.name, true);
    }

    /// The taint-eviction controller's timers run from its first sight of a NoExecute taint, and outlive a swap
    /// of not-ready for unreachable, although the new taint carries a newer time.
    fn remember_no_execute(&mut self, name: &Name, at: Timestamp) {
        let mut taints = self.nodes.get(name).into_iter().flat_map(Node::no_execute_taints).peekable();
        if taints.peek().is_none() {
            self.memory.no_execute.remove(name);
            return;
        }
        let added = taints.filter_map(|taint| taint.added).min();
        self.memory.no_execute.entry(name.clone()).or_insert(match added {
            Some(added) => Since { at: added, is_exact: true },
            None => Since { at, is_exact: false },
        });
    }

    /// A volume that has changed may be wanted by other pods than was thought.
    pub(super) fn touch_volume(&mut self, name: &Name) {
        let unique = self.persistent_volumes.get(name).and_then(PersistentVolume::unique_name);
        let by_object = self.indexes.attachments_by_volume.keys(&name.name);
        let by_object = by_object.filter_map(|name| Some(&self.volume_attachments.get(name)?.node));
        let by_status = unique.iter().flat_map(|unique| self.indexes.nodes_by_attached.keys(unique.as_str()));
        for node in by_object.chain(by_status.map(|name| &name.name)) {
            self.memory.touch(node, true);
        }
    }

    /// The pods are complete for the first time: only now can it be said that none wants a volume.
    pub(super) fn touch_unready(&mut self) {
        let unready: Vec<Text> = self.unready_nodes().map(|node| node.meta.name.name.clone()).collect();
        let absent: Vec<Text> = self.memory.absent.keys().cloned().collect();
        for node in unready.iter().chain(&absent) {
            self.memory.touch(node, false);
        }
    }

    /// At the end of a batch.
    pub(super) fn judge_touched(&mut self, at: Timestamp) {
        for (node, is_seen) in std::mem::take(&mut self.memory.touched) {
            let is_there = self.node(&node).is_some();
            let is_named = self.indexes.pods_by_node.count(&node) > 0
                || self.indexes.attachments_by_node.count(&node) > 0;
            let was_absent = self.memory.absent.contains_key(&node);
            if is_there || !is_named {
                self.memory.absent.remove(&node);
            } else {
                self.memory.absent.entry(node.clone()).or_insert(Since { at, is_exact: false });
            }
            if was_absent == self.memory.absent.contains_key(&node) {
                self.touched.places.insert(node.clone());
            } else {
                self.touched.nodes.insert(node.clone());
            }
            self.judge_held(&node, Since { at, is_exact: is_seen });
        }
    }

    /// The six minutes of a forced detach run from the moment at which no pod on the node wants the volume.
    fn judge_held(&mut self, node: &Text, now: Since) {
        let mut known = self.memory.held.remove(node).unwrap_or_default();
        if self.is_node_ready(node) {
            return;
        }
        let mut held: BTreeMap<Text, Option<Since>> = BTreeMap::new();
        for volume in self.persistent_volumes_on(node) {
            let is_judged = held.contains_key(&volume.meta.name.name);
            let Some(is_wanted) = self.is_wanted_on(volume, node).filter(|_| !is_judged) else { continue };
            let before = known.remove(&volume.meta.name.name);
            let since = match before {
                _ if is_wanted => None,
                Some(Some(since)) => Some(since),
                Some(None) => Some(now),
                None => Some(Since { is_exact: false, ..now }),
            };
            held.insert(volume.meta.name.name.clone(), since);
        }
        if !held.is_empty() {
            self.memory.held.insert(node.clone(), held);
        }
    }

    /// The persistent volumes that are attached to a node, by attachment or by its status; one can come twice.
    fn persistent_volumes_on(&self, node: &Text) -> impl Iterator<Item = &PersistentVolume> {
        let by_object = self.attachments_on(node).map(|object| Name::cluster(object.volume.clone()));
        let by_status = self
            .node(node)
            .into_iter()
            .flat_map(|node| &node.volumes_attached)
            .flat_map(|unique| self.indexes.volumes_by_unique_name.keys(unique).cloned());
        by_object.chain(by_status).filter_map(|name| self.persistent_volumes.get(&name))
    }

    /// Whether a pod on the node wants the volume; `None` where not all pods that could are known.
    fn is_wanted_on(&self, volume: &PersistentVolume, node: &str) -> Option<bool> {
        let Some(claim) = &volume.claim else { return Some(false) };
        if !self.knows_pods_of(&claim.name.namespace) {
            return None;
        }
        Some(self.pods_of_claim(&claim.name).any(|pod| pod.node == *node && pod.wants_volumes()))
    }

    // -- readings --------------------------------------------------------------------------------------------

    /// Whether all pods of a namespace were read at some time and have been followed since.
    pub fn knows_pods_of(&self, namespace: &str) -> bool {
        self.feed(Feed::Watch(Kind::Pod)).was_complete
            && self.namespace.as_ref().is_none_or(|only| *only == *namespace)
    }

    /// Since when the node has had a NoExecute taint without a break.
    pub fn no_execute_since(&self, node: &Name) -> Option<Since> {
        self.memory.no_execute.get(node).copied()
    }

    /// Nodes that pods or attachments name and that are not there, once all nodes are known.
    pub fn absent_nodes(&self) -> impl Iterator<Item = (&Text, Since)> {
        let is_known = self.feed(Feed::Watch(Kind::Node)).was_complete;
        self.memory.absent.iter().filter(move |_| is_known).map(|(name, since)| (name, *since))
    }

    /// Since when a node that pods or attachments name is not there, once all nodes are known.
    pub fn absent_since(&self, node: &str) -> Option<Since> {
        let is_known = self.feed(Feed::Watch(Kind::Node)).was_complete;
        self.memory.absent.get(node).copied().filter(|_| is_known)
    }

    /// Since when no pod on its node wants an attached volume, for nodes that are not ready or gone.
    pub fn unwanted_since(&self, attachment: &Name) -> Option<Since> {
        let attachment = self.volume_attachments.get(attachment)?;
        self.volume_unwanted_since(&attachment.node, &attachment.volume)
    }

    /// The same by node and persistent volume, for volumes without an attachment object too.
    pub fn volume_unwanted_since(&self, node: &str, volume: &str) -> Option<Since> {
        self.memory.held.get(node)?.get(volume).copied().flatten()
    }
}
