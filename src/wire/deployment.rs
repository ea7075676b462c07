//! A deployment on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Time, free, nullable};
use super::shared::{Shared, own};
use super::template::{Selector, StrategyType, Template, count, wanted};
use crate::cluster::{Condition as ConditionRow, Deployment as Row, Status as ConditionStatus};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Deployment {
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
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    strategy: StrategyType,
    #[prost(bool, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    paused: bool,
    #[prost(int32, optional, tag = "9")]
    progress_deadline_seconds: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    observed_generation: i64,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    replicas: i32,
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    updated_replicas: i32,
    #[prost(int32, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    available_replicas: i32,
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    #[prost(int32, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    ready_replicas: i32,
}

/// Its numbers are its own: between status and reason there once was another field.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[prost(string, tag = "1")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    status: String,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
    #[prost(message, optional, tag = "6")]
    last_update_time: Option<Time>,
    #[prost(message, optional, tag = "7")]
    last_transition_time: Option<Time>,
}

impl Object for Deployment {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        let progressing = status.conditions.iter().find(|condition| condition.kind == "Progressing");
        let progressed = progressing.and_then(|condition| condition.last_update_time.as_ref());
        Row {
            meta: metadata.meta(shared),
            selector: spec.selector.row(shared),
            replicas: wanted(spec.replicas),
            is_paused: spec.paused,
            strategy: shared.text(&spec.strategy.kind),
            images: spec.template.images(shared),
            generation: metadata.generation,
            observed_generation: status.observed_generation,
            current: count(status.replicas),
            updated: count(status.updated_replicas),
            ready: count(status.ready_replicas),
            available: count(status.available_replicas),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
            progress_deadline: spec.progress_deadline_seconds.and_then(|seconds| u32::try_from(seconds).ok()),
            progressed: progressed.and_then(Time::second),
        }
    }
}

impl Condition {
    fn row(&self, shared: &mut Shared) -> ConditionRow {
        ConditionRow {
            kind: shared.text(&self.kind),
            status: ConditionStatus::parse(&self.status),
            reason: shared.free(&self.reason),
            message: own(&self.message),
            changed: self.last_transition_time.as_ref().and_then(Time::second),
        }
    }
}
