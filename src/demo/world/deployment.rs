//! Deployments: one replica set per template, moved from one to the next within what may be missing and added.
//!
//! One step at a time: who is asked again after each change needs no plan. What a deployment says of itself is in
//! `summary`.

mod summary;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{hash, is_finished, suffix};
use super::rollout::{Round, TEMPLATE_HASH, canonical, replicas, share};
use super::{Controller, Stage, sooner};

const COMPONENT: &str = "deployment-controller";
const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MOST: &str = "deployment.kubernetes.io/max-replicas";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

#[derive(Clone)]
pub(super) struct Deployments;

/// A deployment, and the replica sets that are its own.
struct Rollout<'a> {
    deployment: &'a Value,
    /// The set of today's template.
    new: Option<Arc<Value>>,
    old: Vec<Arc<Value>>,
}

impl Controller for Deployments {
    fn watches(&self) -> &'static [Resource] {
        // Pods: one that waits for the old ones to be gone (Recreate) sees them go.
        &[Resource::Deployments, Resource::ReplicaSets, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for deployment in stage.all(Resource::Deployments) {
            if object::is_deleting(&deployment) {
                continue;
            }
            let rollout = Rollout::of(stage, &deployment);
            let mut created = None;
            if deployment["spec"]["paused"] == true {
                rollout.keep_size(stage);
            } else {
                created = rollout.step(stage);
                rollout.forget_old(stage);
            }
            due = sooner(due, summary::post(stage, &Rollout::of(stage, &deployment), created.as_deref()));
        }
        due
    }
}

impl<'a> Rollout<'a> {
    fn of(stage: &Stage<'_>, deployment: &'a Value) -> Self {
        let mut owned: Vec<Arc<Value>> = stage
            .store
            .list(Resource::ReplicaSets)
            .filter(|set| object::is_controlled_by(set, deployment) && !object::is_deleting(set))
            .cloned()
            .collect();
        owned.sort_by_cached_key(|set| {
            (object::text(set, "/metadata/creationTimestamp").to_owned(), object::name(set).to_owned())
        });
        // By the label, which is made of the template: comparing the templates themselves takes too long for a past
        // that is played while somebody waits.
        let mark = template_hash(deployment);
        let position =
            owned.iter().position(|set| object::text(set, "/metadata/labels/pod-template-hash") == mark);
        let new = position.map(|position| owned.remove(position));
        Self { deployment, new, old: owned }
    }

    /// One step towards the new set; gives the set if it was made by this step.
    fn step(&self, stage: &mut Stage<'_>) -> Option<Arc<Value>> {
        let is_recreating = self.deployment["spec"]["strategy"]["type"] == "Recreate";
        if is_recreating && self.has_old_pods(stage) {
            for set in &self.old {
                self.scale(stage, set, 0);
            }
            return None;
        }
        let Some(new) = &self.new else {
            return Some(self.create(stage));
        };
        self.number(stage, new);
        let wanted = replicas(self.deployment);
        if is_recreating {
            self.scale(stage, new, wanted);
            return None;
        }
        let size = self.new_size();
        if size == replicas(new) {
            self.shrink_old(stage, new);
        } else {
            self.scale(stage, new, size);
        }
        None
    }

    /// While it is paused it has the size that was asked for, and nothing else changes.
    fn keep_size(&self, stage: &mut Stage<'_>) {
        let mut active = self.new.iter().chain(&self.old).filter(|set| replicas(set) > 0);
        if let (Some(only), None) = (active.next(), active.next()) {
            self.scale(stage, only, replicas(self.deployment));
        }
    }

    fn has_old_pods(&self, stage: &Stage<'_>) -> bool {
        let mut pods = stage.store.list(Resource::Pods).filter(|pod| !is_finished(pod));
        pods.any(|pod| self.old.iter().any(|set| object::is_controlled_by(pod, set)))
            || self.old.iter().any(|set| replicas(set) > 0)
    }

    /// How many pods there may be more than wanted, and how many less.
    fn leeway(&self) -> (i64, i64) {
        let wanted = replicas(self.deployment);
        let rolling = &self.deployment["spec"]["strategy"]["rollingUpdate"];
        let quarter = |round| share(&json!("25%"), wanted, round).unwrap_or(0);
        let surge = share(&rolling["maxSurge"], wanted, Round::Up).unwrap_or_else(|| quarter(Round::Up));
        let missing =
            share(&rolling["maxUnavailable"], wanted, Round::Down).unwrap_or_else(|| quarter(Round::Down));
        if self.deployment["spec"]["strategy"]["type"] == "Recreate" {
            return (0, 0);
        }
        // With neither it could not move at all.
        if surge == 0 && missing == 0 { (0, 1) } else { (surge, missing.min(wanted)) }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.new.iter().chain(&self.old)
    }

    /// What the new set may have now.
    fn new_size(&self) -> i64 {
        let wanted = replicas(self.deployment);
        let have = self.new.as_deref().map_or(0, replicas);
        if have >= wanted {
            return wanted;
        }
        let all: i64 = self.all().map(|set| replicas(set)).sum();
        let free = wanted + self.leeway().0 - all;
        have + free.clamp(0, wanted - have)
    }

