//! Disruption budgets: how many of the pods that they cover are healthy, and how many may go.
//!
//! Nothing is evicted here: the demo only counts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::pod::{is_finished, is_ready};
use super::{Controller, Stage};

pub(super) struct Disruption;

impl Controller for Disruption {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::PodDisruptionBudgets, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for budget in stage.all(Resource::PodDisruptionBudgets) {
            count(stage, &budget);
        }
        None
    }
}

fn count(stage: &mut Stage<'_>, budget: &Value) {
    let wanted = &budget["spec"]["selector"]["matchLabels"];
    let is_covered = |pod: &&Value| {
        object::namespace(pod) == object::namespace(budget)
            && !is_finished(pod)
            && wanted
                .as_object()
                .into_iter()
                .flatten()
                .all(|(key, value)| pod["metadata"]["labels"][key] == *value)
    };
    let pods = || stage.store.list(Resource::Pods).map(AsRef::as_ref).filter(is_covered);
    let expected = scale(stage, pods());
    let healthy = pods().filter(|pod| is_ready(pod) && !object::is_deleting(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let desired = object::number(budget, "/spec/minAvailable")
        .or_else(|| object::number(budget, "/spec/maxUnavailable").map(|most| (expected - most).max(0)))
        .unwrap_or(expected);
    let allowed = (healthy - desired).max(0);
    let (status, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let now = stage.now;
    stage.change(Resource::PodDisruptionBudgets, &object::key(budget), |budget| {
        budget["status"]["observedGeneration"] = budget["metadata"]["generation"].clone();
        budget["status"]["expectedPods"] = json!(expected);
        budget["status"]["currentHealthy"] = json!(healthy);
        budget["status"]["desiredHealthy"] = json!(desired);
        budget["status"]["disruptionsAllowed"] = json!(allowed);
        let told = json!({ "status": status, "reason": reason, "message": "" });
        object::set_condition(budget, "DisruptionAllowed", &told, now);
    });
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
