//! What is asked live about a machine that says nothing: its lease, its node, a byte of a pod's log that only its
//! kubelet could give, and whether the controller-manager works that calls it silent.
//!
//! All of it is read from the server's storage, past every cache, and judged by nobody here.

use super::clock::Clock;
use super::connect::Session;
use super::execute::sent;
use super::watch::escaped;
use crate::actions::evidence::Speech;
use crate::actions::evidence::inquiry::{Leader, Reading, Seen};
use crate::actions::{Answer, CallError};
use crate::cluster::{Change, Delta, Kind, ObjectRef};
use crate::wire::{self, Decoder, Encoding};
use http::Request;
use http::header::ACCEPT;
use jiff::Timestamp;
use kube::client::Body;
use serde::Deserialize;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(4);
/// A kubelet that lives answers at once.
const LOG_LIMIT: Duration = Duration::from_secs(3);
const LEADER: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager";

/// The lease of a node, and when that was by the local monotonic clock.
pub async fn lease(session: &Session, node: &ObjectRef) -> Answer {
    let name = escaped(&node.name.name);
    let (at, asked) = moment(&session.clock);
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}");
    let body = match get(session, &path, LIMIT).await {
        Ok(body) => body,
        Err(error) => return Answer::Failed(error),
    };
    match wire::lease(Encoding::Json, &body) {
        Ok(lease) => {
            let answered = session.clock.steady();
            Answer::Lease(Box::new(Reading { lease, asked, answered, at }))
        }
        Err(error) => unread(&error.to_string()),
    }
}

pub async fn node(session: &Session, node: &ObjectRef) -> Answer {
    let (at, _) = moment(&session.clock);
    let body = match get(session, &format!("/api/v1/nodes/{}", escaped(&node.name.name)), LIMIT).await {
        Ok(body) => body,
        Err(error) => return Answer::Failed(error),
    };
    match Decoder::new(Kind::Node).object(Encoding::Json, &body) {
        Ok(Change::Node(Delta::Apply(row))) => Answer::Node(Box::new(Seen { row: *row, at })),
        Ok(_) => unread("it is no node"),
        Err(error) => unread(&error.to_string()),
    }
}

/// When something is asked, by the server's clock and by the local monotonic one.
fn moment(clock: &Clock) -> (Timestamp, jiff::SignedDuration) {
    (clock.now(), clock.steady())
}

/// Whether the kubelet of a pod's node answers.
pub async fn log(session: &Session, pod: &ObjectRef, container: &str) -> Answer {
    let (namespace, name) = (escaped(&pod.name.namespace), escaped(&pod.name.name));
    let container = escaped(container);
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&limitBytes=1");
    Answer::Speech(heard(get(session, &path, LOG_LIMIT).await.map(drop)))
}

/// Who has answered. An error that the kubelet words is as good as a log; what the API server says of itself proves
/// nothing.
fn heard(answer: Result<(), CallError>) -> Speech {
    match answer {
        Ok(()) => Speech::Life("it gives a log".into()),
        Err(CallError::Broken { reason }) if is_of_machine(&reason) => Speech::Life(reason),
        Err(CallError::Unanswered { reason } | CallError::Broken { reason }) => Speech::Silence(reason),
        Err(CallError::NotFound { reason }) if reason.contains("pods \"") => Speech::NotKnown(reason),
        Err(CallError::Invalid { reason }) if is_of_server(&reason) => Speech::NotKnown(reason),
        Err(CallError::NotFound { reason } | CallError::Invalid { reason }) => Speech::Life(reason),
        Err(
            error @ (CallError::ReadOnly
            | CallError::Unauthorized { .. }
            | CallError::Forbidden { .. }
            | CallError::Conflict { .. }
            | CallError::TooManyRequests { .. }),
        ) => Speech::NotKnown(error.reason().into()),
    }
}

