//! What is asked for: paths and queries of lists, watches and single objects.
//!
//! It deliberately sends nothing, and names no server: the client's stack adds that, and the credentials.

use crate::cluster::Kind;
use crate::k8s::connect::Scope;
use crate::wire::Encoding;
use http::Request;
use http::header::{ACCEPT, ACCEPT_ENCODING};
use kube::client::Body;
use std::fmt::Write as _;
use std::time::Duration;

/// Objects of a list that are asked for at once: 1,000 cost more memory and save no time.
pub const PAGE: u32 = 500;

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin<'a> {
    /// All there is now, then what changes.
    Everything,
    /// What changed since this version.
    Version(&'a str),
}

/// The path of all objects of a kind within the scope.
pub fn path(kind: Kind, scope: &Scope) -> String {
    let base = match kind.group() {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    match scope {
        Scope::Namespace { name, .. } if kind.is_namespaced() => {
            format!("{base}/namespaces/{}/{}", escaped(name), kind.plural())
        }
        Scope::Namespace { .. } | Scope::All => format!("{base}/{}", kind.plural()),
    }
}

/// One page of a list, as recent as the server can make it.
pub fn page(path: &str, token: Option<&str>, is_gzip: bool) -> Request<Body> {
    let mut uri = format!("{path}?limit={PAGE}");
    if let Some(token) = token {
        let _ = write!(uri, "&continue={}", escaped(token));
    }
    get(&uri, Encoding::ACCEPT, is_gzip)
}

/// The least that tells the newest version.
pub fn newest(path: &str) -> Request<Body> {
    get(&format!("{path}?limit=1"), Encoding::ACCEPT, false)
}

/// A watch that the server ends after `lasting`.
pub fn watch(path: &str, begin: Begin<'_>, lasting: Duration) -> Request<Body> {
    let mut uri = format!("{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds={}", lasting.as_secs());
    match begin {
        Begin::Everything => uri.push_str("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
        Begin::Version(version) => {
            let _ = write!(uri, "&resourceVersion={}", escaped(version));
        }
    }
    // Never compressed: newer servers write a gzip member for each event, and decoders stop after the first.
    get(&uri, Encoding::ACCEPT_WATCH, false)
}

/// A request for what `uri` names.
pub fn get(uri: &str, accept: &'static str, is_gzip: bool) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    // Every part is a constant or escaped, so this cannot fail; if it did, the root would answer without harm.
    *request.uri_mut() = uri.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
    let coding = if is_gzip { "gzip" } else { "identity" };
    headers.insert(ACCEPT_ENCODING, http::HeaderValue::from_static(coding));
    request
}

/// Text as it may stand in a path or a query.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::connect::WhyNamespace;

    #[test]
    fn a_namespaced_scope_narrows_what_has_namespaces_and_nothing_else() {
        let scope = Scope::Namespace { name: "shop".to_owned(), why: WhyNamespace::Asked };
        assert_eq!(path(Kind::Pod, &scope), "/api/v1/namespaces/shop/pods");
        assert_eq!(path(Kind::Node, &scope), "/api/v1/nodes");
        assert_eq!(path(Kind::Pod, &Scope::All), "/api/v1/pods");
        assert_eq!(path(Kind::VolumeAttachment, &scope), "/apis/storage.k8s.io/v1/volumeattachments");
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        assert_eq!(escaped("kube-system"), "kube-system");
        assert_eq!(escaped("../a?b=c d"), "..%2Fa%3Fb%3Dc%20d");
    }

    #[test]
    fn tokens_and_versions_cannot_add_to_the_query() {
        let request = page("/api/v1/pods", Some("a=b&c d/ö"), true);
        assert_eq!(request.uri(), "/api/v1/pods?limit=500&continue=a%3Db%26c%20d%2F%C3%B6");
        let request = watch("/api/v1/pods", Begin::Version("7&x=1"), Duration::from_mins(4));
        assert_eq!(
            request.uri(),
            "/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=7%26x%3D1"
        );
    }

    #[test]
    fn a_watch_is_never_compressed() {
        let request = watch("/api/v1/pods", Begin::Everything, Duration::from_mins(4));
        assert_eq!(request.headers()[ACCEPT_ENCODING], "identity");
    }
}
