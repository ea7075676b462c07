//! Lists: in one piece or page by page, every page of a list as of the version of its first.
//!
//! What comes after a list is in `watch`.

use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::{Key, Store};
use super::ask::{Query, Shape};
use super::selector::Selector;
use super::shape;
use super::status::Refusal;

/// A list that is asked for.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) resource: Resource,
    pub(crate) selector: &'a Selector,
    pub(crate) query: &'a Query,
    pub(crate) shape: Shape,
}

/// Where a list was left off. `version` is `None` for one that goes on regardless of what changed meanwhile.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    version: Option<u64>,
    last: Key,
}

pub(crate) fn answer(store: &Store, request: &Request<'_>, now: Timestamp) -> Result<Value, Refusal> {
    let Request { resource, selector, query, shape } = request;
    let (version, start) = position(store, query)?;
    let limit = limit(query)?;
    let objects = store.list_at(*resource, version).map_err(|too_old| match &start {
        Bound::Excluded(last) => {
            Refusal::page_expired(&Token { version: None, last: last.clone() }.written())
        }
        Bound::Included(_) | Bound::Unbounded => Refusal::too_old(version, too_old.floor),
    })?;
    let mut rest = objects
        .range((start, Bound::Unbounded))
        .filter(|(_, object)| selector.matches(object))
        .map(|(key, object)| (key, Arc::clone(object)));

    let page: Vec<(&Key, Arc<Value>)> = rest.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
    let remaining = rest.count();
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if remaining > 0
        && let Some((last, _)) = page.last()
    {
        let token = Token { version: Some(version), last: Key::clone(last) };
        metadata["continue"] = json!(token.written());
        if !selector.is_narrowing() {
            metadata["remainingItemCount"] = json!(remaining);
        }
    }
    let objects: Vec<Arc<Value>> = page.into_iter().map(|(_, object)| object).collect();
    Ok(shape::list(*shape, *resource, &objects, metadata, now))
}

/// All that a selector matches, in one piece and in full.
pub(crate) fn whole(store: &Store, resource: Resource, selector: &Selector, now: Timestamp) -> Value {
    let objects: Vec<Arc<Value>> =
        store.list(resource).filter(|object| selector.matches(object)).cloned().collect();
    let metadata = json!({ "resourceVersion": store.version().to_string() });
    shape::list(Shape::Full, resource, &objects, metadata, now)
}

/// As of which version to list, and from where.
fn position(store: &Store, query: &Query) -> Result<(u64, Bound<Key>), Refusal> {
    let wanted = query.version()?;
    let matching = query.text("resourceVersionMatch");
    let token = query.text("continue");
    if !matching.is_empty() {
        if !token.is_empty() {
            let complaint = "resourceVersionMatch is forbidden when continue is provided";
            return Err(Refusal::invalid_options("resourceVersionMatch", complaint));
        }
        if wanted.is_none() {
            let complaint = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(Refusal::invalid_options("resourceVersionMatch", complaint));
        }
    }
    if query.flag("sendInitialEvents") {
        let complaint = "sendInitialEvents is forbidden for list";
        return Err(Refusal::invalid_options("sendInitialEvents", complaint));
    }
    if !token.is_empty() {
        let token = Token::read(token).ok_or_else(|| {
            Refusal::bad_request(
                "invalid continue token: continue key is not valid: not written by this server",
            )
        })?;
        return Ok((token.version.unwrap_or_else(|| store.version()), Bound::Excluded(token.last)));
    }
    let current = store.version();
    match wanted {
        Some(wanted) if wanted > current => Err(Refusal::version_too_large(wanted, current)),
        Some(wanted) if wanted > 0 && (matching == "Exact" || limit(query)?.is_some()) => {
            Ok((wanted, Bound::Unbounded))
        }
        Some(_) | None => Ok((current, Bound::Unbounded)),
    }
}

/// How many items a page holds. A list from the cache (version 0) comes whole, whatever it asks.
fn limit(query: &Query) -> Result<Option<usize>, Refusal> {
    let limit = query.number("limit")?.filter(|limit| *limit > 0);
    let is_from_cache = query.text("resourceVersion") == "0";
    Ok(limit.filter(|_| !is_from_cache).map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)))
}

impl Token {
    /// Opaque to clients on purpose: whoever takes it apart breaks on a real server too.
    fn written(&self) -> String {
        let plain = json!([self.version, self.last.namespace, self.last.name]).to_string();
        object::hex(plain.as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
        let parts: Value = serde_json::from_slice(&bytes?).ok()?;
        let last = Key::new(parts[1].as_str()?, parts[2].as_str()?);
        Some(Self { version: parts[0].as_u64(), last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_way_to_the_client_and_back() {
        for version in [Some(7), None] {
            let token = Token { version, last: Key::new("shop", "web-1") };
            assert_eq!(Token::read(&token.written()), Some(token));
        }
        for broken in ["abc", "zz", "5b", "%%", "\u{e4}"] {
            assert_eq!(Token::read(broken), None, "{broken}");
        }
    }
}
