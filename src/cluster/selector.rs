//! A label selector, and the label sets that it matches.
//!
//! What an empty or missing selector means differs from kind to kind, and is said there.

use super::{Labels, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Labels that must be there with these values.
    pub labels: Labels,
    pub expressions: Box<[Expression]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    pub key: Text,
    pub operator: Operator,
    pub values: Box<[Text]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    /// One that this version of sickbay does not know: it matches nothing.
    Other,
}

impl Operator {
    pub fn parse(word: &str) -> Self {
        match word {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            _ => Self::Other,
        }
    }
}

/// The value of a label in a sorted set.
fn value<'a>(labels: &'a Labels, key: &str) -> Option<&'a Text> {
    let at = labels.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
    Some(&labels[at].1)
}

impl Selector {
    /// One that asks for these labels and nothing else.
    pub fn of(labels: Labels) -> Self {
        Self { labels, expressions: [].into() }
    }

    /// As kubectl takes it after `-l`: `app=web,tier!=front,zone in (a,b),!canary`. Or why it is none.
    pub fn parse(words: &str) -> Result<Self, String> {
        let mut labels: Vec<(Text, Text)> = Vec::new();
        let mut expressions: Vec<Expression> = Vec::new();
        for requirement in requirements(words) {
            let requirement = requirement.trim();
            match Requirement::parse(requirement)? {
                Requirement::Equal(key, value) => labels.push((key, value)),
                Requirement::Other(expression) => expressions.push(expression),
            }
        }
        Ok(Self { labels: labels.into_iter().collect(), expressions: expressions.into() })
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Whether the two ask for different values of one label, so that nothing is matched by both.
    pub fn excludes(&self, other: &Self) -> bool {
        let differs =
            |(key, wanted): &(Text, Text)| value(&other.labels, key).is_some_and(|value| value != wanted);
        self.labels.iter().any(differs)
    }

    /// Whether all that it asks for holds: nothing, of an empty one.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, wanted)| value(labels, key) == Some(wanted))
            && self.expressions.iter().all(|expression| expression.holds(labels))
    }
}

impl Expression {
    fn holds(&self, labels: &Labels) -> bool {
        let found = value(labels, &self.key);
        match self.operator {
            Operator::In => found.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => found.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
            Operator::Other => false,
        }
    }
}

/// A part of a selector as it is written.
enum Requirement {
    Equal(Text, Text),
    Other(Expression),
}

impl Requirement {
    fn parse(words: &str) -> Result<Self, String> {
        let other = |key: &str, operator, values: &[&str]| {
            let values = values.iter().map(|value| Text::from(value.trim())).collect();
            Ok(Self::Other(Expression { key: named(key)?, operator, values }))
        };
        if let Some((key, value)) = words.split_once("!=") {
            return other(key, Operator::NotIn, &[value]);
        }
        if let Some((key, value)) = words.split_once("==").or_else(|| words.split_once('=')) {
            return Ok(Self::Equal(named(key)?, value.trim().into()));
        }
        if let Some(key) = words.strip_prefix('!') {
            return other(key, Operator::DoesNotExist, &[]);
        }
        let Some((head, values)) = words.split_once('(') else {
            return other(words, Operator::Exists, &[]);
        };
        let values = values.trim_end().strip_suffix(')').ok_or_else(|| format!("{words:?} lacks a )"))?;
        let values: Vec<&str> = values.split(',').collect();
        match head.trim_end().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => other(key, Operator::In, &values),
            Some((key, "notin")) => other(key, Operator::NotIn, &values),
            Some(_) | None => Err(format!("{words:?} has neither in nor notin before its values")),
        }
    }
}

/// A label's key, if it can be one.
fn named(key: &str) -> Result<Text, String> {
    let key = key.trim();
    let is_key = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    if key.is_empty() || !key.chars().all(is_key) {
        return Err(format!("{key:?} is no key of a label"));
    }
    Ok(key.into())
}

