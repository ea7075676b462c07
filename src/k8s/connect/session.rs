//! A session: one cluster, one user, one server, from the first answer to the end of the program.
//!
//! Invariant: what a session shows in the header never changes; only its client does, when credentials are renewed.

use std::fmt;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ConnectError;
use super::login::{Login, log_in};
use crate::k8s::clock::Clock;
use crate::k8s::kubeconfig::Pinned;
use crate::k8s::plugin::Terminal;
use crate::k8s::transport::Route;

/// The version of an API server. The numbers are 0 where it gave none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerVersion {
    pub git_version: String,
    pub major: u32,
    pub minor: u32,
}

/// The namespaces that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Namespace { name: String, why: WhyNamespace },
}

/// Why only one namespace is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNamespace {
    Asked,
    /// The server does not let us list all, and says why.
    OnlyOne {
        reason: String,
    },
}

/// A connection that stands.
pub struct Session {
    pub context: String,
    pub cluster: String,
    pub user: Option<String>,
    pub server: String,
    pub version: ServerVersion,
    pub scope: Scope,
    /// Why pods may not be listed even in this scope.
    pub denied: Option<String>,
    pub files: Vec<PathBuf>,
    pub read_only: bool,
    /// The server's time, kept right by every answer.
    pub clock: Clock,
    pinned: Pinned,
    route: Route,
    live: RwLock<Live>,
    renewal: tokio::sync::Mutex<Option<Renewal>>,
}

struct Live {
    client: kube::Client,
    expires: Option<Timestamp>,
}

/// How the last renewal ended, and when.
struct Renewal {
    ended: Instant,
    outcome: Result<(), ConnectError>,
}

/// A token is renewed so long before it ends, as kube has it.
const AHEAD: Duration = Duration::from_mins(1);
/// After a renewal that failed, or that brought credentials as short-lived, so long nothing is tried.
const PAUSE: Duration = Duration::from_secs(30);

impl Session {
    pub(super) fn begin(
        pinned: Pinned,
        route: Route,
        (server, version): (String, ServerVersion),
        (scope, denied): (Scope, Option<String>),
        login: Login,
    ) -> Self {
        Self {
            context: pinned.context.clone(),
            cluster: pinned.cluster.clone(),
            user: pinned.shown_user(),
            server: server.trim_end_matches('/').to_owned(),
            version,
            scope,
            denied,
            files: pinned.files.clone(),
            read_only: route.read_only,
            clock: route.clock.clone(),
            pinned,
            route,
            live: RwLock::new(Live { client: login.client, expires: login.expires }),
            renewal: tokio::sync::Mutex::new(None),
        }
    }

    /// The client with the newest credentials: to be asked for again before each request, not kept.
    pub fn client(&self) -> kube::Client {
        self.live.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// When the credentials end, where that is known: a plugin told, or a certificate or token says so itself.
    pub fn credentials_expire(&self) -> Option<Timestamp> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).expires
    }

    /// Logs in again after a 401, without touching the terminal. Whoever asks while somebody else's renewal is on
    /// its way gets the outcome of that one: ten watches that fail together run a plugin once.
    pub async fn renew(&self) -> Result<kube::Client, ConnectError> {
        let asked = Instant::now();
        let mut renewal = self.renewal.lock().await;
        let outcome = match &*renewal {
            Some(last) if last.ended >= asked => last.outcome.clone(),
            Some(_) | None => {
                let outcome = self.log_in_again().await;
                *renewal = Some(Renewal { ended: Instant::now(), outcome: outcome.clone() });
                outcome
            }
        };
        outcome.map(|()| self.client())
    }

    /// Renews what a plugin gave shortly before it ends, for as long as it is polled. A renewal that fails is tried again:
    /// the old credentials may still do, and when they do not, a request will tell.
    pub async fn keep_fresh(&self) {
        loop {
            match self.credentials_expire().filter(|_| self.pinned.user_entry.exec.is_some()) {
                None => std::future::pending().await,
                Some(end) => tokio::time::sleep(self.clock.until(end).saturating_sub(AHEAD)).await,
            }
            let ended = self.credentials_expire();
            let _tried_again_below = self.renew().await;
            let still_ends = self.credentials_expire();
            let is_soon = still_ends.is_some_and(|end| self.clock.until(end) <= AHEAD);
            if still_ends == ended || is_soon {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn log_in_again(&self) -> Result<(), ConnectError> {
        let pinned = self.pinned.clone();
        // Files, perhaps on a network that is in trouble too.
        let reread = tokio::task::spawn_blocking(move || pinned.reread()).await;
        let pinned = reread.unwrap_or_else(|_| Ok(self.pinned.clone()))?;
        let login = log_in(&pinned, &self.route, Terminal::Taken).await?;
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        *live = Live { client: login.client, expires: login.expires };
        Ok(())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("context", &self.context)
            .field("server", &self.server)
            .field("user", &self.user)
            .field("version", &self.version)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
