//! The columns of the events: when last, what, of whom; those that say the same are one line with their count.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::filter::{Fact, Field, Measure};
use crate::app::time::age;
use crate::cluster::{Cluster, FoldedEvent, Row as _, Text};

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
        (Column::Age, Heading::new("age", "SEEN", (5, 6), 0).right().measured(Measure::Duration)),
        (Column::Type, Heading::new("type", "TYPE", (4, 5), 4)),
        (Column::Reason, Heading::new("reason", "REASON", (18, 28), 0)),
        (Column::Object, Heading::new("object", "OBJECT", (18, 44), 1)),
        (Column::Count, Heading::new("count", "COUNT", (5, 6), 5).right().measured(Measure::Number)),
        (Column::Message, Heading::new("message", "MESSAGE", (24, 400), 2)),
    ];

    const FIELDS: &'static [Field] = &[
        Field { id: KIND, title: KIND, measure: Measure::Text },
        Field { id: NAMESPACE, title: NAMESPACE, measure: Measure::Text },
        Field { id: NAME, title: NAME, measure: Measure::Text },
    ];

    fn rows(cluster: &Cluster) -> Vec<FoldedEvent<'_>> {
        cluster.folded_events()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<FoldedEvent<'a>> {
        match id {
            RowId::Object(object) => cluster.folded_event(object),
            RowId::Volume(_) | RowId::Case(_) => None,
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

    /// That of its object: what is said of a node lies in `default` and is about none.
    fn namespace(row: &FoldedEvent<'_>) -> Option<Text> {
        Some(row.newest.regarding.name.namespace.clone()).filter(|namespace| !namespace.is_empty())
    }

    fn fact<'r>((column, _): (Column, &Heading), row: &'r FoldedEvent<'_>, look: &Look<'_>) -> Fact<'r> {
        let event = row.newest;
        match column {
            Column::Age => event.last.map_or(Fact::None, |at| Fact::duration(look.now.duration_since(at))),
            Column::Type => Fact::text(word(event.is_warning)),
            Column::Reason => Fact::text(event.reason.as_str()),
            Column::Object => Fact::text(subject(row)),
            Column::Count => Fact::count(usize::try_from(row.count).unwrap_or(usize::MAX)),
            Column::Message => Fact::text(event.note.as_str()),
        }
    }

    fn extra<'r>(field: &'static str, row: &'r FoldedEvent<'_>, _: &Look<'_>) -> Fact<'r> {
        let about = &row.newest.regarding;
        match field {
            KIND => Fact::text(about.kind.as_str()),
            NAMESPACE => Fact::text(about.name.namespace.as_str()),
            NAME => Fact::text(about.name.name.as_str()),
            _ => Fact::None,
        }
    }
}

const KIND: &str = "kind";
const NAMESPACE: &str = "namespace";
const NAME: &str = "name";

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
