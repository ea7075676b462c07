//! The rule `budgets-overlap`: two disruption budgets over one pod, which can then not be evicted at all.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{ObjectRef, PodDisruptionBudget, Row};
use std::collections::BTreeMap;

pub const PROSE: &str = "Two disruption budgets cover the same pod. The API server does not evict such a pod, whatever \
    the budgets allow: it answers with an error, and a drain gives up on it. A warning where such a pod is on a node \
    that is cordoned.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let cluster = view.cluster;
    let mut overlaps: BTreeMap<ObjectRef, (Vec<ObjectRef>, Vec<ObjectRef>, bool)> = BTreeMap::new();
    for (pods, budgets) in cluster.pods_under_several_budgets() {
        let [first, others @ ..] = budgets.as_slice() else { continue };
        let entry = overlaps.entry(first.object()).or_default();
        for other in others.iter().map(|budget: &&PodDisruptionBudget| budget.object()) {
            if !entry.0.contains(&other) {
                entry.0.push(other);
            }
        }
        for pod in pods {
            entry.1.push(pod.object());
            entry.2 |= cluster.node(&pod.node).is_some_and(|node| node.is_cordoned());
        }
    }
    for (first, (others, pods, is_draining)) in overlaps {
        let names: Vec<String> = others.iter().map(|other| other.name.name.to_string()).collect();
        found.add(Finding {
            sentence: format!(
                "Budgets {} and {} both cover {}: the server refuses to evict {}.",
                first.name,
                names.join(", "),
                words::pods(&pods),
                words::verb(pods.len(), "it", "them"),
            ),
            about: others.into_iter().chain(pods).collect(),
            evidence: vec![Evidence::new("the API server evicts no pod under more than one budget")],
            next: "Change their selectors so that one budget covers each pod.".to_owned(),
            ..Finding::new(
                RuleId::BudgetsOverlap,
                if is_draining { Severity::Warning } else { Severity::Notice },
                first,
            )
        });
    }
}
