//! Canvas: the drawing library's backend that draws into memory, so that a frame becomes one piece of bytes.
//!
//! It writes only what differs: the library ends every frame with resets and a hidden cursor, changed or not,
//! and an idle screen must write nothing. It asks the terminal for nothing, not even its size.
//!
//! Invariant: a terminal without UTF-8 gets ASCII only. There the bytes of other letters are not letters, and some
//! are the controls that the sanitiser keeps out: the second byte of `ě` begins an escape sequence.

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io;
use unicode_width::UnicodeWidthStr as _;

#[derive(Debug)]
pub(super) struct Canvas {
    bytes: Vec<u8>,
    size: Size,
    /// What the terminal's cursor is known to be; unknown after a draw moved it.
    cursor: Option<Position>,
    is_cursor_shown: bool,
    is_ascii: bool,
}

impl Canvas {
    /// For a terminal with a hidden cursor, which entering it leaves.
    pub(super) fn new(size: Size) -> Self {
        Self {
            bytes: Vec::with_capacity(1 << 14),
            size,
            cursor: None,
            is_cursor_shown: false,
            is_ascii: false,
        }
    }

    /// From now on nothing but ASCII is drawn, or all of Unicode.
    pub(super) fn set_ascii(&mut self, is_ascii: bool) {
        self.is_ascii = is_ascii;
    }

    pub(super) fn set_size(&mut self, size: Size) {
        self.size = size;
    }

    /// The cursor is hidden again, by entering the terminal anew.
    pub(super) fn forget_cursor(&mut self) {
        (self.cursor, self.is_cursor_shown) = (None, false);
    }

    /// What has been drawn since the last time, to be shown at once. Empty if nothing changed.
    pub(super) fn take(&mut self) -> io::Result<Vec<u8>> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        let mut frame = Vec::with_capacity(self.bytes.len() + 16);
        queue!(frame, BeginSynchronizedUpdate)?;
        frame.append(&mut self.bytes);
        queue!(frame, EndSynchronizedUpdate)?;
        Ok(frame)
    }

    fn inner(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.bytes)
    }
}

impl Backend for Canvas {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.cursor = None;
        if self.is_ascii {
            let cells: Vec<(u16, u16, Cell)> = content.map(|(x, y, cell)| (x, y, ascii(cell))).collect();
            return self.inner().draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)));
        }
        self.inner().draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_cursor_shown, false) { self.inner().hide_cursor() } else { Ok(()) }
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_cursor_shown, true) { Ok(()) } else { self.inner().show_cursor() }
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor.replace(position) == Some(position) {
            return Ok(());
        }
        self.inner().set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner().clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.inner().clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The cell with a sign of the same width in the place of one that is not ASCII.
fn ascii(cell: &Cell) -> Cell {
    let mut cell = cell.clone();
    match cell.symbol() {
        symbol if symbol.is_ascii() => {}
        "…" => drop(cell.set_char('~')),
        symbol => {
            let signs = "?".repeat(symbol.width());
            cell.set_symbol(&signs);
        }
    }
    cell
}
