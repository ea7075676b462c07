//! The rule `pods-not-created`: the API server refuses a deployment's pods.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Row, Since, Status, Workload};

pub const PROSE: &str = "A deployment's replica set cannot create its pods: the API server refuses them. The reason is \
    the server's own: a quota that is full, a limit range, an admission webhook that says no or does not answer.";

pub fn evaluate(view: &View<'_>, workload: Workload<'_>, _: Since, found: &mut Found) {
    let Workload::Deployment(deployment) = workload else { return };
    let failure = deployment.condition("ReplicaFailure").filter(|failure| failure.status == Status::True);
    let Some(failure) = failure else { return };
    let is_down = deployment.available == 0 && deployment.replicas > 0;
    found.add(Finding {
        sentence: format!(
            "Pods of deployment {} are not created: {}.",
            deployment.meta.name,
            words::quote(&failure.message)
        ),
        since: failure.changed,
        evidence: vec![Evidence::at(failure.reason.to_string(), failure.changed)],
        next: next(&failure.message).to_owned(),
        ..Finding::new(
            RuleId::PodsNotCreated,
            if is_down { Severity::Critical } else { Severity::Warning },
            deployment.object(),
        )
    });
}

fn next(message: &str) -> &'static str {
    if message.contains("exceeded quota") {
        "Raise the namespace's quota, or ask for less."
    } else if message.contains("webhook") {
        "Look at the webhook's own pods: while it does not answer, nothing that it watches can be created."
    } else {
        "Change what the server names in the pod template, or the rule that forbids it."
    }
}
