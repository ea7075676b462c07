//! One volume of a dead node, and no other: its pods are released, and the attach-detach controller is waited for,
//! which takes a volume off a node that is not ready six minutes after the last pod has gone.
//!
//! Nothing is deleted here but pods: an attachment that is deleted by hand is the last resort, and another action.

use super::super::dangerous::Dangerous;
use super::super::milestone::{self, Milestone};
use super::super::preflight::{Check, Verdict};
use super::super::{Author, Draft, Plan, Step};
use super::plans::attest;
use super::words::{RISK, unprotected, warn};
use crate::cluster::{
    Cluster, Kind, Node, ObjectRef, PersistentVolume, Pod, Row as _, VolumeAttachment, VolumeId,
};
use std::collections::BTreeSet;

/// The volume that a target names: itself, or that of a claim.
pub fn meant<'a>(target: &ObjectRef, cluster: &'a Cluster) -> Option<&'a PersistentVolume> {
    if target.kind == Kind::PersistentVolume {
        return cluster.persistent_volumes.same(target);
    }
    if target.kind != Kind::PersistentVolumeClaim {
        return None;
    }
    cluster.persistent_volume_claims.same(target)?;
    match cluster.volume_of_claim(&target.name)? {
        VolumeId::Persistent(name) => cluster.persistent_volumes.get(&crate::cluster::Name::cluster(name)),
        VolumeId::Claim(_) | VolumeId::Unknown(_) => None,
    }
}

/// Where it hangs: on nodes that are not ready.
fn held<'a>(
    volume: &PersistentVolume,
    cluster: &'a Cluster,
) -> impl Iterator<Item = (&'a VolumeAttachment, &'a Node)> {
    let attached = cluster.attachments_of(&volume.meta.name.name);
    let places = attached.filter_map(|row| Some((row, cluster.node(&row.node)?)));
    places.filter(|(_, node)| !node.is_ready())
}

/// The pods on a node that keep the controller from detaching it.
fn wanting<'a>(volume: &PersistentVolume, node: &Node, cluster: &'a Cluster) -> Vec<&'a Pod> {
    let id = VolumeId::Persistent(volume.meta.name.name.clone());
    let pods = cluster.pods_on(&node.meta.name.name).filter(|pod| pod.wants_volumes());
    pods.filter(|pod| cluster.volumes_of(pod).any(|known| known == id)).collect()
}

pub fn plan(plan: &mut Plan, (draft, target): (&Draft, &ObjectRef), (cluster, author): (&Cluster, &Author)) {
    let Some(volume) = meant(target, cluster) else { return };
    for (attachment, row) in held(volume, cluster) {
        let (node, pods) = (row.object(), wanting(volume, row, cluster));
        if !pods.is_empty() {
            attest(plan, (draft, &node), author);
            let release =
                |pod: &&Pod| Step::Danger(Dangerous::ReleasePod { pod: pod.object(), node: node.clone() });
            plan.then(pods.iter().map(release).collect());
            let released = pods.iter().map(|pod| pod.object()).collect();
            plan.then(vec![Step::Milestone(Milestone::Released { node: node.clone(), pods: released })]);
        }
        let only = Some(vec![attachment.object()]);
        plan.then(vec![Step::Milestone(Milestone::Detached { node: node.clone(), only, is_forced: true })]);
        let workloads = milestone::losing(pods.iter().copied(), cluster);
        if !workloads.is_empty() {
            plan.then(vec![Step::Milestone(Milestone::Replaced { node, workloads })]);
        }
    }
}

pub fn checks(target: &ObjectRef, cluster: &Cluster) -> Vec<Check> {
    let Some(volume) = meant(target, cluster) else {
        let check = Check::new(Verdict::Block, format!("{target} has no volume"));
        return vec![check.remedy("look at its claim: nothing of it can be attached")];
    };
    let name = &volume.meta.name.name;
    let places: Vec<(&VolumeAttachment, &Node)> = held(volume, cluster).collect();
    if places.is_empty() {
        return vec![elsewhere(name, cluster)];
    }
    let mut checks = Vec::new();
    for (attachment, node) in places {
        let at = &node.meta.name.name;
        let pods = wanting(volume, node, cluster);
        checks.extend(unprotected(pods.iter().copied(), cluster));
        if !pods.is_empty() {
            checks.push(warn(format!("this says of its pods that nothing of them runs any more: {RISK}")));
        }
        let others: BTreeSet<VolumeId> = pods.iter().flat_map(|pod| cluster.volumes_of(pod)).collect();
        let id = VolumeId::Persistent(name.clone());
        let many = others.iter().filter(|other| **other != id).count();
        if many > 0 {
            checks.push(warn(format!("its pods have {many} more volumes there: these are detached as well")));
        }
        checks.push(warn(
            "whether the controller detaches by force cannot be read: with --disable-force-detach-on-timeout it never \
             does, and then it takes force-detach of the node",
        ));
        let is_in_use = node.volumes_in_use.iter().any(|unique| cluster.volume_by_unique_name(unique) == id);
        let when = if is_in_use {
            "six minutes after its pods are gone, if the node is still not ready then; a controller-manager that \
             starts anew counts anew"
        } else {
            "as soon as its pods are gone: its kubelet has not said that it is mounted"
        };
        checks.push(Check::new(Verdict::Ok, format!("volume {name} is detached from {at} {when}")));
        if let Some(error) = &attachment.detach_error {
            checks.push(warn(format!("{} refuses to detach it: {}", attachment.attacher, error.message)));
        }
    }
    checks
}

/// Why there is nothing to do about a volume.
fn elsewhere(name: &str, cluster: &Cluster) -> Check {
    let attached: Vec<&VolumeAttachment> = cluster.attachments_of(name).collect();
    let Some(first) = attached.first() else {
        return Check::new(Verdict::Ok, format!("volume {name} is attached nowhere"));
    };
    let node = &first.node;
    let (reason, remedy) = if cluster.node(node).is_none() {
        (
            format!("volume {name} is attached to {node}, which is gone"),
            "the controller detaches it by force in six minutes; look at what its driver says",
        )
    } else {
        (
            format!("volume {name} is attached to {node}, which is Ready"),
            "delete its pod there: the kubelet unmounts it, and the controller detaches it then",
        )
    };
    Check::new(Verdict::Block, reason).remedy(remedy)
}
