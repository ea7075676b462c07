//! Styles as a theme writes them (`bold 203 on default / bold red`), and what remains of them on terminals with
//! fewer colours.

use std::fmt;

/// A style laid over what is there: what it does not name stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub fg: Option<Color>,
    pub bg: Option<Color>,
    pub modifiers: Modifiers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five switches, each a statement of its own")]
pub struct Modifiers {
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// The terminal's own.
    Default,
    /// Of the 256; the first 16 are the named ones, whose shade the terminal decides.
    Index(u8),
}

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    None,
    Ansi16,
    Indexed256,
}

impl ColorDepth {
    /// By `TERM` and `NO_COLOR`. sshd does not forward `COLORTERM`, and all terminals of today show 256 colours,
    /// so that is what an unknown one gets.
    pub fn of(term: &str, no_color: bool) -> Self {
        let numbered =
            term.strip_prefix("vt").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let monochrome = numbered || term.ends_with("-mono") || term.ends_with("-m");
        if no_color || monochrome {
            Self::None
        } else if matches!(term, "linux" | "ansi" | "cygwin") || term.ends_with("-16color") {
            Self::Ansi16
        } else {
            Self::Indexed256
        }
    }
}

const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const BRIGHT: [&str; 8] = [
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];
const MODIFIERS: [&str; 5] = ["bold", "dim", "italic", "underline", "reverse"];

/// Every word that a style may be made of, for hints.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().chain(BRIGHT).chain(MODIFIERS).chain(["default", "on"])
}

/// A style as written: for 256 colours, and for 16 where the theme says that apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    rich: Style,
    poor: Option<Style>,
}

impl Style {
    /// The escape sequence that puts it on a terminal, for text outside of the screen.
    pub fn sgr(self) -> String {
        let mut numbers: Vec<String> = self
            .modifiers
            .named()
            .zip(["1", "2", "3", "4", "7"])
            .filter(|((_, is_set), _)| *is_set)
            .map(|(_, number)| number.to_owned())
            .collect();
        for (color, default, indexed) in [(self.fg, "39", "38;5"), (self.bg, "49", "48;5")] {
            match color {
                // The sixteen by the numbers that every terminal knows.
                Some(Color::Index(index @ 0..8)) => numbers.push(format!("{}{index}", &default[..1])),
                Some(Color::Index(index @ 8..16)) => {
                    let base = if default == "39" { 82 } else { 92 };
                    numbers.push((base + u16::from(index)).to_string());
                }
                Some(Color::Index(index)) => numbers.push(format!("{indexed};{index}")),
                Some(Color::Default) => numbers.push(default.to_owned()),
                None => {}
            }
        }
        if numbers.is_empty() { String::new() } else { format!("\u{1b}[{}m", numbers.join(";")) }
    }
}

impl Modifiers {
    /// Each by the word that a theme writes.
    fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
        let Self { bold, dim, italic, underline, reverse } = self;
        MODIFIERS.into_iter().zip([bold, dim, italic, underline, reverse])
    }
}

/// As a theme writes it.
impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.modifiers.named().filter(|(_, is_set)| *is_set);
        let mut words: Vec<String> = set.map(|(word, _)| word.to_owned()).collect();
        words.extend(self.fg.map(Color::word));
        words.extend(self.bg.map(|bg| format!("on {}", bg.word())));
        f.write_str(&words.join(" "))
    }
}

/// A word of a style that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Word(String),
    ColourMissing,
}

