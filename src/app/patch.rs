//! The patch for the repository on the screen: what brings the manifests to the revision that a rollback goes back to,
//! to be read and taken along.

use super::notice::Weight;
use super::view::Move;
use super::{App, Effect, Overlay};
use crate::actions::rollback;
use crate::cluster::Text;
use crate::revision::Patch;

/// A patch with what it was opened from.
#[derive(Debug)]
pub struct Sheet {
    pub title: String,
    pub lines: Vec<Text>,
    pub top: usize,
    below: Box<Overlay>,
}

impl Sheet {
    pub fn movement(&mut self, movement: Move) {
        self.top = match movement {
            Move::By(by) => self.top.saturating_add_signed(by).min(self.lines.len().saturating_sub(1)),
            Move::Top => 0,
            Move::Bottom => self.lines.len().saturating_sub(1),
        };
    }

    /// What it was opened from.
    pub fn closed(self) -> Overlay {
        *self.below
    }
}

impl App {
    /// Opens the patch to the revision of the review, or to the one under the cursor of a history.
    pub(super) fn open_patch(&mut self) {
        let patch = match &self.overlay {
            Some(Overlay::Acting(_)) => self.patch_of_review(),
            Some(Overlay::Revisions(_)) => self.patch_of_history(),
            Some(_) | None => Err("there is no revision here"),
        };
        match (patch, self.overlay.take()) {
            (Ok(patch), Some(below)) => {
                let title = format!("Patch of {} to revision {}", patch.object, patch.number);
                let below = Box::new(below);
                self.overlay = Some(Overlay::Patch(Sheet { title, lines: patch.lines(), top: 0, below }));
            }
            (Ok(_), None) => {}
            (Err(hint), overlay) => {
                self.overlay = overlay;
                self.notices.say(Weight::Hint, hint, self.now);
            }
        }
    }

    fn patch_of_review(&self) -> Result<Patch, &'static str> {
        let goal = self.acting.review.as_ref().and_then(|review| review.draft.goal());
        let goal = goal.ok_or("a patch for the repository is made of a rollback")?;
        rollback::patch(goal).ok_or("there is nothing to change, or the history is not read yet")
    }

    fn patch_of_history(&self) -> Result<Patch, &'static str> {
        let revisions = self.revisions.as_ref().ok_or("there is no revision here")?;
        let history = revisions.history().ok_or("the history is not read yet")?;
        let revision = revisions.goal().ok_or("there is no revision to go back to")?;
        let to = (revision.number, &revision.template);
        Patch::between(&history.object, &history.template, to).ok_or("it is what is wanted now")
    }

    /// Hands the patch that is shown to the clipboard, or what the line under the cursor stands for: of a volume its
    /// driver's handle.
    pub(super) fn copy(&self) -> Vec<Effect> {
        let text = match (&self.overlay, &self.place.open) {
            (Some(Overlay::Patch(sheet)), _) => {
                Some(sheet.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect())
            }
            (None, Some(open)) => open.copied(&self.sheet_rows(open)),
            (Some(_), _) | (None, None) => None,
        };
        text.map(Effect::Copy).into_iter().collect()
    }
}
