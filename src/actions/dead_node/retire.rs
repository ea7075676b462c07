//! The end of a node that does not come back: nothing hangs on it any more, it is taken off the API, and whatever
//! takes its place is waited for.

use super::super::dangerous::Dangerous;
use super::super::milestone::Milestone;
use super::super::preflight::{Check, Verdict};
use super::super::{Author, Draft, Plan, Step, cordon, machine};
use super::plans::{attest, cordoned};
use super::words::warn;
use crate::cluster::{Cluster, Node, ObjectRef, Pod, Row as _, Text};

/// Pods that somebody else would have to run first: what is the machine's own goes with it.
fn left<'a>(node: &'a Node, cluster: &'a Cluster) -> impl Iterator<Item = &'a Pod> {
    let is_own = |pod: &&Pod| pod.is_mirror || pod.is_owned_by("DaemonSet") || pod.phase.is_terminal();
    cluster.pods_on(&node.meta.name.name).filter(move |pod| !is_own(pod))
}

pub fn plan(plan: &mut Plan, (draft, target): (&Draft, &ObjectRef), (cluster, author): (&Cluster, &Author)) {
    let Ok(node) = cordon::same_node(target, cluster) else { return };
    let name = &target.name.name;
    if left(node, cluster).next().is_some() || cluster.attachments_on(name).next().is_some() {
        return;
    }
    plan.then(cordoned(target, (draft, author), cluster));
    attest(plan, (draft, target), author);
    plan.then(vec![Step::Danger(Dangerous::DeleteNode { node: target.clone() })]);
    let pods: Vec<ObjectRef> = cluster.pods_on(name).map(|pod| pod.object()).collect();
    if !pods.is_empty() {
        plan.then(vec![Step::Milestone(Milestone::Released { node: target.clone(), pods })]);
    }
    machine::replaced(plan, node, author);
    let known: Vec<Text> = cluster.nodes.values().map(|row| row.meta.uid.clone()).collect();
    plan.then(vec![Step::Milestone(Milestone::Joined { node: target.clone(), known })]);
}

pub fn checks(target: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let Ok(node) = cordon::same_node(target, cluster) else { return Vec::new() };
    let mut checks = Vec::new();
    let pods: Vec<String> = left(node, cluster).map(|pod| pod.meta.name.to_string()).collect();
    if let [first, ..] = pods.as_slice() {
        let reason = format!("{} pods are still on {target}, such as {first}", pods.len());
        let remedy = "force-detach it first if it is dead, or drain it if it lives";
        checks.push(Check::new(Verdict::Block, reason).remedy(remedy));
    }
    let volumes: Vec<String> =
        cluster.attachments_on(&target.name.name).map(|row| row.volume.to_string()).collect();
    if let [first, ..] = volumes.as_slice() {
        let reason = format!("{} volumes are still attached to {target}, such as {first}", volumes.len());
        let remedy =
            "with its Node gone nothing tells the controller that its machine is off: force-detach it first";
        checks.push(Check::new(Verdict::Block, reason).remedy(remedy));
    }
    checks.push(Check::new(
        Verdict::Ok,
        "a node that was not there is waited for; who replaces machines by hand stops that wait",
    ));
    checks.push(warn(format!(
        "a machine that is only restarted registers afresh as {}: see to it that it stays off",
        target.name
    )));
    checks
}
