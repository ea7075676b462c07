//! The rule `node-under-pressure`: a node that runs out of memory, disk, process ids or network.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Condition, Row};

pub const PROSE: &str = "The kubelet reports that its node runs out of memory, disk or process ids, and evicts pods to \
    save it, those that use more than they asked for first; or the node has no network. New pods are kept away by \
    a taint as long as it lasts.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for node in view.cluster.marked_nodes() {
        let pressures: Vec<&Condition> = node.pressures().collect();
        if pressures.is_empty() {
            continue;
        }
        let name = &node.meta.name.name;
        let whats: Vec<&str> = pressures.iter().map(|pressure| shortage(&pressure.kind)).collect();
        let evicts = pressures.iter().any(|pressure| pressure.kind != "NetworkUnavailable");
        let consequence = if evicts { " Its kubelet evicts pods to save it." } else { "" };
        let evidence = pressures.iter().map(|pressure| {
            let words = [&pressure.reason, &pressure.message];
            let words: Vec<String> =
                words.iter().filter_map(|word| word.non_empty()).map(words::quote).collect();
            Evidence::at(format!("{} is True: {}", pressure.kind, words.join(": ")), pressure.changed)
        });
        found.add(Finding {
            sentence: format!("Node {name} {}.{consequence}", whats.join(" and ")),
            since: pressures.iter().filter_map(|pressure| pressure.changed).min(),
            evidence: evidence.collect(),
            next: if evicts {
                format!("Find what uses it up on {name}: a pod without a limit, logs, images.")
            } else {
                format!("Look at the network plugin's pod on {name}.")
            },
            ..Finding::new(RuleId::NodeUnderPressure, Severity::Warning, node.object())
        });
    }
}

fn shortage(condition: &str) -> &'static str {
    match condition {
        "MemoryPressure" => "is short of memory",
        "DiskPressure" => "is short of disk",
        "PIDPressure" => "is short of process ids",
        _ => "has no network",
    }
}