    /// Takes from the old sets what may go: first what does not work anyway, then what the new ones make up for.
    fn shrink_old(&self, stage: &mut Stage<'_>, new: &Value) {
        let wanted = replicas(self.deployment);
        let least = wanted - self.leeway().1;
        let available = |set: &Value| object::number(set, "/status/availableReplicas").unwrap_or(0);
        let all: i64 = self.all().map(|set| replicas(set)).sum();
        let mut removable = all - least - (replicas(new) - available(new));
        let mut sizes: Vec<(&Arc<Value>, i64)> = self.old.iter().map(|set| (set, replicas(set))).collect();
        for (set, size) in &mut sizes {
            let broken = (*size - available(set)).clamp(0, removable.max(0));
            *size -= broken;
            removable -= broken;
        }
        let mut spare = self.all().map(|set| available(set)).sum::<i64>() - least;
        for (set, size) in &mut sizes {
            let going = available(set).min(*size).clamp(0, spare.max(0)).min(removable.max(0));
            *size -= going;
            spare -= going;
            removable -= going;
        }
        for (set, size) in sizes {
            self.scale(stage, set, size);
        }
    }

    fn scale(&self, stage: &mut Stage<'_>, set: &Value, size: i64) {
        let before = replicas(set);
        let wanted = replicas(self.deployment);
        let most = wanted + self.leeway().0;
        stage.change(Resource::ReplicaSets, &object::key(set), |set| {
            set["spec"]["replicas"] = json!(size);
            set["metadata"]["annotations"][DESIRED] = json!(wanted.to_string());
            set["metadata"]["annotations"][MOST] = json!(most.to_string());
        });
        if size != before {
            let way = if size > before { "up" } else { "down" };
            let message = format!("Scaled {way} replica set {} from {before} to {size}", object::name(set));
            stage.say(self.deployment, &Note::normal(COMPONENT, "ScalingReplicaSet", &message));
        }
    }

    fn last_revision(&self) -> i64 {
        self.old.iter().map(|set| revision(set)).max().unwrap_or(0)
    }

    fn create(&self, stage: &mut Stage<'_>) -> Arc<Value> {
        let deployment = self.deployment;
        let template_hash = template_hash(deployment);
        let name = format!("{}-{template_hash}", object::name(deployment));
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"][TEMPLATE_HASH] = json!(template_hash);
        let mut template = deployment["spec"]["template"].clone();
        template["metadata"]["labels"][TEMPLATE_HASH] = json!(template_hash);
        let size = self.new_size();
        let wanted = replicas(deployment);
        let mut annotations = self.annotations();
        annotations[DESIRED] = json!(wanted.to_string());
        annotations[MOST] = json!((wanted + self.leeway().0).to_string());
        let number = (self.last_revision() + 1).to_string();
        annotations[REVISION] = json!(number);
        let set = stage.put(
            Resource::ReplicaSets,
            json!({
                "metadata": {
                    "namespace": object::namespace(deployment),
                    "name": name,
                    "labels": template["metadata"]["labels"],
                    "annotations": annotations,
                    "ownerReferences": [object::owner_reference(deployment)],
                },
                "spec": { "replicas": size, "selector": selector, "template": template },
                "status": { "replicas": 0, "observedGeneration": 1 },
            }),
        );
        self.tell_revision(stage, &number);
        if size > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {size}");
            stage.say(deployment, &Note::normal(COMPONENT, "ScalingReplicaSet", &message));
        }
        set
    }

    /// The annotations of the deployment that its sets carry too.
    fn annotations(&self) -> Value {
        let mut annotations = self.deployment["metadata"]["annotations"].clone();
        if !annotations.is_object() {
            annotations = json!({});
        }
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.retain(|name, _| {
                ![REVISION, REVISION_HISTORY, DESIRED, MOST, LAST_APPLIED].contains(&name.as_str())
            });
        }
        annotations
    }

    /// The new set has the highest number; one that comes back gets a new one, and keeps the old in its history.
    fn number(&self, stage: &mut Stage<'_>, new: &Value) {
        let number = revision(new).max(self.last_revision() + 1);
        let before = revision(new);
        let annotations = self.annotations();
        stage.change(Resource::ReplicaSets, &object::key(new), |set| {
            object::merge(&mut set["metadata"]["annotations"], &annotations);
            if before != number {
                let past = object::text(
                    &set["metadata"]["annotations"],
                    "/deployment.kubernetes.io~1revision-history",
                );
                let past = if past.is_empty() { before.to_string() } else { format!("{past},{before}") };
                if before > 0 {
                    set["metadata"]["annotations"][REVISION_HISTORY] = json!(past);
                }
                set["metadata"]["annotations"][REVISION] = json!(number.to_string());
            }
        });
        self.tell_revision(stage, &number.to_string());
    }

    fn tell_revision(&self, stage: &mut Stage<'_>, number: &str) {
        stage.change(Resource::Deployments, &object::key(self.deployment), |deployment| {
            deployment["metadata"]["annotations"][REVISION] = json!(number);
        });
    }

    /// Lets go of old sets beyond what the history keeps.
    fn forget_old(&self, stage: &mut Stage<'_>) {
        let limit = object::number(self.deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
        let mut empty: Vec<&Arc<Value>> = self
            .old
            .iter()
            .filter(|set| replicas(set) == 0 && object::number(set, "/status/replicas").unwrap_or(0) == 0)
            .collect();
        empty.sort_by_key(|set| revision(set));
        let surplus = empty.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        for set in empty.into_iter().take(surplus) {
            deletion::delete(stage.store, Resource::ReplicaSets, &object::key(set), None, stage.now);
        }
    }
}

fn template_hash(deployment: &Value) -> String {
    suffix(hash(&canonical(&deployment["spec"]["template"]).to_string()), 10)
}

fn revision(set: &Value) -> i64 {
    object::text(set, "/metadata/annotations/deployment.kubernetes.io~1revision").parse().unwrap_or(0)
}
