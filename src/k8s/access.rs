//! Asks the API server what the user may do. The only requests beside calls that are not a GET, and the only such ones
//! in a read-only session.

use super::connect::Session;
use super::execute::sent;
use crate::actions::{Access, Answer, CallError};
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use kube::client::Body;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Where reviews are sent; [`super::transport`] lets them pass in a read-only session.
pub const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

const LIMIT: Duration = Duration::from_secs(10);

/// Whether the user may do this, by the server's word.
pub async fn may(session: &Session, access: &Access) -> Answer {
    let Access { right, namespace, name } = access;
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": right.verb,
            "group": right.group,
            "version": "*",
            "resource": right.resource,
            "subresource": right.subresource,
            "namespace": namespace,
            "name": name,
        } },
    });
    let request = Request::post(PATH)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(Body::from(review.to_string().into_bytes()));
    let request = match request {
        Ok(request) => request,
        Err(error) => return Answer::Failed(CallError::Invalid { reason: error.to_string().into() }),
    };
    match sent(&session.client(), request, LIMIT).await {
        Ok(body) => answer(&body),
        Err(error) => Answer::Failed(error),
    }
}

#[derive(Deserialize)]
struct Review {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    allowed: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    evaluation_error: String,
}

fn answer(body: &[u8]) -> Answer {
    match serde_json::from_slice::<Review>(body) {
        Ok(Review { status: Status { allowed: true, .. } }) => Answer::Yes,
        Ok(Review { status: Status { reason, evaluation_error, .. } }) => {
            Answer::No { reason: if reason.is_empty() { evaluation_error } else { reason }.into() }
        }
        Err(error) => Answer::Failed(CallError::Broken {
            reason: format!("the answer to an access review cannot be read: {error}").into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_allowed_is_a_no_with_its_reason() {
        assert_eq!(answer(br#"{"status":{"allowed":true,"reason":"RBAC"}}"#), Answer::Yes);
        assert_eq!(answer(br#"{"status":{"allowed":false}}"#), Answer::No { reason: "".into() });
        assert_eq!(
            answer(br#"{"status":{"allowed":false,"evaluationError":"no such role"}}"#),
            Answer::No { reason: "no such role".into() }
        );
        assert!(matches!(answer(b"{}"), Answer::Failed(CallError::Broken { .. })));
    }
}
