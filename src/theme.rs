//! Theme: the style of every role that something on the screen can have; and the glyphs, for terminals with
//! Unicode and without.
//!
//! The screens name roles, never colours, so a theme is data and no meaning hangs on a colour alone. It knows
//! nothing of the drawing library: `ui` converts. True colours are left out on purpose: over SSH nobody knows
//! whether they arrive, and they cost twice the bytes.

mod glyphs;
mod style;

pub use glyphs::Glyphs;
pub use style::{Color, ColorDepth, Modifiers, Style};

use crate::problem::{Layer, Layers, Problem, Shape, Source, find_lines, whole};
use style::Look;

/// The embedded theme for terminals with colours, and what a user's file usually extends.
pub const DEFAULT: &str = "dark";
/// The theme that is made of the sixteen colours alone.
pub const ANSI16: &str = "ansi16";
/// The theme without a colour.
pub const MONO: &str = "mono";

/// Declares the roles: name, id, and the role whose style is used where a theme does not say.
macro_rules! roles {
    ($($(#[$meta:meta])* $role:ident $id:literal or $fallback:ident,)*) => {
        /// What a piece of the screen means. `Text` falls back to itself: to the terminal's own colours.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Role { $($(#[$meta])* $role),* }

        impl Role {
            pub const ALL: &'static [Self] = &[$(Self::$role),*];

            pub fn id(self) -> &'static str {
                match self { $(Self::$role => $id),* }
            }

            #[must_use]
            pub fn fallback(self) -> Self {
                match self { $(Self::$role => Self::$fallback),* }
            }
        }
    };
}

roles! {
    Text "text" or Text,
    Muted "muted" or Text,
    Heading "heading" or Text,
    Border "border" or Muted,
    Header "header" or Text,
    HeaderContext "header.context" or Heading,
    /// Read-only mode, a clock that is off: what must not be overlooked.
    HeaderWarning "header.warning" or SeverityWarning,
    HeaderLive "header.live" or SeverityGood,
    HeaderStale "header.stale" or SeverityWarning,
    RowSelected "row.selected" or Text,
    RowMarked "row.marked" or Text,
    ColumnHeading "column.heading" or Heading,
    ColumnSorted "column.sorted" or ColumnHeading,
    SeverityCritical "severity.critical" or Text,
    SeverityWarning "severity.warning" or Text,
    SeverityNotice "severity.notice" or Text,
    SeverityGood "severity.good" or Text,
    /// As it should be, in a table: hundreds of these must not shine.
    StatusGood "status.good" or Text,
    StatusWaiting "status.waiting" or SeverityWarning,
    StatusBad "status.bad" or SeverityCritical,
    /// Not known is not bad, and must not look good.
    StatusUnknown "status.unknown" or SeverityWarning,
    StatusEnded "status.ended" or Muted,
    TimeOverdue "time.overdue" or SeverityCritical,
    ObjectLabel "object.label" or Muted,
    ObjectValue "object.value" or Text,
    Prompt "prompt" or Heading,
    FilterMatch "filter.match" or Heading,
    Key "key" or Heading,
    DiffRemoved "diff.removed" or SeverityCritical,
    /// What differs within a line: by more than a colour.
    DiffRemovedWord "diff.removed.word" or DiffRemoved,
    DiffAdded "diff.added" or SeverityGood,
    DiffAddedWord "diff.added.word" or DiffAdded,
    NoticeInfo "notice.info" or Text,
    NoticeWarning "notice.warning" or SeverityWarning,
    NoticeError "notice.error" or SeverityCritical,
}

impl Role {
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.id() == id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// One for each role, in the order of [`Role::ALL`].
    styles: Vec<Style>,
}

impl Theme {
    /// The theme of that name for a terminal of that depth; without colours it is always `mono`, because another
    /// theme may tell things apart by colour alone. A file with a problem does not count: what it extends is used, or
    /// the embedded theme.
    pub fn load(name: &str, layers: &Layers, depth: ColorDepth) -> (Self, Vec<Problem>) {
        let name = if depth == ColorDepth::None { MONO } else { name };
        let (chain, mut problems) = layers.chain(name);
        let found = looks(&chain, &mut problems);
        if problems.is_empty() {
            return (Self::new(&found, depth), problems);
        }
        let theme = match whole(&chain, &problems) {
            [] => Self::embedded(depth),
            below => Self::new(&looks(below, &mut Vec::new()), depth),
        };
        (theme, problems)
    }

    /// The theme that is compiled in for this depth, whatever the user's files say.
    pub fn embedded(depth: ColorDepth) -> Self {
        let (name, text) = match depth {
            ColorDepth::None => (MONO, include_str!("../themes/mono.yaml")),
            ColorDepth::Ansi16 => (ANSI16, include_str!("../themes/ansi16.yaml")),
            ColorDepth::Indexed256 => (DEFAULT, include_str!("../themes/dark.yaml")),
        };
        let mut layers = Layers::new();
        layers.push(name, Source { file: format!("themes/{name}.yaml"), text: text.to_owned() });
        // That it has no problem is a test's business.
        let (chain, mut problems) = layers.chain(name);
        Self::new(&looks(&chain, &mut problems), depth)
    }

    /// The name of the embedded theme for this depth.
    pub const fn name_for(depth: ColorDepth) -> &'static str {
        match depth {
            ColorDepth::None => MONO,
            ColorDepth::Ansi16 => ANSI16,
            ColorDepth::Indexed256 => DEFAULT,
        }
    }

    pub fn style(&self, role: Role) -> Style {
        // Invariant: one style for each role, in the order of their declaration.
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    fn new(looks: &[(Role, Look)], depth: ColorDepth) -> Self {
        let said = |role: Role| looks.iter().find(|(known, _)| *known == role).map(|(_, look)| *look);
        let style = |role: &Role| {
            let mut role = *role;
            loop {
                match said(role) {
                    Some(look) => return look.at(depth),
                    None if role == role.fallback() => return Style::default(),
                    None => role = role.fallback(),
                }
            }
        };
        Self { styles: Role::ALL.iter().map(style).collect() }
    }
}

/// What the files say, the topmost first.
fn looks(chain: &[Layer], problems: &mut Vec<Problem>) -> Vec<(Role, Look)> {
    let mut looks = Vec::new();
    for layer in chain {
        for (id, style) in &layer.entries {
            let at = id.at;
            let id = id.word();
            let complaint = |reason: String| Problem::new(&layer.source.file, &[&id], reason).at(at);
            let Some(role) = Role::by_id(&id) else {
                let known = Role::ALL.iter().map(|role| role.id());
                let group = format!("{id}.");
                let below = known.clone().find(|known| known.starts_with(&group));
                let problem = complaint("is not a role".to_owned());
                problems.push(match below {
                    Some(below) => problem.with_hint(format!("write a role in one word: `{below}: …`")),
                    None => problem.with_nearest(&id, known),
                });
                continue;
            };
            let written = match &style.shape {
                // A colour's number alone needs no quotes.
                Shape::Text(text) | Shape::Number(text) => text,
                Shape::Nothing | Shape::Flag(_) | Shape::List(_) | Shape::Map(_) => {
                    let reason = format!("must be a style, and is {}", style.kind());
                    problems.push(complaint(reason).with_hint(match style.shape {
                        Shape::Nothing => "a colour that begins with `#` needs quotes",
                        Shape::Flag(_)
                        | Shape::Number(_)
                        | Shape::Text(_)
                        | Shape::List(_)
                        | Shape::Map(_) => "such as `bold red on default`",
                    }));
                    continue;
                }
            };
            match Look::parse(written) {
                Ok(look) => looks.push((role, look)),
                Err(wrong) => problems.extend(
                    wrong.into_iter().map(|wrong| complaint(wrong.to_string()).with_hint(wrong.hint())),
                ),
            }
        }
        find_lines(&layer.source, problems);
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPTHS: [ColorDepth; 3] = [ColorDepth::None, ColorDepth::Ansi16, ColorDepth::Indexed256];

    fn layers(text: &str) -> Layers {
        let mut layers = Layers::new();
        for (name, text) in [
            (DEFAULT, include_str!("../themes/dark.yaml")),
            ("light", include_str!("../themes/light.yaml")),
            (ANSI16, include_str!("../themes/ansi16.yaml")),
            (MONO, include_str!("../themes/mono.yaml")),
            ("mine", text),
        ] {
            layers.push(name, Source { file: format!("{name}.yaml"), text: text.to_owned() });
        }
        layers
    }

    fn mine(text: &str, depth: ColorDepth) -> Theme {
        let (theme, problems) = Theme::load("mine", &layers(text), depth);
        assert_eq!(problems, []);
        theme
    }

    #[test]
    fn embedded_themes_have_no_problem() {
        for depth in DEPTHS {
            let (theme, problems) = Theme::load(Theme::name_for(depth), &layers(""), depth);
            assert_eq!(problems, []);
            assert_eq!(theme, Theme::embedded(depth));
        }
    }

    #[test]
    fn every_role_reads_back_and_falls_back_to_text_in_the_end() {
        for role in Role::ALL {
            assert_eq!(Role::by_id(role.id()), Some(*role));
            let end = (0..Role::ALL.len()).fold(*role, |role, _| role.fallback());
            assert_eq!(end, Role::Text, "{role:?}");
        }
    }

    #[test]
    fn a_role_without_a_style_looks_like_its_fallback() {
        let theme = mine("severity.critical: red", ColorDepth::Ansi16);
        assert_eq!(theme.style(Role::TimeOverdue).fg, Some(Color::Index(1)));
        assert_eq!(theme.style(Role::Border), Style::default());
    }

    #[test]
    fn the_upper_file_wins() {
        let theme = mine("extends: dark\nseverity.critical: 1\n", ColorDepth::Indexed256);
        assert_eq!(
            theme.style(Role::SeverityCritical),
            Style { fg: Some(Color::Index(1)), ..Style::default() }
        );
        let dark = Theme::embedded(ColorDepth::Indexed256);
        assert_eq!(theme.style(Role::SeverityGood), dark.style(Role::SeverityGood));
    }

    #[test]
    fn without_colours_none_is_sent() {
        let colourful = Theme::load("mine", &layers("text: red on blue"), ColorDepth::None).0;
        for theme in [colourful, Theme::load(MONO, &layers(""), ColorDepth::Indexed256).0] {
            for role in Role::ALL {
                let style = theme.style(*role);
                assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
            }
        }
    }

    #[test]
    fn sixteen_colours_are_never_exceeded() {
        for name in [DEFAULT, "light", ANSI16, MONO] {
            let theme = Theme::load(name, &layers(""), ColorDepth::Ansi16).0;
            for role in Role::ALL {
                let Style { fg, bg, .. } = theme.style(*role);
                for color in [fg, bg].into_iter().flatten() {
                    assert!(
                        matches!(color, Color::Default | Color::Index(0..16)),
                        "{name} {role:?}: {color:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_must_be_told_apart_looks_different_at_every_depth() {
        let themes =
            [DEFAULT, "light", ANSI16, MONO].into_iter().flat_map(|name| DEPTHS.map(|depth| (name, depth)));
        for (name, depth) in themes {
            let theme = Theme::load(name, &layers(""), depth).0;
            for (one, other) in [
                (Role::RowSelected, Role::Text),
                (Role::SeverityCritical, Role::SeverityWarning),
                (Role::SeverityWarning, Role::SeverityGood),
                (Role::HeaderLive, Role::HeaderStale),
                (Role::HeaderWarning, Role::Header),
                (Role::ColumnSorted, Role::ColumnHeading),
                (Role::FilterMatch, Role::Text),
                (Role::Muted, Role::Text),
                (Role::NoticeError, Role::NoticeInfo),
            ] {
                assert_ne!(
                    theme.style(one),
                    theme.style(other),
                    "{name}: {one:?} and {other:?} at {depth:?}"
                );
            }
        }
    }

    /// How well one colour can be read on another, from 1 to 21, as WCAG counts.
    fn contrast(one: u8, other: u8) -> f64 {
        let luminance = |index: u8| {
            let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
            let [r, g, b] = style::shade(index).map(linear);
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn everything_can_be_read_on_its_ground_and_on_the_selected_row() {
        const BLACK: u8 = 16;
        const WHITE: u8 = 231;
        can_be_read(DEFAULT, BLACK);
        can_be_read("light", WHITE);
    }

    #[track_caller]
    fn can_be_read(name: &str, ground: u8) {
        let theme = Theme::load(name, &layers(""), ColorDepth::Indexed256).0;
        let Some(Color::Index(selected)) = theme.style(Role::RowSelected).bg else {
            panic!("the selected row has a ground of its own");
        };
        for role in Role::ALL.iter().filter(|role| **role != Role::Border) {
            let Style { fg: Some(Color::Index(fg)), bg, .. } = theme.style(*role) else {
                continue;
            };
            match bg {
                Some(Color::Index(bg)) => assert!(contrast(fg, bg) >= 4.5, "{role:?}"),
                Some(Color::Default) | None => {
                    assert!(contrast(fg, ground) >= 4.5, "{role:?}: {}", contrast(fg, ground));
                    assert!(contrast(fg, selected) >= 3.5, "{role:?}: {}", contrast(fg, selected));
                }
            }
        }
    }

    #[test]
    fn a_broken_file_leaves_what_it_extends() {
        let (theme, problems) =
            Theme::load("mine", &layers("extends: light\ntext: rde\n"), ColorDepth::Indexed256);
        assert_eq!(problems.len(), 1);
        assert_eq!(theme, Theme::load("light", &layers(""), ColorDepth::Indexed256).0);
    }

    #[test]
    fn all_problems_come_at_once_and_the_embedded_theme_is_used() {
        let text = "severity.critcal: red\ntext: bolt rde\nmuted: [1]\nborder: 300 on\n";
        let (theme, problems) = Theme::load("mine", &layers(text), ColorDepth::Ansi16);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "mine.yaml:1: severity.critcal: is not a role; did you mean `severity.critical`?",
                "mine.yaml:2: text: `bolt` is neither a colour nor a modifier; did you mean `bold`?",
                "mine.yaml:2: text: `rde` is neither a colour nor a modifier; did you mean `red`?",
                "mine.yaml:3: muted: must be a style, and is a list; such as `bold red on default`",
                "mine.yaml:4: border: `300` is neither a colour nor a modifier; a colour is `default`, a name such as \
                 `bright-red`, a number up to 255, or #rrggbb with the whole in quotes",
                "mine.yaml:4: border: `on` wants a colour after it; such as `on default`",
            ]
        );
        assert_eq!(theme, Theme::embedded(ColorDepth::Ansi16));
    }
}
