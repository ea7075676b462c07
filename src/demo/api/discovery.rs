//! What the server tells of itself: its version, its groups and their resources, in both forms of discovery.
//!
//! Verbs are what it really does. A verb that is listed and refused would mislead every client.

use serde_json::{Value, json};

use super::super::resource::Resource;
use super::ask::{Part, Review};
use super::status::Refusal;

/// What can be done with whole objects.
fn verbs(resource: Resource) -> Vec<&'static str> {
    let all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    // Namespaces are deleted one by one: no slip of the tongue empties a cluster.
    all.into_iter().filter(|verb| resource != Resource::Namespaces || *verb != "deletecollection").collect()
}

/// What can be done with a part, and as what kind it is read and written.
fn part(resource: Resource, part: Part) -> (&'static [&'static str], [&'static str; 3]) {
    let spelling = resource.spelling();
    match part {
        Part::Status => (&["get", "patch", "update"], [spelling.group, spelling.version, spelling.kind]),
        Part::Scale => (&["get", "patch", "update"], ["autoscaling", "v1", "Scale"]),
        Part::Eviction => (&["create"], ["policy", "v1", "Eviction"]),
        Part::Binding => (&["create"], ["", "v1", "Binding"]),
        Part::Log => (&["get"], ["", "v1", "Pod"]),
    }
}

fn parts(resource: Resource) -> impl Iterator<Item = Part> {
    Part::ALL.into_iter().filter(move |part| part.is_of(resource))
}

fn reviews(group: &str) -> impl Iterator<Item = Review> {
    Review::ALL.into_iter().filter(move |review| review.group() == group)
}

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
    let resources = of_group(group).filter(|resource| resource.spelling().version == version);
    let mut resources: Vec<Value> = resources.flat_map(listed).collect();
    resources.extend(reviews(group).filter(|_| version == "v1").map(|review| {
        json!({
            "name": review.plural(),
            "singularName": review.kind().to_lowercase(),
            "namespaced": false,
            "kind": review.kind(),
            "verbs": ["create"],
        })
    }));
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

/// A resource and its parts, as the older form of discovery has them: side by side.
fn listed(resource: Resource) -> Vec<Value> {
    let spelling = resource.spelling();
    let whole = json!({
        "name": spelling.plural,
        "singularName": spelling.singular,
        "namespaced": spelling.is_namespaced,
        "kind": spelling.kind,
        "verbs": verbs(resource),
        "shortNames": spelling.short_names,
        "categories": spelling.categories,
    });
    let parts = parts(resource).map(|name| {
        let (verbs, [group, version, kind]) = part(resource, name);
        let mut listed = json!({
            "name": format!("{}/{}", spelling.plural, name.id()),
            "singularName": "",
            "namespaced": spelling.is_namespaced,
            "kind": kind,
            "verbs": verbs,
        });
        if (group, version) != (spelling.group, spelling.version) {
            listed["group"] = json!(group);
            listed["version"] = json!(version);
        }
        listed
    });
    std::iter::once(whole).chain(parts).collect()
}

/// All resources at once: of the core group under `/api`, of all others under `/apis`.
pub(crate) fn aggregated(is_core: bool) -> Value {
    let groups: Vec<&str> = if is_core { vec![""] } else { named_groups().collect() };
    let items: Vec<Value> = groups
        .into_iter()
        .map(|group| {
            let mut resources: Vec<Value> = of_group(group).map(aggregated_resource).collect();
            resources.extend(reviews(group).map(|review| {
                json!({
                    "resource": review.plural(),
                    "responseKind": { "group": group, "version": "v1", "kind": review.kind() },
                    "scope": "Cluster",
                    "singularResource": review.kind().to_lowercase(),
                    "verbs": ["create"],
                })
            }));
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
        "verbs": verbs(resource),
        "shortNames": spelling.short_names,
        "categories": spelling.categories,
        "subresources": parts(resource).map(|name| {
            let (verbs, [group, version, kind]) = part(resource, name);
            json!({
                "subresource": name.id(),
                "responseKind": { "group": group, "version": version, "kind": kind },
                "verbs": verbs,
            })
        }).collect::<Vec<_>>(),
    })
}

fn of_group(group: &str) -> impl Iterator<Item = Resource> {
    Resource::ALL.into_iter().filter(move |resource| resource.spelling().group == group)
}

fn named_groups() -> impl Iterator<Item = &'static str> {
    let mut groups: Vec<&str> = Resource::ALL.into_iter().map(|resource| resource.spelling().group).collect();
    groups.extend(Review::ALL.into_iter().map(Review::group));
    groups.sort_unstable();
    groups.dedup();
    groups.into_iter().filter(|group| !group.is_empty())
}
