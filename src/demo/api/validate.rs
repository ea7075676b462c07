//! What a server refuses as invalid, of what people who write manifests and patches run into.
//!
//! It is no full validation: that is a server's types and a thousand rules. A manifest that is refused here is refused
//! by a real server too; the other way round it need not be so.

use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::status::Cause;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// What is wrong with an object, and with the change from what it was before.
pub(crate) fn complaints(resource: Resource, object: &Value, before: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    metadata(object, before, &mut causes);
    match resource {
        Resource::Pods => match before {
            None => {
                pod_spec("spec", &object["spec"], &mut causes);
                mounts("spec", &object["spec"], &mut causes);
            }
            Some(before) => pod_change(&before["spec"], &object["spec"], &mut causes),
        },
        Resource::Deployments | Resource::ReplicaSets | Resource::StatefulSets | Resource::DaemonSets => {
            workload(resource, object, &mut causes);
            if let Some(before) = before {
                workload_change(resource, before, object, &mut causes);
            }
        }
        Resource::Jobs => job(object, before, &mut causes),
        Resource::Nodes => node(object, &mut causes),
        Resource::PodDisruptionBudgets => budget(object, &mut causes),
        Resource::VolumeAttachments | Resource::ControllerRevisions => {
            let field = if resource == Resource::VolumeAttachments { "spec" } else { "data" };
            if before.is_some_and(|before| before[field] != object[field]) {
                causes.push(Cause::invalid(field, &object[field], "field is immutable"));
            }
        }
        Resource::PersistentVolumeClaims => claim(object, before, &mut causes),
        Resource::Services => {
            if object::items(object, "/spec/ports").is_empty()
                && object["spec"]["clusterIP"] != "None"
                && object["spec"]["type"] != "ExternalName"
            {
                causes.push(Cause::required("spec.ports", ""));
            }
        }
        Resource::PersistentVolumes
        | Resource::Events
        | Resource::Namespaces
        | Resource::Leases
        | Resource::CsiNodes
        | Resource::CsiDrivers
        | Resource::StorageClasses
        | Resource::ConfigMaps
        | Resource::ApiServices
        | Resource::EndpointSlices => {}
    }
    causes
}

fn metadata(object: &Value, before: Option<&Value>, causes: &mut Vec<Cause>) {
    let name = object::name(object);
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else if !is_subdomain(name) {
        causes.push(Cause::invalid(
            "metadata.name",
            &json!(name),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ));
    }
    if let Some(before) = before {
        let (known, given) = (object::uid(before), object::uid(object));
        if known != given {
            causes.push(Cause::invalid("metadata.uid", &json!(given), "field is immutable"));
        }
        let fresh: Vec<String> = object::items(object, "/metadata/finalizers")
            .iter()
            .filter(|finalizer| !object::items(before, "/metadata/finalizers").contains(finalizer))
            .map(ToString::to_string)
            .collect();
        if object::is_deleting(before) && !fresh.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                fresh.join(", ")
            );
            causes.push(Cause::forbidden("metadata.finalizers", &detail));
        }
    }
    labels(&object["metadata"]["labels"], "metadata.labels", causes);
}

fn labels(labels: &Value, field: &str, causes: &mut Vec<Cause>) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        let name = key.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || !is_label(name) {
            causes.push(Cause::invalid(
                field,
                &json!(key),
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                 alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                 '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            ));
        }
        let value = value.as_str().unwrap_or_default();
        if !is_label(value) {
            causes.push(Cause::invalid(
                field,
                &json!(value),
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                 must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
                 used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            ));
        }
    }
}

fn is_subdomain(name: &str) -> bool {
    let is_part = |part: &str| {
        let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_part)
}

