//! The rule `node-shut-down`: the cloud says that the machine is stopped.

use super::{Evidence, Finding, Found, RuleId, Severity, View};
use crate::cluster::Row;

pub const PROSE: &str = "The cloud provider has marked the machine as shut down. That it is stopped is the provider's \
    word and better than silence, but only as good as its bookkeeping: its pods and volumes are still released by \
    no one until the node is marked out-of-service or deleted.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for node in view.cluster.marked_nodes() {
        let Some(taint) = node.shut_down() else { continue };
        let name = &node.meta.name.name;
        let next = if node.is_ready() {
            format!("Look at {name}: its kubelet talks, so the provider's word is out of date.")
        } else {
            format!("Start {name} again, or have its pods and volumes released: the machine is stopped.")
        };
        found.add(Finding {
            sentence: format!("The machine of node {name} is shut down, by the word of the cloud provider."),
            since: taint.added,
            evidence: vec![Evidence::at(format!("the taint {} is on it", taint.key), taint.added)],
            next,
            ..Finding::new(RuleId::NodeShutDown, Severity::Warning, node.object())
        });
    }
}
