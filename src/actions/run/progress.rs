//! Where a step of a run stands, and how a run ends.

use crate::cluster::{Name, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Pending,
    /// A call or a question is on its way.
    InFlight {
        since: Timestamp,
    },
    Waiting {
        since: Timestamp,
        until: Until,
        reason: Text,
    },
    /// `note` is what should be known of how it was done; mostly empty.
    Done {
        at: Timestamp,
        note: Text,
    },
    Skipped {
        reason: SkipReason,
    },
    Failed {
        reason: Text,
    },
}

/// What ends a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The server accepted it: the watch must show it.
    Shown,
    /// The object has changed: its later state must be seen.
    Changed,
    /// It is not known whether it was carried out, or the server was busy: it is looked at, and tried again then.
    Again(Timestamp),
    /// A budget does not allow it: it is tried again then, or as soon as the watch shows that the budget does.
    Budget { budget: Option<Name>, again: Timestamp },
    /// The pod is on its way out, and is killed when it is still there then.
    Gone { deadline: Timestamp, grace_seconds: i64 },
    /// Its node does not answer: begun when that is back, given up when it stays away.
    Node,
    /// What it waits for is looked at each time.
    Seen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    Needless(Text),
    Stopped(Text),
    /// Somebody left it out while it ran.
    Chosen(Text),
    /// It is on its way out, and was not waited for, as was asked.
    Left(Text),
}

impl SkipReason {
    pub const fn text(&self) -> &Text {
        match self {
            Self::Needless(text) | Self::Stopped(text) | Self::Chosen(text) | Self::Left(text) => text,
        }
    }

    /// Whether all that was wanted is so, or will be.
    pub const fn is_fine(&self) -> bool {
        match self {
            Self::Needless(_) | Self::Left(_) => true,
            Self::Stopped(_) | Self::Chosen(_) => false,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Done,
    /// Some steps were done and some were not.
    Partly,
    Stopped,
    /// Nothing was done.
    Failed,
}

impl Outcome {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

impl Progress {
    pub fn done(at: Timestamp) -> Self {
        Self::Done { at, note: Text::default() }
    }

    pub fn failed(reason: impl Into<Text>) -> Self {
        Self::Failed { reason: reason.into() }
    }

    pub fn skipped(reason: SkipReason) -> Self {
        Self::Skipped { reason }
    }

    pub fn waiting(since: Timestamp, until: Until, reason: impl Into<Text>) -> Self {
        Self::Waiting { since, until, reason: reason.into() }
    }

    pub const fn is_over(&self) -> bool {
        match self {
            Self::Done { .. } | Self::Skipped { .. } | Self::Failed { .. } => true,
            Self::Pending | Self::InFlight { .. } | Self::Waiting { .. } => false,
        }
    }

    pub const fn is_in_flight(&self) -> bool {
        matches!(self, Self::InFlight { .. })
    }

    /// Whether it is over and well.
    pub const fn is_fine(&self) -> bool {
        match self {
            Self::Done { .. } => true,
            Self::Skipped { reason } => reason.is_fine(),
            Self::Pending | Self::InFlight { .. } | Self::Waiting { .. } | Self::Failed { .. } => false,
        }
    }

    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InFlight { .. } => "in flight",
            Self::Waiting { .. } => "waiting",
            Self::Done { .. } => "done",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
        }
    }

    /// Why it stands so, where that says more than the word.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pending | Self::InFlight { .. } => None,
            Self::Done { note, .. } => note.non_empty(),
            Self::Waiting { reason, .. } | Self::Failed { reason } => Some(reason),
            Self::Skipped { reason } => Some(reason.text()),
        }
    }

    /// When it is tried again, where it is.
    pub const fn next_try(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting { until: Until::Again(at) | Until::Budget { again: at, .. }, .. } => Some(*at),
            Self::Waiting {
                until: Until::Shown | Until::Changed | Until::Gone { .. } | Until::Node | Until::Seen,
                ..
            }
            | Self::Pending
            | Self::InFlight { .. }
            | Self::Done { .. }
            | Self::Skipped { .. }
            | Self::Failed { .. } => None,
        }
    }
}

pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}
