//! An event of `core/v1` on the wire, of the old recorder and the new: which time and count it goes by.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Time, free, nullable};
use super::shared::{Shared, own};
use super::volume::ObjectReference;
use crate::cluster::{Event as Row, Name, Regarding};
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    involved_object: ObjectReference,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    source: Source,
    #[prost(message, optional, tag = "6")]
    first_timestamp: Option<Time>,
    #[prost(message, optional, tag = "7")]
    last_timestamp: Option<Time>,
    #[prost(int32, tag = "8")]
    #[serde(deserialize_with = "nullable")]
    count: i32,
    #[prost(string, tag = "9")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[prost(message, optional, tag = "10")]
    #[serde(rename = "eventTime")]
    at: Option<Time>,
    #[prost(message, optional, tag = "11")]
    series: Option<Series>,
    #[prost(bytes = "vec", tag = "14")]
    #[serde(deserialize_with = "free")]
    reporting_component: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Source {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "free")]
    component: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    count: i32,
    #[prost(message, optional, tag = "2")]
    last_observed_time: Option<Time>,
}

impl Object for Event {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let about = &self.involved_object;
        let source =
            if self.source.component.is_empty() { &self.reporting_component } else { &self.source.component };
        Row {
            meta: self.metadata.meta(shared),
            regarding: Regarding {
                kind: shared.text(&about.kind),
                // One object has many events: its name and uid are shared, unlike an event's own.
                name: Name::new(shared.text(&about.namespace), shared.text(&about.name)),
                uid: shared.text(&about.uid),
            },
            reason: shared.free(&self.reason),
            note: own(&self.message),
            is_warning: self.kind == "Warning",
            source: shared.free(source),
            last: self.last(),
            count: self.count(),
        }
    }
}

impl Event {
    /// The new recorder leaves the old one's times empty, so the newest way of saying it comes first.
    fn last(&self) -> Option<Timestamp> {
        let observed = self.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
        observed
            .and_then(Time::micro)
            .or_else(|| self.at.as_ref().and_then(Time::micro))
            .or_else(|| self.last_timestamp.as_ref().and_then(Time::second))
            .or_else(|| self.first_timestamp.as_ref().and_then(Time::second))
            .or_else(|| self.metadata.creation_timestamp.as_ref().and_then(Time::second))
    }

    fn count(&self) -> u32 {
        let series = self.series.as_ref().map(|series| series.count);
        let counted = series.into_iter().chain([self.count]).find(|count| *count > 0);
        counted.and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_way_of_saying_when_wins() {
        let mut event: Event = serde_json::from_str(
            r#"{"metadata": {"creationTimestamp": "2026-01-01T00:00:01Z"},
                "firstTimestamp": "2026-01-01T00:00:02Z", "lastTimestamp": "2026-01-01T00:00:03Z",
                "eventTime": "2026-01-01T00:00:04.000004Z", "count": 7,
                "series": {"count": 9, "lastObservedTime": "2026-01-01T00:00:05.000005Z"}}"#,
        )
        .unwrap();
        let last = |event: &Event| event.last().unwrap().to_string();
        assert_eq!((last(&event), event.count()), ("2026-01-01T00:00:05.000005Z".into(), 9));
        event.series = None;
        assert_eq!((last(&event), event.count()), ("2026-01-01T00:00:04.000004Z".into(), 7));
        event.at = None;
        event.count = 0;
        assert_eq!((last(&event), event.count()), ("2026-01-01T00:00:03Z".into(), 1));
        event.last_timestamp = Some(Time::default());
        assert_eq!(last(&event), "2026-01-01T00:00:02Z");
        event.first_timestamp = None;
        assert_eq!(last(&event), "2026-01-01T00:00:01Z");
    }
}
