//! Draws the application: no state but what saves work, no decision but where things go.

mod overlays;
mod paint;
mod screens;
mod widgets;

use crate::app::columns::Tone;
use crate::app::screen::Screen;
use crate::app::{App, Overlay, Target};
use crate::findings::Severity;
use crate::theme::{Glyphs, Role, Theme};
use paint::Canvas;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

/// What is kept from frame to frame.
#[derive(Debug, Default)]
pub struct Cache {
    /// The widths that columns have needed so far: they grow and do not shrink, so that rows do not dance.
    widths: [Vec<u16>; Screen::ALL.len()],
    /// What the last frame has where.
    targets: Vec<(Rect, Target)>,
}

impl Cache {
    /// What was drawn there that can be pressed.
    pub fn target(&self, column: u16, row: u16) -> Option<&Target> {
        let place = Position { x: column, y: row };
        self.targets.iter().find(|(area, _)| area.contains(place)).map(|(_, target)| target)
    }
}

/// How things look: the theme, and the signs that the terminal can show.
#[derive(Clone, Debug)]
pub struct Look {
    pub theme: Theme,
    pub glyphs: Glyphs,
}

pub fn draw(app: &App, look: &Look, cache: &mut Cache, frame: &mut Frame<'_>) {
    let area = frame.area();
    cache.targets.clear();
    let mut canvas = Canvas::new(frame.buffer_mut(), look);
    canvas.fill(area, Role::Text);
    if app.size.is_too_small() {
        canvas.text(area, "sickbay needs 40 columns and 8 lines", Role::SeverityWarning);
        return;
    }
    let rows = |from: u16, many: u16| Rect { y: area.y + from, height: many, ..area };
    let body = rows(crate::app::layout::Size::HEADER, app.size.body() - u16::from(app.is_prompting()));
    widgets::header::draw(app, &mut canvas, rows(0, 2));
    widgets::tabs::draw(app, &mut cache.targets, &mut canvas, rows(2, 1));
    draw_body(app, cache, &mut canvas, body);
    match &app.overlay {
        Some(Overlay::Help { top }) => overlays::help::draw(app, *top, &mut canvas, body),
        Some(Overlay::Notices { top }) => overlays::notices::draw(app, *top, &mut canvas, body),
        Some(Overlay::Palette(palette)) => overlays::palette::draw(app, palette, &mut canvas, body),
        Some(Overlay::Namespaces(picker)) => overlays::namespaces::draw(app, picker, &mut canvas, body),
        Some(Overlay::Columns { at }) => overlays::columns::draw(app, *at, &mut canvas, body),
        Some(Overlay::Acting(pane)) => overlays::acting::draw(app, pane, &mut canvas, body),
        Some(Overlay::Patch(sheet)) => overlays::patch::draw(app, sheet, &mut canvas, body),
        Some(Overlay::Revisions(level)) => overlays::revisions::draw(app, *level, &mut canvas, body),
        Some(Overlay::Prompt { .. }) | None => {}
    }
    let footer = 1 + u16::from(app.is_prompting());
    widgets::footer::draw(app, &mut canvas, rows(area.height.saturating_sub(footer), footer));
}

fn draw_body(app: &App, cache: &mut Cache, canvas: &mut Canvas<'_>, body: Rect) {
    let notes = app.notes();
    let lines = u16::try_from(notes.len()).unwrap_or(0).min(body.height);
    let (mut top, bottom) = paint::split(body, body.height - lines);
    for (line, note) in (bottom.y..bottom.bottom()).zip(&notes) {
        canvas.text(Rect { y: line, height: 1, ..bottom }, note, Role::NoticeWarning);
    }
    if let Some(open) = app.open() {
        return screens::object::draw(app, open, canvas, top);
    }
    if app.is_narrowed() {
        let (line, rest) = paint::split(top, 1);
        widgets::narrowing::draw(app, canvas, line);
        top = rest;
    }
    match app.view() {
        None => screens::triage::draw(app, canvas, top),
        Some(_) => screens::table::draw(app, cache, canvas, top),
    }
}

const fn tone_role(tone: Tone) -> Role {
    match tone {
        Tone::Plain => Role::Text,
        Tone::Muted => Role::Muted,
        Tone::Good => Role::StatusGood,
        Tone::Notice => Role::SeverityNotice,
        Tone::Warning => Role::SeverityWarning,
        Tone::Critical => Role::SeverityCritical,
    }
}

const fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Critical => Role::SeverityCritical,
        Severity::Warning => Role::SeverityWarning,
        Severity::Notice => Role::SeverityNotice,
    }
}

const fn severity_glyph(severity: Severity, glyphs: &Glyphs) -> &'static str {
    match severity {
        Severity::Critical => glyphs.critical,
        Severity::Warning => glyphs.warning,
        Severity::Notice => glyphs.notice,
    }
}
