//! The terminal: taking it, drawing on it, reading from it, and giving it back whatever happens.
//!
//! It holds the screen and what comes in: keys, size, signals. What is drawn and what a key means is decided
//! elsewhere; nothing here knows the app. The mouse is off unless asked for, and its moves are never sent.

mod canvas;
mod environment;
mod guard;
mod input;
mod output;
mod rejoin;
mod signals;

pub use environment::{Environment, Unfit};
pub use guard::restore;
pub use input::{Input, Inputs, Pointer};
pub use signals::{Signal, Signals, Stop};

use canvas::Canvas;
use output::Output;
use ratatui::layout::{Rect, Size};
use ratatui::{Frame, TerminalOptions, Viewport};
use std::io::{self, Write};
use std::time::Duration;

/// How long a last frame may take to arrive before the terminal is given back under it.
const LAST_FRAME: Duration = Duration::from_millis(500);

/// The screen, for as long as this lives.
#[derive(Debug)]
pub struct Screen {
    terminal: ratatui::Terminal<Canvas>,
    output: Output,
    /// What goes out with the next frame, and is none of it.
    aside: Vec<u8>,
    written: Written,
}

/// What has been sent to the terminal so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub frames: u64,
    pub bytes: u64,
}

impl Screen {
    /// Takes the terminal. [`Environment::check`] comes first.
    pub fn enter() -> io::Result<Self> {
        // Otherwise NO_COLOR makes the drawing library send resets that undo bold and reverse; without colours we
        // have a theme of our own.
        crossterm::style::force_color_output(true);
        guard::take()?;
        let screen = Self::over(guard::Tty, size());
        if screen.is_err() {
            guard::restore();
        }
        screen
    }

    /// Takes the terminal, and the mouse's presses and wheel with it.
    pub fn enter_with_mouse() -> io::Result<Self> {
        guard::with_mouse(true);
        Self::enter()
    }

    /// A screen that is written to `writer` and leaves the terminal alone: for tests.
    pub fn over(writer: impl Write + Send + 'static, (columns, rows): (u16, u16)) -> io::Result<Self> {
        let area = Rect::new(0, 0, columns, rows);
        // A fixed area, resized when told to: otherwise the size would be asked for with every frame.
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let terminal = ratatui::Terminal::with_options(Canvas::new(area.as_size()), options)?;
        Ok(Self { terminal, output: Output::new(writer)?, aside: Vec::new(), written: Written::default() })
    }

    /// For a terminal that does not take UTF-8: other letters than ASCII's are drawn as question marks.
    pub fn ascii_only(mut self, is_ascii: bool) -> Self {
        self.terminal.backend_mut().set_ascii(is_ascii);
        self
    }

    /// Whether the last frame has left. While it has not, drawing is put off: see [`Screen::ready`].
    pub fn is_ready(&self) -> bool {
        self.output.is_ready()
    }

    /// Waits until the last frame has left. Safe to cancel.
    pub async fn ready(&self) {
        self.output.ready().await;
    }

    /// Draws, and sends what differs from the last frame: nothing, if nothing does. False, and nothing is drawn,
    /// while the last frame has not left yet.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
        if !self.is_ready() {
            return Ok(false);
        }
        self.terminal.draw(draw)?;
        let mut frame = self.terminal.backend_mut().take()?;
        frame.append(&mut self.aside);
        if !frame.is_empty() {
            self.written.frames += 1;
            self.written.bytes += frame.len() as u64;
            self.output.send(frame)?;
        }
        Ok(true)
    }

    /// Asks the terminal to take a text into its clipboard, behind the next frame. Whether it does it does not tell.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        use crossterm::clipboard::CopyToClipboard;
        crossterm::queue!(self.aside, CopyToClipboard::to_clipboard_from(text))
    }

    /// The terminal has another size now. The next frame is drawn whole.
    pub fn resize(&mut self, columns: u16, rows: u16) -> io::Result<()> {
        let area = Rect::new(0, 0, columns, rows);
        self.terminal.backend_mut().set_size(area.as_size());
        self.terminal.resize(area)
    }

    /// The next frame is drawn whole, over whatever spoiled the screen.
    pub fn redraw(&mut self) -> io::Result<()> {
        let Size { width, height } = self.terminal.size()?;
        self.resize(width, height)
    }

    /// Gives the terminal to the shell, stops the process group, and takes the terminal again when that goes on.
    pub fn suspend(&mut self, signals: &Signals) -> io::Result<()> {
        guard::restore();
        signals.stop_ourselves()?;
        self.resume()
    }

    /// Takes the terminal again after [`Signal::Continued`], with the size it has by now.
    pub fn resume(&mut self) -> io::Result<()> {
        guard::take()?;
        self.terminal.backend_mut().forget_cursor();
        let (columns, rows) = size();
        self.resize(columns, rows)
    }

    pub fn written(&self) -> Written {
        self.written
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.output.finish(LAST_FRAME);
        guard::restore();
    }
}

