//! A lease on the wire: a node's, and one by which somebody leads.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Time, nullable};
use super::shared::Shared;
use crate::cluster::{LeaderLease as LeaderRow, Lease as Row};
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

/// The same object, read for who holds it and for how long.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct LeaderLease {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: LeaderSpec,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeaderSpec {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    holder_identity: String,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    lease_duration_seconds: i32,
    #[prost(message, optional, tag = "4")]
    renew_time: Option<Time>,
}

impl Object for LeaderLease {
    type Row = LeaderRow;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, _: &mut Shared) -> LeaderRow {
        let LeaderSpec { holder_identity, lease_duration_seconds, renew_time } = &self.spec;
        LeaderRow {
            uid: self.metadata.uid.as_str().into(),
            holder: holder_identity.as_str().into(),
            seconds: *lease_duration_seconds,
            renewed: renew_time.as_ref().and_then(Time::micro),
        }
    }
}
