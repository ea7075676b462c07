//! Rows by name, with the relist that never shows a half-empty table.

use super::{Kind, Meta, Name, ObjectRef, Text};
use std::collections::BTreeMap;

/// A row of a table.
pub trait Row {
    const KIND: Kind;

    fn meta(&self) -> &Meta;

    fn name(&self) -> &Name {
        &self.meta().name
    }

    fn object(&self) -> ObjectRef {
        let meta = self.meta();
        ObjectRef { kind: Self::KIND, name: meta.name.clone(), uid: meta.uid.clone() }
    }
}

/// The rows of one kind, in the order of their names.
///
/// Invariant: while a relist runs the old rows stay; what the list did not name goes when it is complete.
#[derive(Debug)]
pub struct Table<R> {
    rows: BTreeMap<Name, Slot<R>>,
    generation: u32,
}

#[derive(Debug)]
struct Slot<R> {
    row: R,
    generation: u32,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), generation: 0 }
    }
}

impl<R: Row> Table<R> {
    /// A list begins: from now on each `apply` counts as named by it.
    pub fn begin_reset(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }

    /// The list is complete: rows that it did not name are gone, and are returned.
    pub fn end_reset(&mut self) -> Vec<R> {
        let generation = self.generation;
        let gone: Vec<Name> = self
            .rows
            .iter()
            .filter(|(_, slot)| slot.generation != generation)
            .map(|(name, _)| name.clone())
            .collect();
        gone.iter().filter_map(|name| self.rows.remove(name)).map(|slot| slot.row).collect()
    }

    /// Puts a row in, and returns the one that it replaces.
    pub fn apply(&mut self, row: R) -> Option<R> {
        let slot = Slot { generation: self.generation, row };
        self.rows.insert(slot.row.name().clone(), slot).map(|slot| slot.row)
    }

    /// Takes a row out, unless the name has gone to another object meanwhile.
    pub fn remove(&mut self, name: &Name, uid: &Text) -> Option<R> {
        let is_same = self.rows.get(name).is_some_and(|slot| slot.row.meta().uid == *uid);
        is_same.then(|| self.rows.remove(name)).flatten().map(|slot| slot.row)
    }

    pub fn get(&self, name: &Name) -> Option<&R> {
        self.rows.get(name).map(|slot| &slot.row)
    }

    /// The row of this very object, and not of another that has its name by now.
    pub fn same(&self, object: &ObjectRef) -> Option<&R> {
        self.get(&object.name).filter(|row| row.meta().uid == object.uid)
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &R> {
        self.rows.values().map(|slot| &slot.row)
    }

    pub fn in_namespace<'a>(&'a self, namespace: &'a Text) -> impl Iterator<Item = &'a R> {
        let first = Name { namespace: namespace.clone(), name: Text::default() };
        self.rows
            .range(first..)
            .take_while(move |(name, _)| name.namespace == *namespace)
            .map(|(_, slot)| &slot.row)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Namespace;

    fn row(name: &str, uid: &str) -> Namespace {
        Namespace {
            meta: Meta { name: Name::cluster(name), uid: uid.into(), ..Meta::default() },
            ..Namespace::default()
        }
    }

    #[test]
    fn old_rows_stay_until_the_relist_is_complete() {
        let mut table = Table::default();
        table.apply(row("a", "1"));
        table.apply(row("b", "2"));
        table.begin_reset();
        table.apply(row("b", "2"));
        assert_eq!(table.len(), 2);
        let gone = table.end_reset();
        assert_eq!(gone, [row("a", "1")]);
        assert_eq!(table.values().collect::<Vec<_>>(), [&row("b", "2")]);
    }

    #[test]
    fn a_relist_that_broke_off_leaves_nothing_behind_when_the_next_one_ends() {
        let mut table = Table::default();
        table.begin_reset();
        table.apply(row("seen-by-the-broken-list-only", "1"));
        table.begin_reset();
        table.apply(row("b", "2"));
        table.end_reset();
        assert_eq!(table.values().collect::<Vec<_>>(), [&row("b", "2")]);
    }

    #[test]
    fn a_delete_does_not_take_the_object_that_was_created_anew_under_the_name() {
        let mut table = Table::default();
        table.apply(row("a", "new"));
        assert_eq!(table.remove(&Name::cluster("a"), &"old".into()), None);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn an_object_has_no_row_when_another_has_its_name() {
        let mut table = Table::default();
        table.apply(row("a", "new"));
        assert_eq!(table.same(&row("a", "new").object()), Some(&row("a", "new")));
        assert_eq!(table.same(&row("a", "old").object()), None);
    }
}
