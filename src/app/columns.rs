//! What a table shows of a row: cells and sort keys, by column. One file a screen holds its columns.

pub mod events;
pub mod nodes;
pub mod pods;
pub mod services;
pub mod volumes;
pub mod workloads;

use crate::cluster::{Cluster, ObjectRef, Timers, VolumeId};
use crate::findings::Findings;
use jiff::Timestamp;

/// What a row may look at besides itself.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub cluster: &'a Cluster,
    pub findings: &'a Findings,
    pub timers: &'a Timers,
    pub now: Timestamp,
}

/// What a row stands for. Rows are selected by this, never by their place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    Object(ObjectRef),
    Volume(VolumeId),
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
}

impl Heading {
    pub const fn new(id: &'static str, title: &'static str, width: (u16, u16), drop: u8) -> Self {
        Self { id, title, width, drop, is_right: false }
    }

    pub const fn right(self) -> Self {
        Self { is_right: true, ..self }
    }
}

/// A screen's way to make rows of the cluster.
pub trait Listing {
    type Row<'a>;
    type Column: Copy + 'static;

    const COLUMNS: &'static [(Self::Column, Heading)];

    fn rows(cluster: &Cluster) -> Vec<Self::Row<'_>>;
    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<Self::Row<'a>>;
    fn id(row: &Self::Row<'_>) -> RowId;
    fn cell(column: Self::Column, row: &Self::Row<'_>, look: &Look<'_>) -> Cell;
    fn key(column: Self::Column, row: &Self::Row<'_>, look: &Look<'_>) -> SortKey;
    /// What the filter searches.
    fn words(row: &Self::Row<'_>, look: &Look<'_>) -> String;
    fn is_problem(row: &Self::Row<'_>, look: &Look<'_>) -> bool;
}
