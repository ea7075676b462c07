//! A server that says what a test tells it to, in the process and without sockets: so time can stand still, and the
//! minutes that watches take are exact and pass at once.
//!
//! Requests to one path are the test's to answer. All others find no such kind, and `/livez` answers as it is told.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use sickbay::k8s::clock::Clock;
use sickbay::k8s::watch::Upstream;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

type Reply = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// Longer than anything here lasts, in the time that passes at once: a test that waits for nothing ends.
pub const PATIENCE: Duration = Duration::from_hours(2);

pub const PROTOBUF: &str = "application/vnd.kubernetes.protobuf;stream=watch";
pub const JSON: &str = "application/json";

/// How `/livez` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Alive,
    /// Alive, a third of a second away.
    Far,
    Hanging,
    Refusing,
    Answering(u16),
}

/// The client's end.
pub struct Wire {
    client: Client,
    clock: Clock,
    pub renewals: AtomicUsize,
    /// Renewals that fail before one does not.
    pub failing_renewals: AtomicUsize,
}

impl Upstream for Wire {
    fn client(&self) -> Client {
        self.client.clone()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn renew(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            self.renewals.fetch_add(1, Ordering::SeqCst);
            let fails = self
                .failing_renewals
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if fails.is_ok() { Err("the plugin says no".to_owned()) } else { Ok(()) }
        })
    }
}

/// The server's end.
pub struct Script {
    asked: mpsc::UnboundedReceiver<Asked>,
    pub life: watch::Sender<Life>,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Asked {
    pub path: String,
    pub query: String,
    pub accept_encoding: String,
    pub accept: String,
    pub at: Instant,
    reply: oneshot::Sender<Result<Reply, io::Error>>,
}

/// A server whose requests below `prefix` are the test's.
pub fn script(prefix: &'static str) -> (Arc<Wire>, Script) {
    let (ask, asked) = mpsc::unbounded_channel();
    let life = watch::Sender::new(Life::Alive);
    let lives = life.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (ask, mut lives) = (ask.clone(), lives.subscribe());
        let (reply, answer) = oneshot::channel();
        let header =
            |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let asked = Asked {
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            accept_encoding: header("accept-encoding"),
            accept: header("accept"),
            at: Instant::now(),
            reply,
        };
        async move {
            if asked.path == "/livez" {
                return livez(&mut lives).await;
            }
            if !asked.path.starts_with(prefix) {
                return Ok(complaint(404, "no such kind", &json!({})));
            }
            // Nobody takes it or answers it: the test is over, or does not want to.
            if ask.send(asked).is_err() {
                return std::future::pending().await;
            }
            match answer.await {
                Ok(answer) => answer,
                Err(_) => std::future::pending().await,
            }
        }
    });
    let wire = Wire {
        client: Client::new(service, "default"),
        clock: Clock::start(),
        renewals: AtomicUsize::new(0),
        failing_renewals: AtomicUsize::new(0),
    };
    (Arc::new(wire), Script { asked, life })
}

async fn livez(lives: &mut watch::Receiver<Life>) -> Result<Reply, io::Error> {
    let life = *lives.borrow();
    match life {
        Life::Alive => Ok(whole(200, "text/plain", b"ok".to_vec())),
        Life::Far => {
            sleep(Duration::from_millis(333)).await;
            Ok(whole(200, "text/plain", b"ok".to_vec()))
        }
        Life::Hanging => std::future::pending().await,
        Life::Refusing => Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
        Life::Answering(code) => Ok(complaint(code, "not for you", &json!({}))),
    }
}

fn whole(code: u16, content_type: &str, body: Vec<u8>) -> Reply {
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {});
    let response = Response::builder().status(StatusCode::from_u16(code).unwrap());
    response.header("content-type", content_type).body(UnsyncBoxBody::new(body)).unwrap()
}

fn complaint(code: u16, message: &str, more: &Value) -> Reply {
    let mut response = whole(code, JSON, status(code, message, more).to_string().into_bytes());
    if let Some(seconds) = more["retryAfter"].as_u64() {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// A `Status`; `more` gives its metadata and the like.
pub fn status(code: u16, message: &str, more: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": more["metadata"], "status": "Failure",
        "message": message, "reason": more["reason"], "details": more["details"], "code": code,
    })
}

