//! Putting text on cells: cut to what fits, in the style of a role.

use super::Look;
use crate::theme::{Color, Glyphs, Role, Style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style as draw;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    look: &'a Look,
}

/// A piece of text in a role.
pub type Piece<'a> = (Cow<'a, str>, Role);

pub fn piece<'a>(text: impl Into<Cow<'a, str>>, role: Role) -> Piece<'a> {
    (text.into(), role)
}

/// The columns that pieces take one after another.
pub fn width(pieces: &[Piece<'_>]) -> u16 {
    columns(pieces.iter().map(|(text, _)| text.width()).sum())
}

pub fn columns(many: usize) -> u16 {
    u16::try_from(many).unwrap_or(u16::MAX)
}

/// The upper part of that height, and what is left below it.
pub fn split(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

impl<'a> Canvas<'a> {
    pub fn new(buffer: &'a mut Buffer, look: &'a Look) -> Self {
        Self { buffer, look }
    }

    pub fn glyphs(&self) -> &'a Glyphs {
        &self.look.glyphs
    }

    pub fn fill(&mut self, area: Rect, role: Role) {
        let style = self.style(role);
        self.buffer.set_style(area, style);
    }

    /// Empties an area, whatever was on it.
    pub fn clear(&mut self, area: Rect) {
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
        self.fill(area, Role::Text);
    }

    /// Text from the left edge of a line, cut at the right one; the columns it took.
    pub fn text(&mut self, area: Rect, text: &str, role: Role) -> u16 {
        if area.width == 0 || area.height == 0 {
            return 0;
        }
        let fitted = fit(text, area.width, self.look.glyphs.ellipsis);
        let (end, _) =
            self.buffer.set_stringn(area.x, area.y, &fitted, usize::from(area.width), self.style(role));
        end - area.x
    }

    /// Text against the right edge of a line.
    pub fn text_right(&mut self, area: Rect, text: &str, role: Role) -> u16 {
        let width = columns(text.width()).min(area.width);
        self.text(Rect { x: area.right() - width, width, ..area }, text, role)
    }

    /// Pieces one after another; the columns they took.
    pub fn pieces(&mut self, area: Rect, pieces: &[Piece<'_>]) -> u16 {
        let mut taken = 0;
        for (text, role) in pieces {
            let rest = Rect { x: area.x + taken, width: area.width - taken, ..area };
            taken += self.text(rest, text, *role);
        }
        taken
    }

    pub fn pieces_right(&mut self, area: Rect, pieces: &[Piece<'_>]) -> u16 {
        let width = width(pieces).min(area.width);
        self.pieces(Rect { x: area.right() - width, width, ..area }, pieces)
    }

    /// A line across, with a title in it.
    pub fn rule(&mut self, area: Rect, title: &str, role: Role) {
        let line = self.look.glyphs.horizontal.repeat(usize::from(area.width));
        self.text(area, &line, Role::Border);
        if !title.is_empty() {
            let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
            self.text(inner, &format!(" {title} "), role);
        }
    }

    fn style(&self, role: Role) -> draw::Style {
        style(self.look.theme.style(role))
    }
}

fn style(style: Style) -> draw::Style {
    let mut drawn = draw::Style::new();
    drawn.fg = style.fg.map(color);
    drawn.bg = style.bg.map(color);
    let modifiers = style.modifiers;
    for (is_set, modifier) in [
        (modifiers.bold, draw::Modifier::BOLD),
        (modifiers.dim, draw::Modifier::DIM),
        (modifiers.italic, draw::Modifier::ITALIC),
        (modifiers.underline, draw::Modifier::UNDERLINED),
        (modifiers.reverse, draw::Modifier::REVERSED),
    ] {
        if is_set {
            drawn = drawn.add_modifier(modifier);
        }
    }
    drawn
}

fn color(color: Color) -> draw::Color {
    match color {
        Color::Default => draw::Color::Reset,
        Color::Index(index) => draw::Color::Indexed(index),
    }
}

/// Text in at most so many columns, with a sign at its end where it was cut.
fn fit<'t>(text: &'t str, width: u16, ellipsis: &str) -> Cow<'t, str> {
    let width = usize::from(width);
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(ellipsis.width());
    let mut taken = 0;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            taken += c.width().unwrap_or(0);
            taken > room
        })
        .map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}{ellipsis}", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn text_is_cut_at_columns_and_not_at_bytes() {
        assert_eq!(fit("worker-2", 8, "…"), "worker-2");
        assert_eq!(fit("worker-2", 5, "…"), "work…");
        assert_eq!(fit("ありがとう", 5, "…"), "あり…");
        assert_eq!(fit("ありがとう", 4, "…"), "あ…");
    }
}
