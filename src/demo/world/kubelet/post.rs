//! What a kubelet writes into the status of a pod, from creating its containers to their end.
//!
//! When each is written is decided where it is called from.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::super::object;
use super::super::pod::{hash, suffix};
use super::nature::Nature;

pub(super) fn creating(pod: &mut Value, host: &str, now: Timestamp) {
    let not_ready = json!({
        "status": "False",
        "lastProbeTime": null,
        "reason": "ContainersNotReady",
        "message": format!("containers with unready status: [{}]", container_names(pod)),
    });
    let yes = json!({ "status": "True", "lastProbeTime": null });
    let no = json!({ "status": "False", "lastProbeTime": null });
    object::set_condition(pod, "PodReadyToStartContainers", &no, now);
    object::set_condition(pod, "Initialized", &yes, now);
    object::set_condition(pod, "Ready", &not_ready, now);
    object::set_condition(pod, "ContainersReady", &not_ready, now);
    object::set_condition(pod, "PodScheduled", &yes, now);
    let statuses: Vec<Value> = object::items(pod, "/spec/containers")
        .iter()
        .map(|container| {
            json!({
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": false,
                "started": false,
                "restartCount": 0,
                "lastState": {},
                "state": { "waiting": { "reason": "ContainerCreating" } },
            })
        })
        .collect();
    pod["status"]["containerStatuses"] = json!(statuses);
    pod["status"]["hostIP"] = json!(host);
    pod["status"]["hostIPs"] = json!([{ "ip": host }]);
    pod["status"]["startTime"] = json!(object::time(now));
}

/// They run; those whose image never serves do so without an end.
pub(super) fn running(pod: &mut Value, address: &str, now: Timestamp) {
    let seed = hash(object::uid(pod));
    object::set_condition(pod, "PodReadyToStartContainers", &json!({ "status": "True" }), now);
    pod["status"]["phase"] = json!("Running");
    pod["status"]["podIP"] = json!(address);
    pod["status"]["podIPs"] = json!([{ "ip": address }]);
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        let digest: String = hash(object::text(status, "/image")).to_string();
        status["imageID"] = json!(format!("registry.example/images@sha256:{digest:0<64}"));
        status["containerID"] = json!(format!("containerd://{}", suffix(seed, 32)));
        status["started"] = json!(true);
        status["state"] = json!({ "running": { "startedAt": object::time(now) } });
    }
}

/// The images of these containers cannot be had.
pub(super) fn without_image(pod: &mut Value, reason: &str) {
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        let image = object::text(status, "/image").to_owned();
        if Nature::of(&image) == Nature::Broken {
            let refusal = refusal(&image);
            let message = match reason {
                "ImagePullBackOff" => format!("Back-off pulling image \"{image}\": ErrImagePull: {refusal}"),
                _ => refusal,
            };
            status["state"] = json!({ "waiting": { "reason": reason, "message": message } });
        }
    }
}

/// What a registry says of an image that it has not.
pub(super) fn refusal(image: &str) -> String {
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \
         \"{image}\": {image}: not found"
    )
}

/// The containers ran and fell over; they are started again after a pause.
pub(super) fn crashed(pod: &mut Value, pause: i64, now: Timestamp) {
    let who = format!("{}_{}({})", object::name(pod), object::namespace(pod), object::uid(pod));
    let mut named = Vec::new();
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        if Nature::of(object::text(status, "/image")) != Nature::Crashing {
            continue;
        }
        let name = object::text(status, "/name").to_owned();
        let message = format!("back-off {} restarting failed container={name} pod={who}", minutes(pause));
        let started = status["state"]["running"]["startedAt"].clone();
        status["lastState"] = json!({
            "terminated": {
                "exitCode": 1,
                "reason": "Error",
                "startedAt": started,
                "finishedAt": object::time(now),
                "containerID": status["containerID"],
            },
        });
        status["ready"] = json!(false);
        status["started"] = json!(false);
        status["state"] = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": message } });
        named.push(name);
    }
    unready(pod, &named, now);
}

/// As Go prints a duration.
fn minutes(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

/// They run again.
pub(super) fn restarted(pod: &mut Value, only: Option<Nature>, now: Timestamp) {
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        if only.is_some_and(|only| Nature::of(object::text(status, "/image")) != only) {
            continue;
        }
        let count = object::number(status, "/restartCount").unwrap_or(0) + 1;
        if status["state"]["running"].is_object() {
            // Cut short by the end of the machine: nobody knows how it ended.
            let started = status["state"]["running"]["startedAt"].clone();
            status["lastState"] = json!({
                "terminated": {
                    "exitCode": 255,
                    "reason": "Unknown",
                    "startedAt": started,
                    "finishedAt": object::time(now),
                    "containerID": status["containerID"],
                },
            });
        }
        let seed = hash(object::text(status, "/containerID")) ^ count.unsigned_abs();
        status["containerID"] = json!(format!("containerd://{}", suffix(seed, 32)));
        status["restartCount"] = json!(count);
        status["ready"] = json!(false);
        status["started"] = json!(true);
        status["state"] = json!({ "running": { "startedAt": object::time(now) } });
    }
}

/// Not ready, because of these containers.
pub(super) fn unready(pod: &mut Value, containers: &[String], now: Timestamp) {
    let fields = json!({
        "status": "False",
        "reason": "ContainersNotReady",
        "message": format!("containers with unready status: [{}]", containers.join(" ")),
    });
    object::set_condition(pod, "ContainersReady", &fields, now);
    object::set_condition(pod, "Ready", &fields, now);
}

pub(super) fn ready(pod: &mut Value, now: Timestamp) {
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        status["ready"] = json!(true);
    }
    let ready = json!({ "status": "True", "reason": null, "message": null });
    object::set_condition(pod, "ContainersReady", &ready, now);
    object::set_condition(pod, "Ready", &ready, now);
}

pub(super) fn stopped(pod: &mut Value, exit_code: i64, now: Timestamp) {
    let (phase, reason) = if exit_code == 0 { ("Succeeded", "Completed") } else { ("Failed", "Error") };
    let started = pod["status"]["startTime"].clone();
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        status["ready"] = json!(false);
        status["started"] = json!(false);
        status["state"] = json!({
            "terminated": {
                "exitCode": exit_code,
                "reason": reason,
                "startedAt": started,
                "finishedAt": object::time(now),
            },
        });
    }
    let why = if exit_code == 0 { "PodCompleted" } else { "PodFailed" };
    object::set_condition(pod, "Ready", &json!({ "status": "False", "reason": why }), now);
    object::set_condition(pod, "ContainersReady", &json!({ "status": "False", "reason": why }), now);
    pod["status"]["phase"] = json!(phase);
}

fn container_names(pod: &Value) -> String {
    let containers = object::items(pod, "/spec/containers").iter();
    containers.map(|container| object::text(container, "/name")).collect::<Vec<_>>().join(" ")
}
