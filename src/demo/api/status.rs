//! The API's errors: `Status` objects in the words of a real server.
//!
//! Which error applies is decided where a request is answered; here is only how it is said.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::store::Key;

/// A refusal: its HTTP status, its body, and after how many seconds to come back.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: StatusCode,
    pub(crate) body: Value,
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    fn new(code: StatusCode, reason: &str, message: &str) -> Self {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "code": code.as_u16(),
        });
        if !reason.is_empty() {
            body["reason"] = json!(reason);
        }
        Self { code, body, retry_after: None }
    }

    fn details(mut self, details: Value) -> Self {
        self.body["details"] = details;
        self
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// A path that no resource answers to.
    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource")
            .details(json!({}))
    }

    pub(crate) fn not_found(resource: Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::new(StatusCode::NOT_FOUND, "NotFound", &message).details(kind_details(resource, name))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .details(json!({}))
    }

    pub(crate) fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "NotAcceptable",
            "406: Not Acceptable\n\nAvailable representations: application/json, application/json;stream=watch",
        )
        .details(json!({}))
    }

    pub(crate) fn forbidden(user: &str, verb: &str, resource: Resource, key: &Key) -> Self {
        let subject = if key.name.is_empty() {
            resource.qualified()
        } else {
            format!("{} \"{}\"", resource.qualified(), key.name)
        };
        let place = if key.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{}\"", key.namespace)
        };
        let spelling = resource.spelling();
        let message = format!(
            "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{}\" {place}",
            spelling.plural, spelling.group
        );
        Self::new(StatusCode::FORBIDDEN, "Forbidden", &message).details(kind_details(resource, &key.name))
    }

    /// List options that contradict each other.
    pub(crate) fn invalid_options(field: &str, complaint: &str) -> Self {
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: Forbidden: {complaint}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", &message).details(json!({
            "group": "meta.k8s.io",
            "kind": "ListOptions",
            "causes": [{
                "reason": "FieldValueForbidden",
                "message": format!("Forbidden: {complaint}"),
                "field": field,
            }],
        }))
    }

    pub(crate) fn too_old(asked: u64, floor: u64) -> Self {
        Self::new(StatusCode::GONE, "Expired", &format!("too old resource version: {asked} ({floor})"))
    }

    /// A page of a list that can no longer be continued as it was, with a token to go on regardless.
    pub(crate) fn page_expired(fresh_token: &str) -> Self {
        let mut refusal = Self::new(
            StatusCode::GONE,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of \
             the results. Continuing with the provided token results in an inconsistent list - objects that were \
             created, modified, or deleted between the time the first chunk was returned and now may show up in the \
             list.",
        );
        refusal.body["metadata"]["continue"] = json!(fresh_token);
        refusal
    }

    pub(crate) fn version_too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut refusal = Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", &message).details(json!({
            "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            "retryAfterSeconds": 1,
        }));
        refusal.retry_after = Some(1);
        refusal
    }

    /// What a fault answers: any status, with the reason that goes with it.
    pub(crate) fn canned(code: StatusCode, retry_after: Option<u64>) -> Self {
        let (reason, message) = match code.as_u16() {
            403 => ("Forbidden", "forbidden"),
            404 => ("NotFound", "the server could not find the requested resource"),
            410 => ("Expired", "The resourceVersion for the provided watch is too old."),
            429 => ("TooManyRequests", "the server has received too many requests, please try again later"),
            500 => ("InternalError", "Internal error occurred: etcdserver: request timed out"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
            _ => ("", "the request failed"),
        };
        let mut refusal = Self::new(code, reason, message);
        if let Some(seconds) = retry_after {
            refusal = refusal.details(json!({ "retryAfterSeconds": seconds }));
        }
        refusal.retry_after = retry_after;
        refusal
    }
}

fn kind_details(resource: Resource, name: &str) -> Value {
    let spelling = resource.spelling();
    let mut details = json!({ "kind": spelling.plural });
    if !name.is_empty() {
        details["name"] = json!(name);
    }
    if !spelling.group.is_empty() {
        details["group"] = json!(spelling.group);
    }
    details
}