/// The value of a label, or the name part of its key; both may be empty here.
fn is_label(text: &str) -> bool {
    let is_edge = |letter: Option<char>| letter.is_none_or(|letter| letter.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        && is_edge(text.chars().next())
        && is_edge(text.chars().last())
}

fn pod_spec(at: &str, spec: &Value, causes: &mut Vec<Cause>) {
    let containers = object::items(spec, "/containers");
    if containers.is_empty() {
        causes.push(Cause::required(&format!("{at}.containers"), ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (number, container) in containers.iter().enumerate() {
        let field = |name: &str| format!("{at}.containers[{number}].{name}");
        let name = object::text(container, "/name");
        if name.is_empty() {
            causes.push(Cause::required(&field("name"), ""));
        } else if names.contains(&name) {
            causes.push(Cause::duplicate(&field("name"), &json!(name)));
        }
        names.push(name);
        if object::text(container, "/image").is_empty() {
            causes.push(Cause::required(&field("image"), ""));
        }
    }
}

/// What is mounted must be there.
fn mounts(at: &str, spec: &Value, causes: &mut Vec<Cause>) {
    let volumes = object::items(spec, "/volumes");
    for (number, container) in object::items(spec, "/containers").iter().enumerate() {
        for (mount_number, mount) in object::items(container, "/volumeMounts").iter().enumerate() {
            if !volumes.iter().any(|volume| volume["name"] == mount["name"]) {
                let field = format!("{at}.containers[{number}].volumeMounts[{mount_number}].name");
                causes.push(Cause::not_found(&field, &mount["name"]));
            }
        }
    }
}

/// Of a pod's spec hardly anything can be changed.
fn pod_change(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let comparable = |spec: &Value| {
        let mut spec = spec.clone();
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                container["image"] = Value::Null;
            }
        }
        for free in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
            spec[free] = Value::Null;
        }
        spec
    };
    let (old, new) = (object::items(before, "/tolerations"), object::items(after, "/tolerations"));
    let lost_tolerations = old.iter().any(|toleration| !new.contains(toleration));
    if comparable(before) != comparable(after) || lost_tolerations {
        causes.push(Cause::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
             `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
             `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ));
    }
}

fn workload(resource: Resource, object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    if resource != Resource::DaemonSets
        && let Some(replicas) = object::number(spec, "/replicas").filter(|replicas| *replicas < 0)
    {
        causes.push(Cause::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0"));
    }
    let selector = &spec["selector"];
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
    } else if is_empty_selector(selector) {
        causes.push(Cause::invalid("spec.selector", selector, "empty selector is invalid for deployment"));
    }
    let labels = &spec["template"]["metadata"]["labels"];
    let is_matching = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| labels[key.as_str()] == *value);
    if selector.is_null() || !is_matching {
        let complaint = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, complaint));
    }
    pod_spec("spec.template.spec", &spec["template"]["spec"], causes);
    // What a stateful set's claims give is mounted as well, and a real server does not look at that.
    if resource != Resource::StatefulSets {
        mounts("spec.template.spec", &spec["template"]["spec"], causes);
    }
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if !policy.is_null() && policy != "Always" {
        causes.push(Cause::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
}

fn workload_change(resource: Resource, before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    if resource == Resource::StatefulSets {
        let comparable = |object: &Value| {
            let mut spec = object["spec"].clone();
            for free in [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ] {
                spec[free] = Value::Null;
            }
            // Filled up by different hands.
            for claim in spec["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
                *claim = json!({ "metadata": { "name": claim["metadata"]["name"] } });
            }
            spec["podManagementPolicy"] = Value::Null;
            spec
        };
        if comparable(before) != comparable(after) {
            causes.push(Cause::forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                 'minReadySeconds' are forbidden",
            ));
        }
        return;
    }
    let (old, new) = (&before["spec"]["selector"], &after["spec"]["selector"]);
    if old != new {
        causes.push(Cause::invalid("spec.selector", new, "field is immutable"));
    }
}

fn job(job: &Value, before: Option<&Value>, causes: &mut Vec<Cause>) {
    let spec = &job["spec"];
    match before {
        None => {
            pod_spec("spec.template.spec", &spec["template"]["spec"], causes);
            mounts("spec.template.spec", &spec["template"]["spec"], causes);
            let policy = &spec["template"]["spec"]["restartPolicy"];
            if policy != "Never" && policy != "OnFailure" {
                let field = "spec.template.spec.restartPolicy";
                causes.push(Cause::required(field, "valid values: \"OnFailure\", \"Never\""));
            }
        }
        Some(before) => {
            for field in ["selector", "template", "completions"] {
                if before["spec"][field] != spec[field] {
                    let at = format!("spec.{field}");
                    causes.push(Cause::invalid(&at, &spec[field], "field is immutable"));
                }
            }
        }
    }
}

fn node(node: &Value, causes: &mut Vec<Cause>) {
    let taints = object::items(node, "/spec/taints");
    for (number, taint) in taints.iter().enumerate() {
        let key = object::text(taint, "/key");
        if key.is_empty() {
            causes.push(Cause::required(
                &format!("metadata.taints[{number}].key"),
                "name part must be non-empty",
            ));
        }
        let effect = object::text(taint, "/effect");
        if effect.is_empty() {
            causes.push(Cause::required(&format!("metadata.taints[{number}].effect"), ""));
        } else if !EFFECTS.contains(&effect) {
            let field = format!("metadata.taints[{number}].effect");
            causes.push(Cause::unsupported(&field, &json!(effect), &EFFECTS));
        }
        let is_same = |other: &&Value| other["key"] == taint["key"] && other["effect"] == taint["effect"];
        if taints[..number].iter().any(|other| is_same(&other)) {
            causes.push(Cause::duplicate(&format!("metadata.taints[{number}]"), taint));
        }
    }
}

