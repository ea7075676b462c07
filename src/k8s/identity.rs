//! Which cluster this is: the uid of its namespace kube-system, which no two clusters share.

use super::connect::Session;
use super::execute::sent;
use crate::actions::CallError;
use http::Request;
use http::header::ACCEPT;
use kube::client::Body;
use serde::Deserialize;
use std::time::Duration;

const PATH: &str = "/api/v1/namespaces/kube-system";
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
}

/// The uid of kube-system, as the server has it now.
pub async fn kube_system(session: &Session) -> Result<String, CallError> {
    let request = Request::get(PATH).header(ACCEPT, "application/json").body(Body::empty());
    let request = request.map_err(|error| CallError::Invalid { reason: error.to_string().into() })?;
    let body = sent(&session.client(), request, LIMIT).await?;
    let read = serde_json::from_slice::<Namespace>(&body);
    let unread = |error: serde_json::Error| CallError::Broken {
        reason: format!("the namespace kube-system cannot be read: {error}").into(),
    };
    read.map(|namespace| namespace.metadata.uid).map_err(unread)
}
