//! One write to the API server: what it changes, what must still hold when it is sent, and how the watch shows that
//! it was carried out.
//!
//! Invariant: a call names one object by its uid, so one that was created anew under the name is not touched.

use super::audit::Author;
use super::dangerous::Armed;
use super::dead_node::{Replacing, Unmark, replacing_refusal};
use super::drain::{self, Removal};
use super::edit::Edit;
use super::probe::{Access, Needed, Right};
use super::rollout::{self, Blocking};
use super::{RunId, cordon};
use crate::cluster::{Cluster, Deletion, Name, ObjectRef, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Takes a node out of scheduling, and writes on it who did and why.
    Cordon {
        node: ObjectRef,
        /// The version that was looked at: a later one is looked at before it is changed.
        version: Text,
        author: Author,
        why: Text,
    },
    /// Puts a node back into scheduling, and takes off it who had cordoned it.
    Uncordon {
        node: ObjectRef,
        version: Text,
        /// Only what this run has cordoned.
        of: Option<RunId>,
    },
    /// Asks for a pod to go, as far as its budget allows.
    Evict(Box<Removal>),
    /// Has a pod go, and asks no budget.
    DeletePod(Box<Removal>),
    /// Changes what is wanted of a workload.
    Edit(Box<Edit>),
    /// Has a pod go that keeps its stateful set from going back.
    DeleteBlocking(Box<Blocking>),
    /// Has a pod of a silent node made anew elsewhere.
    ReplacePod(Replacing),
    /// Takes the out-of-service taint off a node.
    Unmark(Unmark),
    /// Can ruin data, and was cleared.
    Dangerous(Box<Armed>),
}

/// What a call does, as records have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallKind {
    Cordon,
    Uncordon,
    Evict,
    DeletePod,
    Edit,
    DeleteBlocking,
    ReplacePod,
    Unmark,
    OutOfService,
    ReleasePod,
    DeleteAttachment,
    DeleteNode,
    RemoveFinalizer,
}

/// What the cluster says of a call that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// What the operator agreed to still holds: this is to be sent.
    Send(Call),
    /// It is so already.
    Needless { reason: String },
    /// It is on its way already, by somebody else's call or an earlier one.
    UnderWay { reason: String },
    /// Not now: what it waits for is looked at each time.
    Hold { reason: String },
    /// It is not what the operator agreed to any more.
    Stop { reason: String },
}

/// How far the watch shows a call to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// Its object is on its way out, and has until a deadline.
    Going(Deletion),
    /// It is on its way out, and is not waited for any longer.
    Left,
    Done,
}

/// What an answer that is no success means for the call that it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It will not be done, however often it is asked.
    Final(Text),
    /// The object has changed: its later state must be seen before it is tried again.
    Changed(Text),
    /// A disruption budget does not allow it now.
    Held {
        /// As far as the server names it.
        budget: Option<Name>,
        pause: SignedDuration,
        reason: Text,
    },
    /// The server has too much to do: nothing else is sent to it for so long.
    Busy { pause: SignedDuration, reason: Text },
    /// It is not known whether it was carried out, or why it was not may pass.
    Again {
        pause: SignedDuration,
        /// Given up after some tries.
        is_counted: bool,
        reason: Text,
    },
}

/// One detail of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// A word for programs.
    pub reason: Text,
    pub message: Text,
}

/// Why a call failed, by what has to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// It was not sent: nothing is changed in this session.
    ReadOnly,
    /// The credentials are not taken any more.
    Unauthorized {
        reason: Text,
    },
    Forbidden {
        reason: Text,
        causes: Vec<Cause>,
    },
    NotFound {
        reason: Text,
    },
    /// The object is another one, or another version, than the call was meant for.
    Conflict {
        reason: Text,
    },
    /// The server will not do this, however often it is asked.
    Invalid {
        reason: Text,
    },
    /// Not now. A budget, or the server's own load: the causes tell.
    TooManyRequests {
        reason: Text,
        pause: Option<SignedDuration>,
        causes: Vec<Cause>,
    },
    /// The server failed at it.
    Broken {
        reason: Text,
    },
    /// It is not known whether it was carried out.
    Unanswered {
        reason: Text,
    },
}

impl CallError {
    /// What went wrong, in the server's words where it has some.
    pub fn reason(&self) -> &str {
        match self {
            Self::ReadOnly => "not sent: this session is read-only",
            Self::Unauthorized { reason }
            | Self::Forbidden { reason, .. }
            | Self::NotFound { reason }
            | Self::Conflict { reason }
            | Self::Invalid { reason }
            | Self::TooManyRequests { reason, .. }
            | Self::Broken { reason }
            | Self::Unanswered { reason } => reason,
        }
    }
}

