//! Reading lists for tests, recorded ones and those of a live cluster.

use sickbay::cluster::{Change, Kind};
use sickbay::wire::{Decoder, Encoding, ListEnd, ListParser, WireError};

pub const KINDS: [(Kind, &str); 15] = [
    (Kind::Node, "node"),
    (Kind::Pod, "pod"),
    (Kind::PersistentVolume, "persistent-volume"),
    (Kind::PersistentVolumeClaim, "persistent-volume-claim"),
    (Kind::VolumeAttachment, "volume-attachment"),
    (Kind::Namespace, "namespace"),
    (Kind::Deployment, "deployment"),
    (Kind::ReplicaSet, "replica-set"),
    (Kind::StatefulSet, "stateful-set"),
    (Kind::DaemonSet, "daemon-set"),
    (Kind::Job, "job"),
    (Kind::PodDisruptionBudget, "pod-disruption-budget"),
    (Kind::Service, "service"),
    (Kind::ApiService, "api-service"),
    (Kind::Event, "event"),
];

/// The rows of a list that comes in these chunks.
pub fn rows<'a>(
    kind: Kind,
    encoding: Encoding,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Change>, ListEnd), WireError> {
    let (mut parser, mut decoder, mut out) = (ListParser::new(encoding), Decoder::new(kind), Vec::new());
    for chunk in chunks {
        parser.push(chunk, &mut decoder, &mut out)?;
    }
    Ok((out, parser.finish()?))
}

/// Two bodies of one list at one version: the same rows, and each object is one.
pub fn must_be_equal(kind: Kind, json: &[u8], protobuf: &[u8]) -> Vec<Change> {
    let (from_json, json_end) = rows(kind, Encoding::Json, [json]).expect("a list in JSON");
    let (from_protobuf, protobuf_end) =
        rows(kind, Encoding::Protobuf, [protobuf]).expect("a list in protobuf");
    assert_eq!(from_json, from_protobuf, "{kind}");
    assert_eq!(json_end, protobuf_end, "{kind}");
    for change in &from_json {
        assert!(!matches!(change, Change::Feed(..)), "{change:?}");
    }
    from_json
}
