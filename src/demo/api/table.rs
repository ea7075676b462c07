//! Objects as the rows that `kubectl get` prints, in a real server's names and order. Which columns a kind has is in
//! `columns`.
//!
//! The readings here are kubectl's in short; the ones that operators rely on are the program's own and live, tested,
//! outside the demo.

mod columns;
mod registration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::shape::metadata_only;
use columns::columns;

/// A table of objects.
pub(crate) fn of<'a>(
    resource: Resource,
    objects: impl IntoIterator<Item = &'a Value>,
    version: &Value,
    now: Timestamp,
) -> Value {
    let columns: Vec<Value> = columns(resource)
        .into_iter()
        .map(|(name, kind, priority)| {
            let format = if name == "Name" { "name" } else { "" };
            json!({ "name": name, "type": kind, "format": format, "description": "", "priority": priority })
        })
        .collect();
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| json!({ "cells": cells(resource, object, now), "object": metadata_only(object) }))
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": { "resourceVersion": version },
        "columnDefinitions": columns,
        "rows": rows,
    })
}

fn cells(resource: Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    let text = |pointer: &str| json!(object::text(object, pointer));
    let or_none = |pointer: &str| json!(some_or_none(object::text(object, pointer)));
    let count = |pointer: &str| json!(object::number(object, pointer).unwrap_or(0));
    let age = age(object, "/metadata/creationTimestamp", now);
    let name = text("/metadata/name");
    let fraction = |ready: &str, wanted: &str| {
        let count = |pointer: &str| object::number(object, pointer).unwrap_or(0);
        json!(format!("{}/{}", count(ready), count(wanted)))
    };
    match resource {
        Resource::Nodes => node_cells(object, age),
        Resource::Pods => pod_cells(object, age),
        Resource::PersistentVolumes => volume_cells(object, age),
        Resource::PersistentVolumeClaims => claim_cells(object, age),
        Resource::VolumeAttachments => vec![
            name,
            text("/spec/attacher"),
            text("/spec/source/persistentVolumeName"),
            text("/spec/nodeName"),
            json!(object["status"]["attached"] == true),
            age,
        ],
        Resource::Events => event_cells(object, now),
        Resource::Namespaces => vec![name, json!(phase(object)), age],
        Resource::Leases => vec![name, text("/spec/holderIdentity"), age],
        Resource::Deployments => workload(
            vec![
                name,
                fraction("/status/readyReplicas", "/spec/replicas"),
                count("/status/updatedReplicas"),
                count("/status/availableReplicas"),
                age,
            ],
            object,
        ),
        Resource::ReplicaSets => {
            let cells = ["/spec/replicas", "/status/replicas", "/status/readyReplicas"].map(count);
            workload([vec![name], cells.to_vec(), vec![age]].concat(), object)
        }
        Resource::StatefulSets => {
            let ready = fraction("/status/readyReplicas", "/spec/replicas");
            let mut cells = workload(vec![name, ready, age], object);
            // It is the one without its selector.
            cells.pop();
            cells
        }
        Resource::DaemonSets => {
            let cells = ["desiredNumberScheduled", "currentNumberScheduled", "numberReady"];
            let more = ["updatedNumberScheduled", "numberAvailable"];
            let counts = cells.into_iter().chain(more).map(|field| count(&format!("/status/{field}")));
            let selector = labels(&object["spec"]["template"]["spec"]["nodeSelector"]);
            let mut cells = vec![name];
            cells.extend(counts);
            cells.extend([json!(some_or_none(&selector)), age]);
            workload(cells, object)
        }
        Resource::ControllerRevisions => {
            let owner = object::controller(object).map_or_else(|| "<none>".to_owned(), owner_name);
            vec![name, json!(owner), object["revision"].clone(), age]
        }
        Resource::EndpointSlices => slice_cells(object, age),
        Resource::Jobs => job_cells(object, age, now),
        Resource::PodDisruptionBudgets => vec![
            name,
            number_or_word(&object["spec"]["minAvailable"]),
            number_or_word(&object["spec"]["maxUnavailable"]),
            count("/status/disruptionsAllowed"),
            age,
        ],
        Resource::Services => service_cells(object, age),
        Resource::ConfigMaps => {
            vec![name, json!(object["data"].as_object().map_or(0, |data| data.len())), age]
        }
        Resource::ApiServices => {
            vec![name, json!(registration::server(object)), json!(registration::availability(object)), age]
        }
        Resource::CsiNodes => vec![name, json!(object::items(object, "/spec/drivers").len()), age],
        Resource::CsiDrivers => vec![
            name,
            json!(object["spec"]["attachRequired"] != false),
            json!(object["spec"]["podInfoOnMount"] == true),
            json!(words(object::items(object, "/spec/volumeLifecycleModes"))),
            age,
        ],
        Resource::StorageClasses => vec![
            json!(class_name(object)),
            text("/provisioner"),
            text("/reclaimPolicy"),
            or_none("/volumeBindingMode"),
            json!(object["allowVolumeExpansion"] == true),
            age,
        ],
    }
}

