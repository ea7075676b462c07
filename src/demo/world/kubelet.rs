//! The kubelets' work on pods, from bound to gone, and the volumes that this takes.
//!
//! A kubelet that is silent does nothing at all; what the API says of its pods stays what it last wrote. That it
//! lives at all it says in `heartbeat`. What goes wrong with containers is in `ailing`, what is written in `post`.

mod ailing;
mod nature;
mod post;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::store::Key;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{hash, is_finished};
use super::volume::{are_bound, attachable_of_pod};
use super::{Controller, Stage, node, sooner};
use nature::Nature;

/// How long the volume manager waits for a pod's volumes before it complains, in milliseconds.
const MOUNT_PATIENCE: i64 = 123_000;
/// From the container's start to its first successful probe, in milliseconds.
const WARM_UP: i64 = 1_800;
/// From the order to stop to the end of the processes, in milliseconds.
const STOPPING: i64 = 1_500;

#[derive(Clone, Default)]
pub(super) struct Kubelets {
    pods: BTreeMap<String, Progress>,
    /// What is mounted on each machine, and since which boot of it.
    mounts: BTreeMap<String, (u32, BTreeSet<String>)>,
}

/// How far a kubelet has come with a pod.
#[derive(Clone, Copy)]
struct Progress {
    /// When it complains of volumes that are not there.
    complaint: Timestamp,
    /// When its containers will have started; known once its volumes are there.
    start: Option<Timestamp>,
    /// When they will answer their probes; for those that never do, when that is said again.
    warm: Option<Timestamp>,
    /// When a container that ends by itself, or that is waited with, is next dealt with.
    turn: Option<Timestamp>,
    /// How often it has failed: the pauses double.
    failures: u32,
    /// When the processes of a pod that was told to stop will have ended.
    end: Option<Timestamp>,
    /// The boot of the machine on which the containers were started.
    boots: u32,
}

impl Kubelets {
    /// Carries a pod one step further; gives when the next is due.
    fn tend(&mut self, stage: &mut Stage<'_>, pod: &Value) -> Option<Timestamp> {
        let now = stage.now;
        let uid = object::uid(pod).to_owned();
        let boots = stage.machines.boots(object::text(pod, "/spec/nodeName"));
        let mut progress = *self.pods.entry(uid.clone()).or_insert_with(|| Progress {
            complaint: now + stage.timers.millis(MOUNT_PATIENCE),
            start: None,
            warm: None,
            turn: None,
            failures: 0,
            end: None,
            boots,
        });
        let is_running = object::text(pod, "/status/phase") == "Running";
        let has_booted = std::mem::replace(&mut progress.boots, boots) != boots;
        let due = if object::is_deleting(pod) {
            stop(stage, pod, &mut progress)
        } else if is_running && has_booted {
            Some(start_again(stage, pod, &mut progress))
        } else if is_running {
            keep(stage, pod, &mut progress)
        } else {
            Some(start(stage, pod, &mut progress))
        };
        self.pods.insert(uid, progress);
        due
    }

    /// Volumes are in use from when the kubelet has decided to mount them, and as long as they are mounted: where
    /// the runtime hangs, that is for ever.
    fn report_volumes(&mut self, stage: &mut Stage<'_>, node: &str) {
        let mut volumes: BTreeSet<String> = stage
            .pods_on(node)
            .iter()
            .filter(|pod| !is_finished(pod))
            .flat_map(|pod| attachable_of_pod(stage.store, pod))
            .map(|volume| volume.unique_name())
            .collect();
        let boots = stage.machines.boots(node);
        let known = self.mounts.remove(node).filter(|(boot, _)| *boot == boots && stage.machines.hangs(node));
        volumes.extend(known.into_iter().flat_map(|(_, mounted)| mounted));
        self.mounts.insert(node.to_owned(), (boots, volumes.clone()));
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
        // A kubelet goes on with its pods where its Node was deleted.
        let pods = stage.store.list(Resource::Pods).map(|pod| object::text(pod, "/spec/nodeName"));
        let nodes = stage.store.list(Resource::Nodes).map(|node| object::name(node));
        let names: BTreeSet<String> =
            pods.chain(nodes).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        for name in names.iter().filter(|name| stage.machines.speaks(name)) {
            let pods = stage.pods_on(name);
            for pod in pods.iter().filter(|pod| !is_finished(pod)) {
                due = sooner(due, self.tend(stage, pod));
            }
            self.report_volumes(stage, name);
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
        stage.change(Resource::Pods, &key, |pod| post::creating(pod, &address, now));
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
    if Nature::of_pod(pod) == Nature::Broken {
        return ailing::pull_in_vain(stage, pod, progress);
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
    stage.change(Resource::Pods, &key, |pod| post::running(pod, &address, now));
    warm_up(stage, progress)
}

/// The containers have just been started.
fn warm_up(stage: &Stage<'_>, progress: &mut Progress) -> Timestamp {
    let ready_at = stage.now + stage.timers.millis(WARM_UP);
    progress.warm = Some(ready_at);
    progress.turn = None;
    ready_at
}

/// The machine has booted: what ran there runs anew.
fn start_again(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Timestamp {
    let now = stage.now;
    let node = object::text(pod, "/spec/nodeName");
    let message = "Pod sandbox changed, it will be killed and re-created.";
    stage.say(pod, &Note::normal("kubelet", "SandboxChanged", message).on(node));
    let names: Vec<String> = object::items(pod, "/spec/containers")
        .iter()
        .map(|container| object::text(container, "/name").to_owned())
        .collect();
    stage.change(Resource::Pods, &object::key(pod), |pod| {
        post::restarted(pod, None, now);
        post::unready(pod, &names, now);
    });
    warm_up(stage, progress)
}

/// A running pod is ready once it has warmed up, and again when its kubelet is back; some never are.
fn keep(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Option<Timestamp> {
    match Nature::of_pod(pod) {
        Nature::Crashing => return Some(ailing::crash(stage, pod, progress)),
        Nature::Unready => return Some(ailing::fail_probe(stage, pod, progress)),
        Nature::Brief => return Some(ailing::be_done(stage, pod, progress)),
        // A broken one does not come to run.
        Nature::Sound | Nature::Slow | Nature::Broken => {}
    }
    let ready_at = progress.warm.filter(|ready_at| *ready_at > stage.now);
    if ready_at.is_none() && !object::condition_is(pod, "Ready", "True") {
        let now = stage.now;
        stage.change(Resource::Pods, &object::key(pod), |pod| post::ready(pod, now));
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
    let deadline = object::time_at(pod, "/metadata/deletionTimestamp").unwrap_or(now);
    let is_slow = Nature::of_pod(pod) == Nature::Slow;
    let gone_at = match progress.end {
        // A grace that was shortened counts for who has begun to wait.
        Some(end) => end.min(deadline.max(now)),
        None if is_slow => deadline.max(now),
        None => (now + stage.timers.millis(STOPPING)).min(deadline.max(now)),
    };
    progress.end = Some(gone_at);
    if gone_at > now {
        return Some(gone_at);
    }
    if stage.machines.hangs(node) {
        return Some(ailing::fail_to_kill(stage, pod, progress, deadline));
    }
    let exit_code = if is_slow { 137 } else { 0 };
    stage.change(Resource::Pods, &key, |pod| post::stopped(pod, exit_code, now));
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
