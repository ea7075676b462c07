//! The kubelets' work on pods, from bound to gone, and the volumes that this takes.
//!
//! A kubelet that is silent does nothing at all; what the API says of its pods stays what it last wrote. That it
//! lives at all it says in `heartbeat`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::store::Key;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{hash, is_finished, suffix};
use super::volume::{are_bound, attachable_of_pod};
use super::{Controller, Stage, node, sooner};

/// How long the volume manager waits for a pod's volumes before it complains, in milliseconds.
const MOUNT_PATIENCE: i64 = 123_000;
/// From the container's start to its first successful probe, in milliseconds.
const WARM_UP: i64 = 1_800;
/// From the order to stop to the end of the processes, in milliseconds.
const STOPPING: i64 = 1_500;

#[derive(Default)]
pub(super) struct Kubelets {
    pods: BTreeMap<String, Progress>,
}

/// How far a kubelet has come with a pod.
#[derive(Clone, Copy)]
struct Progress {
    /// When it complains of volumes that are not there.
    complaint: Timestamp,
    /// When its containers will have started; known once its volumes are there.
    start: Option<Timestamp>,
    /// When they will answer their probes.
    warm: Option<Timestamp>,
    /// When the processes of a pod that was told to stop will have ended.
    end: Option<Timestamp>,
}

impl Kubelets {
    /// Carries a pod one step further; gives when the next is due.
    fn tend(&mut self, stage: &mut Stage<'_>, pod: &Value) -> Option<Timestamp> {
        let now = stage.now;
        let uid = object::uid(pod).to_owned();
        let mut progress = *self.pods.entry(uid.clone()).or_insert_with(|| Progress {
            complaint: now + stage.timers.millis(MOUNT_PATIENCE),
            start: None,
            warm: None,
            end: None,
        });
        let due = if object::is_deleting(pod) {
            stop(stage, pod, &mut progress)
        } else if object::text(pod, "/status/phase") == "Running" {
            keep_ready(stage, pod, &mut progress)
        } else {
            Some(start(stage, pod, &mut progress))
        };
        self.pods.insert(uid, progress);
        due
    }
}

impl Controller for Kubelets {
    fn watches(&self) -> &'static [Resource] {
        &[
            Resource::Nodes,
            Resource::Pods,
            Resource::PersistentVolumes,
            Resource::PersistentVolumeClaims,
            Resource::CsiDrivers,
        ]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for node in stage.all(Resource::Nodes) {
            let name = object::name(&node);
            if stage.silent.contains(name) {
                continue;
            }
            let pods = stage.pods_on(name);
            for pod in pods.iter().filter(|pod| !is_finished(pod)) {
                due = sooner(due, self.tend(stage, pod));
            }
            report_volumes(stage, name);
        }
        let present: BTreeSet<&str> = stage.store.list(Resource::Pods).map(|pod| object::uid(pod)).collect();
        self.pods.retain(|uid, _| present.contains(uid.as_str()));
        due
    }
}

