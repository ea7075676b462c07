//! Loose likeness of a word: its letters in order, with gaps. Where the words stand is the caller's business.

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What matching needs to work in; made once and used for all rows.
pub struct Scratch {
    matcher: Matcher,
    letters: Vec<char>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { matcher: Matcher::new(Config::DEFAULT), letters: Vec::new() }
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// One word; capital letters in it are meant as such.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    typed: String,
    atom: Atom,
}

impl Word {
    pub fn new(word: &str) -> Self {
        let atom = Atom::new(word, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy, false);
        Self { typed: word.to_owned(), atom }
    }

    /// Whether one of the words in the text is like it. Never across words: the letters of any short word can be
    /// picked from a whole row.
    pub fn is_in(&self, text: &str, scratch: &mut Scratch) -> bool {
        // Most of what is found stands there as it was typed, which is seen at once.
        if text.contains(&self.typed) {
            return true;
        }
        let Scratch { matcher, letters } = scratch;
        text.split_ascii_whitespace()
            .any(|word| self.atom.score(Utf32Str::new(word, letters), matcher).is_some())
    }
}

/// Everything typed into the palette or a picker, matched with the whole of a name.
#[derive(Debug)]
pub struct Ranking {
    pattern: Pattern,
    scratch: Scratch,
}

impl Ranking {
    /// `None` where there is nothing to rank by.
    pub fn new(typed: &str) -> Option<Self> {
        let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
        (!pattern.atoms.is_empty()).then(|| Self { pattern, scratch: Scratch::default() })
    }

    /// How well it matches; higher is better.
    pub fn score(&mut self, name: &str) -> Option<u32> {
        let Scratch { matcher, letters } = &mut self.scratch;
        self.pattern.score(Utf32Str::new(name, letters), matcher)
    }
}
