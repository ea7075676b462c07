//! Answers on their way out: a status, a type, a body, and the headers that a client reads.
//!
//! What they say is made elsewhere.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, RETRY_AFTER, WARNING};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use serde_json::Value;

use super::discovery;
use super::status::Refusal;
use super::write::Written;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) fn written(answer: &Written) -> Response<Body> {
    let mut response = response(answer.code, "application/json", whole(answer.body.to_string()));
    for warning in &answer.warnings {
        let warning = format!("299 - \"{}\"", warning.replace('"', "\\\""));
        if let Ok(warning) = HeaderValue::from_str(&warning) {
            response.headers_mut().append(WARNING, warning);
        }
    }
    response
}

pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = response(refusal.code, "application/json", whole(refusal.body.to_string()));
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

pub(crate) fn json(value: &Value) -> Response<Body> {
    response(StatusCode::OK, "application/json", whole(value.to_string()))
}

pub(crate) fn aggregated(is_core: bool) -> Response<Body> {
    let media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    response(StatusCode::OK, media, whole(discovery::aggregated(is_core).to_string()))
}

pub(crate) fn text(code: StatusCode, body: String) -> Response<Body> {
    response(code, "text/plain; charset=utf-8", whole(body))
}

fn whole(body: String) -> Body {
    Full::new(Bytes::from(body)).boxed_unsync()
}

pub(crate) fn response(code: StatusCode, media: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// Without it the server under us writes the true time.
pub(crate) fn set_date(response: &mut Response<Body>, at: Timestamp) {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let date = printer.timestamp_to_rfc9110_string(&at).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert(DATE, date);
    }
}
