//! Disruption budgets: how many of the pods that they cover are healthy, and how many may go.
//!
//! Nothing is evicted here: who grants an eviction notes it in the budget, and this counts.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::pod::{is_finished, is_ready};
use super::rollout::{Round, selects, share};
use super::{Controller, Stage, sooner};

#[derive(Clone)]
pub(super) struct Disruption;

impl Controller for Disruption {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::PodDisruptionBudgets, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for budget in stage.all(Resource::PodDisruptionBudgets) {
            due = sooner(due, count(stage, &budget));
        }
        warn_of_doubles(stage);
        due
    }
}

/// How long an eviction that was granted may take until the pod counts again.
const DELETION_TIMEOUT: i64 = 120;

fn count(stage: &mut Stage<'_>, budget: &Value) -> Option<Timestamp> {
    let now = stage.now;
    let pods: Vec<Arc<Value>> = covered(stage, budget);
    let (granted, due) = still_going(stage, budget, &pods);
    let is_healthy = |pod: &&Arc<Value>| {
        is_ready(pod) && !object::is_deleting(pod) && granted.get(object::name(pod)).is_none()
    };
    let healthy = i64::try_from(pods.iter().filter(is_healthy).count()).unwrap_or(i64::MAX);
    let (least, most) = (&budget["spec"]["minAvailable"], &budget["spec"]["maxUnavailable"]);
    let all = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let (expected, desired) = if most.is_null() && least.is_number() {
        (all, share(least, all, Round::Up).unwrap_or(all))
    } else {
        let expected = scale(stage, pods.iter().map(AsRef::as_ref));
        let desired = if most.is_null() {
            share(least, expected, Round::Up).unwrap_or(1)
        } else {
            share(most, expected, Round::Up).map_or(expected, |most| (expected - most).max(0))
        };
        (expected, desired)
    };
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let (status, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    stage.change(Resource::PodDisruptionBudgets, &object::key(budget), |budget| {
        budget["status"]["observedGeneration"] = budget["metadata"]["generation"].clone();
        budget["status"]["expectedPods"] = json!(expected);
        budget["status"]["currentHealthy"] = json!(healthy);
        budget["status"]["desiredHealthy"] = json!(desired);
        budget["status"]["disruptionsAllowed"] = json!(allowed);
        object::merge(&mut budget["status"], &json!({ "disruptedPods": null }));
        if granted.as_object().is_some_and(|granted| !granted.is_empty()) {
            budget["status"]["disruptedPods"] = granted;
        }
        let told = json!({ "status": status, "reason": reason, "message": "" });
        object::set_condition(budget, "DisruptionAllowed", &told, now);
    });
    due
}

fn covered(stage: &Stage<'_>, budget: &Value) -> Vec<Arc<Value>> {
    let selector = &budget["spec"]["selector"];
    let pods =
        stage.store.list(Resource::Pods).filter(|pod| object::namespace(pod) == object::namespace(budget));
    pods.filter(|pod| !is_finished(pod) && selector.is_object() && selects(selector, pod)).cloned().collect()
}

/// The evictions that were granted and have not come to pass: they count as gone, for a while.
fn still_going(stage: &Stage<'_>, budget: &Value, pods: &[Arc<Value>]) -> (Value, Option<Timestamp>) {
    let mut granted = json!({});
    let mut due = None;
    for (name, at) in budget["status"]["disruptedPods"].as_object().into_iter().flatten() {
        let is_there = pods.iter().any(|pod| object::name(pod) == name && !object::is_deleting(pod));
        let since: Option<Timestamp> = at.as_str().and_then(|at| at.parse().ok());
        let ends = since.map(|since| since + stage.timers.seconds(DELETION_TIMEOUT));
        if let Some(ends) = ends.filter(|ends| is_there && *ends > stage.now) {
            granted[name] = at.clone();
            due = sooner(due, Some(ends));
        }
    }
    (granted, due)
}

/// Two budgets on one pod are a mistake: it can not be evicted at all. Said once per pod.
fn warn_of_doubles(stage: &mut Stage<'_>) {
    let budgets = stage.all(Resource::PodDisruptionBudgets);
    for pod in stage.all(Resource::Pods) {
        let mut of_pod = budgets.iter().filter(|budget| {
            object::namespace(budget) == object::namespace(&pod) && selects(&budget["spec"]["selector"], &pod)
        });
        if let (Some(first), Some(_)) = (of_pod.next(), of_pod.next()) {
            let message = format!(
                "Pod \"{}\"/\"{}\" matches multiple PodDisruptionBudgets.  Chose \"{}\" arbitrarily.",
                object::namespace(&pod),
                object::name(&pod),
                object::name(first)
            );
            stage.say_once(
                &pod,
                &Note::warning("controllermanager", "MultiplePodDisruptionBudgets", &message),
            );
        }
    }
}

/// How many pods the owners of these want, each owner once.
fn scale<'a>(stage: &Stage<'_>, pods: impl Iterator<Item = &'a Value>) -> i64 {
    let owned = pods.filter_map(|pod| Some((object::namespace(pod), object::controller(pod)?)));
    let mut owners: Vec<(&str, &str, &str)> = owned
        .map(|(namespace, owner)| (namespace, object::text(owner, "/kind"), object::text(owner, "/name")))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let replicas = |(namespace, kind, name): (&str, &str, &str)| {
        let resource = match kind {
            "ReplicaSet" => Resource::ReplicaSets,
            "StatefulSet" => Resource::StatefulSets,
            _ => return 1,
        };
        let set = stage.get(resource, namespace, name);
        set.and_then(|set| object::number(&set, "/spec/replicas")).unwrap_or(1)
    };
    owners.into_iter().map(replicas).sum()
}
