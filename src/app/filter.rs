//! The filter language: words that are looked for loosely, `!` for what is not there, `~` for patterns, and fields
//! that are compared (`node=worker-2`, `overdue>5m`, `label:app=web`), all of which must hold.
//!
//! One language on every screen and on the command line. It is read once into an expression, whose fields and
//! values have been checked against what the screen has, or refused with the place that is wrong; rows are then
//! asked through [`Subject`]. What the fields of a screen are is the business of its columns.

mod fuzzy;
mod parse;
mod typed;
mod value;

pub use fuzzy::Ranking;
pub use parse::FilterError;
pub use typed::Typed;
pub use value::{Fact, Measure};

use crate::cluster::Text;
use fuzzy::{Scratch, Word};
use regex::Regex;
use std::borrow::Cow;
use value::{Amount, Glob};

/// Something that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub id: &'static str,
    /// The word over its column, which is what people see.
    pub title: &'static str,
    pub measure: Measure,
}

/// What a filter is asked about: a row, or an incident.
pub trait Subject {
    /// What words are looked for in.
    fn words(&self) -> Cow<'_, str>;
    /// By the place in the list of fields that the filter was read with.
    fn fact(&self, field: usize) -> Fact<'_>;
    /// Values of the label with this key; several where it is more than one object.
    fn labels(&self, key: &str) -> Vec<Text>;
}

/// A filter that was read: alternatives, of each of which all terms must hold.
#[derive(Debug)]
pub struct Filter {
    any: Vec<Vec<Term>>,
    scratch: Scratch,
}

#[derive(Debug)]
struct Term {
    is_inverse: bool,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Fuzzy(Word),
    /// In quotes: these letters, in any case.
    Literal(String),
    Pattern(Regex),
    Field {
        field: usize,
        compare: Compare,
    },
    /// A label: there at all, or compared.
    Label {
        key: String,
        compare: Option<Compare>,
    },
}

#[derive(Debug)]
enum Compare {
    /// Any of them.
    Texts(Vec<Glob>),
    Amounts(Vec<Amount>),
    /// It is not there.
    Missing,
    Order(Order, f64),
    Pattern(Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    AtLeast,
    More,
}

impl Filter {
    /// Reads a filter for what has these fields; `None` where nothing is asked.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Option<Self>, FilterError> {
        let any = parse::parse(text, fields)?;
        Ok((!any.is_empty()).then(|| Self { any, scratch: Scratch::default() }))
    }

    pub fn keeps(&mut self, subject: &impl Subject) -> bool {
        let Self { any, scratch } = self;
        // Made for the first term that looks for a word, and for no other.
        let mut words: Option<Cow<'_, str>> = None;
        any.iter().any(|terms| {
            terms.iter().all(|term| {
                let is = match &term.test {
                    Test::Fuzzy(word) => word.is_in(words.get_or_insert_with(|| subject.words()), scratch),
                    Test::Literal(lower) => {
                        words.get_or_insert_with(|| subject.words()).to_lowercase().contains(lower)
                    }
                    Test::Pattern(pattern) => pattern.is_match(words.get_or_insert_with(|| subject.words())),
                    Test::Field { field, compare } => compare.holds(&subject.fact(*field)),
                    Test::Label { key, compare } => {
                        let values = subject.labels(key);
                        match compare {
                            None => !values.is_empty(),
                            Some(Compare::Missing) => values.is_empty(),
                            Some(compare) => values.iter().any(|value| compare.is_text(value)),
                        }
                    }
                };
                is != term.is_inverse
            })
        })
    }
}

impl Compare {
    fn holds(&self, fact: &Fact<'_>) -> bool {
        match fact {
            Fact::None => matches!(self, Self::Missing),
            Fact::Any(facts) if facts.is_empty() => matches!(self, Self::Missing),
            Fact::Any(facts) => facts.iter().any(|fact| self.holds(fact)),
            Fact::Text(text) => self.is_text(text),
            Fact::Number(number) => match self {
                Self::Amounts(amounts) => amounts.iter().any(|amount| amount.is(*number)),
                Self::Order(order, limit) => order.holds(*number, *limit),
                Self::Texts(_) | Self::Missing | Self::Pattern(_) => false,
            },
        }
    }

    fn is_text(&self, text: &str) -> bool {
        match self {
            Self::Texts(globs) => globs.iter().any(|glob| glob.is(text)),
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Amounts(_) | Self::Missing | Self::Order(..) => false,
        }
    }
}

impl Order {
    fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            Self::Less => number < limit,
            Self::AtMost => number <= limit,
            Self::AtLeast => number >= limit,
            Self::More => number > limit,
        }
    }
}

#[cfg(test)]
mod tests;
