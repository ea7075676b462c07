//! One volume, joined: where it is attached against where it is wanted, and what kind of storage it is.

use super::{
    Cluster, Name, Node, PersistentVolume, PersistentVolumeClaim, Phase, Pod, Source, Text, VolumeAttachment,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a row of the volumes is: the volume itself where there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VolumeId {
    /// A persistent volume by its name.
    Persistent(Text),
    /// A claim that has no volume.
    Claim(Name),
    /// A name in a node's status that belongs to no persistent volume: an inline or a forgotten one.
    Unknown(Text),
}

/// The kind of storage, because it decides what to do when a node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Storage {
    /// One node at a time: prove death, then detach.
    Block,
    /// Many nodes at a time: only the pod needs releasing.
    File,
    /// The data is on one machine: detaching does not help.
    Pinned,
    /// A claim without a volume, or one that nothing is known of.
    Unknown,
}

impl Storage {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::File => "file",
            Self::Pinned => "pinned",
            Self::Unknown => "-",
        }
    }
}

#[derive(Clone, Debug)]
pub struct VolumeJoin<'a> {
    pub id: VolumeId,
    pub volume: Option<&'a PersistentVolume>,
    pub claim: Option<&'a PersistentVolumeClaim>,
    /// The claim's name, known from the volume even where the claim itself may not be read.
    pub claim_name: Option<Name>,
    pub attached: Vec<Attached<'a>>,
    /// Pods that mount the claim, the ended ones left out.
    pub pods: Vec<&'a Pod>,
}

/// A node to which the volume is attached.
#[derive(Clone, Debug)]
pub struct Attached<'a> {
    pub node_name: Text,
    /// `None` where the node is gone.
    pub node: Option<&'a Node>,
    pub by: AttachedBy<'a>,
}

#[derive(Clone, Copy, Debug)]
pub enum AttachedBy<'a> {
    Object(&'a VolumeAttachment),
    /// Listed in the node's `volumesAttached` or, if only there, in its `volumesInUse`.
    Status {
        is_in_use_only: bool,
    },
}

impl VolumeJoin<'_> {
    pub fn storage(&self) -> Storage {
        self.volume.map_or(Storage::Unknown, PersistentVolume::storage)
    }

    /// Nodes on which a pod is bound that mounts it, in order, each once.
    pub fn wanted_on(&self) -> BTreeSet<&Text> {
        self.pods
            .iter()
            .filter(|pod| !pod.node.is_empty() && pod.wants_volumes())
            .map(|pod| &pod.node)
            .collect()
    }

    /// Pods there that keep the attach-detach controller from detaching it.
    pub fn wanting_on(&self, node: &str) -> impl Iterator<Item = &Pod> {
        self.pods.iter().copied().filter(move |pod| pod.node == *node && pod.wants_volumes())
    }

    /// Bound pods that cannot start because it is not attached to their node.
    pub fn waiting(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().copied().filter(|pod| {
            let is_waiting = pod.phase == Phase::Pending && !pod.meta.is_deleting() && !pod.node.is_empty();
            is_waiting && !self.is_attached_to(&pod.node)
        })
    }

    /// Attached to one node and wanted on another, although it can be on one only.
    pub fn is_torn(&self) -> bool {
        let is_exclusive = self.volume.is_some_and(|volume| !volume.access.is_shared());
        is_exclusive
            && self
                .wanted_on()
                .iter()
                .any(|node| self.attached.iter().any(Attached::is_attached) && !self.is_attached_to(node))
    }

    pub fn on_unready_node(&self) -> bool {
        let is_unready = |attached: &Attached<'_>| attached.node.is_none_or(|node| !node.is_ready());
        self.attached.iter().any(|attached| attached.is_attached() && is_unready(attached))
    }

    fn is_attached_to(&self, node: &str) -> bool {
        self.attached.iter().any(|attached| attached.is_attached() && attached.node_name == *node)
    }
}

impl Attached<'_> {
    /// Whether it is more than in use by a kubelet's word: one lists what it waits for, too, and one that is
    /// silent what it once had.
    pub const fn is_attached(&self) -> bool {
        match self.by {
            AttachedBy::Object(_) | AttachedBy::Status { is_in_use_only: false } => true,
            AttachedBy::Status { is_in_use_only: true } => false,
        }
    }
}

impl PersistentVolume {
    pub fn storage(&self) -> Storage {
        match &self.source {
            Source::Local { .. } | Source::HostPath { .. } => Storage::Pinned,
            _ if self.pinned_to().next().is_some() => Storage::Pinned,
            Source::Nfs { .. } => Storage::File,
            Source::InTree { field }
                if matches!(field.as_str(), "azureFile" | "cephfs" | "glusterfs" | "quobyte") =>
            {
                Storage::File
            }
            Source::Csi { .. } | Source::InTree { .. }
                if self.access.is_read_write_many() && !self.is_raw_block =>
            {
                Storage::File
            }
            Source::Csi { .. } | Source::InTree { .. } => Storage::Block,
            Source::Unknown => Storage::Unknown,
        }
    }

    /// Host names that its node affinity asks for.
    pub fn pinned_to(&self) -> impl Iterator<Item = &Text> {
        self.affinity
            .iter()
            .filter(|requirement| requirement.key == "kubernetes.io/hostname")
            .flat_map(|requirement| requirement.values.iter())
    }
}

