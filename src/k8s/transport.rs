//! Our own client stack: how requests travel, and what every request and answer passes on its way.
//!
//! Built from kube's parts, because its ready-made client retries silently, notices a dead link after minutes, and
//! leaves `TCP_NODELAY` off. It deliberately knows no resources and retries nothing: whoever asks decides.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT_ENCODING, DATE, UPGRADE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::client::{Body, ConfigExt};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tower::util::MapErr;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;

use super::clock::{Clock, parse_date};
use super::proxy::{Proxy, ProxyKind};

/// Longer than any link that is worth waiting for needs, TLS and proxy included.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// An idle connection is asked for a sign of life so often.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// What was sent and not acknowledged for so long ends the connection, where the system can do that.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

const AGENT: &str = concat!("sickbay/", env!("CARGO_PKG_VERSION"));

/// How requests travel.
#[derive(Clone, Debug)]
pub struct Route {
    pub proxy: Option<Proxy>,
    /// Refuse whatever could change the cluster.
    pub read_only: bool,
    pub clock: Clock,
}

/// A request that read-only mode did not let out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path} was not sent: read-only mode; start without --read-only to change the cluster")]
pub struct ReadOnly {
    pub method: Method,
    pub path: String,
}

/// The way to the proxy, or through it, failed.
#[derive(Debug, thiserror::Error)]
pub enum ProxyFault {
    #[error("proxy {proxy} cannot be reached")]
    Unreachable { proxy: Box<Proxy>, source: BoxError },
    #[error("proxy {proxy} refused: {reason}")]
    Refused { proxy: Box<Proxy>, reason: String },
}

/// A host name without an address.
#[derive(Debug, thiserror::Error)]
#[error("host not found: {0}")]
pub struct HostNotFound(io::Error);

impl HostNotFound {
    pub fn reason(&self) -> String {
        self.0.to_string()
    }
}

/// A client for the server of `config`, whose own proxy and retries are not looked at. Blocks: it may read
/// certificates and the trust store of the system.
pub fn client(config: &kube::Config, route: &Route) -> Result<kube::Client, kube::Error> {
    let dial = Dial {
        to_anywhere: config.rustls_https_connector_with_connector(tcp())?,
        proxy: route.proxy.clone(),
    };
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(dial)?);
    connector.set_connect_timeout(Some(CONNECT_LIMIT));
    let wire = HttpClient::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let guarded = route.clone();
    let service = ServiceBuilder::new()
        .layer_fn(move |inner| Guard { inner, route: guarded.clone() })
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(wire);
    Ok(kube::Client::new(service, config.default_namespace.clone()))
}

type Tcp = HttpConnector<MapErr<GaiResolver, fn(io::Error) -> HostNotFound>>;

fn tcp() -> Tcp {
    let resolver = MapErr::new(GaiResolver::new(), HostNotFound as fn(io::Error) -> HostNotFound);
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_LIMIT));
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(USER_TIMEOUT));
    tcp
}

/// Opens the connection over which the server is spoken to: straight, or through the proxy.
#[derive(Clone)]
struct Dial {
    /// Speaks TLS where the address says so, which is only ever a proxy's: TLS with the server comes on top.
    to_anywhere: HttpsConnector<Tcp>,
    proxy: Option<Proxy>,
}

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Dialing = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = BoxError;
    type Future = Dialing;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Dialing {
        let to_anywhere = self.to_anywhere.clone();
        match self.proxy.clone() {
            Some(proxy) => {
                Box::pin(async move { Ok(through(&proxy, to_anywhere, with_port(server)?).await?) })
            }
            None => Box::pin(async move { to_anywhere.oneshot(as_plain(&server)?).await }),
        }
    }
}

async fn through(proxy: &Proxy, connector: HttpsConnector<Tcp>, server: Uri) -> Result<Stream, ProxyFault> {
    let address = proxy.address.clone();
    let stream = connector
        .oneshot(address.clone())
        .await
        .map_err(|source| ProxyFault::Unreachable { proxy: Box::new(proxy.clone()), source })?;
    // The connection stands already, so whatever fails from here on is the proxy's answer.
    let mut stream = Some(stream);
    let connected = tower::service_fn(move |_: Uri| -> Ready<io::Result<Stream>> {
        ready(stream.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    });
    let refused = |reason: String| ProxyFault::Refused { proxy: Box::new(proxy.clone()), reason };
    match proxy.kind {
        ProxyKind::Http | ProxyKind::Https => {
            let mut tunnel = Tunnel::new(address, connected);
            if let Some((name, password)) = &proxy.login {
                let login = STANDARD.encode(format!("{name}:{}", password.expose_secret()));
                let login = HeaderValue::try_from(format!("Basic {login}"))
                    .map_err(|error| refused(error.to_string()))?;
                tunnel = tunnel.with_auth(login);
            }
            tunnel.call(server).await.map_err(|error| {
                let reason = error.to_string();
                refused(reason.strip_prefix("tunnel error: ").map_or_else(|| reason.clone(), said_by_tunnel))
            })
        }
        ProxyKind::Socks5 => {
            let mut socks = SocksV5::new(address, connected);
            if let Some((name, password)) = &proxy.login {
                socks = socks.with_auth(name.clone(), password.expose_secret().to_owned());
            }
            socks.call(server).await.map_err(|error| refused(error.to_string()))
        }
    }
}

fn said_by_tunnel(reason: &str) -> String {
    match reason {
        "unsuccessful" => "it refused to connect to the server".to_owned(),
        "proxy authorization required" => "it wants a name and a password".to_owned(),
        other => other.to_owned(),
    }
}

/// Proxies take 443 for granted where a URL names no port, which is wrong for `http`.
fn with_port(server: Uri) -> Result<Uri, http::Error> {
    match (server.scheme_str(), server.port(), server.host()) {
        (Some("http"), None, Some(host)) => {
            let authority = format!("{host}:80");
            Uri::builder().scheme("http").authority(authority).path_and_query("/").build()
        }
        _ => Ok(server),
    }
}

/// The same address without TLS, which is laid over the connection by whoever asked for it.
fn as_plain(server: &Uri) -> Result<Uri, http::Error> {
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
    let host = server.host().unwrap_or_default();
    Uri::builder().scheme("http").authority(format!("{host}:{port}")).path_and_query("/").build()
}

/// Sees every request before anything else does, and every answer last.
#[derive(Clone)]
struct Guard<S> {
    inner: S,
    route: Route,
}

impl<S, B> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if self.route.read_only && !only_reads(&request) {
            let refusal =
                ReadOnly { method: request.method().clone(), path: request.uri().path().to_owned() };
            return Box::pin(ready(Err(refusal.into())));
        }
        let headers = request.headers_mut();
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        // Compression costs the API server a third more, and a compressed watch ends after its first event: whoever
        // wants it asks for it.
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let clock = self.route.clock.clone();
        let asked = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if let Some(date) = answer.headers().get(DATE).and_then(|date| parse_date(date.as_bytes())) {
                clock.learn(date, asked, Instant::now());
            }
            Ok(answer)
        })
    }
}

/// An upgrade is an exec, an attach or a port forward, whatever its method. An access review is a question, although
/// it is asked with a POST.
fn only_reads(request: &Request<Body>) -> bool {
    match *request.method() {
        Method::GET | Method::HEAD => !request.headers().contains_key(UPGRADE),
        Method::POST => request.uri().path() == super::access::PATH,
        _ => false,
    }
}
