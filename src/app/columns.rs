//! What a table shows of a row: cells and sort keys, by column. One file a screen holds its columns.

pub mod choice;
pub mod events;
pub mod nodes;
pub mod pods;
pub mod services;
pub mod volumes;
pub mod workloads;

use super::filter::{Fact, Field, Filter, Measure, Subject};
use crate::cluster::{Cluster, Meta, ObjectRef, Text, Timers, VolumeId};
use crate::findings::{self, Findings};
use crate::keymap::Keymap;
use jiff::Timestamp;
use std::borrow::Cow;

/// What a row may look at besides itself.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub cluster: &'a Cluster,
    pub findings: &'a Findings,
    pub timers: &'a Timers,
    /// For the keys that lead on from what is shown.
    pub keymap: &'a Keymap,
    /// The only namespace that is shown.
    pub namespace: Option<&'a Text>,
    pub now: Timestamp,
}

/// What a row stands for. Rows are selected by this, never by their place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    Object(ObjectRef),
    Volume(VolumeId),
    /// What is no object: a zone, the control plane, a node that is gone.
    Case(findings::Subject),
}

/// How a cell is meant; the theme decides what it looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    #[default]
    Plain,
    Muted,
    Good,
    Notice,
    Warning,
    Critical,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

impl Cell {
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Plain)
    }

    pub fn muted(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Muted)
    }

    /// Nothing to say: a dash that does not draw the eye.
    pub fn none() -> Self {
        Self::muted("-")
    }
}

/// What a column sorts by. What is missing comes last in the order that shows trouble first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    Number(i64),
    Text(String),
    None,
}

impl SortKey {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_lowercase())
    }

    /// The youngest first, as ages count up.
    pub fn age(created: Option<Timestamp>) -> Self {
        created.map_or(Self::None, |created| Self::Number(-created.as_second()))
    }

    /// The larger first.
    pub fn most(many: impl Into<i64>) -> Self {
        Self::Number(-many.into())
    }
}

/// The constant part of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    pub id: &'static str,
    pub title: &'static str,
    /// The cells it is worth showing at all with, and the most it can use.
    pub width: (u16, u16),
    /// The order of dropping on a narrow screen, the highest first; 0 is never dropped.
    pub drop: u8,
    pub is_right: bool,
    /// What a filter may compare it with.
    pub measure: Measure,
}

impl Heading {
    pub const fn new(id: &'static str, title: &'static str, width: (u16, u16), drop: u8) -> Self {
        Self { id, title, width, drop, is_right: false, measure: Measure::Text }
    }

    pub const fn right(self) -> Self {
        Self { is_right: true, ..self }
    }

    pub const fn measured(self, measure: Measure) -> Self {
        Self { measure, ..self }
    }
}

/// A screen's way to make rows of the cluster.
pub trait Listing {
    type Row<'a>;
    type Column: Copy + 'static;

    const COLUMNS: &'static [(Self::Column, Heading)];
    /// What a filter may ask for besides the columns.
    const FIELDS: &'static [Field] = &[];

    fn rows(cluster: &Cluster) -> Vec<Self::Row<'_>>;
    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<Self::Row<'a>>;
    fn id(row: &Self::Row<'_>) -> RowId;
    fn cell(column: Self::Column, row: &Self::Row<'_>, look: &Look<'_>) -> Cell;
    fn key(column: Self::Column, row: &Self::Row<'_>, look: &Look<'_>) -> SortKey;
    /// What the filter searches.
    fn words(row: &Self::Row<'_>, look: &Look<'_>) -> String;
    fn is_problem(row: &Self::Row<'_>, look: &Look<'_>) -> bool;

    /// The metadata of the object that a row stands for: its labels can be asked for.
    fn meta<'r>(_row: &'r Self::Row<'_>) -> Option<&'r Meta> {
        None
    }

    /// The namespace it is in; `None` for what is in none.
    fn namespace(row: &Self::Row<'_>) -> Option<Text> {
        match Self::id(row) {
            RowId::Object(object) => Some(object.name.namespace).filter(|namespace| !namespace.is_empty()),
            RowId::Volume(_) | RowId::Case(_) => None,
        }
    }

    /// The uid that was seen, where the row's id does not say it.
    fn uid(_row: &Self::Row<'_>) -> Option<Text> {
        None
    }

    /// What a filter compares in a column: what is shown there, where it is not told more exactly.
    fn fact<'r>(
        (column, heading): (Self::Column, &Heading),
        row: &'r Self::Row<'_>,
        look: &Look<'_>,
    ) -> Fact<'r> {
        Fact::of_cell(&Self::cell(column, row, look).text, heading.measure)
    }

    /// What a filter compares in one of `FIELDS`.
    fn extra<'r>(_field: &'static str, _row: &'r Self::Row<'_>, _look: &Look<'_>) -> Fact<'r> {
        Fact::None
    }
}

/// All that a filter may ask for on a screen: its columns first, then what is shown in none.
pub fn fields<L: Listing>() -> Vec<Field> {
    let columns = L::COLUMNS.iter().map(|(_, heading)| Field {
        id: heading.id,
        title: heading.title,
        measure: heading.measure,
    });
    columns.chain(L::FIELDS.iter().copied()).collect()
}

/// A row as a filter sees it.
struct Seen<'s, 'a, 'l, L: Listing> {
    row: &'s L::Row<'a>,
    look: &'s Look<'l>,
}

impl<L: Listing> Subject for Seen<'_, '_, '_, L> {
    fn words(&self) -> Cow<'_, str> {
        Cow::Owned(L::words(self.row, self.look))
    }

    fn fact(&self, field: usize) -> Fact<'_> {
        match L::COLUMNS.get(field) {
            Some((column, heading)) => L::fact((*column, heading), self.row, self.look),
            None => match L::FIELDS.get(field - L::COLUMNS.len()) {
                Some(field) => L::extra(field.id, self.row, self.look),
                None => Fact::None,
            },
        }
    }

    fn labels(&self, key: &str) -> Vec<Text> {
        let value = L::meta(self.row).and_then(|meta| meta.label(key));
        value.map(Text::from).into_iter().collect()
    }
}

/// Whether a filter keeps a row.
pub fn keeps<L: Listing>(filter: &mut Filter, row: &L::Row<'_>, look: &Look<'_>) -> bool {
    filter.keeps(&Seen::<L> { row, look })
}
