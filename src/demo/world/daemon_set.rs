//! Daemon sets: one pod on every node that lets it, for as long as the node is there.
//!
//! The pods tolerate every taint of a node in trouble without a limit, so they are never evicted.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::pod::{from_template, hash, is_ready, suffix};
use super::toleration::obstacle;
use super::{Controller, Stage};

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
            let mut count = Count::default();
            for node in stage.all(Resource::Nodes) {
                let taints = object::items(&node, "/spec/taints");
                let pods = stage.pods_on(object::name(&node));
                let present = pods.iter().find(|pod| object::is_controlled_by(pod, &set));
                if let Some(pod) = present {
                    // It stays under a taint that would keep it from being placed there anew.
                    match obstacle(pod, taints) {
                        None => count.wanted += 1,
                        Some(_) => count.misplaced += 1,
                    }
                    continue;
                }
                let pod = pod_for(stage, &set, object::name(&node));
                if obstacle(&pod, taints).is_none() {
                    count.wanted += 1;
                    let pod = stage.put(Resource::Pods, pod);
                    let message = format!("Created pod: {}", object::name(&pod));
                    stage.say(&set, &Note::normal("daemonset-controller", "SuccessfulCreate", &message));
                }
            }
            sum_up(stage, &set, &count);
        }
        None
    }
}

fn pod_for(stage: &Stage<'_>, set: &Value, node: &str) -> Value {
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

fn sum_up(stage: &mut Stage<'_>, set: &Value, count: &Count) {
    let pods = stage.store.list(Resource::Pods).filter(|pod| object::is_controlled_by(pod, set));
    let ready = pods.filter(|pod| is_ready(pod)).count().min(count.wanted);
    stage.change(Resource::DaemonSets, &object::key(set), |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = &mut set["status"];
        status["desiredNumberScheduled"] = json!(count.wanted);
        status["currentNumberScheduled"] = json!(count.wanted);
        status["updatedNumberScheduled"] = json!(count.wanted);
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
