//! The value that scale or set image takes, as it is typed, and below it what comes of it.

use super::{check_lines, count, planned_lines, role, title};
use crate::app::acting::Review;
use crate::app::acting::entry::{Container, Entry};
use crate::app::review::Form;
use crate::theme::Role;
use crate::ui::overlays::boxed;
use crate::ui::paint::{Canvas, columns, piece, split};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

/// The columns of a container's name, at most.
const NAME: usize = 24;

pub fn draw((review, form, entry): (&Review, &Form, &Entry), canvas: &mut Canvas<'_>, area: Rect) {
    let inside = boxed(canvas, area, (area.width, area.height), &title(review));
    let most = (inside.height / 2).max(1);
    let (fields, rest) = split(inside, columns(entry.lines()).min(most));
    match entry {
        Entry::Replicas { now, typed } => replicas(*now, typed, canvas, fields),
        Entry::Image { containers, at, typed } => images(containers, (*at, typed), canvas, fields),
    }
    let (said, rest) = split(rest, 1);
    let fault = entry.fault();
    match &fault {
        Some(fault) => canvas.text(said, &format!("  {fault}"), Role::NoticeWarning),
        None => canvas.text(said, &now(entry), Role::Muted),
    };
    let (below, last) = split(rest, rest.height.saturating_sub(1));
    if fault.is_none() {
        outlook(review, canvas, below);
    }
    let words = match &fault {
        Some(_) => "ctrl-u empties the line; nothing is done before you agree",
        None => "enter checks it with the server; nothing is done before you agree",
    };
    canvas.text(last, words, Role::Muted);
    let many = form.hidden.len();
    if many > 0 {
        canvas.text_right(last, &format!("{many} more are marked and hidden "), Role::SeverityNotice);
    }
}

fn replicas((least, most): (u32, u32), typed: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let now = if least == most { format!("now {least}") } else { format!("now {least} to {most}") };
    let pieces = [
        piece("> ", Role::Key),
        piece("replicas  ", Role::Key),
        piece(format!("{typed}_"), Role::Prompt),
        piece(format!("  {now}"), Role::Muted),
    ];
    canvas.pieces(Rect { height: 1, ..area }, &pieces);
}

fn images(containers: &[Container], (at, typed): (usize, &str), canvas: &mut Canvas<'_>, area: Rect) {
    let name = |container: &Container| {
        let kind = if container.is_init { "init " } else { "" };
        format!("{kind}{}", container.name)
    };
    let width = containers.iter().map(|container| name(container).width()).max().unwrap_or(0).min(NAME);
    let top = (at + 1).saturating_sub(usize::from(area.height));
    for (y, (index, container)) in (area.y..area.bottom()).zip(containers.iter().enumerate().skip(top)) {
        let row = Rect { y, height: 1, ..area };
        let has_focus = index == at;
        let (mark, role) = if has_focus { ("> ", Role::Key) } else { ("  ", Role::Text) };
        let label = format!("{:<width$}  ", name(container));
        let taken = canvas.pieces(row, &[piece(mark, Role::Key), piece(label, role)]);
        let rest = Rect { x: row.x + taken, width: row.width.saturating_sub(taken), ..row };
        if has_focus {
            let shown = end_of(typed, usize::from(rest.width).saturating_sub(1));
            canvas.pieces(rest, &[piece(shown, Role::Prompt), piece("_", Role::Muted)]);
        } else {
            let image = container.image.as_ref().map_or("several", |image| image.as_str());
            canvas.text(rest, image, Role::Muted);
        }
    }
}

/// What is typed is seen where it is typed: at its end.
fn end_of(text: &str, room: usize) -> &str {
    let hidden = text.width().saturating_sub(room);
    let shown = text.char_indices().find(|(at, _)| text[..*at].width() >= hidden);
    shown.map_or("", |(at, _)| &text[at..])
}

fn now(entry: &Entry) -> String {
    match entry {
        Entry::Replicas { .. } => String::new(),
        Entry::Image { containers, at, .. } => {
            let image = containers.get(*at).and_then(|container| container.image.as_ref());
            image.map_or_else(String::new, |image| format!("  instead of {image}"))
        }
    }
}

/// What speaks for and against it, and the steps; as far as the cluster alone tells.
fn outlook(review: &Review, canvas: &mut Canvas<'_>, area: Rect) {
    let (rule, rest) = split(area, 1);
    canvas.rule(rule, &count(&review.preflight), role(review.preflight.worst()));
    let width = usize::from(rest.width);
    let mut lines = check_lines(&review.preflight.checks, width);
    lines.extend(planned_lines(review, width));
    for (y, (text, role)) in (rest.y..rest.bottom()).zip(&lines) {
        canvas.text(Rect { y, height: 1, ..rest }, text, *role);
    }
}
