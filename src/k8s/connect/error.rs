//! Every way in which a connection can fail, each with its one message.
//!
//! A message names the file, the context and the server, gives the reason, and ends with what to do. It
//! deliberately carries plain text only, so that it can be kept, compared and shown again: what came from a server
//! or a plugin has been through the sanitiser when it gets here.

use std::fmt;

use crate::k8s::plugin::PluginError;

/// Which connection a message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub server: String,
    /// Empty where there is none.
    pub context: String,
    pub files: String,
    pub user: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, context, files, user: _ } = self;
        if context.is_empty() {
            write!(f, "{server} (kubeconfig {files})")
        } else {
            write!(f, "{server} (context {context}, kubeconfig {files})")
        }
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
    NoKubeconfig { looked: String },
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
    Credentials { place: Place, reason: String },

    #[error("cannot connect to {place}: {proxy}; correct or unset it")]
    UnusableProxy { place: Place, proxy: super::UnusableProxy },
    #[error(
        "cannot connect to {place}: proxy {proxy} cannot be reached: {reason}; check the proxy, or name the server in NO_PROXY"
    )]
    ProxyUnreachable { place: Place, proxy: String, reason: String },
    #[error(
        "cannot connect to {place}: proxy {proxy} does not let us through: {reason}; ask its operator, or name the server in NO_PROXY"
    )]
    ProxyRefused { place: Place, proxy: String, reason: String },

    #[error(
        "cannot connect to {place}: connection refused; check that the API server runs and that the port is right"
    )]
    Refused { place: Place },
    #[error(
        "cannot connect to {place}: host {host} is not found: {reason}; check the name, the resolver and the VPN"
    )]
    HostNotFound { place: Place, host: String, reason: String },
    #[error(
        "cannot connect to {place}: no answer within {seconds} s; check the network, the VPN and firewalls, and that the API server is alive"
    )]
    TimedOut { place: Place, seconds: u64 },
    #[error("cannot connect to {place}: {reason}; check the network")]
    Lost { place: Place, reason: String },

    #[error("cannot trust {place}: {fault}")]
    Untrusted { place: Place, fault: TlsFault },

    #[error("{place} does not accept {}: 401, {reason}; log in again or renew the credentials of this user", place.who())]
    Unauthorized { place: Place, reason: String },
    #[error("{place} takes us for an anonymous user: {}", anonymous(place, *offered))]
    Anonymous { place: Place, offered: bool },
    #[error("{place} forbids {} to read its version: 403, {reason}; ask for the cluster role system:public-info-viewer", place.who())]
    Forbidden { place: Place, reason: String },
    #[error("{place} fails: {status}, {reason}; look at the API server and its etcd")]
    Failing { place: Place, status: u16, reason: String },
    #[error("{place} is not a Kubernetes API: {reason}; check the server of this context")]
    NotKubernetes { place: Place, reason: String },

    #[error("cannot log in to {place} as {}: {error}", place.who())]
    Plugin { place: Place, error: PluginError },
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
    #[error("TLS fails: {0}; check the certificates on both sides")]
    Other(String),
}

fn no_kubeconfig(looked: &str) -> String {
    let missing = if looked.is_empty() {
        "KUBECONFIG names no file".to_owned()
    } else {
        format!("{looked} does not exist")
    };
    format!("no kubeconfig: {missing}; name one with --kubeconfig or KUBECONFIG, or try sickbay --demo")
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
    match nearest(name, known) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => format!("it has no {entry}s"),
        None => format!("it has{}", list(known).trim_start_matches(':')),
    }
}

/// The known name that `name` was most likely meant to be.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let within = name.chars().count().div_ceil(3);
    known
        .iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= within)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters to change, add or drop to turn one into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&other) {
            let best = (diagonal + usize::from(a != *b)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (one, other, expected) in
            [("", "", 0), ("prod", "prod", 0), ("prd", "prod", 1), ("abc", "", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..11).map(|n| format!("c{n}")).collect();
        assert_eq!(list(&names), ": c0, c1, c2, c3, c4, c5, c6, c7 and 3 more");
    }

    #[test]
    fn no_home_and_no_variable_is_said_too() {
        assert_eq!(
            ConnectError::NoKubeconfig { looked: String::new() }.to_string(),
            "no kubeconfig: KUBECONFIG names no file; name one with --kubeconfig or KUBECONFIG, or try sickbay --demo"
        );
    }
}
