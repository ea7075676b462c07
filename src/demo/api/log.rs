//! The logs of containers: a line of JSON a second for as long as one has run.
//!
//! They are made up from when the container started, so that they are the same whoever asks and whenever, and nothing
//! has to be kept. A kubelet that is gone hands out none.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::backend::Backend;
use super::super::object;
use super::super::resource::Resource;
use super::super::store::{Key, Store};
use super::super::world::{Contact, World};
use super::ask::Query;
use super::status::Refusal;

/// What came before was rotated away.
const MOST_LINES: i64 = 2_000;

/// Which lines of whose log are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    key: Key,
    uid: String,
    container: String,
    started: Timestamp,
    ended: Option<Timestamp>,
    first: i64,
    is_following: bool,
    has_timestamps: bool,
}

impl Request {
    pub(crate) fn parse(world: &World, key: &Key, query: &Query) -> Result<Self, Refusal> {
        let store = &world.store;
        let pod =
            store.get(Resource::Pods, key).ok_or_else(|| Refusal::not_found(Resource::Pods, &key.name))?;
        let container = container(&pod, query.text("container"))?;
        let node = object::text(&pod, "/spec/nodeName");
        let status = status(&pod, &container);
        let state = &status["state"];
        let waiting = || {
            let reason = state["waiting"]["reason"].as_str().unwrap_or("ContainerCreating");
            let why = match reason {
                "ImagePullBackOff" | "ErrImagePull" => "trying and failing to pull image",
                other => other,
            };
            let told =
                format!("container \"{container}\" in pod \"{}\" is waiting to start: {why}", key.name);
            Refusal::bad_request(&told)
        };
        if node.is_empty() {
            let told = format!("pod {} does not have a host assigned", key.name);
            return Err(Refusal::bad_request(&told));
        }
        check_node(world, node, key)?;
        let shown = if query.flag("previous") {
            let last = &status["lastState"]["terminated"];
            if !last.is_object() {
                let told = format!(
                    "previous terminated container \"{container}\" in pod \"{}\" not found",
                    key.name
                );
                return Err(Refusal::bad_request(&told));
            }
            last
        } else if state["running"].is_object() {
            &state["running"]
        } else if state["terminated"].is_object() {
            &state["terminated"]
        } else if status["lastState"]["terminated"].is_object() {
            &status["lastState"]["terminated"]
        } else {
            return Err(waiting());
        };
        let started = object::time_at(shown, "/startedAt").ok_or_else(waiting)?;
        let ended = object::time_at(shown, "/finishedAt");
        let mut request = Self {
            key: key.clone(),
            uid: object::uid(&pod).to_owned(),
            container,
            started,
            ended,
            first: 0,
            is_following: query.flag("follow"),
            has_timestamps: query.flag("timestamps"),
        };
        request.first = request.first_line(query, Timestamp::now())?;
        Ok(request)
    }

    fn first_line(&self, query: &Query, now: Timestamp) -> Result<i64, Refusal> {
        let lines = self.lines_until(now);
        let oldest = (lines - MOST_LINES).max(0);
        let tail = query.number("tailLines")?.and_then(|tail| i64::try_from(tail).ok());
        let tail = tail.map_or(oldest, |tail| lines - tail);
        let since = match (query.number("sinceSeconds")?, query.text("sinceTime").parse::<Timestamp>()) {
            (Some(seconds), _) => {
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(now.as_second());
                Some(now - SignedDuration::from_secs(seconds))
            }
            (None, Ok(since)) => Some(since),
            (None, Err(_)) => None,
        };
        let since = since.map_or(0, |since| since.duration_since(self.started).as_secs());
        Ok(oldest.max(tail).max(since))
    }

    /// How many lines it has written by then.
    fn lines_until(&self, now: Timestamp) -> i64 {
        let end = self.ended.map_or(now, |ended| ended.min(now));
        (end.duration_since(self.started).as_secs() + 1).max(0)
    }

