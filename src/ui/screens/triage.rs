//! Triage: incidents in whole sentences, worst first, each with its clock; below, the selected one in full.

use crate::app::App;
use crate::app::attention::{Resolved, Standing};
use crate::app::columns::Look;
use crate::app::concerned::way_back;
use crate::app::link::Picture;
use crate::app::object::clock_words;
use crate::app::time::{age, short};
use crate::app::triage::Shown;
use crate::app::wrap::wrap;
use crate::command::Context;
use crate::findings::Finding;
use crate::theme::Role;
use crate::ui::paint::{self, Canvas, columns, piece};
use crate::ui::{severity_glyph, severity_role};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let detail = app.size.triage_detail().min(area.height);
    let (list, pane) = paint::split(area, area.height - detail);
    let lines = app.triage.lines(&app.findings, usize::from(list.height));
    if lines.is_empty() {
        return calm(app, canvas, area);
    }
    for (y, (shown, is_selected)) in (list.y..).zip(lines) {
        let row = Rect { y, height: 1, ..list };
        line(app, shown, canvas, row);
        if is_selected {
            let sign = canvas.glyphs().selected;
            canvas.text(row, sign, Role::Key);
            canvas.fill(row, Role::RowSelected);
        }
    }
    match app.triage.selected(&app.findings) {
        Some(finding) => draw_detail(app, finding, canvas, pane),
        None if app.findings.is_empty() => calm(app, canvas, pane),
        None => {}
    }
}

fn line(app: &App, shown: Shown<'_>, canvas: &mut Canvas<'_>, row: Rect) {
    let look = app.look();
    let glyphs = canvas.glyphs();
    let (indent, severity, text, clock) = match shown {
        Shown::Root(incident) => {
            let clock = match app.triage.attention.standing(incident, app.now) {
                Standing::New => right(&incident.root, &look),
                Standing::Acknowledged => format!("seen  {}", right(&incident.root, &look)),
                Standing::Snoozed { until } => {
                    format!("put off for {}", short(until.duration_since(app.now)))
                }
            };
            (1, incident.severity, incident.root.sentence.clone(), clock)
        }
        Shown::Resolved(resolved) => return over(resolved, canvas, row),
        Shown::Member(finding) => (3, finding.severity, finding.sentence.clone(), right(finding, &look)),
        Shown::Rest { many, worst } => {
            (3, worst, format!("{many} more hang on it: enter shows them"), String::new())
        }
    };
    let role = severity_role(severity);
    let taken = canvas.text_right(Rect { width: row.width.saturating_sub(1), ..row }, &clock, role);
    let left = Rect { x: row.x + indent, width: row.width.saturating_sub(indent + taken + 2), ..row };
    let sentence = match shown {
        Shown::Root(incident) => match app.triage.attention.standing(incident, app.now) {
            Standing::New => Role::Heading,
            Standing::Acknowledged => Role::Text,
            Standing::Snoozed { .. } => Role::Muted,
        },
        Shown::Member(_) => Role::Text,
        Shown::Rest { .. } | Shown::Resolved(_) => Role::Muted,
    };
    let glyph = format!("{} ", severity_glyph(severity, glyphs));
    canvas.pieces(left, &[piece(glyph, role), piece(text, sentence)]);
}

/// An incident that is over.
fn over(resolved: &Resolved, canvas: &mut Canvas<'_>, row: Rect) {
    let clock = format!("lasted {}", short(resolved.lasted));
    let taken = canvas.text_right(Rect { width: row.width.saturating_sub(1), ..row }, &clock, Role::Muted);
    let left = Rect { x: row.x + 1, width: row.width.saturating_sub(taken + 3), ..row };
    let glyph = format!("{} ", canvas.glyphs().good);
    let text = format!("resolved: {}", resolved.sentence);
    canvas.pieces(left, &[piece(glyph, Role::StatusGood), piece(text, Role::Muted)]);
}

/// What stands at the right edge: the clock, or how long it has been so.
fn right(finding: &Finding, look: &Look<'_>) -> String {
    clock_words(finding, look)
        .or_else(|| finding.since.map(|since| format!("for {}", short(look.now.duration_since(since)))))
        .unwrap_or_default()
}

fn draw_detail(app: &App, finding: &Finding, canvas: &mut Canvas<'_>, pane: Rect) {
    if pane.height < 3 {
        return;
    }
    let look = app.look();
    let title = format!("{}  {}", finding.severity.word(), finding.subject);
    canvas.rule(Rect { height: 1, ..pane }, &title, severity_role(finding.severity));
    let inside =
        Rect { x: pane.x + 1, y: pane.y + 1, width: pane.width.saturating_sub(2), height: pane.height - 1 };
    let mut lines: Vec<(String, Role)> = Vec::new();
    let mut add = |label: &str, text: &str, role: Role| {
        let indent = " ".repeat(label.width());
        let wrapped = wrap(text, usize::from(inside.width), (label, &indent));
        lines.extend(wrapped.into_iter().map(|line| (line, role)));
    };
    let mut sentence = finding.sentence.clone();
    if let Some(since) = finding.since {
        sentence = format!("{sentence} For {}.", age(Some(since), app.now));
    }
    add("", &sentence, Role::Text);
    add("next     ", &finding.next, Role::Heading);
    if let Some(words) = way_back(finding, Context::Triage, &look) {
        add("release  ", &words, Role::Heading);
    }
    for evidence in &finding.evidence {
        let ago = evidence
            .at
            .map_or_else(String::new, |at| format!(" ({} ago)", short(look.now.duration_since(at))));
        add("because  ", &format!("{}{ago}", evidence.text), Role::Muted);
    }
    let room = usize::from(inside.height);
    let is_cut = lines.len() > room;
    for (at, (text, role)) in lines.iter().take(room).enumerate() {
        let row = Rect { y: inside.y + columns(at), height: 1, ..inside };
        if is_cut && at + 1 == room {
            canvas.text(row, "… enter shows all of it", Role::Muted);
        } else {
            canvas.text(row, text, *role);
        }
    }
}

/// Nothing is wrong, as far as can be seen; how far that is.
fn calm(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let row = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(3),
        height: 1.min(area.height),
    };
    let cluster = &app.cluster;
    let many = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let counts = format!(
        "{}, {}, {}",
        many(cluster.nodes.len(), "node"),
        many(cluster.pods.len(), "pod"),
        many(cluster.persistent_volumes.len(), "volume")
    );
    let glyphs = canvas.glyphs();
    if !app.findings.is_empty() {
        let shown = app.findings.incidents.len() - app.triage.elsewhere();
        let text = match (shown, app.filter()) {
            (0, _) => "nothing is wrong in this namespace".to_owned(),
            (many, filter) => format!("none of the {many} incidents matches {filter}"),
        };
        canvas.text(row, &text, Role::Muted);
        return;
    }
    let (glyph, text, role) = match app.picture() {
        Picture::Live => {
            (glyphs.good, format!("Nothing is wrong that sickbay looks for: {counts}."), Role::StatusGood)
        }
        Picture::Partial { .. } => (
            glyphs.unknown,
            format!("Nothing is wrong in the part that may be seen: {counts}."),
            Role::HeaderStale,
        ),
        Picture::Loading { .. } => (glyphs.unknown, format!("Loading: {counts} so far."), Role::Muted),
        Picture::Stale { reason, .. } => (
            glyphs.unknown,
            format!("Nothing was wrong when the picture was last live: {reason}"),
            Role::HeaderStale,
        ),
    };
    canvas.text(row, &format!("{glyph} {text}"), role);
}
