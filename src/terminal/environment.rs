//! What the environment tells of the terminal, as plain values, and whether a screen can be drawn there at all.
//!
//! Nothing is asked of the terminal itself: an answer over a slow link comes late, or in the middle of the keys.

use std::io::IsTerminal;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
pub struct Environment {
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    /// `TERM`, empty where it is not set.
    pub term: String,
    pub no_color: bool,
    /// The locale of characters: `LC_ALL`, `LC_CTYPE` or `LANG`, the first that says something.
    pub locale: String,
    pub over_ssh: bool,
}

/// Why no screen can be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("standard {0} is not a terminal; start sickbay in a terminal, without a pipe or a redirection")]
    NotATerminal(&'static str),
    #[error("TERM is not set, so there is no telling what the terminal can do; set it, for example to xterm")]
    TermUnset,
    #[error("a terminal of type `{0}` cannot show a screen; use another, or set TERM to what it really is")]
    Dumb(String),
}

impl Environment {
    pub fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            term: text("TERM").unwrap_or_default(),
            no_color: set("NO_COLOR").is_some(),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(text).unwrap_or_default(),
            over_ssh: set("SSH_CONNECTION").is_some() || set("SSH_TTY").is_some(),
        }
    }

    /// To be asked before the screen is taken.
    pub fn check(&self) -> Result<(), Unfit> {
        if !self.stdin_is_terminal {
            return Err(Unfit::NotATerminal("input"));
        }
        if !self.stdout_is_terminal {
            return Err(Unfit::NotATerminal("output"));
        }
        match self.term.as_str() {
            "" => Err(Unfit::TermUnset),
            "dumb" | "unknown" => Err(Unfit::Dumb(self.term.clone())),
            _ => Ok(()),
        }
    }

    /// Whether signs beyond ASCII are shown. The kernel's console says UTF-8 and has no glyphs for them.
    pub fn shows_unicode(&self) -> bool {
        let locale = self.locale.to_ascii_lowercase();
        (locale.contains("utf-8") || locale.contains("utf8")) && self.term != "linux"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Environment {
        Environment {
            stdin_is_terminal: true,
            stdout_is_terminal: true,
            term: "xterm-256color".to_owned(),
            ..Environment::default()
        }
    }

    #[test]
    fn a_screen_needs_a_terminal_on_both_sides_that_can_show_one() {
        assert_eq!(fit().check(), Ok(()));
        let term = |term: &str| Environment { term: term.to_owned(), ..fit() }.check();
        assert_eq!(term("dumb"), Err(Unfit::Dumb("dumb".to_owned())));
        assert_eq!(term(""), Err(Unfit::TermUnset));
        let piped = Environment { stdout_is_terminal: false, ..fit() };
        assert_eq!(piped.check(), Err(Unfit::NotATerminal("output")));
        let fed = Environment { stdin_is_terminal: false, ..fit() };
        assert_eq!(fed.check(), Err(Unfit::NotATerminal("input")));
    }

    #[test]
    fn unicode_follows_the_locale() {
        let locale = |locale: &str| Environment { locale: locale.to_owned(), ..fit() }.shows_unicode();
        assert!(locale("en_US.UTF-8"));
        assert!(locale("C.utf8"));
        assert!(!locale("C"));
        assert!(!locale(""));
        assert!(!locale("de_DE.ISO-8859-1"));
        let console = Environment { locale: "C.UTF-8".to_owned(), term: "linux".to_owned(), ..fit() };
        assert!(!console.shows_unicode());
    }
}
