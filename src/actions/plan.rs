//! The steps of an action in their order, and what it takes to agree to them.

use super::{Access, Call, Probe};
use crate::cluster::{ObjectRef, Text};
use std::collections::BTreeSet;

/// So many calls of a plan are tried on the server first, and so many objects are asked for by name.
pub const MOST_TRIED: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub danger: Danger,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Done when the watch shows it.
    Call(Call),
}

/// What it takes to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Can be taken back: a question.
    Reversible,
    /// Cannot: the target's name has to be typed.
    Destructive,
}

impl Danger {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reversible => "reversible",
            Self::Destructive => "destructive",
        }
    }
}

impl Step {
    pub const fn object(&self) -> &ObjectRef {
        match self {
            Self::Call(call) => call.object(),
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Call(call) => call.sentence(),
        }
    }

    pub fn kubectl(&self) -> Option<String> {
        match self {
            Self::Call(call) => Some(call.kubectl()),
        }
    }
}

impl Plan {
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.steps.iter().map(|step| match step {
            Step::Call(call) => call,
        })
    }

    /// What to ask the server before anybody agrees. In a read-only session nothing is tried, not even dry.
    pub fn probes(&self, is_read_only: bool) -> Vec<Probe> {
        let is_few = self.steps.len() <= MOST_TRIED;
        let accesses: BTreeSet<Access> =
            self.calls().map(|call| if is_few { call.access() } else { call.access().to_any() }).collect();
        let tried = if is_read_only { 0 } else { MOST_TRIED };
        let dry = self.calls().take(tried).cloned().map(Probe::DryRun);
        accesses.into_iter().map(Probe::May).chain(dry).collect()
    }
}

/// What has to be typed to agree to something that cannot be taken back: the name of the one object, or how many
/// there are.
pub fn word_to_type(targets: &[ObjectRef]) -> Text {
    match targets {
        [one] => one.name.name.clone(),
        [first, ..] => format!("{} {}", targets.len(), first.kind.plural()).into(),
        [] => Text::default(),
    }
}
