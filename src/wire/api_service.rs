//! An API service on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::nullable;
use super::shared::Shared;
use super::template::SetCondition;
use crate::cluster::{ApiService as Row, Name};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct ApiService {
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
#[serde(default)]
struct Spec {
    #[prost(message, optional, tag = "1")]
    service: Option<Reference>,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    group: String,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    version: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Reference {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    namespace: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Status {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<SetCondition>,
}

impl Object for ApiService {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Spec { service, group, version } = &self.spec;
        Row {
            meta: self.metadata.meta(shared),
            group: shared.text(group),
            version: shared.text(version),
            service: service
                .as_ref()
                .map(|service| Name::new(shared.text(&service.namespace), shared.text(&service.name))),
            conditions: self.status.conditions.iter().map(|condition| condition.row(shared)).collect(),
        }
    }
}
