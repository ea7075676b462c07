//! A persistent volume on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Amount, Present, amount, free, nullable, pairs};
use super::shared::{Shared, own};
use crate::cluster::{
    AccessModes, ClaimRef, Name, PersistentVolume as Row, Requirement as RequirementRow, Source as SourceRow,
};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct PersistentVolume {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: Spec,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    status: Status,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "pairs")]
    capacity: Vec<Amount>,
    // Volumes are few: what flattening costs in JSON is no matter here, unlike with pods.
    #[prost(message, required, tag = "2")]
    #[serde(flatten)]
    source: Source,
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    access_modes: Vec<String>,
    #[prost(message, optional, tag = "4")]
    claim_ref: Option<ObjectReference>,
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    persistent_volume_reclaim_policy: String,
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    storage_class_name: String,
    #[prost(string, optional, tag = "8")]
    volume_mode: Option<String>,
    #[prost(message, optional, tag = "9")]
    node_affinity: Option<NodeAffinity>,
}

/// One of these is there. Of most only that: the rest decides nothing.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    #[prost(message, optional, tag = "22")]
    csi: Option<Csi>,
    #[prost(message, optional, tag = "20")]
    local: Option<HostPath>,
    #[prost(message, optional, tag = "3")]
    host_path: Option<HostPath>,
    #[prost(message, optional, tag = "5")]
    nfs: Option<Nfs>,
    #[prost(message, optional, tag = "1")]
    gce_persistent_disk: Option<Present>,
    #[prost(message, optional, tag = "2")]
    aws_elastic_block_store: Option<Present>,
    #[prost(message, optional, tag = "4")]
    glusterfs: Option<Present>,
    #[prost(message, optional, tag = "6")]
    rbd: Option<Present>,
    #[prost(message, optional, tag = "7")]
    iscsi: Option<Present>,
    #[prost(message, optional, tag = "8")]
    cinder: Option<Present>,
    #[prost(message, optional, tag = "9")]
    cephfs: Option<Present>,
    #[prost(message, optional, tag = "10")]
    fc: Option<Present>,
    #[prost(message, optional, tag = "11")]
    flocker: Option<Present>,
    #[prost(message, optional, tag = "12")]
    flex_volume: Option<Present>,
    #[prost(message, optional, tag = "13")]
    azure_file: Option<Present>,
    #[prost(message, optional, tag = "14")]
    vsphere_volume: Option<Present>,
    #[prost(message, optional, tag = "15")]
    quobyte: Option<Present>,
    #[prost(message, optional, tag = "16")]
    azure_disk: Option<Present>,
    #[prost(message, optional, tag = "17")]
    photon_persistent_disk: Option<Present>,
    #[prost(message, optional, tag = "18")]
    portworx_volume: Option<Present>,
    #[prost(message, optional, tag = "19")]
    #[serde(rename = "scaleIO")]
    scale_io: Option<Present>,
    #[prost(message, optional, tag = "21")]
    storageos: Option<Present>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Csi {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    driver: String,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    volume_handle: Vec<u8>,
}

/// Serves `local` too: the path is the same field in both.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct HostPath {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "free")]
    path: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Nfs {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "free")]
    server: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    path: Vec<u8>,
}

/// `core/v1` `ObjectReference`: a volume's claim, and what an event is about.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct ObjectReference {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    pub kind: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    pub uid: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct NodeAffinity {
    #[prost(message, optional, tag = "1")]
    required: Option<NodeSelector>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeSelector {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    node_selector_terms: Vec<Term>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Term {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    match_expressions: Vec<Requirement>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Requirement {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    key: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    operator: String,
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    values: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Status {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    phase: String,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
}

impl Object for PersistentVolume {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            phase: shared.text(&status.phase),
            reason: shared.free(&status.reason),
            message: own(&status.message),
            capacity: amount(&spec.capacity, "storage")
                .map(|capacity| shared.text(&capacity.written))
                .unwrap_or_default(),
            access: AccessModes::parse(spec.access_modes.iter().map(String::as_str)),
            reclaim_policy: shared.text(&spec.persistent_volume_reclaim_policy),
            class: shared.text(&spec.storage_class_name),
            claim: spec.claim_ref.as_ref().map(|claim| ClaimRef {
                name: Name::new(shared.text(&claim.namespace), claim.name.as_str()),
                uid: claim.uid.as_str().into(),
            }),
            source: spec.source.row(shared),
            is_raw_block: spec.volume_mode.as_deref() == Some("Block"),
            affinity: spec.node_affinity.as_ref().map(|affinity| affinity.row(shared)).unwrap_or_default(),
        }
    }
}

impl NodeAffinity {
    /// What a node must be. What it must not be says nothing of where the volume is.
    fn row(&self, shared: &mut Shared) -> Box<[RequirementRow]> {
        self.required
            .iter()
            .flat_map(|selector| &selector.node_selector_terms)
            .flat_map(|term| &term.match_expressions)
            .filter(|requirement| requirement.operator == "In")
            .map(|requirement| RequirementRow {
                key: shared.text(&requirement.key),
                values: requirement.values.iter().map(|value| shared.text(value)).collect(),
            })
            .collect()
    }
}

impl Source {
    fn row(&self, shared: &mut Shared) -> SourceRow {
        match self {
            Self { csi: Some(csi), .. } => {
                SourceRow::Csi { driver: shared.text(&csi.driver), handle: own(&csi.volume_handle) }
            }
            Self { local: Some(local), .. } => SourceRow::Local { path: own(&local.path) },
            Self { host_path: Some(host), .. } => SourceRow::HostPath { path: own(&host.path) },
            Self { nfs: Some(nfs), .. } => {
                SourceRow::Nfs { server: shared.free(&nfs.server), path: own(&nfs.path) }
            }
            Self { .. } => match self.in_tree().into_iter().find(|(_, source)| source.is_some()) {
                Some((field, _)) => SourceRow::InTree { field: shared.text(field) },
                None => SourceRow::Unknown,
            },
        }
    }

    const fn in_tree(&self) -> [(&'static str, &Option<Present>); 18] {
        [
            ("gcePersistentDisk", &self.gce_persistent_disk),
            ("awsElasticBlockStore", &self.aws_elastic_block_store),
            ("glusterfs", &self.glusterfs),
            ("rbd", &self.rbd),
            ("iscsi", &self.iscsi),
            ("cinder", &self.cinder),
            ("cephfs", &self.cephfs),
            ("fc", &self.fc),
            ("flocker", &self.flocker),
            ("flexVolume", &self.flex_volume),
            ("azureFile", &self.azure_file),
            ("vsphereVolume", &self.vsphere_volume),
            ("quobyte", &self.quobyte),
            ("azureDisk", &self.azure_disk),
            ("photonPersistentDisk", &self.photon_persistent_disk),
            ("portworxVolume", &self.portworx_volume),
            ("scaleIO", &self.scale_io),
            ("storageos", &self.storageos),
        ]
    }
}
