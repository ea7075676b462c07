//! The revisions of a workload on the screen: their list, and the difference between two of them.
//!
//! What is read stays as it was read until the workload changes, then it is asked for again; how many pods there are of
//! each revision follows the watch. The cursor and the marks are on what holds a revision, because numbers move.

use super::acting::Asked;
use super::notice::Weight;
use super::view::Move;
use super::wrap::wrap;
use super::{App, Effect, Overlay};
use crate::actions::Action;
use crate::actions::rollback::Goal;
use crate::cluster::{ObjectRef, Text, Workload};
use crate::revision::{self, Difference, History, Note, Revision, Row, Shown};
use std::sync::Arc;

/// From so many columns on, the two sides of a difference stand side by side.
const WIDE: u16 = 130;

/// A workload whose revisions are looked at.
#[derive(Debug)]
pub struct Revisions {
    pub object: ObjectRef,
    pub history: Reading,
    /// What the watch showed when it was asked for: the generation that is wanted, and the one that was seen.
    asked_at: (i64, i64),
    /// By what holds them, at most two.
    pub marked: Vec<Text>,
    cursor: Option<Text>,
    at: usize,
    pub top: usize,
    /// What the revision under the cursor differs in from what is wanted.
    pub notes: Vec<Note>,
    pub difference: Option<Compared>,
}

/// What of them lies on top of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    History,
    /// Two of them, line against line.
    Difference,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    Asked,
    Failed(Text),
    Read(Arc<History>),
}

/// A difference that is looked at.
#[derive(Debug)]
pub struct Compared {
    /// What the two sides are called.
    pub names: (String, String),
    pub difference: Difference,
    /// Whether what is the same is shown as well.
    pub is_whole: bool,
    pub top: usize,
}

/// A line of a difference on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine {
    Heading(String),
    /// What matters.
    Note(String),
    Blank,
    /// So many lines that are the same.
    Fold(usize),
    Same {
        before: usize,
        after: usize,
    },
    /// Both sides beside each other; each where there is one.
    Beside {
        before: Option<usize>,
        after: Option<usize>,
    },
    /// The line that was there, and the one that it became.
    Before {
        at: usize,
        became: Option<usize>,
    },
    After {
        at: usize,
        was: Option<usize>,
    },
}

impl Revisions {
    fn new(object: ObjectRef) -> Self {
        Self {
            object,
            history: Reading::Asked,
            asked_at: (0, 0),
            marked: Vec::new(),
            cursor: None,
            at: 0,
            top: 0,
            notes: Vec::new(),
            difference: None,
        }
    }

    pub const fn history(&self) -> Option<&Arc<History>> {
        match &self.history {
            Reading::Read(history) => Some(history),
            Reading::Asked | Reading::Failed(_) => None,
        }
    }

    /// As they are listed: the newest first.
    pub fn listed(&self) -> impl Iterator<Item = &Revision> {
        self.history().into_iter().flat_map(|history| history.revisions.iter().rev())
    }

    pub const fn at(&self) -> usize {
        self.at
    }

    /// The revision under the cursor.
    pub fn selected(&self) -> Option<&Revision> {
        self.listed().nth(self.at)
    }

    /// The revision under the cursor; on what is wanted already, the one before it.
    pub fn goal(&self) -> Option<&Revision> {
        self.listed().skip(self.at).find(|revision| !revision.is_wanted)
    }

    fn take(&mut self, read: Result<Arc<History>, Text>) {
        match read {
            Ok(history) => self.history = Reading::Read(history),
            // What was read before is better than nothing; the reason is among the notices.
            Err(reason) if self.history().is_none() => self.history = Reading::Failed(reason),
            Err(_) => return,
        }
        let known: Vec<Text> = self.listed().map(|revision| revision.uid.clone()).collect();
        self.marked.retain(|uid| known.contains(uid));
        let found = known.iter().position(|uid| Some(uid) == self.cursor.as_ref());
        self.go(found.unwrap_or_else(|| self.at.min(known.len().saturating_sub(1))));
    }

    fn go(&mut self, at: usize) {
        self.at = at;
        self.cursor = self.selected().map(|revision| revision.uid.clone());
        let notes = match (self.history(), self.selected()) {
            (Some(history), Some(revision)) => revision::summary(&history.template, &revision.template),
            (_, _) => Vec::new(),
        };
        self.notes = notes;
    }

