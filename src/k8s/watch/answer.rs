//! An answer of the API server: a body that arrives, or why there is none.
//!
//! It deliberately waits without limit: how long an answer may take depends on what was asked, so the asker says.

use crate::wire::{Encoding, Status, WireError};
use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use std::error::Error;
use std::io;
use std::time::Duration;

/// The most that is read of a body that says why there is no answer.
const LONGEST_COMPLAINT: usize = 64 << 10;
/// How long such a body may take: the code is known, and says enough.
const COMPLAINT_LIMIT: Duration = Duration::from_secs(5);

/// What is said of a connection that ended in the middle of something.
pub const CUT: &str = "the connection was cut";
/// How the HTTP library says it of one that ended before the answer.
const CLOSED: &str = "connection closed before message completed";

/// Why there is no answer, by what has to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server does not know us, or our credentials cannot be had: a new login is needed.
    Login {
        reason: String,
    },
    Forbidden {
        reason: String,
    },
    /// The server does not have what was asked for.
    Absent {
        reason: String,
    },
    /// The version or the continue token is too old, or of another history: list anew.
    Expired {
        continue_token: Option<String>,
    },
    /// The server cannot do what was asked for in this way.
    Rejected {
        reason: String,
    },
    /// The server is there but not able; it may have said for how long.
    Busy {
        reason: String,
        pause: Option<Duration>,
    },
    /// The connection failed, or what came over it is not the API's.
    Broken {
        reason: String,
    },
}

impl Trouble {
    pub fn broken(reason: impl Into<String>) -> Self {
        Self::Broken { reason: reason.into() }
    }

    /// What the trouble is, in plain words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Login { reason }
            | Self::Forbidden { reason }
            | Self::Absent { reason }
            | Self::Rejected { reason }
            | Self::Busy { reason, .. }
            | Self::Broken { reason } => reason,
            Self::Expired { .. } => "the server no longer knows the version we have",
        }
    }
}

impl From<Status> for Trouble {
    fn from(status: Status) -> Self {
        let is_ahead = status.causes.iter().any(|cause| &*cause.reason == "ResourceVersionTooLarge");
        let reason = match status.message.non_empty() {
            Some(message) => message.to_owned(),
            None => words(status.code),
        };
        match status.code {
            // Ahead of the server: its storage was restored, and our version belongs to another history.
            410 => Self::Expired { continue_token: status.continue_token },
            _ if is_ahead => Self::Expired { continue_token: None },
            401 => Self::Login { reason },
            403 => Self::Forbidden { reason },
            404 | 405 => Self::Absent { reason },
            400 | 422 | 500 => Self::Rejected { reason },
            429 | 503 | 504 => {
                let pause = status.retry_after_seconds.map(|seconds| Duration::from_secs(seconds.into()));
                Self::Busy { reason, pause }
            }
            _ => Self::Broken { reason },
        }
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        Self::broken(error.to_string())
    }
}

fn words(code: u16) -> String {
    let known = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    match known {
        Some(known) => format!("the server answers {code} {known}"),
        None => format!("the server answers {code}"),
    }
}

/// A success, and its body as it arrives.
#[derive(Debug)]
pub struct Answer {
    pub encoding: Encoding,
    body: Body,
}

impl Answer {
    /// Sends a request and waits for the head of the answer.
    pub async fn to(request: Request<Body>, client: &Client) -> Result<Self, Trouble> {
        let response = client.send(request).await.map_err(|error| sending(&error))?;
        let (head, body) = response.into_parts();
        let content_type = text(&head.headers, &CONTENT_TYPE);
        if !head.status.is_success() {
            let complaint = complaint(body).await;
            let mut status = Status::read(head.status.as_u16(), content_type, &complaint);
            // A proxy's page says nothing of its code, and a `Status` says nothing else.
            status.code = head.status.as_u16();
            let said = text(&head.headers, &RETRY_AFTER).parse().ok();
            status.retry_after_seconds = said.or(status.retry_after_seconds);
            return Err(status.into());
        }
        let Some(encoding) = Encoding::of(content_type) else {
            let kind = if content_type.is_empty() { "nothing known" } else { content_type };
            return Err(Trouble::broken(format!(
                "the server answers with {kind}, which is not the Kubernetes API"
            )));
        };
        Ok(Self { encoding, body })
    }

