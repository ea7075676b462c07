//! The filter of one screen as it is typed: its text, the last of it that could be read, and what is wrong now.

use super::{Field, Filter, FilterError, parse};

/// Invariant: while the text cannot be read, what was last read holds, so that a slip empties no list.
#[derive(Debug, Default)]
pub struct Typed {
    text: String,
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

    /// Whether rows are kept out.
    pub const fn is_active(&self) -> bool {
        self.filter.is_some()
    }

    pub fn set(&mut self, text: impl Into<String>, fields: &[Field]) {
        self.text = text.into();
        match Filter::parse(&self.text, fields) {
            Ok(filter) => (self.filter, self.error) = (filter, None),
            Err(error) => self.error = Some(error),
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
