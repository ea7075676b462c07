//! The filter of one screen as it is typed: its text, what of it holds, and what is wrong now.

use super::{Field, Filter, FilterError, parse};

/// Invariant: while the text cannot be read, what holds is what was kept, or read up to the last blank: neither a
/// slip nor half a word, on its way to being a field, empties a list.
#[derive(Debug, Default)]
pub struct Typed {
    text: String,
    /// What could be read, without the word that is being typed.
    before: String,
    filter: Option<Filter>,
    error: Option<FilterError>,
}

impl Typed {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub const fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }

    pub const fn filter(&mut self) -> Option<&mut Filter> {
        self.filter.as_mut()
    }

    pub fn set(&mut self, text: impl Into<String>, fields: &[Field]) {
        self.text = text.into();
        self.error = None;
        match Filter::parse(&self.text, fields) {
            Ok(filter) => {
                self.filter = filter;
                if self.text.is_empty() || self.text.ends_with(char::is_whitespace) {
                    self.keep();
                }
            }
            Err(error) => {
                self.error = Some(error);
                // It was read once.
                self.filter = Filter::parse(&self.before, fields).unwrap_or_default();
            }
        }
    }

    /// What is typed is meant as it is.
    pub fn keep(&mut self) {
        if self.error.is_none() {
            self.before.clone_from(&self.text);
        }
    }

    /// Completes the name of a field at the end of the text as far as that is clear; the names that it may become.
    pub fn complete(&mut self, fields: &[Field]) -> Vec<&'static str> {
        let start = self.text.rfind([' ', '|', '!']).map_or(0, |at| at + 1);
        let typed = self.text[start..].to_lowercase();
        let names = fields.iter().map(|field| field.id).chain([parse::LABEL]);
        let fitting: Vec<&'static str> = names.filter(|name| name.starts_with(&typed)).collect();
        let completed = match fitting.as_slice() {
            [] => return fitting,
            // A label's name comes next; after a field, how it is compared is the writer's choice, mostly `=`.
            [one] if *one == parse::LABEL => (*one).to_owned(),
            [one] => format!("{one}="),
            [first, rest @ ..] => {
                let common = rest.iter().fold(*first, |common, name| common_start(common, name));
                common.to_owned()
            }
        };
        let text = format!("{}{completed}", &self.text[..start]);
        self.set(text, fields);
        fitting
    }
}

fn common_start<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    &one[..same.map(|(c, _)| c.len_utf8()).sum()]
}