    /// The next bytes, nothing at the end. May be dropped and asked again.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Trouble> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(Trouble::broken(innermost(&error))),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// The next bytes if they are here already.
    pub fn ready(&mut self) -> Option<Result<Option<Bytes>, Trouble>> {
        self.chunk().now_or_never()
    }

    /// All of it.
    pub async fn collected(mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        let mut all = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            all.extend_from_slice(&bytes);
            if all.len() > most {
                return Err(WireError::TooLarge.into());
            }
        }
        Ok(all)
    }
}

async fn complaint(mut body: Body) -> Vec<u8> {
    let mut read = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Some(bytes) = frame.data_ref() {
                read.extend_from_slice(bytes);
            }
            if read.len() >= LONGEST_COMPLAINT {
                break;
            }
        }
    };
    // What has come by then is what there is.
    let _in_time = tokio::time::timeout(COMPLAINT_LIMIT, reading).await;
    read
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Why a request could not be sent, or was not answered.
fn sending(error: &kube::Error) -> Trouble {
    match error {
        // Not its own words: they may hold what a credential plugin printed.
        kube::Error::Auth(_) => Trouble::Login { reason: "the credentials cannot be renewed".to_owned() },
        other => Trouble::broken(innermost(other)),
    }
}

/// The cause at the root of an error, in plain words: what wraps it only tells which library was in the way.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    let mut kind = None;
    let mut next = Some(error);
    while let Some(error) = next {
        let known = error.downcast_ref::<io::Error>().map(io::Error::kind);
        kind = known.filter(|known| *known != io::ErrorKind::Other).or(kind);
        root = error;
        next = cause(error);
    }
    let is_cut = |kind: &io::ErrorKind| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(kind)
    };
    let text = root.to_string();
    match kind {
        Some(kind) if is_cut(&kind) => CUT.to_owned(),
        Some(kind) => kind.to_string(),
        None if text == CLOSED => CUT.to_owned(),
        None => text,
    }
}

/// What an error was caused by: an I/O error shows the one that it wraps in another way than all others.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cause;

    fn status(code: u16) -> Status {
        Status { code, ..Status::default() }
    }

    #[test]
    fn each_code_leads_to_what_has_to_be_done() {
        let reason = || words(401);
        assert_eq!(Trouble::from(status(401)), Trouble::Login { reason: reason() });
        assert!(matches!(Trouble::from(status(403)), Trouble::Forbidden { .. }));
        assert!(matches!(Trouble::from(status(404)), Trouble::Absent { .. }));
        assert_eq!(Trouble::from(status(410)), Trouble::Expired { continue_token: None });
        for code in [400, 422, 500] {
            assert!(matches!(Trouble::from(status(code)), Trouble::Rejected { .. }), "{code}");
        }
        for code in [429, 503, 504] {
            assert!(matches!(Trouble::from(status(code)), Trouble::Busy { pause: None, .. }), "{code}");
        }
        assert!(matches!(Trouble::from(status(502)), Trouble::Broken { .. }));
    }

    #[test]
    fn a_version_ahead_of_the_server_means_a_new_list() {
        let cause = Cause { reason: "ResourceVersionTooLarge".into(), ..Cause::default() };
        let status = Status { causes: vec![cause], ..status(504) };
        assert_eq!(Trouble::from(status), Trouble::Expired { continue_token: None });
    }

    #[test]
    fn a_code_without_a_word_is_still_said() {
        assert_eq!(Trouble::from(status(502)).reason(), "the server answers 502 Bad Gateway");
    }

    #[test]
    fn the_root_of_an_error_is_said_without_the_libraries_on_the_way() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = kube::Error::Service(Box::new(io::Error::other(refused)));
        assert_eq!(innermost(&wrapped), "connection refused");
    }
}