impl Cluster {
    /// All volumes: persistent ones, claims without one, and what only a node's status names.
    pub fn volumes(&self) -> Vec<VolumeId> {
        let persistent = self
            .persistent_volumes
            .values()
            .map(|volume| VolumeId::Persistent(volume.meta.name.name.clone()));
        let claims = self
            .persistent_volume_claims
            .values()
            .filter(|claim| !self.has_volume(claim))
            .map(|claim| VolumeId::Claim(claim.meta.name.clone()));
        let unknown: BTreeSet<&Text> = self
            .indexes
            .nodes_by_attached
            .values()
            .chain(self.indexes.nodes_by_in_use.values())
            .filter(|unique| self.indexes.volumes_by_unique_name.count(*unique) == 0)
            .collect();
        persistent.chain(claims).chain(unknown.into_iter().cloned().map(VolumeId::Unknown)).collect()
    }

    /// The volumes that are attached to a node, by object or by its status, the known ones by what they are. An
    /// attachment that names no volume, or one that is not there, is not among them.
    pub fn volumes_attached_to(&self, node: &str) -> BTreeSet<VolumeId> {
        let by_object = self
            .attachments_on(node)
            .filter(|object| self.persistent_volumes.get(&Name::cluster(object.volume.clone())).is_some())
            .map(|object| VolumeId::Persistent(object.volume.clone()));
        let by_status = self.node(node).into_iter().flat_map(|node| &node.volumes_attached).map(|unique| {
            let volume = self.indexes.volumes_by_unique_name.keys(unique).next();
            volume.map_or_else(
                || VolumeId::Unknown(unique.clone()),
                |volume| VolumeId::Persistent(volume.name.clone()),
            )
        });
        by_object.chain(by_status).collect()
    }

    /// The volumes that can be reached from the machine of that host name alone.
    pub fn volumes_pinned_to(&self, host: &str) -> impl Iterator<Item = VolumeId> {
        self.indexes.volumes_by_host.keys(host).map(|volume| VolumeId::Persistent(volume.name.clone()))
    }

    fn has_volume(&self, claim: &PersistentVolumeClaim) -> bool {
        self.persistent_volumes.get(&Name::cluster(claim.volume.clone())).is_some()
            || self.indexes.volumes_by_claim.count(&claim.meta.name) > 0
    }

    /// The row of the volumes in which a claim appears.
    pub fn volume_of_claim(&self, claim: &Name) -> Option<VolumeId> {
        if let Some(volume) = self.indexes.volumes_by_claim.keys(claim).next() {
            return Some(VolumeId::Persistent(volume.name.clone()));
        }
        let claim = self.persistent_volume_claims.get(claim)?;
        let volume = Name::cluster(claim.volume.clone());
        Some(match self.persistent_volumes.get(&volume) {
            Some(_) => VolumeId::Persistent(volume.name),
            None => VolumeId::Claim(claim.meta.name.clone()),
        })
    }

    /// The volume that a node's status means by a unique name.
    pub fn volume_by_unique_name(&self, unique: &Text) -> VolumeId {
        match self.indexes.volumes_by_unique_name.keys(unique).next() {
            Some(volume) => VolumeId::Persistent(volume.name.clone()),
            None => VolumeId::Unknown(unique.clone()),
        }
    }

    /// The join of one volume; `None` where nothing of it is left.
    pub fn volume(&self, id: &VolumeId) -> Option<VolumeJoin<'_>> {
        let (volume, claim_name) = match id {
            VolumeId::Persistent(name) => {
                let volume = self.persistent_volumes.get(&Name::cluster(name.clone()))?;
                (Some(volume), volume.claim.as_ref().map(|claim| claim.name.clone()))
            }
            VolumeId::Claim(name) => {
                self.persistent_volume_claims.get(name)?;
                (None, Some(name.clone()))
            }
            VolumeId::Unknown(unique) => {
                self.indexes
                    .nodes_by_attached
                    .keys(unique)
                    .chain(self.indexes.nodes_by_in_use.keys(unique))
                    .next()?;
                (None, None)
            }
        };
        let claim = claim_name.as_ref().and_then(|name| self.persistent_volume_claims.get(name));
        let pods = claim_name.iter().flat_map(|name| self.pods_of_claim(name));
        Some(VolumeJoin {
            id: id.clone(),
            volume,
            claim,
            attached: self.attached(id, volume),
            pods: pods.filter(|pod| !matches!(pod.phase, Phase::Succeeded | Phase::Failed)).collect(),
            claim_name,
        })
    }

    fn attached<'a>(&'a self, id: &VolumeId, volume: Option<&'a PersistentVolume>) -> Vec<Attached<'a>> {
        let mut attached: Vec<Attached<'a>> = Vec::new();
        if let Some(volume) = volume {
            attached.extend(self.attachments_of(&volume.meta.name.name).map(|object| Attached {
                node_name: object.node.clone(),
                node: self.node(&object.node),
                by: AttachedBy::Object(object),
            }));
        }
        let unique = match id {
            VolumeId::Persistent(_) => volume.and_then(PersistentVolume::unique_name).map(Text::from),
            VolumeId::Claim(_) => None,
            VolumeId::Unknown(unique) => Some(unique.clone()),
        };
        let Some(unique) = unique else { return attached };
        for (node, is_in_use_only) in self.nodes_with_volume(&unique) {
            if attached.iter().all(|known| known.node_name != node.meta.name.name) {
                attached.push(Attached {
                    node_name: node.meta.name.name.clone(),
                    node: Some(node),
                    by: AttachedBy::Status { is_in_use_only },
                });
            }
        }
        attached
    }
}
