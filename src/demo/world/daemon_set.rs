//! Daemon sets: one pod on every node that lets it, for as long as the node is there.
//!
//! The pods tolerate the taints of a node in trouble without a limit, so they are not evicted; out-of-service is none
//! of those. An update takes away as many at a time as may be missing.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::controller_revision::mark;
use super::event::Note;
use super::pod::{from_template, hash, is_finished, is_ready, suffix};
use super::rollout::{REVISION_HASH, Round, share};
use super::toleration::{Stay, obstacle, stay};
use super::{Controller, Stage, controller_revision};

const COMPONENT: &str = "daemonset-controller";

#[derive(Clone)]
pub(super) struct DaemonSets;

/// How many pods of a set there should be, and how many are where none would be put today.
#[derive(Default)]
struct Count {
    wanted: usize,
    misplaced: usize,
}

impl Controller for DaemonSets {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::DaemonSets, Resource::Pods, Resource::Nodes]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for set in stage.all(Resource::DaemonSets) {
            if object::is_deleting(&set) {
                continue;
            }
            let revision = controller_revision::current(stage, &set);
            let daemons =
                Daemons { pod: pod_for(stage, &set, "", &revision), set: &set, revision: &revision };
            let mut count = Count::default();
            for node in stage.all(Resource::Nodes) {
                daemons.place(stage, &node, &mut count);
            }
            replace_outdated(stage, &set, &revision, &count);
            sum_up(stage, &set, &revision, &count);
            controller_revision::forget_old(stage, &set, &[object::name(&revision)]);
        }
        None
    }
}

/// A set, and what its pods are today.
struct Daemons<'a> {
    set: &'a Value,
    revision: &'a Value,
    /// One that is on no node.
    pod: Value,
}

impl Daemons<'_> {
    /// One node: a pod where one belongs, none where it does not, and a new one for one that failed.
    fn place(&self, stage: &mut Stage<'_>, node: &Value, count: &mut Count) {
        let set = self.set;
        let taints = object::items(node, "/spec/taints");
        let is_wanted_here = obstacle(&self.pod, taints).is_none() && is_selected(&self.pod, node);
        if is_wanted_here {
            count.wanted += 1;
        }
        let pods = stage.pods_on(object::name(node));
        let Some(present) = pods.iter().find(|pod| object::is_controlled_by(pod, set)) else {
            if is_wanted_here {
                let pod = pod_for(stage, set, object::name(node), self.revision);
                let pod = stage.put(Resource::Pods, pod);
                let message = format!("Created pod: {}", object::name(&pod));
                stage.say(set, &Note::normal(COMPONENT, "SuccessfulCreate", &message));
            }
            return;
        };
        if !is_wanted_here {
            // It stays under a taint that would keep it from being placed there anew, unless that drives it out.
            count.misplaced += 1;
            let is_driven_out =
                !is_selected(present, node) || stay(present, taints) == Some(Stay::Seconds(0));
            if is_driven_out && !object::is_deleting(present) {
                remove(stage, set, present);
            }
            return;
        }
        if is_finished(present) && !object::is_deleting(present) {
            let message = format!(
                "Found failed daemon pod {}/{} on node {}, will try to kill it",
                object::namespace(present),
                object::name(present),
                object::name(node)
            );
            stage.say(set, &Note::warning(COMPONENT, "FailedDaemonPod", &message));
            remove(stage, set, present);
        }
    }
}

/// Takes away pods of an old revision: those that do not work at once, and others while enough of the set does.
fn replace_outdated(stage: &mut Stage<'_>, set: &Value, revision: &Value, count: &Count) {
    let strategy = &set["spec"]["updateStrategy"];
    if strategy["type"] == "OnDelete" {
        return;
    }
    let wanted = i64::try_from(count.wanted).unwrap_or(i64::MAX);
    let most = share(&strategy["rollingUpdate"]["maxUnavailable"], wanted, Round::Up).unwrap_or(1).max(1);
    let pods: Vec<Arc<Value>> = own_pods(stage, set);
    let working = pods.iter().filter(|pod| is_ready(pod) && !object::is_deleting(pod)).count();
    let mut free = most - (wanted - i64::try_from(working).unwrap_or(0));
    let outdated = pods.iter().filter(|pod| !object::is_deleting(pod) && mark_of(pod) != mark(revision));
    let (working, broken): (Vec<_>, Vec<_>) = outdated.partition(|pod| is_ready(pod));
    for pod in broken {
        remove(stage, set, pod);
    }
    for pod in working {
        if free <= 0 {
            return;
        }
        free -= 1;
        remove(stage, set, pod);
    }
}

fn own_pods(stage: &Stage<'_>, set: &Value) -> Vec<Arc<Value>> {
    stage.store.list(Resource::Pods).filter(|pod| object::is_controlled_by(pod, set)).cloned().collect()
}

fn mark_of(pod: &Value) -> &str {
    object::text(pod, "/metadata/labels/controller-revision-hash")
}

fn is_selected(pod: &Value, node: &Value) -> bool {
    let wanted = pod["spec"]["nodeSelector"].as_object();
    wanted.into_iter().flatten().all(|(key, value)| node["metadata"]["labels"][key] == *value)
}

fn remove(stage: &mut Stage<'_>, set: &Value, pod: &Value) {
    deletion::delete(stage.store, Resource::Pods, &object::key(pod), None, stage.now);
    let message = format!("Deleted pod: {}", object::name(pod));
    stage.say(set, &Note::normal(COMPONENT, "SuccessfulDelete", &message));
}

fn pod_for(stage: &Stage<'_>, set: &Value, node: &str, revision: &Value) -> Value {
    let name = format!("{}-{}", object::name(set), suffix(stage.store.version() ^ hash(node), 5));
    let mut pod = from_template(set, &name, stage.timers, stage.now);
    let mut tolerations: Vec<Value> = object::items(&set["spec"]["template"], "/spec/tolerations").to_vec();
    let taints = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    tolerations.extend(taints.map(|(key, effect)| {
        json!({ "key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": effect })
    }));
    pod["spec"]["tolerations"] = json!(tolerations);
    pod["metadata"]["labels"][REVISION_HASH] = json!(mark(revision));
    pod["spec"]["nodeName"] = json!(node);
    pod["spec"]["affinity"] = json!({
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] },
                ],
            },
        },
    });
    pod
}

fn sum_up(stage: &mut Stage<'_>, set: &Value, revision: &Value, count: &Count) {
    let pods = own_pods(stage, set);
    let ready = pods.iter().filter(|pod| is_ready(pod)).count().min(count.wanted);
    let updated = pods.iter().filter(|pod| mark_of(pod) == mark(revision)).count().min(count.wanted);
    stage.change(Resource::DaemonSets, &object::key(set), |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = &mut set["status"];
        status["desiredNumberScheduled"] = json!(count.wanted);
        status["currentNumberScheduled"] = json!(pods.len().min(count.wanted));
        status["updatedNumberScheduled"] = json!(updated);
        status["numberReady"] = json!(ready);
        status["numberAvailable"] = json!(ready);
        status["numberMisscheduled"] = json!(count.misplaced);
        status["observedGeneration"] = generation;
        object::merge(status, &json!({ "numberUnavailable": null }));
        if ready < count.wanted {
            status["numberUnavailable"] = json!(count.wanted - ready);
        }
    });
}
