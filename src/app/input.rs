//! What keys make of the application: through the keymap to commands, or into the line that takes text.

use super::attention::{self, Standing};
use super::columns::{RowId, volumes};
use super::namespaces::Picker;
use super::notice::Weight;
use super::object::{Line, Open, SheetRow, case_title};
use super::palette::Palette;
use super::review::Pane;
use super::revisions::Level;
use super::screen::{Place, Screen};
use super::time::short;
use super::view::Move;
use super::{App, Effect, Overlay, columns, subject};
use crate::command::{Command, Context, Ui};
use crate::key::{Code, Key};
use crate::keymap::Lookup;

/// Places that Back remembers.
const MOST_HISTORY: usize = 50;

impl App {
    pub(super) fn press(&mut self, key: Key) -> Vec<Effect> {
        let focus = self.focus();
        self.pending.push(key);
        match self.keymap.lookup(focus, &self.pending) {
            Lookup::Matched(command) => {
                self.pending.clear();
                return self.invoke(command);
            }
            Lookup::Pending(_) => {}
            Lookup::NotFound => {
                let is_single = self.pending.len() == 1;
                self.pending.clear();
                if is_single && focus.takes_text() {
                    self.type_key(key);
                }
            }
        }
        Vec::new()
    }

    fn type_key(&mut self, key: Key) {
        if key.code() == Code::Backspace {
            self.edit(|line| {
                line.pop();
            });
        } else if let Some(c) = key.text() {
            self.type_text(c.encode_utf8(&mut [0; 4]));
        }
    }

