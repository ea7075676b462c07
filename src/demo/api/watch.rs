//! Watches: one line of JSON per change, bookmarks while nothing happens, an end in time.
//!
//! A watch holds no copy of anything: it reads the store's log from where it is, and waits on the store's version.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::backend::Backend;
use super::super::resource::Resource;
use super::super::store::{Entry, Store};
use super::ask::{Query, Shape};
use super::selector::Selector;
use super::shape;
use super::status::Refusal;

/// How long a watch lasts that does not say how long; a real server picks between 30 and 60 minutes.
const DEFAULT_LENGTH: Duration = Duration::from_mins(40);

/// A watch that is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) resource: Resource,
    pub(crate) selector: Selector,
    pub(crate) shape: Shape,
    start: Start,
    wants_bookmarks: bool,
    length: Duration,
}

/// From where a watch tells.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// What comes after a version.
    After(u64),
    /// All that is there, no older than a version, then what comes; `marks_end` says where the one ends.
    FromScratch { not_before: u64, marks_end: bool },
}

impl Request {
    pub(crate) fn parse(
        resource: Resource,
        selector: Selector,
        shape: Shape,
        query: &Query,
        has_watch_list: bool,
    ) -> Result<Self, Refusal> {
        let wants_bookmarks = query.flag("allowWatchBookmarks");
        let version = query.version()?;
        let start = if query.text("sendInitialEvents").is_empty() {
            match version {
                Some(version) if version > 0 => Start::After(version),
                // A server with streaming lists treats it as one.
                Some(_) | None => {
                    Start::FromScratch { not_before: 0, marks_end: has_watch_list && wants_bookmarks }
                }
            }
        } else {
            check_streaming_list(query, has_watch_list)?;
            if query.flag("sendInitialEvents") {
                Start::FromScratch { not_before: version.unwrap_or(0), marks_end: wants_bookmarks }
            } else {
                Start::After(version.unwrap_or(0))
            }
        };
        let length = query.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
        let length = length.map_or(DEFAULT_LENGTH, Duration::from_secs);
        Ok(Self { resource, selector, shape, start, wants_bookmarks, length })
    }
}

fn check_streaming_list(query: &Query, has_watch_list: bool) -> Result<(), Refusal> {
    if !has_watch_list {
        let complaint =
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        return Err(Refusal::invalid_options("sendInitialEvents", complaint));
    }
    if query.text("resourceVersionMatch") != "NotOlderThan" {
        let complaint = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(Refusal::invalid_options("resourceVersionMatch", complaint));
    }
    Ok(())
}

/// An open watch.
struct Watch {
    backend: Arc<Backend>,
    request: Request,
    /// Everything up to this version has been told.
    position: u64,
    lines: VecDeque<Value>,
    is_over: bool,
    has_sent_columns: bool,
    ends_at: Instant,
    next_bookmark: Instant,
    bookmark_period: Duration,
    versions: watch::Receiver<u64>,
    silence: watch::Receiver<bool>,
    ended: watch::Receiver<u64>,
}

/// The body of a watch's answer.
pub(crate) fn stream(
    backend: &Arc<Backend>,
    request: Request,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + use<> {
    let bookmark_period = backend.levers.bookmark_period();
    let now = Instant::now();
    let mut watch = Watch {
        ends_at: now + request.length,
        next_bookmark: now + bookmark_period,
        bookmark_period,
        position: 0,
        lines: VecDeque::new(),
        is_over: false,
        has_sent_columns: false,
        versions: backend.versions(),
        silence: backend.levers.is_silent.subscribe(),
        ended: backend.levers.ended_watches.subscribe(),
        backend: Arc::clone(backend),
        request,
    };
    watch.backend.levers.watch_opened();
    watch.begin();
    futures::stream::unfold(watch, |mut watch| async move {
        let chunk = watch.next().await?;
        Some((Ok(Frame::data(chunk)), watch))
    })
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.backend.levers.watch_closed();
    }
}

impl Watch {
    fn begin(&mut self) {
        let Self { backend, request, .. } = self;
        let resource = request.resource;
        let (start, selector) = (request.start, &request.selector);
        let begun = backend.with(|world| {
            let store = &world.store;
            match start {
                Start::After(version) => match store.reaches_back_to(resource, version) {
                    Ok(()) => Ok((version, Vec::new())),
                    Err(too_old) => Err(Refusal::too_old(version, too_old.floor)),
                },
                Start::FromScratch { not_before, .. } if not_before > store.version() => {
                    Err(Refusal::version_too_large(not_before, store.version()))
                }
                Start::FromScratch { .. } => {
                    let present = store.list(resource).filter(|object| selector.matches(object));
                    Ok((store.version(), present.cloned().collect()))
                }
            }
        });
        match begun {
            Ok((position, present)) => {
                self.position = position;
                for object in present {
                    self.tell("ADDED", &object);
                }
                if let Start::FromScratch { marks_end: true, .. } = start {
                    self.bookmark(true);
                }
            }
            Err(refusal) => self.fail(&refusal),
        }
    }

