//! Keys as the program means them: without crossterm, and written one way only.
//!
//! A key is parsed from and printed to the same word (`ctrl-d`, `shift-g`, `space`, `<`), so keymaps, the help
//! and the hints cannot disagree. Keys that a terminal cannot tell apart are refused when they are written, not
//! silently dead. What a key does is the keymap's business.

use std::fmt;
use std::str::FromStr;

/// One key press. Made by [`Key::new`], which brings every terminal's way of reporting it to one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    code: Code,
    ctrl: bool,
    alt: bool,
    shift: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A letter is kept in lower case, with `shift` apart; any other character stands for itself.
    Char(char),
    F(u8),
    Enter,
    Tab,
    Esc,
    Backspace,
    Delete,
    Insert,
    Home,
    End,
    PageUp,
    PageDown,
    Up,
    Down,
    Left,
    Right,
}

/// What is held down with a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
}

/// Each name that a key may be written by.
const NAMES: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("return", Code::Enter),
    ("tab", Code::Tab),
    ("esc", Code::Esc),
    ("escape", Code::Esc),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("del", Code::Delete),
    ("insert", Code::Insert),
    ("ins", Code::Insert),
    ("home", Code::Home),
    ("end", Code::End),
    ("pgup", Code::PageUp),
    ("pageup", Code::PageUp),
    ("pgdn", Code::PageDown),
    ("pagedown", Code::PageDown),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("space", Code::Char(' ')),
];

impl Key {
    pub fn new(code: Code, held: Held) -> Self {
        let Held { ctrl, alt, shift } = held;
        let Code::Char(c) = code else {
            return Self { code, ctrl, alt, shift };
        };
        match lower(c) {
            // With ctrl a terminal sends the same byte for both cases.
            Some(letter) => {
                Self { code: Code::Char(letter), ctrl, alt, shift: shift || (c != letter && !ctrl) }
            }
            // For any other character, shift is how it was typed and not part of what it is.
            None => Self { code, ctrl, alt, shift: false },
        }
    }

    /// A key without ctrl and alt: `Key::plain(Code::Char('G'))` is shift-g.
    pub fn plain(code: Code) -> Self {
        Self::new(code, Held::default())
    }

    pub fn code(self) -> Code {
        self.code
    }

    pub fn held(self) -> Held {
        Held { ctrl: self.ctrl, alt: self.alt, shift: self.shift }
    }

    /// The character this key types into a line of text, if it types one.
    pub fn text(self) -> Option<char> {
        let Code::Char(c) = self.code else { return None };
        let capital = if self.shift { upper(c) } else { None };
        (!self.ctrl && !self.alt).then_some(capital.unwrap_or(c))
    }

    /// All names of keys that are not characters, for a hint.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

/// `c` as a lower-case letter, if it is a letter whose two cases answer each other.
fn lower(c: char) -> Option<char> {
    if upper(c).is_some() {
        return Some(c);
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(letter), None) => (letter != c && upper(letter) == Some(c)).then_some(letter),
        _ => None,
    }
}

fn upper(c: char) -> Option<char> {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(capital), None) => (capital != c && capital.to_lowercase().eq([c])).then_some(capital),
        _ => None,
    }
}

/// Why a key cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("no key is named")]
    Empty,
    #[error("`{0}` is not a key")]
    Unknown(String),
    #[error("a terminal sends the same for `{written}` as for `{sent}`; bind `{sent}`")]
    Indistinct { written: String, sent: Key },
    #[error("no terminal sends `{written}`; write the character that it types")]
    Shifted { written: String },
    #[error("a terminal cannot tell `{written}` from `{sent}`; bind `{sent}`")]
    LostShift { written: String, sent: Key },
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(written: &str) -> Result<Self, KeyError> {
        let mut held = Held::default();
        let mut name = written;
        // A prefix only counts if something follows it: `-` is a key, and so is `ctrl--`.
        loop {
            let rest = |prefix| name.strip_prefix(prefix).filter(|rest: &&str| !rest.is_empty());
            if let Some(rest) = rest("ctrl-") {
                (name, held.ctrl) = (rest, true);
            } else if let Some(rest) = rest("alt-") {
                (name, held.alt) = (rest, true);
            } else if let Some(rest) = rest("shift-") {
                (name, held.shift) = (rest, true);
            } else {
                break;
            }
        }
        let code = code_named(name).ok_or_else(|| match name {
            "" => KeyError::Empty,
            _ => KeyError::Unknown(written.to_owned()),
        })?;
        match refusal(code, held, written) {
            Some(error) => Err(error),
            None => Ok(Self::new(code, held)),
        }
    }
}