impl Wrong {
    pub(super) fn hint(&self) -> String {
        let near = |word: &String| crate::problem::nearest(word, words());
        match self {
            Self::Word(word) => match near(word) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "a colour is `default`, a name such as `bright-red`, a number up to 255, or #rrggbb with the whole in quotes"
                        .to_owned()
                }
            },
            Self::ColourMissing => "such as `on default`".to_owned(),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}` is neither a colour nor a modifier"),
            Self::ColourMissing => f.write_str("`on` wants a colour after it"),
        }
    }
}

impl Look {
    /// `[modifiers] [colour] [on colour]`, and after a slash the same for 16 colours.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let (rich, poor) = match text.split_once('/') {
            Some((rich, poor)) => (rich, Some(poor)),
            None => (text, None),
        };
        let look = Self { rich: parse(rich, &mut wrong), poor: poor.map(|text| parse(text, &mut wrong)) };
        if wrong.is_empty() { Ok(look) } else { Err(wrong) }
    }

    pub(super) fn at(self, depth: ColorDepth) -> Style {
        let poor = self.poor.unwrap_or(self.rich);
        match depth {
            ColorDepth::Indexed256 => self.rich,
            ColorDepth::Ansi16 => {
                Style { fg: poor.fg.map(Color::named), bg: poor.bg.map(Color::named), ..poor }
            }
            ColorDepth::None => Style { fg: None, bg: None, ..poor },
        }
    }
}

fn parse(text: &str, wrong: &mut Vec<Wrong>) -> Style {
    let mut style = Style::default();
    let mut behind = false;
    for word in text.split_whitespace() {
        match (word, Color::parse(word)) {
            ("on", _) => behind = true,
            (_, Some(color)) if behind => (style.bg, behind) = (Some(color), false),
            (_, Some(color)) => style.fg = Some(color),
            ("bold", None) => style.modifiers.bold = true,
            ("dim", None) => style.modifiers.dim = true,
            ("italic", None) => style.modifiers.italic = true,
            ("underline", None) => style.modifiers.underline = true,
            ("reverse", None) => style.modifiers.reverse = true,
            (_, None) => wrong.push(Wrong::Word(word.to_owned())),
        }
    }
    if behind {
        wrong.push(Wrong::ColourMissing);
    }
    style
}

impl Color {
    /// `default`, a name, a number up to 255, or `#rrggbb` as the nearest of the 256.
    fn parse(word: &str) -> Option<Self> {
        if word == "default" {
            return Some(Self::Default);
        }
        if let Some(hex) = word.strip_prefix('#') {
            let is_hex = hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            let digits = u32::from_str_radix(hex, 16).ok().filter(|_| is_hex)?;
            let [_, r, g, b] = digits.to_be_bytes();
            return Some(Self::Index(nearest([r, g, b], 16..=255)));
        }
        let named = NAMES.iter().chain(&BRIGHT).zip(0..16).find(|(name, _)| **name == word);
        named.map(|(_, index)| index).or_else(|| word.parse().ok()).map(Self::Index)
    }

    fn word(self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Index(index @ 0..8) => NAMES[usize::from(index)].to_owned(),
            Self::Index(index @ 8..16) => BRIGHT[usize::from(index - 8)].to_owned(),
            Self::Index(index) => index.to_string(),
        }
    }

    /// The nearest of the 16 named colours.
    fn named(self) -> Self {
        match self {
            Self::Default | Self::Index(0..16) => self,
            Self::Index(index) => Self::Index(nearest(shade(index), 0..=15)),
        }
    }
}

