//! The steps of an action in their order, and what it takes to agree to them.

use super::dangerous::Dangerous;
use super::dead_node::Unmark;
use super::drain::{self, Wait};
use super::errand::{Errand, Purpose};
use super::evidence::{Death, Inquiry};
use super::milestone::Milestone;
use super::rollout::Rollout;
use super::{Access, Call, Check, Probe, cordon, toll};
use crate::cluster::{Cluster, Kind, Name, Node, ObjectRef, Text};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// So many calls of a plan are tried on the server first, and so many objects are asked for by name.
pub const MOST_TRIED: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub danger: Danger,
    /// Of each step; one is begun when all those of earlier stages are over.
    stages: Vec<usize>,
    /// Configured commands that only ask, for what is to be known of the machines.
    pub questions: Vec<Errand>,
    /// What has kept steps out of it, each with what to do.
    pub objections: Vec<Check>,
    /// Machines that were switched off before.
    pub fenced: Vec<(ObjectRef, Timestamp)>,
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
    /// A configured command, run on the machine of whoever sits here.
    Errand(Errand),
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
    /// Cannot, or nothing is left to serve until it is: the target's name has to be typed.
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
            Self::Errand(errand) => &errand.node,
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
            | Self::Errand(_)
            | Self::Danger(_)
            | Self::Milestone(_)
            | Self::Retract(_) => None,
        }
    }

    pub const fn errand(&self) -> Option<&Errand> {
        match self {
            Self::Errand(errand) => Some(errand),
            Self::Call(_)
            | Self::Wait(_)
            | Self::Rollout(_)
            | Self::Attest { .. }
            | Self::Danger(_)
            | Self::Milestone(_)
            | Self::Retract(_) => None,
        }
    }

    /// Whether it takes something back, should it come to that.
    pub const fn is_way_back(&self) -> bool {
        matches!(self, Self::Retract(_))
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Call(call) => call.sentence(),
            Self::Wait(wait) => wait.sentence(),
            Self::Rollout(rollout) => rollout.sentence(),
            Self::Attest { node, by } => format!("{by} states that {} is powered off", node.name),
            Self::Errand(errand) => errand.sentence(),
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
            Self::Attest { .. } | Self::Errand(_) => None,
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
            | Self::Errand(_)
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
        Self { steps, danger, stages, questions: Vec::new(), objections: Vec::new(), fenced: Vec::new() }
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

    /// Asks this as well, before anybody agrees and where it counts as evidence.
    pub fn ask(&mut self, question: Errand) {
        if !self.questions.contains(&question) {
            self.questions.push(question);
        }
    }

    /// What a machine is asked whether it answers.
    pub fn probe(&self, node: &ObjectRef) -> Option<&Errand> {
        let mut probes = self.questions.iter().filter(|errand| errand.purpose == Purpose::Probe);
        probes.find(|errand| errand.node == *node)
    }

    /// The commands among the steps.
    pub fn errands(&self) -> impl Iterator<Item = &Errand> {
        self.steps.iter().filter_map(Step::errand)
    }

    pub fn dangerous(&self) -> impl Iterator<Item = &Dangerous> {
        self.steps.iter().filter_map(|step| match step {
            Step::Danger(what) => Some(what),
            Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Attest { .. }
            | Step::Errand(_)
            | Step::Milestone(_)
            | Step::Retract(_) => None,
        })
    }

    /// The failure domains that are given up with it: of which every node, and more than one, is said to be dead by this
    /// plan or by a mark. A cluster that is one domain has none.
    pub fn domains(&self, cluster: &Cluster) -> Vec<Text> {
        let machines: BTreeSet<&Name> =
            self.dangerous().filter_map(Dangerous::node).map(|node| &node.name).collect();
        let is_given_up = |node: &Node| machines.contains(&node.meta.name) || node.is_out_of_service();
        let mut zones: BTreeMap<Option<&str>, Vec<&Node>> = BTreeMap::new();
        for node in cluster.nodes.values() {
            zones.entry(node.zone()).or_default().push(node);
        }
        let is_one = zones.len() < 2;
        let whole = zones.into_iter().filter(|(_, nodes)| {
            let is_meant = nodes.iter().any(|node| machines.contains(&node.meta.name));
            !is_one && is_meant && nodes.len() > 1 && nodes.iter().all(|node| is_given_up(node))
        });
        whole.filter_map(|(zone, _)| zone.map(Text::from)).collect()
    }

    /// What will have proved that a machine is off when it is this one's turn.
    pub fn deaths(&self, what: &Dangerous) -> Vec<Death> {
        let proves = |step: &Step| match step {
            Step::Attest { node, .. } => what.node() == Some(node),
            Step::Errand(errand) => errand.purpose == Purpose::SwitchOff && what.node() == Some(&errand.node),
            Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Danger(_)
            | Step::Milestone(_)
            | Step::Retract(_) => false,
        };
        let before =
            self.steps.iter().take_while(|step| !matches!(step, Step::Danger(known) if known == what));
        let planned = before.filter(|step| proves(step)).map(|_| Death::Planned);
        self.known_deaths(what).chain(planned).collect()
    }

    /// What has proved it before.
    pub fn known_deaths(&self, what: &Dangerous) -> impl Iterator<Item = Death> {
        let node = what.node();
        let known = self.fenced.iter().filter(move |(fenced, _)| node == Some(fenced));
        known.map(|(_, at)| Death::Fenced { at: *at })
    }

    /// Whether a machine is switched off or reset by it.
    pub fn is_fencing(&self) -> bool {
        self.errands().any(|errand| matches!(errand.purpose, Purpose::SwitchOff | Purpose::Reset))
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
            | Step::Errand(_)
            | Step::Danger(_)
            | Step::Milestone(_) => None,
        }));
        let machines: BTreeSet<&ObjectRef> = self.dangerous().filter_map(Dangerous::node).collect();
        let fenced: BTreeSet<&ObjectRef> =
            self.errands().filter(|errand| errand.purpose.is_fence()).map(|errand| &errand.node).collect();
        let others = fenced.difference(&machines).map(|node| Probe::Others((*node).clone()));
        let mut evidence: Vec<Probe> = others.collect();
        evidence.extend(machines.iter().flat_map(|node| Inquiry::at_review(node)));
        evidence.extend((!machines.is_empty()).then_some(Probe::Leader));
        let listed: Vec<Probe> = self.steps.iter().filter_map(Step::listed).collect();
        if !listed.is_empty() {
            accesses.insert(Access::everywhere(drain::LIST_PODS));
        }
        let tried = if is_read_only { 0 } else { MOST_TRIED };
        let dry = self.calls().filter(|call| call.is_tried()).take(tried).cloned().map(Probe::DryRun);
        let needed = self.calls().flat_map(Call::needed).take(MOST_TRIED).cloned().map(Probe::Needed);
        let namespaces: BTreeSet<&Text> = self.calls().filter_map(Call::extent).collect();
        let extent = namespaces.into_iter().flat_map(|namespace| {
            let of = || namespace.clone();
            [Probe::Autoscalers { namespace: of() }, Probe::Quotas { namespace: of() }]
        });
        let asked = accesses.into_iter().map(Probe::May);
        let questions = self.questions.iter().take(tried).cloned().map(Probe::Errand);
        asked.chain(listed).chain(needed).chain(extent).chain(evidence).chain(dry).chain(questions).collect()
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
            | Self::Errand(_)
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

/// The same where each of them has to be named, and the failure domains of which nothing is left.
pub fn names_to_type(targets: &[ObjectRef], domains: &[Text], cluster: &Cluster) -> Text {
    let names: Vec<Text> =
        targets.iter().map(|target| called(target, cluster)).chain(domains.iter().cloned()).collect();
    let names: Vec<&str> = names.iter().map(Text::as_str).collect();
    names.join(" ").into()
}

/// What people call an object: an attachment, whose name is a hash, by its volume's claim.
pub fn called(target: &ObjectRef, cluster: &Cluster) -> Text {
    let attachment = cluster.volume_attachments.get(&target.name);
    match attachment.filter(|_| target.kind == Kind::VolumeAttachment) {
        Some(row) => toll::named(row, cluster).name,
        None => target.name.name.clone(),
    }
}
