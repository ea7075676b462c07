//! Guided actions: operations on the cluster that can be read, checked, run, watched, stopped and found again.
//!
//! A [`Draft`] says what is wanted. [`Draft::plan`] makes of it, from the cluster alone, the steps; [`preflight`]
//! says with the answers of probes whether they may be taken; [`Run`] takes them one by one and believes the watch,
//! not the responses. All of it is values: who sends, writes and waits is the shell.

pub mod audit;
pub mod call;
mod cordon;
pub mod drain;
pub mod evidence;
pub mod history;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod run;
pub mod target;

pub use audit::{Author, Record, RunId};
pub use call::{Call, CallError, CallKind};
pub use plan::{Danger, Plan, Step};
pub use preflight::{Check, Preflight, Verdict};
pub use probe::{Access, Answer, Answers, Probe, Right};
pub use run::{Order, Outcome, Phase, Progress, Run, Steer};

use crate::cluster::{Cluster, Feed, Kind, ObjectRef, Sync, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The guided actions that there are. The ids are in users' scripts, keymaps and journals: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionKind {
    Cordon,
    Uncordon,
    Drain,
}

/// What the table knows of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    pub id: &'static str,
    /// Imperative and short, for the hint bar.
    pub title: &'static str,
    /// One sentence, for help.
    pub doc: &'static str,
    /// What it is done to.
    pub kinds: &'static [Kind],
    pub danger: Danger,
    /// What the user must be allowed to do, beside watching what the action relies on.
    pub rights: &'static [Right],
    /// The kinds that must be seen live before it, and while it runs.
    pub relies_on: &'static [Kind],
    /// The kinds that its check tells more with: read before it, as far as they may be.
    pub looks_at: &'static [Kind],
}

impl ActionKind {
    pub const ALL: &'static [Self] = &[Self::Cordon, Self::Uncordon, Self::Drain];

    pub const fn spec(self) -> Spec {
        match self {
            Self::Cordon => cordon::CORDON,
            Self::Uncordon => cordon::UNCORDON,
            Self::Drain => drain::DRAIN,
        }
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.spec().id == id)
    }
}

/// An action with its options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Action {
    Cordon,
    Uncordon {
        /// Only what this run has cordoned: how it is undone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<RunId>,
    },
    Drain {
        #[serde(default)]
        options: drain::Options,
    },
}

impl Action {
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Cordon => ActionKind::Cordon,
            Self::Uncordon { .. } => ActionKind::Uncordon,
            Self::Drain { .. } => ActionKind::Drain,
        }
    }
}

impl From<ActionKind> for Action {
    /// With the options that hold when nobody says otherwise.
    fn from(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Cordon => Self::Cordon,
            ActionKind::Uncordon => Self::Uncordon { of: None },
            ActionKind::Drain => Self::Drain { options: drain::Options::default() },
        }
    }
}

/// What is wanted: of whom, and why. Nothing of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub action: Action,
    /// With the uids that the user saw.
    pub targets: Vec<ObjectRef>,
    /// For the journal, and for whoever finds the outcome.
    pub why: Text,
}

impl Draft {
    /// The steps, from the cluster alone: nobody is asked, and nothing is known of what is allowed.
    pub fn plan(&self, cluster: &Cluster, author: &Author) -> Plan {
        let danger = self.action.kind().spec().danger;
        match &self.action {
            Action::Cordon => Plan::of(cordon::cordon_steps(self, cluster, author), danger),
            Action::Uncordon { of } => {
                Plan::of(cordon::uncordon_steps(&self.targets, of.as_ref(), cluster), danger)
            }
            Action::Drain { options } => drain::plan(self, options, (cluster, author)),
        }
    }

    /// What the cluster says of the targets, each at least once.
    fn checks(&self, sight: &Sight<'_>) -> Vec<Check> {
        match &self.action {
            Action::Cordon => cordon::cordon_checks(self, sight),
            Action::Uncordon { of } => cordon::uncordon_checks(&self.targets, of.as_ref(), sight),
            Action::Drain { options } => drain::checks(self, options, sight),
        }
    }
}

/// What is to be seen when something is decided.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    pub cluster: &'a Cluster,
    pub now: Timestamp,
    /// Why the API server does not answer, where it does not.
    pub outage: Option<&'a Text>,
    pub is_read_only: bool,
}

impl Sight<'_> {
    /// Why what is known of these kinds may be old; nothing where it follows the cluster.
    pub fn staleness(&self, kinds: &[Kind]) -> Option<String> {
        if let Some(reason) = self.outage {
            return Some(reason.to_string());
        }
        kinds.iter().find_map(|kind| {
            let what = kind.plural();
            match self.cluster.feed(Feed::Watch(*kind)).sync {
                Sync::Live { .. } => None,
                Sync::Waiting | Sync::Listing { .. } => Some(format!("{what} are still being read")),
                Sync::Down { reason, .. } => Some(format!("the watch of {what} broke: {reason}")),
                Sync::Forbidden { reason } => Some(format!("{what} may not be read: {reason}")),
                Sync::Absent { reason } => Some(format!("the server has no {what}: {reason}")),
            }
        })
    }
}

#[cfg(test)]
mod tests;
