//! The steps of a run that are configured commands: asked whether it is needed, run once, and seen to have worked.
//!
//! Invariant: a command that changes something is run at most once in a run, however it ended.

use super::progress::{Progress, SkipReason, Until, later};
use super::step::Next;
use super::{Phase, Run};
use crate::actions::errand::{Errand, Ran};
use crate::actions::{Answer, Probe, Sight, Step, machine};
use crate::cluster::ObjectRef;
use jiff::{SignedDuration, Timestamp};

/// Between two looks whether a machine is off.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(3);
/// A machine that was switched off is off within this, or it was not.
const SETTLED_WITHIN: SignedDuration = SignedDuration::from_secs(120);

impl Run {
    /// A command has ended, or was not run.
    pub fn ran(&mut self, step: usize, ran: Ran, now: Timestamp) {
        let Some(taken) = self.steps.get_mut(step).filter(|taken| taken.progress.is_in_flight()) else {
            return;
        };
        let Step::Errand(errand) = &self.plan.steps[step] else { return };
        taken.progress = match (&errand.check, ran.ended.is_success()) {
            (_, false) => Progress::failed(format!("the command failed: {}", ran.summary())),
            (None, true) => Progress::Done { at: now, note: ran.summary().into() },
            (Some(_), true) => Progress::waiting(
                now,
                Until::Again(now),
                "the command says that it is done; its power is looked at",
            ),
        };
        taken.ran = Some((ran, now));
    }

    pub(super) fn next_errand(
        &self,
        (step, errand): (usize, &Errand),
        front: usize,
        sight: &Sight<'_>,
    ) -> Next {
        let taken = &self.steps[step];
        let now = sight.now;
        let is_stopping = self.phase == Phase::Stopping;
        match (&taken.progress, &taken.ran) {
            (Progress::Pending, _) if is_stopping => self.skipped(),
            (Progress::Pending, _) if !self.may_begin(step, front, sight) => Next::Stay,
            // What is off already is not switched off.
            (Progress::Pending, _) => match &errand.check {
                Some(check) => match machine::guard(errand, &self.draft.action, sight) {
                    Ok(()) => Next::Ask(Probe::Errand((**check).clone())),
                    Err(reason) => not_run(&reason),
                },
                None => self.run_it(errand, sight),
            },
            (Progress::InFlight { .. }, ran) => match (&taken.heard, ran) {
                (None, _) => Next::Stay,
                (Some(answer), None) => match is_off(errand, answer) {
                    Ok(()) => {
                        let reason = format!("the machine of {} is off already", errand.node.name);
                        Next::Become(Progress::skipped(SkipReason::Needless(reason.into())))
                    }
                    Err(_) if is_stopping => self.skipped(),
                    Err(_) => self.run_it(errand, sight),
                },
                (Some(answer), Some((_, since))) => Next::Become(looked((errand, answer), *since, now)),
            },
            (Progress::Waiting { .. }, _) if is_stopping => {
                let reason =
                    format!("{}: it was run, and the machine was not seen to be off", self.why_stopped());
                Next::Become(Progress::failed(reason))
            }
            (Progress::Waiting { until: Until::Again(at), .. }, Some(_)) if now >= *at => match &errand.check
            {
                Some(check) => Next::Ask(Probe::Errand((**check).clone())),
                None => Next::Stay,
            },
            (
                Progress::Waiting { .. }
                | Progress::Done { .. }
                | Progress::Skipped { .. }
                | Progress::Failed { .. },
                _,
            ) => Next::Stay,
        }
    }

    fn run_it(&self, errand: &Errand, sight: &Sight<'_>) -> Next {
        match machine::guard(errand, &self.draft.action, sight) {
            Ok(()) => Next::Run(errand.clone()),
            Err(reason) => not_run(&reason),
        }
    }

    /// Machines that are waited for to speak: their leases are read each second.
    pub(super) fn awaited(&self) -> Vec<ObjectRef> {
        let open = self.plan.steps.iter().zip(&self.steps);
        let open = open.filter(|(_, taken)| matches!(taken.progress, Progress::Waiting { .. }));
        open.filter_map(|(step, _)| machine::awaited(step)).cloned().collect()
    }
}

/// What a look at the power says after the command.
fn looked((errand, answer): (&Errand, &Answer), since: Timestamp, now: Timestamp) -> Progress {
    match is_off(errand, answer) {
        Ok(()) => Progress::Done { at: now, note: "its power command says that it is off".into() },
        Err(said) if now.duration_since(since) > SETTLED_WITHIN => Progress::failed(format!(
            "the command says that it is done, and after {} s the power command does not say that the machine is \
             off: {said}; look at the machine itself",
            SETTLED_WITHIN.as_secs()
        )),
        Err(said) => {
            Progress::waiting(since, Until::Again(later(now, LOOK_AGAIN)), format!("not off yet: {said}"))
        }
    }
}

fn not_run(reason: &str) -> Next {
    Next::Become(Progress::failed(format!("not run: {reason}")))
}

/// Whether the answer to its check says that the machine is off; or what it says instead.
fn is_off(errand: &Errand, answer: &Answer) -> Result<(), String> {
    match (&errand.check, answer) {
        (Some(check), Answer::Ran(ran)) if check.proves_off(ran) => Ok(()),
        (Some(_), Answer::Ran(ran)) => Err(ran.summary()),
        (Some(_) | None, Answer::Failed(error)) => Err(error.reason().to_owned()),
        (
            Some(_) | None,
            Answer::Yes
            | Answer::No { .. }
            | Answer::Pods(_)
            | Answer::Written { .. }
            | Answer::Lease(_)
            | Answer::Node(_)
            | Answer::Speech(_)
            | Answer::Leader(_)
            | Answer::Others(_)
            | Answer::Autoscalers(_)
            | Answer::Quotas(_)
            | Answer::Ran(_),
        ) => Err("the answer was to another question".to_owned()),
    }
}

#[cfg(test)]
mod tests;
