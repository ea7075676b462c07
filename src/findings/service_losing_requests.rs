//! The rule `service-losing-requests`: a part of a service's endpoints is where nobody may answer.

use super::{Evidence, Finding, Found, RuleId, Severity, View, node_lease_quiet, words};
use crate::cluster::{Name, Node, ObjectRef, Pod, Readiness, Row, Service};
use std::collections::BTreeMap;

pub const PROSE: &str = "Pods that count as ready and get a service's requests are on a node whose lease stands still, or \
    that is silent: from the moment a machine dies until its node is declared silent, requests still go there and \
    hang or fail, in proportion to its share of the endpoints. A service that publishes pods that are not ready \
    goes on with it.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let quiet = node_lease_quiet::quiet_nodes(view);
    let quiet = quiet.map(|(node, heartbeat)| (node, node_lease_quiet::declared(view, heartbeat)));
    let silent = view.cluster.unready_nodes().filter(|node| node.readiness() == Readiness::Silent);
    let suspects: Vec<(&Node, _)> = quiet.chain(silent.map(|node| (node, None))).collect();
    let mut lost: BTreeMap<&Name, (&Service, Vec<&Pod>, _)> = BTreeMap::new();
    for (node, clock) in suspects {
        for pod in view.cluster.pods_on(&node.meta.name.name).filter(|pod| is_serving(pod)) {
            for service in view.cluster.services_selecting(pod) {
                let entry =
                    lost.entry(&service.meta.name).or_insert_with(|| (service, Vec::new(), (node, clock)));
                entry.1.push(pod);
            }
        }
    }
    for (name, (service, pods, (node, clock))) in lost {
        let Some(backing) = view.cluster.service(service).backing else { continue };
        let total = usize::try_from(backing.ready).unwrap_or(0).max(pods.len());
        let objects: Vec<ObjectRef> = pods.iter().map(|pod| pod.object()).collect();
        let share = if pods.len() == total { "all".to_owned() } else { format!("{} of {total}", pods.len()) };
        let until = match clock {
            Some(_) => ", until the node is declared silent",
            None => "",
        };
        found.add(Finding {
            sentence: format!(
                "Service {name} sends requests to {}, from which no answer may come: {share} of its endpoints{until}.",
                words::pods(&objects)
            ),
            about: objects,
            since: node.ready_since().filter(|_| !node.is_ready()),
            clock,
            evidence: vec![Evidence::new(format!("{} on {}", words::are(pods.len(), "endpoint"), node.meta.name))],
            next: "Clients should try again; to stop it at once, take the pods out of the service by a label.".to_owned(),
            cause: Some(node.object().into()),
            ..Finding::new(
                RuleId::ServiceLosingRequests,
                if pods.len() == total { Severity::Critical } else { Severity::Warning },
                service.object(),
            )
        });
    }
}

fn is_serving(pod: &Pod) -> bool {
    pod.is_ready() && !pod.meta.is_deleting() && !pod.phase.is_terminal()
}
