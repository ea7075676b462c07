//! Every way in which a connection can fail, each with its one message.
//!
//! A message names the file, the context and the server, gives the reason, and ends with what to do. It
//! deliberately carries plain text only, so that it can be kept, compared and shown again: what came from a server
//! or a plugin has been through the sanitiser when it gets here.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::k8s::plugin::PluginError;
use crate::k8s::proxy::{ProxyOrigin, UnusableProxy};
use crate::problem::nearest;

/// Which connection a message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub server: String,
    /// Empty where there is none.
    pub context: String,
    /// Empty where none was read.
    pub files: String,
    pub user: Option<String>,
    /// The proxy on the way, and where it was named.
    pub proxy: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, context, files, user: _, proxy } = self;
        let named = [
            ("context", context.as_str()),
            ("kubeconfig", files),
            ("proxy", proxy.as_deref().unwrap_or_default()),
        ];
        let named: Vec<String> = named
            .iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(what, name)| format!("{what} {name}"))
            .collect();
        write!(f, "{server} ({})", named.join(", "))
    }
}

impl Place {
    /// The user as a message names it.
    pub fn who(&self) -> String {
        self.user
            .as_ref()
            .map_or_else(|| "a client without credentials".to_owned(), |user| format!("user {user}"))
    }
}

/// The kinds of entries a kubeconfig names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Context,
    Cluster,
    User,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "context",
            Self::Cluster => "cluster",
            Self::User => "user",
        })
    }
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("{}", no_kubeconfig(looked))]
    NoKubeconfig { looked: Vec<String> },
    #[error("kubeconfig {file} does not exist; check --kubeconfig")]
    MissingFile { file: String },
    #[error("kubeconfig {file} cannot be read: {reason}; check its owner and its mode")]
    UnreadableFile { file: String, reason: String },
    #[error("kubeconfig {file}{} is not valid: {reason}; correct it, or name another with --kubeconfig", at_line(*line))]
    InvalidFile { file: String, line: Option<u64>, reason: String },
    #[error("kubeconfig {files} sets no current context; choose one with --context{}", list(known))]
    NoContext { files: String, known: Vec<String> },
    #[error("no {entry} {name:?} in kubeconfig {files}; {}", suggestion(*entry, name, known))]
    Unknown { entry: Entry, name: String, files: String, known: Vec<String> },
    #[error(
        "cluster {cluster} in kubeconfig {files} has no usable server; give it one with kubectl config set-cluster {cluster} --server=URL"
    )]
    NoServer { files: String, cluster: String },
    #[error(
        "cluster {cluster} in kubeconfig {files} is now {now}, and this session stays with {was}; start sickbay again to follow"
    )]
    Moved { files: String, cluster: String, was: String, now: String },
    #[error("cannot connect to {place}: {reason}; correct the entries of this context")]
    Credentials { place: Arc<Place>, reason: String },

    #[error("cannot connect to {place}: {proxy}; correct or unset it")]
    UnusableProxy { place: Arc<Place>, proxy: UnusableProxy },
    #[error(
        "cannot connect to {place}: the proxy cannot be reached: {reason}; check the proxy{}", way_round(*origin)
    )]
    ProxyUnreachable { place: Arc<Place>, origin: ProxyOrigin, reason: String },
    #[error(
        "cannot connect to {place}: the proxy does not let us through: {reason}; ask its operator{}", way_round(*origin)
    )]
    ProxyRefused { place: Arc<Place>, origin: ProxyOrigin, reason: String },

    #[error(
        "cannot connect to {place}: connection refused; check that the API server runs and that the port is right"
    )]
    Refused { place: Arc<Place> },
    #[error(
        "cannot connect to {place}: host {host} is not found: {reason}; check the name, the resolver and the VPN"
    )]
    HostNotFound { place: Arc<Place>, host: String, reason: String },
    #[error(
        "cannot connect to {place}: no answer within {seconds} s; check the network, the VPN and firewalls, and that the API server is alive"
    )]
    TimedOut { place: Arc<Place>, seconds: u64 },
    #[error("cannot connect to {place}: {reason}; check the network")]
    Lost { place: Arc<Place>, reason: String },

    #[error("cannot trust {place}: {fault}")]
    Untrusted { place: Arc<Place>, fault: TlsFault },

    #[error("{place} does not accept {}: 401, {reason}{}; log in again or renew the credentials of this user", place.who(), ended(*end))]
    Unauthorized { place: Arc<Place>, reason: String, end: Option<Timestamp> },
    #[error("{place} takes us for an anonymous user: {}", anonymous(place, *offered))]
    Anonymous { place: Arc<Place>, offered: bool },
    #[error("{place} forbids {} to read its version: 403, {reason}; ask for the cluster role system:public-info-viewer", place.who())]
    Forbidden { place: Arc<Place>, reason: String },
    #[error("{place} fails: {status}, {reason}; look at the API server and its etcd")]
    Failing { place: Arc<Place>, status: u16, reason: String },
    #[error("{place} is not a Kubernetes API: {reason}; check the server of this context")]
    NotKubernetes { place: Arc<Place>, reason: String },

    #[error("cannot log in to {place} as {}: {error}", place.who())]
    Plugin { place: Arc<Place>, error: PluginError },
}

