//! The history of notices, newest first.

use super::{boxed, visible};
use crate::app::App;
use crate::app::notice::Weight;
use crate::app::time::age;
use crate::app::wrap::wrap;
use crate::theme::Role;
use crate::ui::paint::Canvas;
use ratatui::layout::Rect;

pub const fn role(weight: Weight) -> Role {
    match weight {
        Weight::Hint => Role::NoticeInfo,
        Weight::Warning => Role::NoticeWarning,
        Weight::Error => Role::NoticeError,
    }
}

pub fn draw(app: &App, top: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = boxed(canvas, area, (area.width, area.height), "Notices");
    let width = usize::from(inside.width.saturating_sub(8)).max(8);
    let mut lines: Vec<(String, String, Role)> = Vec::new();
    for notice in app.notices.iter() {
        let times = if notice.times > 1 { format!(" (x{})", notice.times) } else { String::new() };
        let text = format!("{}{times}", notice.text);
        let wrapped = wrap(&text, width, ("", ""));
        lines.extend(wrapped.into_iter().enumerate().map(|(at, part)| {
            let when = if at == 0 { age(Some(notice.at), app.now) } else { String::new() };
            (when, part, role(notice.weight))
        }));
    }
    if lines.is_empty() {
        lines.push((String::new(), "nothing was said so far".to_owned(), Role::Muted));
    }
    for (y, (when, text, role)) in (inside.y..).zip(visible(&lines, top, inside.height)) {
        let row = Rect { y, height: 1, ..inside };
        canvas.text_right(Rect { width: 6, ..row }, when, Role::Muted);
        canvas.text(Rect { x: row.x + 8, width: row.width.saturating_sub(8), ..row }, text, *role);
    }
}
