//! One pod that is asked to go, by eviction or by deletion: when that may be sent, what a refusal of it means, and how
//! the watch shows how far it is.
//!
//! Invariant: it is done when the pod of that uid is gone from the watch, whatever the server answered. One that was
//! created anew under the name is another pod, and is not touched.

use super::choice::is_overdue;
use crate::actions::call::{Call, CallError, Cause, Guard, Refusal, Shown};
use crate::actions::cordon;
use crate::cluster::{Cluster, Name, ObjectRef, Pod, Readiness};
use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    pub pod: ObjectRef,
    /// The node that is drained.
    pub node: ObjectRef,
    /// Whose pod it is, where that is known.
    pub workload: Option<ObjectRef>,
    /// In seconds; nothing is the pod's own.
    pub grace: Option<u32>,
    /// Seconds past its deadline after which it is not waited for; 0 waits.
    pub skip_wait: u32,
}

/// Between two tries of a pod whose budget is spent: kubectl's.
const BUDGET_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Between two tries of what failed for a reason that may pass.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// A node that is silent for so long, after the grace that the controller gave it, is no flap.
pub const SILENCE_BORNE: SignedDuration = SignedDuration::from_secs(30);

impl Removal {
    /// The pod that was meant, while it is there.
    pub fn pod<'a>(&self, cluster: &'a Cluster) -> Option<&'a Pod> {
        cluster.pods.same(&self.pod)
    }

    /// How far it is on its way, as the watch shows it.
    pub fn shown(&self, cluster: &Cluster, now: Timestamp) -> Shown {
        let Some(pod) = self.pod(cluster) else { return Shown::Done };
        match pod.meta.deletion {
            None => Shown::Nothing,
            Some(_) if is_overdue(self.skip_wait, pod, now) => Shown::Left,
            Some(deletion) => Shown::Going(deletion),
        }
    }

    /// Whether it may be sent: the node is still the one that was cordoned, and somebody there confirms what goes.
    pub fn guard(&self, call: &Call, cluster: &Cluster) -> Guard {
        let node = match cordon::same_node(&self.node, cluster) {
            Ok(node) => node,
            Err(reason) => return Guard::Stop { reason },
        };
        let Some(pod) = self.pod(cluster) else {
            return Guard::Needless { reason: format!("{} is gone", self.pod) };
        };
        if !node.is_cordoned() {
            return Guard::Stop { reason: format!("{} is not cordoned any more", self.node) };
        }
        match node.readiness() {
            Readiness::Silent => Guard::Hold {
                reason: format!(
                    "{} fell silent: nothing there would confirm that the pod is gone",
                    self.node
                ),
            },
            // It has its deadline, and a later one is not given by asking again.
            Readiness::Ready | Readiness::NotReady | Readiness::New
                if pod.meta.is_deleting() && self.grace.is_none() =>
            {
                Guard::UnderWay { reason: "it was going already".to_owned() }
            }
            Readiness::Ready | Readiness::NotReady | Readiness::New => Guard::Send(call.clone()),
        }
    }

    /// What a refusal means for a pod that was to go.
    pub fn refusal(&self, error: CallError) -> Refusal {
        let again = |reason, is_counted| Refusal::Again { pause: AGAIN, is_counted, reason };
        match error {
            CallError::TooManyRequests { reason, pause, causes } => {
                match causes.into_iter().find(|cause| cause.reason == *"DisruptionBudget") {
                    Some(Cause { message, .. }) => Refusal::Held {
                        budget: self.budget_in(&message),
                        pause: pause.unwrap_or_default().max(BUDGET_AGAIN),
                        reason: if message.is_empty() { reason } else { message },
                    },
                    // Not of this pod: the server has too much to do, and every other call would add to it.
                    None => Refusal::Busy { pause: pause.unwrap_or(AGAIN), reason },
                }
            }
            CallError::Forbidden { reason, causes } => {
                if causes.iter().any(|cause| cause.reason == *"NamespaceTerminating") {
                    return again(reason, false);
                }
                Refusal::Final(reason)
            }
            // No later try is answered otherwise.
            CallError::Broken { reason } if reason.contains("more than one PodDisruptionBudget") => {
                Refusal::Final(reason)
            }
            // The one that was meant is gone, or another one has its name by now, which the watch will show; or the
            // server failed at it, which may pass.
            CallError::NotFound { reason }
            | CallError::Conflict { reason }
            | CallError::Broken { reason } => again(reason, true),
            CallError::Unanswered { reason } | CallError::Unauthorized { reason } => again(reason, false),
            CallError::ReadOnly => Refusal::Final(CallError::ReadOnly.reason().into()),
            CallError::Invalid { reason } => Refusal::Final(reason),
        }
    }

    /// The budget that the server names: `The disruption budget web needs 2 healthy pods and has 2 currently`.
    fn budget_in(&self, message: &str) -> Option<Name> {
        let (_, rest) = message.split_once("disruption budget ")?;
        let name = rest.split_whitespace().next()?;
        Some(Name::new(self.pod.name.namespace.clone(), name))
    }
}
