//! The rule `budget-never-allows`: a disruption budget that lets no pod go even when all are healthy.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{ObjectRef, Pod, PodDisruptionBudget, Row};

pub const PROSE: &str = "A disruption budget asks for as many pods as there are, so it never allows one to be evicted, \
    and one of its pods is on a node that is cordoned: whoever drains it waits for ever. While no node is cordoned \
    nothing is said: for one pod alone such a budget may be meant.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for budget in view.cluster.pod_disruption_budgets.values().filter(|budget| budget.never_allows()) {
        let on_cordoned = on_cordoned(view, budget);
        if on_cordoned.is_empty() {
            continue;
        }
        let (severity, waits) = draining(&on_cordoned);
        found.add(Finding {
            sentence: format!(
                "Budget {} never allows an eviction: it asks for {} of {}.{waits}",
                budget.meta.name,
                budget.demand(),
                words::count(usize::try_from(budget.expected_pods).unwrap_or(0), "pod"),
            ),
            evidence: vec![Evidence::new(format!(
                "{} healthy, {} needed, {} expected",
                budget.current_healthy, budget.desired_healthy, budget.expected_pods
            ))],
            next: "Run one pod more, or let the budget allow one to be unavailable.".to_owned(),
            about: on_cordoned,
            ..Finding::new(RuleId::BudgetNeverAllows, severity, budget.object())
        });
    }
}

/// Its pods on nodes from which somebody means to move them.
pub fn on_cordoned(view: &View<'_>, budget: &PodDisruptionBudget) -> Vec<ObjectRef> {
    let Some(selector) = &budget.selector else { return Vec::new() };
    let is_on_cordoned = |pod: &&Pod| {
        !pod.phase.is_terminal() && view.cluster.node(&pod.node).is_some_and(|node| node.is_cordoned())
    };
    let pods = view.cluster.pods_matching(&budget.meta.name.namespace, selector);
    pods.filter(is_on_cordoned).map(Row::object).collect()
}

/// How bad it is, and for whom.
pub fn draining(pods: &[ObjectRef]) -> (Severity, String) {
    if pods.is_empty() {
        return (Severity::Notice, String::new());
    }
    let are = words::verb(pods.len(), "is on a cordoned node", "are on cordoned nodes");
    (Severity::Warning, format!(" A drain waits: {} {are}.", words::pods(pods)))
}