fn nearest(rgb: [u8; 3], among: std::ops::RangeInclusive<u8>) -> u8 {
    let first = *among.start();
    let apart = |index: &u8| -> u32 {
        shade(*index).into_iter().zip(rgb).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    among.min_by_key(apart).unwrap_or(first)
}

/// The shade of one of the 256 colours; of the first 16 as xterm has them.
pub(super) fn shade(index: u8) -> [u8; 3] {
    const NAMED: [[u8; 3]; 16] = [
        [0, 0, 0],
        [205, 0, 0],
        [0, 205, 0],
        [205, 205, 0],
        [0, 0, 238],
        [205, 0, 205],
        [0, 205, 205],
        [229, 229, 229],
        [127, 127, 127],
        [255, 0, 0],
        [0, 255, 0],
        [255, 255, 0],
        [92, 92, 255],
        [255, 0, 255],
        [0, 255, 255],
        [255, 255, 255],
    ];
    match index {
        0..16 => NAMED[usize::from(index)],
        16..232 => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let cube = index - 16;
            [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, depth: ColorDepth) -> Style {
        Look::parse(text).unwrap().at(depth)
    }

    #[test]
    fn a_style_is_modifiers_a_colour_and_a_ground() {
        let style = at("bold underline bright-red on default", ColorDepth::Indexed256);
        assert_eq!((style.fg, style.bg), (Some(Color::Index(9)), Some(Color::Default)));
        assert_eq!(style.modifiers, Modifiers { bold: true, underline: true, ..Modifiers::default() });
        assert_eq!(at("", ColorDepth::Indexed256), Style::default());
        assert_eq!(at("on 238", ColorDepth::Indexed256).bg, Some(Color::Index(238)));
    }

    #[test]
    fn the_part_after_the_slash_is_for_few_colours() {
        assert_eq!(at("203 / reverse", ColorDepth::Indexed256).fg, Some(Color::Index(203)));
        let poor = at("203 / reverse", ColorDepth::Ansi16);
        assert_eq!(
            poor,
            Style { modifiers: Modifiers { reverse: true, ..Modifiers::default() }, ..Style::default() }
        );
        assert_eq!(at("203 / reverse", ColorDepth::None), poor);
    }

    #[test]
    fn colours_go_to_the_nearest_there_is() {
        assert_eq!(at("#5f87af", ColorDepth::Indexed256).fg, Some(Color::Index(67)));
        assert_eq!(at("196", ColorDepth::Ansi16).fg, Some(Color::Index(9)));
        assert_eq!(at("234", ColorDepth::Ansi16).fg, Some(Color::Index(0)));
        assert_eq!(at("default", ColorDepth::Ansi16).fg, Some(Color::Default));
        assert_eq!(at("red on blue", ColorDepth::None), Style::default());
    }

    #[test]
    fn a_style_prints_as_what_it_is_read_from() {
        for text in ["", "bold underline bright-red on default", "dim 246", "red on 237", "italic reverse"] {
            assert_eq!(at(text, ColorDepth::Indexed256).to_string(), text);
        }
    }

    #[test]
    fn a_style_is_put_on_a_terminal_by_its_numbers() {
        for (text, sgr) in [
            ("", ""),
            ("bold red", "\u{1b}[1;31m"),
            ("bright-red on blue", "\u{1b}[91;44m"),
            ("default on bright-black", "\u{1b}[39;100m"),
            ("reverse 210 on 237", "\u{1b}[7;38;5;210;48;5;237m"),
        ] {
            assert_eq!(at(text, ColorDepth::Indexed256).sgr(), sgr, "{text}");
        }
    }

    #[test]
    fn the_palette_is_xterm_s() {
        for (index, rgb) in [(16, [0, 0, 0]), (67, [95, 135, 175]), (231, [255, 255, 255]), (255, [238; 3])] {
            assert_eq!(shade(index), rgb, "{index}");
        }
    }

    #[test]
    fn every_word_of_a_hint_is_one() {
        for word in words().filter(|word| *word != "on") {
            assert!(Look::parse(word).is_ok(), "{word}");
        }
        for word in ["256", "-1", "#12345", "#+12345", "Red"] {
            assert!(Look::parse(word).is_err(), "{word}");
        }
    }

    #[test]
    fn depth_follows_the_terminal_s_name() {
        for (term, depth) in [
            ("xterm-256color", ColorDepth::Indexed256),
            ("tmux", ColorDepth::Indexed256),
            ("vte-256color", ColorDepth::Indexed256),
            ("linux", ColorDepth::Ansi16),
            ("xterm-16color", ColorDepth::Ansi16),
            ("vt220", ColorDepth::None),
            ("xterm-mono", ColorDepth::None),
        ] {
            assert_eq!(ColorDepth::of(term, false), depth, "{term}");
            assert_eq!(ColorDepth::of(term, true), ColorDepth::None);
        }
    }
}
