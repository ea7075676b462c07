//! The API server: HTTP/1.1 on loopback, from the accepted connection to the answer.
//!
//! It reads the request, applies the faults, decides what is asked for and leaves the answering to its parts.

pub(crate) mod ask;
pub(crate) mod defaults;
mod delete;
mod discovery;
mod eviction;
pub(crate) mod list;
mod log;
mod openapi;
mod part;
mod patch;
mod protobuf;
mod response;
mod review;
mod schema;
pub(crate) mod selector;
mod shape;
pub(crate) mod status;
mod table;
mod validate;
pub(crate) mod watch;
mod write;

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::backend::Backend;
use super::faults::Received;
use super::object;
use super::resource::Resource;
use super::store::{Key, Store};
use ask::{Part, Path, Query, Shape};
use delete::DeleteOptions;
use part::Rescale;
use response::{Body, aggregated, json, refused, response, set_date, text, written};
use selector::Selector;
use status::Refusal;
use write::{Patch, Target, Written};

/// Larger than this no request may be.
const MOST_BODY: usize = 3 * 1024 * 1024;

/// The user as whom everybody is known, for error texts.
pub(crate) const USER: &str = "demo";

/// Serves until it is dropped; with it go all connections.
pub(crate) async fn serve(backend: Arc<Backend>, listener: TcpListener, address: SocketAddr) {
    let mut wanted = backend.levers.wants_to_listen.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let open = *wanted.borrow_and_update();
        match (open, &listener) {
            (false, Some(_)) => listener = None,
            // Somebody else may have taken the port meanwhile: try again with the next wish.
            (true, None) => listener = TcpListener::bind(address).await.ok(),
            (true, Some(_)) | (false, None) => {}
        }
        backend.levers.is_listening.send_replace(listener.is_some());
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            // An error concerns the one that knocked (or too many open files, which pass).
            accepted = accepted => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(Arc::clone(&backend), stream, address));
                }
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn converse(backend: Arc<Backend>, stream: TcpStream, address: SocketAddr) {
    let mut dropped = backend.levers.dropped_connections.subscribe();
    // Small writes must not wait for each other: a watch is made of them.
    let _ = stream.set_nodelay(true);
    let answering = service_fn(move |request| {
        let backend = Arc::clone(&backend);
        async move { Ok::<_, Infallible>(answer(&backend, request, address).await) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answering);
    tokio::select! {
        // How a client leaves is its own affair.
        _ = connection => {}
        _ = dropped.changed() => {}
    }
}

async fn answer(backend: &Arc<Backend>, request: Request<Incoming>, address: SocketAddr) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let header = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let body = whole_body(body).await;
    let text_of = |body: &Bytes| String::from_utf8_lossy(body).into_owned();
    backend.levers.record(Received {
        method: head.method.to_string(),
        path: path.to_owned(),
        query: query.to_owned(),
        accept: header(ACCEPT).unwrap_or_default().to_owned(),
        body: body.as_ref().map(text_of).unwrap_or_default(),
    });
    let mut is_hanging = backend.levers.is_hanging.subscribe();
    // It fails only when the server is gone.
    let _ = is_hanging.wait_for(|is_hanging| !is_hanging).await;

    let mut response = if let Some(instead) = backend.levers.instead(path) {
        match instead.body {
            Some(body) => text(instead.refusal.code, body),
            None => refused(&instead.refusal),
        }
    } else if !backend.admits(header(AUTHORIZATION)) {
        refused(&Refusal::unauthorized())
    } else {
        match body {
            Ok(body) => {
                let (method, headers) = (&head.method, &head.headers);
                let asked = Asked { method, headers, query: Query::parse(query), body, address };
                look_up(backend, &asked, path).unwrap_or_else(|refusal| refused(&refusal))
            }
            Err(refusal) => refused(&refusal),
        }
    };
    if let Some(offset) = backend.levers.clock_offset() {
        set_date(&mut response, Timestamp::now() + offset);
    }
    response
}

/// The body of a request, up to what a server takes.
async fn whole_body(body: Incoming) -> Result<Bytes, Refusal> {
    let limited = Limited::new(body, MOST_BODY).collect().await;
    let too_large = || Refusal::too_large(&format!("Request entity too large: limit is {MOST_BODY}"));
    limited.map(|body| body.to_bytes()).map_err(|_| too_large())
}

/// What of a request matters beyond its path.
struct Asked<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    query: Query,
    body: Bytes,
    address: SocketAddr,
}

impl Asked<'_> {
    fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, which must be JSON where a whole object is wanted. Who says nothing is believed.
    fn json(&self) -> Result<&[u8], Refusal> {
        match self.content_type().split(';').next().unwrap_or_default().trim() {
            "application/json" | "" => Ok(&self.body),
            _ => Err(Refusal::unsupported_media()),
        }
    }

    /// The same for a new object, which kubectl also sends in protobuf.
    fn object(&self, resource: Resource) -> Result<Cow<'_, [u8]>, Refusal> {
        if self.content_type() != "application/vnd.kubernetes.protobuf" {
            return self.json().map(Cow::Borrowed);
        }
        let object = protobuf::object(resource, &self.body).ok_or_else(Refusal::unsupported_media)?;
        Ok(Cow::Owned(object.to_string().into_bytes()))
    }
}

