//! Replica sets: as many pods as wanted, not counting those on their way out.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{from_template, is_active, is_finished, is_ready, suffix};
use super::rollout::{dispensable_first, replicas};
use super::{Controller, Stage};

const COMPONENT: &str = "replicaset-controller";

#[derive(Clone)]
pub(super) struct ReplicaSets;

impl Controller for ReplicaSets {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::ReplicaSets, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for set in stage.all(Resource::ReplicaSets) {
            let mut pods: Vec<Arc<Value>> = stage
                .store
                .list(Resource::Pods)
                .filter(|pod| object::is_controlled_by(pod, &set) && is_active(pod))
                .cloned()
                .collect();
            if !object::is_deleting(&set) {
                scale(stage, &set, &mut pods);
            }
            let ready = pods.iter().filter(|pod| is_ready(pod)).count();
            let leaving = stage
                .store
                .list(Resource::Pods)
                .filter(|pod| {
                    object::is_controlled_by(pod, &set) && object::is_deleting(pod) && !is_finished(pod)
                })
                .count();
            stage.change(Resource::ReplicaSets, &object::key(&set), |set| {
                set["status"]["replicas"] = json!(pods.len());
                set["status"]["fullyLabeledReplicas"] = json!(pods.len());
                set["status"]["readyReplicas"] = json!(ready);
                set["status"]["availableReplicas"] = json!(ready);
                set["status"]["terminatingReplicas"] = json!(leaving);
                set["status"]["observedGeneration"] = set["metadata"]["generation"].clone();
            });
        }
        None
    }
}

fn scale(stage: &mut Stage<'_>, set: &Value, pods: &mut Vec<Arc<Value>>) {
    let wanted = usize::try_from(replicas(set)).unwrap_or(0);
    for _ in pods.len()..wanted {
        let name = format!("{}-{}", object::name(set), suffix(stage.store.version(), 5));
        let pod = from_template(set, &name, stage.timers, stage.now);
        pods.push(stage.put(Resource::Pods, pod));
        let message = format!("Created pod: {name}");
        stage.say(set, &Note::normal(COMPONENT, "SuccessfulCreate", &message));
    }
    if pods.len() > wanted {
        dispensable_first(pods);
        for pod in pods.drain(..pods.len() - wanted) {
            deletion::delete(stage.store, Resource::Pods, &object::key(&pod), None, stage.now);
            let message = format!("Deleted pod: {}", object::name(&pod));
            stage.say(set, &Note::normal(COMPONENT, "SuccessfulDelete", &message));
        }
    }
}
