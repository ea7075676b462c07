//! The patch that brings a repository to a revision.

use super::{boxed, visible};
use crate::app::App;
use crate::app::patch::Sheet;
use crate::command::{Command, Context, Ui};
use crate::theme::Role;
use crate::ui::paint::{Canvas, split};
use ratatui::layout::Rect;

pub fn draw(app: &App, sheet: &Sheet, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = boxed(canvas, area, (area.width, area.height), &sheet.title);
    let (above, below) = split(inside, inside.height.saturating_sub(1));
    for (y, line) in (above.y..).zip(visible(&sheet.lines, sheet.top, above.height)) {
        let role = if line.starts_with('#') { Role::Muted } else { Role::Text };
        canvas.text(Rect { y, height: 1, ..above }, line, role);
    }
    let key = app.keymap.keys(Context::Patch, Command::Ui(Ui::Copy)).next();
    let key = key.map_or_else(|| "`copy`".to_owned(), |key| key.to_string());
    canvas.text(below, &format!("{key} copies it; {} lines", sheet.lines.len()), Role::Muted);
}
