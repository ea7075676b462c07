//! From a value to the names of the rows that have it, kept by the difference of old and new.

use std::collections::{BTreeMap, BTreeSet};

/// `V` to the keys of the rows that carry it.
#[derive(Debug, PartialEq, Eq)]
pub struct Index<V, K> {
    keys: BTreeMap<V, BTreeSet<K>>,
}

impl<V, K> Default for Index<V, K> {
    fn default() -> Self {
        Self { keys: BTreeMap::new() }
    }
}

impl<V: Ord + Clone, K: Ord + Clone> Index<V, K> {
    /// The row `key` had the values `old` and now has `new`.
    pub fn update(&mut self, key: &K, old: &[V], new: &[V]) {
        for value in old.iter().filter(|value| !new.contains(value)) {
            if let Some(keys) = self.keys.get_mut(value) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(value);
                }
            }
        }
        for value in new.iter().filter(|value| !old.contains(value)) {
            self.keys.entry(value.clone()).or_default().insert(key.clone());
        }
    }

    pub fn keys<Q>(&self, value: &Q) -> impl Iterator<Item = &K>
    where
        V: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.keys.get(value).into_iter().flatten()
    }

    pub fn count<Q>(&self, value: &Q) -> usize
    where
        V: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.keys.get(value).map_or(0, BTreeSet::len)
    }

    /// Each value from this one on, with its keys.
    pub fn from(&self, first: V) -> impl Iterator<Item = (&V, &BTreeSet<K>)> {
        self.keys.range(first..)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&V, &BTreeSet<K>)> {
        self.keys.iter()
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.keys.keys()
    }
}
