//! The ways to change an object in part: JSON patch, JSON merge patch, strategic merge patch.
//!
//! What a patch may change is not decided here: it makes a new object of an old one, and `write` judges that. Server-side
//! apply is refused, because without a record of who owns which field it would be another thing under the same name.

mod json;
mod strategic;

use serde_json::Value;

use super::super::object;
use super::ask::Query;
use super::status::{Cause, Refusal};

/// How a patch is to be read: its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Merge,
    Strategic,
}

impl Kind {
    pub(crate) fn of(content_type: &str, query: &Query) -> Result<Self, Refusal> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => Err(apply_refused(query)),
            _ => Err(Refusal::unsupported_patch("415: Unsupported Media Type")),
        }
    }
}

fn apply_refused(query: &Query) -> Refusal {
    if query.text("fieldManager").is_empty() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Refusal::invalid_request("PatchOptions", cause);
    }
    Refusal::unsupported_patch("415: Unsupported Media Type: this server does not do server-side apply")
}

/// The object as a patch makes it.
pub(crate) fn apply(kind: Kind, object: &Value, body: &[u8]) -> Result<Value, Refusal> {
    let patch: Value = serde_json::from_slice(body).map_err(|error| {
        let told = if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
        Refusal::bad_request(&format!("error decoding patch: {told}"))
    })?;
    let mut patched = object.clone();
    match kind {
        Kind::Json => json::apply(&mut patched, &patch)?,
        Kind::Merge => {
            expect_object(&patch)?;
            object::merge(&mut patched, &patch);
        }
        Kind::Strategic => {
            expect_object(&patch)?;
            strategic::merge(&mut patched, &patch).map_err(|error| Refusal::internal(&error.to_string()))?;
        }
    }
    if patched.is_object() { Ok(patched) } else { Err(Refusal::patch_not_applied()) }
}

fn expect_object(patch: &Value) -> Result<(), Refusal> {
    let kind = match patch {
        Value::Object(_) => return Ok(()),
        Value::Null | Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
    };
    Err(Refusal::bad_request(&format!(
        "error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    )))
}
