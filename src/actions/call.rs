//! One write to the API server: what it changes, what must still hold when it is sent, and how the watch shows that
//! it was carried out.
//!
//! Invariant: a call names one object by its uid, so one that was created anew under the name is not touched.

use super::audit::Author;
use super::probe::{Access, Right};
use super::{RunId, cordon};
use crate::cluster::{Cluster, ObjectRef, Text};
use jiff::SignedDuration;

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
}

/// What the cluster says of a call that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// What the operator agreed to still holds: this is to be sent.
    Send(Call),
    /// It is so already.
    Needless { reason: String },
    /// It is not what the operator agreed to any more.
    Stop { reason: String },
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
        causes: Vec<Text>,
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
        causes: Vec<Text>,
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
    pub const fn object(&self) -> &ObjectRef {
        match self {
            Self::Cordon { node, .. } | Self::Uncordon { node, .. } => node,
        }
    }

    /// What the user must be allowed for it.
    pub fn access(&self) -> Access {
        Access::to(self.right(), self.object())
    }

    const fn right(&self) -> Right {
        match self {
            Self::Cordon { .. } | Self::Uncordon { .. } => cordon::PATCH_NODES,
        }
    }

    /// What it does, as a step of a plan is told.
    pub fn sentence(&self) -> String {
        match self {
            Self::Cordon { node, .. } => format!("cordon {node}"),
            Self::Uncordon { node, .. } => format!("uncordon {node}"),
        }
    }

    /// The command that comes nearest to it.
    pub fn kubectl(&self) -> String {
        match self {
            Self::Cordon { node, .. } => format!("kubectl cordon {}", node.name),
            Self::Uncordon { node, .. } => format!("kubectl uncordon {}", node.name),
        }
    }

    /// Whether it may be sent as things stand, and with which version.
    pub fn guard(&self, cluster: &Cluster) -> Guard {
        match self {
            Self::Cordon { node, author, why, .. } => cordon::guard_cordon(node, (author, why), cluster),
            Self::Uncordon { node, of, .. } => cordon::guard_uncordon(node, of.as_ref(), cluster),
        }
    }

    /// Whether the watch shows that it was carried out.
    pub fn is_seen(&self, cluster: &Cluster) -> bool {
        match self {
            Self::Cordon { node, author, .. } => cordon::is_cordoned_by(node, &author.run, cluster),
            Self::Uncordon { node, .. } => cordon::is_uncordoned(node, cluster),
        }
    }

    /// Whether the watch shows a later state than the one that the call was meant for.
    pub fn is_outdated(&self, cluster: &Cluster) -> bool {
        match self {
            Self::Cordon { node, version, .. } | Self::Uncordon { node, version, .. } => {
                cluster.nodes.get(&node.name).is_none_or(|row| row.meta.resource_version != *version)
            }
        }
    }
}
