//! One decoder per watched kind.
use super::{Encoding, WireError};
use crate::cluster::{Change, Interner, Kind, Lease};

/// Turns objects of one kind into rows; strings that many rows share are kept once, across lists and watches.
#[derive(Debug)]
pub struct Decoder {
    kind: Kind,
    interner: Interner,
}

impl Decoder {
    pub fn new(kind: Kind) -> Self {
        Self { kind, interner: Interner::default() }
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The body of a GET of one object, as the change that puts it in.
    pub fn object(&mut self, _encoding: Encoding, _body: &[u8]) -> Result<Change, WireError> {
        let _ = &mut self.interner;
        Err(WireError::Truncated)
    }
}

/// The body of a GET of one lease.
pub fn lease(_encoding: Encoding, _body: &[u8]) -> Result<Lease, WireError> {
    Err(WireError::Truncated)
}
