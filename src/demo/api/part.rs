//! The small parts of objects that are read and written apart: how many replicas there are, and which node a pod is
//! bound to.
//!
//! The status is written by the rules of the whole object, in `write`; evictions and logs have modules of their own.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::Store;
use super::patch;
use super::status::{Blamed, Cause, Refusal};
use super::write::{self, Patch, Target, Written};

/// The scale of a workload, as the part `scale` shows it.
pub(crate) fn scale(workload: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = workload["metadata"][field].clone();
    }
    let labels = workload["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
    let selector: Vec<String> =
        labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    // None is not written: that is how the real one spells it.
    let replicas = object::number(workload, "/spec/replicas").unwrap_or(0);
    let spec = if replicas == 0 { json!({}) } else { json!({ "replicas": replicas }) };
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {
            "replicas": object::number(workload, "/status/replicas").unwrap_or(0),
            "selector": selector.join(","),
        },
    })
}

/// How a scale is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rescale<'a> {
    Put(&'a [u8]),
    Patch(Patch<'a>),
}

pub(crate) fn rescale(
    store: &mut Store,
    target: &Target<'_>,
    change: Rescale<'_>,
) -> Result<Written, Refusal> {
    let Target { resource, key, now, .. } = target;
    let workload = store.get(*resource, key);
    let workload = workload.ok_or_else(|| Refusal::not_found(*resource, &key.name))?;
    let current = scale(&workload);
    let wanted = match change {
        Rescale::Put(body) => {
            serde_json::from_slice(body).map_err(|error| Refusal::bad_request(&error.to_string()))?
        }
        Rescale::Patch(Patch { kind, body }) => patch::apply(kind, &current, body)?,
    };
    if wanted.pointer("/spec/replicas").is_some_and(|replicas| !replicas.is_i64()) {
        return Err(Refusal::bad_request(
            "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is no number",
        ));
    }
    let version = object::text(&wanted, "/metadata/resourceVersion");
    if !version.is_empty() && version != object::text(&workload, "/metadata/resourceVersion") {
        return Err(Refusal::modified(*resource, &key.name));
    }
    let replicas = object::number(&wanted, "/spec/replicas").unwrap_or(0);
    if replicas < 0 {
        let complaint = "must be greater than or equal to 0";
        let cause = Cause::invalid("spec.replicas", &json!(replicas), complaint);
        let blamed = Blamed { group: "autoscaling", kind: "Scale", name: &key.name };
        return Err(Refusal::invalid(blamed, &[cause]));
    }
    let scaled =
        store.change(*resource, key, *now, |workload| workload["spec"]["replicas"] = json!(replicas));
    Ok(Written::new(StatusCode::OK, scale(scaled.as_deref().unwrap_or(&workload))))
}

/// Binds a pod to a node, as a scheduler does.
pub(crate) fn bind(store: &mut Store, target: &Target<'_>, binding: &Value) -> Result<Written, Refusal> {
    let Target { key, now, .. } = target;
    let pod = store.get(Resource::Pods, key);
    let pod = pod.ok_or_else(|| Refusal::not_found(Resource::Pods, &key.name))?;
    let node = object::text(binding, "/target/name");
    if node.is_empty() {
        let blamed = Blamed { group: "", kind: "Binding", name: &key.name };
        return Err(Refusal::invalid(blamed, &[Cause::required("target.name", "")]));
    }
    let bound = object::text(&pod, "/spec/nodeName");
    if !bound.is_empty() {
        let why = format!("pod {} is already assigned to node \"{bound}\"", key.name);
        return Err(Refusal::conflict_on("pods/binding", &key.name, &why));
    }
    if object::is_deleting(&pod) {
        let why = format!("pod {} is being deleted, cannot be assigned to a host", key.name);
        return Err(Refusal::conflict_on("pods/binding", &key.name, &why));
    }
    store.change(Resource::Pods, key, *now, |pod| {
        pod["spec"]["nodeName"] = json!(node);
        object::set_condition(pod, "PodScheduled", &json!({ "status": "True" }), *now);
    });
    Ok(write::success())
}
