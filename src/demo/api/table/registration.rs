//! The cells of an API service: who serves the group, and whether it answers.

use serde_json::Value;

use super::super::super::object;

/// Who serves a group: `namespace/name`, or the API server itself.
pub(super) fn server(api_service: &Value) -> String {
    match api_service.pointer("/spec/service") {
        None | Some(Value::Null) => "Local".to_owned(),
        Some(service) => {
            format!("{}/{}", object::text(service, "/namespace"), object::text(service, "/name"))
        }
    }
}

/// `True`, or `False (MissingEndpoints)`.
pub(super) fn availability(api_service: &Value) -> String {
    let conditions = object::items(api_service, "/status/conditions");
    let Some(available) = conditions.iter().find(|condition| condition["type"] == "Available") else {
        return "Unknown".to_owned();
    };
    match object::text(available, "/status") {
        "True" => "True".to_owned(),
        status => format!("{status} ({})", object::text(available, "/reason")),
    }
}
