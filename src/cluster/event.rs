//! An event, old style and new alike. Events expire after an hour: one that is gone is not a trouble resolved.

use super::{Cluster, Kind, Meta, Name, ObjectRef, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub meta: Meta,
    pub regarding: Regarding,
    pub reason: Text,
    pub note: Text,
    pub is_warning: bool,
    pub source: Text,
    /// When it last happened, by the right one of the API's five time fields.
    pub last: Option<Timestamp>,
    pub count: u32,
}

/// What the event is about. The uid may be the object's, the node's name, or empty: match by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Regarding {
    pub kind: Text,
    pub name: Name,
    pub uid: Text,
}

/// Events that say the same of the same object, as one: controllers that restart, and kubelets that came back, write
/// anew what they had written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedEvent<'a> {
    /// The first of them by name, which stands for all: it stays the same while newer ones come.
    pub id: &'a Event,
    pub newest: &'a Event,
    /// How often it was said.
    pub count: u64,
}

impl<'a> FoldedEvent<'a> {
    /// Folds the events of one subject.
    fn of(mut events: Vec<&'a Event>) -> Vec<Self> {
        events.sort_by_key(|event| (event.said(), &event.meta.name));
        let alike = events.chunk_by(|one, two| one.said() == two.said());
        alike
            .filter_map(|alike| {
                let newest = alike.iter().copied().max_by_key(|event| event.last)?;
                let count = alike.iter().map(|event| u64::from(event.count)).sum();
                Some(Self { id: alike.first()?, newest, count })
            })
            .collect()
    }
}

impl Event {
    /// What is said, and of whom: the object before this one of the same name is another.
    fn said(&self) -> (&Text, bool, &Text, &Text) {
        (&self.reason, self.is_warning, &self.note, &self.regarding.uid)
    }
}

impl Cluster {
    /// All events, with those folded that say the same.
    pub fn folded_events(&self) -> Vec<FoldedEvent<'_>> {
        let by_subject = self.indexes.events_by_regarding.iter();
        by_subject.flat_map(|(_, names)| FoldedEvent::of(self.named_events(names))).collect()
    }

    /// Events about an object, folded. By kind and name: an event's uid may be the node's name, or empty.
    pub fn folded_events_of(&self, kind: Kind, name: &Name) -> Vec<FoldedEvent<'_>> {
        let subject = (Text::from(kind.word()), name.clone());
        FoldedEvent::of(self.named_events(self.indexes.events_by_regarding.keys(&subject)))
    }

    /// The folded event that an event is part of.
    pub fn folded_event(&self, object: &ObjectRef) -> Option<FoldedEvent<'_>> {
        let event = self.events.same(object)?;
        let Regarding { kind, name, .. } = &event.regarding;
        let subject = (kind.clone(), name.clone());
        let names = self.indexes.events_by_regarding.keys(&subject);
        let alike = self.named_events(names).into_iter().filter(|other| other.said() == event.said());
        FoldedEvent::of(alike.collect()).pop()
    }

    fn named_events<'a>(&'a self, names: impl IntoIterator<Item = &'a Name>) -> Vec<&'a Event> {
        names.into_iter().filter_map(|name| self.events.get(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::at;
    use crate::cluster::{Change, Delta, Row as _};

    fn event(name: &str, note: &str, second: i64) -> Event {
        Event {
            meta: Meta { name: Name::new("db", name), uid: name.into(), ..Meta::default() },
            regarding: Regarding {
                kind: "Pod".into(),
                name: Name::new("db", "postgres-0"),
                uid: "uid".into(),
            },
            reason: "BackOff".into(),
            note: note.into(),
            is_warning: true,
            last: Some(at(second)),
            count: 3,
            ..Event::default()
        }
    }

    #[test]
    fn events_that_say_the_same_are_one_that_keeps_its_identity() {
        let mut cluster = Cluster::default();
        let apply = |cluster: &mut Cluster, event: Event| {
            cluster.apply(Change::Event(Delta::Apply(Box::new(event))), at(0));
        };
        apply(&mut cluster, event("b", "back-off", 5));
        apply(&mut cluster, event("a", "another", 1));
        let id = cluster.events.get(&Name::new("db", "b")).unwrap().object();
        assert_eq!(cluster.folded_event(&id).unwrap().count, 3);
        apply(&mut cluster, event("c", "back-off", 9));
        let folded = cluster.folded_events();
        assert_eq!(folded.len(), 2);
        let both = cluster.folded_event(&id).unwrap();
        assert!(folded.contains(&both));
        assert_eq!((both.count, both.newest.last, both.id.meta.name.name.as_str()), (6, Some(at(9)), "b"));
    }

    #[test]
    fn what_was_said_of_the_pod_before_is_not_said_of_its_successor() {
        let mut cluster = Cluster::default();
        let mut before = event("a", "back-off", 1);
        before.regarding.uid = "uid-before".into();
        cluster.apply_all(
            [before, event("b", "back-off", 2)].map(|event| Change::Event(Delta::Apply(Box::new(event)))),
            at(0),
        );
        assert_eq!(cluster.folded_events().len(), 2);
    }
}
