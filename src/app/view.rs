//! A list on the screen: which rows, in what order, and the one that the cursor is on.
//!
//! Invariant: the cursor is on an object and not on a line. When rows move it moves with its object; when the
//! object is gone it stays where it was, on what is there now.

use super::columns::choice::Columns;
use super::columns::{self, Cell, Heading, Listing, Look, RowId, SortKey};
use super::filter::Typed;
use super::marks::{Marks, Seen};
use super::namespaces;

#[derive(Debug, Default)]
pub struct View {
    pub sort: Sort,
    pub filter: Typed,
    pub problems_only: bool,
    pub marks: Marks,
    pub columns: Columns,
    rows: Vec<Seen>,
    /// How many there are whatever is hidden.
    total: usize,
    /// Of these, how many are in another namespace than the one that is shown.
    elsewhere: usize,
    cursor: Option<RowId>,
    at: usize,
    top: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// The place of the column in the listing's table.
    pub column: usize,
    pub is_reversed: bool,
}

/// What a screen draws of a list.
#[derive(Debug, Default)]
pub struct Grid {
    pub headings: Vec<Heading>,
    /// The place of each heading in the listing's table.
    pub places: Vec<usize>,
    /// By a place in the listing's table.
    pub sort: Sort,
    /// The visible rows' cells, by heading.
    pub rows: Vec<Vec<Cell>>,
    /// Whether each of them is marked.
    pub marked: Vec<bool>,
    /// What each of them stands for.
    pub ids: Vec<RowId>,
    /// The visible row under the cursor.
    pub selected: Option<usize>,
    pub first: usize,
    pub shown: usize,
    pub total: usize,
}

/// A way to move the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    By(isize),
    Top,
    Bottom,
}

impl View {
    pub fn sorted_by(column: usize) -> Self {
        Self { sort: Sort { column, is_reversed: false }, ..Self::default() }
    }

    pub fn cursor(&self) -> Option<&RowId> {
        self.cursor.as_ref()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub const fn total(&self) -> usize {
        self.total
    }

    pub const fn elsewhere(&self) -> usize {
        self.elsewhere
    }

    pub fn rows(&self) -> &[Seen] {
        &self.rows
    }

    /// How many marked objects are not shown.
    pub fn hidden_marks(&self) -> usize {
        let shown = self.rows.iter().filter(|row| self.marks.has(&row.id)).count();
        self.marks.len().saturating_sub(shown)
    }

    /// Marks the row under the cursor or unmarks it, and goes to the next.
    pub fn mark(&mut self) {
        if let Some(row) = self.rows.get(self.at) {
            self.marks.toggle(row);
            self.move_cursor(Move::By(1));
        }
    }

    /// Marks from the row that was marked last to the cursor; false where that one is not shown.
    pub fn mark_range(&mut self) -> bool {
        self.marks.extend(&self.rows, self.at)
    }

    pub fn mark_all(&mut self) {
        self.marks.mark_all(&self.rows);
    }

    pub fn invert_marks(&mut self) {
        self.marks.invert(&self.rows);
    }

    /// Makes the rows anew from the cluster.
    pub fn refresh<L: Listing>(&mut self, look: &Look<'_>) {
        let rows = L::rows(look.cluster);
        self.total = rows.len();
        self.elsewhere = 0;
        let column = L::COLUMNS.get(self.sort.column).map(|(column, _)| *column);
        let mut keyed: Vec<(SortKey, Seen)> = Vec::new();
        for row in &rows {
            if look.namespace.is_some() && namespaces::is_hidden(look.namespace, L::namespace(row).as_ref()) {
                self.elsewhere += 1;
                continue;
            }
            let is_kept = (!self.problems_only || L::is_problem(row, look))
                && self.filter.filter().is_none_or(|filter| columns::keeps::<L>(filter, row, look));
            if is_kept {
                let key = column.map_or(SortKey::None, |column| L::key(column, row, look));
                keyed.push((key, Seen { id: L::id(row), uid: L::uid(row) }));
            }
        }
        if self.sort.is_reversed {
            // Reversed by the key alone: rows that are equal in it stay in the order of their names.
            keyed.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.id.cmp(&two.1.id)));
        } else {
            keyed.sort_by(|one, two| one.0.cmp(&two.0).then_with(|| one.1.id.cmp(&two.1.id)));
        }
        self.rows = keyed.into_iter().map(|(_, row)| row).collect();
        self.marks.retain(|id, uid| {
            L::find(look.cluster, id).is_some_and(|row| uid.is_none() || L::uid(&row).as_ref() == uid)
        });
        self.follow();
    }

    /// Puts the cursor on its object, or where it was if that is gone.
    fn follow(&mut self) {
        let found =
            self.cursor.as_ref().and_then(|cursor| self.rows.iter().position(|row| row.id == *cursor));
        self.at = found.unwrap_or_else(|| self.at.min(self.rows.len().saturating_sub(1)));
        self.cursor = self.rows.get(self.at).map(|row| row.id.clone());
    }

    pub fn move_cursor(&mut self, movement: Move) {
        let last = self.rows.len().saturating_sub(1);
        self.at = match movement {
            Move::By(lines) => self.at.saturating_add_signed(lines).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
        self.cursor = self.rows.get(self.at).map(|row| row.id.clone());
    }

    /// Puts the cursor on a row if it is shown.
    pub fn select(&mut self, id: &RowId) -> bool {
        let Some(at) = self.rows.iter().position(|row| row.id == *id) else { return false };
        self.at = at;
        self.cursor = Some(id.clone());
        true
    }

    /// Scrolls as little as is needed to have the cursor on a screen of so many lines.
    pub fn scroll(&mut self, lines: usize) {
        let lines = lines.max(1);
        let most = self.rows.len().saturating_sub(lines);
        self.top = self.top.min(most).min(self.at).max((self.at + 1).saturating_sub(lines));
    }

    /// The visible part, for drawing.
    pub fn grid<L: Listing>(&self, look: &Look<'_>, lines: usize) -> Grid {
        let all: Vec<Heading> = L::COLUMNS.iter().map(|(_, heading)| *heading).collect();
        let places = self.columns.places(&all);
        let visible = self.rows.iter().skip(self.top).take(lines);
        let mut grid = Grid {
            headings: self.columns.headings(&all),
            sort: self.sort,
            selected: self.cursor.as_ref().and(self.at.checked_sub(self.top)),
            first: self.top,
            shown: self.rows.len(),
            total: self.total,
            ..Grid::default()
        };
        for Seen { id, .. } in visible {
            let Some(row) = L::find(look.cluster, id) else { continue };
            let columns = places.iter().filter_map(|place| L::COLUMNS.get(*place));
            grid.rows.push(columns.map(|(column, _)| L::cell(*column, &row, look)).collect());
            grid.marked.push(self.marks.has(id));
            grid.ids.push(id.clone());
        }
        grid.places = places;
        grid
    }
}
