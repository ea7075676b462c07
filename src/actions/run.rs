//! One execution of a plan: a state machine over its steps.
//!
//! It is told the time, the answers and what the watch shows, and says what to send and what to write down. Invariant:
//! nothing is sent before the shell has said that the first record is on disk; and a step is done when the watch
//! shows it, whatever the server answered.

mod danger;
mod errand;
mod pace;
mod progress;
mod steer;
mod step;

pub use progress::{Outcome, Progress, SkipReason, Until};
pub use steer::Steer;

use super::audit::{Commanded, Ended, Entry, Record, Started, StepEnded, StepResult};
use super::call::Refusal;
use super::evidence::Inquiry;
use super::undo::{Done, Replaced, undo};
use super::{Answer, Call, CallError, Draft, Errand, Plan, Probe, Ran, RunId, Sight, Step};
use crate::cluster::{ObjectRef, Text};
use jiff::Timestamp;
use pace::{Pace, spread};
use progress::later;
use std::collections::{BTreeMap, BTreeSet};
use step::Next;

/// Calls of one run that are under way at a time.
pub const MOST_IN_FLIGHT: usize = 5;
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
    /// Nothing new is sent until somebody says so.
    pub is_paused: bool,
    /// Where each step of the plan stands.
    steps: Vec<Taken>,
    /// Why it was told to stop.
    stopped: Option<Text>,
    pace: Pace,
    /// Records that are still to be given to the shell.
    notes: Vec<Record>,
    /// Records that the shell has not written yet.
    unwritten: usize,
    /// Calls and questions that are on their way, counted while steps are looked at.
    in_flight: usize,
    /// What is asked about machines that are said to be dead.
    inquiries: BTreeMap<ObjectRef, Inquiry>,
    /// Those that gave a sign of life after they were marked.
    alive: BTreeSet<ObjectRef>,
}

