//! The kubelets, all of them: heartbeats, the status of their node, and their pods from bound to gone.
//!
//! A kubelet that is silent does nothing at all; what the API says of its pods stays what it last wrote.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::store::Key;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{hash, is_finished, suffix};
use super::volume::{are_bound, attachable_of_pod};
use super::{Controller, Stage, next_beat, node, sooner};

/// A quarter of the lease's duration.
const RENEWAL: i64 = 10;
/// `nodeStatusReportFrequency`: how old the heartbeat in a healthy node's status may be.
const REPORT: i64 = 300;
/// How long the volume manager waits for a pod's volumes before it complains, in milliseconds.
const MOUNT_PATIENCE: i64 = 123_000;
/// From the container's start to its first successful probe, in milliseconds.
const WARM_UP: i64 = 1_800;
/// From the order to stop to the end of the processes, in milliseconds.
const STOPPING: i64 = 1_500;

pub(super) struct Kubelets {
    origin: Timestamp,
    nodes: BTreeMap<String, Beats>,
    pods: BTreeMap<String, Progress>,
}

#[derive(Default)]
struct Beats {
    renewed: Option<Timestamp>,
    reported: Option<Timestamp>,
}

/// How far a kubelet has come with a pod.
#[derive(Clone, Copy)]
struct Progress {
    complains_at: Timestamp,
    /// When its containers will have started; known once its volumes are there.
    starts_at: Option<Timestamp>,
    ready_at: Option<Timestamp>,
    gone_at: Option<Timestamp>,
}

impl Kubelets {
    pub(super) fn new(origin: Timestamp) -> Self {
        Self { origin, nodes: BTreeMap::new(), pods: BTreeMap::new() }
    }

    /// Renews the lease and posts the status when their beats come; gives the next.
    fn beat(&mut self, stage: &mut Stage<'_>, node: &Value, position: i64) -> Option<Timestamp> {
        let name = object::name(node);
        let beats = self.nodes.entry(name.to_owned()).or_default();
        // Kubelets are not in step with each other.
        let renewal_origin = self.origin + stage.timers.seconds(3 * position);
        let report_origin = self.origin + stage.timers.seconds(37 * position);
        let renewal = stage.timers.seconds(RENEWAL);
        let report = stage.timers.seconds(REPORT);
        if beats.renewed.is_none_or(|last| next_beat(last + TICK, renewal_origin, renewal) <= stage.now) {
            beats.renewed = Some(stage.now);
            renew(stage, node);
        }
        let is_unknown = object::condition_is(node, "Ready", "Unknown");
        if is_unknown
            || beats.reported.is_none_or(|last| next_beat(last + TICK, report_origin, report) <= stage.now)
        {
            beats.reported = Some(stage.now);
            let now = stage.now;
            stage.change(Resource::Nodes, &object::key(node), |node| node::post_healthy(node, now));
        }
        sooner(
            Some(next_beat(stage.now + TICK, renewal_origin, renewal)),
            Some(next_beat(stage.now + TICK, report_origin, report)),
        )
    }

    /// Carries a pod one step further; gives when the next is due.
    fn tend(&mut self, stage: &mut Stage<'_>, pod: &Value) -> Option<Timestamp> {
        let now = stage.now;
        let uid = object::uid(pod).to_owned();
        let mut progress = *self.pods.entry(uid.clone()).or_insert_with(|| Progress {
            complains_at: now + stage.timers.millis(MOUNT_PATIENCE),
            starts_at: None,
            ready_at: None,
            gone_at: None,
        });
        let due = if object::is_deleting(pod) {
            stop(stage, pod, &mut progress)
        } else if object::text(pod, "/status/phase") == "Running" {
            keep_ready(stage, pod, &mut progress)
        } else {
            start(stage, pod, &mut progress)
        };
        self.pods.insert(uid, progress);
        due
    }
}

impl Controller for Kubelets {
    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for (node, position) in stage.all(Resource::Nodes).into_iter().zip(0..) {
            let name = object::name(&node);
            if stage.silent.contains(name) {
                continue;
            }
            due = sooner(due, self.beat(stage, &node, position));
            let pods = stage.pods_on(name);
            for pod in pods.iter().filter(|pod| !is_finished(pod)) {
                due = sooner(due, self.tend(stage, pod));
            }
            report_volumes(stage, name);
        }
        let pods: Vec<_> = stage.all(Resource::Pods);
        self.pods.retain(|uid, _| pods.iter().any(|pod| object::uid(pod) == uid));
        due
    }
}

/// The shortest time that can be told apart; beats are looked for after the last one.
const TICK: SignedDuration = SignedDuration::from_nanos(1);

