//! A namespace on the wire.

use super::decoder::Object;
use super::meta::{Condition, ObjectMeta};
use super::scalar::nullable;
use super::shared::Shared;
use crate::cluster::Namespace as Row;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Namespace {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    status: Status,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Status {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    phase: String,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
}

impl Object for Namespace {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        Row {
            meta: self.metadata.meta(shared),
            phase: shared.text(&self.status.phase),
            conditions: self.status.conditions.iter().map(|condition| condition.row(shared)).collect(),
        }
    }
}
