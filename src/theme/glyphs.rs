//! The signs that stand beside words. Each is one column wide in both sets, so no layout depends on the choice.

/// Signs by meaning. No emoji and nothing from a patched font: their width differs from terminal to terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub critical: &'static str,
    pub warning: &'static str,
    pub notice: &'static str,
    pub good: &'static str,
    pub unknown: &'static str,
    pub live: &'static str,
    pub stale: &'static str,
    pub selected: &'static str,
    pub marked: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub arrow: &'static str,
    pub ellipsis: &'static str,
    pub separator: &'static str,
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub top_left: &'static str,
    pub top_right: &'static str,
    pub bottom_left: &'static str,
    pub bottom_right: &'static str,
}

impl Glyphs {
    pub const UNICODE: Self = Self {
        critical: "✗",
        warning: "▲",
        notice: "•",
        good: "✓",
        unknown: "?",
        live: "●",
        stale: "○",
        selected: "▸",
        marked: "◆",
        ascending: "↑",
        descending: "↓",
        arrow: "→",
        ellipsis: "…",
        separator: "·",
        horizontal: "─",
        vertical: "│",
        top_left: "┌",
        top_right: "┐",
        bottom_left: "└",
        bottom_right: "┘",
    };

    pub const ASCII: Self = Self {
        critical: "X",
        warning: "!",
        notice: "*",
        good: "+",
        unknown: "?",
        live: "*",
        stale: "o",
        selected: ">",
        marked: "#",
        ascending: "^",
        descending: "v",
        arrow: ">",
        ellipsis: "~",
        separator: "-",
        horizontal: "-",
        vertical: "|",
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
    };

    /// The set for a terminal whose locale is UTF-8 or not.
    pub const fn for_utf8(utf8: bool) -> Self {
        if utf8 { Self::UNICODE } else { Self::ASCII }
    }

    /// Every sign of the set.
    pub const fn all(&self) -> [&'static str; 20] {
        let Self {
            critical,
            warning,
            notice,
            good,
            unknown,
            live,
            stale,
            selected,
            marked,
            ascending,
            descending,
            arrow,
            ellipsis,
            separator,
            horizontal,
            vertical,
            top_left,
            top_right,
            bottom_left,
            bottom_right,
        } = *self;
        [
            critical,
            warning,
            notice,
            good,
            unknown,
            live,
            stale,
            selected,
            marked,
            ascending,
            descending,
            arrow,
            ellipsis,
            separator,
            horizontal,
            vertical,
            top_left,
            top_right,
            bottom_left,
            bottom_right,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn every_sign_is_one_column_wide() {
        for sign in [Glyphs::UNICODE.all(), Glyphs::ASCII.all()].concat() {
            assert_eq!(sign.width(), 1, "{sign}");
        }
        assert!(Glyphs::ASCII.all().iter().all(|sign| sign.is_ascii()));
    }

    #[test]
    fn severities_differ_without_colour() {
        for set in [Glyphs::UNICODE, Glyphs::ASCII] {
            let mut signs = vec![set.critical, set.warning, set.notice, set.good, set.unknown];
            signs.sort_unstable();
            signs.dedup();
            assert_eq!(signs.len(), 5);
        }
    }
}
