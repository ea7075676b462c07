//! As much of the documents on schemas as kubectl looks up before it writes: that a server checks fields itself.
//!
//! No schemas: what a client would check against them, the server checks.

use serde_json::{Value, json};

use super::super::resource::Resource;
use super::status::Refusal;

/// Which documents there are.
pub(crate) fn index() -> Value {
    let paths = Resource::ALL.into_iter().map(|resource| {
        let path = path(resource.spelling().group, resource.spelling().version);
        let url = json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash=1") });
        (path, url)
    });
    json!({ "paths": paths.collect::<Value>() })
}

/// The document of one group and version.
pub(crate) fn document(group: &str, version: &str) -> Result<Value, Refusal> {
    let resources = Resource::ALL.into_iter().map(Resource::spelling);
    let resources: Vec<_> =
        resources.filter(|spelling| (spelling.group, spelling.version) == (group, version)).collect();
    if resources.is_empty() {
        return Err(Refusal::unknown_path());
    }
    let operation = |kind: &str| {
        let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
        json!({
            "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")],
            "responses": {},
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind },
        })
    };
    let paths = resources.into_iter().map(|spelling| {
        let scope = if spelling.is_namespaced { "namespaces/{namespace}/" } else { "" };
        let path = format!("/{}/{scope}{}/{{name}}", path(group, version), spelling.plural);
        (path, json!({ "patch": operation(spelling.kind), "put": operation(spelling.kind) }))
    });
    Ok(json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "v1.36.2" },
        "paths": paths.collect::<Value>(),
        "components": { "schemas": {} },
    }))
}

fn path(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}
