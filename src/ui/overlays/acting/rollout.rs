//! A rollout below the steps of its run: its revisions with their pods, its clock, what holds it up, and the pods that
//! come and go.

use crate::app::App;
use crate::app::acting::rollout::{Moving, Part, Stage, Watched, watched};
use crate::app::wrap::wrap;
use crate::cluster::ObjectRef;
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns, split};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

/// The columns of the counts, each with the blank before it.
const COUNT: u16 = 7;
const STAGE: u16 = 7;
/// Lines of what holds it up; what follows of it is on the pod.
const MOST_MESSAGE: usize = 4;

pub fn draw(app: &App, object: &ObjectRef, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(Watched { revisions, holds, clock, pods }) = watched(object, &app.cluster, app.now) else {
        canvas.text(Rect { height: 1, ..area }, &format!("{object} is gone"), Role::SeverityCritical);
        return;
    };
    let (table, rest) = split(area, columns(revisions.len()) + 1);
    parts(&revisions, canvas, table);
    let mut lines: Vec<(String, Role)> = Vec::new();
    let width = usize::from(rest.width);
    lines.extend(clock.map(|clock| (clock, Role::SeverityNotice)));
    for hold in holds {
        let wrapped = wrap(&hold, width, ("", "  "));
        let wrapped = wrapped.into_iter().take(MOST_MESSAGE);
        lines.extend(wrapped.map(|line| (line, Role::SeverityWarning)));
    }
    for (y, (text, role)) in (rest.y..rest.bottom()).zip(&lines) {
        canvas.text(Rect { y, height: 1, ..rest }, text, *role);
    }
    let (_, rest) = split(rest, columns(lines.len()));
    moving(&pods, canvas, rest);
}

fn parts(parts: &[Part], canvas: &mut Canvas<'_>, area: Rect) {
    let names: Vec<String> = parts.iter().map(name).collect();
    let longest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let width = columns(longest).clamp(12, (area.width / 2).max(12));
    let row = |line: usize| Rect { y: area.y + columns(line), height: 1, ..area };
    let cells = |line: usize, (texts, role): ([&str; 6], Role), canvas: &mut Canvas<'_>| {
        let area = row(line);
        if area.y >= area.bottom() {
            return;
        }
        let mut x = area.x;
        for (at, text) in texts.into_iter().enumerate() {
            let end = if at == 0 { width + 1 } else { COUNT };
            let room = area.right().saturating_sub(x);
            let width = if at == 5 { room } else { end.saturating_sub(1).min(room) };
            canvas.text(Rect { x, width, ..area }, text, role);
            x = (x + end).min(area.right());
        }
    };
    cells(0, (["REVISION", "WANTED", "PODS", "READY", "AVAIL", "IMAGES"], Role::ColumnHeading), canvas);
    for (at, (part, name)) in parts.iter().zip(&names).enumerate() {
        let wanted = part.wanted.map_or_else(|| "-".to_owned(), |many| many.to_string());
        let available = part.available.map_or_else(|| "-".to_owned(), |many| many.to_string());
        let (pods, ready) = (part.pods.to_string(), part.ready.to_string());
        let role = match part.wanted {
            Some(wanted) if part.is_wanted && part.ready < wanted => Role::SeverityWarning,
            Some(_) | None if part.is_wanted => Role::StatusGood,
            Some(_) | None => Role::Text,
        };
        cells(at + 1, ([name, &wanted, &pods, &ready, &available, &part.images], role), canvas);
    }
}

/// `new 4 web-7f6d`: what is told by colour elsewhere is told by a word here.
fn name(part: &Part) -> String {
    let word = if part.is_wanted { "new" } else { "old" };
    let number = part.number.map_or_else(String::new, |number| format!("{number} "));
    format!("{word} {number}{}", part.name)
}

fn moving(pods: &[Moving<'_>], canvas: &mut Canvas<'_>, area: Rect) {
    let room = usize::from(area.height);
    // The last line is for how many more there are.
    let shown = if pods.len() > room { room.saturating_sub(1) } else { pods.len() };
    let longest = pods.iter().map(|moving| moving.pod.meta.name.name.width()).max().unwrap_or(0);
    let name = columns(longest).clamp(12, (area.width / 2).max(12));
    for (y, Moving { pod, stage, why }) in (area.y..).zip(pods.iter().take(shown)) {
        let row = Rect { y, height: 1, ..area };
        let from = |by: u16| {
            let by = by.min(row.width);
            Rect { x: row.x + by, width: row.width - by, ..row }
        };
        canvas.text(row, stage.word(), role(*stage));
        let named = from(STAGE);
        canvas.text(Rect { width: name.min(named.width), ..named }, &pod.meta.name.name, Role::Text);
        canvas.text(from(STAGE + name + 1), why, Role::Muted);
    }
    let (_, last) = split(area, columns(shown));
    let left = pods.len() - shown;
    if left > 0 && last.height > 0 {
        canvas.text(Rect { height: 1, ..last }, &format!("and {left} more come or go"), Role::Muted);
    }
}

const fn role(stage: Stage) -> Role {
    match stage {
        Stage::Stuck => Role::SeverityCritical,
        Stage::Coming => Role::Heading,
        Stage::Going => Role::SeverityNotice,
    }
}