/// Why no terminal would ever send this key, or not as this key.
fn refusal(code: Code, held: Held, written: &str) -> Option<KeyError> {
    let Code::Char(c) = code else { return None };
    let written = written.to_owned();
    if !held.ctrl {
        return (held.shift && lower(c).is_none()).then_some(KeyError::Shifted { written });
    }
    let control = match c {
        'i' | 'I' => Some(Code::Tab),
        'm' | 'M' => Some(Code::Enter),
        '[' => Some(Code::Esc),
        'h' | 'H' => Some(Code::Backspace),
        _ => None,
    };
    match control {
        Some(code) => {
            Some(KeyError::Indistinct { written, sent: Key::new(code, Held { ctrl: false, ..held }) })
        }
        None => held
            .shift
            .then(|| KeyError::LostShift { written, sent: Key::new(code, Held { shift: false, ..held }) }),
    }
}

fn code_named(name: &str) -> Option<Code> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && !c.is_whitespace()).then_some(Code::Char(c));
    }
    let function = || {
        let number = name.strip_prefix('f')?;
        let number: u8 = number.parse().ok().filter(|_| !number.starts_with(['0', '+']))?;
        (1..=24).contains(&number).then_some(Code::F(number))
    };
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code).or_else(function)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, prefix) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                f.write_str(prefix)?;
            }
        }
        let name = match self.code {
            Code::Char(' ') => "space",
            Code::Char(c) => return write!(f, "{c}"),
            Code::F(number) => return write!(f, "f{number}"),
            Code::Enter => "enter",
            Code::Tab => "tab",
            Code::Esc => "esc",
            Code::Backspace => "backspace",
            Code::Delete => "delete",
            Code::Insert => "insert",
            Code::Home => "home",
            Code::End => "end",
            Code::PageUp => "pgup",
            Code::PageDown => "pgdn",
            Code::Up => "up",
            Code::Down => "down",
            Code::Left => "left",
            Code::Right => "right",
        };
        f.write_str(name)
    }
}

/// Keys pressed one after the other: `g n`. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(Vec<Key>);

impl Sequence {
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    pub fn starts_with(&self, keys: &[Key]) -> bool {
        self.0.starts_with(keys)
    }
}

impl Sequence {
    /// The keys that are probably meant by what other programs write: `ctrl+x`, `C-x`, `<c-x>`, `^x`.
    pub fn respelled(written: &str) -> Option<Self> {
        let key = |word: &str| {
            let word = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')).unwrap_or(word);
            let word = match word.strip_prefix('^') {
                Some(rest) if !rest.is_empty() => format!("ctrl-{rest}"),
                Some(_) | None => word.to_owned(),
            };
            let (held, name) = match word.rsplit_once(['-', '+']) {
                Some((held, name)) if !name.is_empty() => (held, name),
                Some(_) | None => ("", word.as_str()),
            };
            let mut spelled = String::new();
            for held in held.split(['-', '+']).filter(|held| !held.is_empty()) {
                spelled.push_str(match held.to_lowercase().as_str() {
                    "c" | "ctrl" | "control" => "ctrl-",
                    "m" | "a" | "alt" | "meta" | "opt" | "option" => "alt-",
                    "s" | "shift" => "shift-",
                    _ => return None,
                });
            }
            let name = if name.chars().count() > 1 { name.to_lowercase() } else { name.to_owned() };
            spelled.push_str(&name);
            spelled.parse::<Key>().ok()
        };
        let keys: Option<Vec<Key>> = written.split_whitespace().map(key).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self)
    }
}

impl From<Key> for Sequence {
    fn from(key: Key) -> Self {
        Self(vec![key])
    }
}

impl FromStr for Sequence {
    type Err = KeyError;

    fn from_str(written: &str) -> Result<Self, KeyError> {
        let keys: Vec<Key> = written.split_whitespace().map(Key::from_str).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(Self(keys)) }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.0.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            write!(f, "{gap}{key}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(written: &str) -> Key {
        written.parse().unwrap()
    }

