//! Guided actions in the application: what is being reviewed, what runs, and what was done.
//!
//! The screen and the command line both come through here: they draft, look at the review, agree and watch. What an
//! action is, checks and does is said in `actions`.

mod agree;
pub mod entry;
pub mod options;
pub mod pods;
pub mod rollout;

pub use agree::MOST_TARGETS;

use super::notice::Weight;
use super::{App, Effect, Msg};
use crate::actions::audit::Entry;
use crate::actions::history::PastRun;
use crate::actions::{
    Answer, Answers, Author, Call, CallError, Draft, Errand, Order, Outcome, Phase, Plan, Preflight, Probe,
    Progress, Ran, Record, Run, RunId, Sight, Steer,
};
use crate::app::link::Link;
use crate::cluster::{Change, Feed, Kind, ObjectRef, Row as _, Text, Trial};
use crate::command::{Command, Context, Ui};
use crate::revision::History;
use jiff::Timestamp;
use std::sync::Arc;

/// Nodes that one line names.
const MOST_NAMED: usize = 3;

/// What is told of actions.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Somebody wants this.
    Draft(Draft),
    Probed {
        run: RunId,
        probe: Probe,
        answer: Answer,
    },
    /// Somebody agrees to what is reviewed, and has typed these names.
    Agree {
        typed: Vec<String>,
    },
    Answered {
        run: RunId,
        step: usize,
        answer: Result<(), CallError>,
    },
    /// A configured command has ended, or was not run.
    Ran {
        run: RunId,
        step: usize,
        ran: Ran,
    },
    /// A record is on disk, or why it is not.
    Written {
        run: RunId,
        written: Result<(), Text>,
    },
    /// Nothing new is to be begun, because of this.
    Stop {
        reason: String,
    },
    /// Somebody changes how a run goes on.
    Steer {
        run: RunId,
        steer: Steer,
    },
    /// What the server said when it was asked whether an object can be updated.
    Trial(Trial),
    /// The history of a workload was read, or why it was not.
    History {
        object: ObjectRef,
        read: Result<Arc<History>, Text>,
    },
    /// What came back to a question about the node whose case file is open.
    Looked {
        probe: Probe,
        answer: Answer,
    },
    /// What the journals of earlier sessions say.
    Past {
        runs: Vec<PastRun>,
        records: Vec<Record>,
    },
}

/// What the shell is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Probe {
        run: RunId,
        probe: Probe,
    },
    Send {
        run: RunId,
        step: usize,
        call: Call,
    },
    /// Run a configured command, once.
    Run {
        run: RunId,
        step: usize,
        errand: Errand,
    },
    Write(Record),
    /// Ask, by a dry run, whether an object can still be updated; its version as it is known.
    Trial {
        object: ObjectRef,
        version: Text,
    },
    /// Ask this about the node whose case file is open.
    Look {
        probe: Probe,
    },
    /// Read the history of a workload in full.
    History {
        object: ObjectRef,
    },
}

/// An action before anybody has agreed to it.
#[derive(Debug)]
pub struct Review {
    pub draft: Draft,
    pub author: Author,
    pub plan: Plan,
    pub answers: Answers,
    pub preflight: Preflight,
    /// Whether the server was asked about it; before that it is a draft, whose options may still change.
    pub is_asked: bool,
}

#[derive(Debug, Default)]
pub struct Acting {
    pub review: Option<Review>,
    /// Of this session, oldest first.
    pub runs: Vec<Run>,
    /// Of earlier sessions, and of others that go on.
    pub past: Vec<PastRun>,
    /// What was recorded, oldest first.
    pub records: Vec<Record>,
    /// Drafts so far.
    drafted: u32,
    was_own_cordon_told: bool,
}

impl Acting {
    pub fn run(&self, id: &RunId) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == *id)
    }

    /// Runs that are not over.
    pub fn under_way(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| !run.is_over())
    }
}

