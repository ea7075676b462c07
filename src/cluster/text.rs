//! Text from the cluster, made safe once, when it enters: a `Text` cannot hold what moves a cursor.
//!
//! Invariant: every string of a row is a `Text`, and its only constructor goes through the sanitiser, so what
//! reaches a screen or a pipe from a row is plain by construction.

use crate::plain::plain;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A shared, sanitised string.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

impl Text {
    pub fn new(raw: &str) -> Self {
        if raw.is_empty() { Self::default() } else { Self(Arc::from(&*plain(raw))) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, or nothing where it is empty: what the API leaves out and what it leaves empty are the same.
    pub fn non_empty(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::new(&raw))
    }
}

/// Labels, sorted by key, shared by all rows that carry the same ones.
pub type Labels = Arc<[(Text, Text)]>;

/// One copy of each string that many rows share: namespaces, node names, images, reasons, label sets.
///
/// Not for names and uids, which are never shared. What no row uses any more is dropped when the set has
/// doubled, so a cluster that rolls its images for a week does not grow it.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Text>,
    labels: HashSet<Labels>,
    swept_at: usize,
}

impl Interner {
    const SMALLEST_SWEEP: usize = 4096;

    pub fn text(&mut self, raw: &str) -> Text {
        if raw.is_empty() {
            return Text::default();
        }
        if let Some(known) = self.texts.get(raw) {
            return known.clone();
        }
        let text = Text::new(raw);
        // Sanitising may have changed it into one that is known.
        if let Some(known) = self.texts.get(text.as_str()) {
            return known.clone();
        }
        self.sweep();
        self.texts.insert(text.clone());
        text
    }

    pub fn labels<'a>(&mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
        let mut pairs: Vec<(Text, Text)> =
            pairs.into_iter().map(|(key, value)| (self.text(key), self.text(value))).collect();
        pairs.sort();
        if let Some(known) = self.labels.get(pairs.as_slice()) {
            return known.clone();
        }
        self.sweep();
        let labels = Labels::from(pairs);
        self.labels.insert(labels.clone());
        labels
    }

    fn sweep(&mut self) {
        let size = self.texts.len() + self.labels.len();
        if size < self.swept_at.max(Self::SMALLEST_SWEEP) {
            return;
        }
        self.labels.retain(|labels| Arc::strong_count(labels) > 1);
        self.texts.retain(|text| Arc::strong_count(&text.0) > 1);
        self.swept_at = 2 * (self.texts.len() + self.labels.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_are_kept_once() {
        let mut interner = Interner::default();
        let (one, two) = (interner.text("worker-2"), interner.text("worker-2"));
        assert!(Arc::ptr_eq(&one.0, &two.0));
        let (one, two) =
            (interner.labels([("b", "2"), ("a", "1")]), interner.labels([("a", "1"), ("b", "2")]));
        assert!(Arc::ptr_eq(&one, &two));
    }

    #[test]
    fn strings_that_no_row_uses_are_dropped() {
        let mut interner = Interner::default();
        let kept = interner.text("kept");
        for number in 0..3 * Interner::SMALLEST_SWEEP {
            interner.text(&number.to_string());
        }
        assert!(interner.texts.len() <= Interner::SMALLEST_SWEEP);
        assert!(interner.texts.contains(kept.as_str()));
    }
}
