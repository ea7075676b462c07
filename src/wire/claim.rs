//! A claim on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Amount, amount, nullable, pairs};
use super::shared::Shared;
use crate::cluster::{AccessModes, PersistentVolumeClaim as Row};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct PersistentVolumeClaim {
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
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    access_modes: Vec<String>,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    resources: Resources,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    volume_name: String,
    #[prost(string, optional, tag = "5")]
    storage_class_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Resources {
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "pairs")]
    requests: Vec<Amount>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    phase: String,
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    access_modes: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "pairs")]
    capacity: Vec<Amount>,
}

impl Object for PersistentVolumeClaim {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    /// A bound claim has what its status says; one that is not bound has only what it asks for.
    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        let modes = if status.access_modes.is_empty() { &spec.access_modes } else { &status.access_modes };
        let capacity = amount(&status.capacity, "storage").or(amount(&spec.resources.requests, "storage"));
        Row {
            meta: metadata.meta(shared),
            phase: shared.text(&status.phase),
            volume: spec.volume_name.as_str().into(),
            class: shared.text(spec.storage_class_name.as_deref().unwrap_or_default()),
            access: AccessModes::parse(modes.iter().map(String::as_str)),
            capacity: capacity.map(|capacity| shared.text(&capacity.written)).unwrap_or_default(),
        }
    }
}
