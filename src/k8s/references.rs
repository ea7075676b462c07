//! When a config map or a secret was last written, by its metadata: what is in it is not asked for, and a server that
//! cannot leave it out is not read.

use super::connect::Session;
use super::once::{json, once};
use super::watch::{Answer as Reply, Trouble, escaped, get};
use crate::actions::Answer;
use crate::actions::probe::Needed;
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);
/// The metadata of one object.
const LARGEST: usize = 4 << 20;
/// The metadata alone. No second choice: the whole object is none.
const ACCEPT: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

pub async fn written(session: &Session, needed: &Needed) -> Answer {
    let Needed { reference, namespace, .. } = needed;
    let (namespace, name) = (escaped(namespace), escaped(&reference.name));
    let uri = format!("/api/v1/namespaces/{namespace}/{}/{name}", reference.held.plural());
    let read = once(session, LIMIT, async || {
        let reply = Reply::to(get(&uri, ACCEPT, false), &session.client()).await?;
        json::<Partial>(&reply.collected(LARGEST).await?)
    });
    match read.await {
        Ok(partial) => Answer::Written { at: partial.metadata.last_written() },
        Err(Trouble::Absent { reason }) => Answer::No { reason: reason.into() },
        Err(trouble) => Answer::Failed(trouble.into()),
    }
}

#[derive(Deserialize)]
struct Partial {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    creation_timestamp: Option<Timestamp>,
    #[serde(default)]
    managed_fields: Vec<Managed>,
}

#[derive(Deserialize)]
struct Managed {
    time: Option<Timestamp>,
}

impl Metadata {
    fn last_written(&self) -> Option<Timestamp> {
        let managed = self.managed_fields.iter().filter_map(|managed| managed.time);
        managed.chain(self.creation_timestamp).max()
    }
}
