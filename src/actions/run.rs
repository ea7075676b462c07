//! One execution of a plan: a state machine over its steps.
//!
//! It is told the time, the answers and what the watch shows, and says what to send and what to write down. Invariant:
//! nothing is sent before the shell has said that the first record is on disk; and a step is done when the watch
//! shows it, whatever the server answered.

use super::audit::{Ended, Entry, Record, Started, StepEnded, StepResult};
use super::call::Guard;
use super::{Action, Call, CallError, Draft, Plan, RunId, Sight, Step};
use crate::cluster::{ObjectRef, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Calls of one run that are under way at a time.
pub const MOST_IN_FLIGHT: usize = 5;
/// What the server accepted is shown by a live watch within this, or something is wrong.
const SHOWN_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// Between two tries of a call that was not answered.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// A step whose object changes under every try is given up.
const MOST_TRIES: u32 = 10;

#[derive(Debug)]
pub struct Run {
    pub id: RunId,
    pub draft: Draft,
    pub plan: Plan,
    pub phase: Phase,
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
    /// Where each step of the plan stands.
    steps: Vec<Taken>,
    /// Why it was told to stop.
    stopped: Option<Text>,
}

#[derive(Debug)]
struct Taken {
    progress: Progress,
    tries: u32,
    /// As it was last sent: its version is later than the plan's.
    sent: Option<Call>,
    is_recorded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first record is on its way to the disk.
    Recording,
    Running,
    /// What is under way is seen to its end; nothing new is begun.
    Stopping,
    Finished,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Pending,
    InFlight { since: Timestamp },
    Waiting { since: Timestamp, until: Until, reason: Text },
    Done { at: Timestamp },
    Skipped { reason: SkipReason },
    Failed { reason: Text },
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The server accepted it: the watch must show it.
    Shown,
    /// The object has changed: its later state must be seen.
    Changed,
    /// It is not known whether it was carried out, or the server was busy: it is looked at, and tried again then.
    Again(Timestamp),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    Needless(Text),
    Stopped(Text),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Done,
    /// Some steps were done and some were not.
    Partly,
    Stopped,
    /// Nothing was done.
    Failed,
}

impl Outcome {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// What the shell is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Send { step: usize, call: Call },
    Write(Record),
}

impl Run {
    /// A run that begins when its first record, which is returned, is on disk.
    pub fn begin(
        id: RunId,
        draft: Draft,
        plan: Plan,
        (started, now): (Started, Timestamp),
    ) -> (Self, Record) {
        let untaken = |_| Taken { progress: Progress::Pending, tries: 0, sent: None, is_recorded: false };
        let steps = plan.steps.iter().map(untaken).collect();
        let record = Record { run: id.clone(), at: now, entry: Entry::Started(started) };
        let phase = Phase::Recording;
        (Self { id, draft, plan, phase, began: now, ended: None, steps, stopped: None }, record)
    }

    pub fn is_over(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// Each step with where it stands.
    pub fn steps(&self) -> impl Iterator<Item = (&Step, &Progress)> {
        self.plan.steps.iter().zip(self.steps.iter().map(|taken| &taken.progress))
    }

    pub fn stopped(&self) -> Option<&Text> {
        self.stopped.as_ref()
    }

    /// The shell has written a record, or could not.
    pub fn written(&mut self, written: Result<(), Text>, now: Timestamp) {
        match (self.phase, written) {
            (Phase::Recording, Ok(())) if self.stopped.is_some() => self.phase = Phase::Stopping,
            (Phase::Recording, Ok(())) => self.phase = Phase::Running,
            // What cannot be written down is not done, and that it was not cannot be written down either.
            (Phase::Recording, Err(reason)) => {
                let reason = Text::from(format!("nothing was sent: {reason}"));
                for taken in &mut self.steps {
                    taken.progress = Progress::Failed { reason: reason.clone() };
                }
                self.phase = Phase::Finished;
                self.ended = Some(now);
            }
            (Phase::Running | Phase::Stopping | Phase::Finished, Ok(())) => {}
            (Phase::Running | Phase::Stopping | Phase::Finished, Err(reason)) => self.stop(&reason),
        }
    }

    /// No new step is begun.
    pub fn stop(&mut self, reason: &str) {
        match self.phase {
            // One that is still being written down ends when it is.
            Phase::Recording => self.stopped = Some(reason.into()),
            Phase::Running => {
                self.phase = Phase::Stopping;
                self.stopped = Some(reason.into());
            }
            Phase::Stopping | Phase::Finished => {}
        }
    }

    /// The server answered a call, or nobody did.
    pub fn answered(&mut self, step: usize, answer: Result<(), CallError>, now: Timestamp) {
        let Some(taken) = self.steps.get_mut(step) else { return };
        if !matches!(taken.progress, Progress::InFlight { .. }) {
            return;
        }
        taken.progress = match answer {
            Ok(()) => waiting(now, Until::Shown, "accepted; waiting for the watch to show it"),
            Err(CallError::Conflict { reason }) if taken.tries < MOST_TRIES => {
                waiting(now, Until::Changed, format!("it was changed meanwhile: {reason}"))
            }
            Err(CallError::Unanswered { reason } | CallError::Unauthorized { reason }) => {
                waiting(now, Until::Again(later(now, AGAIN_AFTER)), reason)
            }
            Err(CallError::TooManyRequests { reason, pause, .. }) => {
                let pause = pause.unwrap_or_default().max(AGAIN_AFTER);
                waiting(now, Until::Again(later(now, pause)), reason)
            }
            Err(
                error @ (CallError::ReadOnly
                | CallError::Forbidden { .. }
                | CallError::NotFound { .. }
                | CallError::Conflict { .. }
                | CallError::Invalid { .. }
                | CallError::Broken { .. }),
            ) => Progress::Failed { reason: error.reason().into() },
        };
    }

    /// Goes on as far as things stand.
    pub fn advance(&mut self, sight: &Sight<'_>) -> Vec<Order> {
        let mut orders = Vec::new();
        match self.phase {
            Phase::Recording | Phase::Finished => return orders,
            Phase::Running | Phase::Stopping => {}
        }
        for step in 0..self.steps.len() {
            match self.next(step, sight) {
                Next::Stay => {}
                Next::Send(call) => {
                    let taken = &mut self.steps[step];
                    taken.progress = Progress::InFlight { since: sight.now };
                    taken.tries += 1;
                    taken.sent = Some(call.clone());
                    orders.push(Order::Send { step, call });
                }
                Next::Become(progress) => self.steps[step].progress = progress,
            }
            orders.extend(self.ending(step, sight.now).map(Order::Write));
        }
        if self.steps.iter().all(|taken| taken.progress.is_over()) {
            self.phase = Phase::Finished;
            self.ended = Some(sight.now);
            orders.push(Order::Write(self.record(sight.now, Entry::Ended(self.summary()))));
        }
        orders
    }

    /// What becomes of a step now.
    fn next(&self, step: usize, sight: &Sight<'_>) -> Next {
        let Step::Call(planned) = &self.plan.steps[step];
        let Taken { progress, sent, .. } = &self.steps[step];
        let call = sent.as_ref().unwrap_or(planned);
        let is_fresh = sight.staleness(self.draft.action.kind().spec().relies_on).is_none();
        match progress {
            Progress::InFlight { .. }
            | Progress::Done { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => Next::Stay,
            Progress::Pending if self.phase == Phase::Stopping => self.skipped(),
            Progress::Pending => self.try_if(is_fresh, call, sight),
            Progress::Waiting { .. } if call.is_seen(sight.cluster) => {
                Next::Become(Progress::Done { at: sight.now })
            }
            Progress::Waiting { since, until: Until::Shown, .. } => {
                let is_late = sight.now.duration_since(*since) > SHOWN_WITHIN;
                if is_late && is_fresh {
                    let reason = "the server accepted it and the watch does not show it: somebody may have \
                                  undone it; look at the object";
                    return Next::Become(Progress::Failed { reason: reason.into() });
                }
                Next::Stay
            }
            // It is still as it was looked at, so whatever becomes of it later, this did not change it.
            Progress::Waiting { until: Until::Changed, .. } if self.phase == Phase::Stopping => {
                self.skipped()
            }
            Progress::Waiting { until: Until::Changed, .. } => {
                self.try_if(is_fresh && call.is_outdated(sight.cluster), call, sight)
            }
            Progress::Waiting { until: Until::Again(at), reason, .. } => {
                let is_due = is_fresh && sight.now >= *at;
                match self.phase {
                    Phase::Stopping if is_due => {
                        let reason =
                            format!("{}, and the watch does not show it: {reason}", self.why_stopped());
                        Next::Become(Progress::Skipped { reason: SkipReason::Stopped(reason.into()) })
                    }
                    Phase::Recording | Phase::Running | Phase::Stopping | Phase::Finished => {
                        self.try_if(is_due, call, sight)
                    }
                }
            }
        }
    }

    /// Sends a call if it may be sent: what the operator agreed to is looked at once more.
    fn try_if(&self, may: bool, call: &Call, sight: &Sight<'_>) -> Next {
        let in_flight = self.steps.iter().filter(|taken| matches!(taken.progress, Progress::InFlight { .. }));
        if !may || in_flight.count() >= MOST_IN_FLIGHT {
            return Next::Stay;
        }
        match call.guard(sight.cluster) {
            Guard::Send(call) => Next::Send(call),
            Guard::Needless { reason } => {
                Next::Become(Progress::Skipped { reason: SkipReason::Needless(reason.into()) })
            }
            Guard::Stop { reason } => Next::Become(Progress::Failed { reason: reason.into() }),
        }
    }

    fn why_stopped(&self) -> &str {
        self.stopped.as_ref().map_or("stopped", |reason| reason.as_str())
    }

    fn skipped(&self) -> Next {
        Next::Become(Progress::Skipped { reason: SkipReason::Stopped(self.why_stopped().into()) })
    }

    /// The record of a step that is over and has none yet.
    fn ending(&mut self, step: usize, now: Timestamp) -> Option<Record> {
        let taken = &mut self.steps[step];
        let (result, reason) = StepResult::of(&taken.progress)?;
        if std::mem::replace(&mut taken.is_recorded, true) {
            return None;
        }
        let planned = &self.plan.steps[step];
        let ended = StepEnded {
            step,
            what: planned.sentence().into(),
            object: planned.object().into(),
            result,
            reason,
        };
        Some(self.record(now, Entry::Step(ended)))
    }

    fn record(&self, at: Timestamp, entry: Entry) -> Record {
        Record { run: self.id.clone(), at, entry }
    }

    /// How it ended, or would if it ended now.
    pub fn summary(&self) -> Ended {
        let is_done = |taken: &&Taken| match &taken.progress {
            Progress::Done { .. } | Progress::Skipped { reason: SkipReason::Needless(_) } => true,
            Progress::Skipped { reason: SkipReason::Stopped(_) }
            | Progress::Pending
            | Progress::InFlight { .. }
            | Progress::Waiting { .. }
            | Progress::Failed { .. } => false,
        };
        let done = self.steps.iter().filter(is_done).count();
        let not_done = self.steps.len() - done;
        let outcome = match (done, not_done) {
            (_, 0) => Outcome::Done,
            (_, _) if self.stopped.is_some() => Outcome::Stopped,
            (0, _) => Outcome::Failed,
            (_, _) => Outcome::Partly,
        };
        Ended { outcome, done, not_done }
    }

    /// What would take back what was done, where that can honestly be taken back.
    pub fn undo(&self) -> Option<Draft> {
        let done: Vec<ObjectRef> = self
            .steps()
            .filter(|(_, progress)| matches!(progress, Progress::Done { .. }))
            .map(|(step, _)| step.object().clone())
            .collect();
        undo(&self.id, &self.draft.action, done)
    }
}

/// What takes back that a run did this to these objects: only what it did itself, and nothing where what was before
/// is not known any more.
pub fn undo(run: &RunId, action: &Action, done: Vec<ObjectRef>) -> Option<Draft> {
    match action {
        _ if done.is_empty() => None,
        Action::Cordon => Some(Draft {
            action: Action::Uncordon { of: Some(run.clone()) },
            targets: done,
            why: format!("takes back {run}").into(),
        }),
        // Who had cordoned it, and why, was taken off with it.
        Action::Uncordon { .. } => None,
    }
}

enum Next {
    Stay,
    Send(Call),
    Become(Progress),
}

impl Progress {
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Done { .. } | Self::Skipped { .. } | Self::Failed { .. } => true,
            Self::Pending | Self::InFlight { .. } | Self::Waiting { .. } => false,
        }
    }

    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InFlight { .. } => "in flight",
            Self::Waiting { .. } => "waiting",
            Self::Done { .. } => "done",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
        }
    }

    /// Why it stands so, where that says more than the word.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pending | Self::InFlight { .. } | Self::Done { .. } => None,
            Self::Waiting { reason, .. }
            | Self::Skipped { reason: SkipReason::Needless(reason) | SkipReason::Stopped(reason) }
            | Self::Failed { reason } => Some(reason),
        }
    }
}

fn waiting(since: Timestamp, until: Until, reason: impl Into<Text>) -> Progress {
    Progress::Waiting { since, until, reason: reason.into() }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}
