//! The rule `rollout-blocks-itself`: the new pod waits for the volume that the old one keeps until the new one runs.

use super::{
    Evidence, Finding, Found, RuleId, Severity, View, volume_on_unready_node, volume_wanted_twice, words,
};
use crate::cluster::{ObjectRef, Row};
use std::collections::BTreeMap;

pub const PROSE: &str = "A deployment with the strategy RollingUpdate mounts a volume that one node at a time may have. \
    The new pod landed on another node and waits for the volume; the old one keeps it until the new one is ready. \
    Neither moves. Downtime cannot be avoided with such a volume: the strategy Recreate says so.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let mut deployments = BTreeMap::new();
    for torn in volume_wanted_twice::torn(view, found) {
        if let Some(deployment) = volume_wanted_twice::own_deployment(view, &torn)
            && deployment.strategy != "Recreate"
        {
            deployments.entry(&deployment.meta.name).or_insert((deployment, torn));
        }
    }
    for (name, (deployment, torn)) in deployments {
        let holders: Vec<ObjectRef> = torn.holders.iter().map(|pod| pod.object()).collect();
        let waiting = torn.waiting;
        found.add(Finding {
            sentence: format!(
                "Deployment {name} blocks its own rollout: {} keeps the volume on {} until pod {} is ready, which waits \
                 for it on {}.",
                words::pods(&holders),
                torn.place,
                waiting.meta.name,
                waiting.node,
            ),
            since: torn.since,
            evidence: vec![
                Evidence::new(format!("its strategy is {}", deployment.strategy.non_empty().unwrap_or("RollingUpdate"))),
                Evidence::new(volume_on_unready_node::title(&torn.join)),
            ],
            next: format!(
                "Delete {}: a downtime cannot be avoided here. The strategy Recreate avoids the deadlock.",
                words::pods(&holders)
            ),
            about: holders,
            held_up: vec![waiting.object()],
            ..Finding::new(RuleId::RolloutBlocksItself, Severity::Warning, deployment.object())
        });
    }
}
