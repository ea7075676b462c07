//! A job on the wire.

use super::decoder::Object;
use super::meta::{Condition, ObjectMeta};
use super::scalar::{Time, nullable};
use super::shared::Shared;
use super::template::{Selector, Template, count, wanted};
use crate::cluster::Job as Row;
use serde::Deserialize;

/// What the server fills in where nothing is said.
const BACKOFF_LIMIT: i32 = 6;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Job {
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
    parallelism: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    completions: Option<i32>,
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    selector: Selector,
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    template: Template,
    #[prost(int32, optional, tag = "7")]
    backoff_limit: Option<i32>,
    #[prost(bool, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    suspend: bool,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    #[prost(message, optional, tag = "2")]
    start_time: Option<Time>,
    #[prost(message, optional, tag = "3")]
    completion_time: Option<Time>,
    #[prost(int32, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    active: i32,
    #[prost(int32, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    succeeded: i32,
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    failed: i32,
    #[prost(int32, tag = "9")]
    #[serde(deserialize_with = "nullable")]
    ready: i32,
}

impl Object for Job {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            selector: spec.selector.row(shared),
            parallelism: wanted(spec.parallelism),
            completions: spec.completions.map(count),
            backoff_limit: count(spec.backoff_limit.unwrap_or(BACKOFF_LIMIT)),
            is_suspended: spec.suspend,
            images: spec.template.images(shared),
            active: count(status.active),
            ready: count(status.ready),
            succeeded: count(status.succeeded),
            failed: count(status.failed),
            started: status.start_time.as_ref().and_then(Time::second),
            finished: status.completion_time.as_ref().and_then(Time::second),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
        }
    }
}
