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

/// One thing that is wrong with an object, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    reason: &'static str,
    field: String,
    message: String,
}

impl Cause {
    /// `detail` may be empty.
    pub(crate) fn required(field: &str, detail: &str) -> Self {
        let message =
            if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired", field: field.to_owned(), message }
    }

    pub(crate) fn invalid(field: &str, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {value}: {detail}");
        Self { reason: "FieldValueInvalid", field: field.to_owned(), message }
    }

    pub(crate) fn forbidden(field: &str, detail: &str) -> Self {
        let message = format!("Forbidden: {detail}");
        Self { reason: "FieldValueForbidden", field: field.to_owned(), message }
    }

    pub(crate) fn unsupported(field: &str, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|word| format!("\"{word}\"")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
        Self { reason: "FieldValueNotSupported", field: field.to_owned(), message }
    }

    pub(crate) fn not_found(field: &str, value: &Value) -> Self {
        Self { reason: "FieldValueNotFound", field: field.to_owned(), message: format!("Not found: {value}") }
    }

    #[cfg(test)]
    pub(crate) fn field(&self) -> &str {
        &self.field
    }

    pub(crate) fn duplicate(field: &str, value: &Value) -> Self {
        let message = format!("Duplicate value: {value}");
        Self { reason: "FieldValueDuplicate", field: field.to_owned(), message }
    }
}

/// The kind of an object that is not valid, as it is named in the text: `Pod`, `Deployment.apps`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blamed<'a> {
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
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

    pub(crate) fn already_exists(resource: Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::new(StatusCode::CONFLICT, "AlreadyExists", &message).details(kind_details(resource, name))
    }

    /// Somebody else was quicker, or the object is not the one that was meant.
    pub(crate) fn conflict(resource: Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::new(StatusCode::CONFLICT, "Conflict", &message).details(kind_details(resource, name))
    }

    /// The same where a server names not the resource but something else: the kind, or a part.
    pub(crate) fn conflict_on(subject: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {subject} \"{name}\": {why}");
        let details = json!({ "name": name, "kind": subject });
        Self::new(StatusCode::CONFLICT, "Conflict", &message).details(details)
    }

    pub(crate) fn modified(resource: Resource, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    pub(crate) fn invalid(blamed: Blamed<'_>, causes: &[Cause]) -> Self {
        let Blamed { group, kind, name } = blamed;
        let subject = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let told: Vec<String> =
            causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let told = if let [only] = &told[..] { only.clone() } else { format!("[{}]", told.join(", ")) };
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field }))
            .collect();
        let mut details = json!({ "kind": kind, "causes": causes });
        for (field, value) in [("name", name), ("group", group)] {
            if !value.is_empty() {
                details[field] = json!(value);
            }
        }
        let message = format!("{subject} \"{name}\" is invalid: {told}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", &message).details(details)
    }

    /// Options of a writing request that cannot be carried out: `CreateOptions` and the like.
    pub(crate) fn invalid_request(kind: &str, cause: Cause) -> Self {
        Self::invalid(Blamed { group: "meta.k8s.io", kind, name: "" }, &[cause])
    }

    /// A patch that is well-formed and does not fit the object.
    pub(crate) fn patch_not_applied() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).details(json!({}))
    }

    pub(crate) fn unsupported_media() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json",
        )
    }

    pub(crate) fn unsupported_patch(message: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message).details(json!({}))
    }

    pub(crate) fn too_large(message: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    pub(crate) fn internal(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    pub(crate) fn namespace_terminating(resource: Resource, key: &Key) -> Self {
        let Key { namespace, name } = key;
        let message = format!(
            "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being \
             terminated",
            resource.qualified()
        );
        let mut details = kind_details(resource, name);
        details["causes"] = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        Self::new(StatusCode::FORBIDDEN, "Forbidden", &message).details(details)
    }

    pub(crate) fn forbidden_because(resource: Resource, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        Self::new(StatusCode::FORBIDDEN, "Forbidden", &message).details(kind_details(resource, name))
    }

    /// An eviction that a disruption budget does not allow now.
    pub(crate) fn budget(cause: &str, retry_after: Option<u64>) -> Self {
        let mut details = json!({ "causes": [{ "reason": "DisruptionBudget", "message": cause }] });
        if let Some(seconds) = retry_after {
            details["retryAfterSeconds"] = json!(seconds);
        }
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let mut refusal =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).details(details);
        refusal.retry_after = retry_after;
        refusal
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

    /// `verb` may name a part of the object after a slash: `create/eviction`.
    pub(crate) fn forbidden(user: &str, verb: &str, resource: Resource, key: &Key) -> Self {
        let (verb, part) = verb.split_once('/').unwrap_or((verb, ""));
        let part = if part.is_empty() { String::new() } else { format!("/{part}") };
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
            "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{}{part}\" in API group \"{}\" {place}",
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
