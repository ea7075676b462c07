//! The pods of a node as they are at this moment, in all namespaces: read from the server's storage, whatever a watch
//! has shown.

use super::connect::Session;
use super::watch::{Answer as Reply, Trouble, escaped, get};
use crate::actions::{Answer, CallError};
use crate::cluster::{Change, Delta, Kind, ObjectRef, Pod};
use crate::wire::{Decoder, Encoding, ListParser};
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take: a node has some hundred pods, and an ailing server has other things to do.
const LIMIT: Duration = Duration::from_secs(15);
/// The most that is read of one page.
const LARGEST: usize = 64 << 20;

/// What is on a node now, or why that is not known.
pub async fn on(session: &Session, node: &ObjectRef) -> Answer {
    let first = timeout(LIMIT, listed(session, node)).await;
    let read = match first {
        Ok(Err(Trouble::Login { reason })) => match session.renew().await {
            Ok(_) => timeout(LIMIT, listed(session, node)).await,
            Err(_) => Ok(Err(Trouble::Login { reason })),
        },
        other => other,
    };
    match read {
        Ok(Ok(pods)) => Answer::Pods(pods),
        Ok(Err(trouble)) => Answer::Failed(error(&trouble)),
        Err(_) => {
            let reason = format!("the server did not answer within {} s", LIMIT.as_secs());
            Answer::Failed(CallError::Unanswered { reason: reason.into() })
        }
    }
}

async fn listed(session: &Session, node: &ObjectRef) -> Result<Vec<Pod>, Trouble> {
    // Without a version: as the storage has it, and not the server's cache.
    let selector = escaped(&format!("spec.nodeName={}", node.name.name));
    let path = format!("/api/v1/pods?limit=500&fieldSelector={selector}");
    let mut pods = Vec::new();
    let mut decoder = Decoder::new(Kind::Pod);
    let mut uri = path.clone();
    loop {
        let reply = Reply::to(get(&uri, Encoding::ACCEPT, false), &session.client()).await?;
        let mut parser = ListParser::new(reply.encoding);
        let body = reply.collected(LARGEST).await?;
        let mut changes = Vec::new();
        parser.push(&body, &mut decoder, &mut changes)?;
        for change in changes {
            let Change::Pod(Delta::Apply(pod)) = change else {
                // It is there all the same, and nothing is called empty that has it.
                return Err(Trouble::broken("a pod in the list cannot be read"));
            };
            pods.push(*pod);
        }
        match parser.finish()?.continue_token {
            Some(token) => uri = format!("{path}&continue={}", escaped(&token)),
            None => return Ok(pods),
        }
    }
}

fn error(trouble: &Trouble) -> CallError {
    let reason = trouble.reason().into();
    match trouble {
        Trouble::Login { .. } => CallError::Unauthorized { reason },
        Trouble::Forbidden { .. } => CallError::Forbidden { reason, causes: Vec::new() },
        Trouble::Absent { .. } => CallError::NotFound { reason },
        Trouble::Rejected { .. } => CallError::Broken { reason },
        Trouble::Busy { pause, .. } => CallError::TooManyRequests {
            reason,
            pause: pause.and_then(|pause| SignedDuration::try_from(pause).ok()),
            causes: Vec::new(),
        },
        Trouble::Expired { .. } | Trouble::Broken { .. } => CallError::Unanswered { reason },
    }
}
