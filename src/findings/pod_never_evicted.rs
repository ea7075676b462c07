//! The rule `pod-never-evicted`: it tolerates everything, so nobody moves it from a silent node.

use super::{Evidence, Finding, Found, RuleId, Severity, View};
use crate::cluster::{Eviction, Readiness, Row, Text};

pub const PROSE: &str = "A pod on a silent node tolerates all of its taints for ever, so it is never told to go, and no \
    replacement is made. Right for pods of a daemon set and static pods, which are left out; for others mostly a \
    toleration that was copied.";

pub fn evaluate(view: &View<'_>, name: &Text, found: &mut Found) {
    let cluster = view.cluster;
    let Some(node) = cluster.node(name).filter(|node| node.readiness() == Readiness::Silent) else { return };
    if cluster.no_execute_since(&node.meta.name).is_none() {
        return;
    }
    for pod in cluster.pods_on(name).filter(|pod| pod.is_movable()) {
        if cluster.eviction(pod, view.now) != Some(Eviction::Never) {
            continue;
        }
        found.add(Finding {
            about: vec![node.object()],
            sentence: format!(
                "Pod {} tolerates the taints of {name} for ever: nothing moves it, although its node is silent.",
                pod.meta.name
            ),
            since: node.ready_since(),
            evidence: vec![Evidence::new("its tolerations have no end and match every taint of the node")],
            next: format!(
                "Prove that {name} is off, then release the pod; shorten its tolerations so that it moves by itself."
            ),
            cause: Some(node.object().into()),
            ..Finding::new(RuleId::PodNeverEvicted, Severity::Warning, pod.object())
        });
    }
}
