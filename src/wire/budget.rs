//! A disruption budget on the wire.

use super::decoder::Object;
use super::meta::{Condition, ObjectMeta};
use super::scalar::{Key, nullable, pairs};
use super::shared::Shared;
use super::template::{IntOrString, Selector, count};
use crate::cluster::PodDisruptionBudget as Row;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct PodDisruptionBudget {
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
    #[prost(message, optional, tag = "1")]
    min_available: Option<IntOrString>,
    #[prost(message, optional, tag = "2")]
    selector: Option<Selector>,
    #[prost(message, optional, tag = "3")]
    max_unavailable: Option<IntOrString>,
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    unhealthy_pod_eviction_policy: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    observed_generation: i64,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "pairs")]
    disrupted_pods: Vec<Key>,
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    disruptions_allowed: i32,
    #[prost(int32, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    current_healthy: i32,
    #[prost(int32, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    desired_healthy: i32,
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    expected_pods: i32,
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
}

impl Object for PodDisruptionBudget {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            selector: spec.selector.as_ref().map(|selector| selector.row(shared)),
            min_available: spec.min_available.as_ref().map(|min| min.text(shared)).unwrap_or_default(),
            max_unavailable: spec.max_unavailable.as_ref().map(|max| max.text(shared)).unwrap_or_default(),
            unhealthy_pod_eviction_policy: shared.text(&spec.unhealthy_pod_eviction_policy),
            generation: metadata.generation,
            observed_generation: status.observed_generation,
            disruptions_allowed: count(status.disruptions_allowed),
            current_healthy: count(status.current_healthy),
            desired_healthy: count(status.desired_healthy),
            expected_pods: count(status.expected_pods),
            disrupted: status.disrupted_pods.iter().map(|pod| pod.key.as_str().into()).collect(),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
        }
    }
}
