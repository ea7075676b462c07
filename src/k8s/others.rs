//! Reads the objects of those who act on nodes by themselves, when somebody asks: health checks, remedies, a Machine,
//! a lease, a lock. They are custom resources that most clusters do not have, so nothing of them is watched.
//!
//! It judges nobody: what cannot be read is told as not known, and what the server does not have as not installed.
//! All of it is asked at once and within one limit, after the list of groups, which costs one request where none of
//! them is there.

mod object;

use super::connect::Session;
use super::execute::sent;
use super::watch::escaped;
use crate::actions::CallError;
use crate::actions::others::{Read, Remedy, Source, Survey};
use crate::cluster::{ObjectRef, Text};
use futures::future::join_all;
use http::Request;
use http::header::ACCEPT;
use kube::client::Body;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(4);
/// More than there are nodes that one looks at in such a night.
const PAGE: usize = 500;
/// Where remedies keep the leases of the nodes that they work on, if nobody has configured another place.
const LEASES: &str = "medik8s-leases";

/// A group's name, and the version that the server prefers.
type Groups = BTreeMap<String, String>;

pub async fn read(session: &Session, node: &ObjectRef) -> Survey {
    let at = session.clock.now();
    let groups = match get(session, "/apis").await {
        Ok(list) => groups(&list),
        Err(error) => {
            return Survey { at, told: vec![(Source::Groups, Read::NotKnown(error.reason().into()))] };
        }
    };
    let listed = join_all(Source::LISTED.map(|source| list(session, (source, &groups))));
    let (mut told, machine, lease, locks) = tokio::join!(
        listed,
        machine(session, (node, &groups)),
        lease(session, (node, &groups)),
        locks(session),
    );
    told.extend(machine);
    told.extend(lease);
    told.push((Source::KuredLock, locks));
    Survey { at, told }
}

fn groups(list: &Value) -> Groups {
    let groups = list["groups"].as_array().into_iter().flatten();
    let named = groups.filter_map(|group| {
        let version = group["preferredVersion"]["version"].as_str()?;
        Some((group["name"].as_str()?.to_owned(), version.to_owned()))
    });
    named.collect()
}

async fn list(session: &Session, (source, groups): (Source, &Groups)) -> (Source, Read) {
    let Some((resource, version)) =
        source.resource().and_then(|resource| Some((resource, groups.get(resource.group)?)))
    else {
        return (source, Read::NotInstalled);
    };
    let path = format!("/apis/{}/{}/{}?limit={PAGE}", resource.group, escaped(version), resource.plural);
    let read = match get(session, &path).await {
        Ok(list) => {
            let items = list["items"].as_array().into_iter().flatten();
            let remedies = items.map(|item| match source {
                Source::HealthChecks => Remedy::HealthCheck(object::health_check(item)),
                Source::SelfNodeRemediations
                | Source::FenceAgentsRemediations
                | Source::MachineDeletionRemediations
                | Source::Groups
                | Source::Machine
                | Source::Lease
                | Source::KuredLock => Remedy::Remediation(object::remediation(item)),
            });
            Read::Objects(remedies.collect())
        }
        Err(error) => unread(error),
    };
    (source, read)
}

/// The one object that the node's annotations name. Nothing where they name none.
async fn machine(session: &Session, (node, groups): (&ObjectRef, &Groups)) -> Option<(Source, Read)> {
    let path = format!("/api/v1/nodes/{}", escaped(&node.name.name));
    let annotations = match get(session, &path).await {
        Ok(mut row) => row["metadata"]["annotations"].take(),
        Err(error) => return Some((Source::Machine, unread(error))),
    };
    let annotation = |key: &str| annotations[key].as_str();
    let (group, namespace, name) = if let Some(name) = annotation("cluster.x-k8s.io/machine") {
        let namespace = annotation("cluster.x-k8s.io/cluster-namespace").unwrap_or("default");
        ("cluster.x-k8s.io", namespace, name)
    } else {
        let (namespace, name) = annotation("machine.openshift.io/machine")?.split_once('/')?;
        ("machine.openshift.io", namespace, name)
    };
    let Some(version) = groups.get(group) else {
        // Clusters are managed from others, and those have the objects.
        let reason = format!("{namespace}/{name} is an object of another cluster, which manages this one");
        return Some((Source::Machine, Read::NotKnown(reason.into())));
    };
    let (namespace, name, version) = (escaped(namespace), escaped(name), escaped(version));
    let path = format!("/apis/{group}/{version}/namespaces/{namespace}/machines/{name}");
    let read = match get(session, &path).await {
        Ok(machine) => Read::Objects(vec![Remedy::Machine(object::machine(&machine))]),
        Err(CallError::NotFound { .. }) => Read::Objects(Vec::new()),
        Err(error) => unread(error),
    };
    Some((Source::Machine, read))
}

/// Asked for only where somebody is installed who could hold it.
async fn lease(session: &Session, (node, groups): (&ObjectRef, &Groups)) -> Option<(Source, Read)> {
    let is_installed = groups.keys().any(|group| group == "medik8s.io" || group.ends_with(".medik8s.io"));
    if !is_installed {
        return None;
    }
    let name = escaped(&format!("node-{}", node.name.name));
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LEASES}/leases/{name}");
    let read = match get(session, &path).await {
        Ok(lease) => Read::Objects(object::lease(&lease).into_iter().collect()),
        Err(CallError::NotFound { .. }) => Read::Objects(Vec::new()),
        Err(error) => unread(error),
    };
    Some((Source::Lease, read))
}

/// Kured keeps its lock on its daemon set, in whatever namespace that is.
async fn locks(session: &Session) -> Read {
    match get(session, "/apis/apps/v1/daemonsets?fieldSelector=metadata.name%3Dkured").await {
        Ok(list) => {
            let sets = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let now = session.clock.now();
            match sets {
                [] => Read::NotInstalled,
                sets => Read::Objects(sets.iter().flat_map(|set| object::locks(set, now)).collect()),
            }
        }
        Err(error) => unread(error),
    }
}

/// A group can be there without the resource.
fn unread(error: CallError) -> Read {
    match error {
        CallError::NotFound { .. } => Read::NotInstalled,
        error @ (CallError::ReadOnly
        | CallError::Unauthorized { .. }
        | CallError::Forbidden { .. }
        | CallError::Conflict { .. }
        | CallError::Invalid { .. }
        | CallError::Broken { .. }
        | CallError::TooManyRequests { .. }
        | CallError::Unanswered { .. }) => Read::NotKnown(error.reason().into()),
    }
}

async fn get(session: &Session, path: &str) -> Result<Value, CallError> {
    let request = Request::get(path).header(ACCEPT, "application/json").body(Body::empty());
    let request = request.map_err(|error| CallError::Invalid { reason: error.to_string().into() })?;
    let body = sent(&session.client(), request, LIMIT).await?;
    serde_json::from_slice(&body).map_err(|error| CallError::Broken {
        reason: Text::from(format!("the answer cannot be read: {error}")),
    })
}