fn look_up(backend: &Arc<Backend>, asked: &Asked<'_>, path: &str) -> Result<Response<Body>, Refusal> {
    let path = Path::parse(path)?;
    match path {
        Path::Object(resource, key) => whole_object(backend, asked, resource, key),
        Path::Collection(resource, namespace) => collection(backend, asked, resource, namespace.as_deref()),
        Path::Part(resource, key, part) => self::part(backend, asked, (resource, key, part)),
        Path::Review(review) if asked.method == Method::POST => {
            Ok(written(&review::answer(backend, review, asked.content_type(), &asked.body)?))
        }
        _ if asked.method != Method::GET => Err(Refusal::method_not_allowed()),
        Path::Review(_) => Err(Refusal::method_not_allowed()),
        Path::Version => Ok(json(&discovery::version())),
        Path::Health => Ok(text(StatusCode::OK, "ok".to_owned())),
        Path::CoreVersions if ask::wants_aggregated_discovery(asked.headers)? => Ok(aggregated(true)),
        Path::CoreVersions => Ok(json(&discovery::core_versions(&asked.address.to_string()))),
        Path::Groups if ask::wants_aggregated_discovery(asked.headers)? => Ok(aggregated(false)),
        Path::Groups => Ok(json(&discovery::groups())),
        Path::Group(group, version) => Ok(json(&discovery::group(&group, &version)?)),
        Path::Schemas => Ok(json(&openapi::index())),
        Path::Schema(group, version) => Ok(json(&openapi::document(&group, &version)?)),
    }
}

fn collection(
    backend: &Arc<Backend>,
    asked: &Asked<'_>,
    resource: Resource,
    namespace: Option<&str>,
) -> Result<Response<Body>, Refusal> {
    let query = &asked.query;
    let key = Key::new(namespace.unwrap_or_default(), "");
    let is_watch = query.flag("watch");
    // What is written is written in one namespace.
    let is_whole = resource.spelling().is_namespaced && namespace.is_none();
    let verb = match *asked.method {
        Method::GET if is_watch => "watch",
        Method::GET => "list",
        Method::POST if !is_whole => "create",
        Method::DELETE if !is_whole && resource != Resource::Namespaces => "deletecollection",
        _ => return Err(Refusal::method_not_allowed()),
    };
    allow(backend, verb, resource, &key)?;
    let shape = Shape::of(asked.headers)?;
    let target = Target { resource, key, part: None, query, now: Timestamp::now() };
    if verb == "create" {
        let is_dry_run = write::is_dry_run(query, "CreateOptions")?;
        let mut object = write::read(&target, &asked.object(resource)?)?;
        // What is no pod is refused further on.
        if resource == Resource::Pods && object["spec"].is_object() {
            backend.with(|world| world.admit(&mut object));
        }
        return act(backend, asked, is_dry_run, |store| write::create(store, &target, object));
    }
    let (labels, fields) = (query.text("labelSelector"), query.text("fieldSelector"));
    let selector = Selector::parse(resource, namespace, labels, fields)?;
    if verb == "deletecollection" {
        let options = DeleteOptions::read(asked.json()?, query)?;
        let is_dry_run = options.is_dry_run;
        return act(backend, asked, is_dry_run, |store| {
            Ok(delete::all(store, &target, (&selector, &options)))
        });
    }
    if is_watch {
        let has_watch_list = backend.levers.has_watch_list();
        let request = watch::Request::parse(resource, selector, shape, query, has_watch_list)?;
        let body = StreamBody::new(watch::stream(backend, request)).boxed_unsync();
        return Ok(response(StatusCode::OK, "application/json", body));
    }
    let request = list::Request { resource, selector: &selector, query, shape };
    let list = backend.with(|world| list::answer(&world.store, &request, Timestamp::now()))?;
    Ok(json(&list))
}

fn whole_object(
    backend: &Backend,
    asked: &Asked<'_>,
    resource: Resource,
    key: Key,
) -> Result<Response<Body>, Refusal> {
    let verb = verb(asked.method, &["get", "update", "patch", "delete"])?;
    allow(backend, verb, resource, &key)?;
    if verb == "get" {
        return get(backend, asked, resource, &key);
    }
    let target = Target { resource, key, part: None, query: &asked.query, now: Timestamp::now() };
    if verb == "delete" {
        let options = DeleteOptions::read(asked.json()?, &asked.query)?;
        let is_dry_run = options.is_dry_run;
        return act(backend, asked, is_dry_run, |store| delete::one(store, &target, &options));
    }
    change(backend, asked, &target)
}

