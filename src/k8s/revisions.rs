//! Reads a workload and its revisions in full, once and when somebody asks: the rows that are watched have no
//! templates.
//!
//! It deliberately asks page by page and bounds what it takes in: five hundred templates can be many megabytes.

use super::connect::Session;
use super::once::{json, once};
use super::watch::{Answer, Trouble, escaped, get};
use crate::cluster::{Kind, ObjectRef, Text};
use crate::revision::{History, Running, RunningPod, Unreadable};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// How long all of it may take, and once more after a new login.
const LIMIT: Duration = Duration::from_secs(30);
/// The most that is read of one history.
const MOST_BYTES: usize = 64 << 20;
const PAGE: usize = 100;
/// How long the pods may take, and how many of them tell what runs.
const PODS_LIMIT: Duration = Duration::from_secs(10);
const MOST_PODS: usize = 500;

/// The history of a workload, or in words why it cannot be had.
pub async fn read(session: &Session, object: &ObjectRef) -> Result<History, Text> {
    let outcome = once(session, LIMIT, || attempt(session, object)).await;
    let (workload, owned) = outcome.map_err(|trouble| words(object, &trouble))?;
    // A history without them is worth having.
    let selected = selector(&workload["spec"]["selector"]);
    let pods = once(session, PODS_LIMIT, || pods(session, object, &selected)).await;
    let pods = pods.map_err(|trouble| Text::from(trouble.reason()));
    let (kind, uid) = (object.kind, object.uid.clone());
    // Many templates take their time, and others wait for this thread.
    let history = tokio::task::spawn_blocking(move || {
        let mut history = History::read(kind, workload, owned)?;
        history.running = pods.map(|pods| Running::of(kind, &pods));
        Ok::<_, Unreadable>(history)
    })
    .await;
    match history {
        Ok(Ok(history)) if history.object.uid != uid => Err(Text::from(format!(
            "{object} was deleted and created anew: look again, and choose what is there now"
        ))),
        Ok(Ok(history)) => Ok(history),
        Ok(Err(error)) => {
            Err(Text::from(format!("the history of {object} cannot be read: {error}; ask again")))
        }
        Err(_) => Err(Text::from(format!("the history of {object} cannot be read; ask again"))),
    }
}

fn words(object: &ObjectRef, trouble: &Trouble) -> Text {
    let advice = match trouble {
        Trouble::Forbidden { .. } => "ask for the right to get and list it",
        Trouble::Absent { .. } => "look whether it is still there",
        Trouble::Login { .. }
        | Trouble::Expired { .. }
        | Trouble::Rejected { .. }
        | Trouble::Busy { .. }
        | Trouble::Broken { .. } => "ask again when the API server answers",
    };
    format!("the history of {object} cannot be read: {}; {advice}", trouble.reason()).into()
}

/// The workload, and what its selector finds of what holds its revisions.
async fn attempt(session: &Session, object: &ObjectRef) -> Result<(Value, Vec<Value>), Trouble> {
    let mut left = MOST_BYTES;
    let folder = format!("/apis/apps/v1/namespaces/{}", escaped(&object.name.namespace));
    let uri = format!("{folder}/{}/{}", object.kind.plural(), escaped(&object.name.name));
    let workload = fetched(session, &uri, &mut left).await?;
    let held = if object.kind == Kind::Deployment { "replicasets" } else { "controllerrevisions" };
    let selector = escaped(&selector(&workload["spec"]["selector"]));
    let mut owned = Vec::new();
    let mut token = String::new();
    loop {
        let mut uri = format!("{folder}/{held}?labelSelector={selector}&limit={PAGE}");
        if !token.is_empty() {
            let _infallible = write!(uri, "&continue={}", escaped(&token));
        }
        let mut page = fetched(session, &uri, &mut left).await?;
        if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
            owned.append(items);
        }
        match page["metadata"]["continue"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut token),
            Some(_) | None => return Ok((workload, owned)),
        }
    }
}

/// The pods of a workload, as much of them as tells which images they run; not all of a very large one's.
async fn pods(session: &Session, object: &ObjectRef, selector: &str) -> Result<Vec<RunningPod>, Trouble> {
    let namespace = escaped(&object.name.namespace);
    let selector = escaped(selector);
    let uri = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}&limit={MOST_PODS}");
    let answer = Answer::to(get(&uri, "application/json", true), &session.client()).await?;
    let body = answer.collected(MOST_BYTES).await?;
    // Of a large workload as much as the templates.
    let parsed = tokio::task::spawn_blocking(move || json::<Pods>(&body)).await;
    parsed.unwrap_or_else(|_| Err(Trouble::broken("the answer could not be read"))).map(|pods| pods.items)
}

#[derive(Deserialize)]
struct Pods {
    items: Vec<RunningPod>,
}

async fn fetched(session: &Session, uri: &str, left: &mut usize) -> Result<Value, Trouble> {
    let answer = Answer::to(get(uri, "application/json", true), &session.client()).await?;
    let body = answer.collected(*left).await?;
    *left = left.saturating_sub(body.len());
    json(&body)
}

/// A selector as a query has it.
fn selector(value: &Value) -> String {
    let labels = value["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let expressions = value["matchExpressions"].as_array().into_iter().flatten();
    let expressions = expressions.map(|expression| {
        let key = expression["key"].as_str().unwrap_or_default();
        let values = expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        match expression["operator"].as_str().unwrap_or_default() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            // `Exists`: what the server may add to these would find too much, and owners are looked at anyway.
            _ => key.to_owned(),
        }
    });
    labels.chain(expressions).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::selector;
    use serde_json::json;

    #[test]
    fn a_selector_is_written_as_a_query_has_it() {
        let value = json!({
            "matchLabels": { "app": "web", "tier": "front" },
            "matchExpressions": [
                { "key": "track", "operator": "In", "values": ["a", "b"] },
                { "key": "env", "operator": "NotIn", "values": ["dev"] },
                { "key": "x", "operator": "Exists" },
                { "key": "y", "operator": "DoesNotExist" },
            ],
        });
        assert_eq!(selector(&value), "app=web,tier=front,track in (a,b),env notin (dev),x,!y");
        assert_eq!(selector(&json!({})), "");
    }
}
