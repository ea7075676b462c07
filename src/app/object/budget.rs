//! Disruption budgets: an open one, and the lines that other objects say of those that cover them.

use super::{Line, Section, common, conditions, events, findings, pod};
use crate::app::columns::{Cell, Look, RowId, Tone};
use crate::cluster::{ObjectRef, Pod, PodDisruptionBudget, Row as _};

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let budget = look.cluster.pod_disruption_budgets.same(object)?;
    let namespace = &budget.meta.name.namespace;
    let covered: Vec<&Pod> = match &budget.selector {
        Some(selector) => look.cluster.pods_matching(namespace, selector).collect(),
        None => Vec::new(),
    };
    Some(vec![
        findings(look, std::slice::from_ref(object)),
        facts(budget, look),
        Section { title: format!("Pods ({})", covered.len()), lines: pod::lines(covered.into_iter(), look) },
        conditions(budget.conditions.iter(), look),
        events(look, &[(object.kind, object.name.clone())]),
    ])
}

/// What it allows now.
fn allowance(budget: &PodDisruptionBudget) -> Cell {
    let PodDisruptionBudget { disruptions_allowed, current_healthy, desired_healthy, .. } = budget;
    let healthy = format!("{current_healthy} healthy, {desired_healthy} needed");
    match disruptions_allowed {
        _ if !budget.is_observed() => Cell::new("not counted yet: every eviction is refused", Tone::Warning),
        _ if budget.expected_pods == 0 => Cell::muted("covers no pod"),
        _ if budget.never_allows() => {
            let all = budget.expected_pods;
            Cell::new(format!("never lets one go: {desired_healthy} of {all} are needed"), Tone::Warning)
        }
        0 => Cell::new(format!("lets none go now: {healthy}"), Tone::Warning),
        many => Cell::new(format!("lets {many} go now: {healthy}"), Tone::Good),
    }
}

fn facts(budget: &PodDisruptionBudget, look: &Look<'_>) -> Section {
    let selector = budget.selector.as_ref().map_or_else(
        || "none: it covers nothing".to_owned(),
        |selector| if selector.is_empty() { "every pod here".to_owned() } else { selector.to_string() },
    );
    let unhealthy = if budget.always_allows_unhealthy() {
        "pods may always be evicted"
    } else {
        "pods may be evicted while enough others are healthy"
    };
    let mut lines = vec![
        Line::new("allows", allowance(budget)),
        Line::new("asks for", Cell::plain(budget.demand())),
        Line::new("unready", Cell::plain(unhealthy)),
        Line::new("selector", Cell::plain(selector)),
    ];
    if !budget.disrupted.is_empty() {
        let pods: Vec<&str> = budget.disrupted.iter().map(|pod| pod.as_str()).collect();
        lines.push(Line::new("let go", Cell::new(pods.join(", "), Tone::Notice)));
    }
    lines.extend(common(&budget.meta, look));
    Section { title: "Budget".to_owned(), lines }
}

/// The budgets that cover a workload's pods.
pub fn section(budgets: &[&PodDisruptionBudget]) -> Section {
    let lines = budgets
        .iter()
        .map(|budget| {
            Line::cells(vec![
                Cell::plain(budget.meta.name.name.as_str()),
                allowance(budget),
                Cell::muted(budget.demand()),
            ])
            .to(RowId::Object(budget.object()))
        })
        .collect();
    Section { title: "Disruption budgets".to_owned(), lines }
}

/// The budgets that cover one pod: more than one, and the server evicts it never.
pub fn section_of_pod(budgets: &[&PodDisruptionBudget]) -> Section {
    let mut section = section(budgets);
    if budgets.len() > 1 {
        let text = "more than one covers it: the server refuses to evict such a pod";
        section.lines.insert(0, Line::cells(vec![Cell::new(text, Tone::Warning)]));
    }
    section
}
