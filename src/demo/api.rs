//! The API server: HTTP/1.1 on loopback, from the accepted connection to the answer.
//!
//! It reads the request, applies the faults, and leaves the answering to its parts. It serves reading only: every
//! writing method is refused in so many words, never swallowed.

pub(crate) mod ask;
mod discovery;
pub(crate) mod list;
mod selector;
mod shape;
pub(crate) mod status;
mod table;
mod watch;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::backend::Backend;
use super::faults::Received;
use super::resource::Resource;
use super::store::Key;
use ask::{Path, Query, Shape};
use selector::Selector;
use status::Refusal;

/// The user as whom everybody is known, for error texts.
pub(crate) const USER: &str = "demo";

type Body = UnsyncBoxBody<Bytes, Infallible>;

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
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    backend.levers.record(Received {
        method: request.method().to_string(),
        path: path.to_owned(),
        query: query.to_owned(),
        accept: header(ACCEPT).unwrap_or_default().to_owned(),
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
        let asked = Asked { method: request.method(), headers: request.headers(), address };
        look_up(backend, &asked, path, &Query::parse(query)).unwrap_or_else(|refusal| refused(&refusal))
    };
    if let Some(offset) = backend.levers.clock_offset() {
        set_date(&mut response, Timestamp::now() + offset);
    }
    response
}

/// What of a request matters beyond its path and query.
struct Asked<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    address: SocketAddr,
}

fn look_up(
    backend: &Arc<Backend>,
    asked: &Asked<'_>,
    path: &str,
    query: &Query,
) -> Result<Response<Body>, Refusal> {
    let path = Path::parse(path)?;
    if *asked.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    match path {
        Path::Version => Ok(json(&discovery::version())),
        Path::Health => Ok(text(StatusCode::OK, "ok".to_owned())),
        Path::CoreVersions if ask::wants_aggregated_discovery(asked.headers)? => Ok(aggregated(true)),
        Path::CoreVersions => Ok(json(&discovery::core_versions(&asked.address.to_string()))),
        Path::Groups if ask::wants_aggregated_discovery(asked.headers)? => Ok(aggregated(false)),
        Path::Groups => Ok(json(&discovery::groups())),
        Path::Group(group, version) => Ok(json(&discovery::group(&group, &version)?)),
        Path::Object(resource, key) => {
            allow(backend, "get", resource, &key)?;
            let shape = Shape::of(asked.headers)?;
            let object = backend.with(|world| world.store.get(resource, &key));
            let object = object.ok_or_else(|| Refusal::not_found(resource, &key.name))?;
            Ok(json(&shape::object(shape, resource, &object, Timestamp::now())))
        }
        Path::Collection(resource, namespace) => {
            let is_watch = query.flag("watch");
            let key = Key::new(namespace.as_deref().unwrap_or_default(), "");
            allow(backend, if is_watch { "watch" } else { "list" }, resource, &key)?;
            let shape = Shape::of(asked.headers)?;
            let (labels, fields) = (query.text("labelSelector"), query.text("fieldSelector"));
            let selector = Selector::parse(resource, namespace.as_deref(), labels, fields)?;
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
    }
}

fn allow(backend: &Backend, verb: &str, resource: Resource, key: &Key) -> Result<(), Refusal> {
    if backend.levers.denies(verb, resource, key) {
        return Err(Refusal::forbidden(USER, verb, resource, key));
    }
    Ok(())
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = response(refusal.code, "application/json", whole(refusal.body.to_string()));
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn json(value: &Value) -> Response<Body> {
    response(StatusCode::OK, "application/json", whole(value.to_string()))
}

fn aggregated(is_core: bool) -> Response<Body> {
    let media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    response(StatusCode::OK, media, whole(discovery::aggregated(is_core).to_string()))
}

fn text(code: StatusCode, body: String) -> Response<Body> {
    response(code, "text/plain; charset=utf-8", whole(body))
}

fn whole(body: String) -> Body {
    Full::new(Bytes::from(body)).boxed_unsync()
}

fn response(code: StatusCode, media: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// Without it the server under us writes the true time.
fn set_date(response: &mut Response<Body>, at: Timestamp) {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let date = printer.timestamp_to_rfc9110_string(&at).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert(DATE, date);
    }
}
