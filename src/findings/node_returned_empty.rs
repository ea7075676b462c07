//! The rule `node-returned-empty`: back for a while, and the pods stay crowded on the others.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Effect, Node, Row, Taint};
use jiff::SignedDuration;

pub const PROSE: &str = "A node came back and carries at most a third of what the others do, while the pods that left it are crowded on the \
    others: Kubernetes never moves a running pod back. Looked for from ten minutes to six hours after the return.";

const SETTLED: SignedDuration = SignedDuration::from_mins(10);
const LATE: SignedDuration = SignedDuration::from_hours(6);
/// Nodes that are asked for how much is normal.
const COMPARED: usize = 20;
/// Fewer pods than this on a node are no crowd.
const CROWD: usize = 4;

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for node in view.cluster.nodes.values().filter(|node| takes_pods(node)) {
        let Some(since) = node.ready_since() else { continue };
        let is_back = node.meta.created.is_some_and(|created| since.duration_since(created) > LATE);
        if !is_back || view.now.duration_since(since) > LATE || !view.has_lasted(Some(since), SETTLED, found)
        {
            continue;
        }
        let carried = movable(view, node);
        let others: Vec<usize> = view
            .cluster
            .nodes
            .values()
            .filter(|other| other.meta.name != node.meta.name && takes_pods(other))
            .take(COMPARED)
            .map(|other| movable(view, other))
            .collect();
        let normal = others.iter().sum::<usize>().checked_div(others.len()).unwrap_or(0);
        if normal < CROWD || carried * 3 > normal {
            continue;
        }
        if let Ok(end) = since.checked_add(LATE) {
            found.look_again(end, view.now);
        }
        let name = &node.meta.name.name;
        found.add(Finding {
            sentence: format!(
                "Node {name} is back and carries {} that could run elsewhere; the others carry {normal} each. Pods do not \
                 move back by themselves.",
                if carried == 0 { "no pod".to_owned() } else { words::count(carried, "pod") },
            ),
            since: Some(since),
            evidence: vec![Evidence::at("it became Ready", Some(since))],
            next: "Restart the workloads that are crowded, a few at a time, if the others are under load.".to_owned(),
            ..Finding::new(RuleId::NodeReturnedEmpty, Severity::Notice, node.object())
        });
    }
}

/// Whether it is a node for everyone: one that most pods may not be on carries little at all times.
fn takes_pods(node: &Node) -> bool {
    let keeps_off = |taint: &Taint| match taint.effect {
        Effect::NoSchedule | Effect::NoExecute => true,
        Effect::PreferNoSchedule | Effect::Other => false,
    };
    node.is_ready() && !node.is_cordoned() && !node.taints.iter().any(keeps_off)
}

fn movable(view: &View<'_>, node: &Node) -> usize {
    view.cluster.pods_on(&node.meta.name.name).filter(|pod| pod.is_movable()).count()
}
