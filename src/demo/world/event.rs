//! Events as the components write them, and their end after an hour.
//!
//! Two hands: the old recorder, which most components use, and the new one of the scheduler, which leaves the old
//! times empty.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::{Key, scatter};
use super::{Controller, Stage, sooner};

/// `--event-ttl` of the API server.
const TIME_TO_LIVE: i64 = 3_600;

/// How an event is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Normal,
    Warning,
}

impl Tone {
    const fn text(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// What a component says.
#[derive(Debug)]
pub(super) struct Note<'a> {
    pub(super) tone: Tone,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
    pub(super) component: &'a str,
    /// The node that speaks, if it is a kubelet.
    pub(super) host: &'a str,
}

impl<'a> Note<'a> {
    pub(super) const fn normal(component: &'a str, reason: &'a str, message: &'a str) -> Self {
        Self { tone: Tone::Normal, reason, message, component, host: "" }
    }

    pub(super) const fn warning(component: &'a str, reason: &'a str, message: &'a str) -> Self {
        Self { tone: Tone::Warning, reason, message, component, host: "" }
    }

    pub(super) const fn on(mut self, host: &'a str) -> Self {
        self.host = host;
        self
    }
}

impl Stage<'_> {
    /// Says something about an object, in the old form; said again, it is counted.
    pub(super) fn say(&mut self, about: &Value, note: &Note<'_>) {
        let now = object::time(self.now);
        let known = self.store.list(Resource::Events).find(|event| {
            event["involvedObject"]["uid"] == about["metadata"]["uid"]
                && event["reason"] == note.reason
                && event["message"] == note.message
        });
        if let Some(known) = known {
            let key = object::key(known);
            self.change(Resource::Events, &key, |event| {
                event["count"] = json!(object::number(event, "/count").unwrap_or(1) + 1);
                event["lastTimestamp"] = json!(now);
            });
            return;
        }
        let mut source = json!({ "component": note.component });
        if !note.host.is_empty() {
            source["host"] = json!(note.host);
        }
        let mut event = self.blank(about, note);
        event["source"] = source;
        event["firstTimestamp"] = json!(now);
        event["lastTimestamp"] = json!(now);
        event["count"] = json!(1);
        event["eventTime"] = Value::Null;
        event["reportingComponent"] = json!(note.component);
        event["reportingInstance"] = json!(note.host);
        self.put(Resource::Events, event);
    }

    /// Says something unless it has been said within the hour.
    pub(super) fn say_once(&mut self, about: &Value, note: &Note<'_>) {
        let is_known = self.store.list(Resource::Events).any(|event| {
            event["involvedObject"]["uid"] == about["metadata"]["uid"] && event["reason"] == note.reason
        });
        if !is_known {
            self.say(about, note);
        }
    }

    /// Says something in the scheduler's form.
    pub(super) fn say_anew(&mut self, about: &Value, note: &Note<'_>, action: &str) {
        let mut event = self.blank(about, note);
        event["source"] = json!({});
        event["firstTimestamp"] = Value::Null;
        event["lastTimestamp"] = Value::Null;
        event["eventTime"] = json!(object::micro_time(self.now));
        event["action"] = json!(action);
        event["reportingComponent"] = json!(note.component);
        event["reportingInstance"] = json!(format!("{}-control-plane-0", note.component));
        self.put(Resource::Events, event);
    }

    fn blank(&self, about: &Value, note: &Note<'_>) -> Value {
        // What has no namespace is spoken of in the default one.
        let namespace = Some(object::namespace(about)).filter(|namespace| !namespace.is_empty());
        let suffix = scatter(self.store.version());
        let mut involved = json!({
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": about["metadata"]["name"],
            "uid": about["metadata"]["uid"],
        });
        if let Some(namespace) = namespace {
            involved["namespace"] = json!(namespace);
            involved["resourceVersion"] = about["metadata"]["resourceVersion"].clone();
        }
        json!({
            "metadata": {
                "namespace": namespace.unwrap_or("default"),
                "name": format!("{}.{suffix:016x}", object::name(about)),
            },
            "involvedObject": involved,
            "type": note.tone.text(),
            "reason": note.reason,
            "message": note.message,
        })
    }
}

/// Removes events that nobody has renewed for an hour.
#[derive(Clone)]
pub(super) struct Expiry;

impl Controller for Expiry {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Events]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let time_to_live = stage.timers.seconds(TIME_TO_LIVE);
        let ends: Vec<(Key, Timestamp)> = stage
            .store
            .list(Resource::Events)
            .filter_map(|event| Some((object::key(event), last_said(event)? + time_to_live)))
            .collect();
        let mut due = None;
        for (key, end) in ends {
            if end <= stage.now {
                stage.store.remove(Resource::Events, &key);
            } else {
                due = sooner(due, Some(end));
            }
        }
        due
    }
}

fn last_said(event: &Value) -> Option<Timestamp> {
    ["/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .iter()
        .find_map(|pointer| object::time_at(event, pointer))
}
