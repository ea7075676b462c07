//! The revisions of a workload: their list with what each differs in from what is wanted, and two of them line
//! against line.

use super::{boxed, visible};
use crate::app::App;
use crate::app::revisions::{Compared, DiffLine, Level, Reading, Revisions, is_wide, note_words};
use crate::app::time::age;
use crate::app::wrap::wrap;
use crate::cluster::{Image, Text};
use crate::revision::{History, Piece, PodCount, Revision, short_digest, words};
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns, piece, split};
use ratatui::layout::Rect;

pub fn draw(app: &App, level: Level, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(revisions) = &app.revisions else { return };
    match (level, &revisions.difference) {
        (Level::Difference, Some(compared)) => difference(app, (revisions, compared), canvas, area),
        (Level::History | Level::Difference, _) => history(app, revisions, canvas, area),
    }
}

// -- history --------------------------------------------------------------------------------------------------

/// Where the columns of the list begin.
const NUMBER: u16 = 2;
const AGE: u16 = 8;
const PODS: u16 = 14;
const IMAGES: u16 = 22;

fn history(app: &App, revisions: &Revisions, canvas: &mut Canvas<'_>, area: Rect) {
    let title = format!("History of {}", revisions.object);
    let inside = boxed(canvas, area, (area.width, area.height), &title);
    let history = match &revisions.history {
        Reading::Read(history) => history,
        Reading::Asked => {
            canvas.text(Rect { height: 1, ..inside }, "asking the API server for the history", Role::Muted);
            return;
        }
        Reading::Failed(reason) => return paragraph(canvas, inside, (reason, Role::SeverityWarning)),
    };
    let (heading, rest) = split(inside, 1);
    for (at, word) in [(NUMBER, "REV"), (AGE, "AGE"), (PODS, "PODS"), (IMAGES, "IMAGES")] {
        canvas.text(from(heading, at), word, Role::ColumnHeading);
    }
    canvas.text(from(heading, cause_at(heading)), "CHANGE CAUSE", Role::ColumnHeading);
    let many = history.revisions.len();
    let most = rest.height.saturating_sub(detail_height(rest.height));
    let (list, below) = split(rest, columns(many).max(1).min(most));
    if many == 0 {
        canvas.text(list, "no revision is kept, so there is nothing to go back to", Role::Muted);
    }
    let (counts, others) = history.pods(&app.cluster);
    let top = (revisions.at() + 1).saturating_sub(usize::from(list.height));
    let shown = revisions.listed().enumerate().skip(top).take(usize::from(list.height));
    for (y, (at, revision)) in (list.y..).zip(shown) {
        let row = Rect { y, height: 1, ..list };
        let count = counts.get(many - 1 - at).copied().unwrap_or_default();
        let is_marked = revisions.marked.contains(&revision.uid);
        line(app, (revision, count), canvas, row);
        if is_marked {
            canvas.fill(row, Role::RowMarked);
            canvas.text(from(row, 1), canvas.glyphs().marked, Role::RowMarked);
        }
        if at == revisions.at() {
            canvas.text(row, canvas.glyphs().selected, Role::Key);
            canvas.fill(row, Role::RowSelected);
        }
    }
    detail(history, (revisions, others), canvas, below);
}

/// Lines for what is said of the revision under the cursor.
const fn detail_height(height: u16) -> u16 {
    match height {
        0..10 => 0,
        10..20 => height / 2,
        20.. => height * 3 / 5,
    }
}

const fn cause_at(area: Rect) -> u16 {
    let room = area.width.saturating_sub(IMAGES);
    IMAGES + room * 3 / 5
}

const fn from(area: Rect, at: u16) -> Rect {
    let at = if at < area.width { at } else { area.width };
    Rect { x: area.x + at, width: area.width - at, ..area }
}

