//! The rule `pods-not-created`: the API server refuses a workload's pods.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Condition, Event, Pod, Since, StatefulSet, Status, Workload};
use jiff::{SignedDuration, Timestamp};

pub const PROSE: &str = "A workload cannot create its pods: the API server refuses them. The reason is the server's own: \
    a quota that is full, a limit range, an admission webhook that says no or does not answer. A replica set, and with \
    it its deployment, says so by a condition. A stateful set and a daemon set have none: there the state is that \
    pods are missing which nothing keeps from being made, for more than a minute, in which their controller has tried \
    more than ten times. The reason is then told by the newest event, which is gone after an hour.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// The longest pause between two tries of a controller, and a little more.
const NEXT_TRY: SignedDuration = SignedDuration::from_mins(20);

/// That a workload's pods are refused, as far as it is told.
pub struct Refusal {
    words: Option<String>,
    since: Option<Timestamp>,
    evidence: Vec<Evidence>,
}

pub fn evaluate(view: &View<'_>, workload: Workload<'_>, _: Since, found: &mut Found) {
    let noun = match workload {
        Workload::Deployment(_) => "deployment",
        Workload::ReplicaSet(_) => "replica set",
        Workload::StatefulSet(_) => "stateful set",
        Workload::DaemonSet(_) => "daemon set",
        Workload::Job(_) => return,
    };
    let Some(refusal) = refusal(view, workload, found) else { return };
    let counts = workload.counts();
    let is_down = counts.available.unwrap_or(counts.ready) == 0 && counts.desired > 0;
    let name = &workload.meta().name;
    let why = refusal.words.as_ref().map_or_else(String::new, |words| format!(": {}", words::quote(words)));
    found.add(Finding {
        sentence: format!("Pods of {noun} {name} are not created{why}."),
        since: refusal.since,
        evidence: refusal.evidence,
        next: match &refusal.words {
            Some(words) => next(words).to_owned(),
            None => {
                format!("Ask the server why: kubectl describe {} -n {}.", workload.object(), name.namespace)
            }
        },
        ..Finding::new(
            RuleId::PodsNotCreated,
            if is_down { Severity::Critical } else { Severity::Warning },
            workload.object(),
        )
    });
}

/// Whether its pods are refused, and with what words.
pub fn refusal(view: &View<'_>, workload: Workload<'_>, found: &mut Found) -> Option<Refusal> {
    match workload {
        Workload::Deployment(row) => row.condition("ReplicaFailure").and_then(told),
        Workload::ReplicaSet(row) => row.condition("ReplicaFailure").and_then(told),
        Workload::StatefulSet(row) => {
            let since = seen(view, workload)?;
            unmade(view, workload, Since { at: free_since(view, row, since.at)?, ..since }, found)
        }
        Workload::DaemonSet(_) => unmade(view, workload, seen(view, workload)?, found),
        Workload::Job(_) => None,
    }
}

fn told(failure: &Condition) -> Option<Refusal> {
    (failure.status == Status::True).then(|| Refusal {
        words: Some(failure.message.to_string()),
        since: failure.changed,
        evidence: vec![Evidence::at(failure.reason.to_string(), failure.changed)],
    })
}

fn seen(view: &View<'_>, workload: Workload<'_>) -> Option<Since> {
    view.cluster.unmade_since(workload).filter(|_| !workload.meta().is_deleting())
}

/// Since when nothing keeps the pods that a stateful set has lacked since then from being made; `None` while something
/// does: one that goes pod by pod waits for those before it.
fn free_since(view: &View<'_>, set: &StatefulSet, lacking: Timestamp) -> Option<Timestamp> {
    if set.pod_management == "Parallel" {
        return Some(lacking);
    }
    let pods = view.cluster.pods_of(Workload::StatefulSet(set));
    let is_passed = |pod: &&Pod| pod.is_ready() && !pod.meta.is_deleting();
    let is_available = usize::try_from(set.available).unwrap_or(0) >= pods.len();
    let ready_since = |pod: &&Pod| pod.condition("Ready").and_then(|ready| ready.changed);
    let last = pods.iter().filter_map(ready_since).max();
    (is_available && pods.iter().all(is_passed)).then(|| last.map_or(lacking, |last| last.max(lacking)))
}

/// Pods that are missing since then: that they are refused is told by an event, or by the time that goes by.
fn unmade(view: &View<'_>, workload: Workload<'_>, since: Since, found: &mut Found) -> Option<Refusal> {
    let object = workload.object();
    let events = view.cluster.events_of(object.kind, &object.name);
    let event = events.into_iter().find(|event| event.reason == "FailedCreate" && event.is_warning);
    let is_of_this = |event: &&Event| match event.last {
        Some(last) if since.is_exact => last >= since.at,
        Some(last) => view.now.duration_since(last) <= NEXT_TRY,
        None => false,
    };
    let fresh = event.filter(is_of_this);
    if let Some(old) = fresh.filter(|_| !since.is_exact).and_then(|event| event.last) {
        found.look_again(
            old.checked_add(NEXT_TRY).ok()?.checked_add(SignedDuration::from_secs(1)).ok()?,
            view.now,
        );
    }
    // Without its words it may be on its way.
    if fresh.is_none() && !view.has_lasted(Some(since.at), PATIENCE, found) {
        return None;
    }
    let (desired, there) = match workload {
        Workload::StatefulSet(row) => (row.replicas, row.current),
        Workload::DaemonSet(row) => (row.desired, row.scheduled),
        Workload::Deployment(_) | Workload::ReplicaSet(_) | Workload::Job(_) => return None,
    };
    let mut evidence = vec![Evidence::new(format!("{desired} wanted, {there} there"))];
    evidence.push(match fresh {
        Some(event) => Evidence::at("its controller failed to create a pod", event.last),
        None => Evidence::new("no event says why: they are gone after an hour"),
    });
    Some(Refusal {
        words: fresh.map(|event| event.note.to_string()),
        since: since.is_exact.then_some(since.at),
        evidence,
    })
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
