//! When a config map or a secret was last written, by its metadata: what is in it is not asked for, and a server that
//! cannot leave it out is not read.

use super::connect::Session;
use super::pods::error;
use super::watch::{Answer as Reply, Trouble, escaped, get};
use crate::actions::probe::Needed;
use crate::actions::{Answer, CallError};
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(10);
/// The metadata of one object.
const LARGEST: usize = 4 << 20;
/// The metadata alone. No second choice: the whole object is none.
const ACCEPT: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

pub async fn written(session: &Session, needed: &Needed) -> Answer {
    let Needed { reference, namespace, .. } = needed;
    let (namespace, name) = (escaped(namespace), escaped(&reference.name));
    let uri = format!("/api/v1/namespaces/{namespace}/{}/{name}", reference.held.plural());
    let reading = async {
        let reply = Reply::to(get(&uri, ACCEPT, false), &session.client()).await?;
        let body = reply.collected(LARGEST).await?;
        serde_json::from_slice::<Partial>(&body)
            .map_err(|error| Trouble::broken(format!("the answer is not what was asked for: {error}")))
    };
    match timeout(LIMIT, reading).await {
        Ok(Ok(partial)) => Answer::Written { at: partial.metadata.last_written() },
        Ok(Err(Trouble::Absent { reason })) => Answer::No { reason: reason.into() },
        Ok(Err(trouble)) => Answer::Failed(error(&trouble)),
        Err(_) => {
            let reason = format!("the server did not answer within {} s", LIMIT.as_secs());
            Answer::Failed(CallError::Unanswered { reason: reason.into() })
        }
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
