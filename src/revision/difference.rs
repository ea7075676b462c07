//! The difference between two templates: what matters of it, and all of it line against line.
//!
//! Which words of a line differ is found when it is shown, because of thousands of lines few are.

use super::matching::matches;
use super::{Note, Template, summary};
use crate::cluster::Text;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Lines that are the same and shown around what differs.
const AROUND: usize = 3;
/// How far ahead the line that another one became is looked for.
const AHEAD: usize = 32;
/// Longer lines are told as wholly different.
const LONGEST_LINE: usize = 2_000;

/// Of two templates, the one before and the one after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub notes: Vec<Note>,
    pub before: Vec<Text>,
    pub after: Vec<Text>,
    pub rows: Vec<Row>,
}

/// A line of a difference: where it stands on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    Same { before: usize, after: usize },
    Changed { before: usize, after: usize },
    Removed { before: usize },
    Added { after: usize },
}

/// What is shown of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Row(Row),
    /// So many lines that are the same are left out here.
    Fold(usize),
}

/// A part of a line, and whether it differs from the other side's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub differs: bool,
}

impl Difference {
    pub fn between(before: &Template, after: &Template) -> Self {
        let notes = summary(before, after);
        let (before, after) = (before.lines(), after.lines());
        let rows = rows(&before, &after);
        Self { notes, before, after, rows }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(|row| matches!(row, Row::Same { .. }))
    }

    /// What is shown: everything, or what differs with a few lines around it.
    pub fn shown(&self, is_whole: bool) -> Vec<Shown> {
        if is_whole {
            return self.rows.iter().copied().map(Shown::Row).collect();
        }
        let mut shown = Vec::new();
        let mut at = 0;
        while at < self.rows.len() {
            let same = self.rows[at..].iter().take_while(|row| matches!(row, Row::Same { .. })).count();
            let (head, tail) =
                (if at == 0 { 0 } else { AROUND }, if at + same == self.rows.len() { 0 } else { AROUND });
            if same > head + tail + 1 {
                shown.extend(self.rows[at..at + head].iter().copied().map(Shown::Row));
                shown.push(Shown::Fold(same - head - tail));
                shown.extend(self.rows[at + same - tail..at + same].iter().copied().map(Shown::Row));
            } else {
                shown.extend(self.rows[at..at + same].iter().copied().map(Shown::Row));
            }
            at += same;
            let rest = &self.rows[at..];
            let different = rest.iter().take_while(|row| !matches!(row, Row::Same { .. })).count();
            shown.extend(rest[..different].iter().copied().map(Shown::Row));
            at += different;
        }
        shown
    }
}

fn rows(before: &[Text], after: &[Text]) -> Vec<Row> {
    let mut rows = Vec::with_capacity(before.len().max(after.len()));
    let (mut one, mut other) = (0, 0);
    for (at, there) in matches(before, after) {
        apart((before, one..at), (after, other..there), &mut rows);
        rows.push(Row::Same { before: at, after: there });
        (one, other) = (at + 1, there + 1);
    }
    apart((before, one..before.len()), (after, other..after.len()), &mut rows);
    rows
}

type Part<'a> = (&'a [Text], std::ops::Range<usize>);

/// The rows of a part without equal lines: a line that has the key of another one became it.
fn apart((before, one): Part<'_>, (after, other): Part<'_>, rows: &mut Vec<Row>) {
    let mut next = other.start;
    for at in one {
        let known = key(&before[at]);
        let found = (next..other.end.min(next + AHEAD)).find(|there| key(&after[*there]) == known);
        match found {
            Some(there) => {
                rows.extend((next..there).map(|after| Row::Added { after }));
                rows.push(Row::Changed { before: at, after: there });
                next = there + 1;
            }
            None => rows.push(Row::Removed { before: at }),
        }
    }
    rows.extend((next..other.end).map(|after| Row::Added { after }));
}

/// What a line of YAML is about, with how far in it stands.
fn key(line: &str) -> &str {
    line.find(": ").map_or(line, |at| &line[..at])
}

/// Two lines, cut where they differ.
pub fn words<'a>(before: &'a str, after: &'a str) -> (Vec<Piece<'a>>, Vec<Piece<'a>>) {
    if before.len() > LONGEST_LINE || after.len() > LONGEST_LINE {
        let whole = |text| vec![Piece { text, differs: true }];
        return (whole(before), whole(after));
    }
    let (one, other) = (tokens(before), tokens(after));
    let (mut left, mut right) = (Pieces::of(before), Pieces::of(after));
    for op in capture_diff_slices(Algorithm::Myers, &one, &other) {
        let differs = !matches!(op, DiffOp::Equal { .. });
        let length = |tokens: &[&str]| tokens.iter().map(|token| token.len()).sum();
        left.push(length(&one[op.old_range()]), differs);
        right.push(length(&other[op.new_range()]), differs);
    }
    (left.done, right.done)
}

