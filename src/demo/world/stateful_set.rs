//! Stateful sets: numbered pods with a claim each, and never two of one number.
//!
//! A pod that is still there, even Terminating, keeps its name: its replacement waits until it is gone. An update goes
//! from the highest number down, one at a time, and waits for each: a pod that never gets ready stops it, and stops
//! the way back too.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{from_template, is_finished, is_ready};
use super::rollout::replicas;
use super::{Controller, Stage, controller_revision};

const COMPONENT: &str = "statefulset-controller";

#[derive(Clone)]
pub(super) struct StatefulSets;

/// A set with its revisions: what its new pods are of, and what the rest still is.
struct Rolling<'a> {
    set: &'a Value,
    update: String,
    current: String,
}

impl Controller for StatefulSets {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::StatefulSets, Resource::Pods, Resource::PersistentVolumeClaims]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for set in stage.all(Resource::StatefulSets) {
            if object::is_deleting(&set) {
                continue;
            }
            let update = object::name(&controller_revision::current(stage, &set)).to_owned();
            let current = object::text(&set, "/status/currentRevision");
            let current = if current.is_empty() { update.clone() } else { current.to_owned() };
            let rolling = Rolling { set: &set, update, current };
            rolling.step(stage);
            rolling.sum_up(stage);
        }
        None
    }
}

impl Rolling<'_> {
    /// What there is to do now; stops where it has to wait.
    fn step(&self, stage: &mut Stage<'_>) {
        let set = self.set;
        let wanted = replicas(set);
        let is_ordered = object::text(set, "/spec/podManagementPolicy") != "Parallel";
        for ordinal in 0..wanted {
            let name = format!("{}-{ordinal}", object::name(set));
            let present = stage.get(Resource::Pods, object::namespace(set), &name);
            if let Some(pod) = present.as_deref().filter(|pod| is_finished(pod) && !object::is_deleting(pod))
            {
                let message = format!(
                    "StatefulSet {}/{} is recreating failed Pod {name}",
                    object::namespace(set),
                    object::name(set)
                );
                stage.say(set, &Note::warning(COMPONENT, "RecreatingFailedPod", &message));
                remove(stage, set, pod);
            }
            if present.is_none() {
                create(stage, self, &name, ordinal);
            }
            let is_settled = present.is_some_and(|pod| is_ready(&pod) && !object::is_deleting(&pod));
            if is_ordered && !is_settled {
                return;
            }
        }
        if self.shrink(stage, wanted, is_ordered) {
            self.replace_outdated(stage, wanted);
        }
    }

    /// Takes away what is beyond the wanted number, the highest first; tells whether nothing is.
    fn shrink(&self, stage: &mut Stage<'_>, wanted: i64, is_ordered: bool) -> bool {
        let mut beyond: Vec<(i64, Arc<Value>)> = self
            .pods(stage)
            .into_iter()
            .filter_map(|pod| Some((ordinal(&pod)?, pod)))
            .filter(|(ordinal, _)| *ordinal >= wanted)
            .collect();
        beyond.sort_by_key(|(ordinal, _)| std::cmp::Reverse(*ordinal));
        for (_, pod) in &beyond {
            if !object::is_deleting(pod) {
                remove(stage, self.set, pod);
            }
            if is_ordered {
                return false;
            }
        }
        beyond.is_empty()
    }

    /// Replaces the pod with the highest number that is of another revision; waits where one is not healthy.
    fn replace_outdated(&self, stage: &mut Stage<'_>, wanted: i64) {
        let strategy = &self.set["spec"]["updateStrategy"];
        if strategy["type"] == "OnDelete" {
            return;
        }
        let least = object::number(strategy, "/rollingUpdate/partition").unwrap_or(0);
        for ordinal in (least..wanted).rev() {
            let name = format!("{}-{ordinal}", object::name(self.set));
            let Some(pod) = stage.get(Resource::Pods, object::namespace(self.set), &name) else {
                return;
            };
            if revision_of(&pod) != self.update && !object::is_deleting(&pod) {
                remove(stage, self.set, &pod);
                return;
            }
            if !is_ready(&pod) || object::is_deleting(&pod) {
                return;
            }
        }
    }

    fn pods(&self, stage: &Stage<'_>) -> Vec<Arc<Value>> {
        let pods = stage.store.list(Resource::Pods);
        pods.filter(|pod| object::is_controlled_by(pod, self.set)).cloned().collect()
    }

    fn sum_up(&self, stage: &mut Stage<'_>) {
        let pods = self.pods(stage);
        let count = |is_counted: &dyn Fn(&Value) -> bool| pods.iter().filter(|pod| is_counted(pod)).count();
        let ready = count(&|pod| is_ready(pod) && object::text(pod, "/status/phase") == "Running");
        let of = |revision: &str| count(&|pod| !object::is_deleting(pod) && revision_of(pod) == revision);
        let updated = of(&self.update);
        let is_complete = updated == pods.len() && ready == pods.len();
        let current = if is_complete { &self.update } else { &self.current };
        let in_current = of(current);
        let in_use: Vec<&str> = pods
            .iter()
            .map(|pod| revision_of(pod))
            .chain([self.update.as_str(), self.current.as_str()])
            .collect();
        controller_revision::forget_old(stage, self.set, &in_use);
        stage.change(Resource::StatefulSets, &object::key(self.set), |set| {
            let generation = set["metadata"]["generation"].clone();
            let status = &mut set["status"];
            status["replicas"] = json!(pods.len());
            status["readyReplicas"] = json!(ready);
            status["availableReplicas"] = json!(ready);
            status["currentReplicas"] = json!(in_current);
            status["updatedReplicas"] = json!(updated);
            status["currentRevision"] = json!(current);
            status["updateRevision"] = json!(self.update);
            status["collisionCount"] = json!(0);
            status["observedGeneration"] = generation;
        });
    }
}

fn revision_of(pod: &Value) -> &str {
    object::text(pod, "/metadata/labels/controller-revision-hash")
}

fn ordinal(pod: &Value) -> Option<i64> {
    object::name(pod).rsplit_once('-')?.1.parse().ok()
}

fn remove(stage: &mut Stage<'_>, set: &Value, pod: &Value) {
    deletion::delete(stage.store, Resource::Pods, &object::key(pod), None, stage.now);
    let message = format!("Delete Pod {} in StatefulSet {} successful", object::name(pod), object::name(set));
    stage.say(set, &Note::normal(COMPONENT, "SuccessfulDelete", &message));
}

fn create(stage: &mut Stage<'_>, rolling: &Rolling<'_>, name: &str, ordinal: i64) {
    let set = rolling.set;
    // Those below the partition stay what they were.
    let is_kept = object::number(set, "/spec/updateStrategy/rollingUpdate/partition")
        .is_some_and(|from| ordinal < from);
    let revision = if is_kept { &rolling.current } else { &rolling.update };
    let past = stage.get(Resource::ControllerRevisions, object::namespace(set), revision);
    let mut owner = set.clone();
    if let Some(past) = past.filter(|_| is_kept) {
        owner["spec"]["template"] = past["data"]["spec"]["template"].clone();
        object::merge(&mut owner["spec"]["template"], &json!({ "$patch": null }));
    }
    let set = &owner;
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
    labels["controller-revision-hash"] = json!(revision);
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
