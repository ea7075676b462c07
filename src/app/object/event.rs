//! An open event: its message in full, and the object that it is about.

use super::{Line, Section};
use crate::app::columns::{Cell, Look, Tone, events};
use crate::app::subject::{named, row_of};
use crate::app::time::age;
use crate::cluster::{FoldedEvent, Kind, ObjectRef};

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let folded = look.cluster.folded_event(object)?;
    let FoldedEvent { newest: event, count, .. } = folded;
    let tone = events::tone(event.is_warning);
    let mut lines = vec![
        Line::new("reason", Cell::new(event.reason.as_str(), tone))
            .and(Cell::new(events::word(event.is_warning), tone)),
        Line::new("message", Cell::plain(event.note.as_str())),
        about(&folded, look),
        Line::new("last seen", Cell::plain(format!("{} ago", age(event.last, look.now)))),
        Line::new("said", Cell::plain(if count == 1 { "once".to_owned() } else { format!("{count} times") })),
    ];
    if let Some(source) = event.source.non_empty() {
        lines.push(Line::new("by", Cell::plain(source)));
    }
    lines.push(Line::new("expires", Cell::muted(events::EXPIRY)));
    Some(vec![Section { title: "Event".to_owned(), lines }])
}

/// The object it is about, if it is still the same one.
fn about(event: &FoldedEvent<'_>, look: &Look<'_>) -> Line {
    let about = &event.newest.regarding;
    let line = Line::new("about", Cell::plain(events::subject(event)));
    let Some(kind) = Kind::ALL.into_iter().find(|kind| about.kind == *kind.word()) else { return line };
    match named(look.cluster, kind, &about.name) {
        // Of nodes the uid is the name, or empty.
        Some(found) if found.uid == about.uid || kind == Kind::Node || about.uid.is_empty() => {
            match row_of(look.cluster, &found) {
                Some(row) => line.to(row),
                None => line,
            }
        }
        Some(_) => line.and(Cell::new("another of this name is there now", Tone::Notice)),
        None if look.cluster.has_read(kind) => line.and(Cell::muted("not there any more")),
        None => line,
    }
}