    /// The next lines; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // A silent server neither speaks nor ends.
            if self.silence.wait_for(|is_silent| !is_silent).await.is_err() {
                return None;
            }
            if !self.lines.is_empty() {
                return Some(self.chunk());
            }
            if self.is_over || self.ended.has_changed().unwrap_or(true) {
                return None;
            }
            self.versions.mark_unchanged();
            self.read();
            if !self.lines.is_empty() {
                continue;
            }
            tokio::select! {
                // It fails only when the server is gone.
                changed = self.versions.changed() => self.is_over = changed.is_err(),
                _ = self.ended.changed() => return None,
                () = tokio::time::sleep_until(self.ends_at) => {
                    self.idle_bookmark();
                    self.is_over = true;
                }
                () = tokio::time::sleep_until(self.next_bookmark), if self.request.wants_bookmarks => {
                    self.idle_bookmark();
                    self.next_bookmark = Instant::now() + self.bookmark_period;
                }
            }
        }
    }

    /// Takes from the log what is new.
    fn read(&mut self) {
        let Self { backend, request, position, .. } = self;
        let from = *position;
        let news = backend.with(|world| news(&world.store, request.resource, from));
        match news {
            Ok((entries, version)) => {
                self.position = version;
                for entry in entries {
                    self.tell_change(&entry);
                }
            }
            Err(refusal) => self.fail(&refusal),
        }
    }

    fn tell_change(&mut self, entry: &Entry) {
        if let Some((kind, object)) = seen(entry, &self.request.selector) {
            self.tell(kind, &object);
        }
    }

    fn tell(&mut self, kind: &str, object: &Value) {
        let mut object = shape::object(self.request.shape, self.request.resource, object, Timestamp::now());
        if self.request.shape == Shape::Table && std::mem::replace(&mut self.has_sent_columns, true) {
            object["columnDefinitions"] = Value::Null;
        }
        self.lines.push_back(line(kind, &object));
    }

    /// A bookmark for who waits. Events have none on a real server; and a version ahead of the store has not been
    /// reached yet.
    fn idle_bookmark(&mut self) {
        let is_ahead = self.position > *self.versions.borrow();
        if self.request.wants_bookmarks && self.request.resource != Resource::Events && !is_ahead {
            self.bookmark(false);
        }
    }

    fn bookmark(&mut self, is_end_of_list: bool) {
        let Request { shape, resource, .. } = self.request;
        let object = shape::bookmark(shape, resource, self.position, is_end_of_list);
        self.lines.push_back(json!({ "type": "BOOKMARK", "object": object }));
    }

    /// An error after the answer has begun: HTTP 200, and the error as a line.
    fn fail(&mut self, refusal: &Refusal) {
        self.lines.push_back(json!({ "type": "ERROR", "object": refusal.body }));
        self.is_over = true;
    }

    fn chunk(&mut self) -> Bytes {
        let mut chunk = Vec::new();
        for line in self.lines.drain(..) {
            chunk.extend_from_slice(line.to_string().as_bytes());
            chunk.push(b'\n');
        }
        Bytes::from(chunk)
    }
}

/// A change as it looks through a selector: what leaves it is deleted, what enters it is added.
pub(crate) fn seen<'a>(entry: &'a Entry, selector: &Selector) -> Option<(&'static str, Cow<'a, Value>)> {
    let was_in = entry.before.as_deref().is_some_and(|before| selector.matches(before));
    let is_in = !entry.is_deletion && selector.matches(&entry.object);
    match (was_in, is_in) {
        (false, false) => None,
        (false, true) => Some(("ADDED", Cow::Borrowed(&entry.object))),
        (true, true) => Some(("MODIFIED", Cow::Borrowed(&entry.object))),
        (true, false) if entry.is_deletion => Some(("DELETED", Cow::Borrowed(&entry.object))),
        (true, false) => {
            let mut last = entry.before.as_deref().cloned().unwrap_or_default();
            last["metadata"]["resourceVersion"] = json!(entry.version.to_string());
            Some(("DELETED", Cow::Owned(last)))
        }
    }
}

/// What a watch sends for one change.
pub(crate) fn line(kind: &str, object: &Value) -> Value {
    json!({ "type": kind, "object": object })
}

/// The changes after a version, and how far they reach. A store that is behind the version has none until it has
/// passed it.
fn news(store: &Store, resource: Resource, position: u64) -> Result<(Vec<Entry>, u64), Refusal> {
    match store.since(resource, position) {
        Ok(entries) => Ok((entries.cloned().collect(), store.version().max(position))),
        Err(too_old) => Err(Refusal::too_old(position, too_old.floor)),
    }
}