impl Call {
    pub fn kind(&self) -> CallKind {
        match self {
            Self::Cordon { .. } => CallKind::Cordon,
            Self::Uncordon { .. } => CallKind::Uncordon,
            Self::Evict(_) => CallKind::Evict,
            Self::DeletePod(_) => CallKind::DeletePod,
            Self::Edit(_) => CallKind::Edit,
            Self::DeleteBlocking(_) => CallKind::DeleteBlocking,
            Self::ReplacePod(_) => CallKind::ReplacePod,
            Self::Unmark(_) => CallKind::Unmark,
            Self::Dangerous(armed) => armed.what().kind(),
        }
    }

    pub fn object(&self) -> &ObjectRef {
        match self {
            Self::Cordon { node, .. } | Self::Uncordon { node, .. } => node,
            Self::Evict(removal) | Self::DeletePod(removal) => &removal.pod,
            Self::Edit(edit) => &edit.object,
            Self::DeleteBlocking(blocking) => &blocking.pod,
            Self::ReplacePod(replacing) => &replacing.pod,
            Self::Unmark(unmark) => &unmark.node,
            Self::Dangerous(armed) => armed.what().object(),
        }
    }

    /// The pod that is to go, where it is about one.
    pub const fn removal(&self) -> Option<&Removal> {
        match self {
            Self::Evict(removal) | Self::DeletePod(removal) => Some(removal),
            Self::Cordon { .. }
            | Self::Uncordon { .. }
            | Self::Edit(_)
            | Self::DeleteBlocking(_)
            | Self::ReplacePod(_)
            | Self::Unmark(_)
            | Self::Dangerous(_) => None,
        }
    }

    /// The change of what is wanted, where it is one.
    pub fn edit(&self) -> Option<&Edit> {
        if let Self::Edit(edit) = self { Some(edit) } else { None }
    }

    /// What the user must be allowed for it.
    pub fn access(&self) -> Access {
        Access::to(self.right(), self.object())
    }

    fn right(&self) -> Right {
        match self {
            Self::Cordon { .. } | Self::Uncordon { .. } | Self::Unmark(_) => cordon::PATCH_NODES,
            Self::Evict(_) => drain::EVICT_PODS,
            Self::DeletePod(_) | Self::ReplacePod(_) => drain::DELETE_PODS,
            Self::Edit(edit) => edit.right(),
            Self::DeleteBlocking(_) => rollout::DELETE_PODS,
            Self::Dangerous(armed) => armed.what().access().right,
        }
    }

    /// What it makes pods need that nobody has looked at.
    pub fn needed(&self) -> &[Needed] {
        match self {
            Self::Edit(edit) => edit.needed(),
            Self::Cordon { .. }
            | Self::Uncordon { .. }
            | Self::Evict(_)
            | Self::DeletePod(_)
            | Self::DeleteBlocking(_)
            | Self::ReplacePod(_)
            | Self::Unmark(_)
            | Self::Dangerous(_) => &[],
        }
    }

    /// The namespace whose autoscalers and quotas have a say in it.
    pub fn extent(&self) -> Option<&Text> {
        if let Self::Edit(edit) = self {
            edit.makes_pods().then_some(&edit.object.name.namespace)
        } else {
            None
        }
    }

    /// Whether the server is asked beforehand what it would say. Not for pods: that would be a call for each, and
    /// what a budget says then is old when it counts.
    pub const fn is_tried(&self) -> bool {
        match self {
            Self::Cordon { .. }
            | Self::Uncordon { .. }
            | Self::Edit(_)
            | Self::DeleteBlocking(_)
            | Self::Unmark(_) => true,
            Self::Evict(_) | Self::DeletePod(_) | Self::ReplacePod(_) | Self::Dangerous(_) => false,
        }
    }

    /// What it does, as a step of a plan is told.
    pub fn sentence(&self) -> String {
        match self {
            Self::Cordon { node, .. } => format!("cordon {node}"),
            Self::Uncordon { node, .. } => format!("uncordon {node}"),
            Self::Evict(removal) => format!("evict {}", removal.pod),
            Self::DeletePod(removal) => format!("delete {}, past its budget", removal.pod),
            Self::Edit(edit) => edit.sentence(),
            Self::DeleteBlocking(blocking) => blocking.sentence(),
            Self::ReplacePod(replacing) => format!("have {} made anew elsewhere", replacing.pod),
            Self::Unmark(unmark) => unmark.sentence(),
            Self::Dangerous(armed) => armed.what().sentence(),
        }
    }

