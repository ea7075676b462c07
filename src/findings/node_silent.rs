//! The rule `node-silent`: no contact with a kubelet. Silent is all that is known; dead would need a proof.

use super::{Evidence, Finding, Found, RuleId, Severity, View, outlook, outlook::Outlook};
use crate::cluster::{Node, Readiness, Row, Text};

pub const PROSE: &str = "The controller has not heard of the node's kubelet for its grace period and set Ready to \
    Unknown. The machine may be off, cut off, or alive with a stopped kubelet: its pods may still run and write. \
    The finding tells the last sign of life by the node's lease, when its pods will be told to go by their own \
    tolerations, and whether the node is cordoned or marked out-of-service.";

pub fn evaluate(view: &View<'_>, name: &Text, found: &mut Found) {
    if let Some(node) = view.cluster.node(name).filter(|node| node.readiness() == Readiness::Silent) {
        let finding = finding(view, node, found);
        found.add(finding);
    }
}

fn finding(view: &View<'_>, node: &Node, found: &mut Found) -> Finding {
    let name = &node.meta.name.name;
    let outlook = Outlook::of(view, node, found);
    let is_alive = outlook::has_stirred(view.cluster, node);
    let was_never_heard =
        node.condition("Ready").is_some_and(|ready| ready.reason == "NodeStatusNeverUpdated");
    let has_volumes = view.cluster.attachments_on(name).next().is_some() || !node.volumes_attached.is_empty();

    let cordoned = if node.is_cordoned() { ", cordoned," } else { "" };
    let why = if is_alive {
        "its kubelet posts no status, but its lease moves"
    } else if was_never_heard {
        "its kubelet never reported"
    } else {
        "its kubelet stopped reporting"
    };
    let marked = if node.is_out_of_service() { " It is marked out-of-service." } else { "" };
    let sentence = format!("Node {name}{cordoned} is silent: {why}.{marked} {}", outlook.sentence());

    let mut evidence = outlook::sign_of_life(view.cluster, name);
    evidence.extend(outlook::ready_condition(node));
    outlook.evidence(&mut evidence);
    if node.is_out_of_service() {
        evidence.push(Evidence::new("the out-of-service taint is on it"));
    }
    Finding {
        rule: RuleId::NodeSilent,
        severity: if outlook.has_load() || has_volumes { Severity::Critical } else { Severity::Warning },
        subject: node.object().into(),
        about: Vec::new(),
        held_up: Vec::new(),
        sentence,
        since: node.ready_since(),
        clock: outlook.clock(),
        evidence,
        next: next(node, is_alive, outlook.has_load() || outlook.may_have_more() || has_volumes).to_owned(),
        cause: view.outages.cause(name),
    }
}

fn next(node: &Node, is_alive: bool, has_load: bool) -> &'static str {
    match (is_alive, node.is_out_of_service(), has_load) {
        (true, true, _) => {
            "Remove the out-of-service taint now: the node shows life, and its volumes are detached under it."
        }
        (true, false, _) => "Look at its kubelet: it shows life, so nothing on it may be forced.",
        (false, true, _) => {
            "Its pods and volumes are released without it. Keep the machine off; when it is back, remove the taint."
        }
        (false, false, true) => {
            "Bring it back (power, network, kubelet), or prove that the machine is off before forcing anything: \
             what ran on it may still run and write."
        }
        (false, false, false) => {
            "Bring the machine back; if it never comes back, delete the Node once it is proved to be off."
        }
    }
}
