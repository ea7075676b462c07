//! From the command line's words and the environment to a session with a cluster, or to the reason why not.
//!
//! Everything here happens before the screen is taken, or without a word while it is. It deliberately watches
//! nothing and changes nothing: it reads the version, and asks once which pods may be listed.

mod diagnosis;
mod error;
mod expiry;
mod login;
mod session;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use serde::Deserialize;
use tokio::time::timeout;

pub use self::error::{ConnectError, Entry, Place, TlsFault};
pub use self::session::{Scope, ServerVersion, Session, WhyNamespace};

use self::login::{Login, log_in};
use super::clock::Clock;
use super::kubeconfig::{Env, Flags, Pinned, pin};
use super::plugin::Terminal;
use super::proxy::{Proxy, proxy_to};
use super::transport::Route;
use super::watch::escaped;

/// How long the server may take to tell its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take to list one pod. An API server without its etcd tells its version and lists nothing: that
/// is a cluster in trouble, and no reason to stay away.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// No answer that is read here is larger.
const LARGEST_ANSWER: usize = 1 << 20;

/// Connects to the cluster that `flags` and `env` mean. A credential plugin may use the terminal meanwhile.
pub async fn connect(flags: &Flags, env: &Env) -> Result<Session, ConnectError> {
    let pinned = pin(flags, env)?;
    let server = login::server(&pinned)?;
    let proxy = proxy_to(&server, pinned.cluster_entry.proxy_url.as_deref(), &env.proxies)
        .map_err(|proxy| ConnectError::UnusableProxy { place: place_of(&pinned, &server, None), proxy })?;
    let route = Route { proxy, read_only: pinned.is_read_only(flags), clock: Clock::start() };
    let place = place_of(&pinned, &server, route.proxy.as_ref());
    let terminal = if env.terminal { Terminal::Free } else { Terminal::Taken };

    let login = log_in(&pinned, &route, terminal).await?;
    let version = version(&login, &place).await?;
    let (scope, denied) = scope(flags, &pinned, &login, &place).await?;
    Ok(Session::begin(pinned, route, (server.to_string(), version), (scope, denied), login))
}

