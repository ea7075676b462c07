//! Rollback: a deployment, stateful set or daemon set goes back to a revision that it has had, as kubectl's undo has
//! it, and its rollout is watched to its end.
//!
//! The templates are not among the rows, so the history is read in full when a review begins, and again when somebody
//! has changed the workload. Invariant: the target is remembered by the uid of what holds it; numbers move.

mod checks;

pub use checks::{checks, gone, judged, there};

use super::edit::{self, Body, Change, Edit, Return};
use super::probe::Needed;
use super::rollout::{self, Blocking, Rollout};
use super::{Call, Danger, Draft, Plan, Right, Spec, Step};
use crate::actions::call::Guard;
use crate::cluster::{Cluster, Kind, ObjectRef, Text, Workload};
use crate::revision::{History, NoTarget, Patch, Revision};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

const fn list(resource: &'static str) -> Right {
    Right { verb: "list", group: "apps", resource, subresource: "" }
}

const fn get(resource: &'static str) -> Right {
    Right { verb: "get", group: "apps", resource, subresource: "" }
}

pub const WORKLOADS: &[Kind] = &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];

pub const ROLLBACK: Spec = Spec {
    id: "rollback",
    title: "Rollback",
    doc: "Go back to an earlier revision of a workload, and watch the rollout.",
    kinds: WORKLOADS,
    danger: Danger::Reversible,
    rights: &[
        get("deployments"),
        get("statefulsets"),
        get("daemonsets"),
        list("replicasets"),
        list("controllerrevisions"),
        edit::patch_right(Kind::Deployment),
        edit::patch_right(Kind::StatefulSet),
        edit::patch_right(Kind::DaemonSet),
        rollout::DELETE_PODS,
    ],
    relies_on: &[Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Pod],
    looks_at: &[Kind::PersistentVolumeClaim, Kind::PodDisruptionBudget, Kind::Node],
};

/// Where to go back to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The number that somebody said; the revision before the newest where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Of what holds the revision, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Text>,
    /// Of what held the revision that was wanted before: the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Text>,
    /// What was read for it.
    #[serde(skip)]
    pub read: Read,
}

/// The history that a rollback is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Read {
    #[default]
    NotYet,
    Failed(Text),
    History(Arc<History>),
}

impl Goal {
    /// Takes what was read, and remembers by their uids what it is about.
    pub fn take(&mut self, read: Result<Arc<History>, Text>) {
        self.read = match read {
            Err(reason) => Read::Failed(reason),
            Ok(history) => {
                if self.uid.is_none() {
                    self.uid = history.target(self.to).ok().map(|revision| revision.uid.clone());
                }
                self.from = history.wanted().map(|revision| revision.uid.clone());
                Read::History(history)
            }
        };
    }

    /// The history with the revision to go back to, or why there is none. Nothing before it is read.
    pub fn target(&self) -> Option<Result<(&Arc<History>, &Revision), String>> {
        let history = match &self.read {
            Read::NotYet => return None,
            Read::Failed(reason) => return Some(Err(reason.to_string())),
            Read::History(history) => history,
        };
        let found = match &self.uid {
            Some(uid) => history.by_uid(uid).ok_or_else(|| NoTarget::Gone(uid.clone())),
            None => history.target(self.to),
        };
        let found = found.map_err(|none| format!("{}: {none}", history.object));
        Some(found.map(|revision| (history, revision)))
    }
}

/// What brings a repository to where a rollback goes back to; nothing before the history is read, or where it goes
/// nowhere.
pub fn patch(goal: &Goal) -> Option<Patch> {
    let (history, revision) = goal.target()?.ok()?;
    Patch::between(&history.object, &history.template, (revision.number, &revision.template))
}

/// What takes a rollback back: the revision that was wanted before it.
pub fn way_back(goal: &Goal) -> Option<Goal> {
    goal.from.clone().map(|uid| Goal { uid: Some(uid), ..Goal::default() })
}

/// The edit, the pod that would keep it from taking effect, and the rollout.
pub fn plan(draft: &Draft, goal: &Goal, cluster: &Cluster) -> Plan {
    let mut plan = Plan::of(Vec::new(), Danger::Reversible);
    let (Some(Ok((history, revision))), [object]) = (goal.target(), draft.targets.as_slice()) else {
        return plan;
    };
    if history.is_paused {
        return plan;
    }
    let blocking = blocking(object, revision, cluster);
    if revision.template == history.template {
        // It went back already, and nothing came of it.
        if let Some(blocking) = blocking {
            plan = Plan::of(vec![Step::Call(Call::DeleteBlocking(Box::new(blocking)))], Danger::Destructive);
            let after = history.generation - 1;
            plan.then(vec![Step::Rollout(Rollout { object: object.clone(), after, goal: None })]);
        }
        return plan;
    }
    let goal = Box::new(back_to(revision, history));
    let change = Change::Revision(goal.clone());
    let (version, generation) = (history.version.clone(), history.generation);
    let edit = Edit { object: object.clone(), version, generation, change };
    let Guard::Send(call @ Call::Edit(_)) = edit.guard(cluster) else { return plan };
    plan = Plan::of(vec![Step::Call(call)], Danger::Reversible);
    if let Some(blocking) = blocking {
        // It cannot be had back as it was: the operator names what it is for.
        plan.danger = Danger::Destructive;
        plan.then(vec![Step::Call(Call::DeleteBlocking(Box::new(blocking)))]);
    }
    plan.then(vec![Step::Rollout(Rollout { object: object.clone(), after: generation, goal: Some(goal) })]);
    plan
}

fn blocking(object: &ObjectRef, revision: &Revision, cluster: &Cluster) -> Option<Blocking> {
    match cluster.workload(object)? {
        Workload::StatefulSet(set) => {
            let pod = rollout::blocking(set, &revision.name, cluster)?;
            Some(Blocking::of(pod, object, &revision.name))
        }
        Workload::Deployment(_) | Workload::DaemonSet(_) | Workload::ReplicaSet(_) | Workload::Job(_) => None,
    }
}

fn back_to(revision: &Revision, history: &History) -> Return {
    let body = match &revision.patch {
        Some(patch) => Body::Apply(patch.clone()),
        None => Body::Replace {
            template: revision.template.clone(),
            before: history.annotations.clone(),
            after: annotations(&history.annotations, &revision.annotations),
        },
    };
    let Revision { number, name, uid, images, .. } = revision.clone();
    let replaced = history.replaced(revision);
    let namespace = &history.object.name.namespace;
    let needed = revision.template.references().into_iter();
    let needed = needed.map(|reference| Needed { reference, namespace: namespace.clone(), replaced });
    Return { number, name, uid, images, body, needed: needed.collect() }
}

/// What stays with the deployment, whatever its replica set says.
const KEPT: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// The annotations of a deployment that goes back, as kubectl's undo has them: its own of those that are its own, and
/// all others from the replica set. What else the deployment had is lost.
fn annotations(own: &BTreeMap<String, String>, held: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_kept = |key: &str| KEPT.contains(&key);
    let own = own.iter().filter(|(key, _)| is_kept(key));
    let held = held.iter().filter(|(key, _)| !is_kept(key));
    own.chain(held).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests;
