//! The rule `pods-evicted`: pods that a kubelet has ended to save its node.

use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View, node_gone, words};
use crate::cluster::{Phase, Pod, Row, Text};
use std::collections::BTreeMap;

pub const PROSE: &str = "A kubelet has ended pods to save its node from running out of memory, disk or process ids. \
    Their objects stay as Failed until somebody deletes them; their controllers have made others. Told once for \
    each node.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let mut by_node: BTreeMap<&Text, Vec<&Pod>> = BTreeMap::new();
    for pod in
        view.cluster.troubled_pods().filter(|pod| pod.phase == Phase::Failed && pod.reason == "Evicted")
    {
        by_node.entry(&pod.node).or_default().push(pod);
    }
    for (node, pods) in by_node {
        let subject = view.cluster.node(node).map_or_else(|| node_gone::object(node), Row::object);
        let when = |pod: &&Pod| pod.condition("DisruptionTarget").and_then(|condition| condition.changed);
        let latest = pods.iter().max_by_key(|pod| when(pod));
        let why = latest.and_then(|pod| pod.message.non_empty()).map(words::quote);
        let since = latest.and_then(when);
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        found.add(Finding {
            about: pods.iter().map(|pod| pod.object()).collect(),
            sentence: format!(
                "{} evicted from {node} by its kubelet{why}.",
                words::were(pods.len(), "pod")
            ),
            since,
            evidence: pods
                .iter()
                .take(5)
                .map(|pod| Evidence::at(format!("pod {} was evicted", pod.meta.name), when(pod)))
                .collect(),
            next: "Give these pods requests that match what they use; delete the failed ones when they are understood."
                .to_owned(),
            ..Finding::new(RuleId::PodsEvicted, Severity::Notice, Subject::from(subject))
        });
    }
}
