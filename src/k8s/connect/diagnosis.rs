//! What a failed request means: kube and hyper wrap the reason deep, and it decides the message.
//!
//! It deliberately judges only that no answer came; what an answer means is told by its status.

use std::error::Error;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use kube::client::AuthError;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error as RustlsError, InvalidMessage};

use super::login::fault;
use super::{ConnectError, Place, TlsFault, one_line};
use crate::k8s::transport::{CONNECT_LIMIT, HostNotFound, ProxyFault};

/// The one cause in a chain of errors that names what to do.
pub(super) fn of(error: &(dyn Error + 'static), place: &Arc<Place>) -> ConnectError {
    let place = place.clone();
    if let Some(refused) = find::<AuthError>(error) {
        return ConnectError::Credentials { place, reason: fault(refused) };
    }
    if let Some(fault) = find::<ProxyFault>(error) {
        return match fault {
            ProxyFault::Unreachable { proxy, source } => {
                ConnectError::ProxyUnreachable { place, origin: proxy.origin, reason: said(root(&**source)) }
            }
            ProxyFault::Refused { proxy, reason } => {
                ConnectError::ProxyRefused { place, origin: proxy.origin, reason: one_line(reason) }
            }
        };
    }
    if let Some(missing) = find::<HostNotFound>(error) {
        let host = host_of(&place.server);
        return ConnectError::HostNotFound { place, host, reason: one_line(&missing.reason()) };
    }
    if let Some(fault) = find::<RustlsError>(error) {
        return ConnectError::Untrusted { place, fault: tls_fault(fault) };
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => ConnectError::Refused { place },
        Some(io::ErrorKind::TimedOut) => ConnectError::TimedOut { place, seconds: CONNECT_LIMIT.as_secs() },
        _ => ConnectError::Lost { place, reason: said(root(error)) },
    }
}

fn tls_fault(error: &RustlsError) -> TlsFault {
    match error {
        RustlsError::InvalidCertificate(fault) => match fault {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UnknownIssuer,
            CertificateError::Expired => TlsFault::Expired { when: None },
            CertificateError::ExpiredContext { not_after, .. } => {
                TlsFault::Expired { when: since(*not_after, "on") }
            }
            CertificateError::NotValidYet => TlsFault::NotYetValid { when: None },
            CertificateError::NotValidYetContext { not_before, .. } => {
                TlsFault::NotYetValid { when: since(*not_before, "from") }
            }
            CertificateError::NotValidForName => TlsFault::WrongName { names: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                TlsFault::WrongName { names: presented.iter().map(|name| bare(name)).collect() }
            }
            other => TlsFault::Other(one_line(&other.to_string())),
        },
        RustlsError::InvalidMessage(InvalidMessage::InvalidContentType) => TlsFault::NotTls,
        RustlsError::AlertReceived(alert) => match alert {
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied => TlsFault::RejectsOurs(format!("{alert:?}")),
            AlertDescription::CertificateRequired => TlsFault::WantsOurs,
            _ => TlsFault::Other(format!("the server ends it with {alert:?}")),
        },
        other => TlsFault::Other(one_line(&other.to_string())),
    }
}

/// rustls gives names as `DnsName("kubernetes")` and `IpAddress(10.96.0.1)`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')'));
    one_line(inner.trim_matches('"'))
}

fn since(time: UnixTime, word: &str) -> Option<String> {
    let time = Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()?;
    Some(format!("{word} {time}"))
}

fn host_of(server: &str) -> String {
    server
        .parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned))
        .unwrap_or_else(|| server.to_owned())
}

fn said(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        // "Connection refused (os error 111)" tells nothing more.
        Some(kind) if kind != io::ErrorKind::Other => kind.to_string(),
        _ => one_line(&error.to_string()),
    }
}

/// The first error of a kind in the chain.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        at = next(error);
    }
    None
}

fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut last = error;
    while let Some(cause) = next(last) {
        last = cause;
    }
    last
}

/// The cause of an error. An [`io::Error`] does not count what it wraps as its source.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(inner);
    }
    error.source()
}
