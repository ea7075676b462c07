//! YAML as it was written: every entry, also one that is there twice, and the line of each.
//!
//! The parser tells a line only with an error. So what is read is counted, and to learn where the n-th thing stands
//! the text is read once more, up to there. It knows nothing of what the names mean.

use super::Problem;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;

/// More than anybody writes by hand; an alias can make millions of a few lines.
const MOST: u32 = 20_000;

/// One thing in a file, and its number in the order of reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Yaml {
    pub at: u32,
    pub shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Nothing,
    Flag(bool),
    /// As it is printed, which for a whole number is as it was written.
    Number(String),
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(Yaml, Yaml)>),
}

impl Yaml {
    /// A scalar as its author wrote it: `1: go-triage` needs no quotes. Empty for a list or a mapping.
    pub fn word(&self) -> String {
        match &self.shape {
            Shape::Nothing => "~".to_owned(),
            Shape::Flag(yes) => yes.to_string(),
            Shape::Number(text) | Shape::Text(text) => text.clone(),
            Shape::List(_) | Shape::Map(_) => String::new(),
        }
    }

    /// What it is, for a complaint that something else is wanted.
    pub fn kind(&self) -> &'static str {
        match &self.shape {
            Shape::Nothing => "nothing",
            Shape::Flag(_) => "true or false",
            Shape::Number(_) => "a number",
            Shape::Text(_) => "text",
            Shape::List(_) => "a list",
            Shape::Map(_) => "a mapping",
        }
    }
}

/// What the text says; nothing if it says nothing.
pub fn read(file: &str, text: &str) -> Result<Yaml, Problem> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else {
        return Ok(Yaml { at: 0, shape: Shape::Nothing });
    };
    let reader = Reader::default();
    let yaml = reader.deserialize(first).map_err(|error| match reader.refused.get() {
        Some(reason) => {
            let line = error.location().map(|location| location.line());
            Problem { line, ..Problem::new(file, &[], reason) }
        }
        None => Problem::from_yaml(file, &error),
    })?;
    if documents.next().is_some() {
        return Err(Problem::new(file, &[], "holds more than one document")
            .with_hint("keep one, and remove the line `---` before the other"));
    }
    Ok(yaml)
}

/// The line on which the thing of that number begins.
pub fn line(text: &str, at: u32) -> Option<usize> {
    let reader = Reader { until: Some(at), ..Reader::default() };
    let error = reader.deserialize(serde_yaml::Deserializer::from_str(text).next()?).err()?;
    error.location().map(|location| location.line())
}

/// Reads one thing and all in it.
#[derive(Default)]
struct Reader {
    count: Cell<u32>,
    /// Where to stop with an error, to learn its place.
    until: Option<u32>,
    /// Why it was we who stopped, and not the parser.
    refused: Cell<Option<&'static str>>,
}

impl Reader {
    fn count<E: Error>(&self) -> Result<u32, E> {
        let at = self.count.get();
        self.count.set(at + 1);
        if self.until == Some(at) {
            return Err(E::custom("here"));
        }
        if at >= MOST {
            return Err(self.refuse("says more than can be meant; is it the right file?"));
        }
        Ok(at)
    }

    fn refuse<E: Error>(&self, reason: &'static str) -> E {
        self.refused.set(Some(reason));
        E::custom(reason)
    }

    fn scalar<E: Error>(&self, shape: Shape) -> Result<Yaml, E> {
        Ok(Yaml { at: self.count()?, shape })
    }
}

impl<'de> DeserializeSeed<'de> for &Reader {
    type Value = Yaml;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Reader {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything that YAML can say without a tag")
    }

    fn visit_unit<E: Error>(self) -> Result<Yaml, E> {
        self.scalar(Shape::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Yaml, E> {
        self.scalar(Shape::Nothing)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Yaml, E> {
        self.scalar(Shape::Flag(yes))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Yaml, E> {
        self.scalar(Shape::Number(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Yaml, E> {
        self.scalar(Shape::Number(number.to_string()))
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Yaml, E> {
        self.scalar(Shape::Number(number.to_string()))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Yaml, E> {
        self.scalar(Shape::Number(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Yaml, E> {
        self.scalar(Shape::Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Yaml, E> {
        self.scalar(Shape::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Yaml, A::Error> {
        let at = self.count()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Yaml { at, shape: Shape::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        let at = self.count()?;
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry_seed(self, self)? {
            entries.push(entry);
        }
        Ok(Yaml { at, shape: Shape::Map(entries) })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Yaml, A::Error> {
        Err(self.refuse("holds a tag (`!…`), which means nothing here; remove it or put it in quotes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(text: &str) -> String {
        read("x.yaml", text).unwrap_err().to_string()
    }

    /// Each key of the outer mapping with its line.
    fn keys(text: &str) -> Vec<(String, Option<usize>)> {
        let Shape::Map(entries) = read("x.yaml", text).unwrap().shape else { panic!("a mapping") };
        entries.iter().map(|(key, _)| (key.word(), line(text, key.at))).collect()
    }

    #[test]
    fn every_key_has_its_line_also_one_that_is_there_twice() {
        let text = "# what\na: 1\n\n\"b c\":\n  - x\n  - {y: z}\n1: ~\na: true\n";
        let lines = keys(text);
        let expected = [("a", 2), ("b c", 4), ("1", 7), ("a", 8)];
        assert_eq!(lines, expected.map(|(key, line)| (key.to_owned(), Some(line))));
    }

    #[test]
    fn things_in_lists_have_their_lines() {
        let text = "a:\n  - x\n  - y\n";
        let Shape::Map(entries) = read("x.yaml", text).unwrap().shape else { panic!("a mapping") };
        let Shape::List(items) = &entries[0].1.shape else { panic!("a list") };
        let lines: Vec<_> = items.iter().map(|item| line(text, item.at)).collect();
        assert_eq!(lines, [Some(2), Some(3)]);
    }

    #[test]
    fn nothing_is_no_error() {
        for text in ["", "# only this\n", "~", "---\n"] {
            assert_eq!(read("x.yaml", text).unwrap().shape, Shape::Nothing, "{text:?}");
        }
    }

    #[test]
    fn a_few_lines_that_mean_millions_are_refused() {
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (one, other) in ('b'..'h').zip('a'..) {
            let ten = vec![format!("*{other}"); 10].join(", ");
            text = format!("{text}{one}: &{one} [{ten}]\n");
        }
        assert!(complaint(&text).contains("more than can be meant"), "{}", complaint(&text));
    }

    #[test]
    fn what_is_no_plain_yaml_is_named() {
        assert_eq!(
            complaint("a: 1\nb: !secret c\n"),
            "x.yaml:2: holds a tag (`!…`), which means nothing here; remove it or put it in quotes"
        );
        assert_eq!(
            complaint("a: 1\n---\nb: 2\n"),
            "x.yaml: holds more than one document; keep one, and remove the line `---` before the other"
        );
        assert!(complaint(&"[".repeat(300)).starts_with("x.yaml:1: not valid YAML: "));
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[-\\[\\]{}:,&*!|>'\"a-c1~# \n]{0,60}") {
            if let Ok(yaml) = read("x.yaml", &text) {
                let found = line(&text, yaml.at);
                prop_assert!(found.is_none_or(|line| line >= 1 && line <= text.lines().count() + 1));
            }
        }
    }
}