fn node_cells(node: &Value, age: Value) -> Vec<Value> {
    let mut status = match object::condition(node, "Ready").map(|ready| ready["status"] == "True") {
        Some(true) => "Ready".to_owned(),
        Some(false) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let roles: Vec<&str> = node["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flat_map(|labels| labels.keys().filter_map(|key| key.strip_prefix("node-role.kubernetes.io/")))
        .collect();
    let address = |kind: &str| {
        let addresses = object::items(node, "/status/addresses");
        let found = addresses.iter().find(|address| address["type"] == kind);
        json!(some_or_none(found.map_or("", |address| object::text(address, "/address"))))
    };
    let fact = |name: &str| json!(object::text(node, &format!("/status/nodeInfo/{name}")));
    vec![
        json!(object::name(node)),
        json!(status),
        json!(some_or_none(&roles.join(","))),
        age,
        fact("kubeletVersion"),
        address("InternalIP"),
        address("ExternalIP"),
        fact("osImage"),
        fact("kernelVersion"),
        fact("containerRuntimeVersion"),
    ]
}

fn pod_cells(pod: &Value, age: Value) -> Vec<Value> {
    let containers = object::items(pod, "/status/containerStatuses");
    let ready = containers.iter().filter(|container| container["ready"] == true).count();
    let restarts: i64 =
        containers.iter().filter_map(|container| object::number(container, "/restartCount")).sum();
    vec![
        json!(object::name(pod)),
        json!(format!("{ready}/{}", object::items(pod, "/spec/containers").len())),
        json!(pod_status(pod, containers)),
        json!(restarts.to_string()),
        age,
        json!(some_or_none(object::text(pod, "/status/podIP"))),
        json!(some_or_none(object::text(pod, "/spec/nodeName"))),
        json!(some_or_none(object::text(pod, "/status/nominatedNodeName"))),
        json!("<none>"),
    ]
}

fn pod_status(pod: &Value, containers: &[Value]) -> String {
    let phase = object::text(pod, "/status/phase");
    if object::is_deleting(pod) && !["Succeeded", "Failed"].contains(&phase) {
        return "Terminating".to_owned();
    }
    let of_container = containers.iter().rev().find_map(|container| {
        ["/state/waiting/reason", "/state/terminated/reason"]
            .into_iter()
            .map(|pointer| object::text(container, pointer))
            .find(|reason| !reason.is_empty())
    });
    let own = [object::text(pod, "/status/reason"), phase].into_iter().find(|text| !text.is_empty());
    of_container.or(own).unwrap_or_default().to_owned()
}

fn volume_cells(volume: &Value, age: Value) -> Vec<Value> {
    let text = |pointer: &str| json!(object::text(volume, pointer));
    vec![
        text("/metadata/name"),
        text("/spec/capacity/storage"),
        json!(access_modes(volume, "/spec/accessModes")),
        text("/spec/persistentVolumeReclaimPolicy"),
        json!(phase(volume)),
        json!(claim(volume)),
        text("/spec/storageClassName"),
        text("/status/reason"),
        age,
        text("/spec/volumeMode"),
    ]
}

fn claim_cells(claim: &Value, age: Value) -> Vec<Value> {
    let text = |pointer: &str| json!(object::text(claim, pointer));
    vec![
        text("/metadata/name"),
        json!(phase(claim)),
        text("/spec/volumeName"),
        text("/status/capacity/storage"),
        json!(access_modes(claim, "/status/accessModes")),
        text("/spec/storageClassName"),
        age,
        text("/spec/volumeMode"),
    ]
}

fn event_cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let first_of = |pointers: &[&str]| {
        let found = pointers.iter().find(|pointer| !object::text(event, pointer).is_empty());
        found.map_or(json!("<unknown>"), |pointer| age(event, pointer, now))
    };
    let kind = object::text(event, "/involvedObject/kind").to_lowercase();
    let component = [object::text(event, "/source/component"), object::text(event, "/reportingComponent")]
        .into_iter()
        .find(|component| !component.is_empty())
        .unwrap_or_default();
    vec![
        first_of(&["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"]),
        json!(object::text(event, "/type")),
        json!(object::text(event, "/reason")),
        json!(format!("{kind}/{}", object::text(event, "/involvedObject/name"))),
        json!(object::text(event, "/involvedObject/fieldPath")),
        json!(component),
        json!(object::text(event, "/message")),
        first_of(&["/firstTimestamp", "/eventTime"]),
        json!(object::number(event, "/count").unwrap_or(1).to_string()),
        json!(object::name(event)),
    ]
}

/// `statefulset.apps/postgres`
fn owner_name(owner: &Value) -> String {
    let group = object::text(owner, "/apiVersion").split('/').next().unwrap_or_default();
    format!("{}.{group}/{}", object::text(owner, "/kind").to_lowercase(), object::text(owner, "/name"))
}

fn slice_cells(slice: &Value, age: Value) -> Vec<Value> {
    let ports: Vec<String> =
        object::items(slice, "/ports").iter().map(|port| port["port"].to_string()).collect();
    let addresses: Vec<&str> = object::items(slice, "/endpoints")
        .iter()
        .map(|endpoint| object::text(endpoint, "/addresses/0"))
        .collect();
    let shown = addresses.iter().take(3).copied().collect::<Vec<_>>().join(",");
    let more = addresses.len().saturating_sub(3);
    let addresses = match (addresses.is_empty(), more) {
        (true, _) => "<unset>".to_owned(),
        (false, 0) => shown,
        (false, more) => format!("{shown} + {more} more..."),
    };
    let ports = if ports.is_empty() { "<unset>".to_owned() } else { ports.join(",") };
    vec![
        json!(object::name(slice)),
        json!(object::text(slice, "/addressType")),
        json!(ports),
        json!(addresses),
        age,
    ]
}

fn job_cells(job: &Value, age: Value, now: Timestamp) -> Vec<Value> {
    let status = ["Complete", "Failed", "Suspended"]
        .into_iter()
        .find(|kind| object::condition_is(job, kind, "True"))
        .unwrap_or("Running");
    let count = |pointer: &str| object::number(job, pointer);
    let done =
        format!("{}/{}", count("/status/succeeded").unwrap_or(0), count("/spec/completions").unwrap_or(1));
    let duration = object::time_at(job, "/status/startTime").map_or_else(String::new, |started| {
        let end = object::time_at(job, "/status/completionTime").unwrap_or(now);
        object::short_span(end.duration_since(started))
    });
    workload(vec![json!(object::name(job)), json!(status), json!(done), json!(duration), age], job)
}

fn service_cells(service: &Value, age: Value) -> Vec<Value> {
    let ports: Vec<String> = object::items(service, "/spec/ports")
        .iter()
        .map(|port| {
            let number = object::number(port, "/port").unwrap_or(0);
            format!("{number}/{}", object::text(port, "/protocol"))
        })
        .collect();
    let ingress: Vec<&str> = object::items(service, "/status/loadBalancer/ingress")
        .iter()
        .map(|ingress| object::text(ingress, "/ip"))
        .collect();
    vec![
        json!(object::name(service)),
        json!(object::text(service, "/spec/type")),
        json!(some_or_none(object::text(service, "/spec/clusterIP"))),
        json!(some_or_none(&ingress.join(","))),
        json!(some_or_none(&ports.join(","))),
        age,
        json!(some_or_none(&labels(&service["spec"]["selector"]))),
    ]
}

fn number_or_word(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.to_string()),
        Value::String(word) => json!(word),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => json!("N/A"),
    }
}

