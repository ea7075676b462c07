//! What the API server says of its own readiness, and which of its checks fail.
//!
//! Asked rarely, because a server that is ill pays for each answer, and at once when the pulse falters. It is not the
//! pulse: a server that is not ready answers, and may be all that there is.

use super::backoff::spread;
use super::poll::{Poll, within_limit};
use super::watch::{Closed, Link, Login, Trouble, get, innermost};
use crate::cluster::{Change, Checks, Feed, Text};
use http::StatusCode;
use http_body_util::BodyExt as _;
use kube::Client;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::sleep;

/// The most that is read of what a sick server says.
const LONGEST_COMPLAINT: usize = 16 << 10;

/// Asks until nobody listens any more.
pub async fn run(link: Arc<Link>) {
    let Err(Closed) = follow(link).await;
}

async fn follow(link: Arc<Link>) -> Result<Infallible, Closed> {
    let mut poll = Poll::begin(Arc::clone(&link), Feed::Checks).await?;
    let mut refreshes = link.refreshes();
    let (ready, ailing) = link.limits.checks;
    loop {
        let login = link.login();
        // Taken before the question: what falters while it is on its way is asked about again.
        let faltered = link.faltered();
        let pause = match within_limit(link.limits.answer, checks(&login)).await {
            Ok(checks) => {
                let pause = if checks.is_ready { ready } else { ailing };
                poll.is_read(vec![Change::Checks(checks)]).await?;
                spread(pause)
            }
            Err(trouble) => poll.has_failed(trouble, &login).await?,
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = faltered => {}
            _ = refreshes.changed() => {}
        }
    }
}

async fn checks(login: &Login) -> Result<Checks, Trouble> {
    let (status, said) = asked(&login.client, "/readyz?verbose").await.map_err(Trouble::broken)?;
    let failed: Vec<Text> = failed(&said).into_iter().map(Text::from).collect();
    let reason = || format!("the server answers {status}");
    match status {
        _ if status.is_success() => Ok(Checks { failed: Vec::new(), is_ready: true }),
        StatusCode::UNAUTHORIZED => Err(Trouble::Login { reason: reason() }),
        StatusCode::FORBIDDEN => Err(Trouble::Forbidden { reason: reason() }),
        StatusCode::NOT_FOUND => Err(Trouble::Absent { reason: reason() }),
        // Its own word. What names no check is a balancer's.
        _ if !failed.is_empty() => Ok(Checks { failed, is_ready: false }),
        _ => Err(Trouble::broken(reason())),
    }
}

/// Sends a question for health, and what came back as text.
pub async fn asked(client: &Client, uri: &str) -> Result<(StatusCode, String), String> {
    let response = client.send(get(uri, "*/*", false)).await.map_err(|error| innermost(&error))?;
    let (head, mut body) = response.into_parts();
    let mut said = Vec::new();
    // To the end, so that the connection can be used again.
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| innermost(&error))?;
        if let Some(bytes) = frame.data_ref()
            && said.len() < LONGEST_COMPLAINT
        {
            said.extend_from_slice(bytes);
        }
    }
    Ok((head.status, String::from_utf8_lossy(&said).into_owned()))
}

/// The checks that a server names as failing.
pub fn failed(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("[-]")?.split_whitespace().next()).collect()
}
