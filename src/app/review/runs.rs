//! The runs on the screen: the list, one of them with its steps, and what an operator does to it there.

use super::{App, Effect, Field, Overlay, Pane};
use crate::actions::{Action, RunId, Steer, undo};
use crate::app::acting::{Told, pods};
use crate::app::notice::Weight;
use crate::app::view::Move;
use crate::cluster::ObjectRef;
use crate::command::{Command, Ui};

/// A line of the list of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: RunId,
    pub is_of_this_session: bool,
}

/// One run on the screen. The cursor is on a step by its place in the plan, which does not change while the lines do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPane {
    pub run: RunId,
    /// Nothing before somebody moves: what is done to a pod is done to one that was chosen, and not to whichever is
    /// the first line in that moment.
    pub at: Option<usize>,
    /// It was opened from the list of runs.
    pub is_listed: bool,
}

/// A pod whose name is asked for before it is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub from: RunPane,
    pub pod: ObjectRef,
    pub field: Field,
    pub typed: String,
}

impl Override {
    pub(super) const fn next_field(&mut self, is_forward: bool) {
        self.field = match (self.field, is_forward) {
            (Field::Word | Field::Why | Field::Off, true) | (Field::Agree, false) => Field::Cancel,
            (Field::Cancel, true) | (Field::Word | Field::Why | Field::Off, false) => Field::Agree,
            (Field::Agree, true) | (Field::Cancel, false) => Field::Word,
        };
    }
}

impl App {
    /// The runs of this session and those of earlier ones that were not seen to their end, newest first.
    pub fn listed_runs(&self) -> Vec<Listed> {
        let own = self.acting.runs.iter().rev();
        let own = own.map(|run| Listed { id: run.id.clone(), is_of_this_session: true });
        let past = self.acting.past.iter().rev().filter(|run| run.ended.is_none());
        own.chain(past.map(|run| Listed { id: run.id.clone(), is_of_this_session: false })).collect()
    }

    /// What is shown of the run that was agreed to a moment ago.
    pub(super) fn newest_run(&self) -> Pane {
        match self.acting.runs.last() {
            Some(run) if matches!(run.draft.action, Action::Drain { .. }) || pods::has_rollout(run) => {
                Pane::Run(RunPane { run: run.id.clone(), at: None, is_listed: false })
            }
            Some(_) | None => Pane::Runs { at: 0 },
        }
    }

    /// A run of the list by itself; those of other sessions are told in the list.
    pub(super) fn open_run(&self, at: usize) -> Pane {
        match self.listed_runs().into_iter().nth(at) {
            Some(Listed { id, is_of_this_session: true }) => {
                Pane::Run(RunPane { run: id, at: None, is_listed: true })
            }
            Some(Listed { is_of_this_session: false, .. }) | None => Pane::Runs { at },
        }
    }

    pub(super) fn move_in_run(&mut self, movement: Move) {
        let Some(Overlay::Acting(Pane::Run(pane))) = &mut self.overlay else { return };
        let Some(run) = self.acting.runs.iter().find(|run| run.id == pane.run) else { return };
        let lines = pods::lines(run);
        let from = lines.iter().position(|line| pane.at == Some(line.at));
        let to = from.map_or(0, |from| movement.step(from, lines.len()));
        pane.at = lines.get(to).map(|line| line.at);
    }

    fn run_at_cursor(&self) -> Option<RunId> {
        match &self.overlay {
            Some(Overlay::Acting(Pane::Runs { at })) => {
                self.listed_runs().into_iter().nth(*at).map(|listed| listed.id)
            }
            Some(Overlay::Acting(Pane::Run(pane))) => Some(pane.run.clone()),
            Some(_) | None => None,
        }
    }

