//! The rule `node-cordon-forgotten`: cordoned for so long that somebody may have forgotten it.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Effect, Row};
use jiff::SignedDuration;

pub const PROSE: &str = "A node that is Ready has been cordoned for more than an hour: nothing new is scheduled there, \
    and its capacity is missing when another node fails. Since when is told by the taint that the controller adds; \
    where that carries no time, or the node is not ready anyway, nothing is said. By whom the API does not tell.";

const LONG: SignedDuration = SignedDuration::from_hours(1);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for node in view.cluster.marked_nodes().filter(|node| node.is_cordoned() && node.is_ready()) {
        let taint = node.taint("node.kubernetes.io/unschedulable", Effect::NoSchedule);
        let Some(since) = taint.and_then(|taint| taint.added) else { continue };
        if !view.has_lasted(Some(since), LONG, found) {
            continue;
        }
        let name = &node.meta.name.name;
        let movable = view.cluster.pods_on(name).filter(|pod| pod.is_movable()).count();
        let left = match movable {
            0 => "No pod is left on it that a drain would move.".to_owned(),
            many => format!("{} still on it.", words::are(many, "pod")),
        };
        found.add(Finding {
            sentence: format!("Node {name} is Ready and has been cordoned for more than an hour. {left}"),
            since: Some(since),
            evidence: vec![Evidence::at("it was cordoned", Some(since))],
            next: format!("Uncordon {name} if the work on it is done."),
            ..Finding::new(RuleId::NodeCordonForgotten, Severity::Notice, node.object())
        });
    }
}
