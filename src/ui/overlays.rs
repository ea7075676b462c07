//! What lies on top of a view, in a box.

pub mod acting;
pub mod columns;
pub mod help;
pub mod namespaces;
pub mod notices;
pub mod palette;
pub mod patch;
pub mod revisions;

use super::paint::Canvas;
use crate::theme::Role;
use ratatui::layout::Rect;

/// An empty box in the middle of an area; its inside.
fn boxed(canvas: &mut Canvas<'_>, area: Rect, (width, height): (u16, u16), title: &str) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let frame =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    canvas.clear(frame);
    let glyphs = canvas.glyphs();
    let line = |y| Rect { y, height: 1, ..frame };
    canvas.rule(line(frame.y), title, Role::Heading);
    canvas.rule(line(frame.bottom().saturating_sub(1)), "", Role::Border);
    for y in frame.y..frame.bottom() {
        let (left, right) = match y {
            y if y == frame.y => (glyphs.top_left, glyphs.top_right),
            y if y + 1 == frame.bottom() => (glyphs.bottom_left, glyphs.bottom_right),
            _ => (glyphs.vertical, glyphs.vertical),
        };
        canvas.text(Rect { width: 1, ..line(y) }, left, Role::Border);
        canvas.text(Rect { x: frame.right().saturating_sub(1), width: 1, ..line(y) }, right, Role::Border);
    }
    Rect {
        x: frame.x + 2,
        y: frame.y + 1,
        width: frame.width.saturating_sub(4),
        height: frame.height.saturating_sub(2),
    }
}

/// The lines of a scrolled text that are visible, however far it was asked to scroll.
fn visible<T>(lines: &[T], top: usize, height: u16) -> &[T] {
    let height = usize::from(height);
    let top = top.min(lines.len().saturating_sub(height));
    &lines[top..(top + height).min(lines.len())]
}
