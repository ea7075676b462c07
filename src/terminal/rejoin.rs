//! Rejoin: escape sequences that a slow link cut in two, put together again.
//!
//! A terminal sends Up as `ESC [ A`. When the ESC arrives alone, the event reader takes it for the Esc key and
//! the rest for typed characters, which would hit bindings. So an Esc is held back for a moment: if what can only
//! be the rest of a sequence follows, they become the one key they were. A pure state machine: time comes in.

use super::input::Input;
use crate::key::{Code, Held, Key};
use std::time::{Duration, Instant};

/// How long an Esc may wait for its rest.
const HOLD: Duration = Duration::from_millis(25);
const HOLD_OVER_SSH: Duration = Duration::from_millis(60);
/// No key's sequence is longer.
const LONGEST: usize = 16;

#[derive(Debug)]
pub(super) struct Rejoin {
    hold: Duration,
    state: State,
    /// When what is held is let go.
    deadline: Instant,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// Esc.
    Escape,
    /// Esc and `O`: an arrow or F1 to F4 of some terminals.
    Single,
    /// Esc and `[`, and what came of the sequence so far.
    Sequence(String),
    /// Text between paste marks, of which the first was cut. The second is then swallowed by the event reader, so
    /// silence ends it.
    Paste(String),
}

impl Rejoin {
    pub(super) fn new(over_ssh: bool, now: Instant) -> Self {
        Self { hold: if over_ssh { HOLD_OVER_SSH } else { HOLD }, state: State::Idle, deadline: now }
    }

    /// When to call [`Rejoin::expire`], if something is held.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.state != State::Idle).then_some(self.deadline)
    }

    /// Takes one input and returns what is certain by now.
    pub(super) fn feed(&mut self, input: Input, now: Instant) -> Vec<Input> {
        self.deadline = now + self.hold;
        let key = match &input {
            Input::Key(key) => Some(*key),
            Input::Paste(_) | Input::Pointer(_) | Input::Resize(..) | Input::Focus(_) | Input::Closed => None,
        };
        let typed = key.and_then(Key::text);
        match (std::mem::replace(&mut self.state, State::Idle), key, typed) {
            (State::Idle, Some(key), _) if key == Key::plain(Code::Esc) => {
                self.state = State::Escape;
                Vec::new()
            }
            (State::Idle, ..) => vec![input],
            (State::Escape, _, Some('[')) => {
                self.state = State::Sequence(String::new());
                Vec::new()
            }
            (State::Escape, _, Some('O')) => {
                self.state = State::Single;
                Vec::new()
            }
            (State::Single, _, Some(end)) if single(end).is_some() => single(end).into_iter().collect(),
            (State::Sequence(mut body), _, Some(c @ ' '..='?')) if body.len() < LONGEST => {
                body.push(c);
                self.state = State::Sequence(body);
                Vec::new()
            }
            // The kernel's console sends F1 to F5 as `ESC [ [ A` and so on.
            (State::Sequence(body), _, Some('[')) if body.is_empty() => {
                self.state = State::Sequence("[".to_owned());
                Vec::new()
            }
            (State::Sequence(body), _, Some('~')) if body == "200" => {
                self.state = State::Paste(String::new());
                Vec::new()
            }
            // One that means nothing to us is dropped: it was not typed.
            (State::Sequence(body), _, Some(end @ '@'..='~')) => sequence(&body, end).into_iter().collect(),
            (State::Paste(mut text), Some(key), typed) if typed.or(control(key)).is_some() => {
                text.extend(typed.or(control(key)));
                self.state = State::Paste(text);
                Vec::new()
            }
            (state, ..) => {
                let mut inputs = state.let_go();
                inputs.extend(self.feed(input, now));
                inputs
            }
        }
    }

    /// Lets go of what has waited long enough.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Input> {
        if now < self.deadline {
            return Vec::new();
        }
        std::mem::replace(&mut self.state, State::Idle).let_go()
    }
}

