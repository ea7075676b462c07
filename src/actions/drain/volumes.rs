//! Volumes of pods that have to move, and that cannot follow them.

use super::forecast::Scene;
use crate::actions::preflight::{Check, Verdict};
use crate::cluster::{Name, Node, PersistentVolume, Pod, Requirement, Row as _, Source, Storage, VolumeId};

pub fn checks(scene: &Scene<'_>) -> Vec<Check> {
    scene.moving().flat_map(|pod| of_pod(pod, scene)).collect()
}

fn of_pod(pod: &Pod, scene: &Scene<'_>) -> Vec<Check> {
    let namespace = &pod.meta.name.namespace;
    let claims = pod.claims.iter().map(|claim| Name::new(namespace.clone(), claim.clone()));
    let volumes = claims.filter_map(|claim| match scene.cluster.volume_of_claim(&claim)? {
        VolumeId::Persistent(name) => scene.cluster.persistent_volumes.get(&Name::cluster(name)),
        VolumeId::Claim(_) | VolumeId::Unknown(_) => None,
    });
    volumes.filter_map(|volume| Some(stuck(pod, volume, scene)?.about(&pod.object()))).collect()
}

/// Why the pod's replacement would wait for its volume.
fn stuck(pod: &Pod, volume: &PersistentVolume, scene: &Scene<'_>) -> Option<Check> {
    let (pod, name) = (&pod.meta.name, &volume.meta.name);
    if volume.storage() == Storage::Pinned && !is_shared_path(volume) {
        let reason = format!("{pod} keeps data on this machine (volume {name}): it starts nowhere else");
        return Some(
            Check::new(Verdict::Warn, reason).remedy("expect it to wait until the node takes pods again"),
        );
    }
    let reaches = |node: &&Node| scene.takes_pods(node) && is_reached(volume, node);
    if volume.affinity.is_empty() || scene.cluster.nodes.values().any(|node| reaches(&node)) {
        return None;
    }
    let asked: Vec<String> =
        volume.affinity.iter().map(|asked| format!("{} in {}", asked.key, asked.values.join(", "))).collect();
    let reason = format!(
        "the volume {name} of {pod} cannot follow it: no other node that takes pods has {}",
        asked.join(" and ")
    );
    Some(Check::new(Verdict::Warn, reason).remedy("add or uncordon a node there first"))
}

/// A hostPath may be there on every machine; nobody can tell.
const fn is_shared_path(volume: &PersistentVolume) -> bool {
    match volume.source {
        Source::HostPath { .. } => volume.affinity.is_empty(),
        Source::Csi { .. }
        | Source::Local { .. }
        | Source::Nfs { .. }
        | Source::InTree { .. }
        | Source::Unknown => false,
    }
}

/// All terms are kept together, so a node that has one of a key's values counts.
fn is_reached(volume: &PersistentVolume, node: &Node) -> bool {
    let holds = |asked: &Requirement| {
        let label = node.meta.label(&asked.key);
        label.is_some_and(|label| asked.values.iter().any(|value| **value == *label))
    };
    volume.affinity.iter().all(holds)
}