fn part(
    backend: &Arc<Backend>,
    asked: &Asked<'_>,
    (resource, key, part): (Resource, Key, Part),
) -> Result<Response<Body>, Refusal> {
    let verbs: &[&str] = match part {
        Part::Status | Part::Scale => &["get", "update", "patch"],
        Part::Eviction | Part::Binding => &["create"],
        Part::Log => &["get"],
    };
    let verb = verb(asked.method, verbs)?;
    allow(backend, &format!("{verb}/{}", part.id()), resource, &key)?;
    let query = &asked.query;
    let target = Target { resource, key, part: Some(part), query, now: Timestamp::now() };
    match part {
        Part::Status if verb == "get" => get(backend, asked, resource, &target.key),
        Part::Status => change(backend, asked, &target),
        Part::Scale if verb == "get" => {
            let workload = backend.with(|world| world.store.get(resource, &target.key));
            let workload = workload.ok_or_else(|| Refusal::not_found(resource, &target.key.name))?;
            Ok(json(&part::scale(&workload)))
        }
        Part::Scale => {
            let (kind, is_patch) = ("UpdateOptions", verb == "patch");
            let is_dry_run = write::is_dry_run(query, if is_patch { "PatchOptions" } else { kind })?;
            let rescale = if is_patch {
                Rescale::Patch(Patch {
                    kind: patch::Kind::of(asked.content_type(), query)?,
                    body: &asked.body,
                })
            } else {
                Rescale::Put(asked.json()?)
            };
            act(backend, asked, is_dry_run, |store| part::rescale(store, &target, rescale))
        }
        Part::Eviction | Part::Binding => {
            let is_dry_run = write::is_dry_run(query, "CreateOptions")?;
            let body = asked.json()?;
            let given: Value =
                serde_json::from_slice(body).map_err(|error| Refusal::bad_request(&error.to_string()))?;
            act(backend, asked, is_dry_run, |store| {
                if part == Part::Eviction {
                    eviction::evict(store, &target, &given)
                } else {
                    part::bind(store, &target, &given)
                }
            })
        }
        Part::Log => {
            let request = backend.with(|world| log::Request::parse(world, &target.key, query))?;
            let body = StreamBody::new(log::stream(backend, request)).boxed_unsync();
            Ok(response(StatusCode::OK, "text/plain", body))
        }
    }
}

/// Replaces or patches an object or its status.
fn change(backend: &Backend, asked: &Asked<'_>, target: &Target<'_>) -> Result<Response<Body>, Refusal> {
    if asked.method == Method::PUT {
        let is_dry_run = write::is_dry_run(target.query, "UpdateOptions")?;
        let object = write::read(target, asked.json()?)?;
        return act(backend, asked, is_dry_run, |store| write::replace(store, target, object));
    }
    let kind = patch::Kind::of(asked.content_type(), target.query)?;
    let is_dry_run = write::is_dry_run(target.query, "PatchOptions")?;
    let patch = Patch { kind, body: &asked.body };
    act(backend, asked, is_dry_run, |store| write::patch(store, target, patch))
}

fn get(
    backend: &Backend,
    asked: &Asked<'_>,
    resource: Resource,
    key: &Key,
) -> Result<Response<Body>, Refusal> {
    let shape = Shape::of(asked.headers)?;
    let object = backend.with(|world| world.store.get(resource, key));
    let object = object.ok_or_else(|| Refusal::not_found(resource, &key.name))?;
    Ok(json(&shape::object(shape, resource, &object, Timestamp::now())))
}

/// Carries out a write, or what it would do on a copy that is thrown away.
fn act(
    backend: &Backend,
    asked: &Asked<'_>,
    is_dry_run: bool,
    write: impl FnOnce(&mut Store) -> Result<Written, Refusal>,
) -> Result<Response<Body>, Refusal> {
    // Refused before anything is done.
    Shape::of(asked.headers)?;
    let answer = backend.with(|world| {
        if !is_dry_run {
            return write(&mut world.store);
        }
        let mut answer = write(&mut world.store.clone())?;
        unstore(&mut answer.body, &world.store);
        Ok(answer)
    })?;
    Ok(written(&answer))
}

/// What was not stored has the version of what is there.
fn unstore(object: &mut Value, store: &Store) {
    let (group, version) = object::text(object, "/apiVersion").split_once('/').unwrap_or(("", "v1"));
    let kind = object::text(object, "/kind");
    let resource = Resource::ALL.into_iter().find(|resource| {
        let spelling = resource.spelling();
        (spelling.group, spelling.version, spelling.kind) == (group, version, kind)
    });
    let there = resource.and_then(|resource| store.get(resource, &object::key(object)));
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        match there {
            Some(there) => {
                metadata.insert("resourceVersion".to_owned(), there["metadata"]["resourceVersion"].clone());
            }
            None => {
                metadata.remove("resourceVersion");
            }
        }
    }
}

fn verb(method: &Method, known: &[&'static str]) -> Result<&'static str, Refusal> {
    let verb = match *method {
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "",
    };
    if known.contains(&verb) { Ok(verb) } else { Err(Refusal::method_not_allowed()) }
}

fn allow(backend: &Backend, verb: &str, resource: Resource, key: &Key) -> Result<(), Refusal> {
    if backend.levers.denies(verb, resource, key) {
        return Err(Refusal::forbidden(USER, verb, resource, key));
    }
    Ok(())
}
