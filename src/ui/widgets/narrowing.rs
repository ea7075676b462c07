//! The line above a list that says what is hidden of it and marked in it: nothing may be missing unsaid.

use crate::app::App;
use crate::theme::Role;
use crate::ui::paint::{Canvas, piece};
use ratatui::layout::Rect;

pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut line = vec![piece(" ", Role::Muted)];
    if let Some(namespace) = &app.namespaces.shown {
        line.push(piece(format!(" ns: {namespace}"), Role::HeaderStale));
        let elsewhere = app.view().map_or(app.triage.elsewhere(), |view| view.elsewhere());
        let words = match (elsewhere, app.view()) {
            (0, _) => " (of all)  ".to_owned(),
            (1, None) => " 1 more incident in other namespaces  ".to_owned(),
            (many, None) => format!(" {many} more incidents in other namespaces  "),
            (many, Some(_)) => format!(" {many} more elsewhere  "),
        };
        line.push(piece(words, Role::Muted));
    }
    if !app.filter().is_empty() && !app.is_prompting() {
        line.push(piece(format!(" /{}  ", app.filter()), Role::Prompt));
    }
    if let Some(view) = app.view() {
        if view.problems_only {
            line.push(piece(" problems only  ", Role::Prompt));
        }
        if !view.marks.is_empty() {
            let marked = format!(" {} {} marked", canvas.glyphs().marked, view.marks.len());
            line.push(piece(marked, Role::RowMarked));
            let hidden = view.hidden_marks();
            if hidden > 0 {
                line.push(piece(format!(", {hidden} hidden"), Role::HeaderStale));
            }
        }
    }
    canvas.pieces(area, &line);
}
