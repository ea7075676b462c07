//! The rule `node-cordon-forgotten`: cordoned for so long that somebody may have forgotten it.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Cordon, Cordoner, Node, Row};
use jiff::SignedDuration;

pub const PROSE: &str = "A node that is Ready has been cordoned for more than an hour: nothing new is scheduled there, \
    and its capacity is missing when another node fails. Since when is told by the taint that the controller adds; \
    where that carries no time, or the node is not ready anyway, nothing is said. What a force-detach by sickbay has \
    cordoned is told of as soon as the node is Ready again, until it is returned to service. By whom the API does not tell: it \
    is said where sickbay cordoned it, or where a tool has left its mark on the node.";

const LONG: SignedDuration = SignedDuration::from_hours(1);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for node in view.cluster.marked_nodes().filter(|node| node.is_cordoned() && node.is_ready()) {
        let name = &node.meta.name.name;
        let since = node.cordoned_since();
        if node.cordon().is_some_and(Cordon::is_of_detach) {
            found.add(not_returned(node));
            continue;
        }
        if since.is_none() || !view.has_lasted(since, LONG, found) {
            continue;
        }
        let movable = view.cluster.pods_on(name).filter(|pod| pod.is_movable()).count();
        let left = match movable {
            0 => "No pod is left on it that a drain would move.".to_owned(),
            many => format!("{} still on it.", words::are(many, "pod")),
        };
        let by = node.cordoned_by().map_or_else(String::new, |by| format!(", by {}", words::quote(&by)));
        found.add(Finding {
            sentence: format!("Node {name} is Ready and has been cordoned for more than an hour{by}. {left}"),
            since,
            evidence: evidence(node),
            next: match node.cordoner() {
                Some(tool) => format!("Look at why {} does not come to an end on {name}.", tool.words()),
                None => format!("Uncordon {name} if the work on it is done."),
            },
            ..Finding::new(RuleId::NodeCordonForgotten, Severity::Notice, node.object())
        });
    }
}

/// Nobody uncordons it unless somebody remembers: the controllers never do.
fn not_returned(node: &Node) -> Finding {
    let name = &node.meta.name.name;
    let marked = if node.is_out_of_service() { ", and marked out-of-service" } else { "" };
    Finding {
        sentence: format!("Node {name} is back, and still cordoned{marked} since a force-detach."),
        since: node.ready_since().max(node.cordoned_since()),
        evidence: evidence(node),
        next: format!("Return {name} to service: see that nothing old is left on it, and uncordon it."),
        ..Finding::new(RuleId::NodeCordonForgotten, Severity::Warning, node.object())
    }
}

fn evidence(node: &Node) -> Vec<Evidence> {
    let by = match (node.cordon(), node.cordoner()) {
        (Some(cordon), _) => Evidence::at(format!("{} cordoned it with sickbay", cordon.by), cordon.at),
        (None, Some(Cordoner::ClusterAutoscaler)) => {
            Evidence::new("the cluster autoscaler means to remove it")
        }
        (None, Some(tool)) => Evidence::new(format!("the mark of {} is on it", tool.words())),
        (None, None) => Evidence::new("nothing on it says by whom"),
    };
    vec![Evidence::at("it was cordoned", node.cordoned_since()), by]
}
