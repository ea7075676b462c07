//! What the server tells of itself: its version, its groups and their resources, in both forms of discovery.
//!
//! Verbs are what it really does: reading. A verb that is listed and refused would mislead every client.

use serde_json::{Value, json};

use super::super::resource::Resource;
use super::status::Refusal;

const VERBS: [&str; 3] = ["get", "list", "watch"];

pub(crate) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": "v1.36.2",
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-06-10T12:00:00Z",
        "goVersion": "go1.26.4",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

pub(crate) fn core_versions(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": address }],
    })
}

pub(crate) fn groups() -> Value {
    let groups: Vec<Value> = named_groups()
        .map(|group| {
            let version = json!({ "groupVersion": format!("{group}/v1"), "version": "v1" });
            json!({ "name": group, "versions": [version], "preferredVersion": version })
        })
        .collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// The resources of one group and version.
pub(crate) fn group(group: &str, version: &str) -> Result<Value, Refusal> {
    let resources: Vec<Value> = of_group(group)
        .filter(|resource| resource.spelling().version == version)
        .map(|resource| {
            let spelling = resource.spelling();
            json!({
                "name": spelling.plural,
                "singularName": spelling.singular,
                "namespaced": spelling.is_namespaced,
                "kind": spelling.kind,
                "verbs": VERBS,
                "shortNames": spelling.short_names,
                "categories": spelling.categories,
            })
        })
        .collect();
    if resources.is_empty() {
        return Err(Refusal::unknown_path());
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }))
}

/// All resources at once: of the core group under `/api`, of all others under `/apis`.
pub(crate) fn aggregated(is_core: bool) -> Value {
    let groups: Vec<&str> = if is_core { vec![""] } else { named_groups().collect() };
    let items: Vec<Value> = groups
        .into_iter()
        .map(|group| {
            let resources: Vec<Value> = of_group(group).map(aggregated_resource).collect();
            let version = json!({ "version": "v1", "freshness": "Current", "resources": resources });
            json!({ "metadata": { "name": group }, "versions": [version] })
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    })
}

fn aggregated_resource(resource: Resource) -> Value {
    let spelling = resource.spelling();
    json!({
        "resource": spelling.plural,
        "responseKind": { "group": spelling.group, "version": spelling.version, "kind": spelling.kind },
        "scope": if spelling.is_namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": spelling.singular,
        "verbs": VERBS,
        "shortNames": spelling.short_names,
        "categories": spelling.categories,
    })
}

fn of_group(group: &str) -> impl Iterator<Item = Resource> {
    Resource::ALL.into_iter().filter(move |resource| resource.spelling().group == group)
}

fn named_groups() -> impl Iterator<Item = &'static str> {
    let mut groups: Vec<&str> = Resource::ALL.into_iter().map(|resource| resource.spelling().group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.into_iter().filter(|group| !group.is_empty())
}
