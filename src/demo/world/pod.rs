//! Pods as their owners create them, and what can be read off them.
//!
//! A pod's way from here to running is its scheduler's and its kubelet's.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::store::scatter;
use super::Timers;

/// The letters and digits of generated names: none that could spell a word or be mistaken.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A pod from an owner's template, admitted: with the tolerations that every pod is given.
pub(super) fn from_template(owner: &Value, name: &str, timers: Timers, now: Timestamp) -> Value {
    let template = &owner["spec"]["template"];
    let mut pod = json!({ "metadata": template["metadata"], "spec": template["spec"] });
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = owner["metadata"]["namespace"].clone();
    pod["metadata"]["generateName"] = json!(format!("{}-", object::name(owner)));
    pod["metadata"]["ownerReferences"] = json!([object::owner_reference(owner)]);
    pod["metadata"]["managedFields"] = managed_fields(now);
    pod["status"] = json!({ "phase": "Pending", "qosClass": "Burstable" });
    admit(&mut pod, timers);
    pod
}

/// What admission adds to every pod, whoever made it.
pub(super) fn admit(pod: &mut Value, timers: Timers) {
    let spec = &mut pod["spec"];
    let defaults = json!({
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": true,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": timers.whole_seconds(30),
    });
    for (field, value) in defaults.as_object().into_iter().flatten() {
        if spec[field].is_null() {
            spec[field] = value.clone();
        }
    }
    let mut tolerations = object::items(spec, "/tolerations").to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let has_one = tolerations.iter().any(|toleration| {
            let text = |pointer: &str| object::text(toleration, pointer);
            (text("/key") == key || text("/key").is_empty()) && ["", "NoExecute"].contains(&text("/effect"))
        });
        if !has_one {
            tolerations.push(json!({
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": timers.whole_seconds(300),
            }));
        }
    }
    spec["tolerations"] = json!(tolerations);
}

/// Neither finished nor on its way out: what its owner counts.
pub(super) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !object::is_deleting(pod)
}

pub(super) fn is_finished(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&object::text(pod, "/status/phase"))
}

pub(super) fn is_ready(pod: &Value) -> bool {
    object::condition_is(pod, "Ready", "True")
}

/// Whether its processes are gone as far as the API knows: nothing holds its volumes any more.
pub(super) fn is_terminated(pod: &Value) -> bool {
    let is_running = |container: &Value| container["state"]["running"].is_object();
    let has_running = object::items(pod, "/status/containerStatuses").iter().any(is_running);
    is_finished(pod) || (object::is_deleting(pod) && !has_running)
}

/// `count` characters as generated names have them, from a seed.
pub(super) fn suffix(seed: u64, count: usize) -> String {
    let mut state = scatter(seed);
    (0..count)
        .map(|_| {
            let letter = SAFE[usize::try_from(state % SAFE.len() as u64).unwrap_or(0)];
            state = scatter(state);
            char::from(letter)
        })
        .collect()
}

/// A number from a text, the same in every run.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Who wrote which field: of no use to this program and a third of every real pod, so the demo has it too.
fn managed_fields(now: Timestamp) -> Value {
    let fields = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<Value>();
    let condition = fields(&[".", "f:lastProbeTime", "f:lastTransitionTime", "f:status", "f:type"]);
    json!([
        {
            "manager": "kube-controller-manager",
            "operation": "Update",
            "apiVersion": "v1",
            "time": object::time(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {
                    "f:generateName": {},
                    "f:labels": fields(&[".", "f:app", "f:pod-template-hash"]),
                    "f:ownerReferences": fields(&["."]),
                },
                "f:spec": fields(&[
                    "f:containers", "f:dnsPolicy", "f:enableServiceLinks", "f:restartPolicy", "f:schedulerName",
                    "f:securityContext", "f:terminationGracePeriodSeconds", "f:volumes",
                ]),
            },
        },
        {
            "manager": "kubelet",
            "operation": "Update",
            "apiVersion": "v1",
            "time": object::time(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:status": {
                    "f:conditions": {
                        "k:{\"type\":\"ContainersReady\"}": condition,
                        "k:{\"type\":\"Initialized\"}": condition,
                        "k:{\"type\":\"Ready\"}": condition,
                    },
                    "f:containerStatuses": {},
                    "f:hostIP": {},
                    "f:phase": {},
                    "f:podIPs": fields(&[".", "k:{\"ip\":\"10.244.0.1\"}"]),
                    "f:startTime": {},
                },
            },
            "subresource": "status",
        },
    ])
}
