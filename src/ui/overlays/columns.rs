//! The columns of the list below: which are shown, from left to right.

use super::boxed;
use crate::app::App;
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns};
use ratatui::layout::Rect;

pub fn draw(app: &App, cursor: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let (Some(view), Some(lister)) = (app.view(), app.screen().lister()) else { return };
    let all = view.columns.all(&lister.headings());
    let size = (44, columns(all.len()).saturating_add(3));
    let inside = boxed(canvas, area, size, &format!("Columns of {}", app.screen().title()));
    let line = |y| Rect { y, height: 1, ..inside };
    canvas.text(line(inside.y), "a narrow screen drops from the right", Role::Muted);
    let lines = usize::from(inside.height.saturating_sub(1));
    let top = (cursor + 1).saturating_sub(lines);
    for (at, (y, (heading, is_shown))) in (inside.y + 1..).zip(all.iter().skip(top).take(lines)).enumerate() {
        let row = line(y);
        let (sign, role) = if *is_shown { ("[x]", Role::Text) } else { ("[ ]", Role::Muted) };
        canvas.text(row, sign, Role::Key);
        canvas.text(Rect { x: row.x + 4, width: row.width.saturating_sub(4), ..row }, heading.title, role);
        canvas.text_right(row, heading.id, Role::Muted);
        if at + top == cursor {
            canvas.fill(row, Role::RowSelected);
        }
    }
}