/// The cells of a workload, with the ones that the wide output adds.
fn workload(mut cells: Vec<Value>, object: &Value) -> Vec<Value> {
    let containers = object::items(object, "/spec/template/spec/containers");
    let each = |pointer: &str| {
        let texts: Vec<&str> = containers.iter().map(|container| object::text(container, pointer)).collect();
        json!(texts.join(","))
    };
    cells.extend([each("/name"), each("/image"), json!(labels(&object["spec"]["selector"]["matchLabels"]))]);
    cells
}

fn labels(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    pairs.join(",")
}

fn words(items: &[Value]) -> String {
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn class_name(class: &Value) -> String {
    let is_default =
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    format!("{}{}", object::name(class), if is_default { " (default)" } else { "" })
}

fn claim(volume: &Value) -> String {
    let claim = &volume["spec"]["claimRef"];
    if claim.is_object() {
        format!("{}/{}", object::text(claim, "/namespace"), object::text(claim, "/name"))
    } else {
        String::new()
    }
}

fn phase(object: &Value) -> &str {
    if object::is_deleting(object) { "Terminating" } else { object::text(object, "/status/phase") }
}

fn access_modes(object: &Value, pointer: &str) -> String {
    let short = |mode: &Value| match mode.as_str().unwrap_or_default() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "?",
    };
    object::items(object, pointer).iter().map(short).collect::<Vec<_>>().join(",")
}

fn age(object: &Value, pointer: &str, now: Timestamp) -> Value {
    let since = object::time_at(object, pointer);
    json!(since.map_or("<unknown>".to_owned(), |since| object::short_span(now.duration_since(since))))
}

fn some_or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}
