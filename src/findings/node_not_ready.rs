//! The rule `node-not-ready`: a kubelet that talks, and says that it is not ready.

use super::{Finding, Found, RuleId, Severity, View, outlook, outlook::Outlook, words};
use crate::cluster::{Node, Readiness, Row, Text};

pub const PROSE: &str = "The node's kubelet reports that it is not ready (Ready is False), most often because of \
    its container runtime or its network. The kubelet is alive: it can still end pods and unmount volumes, so \
    nothing on the node may be forced. Its pods are told to go by their tolerations all the same. An \
    out-of-service taint on such a node is dangerous: volumes are detached under running processes.";

pub fn evaluate(view: &View<'_>, name: &Text, found: &mut Found) {
    if let Some(node) = view.cluster.node(name).filter(|node| node.readiness() == Readiness::NotReady) {
        let finding = finding(view, node, found);
        found.add(finding);
    }
}

fn finding(view: &View<'_>, node: &Node, found: &mut Found) -> Finding {
    let name = &node.meta.name.name;
    let outlook = Outlook::of(view, node, found);
    let cordoned = if node.is_cordoned() { ", cordoned," } else { "" };
    let ready = node.condition("Ready");
    let message = ready.and_then(|ready| ready.message.non_empty());
    let why = message.or_else(|| ready.map(|ready| &ready.reason).and_then(Text::non_empty));
    let why = why.map_or_else(String::new, |why| format!(": its kubelet reports {}", words::quote(why)));
    let marked = if node.is_out_of_service() {
        " It is marked out-of-service although its kubelet talks: volumes are detached under it."
    } else {
        ""
    };
    let sentence = format!("Node {name}{cordoned} is not ready{why}.{marked} {}", outlook.sentence());

    let mut evidence: Vec<_> = outlook::ready_condition(node).into_iter().collect();
    evidence.extend(outlook::sign_of_life(view.cluster, name));
    outlook.evidence(&mut evidence);
    let next = if node.is_out_of_service() {
        "Remove the out-of-service taint now: the kubelet is alive."
    } else {
        "Repair what its kubelet complains of. The kubelet is alive: let it end its pods, force nothing."
    };
    Finding {
        rule: RuleId::NodeNotReady,
        severity: if node.is_out_of_service() { Severity::Critical } else { Severity::Warning },
        subject: node.object().into(),
        about: Vec::new(),
        held_up: Vec::new(),
        sentence,
        since: node.ready_since(),
        clock: outlook.clock(),
        evidence,
        next: next.to_owned(),
        cause: None,
    }
}