    /// The command that comes nearest to it.
    pub fn kubectl(&self) -> Option<String> {
        Some(match self {
            Self::Cordon { node, .. } => format!("kubectl cordon {}", node.name),
            Self::Uncordon { node, .. } => format!("kubectl uncordon {}", node.name),
            // There is none but drain itself.
            Self::Evict(_) => return None,
            Self::Unmark(unmark) => unmark.kubectl(),
            Self::Dangerous(armed) => return armed.what().kubectl(),
            Self::DeletePod(_) | Self::ReplacePod(_) => {
                let name = &self.object().name;
                format!("kubectl delete pod -n {} {}", name.namespace, name.name)
            }
            Self::Edit(edit) => edit.kubectl(),
            Self::DeleteBlocking(blocking) => blocking.kubectl(),
        })
    }

    /// The same, as it is written on the object that it was done then: a call may have waited long for its turn.
    #[must_use]
    pub fn dated(mut self, at: Timestamp) -> Self {
        if let Self::Cordon { author, .. } = &mut self {
            author.at = at;
        }
        self
    }

    /// Whether it may be sent as things stand, and with which version.
    pub fn guard(&self, cluster: &Cluster) -> Guard {
        match self {
            Self::Cordon { node, author, why, .. } => cordon::guard_cordon(node, (author, why), cluster),
            Self::Uncordon { node, of, .. } => cordon::guard_uncordon(node, of.as_ref(), cluster),
            Self::Evict(removal) | Self::DeletePod(removal) => removal.guard(self, cluster),
            Self::Edit(edit) => edit.guard(cluster),
            Self::DeleteBlocking(blocking) => blocking.guard(cluster),
            Self::ReplacePod(replacing) => replacing.guard(self, cluster),
            Self::Unmark(unmark) => unmark.guard(cluster),
            Self::Dangerous(armed) => armed.guard(self),
        }
    }

    /// How far the watch shows it to be carried out.
    pub fn shown(&self, cluster: &Cluster, now: Timestamp) -> Shown {
        let done = |is_done| if is_done { Shown::Done } else { Shown::Nothing };
        match self {
            Self::Cordon { node, author, .. } => done(cordon::is_cordoned_by(node, &author.run, cluster)),
            Self::Uncordon { node, .. } => done(cordon::is_uncordoned(node, cluster)),
            Self::Evict(removal) | Self::DeletePod(removal) => removal.shown(cluster, now),
            Self::Edit(edit) => edit.shown(cluster),
            Self::DeleteBlocking(blocking) => blocking.shown(cluster),
            Self::ReplacePod(replacing) => replacing.shown(cluster),
            Self::Unmark(unmark) => unmark.shown(cluster),
            Self::Dangerous(armed) => armed.what().shown(cluster),
        }
    }

    /// Whether the watch shows a later state than the one that the call was meant for.
    pub fn is_outdated(&self, cluster: &Cluster) -> bool {
        match self {
            Self::Cordon { node, version, .. } | Self::Uncordon { node, version, .. } => {
                cluster.nodes.get(&node.name).is_none_or(|row| row.meta.resource_version != *version)
            }
            // Meant for a pod by its uid, in whatever state; and what is dangerous is looked at anew, all of it.
            Self::Evict(_)
            | Self::DeletePod(_)
            | Self::DeleteBlocking(_)
            | Self::ReplacePod(_)
            | Self::Dangerous(_) => true,
            Self::Edit(edit) => edit.is_outdated(cluster),
            Self::Unmark(unmark) => unmark.is_outdated(cluster),
        }
    }

    /// What a refusal means for it.
    pub fn refusal(&self, error: CallError) -> Refusal {
        match self {
            Self::Cordon { .. } | Self::Uncordon { .. } => cordon::refusal(error),
            Self::Unmark(unmark) => unmark.refusal(error),
            Self::ReplacePod(_) => replacing_refusal(error),
            Self::Dangerous(armed) => armed.refusal(error),
            Self::Evict(removal) | Self::DeletePod(removal) => removal.refusal(error),
            Self::Edit(edit) => edit.refusal(error),
            Self::DeleteBlocking(blocking) => blocking.refusal(error),
        }
    }
}
