//! An edit of a workload: one change of what is wanted, for the object and the spec that were looked at.
//!
//! Invariant: who has changed what is wanted since it was looked at is not overwritten. The version keeps out what
//! comes between the last look and the server; the generation, which counts changes of what is wanted and of nothing
//! else, what the watch has shown meanwhile. A status that moves on is no reason to stop.

use super::call::{CallError, Guard, Refusal, Shown};
use super::probe::Needed;
use super::{Call, Right, cordon};
use crate::cluster::{Cluster, Image, Kind, ObjectRef, Text, Workload};
use crate::revision::Template;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub object: ObjectRef,
    /// The version that was looked at: a later one is looked at before it is changed.
    pub version: Text,
    /// What was wanted when it was looked at, as the server counts it.
    pub generation: i64,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Revision(Box<Return>),
    /// Every pod is made anew, of the same template.
    Restart {
        at: Timestamp,
    },
    Pause,
    Resume,
    Scale {
        replicas: u32,
        /// When it was looked at, as below: for the way back.
        was: u32,
    },
    SetImage {
        container: Text,
        image: Text,
        was: Text,
        is_init: bool,
    },
}

/// Back to a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    pub number: i64,
    /// Of the object that holds it.
    pub name: Text,
    pub uid: Text,
    pub images: Vec<Image>,
    pub body: Body,
    /// What its pods need and what does not go back with it.
    pub needed: Vec<Needed>,
}

/// What goes to the server to go back: for each kind what kubectl sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The template and the annotations, each as a whole; only on the annotations that were read.
    Replace { template: Template, before: BTreeMap<String, String>, after: BTreeMap<String, String> },
    /// What the revision holds.
    Apply(Value),
}

pub const fn patch_right(kind: Kind) -> Right {
    Right { verb: "patch", group: kind.group(), resource: kind.plural(), subresource: "" }
}

/// What of a row an edit looks at.
struct Seen<'a> {
    version: &'a Text,
    generation: i64,
    images: &'a [Image],
    replicas: u32,
    is_paused: bool,
}

fn seen(workload: Workload<'_>) -> Option<Seen<'_>> {
    let (generation, is_paused) = match workload {
        Workload::Deployment(row) => (row.generation, row.is_paused),
        Workload::StatefulSet(row) => (row.generation, false),
        Workload::DaemonSet(row) => (row.generation, false),
        Workload::ReplicaSet(_) | Workload::Job(_) => return None,
    };
    let version = &workload.meta().resource_version;
    let replicas = workload.counts().desired;
    Some(Seen { version, generation, images: workload.images(), replicas, is_paused })
}

/// The workload that was meant, or why it is not there.
pub fn same_workload<'a>(object: &ObjectRef, cluster: &'a Cluster) -> Result<Workload<'a>, String> {
    match cluster.workload(object) {
        Some(workload) if workload.meta().is_deleting() => Err(format!("{object} is being deleted")),
        Some(workload) => Ok(workload),
        None if cluster.workload_named(object.kind, &object.name).is_some() => Err(cordon::anew(object)),
        None => Err(format!("{object} is gone")),
    }
}

impl Edit {
    /// Of a workload as it is now.
    pub fn of(object: &ObjectRef, change: Change, cluster: &Cluster) -> Result<Self, String> {
        let workload = same_workload(object, cluster)?;
        let seen = seen(workload).ok_or_else(|| format!("{object} cannot be edited so"))?;
        let (version, generation) = (seen.version.clone(), seen.generation);
        Ok(Self { object: object.clone(), version, generation, change })
    }

    /// What its pods will need that the edit does not bring.
    pub fn needed(&self) -> &[Needed] {
        match &self.change {
            Change::Revision(goal) => &goal.needed,
            Change::Restart { .. }
            | Change::Pause
            | Change::Resume
            | Change::Scale { .. }
            | Change::SetImage { .. } => &[],
        }
    }

    /// Whether there may be more pods for it, or other ones that ask for more. A daemon set's come one a node.
    pub fn makes_pods(&self) -> bool {
        match &self.change {
            Change::Revision(_) => self.object.kind != Kind::DaemonSet,
            Change::Scale { .. } => true,
            Change::Restart { .. } | Change::Pause | Change::Resume | Change::SetImage { .. } => false,
        }
    }

    pub fn right(&self) -> Right {
        patch_right(self.object.kind)
    }

    pub fn sentence(&self) -> String {
        let object = &self.object;
        match &self.change {
            Change::Revision(goal) => {
                format!("roll {object} back to revision {} ({})", goal.number, goal.name)
            }
            Change::Restart { .. } => format!("restart {object}"),
            Change::Pause => format!("pause the rollouts of {object}"),
            Change::Resume => format!("resume the rollouts of {object}"),
            Change::Scale { replicas, was } => format!("scale {object} from {was} to {replicas}"),
            Change::SetImage { container, image, .. } => {
                format!("set the image of {container} of {object} to {image}")
            }
        }
    }