#[derive(Debug)]
struct Taken {
    progress: Progress,
    tries: u32,
    /// As it was last sent, its version later than the plan's; or as somebody would have it instead.
    call: Option<Call>,
    /// It is sent in another way than was agreed to first.
    is_overridden: bool,
    /// What came back to a question, until it is looked at.
    heard: Option<Answer>,
    /// How its command ended, and when.
    ran: Option<(Ran, Timestamp)>,
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

/// What the shell is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Send {
        step: usize,
        call: Call,
    },
    Ask(Probe),
    /// A configured command, once.
    Run {
        step: usize,
        errand: Errand,
    },
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
        let untaken = |_| Taken {
            progress: Progress::Pending,
            tries: 0,
            call: None,
            is_overridden: false,
            heard: None,
            ran: None,
            is_recorded: false,
        };
        let run = Self {
            steps: plan.steps.iter().map(untaken).collect(),
            id,
            draft,
            plan,
            phase: Phase::Recording,
            began: now,
            ended: None,
            is_paused: false,
            stopped: None,
            pace: Pace::default(),
            notes: Vec::new(),
            unwritten: 1,
            in_flight: 0,
            inquiries: BTreeMap::new(),
            alive: BTreeSet::new(),
        };
        let record = run.record(now, Entry::Started(started));
        (run, record)
    }

    pub fn is_over(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// Each step with where it stands.
    pub fn steps(&self) -> impl Iterator<Item = (&Step, &Progress)> {
        self.plan.steps.iter().zip(self.steps.iter().map(|taken| &taken.progress))
    }

    /// Whether somebody has stated in it that the machine of this node is off.
    pub fn attests(&self, node: &ObjectRef) -> bool {
        self.steps().any(|(step, progress)| {
            matches!(step, Step::Attest { node: stated, .. } if stated == node)
                && matches!(progress, Progress::Done { .. })
        })
    }

    pub fn stopped(&self) -> Option<&Text> {
        self.stopped.as_ref()
    }

    /// The shell has written a record, or could not.
    pub fn written(&mut self, written: Result<(), Text>, now: Timestamp) {
        self.unwritten = self.unwritten.saturating_sub(1);
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
        let Some(taken) = self.steps.get_mut(step).filter(|taken| taken.progress.is_in_flight()) else {
            return;
        };
        let Some(call) = taken.call.as_ref() else { return };
        let refusal = match answer.map_err(|error| call.refusal(error)) {
            Ok(()) => {
                let reason = "accepted; waiting for the watch to show it";
                taken.progress = Progress::waiting(now, Until::Shown, reason);
                return;
            }
            Err(refusal) => refusal,
        };
        // Whatever it was, it was the end of that evidence.
        self.inquiries.values_mut().for_each(Inquiry::again);
        let is_worn = taken.tries >= MOST_TRIES;
        if self.plan.steps.get(step).is_some_and(Step::is_way_back) {
            taken.progress = danger::persisting(refusal, taken.tries, now);
            return;
        }
        taken.progress = match refusal {
            Refusal::Final(reason) => Progress::failed(reason),
            Refusal::Changed(reason) if is_worn => Progress::failed(reason),
            Refusal::Changed(reason) => Progress::waiting(now, Until::Changed, reason),
            Refusal::Held { budget, pause, reason } => {
                let again = spread(step, now, pause);
                if let Some(budget) = budget.clone() {
                    self.pace.close(budget, later(now, pause), reason.clone());
                }
                Progress::waiting(now, Until::Budget { budget, again }, reason)
            }
            Refusal::Busy { pause, reason } => {
                self.pace.be_busy(later(now, pause));
                Progress::waiting(now, Until::Again(spread(step, now, pause)), reason)
            }
            Refusal::Again { is_counted: true, reason, .. } if is_worn => Progress::failed(reason),
            Refusal::Again { pause, reason, .. } => {
                Progress::waiting(now, Until::Again(later(now, pause)), reason)
            }
        };
    }

    /// The server answered a question, or nobody did.
    pub fn probed(&mut self, probe: &Probe, answer: &Answer) {
        self.inquiries.values_mut().for_each(|inquiry| inquiry.hear(probe, answer));
        let asks = |step: &Step| step.question().as_ref() == Some(probe);
        let open = self.plan.steps.iter().zip(&mut self.steps);
        let asked = open.filter(|(step, taken)| taken.progress.is_in_flight() && asks(step));
        for (_, taken) in asked {
            taken.heard = Some(answer.clone());
        }
    }

    /// Goes on as far as things stand.
    pub fn advance(&mut self, sight: &Sight<'_>) -> Vec<Order> {
        let mut orders: Vec<Order> = Vec::new();
        match self.phase {
            Phase::Recording | Phase::Finished => return orders,
            Phase::Running | Phase::Stopping => {}
        }
        self.pace.reopen(sight.cluster, sight.now);
        self.give_up_silent_nodes(sight);
        self.look_for_life(sight);
        orders.extend(self.inquire(sight));
        self.in_flight = self.steps.iter().filter(|taken| taken.progress.is_in_flight()).count();
        // What ends a stage begins the next one, in the same moment.
        loop {
            let front = self.front();
            for step in 0..self.steps.len() {
                orders.extend(self.take(step, front, sight));
                let ending = self.ending(step, sight.now);
                self.notes.extend(ending);
            }
            self.halt();
            if self.front() == front {
                break;
            }
        }
        if self.steps.iter().all(|taken| taken.progress.is_over()) {
            self.phase = Phase::Finished;
            self.ended = Some(sight.now);
            self.notes.push(self.record(sight.now, Entry::Ended(self.summary())));
        }
        self.unwritten += self.notes.len();
        orders.extend(self.notes.drain(..).map(Order::Write));
        orders
    }

    /// The stage that is under way. A way back is open as long as anything else is, and keeps nothing up.
    fn front(&self) -> usize {
        let holds_up = |(step, taken): (&Step, &Taken)| !step.is_way_back() && !taken.progress.is_over();
        let open = self.plan.steps.iter().zip(&self.steps).position(holds_up);
        open.map_or(usize::MAX, |step| self.plan.stage(step))
    }

    fn take(&mut self, step: usize, front: usize, sight: &Sight<'_>) -> Option<Order> {
        match self.next(step, front, sight) {
            Next::Stay => None,
            Next::Send(call) => {
                if let Some(removal) = call.removal() {
                    self.pace.begin(&removal.node.name, sight.now);
                }
                self.in_flight += 1;
                if let Call::Dangerous(_) = call {
                    // One request to one gathering of the evidence.
                    self.inquiries.values_mut().for_each(Inquiry::again);
                }
                let taken = &mut self.steps[step];
                taken.progress = Progress::InFlight { since: sight.now };
                taken.tries += 1;
                taken.call = Some(call.clone());
                Some(Order::Send { step, call })
            }
            Next::Ask(probe) => {
                let taken = &mut self.steps[step];
                taken.progress = Progress::InFlight { since: sight.now };
                taken.heard = None;
                Some(Order::Ask(probe))
            }
            Next::Run(errand) => {
                let taken = &mut self.steps[step];
                taken.progress = Progress::InFlight { since: sight.now };
                taken.tries += 1;
                taken.heard = None;
                Some(Order::Run { step, errand })
            }
            Next::Become(progress) => {
                let taken = &mut self.steps[step];
                taken.progress = progress;
                taken.heard = None;
                None
            }
        }
    }

    /// The record of a step that is over and has none yet.
    fn ending(&mut self, step: usize, now: Timestamp) -> Option<Record> {
        let taken = &mut self.steps[step];
        let (result, reason) = StepResult::of(&taken.progress)?;
        if std::mem::replace(&mut taken.is_recorded, true) {
            return None;
        }
        let planned = &self.plan.steps[step];
        let sent = taken.call.as_ref().or_else(|| planned.call());
        let command = planned.errand().zip(taken.ran.as_ref());
        let ended = StepEnded {
            step,
            what: sent.map_or_else(|| planned.sentence(), Call::sentence).into(),
            call: sent.map(Call::kind),
            object: planned.object().into(),
            result,
            reason,
            replaced: sent.and_then(Replaced::by),
            command: command.map(|(errand, (ran, _))| Commanded::of(errand, ran)),
        };
        Some(self.record(now, Entry::Step(ended)))
    }

    fn record(&self, at: Timestamp, entry: Entry) -> Record {
        Record { run: self.id.clone(), at, entry }
    }

    /// How it ended, or would if it ended now.
    pub fn summary(&self) -> Ended {
        let done = self.steps.iter().filter(|taken| taken.progress.is_fine()).count();
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
        let done = self.steps().filter(|(_, progress)| matches!(progress, Progress::Done { .. }));
        undo(&self.id, &self.draft.action, done.map(|(step, _)| Done::of(step)))
    }
}

#[cfg(test)]
mod tests;
