//! The steps of the actions for a silent machine.

use super::super::call::{Call, Guard};
use super::super::dangerous::Dangerous;
use super::super::milestone::{self, Milestone};
use super::super::{Action, Author, Draft, Plan, Step};
use super::super::{cordon, machine};
use super::{Replacing, Unmark, node_of, retire, volume};
use crate::cluster::{Cluster, Cordon, Node, ObjectRef, Pod, Row as _, Text};

pub fn plan(draft: &Draft, (cluster, author): (&Cluster, &Author)) -> Plan {
    let mut plan = Plan::of(Vec::new(), draft.action.kind().spec().danger);
    for target in &draft.targets {
        match &draft.action {
            Action::ReturnToService => return_to_service(&mut plan, target, cluster),
            Action::ReplacePods => replace_pods(&mut plan, target, cluster),
            Action::ForceDetach => mark(&mut plan, (draft, target), (cluster, author)),
            Action::DetachVolume => volume::plan(&mut plan, (draft, target), (cluster, author)),
            Action::Retire => retire::plan(&mut plan, (draft, target), (cluster, author)),
            Action::ReleasePod => release_pod(&mut plan, (draft, target), (cluster, author)),
            Action::DeleteAttachment => {
                if let Some(node) = node_of(target, cluster) {
                    attest(&mut plan, (draft, &node), author);
                    let (attachment, only) = (target.clone(), Some(vec![target.clone()]));
                    plan.then(vec![Step::Danger(Dangerous::DeleteAttachment {
                        attachment,
                        node: node.clone(),
                    })]);
                    let detached = Milestone::Detached { node, only, is_forced: false };
                    plan.then(vec![Step::Milestone(detached)]);
                }
            }
            Action::DeleteNode => {
                if cordon::same_node(target, cluster).is_ok() {
                    attest(&mut plan, (draft, target), author);
                    plan.then(vec![Step::Danger(Dangerous::DeleteNode { node: target.clone() })]);
                    let pods = cluster.pods_on(&target.name.name).map(|pod| pod.object()).collect();
                    plan.then(vec![Step::Milestone(Milestone::Released { node: target.clone(), pods })]);
                    let detached = Milestone::Detached { node: target.clone(), only: None, is_forced: true };
                    plan.then(vec![Step::Milestone(detached)]);
                }
            }
            Action::RemoveFinalizer { finalizer } => {
                let node = node_of(target, cluster);
                if let Some(node) = &node {
                    attest(&mut plan, (draft, node), author);
                }
                if let Some(finalizer) = meant(finalizer, target, cluster) {
                    let what = Dangerous::RemoveFinalizer { object: target.clone(), finalizer, node };
                    plan.then(vec![Step::Danger(what)]);
                }
            }
            Action::Cordon
            | Action::Uncordon { .. }
            | Action::Drain { .. }
            | Action::Rollback { .. }
            | Action::Restart
            | Action::Pause
            | Action::Resume
            | Action::Scale { .. }
            | Action::SetImage { .. }
            | Action::RestartKubelet
            | Action::Fence => {}
        }
    }
    if draft.action == Action::ForceDetach {
        watch(&mut plan, &draft.targets, cluster);
    }
    machine::known(&mut plan, (cluster, author));
    plan
}

/// The finalizer that is meant: the one that is named, or the only one.
pub fn meant(finalizer: &Text, object: &ObjectRef, cluster: &Cluster) -> Option<Text> {
    let meta = cluster.meta(object)?;
    match &*meta.finalizers {
        [one] if finalizer.is_empty() => Some(one.clone()),
        all => all.iter().find(|known| *known == finalizer).cloned(),
    }
}

/// What the operator has stated of the machine, as a step of its own.
pub(super) fn attest(plan: &mut Plan, (draft, node): (&Draft, &ObjectRef), author: &Author) {
    let is_stated = draft.powered_off.contains(&node.name.name);
    let is_there = |step: &Step| matches!(step, Step::Attest { node: known, .. } if known == node);
    if is_stated && !plan.steps.iter().any(is_there) {
        plan.then(vec![Step::Attest { node: node.clone(), by: author.who.clone() }]);
    }
}

pub(super) fn cordoned(node: &ObjectRef, (draft, author): (&Draft, &Author), cluster: &Cluster) -> Vec<Step> {
    // Whoever finds the cordon learns what it is of, and is told to return the node to service.
    let why = match draft.why.non_empty() {
        Some(why) => format!("{}: {why}", Cordon::OF_DETACH),
        None => Cordon::OF_DETACH.to_owned(),
    };
    match cordon::guard_cordon(node, (author, &why.into()), cluster) {
        Guard::Send(call) => vec![Step::Call(call)],
        Guard::Needless { .. } | Guard::UnderWay { .. } | Guard::Hold { .. } | Guard::Stop { .. } => {
            Vec::new()
        }
    }
}

/// Cordon and mark. Several nodes one after the other, and none waits for what becomes of the one before: what is
/// released there may need what hangs here.
fn mark(plan: &mut Plan, (draft, node): (&Draft, &ObjectRef), (cluster, author): (&Cluster, &Author)) {
    let Ok(row) = cordon::same_node(node, cluster) else { return };
    if is_idle(row, cluster) {
        return;
    }
    plan.then(cordoned(node, (draft, author), cluster));
    if !row.is_out_of_service() {
        attest(plan, (draft, node), author);
        machine::switched_off(plan, (draft, row), author);
        plan.then(vec![Step::Danger(Dangerous::OutOfService { node: node.clone() })]);
    }
}

