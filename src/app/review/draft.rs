//! The options of an action as they are filled in, above what comes of them.

use super::{App, Form, Overlay, Pane, Setting};
use crate::actions::Action;
use crate::actions::drain::Options;

impl App {
    pub(in crate::app) fn toggle_option(&mut self) {
        self.change_option(Setting::toggle);
    }

    /// Changes the line of the option that the cursor is on.
    pub(super) fn edit_option(&mut self, edit: impl FnOnce(&mut String)) {
        self.change_option(|setting, options| {
            let mut text = setting.text(options);
            edit(&mut text);
            setting.set(options, &text);
        });
    }

    /// What comes of it is looked at with the rest, before the next frame.
    fn change_option(&mut self, change: impl FnOnce(Setting, &mut Options)) {
        let Some(Overlay::Acting(Pane::Draft(form))) = &self.overlay else { return };
        let setting = Form::setting(form);
        match self.acting.review.as_mut().map(|review| &mut review.draft.action) {
            Some(Action::Drain { options }) => change(setting, options),
            Some(Action::Cordon | Action::Uncordon { .. }) | None => {}
        }
    }
}
