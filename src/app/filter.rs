//! The filter of a list: fuzzy words, all of which must be found.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// A filter at work: words are matched loosely, `!word` keeps what does not have it, `^word`, `word$` and
/// `'word` are taken literally.
pub struct Filter {
    pattern: Pattern,
    matcher: Matcher,
    letters: Vec<char>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Filter").field(&self.pattern).finish()
    }
}

impl Filter {
    /// `None` where there is nothing to filter by.
    pub fn new(text: &str) -> Option<Self> {
        let pattern = Pattern::parse(text, CaseMatching::Smart, Normalization::Smart);
        (!pattern.atoms.is_empty()).then(|| Self {
            pattern,
            matcher: Matcher::new(Config::DEFAULT),
            letters: Vec::new(),
        })
    }

    pub fn matches(&mut self, words: &str) -> bool {
        self.score(words).is_some()
    }

    /// How well it matches; higher is better.
    pub fn score(&mut self, words: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(words, &mut self.letters), &mut self.matcher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_loosely_and_all_of_them() {
        let row = "data/postgres-1 Terminating worker-2";
        for (filter, is_kept) in [
            ("pgres", true),
            ("term work", true),
            ("worker-3", false),
            ("!kafka", true),
            ("!postgres", false),
        ] {
            assert_eq!(Filter::new(filter).unwrap().matches(row), is_kept, "{filter}");
        }
        assert!(Filter::new("  ").is_none());
    }
}
