//! Replica sets: as many pods as wanted, not counting those on their way out.

use jiff::Timestamp;
use serde_json::json;

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::pod::{from_template, is_active, is_ready, suffix};
use super::{Controller, Stage};

pub(super) struct ReplicaSets;

impl Controller for ReplicaSets {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::ReplicaSets, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for set in stage.all(Resource::ReplicaSets) {
            let mut pods: Vec<_> = stage
                .store
                .list(Resource::Pods)
                .filter(|pod| object::is_controlled_by(pod, &set) && is_active(pod))
                .cloned()
                .collect();
            let wanted = usize::try_from(object::number(&set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
            for _ in pods.len()..wanted {
                let name = format!("{}-{}", object::name(&set), suffix(stage.store.version(), 5));
                let pod = from_template(&set, &name, stage.timers, stage.now);
                pods.push(stage.put(Resource::Pods, pod));
                let message = format!("Created pod: {name}");
                stage.say(&set, &Note::normal("replicaset-controller", "SuccessfulCreate", &message));
            }
            let ready = pods.iter().filter(|pod| is_ready(pod)).count();
            stage.change(Resource::ReplicaSets, &object::key(&set), |set| {
                set["status"]["replicas"] = json!(pods.len());
                set["status"]["fullyLabeledReplicas"] = json!(pods.len());
                set["status"]["readyReplicas"] = json!(ready);
                set["status"]["availableReplicas"] = json!(ready);
                set["status"]["observedGeneration"] = set["metadata"]["generation"].clone();
            });
        }
        None
    }
}
