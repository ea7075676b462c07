//! A node's lease on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Time, nullable};
use super::shared::Shared;
use crate::cluster::Lease as Row;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Lease {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: Spec,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[prost(message, optional, tag = "4")]
    renew_time: Option<Time>,
}

impl Object for Lease {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, _: &mut Shared) -> Row {
        Row {
            node: self.metadata.name.as_str().into(),
            uid: self.metadata.uid.as_str().into(),
            resource_version: self.metadata.resource_version.as_str().into(),
            renewed: self.spec.renew_time.as_ref().and_then(Time::micro),
        }
    }
}
