//! What a server fills in that a client left out, and what it does not let a client say.
//!
//! The defaults are those that people and controllers read; the many that nobody looks at in an incident are left out.

use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::{Store, scatter};

/// Completes an object that is about to be created: its status is the server's to write, its spec is filled up.
pub(crate) fn of_new(object: &mut Value, resource: Resource, store: &Store) {
    if let Value::Object(fields) = object {
        // Nodes are registered with a status by who runs on them.
        if resource.has_status() && resource != Resource::Nodes {
            fields.remove("status");
        }
    }
    fill(object, resource);
    match resource {
        Resource::Pods => object["status"] = json!({ "phase": "Pending", "qosClass": quality(object) }),
        Resource::Namespaces => {
            let name = object::name(object).to_owned();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
            object["spec"] = json!({ "finalizers": ["kubernetes"] });
            object["status"] = json!({ "phase": "Active" });
        }
        Resource::PersistentVolumeClaims => {
            object["status"] = json!({ "phase": "Pending" });
            add_finalizer(object, "kubernetes.io/pvc-protection");
            if object["spec"]["storageClassName"].is_null()
                && let Some(class) = default_class(store)
            {
                object["spec"]["storageClassName"] = json!(class);
            }
        }
        Resource::PersistentVolumes => {
            object["status"] = json!({ "phase": "Available" });
            add_finalizer(object, "kubernetes.io/pv-protection");
        }
        Resource::PodDisruptionBudgets => {
            object["status"] = json!({ "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0 });
        }
        Resource::VolumeAttachments => object["status"] = json!({ "attached": false }),
        Resource::StatefulSets | Resource::ReplicaSets => object["status"] = json!({ "replicas": 0 }),
        Resource::DaemonSets => {
            object["status"] = json!({
                "currentNumberScheduled": 0,
                "numberMisscheduled": 0,
                "desiredNumberScheduled": 0,
                "numberReady": 0,
            });
        }
        Resource::Services => {
            object["status"] = json!({ "loadBalancer": {} });
            give_address(object, store);
        }
        Resource::Deployments | Resource::Jobs => object["status"] = json!({}),
        Resource::Nodes
        | Resource::Events
        | Resource::Leases
        | Resource::CsiNodes
        | Resource::CsiDrivers
        | Resource::StorageClasses
        | Resource::ConfigMaps
        | Resource::ApiServices
        | Resource::ControllerRevisions
        | Resource::EndpointSlices => {}
    }
}

/// Fills up what may be left out of a spec, in new objects and in changed ones.
pub(crate) fn fill(object: &mut Value, resource: Resource) {
    match resource {
        Resource::Pods => {
            set(&mut object["spec"], &json!({ "enableServiceLinks": true }));
            pod_spec(&mut object["spec"]);
        }
        Resource::Deployments => {
            let spec = &mut object["spec"];
            set(
                spec,
                &json!({ "replicas": 1, "strategy": {}, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600 }),
            );
            set(&mut spec["strategy"], &json!({ "type": "RollingUpdate" }));
            if spec["strategy"]["type"] == "RollingUpdate" {
                set(&mut spec["strategy"], &json!({ "rollingUpdate": {} }));
                let rolling = json!({ "maxUnavailable": "25%", "maxSurge": "25%" });
                set(&mut spec["strategy"]["rollingUpdate"], &rolling);
            }
            pod_spec(&mut spec["template"]["spec"]);
        }
        Resource::ReplicaSets => {
            set(&mut object["spec"], &json!({ "replicas": 1 }));
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        Resource::StatefulSets => {
            let spec = &mut object["spec"];
            let retention = json!({ "whenDeleted": "Retain", "whenScaled": "Retain" });
            set(
                spec,
                &json!({
                    "replicas": 1,
                    "podManagementPolicy": "OrderedReady",
                    "revisionHistoryLimit": 10,
                    "updateStrategy": {},
                    "persistentVolumeClaimRetentionPolicy": retention,
                }),
            );
            set(&mut spec["updateStrategy"], &json!({ "type": "RollingUpdate" }));
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                set(&mut spec["updateStrategy"], &json!({ "rollingUpdate": {} }));
                set(&mut spec["updateStrategy"]["rollingUpdate"], &json!({ "partition": 0 }));
            }
            for claim in spec["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
                let kind = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {} });
                set(claim, &kind);
                set(&mut claim["spec"], &json!({ "volumeMode": "Filesystem" }));
                set(claim, &json!({ "status": { "phase": "Pending" } }));
            }
            pod_spec(&mut spec["template"]["spec"]);
        }
        Resource::DaemonSets => {
            let spec = &mut object["spec"];
            set(spec, &json!({ "updateStrategy": {}, "revisionHistoryLimit": 10 }));
            set(&mut spec["updateStrategy"], &json!({ "type": "RollingUpdate" }));
            if spec["updateStrategy"]["type"] == "RollingUpdate" {
                set(&mut spec["updateStrategy"], &json!({ "rollingUpdate": {} }));
                let rolling = json!({ "maxUnavailable": 1, "maxSurge": 0 });
                set(&mut spec["updateStrategy"]["rollingUpdate"], &rolling);
            }
            pod_spec(&mut spec["template"]["spec"]);
        }
        Resource::Jobs => job(object),
        Resource::Services => {
            let spec = &mut object["spec"];
            set(
                spec,
                &json!({ "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster" }),
            );
            for port in spec["ports"].as_array_mut().into_iter().flatten() {
                let number = port["port"].clone();
                set(port, &json!({ "protocol": "TCP", "targetPort": number }));
            }
        }
        Resource::PersistentVolumeClaims => {
            set(&mut object["spec"], &json!({ "volumeMode": "Filesystem" }));
        }
        Resource::PersistentVolumes => {
            let defaults = json!({ "volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain" });
            set(&mut object["spec"], &defaults);
        }
        Resource::StorageClasses => {
            set(object, &json!({ "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate" }));
        }
        Resource::Nodes
        | Resource::VolumeAttachments
        | Resource::Events
        | Resource::Namespaces
        | Resource::Leases
        | Resource::PodDisruptionBudgets
        | Resource::CsiNodes
        | Resource::CsiDrivers
        | Resource::ConfigMaps
        | Resource::ApiServices
        | Resource::ControllerRevisions
        | Resource::EndpointSlices => {}
    }
}