    #[test]
    fn every_spelling_prints_as_the_one_form() {
        for (written, printed) in [
            ("g", "g"),
            ("G", "shift-g"),
            ("shift-g", "shift-g"),
            ("shift-G", "shift-g"),
            ("ctrl-D", "ctrl-d"),
            ("alt-D", "alt-shift-d"),
            ("alt-ctrl-x", "ctrl-alt-x"),
            ("ctrl--", "ctrl--"),
            ("-", "-"),
            ("<", "<"),
            (":", ":"),
            ("space", "space"),
            ("ctrl-space", "ctrl-space"),
            ("shift-tab", "shift-tab"),
            ("escape", "esc"),
            ("pagedown", "pgdn"),
            ("f12", "f12"),
            ("ü", "ü"),
            ("Ü", "shift-ü"),
        ] {
            assert_eq!(key(written).to_string(), printed, "{written}");
        }
    }

    #[test]
    fn what_no_terminal_can_send_is_refused_with_the_way_out() {
        for (written, text) in [
            ("ctrl-i", "a terminal sends the same for `ctrl-i` as for `tab`; bind `tab`"),
            ("ctrl-M", "a terminal sends the same for `ctrl-M` as for `enter`; bind `enter`"),
            ("ctrl-[", "a terminal sends the same for `ctrl-[` as for `esc`; bind `esc`"),
            ("shift-1", "no terminal sends `shift-1`; write the character that it types"),
            ("ctrl-shift-d", "a terminal cannot tell `ctrl-shift-d` from `ctrl-d`; bind `ctrl-d`"),
            ("entre", "`entre` is not a key"),
            ("f25", "`f25` is not a key"),
            ("f01", "`f01` is not a key"),
            ("ctrl-", "`ctrl-` is not a key"),
            ("", "no key is named"),
        ] {
            assert_eq!(written.parse::<Key>().unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn sequences_are_keys_with_spaces_between() {
        let sequence: Sequence = " g  N ".parse().unwrap();
        assert_eq!(sequence.to_string(), "g shift-n");
        assert_eq!(sequence.keys(), [key("g"), key("N")]);
        assert!(sequence.starts_with(&[key("g")]));
        assert_eq!(" ".parse::<Sequence>(), Err(KeyError::Empty));
    }

    #[test]
    fn what_other_programs_write_is_understood() {
        for (written, meant) in [
            ("ctrl+x", Some("ctrl-x")),
            ("C-x C-s", Some("ctrl-x ctrl-s")),
            ("<c-x>", Some("ctrl-x")),
            ("^d", Some("ctrl-d")),
            ("Enter", Some("enter")),
            ("<S-Tab>", Some("shift-tab")),
            ("M-x", Some("alt-x")),
            ("hyper-x", None),
            ("C-i", None),
            ("", None),
        ] {
            let respelled = Sequence::respelled(written).map(|keys| keys.to_string());
            assert_eq!(respelled.as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn every_code_has_a_name_that_parses_back() {
        for (name, code) in NAMES {
            let key: Key = name.parse().unwrap();
            assert_eq!(key.code(), *code);
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    fn any_code() -> impl Strategy<Value = Code> {
        prop_oneof![
            any::<char>()
                .prop_filter("a key", |c| !c.is_control() && !c.is_whitespace())
                .prop_map(Code::Char),
            prop::char::range('!', '~').prop_map(Code::Char),
            (1u8..=24).prop_map(Code::F),
            prop::sample::select(NAMES).prop_map(|(_, code)| code),
        ]
    }

    proptest! {
        #[test]
        fn a_key_prints_as_what_it_parses_from(
            code in any_code(), ctrl: bool, alt: bool, shift: bool,
        ) {
            let key = Key::new(code, Held { ctrl, alt, shift });
            match key.to_string().parse::<Key>() {
                Ok(again) => prop_assert_eq!(again, key),
                Err(error) => prop_assert!(
                    ctrl && matches!(error, KeyError::Indistinct { .. } | KeyError::LostShift { .. }),
                    "{}: {}", key, error,
                ),
            }
        }

        #[test]
        fn a_typed_character_is_kept(c: char) {
            prop_assert_eq!(Key::plain(Code::Char(c)).text(), Some(c));
        }
    }
}
