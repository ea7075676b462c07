//! What lies on the screen for guided actions: the review with its fields, the runs, the journal, and the question
//! whether to leave while something runs.
//!
//! Invariant: the field that agrees is never the one that has the focus first, so no key that is pressed twice or held
//! down carries anything out.

use super::acting::Told;
use super::columns::RowId;
use super::notice::Weight;
use super::view::Move;
use super::{App, Effect, Overlay};
use crate::actions::{Action, ActionKind, Draft, RunId};
use crate::cluster::{ObjectRef, Text};
use crate::command::{Context, Ui};

/// A pane on top of the screen.
#[derive(Debug)]
pub enum Pane {
    Review(Form),
    /// The runs, newest first, with the cursor on one of them.
    Runs {
        at: usize,
    },
    Journal {
        top: usize,
    },
    /// Runs are under way, and somebody wants to leave.
    Leave(Field),
}

/// What is filled in before somebody agrees.
#[derive(Debug, Default)]
pub struct Form {
    pub field: Field,
    pub why: String,
    pub typed: String,
    /// How far what is above the fields is scrolled.
    pub top: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    Why,
    /// The name that has to be typed.
    Word,
    #[default]
    Cancel,
    Agree,
}

impl Pane {
    pub const fn context(&self) -> Context {
        match self {
            Self::Review(Form { field: Field::Why | Field::Word, .. }) => Context::ReviewLine,
            Self::Review(Form { field: Field::Cancel | Field::Agree, .. }) | Self::Leave(_) => {
                Context::Review
            }
            Self::Runs { .. } => Context::Runs,
            Self::Journal { .. } => Context::Journal,
        }
    }

    pub fn type_text(&mut self, text: &str) {
        if let Some(line) = self.line() {
            line.push_str(text);
        }
    }

    pub fn erase(&mut self) {
        if let Some(line) = self.line() {
            line.pop();
        }
    }

    pub fn clear(&mut self) {
        if let Some(line) = self.line() {
            line.clear();
        }
    }

    const fn line(&mut self) -> Option<&mut String> {
        match self {
            Self::Review(form) => match form.field {
                Field::Why => Some(&mut form.why),
                Field::Word => Some(&mut form.typed),
                Field::Cancel | Field::Agree => None,
            },
            Self::Runs { .. } | Self::Journal { .. } | Self::Leave(_) => None,
        }
    }

    pub fn move_cursor(&mut self, movement: Move, runs: usize) {
        let step = |from: usize, last: usize| match movement {
            Move::By(by) => from.saturating_add_signed(by).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
        match self {
            Self::Review(form) => form.top = step(form.top, usize::MAX),
            Self::Runs { at } => *at = step(*at, runs.saturating_sub(1)),
            Self::Journal { top } => *top = step(*top, usize::MAX),
            Self::Leave(_) => {}
        }
    }
}

/// A line of the list of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: RunId,
    pub is_of_this_session: bool,
}

impl App {
    /// Begins the review of an action on what is marked or under the cursor, on top of the screen.
    pub(super) fn act(&mut self, action: ActionKind) -> Vec<Effect> {
        match self.targets(action) {
            Ok(targets) => {
                self.review_on_screen(Draft { action: Action::from(action), targets, why: Text::default() })
            }
            Err(hint) => {
                self.notices.say(Weight::Hint, hint, self.now);
                Vec::new()
            }
        }
    }

    fn review_on_screen(&mut self, draft: Draft) -> Vec<Effect> {
        let form = Form { why: draft.why.to_string(), ..Form::default() };
        self.overlay = Some(Overlay::Acting(Pane::Review(form)));
        self.take_told(Told::Draft(draft))
    }

    /// The open object, or the rows that are marked and shown, or the one under the cursor; as far as the action is for
    /// their kind.
    fn targets(&mut self, action: ActionKind) -> Result<Vec<ObjectRef>, String> {
        let kinds = action.spec().kinds;
        let mut rows: Vec<RowId> = Vec::new();
        let mut hidden = 0;
        match (self.open(), self.view()) {
            (Some(open), _) => rows.push(open.target.clone()),
            (None, Some(view)) if !view.marks.is_empty() => {
                let shown = view.rows().iter().map(|row| row.id.clone());
                rows.extend(shown.filter(|id| view.marks.has(id)));
                hidden = view.hidden_marks();
            }
            (None, Some(view)) => rows.extend(view.cursor().cloned()),
            (None, None) => {}
        }
        if hidden > 0 {
            let text = format!("{hidden} marked and hidden by the filter: left out");
            self.notices.say(Weight::Warning, text, self.now);
        }
        let targets: Vec<ObjectRef> = rows
            .into_iter()
            .filter_map(|row| match row {
                RowId::Object(object) if kinds.contains(&object.kind) => Some(object),
                RowId::Object(_) | RowId::Volume(_) | RowId::Case(_) => None,
            })
            .collect();
        if targets.is_empty() {
            let words: Vec<&str> = kinds.iter().map(|kind| kind.plural()).collect();
            return Err(format!("{} is for {}", action.spec().id, words.join(", ")));
        }
        Ok(targets)
    }

