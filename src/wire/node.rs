//! A node on the wire. `status.images` and the kubelet's endpoints are left unread.

use super::decoder::Object;
use super::meta::{Condition, ObjectMeta};
use super::scalar::{Amount, Quantity, Time, amount, free, nullable, pairs, resources};
use super::shared::Shared;
use crate::cluster::{Cordon, Cordoner, Effect, MARKS, Node as Row, Taint as TaintRow};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Node {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: NodeSpec,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    status: NodeStatus,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct NodeSpec {
    #[prost(string, tag = "3")]
    #[serde(rename = "providerID", deserialize_with = "nullable")]
    provider_id: String,
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    unschedulable: bool,
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    taints: Vec<Taint>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Taint {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    key: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    value: String,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    effect: String,
    #[prost(message, optional, tag = "4")]
    time_added: Option<Time>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeStatus {
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "pairs")]
    allocatable: Vec<Amount>,
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    addresses: Vec<NodeAddress>,
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    node_info: NodeSystemInfo,
    #[prost(string, repeated, tag = "9")]
    #[serde(deserialize_with = "nullable")]
    volumes_in_use: Vec<String>,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    volumes_attached: Vec<AttachedVolume>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct NodeAddress {
    #[prost(string, tag = "1")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    address: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeSystemInfo {
    #[prost(string, tag = "3")]
    #[serde(rename = "bootID", deserialize_with = "nullable")]
    boot_id: String,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(deserialize_with = "free")]
    os_image: Vec<u8>,
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    kubelet_version: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct AttachedVolume {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    name: String,
}

impl Object for Node {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        let internal = status.addresses.iter().find(|address| address.kind == "InternalIP");
        Row {
            meta: metadata.meta(shared),
            is_unschedulable: spec.unschedulable,
            taints: spec.taints.iter().map(|taint| taint.row(shared)).collect(),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
            volumes_attached: status
                .volumes_attached
                .iter()
                .map(|volume| volume.name.as_str().into())
                .collect(),
            volumes_in_use: status.volumes_in_use.iter().map(|name| name.as_str().into()).collect(),
            kubelet_version: shared.text(&status.node_info.kubelet_version),
            boot_id: status.node_info.boot_id.as_str().into(),
            os_image: shared.free(&status.node_info.os_image),
            internal_ip: internal.map(|address| address.address.as_str().into()).unwrap_or_default(),
            provider_id: spec.provider_id.as_str().into(),
            allocatable_pods: amount(&status.allocatable, "pods")
                .and_then(Quantity::whole)
                .and_then(|pods| u32::try_from(pods).ok()),
            allocatable: resources(&status.allocatable),
            cordon_note: Cordon::read(|key| metadata.annotation(key)).map(Box::new),
            cordoned_by: Cordoner::read(|key| metadata.annotation(key)),
            marks: MARKS
                .iter()
                .filter_map(|key| Some(((*key).into(), metadata.annotation(key)?.into())))
                .collect(),
        }
    }
}

impl Taint {
    fn row(&self, shared: &mut Shared) -> TaintRow {
        TaintRow {
            key: shared.text(&self.key),
            value: shared.text(&self.value),
            effect: Effect::parse(&self.effect),
            added: self.time_added.as_ref().and_then(Time::second),
        }
    }
}