    pub(in crate::app) fn steer_run(&mut self, is_stop: bool) -> Vec<Effect> {
        let Some(id) = self.run_at_cursor() else { return Vec::new() };
        let Some(run) = self.acting.run(&id).filter(|run| !run.is_over()) else {
            self.notices.say(Weight::Hint, "this run is not under way here", self.now);
            return Vec::new();
        };
        let steer = match (is_stop, run.is_paused) {
            (true, _) => Steer::Stop,
            (false, true) => Steer::Resume,
            (false, false) => Steer::Pause,
        };
        self.take_told(Told::Steer { run: id, steer })
    }

    pub(in crate::app) fn undo_run(&mut self) -> Vec<Effect> {
        let Some(id) = self.run_at_cursor() else { return Vec::new() };
        let run = self.acting.run(&id);
        let past = self.acting.past.iter().find(|run| run.id == id);
        let hint = match run {
            // What is taken back now would be done again.
            Some(run) if !run.is_over() => {
                let key = self.keymap.keys(self.focus(), Command::Ui(Ui::StopRun)).next();
                let key = key.map_or_else(|| ":stop-run".to_owned(), |key| key.to_string());
                format!("this run is under way: {key} stops it, then it can be taken back")
            }
            Some(run) => undo::why_not(&run.draft.action).to_owned(),
            None => past.map_or("", |run| undo::why_not(&run.started.action)).to_owned(),
        };
        let draft = match run {
            Some(run) => run.undo().filter(|_| run.is_over()),
            None => past.and_then(|run| run.undo()),
        };
        match draft {
            Some(draft) => self.review_on_screen(draft, Vec::new()),
            None => self.hint(&hint),
        }
    }

    pub(in crate::app) fn resume_run(&mut self) -> Vec<Effect> {
        let Some(id) = self.run_at_cursor() else { return Vec::new() };
        let past = self.acting.past.iter().find(|run| run.id == id);
        match past.filter(|run| run.is_cut_off()).and_then(|run| run.resumed()) {
            Some(draft) => self.review_on_screen(draft, Vec::new()),
            None => self.hint("only a run that was cut off can be taken up"),
        }
    }

    fn hint(&mut self, hint: &str) -> Vec<Effect> {
        self.notices.say(Weight::Hint, hint, self.now);
        Vec::new()
    }

    /// Does something to the pod under the cursor.
    pub(in crate::app) fn of_pod(&mut self, command: Ui) -> Vec<Effect> {
        let Some(Overlay::Acting(Pane::Run(pane))) = &self.overlay else { return Vec::new() };
        let run = self.acting.run(&pane.run);
        let lines = run.map(pods::lines).unwrap_or_default();
        let line = lines.iter().find(|line| pane.at == Some(line.at));
        let Some(pod) = line.and_then(pods::Line::pod).cloned() else {
            return self.hint("this is for pods: move to one first");
        };
        let from = pane.clone();
        if command == Ui::SkipPod {
            return self.take_told(Told::Steer { run: from.run, steer: Steer::Skip { pod } });
        }
        let asked = Override { from, pod, field: Field::Word, typed: String::new() };
        self.overlay = Some(Overlay::Acting(Pane::Override(asked)));
        Vec::new()
    }

    /// Enter, where the name of a pod is asked for.
    pub(super) fn enter_override(&mut self, mut asked: Override) -> Pane {
        match asked.field {
            Field::Word | Field::Why | Field::Off => {
                asked.next_field(true);
                Pane::Override(asked)
            }
            Field::Cancel => Pane::Run(asked.from),
            Field::Agree => {
                let typed = asked.typed.trim().to_owned();
                if *typed != *asked.pod.name.name {
                    let hint = format!("type {:?} to confirm", asked.pod.name.name.as_str());
                    self.notices.say(Weight::Warning, hint, self.now);
                    return Pane::Override(asked);
                }
                let steer = Steer::Delete { pod: asked.pod, typed };
                // What is against it is said; what it sends follows when it is written down.
                let _none = self.take_told(Told::Steer { run: asked.from.run.clone(), steer });
                Pane::Run(asked.from)
            }
        }
    }
}
