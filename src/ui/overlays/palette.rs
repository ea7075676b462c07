//! The palette: what is typed, and the commands that it may mean.

use super::boxed;
use crate::app::App;
use crate::app::palette::Palette;
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns};
use ratatui::layout::Rect;

const HEIGHT: u16 = 14;

pub fn draw(app: &App, palette: &Palette, canvas: &mut Canvas<'_>, area: Rect) {
    let candidates = palette.candidates(app.below(), &app.keymap);
    let inside = boxed(canvas, area, (72, HEIGHT), "Commands");
    let typed = canvas.text(Rect { height: 1, ..inside }, &format!(":{}", palette.typed), Role::Prompt);
    let cursor =
        Rect { x: inside.x + typed, width: 1.min(inside.width.saturating_sub(typed)), height: 1, ..inside };
    canvas.text(cursor, "_", Role::Muted);
    let lines = usize::from(inside.height.saturating_sub(2));
    let top = (palette.at() + 1).saturating_sub(lines);
    for (at, (y, candidate)) in (inside.y + 2..).zip(candidates.iter().skip(top).take(lines)).enumerate() {
        let row = Rect { y, height: 1, ..inside };
        let spec = candidate.command.spec();
        canvas.text(Rect { width: 24.min(row.width), ..row }, candidate.word, Role::Key);
        let rest = Rect { x: row.x + 25.min(row.width), width: row.width.saturating_sub(25), ..row };
        let keys = candidate.keys.as_deref().unwrap_or_default();
        let taken = canvas.text_right(rest, keys, Role::Muted);
        canvas.text(Rect { width: rest.width.saturating_sub(taken + 1), ..rest }, spec.doc, Role::Text);
        if at + top == palette.at() {
            canvas.fill(row, Role::RowSelected);
        }
    }
    if candidates.is_empty() {
        let row = Rect { y: inside.y + columns(2), height: 1, ..inside };
        canvas.text(row, "nothing is called like that", Role::Muted);
    }
}
