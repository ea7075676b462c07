//! The namespaces to pick from, with what is wrong in each.

use super::boxed;
use crate::app::App;
use crate::app::link::Scope;
use crate::app::namespaces::Picker;
use crate::theme::Role;
use crate::ui::paint::Canvas;
use ratatui::layout::Rect;

const HEIGHT: u16 = 18;

pub fn draw(app: &App, picker: &Picker, canvas: &mut Canvas<'_>, area: Rect) {
    let choices = app.choices(picker);
    let inside = boxed(canvas, area, (64, HEIGHT), "Show namespace");
    let line = |y| Rect { y, height: 1, ..inside };
    let typed = canvas.text(line(inside.y), &picker.typed, Role::Prompt);
    let cursor =
        Rect { x: inside.x + typed, width: inside.width.saturating_sub(typed).min(1), ..line(inside.y) };
    canvas.text(cursor, "_", Role::Muted);
    // What is read and what is shown are two things.
    let read = match &app.session.scope {
        Scope::All => "all namespaces are read".to_owned(),
        Scope::Namespace { name, .. } => format!("only {name} is read"),
    };
    canvas.text_right(line(inside.y), &read, Role::Muted);
    let lines = usize::from(inside.height.saturating_sub(2));
    let top = (picker.at() + 1).saturating_sub(lines);
    for (at, (y, choice)) in (inside.y + 2..).zip(choices.iter().skip(top).take(lines)).enumerate() {
        let row = line(y);
        let is_shown = choice.namespace == app.namespaces.shown;
        let glyphs = canvas.glyphs();
        canvas.text(row, if choice.is_favourite { "*" } else { "" }, Role::Key);
        let name = Rect { x: row.x + 2, width: row.width.saturating_sub(30), ..row };
        let role = if is_shown { Role::ColumnSorted } else { Role::Text };
        canvas.text(name, choice.namespace.as_deref().unwrap_or("all namespaces"), role);
        let pods = Rect { width: row.width.saturating_sub(14), ..row };
        canvas.text_right(
            pods,
            &format!("{} pod{}", choice.pods, if choice.pods == 1 { " " } else { "s" }),
            Role::Muted,
        );
        if choice.incidents > 0 {
            let words = format!("{} {} wrong", glyphs.warning, choice.incidents);
            canvas.text_right(row, &words, Role::SeverityWarning);
        }
        if at + top == picker.at() {
            canvas.fill(row, Role::RowSelected);
        }
    }
    if choices.is_empty() {
        canvas.text(line(inside.y + 2), "no namespace is called like that", Role::Muted);
    }
}
