//! A daemon set on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::nullable;
use super::shared::Shared;
use super::template::{Selector, SetCondition, StrategyType, Template, count};
use crate::cluster::DaemonSet as Row;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct DaemonSet {
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
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    selector: Selector,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    template: Template,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    update_strategy: StrategyType,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    current_number_scheduled: i32,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    number_misscheduled: i32,
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    desired_number_scheduled: i32,
    #[prost(int32, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    number_ready: i32,
    #[prost(int64, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    observed_generation: i64,
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    updated_number_scheduled: i32,
    #[prost(int32, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    number_available: i32,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<SetCondition>,
}

impl Object for DaemonSet {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            selector: spec.selector.row(shared),
            strategy: shared.text(&spec.update_strategy.kind),
            images: spec.template.images(shared),
            generation: metadata.generation,
            observed_generation: status.observed_generation,
            desired: count(status.desired_number_scheduled),
            scheduled: count(status.current_number_scheduled),
            updated: count(status.updated_number_scheduled),
            ready: count(status.number_ready),
            available: count(status.number_available),
            misscheduled: count(status.number_misscheduled),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
        }
    }
}