/// What nobody but a machine that runs says at its address, whether or not its kubelet does: it refused a connection, or
/// began to encrypt one.
fn is_of_machine(reason: &str) -> bool {
    let dialled = reason.rsplit_once("dial tcp ").map(|(_, address)| address.trim_start_matches('['));
    let is_way_there =
        dialled.is_some_and(|address| address.starts_with("127.") || address.starts_with("::1]"));
    let is_refused = dialled.is_some_and(|rest| rest.contains("connection refused")) && !is_way_there;
    is_refused || reason.contains("remote error: tls:") || reason.contains("x509: certificate")
}

/// Refusals that the API server words before it asks any kubelet.
fn is_of_server(reason: &str) -> bool {
    [
        "is not valid for pod",
        "container name must be specified",
        "address not allowed",
        "does not have a host assigned",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

#[derive(Deserialize)]
struct LeaderLease {
    #[serde(default)]
    spec: LeaderSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeaderSpec {
    holder_identity: Option<String>,
    acquire_time: Option<Timestamp>,
    renew_time: Option<Timestamp>,
}

pub async fn leader(session: &Session) -> Answer {
    match get(session, LEADER, LIMIT).await {
        Ok(body) => match serde_json::from_slice::<LeaderLease>(&body) {
            Ok(LeaderLease { spec }) => Answer::Leader(Leader {
                renewed: spec.renew_time,
                acquired: spec.acquire_time,
                holder: spec.holder_identity.unwrap_or_default().into(),
            }),
            Err(error) => unread(&error.to_string()),
        },
        Err(error) => Answer::Failed(error),
    }
}

fn unread(reason: &str) -> Answer {
    Answer::Failed(CallError::Broken { reason: format!("the answer cannot be read: {reason}").into() })
}

async fn get(session: &Session, path: &str, limit: Duration) -> Result<Vec<u8>, CallError> {
    let request = Request::get(path).header(ACCEPT, "application/json, */*;q=0.5").body(Body::empty());
    let request = request.map_err(|error| CallError::Invalid { reason: error.to_string().into() })?;
    sent(&session.client(), request, limit).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kubelet_says_is_life_and_what_the_server_says_of_itself_is_not() {
        let not_found = |reason: &str| CallError::NotFound { reason: reason.into() };
        let invalid = |reason: &str| CallError::Invalid { reason: reason.into() };
        let is_life = |answer| matches!(heard(answer), Speech::Life(_));
        assert!(is_life(Ok(())));
        assert!(is_life(Err(not_found(
            "the server could not find the requested resource ( pods/log web-1)"
        ))));
        assert!(is_life(Err(invalid(
            "container \"web\" in pod \"web-1\" is waiting to start: ContainerCreating"
        ))));
        let unanswered = CallError::Unanswered { reason: "the server did not answer within 3 s".into() };
        assert!(matches!(heard(Err(unanswered)), Speech::Silence(_)));
        let refused = "Get \"https://10.0.0.7:10250/containerLogs/shop/web-1/web\": dial tcp 10.0.0.7:10250: connect: \
                       no route to host";
        assert!(matches!(heard(Err(CallError::Broken { reason: refused.into() })), Speech::Silence(_)));
        let broken = |reason: &str| CallError::Broken { reason: reason.into() };
        let dial = "Get \"https://10.0.0.7:10250/containerLogs/shop/web-1/web\": ";
        // The machine runs, and says itself that no kubelet does; or its kubelet has no certificate.
        for said in
            ["dial tcp 10.0.0.7:10250: connect: connection refused", "remote error: tls: internal error"]
        {
            assert!(is_life(Err(broken(&format!("{dial}{said}")))), "{said}");
        }
        // A tunnel on the API server's own machine says nothing of the other.
        let tunnel = format!("{dial}dial tcp 127.0.0.1:10250: connect: connection refused");
        assert!(matches!(heard(Err(broken(&tunnel))), Speech::Silence(_)));
        for error in [not_found("pods \"web-1\" not found"), invalid("address not allowed")] {
            assert!(matches!(heard(Err(error)), Speech::NotKnown(_)));
        }
        let forbidden = CallError::Forbidden { reason: "no".into(), causes: Vec::new() };
        assert!(matches!(heard(Err(forbidden)), Speech::NotKnown(_)));
    }
}
