//! From the text of a filter to its terms, or to what is wrong and where.
//!
//! ```text
//! filter      = alternative { "|" alternative }          any of them
//! alternative = term { blank term }                      all of them
//! term        = "!" term | "~" pattern | quoted | field operator value { "," value } | "label:" key | word
//! operator    = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
//! ```

use super::value::{Amount, Glob, Measure};
use super::{Compare, Field, Order, Term, Test, Word};
use crate::problem::nearest;
use regex::{Regex, RegexBuilder};
use std::ops::Range;
use unicode_width::UnicodeWidthStr as _;

/// What a compiled pattern may take: enough for what a person writes, and too little to hold up the screen.
const PATTERN_SIZE: usize = 1 << 20;
/// What begins the name of a label among the fields.
pub(super) const LABEL: &str = "label:";
/// Other words for fields, which hands know.
const ALIASES: &[(&str, &str)] = &[("ns", "namespace"), ("no", "node")];

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", .hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct FilterError {
    /// Bytes of the filter's text.
    pub range: Range<usize>,
    pub reason: String,
    pub hint: Option<String>,
}

impl FilterError {
    /// The columns before the place in the text that was read, and those that it takes, at least one.
    pub fn columns(&self, text: &str) -> (usize, usize) {
        let width = |range: Range<usize>| text.get(range).unwrap_or_default().width();
        (width(0..self.range.start), width(self.range.clone()).max(1))
    }

    fn new(range: Range<usize>, reason: impl Into<String>) -> Self {
        Self { range, reason: reason.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

pub(super) fn parse(text: &str, fields: &[Field]) -> Result<Vec<Vec<Term>>, FilterError> {
    let mut reader = Reader { text, at: 0, fields };
    let mut any = vec![Vec::new()];
    loop {
        reader.skip_blanks();
        match reader.peek() {
            None => break,
            Some('|') => {
                reader.at += 1;
                any.push(Vec::new());
            }
            Some(_) => {
                let term = reader.term()?;
                if let Some(terms) = any.last_mut() {
                    terms.push(term);
                }
            }
        }
    }
    // `web |` is on its way to something: what is there so far is meant.
    any.retain(|terms| !terms.is_empty());
    Ok(any)
}

/// The place of a field by its id, its column's title, or another word for it.
pub(super) fn field(name: &str, fields: &[Field]) -> Option<usize> {
    let name = name.to_lowercase();
    let id = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, id)| *id);
    let by_id = fields.iter().position(|field| field.id == id);
    by_id.or_else(|| fields.iter().position(|field| field.title.to_lowercase().replace(' ', "-") == name))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Order(Order),
    Matches,
}

/// Longer ones before those that begin them.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::IsNot),
    ("<=", Operator::Order(Order::AtMost)),
    (">=", Operator::Order(Order::AtLeast)),
    ("=", Operator::Is),
    ("<", Operator::Order(Order::Less)),
    (">", Operator::Order(Order::More)),
    ("~", Operator::Matches),
];