    // -- fields ----------------------------------------------------------------------------------------------

    pub(super) fn next_field(&mut self, is_forward: bool) {
        let is_word_asked = self.word_asked().is_some();
        match &mut self.overlay {
            Some(Overlay::Acting(Pane::Review(form))) => {
                form.field = form.field.next(is_forward, is_word_asked);
            }
            Some(Overlay::Acting(Pane::Leave(field))) => *field = field.other(),
            Some(_) | None => {}
        }
    }

    /// Enter, on a pane.
    pub(super) fn enter_pane(&mut self, pane: Pane) -> Vec<Effect> {
        match pane {
            Pane::Review(Form { field: Field::Cancel, .. }) => self.acting.review = None,
            Pane::Review(form @ Form { field: Field::Agree, .. }) => {
                if let Some(review) = &mut self.acting.review {
                    review.draft.why = form.why.trim().into();
                }
                let effects = self.agree(&[form.typed.trim().to_owned()]);
                // Something was against it, and was said.
                let next =
                    if self.acting.review.is_some() { Pane::Review(form) } else { Pane::Runs { at: 0 } };
                self.overlay = Some(Overlay::Acting(next));
                return effects;
            }
            Pane::Review(form) => {
                self.overlay = Some(Overlay::Acting(Pane::Review(form)));
                self.next_field(true);
            }
            Pane::Leave(Field::Agree) => return vec![Effect::Quit],
            Pane::Leave(Field::Cancel | Field::Why | Field::Word) => {}
            pane @ (Pane::Runs { .. } | Pane::Journal { .. }) => self.overlay = Some(Overlay::Acting(pane)),
        }
        Vec::new()
    }

    /// Closes a pane.
    pub(super) fn leave_pane(&mut self, pane: &Pane) {
        match pane {
            Pane::Review(_) => self.acting.review = None,
            Pane::Runs { .. } | Pane::Journal { .. } | Pane::Leave(_) => {}
        }
    }

    /// Leaves at once, or asks first where something runs.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        if self.acting.under_way().next().is_none() {
            return vec![Effect::Quit];
        }
        self.overlay = Some(Overlay::Acting(Pane::Leave(Field::Cancel)));
        Vec::new()
    }

    // -- runs ------------------------------------------------------------------------------------------------

    /// The runs of this session and those of earlier ones that were not seen to their end, newest first.
    pub fn listed_runs(&self) -> Vec<Listed> {
        let own = self.acting.runs.iter().rev();
        let own = own.map(|run| Listed { id: run.id.clone(), is_of_this_session: true });
        let past = self.acting.past.iter().rev().filter(|run| run.ended.is_none());
        own.chain(past.map(|run| Listed { id: run.id.clone(), is_of_this_session: false })).collect()
    }

    fn run_at_cursor(&self) -> Option<Listed> {
        let Some(Overlay::Acting(Pane::Runs { at })) = &self.overlay else { return None };
        self.listed_runs().into_iter().nth(*at)
    }

    pub(super) fn of_run(&mut self, command: Ui) -> Vec<Effect> {
        let Some(listed) = self.run_at_cursor() else { return Vec::new() };
        let past = self.acting.past.iter().find(|run| run.id == listed.id);
        if command == Ui::StopRun {
            let reason = format!("stopped by {}", self.session.operator);
            match self.acting.runs.iter_mut().find(|run| run.id == listed.id && !run.is_over()) {
                Some(run) => run.stop(&reason),
                None => self.notices.say(Weight::Hint, "this run is not under way here", self.now),
            }
            return Vec::new();
        }
        let draft = if command == Ui::UndoRun {
            self.acting.run(&listed.id).map_or_else(|| past.and_then(|run| run.undo()), |run| run.undo())
        } else {
            past.filter(|run| run.is_cut_off()).and_then(|run| run.resumed())
        };
        match draft {
            Some(draft) => self.review_on_screen(draft),
            None if command == Ui::UndoRun => {
                let hint = "this run did nothing that can honestly be taken back";
                self.notices.say(Weight::Hint, hint, self.now);
                Vec::new()
            }
            None => {
                self.notices.say(Weight::Hint, "only a run that was cut off can be taken up", self.now);
                Vec::new()
            }
        }
    }
}

impl Field {
    fn next(self, is_forward: bool, is_word_asked: bool) -> Self {
        const ORDER: [Field; 4] = [Field::Why, Field::Word, Field::Cancel, Field::Agree];
        let fields: Vec<Self> =
            ORDER.into_iter().filter(|field| is_word_asked || *field != Self::Word).collect();
        let at = fields.iter().position(|field| *field == self).unwrap_or(0);
        let by = if is_forward { 1 } else { fields.len() - 1 };
        fields[(at + by) % fields.len()]
    }

    const fn other(self) -> Self {
        match self {
            Self::Agree => Self::Cancel,
            Self::Why | Self::Word | Self::Cancel => Self::Agree,
        }
    }
}
