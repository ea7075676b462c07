//! What all objects share, on the wire: `ObjectMeta` as far as a row needs it.

use super::scalar::{Key, Pair, Time, free, nullable, pairs};
use super::shared::{Shared, own};
use crate::cluster::{Condition as ConditionRow, Deletion, Meta, Name, Owner, Status};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    pub uid: String,
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    pub resource_version: String,
    #[prost(message, optional, tag = "8")]
    pub creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    pub deletion_timestamp: Option<Time>,
    #[prost(int64, optional, tag = "10")]
    pub deletion_grace_period_seconds: Option<i64>,
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "pairs")]
    pub labels: Vec<Pair>,
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "pairs")]
    pub annotations: Vec<Key>,
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "nullable")]
    pub owner_references: Vec<OwnerReference>,
    #[prost(string, repeated, tag = "14")]
    #[serde(deserialize_with = "nullable")]
    pub finalizers: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    pub kind: String,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    pub uid: String,
    #[prost(bool, optional, tag = "6")]
    pub controller: Option<bool>,
}

impl ObjectMeta {
    pub fn meta(&self, shared: &mut Shared) -> Meta {
        Meta {
            name: self.object_name(shared),
            uid: self.uid.as_str().into(),
            resource_version: self.resource_version.as_str().into(),
            created: self.creation_timestamp.as_ref().and_then(Time::second),
            deletion: self.deletion_timestamp.as_ref().and_then(Time::second).map(|deadline| Deletion {
                deadline,
                grace_seconds: self.deletion_grace_period_seconds.unwrap_or_default(),
            }),
            finalizers: self.finalizers.iter().map(|finalizer| shared.text(finalizer)).collect(),
            labels: shared.labels(&self.labels),
            owner: self.owner(shared),
        }
    }

    pub fn object_name(&self, shared: &mut Shared) -> Name {
        Name::new(shared.text(&self.namespace), self.name.as_str())
    }

    pub fn is_annotated(&self, key: &str) -> bool {
        self.annotations.iter().any(|annotation| annotation.key == key)
    }

    fn owner(&self, shared: &mut Shared) -> Option<Owner> {
        let is_controller = |owner: &&OwnerReference| owner.controller == Some(true);
        let owner = self.owner_references.iter().find(is_controller).or(self.owner_references.first())?;
        // One owner has many replicas: its name and uid are shared, unlike an object's own.
        Some(Owner {
            kind: shared.text(&owner.kind),
            name: shared.text(&owner.name),
            uid: shared.text(&owner.uid),
            is_controller: owner.controller == Some(true),
        })
    }
}

/// A condition of a node or a pod: they have the same field numbers, unlike the workloads' conditions.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    #[prost(string, tag = "1")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    status: String,
    #[prost(message, optional, tag = "4")]
    last_transition_time: Option<Time>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
}

impl Condition {
    pub fn row(&self, shared: &mut Shared) -> ConditionRow {
        ConditionRow {
            kind: shared.text(&self.kind),
            status: Status::parse(&self.status),
            reason: shared.free(&self.reason),
            message: own(&self.message),
            changed: self.last_transition_time.as_ref().and_then(Time::second),
        }
    }
}

/// An object of which only the metadata is read: deletions, bookmarks, and the name of one that is undecodable.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Head {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    pub metadata: ObjectMeta,
}

/// What only the name is read of, when the rest of the metadata is broken too.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Nameplate {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<NameplateMeta>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NameplateMeta {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub namespace: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub resource_version: Option<String>,
}
