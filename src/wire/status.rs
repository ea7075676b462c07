//! The API's word on a request that failed, in all the forms in which it comes: a `Status` in either encoding, or
//! the text or HTML of something on the way.

use super::decoder::{Raw, kind_of};
use super::list::ListMeta;
use super::scalar::{free, lossy, nullable};
use super::shared::own;
use super::{Encoding, protobuf};
use crate::cluster::Text;
use serde::Deserialize;

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

/// The most of a page of text that is kept, in characters.
const LONGEST_TEXT: usize = 300;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct WireStatus {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMeta>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    details: Option<Details>,
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "nullable")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    causes: Vec<WireCause>,
    #[prost(int32, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    retry_after_seconds: i32,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct WireCause {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    field: Vec<u8>,
}

impl Status {
    /// Reads the body of an answer that is not a success. Never fails: a body that says nothing leaves the code.
    pub fn read(code: u16, content_type: &str, body: &[u8]) -> Self {
        let status = match Encoding::of(content_type) {
            Some(Encoding::Json) => json(body),
            Some(Encoding::Protobuf) => protobuf(body),
            None => None,
        };
        match status {
            Some(status) => status.or_code(code),
            None => Self { code, message: text(body), ..Self::default() }.or_said(),
        }
    }

    fn or_said(self) -> Self {
        if !self.message.is_empty() {
            return self;
        }
        let message = match self.reason.non_empty() {
            Some(reason) => format!("the server answered {} ({reason}) and no more", self.code),
            None => format!("the server answered {} and no reason", self.code),
        };
        Self { message: message.into(), ..self }
    }
}

/// The object of an ERROR frame. One that cannot be read is an error all the same.
pub fn of_frame(raw: Raw<'_>) -> Status {
    raw.decode::<WireStatus>().unwrap_or_default().or_code(500)
}

fn json(body: &[u8]) -> Option<WireStatus> {
    (kind_of(body).ok()? == "Status").then(|| Raw::Json(body).decode().ok()).flatten()
}

fn protobuf(body: &[u8]) -> Option<WireStatus> {
    let wrapped = protobuf::unwrap(body).ok()?;
    (wrapped.kind == b"Status").then(|| Raw::Protobuf(wrapped.raw).decode().ok()).flatten()
}

impl WireStatus {
    fn or_code(self, code: u16) -> Status {
        let details = self.details.unwrap_or_default();
        let status = Status {
            code: u16::try_from(self.code).ok().filter(|code| (100..600).contains(code)).unwrap_or(code),
            reason: own(&self.reason),
            message: own(&self.message),
            causes: details.causes.iter().map(WireCause::cause).collect(),
            retry_after_seconds: u32::try_from(details.retry_after_seconds).ok().filter(|after| *after > 0),
            continue_token: self
                .metadata
                .map(|metadata| metadata.continue_token)
                .filter(|token| !token.is_empty()),
        };
        status.or_said()
    }
}

impl WireCause {
    fn cause(&self) -> Cause {
        Cause { reason: own(&self.reason), message: own(&self.message), field: own(&self.field) }
    }
}

/// Text or HTML as one line: no tags, no runs of white space, not long.
fn text(body: &[u8]) -> Text {
    // Enough for any heading; a page of megabytes need not be walked through.
    let body = lossy(&body[..body.len().min(16 << 10)]);
    let (mut line, mut is_in_tag) = (String::new(), false);
    let is_html = body.trim_ascii_start().starts_with('<');
    for letter in body.chars() {
        match letter {
            '<' if is_html => is_in_tag = true,
            '>' if is_in_tag => {
                is_in_tag = false;
                line.push(' ');
            }
            _ if is_in_tag => {}
            _ => line.push(letter),
        }
    }
    let mut line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(LONGEST_TEXT) {
        line.truncate(at);
        line.push('…');
    }
    line.into()
}
