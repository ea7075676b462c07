//! What lies on the screen for guided actions: the options and the review with their fields, the runs, the journal, and
//! the question whether to leave while something runs.
//!
//! Invariant: the field that agrees is never the one that has the focus first, so no key that is pressed twice or held
//! down carries anything out.

mod draft;
mod runs;

pub use runs::{Listed, Override, RunPane};

use super::acting::Told;
use super::acting::entry::Entry;
use super::acting::options::{Setting, Takes};
use super::columns::RowId;
use super::notice::Weight;
use super::view::Move;
use super::{App, Effect, Overlay};
use crate::actions::{Action, ActionKind, Dangerous, Draft};
use crate::cluster::{Attached, AttachedBy, Kind, ObjectRef, Row as _, Text, VolumeId};
use crate::command::Context;
use std::collections::BTreeSet;

/// A pane on top of the screen.
#[derive(Debug)]
pub enum Pane {
    /// The options of an action, and what comes of them.
    Draft(Form),
    Review(Form),
    /// The runs, newest first, with the cursor on one of them.
    Runs {
        at: usize,
    },
    /// One run, and where each of its steps stands.
    Run(RunPane),
    /// A pod that is to be deleted instead of evicted, before somebody has typed its name.
    Override(Override),
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
    /// The machines that are stated to be off.
    pub off: String,
    pub typed: String,
    /// How far what is above the fields is scrolled.
    pub top: usize,
    /// The option that the cursor is on.
    pub option: usize,
    /// The one value that the action takes, where it has to be asked for.
    pub entry: Option<Entry>,
    /// What is marked as well, and hidden by the filter.
    pub hidden: Vec<ObjectRef>,
    /// Whether that is taken in.
    pub has_hidden: bool,
}

/// What an action is for.
#[derive(Debug, Default)]
struct Targets {
    shown: Vec<ObjectRef>,
    /// Marked, and hidden by the filter.
    hidden: Vec<ObjectRef>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    Why,
    /// Which machine is stated to be off.
    Off,
    /// The name that has to be typed.
    Word,
    #[default]
    Cancel,
    Agree,
}

impl Pane {
    pub const fn context(&self) -> Context {
        match self {
            Self::Draft(Form { entry: Some(_), .. }) => Context::DraftLine,
            Self::Draft(form) => match form.setting().takes() {
                Takes::Flag => Context::Draft,
                Takes::Seconds | Takes::Words => Context::DraftLine,
            },
            Self::Review(Form { field, .. }) | Self::Override(Override { field, .. }) => match field {
                Field::Why | Field::Off | Field::Word => Context::ReviewLine,
                Field::Cancel | Field::Agree => Context::Review,
            },
            Self::Leave(_) => Context::Review,
            Self::Runs { .. } => Context::Runs,
            Self::Run(_) => Context::Run,
            Self::Journal { .. } => Context::Journal,
        }
    }

    /// The line that takes text, where one has the focus; those of options are elsewhere.
    const fn line(&mut self) -> Option<&mut String> {
        match self {
            Self::Review(form) => match form.field {
                Field::Why => Some(&mut form.why),
                Field::Off => Some(&mut form.off),
                Field::Word => Some(&mut form.typed),
                Field::Cancel | Field::Agree => None,
            },
            Self::Override(asked) => match asked.field {
                Field::Word => Some(&mut asked.typed),
                Field::Why | Field::Off | Field::Cancel | Field::Agree => None,
            },
            Self::Draft(_) | Self::Runs { .. } | Self::Run(_) | Self::Journal { .. } | Self::Leave(_) => None,
        }
    }
}

impl Form {
    /// The option that the cursor is on.
    pub const fn setting(&self) -> Setting {
        let last = Setting::ALL.len() - 1;
        Setting::ALL[if self.option < last { self.option } else { last }]
    }
}

impl Move {
    /// From one line to another of so many.
    fn step(self, from: usize, many: usize) -> usize {
        let last = many.saturating_sub(1);
        match self {
            Self::By(by) => from.saturating_add_signed(by).min(last),
            Self::Top => 0,
            Self::Bottom => last,
        }
    }
}

