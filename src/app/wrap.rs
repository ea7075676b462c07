//! Text on several lines: broken between words only, because half a name cannot be copied.

use textwrap::{Options, WordSplitter};

/// The lines of a text in so many columns, the ones after the first below an indent.
pub fn wrap(text: &str, width: usize, indents: (&str, &str)) -> Vec<String> {
    let options = Options::new(width.max(1))
        .initial_indent(indents.0)
        .subsequent_indent(indents.1)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn names_are_not_broken_at_their_hyphens() {
        assert_eq!(
            wrap("pod db/data-postgres-0 waits", 20, ("", "")),
            ["pod", "db/data-postgres-0", "waits"]
        );
    }

    #[test]
    fn what_is_longer_than_a_line_is_broken_all_the_same() {
        assert_eq!(wrap("abcdefgh", 4, ("", "")), ["abcd", "efgh"]);
    }
}
