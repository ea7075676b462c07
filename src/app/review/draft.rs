//! The options of an action, or the value it takes, as they are filled in above what comes of them.

use super::{App, Form, Overlay, Pane, Setting};
use crate::actions::drain::Options;

impl App {
    pub(in crate::app) fn toggle_option(&mut self) {
        self.change_option(Setting::toggle);
    }

    /// Changes the line that the cursor is on: of an option, or of the value that is asked for.
    pub(super) fn edit_option(&mut self, edit: impl FnOnce(&mut String)) {
        if let Some(Overlay::Acting(Pane::Draft(Form { entry: Some(entry), .. }))) = &mut self.overlay {
            edit(entry.typed_mut());
            return self.take_entry();
        }
        self.change_option(|setting, options| {
            let mut text = setting.text(options);
            edit(&mut text);
            setting.set(options, &text);
        });
    }

    /// What is wanted is what is typed.
    pub(super) fn take_entry(&mut self) {
        let Some(Overlay::Acting(Pane::Draft(Form { entry: Some(entry), .. }))) = &self.overlay else {
            return;
        };
        if let Some(review) = &mut self.acting.review {
            review.draft.action = entry.action();
        }
    }

    /// What comes of it is looked at with the rest, before the next frame.
    fn change_option(&mut self, change: impl FnOnce(Setting, &mut Options)) {
        let Some(Overlay::Acting(Pane::Draft(form))) = &self.overlay else { return };
        let setting = Form::setting(form);
        if let Some(options) =
            self.acting.review.as_mut().and_then(|review| review.draft.action.options_mut())
        {
            change(setting, options);
        }
    }
}