fn start(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Timestamp {
    let (now, key) = (stage.now, object::key(pod));
    let node = object::text(pod, "/spec/nodeName");
    if object::items(pod, "/status/containerStatuses").is_empty() {
        let address = stage.get(Resource::Nodes, "", node).map(|node| node::address(&node));
        let address = address.unwrap_or_default();
        stage.change(Resource::Pods, &key, |pod| post_creating(pod, &address, now));
    }
    if !volumes_are_there(stage, pod) {
        if progress.complaint <= now {
            progress.complaint = now + stage.timers.millis(MOUNT_PATIENCE);
            complain(stage, pod);
        }
        return progress.complaint;
    }
    let pulling = i64::try_from(hash(object::uid(pod)) % 1_900).unwrap_or(0);
    let starts_at = *progress.start.get_or_insert(now + stage.timers.millis(1_100 + pulling));
    if starts_at > now {
        return starts_at;
    }
    for container in object::items(pod, "/spec/containers") {
        let (name, image) = (object::text(container, "/name"), object::text(container, "/image"));
        let pulled =
            format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
        stage.say(pod, &Note::normal("kubelet", "Pulled", &pulled).on(node));
        stage.say(pod, &Note::normal("kubelet", "Created", &format!("Created container: {name}")).on(node));
        stage.say(pod, &Note::normal("kubelet", "Started", &format!("Started container {name}")).on(node));
    }
    let address = free_address(stage, pod);
    stage.change(Resource::Pods, &key, |pod| post_running(pod, &address, now));
    let ready_at = now + stage.timers.millis(WARM_UP);
    progress.warm = Some(ready_at);
    ready_at
}

/// A running pod is ready once it has warmed up, and again when its kubelet is back.
fn keep_ready(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Option<Timestamp> {
    let ready_at = progress.warm.filter(|ready_at| *ready_at > stage.now);
    if ready_at.is_none() && !object::condition_is(pod, "Ready", "True") {
        let now = stage.now;
        stage.change(Resource::Pods, &object::key(pod), |pod| post_ready(pod, now));
    }
    ready_at
}

fn stop(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Option<Timestamp> {
    let (now, key) = (stage.now, object::key(pod));
    let node = object::text(pod, "/spec/nodeName");
    if progress.end.is_none() {
        for container in object::items(pod, "/spec/containers") {
            let message = format!("Stopping container {}", object::text(container, "/name"));
            stage.say(pod, &Note::normal("kubelet", "Killing", &message).on(node));
        }
    }
    let gone_at = *progress.end.get_or_insert(now + stage.timers.millis(STOPPING));
    if gone_at > now {
        return Some(gone_at);
    }
    stage.change(Resource::Pods, &key, |pod| post_stopped(pod, now));
    deletion::delete(stage.store, Resource::Pods, &key, Some(0), now);
    None
}

fn volumes_are_there(stage: &Stage<'_>, pod: &Value) -> bool {
    let node = stage.get(Resource::Nodes, "", object::text(pod, "/spec/nodeName"));
    let attached = node.as_deref().map_or(&[][..], |node| object::items(node, "/status/volumesAttached"));
    are_bound(stage.store, pod)
        && attachable_of_pod(stage.store, pod)
            .iter()
            .all(|volume| attached.iter().any(|known| known["name"] == volume.unique_name()))
}

fn complain(stage: &mut Stage<'_>, pod: &Value) {
    let claimed: Vec<&str> = object::items(pod, "/spec/volumes")
        .iter()
        .filter(|volume| volume["persistentVolumeClaim"].is_object())
        .map(|volume| object::text(volume, "/name"))
        .collect();
    let message = format!(
        "Unable to attach or mount volumes: unmounted volumes=[{}], unattached volumes=[], failed to process \
         volumes=[]: timed out waiting for the condition",
        claimed.join(" ")
    );
    stage
        .say(pod, &Note::warning("kubelet", "FailedMount", &message).on(object::text(pod, "/spec/nodeName")));
}

/// Volumes are in use from when the kubelet has decided to mount them.
fn report_volumes(stage: &mut Stage<'_>, node: &str) {
    let mut volumes: Vec<String> = stage
        .pods_on(node)
        .iter()
        .filter(|pod| !is_finished(pod))
        .flat_map(|pod| attachable_of_pod(stage.store, pod))
        .map(|volume| volume.unique_name())
        .collect();
    volumes.sort();
    volumes.dedup();
    let key = Key::new("", node);
    let Some(node) = stage.store.get(Resource::Nodes, &key) else {
        return;
    };
    let known = object::items(&node, "/status/volumesInUse");
    if known.iter().filter_map(Value::as_str).eq(volumes.iter().map(String::as_str)) {
        return;
    }
    stage.change(Resource::Nodes, &key, |node| {
        object::merge(&mut node["status"], &json!({ "volumesInUse": null }));
        if !volumes.is_empty() {
            node["status"]["volumesInUse"] = json!(volumes);
        }
    });
}

/// The first address of the node's range that no pod there has; the node's own for pods on its network.
fn free_address(stage: &Stage<'_>, pod: &Value) -> String {
    let name = object::text(pod, "/spec/nodeName");
    if pod["spec"]["hostNetwork"] == true {
        return object::text(pod, "/status/hostIP").to_owned();
    }
    let node = stage.get(Resource::Nodes, "", name);
    let range = node.as_deref().map_or("", |node| object::text(node, "/spec/podCIDR"));
    let prefix = range.strip_suffix("0/24").unwrap_or("10.244.255.");
    let pods = stage.pods_on(name);
    let is_taken = |address: &String| pods.iter().any(|pod| object::text(pod, "/status/podIP") == address);
    let mut addresses = (2..=254).map(|host| format!("{prefix}{host}"));
    addresses.find(|address| !is_taken(address)).unwrap_or_default()
}

fn post_creating(pod: &mut Value, host: &str, now: Timestamp) {
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

fn post_running(pod: &mut Value, address: &str, now: Timestamp) {
    let seed = hash(object::uid(pod));
    object::set_condition(pod, "PodReadyToStartContainers", &json!({ "status": "True" }), now);
    pod["status"]["phase"] = json!("Running");
    pod["status"]["podIP"] = json!(address);
    pod["status"]["podIPs"] = json!([{ "ip": address }]);
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        let digest: String = hash(object::text(status, "/image")).to_string();
        status["imageID"] = json!(format!("registry.example/images@sha256:{digest:0>64}"));
        status["containerID"] = json!(format!("containerd://{}", suffix(seed, 32)));
        status["started"] = json!(true);
        status["state"] = json!({ "running": { "startedAt": object::time(now) } });
    }
}

fn post_ready(pod: &mut Value, now: Timestamp) {
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        status["ready"] = json!(true);
    }
    let ready = json!({ "status": "True", "reason": null, "message": null });
    object::set_condition(pod, "ContainersReady", &ready, now);
    object::set_condition(pod, "Ready", &ready, now);
}

fn post_stopped(pod: &mut Value, now: Timestamp) {
    let started = pod["status"]["startTime"].clone();
    for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
        status["ready"] = json!(false);
        status["started"] = json!(false);
        status["state"] = json!({
            "terminated": {
                "exitCode": 0,
                "reason": "Completed",
                "startedAt": started,
                "finishedAt": object::time(now),
            },
        });
    }
    object::set_condition(pod, "Ready", &json!({ "status": "False", "reason": "PodCompleted" }), now);
    object::set_condition(
        pod,
        "ContainersReady",
        &json!({ "status": "False", "reason": "PodCompleted" }),
        now,
    );
    pod["status"]["phase"] = json!("Succeeded");
}

fn container_names(pod: &Value) -> String {
    let containers = object::items(pod, "/spec/containers").iter();
    containers.map(|container| object::text(container, "/name")).collect::<Vec<_>>().join(" ")
}
