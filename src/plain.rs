//! The one sanitiser: text from a cluster made safe for any terminal, pipe or file.
//!
//! Names, messages and reasons come from whoever can write to the API server, so none of it may move the cursor,
//! change colours, or look like something it is not. Escape sequences go whole; what remains and cannot be seen
//! is made visible, because text that hides a character can lie: `<U+202E>` for direction and zero-width
//! characters, `^H` for control characters, as pagers write them.
//!
//! It deliberately does not measure, cut or wrap (the widgets do) and does not judge look-alike letters.

use std::borrow::Cow;
use std::fmt::Write as _;

const ESC: char = '\u{1b}';

/// `text` as one safe line. Borrows when there is nothing to change, which is nearly always.
pub fn plain(text: &str) -> Cow<'_, str> {
    // Almost everything is printable ASCII: one pass over the bytes, no decoding.
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Cow::Borrowed(text);
    }
    match text.char_indices().find(|(_, c)| Fate::of(*c) != Fate::Kept) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let (clean, rest) = text.split_at(at);
            Cow::Owned(cleaned(clean, rest))
        }
    }
}

/// `text` as safe lines, cut where it breaks them itself.
pub fn plain_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(plain)
}

/// What becomes of one character that is not inside an escape sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// Would break the line or jump to a column: one space.
    Spaced,
    /// Begins an escape sequence, which goes as a whole.
    Sequence,
    /// A control character: `^H`.
    Caret,
    /// Nothing to be seen of it: `<U+202E>`.
    Marked,
    /// Only chooses between two looks of the character before it.
    Dropped,
}

impl Fate {
    fn of(c: char) -> Self {
        match c {
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Self::Spaced,
            '\u{1b}' | '\u{80}'..='\u{9f}' => Self::Sequence,
            '\0'..='\u{1f}' | '\u{7f}' => Self::Caret,
            '\u{fe0e}' | '\u{fe0f}' => Self::Dropped,
            _ if is_invisible(c) => Self::Marked,
            _ => Self::Kept,
        }
    }
}

/// Characters without a shape of their own: direction marks, overrides and isolates, zero-width spaces and
/// joiners, fillers, tags. Combining accents are not among them: they are seen.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn cleaned(clean: &str, rest: &str) -> String {
    let mut out = String::with_capacity(clean.len() + rest.len());
    out.push_str(clean);
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match Fate::of(c) {
            Fate::Kept => out.push(c),
            Fate::Spaced => {
                if c == '\r' && chars.as_str().starts_with('\n') {
                    chars.next();
                }
                out.push(' ');
            }
            Fate::Sequence => chars = after_sequence(c, chars.as_str()).chars(),
            Fate::Caret => {
                out.push('^');
                out.push(flipped(c));
            }
            Fate::Marked => {
                // Writing to a String cannot fail.
                let _ = write!(out, "<U+{:04X}>", c as u32);
            }
            Fate::Dropped => {}
        }
    }
    out
}

/// What follows the escape sequence that `start` began. An 8-bit control means what ESC and a letter mean.
fn after_sequence(start: char, rest: &str) -> &str {
    let (kind, body) = if start == ESC {
        let mut chars = rest.chars();
        match chars.next() {
            Some(kind) => (kind, chars.as_str()),
            None => return rest,
        }
    } else {
        (flipped(start), rest)
    };
    match kind {
        '[' => {
            let end = body.trim_start_matches(|c| matches!(c, ' '..='?'));
            end.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(end)
        }
        ']' | 'P' | 'X' | '^' | '_' => after_string(body),
        // A charset choice and its like: any number of intermediates, then one final.
        ' '..='/' => {
            let end = body.trim_start_matches(|c| matches!(c, ' '..='/'));
            end.strip_prefix(|c| matches!(c, '0'..='~')).unwrap_or(end)
        }
        '0'..='~' => body,
        // Not a sequence: only the ESC goes, what follows is judged for itself.
        _ => rest,
    }
}

/// What follows a string that a terminal takes for itself: a title, a link, a clipboard. One that never ends is
/// shown, all but its introducer: nobody shall hide the rest of a message behind two characters.
fn after_string(body: &str) -> &str {
    let ends = |c| matches!(c, '\u{7}' | '\u{18}' | '\u{1a}' | ESC | '\u{9c}');
    let Some(at) = body.find(ends) else { return body };
    let end = &body[at..];
    if end.starts_with(ESC) {
        // Another sequence cuts the string short and is then judged for itself.
        end.strip_prefix("\u{1b}\\").unwrap_or(end)
    } else {
        end.strip_prefix(ends).unwrap_or(end)
    }
}