impl App {
    /// What there is to be seen when something is decided.
    pub fn sight(&self) -> Sight<'_> {
        let outage = match &self.link {
            Link::Down { reason, .. } | Link::Login { reason, .. } => Some(reason),
            Link::Connecting | Link::Up => None,
        };
        let is_read_only = self.session.is_read_only;
        Sight { cluster: &self.cluster, now: self.now, outage, is_read_only }
    }

    pub(super) fn take_told(&mut self, told: Told) -> Vec<Effect> {
        match told {
            Told::Draft(draft) => return self.review(draft),
            Told::Probed { run, probe, answer } => {
                if let Some(review) = self.acting.review.as_mut().filter(|review| review.author.run == run) {
                    review.answers.take(&probe, answer);
                } else if let Some(run) = self.run_mut(&run) {
                    run.probed(&probe, &answer);
                }
            }
            Told::Agree { typed } => return self.agree(&typed),
            Told::Answered { run, step, answer } => {
                let now = self.now;
                if let Some(run) = self.run_mut(&run) {
                    run.answered(step, answer, now);
                }
            }
            Told::Ran { run, step, ran } => {
                let now = self.now;
                if let Some(run) = self.run_mut(&run) {
                    run.ran(step, ran, now);
                }
            }
            Told::Written { run, written } => {
                if let Err(reason) = &written {
                    self.notices.say(Weight::Error, reason.clone(), self.now);
                }
                let now = self.now;
                let Some(known) = self.run_mut(&run) else { return Vec::new() };
                let is_first = known.phase == Phase::Recording;
                let is_lost = is_first && written.is_err();
                known.written(written, now);
                if is_lost {
                    // A run that could not be written down has no records: it never began.
                    self.acting.records.retain(|record| record.run != run);
                }
            }
            Told::Stop { reason } => {
                for run in &mut self.acting.runs {
                    run.stop(&reason);
                }
            }
            Told::Trial(trial) => self.take_changes(vec![Change::Trial(Box::new(trial))]),
            Told::History { object, read } => {
                let effects = self.take_read(&object, &read);
                self.take_history(&object, read);
                return effects;
            }
            Told::Looked { probe, answer } => self.take_look(&probe, answer),
            Told::Steer { run, steer } => {
                let (who, now) = (self.session.operator.clone(), self.now);
                let steered = match self.run_mut(&run) {
                    Some(run) => run.steer(&steer, &who, now),
                    None => Err(format!("there is no run {run} here")),
                };
                if let Err(reason) = steered {
                    self.notices.say(Weight::Warning, reason, now);
                }
            }
            Told::Past { runs, records } => {
                self.tell_cut_off(&runs);
                self.acting.past = runs;
                self.acting.records.splice(0..0, records);
            }
        }
        Vec::new()
    }

    fn run_mut(&mut self, id: &RunId) -> Option<&mut Run> {
        self.acting.runs.iter_mut().find(|run| run.id == *id)
    }

    fn write(&mut self, record: Record) -> Vec<Effect> {
        self.acting.records.push(record.clone());
        vec![Asked::Write(record).into()]
    }

    // -- runs ------------------------------------------------------------------------------------------------

    /// Goes on with what is reviewed and what runs, as far as things stand.
    pub(super) fn go_on(&mut self) -> Vec<Effect> {
        let mut effects = if self.look_again() { self.ask() } else { self.ask_on() };
        self.tell_own_cordons();
        let mut runs = std::mem::take(&mut self.acting.runs);
        for run in runs.iter_mut().filter(|run| !run.is_over()) {
            for order in run.advance(&self.sight()) {
                match order {
                    Order::Send { step, call } => {
                        let call = call.dated(self.now);
                        effects.push(Asked::Send { run: run.id.clone(), step, call }.into());
                    }
                    Order::Ask(probe) => effects.push(Asked::Probe { run: run.id.clone(), probe }.into()),
                    Order::Run { step, errand } => {
                        effects.push(Asked::Run { run: run.id.clone(), step, errand }.into());
                    }
                    Order::Write(record) => effects.extend(self.write(record)),
                }
            }
            if run.is_over() {
                let (weight, text) = ending(run);
                self.notices.say(weight, text, self.now);
            }
        }
        self.acting.runs = runs;
        effects
    }

    /// Says once which nodes are still cordoned by whoever sits here.
    fn tell_own_cordons(&mut self) {
        if self.acting.was_own_cordon_told || !self.cluster.feed(Feed::Watch(Kind::Node)).was_complete {
            return;
        }
        self.acting.was_own_cordon_told = true;
        let own: Vec<(Text, Option<Timestamp>)> = self
            .cluster
            .nodes
            .values()
            .filter_map(|node| Some((node.name().name.clone(), node.cordon()?)))
            .filter(|(_, cordon)| !cordon.by.is_empty() && cordon.by == self.session.operator)
            .map(|(name, cordon)| (name, cordon.at))
            .collect();
        let words: Vec<String> = own
            .iter()
            .take(MOST_NAMED)
            .map(|(name, at)| match at {
                Some(at) => format!("{name} ({})", super::time::age(Some(*at), self.now)),
                None => name.to_string(),
            })
            .collect();
        let more = match own.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            many => format!(" and {many} more"),
        };
        if !words.is_empty() {
            let text = format!("still cordoned by you: {}{more}", words.join(", "));
            self.notices.say(Weight::Warning, text, self.now);
        }
    }

    /// Says once which runs of earlier sessions did not come to their end, and where to look at them.
    fn tell_cut_off(&mut self, runs: &[PastRun]) {
        let cut_off: Vec<&PastRun> = runs.iter().filter(|run| run.is_cut_off()).collect();
        let key = self.keymap.keys(Context::Triage, Command::Ui(Ui::Runs)).next();
        let key = key.map_or_else(|| ":runs".to_owned(), |key| key.to_string());
        let text = match cut_off.as_slice() {
            [] => return,
            [run] => {
                let title = run.started.action.kind().spec().title;
                let (done, many) = (run.done(), run.started.steps.len());
                format!("{title} was cut off, {done} of {many} done ({}): {key} shows it", run.id)
            }
            many => format!("{} runs were cut off before their end: {key} shows them", many.len()),
        };
        self.notices.say(Weight::Warning, text, self.now);
    }
}