impl State {
    /// What is held was no sequence after all.
    fn let_go(self) -> Vec<Input> {
        let esc = Input::Key(Key::plain(Code::Esc));
        let char = |c| Input::Key(Key::plain(Code::Char(c)));
        match self {
            Self::Escape => vec![esc],
            Self::Single => vec![esc, char('O')],
            Self::Sequence(body) if body.is_empty() => vec![esc, char('[')],
            // Nobody types a longer one this fast: it is half a sequence whose rest is lost.
            Self::Idle | Self::Sequence(_) => Vec::new(),
            Self::Paste(text) => vec![Input::Paste(text)],
        }
    }
}

/// The character that a key stands for inside a paste.
fn control(key: Key) -> Option<char> {
    [(Code::Enter, '\n'), (Code::Tab, '\t')]
        .into_iter()
        .find_map(|(code, c)| (key.code() == code).then_some(c))
}

/// `ESC O` and this.
fn single(end: char) -> Option<Input> {
    cursor_key(end).map(|code| Input::Key(Key::plain(code)))
}

/// `ESC [`, this body and this end.
fn sequence(body: &str, end: char) -> Option<Input> {
    let mut numbers = body.split(';').map(|number| number.parse::<u8>().ok());
    let first = numbers.next().flatten();
    // Terminals send one more than the sum of 1 for shift, 2 for alt and 4 for ctrl.
    let held = numbers.next().flatten().unwrap_or(1).saturating_sub(1);
    let held = Held { shift: held & 1 != 0, alt: held & 2 != 0, ctrl: held & 4 != 0 };
    match (end, body) {
        ('I', "") => return Some(Input::Focus(true)),
        ('O', "") => return Some(Input::Focus(false)),
        ('A'..='E', "[") => return function_key(end).map(|code| Input::Key(Key::plain(code))),
        ('Z', "") => return Some(Input::Key(Key::new(Code::Tab, Held { shift: true, ..held }))),
        _ => {}
    }
    let code = if end == '~' { numbered_key(first?) } else { cursor_key(end) };
    code.map(|code| Input::Key(Key::new(code, held)))
}

fn cursor_key(end: char) -> Option<Code> {
    Some(match end {
        'A' => Code::Up,
        'B' => Code::Down,
        'C' => Code::Right,
        'D' => Code::Left,
        'H' => Code::Home,
        'F' => Code::End,
        'P' => Code::F(1),
        'Q' => Code::F(2),
        'R' => Code::F(3),
        'S' => Code::F(4),
        _ => return None,
    })
}

/// The letters of the kernel's console.
fn function_key(end: char) -> Option<Code> {
    "ABCDE".find(end).and_then(|at| u8::try_from(at + 1).ok()).map(Code::F)
}

