//! A list on the screen: which rows, in what order, and the one that the cursor is on.
//!
//! Invariant: the cursor is on an object and not on a line. When rows move it moves with its object; when the
//! object is gone it stays where it was, on what is there now.

use super::columns::{Cell, Heading, Listing, Look, RowId, SortKey};
use super::filter::Filter;

#[derive(Debug, Default)]
pub struct View {
    pub sort: Sort,
    pub filter: String,
    pub problems_only: bool,
    rows: Vec<RowId>,
    /// How many there are without filter and problems-only.
    total: usize,
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
    pub sort: Sort,
    /// The visible rows' cells, by heading.
    pub rows: Vec<Vec<Cell>>,
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

    /// Makes the rows anew from the cluster.
    pub fn refresh<L: Listing>(&mut self, look: &Look<'_>) {
        let rows = L::rows(look.cluster);
        self.total = rows.len();
        let mut filter = Filter::new(&self.filter);
        let column = L::COLUMNS.get(self.sort.column).map(|(column, _)| *column);
        let mut keyed: Vec<(SortKey, RowId)> = rows
            .iter()
            .filter(|row| !self.problems_only || L::is_problem(row, look))
            .filter(|row| filter.as_mut().is_none_or(|filter| filter.matches(&L::words(row, look))))
            .map(|row| (column.map_or(SortKey::None, |column| L::key(column, row, look)), L::id(row)))
            .collect();
        if self.sort.is_reversed {
            // Reversed by the key alone: rows that are equal in it stay in the order of their names.
            keyed.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.cmp(&two.1)));
        } else {
            keyed.sort();
        }
        self.rows = keyed.into_iter().map(|(_, id)| id).collect();
        self.follow();
    }

    /// Puts the cursor on its object, or where it was if that is gone.
    fn follow(&mut self) {
        let found = self.cursor.as_ref().and_then(|cursor| self.rows.iter().position(|row| row == cursor));
        self.at = found.unwrap_or_else(|| self.at.min(self.rows.len().saturating_sub(1)));
        self.cursor = self.rows.get(self.at).cloned();
    }

    pub fn move_cursor(&mut self, movement: Move) {
        let last = self.rows.len().saturating_sub(1);
        self.at = match movement {
            Move::By(lines) => self.at.saturating_add_signed(lines).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
        self.cursor = self.rows.get(self.at).cloned();
    }

    /// Puts the cursor on a row if it is shown.
    pub fn select(&mut self, id: &RowId) -> bool {
        let Some(at) = self.rows.iter().position(|row| row == id) else { return false };
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
        let visible = self.rows.iter().skip(self.top).take(lines);
        let rows = visible
            .filter_map(|id| L::find(look.cluster, id))
            .map(|row| L::COLUMNS.iter().map(|(column, _)| L::cell(*column, &row, look)).collect())
            .collect();
        Grid {
            headings: L::COLUMNS.iter().map(|(_, heading)| *heading).collect(),
            sort: self.sort,
            rows,
            selected: self.cursor.as_ref().and(self.at.checked_sub(self.top)),
            first: self.top,
            shown: self.rows.len(),
            total: self.total,
        }
    }
}
