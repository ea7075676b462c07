//! What commands do to a list besides moving and sorting: filters, marks, columns, and the namespace that is shown.

use super::columns::choice::Columns;
use super::namespaces::{Choice, Picker};
use super::notice::Weight;
use super::view::Move;
use super::{App, Effect, Overlay, Target};
use crate::cluster::Text;
use crate::command::Ui;

/// Lines that a notch of the wheel moves.
const WHEEL: isize = 3;
/// Filters that are remembered.
const MOST_FILTERS: usize = 50;

impl App {
    /// Lines that the body gives to the prompt below it, and to what narrows the list above it.
    pub(super) fn lines_around(&self) -> usize {
        usize::from(self.is_prompting()) + usize::from(self.is_narrowed())
    }

    pub const fn is_prompting(&self) -> bool {
        matches!(self.overlay, Some(Overlay::Prompt { .. }))
    }

    /// Whether the list says above itself what is hidden of it, or marked in it.
    pub fn is_narrowed(&self) -> bool {
        self.open().is_none()
            && (self.namespaces.shown.is_some()
                || (!self.filter().is_empty() && !self.is_prompting())
                || self.view().is_some_and(|view| view.problems_only || !view.marks.is_empty()))
    }

    // -- mouse -----------------------------------------------------------------------------------------------

    pub(super) fn click(&mut self, target: &Target) {
        // What lies on top hides what is below it: a press there means nothing.
        if self.overlay.is_some() {
            return;
        }
        match target {
            Target::Row(id) => {
                if let Some(view) = self.view_mut() {
                    view.select(id);
                }
            }
            Target::Heading(id) => self.sort_by(id),
            Target::Screen(screen) => self.go(*screen),
        }
    }

    pub(super) fn wheel(&mut self, notches: isize) {
        self.move_cursor(Move::By(notches * WHEEL));
    }

    // -- filter ----------------------------------------------------------------------------------------------

    /// Closes the prompt, unless what was typed cannot be read: then it stays, and says so.
    pub(super) fn keep_filter(&mut self, before: String) {
        if self.filter_error().is_some() {
            self.overlay = Some(Overlay::Prompt { before });
            return;
        }
        let text = self.filter().trim().to_owned();
        self.edit_filter(|filter| filter.clone_from(&text));
        self.typed_mut().keep();
        if !text.is_empty() {
            self.filters.retain(|known| *known != text);
            self.filters.push(text);
            let surplus = self.filters.len().saturating_sub(MOST_FILTERS);
            self.filters.drain(..surplus);
        }
        self.is_reordered = true;
    }

    /// Puts an older filter into the prompt, or a newer one; after the newest comes none.
    pub(super) fn recall(&mut self, by: isize) {
        let typed = self.filter();
        let at = self.filters.iter().position(|known| known == typed).unwrap_or(self.filters.len());
        let Some(to) = at.checked_add_signed(by) else { return };
        let text = self.filters.get(to).cloned().unwrap_or_default();
        self.edit_filter(|filter| *filter = text);
    }

    pub(super) fn complete(&mut self) {
        let fields = self.filter_fields();
        self.typed_mut().complete(&fields);
        self.is_reordered = true;
    }

    // -- marks -----------------------------------------------------------------------------------------------

    pub(super) fn mark(&mut self, command: Ui) {
        let Some(view) = self.view_mut() else { return };
        if command == Ui::Mark {
            view.mark();
        } else if command == Ui::MarkRange {
            if !view.mark_range() {
                let hint = "mark the first of the range, then go to its last and mark the range";
                self.notices.say(Weight::Hint, hint, self.now);
            }
        } else if command == Ui::MarkAll {
            view.mark_all();
        } else if command == Ui::InvertMarks {
            view.invert_marks();
        } else if command == Ui::ClearMarks {
            view.marks.clear();
        }
    }

    // -- columns ---------------------------------------------------------------------------------------------

    pub(super) fn arrange(&mut self, command: Ui) -> Vec<Effect> {
        let headings = self.headings();
        let Some(Overlay::Columns { at }) = &self.overlay else { return Vec::new() };
        let at = *at;
        let mut to = at;
        let Some(view) = self.view_mut() else { return Vec::new() };
        let mut is_name = false;
        if command == Ui::ToggleColumn {
            is_name = !view.columns.toggle(at, &headings);
        } else if command == Ui::ColumnEarlier {
            to = view.columns.shift(at, -1, &headings);
        } else if command == Ui::ColumnLater {
            to = view.columns.shift(at, 1, &headings);
        } else if command == Ui::ResetColumns {
            view.columns = Columns::default();
            to = 0;
        }
        self.overlay = Some(Overlay::Columns { at: to });
        if is_name {
            self.notices.say(Weight::Hint, "what a row is called is always shown", self.now);
            return Vec::new();
        }
        vec![Effect::Remember]
    }

    // -- namespaces ------------------------------------------------------------------------------------------

    /// What the picker offers now.
    pub fn choices(&self, picker: &Picker) -> Vec<Choice> {
        self.namespaces.choices(&picker.typed, &self.cluster, &self.findings)
    }

    pub(super) fn take_namespace(&mut self, picker: &Picker) {
        match self.choices(picker).into_iter().nth(picker.at()) {
            Some(choice) => self.show_namespace(choice.namespace),
            None => {
                let text = format!("there is no namespace like {:?}", picker.typed.trim());
                self.notices.say(Weight::Warning, text, self.now);
            }
        }
    }

    pub(super) fn show_namespace(&mut self, namespace: Option<Text>) {
        self.overlay = None;
        self.namespaces.pick(namespace);
        self.is_reordered = true;
    }

    pub(super) fn favourite(&mut self) -> Vec<Effect> {
        let Some(Overlay::Namespaces(picker)) = &self.overlay else { return Vec::new() };
        let chosen = self.choices(picker).into_iter().nth(picker.at()).and_then(|choice| choice.namespace);
        match chosen {
            Some(namespace) => {
                self.namespaces.toggle_favourite(&namespace);
                vec![Effect::Remember]
            }
            None => Vec::new(),
        }
    }
}