/// Marked, with nothing left on it that the mark is for.
fn is_idle(row: &Node, cluster: &Cluster) -> bool {
    let name = &row.meta.name.name;
    row.is_out_of_service()
        && released(name, cluster).next().is_none()
        && cluster.attachments_on(name).next().is_none()
}

/// Watch what the controllers make of the marks, and stand ready to take them off.
fn watch(plan: &mut Plan, targets: &[ObjectRef], cluster: &Cluster) {
    let is_meant =
        |node: &&ObjectRef| cordon::same_node(node, cluster).is_ok_and(|row| !is_idle(row, cluster));
    let nodes: Vec<&ObjectRef> = targets.iter().filter(is_meant).collect();
    let mut stages: [Vec<Step>; 4] = Default::default();
    for node in nodes {
        let going: Vec<&Pod> = released(&node.name.name, cluster).collect();
        let workloads = milestone::losing(going.iter().copied(), cluster);
        let pods: Vec<ObjectRef> = going.iter().map(|pod| pod.object()).collect();
        let [gone, detached, replaced, ways_back] = &mut stages;
        if !pods.is_empty() {
            gone.push(Step::Milestone(Milestone::Released { node: node.clone(), pods }));
        }
        let all = Milestone::Detached { node: node.clone(), only: None, is_forced: false };
        detached.push(Step::Milestone(all));
        if !workloads.is_empty() {
            replaced.push(Step::Milestone(Milestone::Replaced { node: node.clone(), workloads }));
        }
        ways_back.push(Step::Retract(Unmark::of(node, true)));
    }
    for stage in stages {
        plan.then(stage);
    }
}

/// The pods that the mark releases from a node.
pub fn released<'a>(node: &'a str, cluster: &'a Cluster) -> impl Iterator<Item = &'a Pod> {
    cluster.pods_on(node).filter(|pod| pod.meta.is_deleting() || !milestone::tolerates_out_of_service(pod))
}

/// The taint first: on a node that lives it detaches volumes under its processes.
fn return_to_service(plan: &mut Plan, node: &ObjectRef, cluster: &Cluster) {
    let Ok(row) = cordon::same_node(node, cluster) else { return };
    let unmark = Unmark::of(node, false);
    if row.is_out_of_service() {
        plan.then(vec![Step::Call(Call::Unmark(unmark.dated(row)))]);
    }
    if row.is_out_of_service() || row.is_cordoned() {
        plan.then(vec![Step::Milestone(Milestone::Clean { node: node.clone() })]);
    }
    if let Guard::Send(call) = cordon::guard_uncordon(node, None, cluster) {
        plan.then(vec![Step::Call(call)]);
    }
}

/// Why a pod of a silent node is not made anew by a plain deletion.
pub fn stays(pod: &Pod, cluster: &Cluster) -> Option<&'static str> {
    let owner = pod.meta.owner.as_ref().filter(|owner| owner.is_controller);
    if pod.is_mirror {
        return Some("its kubelet owns it");
    }
    if pod.meta.is_deleting() {
        return Some("it is to go already");
    }
    if pod.phase.is_terminal() {
        return Some("it has ended");
    }
    let Some(owner) = owner else { return Some("nothing would make it anew") };
    match owner.kind.as_str() {
        "DaemonSet" => Some("its daemon set has it on this machine alone"),
        "StatefulSet" => Some("its stateful set makes no other one before this one is gone"),
        _ if milestone::has_exclusive(pod, cluster) => {
            Some("it has a volume for itself, which another could not attach")
        }
        _ => None,
    }
}

fn replace_pods(plan: &mut Plan, node: &ObjectRef, cluster: &Cluster) {
    if cordon::same_node(node, cluster).is_err() {
        return;
    }
    let pods: Vec<&Pod> =
        cluster.pods_on(&node.name.name).filter(|pod| stays(pod, cluster).is_none()).collect();
    if pods.is_empty() {
        return;
    }
    let workloads = milestone::losing(pods.iter().copied(), cluster);
    let replacing =
        |pod: &&Pod| Step::Call(Call::ReplacePod(Replacing { pod: pod.object(), node: node.clone() }));
    plan.then(pods.iter().map(replacing).collect());
    if !workloads.is_empty() {
        plan.then(vec![Step::Milestone(Milestone::Replaced { node: node.clone(), workloads })]);
    }
}

fn release_pod(plan: &mut Plan, (draft, pod): (&Draft, &ObjectRef), (cluster, author): (&Cluster, &Author)) {
    let (Some(node), Some(row)) = (node_of(pod, cluster), cluster.pods.get(&pod.name)) else { return };
    attest(plan, (draft, &node), author);
    plan.then(vec![Step::Danger(Dangerous::ReleasePod { pod: pod.clone(), node: node.clone() })]);
    let pods = vec![pod.clone()];
    plan.then(vec![Step::Milestone(Milestone::Released { node: node.clone(), pods })]);
    let ids: Vec<_> = cluster.volumes_of(row).collect();
    let attached = cluster
        .attachments_on(&node.name.name)
        .filter(|attachment| ids.contains(&crate::cluster::VolumeId::Persistent(attachment.volume.clone())));
    let only: Vec<ObjectRef> = attached.map(|attachment| attachment.object()).collect();
    if !only.is_empty() && !cluster.is_node_ready(&node.name.name) {
        let detached = Milestone::Detached { node, only: Some(only), is_forced: true };
        plan.then(vec![Step::Milestone(detached)]);
    }
}
