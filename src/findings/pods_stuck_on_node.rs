//! The rule `pods-stuck-on-node`: several pods that do not end on one node that is Ready.

use super::pod_stuck_terminating::{is_of_kubelet, stuck_from};
use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Node, ObjectRef, Pod, Readiness, Row, Source};
use std::collections::BTreeSet;

pub const PROSE: &str = "Several pods on one node were told to go, are past their grace and are still there, although the \
    node is Ready and no finalizer holds them. Its container runtime, or what unmounts its volumes, is likelier to \
    hang than each of the pods: Ready says that the kubelet posts its status, and not that it gets anything done.";

/// With one it can be the pod.
const SEVERAL: usize = 2;

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let nodes = view.cluster.nodes_with_deleting(SEVERAL).filter_map(|name| view.cluster.node(name));
    for node in nodes {
        let stuck = stuck(view, node);
        if stuck.len() >= SEVERAL {
            found.add(finding(view, node, &stuck));
        }
        look_again(view, node, found);
    }
}

/// Whether it is the node rather than the pod, of a pod on this node that is stuck itself.
pub fn is_to_blame(view: &View<'_>, node: &Node, found: &mut Found) -> bool {
    look_again(view, node, found);
    stuck(view, node).len() >= SEVERAL
}

/// A pod that gets stuck later may be the second.
fn look_again(view: &View<'_>, node: &Node, found: &mut Found) {
    for due in candidates(view, node).filter_map(|pod| stuck_from(view, pod)) {
        found.look_again(due, view.now);
    }
}

fn stuck<'a>(view: &View<'a>, node: &Node) -> Vec<&'a Pod> {
    let is_stuck = |pod: &&Pod| stuck_from(view, pod).is_some_and(|from| from <= view.now);
    candidates(view, node).filter(is_stuck).collect()
}

/// Pods that a kubelet has to end which is there to do it.
fn candidates<'a>(view: &View<'a>, node: &Node) -> impl Iterator<Item = &'a Pod> {
    // What is said of a marked node says enough.
    let is_able = node.readiness() == Readiness::Ready && !node.is_out_of_service();
    let deleting = is_able.then(|| view.cluster.deleting_on(&node.meta.name.name));
    deleting.into_iter().flatten().filter(|pod| is_of_kubelet(pod))
}

fn finding(view: &View<'_>, node: &Node, stuck: &[&Pod]) -> Finding {
    let name = &node.meta.name.name;
    let pods: Vec<ObjectRef> = stuck.iter().map(|pod| pod.object()).collect();
    let (many, ended) = (stuck.len(), stuck.iter().filter(|pod| pod.has_stopped()).count());
    let how = if ended == many {
        "their containers have ended, and its kubelet does not release them"
    } else if ended == 0 {
        "its kubelet has not ended their containers"
    } else {
        "its kubelet has not ended the containers of some, and does not release the others"
    };
    let mut evidence =
        vec![Evidence::new(format!("{} still there past their grace", words::are(many, "pod")))];
    let drivers: Vec<BTreeSet<&str>> = stuck.iter().map(|pod| drivers(view, pod)).collect();
    let shared = drivers.first().into_iter().flatten();
    for driver in shared.filter(|driver| drivers.iter().all(|used| used.contains(*driver))) {
        evidence.push(Evidence::new(format!("all of them have volumes of {driver}")));
    }
    let since = stuck.iter().filter_map(|pod| pod.meta.deletion.map(|deletion| deletion.deadline)).min();
    evidence.push(Evidence::at("the first of them should have been gone", since));
    let look = if ended == many {
        "the kubelet's log for volumes that do not unmount"
    } else {
        "the container runtime and the kubelet's log for what hangs"
    };
    let meanwhile =
        if node.is_cordoned() { "Force nothing" } else { "Cordon it meanwhile, and force nothing" };
    Finding {
        about: pods.clone(),
        sentence: format!(
            "Node {name} is Ready, but {} {} end there: {how}. One cause there is likelier than {many}.",
            words::pods(&pods),
            words::verb(many, "does not", "do not")
        ),
        since,
        evidence,
        next: format!("Look on {name} at {look}. {meanwhile} while its kubelet talks."),
        ..Finding::new(RuleId::PodsStuckOnNode, Severity::Warning, node.object())
    }
}

/// The drivers of its volumes.
fn drivers<'a>(view: &View<'a>, pod: &Pod) -> BTreeSet<&'a str> {
    let volumes = view.cluster.volumes_of(pod).filter_map(|id| view.cluster.volume(&id)?.volume);
    volumes
        .filter_map(|volume| match &volume.source {
            Source::Csi { driver, .. } => Some(driver.as_str()),
            Source::Local { .. }
            | Source::HostPath { .. }
            | Source::Nfs { .. }
            | Source::InTree { .. }
            | Source::Unknown => None,
        })
        .collect()
}