fn renew(stage: &mut Stage<'_>, node: &Value) {
    let name = object::name(node);
    let key = Key::new("kube-node-lease", name);
    let renewed = object::micro_time(stage.now);
    if stage.store.get(Resource::Leases, &key).is_some() {
        stage.change(Resource::Leases, &key, |lease| lease["spec"]["renewTime"] = json!(renewed));
        return;
    }
    let mut owner = object::owner_reference(node);
    for field in ["controller", "blockOwnerDeletion"] {
        owner[field] = Value::Null;
    }
    object::merge(&mut owner, &json!({ "controller": null, "blockOwnerDeletion": null }));
    stage.put(
        Resource::Leases,
        json!({
            "metadata": { "namespace": "kube-node-lease", "name": name, "ownerReferences": [owner] },
            "spec": {
                "holderIdentity": name,
                "leaseDurationSeconds": stage.timers.whole_seconds(40),
                "renewTime": renewed,
            },
        }),
    );
}

fn start(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Option<Timestamp> {
    let (now, key) = (stage.now, object::key(pod));
    let node = object::text(pod, "/spec/nodeName");
    if object::items(pod, "/status/containerStatuses").is_empty() {
        let address = stage.get(Resource::Nodes, "", node).map(|node| node::address(&node));
        stage.change(Resource::Pods, &key, |pod| {
            post_creating(pod, address.as_deref().unwrap_or_default(), now)
        });
    }
    if !volumes_are_there(stage, pod) {
        if progress.complains_at <= now {
            progress.complains_at = now + stage.timers.millis(MOUNT_PATIENCE);
            complain(stage, pod);
        }
        return Some(progress.complains_at);
    }
    let pulling = i64::try_from(hash(object::uid(pod)) % 1_900).unwrap_or(0);
    let starts_at = *progress.starts_at.get_or_insert(now + stage.timers.millis(1_100 + pulling));
    if starts_at > now {
        return Some(starts_at);
    }
    for container in object::items(pod, "/spec/containers") {
        let (name, image) = (object::text(container, "/name"), object::text(container, "/image"));
        let pulled =
            format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
        stage.say(pod, &Note::normal("kubelet", "Pulled", &pulled).on(node));
        stage.say(pod, &Note::normal("kubelet", "Created", &format!("Created container: {name}")).on(node));
        stage.say(pod, &Note::normal("kubelet", "Started", &format!("Started container {name}")).on(node));
    }
    stage.change(Resource::Pods, &key, |pod| post_running(pod, now));
    let ready_at = now + stage.timers.millis(WARM_UP);
    progress.ready_at = Some(ready_at);
    Some(ready_at)
}

/// A running pod is ready once it has warmed up, and again when its kubelet is back.
fn keep_ready(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Option<Timestamp> {
    let ready_at = progress.ready_at.filter(|ready_at| *ready_at > stage.now);
    if ready_at.is_none() && !object::condition_is(pod, "Ready", "True") {
        let now = stage.now;
        stage.change(Resource::Pods, &object::key(pod), |pod| post_ready(pod, now));
    }
    ready_at
}

fn stop(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Option<Timestamp> {
    let (now, key) = (stage.now, object::key(pod));
    let node = object::text(pod, "/spec/nodeName");
    if progress.gone_at.is_none() {
        for container in object::items(pod, "/spec/containers") {
            let message = format!("Stopping container {}", object::text(container, "/name"));
            stage.say(pod, &Note::normal("kubelet", "Killing", &message).on(node));
        }
    }
    let gone_at = *progress.gone_at.get_or_insert(now + stage.timers.millis(STOPPING));
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
    stage.change(Resource::Nodes, &Key::new("", node), |node| {
        let known = object::items(node, "/status/volumesInUse");
        if known.len() != volumes.len() || known.iter().zip(&volumes).any(|(known, volume)| known != volume) {
            object::merge(&mut node["status"], &json!({ "volumesInUse": null }));
            if !volumes.is_empty() {
                node["status"]["volumesInUse"] = json!(volumes);
            }
        }
    });
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

fn post_running(pod: &mut Value, now: Timestamp) {
    let seed = hash(object::uid(pod));
    object::set_condition(pod, "PodReadyToStartContainers", &json!({ "status": "True" }), now);
    let address = if pod["spec"]["hostNetwork"] == true {
        object::text(pod, "/status/hostIP").to_owned()
    } else {
        let node = hash(object::text(pod, "/spec/nodeName")) % 200;
        format!("10.244.{node}.{}", 2 + seed % 250)
    };
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