impl Script {
    /// The next request to the path.
    pub async fn asked(&mut self) -> Asked {
        timeout(PATIENCE, self.asked.recv()).await.expect("a request").expect("streams that run")
    }

    /// The next request, which must be a page of a list.
    pub async fn page(&mut self) -> Asked {
        let asked = self.asked().await;
        assert!(asked.query.starts_with("limit=500"), "a page of a list, and not {}", asked.query);
        asked
    }

    /// The next request, which must ask how far the server is, and is told.
    pub async fn is_at(&mut self, version: &str) -> Instant {
        let asked = self.asked().await;
        assert_eq!(asked.query, "limit=1");
        let at = asked.at;
        asked.list(version, &["unwanted"], &json!({ "continue": "more" }));
        at
    }

    /// The next request, which must be a watch from a version.
    pub async fn watch_from(&mut self, version: &str) -> Asked {
        let asked = self.asked().await;
        let from = format!("&resourceVersion={version}");
        assert!(asked.query.ends_with(&from), "a watch from {version}, and not {}", asked.query);
        asked
    }

    /// The next request, which must be a `WatchList`.
    pub async fn watch_list(&mut self) -> Asked {
        let asked = self.asked().await;
        assert!(asked.query.contains("sendInitialEvents=true"), "a WatchList, and not {}", asked.query);
        asked
    }

    /// Whether somebody asks within a time.
    pub async fn is_asked_within(&mut self, time: Duration) -> bool {
        matches!(timeout(time, self.asked.recv()).await, Ok(Some(_)))
    }
}

impl Asked {
    fn answer(self, reply: Result<Reply, io::Error>) {
        // Who asked may have given up.
        let _gone = self.reply.send(reply);
    }

    /// A whole list, or one page of it.
    pub fn list(self, version: &str, names: &[&str], metadata: &Value) {
        let items: Vec<Value> = names.iter().map(|name| namespace(name, "uid", version)).collect();
        let mut list = json!({ "kind": "List", "apiVersion": "v1", "items": items, "metadata": metadata });
        list["metadata"]["resourceVersion"] = version.into();
        self.answer(Ok(whole(200, JSON, list.to_string().into_bytes())));
    }

    pub fn text(self, code: u16, content_type: &str, body: &str) {
        self.answer(Ok(whole(code, content_type, body.as_bytes().to_vec())));
    }

    pub fn refuse(self, code: u16, message: &str) {
        self.refuse_with(code, message, &json!({}));
    }

    pub fn refuse_with(self, code: u16, message: &str, more: &Value) {
        self.answer(Ok(complaint(code, message, more)));
    }

    /// The connection fails before there is an answer.
    pub fn fail(self) {
        self.answer(Err(io::Error::from(io::ErrorKind::ConnectionRefused)));
    }

    /// A stream that the test goes on with.
    pub fn stream(self, content_type: &str) -> Stream {
        let (frames, rest) = mpsc::channel(1);
        let body = StreamBody::new(futures::stream::unfold(rest, async |mut rest: mpsc::Receiver<_>| {
            rest.recv().await.map(|frame| (frame, rest))
        }));
        let response = Response::builder().header("content-type", content_type);
        let is_protobuf = content_type == PROTOBUF;
        self.answer(Ok(response.body(UnsyncBoxBody::new(body)).unwrap()));
        Stream { frames, is_protobuf }
    }
}

/// A watch that is open. Dropped, it ends cleanly.
pub struct Stream {
    frames: mpsc::Sender<Result<Frame<Bytes>, io::Error>>,
    is_protobuf: bool,
}

impl Stream {
    pub async fn added(&self, name: &str, version: &str) {
        self.send("ADDED", name, version, None).await;
    }

    pub async fn deleted(&self, name: &str, version: &str) {
        self.send("DELETED", name, version, None).await;
    }

