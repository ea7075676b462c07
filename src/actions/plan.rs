//! The steps of an action in their order, and what it takes to agree to them.

use super::dangerous::Dangerous;
use super::dead_node::Unmark;
use super::drain::{self, Wait};
use super::evidence::{Death, Inquiry};
use super::milestone::Milestone;
use super::rollout::Rollout;
use super::{Access, Call, Probe, cordon};
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
    /// Changes nothing; done when a workload is as it is wanted.
    Rollout(Rollout),
    /// What the operator states: that a machine is off.
    Attest { node: ObjectRef, by: Text },
    /// Becomes a call when the evidence clears it, and not before.
    Danger(Dangerous),
    /// Changes nothing; done when the watch shows it.
    Milestone(Milestone),
    /// Takes back at once what was said of a machine, as soon as that shows a sign of life. Needless when it shows none.
    Retract(Unmark),
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
    pub fn object(&self) -> &ObjectRef {
        match self {
            Self::Call(call) => call.object(),
            Self::Wait(wait) => wait.node(),
            Self::Rollout(rollout) => &rollout.object,
            Self::Attest { node, .. } => node,
            Self::Danger(what) => what.object(),
            Self::Milestone(milestone) => milestone.node(),
            Self::Retract(unmark) => &unmark.node,
        }
    }

    pub const fn call(&self) -> Option<&Call> {
        match self {
            Self::Call(call) => Some(call),
            Self::Wait(_)
            | Self::Rollout(_)
            | Self::Attest { .. }
            | Self::Danger(_)
            | Self::Milestone(_)
            | Self::Retract(_) => None,
        }
    }

    /// Whether it takes something back, should it come to that.
    pub const fn is_way_back(&self) -> bool {
        match self {
            Self::Retract(_) => true,
            Self::Call(_)
            | Self::Wait(_)
            | Self::Rollout(_)
            | Self::Attest { .. }
            | Self::Danger(_)
            | Self::Milestone(_) => false,
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Call(call) => call.sentence(),
            Self::Wait(wait) => wait.sentence(),
            Self::Rollout(rollout) => rollout.sentence(),
            Self::Attest { node, by } => format!("{by} states that {} is powered off", node.name),
            Self::Danger(what) => what.sentence(),
            Self::Milestone(milestone) => milestone.sentence(),
            Self::Retract(unmark) => {
                format!("should {} show a sign of life: {} at once", unmark.node.name, unmark.sentence())
            }
        }
    }

    pub fn kubectl(&self) -> Option<String> {
        match self {
            Self::Call(call) => call.kubectl(),
            Self::Wait(wait) => wait.kubectl(),
            Self::Rollout(rollout) => Some(rollout.kubectl()),
            Self::Attest { .. } => None,
            Self::Danger(what) => what.kubectl(),
            Self::Milestone(milestone) => milestone.kubectl(),
            Self::Retract(unmark) => Some(unmark.kubectl()),
        }
    }

    /// The node whose pods it is about; nothing where it is about the node alone.
    pub const fn drained(&self) -> Option<&ObjectRef> {
        match self {
            Self::Call(Call::Evict(removal) | Call::DeletePod(removal)) => Some(&removal.node),
            Self::Call(
                Call::Cordon { .. }
                | Call::Uncordon { .. }
                | Call::Edit(_)
                | Call::DeleteBlocking(_)
                | Call::ReplacePod(_)
                | Call::Unmark(_)
                | Call::Dangerous(_),
            )
            | Self::Rollout(_)
            | Self::Attest { .. }
            | Self::Danger(_)
            | Self::Milestone(_)
            | Self::Retract(_) => None,
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

    pub fn dangerous(&self) -> impl Iterator<Item = &Dangerous> {
        self.steps.iter().filter_map(|step| match step {
            Step::Danger(what) => Some(what),
            Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Attest { .. }
            | Step::Milestone(_)
            | Step::Retract(_) => None,
        })
    }

    /// What will have proved that a machine is off when it is this one's turn.
    pub fn deaths(&self, what: &Dangerous) -> Vec<Death> {
        let proves = |step: &Step| match step {
            Step::Attest { node, .. } => what.node() == Some(node),
            Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Danger(_)
            | Step::Milestone(_)
            | Step::Retract(_) => false,
        };
        let before =
            self.steps.iter().take_while(|step| !matches!(step, Step::Danger(known) if known == what));
        before.filter(|step| proves(step)).map(|_| Death::Planned).collect()
    }

    /// What to ask the server before anybody agrees. In a read-only session nothing is tried, not even dry.
    pub fn probes(&self, is_read_only: bool) -> Vec<Probe> {
        let is_few = self.calls().filter(|call| call.is_tried()).count() <= MOST_TRIED;
        let is_asked_by_name = |call: &Call| is_few && call.is_tried();
        let mut accesses: BTreeSet<Access> = self
            .calls()
            .map(|call| if is_asked_by_name(call) { call.access() } else { call.access().to_any() })
            .collect();
        accesses.extend(self.dangerous().flat_map(Dangerous::accesses));
        accesses.extend(self.steps.iter().filter_map(|step| match step {
            Step::Retract(unmark) => Some(Access::to(cordon::PATCH_NODES, &unmark.node)),
            Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Attest { .. }
            | Step::Danger(_)
            | Step::Milestone(_) => None,
        }));
        let machines: BTreeSet<&ObjectRef> = self.dangerous().filter_map(Dangerous::node).collect();
        let mut evidence: Vec<Probe> = machines.into_iter().flat_map(Inquiry::at_review).collect();
        evidence.dedup_by(|one, other| one == other);
        let listed: Vec<Probe> = self.steps.iter().filter_map(Step::listed).collect();
        if !listed.is_empty() {
            accesses.insert(Access::everywhere(drain::LIST_PODS));
        }
        let tried = if is_read_only { 0 } else { MOST_TRIED };
        let dry = self.calls().filter(|call| call.is_tried()).take(tried).cloned().map(Probe::DryRun);
        let needed = self.calls().flat_map(Call::needed).take(MOST_TRIED).cloned().map(Probe::Needed);
        let asked = accesses.into_iter().map(Probe::May);
        asked.chain(listed).chain(needed).chain(evidence).chain(dry).collect()
    }
}

impl Step {
    /// What is listed live for it.
    fn listed(&self) -> Option<Probe> {
        match self {
            Self::Wait(Wait::Emptied { node, .. }) => Some(Probe::PodsOn(node.clone())),
            Self::Wait(Wait::Replaced { .. })
            | Self::Call(_)
            | Self::Rollout(_)
            | Self::Attest { .. }
            | Self::Danger(_)
            | Self::Milestone(_)
            | Self::Retract(_) => None,
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

/// The same where each of them has to be named.
pub fn names_to_type(targets: &[ObjectRef]) -> Text {
    let names: Vec<&str> = targets.iter().map(|target| target.name.name.as_str()).collect();
    names.join(" ").into()
}