fn line(app: &App, (revision, count): (&Revision, PodCount), canvas: &mut Canvas<'_>, row: Rect) {
    let cell = |at: u16, end: u16| Rect { width: end.saturating_sub(at + 1), ..from(row, at) };
    canvas.text(cell(NUMBER, AGE), &revision.number.to_string(), Role::Text);
    canvas.text(cell(AGE, PODS), &age(revision.created, app.now), Role::Text);
    let role = match count {
        PodCount { total: 0, .. } => Role::Muted,
        PodCount { total, ready } if ready == total => Role::StatusGood,
        PodCount { .. } => Role::SeverityWarning,
    };
    let pods = if count.total == 0 { "-".to_owned() } else { format!("{}/{}", count.ready, count.total) };
    canvas.text(cell(PODS, IMAGES), &pods, role);
    // What a release changes is mostly no init container, and there is little room.
    let (init, main): (Vec<&Image>, Vec<&Image>) = revision.images.iter().partition(|image| image.is_init);
    let names: Vec<&str> = main.into_iter().chain(init).map(short_image).collect();
    let cause_at = cause_at(row);
    let images = cell(IMAGES, cause_at);
    let wanted = if revision.is_wanted { " wanted" } else { "" };
    let words = Rect { width: images.width.saturating_sub(columns(wanted.len())), ..images };
    let taken = canvas.text(words, &names.join(" "), Role::Text);
    canvas.text(from(images, taken), wanted, Role::StatusGood);
    canvas.text(from(row, cause_at), &revision.cause, Role::Muted);
}

/// An image without its registry and folders: what tells releases apart stands at its end.
fn short_image(image: &Image) -> &str {
    image.image.rsplit('/').next().unwrap_or_default()
}

/// What is to be said of the revision under the cursor, and of what is missing.
fn detail(
    history: &History,
    (revisions, others): (&Revisions, PodCount),
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let Some(revision) = revisions.selected().filter(|_| area.height > 1) else { return };
    let mut lines: Vec<(String, Role)> = Vec::new();
    let width = usize::from(area.width);
    if others.total > 0 {
        let text = format!("{} pods are of a revision that is not kept any more", others.total);
        lines.push((text, Role::SeverityWarning));
    }
    if history.wanted().is_none() {
        let text = "what is wanted now is none of these: no controller has seen it yet";
        lines.push((text.to_owned(), Role::SeverityNotice));
    }
    let cause = revision.cause.non_empty().map_or_else(String::new, |cause| format!(", because: {cause}"));
    let text = format!("revision {} is held by {}{cause}", revision.number, revision.name);
    lines.extend(wrap(&text, width, ("", "  ")).into_iter().map(|line| (line, Role::Text)));
    for Image { container, image, is_init } in &revision.images {
        let kind = if *is_init { "init " } else { "" };
        let digests = history.digests(revision, container);
        let beside = match digests.as_slice() {
            [(digest, _)] => format!(" {}", short_digest(digest)),
            _ => String::new(),
        };
        lines.push((format!("  {kind}{container}: {image}{beside}"), Role::Muted));
        for (digest, pods) in digests.iter().filter(|_| digests.len() > 1) {
            let pods = if *pods == 1 { "1 pod".to_owned() } else { format!("{pods} pods") };
            lines.push((format!("    {} on {pods}", short_digest(digest)), Role::SeverityWarning));
        }
        if history.moved_tags().contains_key(image) {
            let text = "    that tag was moved: pods run different images under it";
            lines.push((text.to_owned(), Role::SeverityWarning));
        }
    }
    if let Some(reason) = history.running.as_ref().err().and_then(Text::non_empty) {
        lines.push((format!("  which digests run is not known: {reason}"), Role::Muted));
    }
    if revision.is_wanted {
        lines.push(("this is what is wanted now".to_owned(), Role::StatusGood));
    } else if revisions.notes.is_empty() {
        lines.push(("the same template as what is wanted now".to_owned(), Role::StatusGood));
    } else {
        lines.push(("To go back to it would change".to_owned(), Role::Heading));
        for note in &revisions.notes {
            let wrapped = wrap(&note_words(note), width, ("  ", "            "));
            lines.extend(wrapped.into_iter().map(|line| (line, Role::Text)));
        }
    }
    let (rule, below) = split(area, 1);
    canvas.rule(rule, "", Role::Border);
    let left = lines.len().saturating_sub(usize::from(below.height));
    for (y, (text, role)) in (below.y..).zip(visible(&lines, 0, below.height)) {
        canvas.text(Rect { y, height: 1, ..below }, text, *role);
    }
    if left > 0 {
        canvas.text_right(rule, &format!(" {left} more lines: open the difference "), Role::Muted);
    }
}

fn paragraph(canvas: &mut Canvas<'_>, area: Rect, (text, role): (&Text, Role)) {
    for (y, line) in (area.y..area.bottom()).zip(wrap(text, usize::from(area.width), ("", ""))) {
        canvas.text(Rect { y, height: 1, ..area }, &line, role);
    }
}

