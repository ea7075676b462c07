//! A rollout that is watched to its end, and the broken pod that keeps a stateful set from going back.
//!
//! It deliberately knows no deadline but the deployment's own: how long is too long for the others is the operator's
//! to say, who can stop the run.

use super::call::{CallError, Guard, Refusal, Shown};
use super::edit::{Return, same_workload};
use super::{Call, Right, cordon};
use crate::cluster::{Cluster, ObjectRef, Pod, Rollout as Stands, Row as _, StatefulSet, Text, Workload};

/// So many pods are named that hold it up.
const MOST_NAMED: usize = 2;

pub const DELETE_PODS: Right = Right { verb: "delete", group: "", resource: "pods", subresource: "" };

/// A step that sends nothing: done when the workload is as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    pub object: ObjectRef,
    /// What was wanted before, as the server counts it: the rollout is that of a later one.
    pub after: i64,
    /// The revision that it is to be of; nothing where it is of whatever is wanted.
    pub goal: Option<Box<Return>>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// With what has to be known of it.
    Done(Text),
    Going(String),
    Stuck(String),
}

impl Rollout {
    pub fn sentence(&self) -> String {
        format!("watch the rollout of {}", self.object)
    }

    pub fn kubectl(&self) -> String {
        let ObjectRef { kind, name, .. } = &self.object;
        let kind = kind.word().to_lowercase();
        format!("kubectl rollout status -n {} {kind}/{}", name.namespace, name.name)
    }

    pub fn stand(&self, cluster: &Cluster) -> Stand {
        let workload = match same_workload(&self.object, cluster) {
            Ok(workload) => workload,
            Err(reason) => return Stand::Stuck(reason),
        };
        let generation = match workload {
            Workload::Deployment(row) => row.generation,
            Workload::StatefulSet(row) => row.generation,
            Workload::DaemonSet(row) => row.generation,
            Workload::ReplicaSet(_) | Workload::Job(_) => return Stand::Done(Text::default()),
        };
        if generation <= self.after {
            return Stand::Going("the watch does not show the change yet".to_owned());
        }
        if let Some(goal) = self.goal.as_ref().filter(|goal| !goal.is_seen(workload, cluster)) {
            return Stand::Stuck(format!(
                "somebody has changed it since: what rolls out is not revision {} any more; look at its history",
                goal.number
            ));
        }
        let Some(stands) = workload.rollout() else { return Stand::Done(Text::default()) };
        let words = match stands {
            Stands::Complete => return Stand::Done(note(workload)),
            Stands::DeadlineExceeded { .. } => {
                let held = held_up(workload, cluster);
                return Stand::Stuck(format!("it exceeded its progress deadline{held}"));
            }
            Stands::Unobserved => "its controller has not seen the change yet".to_owned(),
            Stands::Updating { updated, of } => format!("{updated} of {of} updated"),
            Stands::Ending { old } => format!("{old} old pods have still to go"),
            Stands::Waiting { available, of } => format!("all updated, {available} of {of} available"),
            Stands::Unready { ready, of } => format!("{ready} of {of} ready"),
        };
        Stand::Going(words + &held_up(workload, cluster))
    }
}

/// What is not done although the rollout is.
fn note(workload: Workload<'_>) -> Text {
    match workload {
        Workload::StatefulSet(row) if row.is_on_delete() => ON_DELETE.into(),
        Workload::DaemonSet(row) if row.is_on_delete() => ON_DELETE.into(),
        Workload::StatefulSet(row) => match row.partition {
            Some(partition) if partition > 0 => {
                format!("pods below number {partition} keep their template: that is its partition").into()
            }
            Some(_) | None => Text::default(),
        },
        Workload::Deployment(_) | Workload::DaemonSet(_) | Workload::ReplicaSet(_) | Workload::Job(_) => {
            Text::default()
        }
    }
}

const ON_DELETE: &str = "its strategy is OnDelete: a pod takes the template when somebody deletes it";

/// The pods that are not ready, by name.
fn held_up(workload: Workload<'_>, cluster: &Cluster) -> String {
    let pods = cluster.pods_of(workload);
    let mut unready: Vec<&Pod> =
        pods.into_iter().filter(|pod| !pod.is_ready() && !pod.phase.is_terminal()).collect();
    unready.sort_by(|one, other| {
        (!one.is_troubled(), &one.meta.name).cmp(&(!other.is_troubled(), &other.meta.name))
    });
    let named: Vec<String> = unready
        .iter()
        .take(MOST_NAMED)
        .map(|pod| format!("{} {}", pod.meta.name.name, pod.status()))
        .collect();
    let more = unready.len().saturating_sub(MOST_NAMED);
    let blocks = match workload {
        Workload::StatefulSet(row) => blocking(row, &row.update_revision, cluster).map(|pod| {
            format!(
                "; {} is of another revision and not replaced before somebody deletes it",
                pod.meta.name.name
            )
        }),
        Workload::Deployment(_) | Workload::DaemonSet(_) | Workload::ReplicaSet(_) | Workload::Job(_) => None,
    };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match named.as_slice() {
        [] => String::new(),
        named => format!(": {}{more}{}", named.join(", "), blocks.unwrap_or_default()),
    }
}

