//! The rule `budget-held-by-unready`: a pod that is not ready uses up what a budget would allow.

use super::budget_never_allows::{draining, on_cordoned};
use super::{Evidence, Finding, Found, RuleId, Severity, View, blame, words};
use crate::cluster::{ObjectRef, Pod, Row};
use jiff::SignedDuration;

pub const PROSE: &str = "A disruption budget allows no eviction, because a pod that it covers has not been ready for more \
    than a minute; unless it says AlwaysAllow, not even that pod may be evicted. A warning where one of its pods is \
    on a node that is cordoned, because then somebody is waiting.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let held = view.cluster.pod_disruption_budgets.values().filter(|budget| {
        budget.is_observed()
            && budget.disruptions_allowed == 0
            && budget.expected_pods > 0
            && budget.current_healthy < budget.expected_pods
            && !budget.never_allows()
    });
    for budget in held {
        let Some(selector) = &budget.selector else { continue };
        let pods = view.cluster.pods_matching(&budget.meta.name.namespace, selector);
        let unready: Vec<&Pod> = pods.filter(|pod| !pod.phase.is_terminal() && !pod.is_ready()).collect();
        let missing_since = |pod: &&Pod| blame::missing_since(view, pod, blame::node(view, pod).as_ref());
        let since = unready.iter().filter_map(missing_since).min();
        if unready.is_empty() || !view.has_lasted(since, PATIENCE, found) {
            continue;
        }
        let objects: Vec<ObjectRef> = unready.iter().map(|pod| pod.object()).collect();
        let on_cordoned = on_cordoned(view, budget);
        let (severity, waits) = draining(&on_cordoned);
        let is_ill = budget.current_healthy < budget.desired_healthy;
        found.add(Finding {
            sentence: format!(
                "Budget {} allows no eviction: {} {} not ready.{waits}",
                budget.meta.name,
                words::pods(&objects),
                words::verb(objects.len(), "is", "are"),
            ),
            since,
            evidence: vec![Evidence::new(format!(
                "{} healthy, {} needed, {} expected",
                budget.current_healthy, budget.desired_healthy, budget.expected_pods
            ))],
            next: if is_ill && !budget.always_allows_unhealthy() {
                "Repair the pod, or delete it: the budget forbids its eviction, too. AlwaysAllow would not."
            } else {
                "Repair the pod; the budget allows evictions again when it is ready."
            }
            .to_owned(),
            about: objects.into_iter().chain(on_cordoned).collect(),
            cause: blame::any(view, &unready),
            ..Finding::new(
                RuleId::BudgetHeldByUnready,
                if is_ill { severity } else { Severity::Notice },
                budget.object(),
            )
        });
    }
}
