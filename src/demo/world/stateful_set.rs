//! Stateful sets: numbered pods with a claim each, and never two of one number.
//!
//! A pod that is still there, even Terminating, keeps its name: its replacement waits until it is gone.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::pod::{from_template, hash, is_ready, suffix};
use super::{Controller, Stage};

const COMPONENT: &str = "statefulset-controller";

pub(super) struct StatefulSets;

impl Controller for StatefulSets {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::StatefulSets, Resource::Pods, Resource::PersistentVolumeClaims]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for set in stage.all(Resource::StatefulSets) {
            let replicas = object::number(&set, "/spec/replicas").unwrap_or(1);
            let is_ordered = object::text(&set, "/spec/podManagementPolicy") != "Parallel";
            for ordinal in 0..replicas {
                let name = format!("{}-{ordinal}", object::name(&set));
                let present = stage.get(Resource::Pods, object::namespace(&set), &name);
                if present.is_none() {
                    create(stage, &set, &name, ordinal);
                }
                let is_settled = present.is_some_and(|pod| is_ready(&pod) && !object::is_deleting(&pod));
                if is_ordered && !is_settled {
                    break;
                }
            }
            sum_up(stage, &set);
        }
        None
    }
}

fn revision(set: &Value) -> String {
    format!("{}-{}", object::name(set), suffix(hash(&set["spec"]["template"].to_string()), 9))
}

fn create(stage: &mut Stage<'_>, set: &Value, name: &str, ordinal: i64) {
    let mut pod = from_template(set, name, stage.timers, stage.now);
    let mut volumes = object::items(&pod, "/spec/volumes").to_vec();
    for template in object::items(set, "/spec/volumeClaimTemplates") {
        let volume = object::name(template);
        let claim = format!("{volume}-{name}");
        claim_volume(stage, set, template, &claim, name);
        volumes.push(json!({ "name": volume, "persistentVolumeClaim": { "claimName": claim } }));
    }
    pod["spec"]["volumes"] = json!(volumes);
    pod["spec"]["hostname"] = json!(name);
    pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    let labels = &mut pod["metadata"]["labels"];
    labels["apps.kubernetes.io/pod-index"] = json!(ordinal.to_string());
    labels["controller-revision-hash"] = json!(revision(set));
    labels["statefulset.kubernetes.io/pod-name"] = json!(name);
    stage.put(Resource::Pods, pod);
    let message = format!("Create Pod {name} in StatefulSet {} successful", object::name(set));
    stage.say(set, &Note::normal(COMPONENT, "SuccessfulCreate", &message));
}

fn claim_volume(stage: &mut Stage<'_>, set: &Value, template: &Value, claim: &str, pod: &str) {
    let namespace = object::namespace(set);
    if stage.get(Resource::PersistentVolumeClaims, namespace, claim).is_some() {
        return;
    }
    stage.put(
        Resource::PersistentVolumeClaims,
        json!({
            "metadata": {
                "namespace": namespace,
                "name": claim,
                "labels": set["spec"]["selector"]["matchLabels"],
                "finalizers": ["kubernetes.io/pvc-protection"],
            },
            "spec": template["spec"],
            "status": { "phase": "Pending" },
        }),
    );
    let message = format!("Create Claim {claim} Pod {pod} in StatefulSet {} success", object::name(set));
    stage.say(set, &Note::normal(COMPONENT, "SuccessfulCreate", &message));
}

fn sum_up(stage: &mut Stage<'_>, set: &Value) {
    let pods: Vec<Arc<Value>> =
        stage.store.list(Resource::Pods).filter(|pod| object::is_controlled_by(pod, set)).cloned().collect();
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let current = pods.iter().filter(|pod| !object::is_deleting(pod)).count();
    let revision = revision(set);
    stage.change(Resource::StatefulSets, &object::key(set), |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = &mut set["status"];
        status["replicas"] = json!(pods.len());
        status["readyReplicas"] = json!(ready);
        status["availableReplicas"] = json!(ready);
        status["currentReplicas"] = json!(current);
        status["updatedReplicas"] = json!(current);
        status["currentRevision"] = json!(revision);
        status["updateRevision"] = json!(revision);
        status["collisionCount"] = json!(0);
        status["observedGeneration"] = generation;
    });
}
