//! What becomes of one step of a run now.

use super::progress::{Progress, SkipReason, Until, later};
use super::{MOST_IN_FLIGHT, Phase, Run};
use crate::actions::call::{Guard, Shown};
use crate::actions::drain::removal::SILENCE_BORNE;
use crate::actions::drain::{Options, Removal, Wait, wait};
use crate::actions::rollout::Stand;
use crate::actions::{Action, Answer, Call, CallError, Errand, Probe, Sight, Step};
use crate::cluster::{Cluster, Deletion, ObjectRef, Pod, Readiness, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// What the server accepted is shown by a live watch within this, or something is wrong.
pub(super) const SHOWN_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// Between two live looks at a node, where the first was not answered.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Deadlines are whole seconds, and the server's time is known to about one.
const BLUR: SignedDuration = SignedDuration::from_secs(1);
/// So many names are told of what is left.
const MOST_NAMED: usize = 10;

pub enum Next {
    Stay,
    Send(Call),
    Ask(Probe),
    Run(Errand),
    Become(Progress),
}

impl Step {
    /// What is asked to know whether it is done.
    pub(super) fn question(&self) -> Option<Probe> {
        match self {
            Self::Wait(Wait::Emptied { node, .. }) => Some(Probe::PodsOn(node.clone())),
            Self::Errand(errand) => errand.check.as_deref().cloned().map(Probe::Errand),
            Self::Wait(Wait::Replaced { .. })
            | Self::Rollout(_)
            | Self::Call(_)
            | Self::Attest { .. }
            | Self::Danger(_)
            | Self::Milestone(_)
            | Self::Retract(_) => None,
        }
    }
}

impl Run {
    pub(super) fn next(&self, step: usize, front: usize, sight: &Sight<'_>) -> Next {
        if self.steps[step].progress.is_over() {
            return Next::Stay;
        }
        match &self.plan.steps[step] {
            Step::Attest { .. } => self.next_attest(step, front, sight),
            Step::Errand(errand) => self.next_errand((step, errand), front, sight),
            Step::Danger(what) => self.next_danger((step, what), front, sight),
            Step::Milestone(milestone) => self.next_milestone((step, milestone), front, sight),
            Step::Retract(unmark) => self.next_retract((step, unmark), sight),
            Step::Call(planned) => {
                let call = self.steps[step].call.as_ref().unwrap_or(planned);
                let next = self.next_call((step, call), front, sight);
                self.or_given_up(step, next, sight)
            }
            Step::Wait(Wait::Replaced { workloads, .. }) => {
                let next = match (&self.steps[step].progress, wait::lacking(workloads, sight.cluster)) {
                    _ if self.phase == Phase::Stopping => self.skipped(),
                    (Progress::Pending, _) if self.plan.stage(step) > front => Next::Stay,
                    (_, None) => Next::Become(Progress::done(sight.now)),
                    (_, Some(lacking)) => {
                        Next::Become(Progress::waiting(self.since(step, sight), Until::Seen, lacking))
                    }
                };
                self.or_given_up(step, next, sight)
            }
            Step::Rollout(_) if self.phase == Phase::Stopping => self.skipped(),
            Step::Rollout(_) if self.plan.stage(step) > front => Next::Stay,
            Step::Rollout(rollout) => {
                let is_changed = |(planned, taken): (&Step, &super::Taken)| {
                    planned.object() != &rollout.object || taken.progress.is_fine()
                };
                if !self.plan.steps.iter().zip(&self.steps).take(step).all(is_changed) {
                    return Next::Become(Progress::failed("what it was to roll out was not done"));
                }
                match rollout.stand(sight.cluster) {
                    Stand::Done(note) => Next::Become(Progress::Done { at: sight.now, note }),
                    Stand::Stuck(reason) => Next::Become(Progress::failed(reason)),
                    Stand::Going(reason) => {
                        let since = self.since(step, sight);
                        self.unless_same(step, Progress::waiting(since, Until::Seen, reason))
                    }
                }
            }
            Step::Wait(Wait::Emptied { node, options }) => {
                let may = self.plan.stage(step) <= front && !self.is_paused;
                match &self.steps[step].progress {
                    Progress::Pending | Progress::Waiting { .. } if self.phase == Phase::Stopping => {
                        self.skipped()
                    }
                    Progress::Pending if may => Next::Ask(Probe::PodsOn(node.clone())),
                    Progress::Waiting { until: Until::Again(at), .. } if may && sight.now >= *at => {
                        Next::Ask(Probe::PodsOn(node.clone()))
                    }
                    Progress::InFlight { .. } => match &self.steps[step].heard {
                        Some(answer) => {
                            let left = |pods: &[_]| self.left(pods, options, sight);
                            Next::Become(looked(node, answer, left, sight.now))
                        }
                        None => Next::Stay,
                    },
                    Progress::Pending
                    | Progress::Waiting { .. }
                    | Progress::Done { .. }
                    | Progress::Skipped { .. }
                    | Progress::Failed { .. } => Next::Stay,
                }
            }
        }
    }

    fn next_call(&self, (step, call): (usize, &Call), front: usize, sight: &Sight<'_>) -> Next {
        let Sight { cluster, now, .. } = *sight;
        let is_fresh = sight.staleness(self.draft.action.kind().spec().relies_on).is_none();
        let is_stopping = self.phase == Phase::Stopping;
        let (since, until, reason) = match &self.steps[step].progress {
            Progress::Pending if is_stopping => return self.skipped(),
            Progress::Pending => {
                return self.try_if(is_fresh && self.plan.stage(step) <= front, (step, call), sight);
            }
            Progress::Waiting { since, until, reason } => (*since, until, reason),
            Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => return Next::Stay,
        };
        match call.shown(cluster, now) {
            Shown::Done => {
                return Next::Become(Progress::Done { at: now, note: note(call, until, sight) });
            }
            Shown::Left => {
                let reason = "it is on its way out for longer than is waited for";
                return Next::Become(Progress::skipped(SkipReason::Left(reason.into())));
            }
            Shown::Going(deletion) => return going(deletion, until, now),
            Shown::Nothing => {}
        }
        match until {
            Until::Shown | Until::Gone { .. } => {
                let is_late = now.duration_since(since) > SHOWN_WITHIN;
                if is_late && is_fresh {
                    let reason = "the server accepted it and the watch does not show it: somebody may have \
                                  undone it; look at the object";
                    return Next::Become(Progress::failed(reason));
                }
                Next::Stay
            }
            // It is still as it was looked at, so whatever becomes of it later, this did not change it.
            Until::Changed | Until::Budget { .. } | Until::Node | Until::Seen if is_stopping => {
                self.skipped()
            }
            Until::Changed => self.try_if(is_fresh && call.is_outdated(cluster), (step, call), sight),
            Until::Budget { budget, again } => {
                let is_due = budget.as_ref().map_or(now >= *again, |budget| !self.pace.is_closed(budget));
                self.try_if(is_fresh && is_due, (step, call), sight)
            }
            Until::Node | Until::Seen => self.try_if(is_fresh, (step, call), sight),
            Until::Again(at) => {
                let is_due = is_fresh && now >= *at;
                if is_stopping && is_due {
                    let reason = format!("{}, and the watch does not show it: {reason}", self.why_stopped());
                    return Next::Become(Progress::skipped(SkipReason::Stopped(reason.into())));
                }
                self.try_if(is_due && !is_stopping, (step, call), sight)
            }
        }
    }

    /// Sends a call if it may be sent: what the operator agreed to is looked at once more.
    fn try_if(&self, may: bool, (step, call): (usize, &Call), sight: &Sight<'_>) -> Next {
        let Sight { cluster, now, .. } = *sight;
        let taken = &self.steps[step];
        // A step that was changed while it ran is sent when that is on disk.
        let is_unwritten = taken.is_overridden && (self.unwritten > 0 || !self.notes.is_empty());
        let is_held_up = self.is_paused || self.pace.is_busy(now) || is_unwritten;
        if !may || is_held_up || self.in_flight >= MOST_IN_FLIGHT {
            return Next::Stay;
        }
        let pod = match call {
            Call::Evict(removal) => removal.pod(cluster),
            Call::DeletePod(_)
            | Call::Cordon { .. }
            | Call::Uncordon { .. }
            | Call::Edit(_)
            | Call::DeleteBlocking(_)
            | Call::ReplacePod(_)
            | Call::Unmark(_)
            | Call::Dangerous(_) => None,
        };
        match call.guard(cluster) {
            Guard::Send(call) => match pod.and_then(|pod| self.pace.refusing(pod, cluster)) {
                Some((budget, closed)) => {
                    let until = Until::Budget { budget: Some(budget.clone()), again: closed.again };
                    self.unless_same(step, Progress::waiting(now, until, closed.reason.clone()))
                }
                None => Next::Send(call),
            },
            Guard::Needless { reason } => {
                Next::Become(Progress::skipped(SkipReason::Needless(reason.into())))
            }
            Guard::UnderWay { reason } => Next::Become(Progress::waiting(now, Until::Shown, reason)),
            Guard::Hold { reason } => self.unless_same(step, Progress::waiting(now, Until::Node, reason)),
            Guard::Stop { reason } => Next::Become(Progress::failed(reason)),
        }
    }

    /// The time since which it stands so is kept where it goes on to stand so.
    fn unless_same(&self, step: usize, waiting: Progress) -> Next {
        match (&self.steps[step].progress, &waiting) {
            (
                Progress::Waiting { until: old, reason: old_reason, .. },
                Progress::Waiting { until, reason, .. },
            ) if old == until && old_reason == reason => Next::Stay,
            _ => Next::Become(waiting),
        }
    }

    /// What is not over when its node's time is up is given up.
    fn or_given_up(&self, step: usize, next: Next, sight: &Sight<'_>) -> Next {
        let Action::Drain { options } = &self.draft.action else { return next };
        let is_open = match &next {
            Next::Stay | Next::Send(_) | Next::Ask(_) | Next::Run(_) => {
                !self.steps[step].progress.is_in_flight()
            }
            Next::Become(progress) => !progress.is_over(),
        };
        let node = self.plan.steps[step].drained();
        let end = node.and_then(|node| self.pace.begun(&node.name)).and_then(|began| options.end(began));
        if !is_open || end.is_none_or(|end| sight.now < end) {
            return next;
        }
        let state = match &self.steps[step].progress {
            Progress::Waiting { reason, .. } => format!(": {reason}"),
            Progress::Pending
            | Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => String::new(),
        };
        let reason = format!("given up after the timeout of {} s{state}", options.timeout);
        Next::Become(Progress::failed(reason))
    }

    /// A node that stays silent is not drained: nothing there confirms what is gone.
    pub(super) fn give_up_silent_nodes(&mut self, sight: &Sight<'_>) {
        if sight.staleness(self.draft.action.kind().spec().relies_on).is_some() {
            return;
        }
        let open = self.steps().filter(|(_, progress)| !progress.is_over());
        let nodes: BTreeSet<ObjectRef> = open.filter_map(|(step, _)| step.drained()).cloned().collect();
        for node in nodes.iter().filter(|node| is_lost(node, sight)) {
            let reason = format!(
                "{node} fell silent and stays so: find out whether it is dead, then fence it or get its kubelet \
                 going"
            );
            self.stop(&reason);
            let reason = Text::from(format!("nothing confirms that it is gone: {node} is silent"));
            let is_of_node = |step: &Step| step.call().is_some() && step.drained() == Some(node);
            for (step, taken) in self.plan.steps.iter().zip(&mut self.steps) {
                if is_of_node(step) && matches!(taken.progress, Progress::Waiting { .. }) {
                    taken.progress = Progress::Failed { reason: reason.clone() };
                }
            }
        }
    }

    fn left(&self, pods: &[Pod], options: &Options, sight: &Sight<'_>) -> Vec<String> {
        let planned = |name: &_| self.plan.calls().any(|call| call.object().name == *name);
        let named = wait::left(pods, options, (sight.cluster, sight.now)).into_iter().map(
            |(name, is_going)| match (planned(name), is_going) {
                (true, true) => format!("{name} (on its way out)"),
                (true, false) => name.to_string(),
                (false, _) => format!("{name} (came since)"),
            },
        );
        named.collect()
    }

    pub(super) fn since(&self, step: usize, sight: &Sight<'_>) -> Timestamp {
        match &self.steps[step].progress {
            Progress::Waiting { since, .. } => *since,
            Progress::Pending
            | Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => sight.now,
        }
    }

    pub(super) fn why_stopped(&self) -> &str {
        self.stopped.as_ref().map_or("stopped", |reason| reason.as_str())
    }

    pub(super) fn skipped(&self) -> Next {
        Next::Become(Progress::skipped(SkipReason::Stopped(self.why_stopped().into())))
    }
}

/// A pod that is on its way out. A grace of nothing is the kubelet's word that it has ended, and no new deadline.
fn going(deletion: Deletion, until: &Until, now: Timestamp) -> Next {
    let Deletion { deadline, grace_seconds } = deletion;
    let is_known = match until {
        Until::Gone { deadline: known, .. } => *known == deadline || grace_seconds == 0,
        Until::Shown
        | Until::Changed
        | Until::Again(_)
        | Until::Budget { .. }
        | Until::Node
        | Until::Seen => false,
    };
    if is_known {
        return Next::Stay;
    }
    let reason = format!("on its way out, with {grace_seconds} s of grace");
    Next::Become(Progress::waiting(now, Until::Gone { deadline, grace_seconds }, reason))
}

/// What should be known of how it was done.
fn note(call: &Call, until: &Until, sight: &Sight<'_>) -> Text {
    let Some(removal) = call.removal() else { return Text::default() };
    match until {
        Until::Gone { deadline, grace_seconds }
            if *grace_seconds > 0 && later(sight.now, BLUR) >= *deadline =>
        {
            killed(removal, *grace_seconds, sight.cluster)
        }
        Until::Gone { .. }
        | Until::Shown
        | Until::Changed
        | Until::Again(_)
        | Until::Budget { .. }
        | Until::Node
        | Until::Seen => Text::default(),
    }
}

fn killed(removal: &Removal, grace: i64, cluster: &Cluster) -> Text {
    let is_alive = cluster.is_node_ready(&removal.node.name.name);
    let end = if is_alive { ": what had not ended by itself was killed" } else { "" };
    format!("it used all of its {grace} s of grace{end}").into()
}

fn is_lost(node: &ObjectRef, sight: &Sight<'_>) -> bool {
    let row = sight.cluster.nodes.same(node);
    row.is_some_and(|row| {
        let since = row.ready_since();
        let is_long = since.is_some_and(|since| sight.now.duration_since(since) > SILENCE_BORNE);
        row.readiness() == Readiness::Silent && is_long
    })
}

/// What a live look at a node says.
fn looked(
    node: &ObjectRef,
    answer: &Answer,
    left: impl Fn(&[Pod]) -> Vec<String>,
    now: Timestamp,
) -> Progress {
    match answer {
        Answer::Pods(pods) => {
            let left = left(pods);
            if left.is_empty() {
                let words = format!("{} pods are left on it, as was meant", pods.len());
                return Progress::Done { at: now, note: words.into() };
            }
            let more = left.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named: Vec<&str> = left.iter().take(MOST_NAMED).map(String::as_str).collect();
            Progress::failed(format!("{node} is not empty: {}{more}; plan it again", named.join(", ")))
        }
        Answer::Failed(error @ (CallError::Forbidden { .. } | CallError::Invalid { .. })) => {
            Progress::failed(format!("the pods of {node} could not be listed: {}", error.reason()))
        }
        Answer::Failed(error) => Progress::waiting(now, Until::Again(later(now, LOOK_AGAIN)), error.reason()),
        Answer::Yes
        | Answer::No { .. }
        | Answer::Written { .. }
        | Answer::Autoscalers(_)
        | Answer::Quotas(_)
        | Answer::Lease(_)
        | Answer::Node(_)
        | Answer::Speech(_)
        | Answer::Leader(_)
        | Answer::Others(_)
        | Answer::Ran(_) => Progress::failed("the server's answer was to another question"),
    }
}