    fn mark(&mut self) {
        let Some(uid) = self.selected().map(|revision| revision.uid.clone()) else { return };
        if let Some(at) = self.marked.iter().position(|marked| *marked == uid) {
            self.marked.remove(at);
        } else {
            if self.marked.len() == 2 {
                self.marked.remove(0);
            }
            self.marked.push(uid);
        }
    }

    /// The two marked revisions, or the one under the cursor and what is wanted; the older one first.
    fn compare(&self) -> Result<Compared, &'static str> {
        let history = self.history().ok_or("the history is not read yet")?;
        let name = |revision: &Revision| {
            let wanted = if revision.is_wanted { " (wanted now)" } else { "" };
            format!("revision {}{wanted}", revision.number)
        };
        let side = |revision: &Revision| (revision.number, name(revision), revision.template.clone());
        let mut sides = match self.marked.as_slice() {
            [one, other] => {
                let find = |uid: &Text| history.by_uid(uid).map(side).ok_or("what was marked is gone");
                [find(one)?, find(other)?]
            }
            _ => {
                let selected = self.selected().ok_or("there is no revision")?;
                if selected.is_wanted {
                    let before =
                        self.listed().nth(self.at + 1).ok_or("there is no revision before this one")?;
                    [side(before), side(selected)]
                } else {
                    let newest = history.revisions.iter().map(|revision| revision.number).max();
                    let wanted = history.wanted().map_or_else(
                        || {
                            (
                                newest.unwrap_or_default() + 1,
                                "what is wanted now".to_owned(),
                                history.template.clone(),
                            )
                        },
                        side,
                    );
                    [side(selected), wanted]
                }
            }
        };
        sides.sort_by_key(|(number, _, _)| *number);
        let [(_, before, one), (_, after, other)] = sides;
        let difference = Difference::between(&one, &other);
        Ok(Compared { names: (before, after), difference, is_whole: false, top: 0 })
    }
}

impl Compared {
    /// The lines of it on a screen of so many columns: what matters first.
    pub fn lines(&self, width: u16) -> Vec<DiffLine> {
        let room = usize::from(width);
        let mut lines = Vec::new();
        for note in &self.difference.notes {
            lines.extend(wrap(&note_words(note), room, ("", "          ")).into_iter().map(DiffLine::Note));
        }
        if self.difference.is_empty() {
            lines.push(DiffLine::Note("the templates are the same".to_owned()));
            return lines;
        }
        lines.push(DiffLine::Blank);
        let is_wide = is_wide(width);
        for shown in self.difference.shown(self.is_whole) {
            match shown {
                Shown::Fold(many) => lines.push(DiffLine::Fold(many)),
                Shown::Row(Row::Same { before, after }) => lines.push(DiffLine::Same { before, after }),
                Shown::Row(Row::Changed { before, after }) if is_wide => {
                    lines.push(DiffLine::Beside { before: Some(before), after: Some(after) });
                }
                Shown::Row(Row::Removed { before }) if is_wide => {
                    lines.push(DiffLine::Beside { before: Some(before), after: None });
                }
                Shown::Row(Row::Added { after }) if is_wide => {
                    lines.push(DiffLine::Beside { before: None, after: Some(after) });
                }
                Shown::Row(Row::Changed { before, after }) => {
                    lines.push(DiffLine::Before { at: before, became: Some(after) });
                    lines.push(DiffLine::After { at: after, was: Some(before) });
                }
                Shown::Row(Row::Removed { before }) => {
                    lines.push(DiffLine::Before { at: before, became: None });
                }
                Shown::Row(Row::Added { after }) => lines.push(DiffLine::After { at: after, was: None }),
            }
        }
        lines
    }
}

pub const fn is_wide(width: u16) -> bool {
    width >= WIDE
}

/// What matters, in a line: topic, container and what of it, before and after.
pub fn note_words(note: &Note) -> String {
    let Note { topic, container, what, before, after } = note;
    let subject =
        [container, what].into_iter().filter_map(|word| word.non_empty()).collect::<Vec<_>>().join(" ");
    let gap = if subject.is_empty() { "" } else { ": " };
    let change = match (before, after) {
        (Some(before), Some(after)) => format!("{} -> {}", quoted(before), quoted(after)),
        (None, Some(after)) => format!("added {}", quoted(after)),
        (Some(before), None) => format!("removed, was {}", quoted(before)),
        (None, None) => String::new(),
    };
    format!("{:<9} {subject}{gap}{change}", topic.word())
}

/// A value that is empty is seen all the same.
fn quoted(value: &Text) -> &str {
    value.non_empty().unwrap_or("\"\"")
}

