//! What an operator may do to a run that is under way. Each of it is written down.

use super::progress::{Progress, SkipReason, Until};
use super::{Phase, Run};
use crate::actions::Call;
use crate::actions::audit::{Entry, Noted};
use crate::cluster::{ObjectRef, Text};
use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Nothing new is sent, and what is under way goes on.
    Pause,
    Resume,
    /// Leaves a pod out that has not been told to go yet.
    Skip {
        pod: ObjectRef,
    },
    /// Has a pod deleted instead of evicted, past its budget. `typed` is its name.
    Delete {
        pod: ObjectRef,
        typed: String,
    },
    Stop,
}

impl Run {
    /// Steers it, or says why it cannot be steered so.
    pub fn steer(&mut self, steer: &Steer, who: &str, now: Timestamp) -> Result<(), String> {
        if self.is_over() {
            return Err(format!("run {} is over", self.id));
        }
        match steer {
            Steer::Stop => {
                self.stop(&format!("stopped by {who}"));
                return Ok(());
            }
            Steer::Pause | Steer::Resume => {
                let is_paused = *steer == Steer::Pause;
                if self.is_paused == is_paused {
                    return Err(format!(
                        "run {} is {}",
                        self.id,
                        if is_paused { "paused" } else { "not paused" }
                    ));
                }
                self.is_paused = is_paused;
                self.note_down(format!("{} by {who}", if is_paused { "paused" } else { "resumed" }), now);
            }
            Steer::Skip { pod } => {
                let step = self.held(pod)?;
                let reason = Text::from(format!("left out by {who}"));
                self.steps[step].progress = Progress::skipped(SkipReason::Chosen(reason));
                self.note_down(format!("{pod} is left out by {who}"), now);
            }
            Steer::Delete { pod, typed } => self.delete_instead(pod, typed, (who, now))?,
        }
        Ok(())
    }

    fn delete_instead(
        &mut self,
        pod: &ObjectRef,
        typed: &str,
        (who, now): (&str, Timestamp),
    ) -> Result<(), String> {
        let step = self.held(pod)?;
        if *typed != *pod.name.name {
            return Err(format!("type {:?} to confirm", pod.name.name.as_str()));
        }
        if self.phase == Phase::Stopping {
            return Err(format!("run {} is stopping: nothing new is begun", self.id));
        }
        let Some(removal) = self.plan.steps[step].call().and_then(Call::removal).cloned() else {
            return Err(format!("{pod} is not to go"));
        };
        let taken = &mut self.steps[step];
        taken.call = Some(Call::DeletePod(Box::new(removal)));
        taken.is_overridden = true;
        taken.progress = Progress::Pending;
        self.note_down(format!("{who} has {pod} deleted instead of evicted, past its budget"), now);
        Ok(())
    }

    /// The step of a pod that has not been told to go yet, or why there is none.
    fn held(&self, pod: &ObjectRef) -> Result<usize, String> {
        let is_of = |call: &Call| call.removal().is_some_and(|removal| removal.pod == *pod);
        let step = self.plan.steps.iter().position(|step| step.call().is_some_and(is_of));
        let Some(step) = step else { return Err(format!("{pod} is not to go in run {}", self.id)) };
        match &self.steps[step].progress {
            Progress::Pending
            | Progress::Waiting {
                until: Until::Budget { .. } | Until::Again(_) | Until::Changed | Until::Node | Until::Seen,
                ..
            } => Ok(step),
            Progress::InFlight { .. }
            | Progress::Waiting { until: Until::Shown | Until::Gone { .. }, .. } => {
                Err(format!("{pod} has been told to go already"))
            }
            Progress::Done { .. } | Progress::Skipped { .. } | Progress::Failed { .. } => {
                Err(format!("{pod} is over already"))
            }
        }
    }

    fn note_down(&mut self, what: String, now: Timestamp) {
        self.notes.push(self.record(now, Entry::Noted(Noted { what: what.into() })));
    }
}