/// Why the two sides do not trust each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    #[error(
        "its certificate is signed by an authority that the kubeconfig does not name; check certificate-authority, and that this is the cluster you mean"
    )]
    UnknownIssuer,
    #[error("its certificate has expired{}; renew it, or check the clock of this machine", on(when.as_deref()))]
    Expired { when: Option<String> },
    #[error("its certificate is not valid yet{}; check the clock of this machine", on(when.as_deref()))]
    NotYetValid { when: Option<String> },
    #[error("its certificate is for other names{}; check the server, or set tls-server-name", list(names))]
    WrongName { names: Vec<String> },
    #[error("it does not speak TLS; check the port, or write http:// if that is meant")]
    NotTls,
    #[error("it rejects our client certificate ({0}); renew the certificate of this user")]
    RejectsOurs(String),
    #[error("it wants a client certificate and this user has none; choose another user with --user")]
    WantsOurs,
    #[error("TLS fails: {0}; check the certificates on both sides")]
    Other(String),
}

fn no_kubeconfig(looked: &[String]) -> String {
    let missing = match looked {
        [] => "KUBECONFIG names no file".to_owned(),
        [file] => format!("{file} does not exist"),
        files => format!("none of {} exists", files.join(", ")),
    };
    format!("no kubeconfig: {missing}; name one with --kubeconfig or KUBECONFIG, or try sickbay --demo")
}

/// `NO_PROXY` counts for variables only.
fn way_round(origin: ProxyOrigin) -> &'static str {
    match origin {
        ProxyOrigin::ProxyUrl => ", or correct proxy-url",
        ProxyOrigin::HttpsProxy | ProxyOrigin::HttpProxy => ", or name the server in NO_PROXY",
    }
}

fn anonymous(place: &Place, offered: bool) -> String {
    match &place.user {
        Some(user) if offered => {
            format!(
                "the credentials of user {user} do not reach it; look for a load balancer or proxy that ends TLS"
            )
        }
        Some(user) => format!("user {user} has no credentials; log in, or choose another with --user"),
        None => "the context names no user; choose one with --user".to_owned(),
    }
}

fn ended(end: Option<Timestamp>) -> String {
    end.map_or_else(String::new, |end| format!(" (these credentials ended on {end})"))
}

fn at_line(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line},"))
}

fn on(when: Option<&str>) -> String {
    when.map_or_else(String::new, |when| format!(" ({when})"))
}

/// At most so many names are worth reading in a message.
const LISTED: usize = 8;

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let more =
        if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    let some: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    format!(": {}{more}", some.join(", "))
}

fn suggestion(entry: Entry, name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => format!("it has no {entry}s"),
        None => format!("it has{}", list(known).trim_start_matches(':')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..11).map(|n| format!("c{n}")).collect();
        assert_eq!(list(&names), ": c0, c1, c2, c3, c4, c5, c6, c7 and 3 more");
    }

    #[test]
    fn no_home_and_no_variable_is_said_too() {
        assert_eq!(
            ConnectError::NoKubeconfig { looked: Vec::new() }.to_string(),
            "no kubeconfig: KUBECONFIG names no file; name one with --kubeconfig or KUBECONFIG, or try sickbay --demo"
        );
    }
}
