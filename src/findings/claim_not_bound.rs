//! The rule `claim-not-bound`: a claim that pods wait for and that has no volume, or has lost it.

use super::pod_not_scheduled::speaks_of_volumes;
use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{ObjectRef, PersistentVolumeClaim, Pod, Row};
use jiff::SignedDuration;

pub const PROSE: &str = "A claim has no volume for more than a minute although a pod needs it, or has lost the one it had: \
    then the data is where the volume was. A claim that waits for its first pod, or whose pod is kept out by \
    something else, is none.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for claim in view.cluster.unbound_claims() {
        let name = &claim.meta.name;
        let waiting: Vec<&Pod> = view.cluster.pods_of_claim(name).filter(|pod| waits(pod)).collect();
        let is_lost = claim.phase == "Lost";
        if !is_lost && (waiting.is_empty() || !view.has_lasted(claim.meta.created, PATIENCE, found)) {
            continue;
        }
        let waiting: Vec<ObjectRef> = waiting.into_iter().map(Row::object).collect();
        let sentence = if is_lost {
            format!("Claim {name} has lost its volume {}.", claim.volume)
        } else {
            let wait = words::verb(waiting.len(), "waits", "wait");
            format!("Claim {name} has no volume, and {} {wait} for it.", words::pods(&waiting))
        };
        found.add(Finding {
            sentence,
            since: if is_lost { None } else { claim.meta.created },
            evidence: evidence(claim),
            next: if is_lost {
                "Find out what became of the volume; its data is not on this claim any more.".to_owned()
            } else {
                format!("Look at the provisioner of {} and at its quota.", class(claim))
            },
            held_up: waiting,
            ..Finding::new(
                RuleId::ClaimNotBound,
                if is_lost { Severity::Critical } else { Severity::Warning },
                claim.object(),
            )
        });
    }
}

fn waits(pod: &Pod) -> bool {
    let scheduled = pod.condition("PodScheduled").map_or("", |scheduled| scheduled.message.as_str());
    let is_elsewhere = !scheduled.is_empty() && !speaks_of_volumes(scheduled);
    !pod.phase.is_terminal() && !pod.meta.is_deleting() && !is_elsewhere
}

fn class(claim: &PersistentVolumeClaim) -> String {
    claim
        .class
        .non_empty()
        .map_or_else(|| "no storage class".to_owned(), |class| format!("storage class {class}"))
}

fn evidence(claim: &PersistentVolumeClaim) -> Vec<Evidence> {
    vec![Evidence::at(format!("it is {}, of {}", claim.phase, class(claim)), claim.meta.created)]
}
