//! The envelope of a list, parsed while it arrives: each item goes on as soon as its last byte is here.

mod json;
mod protobuf;

use super::decoder::{LeaseDecoder, Raw};
use super::scalar::nullable;
use super::{Decoder, Encoding, Undecodable, WireError};
use crate::cluster::{Change, Feed, FeedChange, Lease};
use prost::Message as _;
use serde::Deserialize;

/// One answer to a list request: a page, or all of it.
#[derive(Debug)]
pub struct ListParser {
    envelope: Envelope,
}

#[derive(Debug)]
enum Envelope {
    Json(json::List),
    Protobuf(protobuf::List),
}

/// What a list says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListEnd {
    /// Where a watch goes on from.
    pub resource_version: String,
    /// Asks for the next page; `None` on the last.
    pub continue_token: Option<String>,
    /// How many objects the pages after this one have, where the server says.
    pub remaining: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    pub resource_version: String,
    #[prost(string, tag = "3")]
    #[serde(rename = "continue", deserialize_with = "nullable")]
    pub continue_token: String,
    #[prost(int64, optional, tag = "4")]
    pub remaining_item_count: Option<i64>,
}

impl ListParser {
    pub fn new(encoding: Encoding) -> Self {
        let envelope = match encoding {
            Encoding::Json => Envelope::Json(json::List::default()),
            Encoding::Protobuf => Envelope::Protobuf(protobuf::List::default()),
        };
        Self { envelope }
    }

    /// Takes the next bytes of the body. Each item that is complete goes to `out`, as `Delta::Apply`; one that
    /// cannot be decoded as `FeedChange::Undecodable`.
    pub fn push(
        &mut self,
        chunk: &[u8],
        decoder: &mut Decoder,
        out: &mut Vec<Change>,
    ) -> Result<(), WireError> {
        self.each(chunk, &mut |raw| {
            out.push(match decoder.apply(raw) {
                Ok(applied) => applied.change,
                Err(Undecodable { reason }) => {
                    Change::Feed(Feed::Watch(decoder.kind()), FeedChange::Undecodable { reason })
                }
            });
        })
    }

    /// The same for a list of leases.
    pub fn push_leases(
        &mut self,
        chunk: &[u8],
        out: &mut Vec<Result<Lease, Undecodable>>,
    ) -> Result<(), WireError> {
        let mut decoder = LeaseDecoder::default();
        self.each(chunk, &mut |raw| out.push(decoder.lease(raw)))
    }

    /// The body has ended; an error where it was cut off.
    pub fn finish(self) -> Result<ListEnd, WireError> {
        match self.envelope {
            Envelope::Json(list) => list.finish(),
            Envelope::Protobuf(list) => list.finish(),
        }
    }

    fn each(&mut self, chunk: &[u8], item: &mut dyn FnMut(Raw<'_>)) -> Result<(), WireError> {
        match &mut self.envelope {
            Envelope::Json(list) => list.push(chunk, &mut |bytes| item(Raw::Json(bytes))),
            Envelope::Protobuf(list) => list.push(chunk, &mut |bytes| item(Raw::Protobuf(bytes))),
        }
    }
}

impl ListMeta {
    const BROKEN: WireError = WireError::Malformed("the metadata of the list cannot be decoded");

    fn from_json(bytes: &[u8]) -> Result<Self, WireError> {
        serde_json::from_slice(bytes).map_err(|_| Self::BROKEN)
    }

    fn from_protobuf(bytes: &[u8]) -> Result<Self, WireError> {
        Self::decode(bytes).map_err(|_| Self::BROKEN)
    }
}

impl From<ListMeta> for ListEnd {
    fn from(meta: ListMeta) -> Self {
        let ListMeta { resource_version, continue_token, remaining_item_count } = meta;
        Self {
            resource_version,
            continue_token: Some(continue_token).filter(|token| !token.is_empty()),
            remaining: remaining_item_count.and_then(|count| u64::try_from(count).ok()),
        }
    }
}

/// An answer of another kind has no items, and would pass for an empty list.
fn must_be_list(kind: &[u8]) -> Result<(), WireError> {
    if kind.ends_with(b"List") { Ok(()) } else { Err(WireError::Malformed("it is no list")) }
}
