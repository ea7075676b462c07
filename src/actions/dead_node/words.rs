//! What a review says of the actions for a silent machine, beside the evidence: what becomes of each pod and volume,
//! and what nothing protects.

use super::super::call::Guard;
use super::super::preflight::{Check, Verdict};
use super::super::{Action, Draft, Sight, cordon, milestone};
use super::plans::{meant, released, stays};
use super::{Unmark, node_of, retire, volume};
use crate::cluster::{Cluster, Kind, ObjectRef, Pod, Readiness, Row as _, Storage, Text, VolumeId};
use std::collections::BTreeSet;

pub fn checks(draft: &Draft, sight: &Sight<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for target in &draft.targets {
        if sight.cluster.meta(target).is_none() {
            let check = Check::new(Verdict::Block, format!("{target} is gone, or another one has its name"));
            checks.push(check.remedy("look again, and choose what is there now").about(target));
            continue;
        }
        let said = match &draft.action {
            Action::ReturnToService => return_to_service(target, sight.cluster),
            Action::ReplacePods => replace_pods(target, sight.cluster),
            Action::ForceDetach => force_detach(target, sight.cluster),
            Action::DetachVolume => volume::checks(target, sight.cluster),
            Action::Retire => retire::checks(target, sight.cluster),
            Action::ReleasePod => release_pod(target, sight),
            Action::DeleteAttachment => delete_attachment(target, sight.cluster),
            Action::DeleteNode => delete_node(target, sight.cluster),
            Action::RemoveFinalizer { finalizer } => remove_finalizer((target, finalizer), sight.cluster),
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
            | Action::Fence => Vec::new(),
        };
        checks.extend(said.into_iter().map(|check| check.about(target)));
    }
    checks
}

pub(super) const RISK: &str = "if its machine still runs, its processes go on writing through their old path while another \
                    machine writes to the same disk: that ruins the data";

pub(super) fn warn(reason: impl Into<String>) -> Check {
    Check::new(Verdict::Warn, reason)
}

fn force_detach(node: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let name = &node.name.name;
    let mut checks = unprotected(cluster.pods_on(name), cluster);
    checks.push(warn(format!("the mark says of {node} that it is off and stays off: {RISK}")));
    for pod in released(name, cluster) {
        let anew = match pod.meta.owner.as_ref().filter(|owner| owner.is_controller) {
            Some(owner) if *owner.kind == *"DaemonSet" => "and comes back with the node".to_owned(),
            Some(owner) => format!("and {} {} makes it anew elsewhere", owner.kind, owner.name),
            None => "and nothing makes it anew".to_owned(),
        };
        let verdict = if pod.meta.owner.is_some() { Verdict::Ok } else { Verdict::Warn };
        checks.push(Check::new(verdict, format!("{} is released {anew}", pod.object())));
    }
    for row in cluster.attachments_on(name) {
        if let Some(error) = &row.detach_error {
            let said = format!("{} refuses to detach volume {}: {}", row.attacher, row.volume, error.message);
            checks.push(warn(said));
        }
        checks.push(Check::new(Verdict::Ok, format!("volume {} ({}) is detached", row.volume, row.attacher)));
    }
    checks
}

/// Storage that nothing guards, or that detaching does not move: first, because it decides whether this helps.
pub(super) fn unprotected<'a>(pods: impl Iterator<Item = &'a Pod>, cluster: &'a Cluster) -> Vec<Check> {
    let places: BTreeSet<(VolumeId, &Text)> =
        pods.flat_map(|pod| cluster.volumes_of(pod).map(|id| (id, &pod.node))).collect();
    let mut checks = Vec::new();
    for (id, node) in places {
        let Some(join) = cluster.volume(&id) else { continue };
        let Some(volume) = join.volume else { continue };
        let name = &volume.meta.name.name;
        // By another node's it is not: that one says nothing of this machine.
        let is_guarded = cluster.attachments_of(name).any(|row| row.node == *node);
        match join.storage() {
            Storage::Pinned => checks.push(warn(format!(
                "the data of volume {name} is on that machine alone: detaching does not bring it elsewhere"
            ))),
            Storage::Block if !is_guarded => checks.push(warn(format!(
                "no attachment guards volume {name}: nothing but the machine being off keeps two from writing to it"
            ))),
            Storage::Block | Storage::File | Storage::Unknown => {}
        }
    }
    checks
}