// -- difference -----------------------------------------------------------------------------------------------

fn difference(
    app: &App,
    (revisions, compared): (&Revisions, &Compared),
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let (before, after) = &compared.names;
    let title = format!("{}: {before} -> {after}", revisions.object);
    let inside = boxed(canvas, area, (area.width, area.height), &title);
    let width = app.difference_width();
    let lines = compared.lines(width);
    for (y, line) in (inside.y..).zip(visible(&lines, compared.top, inside.height)) {
        draw_line((compared, line), is_wide(width), canvas, Rect { y, height: 1, ..inside });
    }
    if lines.len() > usize::from(inside.height) {
        let last = (compared.top + usize::from(inside.height)).min(lines.len());
        let words = format!(" {last} of {} ", lines.len());
        let foot = Rect { y: inside.bottom(), height: 1, ..inside };
        canvas.text_right(foot, &words, Role::Muted);
    }
}

fn draw_line((compared, line): (&Compared, &DiffLine), is_wide: bool, canvas: &mut Canvas<'_>, row: Rect) {
    let (left, right) = (&compared.difference.before, &compared.difference.after);
    let text = |lines: &[Text], at: &usize| lines.get(*at).cloned().unwrap_or_default();
    match line {
        DiffLine::Heading(text) => {
            canvas.text(row, text, Role::Heading);
        }
        DiffLine::Note(text) => {
            canvas.text(row, text, Role::Text);
        }
        DiffLine::Blank => {}
        DiffLine::Fold(many) => {
            let words = format!("{} {many} lines that are the same", canvas.glyphs().ellipsis);
            canvas.text(row, &words, Role::Muted);
        }
        DiffLine::Same { before, after } if is_wide => {
            let (one, other) = halves(row);
            canvas.text(from(one, 2), &text(left, before), Role::Muted);
            canvas.text(from(other, 2), &text(right, after), Role::Muted);
            canvas.text(middle(row), canvas.glyphs().vertical, Role::Border);
        }
        DiffLine::Same { before, .. } => {
            canvas.text(from(row, 2), &text(left, before), Role::Muted);
        }
        DiffLine::Beside { before, after } => {
            let (one, other) = halves(row);
            let (was, is) =
                (before.as_ref().map(|at| text(left, at)), after.as_ref().map(|at| text(right, at)));
            side((was.as_ref(), is.as_ref()), Side::Before, canvas, one);
            side((was.as_ref(), is.as_ref()), Side::After, canvas, other);
            canvas.text(middle(row), canvas.glyphs().vertical, Role::Border);
        }
        DiffLine::Before { at, became } => {
            let became = became.as_ref().map(|at| text(right, at));
            side((Some(&text(left, at)), became.as_ref()), Side::Before, canvas, row);
        }
        DiffLine::After { at, was } => {
            let was = was.as_ref().map(|at| text(left, at));
            side((was.as_ref(), Some(&text(right, at))), Side::After, canvas, row);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// One side of a line that changed, with its sign; what differs in it is marked by more than its colour.
fn side((was, is): (Option<&Text>, Option<&Text>), side: Side, canvas: &mut Canvas<'_>, area: Rect) {
    let (own, sign, role, words_role) = match side {
        Side::Before => (was, "- ", Role::DiffRemoved, Role::DiffRemovedWord),
        Side::After => (is, "+ ", Role::DiffAdded, Role::DiffAddedWord),
    };
    let Some(own) = own else { return };
    let pieces: Vec<Piece<'_>> = match (was, is) {
        (Some(was), Some(is)) => {
            let (one, other) = words(was, is);
            if side == Side::Before { one } else { other }
        }
        (_, _) => vec![Piece { text: own, differs: false }],
    };
    let mut line = vec![piece(sign, role)];
    line.extend(
        pieces.into_iter().map(|part| piece(part.text, if part.differs { words_role } else { role })),
    );
    canvas.pieces(area, &line);
}

const fn halves(row: Rect) -> (Rect, Rect) {
    let half = row.width.saturating_sub(3) / 2;
    let other = row.width.saturating_sub(half + 3);
    (Rect { width: half, ..row }, Rect { x: row.x + half + 3, width: other, ..row })
}

const fn middle(row: Rect) -> Rect {
    Rect { x: row.x + row.width.saturating_sub(3) / 2 + 1, width: 1, ..row }
}
