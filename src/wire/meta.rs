//! What all objects share, on the wire: `ObjectMeta` as far as a row needs it.

use super::annotation::{Annotation, annotations};
use super::scalar::{Key, Pair, Time, free, lossy, nullable, pairs};
use super::shared::{Shared, own};
use crate::cluster::{Condition as ConditionRow, Deletion, Meta, Name, Owner, Status, Text};
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
    #[prost(int64, tag = "7")]
    #[serde(deserialize_with = "nullable")]
    pub generation: i64,
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
    #[serde(deserialize_with = "annotations")]
    pub annotations: Vec<Annotation>,
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
            name: Name::new(shared.text(&self.namespace), self.name.as_str()),
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

    pub fn is_annotated(&self, key: &str) -> bool {
        self.annotations.iter().any(|annotation| annotation.key == key)
    }

    /// The value of an annotation, of those whose values are read.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        let annotation = self.annotations.iter().find(|annotation| annotation.key == key);
        annotation.map(|annotation| annotation.value.as_str())
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

/// A condition of a node, pod, job or budget: they have the same field numbers, unlike the other workloads' ones.
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

/// An object of which only this is read: one that was deleted, a bookmark, one that cannot be decoded otherwise.
/// All is bytes, so that what is broken elsewhere in it does no harm here.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Head {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: HeadMeta,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HeadMeta {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "free")]
    name: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    namespace: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(deserialize_with = "free")]
    uid: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    #[serde(deserialize_with = "free")]
    resource_version: Vec<u8>,
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "pairs")]
    annotations: Vec<Key>,
}

impl Head {
    /// `None` where it has none.
    pub fn name(&self) -> Option<Name> {
        let HeadMeta { name, namespace, .. } = &self.metadata;
        (!name.is_empty()).then(|| Name::new(own(namespace), own(name)))
    }

    pub fn uid(&self) -> Text {
        own(&self.metadata.uid)
    }

    pub fn resource_version(&self) -> String {
        lossy(&self.metadata.resource_version).into_owned()
    }

    pub fn is_annotated(&self, key: &str) -> bool {
        self.metadata.annotations.iter().any(|annotation| annotation.key == key)
    }
}
