//! The columns of the events: when last, what, of whom; those that say the same are one line with their count.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::time::age;
use crate::cluster::{Cluster, FoldedEvent, Row as _};

#[derive(Debug)]
pub struct Events;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Age,
    Type,
    Reason,
    Object,
    Count,
    Message,
}

/// `Pod db/postgres-0`.
pub fn subject(event: &FoldedEvent<'_>) -> String {
    let about = &event.newest.regarding;
    format!("{} {}", about.kind, about.name)
}

pub const fn tone(is_warning: bool) -> Tone {
    if is_warning { Tone::Warning } else { Tone::Plain }
}

pub const fn word(is_warning: bool) -> &'static str {
    if is_warning { "Warning" } else { "Normal" }
}

impl Listing for Events {
    type Row<'a> = FoldedEvent<'a>;
    type Column = Column;

    const COLUMNS: &'static [(Column, Heading)] = &[
        (Column::Age, Heading::new("age", "SEEN", (5, 6), 0).right()),
        (Column::Type, Heading::new("type", "TYPE", (4, 5), 4)),
        (Column::Reason, Heading::new("reason", "REASON", (18, 28), 0)),
        (Column::Object, Heading::new("object", "OBJECT", (18, 44), 1)),
        (Column::Count, Heading::new("count", "COUNT", (5, 6), 5).right()),
        (Column::Message, Heading::new("message", "MESSAGE", (24, 400), 2)),
    ];

    fn rows(cluster: &Cluster) -> Vec<FoldedEvent<'_>> {
        cluster.folded_events()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<FoldedEvent<'a>> {
        match id {
            RowId::Object(object) => cluster.folded_event(object),
            RowId::Volume(_) => None,
        }
    }

    fn id(row: &FoldedEvent<'_>) -> RowId {
        RowId::Object(row.id.object())
    }

    fn cell(column: Column, row: &FoldedEvent<'_>, look: &Look<'_>) -> Cell {
        let event = row.newest;
        match column {
            Column::Age => Cell::muted(age(event.last, look.now)),
            // Short, because the message needs the room more; the word is in the open event.
            Column::Type if event.is_warning => Cell::new("Warn", Tone::Warning),
            Column::Type => Cell::none(),
            Column::Reason => Cell::new(event.reason.as_str(), tone(event.is_warning)),
            Column::Object => Cell::plain(subject(row)),
            Column::Count => match row.count {
                1 => Cell::muted("1"),
                many => Cell::plain(many.to_string()),
            },
            Column::Message => Cell::plain(event.note.as_str()),
        }
    }

    fn key(column: Column, row: &FoldedEvent<'_>, _: &Look<'_>) -> SortKey {
        let event = row.newest;
        match column {
            // The newest first, to the millisecond: many fall into one second.
            Column::Age => event.last.map_or(SortKey::None, |at| SortKey::Number(-at.as_millisecond())),
            Column::Type => SortKey::Number(i64::from(!event.is_warning)),
            Column::Reason => SortKey::text(&event.reason),
            Column::Object => SortKey::text(&subject(row)),
            Column::Count => SortKey::most(i64::try_from(row.count).unwrap_or(i64::MAX)),
            Column::Message => SortKey::text(&event.note),
        }
    }

    fn words(row: &FoldedEvent<'_>, _: &Look<'_>) -> String {
        let event = row.newest;
        format!("{} {} {} {}", word(event.is_warning), event.reason, subject(row), event.note)
    }

    fn is_problem(row: &FoldedEvent<'_>, _: &Look<'_>) -> bool {
        row.newest.is_warning
    }
}

/// What must be said beside any list of events: how much of them there is, and what it means that one is not there.
pub fn note(cluster: &Cluster) -> String {
    let kept = cluster.events.len();
    let dropped = match cluster.events_dropped() {
        0 => String::new(),
        many => format!(", {many} older ones dropped"),
    };
    format!("{kept} read{dropped}; {EXPIRY}")
}

/// What must never be concluded from an event that is not there.
pub const EXPIRY: &str = "events expire after an hour: one that is gone is no problem solved";
