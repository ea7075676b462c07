//! A volume attachment on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Time, free, nullable};
use super::shared::{Shared, own};
use crate::cluster::{VolumeAttachment as Row, VolumeError as VolumeErrorRow};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct VolumeAttachment {
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
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    attacher: String,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    source: Source,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    node_name: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    #[prost(string, optional, tag = "1")]
    persistent_volume_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(bool, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    attached: bool,
    #[prost(message, optional, tag = "3")]
    attach_error: Option<VolumeError>,
    #[prost(message, optional, tag = "4")]
    detach_error: Option<VolumeError>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct VolumeError {
    #[prost(message, optional, tag = "1")]
    time: Option<Time>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
}

impl Object for VolumeAttachment {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            attacher: shared.text(&spec.attacher),
            node: shared.text(&spec.node_name),
            volume: spec.source.persistent_volume_name.as_deref().unwrap_or_default().into(),
            is_attached: status.attached,
            attach_error: status.attach_error.as_ref().map(VolumeError::row),
            detach_error: status.detach_error.as_ref().map(VolumeError::row),
        }
    }
}

impl VolumeError {
    fn row(&self) -> VolumeErrorRow {
        VolumeErrorRow { message: own(&self.message), at: self.time.as_ref().and_then(Time::second) }
    }
}
