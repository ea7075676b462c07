//! A replica set on the wire.

use super::annotation::REVISION;
use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::nullable;
use super::shared::Shared;
use super::template::{Selector, SetCondition, Template, count, wanted};
use crate::cluster::ReplicaSet as Row;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct ReplicaSet {
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
    #[prost(int32, optional, tag = "1")]
    replicas: Option<i32>,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    selector: Selector,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    template: Template,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    replicas: i32,
    #[prost(int64, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    observed_generation: i64,
    #[prost(int32, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    ready_replicas: i32,
    #[prost(int32, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    available_replicas: i32,
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<SetCondition>,
}

impl Object for ReplicaSet {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            selector: spec.selector.row(shared),
            replicas: wanted(spec.replicas),
            images: spec.template.images(shared),
            generation: metadata.generation,
            observed_generation: status.observed_generation,
            current: count(status.replicas),
            ready: count(status.ready_replicas),
            available: count(status.available_replicas),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
            revision: metadata.annotation(REVISION).and_then(|number| number.parse().ok()),
        }
    }
}