fn place_of(pinned: &Pinned, server: &http::Uri, proxy: Option<&Proxy>) -> Arc<Place> {
    Arc::new(Place {
        server: server.to_string().trim_end_matches('/').to_owned(),
        context: pinned.context.clone(),
        files: pinned.files_text(),
        user: pinned.shown_user(),
        proxy: proxy.map(Proxy::to_string),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionAnswer {
    git_version: String,
    major: String,
    minor: String,
}

async fn version(login: &Login, place: &Arc<Place>) -> Result<ServerVersion, ConnectError> {
    let answer = get(&login.client, "/version", VERSION_LIMIT, place).await?;
    if answer.status != StatusCode::OK {
        return Err(answer.as_error(login, place));
    }
    let version: VersionAnswer =
        serde_json::from_slice(&answer.body).map_err(|_| ConnectError::NotKubernetes {
            place: place.clone(),
            reason: format!("it answered /version with {}", answer.content()),
        })?;
    // Some distributions write "33+".
    let number = |text: &str| {
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default()
    };
    Ok(ServerVersion {
        git_version: one_line(&version.git_version),
        major: number(&version.major),
        minor: number(&version.minor),
    })
}

/// Which namespaces to show, and why nothing is, where not even that may be listed.
async fn scope(
    flags: &Flags,
    pinned: &Pinned,
    login: &Login,
    place: &Arc<Place>,
) -> Result<(Scope, Option<String>), ConnectError> {
    let asked = flags.namespace.clone().filter(|name| !name.is_empty() && !flags.all_namespaces);
    if let Some(name) = asked {
        let denied = may_list_pods(login, Some(&name), place).await?;
        return Ok((Scope::Namespace { name, why: WhyNamespace::Asked }, denied));
    }
    let denied = may_list_pods(login, None, place).await?;
    match denied {
        Some(reason) if !flags.all_namespaces => {
            let name = pinned.namespace.clone().unwrap_or_else(|| "default".to_owned());
            let denied = may_list_pods(login, Some(&name), place).await?;
            Ok((Scope::Namespace { name, why: WhyNamespace::OnlyOne { reason } }, denied))
        }
        denied => Ok((Scope::All, denied)),
    }
}

/// Why pods may not be listed, in one namespace or in all; nothing when they may, and nothing when the server is
/// too ill to say.
async fn may_list_pods(
    login: &Login,
    namespace: Option<&str>,
    place: &Arc<Place>,
) -> Result<Option<String>, ConnectError> {
    let path = match namespace {
        Some(name) => format!("/api/v1/namespaces/{}/pods?limit=1", escaped(name)),
        None => "/api/v1/pods?limit=1".to_owned(),
    };
    let Ok(answer) = get(&login.client, &path, PROBE_LIMIT, place).await else { return Ok(None) };
    match answer.status {
        StatusCode::UNAUTHORIZED => Err(answer.as_error(login, place)),
        StatusCode::FORBIDDEN if answer.is_anonymous() => {
            Err(ConnectError::Anonymous { place: place.clone(), offered: login.offers_credentials })
        }
        StatusCode::FORBIDDEN => Ok(Some(answer.reason())),
        _ => Ok(None),
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn get(
    client: &kube::Client,
    path: &str,
    limit: Duration,
    place: &Arc<Place>,
) -> Result<Answer, ConnectError> {
    let request = Request::get(path)
        .header(ACCEPT, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json")
        .body(Body::empty())
        .map_err(|error| ConnectError::Lost { place: place.clone(), reason: error.to_string() })?;
    let answer = async {
        let answer = client.send(request).await.map_err(|error| diagnosis::of(&error, place))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| diagnosis::of(&*error, place))?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    };
    timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(ConnectError::TimedOut { place: place.clone(), seconds: limit.as_secs() }))
}

#[derive(Deserialize)]
struct StatusMessage {
    message: String,
}

impl Answer {
    /// What the server says about it, as one short line.
    fn reason(&self) -> String {
        const LETTERS: usize = 300;
        let said = serde_json::from_slice::<StatusMessage>(&self.body)
            .map(|status| status.message)
            .ok()
            .or_else(|| {
                self.content()
                    .starts_with("text/plain")
                    .then(|| String::from_utf8_lossy(&self.body).into_owned())
            })
            .filter(|said| !said.trim().is_empty())
            .unwrap_or_else(|| self.status.canonical_reason().unwrap_or("no reason given").to_lowercase());
        one_line(said.trim()).chars().take(LETTERS).collect()
    }

    fn content(&self) -> String {
        let content = self.headers.get(CONTENT_TYPE).and_then(|content| content.to_str().ok());
        content.map_or_else(|| "no content type".to_owned(), one_line)
    }

    fn is_anonymous(&self) -> bool {
        self.reason().contains("\"system:anonymous\"")
    }

    /// What an answer that tells no version means.
    fn as_error(&self, login: &Login, place: &Arc<Place>) -> ConnectError {
        let place = place.clone();
        let reason = self.reason();
        match self.status {
            StatusCode::UNAUTHORIZED => ConnectError::Unauthorized { place, reason, end: login.ended() },
            StatusCode::FORBIDDEN => ConnectError::Forbidden { place, reason },
            StatusCode::TOO_MANY_REQUESTS => ConnectError::Failing { place, status: 429, reason },
            status if status.is_server_error() => {
                ConnectError::Failing { place, status: status.as_u16(), reason }
            }
            status if status.is_redirection() => {
                let to = self.headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
                ConnectError::NotKubernetes { place, reason: format!("it redirects to {}", one_line(to)) }
            }
            StatusCode::BAD_REQUEST if reason.contains("HTTPS server") => ConnectError::NotKubernetes {
                place,
                reason: "it wants https:// and the kubeconfig says http://".to_owned(),
            },
            status => ConnectError::NotKubernetes {
                place,
                reason: format!("it answered /version with {}, {reason}", status.as_u16()),
            },
        }
    }
}

/// Text that others wrote, safe to show and on one line.
pub(super) fn one_line(text: &str) -> String {
    crate::plain::plain(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::transport::client;

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let route = Route { proxy: None, read_only: false, clock: Clock::start() };
        let client = client(&kube::Config::new(server.parse().unwrap()), &route).unwrap();
        let place =
            Place { server: "https://api".to_owned(), files: "~/config".to_owned(), ..Place::default() }
                .into();
        let error = get(&client, "/version", Duration::from_millis(20), &place).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            "cannot connect to https://api (kubeconfig ~/config): no answer within 0 s; \
             check the network, the VPN and firewalls, and that the API server is alive"
        );
    }
}
