//! A stateful set on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::nullable;
use super::shared::Shared;
use super::template::{Selector, SetCondition, Strategy, Template, count, wanted};
use crate::cluster::StatefulSet as Row;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct StatefulSet {
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
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    service_name: String,
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    pod_management_policy: String,
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    update_strategy: Strategy,
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
    ready_replicas: i32,
    #[prost(int32, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    updated_replicas: i32,
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    current_revision: String,
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    update_revision: String,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<SetCondition>,
    #[prost(int32, tag = "11")]
    #[serde(deserialize_with = "nullable")]
    available_replicas: i32,
}

impl Object for StatefulSet {
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
            service: shared.text(&spec.service_name),
            pod_management: shared.text(&spec.pod_management_policy),
            strategy: shared.text(&spec.update_strategy.kind),
            partition: spec
                .update_strategy
                .rolling_update
                .as_ref()
                .and_then(|rolling| rolling.partition)
                .map(count),
            images: spec.template.images(shared),
            generation: metadata.generation,
            observed_generation: status.observed_generation,
            current: count(status.replicas),
            updated: count(status.updated_replicas),
            ready: count(status.ready_replicas),
            available: count(status.available_replicas),
            current_revision: status.current_revision.as_str().into(),
            update_revision: status.update_revision.as_str().into(),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
        }
    }
}
