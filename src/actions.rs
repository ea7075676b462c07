//! Guided actions: operations on the cluster that can be read, checked, run, watched, stopped and found again.
//!
//! A [`Draft`] says what is wanted. [`Draft::plan`] makes of it, from the cluster alone, the steps; [`preflight`]
//! says with the answers of probes whether they may be taken; [`Run`] takes them one by one and believes the watch,
//! not the responses. All of it is values: who sends, writes and waits is the shell.

pub mod audit;
pub mod call;
mod cordon;
pub mod dangerous;
mod dead_node;
pub mod drain;
pub mod edit;
pub mod errand;
pub mod evidence;
pub mod extent;
pub mod history;
pub mod image;
mod machine;
pub mod milestone;
pub mod next;
pub mod others;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod rollback;
pub mod rollout;
mod room;
pub mod run;
pub mod target;
pub mod toll;
pub mod undo;
mod workload;

pub use audit::{Author, Record, RunId};
pub use call::{Call, CallError, CallKind};
pub use dangerous::Dangerous;
pub use dead_node::{Replacing, Unmark};
pub use errand::{Errand, Kit, Purpose, Ran};
pub use evidence::Cleared;
pub use milestone::Milestone;
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
    Rollback,
    Restart,
    Pause,
    Resume,
    Scale,
    SetImage,
    RestartKubelet,
    Fence,
    ReturnToService,
    ReplacePods,
    ForceDetach,
    Retire,
    ReleasePod,
    DetachVolume,
    DeleteAttachment,
    DeleteNode,
    RemoveFinalizer,
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
    pub const ALL: &'static [Self] = &[
        Self::Cordon,
        Self::Uncordon,
        Self::Drain,
        Self::Rollback,
        Self::Restart,
        Self::Pause,
        Self::Resume,
        Self::Scale,
        Self::SetImage,
        Self::RestartKubelet,
        Self::Fence,
        Self::ReturnToService,
        Self::ReplacePods,
        Self::ForceDetach,
        Self::Retire,
        Self::ReleasePod,
        Self::DetachVolume,
        Self::DeleteAttachment,
        Self::DeleteNode,
        Self::RemoveFinalizer,
    ];

    pub const fn spec(self) -> Spec {
        match self {
            Self::Cordon => cordon::CORDON,
            Self::Uncordon => cordon::UNCORDON,
            Self::Drain => drain::DRAIN,
            Self::Rollback => rollback::ROLLBACK,
            Self::Restart => workload::RESTART,
            Self::Pause => workload::PAUSE,
            Self::Resume => workload::RESUME,
            Self::Scale => workload::SCALE,
            Self::SetImage => workload::SET_IMAGE,
            Self::RestartKubelet => machine::RESTART_KUBELET,
            Self::Fence => machine::FENCE,
            Self::ReturnToService => dead_node::RETURN_TO_SERVICE,
            Self::ReplacePods => dead_node::REPLACE_PODS,
            Self::ForceDetach => dead_node::FORCE_DETACH,
            Self::Retire => dead_node::RETIRE,
            Self::ReleasePod => dead_node::RELEASE_POD,
            Self::DetachVolume => dead_node::DETACH_VOLUME,
            Self::DeleteAttachment => dead_node::DELETE_ATTACHMENT,
            Self::DeleteNode => dead_node::DELETE_NODE,
            Self::RemoveFinalizer => dead_node::REMOVE_FINALIZER,
        }
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.spec().id == id)
    }

    /// Whether it is for what is broken, and not for every day.
    pub const fn is_repair(self) -> bool {
        match self {
            Self::RestartKubelet
            | Self::Fence
            | Self::ReturnToService
            | Self::ReplacePods
            | Self::ForceDetach
            | Self::Retire
            | Self::ReleasePod
            | Self::DetachVolume
            | Self::DeleteAttachment
            | Self::DeleteNode
            | Self::RemoveFinalizer => true,
            Self::Cordon
            | Self::Uncordon
            | Self::Drain
            | Self::Rollback
            | Self::Restart
            | Self::Pause
            | Self::Resume
            | Self::Scale
            | Self::SetImage => false,
        }
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
    Rollback {
        #[serde(default, flatten)]
        goal: rollback::Goal,
    },
    Restart,
    Pause,
    Resume,
    Scale {
        /// Nobody has said how many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replicas: Option<u32>,
        /// Instead: what a run has set, to be had back as it was.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        back: Vec<undo::Back>,
    },
    SetImage {
        /// `CONTAINER=IMAGE`, as it is typed.
        #[serde(default)]
        image: Text,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        back: Vec<undo::Back>,
    },
    RestartKubelet,
    Fence,
    ReturnToService,
    ReplacePods,
    ForceDetach,
    Retire,
    ReleasePod,
    DetachVolume,
    DeleteAttachment,
    DeleteNode,
    RemoveFinalizer {
        /// Which; nothing is the only one that there is.
        #[serde(default)]
        finalizer: Text,
    },
}

