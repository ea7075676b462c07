//! The steps of a run that are about a machine that is said to be dead: what is asked about it, the request when the
//! evidence clears it, and the way back as soon as it shows a sign of life.
//!
//! Invariant: evidence is gathered for one request and used for no other; after anything but success it is gathered
//! anew.

use super::progress::{Progress, SkipReason, Until, later};
use super::step::{Next, SHOWN_WITHIN};
use super::{Order, Phase, Run};
use crate::actions::audit::{Entry, Noted};
use crate::actions::call::{Guard, Refusal, Shown};
use crate::actions::errand::Purpose;
use crate::actions::evidence::{Death, Facts, Inquiry, Objection, clear};
use crate::actions::{Access, Answers, Call, Dangerous, Milestone, Sight, Step, Unmark};
use crate::cluster::{ObjectRef, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Between two tries of the way back, growing.
const RETRACTED_AGAIN: SignedDuration = SignedDuration::from_secs(1);
const RETRACTED_AT_LEAST: SignedDuration = SignedDuration::from_secs(30);
const LOOKING: &str = "looking whether the machine is dead: its lease is read twice, 15 s apart";

impl Run {
    /// What a review has read of the machines is the first of the reads that are asked for; all else is asked anew.
    pub fn remember(&mut self, answers: &Answers) {
        let nodes: BTreeSet<ObjectRef> = self.plan.dangerous().filter_map(Dangerous::node).cloned().collect();
        for node in nodes {
            if let Some(mut inquiry) = answers.inquiry(&node).cloned() {
                inquiry.again();
                self.inquiries.insert(node, inquiry);
            }
        }
    }

    /// What is asked about a machine.
    fn inquiry(&mut self, node: &ObjectRef) -> &mut Inquiry {
        let probe = self.plan.probe(node);
        self.inquiries.entry(node.clone()).or_insert_with(|| Inquiry::new(node).with_probe(probe))
    }

    /// What to ask now about the machines whose turn it is, and about those that were marked.
    pub(super) fn inquire(&mut self, sight: &Sight<'_>) -> Vec<Order> {
        let mut asked: BTreeMap<ObjectRef, Vec<Access>> = BTreeMap::new();
        for (step, taken) in self.plan.steps.iter().zip(&self.steps) {
            let (Step::Danger(what), Progress::Waiting { until: Until::Seen, .. }) = (step, &taken.progress)
            else {
                continue;
            };
            let Some(node) = what.node() else { continue };
            asked.entry(node.clone()).or_default().extend(what.accesses());
        }
        let marked: Vec<ObjectRef> = self.retractable().map(|(_, node)| node.clone()).collect();
        let mut orders = Vec::new();
        for (node, accesses) in asked {
            let inquiry = self.inquiry(&node);
            if inquiry.is_done() && inquiry.has_rested(sight.now) {
                inquiry.again();
            }
            orders.extend(inquiry.asks(&accesses, sight.cluster, sight.now).into_iter().map(Order::Ask));
        }
        for node in marked {
            let is_alive = self.alive.contains(&node);
            let inquiry = self.inquiry(&node);
            let asked = if is_alive { inquiry.look(sight.now) } else { inquiry.pulse(sight.now) };
            orders.extend(asked.map(Order::Ask));
        }
        for node in self.awaited() {
            orders.extend(self.inquiry(&node).pulse(sight.now).map(Order::Ask));
        }
        orders
    }

    /// The ways back that may be needed: of nodes that are marked, or may be.
    fn retractable(&self) -> impl Iterator<Item = (usize, &ObjectRef)> {
        self.plan.steps.iter().enumerate().filter_map(|(at, step)| match step {
            Step::Retract(unmark) => {
                let is_open = !self.steps[at].progress.is_over();
                (is_open && self.may_be_marked(&unmark.node)).then_some((at, &unmark.node))
            }
            Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Attest { .. }
            | Step::Errand(_)
            | Step::Danger(_)
            | Step::Milestone(_) => None,
        })
    }

    /// The step that marks a node.
    fn marking(&self, node: &ObjectRef) -> Option<usize> {
        self.plan.steps.iter().position(
            |step| matches!(step, Step::Danger(Dangerous::OutOfService { node: marked }) if marked == node),
        )
    }

    /// Whether the mark is on it, or on its way: one that was there before is as good.
    fn may_be_marked(&self, node: &ObjectRef) -> bool {
        let Some(step) = self.marking(node) else { return true };
        let taken = &self.steps[step];
        let was_there = matches!(&taken.progress, Progress::Skipped { reason: SkipReason::Needless(_) });
        taken.tries > 0 || was_there
    }

    /// A machine that was marked and lives: nothing more is sent but the way back, and of no other machine.
    pub(super) fn look_for_life(&mut self, sight: &Sight<'_>) {
        let silent = self.retractable().filter(|(_, node)| !self.alive.contains(node));
        let signs: Vec<(ObjectRef, String)> = silent
            .filter_map(|(_, node)| Some((node.clone(), self.inquiries.get(node)?.revival(sight.cluster)?)))
            .collect();
        for (node, sign) in signs {
            self.stop(&format!("a sign of life: {sign}"));
            let what = format!(
                "a sign of life: {sign}; the mark of {} is taken off, the cordon stays, and nothing more is sent; pods \
                 that were released and volumes that were detached until now are not brought back, and Kubernetes \
                 finishes what it has begun",
                node.name
            );
            let noted = Entry::Noted(Noted { what: what.into() });
            self.notes.push(self.record(sight.now, noted));
            self.alive.insert(node);
        }
    }

    /// What needs proof and did not get it ends the run: what comes after it was meant to follow it.
    pub(super) fn halt(&mut self) {
        let failed =
            self.plan.steps.iter().zip(&self.steps).find_map(|(step, taken)| match (step, &taken.progress) {
                (Step::Danger(_) | Step::Errand(_), Progress::Failed { reason }) => Some(reason.clone()),
                _ => None,
            });
        if let (Some(reason), Phase::Running) = (failed, self.phase) {
            self.stop(&reason);
        }
    }

    /// What the steps of this run have proved of a machine.
    fn deaths(&self, (what, node): (&Dangerous, &ObjectRef), now: Timestamp) -> Vec<Death> {
        let done = self.plan.steps.iter().zip(&self.steps).filter(|(_, taken)| taken.progress.is_fine());
        done.filter_map(|(step, _)| match step {
            Step::Attest { node: stated, by } if stated == node => Some(Death::Stated { by: by.clone() }),
            Step::Errand(errand) if errand.purpose == Purpose::SwitchOff && errand.node == *node => {
                Some(Death::Fenced { at: now })
            }
            Step::Attest { .. }
            | Step::Errand(_)
            | Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Danger(_)
            | Step::Milestone(_)
            | Step::Retract(_) => None,
        })
        .chain(self.plan.known_deaths(what))
        .collect()
    }

    /// When something is expected of a step that waits: the second read of a lease, or what the controller does after
    /// its own patience, as far as that is known.
    pub fn due(&self, step: usize, patience: SignedDuration) -> Option<Timestamp> {
        let Progress::Waiting { since, until: Until::Seen, .. } = &self.steps.get(step)?.progress else {
            return None;
        };
        match &self.plan.steps[step] {
            Step::Danger(what) => self.inquiries.get(what.node()?)?.next_read(),
            Step::Milestone(milestone) if milestone.is_forced() => Some(later(*since, patience)),
            Step::Milestone(_)
            | Step::Call(_)
            | Step::Wait(_)
            | Step::Rollout(_)
            | Step::Attest { .. }
            | Step::Errand(_)
            | Step::Retract(_) => None,
        }
    }

    /// Whether a step that has not begun may.
    pub(super) fn may_begin(&self, step: usize, front: usize, sight: &Sight<'_>) -> bool {
        let is_fresh = sight.staleness(self.draft.action.kind().spec().relies_on).is_none();
        is_fresh && !self.is_paused && self.plan.stage(step) <= front
    }

    pub(super) fn next_attest(&self, step: usize, front: usize, sight: &Sight<'_>) -> Next {
        match self.phase {
            Phase::Stopping => self.skipped(),
            Phase::Recording | Phase::Running | Phase::Finished => {
                if self.may_begin(step, front, sight) {
                    let note = "the operator's statement".into();
                    return Next::Become(Progress::Done { at: sight.now, note });
                }
                Next::Stay
            }
        }
    }

    pub(super) fn next_milestone(
        &self,
        (step, milestone): (usize, &Milestone),
        front: usize,
        sight: &Sight<'_>,
    ) -> Next {
        let is_fresh = sight.staleness(self.draft.action.kind().spec().relies_on).is_none();
        match &self.steps[step].progress {
            _ if self.phase == Phase::Stopping => return self.skipped(),
            Progress::Pending if self.plan.stage(step) > front => return Next::Stay,
            // Nothing is called gone because nothing is seen.
            _ if !is_fresh => return Next::Stay,
            Progress::Pending
            | Progress::Waiting { .. }
            | Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => {}
        }
        let life = match milestone {
            Milestone::Speaks { node } => {
                self.inquiries.get(node).and_then(|asked| asked.life(sight.cluster))
            }
            Milestone::Released { .. }
            | Milestone::Detached { .. }
            | Milestone::Replaced { .. }
            | Milestone::Clean { .. }
            | Milestone::Booted { .. }
            | Milestone::Silent { .. }
            | Milestone::Joined { .. } => None,
        };
        if let Some(life) = life {
            return Next::Become(Progress::Done { at: sight.now, note: life.into() });
        }
        let Some(mut lacking) = milestone.lacking(sight.cluster) else {
            return Next::Become(Progress::done(sight.now));
        };
        let since = self.since(step, sight);
        let waited = sight.now.duration_since(since);
        if milestone.patience().is_some_and(|patience| waited > patience) {
            let reason = format!("{lacking}, and it is waited for no longer: {}", milestone.look_at());
            return Next::Become(Progress::skipped(SkipReason::Left(reason.into())));
        }
        if waited > milestone.normal() {
            let usual = milestone.normal().as_secs();
            lacking = format!("{lacking}; longer than the usual {usual} s: {}", milestone.look_at());
        }
        Next::Become(Progress::waiting(since, Until::Seen, lacking))
    }

    pub(super) fn next_danger(
        &self,
        (step, what): (usize, &Dangerous),
        front: usize,
        sight: &Sight<'_>,
    ) -> Next {
        let now = sight.now;
        let is_stopping = self.phase == Phase::Stopping;
        let needless = || {
            let reason = what.needless(sight.cluster)?;
            Some(Next::Become(Progress::skipped(SkipReason::Needless(reason.into()))))
        };
        let look = || Next::Become(Progress::waiting(now, Until::Seen, LOOKING));
        match &self.steps[step].progress {
            Progress::Pending if is_stopping => self.skipped(),
            Progress::Pending if !self.may_begin(step, front, sight) => Next::Stay,
            Progress::Pending => needless().unwrap_or_else(look),
            // It was sent.
            Progress::Waiting { since, until: Until::Shown | Until::Again(_) | Until::Changed, reason }
                if what.shown(sight.cluster) == Shown::Done || now.duration_since(*since) > SHOWN_WITHIN =>
            {
                if what.shown(sight.cluster) == Shown::Done {
                    return Next::Become(Progress::done(now));
                }
                let reason =
                    format!("it was sent, and the watch does not show it: {reason}; look at the object");
                Next::Become(Progress::failed(reason))
            }
            Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. }
            | Progress::Waiting { until: Until::Shown, .. } => Next::Stay,
            Progress::Waiting { .. } if is_stopping => self.skipped(),
            Progress::Waiting { until: Until::Again(at), .. } if now < *at => Next::Stay,
            Progress::Waiting { until: Until::Again(_) | Until::Changed, .. } => look(),
            Progress::Waiting {
                until: Until::Seen | Until::Gone { .. } | Until::Budget { .. } | Until::Node,
                ..
            } => needless().unwrap_or_else(|| self.weigh((step, what), sight)),
        }
    }

    /// Sends it if the evidence clears it.
    fn weigh(&self, (step, what): (usize, &Dangerous), sight: &Sight<'_>) -> Next {
        let inquiry = what.node().and_then(|node| self.inquiries.get(node));
        let is_alive = inquiry.is_some_and(|inquiry| inquiry.life(sight.cluster).is_some());
        let is_ready = what.node().is_none() || inquiry.is_some_and(Inquiry::is_done) || is_alive;
        if self.is_paused {
            return Next::Stay;
        }
        if !is_ready {
            let Some(reason) = inquiry.and_then(Inquiry::unread) else { return Next::Stay };
            let reason = format!("{LOOKING}; so far: it cannot be read: {reason}");
            return Next::Become(Progress::waiting(self.since(step, sight), Until::Seen, reason));
        }
        let deaths = what.node().map(|node| self.deaths((what, node), sight.now)).unwrap_or_default();
        let facts = Facts::gather(what, inquiry, &deaths, sight);
        match clear(&facts) {
            // What the watch has not shown yet may be what speaks against it.
            Ok(_) if !inquiry.is_none_or(|inquiry| inquiry.is_followed(sight.cluster)) => Next::Stay,
            Ok(cleared) => Next::Send(Call::dangerous(cleared)),
            Err(objections) => {
                let lasting: Vec<&Objection> =
                    objections.iter().filter(|objection| !objection.is_open).collect();
                let [first, more @ ..] = lasting.as_slice() else {
                    let open: Vec<&str> =
                        objections.iter().map(|objection| objection.reason.as_str()).collect();
                    let reason = format!("{LOOKING}; so far: {}", open.join("; "));
                    return Next::Become(Progress::waiting(self.since(step, sight), Until::Seen, reason));
                };
                let mut reasons = vec![first.reason.as_str()];
                reasons.extend(more.iter().map(|objection| objection.reason.as_str()));
                let reason = format!("not sent: {}; {}", reasons.join("; and "), first.remedy);
                Next::Become(Progress::failed(reason))
            }
        }
    }

    /// The way back. It does not wait for its turn, and no stop keeps it.
    pub(super) fn next_retract(&self, (step, unmark): (usize, &Unmark), sight: &Sight<'_>) -> Next {
        let (now, node) = (sight.now, &unmark.node);
        let is_alive = self.alive.contains(node);
        let mut others = self.plan.steps.iter().zip(&self.steps);
        let others_over = others.all(|(step, taken)| step.is_way_back() || taken.progress.is_over());
        let needless = |reason: String| Next::Become(Progress::skipped(SkipReason::Needless(reason.into())));
        match &self.steps[step].progress {
            Progress::Pending | Progress::Waiting { .. } => {}
            Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => return Next::Stay,
        }
        if !is_alive {
            if !others_over {
                return Next::Stay;
            }
            if !self.may_be_marked(node) {
                return needless(format!("{} was not marked", node.name));
            }
            if self.phase == Phase::Stopping {
                let reason = format!(
                    "{}; {} keeps its mark and its cordon: return it to service when it is back",
                    self.why_stopped(),
                    node.name
                );
                return Next::Become(Progress::skipped(SkipReason::Stopped(reason.into())));
            }
            return needless(format!("{} has shown no sign of life", node.name));
        }
        let shown = unmark.shown(sight.cluster);
        let marking = self.marking(node).map(|step| &self.steps[step].progress);
        // The mark is on its way: it can be taken off when it is seen.
        let is_coming = marking.is_some_and(|progress| !progress.is_over());
        match &self.steps[step].progress {
            Progress::Waiting { .. } if shown == Shown::Done => Next::Become(Progress::done(now)),
            Progress::Waiting { until: Until::Shown, since, .. }
                if now.duration_since(*since) < SHOWN_WITHIN =>
            {
                Next::Stay
            }
            Progress::Waiting { until: Until::Again(at), .. } if now < *at => Next::Stay,
            Progress::Waiting { until: Until::Changed, since, .. }
                if self.steps[step].call.as_ref().is_some_and(|call| !call.is_outdated(sight.cluster)) =>
            {
                // The watch may be behind, or broken: a live read will do.
                let seen = self.inquiries.get(node).and_then(Inquiry::seen);
                match seen.filter(|seen| seen.at >= *since && seen.row.meta.uid == node.uid) {
                    Some(seen) if seen.row.is_out_of_service() => {
                        Next::Send(Call::Unmark(unmark.dated(&seen.row)))
                    }
                    Some(_) => Next::Become(Progress::done(now)),
                    None => Next::Stay,
                }
            }
            Progress::Pending if shown == Shown::Done && is_coming => Next::Stay,
            Progress::Pending
            | Progress::Waiting { .. }
            | Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => match unmark.guard(sight.cluster) {
                Guard::Send(call) => Next::Send(call),
                // Stopped only by a node that is gone, and its mark with it.
                Guard::Needless { reason } | Guard::Stop { reason } => needless(reason),
                Guard::UnderWay { reason } | Guard::Hold { reason } => {
                    Next::Become(Progress::failed(Text::from(reason)))
                }
            },
        }
    }
}

/// The way back is not given up before it is carried out, or the node is gone: the mark harms a machine that lives.
pub(super) fn persisting(refusal: Refusal, tries: u32, now: Timestamp) -> Progress {
    let again = |pause: SignedDuration, reason: Text| {
        let pause = pause.clamp(RETRACTED_AGAIN, RETRACTED_AT_LEAST);
        Progress::waiting(now, Until::Again(later(now, pause)), reason)
    };
    match refusal {
        Refusal::Changed(reason) => Progress::waiting(now, Until::Changed, reason),
        Refusal::Held { pause, reason, .. }
        | Refusal::Busy { pause, reason }
        | Refusal::Again { pause, reason, .. } => again(pause, reason),
        Refusal::Final(reason) => {
            let reason = format!("{reason}; it is tried again; have it taken off by somebody who may");
            again(SignedDuration::from_secs(i64::from(tries)), reason.into())
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
