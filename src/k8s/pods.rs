//! The pods of a node as they are at this moment, in all namespaces: read from the server's storage, whatever a watch
//! has shown.

use super::connect::Session;
use super::once::once;
use super::watch::{Answer as Reply, Trouble, escaped, get};
use crate::actions::Answer;
use crate::cluster::{Change, Delta, Kind, ObjectRef, Pod};
use crate::wire::{Decoder, Encoding, ListParser};
use std::time::Duration;

/// How long it may take: a node has some hundred pods, and an ailing server has other things to do.
const LIMIT: Duration = Duration::from_secs(15);
/// The most that is read of one page.
const LARGEST: usize = 64 << 20;

/// What is on a node now, or why that is not known.
pub async fn on(session: &Session, node: &ObjectRef) -> Answer {
    match once(session, LIMIT, || listed(session, node)).await {
        Ok(pods) => Answer::Pods(pods),
        Err(trouble) => Answer::Failed(trouble.into()),
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