/// The pod that keeps a stateful set from taking a template: it goes in order and replaces no pod while one that is
/// not ready is of neither the old nor the new revision's making.
pub fn blocking<'a>(set: &'a StatefulSet, revision: &Text, cluster: &'a Cluster) -> Option<&'a Pod> {
    if set.pod_management == "Parallel" || set.is_on_delete() {
        return None;
    }
    let mut pods: Vec<(u32, &Pod)> = cluster
        .pods_of(Workload::StatefulSet(set))
        .into_iter()
        .filter_map(|pod| Some((pod.meta.name.name.rsplit_once('-')?.1.parse().ok()?, pod)))
        .collect();
    pods.sort_by_key(|(ordinal, _)| *ordinal);
    let (ordinal, pod) = pods.into_iter().find(|(_, pod)| !pod.is_ready())?;
    let is_other = pod.revision().is_some_and(|of| *of != **revision);
    let is_kept = set.partition.is_some_and(|partition| ordinal < partition);
    (is_other && !is_kept && !pod.meta.is_deleting()).then_some(pod)
}

/// A broken pod of a stateful set that is to go, so that it is made anew of the template that the set has by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocking {
    pub pod: ObjectRef,
    pub set: ObjectRef,
    /// What the set must be going to by then.
    pub revision: Text,
}

impl Blocking {
    pub fn of(pod: &Pod, set: &ObjectRef, revision: &Text) -> Self {
        Self { pod: pod.object(), set: set.clone(), revision: revision.clone() }
    }

    fn pod<'a>(&self, cluster: &'a Cluster) -> Option<&'a Pod> {
        cluster.pods.same(&self.pod)
    }

    pub fn sentence(&self) -> String {
        format!("delete {}, which blocks the way back", self.pod)
    }

    pub fn kubectl(&self) -> String {
        format!("kubectl delete pod -n {} {}", self.pod.name.namespace, self.pod.name.name)
    }

    pub fn guard(&self, cluster: &Cluster) -> Guard {
        let set = match same_workload(&self.set, cluster) {
            Err(reason) => return Guard::Stop { reason },
            Ok(Workload::StatefulSet(set)) => set,
            Ok(
                Workload::Deployment(_) | Workload::DaemonSet(_) | Workload::ReplicaSet(_) | Workload::Job(_),
            ) => return Guard::Stop { reason: format!("{} is no stateful set", self.set) },
        };
        let Some(pod) = self.pod(cluster) else {
            return Guard::Needless { reason: format!("{} is gone", self.pod) };
        };
        if pod.meta.is_deleting() {
            return Guard::UnderWay { reason: "it was going already".to_owned() };
        }
        // Its template may go by another name than the revision's, but not by that of the broken pod's.
        let is_of_pod = pod.revision().is_none_or(|of| *of == *set.update_revision);
        let is_behind = set.observed_generation < set.generation;
        if set.update_revision != self.revision && (is_of_pod || is_behind) {
            let reason = format!("waiting until {} goes to {}", self.set, self.revision);
            return Guard::Hold { reason };
        }
        if pod.is_ready() {
            return Guard::Needless { reason: format!("{} is ready by now", self.pod) };
        }
        Guard::Send(Call::DeleteBlocking(Box::new(self.clone())))
    }

    pub fn shown(&self, cluster: &Cluster) -> Shown {
        match self.pod(cluster) {
            None => Shown::Done,
            Some(pod) => pod.meta.deletion.map_or(Shown::Nothing, Shown::Going),
        }
    }

    pub fn refusal(&self, error: CallError) -> Refusal {
        match error {
            // The one that was meant is gone: the watch will show it.
            CallError::NotFound { reason } | CallError::Conflict { reason } => {
                Refusal::Again { pause: cordon::AGAIN, is_counted: true, reason }
            }
            other @ (CallError::ReadOnly
            | CallError::Unauthorized { .. }
            | CallError::Forbidden { .. }
            | CallError::Invalid { .. }
            | CallError::TooManyRequests { .. }
            | CallError::Broken { .. }
            | CallError::Unanswered { .. }) => cordon::refusal(other),
        }
    }
}
