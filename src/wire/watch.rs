//! The frames of a watch, parsed while they arrive: JSON objects one after the other, or protobuf with the length
//! before each.

use super::buffer::Buffer;
use super::decoder::{Applied, Raw};
use super::json::{Extent, blank};
use super::meta::Head;
use super::{Decoder, Encoding, LARGEST_ITEM, Status, Undecodable, WireError, protobuf, status};
use crate::cluster::{Change, Text};
use serde::Deserialize;

/// Marks the bookmark after the last of the objects that were there when the watch began.
const INITIAL_END: &str = "k8s.io/initial-events-end";

/// One watch's answer.
#[derive(Debug)]
pub struct WatchParser {
    encoding: Encoding,
    buffer: Buffer,
    extent: Extent,
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
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, buffer: Buffer::default(), extent: Extent::default() }
    }

    /// Takes the next bytes of the stream; frames that are complete go to `out`.
    pub fn push(
        &mut self,
        chunk: &[u8],
        decoder: &mut Decoder,
        out: &mut Vec<Frame>,
    ) -> Result<(), WireError> {
        self.buffer.push(chunk);
        while let Some((consumed, frame)) = self.step(decoder)? {
            self.buffer.consume(consumed);
            out.push(frame);
        }
        Ok(())
    }

    /// Whether a frame has begun and not ended: a stream that stops here was cut.
    pub fn is_inside_frame(&self) -> bool {
        !self.buffer.rest().is_empty()
    }

    fn step(&mut self, decoder: &mut Decoder) -> Result<Option<(usize, Frame)>, WireError> {
        match self.encoding {
            Encoding::Json => self.json_frame(decoder),
            Encoding::Protobuf => self.protobuf_frame(decoder),
        }
    }

    fn json_frame(&mut self, decoder: &mut Decoder) -> Result<Option<(usize, Frame)>, WireError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Label {
            #[serde(rename = "type")]
            kind: String,
        }
        if self.extent.is_fresh() {
            self.buffer.consume(blank(self.buffer.rest()));
        }
        let rest = self.buffer.rest();
        match rest.first() {
            None => return Ok(None),
            Some(b'{') => {}
            Some(_) => return Err(WireError::Malformed("no JSON object in a watch")),
        }
        let Some(end) = self.extent.end(rest)? else { return Ok(None) };
        let bytes = &rest[..end];
        let label: Label =
            serde_json::from_slice(bytes).map_err(|_| WireError::Malformed("broken JSON in a watch"))?;
        Ok(Some((end, frame(label.kind.as_bytes(), Raw::JsonFrame(bytes), decoder))))
    }

    /// The frame itself has no wrapping; the object in it has.
    fn protobuf_frame(&mut self, decoder: &mut Decoder) -> Result<Option<(usize, Frame)>, WireError> {
        let rest = self.buffer.rest();
        let Some((header, body)) = rest.split_first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes(*header) as usize;
        if length > LARGEST_ITEM {
            return Err(WireError::TooLarge);
        }
        let Some(body) = body.get(..length) else { return Ok(None) };
        let kind = protobuf::child(body, 1)?.unwrap_or_default();
        let object = protobuf::child(body, 2)?.unwrap_or_default();
        let object = protobuf::unwrap(protobuf::child(object, 1)?.unwrap_or_default())?;
        Ok(Some((header.len() + length, frame(kind, Raw::Protobuf(object.raw), decoder))))
    }
}

/// One frame of this type with this object.
fn frame(kind: &[u8], raw: Raw<'_>, decoder: &mut Decoder) -> Frame {
    let changed = match kind {
        b"ADDED" | b"MODIFIED" => decoder.apply(raw),
        b"DELETED" => decoder.delete(raw),
        b"BOOKMARK" => match raw.decode::<Head>() {
            Ok(head) => {
                return Frame::Bookmark {
                    resource_version: head.resource_version(),
                    is_initial_end: head.is_annotated(INITIAL_END),
                };
            }
            Err(reason) => Err(Undecodable { reason: format!("bookmark: {reason}").into() }),
        },
        b"ERROR" => return Frame::Error(status::of_frame(raw)),
        _ => Err(Undecodable { reason: "a watch event of an unknown type".into() }),
    };
    match changed {
        Ok(Applied { change, resource_version }) => Frame::Change { change, resource_version },
        Err(Undecodable { reason }) => Frame::Undecodable {
            reason,
            resource_version: Some(raw.head().resource_version()).filter(|version| !version.is_empty()),
        },
    }
}
