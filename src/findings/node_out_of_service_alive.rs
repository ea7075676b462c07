//! The rule `node-out-of-service-alive`: the mark of a machine that is off, on one that is Ready.

use super::{Evidence, Finding, Found, RuleId, Severity, View};
use crate::cluster::Row;

pub const PROSE: &str = "The out-of-service taint is on a node that is Ready: left there after it came back, or put on \
    the wrong one. As long as it is there the controller detaches the volumes of deleted pods without waiting for \
    the unmount, under processes that may still write, and pods that do not tolerate it are told to go at once. \
    Kubernetes never takes the taint away by itself.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for node in view.cluster.marked_nodes().filter(|node| node.is_ready() && node.is_out_of_service()) {
        let name = &node.meta.name.name;
        let taint = node.taints.iter().find(|taint| taint.key == "node.kubernetes.io/out-of-service");
        let added = taint.and_then(|taint| taint.added);
        found.add(Finding {
            sentence: format!(
                "Node {name} is marked out-of-service although it is Ready: volumes are detached under its processes."
            ),
            since: added,
            evidence: vec![
                Evidence::at("the out-of-service taint is on it", added),
                Evidence::at("it is Ready", node.ready_since()),
            ],
            next: "Remove the out-of-service taint now: the kubelet is alive.".to_owned(),
            ..Finding::new(RuleId::NodeOutOfServiceAlive, Severity::Critical, node.object())
        });
    }
}