    /// Text that was pasted is text, never commands.
    pub(super) fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default();
        if self.focus().takes_text() {
            self.type_text(line);
        } else {
            let hint = "pasted text was ignored: press / or : first to type it somewhere";
            self.notices.say(Weight::Hint, hint, self.now);
        }
    }

    fn type_text(&mut self, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.edit(|line| line.push_str(&text));
    }

    /// Changes the line that takes text, if there is one.
    fn edit(&mut self, edit: impl FnOnce(&mut String)) {
        match &mut self.overlay {
            Some(Overlay::Palette(palette)) => palette.edit(edit),
            Some(Overlay::Namespaces(picker)) => picker.edit(edit),
            Some(Overlay::Prompt { .. }) => self.edit_filter(edit),
            Some(Overlay::Acting(_)) => self.edit_pane(edit),
            Some(
                Overlay::Help { .. }
                | Overlay::Notices { .. }
                | Overlay::Columns { .. }
                | Overlay::Revisions(_)
                | Overlay::Patch(_),
            )
            | None => {}
        }
    }

    pub(super) fn edit_filter(&mut self, edit: impl FnOnce(&mut String)) {
        let fields = self.filter_fields();
        let typed = self.typed_mut();
        let mut text = typed.text().to_owned();
        edit(&mut text);
        typed.set(text, &fields);
        self.is_reordered = true;
    }

    pub fn invoke(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Ui(ui) => self.show(ui),
            Command::Act(action) => self.act(action),
        }
    }

    fn show(&mut self, command: Ui) -> Vec<Effect> {
        match command {
            Ui::GoTriage => self.go(Screen::Triage),
            Ui::GoNodes => self.go(Screen::Nodes),
            Ui::GoPods => self.go(Screen::Pods),
            Ui::GoVolumes => self.go(Screen::Volumes),
            Ui::GoWorkloads => self.go(Screen::Workloads),
            Ui::GoEvents => self.go(Screen::Events),
            Ui::GoServices => self.go(Screen::Services),
            Ui::NextScreen => self.go(self.place.screen.next(1)),
            Ui::PreviousScreen => self.go(self.place.screen.next(Screen::ALL.len() - 1)),
            Ui::Open => return self.enter(),
            Ui::Back => self.back(),
            Ui::Down => self.move_cursor(Move::By(1)),
            Ui::Up => self.move_cursor(Move::By(-1)),
            Ui::HalfPageDown => self.move_cursor(Move::By(self.page() / 2)),
            Ui::HalfPageUp => self.move_cursor(Move::By(-self.page() / 2)),
            Ui::PageDown => self.move_cursor(Move::By(self.page())),
            Ui::PageUp => self.move_cursor(Move::By(-self.page())),
            Ui::Top => self.move_cursor(Move::Top),
            Ui::Bottom => self.move_cursor(Move::Bottom),
            Ui::Left => self.sideways(false),
            Ui::Right => self.sideways(true),
            Ui::NextSection => self.move_section(true),
            Ui::PreviousSection => self.move_section(false),
            Ui::Filter => {
                self.overlay = Some(Overlay::Prompt { before: self.filter().to_owned() });
            }
            Ui::ClearFilter => self.clear_filter(),
            Ui::Complete => self.complete(),
            Ui::OlderFilter => self.recall(-1),
            Ui::NewerFilter => self.recall(1),
            Ui::Namespaces => self.overlay = Some(Overlay::Namespaces(Picker::default())),
            Ui::AllNamespaces => self.show_namespace(None),
            Ui::Favourite => return self.favourite(),
            Ui::Mark if self.focus() == Context::History => self.mark_revision(),
            Ui::Mark | Ui::MarkRange | Ui::MarkAll | Ui::InvertMarks | Ui::ClearMarks => self.mark(command),
            Ui::Columns => self.overlay = Some(Overlay::Columns { at: 0 }),
            Ui::ToggleColumn | Ui::ColumnEarlier | Ui::ColumnLater | Ui::ResetColumns => {
                return self.arrange(command);
            }
            Ui::ProblemsOnly => {
                if let Some(view) = self.view_mut() {
                    view.problems_only = !view.problems_only;
                    self.is_reordered = true;
                }
            }
            Ui::Acknowledge => self.put_aside(false),
            Ui::Snooze => self.put_aside(true),
            Ui::SortNextColumn => self.sort_beside(1),
            Ui::SortPreviousColumn => self.sort_beside(-1),
            Ui::SortReverse => {
                if let Some(view) = self.view_mut() {
                    view.sort.is_reversed = !view.sort.is_reversed;
                    self.is_reordered = true;
                }
            }
            Ui::SortByName => self.sort_by("name"),
            Ui::SortByNamespace => self.sort_by("namespace"),
            Ui::SortByStatus => self.sort_by("status"),
            Ui::SortByAge => self.sort_by("age"),
            Ui::SortByNode => self.sort_by("node"),
            Ui::SortByRestarts => self.sort_by("restarts"),
            Ui::Refresh => {
                self.reopen_inquest();
                self.notices.say(Weight::Hint, "asking the API server for everything again", self.now);
                return vec![Effect::Refresh];
            }
            Ui::Palette => self.overlay = Some(Overlay::Palette(Palette::default())),
            Ui::Help => self.overlay = Some(Overlay::Help { top: 0 }),
            Ui::Notices => self.overlay = Some(Overlay::Notices { top: 0 }),
            Ui::Redraw => return vec![Effect::Redraw],
            Ui::Suspend => return vec![Effect::Suspend],
            Ui::Runs => self.overlay = Some(Overlay::Acting(Pane::Runs { at: 0 })),
            Ui::Journal => self.overlay = Some(Overlay::Acting(Pane::Journal { top: 0 })),
            Ui::NextField => self.next_field(true),
            Ui::PreviousField => self.next_field(false),
            Ui::AskAgain if self.focus() == Context::History => return self.ask_history(),
            Ui::AskAgain => return self.ask(),
            Ui::History => return self.open_history(),
            Ui::Patch => self.open_patch(),
            Ui::Copy => return self.copy(),
            Ui::IncludeHidden => return self.include_hidden(),
            Ui::ToggleOption => self.toggle_option(),
            Ui::StopRun => return self.steer_run(true),
            Ui::PauseRun => return self.steer_run(false),
            Ui::UndoRun => return self.undo_run(),
            Ui::ResumeRun => return self.resume_run(),
            Ui::SkipPod | Ui::DeletePod => return self.of_pod(command),
            Ui::Quit => return self.quit(),
        }
        Vec::new()
    }

    pub(super) fn go(&mut self, screen: Screen) {
        self.overlay = None;
        if self.place.screen != screen || self.place.open.is_some() {
            self.visit(Place { screen, open: None });
        }
    }

    fn visit(&mut self, place: Place) {
        if self.history.len() == MOST_HISTORY {
            self.history.remove(0);
        }
        self.history.push(std::mem::replace(&mut self.place, place));
        self.is_reordered = true;
    }

    fn back(&mut self) {
        match self.overlay.take() {
            Some(Overlay::Prompt { before }) => return self.edit_filter(|filter| *filter = before),
            Some(Overlay::Acting(pane)) => return self.leave_pane(pane),
            Some(Overlay::Patch(sheet)) => return self.overlay = Some(sheet.closed()),
            Some(Overlay::Revisions(Level::Difference)) => {
                return self.overlay = Some(Overlay::Revisions(Level::History));
            }
            Some(
                Overlay::Help { .. }
                | Overlay::Notices { .. }
                | Overlay::Palette(_)
                | Overlay::Namespaces(_)
                | Overlay::Columns { .. }
                | Overlay::Revisions(Level::History),
            ) => return,
            None => {}
        }
        if self.place.open.is_none() && !self.filter().is_empty() {
            return self.clear_filter();
        }
        self.is_reordered = true;
        match self.history.pop() {
            Some(place) => self.place = place,
            None => {
                self.place = Place::default();
                let quit = self.keymap.keys(Context::Triage, Command::Ui(Ui::Quit)).next();
                let hint = quit.map_or_else(
                    || "to leave, type :quit".to_owned(),
                    |keys| format!("to leave, press {keys} or type :q"),
                );
                self.notices.say(Weight::Hint, hint, self.now);
            }
        }
    }

    fn clear_filter(&mut self) {
        match &mut self.overlay {
            Some(Overlay::Palette(_) | Overlay::Namespaces(_) | Overlay::Acting(_)) => {
                self.edit(String::clear);
            }
            Some(
                Overlay::Help { .. }
                | Overlay::Notices { .. }
                | Overlay::Columns { .. }
                | Overlay::Revisions(_)
                | Overlay::Patch(_)
                | Overlay::Prompt { .. },
            )
            | None => self.edit_filter(String::clear),
        }
    }

    fn enter(&mut self) -> Vec<Effect> {
        match self.overlay.take() {
            Some(Overlay::Prompt { before }) => {
                self.keep_filter(before);
                return Vec::new();
            }
            Some(Overlay::Palette(palette)) => return self.choose(&palette),
            Some(Overlay::Namespaces(picker)) => {
                self.take_namespace(&picker);
                return Vec::new();
            }
            Some(Overlay::Columns { .. }) => return Vec::new(),
            Some(Overlay::Acting(pane)) => return self.enter_pane(pane),
            Some(
                overlay @ (Overlay::Help { .. }
                | Overlay::Notices { .. }
                | Overlay::Revisions(_)
                | Overlay::Patch(_)),
            ) => {
                let is_history = matches!(overlay, Overlay::Revisions(Level::History));
                self.overlay = Some(overlay);
                if is_history {
                    self.open_difference();
                }
                return Vec::new();
            }
            None => {}
        }
        if let Some(open) = &self.place.open {
            let rows = self.sheet_rows(open);
            if let Some(SheetRow::Line(Line { link: Some(link), .. })) = rows.get(open.at()) {
                self.open_row(link);
            }
            return Vec::new();
        }
        match self.view() {
            None if self.triage.is_on_fold() => self.fold(false),
            None => {
                let subject = self.triage.selected(&self.findings).map(|finding| finding.subject.clone());
                if let Some(subject) = subject {
                    let row = subject.object().and_then(|object| subject::row_of(&self.cluster, object));
                    self.open_row(&row.unwrap_or(RowId::Case(subject)));
                }
            }
            Some(view) => {
                if let Some(row) = view.cursor().cloned() {
                    self.open_row(&row);
                }
            }
        }
        Vec::new()
    }

    fn choose(&mut self, palette: &Palette) -> Vec<Effect> {
        let candidates = palette.candidates(self.below(), &self.keymap);
        match candidates.get(palette.at()) {
            Some(candidate) => self.invoke(candidate.command),
            None => {
                let text = format!("there is no command like {:?}", palette.typed.trim());
                self.notices.say(Weight::Warning, text, self.now);
                Vec::new()
            }
        }
    }

    fn open_row(&mut self, row: &RowId) {
        let title = match row {
            RowId::Object(object) => format!("{} {}", object.kind, object.name),
            RowId::Volume(id) => {
                let title = self.cluster.volume(id).map_or_else(String::new, |join| volumes::title(&join));
                format!("Volume {title}")
            }
            RowId::Case(subject) => case_title(subject),
        };
        self.visit(Place { screen: self.place.screen, open: Some(Open::new(row.clone(), title)) });
    }

    fn page(&self) -> isize {
        let lines = match self.focus() {
            Context::Triage => self.triage_rows(),
            Context::Global
            | Context::Table
            | Context::Nodes
            | Context::Pods
            | Context::Volumes
            | Context::Workloads
            | Context::Events
            | Context::Services
            | Context::Object
            | Context::Help
            | Context::Notices
            | Context::Prompt
            | Context::Namespaces
            | Context::Columns
            | Context::Review
            | Context::ReviewLine
            | Context::Draft
            | Context::DraftLine
            | Context::Run
            | Context::Runs
            | Context::Journal
            | Context::History
            | Context::Difference
            | Context::Patch
            | Context::Palette => self.table_rows(),
        };
        isize::try_from(lines.max(2) - 1).unwrap_or(isize::MAX)
    }

    pub(super) fn move_cursor(&mut self, movement: Move) {
        let lines = match &self.overlay {
            Some(Overlay::Palette(palette)) => palette.candidates(self.below(), &self.keymap).len(),
            Some(Overlay::Namespaces(picker)) => self.choices(picker).len(),
            Some(Overlay::Columns { .. }) => self.headings().len(),
            Some(Overlay::Acting(_)) => return self.move_in_pane(movement),
            Some(Overlay::Revisions(_)) => return self.move_in_revisions(movement),
            Some(
                Overlay::Help { .. } | Overlay::Notices { .. } | Overlay::Prompt { .. } | Overlay::Patch(_),
            )
            | None => 0,
        };
        let by = match movement {
            Move::By(by) => by,
            Move::Top => isize::MIN,
            Move::Bottom => isize::MAX,
        };
        match &mut self.overlay {
            Some(Overlay::Palette(palette)) => palette.move_cursor(by, lines),
            Some(Overlay::Namespaces(picker)) => picker.move_cursor(by, lines),
            Some(Overlay::Columns { at }) => {
                *at = at.saturating_add_signed(by).min(lines.saturating_sub(1));
            }
            Some(Overlay::Help { top } | Overlay::Notices { top }) => {
                *top = match movement {
                    Move::By(by) => top.saturating_add_signed(by),
                    Move::Top => 0,
                    Move::Bottom => usize::MAX,
                };
            }
            Some(Overlay::Patch(sheet)) => sheet.movement(movement),
            Some(Overlay::Prompt { .. } | Overlay::Acting(_) | Overlay::Revisions(_)) => {}
            None => self.move_below(movement),
        }
    }

    fn move_below(&mut self, movement: Move) {
        if let Some(mut open) = self.place.open.take() {
            let lines = self.sheet_rows(&open).len();
            open.move_cursor(movement, lines);
            self.place.open = Some(open);
            return;
        }
        match self.view_mut() {
            Some(view) => view.move_cursor(movement),
            None => self.triage.move_cursor(movement),
        }
    }

    fn move_section(&mut self, is_forward: bool) {
        if let Some(mut open) = self.place.open.take() {
            let rows = self.sheet_rows(&open);
            open.move_section(&rows, is_forward);
            self.place.open = Some(open);
        }
    }

    /// Acknowledges the incident under the cursor or puts it off; a second time takes that back.
    fn put_aside(&mut self, is_snooze: bool) {
        let Some(incident) = self.triage.incident(&self.findings) else { return };
        let attention = &mut self.triage.attention;
        let standing = if is_snooze {
            attention.snooze(incident, self.now)
        } else {
            attention.acknowledge(incident, self.now)
        };
        let said = match standing {
            Standing::New => "it is new again".to_owned(),
            Standing::Acknowledged => "acknowledged: it comes up again when it gets worse".to_owned(),
            Standing::Snoozed { .. } => {
                format!("put off for {}, unless it gets worse", short(attention::SNOOZE))
            }
        };
        self.notices.say(Weight::Hint, said, self.now);
        self.is_reordered = true;
    }

    fn sideways(&mut self, is_right: bool) {
        let focus = self.focus();
        if focus == Context::Triage {
            self.fold(!is_right);
        } else if focus == Context::Difference {
            self.unfold_difference(is_right);
        }
    }

    fn fold(&mut self, is_folded: bool) {
        self.triage.fold(&self.findings, is_folded);
        self.is_reordered = true;
    }

    fn sort_beside(&mut self, by: isize) {
        let columns = self.headings();
        if let Some(view) = self.view_mut() {
            let next = view.sort.column.checked_add_signed(by).unwrap_or(columns.len() - 1) % columns.len();
            view.sort.column = next;
            self.is_reordered = true;
        }
    }

    /// Sorts by a column, or turns the order round if it is sorted by it.
    pub(super) fn sort_by(&mut self, id: &str) {
        let Some(column) = self.headings().iter().position(|heading| heading.id == id) else {
            let text = format!("{} have no column {id}", self.place.screen.title().to_lowercase());
            return self.notices.say(Weight::Hint, text, self.now);
        };
        if let Some(view) = self.view_mut() {
            let is_same = view.sort.column == column;
            view.sort.is_reversed = is_same && !view.sort.is_reversed;
            view.sort.column = column;
            self.is_reordered = true;
        }
    }

    pub(super) fn headings(&self) -> Vec<columns::Heading> {
        self.place.screen.lister().map_or_else(Vec::new, |lister| lister.headings())
    }
}