/// A job finds its pods by a label that it makes of its own uid.
fn job(job: &mut Value) {
    let (uid, name) = (object::uid(job).to_owned(), object::name(job).to_owned());
    let spec = &mut job["spec"];
    set(
        spec,
        &json!({
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": false,
            "podReplacementPolicy": "TerminatingOrFailed",
        }),
    );
    if spec["manualSelector"] != true && spec["selector"].is_null() && !uid.is_empty() {
        spec["selector"] = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": uid } });
        let labels = json!({
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": uid,
            "job-name": name,
        });
        set(&mut spec["template"], &json!({ "metadata": {} }));
        set(&mut spec["template"]["metadata"], &json!({ "labels": {} }));
        set(&mut spec["template"]["metadata"]["labels"], &labels);
    }
    pod_spec(&mut spec["template"]["spec"]);
}

fn pod_spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    let defaults = json!({
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    });
    set(spec, &defaults);
    for list in ["containers", "initContainers"] {
        if let Some(containers) = spec.get_mut(list).and_then(Value::as_array_mut) {
            containers.iter_mut().for_each(container);
        }
    }
}

fn container(container: &mut Value) {
    let image = object::text(container, "/image");
    let tag = image.rsplit('/').next().unwrap_or_default();
    let is_moving = !tag.contains('@') && tag.rsplit_once(':').is_none_or(|(_, tag)| tag == "latest");
    let defaults = json!({
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": if is_moving { "Always" } else { "IfNotPresent" },
    });
    set(container, &defaults);
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        set(port, &json!({ "protocol": "TCP" }));
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) {
            let defaults = json!({ "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3 });
            set(probe, &defaults);
        }
    }
}

/// Gives an object the fields that it does not have.
fn set(object: &mut Value, defaults: &Value) {
    let (Value::Object(object), Value::Object(defaults)) = (object, defaults) else {
        return;
    };
    for (field, value) in defaults {
        let present = object.entry(field.as_str()).or_insert(Value::Null);
        if present.is_null() {
            *present = value.clone();
        }
    }
}

/// How safe a pod is from being killed for its memory.
fn quality(pod: &Value) -> &'static str {
    let containers = object::items(pod, "/spec/containers");
    let has = |container: &Value, pointer: &str| container.pointer(pointer).is_some_and(Value::is_string);
    let is_guaranteed = |container: &Value| {
        ["cpu", "memory"].iter().all(|resource| {
            let limit = container.pointer(&format!("/resources/limits/{resource}"));
            let request = container.pointer(&format!("/resources/requests/{resource}"));
            has(container, &format!("/resources/limits/{resource}"))
                && (request.is_none() || request == limit)
        })
    };
    let is_empty =
        |container: &Value| ["requests", "limits"].iter().all(|kind| container["resources"][kind].is_null());
    if containers.iter().all(is_empty) {
        "BestEffort"
    } else if containers.iter().all(is_guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn add_finalizer(object: &mut Value, finalizer: &str) {
    let mut finalizers = object::items(object, "/metadata/finalizers").to_vec();
    if !finalizers.iter().any(|known| known == finalizer) {
        finalizers.push(json!(finalizer));
    }
    object["metadata"]["finalizers"] = json!(finalizers);
}

fn default_class(store: &Store) -> Option<String> {
    let is_default = |class: &Value| {
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    };
    let class = store.list(Resource::StorageClasses).find(|class| is_default(class))?;
    Some(object::name(class).to_owned())
}

/// A free address in the services' range, which its name leads to.
fn give_address(service: &mut Value, store: &Store) {
    if !service["spec"]["clusterIP"].is_null() || service["spec"]["type"] == "ExternalName" {
        return;
    }
    let taken: Vec<&str> =
        store.list(Resource::Services).map(|service| object::text(service, "/spec/clusterIP")).collect();
    let mut seed =
        scatter(object::name(service).bytes().fold(7, |sum, byte| sum * 31 % 65_521 + u64::from(byte)));
    let address = loop {
        let address = format!("10.96.{}.{}", seed >> 8 & 0xff, (seed & 0xff).clamp(1, 254));
        if !taken.contains(&address.as_str()) {
            break address;
        }
        seed = scatter(seed);
    };
    service["spec"]["clusterIP"] = json!(address);
    service["spec"]["clusterIPs"] = json!([address]);
    service["spec"]["ipFamilies"] = json!(["IPv4"]);
    service["spec"]["ipFamilyPolicy"] = json!("SingleStack");
}
