//! Help: the keys that work here, from the registry and the keymap in force.

use super::{boxed, visible};
use crate::app::App;
use crate::command::{Command, Group};
use crate::theme::Role;
use crate::ui::paint::{Canvas, columns};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

enum Line {
    Group(&'static str),
    Command { keys: String, doc: &'static str },
    Blank,
}

pub fn draw(app: &App, top: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let lines = lines(app);
    let widest = lines.iter().map(|line| match line {
        Line::Command { keys, .. } => keys.width(),
        Line::Group(_) | Line::Blank => 0,
    });
    let keys_width = columns(widest.max().unwrap_or(0)).min(area.width / 3);
    let size = (area.width.min(100), columns(lines.len()).saturating_add(2));
    let inside = boxed(canvas, area, size, &format!("Keys on {}", app.below().id()));
    for (y, line) in (inside.y..).zip(visible(&lines, top, inside.height)) {
        let row = Rect { y, height: 1, ..inside };
        match line {
            Line::Group(title) => {
                canvas.text(row, title, Role::Heading);
            }
            Line::Command { keys, doc } => {
                canvas.text(Rect { width: keys_width, ..row }, keys, Role::Key);
                let indent = keys_width + 2;
                let rest = Rect { x: row.x + indent, width: row.width.saturating_sub(indent), ..row };
                canvas.text(rest, doc, Role::Text);
            }
            Line::Blank => {}
        }
    }
}

fn lines(app: &App) -> Vec<Line> {
    let focus = app.below();
    let mut lines = Vec::new();
    for group in Group::ALL {
        let commands: Vec<Command> = Command::all()
            .filter(|command| command.spec().group == *group && command.applies_in(focus))
            .collect();
        if commands.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Group(group.title()));
        lines.extend(commands.into_iter().map(|command| {
            let spec = command.spec();
            let mut keys: Vec<String> =
                app.keymap.keys(focus, command).map(|keys| keys.to_string()).take(3).collect();
            if keys.is_empty() {
                keys.push(format!(":{}", spec.id));
            }
            Line::Command { keys: keys.join(" "), doc: spec.doc }
        }));
    }
    lines
}