    pub fn kubectl(&self) -> String {
        let object = &self.object;
        let of = format!(
            "-n {} {}/{}",
            object.name.namespace,
            object.kind.word().to_lowercase(),
            object.name.name
        );
        match &self.change {
            Change::Revision(goal) => format!("kubectl rollout undo {of} --to-revision={}", goal.number),
            Change::Restart { .. } => format!("kubectl rollout restart {of}"),
            Change::Pause => format!("kubectl rollout pause {of}"),
            Change::Resume => format!("kubectl rollout resume {of}"),
            Change::Scale { replicas, .. } => format!("kubectl scale {of} --replicas={replicas}"),
            Change::SetImage { container, image, .. } => {
                format!("kubectl set image {of} {container}={image}")
            }
        }
    }

    /// Whether it may be sent as things stand, and with which version.
    pub fn guard(&self, cluster: &Cluster) -> Guard {
        let object = &self.object;
        let seen = match same_workload(object, cluster) {
            Err(reason) => return Guard::Stop { reason },
            Ok(workload) => match seen(workload) {
                Some(seen) => seen,
                None => return Guard::Stop { reason: format!("{object} cannot be edited so") },
            },
        };
        if self.is_in(&seen) {
            return Guard::Needless { reason: format!("{object} is so already") };
        }
        if seen.generation > self.generation {
            let reason = format!("somebody has changed {object} since you looked at it: plan it again");
            return Guard::Stop { reason };
        }
        // Where the watch is behind what was read, the later version is the one that was read.
        let is_behind = seen.generation < self.generation;
        let version = if is_behind { self.version.clone() } else { seen.version.clone() };
        Guard::Send(Call::Edit(Box::new(Self { version, ..self.clone() })))
    }

    /// Whether what is to be set is set, where a row tells so by itself.
    fn is_in(&self, seen: &Seen<'_>) -> bool {
        match &self.change {
            Change::Pause => seen.is_paused,
            Change::Resume => !seen.is_paused,
            Change::Scale { replicas, .. } => seen.replicas == *replicas,
            Change::SetImage { container, image, .. } => {
                let mut images = seen.images.iter();
                images.any(|known| known.container == *container && known.image == *image)
            }
            Change::Revision(_) | Change::Restart { .. } => false,
        }
    }

    /// How far the watch shows it to be carried out: what is wanted has changed, and to this.
    pub fn shown(&self, cluster: &Cluster) -> Shown {
        let Ok(workload) = same_workload(&self.object, cluster) else { return Shown::Nothing };
        let Some(seen) = seen(workload) else { return Shown::Nothing };
        let is_in = seen.generation > self.generation
            && match &self.change {
                Change::Revision(goal) => goal.is_seen(workload, cluster),
                Change::Restart { .. } => true,
                Change::Pause | Change::Resume | Change::Scale { .. } | Change::SetImage { .. } => {
                    self.is_in(&seen)
                }
            };
        if is_in { Shown::Done } else { Shown::Nothing }
    }

    pub fn is_outdated(&self, cluster: &Cluster) -> bool {
        cluster.workload(&self.object).is_none_or(|row| row.meta().resource_version != self.version)
    }

    pub fn refusal(&self, error: CallError) -> Refusal {
        match error {
            CallError::Invalid { reason } => {
                let hint = "if somebody has changed it meanwhile, plan it again";
                Refusal::Final(format!("{reason}; {hint}").into())
            }
            other @ (CallError::ReadOnly
            | CallError::Unauthorized { .. }
            | CallError::Forbidden { .. }
            | CallError::NotFound { .. }
            | CallError::Conflict { .. }
            | CallError::TooManyRequests { .. }
            | CallError::Broken { .. }
            | CallError::Unanswered { .. }) => cordon::refusal(other),
        }
    }
}

impl Return {
    /// Whether a workload is on its way to it, or there.
    pub fn is_seen(&self, workload: Workload<'_>, cluster: &Cluster) -> bool {
        if *workload.images() != *self.images {
            return false;
        }
        match workload {
            // Its replica set is the one that is scaled up.
            Workload::Deployment(row) => {
                let sets = cluster.replica_sets_of(row);
                let set = sets.into_iter().find(|set| set.meta.uid == self.uid);
                set.is_some_and(|set| set.replicas > 0 || row.replicas == 0)
            }
            // A server that fills in more than it did when the revision was kept gives the same template a new name.
            Workload::StatefulSet(row) => {
                row.update_revision == self.name || row.observed_generation >= row.generation
            }
            Workload::DaemonSet(_) => true,
            Workload::ReplicaSet(_) | Workload::Job(_) => false,
        }
    }
}