/// Pieces that are cut from a line one after another.
struct Pieces<'a> {
    rest: &'a str,
    done: Vec<Piece<'a>>,
}

impl<'a> Pieces<'a> {
    const fn of(rest: &'a str) -> Self {
        Self { rest, done: Vec::new() }
    }

    fn push(&mut self, length: usize, differs: bool) {
        if length == 0 {
            return;
        }
        if let Some((text, rest)) = self.rest.split_at_checked(length) {
            self.done.push(Piece { text, differs });
            self.rest = rest;
        }
    }
}

/// Words, and each other character by itself.
fn tokens(line: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let length =
            if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(words: &[&str]) -> Vec<Text> {
        words.iter().map(|word| Text::new(word)).collect()
    }

    fn told(before: &[&str], after: &[&str]) -> Vec<String> {
        let (before, after) = (lines(before), lines(after));
        let row = |row: Row| match row {
            Row::Same { before: at, .. } => format!(" {}", before[at]),
            Row::Changed { before: at, after: there } => format!("~{} > {}", before[at], after[there]),
            Row::Removed { before: at } => format!("-{}", before[at]),
            Row::Added { after: there } => format!("+{}", after[there]),
        };
        rows(&before, &after).into_iter().map(row).collect()
    }

    #[test]
    fn a_line_with_the_same_key_is_one_that_changed() {
        assert_eq!(
            told(&["a: 1", "b: 2", "c: 3"], &["a: 1", "new: 0", "b: 5", "c: 3"]),
            [" a: 1", "+new: 0", "~b: 2 > b: 5", " c: 3"]
        );
        assert_eq!(told(&["a: 1"], &["b: 1"]), ["-a: 1", "+b: 1"]);
        assert_eq!(told(&[], &["b: 1"]), ["+b: 1"]);
    }

    #[test]
    fn only_the_words_that_differ_are_marked() {
        let marked = |pieces: Vec<Piece<'_>>| -> String {
            let mark = |piece: &Piece<'_>| {
                if piece.differs { format!("[{}]", piece.text) } else { piece.text.to_owned() }
            };
            pieces.iter().map(mark).collect()
        };
        let (left, right) = words("image: shop/web:1.27.3", "image: shop/web:1.28.3");
        assert_eq!(
            (marked(left), marked(right)),
            ("image: shop/web:1.[27].3".into(), "image: shop/web:1.[28].3".into())
        );
        let (left, right) = words("a: ü", "a: ö ü");
        assert_eq!((marked(left), marked(right)), ("a: ü".into(), "a: [ö ]ü".into()));
    }

    #[test]
    fn what_is_the_same_is_folded_but_for_a_few_lines_around_what_differs() {
        let before: Vec<String> = (0..40).map(|at| format!("k{at}: 0")).collect();
        let mut after = before.clone();
        after[20] = "k20: 1".to_owned();
        let texts = |lines: &[String]| lines.iter().map(|line| Text::new(line)).collect::<Vec<_>>();
        let (before, after) = (texts(&before), texts(&after));
        let rows = rows(&before, &after);
        let difference = Difference { notes: Vec::new(), before, after, rows };
        let shown = difference.shown(false);
        assert_eq!(shown.first(), Some(&Shown::Fold(17)));
        assert_eq!(shown.last(), Some(&Shown::Fold(16)));
        assert_eq!(shown.len(), 2 + 3 + 1 + 3);
        assert_eq!(difference.shown(true).len(), 40);
        assert!(!difference.is_empty());
    }

    proptest! {
        #[test]
        fn every_line_of_both_sides_is_told_once_and_in_its_order(
            before in prop::collection::vec("[ab]: [0-3]", 0..40),
            after in prop::collection::vec("[ab]: [0-3]", 0..40),
        ) {
            let texts = |lines: &[String]| lines.iter().map(|line| Text::new(line)).collect::<Vec<_>>();
            let (before, after) = (texts(&before), texts(&after));
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for row in rows(&before, &after) {
                match row {
                    Row::Same { before: one, after: other } => {
                        prop_assert_eq!(&before[one], &after[other]);
                        left.push(one);
                        right.push(other);
                    }
                    Row::Changed { before: one, after: other } => {
                        prop_assert_ne!(&before[one], &after[other]);
                        left.push(one);
                        right.push(other);
                    }
                    Row::Removed { before: one } => left.push(one),
                    Row::Added { after: other } => right.push(other),
                }
            }
            prop_assert_eq!(left, (0..before.len()).collect::<Vec<_>>());
            prop_assert_eq!(right, (0..after.len()).collect::<Vec<_>>());
        }
    }
}
