//! The rule `service-losing-requests`: a part of a service's endpoints is where nobody may answer.

use super::{
    Awaited, Bound, Clock, Evidence, Finding, Found, RuleId, Severity, Subject, View, node_gone,
    node_lease_quiet, words,
};
use crate::cluster::{Node, ObjectRef, Pod, Readiness, Row, Service, Text};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub const PROSE: &str = "Pods that get a service's requests are on a node whose lease stands still, that is silent, or \
    that is gone: requests still go there and hang or fail, in proportion to its share of the endpoints. Of a node \
    that stands still until it is declared silent, because with that its pods are marked not ready and leave the \
    endpoints at once; of one that is gone until its pods are collected. A service that publishes pods that are not \
    ready goes on with it until the pods themselves are gone, which on a silent node may be never.";

/// A node on which nobody may answer.
struct Suspect<'a> {
    name: &'a Text,
    subject: Subject,
    state: State,
    since: Option<Timestamp>,
    /// When its pods leave the endpoints.
    clock: Option<Clock>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Ready by its status.
    Quiet,
    Silent,
    Gone,
}

/// Whether there is any node on which nobody may answer.
pub fn has_suspects(view: &View<'_>) -> bool {
    let cluster = view.cluster;
    cluster.unready_nodes().next().is_some()
        || cluster.absent_nodes().next().is_some()
        || node_lease_quiet::looks(cluster)
}

pub fn evaluate(view: &View<'_>, service: &Service, found: &mut Found) {
    let Some(selector) = service.selector() else { return };
    let mut lost: BTreeMap<&Text, (Suspect<'_>, Vec<&Pod>)> = BTreeMap::new();
    for pod in view.cluster.pods_matching(&service.meta.name.namespace, &selector) {
        if pod.phase.is_terminal() || pod.node.is_empty() || !is_serving(service, pod) {
            continue;
        }
        if let Some((_, pods)) = lost.get_mut(&pod.node) {
            pods.push(pod);
        } else if let Some(suspect) = suspect(view, &pod.node) {
            lost.insert(&pod.node, (suspect, vec![pod]));
        }
    }
    let Some((first, _)) = lost.values().next() else { return };
    let Some(backing) = view.cluster.service(service).backing else { return };
    let pods: Vec<ObjectRef> = lost.values().flat_map(|(_, pods)| pods).map(|pod| pod.object()).collect();
    let total = usize::try_from(backing.ready).unwrap_or(0).max(pods.len());
    let share = if pods.len() == total { "all".to_owned() } else { format!("{} of {total}", pods.len()) };
    // Only what its readers asked for: a peer that is not ready is for whoever looks for peers.
    let is_wanted = pods_are_unready(&lost);
    found.add(Finding {
        sentence: format!(
            "Service {} sends requests to {}, from which no answer may come: {share} of its endpoints{}.",
            service.meta.name,
            words::pods(&pods),
            until(&lost, is_wanted),
        ),
        about: pods.clone(),
        since: lost.values().filter_map(|(suspect, _)| suspect.since).min(),
        clock: lost.values().filter_map(|(suspect, _)| suspect.clock).max_by_key(|clock| clock.at),
        evidence: lost.values().map(|(suspect, pods)| evidence(suspect, pods.len())).collect(),
        next: if is_wanted {
            "Clients have to pass over it; release the pods once the machine is proved to be off."
        } else {
            "Clients should try again; to stop it at once, take the pods out of the service by a label."
        }
        .to_owned(),
        cause: Some(first.subject.clone()),
        ..Finding::new(
            RuleId::ServiceLosingRequests,
            match (is_wanted, pods.len() == total) {
                (true, _) => Severity::Notice,
                (false, false) => Severity::Warning,
                (false, true) => Severity::Critical,
            },
            service.object(),
        )
    });
}

/// Whether it is among the endpoints to which requests go.
fn is_serving(service: &Service, pod: &Pod) -> bool {
    (pod.is_ready() || service.publishes_unready) && !pod.meta.is_deleting()
}

fn pods_are_unready(lost: &BTreeMap<&Text, (Suspect<'_>, Vec<&Pod>)>) -> bool {
    lost.values().flat_map(|(_, pods)| pods).all(|pod| !pod.is_ready())
}

fn suspect<'a>(view: &View<'a>, name: &'a Text) -> Option<Suspect<'a>> {
    let of = |node: &'a Node, state, since, clock| Suspect {
        name,
        subject: node.object().into(),
        state,
        since,
        clock,
    };
    match view.cluster.node(name) {
        Some(node) if node.readiness() == Readiness::Silent => {
            Some(of(node, State::Silent, node.ready_since(), None))
        }
        Some(node) => {
            let heartbeat = node_lease_quiet::quiet(view, node)?;
            let clock = node_lease_quiet::declared(view, heartbeat);
            Some(of(node, State::Quiet, heartbeat.moved.or(Some(heartbeat.watched_since)), clock))
        }
        None => view.cluster.absent_since(name).map(|since| Suspect {
            name,
            subject: node_gone::object(name).into(),
            state: State::Gone,
            since: since.is_exact.then_some(since.at),
            clock: node_gone::collected(since).map(|at| Clock {
                what: Awaited::Collection,
                at,
                bound: Bound::AtLatest,
            }),
        }),
    }
}

/// How long it goes on.
fn until(lost: &BTreeMap<&Text, (Suspect<'_>, Vec<&Pod>)>, is_wanted: bool) -> &'static str {
    let is = |state| lost.values().any(|(suspect, _)| suspect.state == state);
    if is_wanted {
        ", which publishes them although they are not ready"
    } else if is(State::Silent) {
        ", until the controller marks them as not ready"
    } else if is(State::Gone) {
        ", until they are collected"
    } else if lost.len() == 1 {
        ", until the node is declared silent"
    } else {
        ", until the nodes are declared silent"
    }
}

fn evidence(suspect: &Suspect<'_>, many: usize) -> Evidence {
    let state = match suspect.state {
        State::Quiet => "whose lease stands still",
        State::Silent => "which is silent",
        State::Gone => "which is gone",
    };
    Evidence::at(format!("{} on {}, {state}", words::are(many, "endpoint"), suspect.name), suspect.since)
}
