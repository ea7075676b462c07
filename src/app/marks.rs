//! Marks: the objects of a list that were picked out, for what is to be done with all of them.
//!
//! Invariant: a mark is on an object, by its identity and the uid that was seen. It stays through sorting, filtering
//! and relists, and goes with its object: one created anew under the same name is another one.

use super::columns::RowId;
use crate::cluster::Text;
use std::collections::BTreeMap;

/// A row as it was seen: what it stands for, and its uid where the id does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: RowId,
    pub uid: Option<Text>,
}

#[derive(Debug, Default)]
pub struct Marks {
    marked: BTreeMap<RowId, Option<Text>>,
    /// Where a range begins: the row that was marked or unmarked last.
    last: Option<RowId>,
}

impl Marks {
    pub fn has(&self, id: &RowId) -> bool {
        self.marked.contains_key(id)
    }

    pub fn len(&self) -> usize {
        self.marked.len()
    }

    pub fn is_empty(&self) -> bool {
        self.marked.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &RowId> {
        self.marked.keys()
    }

    pub fn toggle(&mut self, row: &Seen) {
        if self.marked.remove(&row.id).is_none() {
            self.mark(row);
        }
        self.last = Some(row.id.clone());
    }

    /// Marks everything from the row that was marked last to this place; false where that row is not shown.
    pub fn extend(&mut self, rows: &[Seen], at: usize) -> bool {
        let last = self.last.as_ref();
        let Some(from) = last.and_then(|last| rows.iter().position(|row| row.id == *last)) else {
            return false;
        };
        for row in rows.iter().take(from.max(at) + 1).skip(from.min(at)) {
            self.mark(row);
        }
        self.last = rows.get(at).map(|row| row.id.clone());
        true
    }

    pub fn mark_all(&mut self, rows: &[Seen]) {
        for row in rows {
            self.mark(row);
        }
    }

    /// Marks what of these is not marked, and the other way round; rows that are not shown keep theirs.
    pub fn invert(&mut self, rows: &[Seen]) {
        for row in rows {
            if self.marked.remove(&row.id).is_none() {
                self.mark(row);
            }
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Drops the marks of what is gone.
    pub fn retain(&mut self, is_there: impl Fn(&RowId, Option<&Text>) -> bool) {
        self.marked.retain(|id, uid| is_there(id, uid.as_ref()));
    }

    fn mark(&mut self, row: &Seen) {
        self.marked.entry(row.id.clone()).or_insert_with(|| row.uid.clone());
    }
}
