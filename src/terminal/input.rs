//! Input: what comes from the terminal, in the program's own words.

use super::rejoin::Rejoin;
use crate::key::{Code, Held, Key};
use crossterm::event::{
    Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};
use futures::StreamExt as _;
use std::collections::VecDeque;
use std::io;
use std::time::Instant;

/// One thing that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(Key),
    /// Text, never commands, and not sanitised.
    Paste(String),
    Pointer(Pointer),
    /// Columns and rows.
    Resize(u16, u16),
    /// Whether someone looks.
    Focus(bool),
    /// Nothing will come any more.
    Closed,
}

/// What the mouse did that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The left button, on this column and row.
    Press(u16, u16),
    /// One notch of the wheel.
    WheelUp,
    WheelDown,
}

/// Reads the terminal. Only one may exist at a time; drop it before a child process reads the terminal.
#[derive(Debug)]
pub struct Inputs {
    events: EventStream,
    rejoin: Rejoin,
    ready: VecDeque<Input>,
}

impl Inputs {
    pub fn new(over_ssh: bool) -> Self {
        Self {
            events: EventStream::new(),
            rejoin: Rejoin::new(over_ssh, Instant::now()),
            ready: VecDeque::new(),
        }
    }

    /// The next input. Safe to cancel: nothing is lost.
    pub async fn next(&mut self) -> Input {
        loop {
            if let Some(input) = self.ready.pop_front() {
                return input;
            }
            let deadline = self.rejoin.deadline();
            tokio::select! {
                // An event that is there already was sent before the time ran out.
                biased;
                event = self.events.next() => match event {
                    Some(Ok(event)) => {
                        if let Some(input) = translated(event) {
                            self.ready.extend(self.rejoin.feed(input, Instant::now()));
                        }
                    }
                    Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Some(Err(_)) | None => return Input::Closed,
                },
                () = until(deadline) => self.ready.extend(self.rejoin.expire(Instant::now())),
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn translated(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => translated_key(key).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(columns, rows) => Some(Input::Resize(columns, rows)),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(mouse) => translated_mouse(mouse).map(Input::Pointer),
    }
}

fn translated_mouse(event: MouseEvent) -> Option<Pointer> {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Pointer::Press(event.column, event.row)),
        MouseEventKind::ScrollUp => Some(Pointer::WheelUp),
        MouseEventKind::ScrollDown => Some(Pointer::WheelDown),
        // Other buttons belong to the terminal, and a press is enough.
        _ => None,
    }
}

fn translated_key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let mut held = Held {
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
        shift: event.modifiers.contains(KeyModifiers::SHIFT),
    };
    let code = match event.code {
        // What old terminals send for backspace.
        KeyCode::Char('h') if held.ctrl => {
            held.ctrl = false;
            Code::Backspace
        }
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::F(number) => Code::F(number),
        KeyCode::Enter => Code::Enter,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => {
            held.shift = true;
            Code::Tab
        }
        KeyCode::Esc => Code::Esc,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        // Locks, media keys, modifiers alone: nothing to bind.
        _ => return None,
    };
    Some(Key::new(code, held))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<String> {
        translated_key(KeyEvent::new(code, modifiers)).map(|key| key.to_string())
    }

    #[test]
    fn keys_arrive_as_keymaps_write_them() {
        for (code, modifiers, written) in [
            (KeyCode::Char('g'), KeyModifiers::NONE, "g"),
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "shift-g"),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, "?"),
            (KeyCode::Char('d'), KeyModifiers::CONTROL, "ctrl-d"),
            (KeyCode::Char(' '), KeyModifiers::CONTROL, "ctrl-space"),
            (KeyCode::Char('x'), KeyModifiers::ALT, "alt-x"),
            (KeyCode::Char('h'), KeyModifiers::CONTROL, "backspace"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::BackTab, KeyModifiers::NONE, "shift-tab"),
            (KeyCode::F(5), KeyModifiers::NONE, "f5"),
        ] {
            assert_eq!(key(code, modifiers).as_deref(), Some(written));
        }
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }

    #[test]
    fn a_key_counts_when_it_goes_down_and_not_when_it_comes_up() {
        let up = KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::from(KeyCode::Enter) };
        assert_eq!(translated(Event::Key(up)), None);
        let held = KeyEvent { kind: KeyEventKind::Repeat, ..KeyEvent::from(KeyCode::Enter) };
        assert_eq!(translated(Event::Key(held)), Some(Input::Key(Key::plain(Code::Enter))));
    }
}
