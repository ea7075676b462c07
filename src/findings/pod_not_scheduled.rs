//! The rule `pod-not-scheduled`: no node takes it, and the scheduler says why.

use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View, blame, words};
use crate::cluster::{Name, Pod, Row, Status};
use jiff::SignedDuration;

pub const PROSE: &str = "The scheduler has found no node for a pod for more than a minute. Its reason counts what keeps \
    each node out: too little left of a resource, a taint, an affinity, a volume.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

pub fn evaluate(view: &View<'_>, pod: &Pod, found: &mut Found) {
    if !pod.node.is_empty() || !pod.is_troubled() {
        return;
    }
    let Some(scheduled) = pod.condition("PodScheduled") else { return };
    if scheduled.status != Status::False
        || scheduled.reason != "Unschedulable"
        || !view.has_lasted(scheduled.changed, PATIENCE, found)
    {
        return;
    }
    found.add(Finding {
        sentence: format!("No node takes pod {}: {}.", pod.meta.name, words::quote(&scheduled.message)),
        since: scheduled.changed,
        evidence: vec![Evidence::at("the scheduler found no node", scheduled.changed)],
        next: next(&scheduled.message).to_owned(),
        cause: claim(view, pod, &scheduled.message).or_else(|| blame::pod(view, pod)),
        ..Finding::new(RuleId::PodNotScheduled, Severity::Warning, pod.object())
    });
}

/// The claim that it waits for, where that is the reason.
fn claim(view: &View<'_>, pod: &Pod, message: &str) -> Option<Subject> {
    if !speaks_of_volumes(message) {
        return None;
    }
    pod.claims.iter().find_map(|claim| {
        let name = Name::new(pod.meta.name.namespace.clone(), claim.clone());
        let claim = view.cluster.persistent_volume_claims.get(&name)?;
        (claim.phase != "Bound").then(|| claim.object().into())
    })
}

pub fn speaks_of_volumes(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("persistentvolumeclaim") || message.contains("volume")
}

fn next(message: &str) -> &'static str {
    if message.contains("Insufficient") {
        "Free what is short on a node, add a node, or ask for less."
    } else if speaks_of_volumes(message) {
        "Look at its claims: a volume must be there, and reachable from a node that takes the pod."
    } else {
        "Compare the pod's node selector, affinity and tolerations with the labels and taints of the nodes."
    }
}