impl App {
    /// Begins the review of an action on what is marked or under the cursor, on top of the screen.
    pub(super) fn act(&mut self, action: ActionKind) -> Vec<Effect> {
        match self.targets(action) {
            Ok(Targets { shown, hidden }) => {
                let action = self.at_revision(Action::from(action));
                let draft = Draft { action, targets: shown, why: Text::default(), powered_off: Vec::new() };
                self.review_on_screen(draft, hidden)
            }
            Err(hint) => {
                self.notices.say(Weight::Hint, hint, self.now);
                Vec::new()
            }
        }
    }

    /// On top of the screen: the options first, where there are some, or what has to be said before it can be checked.
    fn review_on_screen(&mut self, draft: Draft, hidden: Vec<ObjectRef>) -> Vec<Effect> {
        let entry = match Entry::of(&draft, &self.cluster) {
            Ok(entry) => entry,
            Err(hint) => {
                self.notices.say(Weight::Hint, hint, self.now);
                return Vec::new();
            }
        };
        let is_draft = entry.is_some() || draft.action.options().is_some();
        let form = Form { why: draft.why.to_string(), hidden, entry, ..Form::default() };
        if is_draft {
            self.overlay = Some(Overlay::Acting(Pane::Draft(form)));
            self.begin_draft(draft);
            return Vec::new();
        }
        self.overlay = Some(Overlay::Acting(Pane::Review(form)));
        self.take_told(Told::Draft(draft))
    }