/// What is said when a run is over.
fn ending(run: &Run) -> (Weight, String) {
    let summary = run.summary();
    let what = run.draft.action.kind().spec().title;
    let id = &run.id;
    match summary.outcome {
        Outcome::Done => (Weight::Hint, format!("{what}: done ({id})")),
        Outcome::Partly | Outcome::Stopped | Outcome::Failed => {
            let first = run.steps().find_map(|(_, progress)| match progress {
                Progress::Failed { reason } => Some(reason.to_string()),
                Progress::Pending
                | Progress::InFlight { .. }
                | Progress::Waiting { .. }
                | Progress::Done { .. }
                | Progress::Skipped { .. } => None,
            });
            let why = first.map_or_else(String::new, |reason| format!(": {reason}"));
            let many = summary.done + summary.not_done;
            let word = summary.outcome.word();
            (Weight::Error, format!("{what}: {word}, {} of {many} ({id}){why}", summary.done))
        }
    }
}

impl From<Asked> for Effect {
    fn from(asked: Asked) -> Self {
        Self::Acting(Box::new(asked))
    }
}

impl From<Told> for Msg {
    fn from(told: Told) -> Self {
        Self::Acting(told)
    }
}

/// Which run a record is of, and in words what it says.
pub fn record_words(record: &Record) -> String {
    match &record.entry {
        Entry::Started(started) => {
            let action = started.action.kind().spec().id;
            let names: Vec<&str> = started.targets.iter().map(|target| target.name.as_str()).collect();
            let why = started.why.non_empty().map_or_else(String::new, |why| format!(", because: {why}"));
            format!("{} begins to {action} {}{why}", started.who, names.join(", "))
        }
        Entry::Step(step) => {
            let reason = step.reason.non_empty().map_or_else(String::new, |reason| format!(": {reason}"));
            let said = step
                .command
                .as_ref()
                .map_or_else(String::new, |command| format!(" (it said: {})", command.ran.summary()));
            format!("{}: {}{reason}{said}", step.what, step.result.word())
        }
        Entry::Noted(noted) => noted.what.to_string(),
        Entry::Ended(ended) => {
            format!("{}, {} of {}", ended.outcome.word(), ended.done, ended.done + ended.not_done)
        }
    }
}
