//! The rule `workload-short`: fewer pods are available than are wanted, and it is not a rollout that goes on.

use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View, blame, pods_not_created, words};
use crate::cluster::{Counts, Pod, Rollout, Row, Since, Status, Workload};
use jiff::{SignedDuration, Timestamp};

pub const PROSE: &str = "A deployment, stateful set or daemon set has had fewer pods available than it wants for more \
    than a minute; while it rolls out a new template within its deadline, longer. Critical where none is left. The \
    finding names the pods that are missing; where all of them are on nodes that are silent, the nodes are the \
    cause; a daemon set misses nothing there.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// Longer than the usual deadline of a rollout: whoever is over that is told of by another rule.
const PATIENCE_OF_ROLLOUT: SignedDuration = SignedDuration::from_mins(11);

pub fn evaluate(view: &View<'_>, workload: Workload<'_>, seen: Since, found: &mut Found) {
    let Counts { desired, ready, available, .. } = workload.counts();
    let available = available.unwrap_or(ready).min(ready);
    if available >= desired || matches!(workload, Workload::Job(_) | Workload::ReplicaSet(_)) {
        return;
    }
    if is_told_already(view, workload, found) {
        return;
    }
    let pods = view.cluster.pods_of(workload).into_iter();
    // The garbage collector marks a pod as failed before it removes it: until then it stands where the next belongs.
    let is_missing = |pod: &&Pod| pod.meta.is_deleting() || !(pod.phase.is_terminal() || pod.is_ready());
    let missing: Vec<Missing<'_>> = pods.filter(is_missing).map(|pod| Missing::of(view, pod)).collect();
    let cause = cause(view, &missing, found);
    // A daemon set has nothing to make up for on a node that is silent.
    if matches!(workload, Workload::DaemonSet(_)) && cause.is_some() {
        return;
    }
    let is_rolling = is_rolling(workload);
    let patience = if is_rolling && cause.is_none() { PATIENCE_OF_ROLLOUT } else { PATIENCE };
    let since = since(&missing, seen);
    if !view.has_lasted(since, patience, found) {
        return;
    }
    let objects: Vec<_> = missing.iter().map(|missing| missing.pod.object()).collect();
    let which = match missing.first() {
        None => "the others are not there".to_owned(),
        Some(first) => format!(
            "{} {} not ready ({})",
            words::pods(&objects),
            words::verb(objects.len(), "is", "are"),
            first.pod.status()
        ),
    };
    let noun = match workload {
        Workload::Deployment(_) => "Deployment",
        Workload::StatefulSet(_) => "Stateful set",
        Workload::DaemonSet(_) => "Daemon set",
        Workload::ReplicaSet(_) | Workload::Job(_) => return,
    };
    let is_down = available == 0 && !is_rolling;
    let has = match (available, desired) {
        (_, 1) => "does not have its one pod".to_owned(),
        (0, desired) => format!("has none of its {desired} pods"),
        (available, desired) => format!("has {available} of {desired} pods"),
    };
    found.add(Finding {
        sentence: format!("{noun} {} {has} available: {which}.", workload.meta().name),
        about: objects,
        since,
        evidence: vec![Evidence::new(format!("{desired} wanted, {ready} ready, {available} available"))],
        next: "Look at the pods that are missing: each says what it waits for.".to_owned(),
        cause,
        ..Finding::new(
            RuleId::WorkloadShort,
            if is_down { Severity::Critical } else { Severity::Warning },
            workload.object(),
        )
    });
}

/// Whether another rule says why: its pods are refused, or its rollout is stuck.
fn is_told_already(view: &View<'_>, workload: Workload<'_>, found: &mut Found) -> bool {
    pods_not_created::refusal(view, workload, found).is_some()
        || matches!(workload.rollout(), Some(Rollout::DeadlineExceeded { .. }))
}

/// A pod that is missing.
struct Missing<'a> {
    pod: &'a Pod,
    /// The node that is to blame.
    node: Option<Subject>,
    since: Option<Timestamp>,
}

impl<'a> Missing<'a> {
    fn of(view: &View<'_>, pod: &'a Pod) -> Self {
        let node = blame::node(view, pod);
        Self { pod, since: blame::missing_since(view, pod, node.as_ref()), node }
    }
}

/// The node that is to blame for all that have been missing for long; what has just begun to start changes nothing.
fn cause(view: &View<'_>, missing: &[Missing<'_>], found: &mut Found) -> Option<Subject> {
    for due in missing.iter().filter_map(|missing| missing.since?.checked_add(PATIENCE).ok()) {
        found.look_again(due, view.now);
    }
    let is_starting = |missing: &&Missing<'_>| {
        let due = missing.since.and_then(|since| since.checked_add(PATIENCE).ok());
        missing.node.is_none() && due.is_some_and(|due| due > view.now)
    };
    let mut long = missing.iter().filter(|missing| !is_starting(missing)).map(|missing| &missing.node);
    let first = long.next()?.clone()?;
    long.all(Option::is_some).then_some(first)
}

/// Since when the first of the missing pods is missing. Where none is there to tell, since it was seen to be short;
/// what was so from the first look on has been so for long.
fn since(missing: &[Missing<'_>], seen: Since) -> Option<Timestamp> {
    let told = missing.iter().filter_map(|missing| missing.since).min();
    told.or_else(|| seen.is_exact.then_some(seen.at))
}

/// Whether it is on its way to a new template, and within its deadline.
fn is_rolling(workload: Workload<'_>) -> bool {
    match workload {
        Workload::Deployment(deployment) => deployment.condition("Progressing").is_some_and(|progressing| {
            progressing.status == Status::True && progressing.reason != "NewReplicaSetAvailable"
        }),
        Workload::StatefulSet(_) | Workload::DaemonSet(_) => {
            matches!(workload.rollout(), Some(Rollout::Updating { .. } | Rollout::Unobserved))
        }
        Workload::ReplicaSet(_) | Workload::Job(_) => false,
    }
}