fn budget(budget: &Value, causes: &mut Vec<Cause>) {
    let spec = &budget["spec"];
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        causes.push(Cause::invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
    }
    for field in ["minAvailable", "maxUnavailable"] {
        if let Some(number) = spec[field].as_i64().filter(|number| *number < 0) {
            let at = format!("spec.{field}");
            causes.push(Cause::invalid(&at, &json!(number), "must be greater than or equal to 0"));
        }
    }
}

fn claim(claim: &Value, before: Option<&Value>, causes: &mut Vec<Cause>) {
    let spec = &claim["spec"];
    if object::items(spec, "/accessModes").is_empty() {
        causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
    }
    if spec.pointer("/resources/requests/storage").is_none() {
        causes.push(Cause::required("spec.resources[storage]", ""));
    }
    let Some(before) = before else {
        return;
    };
    let is_unbound = before["spec"]["volumeName"].is_null();
    let fixed = ["accessModes", "storageClassName", "volumeMode", "selector"];
    let is_moved = !is_unbound && before["spec"]["volumeName"] != spec["volumeName"];
    if is_moved || fixed.iter().any(|field| before["spec"][*field] != spec[*field]) {
        causes.push(Cause::forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ));
    }
}

fn is_empty_selector(selector: &Value) -> bool {
    let is_none = |part: &Value| match part {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    is_none(&selector["matchLabels"]) && is_none(&selector["matchExpressions"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(resource: Resource, object: &Value, before: Option<&Value>) -> Vec<String> {
        complaints(resource, object, before).iter().map(|cause| cause.field().to_owned()).collect()
    }

    #[test]
    fn every_mistake_of_a_manifest_is_told_at_once() {
        let deployment = json!({
            "metadata": { "name": "Web" },
            "spec": {
                "replicas": -1,
                "selector": { "matchLabels": { "app": "web" } },
                "template": { "metadata": { "labels": { "app": "wob" } }, "spec": { "containers": [{ "name": "a" }] } },
            },
        });
        assert_eq!(
            fields(Resource::Deployments, &deployment, None),
            [
                "metadata.name",
                "spec.replicas",
                "spec.template.metadata.labels",
                "spec.template.spec.containers[0].image"
            ]
        );
    }

    #[test]
    fn a_stateful_set_mounts_what_its_claims_give_and_a_deployment_only_its_volumes() {
        let workload = json!({
            "metadata": { "name": "db" },
            "spec": {
                "selector": { "matchLabels": { "app": "db" } },
                "template": {
                    "metadata": { "labels": { "app": "db" } },
                    "spec": { "containers": [{ "name": "a", "image": "a", "volumeMounts": [{ "name": "data" }] }] },
                },
                "volumeClaimTemplates": [{ "metadata": { "name": "data" } }],
            },
        });
        assert_eq!(fields(Resource::StatefulSets, &workload, None), [""; 0]);
        assert_eq!(
            fields(Resource::Deployments, &workload, None),
            ["spec.template.spec.containers[0].volumeMounts[0].name"]
        );
    }

    #[test]
    fn a_pod_changes_its_image_and_not_its_node() {
        let pod = |node: &str, image: &str| {
            json!({
                "metadata": { "name": "a" },
                "spec": { "nodeName": node, "containers": [{ "name": "a", "image": image }] },
            })
        };
        let before = pod("worker-1", "web:1");
        assert_eq!(fields(Resource::Pods, &pod("worker-1", "web:2"), Some(&before)), Vec::<String>::new());
        assert_eq!(fields(Resource::Pods, &pod("worker-2", "web:1"), Some(&before)), ["spec"]);
    }

    #[test]
    fn what_is_being_deleted_takes_no_new_finalizers() {
        let pod = |finalizers: &[&str]| {
            json!({
                "metadata": { "name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers },
                "spec": {},
            })
        };
        let before = pod(&["x/a", "x/b"]);
        assert_eq!(fields(Resource::Pods, &pod(&["x/b"]), Some(&before)), Vec::<String>::new());
        assert_eq!(fields(Resource::Pods, &pod(&["x/b", "x/c"]), Some(&before)), ["metadata.finalizers"]);
    }
}
