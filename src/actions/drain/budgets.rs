//! What disruption budgets will say to a drain: each of them for all the pods together that it covers.
//!
//! An estimate from the picture: the server decides when it is asked, for one pod after another.

use super::choice::Why;
use super::forecast::{Scene, named, unread};
use crate::actions::preflight::{Check, Verdict};
use crate::cluster::{Kind, Name, Phase, Pod, PodDisruptionBudget, Row as _};
use std::collections::BTreeMap;

/// A budget and the pods that it is asked for.
struct Asked<'a> {
    budget: &'a PodDisruptionBudget,
    pods: Vec<&'a Pod>,
}

pub fn checks(scene: &Scene<'_>) -> Vec<Check> {
    if scene.going.is_empty() || scene.options.disable_eviction {
        return Vec::new();
    }
    if let Some(reason) = unread(scene.cluster, Kind::PodDisruptionBudget) {
        let reason = format!("{reason}: which pods have to wait is not known beforehand");
        return vec![Check::new(Verdict::Warn, reason)];
    }
    let asked = asked(scene);
    let mut checks: Vec<Check> = doubly(scene).collect();
    checks.extend(asked.values().flat_map(of_budget));
    checks
}

/// How many times the longest budget has to be waited for, at the pace that it allows now.
pub fn rounds(scene: &Scene<'_>) -> u64 {
    if scene.options.disable_eviction {
        return 1;
    }
    let asked = asked(scene);
    let rounds = asked.values().map(|asked| {
        let at_once = u64::from(asked.budget.disruptions_allowed).max(1);
        (asked.pods.len() as u64).div_ceil(at_once)
    });
    rounds.max().unwrap_or(1)
}

/// A budget is not asked for pods that have not started, have ended or are going.
fn is_asked(pod: &Pod, why: &Why) -> bool {
    match why {
        Why::Finished | Why::Terminating | Why::Overdue => false,
        Why::Ordinary | Why::Mirror | Why::DaemonSet | Why::DaemonSetGone(_) | Why::EmptyDir | Why::Bare => {
            pod.phase != Phase::Pending && !pod.meta.is_deleting()
        }
    }
}

fn asked<'a>(scene: &Scene<'a>) -> BTreeMap<&'a Name, Asked<'a>> {
    let mut asked: BTreeMap<&Name, Asked<'_>> = BTreeMap::new();
    for (pod, _) in scene.going.iter().filter(|(pod, chosen)| is_asked(pod, &chosen.why)) {
        for budget in scene.cluster.budgets_covering(pod) {
            let known = asked.entry(&budget.meta.name).or_insert_with(|| Asked { budget, pods: Vec::new() });
            known.pods.push(pod);
        }
    }
    asked
}

/// Pods that the server refuses to evict for ever, because more than one budget covers them.
fn doubly<'a>(scene: &'a Scene<'a>) -> impl Iterator<Item = Check> + 'a {
    let asked = scene.going.iter().filter(|(pod, chosen)| is_asked(pod, &chosen.why));
    asked.filter_map(|(pod, _)| {
        let over: Vec<&Name> = scene.cluster.budgets_covering(pod).map(|budget| &budget.meta.name).collect();
        (over.len() > 1).then(|| {
            let reason = format!(
                "{} has {} budgets ({}): the server evicts no such pod, and it stays",
                pod.meta.name,
                over.len(),
                named(over.iter())
            );
            Check::new(Verdict::Warn, reason)
                .about(&pod.object())
                .remedy("take the pod out of one of them, or delete it past both")
        })
    })
}

fn of_budget(asked: &Asked<'_>) -> Vec<Check> {
    let Asked { budget, pods } = asked;
    let PodDisruptionBudget { disruptions_allowed: allowed, current_healthy: healthy, .. } = **budget;
    let (name, demand, many) = (&budget.meta.name, budget.demand(), pods.len());
    let has = format!("budget {name} ({demand}) has {healthy} healthy and needs {}", budget.desired_healthy);
    let check = |verdict, reason: String| Check::new(verdict, reason).about(&budget.object());
    let mut checks = Vec::new();
    // A pod that is not ready costs its budget nothing: it may go while the others are enough.
    let (ready, unready): (Vec<&Pod>, Vec<&Pod>) = pods.iter().partition(|pod| pod.is_ready());
    let goes_unready =
        budget.always_allows_unhealthy() || (healthy >= budget.desired_healthy && budget.desired_healthy > 0);
    if !unready.is_empty() && !goes_unready && allowed == 0 {
        let names = named(unready.iter().map(|pod| &pod.meta.name));
        let reason = format!("{has}: not ready, and held all the same until others are: {names}");
        checks
            .push(check(Verdict::Warn, reason).remedy(
                "get the others ready, or set unhealthyPodEvictionPolicy: AlwaysAllow on the budget",
            ));
    }
    let asking = if goes_unready { ready.len() } else { many };
    // What holds the pods that are not ready was said.
    let is_told = !checks.is_empty() && ready.is_empty();
    if is_told {
        return checks;
    }
    if asking == 0 {
        checks.push(check(Verdict::Ok, format!("{has}: {} may go, being not ready", pods_of(many))));
    } else if !budget.is_observed() {
        let reason =
            format!("budget {name} was changed, and is still being processed: it refuses until then");
        checks.push(check(Verdict::Warn, reason));
    } else if budget.never_allows() {
        let reason = format!("{has} of {}: it never lets {} go", budget.expected_pods, pods_of(many));
        checks.push(
            check(Verdict::Warn, reason)
                .remedy("scale the workload up, relax the budget, or have the pod deleted past it"),
        );
    } else if allowed == 0 {
        let reason = format!("{has}: it does not let {} go now, and is waited for", pods_of(many));
        checks.push(check(Verdict::Warn, reason));
    } else if (allowed as usize) < asking {
        let reason = format!("{has}: {allowed} of {asking} pods go at a time, as replacements become ready");
        checks.push(check(Verdict::Ok, reason));
    } else {
        checks.push(check(Verdict::Ok, format!("{has}: {} may go at once", pods_of(asking))));
    }
    checks
}

fn pods_of(many: usize) -> String {
    match many {
        1 => "its pod here".to_owned(),
        many => format!("its {many} pods here"),
    }
}
