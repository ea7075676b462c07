//! Where a rollout stands: what `kubectl rollout status` says, by its own rules and in their order.
//!
//! What a kind's rules are is with its row; here is what they can come to.

use super::{Condition, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// The controller has not looked at the newest spec yet.
    Unobserved,
    /// It made no progress for longer than its deadline.
    DeadlineExceeded {
        since: Option<Timestamp>,
    },
    /// So many of the pods are of the newest template.
    Updating {
        updated: u32,
        of: u32,
    },
    /// All are updated, and so many old ones have still to go.
    Ending {
        old: u32,
    },
    /// All are updated, and so many of them are available.
    Waiting {
        available: u32,
        of: u32,
    },
    /// So many are ready: of a stateful set that is looked at before what is updated.
    Unready {
        ready: u32,
        of: u32,
    },
    Complete,
}

impl Rollout {
    pub const fn is_complete(self) -> bool {
        match self {
            Self::Complete => true,
            Self::Unobserved
            | Self::DeadlineExceeded { .. }
            | Self::Updating { .. }
            | Self::Ending { .. }
            | Self::Waiting { .. }
            | Self::Unready { .. } => false,
        }
    }
}

/// How many pods there are of a workload, by how far they are. What a kind does not count is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub desired: u32,
    pub updated: Option<u32>,
    pub ready: u32,
    pub available: Option<u32>,
}

/// A container of a template and its image. The rest of a template is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub container: Text,
    pub image: Text,
    pub is_init: bool,
}

pub(super) fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == *kind)
}