struct Reader<'a> {
    text: &'a str,
    /// Invariant: within the text, and between two characters of it.
    at: usize,
    fields: &'a [Field],
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, prefix: &str) -> bool {
        let is = self.rest().starts_with(prefix);
        if is {
            self.at += prefix.len();
        }
        is
    }

    /// What comes before one of these.
    fn until(&mut self, is_end: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let start = self.at;
        let mut is_inverse = false;
        while self.take("!") {
            is_inverse = !is_inverse;
        }
        if self.at > start && self.peek().is_none_or(|c| c.is_whitespace() || c == '|') {
            let error = FilterError::new(start..self.at, "`!` leaves out what comes after it");
            return Err(error.hint("such as !web or !node=worker-2"));
        }
        let (test, is_not) = self.test()?;
        Ok(Term { is_inverse: is_inverse != is_not, test })
    }

    /// A test, and whether it is written as its contrary.
    fn test(&mut self) -> Result<(Test, bool), FilterError> {
        let start = self.at;
        if self.take("~") {
            return Ok((Test::Pattern(self.pattern()?), false));
        }
        if matches!(self.peek(), Some('"' | '\'')) {
            return Ok((Test::Literal(self.quoted()?.to_lowercase()), false));
        }
        let is_operator = |c: char| matches!(c, '=' | '<' | '>' | '~');
        let name = self.until(|c| c.is_whitespace() || c == '|' || c == '!' || is_operator(c));
        // A `!` that does not belong to `!=` is a letter like others.
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.until(|c| c.is_whitespace() || c == '|');
            return Ok((Test::Fuzzy(Word::new(&self.text[start..self.at])), false));
        }
        let operator = OPERATORS.into_iter().find(|(sign, _)| self.rest().starts_with(sign));
        match (operator, name.strip_prefix(LABEL)) {
            (None, Some("")) => {
                let error = FilterError::new(start..self.at, "`label:` wants the name of a label after it");
                Err(error.hint("such as label:app=web"))
            }
            (None, Some(key)) => Ok((Test::Label { key: key.to_owned(), compare: None }, false)),
            (None, None) => Ok((Test::Fuzzy(Word::new(name)), false)),
            (Some((sign, operator)), label) => {
                let named = start..self.at;
                self.at += sign.len();
                self.comparison(named, label, operator)
            }
        }
    }

    /// What stands after a name and an operator.
    fn comparison(
        &mut self,
        named: Range<usize>,
        label: Option<&str>,
        operator: Operator,
    ) -> Result<(Test, bool), FilterError> {
        let signs = named.start..self.at;
        let name = &self.text[named.clone()];
        let (measure, place) = match label {
            Some("") => {
                let error = FilterError::new(named, "`label:` wants the name of a label after it");
                return Err(error.hint("such as label:app=web"));
            }
            Some(_) => (Measure::Text, None),
            None => {
                let Some(place) = field(name, self.fields) else { return Err(self.unknown(named)) };
                (self.fields[place].measure, Some(place))
            }
        };
        let is_text = measure == Measure::Text;
        let compare = match operator {
            Operator::Matches if is_text => Compare::Pattern(self.pattern()?),
            Operator::Order(order) if !is_text => Compare::Order(order, self.amount(measure)?.least),
            Operator::Matches => {
                let error = FilterError::new(signs, format!("`{name}` is {}", measure.words()));
                return Err(error.hint("compare it with =, !=, <, <=, > or >="));
            }
            Operator::Order(_) => {
                let error = FilterError::new(signs, format!("`{name}` is text"));
                return Err(error.hint("compare it with =, != or ~"));
            }
            Operator::Is | Operator::IsNot => self.alternatives(measure)?,
        };
        let test = match (label, place) {
            (Some(key), _) => Test::Label { key: key.to_owned(), compare: Some(compare) },
            (None, place) => Test::Field { field: place.unwrap_or_default(), compare },
        };
        Ok((test, operator == Operator::IsNot))
    }

    fn unknown(&self, range: Range<usize>) -> FilterError {
        let name = &self.text[range.clone()];
        if name.is_empty() {
            let error = FilterError::new(range.start..self.at, "the name of a field is missing here");
            return error.hint("to look for it as it is, put it in quotes");
        }
        let error = FilterError::new(range, format!("there is no field `{name}` here"));
        let known = self.fields.iter().map(|field| field.id);
        let titles = self.fields.iter().map(|field| field.title);
        match nearest(name, known.clone().chain(titles).chain(["ns", "label:"])) {
            Some(near) => error.hint(format!("did you mean `{}`?", near.to_lowercase().replace(' ', "-"))),
            None => {
                let known: Vec<&str> = known.collect();
                error.hint(format!(
                    "fields are {}, label:KEY; to look for it as it is, put it in quotes",
                    known.join(", ")
                ))
            }
        }
    }

    /// `a,b`: any of them.
    fn alternatives(&mut self, measure: Measure) -> Result<Compare, FilterError> {
        if measure != Measure::Text {
            if self.is_nothing() {
                return Ok(Compare::Missing);
            }
            let mut amounts = vec![self.amount(measure)?];
            while self.take(",") {
                amounts.push(self.amount(measure)?);
            }
            return Ok(Compare::Amounts(amounts));
        }
        let mut texts = Vec::new();
        loop {
            let start = self.at;
            let text = self.value()?;
            if text.is_empty() && self.at == start {
                let error = FilterError::new(start..start, "a value is missing here");
                return Err(error.hint("\"\" stands for none"));
            }
            texts.push(text);
            if !self.take(",") {
                break;
            }
        }
        if texts == [""] {
            return Ok(Compare::Missing);
        }
        Ok(Compare::Texts(texts.into_iter().map(Glob::new).collect()))
    }

    /// `""`, which stands for what is not there.
    fn is_nothing(&mut self) -> bool {
        self.take("\"\"") || self.take("''")
    }

    fn amount(&mut self, measure: Measure) -> Result<Amount, FilterError> {
        let start = self.at;
        let text = self.value()?;
        Amount::parse(text, measure).ok_or_else(|| {
            let place = start..self.at;
            if text.is_empty() {
                let error = FilterError::new(place, "a value is missing here");
                return error.hint(format!("it must be {}", measure.words()));
            }
            FilterError::new(place, format!("`{text}` is not {}", measure.words()))
        })
    }

    fn value(&mut self) -> Result<&'a str, FilterError> {
        if matches!(self.peek(), Some('"' | '\'')) {
            return self.quoted();
        }
        Ok(self.until(|c| c.is_whitespace() || matches!(c, ',' | '|')))
    }

    /// What stands between quotes; there is no way to write a quote within its own kind.
    fn quoted(&mut self) -> Result<&'a str, FilterError> {
        let start = self.at;
        let Some(quote) = self.peek() else { return Ok("") };
        self.at += quote.len_utf8();
        let text = self.until(|c| c == quote);
        if self.peek().is_none() {
            let error = FilterError::new(start..self.at, "the quote is not closed");
            return Err(error.hint(format!("put {quote} at its end")));
        }
        self.at += quote.len_utf8();
        Ok(text)
    }

    /// A pattern goes on to the next blank, or is quoted; capital letters in it are meant as such.
    fn pattern(&mut self) -> Result<Regex, FilterError> {
        let start = self.at;
        let is_quoted = matches!(self.peek(), Some('"' | '\''));
        let text = if is_quoted { self.quoted()? } else { self.until(char::is_whitespace) };
        if text.is_empty() {
            let error = FilterError::new(start.saturating_sub(1)..self.at, "`~` wants a pattern after it");
            return Err(error.hint("such as ~^web-[0-9]+"));
        }
        RegexBuilder::new(text)
            .case_insensitive(!text.chars().any(char::is_uppercase))
            .size_limit(PATTERN_SIZE)
            .build()
            .map_err(|error| FilterError::new(start..self.at, pattern_reason(&error)))
    }
}

/// The library shows the pattern again, over several lines; where it stands is known here.
fn pattern_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    format!("not a pattern: {}", last.trim_start_matches("error: "))
}