fn numbered_key(number: u8) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(number - 10),
        17..=21 => Code::F(number - 11),
        23 | 24 => Code::F(number - 12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds each piece as the event reader would type it, all of it within the hold, then waits.
    fn joined(pieces: &[&str]) -> Vec<Input> {
        let start = Instant::now();
        let mut rejoin = Rejoin::new(false, start);
        let mut inputs = Vec::new();
        for key in pieces.iter().flat_map(|piece| typed(piece)) {
            inputs.extend(rejoin.feed(Input::Key(key), start));
        }
        inputs.extend(rejoin.expire(start + HOLD));
        assert_eq!(rejoin.deadline(), None);
        inputs
    }

    fn typed(piece: &str) -> Vec<Key> {
        match piece.parse() {
            Ok(key) => vec![key],
            Err(_) => piece.chars().map(|c| Key::plain(Code::Char(c))).collect(),
        }
    }

    fn keys(written: &[&str]) -> Vec<Input> {
        written.iter().map(|key| Input::Key(key.parse().unwrap())).collect()
    }

    #[test]
    fn a_cut_sequence_is_the_key_it_was() {
        for (rest, key) in [
            ("[A", "up"),
            ("[D", "left"),
            ("OB", "down"),
            ("OP", "f1"),
            ("[Z", "shift-tab"),
            ("[5~", "pgup"),
            ("[3~", "delete"),
            ("[15~", "f5"),
            ("[21~", "f10"),
            ("[24~", "f12"),
            ("[[A", "f1"),
            ("[[E", "f5"),
            ("[1;5C", "ctrl-right"),
            ("[1;2A", "shift-up"),
            ("[6;3~", "alt-pgdn"),
        ] {
            assert_eq!(joined(&["esc", rest]), keys(&[key]), "{rest}");
        }
        assert_eq!(joined(&["esc", "[I"]), [Input::Focus(true)]);
        assert_eq!(joined(&["esc", "[O"]), [Input::Focus(false)]);
    }

    #[test]
    fn what_follows_a_joined_key_is_typed() {
        assert_eq!(joined(&["esc", "[A", "esc", "[B", "j"]), keys(&["up", "down", "j"]));
    }

    #[test]
    fn what_was_typed_stays_typed() {
        assert_eq!(joined(&["esc"]), keys(&["esc"]));
        assert_eq!(joined(&["esc", "q"]), keys(&["esc", "q"]));
        assert_eq!(joined(&["esc", "esc"]), keys(&["esc", "esc"]));
        assert_eq!(joined(&["esc", "enter"]), keys(&["esc", "enter"]));
        assert_eq!(joined(&["esc", "["]), keys(&["esc", "["]));
        assert_eq!(joined(&["esc", "O"]), keys(&["esc", "O"]));
        assert_eq!(joined(&["esc", "O", "x"]), keys(&["esc", "O", "x"]));
        assert_eq!(joined(&["[", "A", "O"]), keys(&["[", "A", "O"]));
    }

    #[test]
    fn a_sequence_that_means_nothing_or_never_ends_types_nothing() {
        assert_eq!(joined(&["esc", "[99~"]), []);
        assert_eq!(joined(&["esc", "[?1;2c"]), []);
        assert_eq!(joined(&["esc", "[1;"]), []);
        assert_eq!(joined(&["esc", "[1;", "enter"]), keys(&["enter"]));
    }

    #[test]
    fn a_cut_paste_is_text_and_no_command() {
        let paste = joined(&["esc", "[200~", "q!", "enter", "x", "tab", "Y"]);
        assert_eq!(paste, [Input::Paste("q!\nx\tY".to_owned())]);
        let then_left = joined(&["esc", "[200~", "ab", "left"]);
        assert_eq!(then_left, [vec![Input::Paste("ab".to_owned())], keys(&["left"])].concat());
    }

    #[test]
    fn an_esc_waits_its_time_and_no_longer() {
        for (over_ssh, hold) in [(false, 25), (true, 60)] {
            let start = Instant::now();
            let mut rejoin = Rejoin::new(over_ssh, start);
            let esc = keys(&["esc"]);
            assert_eq!(rejoin.feed(esc[0].clone(), start), []);
            assert_eq!(rejoin.deadline(), Some(start + Duration::from_millis(hold)));
            assert_eq!(rejoin.expire(start + Duration::from_millis(hold - 1)), []);
            assert_eq!(rejoin.expire(start + Duration::from_millis(hold)), esc);
            assert_eq!(rejoin.deadline(), None);
        }
    }

    #[test]
    fn other_events_pass_and_let_go_of_what_is_held() {
        let start = Instant::now();
        let mut rejoin = Rejoin::new(false, start);
        assert_eq!(rejoin.feed(Input::Resize(80, 24), start), [Input::Resize(80, 24)]);
        assert_eq!(rejoin.feed(keys(&["esc"])[0].clone(), start), []);
        let both = rejoin.feed(Input::Resize(80, 25), start);
        assert_eq!(both, [keys(&["esc"]), vec![Input::Resize(80, 25)]].concat());
    }
}