/// What stands between the commas that are not within brackets.
fn requirements(words: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let parts = words.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.filter(move |_| !words.trim().is_empty())
}

/// As kubectl writes it after `-l`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (key, value) in self.labels.iter() {
            write!(f, "{between}{key}={value}")?;
            between = ",";
        }
        for Expression { key, operator, values } in &self.expressions {
            let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
            let values = values.join(",");
            f.write_str(between)?;
            match operator {
                Operator::In => write!(f, "{key} in ({values})")?,
                Operator::NotIn => write!(f, "{key} notin ({values})")?,
                Operator::Exists => write!(f, "{key}")?,
                Operator::DoesNotExist => write!(f, "!{key}")?,
                Operator::Other => write!(f, "{key} ? ({values})")?,
            }
            between = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| (Text::from(*key), Text::from(*value))).collect()
    }

    fn one(key: &str, operator: Operator, values: &[&str]) -> Selector {
        let values = values.iter().map(|value| Text::from(*value)).collect();
        Selector {
            expressions: [Expression { key: key.into(), operator, values }].into(),
            ..Selector::default()
        }
    }

    #[test]
    fn all_that_it_asks_for_must_hold() {
        let web = labels(&[("app", "web"), ("tier", "front")]);
        let of = |pairs: &[(&str, &str)]| Selector::of(labels(pairs));
        assert!(of(&[("app", "web")]).matches(&web));
        assert!(of(&[("app", "web"), ("tier", "front")]).matches(&web));
        assert!(!of(&[("app", "web"), ("tier", "back")]).matches(&web));
        assert!(!of(&[("zone", "a")]).matches(&web));
        assert!(Selector::default().matches(&web));
    }

    #[test]
    fn two_that_ask_for_different_values_of_one_label_exclude_each_other() {
        let of = |pairs: &[(&str, &str)]| Selector::of(labels(pairs));
        assert!(of(&[("app", "web")]).excludes(&of(&[("app", "api")])));
        assert!(!of(&[("app", "web")]).excludes(&of(&[("app", "web"), ("tier", "front")])));
        assert!(!of(&[("app", "web")]).excludes(&of(&[("tier", "front")])));
    }

    #[test]
    fn expressions_read_a_missing_label_as_the_api_does() {
        let web = labels(&[("app", "web")]);
        for (key, operator, values, is_match) in [
            ("app", Operator::In, &["web", "api"][..], true),
            ("app", Operator::In, &["api"], false),
            ("zone", Operator::In, &["a"], false),
            ("app", Operator::NotIn, &["web"], false),
            ("zone", Operator::NotIn, &["a"], true),
            ("app", Operator::Exists, &[], true),
            ("zone", Operator::Exists, &[], false),
            ("zone", Operator::DoesNotExist, &[], true),
            ("app", Operator::DoesNotExist, &[], false),
            ("app", Operator::Other, &["web"], false),
        ] {
            assert_eq!(one(key, operator, values).matches(&web), is_match, "{key} {operator:?} {values:?}");
        }
    }

    #[test]
    fn it_is_written_as_kubectl_takes_it() {
        let mut selector = one("tier", Operator::NotIn, &["a", "b"]);
        selector.labels = labels(&[("app", "web")]);
        assert_eq!(selector.to_string(), "app=web,tier notin (a,b)");
    }

    #[test]
    fn it_is_read_as_kubectl_writes_it() {
        for written in ["", "app=web", "app=web,tier notin (a,b)", "zone in (a,b),!canary", "app"] {
            assert_eq!(Selector::parse(written).unwrap().to_string(), written, "{written:?}");
        }
        assert_eq!(Selector::parse(" app == web , tier!=a").unwrap().to_string(), "app=web,tier notin (a)");
        for wrong in ["app=web,", "=web", "a b", "zone in (a", "zone of (a)", "(a)"] {
            assert!(Selector::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