impl Action {
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Cordon => ActionKind::Cordon,
            Self::Uncordon { .. } => ActionKind::Uncordon,
            Self::Drain { .. } => ActionKind::Drain,
            Self::Rollback { .. } => ActionKind::Rollback,
            Self::Restart => ActionKind::Restart,
            Self::Pause => ActionKind::Pause,
            Self::Resume => ActionKind::Resume,
            Self::Scale { .. } => ActionKind::Scale,
            Self::SetImage { .. } => ActionKind::SetImage,
            Self::RestartKubelet => ActionKind::RestartKubelet,
            Self::Fence => ActionKind::Fence,
            Self::ReturnToService => ActionKind::ReturnToService,
            Self::ReplacePods => ActionKind::ReplacePods,
            Self::ForceDetach => ActionKind::ForceDetach,
            Self::Retire => ActionKind::Retire,
            Self::ReleasePod => ActionKind::ReleasePod,
            Self::DetachVolume => ActionKind::DetachVolume,
            Self::DeleteAttachment => ActionKind::DeleteAttachment,
            Self::DeleteNode => ActionKind::DeleteNode,
            Self::RemoveFinalizer { .. } => ActionKind::RemoveFinalizer,
        }
    }

    /// The options that are filled in before it is checked, where there are some.
    pub const fn options(&self) -> Option<&drain::Options> {
        if let Self::Drain { options } = self { Some(options) } else { None }
    }

    pub const fn options_mut(&mut self) -> Option<&mut drain::Options> {
        if let Self::Drain { options } = self { Some(options) } else { None }
    }
}

impl From<ActionKind> for Action {
    /// With the options that hold when nobody says otherwise.
    fn from(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Cordon => Self::Cordon,
            ActionKind::Uncordon => Self::Uncordon { of: None },
            ActionKind::Drain => Self::Drain { options: drain::Options::default() },
            ActionKind::Rollback => Self::Rollback { goal: rollback::Goal::default() },
            ActionKind::Restart => Self::Restart,
            ActionKind::Pause => Self::Pause,
            ActionKind::Resume => Self::Resume,
            ActionKind::Scale => Self::Scale { replicas: None, back: Vec::new() },
            ActionKind::SetImage => Self::SetImage { image: Text::default(), back: Vec::new() },
            ActionKind::RestartKubelet => Self::RestartKubelet,
            ActionKind::Fence => Self::Fence,
            ActionKind::ReturnToService => Self::ReturnToService,
            ActionKind::ReplacePods => Self::ReplacePods,
            ActionKind::ForceDetach => Self::ForceDetach,
            ActionKind::Retire => Self::Retire,
            ActionKind::ReleasePod => Self::ReleasePod,
            ActionKind::DetachVolume => Self::DetachVolume,
            ActionKind::DeleteAttachment => Self::DeleteAttachment,
            ActionKind::DeleteNode => Self::DeleteNode,
            ActionKind::RemoveFinalizer => Self::RemoveFinalizer { finalizer: Text::default() },
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
    /// The machines of which the operator states that they are off. Never taken over from an earlier run.
    pub powered_off: Vec<Text>,
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
            Action::Rollback { goal } => rollback::plan(self, goal, cluster),
            Action::Restart
            | Action::Pause
            | Action::Resume
            | Action::Scale { .. }
            | Action::SetImage { .. } => workload::plan(self, cluster, author),
            Action::RestartKubelet | Action::Fence => machine::plan(self, (cluster, author)),
            Action::ReturnToService
            | Action::ReplacePods
            | Action::ForceDetach
            | Action::Retire
            | Action::ReleasePod
            | Action::DetachVolume
            | Action::DeleteAttachment
            | Action::DeleteNode
            | Action::RemoveFinalizer { .. } => dead_node::plan(self, (cluster, author)),
        }
    }

    /// The workload whose history has to be read before it can be planned.
    pub fn history(&mut self) -> Option<(&ObjectRef, &mut rollback::Goal)> {
        let (Action::Rollback { goal }, [object]) = (&mut self.action, self.targets.as_slice()) else {
            return None;
        };
        Some((object, goal))
    }

    /// Where a rollback goes back to.
    pub const fn goal(&self) -> Option<&rollback::Goal> {
        if let Action::Rollback { goal } = &self.action { Some(goal) } else { None }
    }

    /// How many things are still being read for it.
    fn unread(&self) -> usize {
        let is_unread = matches!(
            (&self.action, self.targets.len()),
            (Action::Rollback { goal: rollback::Goal { read: rollback::Read::NotYet, .. } }, 1)
        );
        usize::from(is_unread)
    }

    /// What the cluster says of the targets, each at least once.
    fn checks(&self, sight: &Sight<'_>) -> Vec<Check> {
        match &self.action {
            Action::Cordon => cordon::cordon_checks(self, sight),
            Action::Uncordon { of } => cordon::uncordon_checks(&self.targets, of.as_ref(), sight),
            Action::Drain { options } => drain::checks(self, options, sight),
            Action::Rollback { goal } => rollback::checks(self, goal, sight),
            Action::Restart
            | Action::Pause
            | Action::Resume
            | Action::Scale { .. }
            | Action::SetImage { .. } => workload::checks(self, sight),
            // Said with the commands of their plan.
            Action::RestartKubelet | Action::Fence => Vec::new(),
            Action::ReturnToService
            | Action::ReplacePods
            | Action::ForceDetach
            | Action::Retire
            | Action::ReleasePod
            | Action::DetachVolume
            | Action::DeleteAttachment
            | Action::DeleteNode
            | Action::RemoveFinalizer { .. } => dead_node::checks(self, sight),
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
