//! Runs as the journal tells them: what was meant, what became of each step, and whether somebody saw it to its end.

use super::audit::{Ended, Entry, Record, Started, StepEnded, StepResult};
use super::undo::{Done, undo};
use super::{Draft, RunId};
use crate::cluster::ObjectRef;
use jiff::Timestamp;

/// A run of this or of an earlier session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    pub id: RunId,
    pub began: Timestamp,
    pub started: Started,
    pub steps: Vec<StepEnded>,
    pub ended: Option<(Timestamp, Ended)>,
    /// Whether the program that runs it is still there.
    pub is_alive: bool,
}

impl PastRun {
    /// Whether it was cut off: by a lost terminal, a signal, a machine that went down.
    pub const fn is_cut_off(&self) -> bool {
        self.ended.is_none() && !self.is_alive
    }

    pub fn state(&self) -> &'static str {
        match &self.ended {
            Some((_, ended)) => ended.outcome.word(),
            None if self.is_alive => "running",
            None => "cut off",
        }
    }

    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| is_done(step.result)).count()
    }

    /// Steps of which nothing is recorded. What was under way when it was cut off may have been carried out.
    pub fn unknown(&self) -> usize {
        self.started.steps.len().saturating_sub(self.steps.len())
    }

    /// The same once more, for what was not done: what is so already is skipped then.
    pub fn resumed(&self) -> Option<Draft> {
        let is_open = self.ended.as_ref().is_none_or(|(_, ended)| ended.not_done > 0);
        is_open.then(|| {
            let draft = self.started.draft();
            let why = if draft.why.is_empty() {
                format!("takes up {}", self.id)
            } else {
                format!("{} (takes up {})", draft.why, self.id)
            };
            Draft { why: why.into(), ..draft }
        })
    }

    /// What takes back what it did. Of a run that was cut off everything it meant to do is asked for: what it did
    /// not do itself is refused then, object by object.
    pub fn undo(&self) -> Option<Draft> {
        let done = self.steps.iter().filter(|step| step.result == StepResult::Done);
        let done = done.map(|step| Done {
            call: step.call,
            object: ObjectRef::from(&step.object),
            replaced: step.replaced.clone(),
        });
        undo(&self.id, &self.started.action, done)
    }
}

const fn is_done(result: StepResult) -> bool {
    match result {
        StepResult::Done | StepResult::Needless | StepResult::Left => true,
        StepResult::Stopped | StepResult::Skipped | StepResult::Failed => false,
    }
}

/// The runs that records tell of, oldest first. Records without a beginning are left out: nobody knows of what.
pub fn runs<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    is_alive: impl Fn(&RunId) -> bool,
) -> Vec<PastRun> {
    let mut runs: Vec<PastRun> = Vec::new();
    for Record { run, at, entry } in records {
        let known = runs.iter_mut().rfind(|known| known.id == *run);
        match (entry, known) {
            (Entry::Started(started), None) => runs.push(PastRun {
                id: run.clone(),
                began: *at,
                started: started.clone(),
                steps: Vec::new(),
                ended: None,
                is_alive: is_alive(run),
            }),
            (Entry::Step(step), Some(known)) => known.steps.push(step.clone()),
            (Entry::Ended(ended), Some(known)) => known.ended = Some((*at, ended.clone())),
            (Entry::Noted(_), _)
            | (Entry::Started(_), Some(_))
            | (Entry::Step(_) | Entry::Ended(_), None) => {}
        }
    }
    runs.sort_by_key(|run| run.began);
    runs
}