    pub async fn bookmark(&self, version: &str) {
        self.send("BOOKMARK", "", version, None).await;
    }

    /// The bookmark that ends the initial events.
    pub async fn initial_end(&self, version: &str) {
        self.send("BOOKMARK", "", version, Some("k8s.io/initial-events-end")).await;
    }

    pub async fn error(&self, status: &Value) {
        let frame = if self.is_protobuf {
            protobuf::frame("ERROR", "Status", &protobuf::status(status))
        } else {
            line(&json!({ "type": "ERROR", "object": status }))
        };
        self.bytes(frame).await;
    }

    async fn send(&self, kind: &str, name: &str, version: &str, annotation: Option<&str>) {
        let frame = if self.is_protobuf {
            protobuf::frame(kind, "Namespace", &protobuf::namespace(name, version, annotation))
        } else {
            let mut object = namespace(name, "uid", version);
            if let Some(annotation) = annotation {
                object["metadata"]["annotations"] = json!({ annotation: "true" });
            }
            line(&json!({ "type": kind, "object": object }))
        };
        self.bytes(frame).await;
    }

    pub async fn bytes(&self, bytes: Vec<u8>) {
        // The other end may have hung up.
        let _gone = self.frames.send(Ok(Frame::data(bytes.into()))).await;
    }

    /// The connection breaks.
    pub async fn cut(self) {
        let _gone = self.frames.send(Err(io::Error::from(io::ErrorKind::ConnectionReset))).await;
    }

    /// Waits until the other end has hung up.
    pub async fn hung_up(&self) {
        timeout(PATIENCE, self.frames.closed()).await.expect("to be hung up on");
    }
}

fn line(frame: &Value) -> Vec<u8> {
    format!("{frame}\n").into_bytes()
}

pub fn namespace(name: &str, uid: &str, version: &str) -> Value {
    json!({
        "kind": "Namespace", "apiVersion": "v1",
        "metadata": { "name": name, "uid": uid, "resourceVersion": version },
        "status": { "phase": "Active" },
    })
}

/// The few messages of `generated.proto` that the tests need, written out by number.
mod protobuf {
    use serde_json::Value;

    fn varint(mut value: u64, out: &mut Vec<u8>) {
        loop {
            let low = u8::try_from(value & 0x7f).unwrap();
            value >>= 7;
            if value == 0 {
                out.push(low);
                return;
            }
            out.push(low | 0x80);
        }
    }

    fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        varint(number << 3 | 2, &mut out);
        varint(bytes.len() as u64, &mut out);
        out.extend_from_slice(bytes);
        out
    }

    fn integer(number: u64, value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        varint(number << 3, &mut out);
        varint(value, &mut out);
        out
    }

    pub fn namespace(name: &str, version: &str, annotation: Option<&str>) -> Vec<u8> {
        let mut meta = [field(1, name.as_bytes()), field(5, b"uid"), field(6, version.as_bytes())].concat();
        if let Some(annotation) = annotation {
            let entry = [field(1, annotation.as_bytes()), field(2, b"true")].concat();
            meta.extend(field(12, &entry));
        }
        [field(1, &meta), field(3, &field(1, b"Active"))].concat()
    }

    pub fn status(status: &Value) -> Vec<u8> {
        let text = |key: &str| status[key].as_str().unwrap_or_default().as_bytes();
        let code = status["code"].as_u64().unwrap();
        [field(2, text("status")), field(3, text("message")), field(4, text("reason")), integer(6, code)]
            .concat()
    }

    /// A frame of a watch: its length, the event, and within it the object in its envelope.
    pub fn frame(kind: &str, object_kind: &str, object: &[u8]) -> Vec<u8> {
        let type_meta = [field(1, b"v1"), field(2, object_kind.as_bytes())].concat();
        let unknown = [b"k8s\0".to_vec(), field(1, &type_meta), field(2, object)].concat();
        let event = [field(1, kind.as_bytes()), field(2, &field(1, &unknown))].concat();
        let length = u32::try_from(event.len()).unwrap();
        [length.to_be_bytes().to_vec(), event].concat()
    }
}
