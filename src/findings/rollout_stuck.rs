//! The rule `rollout-stuck`: a rollout that has made no progress for longer than its deadline.

use super::{Evidence, Finding, Found, RuleId, Severity, View, blame, words};
use crate::cluster::{Deployment, Pod, ReplicaSet, Rollout, Row, Since, Workload};

pub const PROSE: &str = "A deployment's rollout has made no progress for longer than its deadline, ten minutes unless it \
    says otherwise. The finding names the pods of the new template that are not ready, and what they wait for. The \
    old pods go on serving; the rollout neither ends nor goes back by itself.";

pub fn evaluate(view: &View<'_>, workload: Workload<'_>, _: Since, found: &mut Found) {
    let Workload::Deployment(deployment) = workload else { return };
    let Rollout::DeadlineExceeded { since } = deployment.rollout() else { return };
    let pods = view.cluster.pods_of(workload);
    let newest = view.cluster.newest_set_of(deployment);
    let stuck: Vec<&Pod> = pods.into_iter().filter(|pod| is_new(pod, newest) && !pod.is_ready()).collect();
    let objects: Vec<_> = stuck.iter().map(|pod| pod.object()).collect();
    let on = match stuck.first() {
        None => "no pod of the new template is there".to_owned(),
        Some(first) => format!(
            "{} of the new template {} not ready ({})",
            words::pods(&objects),
            words::verb(objects.len(), "is", "are"),
            first.status()
        ),
    };
    let is_down = deployment.available == 0 && deployment.replicas > 0;
    found.add(Finding {
        about: objects,
        sentence: format!("The rollout of deployment {} is stuck: {on}.", deployment.meta.name),
        since,
        evidence: evidence(deployment),
        next: "Repair what keeps the new pods from being ready, or roll back to the revision before."
            .to_owned(),
        cause: if stuck.is_empty() { None } else { blame::all(view, stuck) },
        ..Finding::new(
            RuleId::RolloutStuck,
            if is_down { Severity::Critical } else { Severity::Warning },
            deployment.object(),
        )
    });
}

fn is_new(pod: &Pod, newest: Option<&ReplicaSet>) -> bool {
    let owner = pod.meta.owner.as_ref();
    newest.is_none_or(|newest| owner.is_some_and(|owner| owner.uid == newest.meta.uid))
}

fn evidence(deployment: &Deployment) -> Vec<Evidence> {
    let counts = format!(
        "{} wanted, {} of the new template, {} available",
        deployment.replicas, deployment.updated, deployment.available
    );
    let progressing = deployment.condition("Progressing").map(|progressing| {
        Evidence::at(
            format!("{}: {}", progressing.reason, words::quote(&progressing.message)),
            progressing.changed,
        )
    });
    std::iter::once(Evidence::new(counts)).chain(progressing).collect()
}
