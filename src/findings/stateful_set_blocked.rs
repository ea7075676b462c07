//! The rule `stateful-set-blocked`: one pod that is not ready keeps a stateful set from going on.

use super::{Evidence, Finding, Found, RuleId, Severity, View, blame, words};
use crate::cluster::{Pod, Row, Since, StatefulSet, Workload};
use jiff::{SignedDuration, Timestamp};

pub const PROSE: &str = "A stateful set goes pod by pod, in order, and waits for each to be ready. One pod that has not \
    been ready for five minutes keeps all that follow from being made or updated; it keeps the set even from going \
    back to a template that works, because a pod that is not ready is not replaced: it has to be deleted by hand. \
    A pod that was told to go and stays is another rule's.";

const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

pub fn evaluate(view: &View<'_>, workload: Workload<'_>, _: Since, found: &mut Found) {
    let Workload::StatefulSet(set) = workload else { return };
    if set.pod_management == "Parallel" {
        return;
    }
    let mut pods: Vec<(u32, &Pod)> =
        view.cluster.pods_of(workload).into_iter().filter_map(|pod| Some((ordinal(pod)?, pod))).collect();
    pods.sort_by_key(|(ordinal, _)| *ordinal);
    let Some((ordinal, pod)) = pods.iter().find(|(_, pod)| !pod.is_ready()) else { return };
    let since = pod.unready_since();
    if pod.meta.is_deleting() || !view.has_lasted(since, PATIENCE, found) {
        return;
    }
    let many = u32::try_from(pods.len()).unwrap_or(u32::MAX);
    if let Some(finding) = finding(view, set, pod, Missing { many, ordinal: *ordinal, since }) {
        found.add(finding);
    }
}

#[derive(Clone, Copy)]
struct Missing {
    /// Pods that are there.
    many: u32,
    ordinal: u32,
    since: Option<Timestamp>,
}

fn finding(view: &View<'_>, set: &StatefulSet, pod: &Pod, missing: Missing) -> Option<Finding> {
    let is_updating = set.update_revision != set.current_revision && !set.is_on_delete();
    let is_old = pod.revision().is_some_and(|revision| set.update_revision != *revision);
    let (what, next) = if is_updating && is_old {
        (
            "is not replaced by the new template, because it is not ready",
            "Delete the pod by hand: it is made anew of the new template.".to_owned(),
        )
    } else if is_updating {
        (
            "is not ready, and the update waits for it",
            "Repair it, or go back and then delete the pod by hand.".to_owned(),
        )
    } else if missing.many < set.replicas {
        (
            "is not ready, and those that follow wait for it",
            format!("Repair pod {}: the set goes on by itself when it is ready.", pod.meta.name),
        )
    } else {
        return None;
    };
    Some(Finding {
        about: vec![pod.object()],
        sentence: format!(
            "Stateful set {} is blocked at number {}: pod {} {what} ({}).",
            set.meta.name,
            missing.ordinal,
            pod.meta.name,
            pod.status()
        ),
        since: missing.since,
        evidence: vec![
            Evidence::new(format!("{} wanted, {} there, {} ready", set.replicas, missing.many, set.ready)),
            Evidence::new(format!(
                "{} of revision {}",
                words::count(usize::try_from(set.updated).unwrap_or(0), "pod"),
                set.update_revision
            )),
        ],
        next,
        cause: blame::node(view, pod),
        ..Finding::new(RuleId::StatefulSetBlocked, Severity::Warning, set.object())
    })
}

fn ordinal(pod: &Pod) -> Option<u32> {
    pod.meta.name.name.rsplit_once('-')?.1.parse().ok()
}
