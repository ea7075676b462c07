//! The steps of an action in their order, and what it takes to agree to them.

use super::drain::{self, Wait};
use super::{Access, Call, Probe};
use crate::cluster::{ObjectRef, Text};
use std::collections::BTreeSet;

/// So many calls of a plan are tried on the server first, and so many objects are asked for by name.
pub const MOST_TRIED: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub danger: Danger,
    /// Of each step; one is begun when all those of earlier stages are over.
    stages: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Done when the watch shows it.
    Call(Call),
    /// Changes nothing; done when it is seen.
    Wait(Wait),
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
            Self::Wait(wait) => wait.node(),
        }
    }

    pub const fn call(&self) -> Option<&Call> {
        match self {
            Self::Call(call) => Some(call),
            Self::Wait(_) => None,
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Call(call) => call.sentence(),
            Self::Wait(wait) => wait.sentence(),
        }
    }

    pub fn kubectl(&self) -> Option<String> {
        match self {
            Self::Call(call) => call.kubectl(),
            Self::Wait(wait) => wait.kubectl(),
        }
    }

    /// The node whose pods it is about; nothing where it is about the node alone.
    pub const fn drained(&self) -> Option<&ObjectRef> {
        match self {
            Self::Call(Call::Evict(removal) | Call::DeletePod(removal)) => Some(&removal.node),
            Self::Call(Call::Cordon { .. } | Call::Uncordon { .. }) => None,
            Self::Wait(wait) => Some(wait.node()),
        }
    }
}

impl Plan {
    /// Steps that need nothing of each other.
    pub fn of(steps: Vec<Step>, danger: Danger) -> Self {
        let stages = vec![0; steps.len()];
        Self { steps, danger, stages }
    }

    /// These as well, when all that is planned before them is over.
    pub fn then(&mut self, steps: Vec<Step>) {
        let stage = self.stages.last().map_or(0, |last| last + 1);
        self.stages.extend(steps.iter().map(|_| stage));
        self.steps.extend(steps);
    }

    pub fn stage(&self, step: usize) -> usize {
        self.stages.get(step).copied().unwrap_or_default()
    }

    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.steps.iter().filter_map(Step::call)
    }

    /// What to ask the server before anybody agrees. In a read-only session nothing is tried, not even dry.
    pub fn probes(&self, is_read_only: bool) -> Vec<Probe> {
        let is_few = self.calls().filter(|call| call.is_tried()).count() <= MOST_TRIED;
        let is_asked_by_name = |call: &Call| is_few && call.is_tried();
        let mut accesses: BTreeSet<Access> = self
            .calls()
            .map(|call| if is_asked_by_name(call) { call.access() } else { call.access().to_any() })
            .collect();
        let listed: Vec<Probe> = self.steps.iter().filter_map(Step::listed).collect();
        if !listed.is_empty() {
            accesses.insert(Access::everywhere(drain::LIST_PODS));
        }
        let tried = if is_read_only { 0 } else { MOST_TRIED };
        let dry = self.calls().filter(|call| call.is_tried()).take(tried).cloned().map(Probe::DryRun);
        accesses.into_iter().map(Probe::May).chain(listed).chain(dry).collect()
    }
}

impl Step {
    /// What is listed live for it.
    fn listed(&self) -> Option<Probe> {
        match self {
            Self::Wait(Wait::Emptied { node, .. }) => Some(Probe::PodsOn(node.clone())),
            Self::Wait(Wait::Replaced { .. }) | Self::Call(_) => None,
        }
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