    /// The open object, or the rows that are marked and shown, or the one under the cursor; as far as the action is for
    /// their kind.
    fn targets(&self, action: ActionKind) -> Result<Targets, String> {
        let kinds = action.spec().kinds;
        let of_kind = |row: &RowId| match row {
            RowId::Object(object) => kinds.contains(&object.kind).then(|| object.clone()),
            RowId::Volume(id) => self.of_volume(id, kinds),
            RowId::Case(_) => None,
        };
        let mut targets = Targets::default();
        if let Some(Overlay::Revisions(_)) = &self.overlay {
            let object = self.revisions.as_ref().map(|revisions| RowId::Object(revisions.object.clone()));
            targets.shown.extend(object.as_ref().and_then(of_kind));
            return Ok(targets);
        }
        let is_marked = self.open().is_none() && self.view().is_some_and(|view| !view.marks.is_empty());
        if action == ActionKind::Rollback && !is_marked {
            return Ok(Targets { shown: vec![self.concerned()?], hidden: Vec::new() });
        }
        match (self.open(), self.view()) {
            (Some(open), _) => targets.shown.extend(of_kind(&open.target)),
            (None, Some(view)) if !view.marks.is_empty() => {
                let shown = view.rows().iter().map(|row| &row.id).filter(|id| view.marks.has(id));
                targets.shown.extend(shown.filter_map(of_kind));
                let marked = view.marks.iter().filter_map(of_kind);
                targets.hidden = marked.filter(|object| !targets.shown.contains(object)).collect();
            }
            (None, Some(view)) => targets.shown.extend(view.cursor().and_then(of_kind)),
            (None, None) => {}
        }
        match (targets.shown.is_empty(), targets.hidden.len()) {
            (false, _) => Ok(targets),
            (true, 0) => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.plural()).collect();
                Err(format!("{} is for {}", action.spec().id, words.join(", ")))
            }
            (true, many) => Err(format!("what is marked ({many}) is hidden by the filter: show it first")),
        }
    }

    /// What an action is done to where a volume is chosen: itself, its claim, or where it hangs on a node that is not
    /// ready.
    fn of_volume(&self, id: &VolumeId, kinds: &[Kind]) -> Option<ObjectRef> {
        let join = self.cluster.volume(id)?;
        let volume = join.volume.map(|row| row.object()).filter(|object| kinds.contains(&object.kind));
        let claim = join.claim.map(|row| row.object()).filter(|object| kinds.contains(&object.kind));
        let hangs = |attached: &&Attached<'_>| attached.node.is_none_or(|node| !node.is_ready());
        let attachment = join.attached.iter().filter(hangs).find_map(|attached| match attached.by {
            AttachedBy::Object(row) => Some(row.object()),
            AttachedBy::Status { .. } => None,
        });
        claim.or(volume).or(attachment.filter(|object| kinds.contains(&object.kind)))
    }

    /// Takes in what the filter hides of what is marked, or leaves it out again, and asks anew.
    pub(super) fn include_hidden(&mut self) -> Vec<Effect> {
        let Some(Overlay::Acting(Pane::Review(form))) = &mut self.overlay else { return Vec::new() };
        let Some(review) = self.acting.review.as_mut().filter(|_| !form.hidden.is_empty()) else {
            self.notices.say(Weight::Hint, "nothing that is marked is hidden", self.now);
            return Vec::new();
        };
        form.has_hidden = !form.has_hidden;
        if form.has_hidden {
            review.draft.targets.extend(form.hidden.iter().cloned());
        } else {
            review.draft.targets.retain(|target| !form.hidden.contains(target));
        }
        // What was typed was for another number of them.
        form.typed.clear();
        self.ask()
    }

    /// The machines that must be off for it, by their names.
    pub fn machines(&self) -> Vec<Text> {
        let review = self.acting.review.as_ref();
        let nodes = review.into_iter().flat_map(|review| review.plan.dangerous()).filter_map(Dangerous::node);
        let names: BTreeSet<&Text> = nodes.map(|node| &node.name.name).collect();
        names.into_iter().cloned().collect()
    }

    /// What is typed of machines that are off is a statement as soon as it is a name, and is weighed with the rest.
    fn state_off(&mut self) {
        if let (Some(Overlay::Acting(Pane::Review(form))), Some(review)) =
            (&self.overlay, &mut self.acting.review)
        {
            review.draft.powered_off = form.off.split_whitespace().map(Text::from).collect();
        }
    }

    // -- fields ----------------------------------------------------------------------------------------------

    pub(super) fn next_field(&mut self, is_forward: bool) {
        let asked = Extra { word: self.word_asked().is_some(), off: !self.machines().is_empty() };
        match &mut self.overlay {
            Some(Overlay::Acting(Pane::Review(form))) => form.field = form.field.next(is_forward, asked),
            Some(Overlay::Acting(Pane::Override(asked))) => asked.next_field(is_forward),
            Some(Overlay::Acting(Pane::Draft(_))) => {
                self.move_in_pane(Move::By(if is_forward { 1 } else { -1 }));
            }
            Some(Overlay::Acting(Pane::Leave(field))) => *field = field.other(),
            Some(_) | None => {}
        }
    }

    /// Enter, on a pane.
    pub(super) fn enter_pane(&mut self, pane: Pane) -> Vec<Effect> {
        let next = match pane {
            Pane::Draft(form) => {
                if let Some(fault) = form.entry.as_ref().and_then(Entry::fault) {
                    self.notices.say(Weight::Warning, fault, self.now);
                    self.overlay = Some(Overlay::Acting(Pane::Draft(form)));
                    return Vec::new();
                }
                self.overlay = Some(Overlay::Acting(Pane::Review(form)));
                return self.ask();
            }
            Pane::Review(Form { field: Field::Cancel, .. }) => {
                self.acting.review = None;
                return Vec::new();
            }
            Pane::Review(form @ Form { field: Field::Agree, .. }) => {
                if let Some(review) = &mut self.acting.review {
                    review.draft.why = form.why.trim().into();
                }
                let effects = self.agree(&[form.typed.trim().to_owned()]);
                // Something was against it, and was said.
                let next = if self.acting.review.is_some() { Pane::Review(form) } else { self.newest_run() };
                self.overlay = Some(Overlay::Acting(next));
                return effects;
            }
            Pane::Review(form) => {
                self.overlay = Some(Overlay::Acting(Pane::Review(form)));
                self.next_field(true);
                return Vec::new();
            }
            Pane::Override(asked) => self.enter_override(asked),
            Pane::Leave(Field::Agree) => return vec![Effect::Quit],
            Pane::Leave(Field::Cancel | Field::Why | Field::Off | Field::Word) => return Vec::new(),
            Pane::Runs { at } => self.open_run(at),
            pane @ (Pane::Run(_) | Pane::Journal { .. }) => pane,
        };
        self.overlay = Some(Overlay::Acting(next));
        Vec::new()
    }

    /// Closes a pane, or goes back to the one it was reached from.
    pub(super) fn leave_pane(&mut self, pane: Pane) {
        let before = match pane {
            Pane::Review(form) if form.entry.is_some() || self.has_options() => {
                self.take_back();
                Some(Pane::Draft(Form { field: Field::default(), typed: String::new(), ..form }))
            }
            Pane::Draft(_) | Pane::Review(_) => {
                self.acting.review = None;
                None
            }
            Pane::Override(asked) => Some(Pane::Run(asked.from)),
            Pane::Run(RunPane { run, is_listed: true, .. }) => {
                let at = self.listed_runs().iter().position(|listed| listed.id == run);
                Some(Pane::Runs { at: at.unwrap_or_default() })
            }
            Pane::Run(_) | Pane::Runs { .. } | Pane::Journal { .. } | Pane::Leave(_) => None,
        };
        self.overlay = before.map(Overlay::Acting);
    }

    fn has_options(&self) -> bool {
        let action = self.acting.review.as_ref().map(|review| &review.draft.action);
        action.is_some_and(|action| action.options().is_some())
    }

    pub(super) fn move_in_pane(&mut self, movement: Move) {
        let runs = self.listed_runs().len();
        let Some(Overlay::Acting(pane)) = &mut self.overlay else { return };
        match pane {
            Pane::Draft(Form { entry: Some(entry), .. }) => {
                let to = movement.step(entry.at(), entry.lines());
                if to != entry.at() {
                    entry.choose(to);
                    self.take_entry();
                }
            }
            Pane::Draft(form) => form.option = movement.step(form.option, Setting::ALL.len()),
            Pane::Review(form) => form.top = movement.step(form.top, usize::MAX),
            Pane::Runs { at } => *at = movement.step(*at, runs),
            Pane::Journal { top } => *top = movement.step(*top, usize::MAX),
            Pane::Run(_) => self.move_in_run(movement),
            Pane::Override(_) | Pane::Leave(_) => {}
        }
    }

    /// Changes the line that is typed into.
    pub(super) fn edit_pane(&mut self, edit: impl FnOnce(&mut String)) {
        match &mut self.overlay {
            Some(Overlay::Acting(Pane::Draft(_))) => self.edit_option(edit),
            Some(Overlay::Acting(pane)) => {
                if let Some(line) = pane.line() {
                    edit(line);
                }
                self.state_off();
            }
            Some(_) | None => {}
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
}

/// Which fields there are beside those that there always are.
#[derive(Clone, Copy)]
struct Extra {
    word: bool,
    off: bool,
}

impl Field {
    fn next(self, is_forward: bool, asked: Extra) -> Self {
        const ORDER: [Field; 5] = [Field::Why, Field::Off, Field::Word, Field::Cancel, Field::Agree];
        let is_asked = |field: &Self| match field {
            Self::Word => asked.word,
            Self::Off => asked.off,
            Self::Why | Self::Cancel | Self::Agree => true,
        };
        let fields: Vec<Self> = ORDER.into_iter().filter(is_asked).collect();
        let at = fields.iter().position(|field| *field == self).unwrap_or(0);
        let by = if is_forward { 1 } else { fields.len() - 1 };
        fields[(at + by) % fields.len()]
    }

    const fn other(self) -> Self {
        match self {
            Self::Agree => Self::Cancel,
            Self::Why | Self::Off | Self::Word | Self::Cancel => Self::Agree,
        }
    }
}