fn return_to_service(node: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let Ok(row) = cordon::same_node(node, cluster) else { return Vec::new() };
    let mut checks = Vec::new();
    match row.readiness() {
        Readiness::Ready => checks.push(Check::new(Verdict::Ok, format!("{node} is Ready"))),
        Readiness::NotReady => checks.push(warn(format!(
            "{node} speaks and is not ready: its mark is taken off, and it is uncordoned when it is ready"
        ))),
        Readiness::Silent | Readiness::New => checks.push(
            Check::new(Verdict::Block, format!("{node} is {}: it has not come back", row.readiness().word()))
                .remedy("wait until its kubelet speaks; its mark and its cordon stay until then"),
        ),
    }
    if let Guard::Needless { reason } = Unmark::of(node, false).guard(cluster) {
        checks.push(Check::new(Verdict::Ok, reason));
    }
    let old: Vec<String> =
        milestone::old_attachments(&node.name.name, cluster).map(|row| row.volume.to_string()).collect();
    if !old.is_empty() {
        checks.push(warn(format!("still attached there, and wanted by no pod there: {}", old.join(", "))));
    }
    if let Some(note) = row.cordon() {
        checks.push(Check::new(Verdict::Ok, format!("it was cordoned by {}: {}", note.by, note.why)));
    } else if row.is_cordoned() {
        checks.push(warn(format!("nothing on {node} says by whom it was cordoned, and why")));
    } else {
        checks.push(Check::new(Verdict::Ok, format!("{node} is not cordoned")));
    }
    checks
}

fn replace_pods(node: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let Ok(row) = cordon::same_node(node, cluster) else { return Vec::new() };
    let mut checks = Vec::new();
    if row.readiness() == Readiness::Silent {
        checks.push(warn(format!(
            "{node} is silent, and nobody says that it is dead: the old processes may go on beside the new ones"
        )));
    } else {
        let reason = format!("{node} is {}: its kubelet speaks", row.readiness().word());
        checks.push(Check::new(Verdict::Block, reason).remedy("drain it: its pods are asked to go then"));
    }
    for pod in cluster.pods_on(&node.name.name) {
        if let Some(reason) = stays(pod, cluster) {
            checks.push(Check::new(Verdict::Skip, format!("{} stays: {reason}", pod.object())));
        } else if pod.is_owned_by("Job") {
            checks.push(warn(format!("{} is a job's: its work may be done twice", pod.object())));
        }
    }
    checks
}

fn release_pod(pod: &ObjectRef, sight: &Sight<'_>) -> Vec<Check> {
    let cluster = sight.cluster;
    let Some(row) = cluster.pods.get(&pod.name) else { return Vec::new() };
    let mut checks = unprotected(std::iter::once(row), cluster);
    if node_of(pod, cluster).is_none() {
        let reason = format!("{pod} is on no node that is there: {:?}", row.node.as_str());
        let remedy = "the garbage collector releases it within a minute";
        checks.push(Check::new(Verdict::Block, reason).remedy(remedy));
        return checks;
    }
    checks.push(warn(format!("this says of {pod} that nothing of it runs any more: {RISK}")));
    if !row.meta.finalizers.is_empty() {
        let held: Vec<&str> = row.meta.finalizers.iter().map(Text::as_str).collect();
        checks.push(warn(format!("{pod} stays until its finalizers are gone: {}", held.join(", "))));
    }
    checks
}

fn delete_attachment(attachment: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let Some(row) = cluster.volume_attachments.get(&attachment.name) else { return Vec::new() };
    let mut checks = vec![warn(format!(
        "the driver {} detaches volume {} from {} at once, mounted or not: {RISK}",
        row.attacher, row.volume, row.node
    ))];
    if node_of(attachment, cluster).is_none() {
        let reason =
            format!("the node {} of {attachment} is gone: nothing can prove that it is off", row.node);
        let remedy = "wait for the controller: it detaches by force six minutes after the pod is gone";
        checks.push(Check::new(Verdict::Block, reason).remedy(remedy));
    }
    checks
}

fn delete_node(node: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let mut checks = unprotected(cluster.pods_on(&node.name.name), cluster);
    checks.push(warn(format!(
        "all pods of {node} are released within a minute, and its volumes detached by force after six: {RISK}"
    )));
    checks.push(warn(format!(
        "a machine that is only restarted registers afresh as {}, and does not know what is attached to it",
        node.name
    )));
    checks
}

fn remove_finalizer((object, finalizer): (&ObjectRef, &Text), cluster: &Cluster) -> Vec<Check> {
    let held: Vec<&str> = cluster
        .meta(object)
        .map(|meta| meta.finalizers.iter().map(Text::as_str).collect())
        .unwrap_or_default();
    let Some(finalizer) = meant(finalizer, object, cluster) else {
        let reason = if held.is_empty() {
            format!("{object} has no finalizer")
        } else {
            format!("{object} has the finalizers {}: say which one is meant", held.join(", "))
        };
        return vec![Check::new(Verdict::Block, reason).remedy("--finalizer NAME says which")];
    };
    let mut checks =
        vec![warn(format!("what {finalizer} was to do for {object} is not done then, by anybody"))];
    if object.kind == Kind::VolumeAttachment {
        checks.push(warn(
            "its driver is not told: the storage may still have the volume attached there, and attach it a second time",
        ));
    }
    if object.kind == Kind::Pod && node_of(object, cluster).is_none() {
        checks.push(Check::new(Verdict::Warn, format!("{object} is on no node that is there")));
    }
    checks
}