    fn written(&self, lines: std::ops::Range<i64>) -> String {
        let mut text = String::new();
        for number in lines {
            if self.has_timestamps {
                let at = self.started + SignedDuration::from_secs(number);
                let _ = write!(text, "{} ", object::micro_time(at));
            }
            let level = if number % 17 == 0 { "error" } else { "info" };
            let (pod, container, took) = (&self.key.name, &self.container, number * 7 % 1_000);
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{{\"level\":\"{level}\",\"n\":{number},\"pod\":\"{pod}\",\"container\":\"{container}\",\"msg\":\"request \
                 handled\",\"ms\":{took}}}"
            );
        }
        text
    }

    /// Whether it may still write.
    fn is_running(&self, store: &Store) -> bool {
        store.get(Resource::Pods, &self.key).is_some_and(|pod| {
            object::uid(&pod) == self.uid && status(&pod, &self.container)["state"]["running"].is_object()
        })
    }
}

/// The lines that are there; and, who follows, those that come.
pub(crate) fn stream(
    backend: &Arc<Backend>,
    request: Request,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + use<> {
    let state = (Arc::clone(backend), request, true);
    futures::stream::unfold(state, |(backend, mut request, is_first)| async move {
        if !is_first {
            if !request.is_following || request.ended.is_some() {
                return None;
            }
            let next = request.started + SignedDuration::from_secs(request.first);
            let wait = next.duration_since(Timestamp::now()).unsigned_abs().min(Duration::from_secs(1));
            tokio::time::sleep(wait).await;
            if !backend.with(|world| request.is_running(&world.store)) {
                return None;
            }
        }
        let lines = request.lines_until(Timestamp::now()).max(request.first);
        let text = request.written(request.first..lines);
        request.first = lines;
        Some((Ok(Frame::data(Bytes::from(text))), (backend, request, false)))
    })
}

/// The container that is meant: the only one needs no name.
fn container(pod: &Value, wanted: &str) -> Result<String, Refusal> {
    let lists = ["/spec/containers", "/spec/initContainers"];
    let names: Vec<&str> = lists
        .iter()
        .flat_map(|list| object::items(pod, list))
        .map(|container| object::text(container, "/name"))
        .collect();
    let pod = object::name(pod);
    match (wanted, &names[..]) {
        ("", [only]) => Ok((*only).to_owned()),
        ("", several) => {
            let told = format!(
                "a container name must be specified for pod {pod}, choose one of: [{}]",
                several.join(" ")
            );
            Err(Refusal::bad_request(&told))
        }
        (wanted, names) if names.contains(&wanted) => Ok(wanted.to_owned()),
        (wanted, _) => Err(Refusal::bad_request(&format!("container {wanted} is not valid for pod {pod}"))),
    }
}

fn status<'a>(pod: &'a Value, container: &str) -> &'a Value {
    ["/status/containerStatuses", "/status/initContainerStatuses"]
        .iter()
        .flat_map(|list| object::items(pod, list))
        .find(|status| status["name"] == container)
        .unwrap_or(&Value::Null)
}

/// Logs lie on the machine: who cannot reach it gets none.
fn check_node(world: &World, node: &str, key: &Key) -> Result<(), Refusal> {
    let machine = world.store.get(Resource::Nodes, &Key::new("", node));
    let address = machine.as_deref().map_or("", |node| {
        let addresses = object::items(node, "/status/addresses");
        let inside = addresses.iter().find(|address| address["type"] == "InternalIP");
        inside.map_or("", |address| object::text(address, "/address"))
    });
    // By the machine and not by what its node's status says: a kubelet that has just gone still looks well, and one that
    // reports that it is not ready answers.
    let trouble = match world.contact(node) {
        Contact::Speaks if machine.is_some() => return Ok(()),
        Contact::Stopped => "connect: connection refused",
        Contact::Speaks | Contact::CutOff | Contact::Off => "i/o timeout",
    };
    Err(Refusal::internal(&format!(
        "Get \"https://{address}:10250/containerLogs/{}/{}\": dial tcp {address}:10250: {trouble}",
        key.namespace, key.name
    )))
}