/// Columns and rows. A terminal that does not know, as some serial ones, is taken for the smallest we support.
fn size() -> (u16, u16) {
    match rustix::termios::tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        Ok(_) | Err(_) => (80, 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;
    use std::num::NonZero;
    use std::sync::{Arc, Mutex};

    /// What a terminal was sent, shared with the screen that sends it.
    #[derive(Clone, Default)]
    struct Sent(Arc<Mutex<Vec<u8>>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const ROWS: NonZero<u16> = NonZero::new(40).unwrap();
    const COLUMNS: NonZero<u16> = NonZero::new(120).unwrap();

    struct Bench {
        screen: Screen,
        sent: Sent,
    }

    impl Bench {
        fn new() -> Self {
            let sent = Sent::default();
            Self { screen: Screen::over(sent.clone(), (120, 40)).unwrap(), sent }
        }

        /// Draws forty lines, one of them marked, and returns how many bytes that took.
        async fn draw(&mut self, marked: u16) -> u64 {
            let before = self.screen.written().bytes;
            let drawn = self.screen.draw(|frame| {
                for row in 0..frame.area().height {
                    let style = if row == marked { Style::new().reversed() } else { Style::new() };
                    frame.buffer_mut().set_string(0, row, format!("{:<120}", format!("pod-{row}")), style);
                }
            });
            assert!(drawn.unwrap());
            self.screen.ready().await;
            self.screen.written().bytes - before
        }

        fn vt100(&self) -> vt100::Parser {
            let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
            parser.process(&self.sent.0.lock().unwrap());
            parser
        }
    }

    #[tokio::test]
    async fn a_frame_that_changes_nothing_sends_nothing() {
        let mut bench = Bench::new();
        assert!(bench.draw(0).await > 0);
        assert_eq!(bench.draw(0).await, 0);
        assert_eq!(bench.screen.written().frames, 1);
    }

    #[tokio::test]
    async fn moving_the_cursor_costs_two_lines() {
        let mut bench = Bench::new();
        bench.draw(0).await;
        let bytes = bench.draw(1).await;
        assert!((240..600).contains(&bytes), "{bytes}");
        assert!(bench.vt100().screen().cell(1, 0).unwrap().inverse());
        assert!(!bench.vt100().screen().cell(0, 0).unwrap().inverse());
    }

    #[tokio::test]
    async fn a_redraw_sends_the_whole_screen_again() {
        let mut bench = Bench::new();
        let whole = bench.draw(0).await;
        bench.screen.redraw().unwrap();
        assert!(bench.draw(0).await >= whole);
    }

    #[tokio::test]
    async fn a_smaller_terminal_keeps_no_rest_of_the_larger_frame() {
        let mut bench = Bench::new();
        bench.draw(0).await;
        bench.screen.resize(60, 10).unwrap();
        bench.draw(0).await;
        let shown = bench.vt100().screen().contents();
        assert_eq!(shown.lines().count(), 10, "{shown}");
    }

    #[tokio::test]
    async fn a_text_cursor_is_shown_where_it_is_and_hidden_again() {
        let mut bench = Bench::new();
        for (at, hidden) in [(Some((7, 3)), false), (Some((8, 3)), false), (None, true)] {
            bench.screen.draw(|frame| at.into_iter().for_each(|at| frame.set_cursor_position(at))).unwrap();
            bench.screen.ready().await;
            let parser = bench.vt100();
            assert_eq!(parser.screen().hide_cursor(), hidden, "{at:?}");
            if let Some((column, row)) = at {
                assert_eq!(parser.screen().cursor_position(), (row, column));
            }
        }
    }

    #[tokio::test]
    async fn a_terminal_without_utf_8_gets_ascii_of_the_same_width() {
        let mut bench = Bench::new();
        bench.screen = bench.screen.ascii_only(true);
        let text = "naměsti ありがとう |…";
        bench.screen.draw(|frame| frame.render_widget(text, frame.area())).unwrap();
        bench.screen.ready().await;
        assert!(bench.sent.0.lock().unwrap().is_ascii());
        assert_eq!(bench.vt100().screen().contents().trim_end(), "nam?sti ?????????? |~");
    }

    #[tokio::test]
    async fn what_is_copied_goes_out_once_behind_a_frame() {
        let mut bench = Bench::new();
        bench.draw(0).await;
        bench.screen.copy("a: 1\n").unwrap();
        bench.draw(0).await;
        bench.draw(1).await;
        let sent = bench.sent.0.lock().unwrap().clone();
        let sent = String::from_utf8(sent).unwrap();
        assert_eq!(sent.matches("\u{1b}]52;c;YTogMQo=\u{1b}\\").count(), 1);
        let shown = bench.vt100().screen().contents();
        assert!(!shown.contains("YTog"), "{shown}");
    }

    #[tokio::test]
    async fn each_frame_is_one_synchronised_piece() {
        let mut bench = Bench::new();
        bench.draw(0).await;
        let sent = bench.sent.0.lock().unwrap().clone();
        assert!(sent.starts_with(b"\x1b[?2026h") && sent.ends_with(b"\x1b[?2026l"));
    }
}
