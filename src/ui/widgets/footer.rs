//! The last line: what was just said, the filter being typed, or the keys that matter here.

use crate::app::{App, Overlay};
use crate::command::{Command, Context, Ui};
use crate::theme::Role;
use crate::ui::overlays::notices;
use crate::ui::paint::{Canvas, columns, piece};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some(Overlay::Prompt { .. }) = &app.overlay {
        let taken = canvas.text(area, &format!("/{}", app.filter()), Role::Prompt);
        let rest = Rect { x: area.x + taken, width: area.width - taken, ..area };
        canvas.text(rest, "_  enter keeps it, esc leaves it as it was", Role::Muted);
        return;
    }
    if !app.pending.is_empty() {
        return pending(app, canvas, area);
    }
    if let Some(notice) = app.notices.current(app.now) {
        canvas.text(area, &format!(" {}", notice.text), notices::role(notice.weight));
        return;
    }
    hints(app, canvas, area);
}

/// The keys pressed so far, and what may follow them.
fn pending(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let keys: Vec<String> = app.pending.iter().map(|key| key.to_string()).collect();
    let mut line = vec![piece(format!(" {} {}  ", keys.join(" "), canvas.glyphs().ellipsis), Role::Prompt)];
    for (key, command) in app.continuations() {
        let title = command.map_or(canvas.glyphs().ellipsis, |command| command.spec().title);
        line.push(piece(key.to_string(), Role::Key));
        line.push(piece(format!(" {title}   "), Role::Muted));
    }
    canvas.pieces(area, &line);
}

fn hints(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let focus = app.focus();
    let commands: &[Ui] = match focus {
        Context::Triage => &[Ui::Open, Ui::Right, Ui::Filter, Ui::Palette, Ui::Help, Ui::Quit],
        Context::Nodes
        | Context::Pods
        | Context::Volumes
        | Context::Workloads
        | Context::Events
        | Context::Services
        | Context::Table => {
            &[Ui::Open, Ui::Filter, Ui::ProblemsOnly, Ui::SortNextColumn, Ui::Back, Ui::Palette, Ui::Help]
        }
        Context::Object => &[Ui::Open, Ui::Back, Ui::NextSection, Ui::Palette, Ui::Help],
        Context::Help | Context::Notices => &[Ui::Back, Ui::Down, Ui::Up],
        Context::Palette => &[Ui::Open, Ui::Back],
        Context::Global | Context::Prompt => &[],
    };
    let mut taken = 1;
    for command in commands {
        let command = Command::Ui(*command);
        let Some(keys) = app.keymap.keys(focus, command).next() else { continue };
        let title = match (focus, command) {
            (Context::Triage, Command::Ui(Ui::Right)) => "Unfold",
            (Context::Events, Command::Ui(Ui::ProblemsOnly)) => "Warnings only",
            (_, command) => command.spec().title,
        };
        let pieces = [piece(keys.to_string(), Role::Key), piece(format!(" {title}   "), Role::Muted)];
        let width = columns(pieces.iter().map(|(text, _)| text.width()).sum());
        if taken + width > area.width + 3 {
            break;
        }
        let rest = Rect { x: area.x + taken, width: area.width.saturating_sub(taken), ..area };
        taken += canvas.pieces(rest, &pieces);
    }
}