impl App {
    /// Opens the history of the workload that is meant here.
    pub(super) fn open_history(&mut self) -> Vec<Effect> {
        let object = match self.concerned() {
            Ok(object) => object,
            Err(hint) => {
                self.notices.say(Weight::Hint, hint, self.now);
                return Vec::new();
            }
        };
        self.overlay = Some(Overlay::Revisions(Level::History));
        self.revisions = Some(Revisions::new(object));
        self.ask_history()
    }

    pub(super) fn ask_history(&mut self) -> Vec<Effect> {
        let seen = self.generations();
        let Some(revisions) = &mut self.revisions else { return Vec::new() };
        revisions.asked_at = seen;
        vec![Asked::History { object: revisions.object.clone() }.into()]
    }

    pub(super) fn take_history(&mut self, object: &ObjectRef, read: Result<Arc<History>, Text>) {
        if let Some(revisions) = self.revisions.as_mut().filter(|revisions| revisions.object == *object) {
            if let Err(reason) = &read {
                self.notices.say(Weight::Error, reason.clone(), self.now);
            }
            revisions.take(read);
        }
    }

    /// What the watch shows of the workload: the generation that is wanted, and the one its controller has seen.
    fn generations(&self) -> (i64, i64) {
        let workload = self.revisions.as_ref().and_then(|revisions| self.cluster.workload(&revisions.object));
        match workload {
            Some(Workload::Deployment(row)) => (row.generation, row.observed_generation),
            Some(Workload::StatefulSet(row)) => (row.generation, row.observed_generation),
            Some(Workload::DaemonSet(row)) => (row.generation, row.observed_generation),
            Some(Workload::ReplicaSet(_) | Workload::Job(_)) | None => (0, 0),
        }
    }

    /// Asks again for a history that is looked at when somebody has changed the workload.
    pub(super) fn follow_history(&mut self) -> Vec<Effect> {
        let is_shown = matches!(self.overlay, Some(Overlay::Revisions(_)));
        let seen = self.generations();
        let is_old = self.revisions.as_ref().is_some_and(|revisions| revisions.asked_at != seen);
        if is_shown && is_old { self.ask_history() } else { Vec::new() }
    }

    pub(super) fn open_difference(&mut self) {
        let Some(revisions) = &mut self.revisions else { return };
        match revisions.compare() {
            Ok(compared) => {
                revisions.difference = Some(compared);
                self.overlay = Some(Overlay::Revisions(Level::Difference));
            }
            Err(hint) => self.notices.say(Weight::Hint, hint, self.now),
        }
    }

    /// On the list of revisions an action is for the one under the cursor.
    pub(super) fn at_revision(&self, action: Action) -> Action {
        let is_shown = matches!(self.overlay, Some(Overlay::Revisions(_)));
        let selected =
            self.revisions.as_ref().filter(|_| is_shown).and_then(|revisions| revisions.selected());
        match (action, selected) {
            // On what is wanted already nobody means to stay.
            (Action::Rollback { goal }, Some(revision)) if !revision.is_wanted => {
                let (to, uid) = (Some(revision.number), Some(revision.uid.clone()));
                Action::Rollback { goal: Goal { to, uid, ..goal } }
            }
            (action, _) => action,
        }
    }

    pub(super) fn mark_revision(&mut self) {
        if let Some(revisions) = &mut self.revisions {
            revisions.mark();
        }
    }

    pub(super) fn unfold_difference(&mut self, is_whole: bool) {
        if let Some(compared) = self.revisions.as_mut().and_then(|revisions| revisions.difference.as_mut()) {
            compared.is_whole = is_whole;
        }
    }

    pub(super) fn move_in_revisions(&mut self, movement: Move) {
        let is_list = matches!(self.overlay, Some(Overlay::Revisions(Level::History)));
        let (width, page) = (self.difference_width(), self.difference_rows());
        let Some(revisions) = &mut self.revisions else { return };
        let moved = |from: usize, last: usize| match movement {
            Move::By(by) => from.saturating_add_signed(by).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
        if is_list {
            let last = revisions.listed().count().saturating_sub(1);
            revisions.go(moved(revisions.at, last));
        } else if let Some(compared) = &mut revisions.difference {
            let last = compared.lines(width).len().saturating_sub(page);
            compared.top = moved(compared.top.min(last), last);
        }
    }

    /// The columns inside the box of a difference.
    pub const fn difference_width(&self) -> u16 {
        self.size.width.saturating_sub(4)
    }

    /// The lines inside it.
    pub fn difference_rows(&self) -> usize {
        usize::from(self.size.body().saturating_sub(2))
    }
}