/// The character with the bit flipped that makes it a control: `H` for backspace, `[` for the 8-bit CSI.
fn flipped(c: char) -> char {
    u8::try_from(c).map_or(char::REPLACEMENT_CHARACTER, |byte| match byte {
        0x80.. => char::from(byte - 0x40),
        0..0x80 => char::from(byte ^ 0x40),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_is_borrowed() {
        for text in ["", "worker-2", "Zürich 日本語 ✓ e\u{301}", "a b  c ~!@#"] {
            assert!(matches!(plain(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn escape_sequences_go_whole() {
        for (text, safe) in [
            ("a\u{1b}[31;1mred\u{1b}[0m", "ared"),
            ("a\u{1b}[?25l\u{1b}[2J\u{1b}[1 qb", "ab"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0~\u{1b}\\after", "after"),
            ("\u{1b}_apc\u{1b}\\\u{1b}^pm\u{9c}\u{1b}Xsos\u{7}x", "x"),
            ("\u{1b}(B\u{1b}c\u{1b}7x", "x"),
            ("\u{9b}31mred\u{9d}0;t\u{9c}!", "red!"),
            ("\u{84}\u{8d}x", "x"),
        ] {
            assert_eq!(plain(text), safe, "{text:?}");
        }
    }

    #[test]
    fn broken_sequences_hide_nothing_after_them() {
        for (text, safe) in [
            ("a\u{1b}", "a"),
            ("a\u{1b}\u{1b}[31mb", "ab"),
            ("a\u{1b}[31", "a"),
            ("a\u{1b}[31\nb", "a b"),
            ("a\u{1b}[é", "aé"),
            ("a\u{1b}é", "aé"),
            ("a\u{1b}]0;the volume is gone", "a0;the volume is gone"),
            ("a\u{1b}]0;title\u{1b}[1mb", "ab"),
        ] {
            assert_eq!(plain(text), safe, "{text:?}");
        }
    }

    #[test]
    fn what_breaks_a_line_becomes_one_space() {
        assert_eq!(plain("a\tb\nc\r\nd\re\u{b}f\u{2028}g\u{85}h"), "a b c d e f g h");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(plain("admin\u{202e}txt"), "admin<U+202E>txt");
        assert_eq!(plain("pay\u{200b}pal\u{2066}\u{feff}"), "pay<U+200B>pal<U+2066><U+FEFF>");
        assert_eq!(plain("x\u{e0041}"), "x<U+E0041>");
        assert_eq!(plain("adm\u{8}in\0\u{7f}"), "adm^Hin^@^?");
        assert_eq!(plain("⚠\u{fe0f}!"), "⚠!");
    }

    #[test]
    fn lines_are_cut_before_they_are_cleaned() {
        let lines: Vec<_> = plain_lines("one\r\ntwo\u{1b}[1\n\u{1b}]0;x\nthree\n").collect();
        assert_eq!(lines, ["one", "two", "0;x", "three"]);
    }

    /// Text that is dense in what matters: any string of single characters would hardly ever form a sequence.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            prop::char::range('\0', '\u{9f}').prop_map(String::from),
            prop::char::range('\u{2000}', '\u{206f}').prop_map(String::from),
            prop::sample::select(vec!["\u{1b}[", "\u{1b}]", "\u{1b}\\", "\u{9b}", "\u{1b}P", "31m", "é"])
                .prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn output_has_nothing_that_a_terminal_acts_on(text in hostile()) {
            let safe = plain(&text);
            prop_assert!(!safe.chars().any(char::is_control), "{safe:?}");
            prop_assert!(!safe.chars().any(is_invisible), "{safe:?}");
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in hostile()) {
            let once = plain(&text).into_owned();
            prop_assert_eq!(plain(&once), once.as_str());
        }

        #[test]
        fn borrowed_if_and_only_if_unchanged(text in hostile()) {
            let safe = plain(&text);
            prop_assert_eq!(matches!(safe, Cow::Borrowed(_)), safe == text);
        }

        #[test]
        fn text_without_controls_keeps_every_visible_character(text in "[a-zé日 \u{200b}\u{202e}]{0,40}") {
            let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
            let marks = plain(&text).replace("<U+200B>", "").replace("<U+202E>", "");
            prop_assert_eq!(marks, visible);
        }
    }
}
