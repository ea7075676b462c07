//! Bytes of the Kubernetes API to changes: list and watch envelopes, `Status`, one wire struct per kind with
//! two derives (serde for JSON, prost for protobuf), one decoder per kind.
//!
//! Nothing is collected: an item is decoded when its last byte is here, becomes a row, and is dropped. No input
//! panics, and a bad item never costs the good ones. What it deliberately does not do: read, wait, retry
//! (that is `k8s`), or keep what no row needs, such as `managedFields`, the environment and mounts.

mod annotation;
mod buffer;
mod decoder;
mod json;
mod list;
mod manifest;
mod protobuf;
mod scalar;
mod shared;
mod status;
mod watch;

// One wire struct per kind, and how it becomes a row.
mod api_service;
mod attachment;
mod budget;
mod claim;
mod daemon_set;
mod deployment;
mod event;
mod job;
mod lease;
mod meta;
mod namespace;
mod node;
mod pod;
mod replica_set;
mod service;
mod stateful_set;
mod template;
mod volume;

pub use decoder::{Decoder, leader_lease, lease};
pub use list::{ListEnd, ListParser};
pub use manifest::{ManifestError, manifest};
pub use status::{Cause, Status};
pub use watch::{Frame, WatchParser};

use crate::cluster::Text;

/// How a body is written. The answer's content type decides, whatever was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    /// What to ask for with `Accept`: a server that has no protobuf for a resource answers in JSON.
    pub const ACCEPT: &str = "application/vnd.kubernetes.protobuf, application/json;q=0.9";
    /// The same for a watch.
    pub const ACCEPT_WATCH: &str =
        "application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch;q=0.9";

    /// The encoding that a content type names; `None` for text, HTML and all else, which is `Status::read`'s.
    pub fn of(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/vnd.kubernetes.protobuf") {
            Some(Self::Protobuf)
        } else if media.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else {
            None
        }
    }
}

/// The most that one object or frame may take: etcd refuses far smaller ones.
pub const LARGEST_ITEM: usize = 16 << 20;

/// The envelope is broken: nothing after it can be trusted, and the stream has to be started again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("an object of the answer is larger than {} MiB", LARGEST_ITEM >> 20)]
    TooLarge,
    #[error("the answer is not what the Kubernetes API sends: {0}")]
    Malformed(&'static str),
    #[error("the answer ended in the middle of an object")]
    Truncated,
    /// The one object that was asked for.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
}

/// An object that could not be decoded, and was skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Undecodable {
    /// Names the object where its name could be read.
    pub reason: Text,
}
