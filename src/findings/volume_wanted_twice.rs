//! The rule `volume-wanted-twice`: a volume that one node may have, wanted on two.

use super::{Evidence, Finding, Found, RuleId, Severity, View, volume_on_unready_node, words};
use crate::cluster::{Attached, ObjectRef, Pod, Row, Text, VolumeId, VolumeJoin, Workload};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

pub const PROSE: &str = "A volume that one node at a time may have is attached to a node where a pod uses it, and a pod on \
    another node waits for it. It waits until the first one has ended: the event that says so is sent once and \
    expires, so this is read from the objects. Where the node that has it is silent, that is another rule's.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// One volume between two nodes that are Ready.
pub struct Torn<'a> {
    pub join: VolumeJoin<'a>,
    /// Where it is attached.
    pub place: Text,
    pub holders: Vec<&'a Pod>,
    pub waiting: &'a Pod,
    pub since: Option<Timestamp>,
}

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for torn in torn(view, found) {
        found.add(finding(view, &torn));
    }
}

pub fn torn<'a>(view: &View<'a>, found: &mut Found) -> Vec<Torn<'a>> {
    let mut seen: BTreeSet<VolumeId> = BTreeSet::new();
    let mut torn = Vec::new();
    for waiting in view.cluster.troubled_pods().filter(|pod| !pod.node.is_empty() && !pod.claims.is_empty()) {
        let since = waiting.condition("PodScheduled").and_then(|scheduled| scheduled.changed);
        let since = since.or(waiting.meta.created);
        for id in view.cluster.volumes_of(waiting) {
            let Some(join) = view.cluster.volume(&id).filter(VolumeJoin::is_torn) else { continue };
            if !join.waiting().any(|pod| pod.meta.name == waiting.meta.name) {
                continue;
            }
            let Some(place) = holding_place(view, &join, waiting) else { continue };
            if !view.has_lasted(since, PATIENCE, found) || !seen.insert(id) {
                continue;
            }
            let holders = view
                .cluster
                .pods_on(&place)
                .filter(|pod| join.wanting_on(&place).any(|it| it.meta.uid == pod.meta.uid));
            torn.push(Torn { holders: holders.collect(), place, waiting, since, join });
        }
    }
    torn
}

/// The ready node that has it for good.
fn holding_place(view: &View<'_>, join: &VolumeJoin<'_>, waiting: &Pod) -> Option<Text> {
    let is_holding = |attached: &&Attached<'_>| {
        attached.node_name != waiting.node
            && view.cluster.is_node_ready(&attached.node_name)
            && attached.is_attached()
    };
    join.attached.iter().find(is_holding).map(|attached| attached.node_name.clone())
}

/// The deployment that stands in its own way, if it is one.
pub fn own_deployment<'a>(view: &View<'a>, torn: &Torn<'a>) -> Option<&'a crate::cluster::Deployment> {
    let of = |pod: &'a Pod| match view.cluster.workload_of(pod) {
        Some(Workload::Deployment(deployment)) => Some(deployment),
        Some(
            Workload::ReplicaSet(_) | Workload::StatefulSet(_) | Workload::DaemonSet(_) | Workload::Job(_),
        )
        | None => None,
    };
    let waits = of(torn.waiting)?;
    let holds = |pod: &&'a Pod| of(pod).is_some_and(|deployment| deployment.meta.uid == waits.meta.uid);
    (!torn.holders.is_empty() && torn.holders.iter().all(holds)).then_some(waits)
}

fn finding(view: &View<'_>, torn: &Torn<'_>) -> Finding {
    let Torn { join, place, holders, waiting, since } = torn;
    let title = volume_on_unready_node::title(join);
    let holders: Vec<ObjectRef> = holders.iter().map(|pod| pod.object()).collect();
    // Where a pod uses it, it will end some day; what is kept for nobody does not come by itself.
    let severity = if holders.is_empty() { Severity::Critical } else { Severity::Warning };
    // What no pod uses there is kept by the node: mostly one that does not know of it.
    let unused_on = view.cluster.node(place).filter(|_| holders.is_empty());
    let (has, next) = if holders.is_empty() {
        (
            format!("is attached to {place}, where no pod wants it any more"),
            format!(
                "Look at the kubelet's log on {place}: an unmount may hang. Force nothing while it talks."
            ),
        )
    } else {
        (
            format!("is used on {place} by {}", words::pods(&holders)),
            format!(
                "End {} if {} is to have it: one node at a time may.",
                words::pods(&holders),
                waiting.meta.name
            ),
        )
    };
    Finding {
        about: holders,
        held_up: vec![waiting.object()],
        sentence: format!("{title} {has}, and pod {} waits for it on {}.", waiting.meta.name, waiting.node),
        since: *since,
        evidence: vec![
            Evidence::at(format!("pod {} was bound to {}", waiting.meta.name, waiting.node), *since),
            Evidence::new(format!(
                "its access modes are {}",
                join.volume.map_or_else(String::new, |volume| volume.access.short())
            )),
        ],
        next,
        cause: own_deployment(view, torn)
            .map(|deployment| deployment.object().into())
            .or_else(|| unused_on.map(|node| node.object().into())),
        ..Finding::new(RuleId::VolumeWantedTwice, severity, volume_on_unready_node::subject(join))
    }
}
