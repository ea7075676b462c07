//! Deployments: one replica set per template, and the status that sums it up.
//!
//! The first template only: rollouts are not played.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::pod::{hash, suffix};
use super::{Controller, Stage};

pub(super) struct Deployments;

impl Controller for Deployments {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Deployments, Resource::ReplicaSets]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for deployment in stage.all(Resource::Deployments) {
            let owned = stage
                .store
                .list(Resource::ReplicaSets)
                .find(|set| object::is_controlled_by(set, &deployment))
                .cloned();
            match owned {
                None => create_set(stage, &deployment),
                Some(set) => sum_up(stage, &deployment, &set),
            }
        }
        None
    }
}

fn create_set(stage: &mut Stage<'_>, deployment: &Value) {
    let name = object::name(deployment);
    let replicas = object::number(deployment, "/spec/replicas").unwrap_or(1);
    let template_hash = suffix(hash(&deployment["spec"]["template"].to_string()), 10);
    let set_name = format!("{name}-{template_hash}");
    let mut labels = deployment["spec"]["template"]["metadata"]["labels"].clone();
    labels["pod-template-hash"] = json!(template_hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = json!(template_hash);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"] = labels.clone();
    stage.put(
        Resource::ReplicaSets,
        json!({
            "metadata": {
                "namespace": object::namespace(deployment),
                "name": set_name,
                "labels": labels,
                "annotations": {
                    "deployment.kubernetes.io/desired-replicas": replicas.to_string(),
                    "deployment.kubernetes.io/max-replicas": (replicas + 1).to_string(),
                    "deployment.kubernetes.io/revision": "1",
                },
                "ownerReferences": [object::owner_reference(deployment)],
            },
            "spec": { "replicas": replicas, "selector": selector, "template": template },
            "status": { "replicas": 0, "observedGeneration": 1 },
        }),
    );
    let message = format!("Scaled up replica set {set_name} from 0 to {replicas}");
    stage.say(deployment, &Note::normal("deployment-controller", "ScalingReplicaSet", &message));
}

fn sum_up(stage: &mut Stage<'_>, deployment: &Value, set: &Value) {
    let now = stage.now;
    let wanted = object::number(deployment, "/spec/replicas").unwrap_or(1);
    let count = |pointer: &str| object::number(set, pointer).unwrap_or(0);
    let (replicas, ready) = (count("/status/replicas"), count("/status/readyReplicas"));
    let set_name = object::name(set);
    stage.change(Resource::Deployments, &object::key(deployment), |deployment| {
        let status = &mut deployment["status"];
        status["observedGeneration"] = json!(count("/metadata/generation"));
        status["replicas"] = json!(replicas);
        status["updatedReplicas"] = json!(replicas);
        status["readyReplicas"] = json!(ready);
        status["availableReplicas"] = json!(ready);
        object::merge(status, &json!({ "unavailableReplicas": null }));
        if ready < wanted {
            status["unavailableReplicas"] = json!(wanted - ready);
        }
        // A quarter may be missing, rounded down, as the default strategy has it.
        let is_available = ready >= wanted - wanted / 4;
        let available = if is_available {
            json!({
                "status": "True",
                "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
            })
        } else {
            json!({
                "status": "False",
                "reason": "MinimumReplicasUnavailable",
                "message": "Deployment does not have minimum availability.",
            })
        };
        object::set_condition(deployment, "Available", &available, now);
        if ready == wanted {
            let progressing = json!({
                "status": "True",
                "reason": "NewReplicaSetAvailable",
                "message": format!("ReplicaSet \"{set_name}\" has successfully progressed."),
            });
            object::set_condition(deployment, "Progressing", &progressing, now);
        }
    });
}
