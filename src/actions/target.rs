//! The targets of an action as they are named on the command line.
//!
//! It deliberately does not guess: a word that names nothing is told.

use super::ActionKind;
use crate::cluster::{Cluster, Kind, ObjectRef, Row as _};

/// kubectl's words for the kinds that actions are for.
const WORDS: &[(Kind, &[&str])] = &[
    (Kind::Node, &["node", "nodes", "no"]),
    (Kind::Deployment, &["deployment", "deployments", "deploy"]),
    (Kind::StatefulSet, &["statefulset", "statefulsets", "sts"]),
    (Kind::DaemonSet, &["daemonset", "daemonsets", "ds"]),
    (Kind::Pod, &["pod", "pods", "po"]),
    (Kind::VolumeAttachment, &["volumeattachment", "volumeattachments"]),
    (Kind::PersistentVolume, &["persistentvolume", "persistentvolumes", "pv"]),
    (Kind::PersistentVolumeClaim, &["persistentvolumeclaim", "persistentvolumeclaims", "pvc"]),
    (Kind::Namespace, &["namespace", "namespaces", "ns"]),
];

/// The objects that the words name, each once and in that order: `NAME`, or `KIND/NAME`. Or why one of them is no
/// target.
pub fn resolve(action: ActionKind, words: &[String], cluster: &Cluster) -> Result<Vec<ObjectRef>, String> {
    let mut targets: Vec<ObjectRef> = Vec::new();
    for word in words {
        let target = resolve_one(action, word, cluster)?;
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

fn resolve_one(action: ActionKind, word: &str, cluster: &Cluster) -> Result<ObjectRef, String> {
    let spec = action.spec();
    let (kind, name) = match (word.split_once('/'), spec.kinds) {
        // Of one kind only: the first word may be a namespace.
        (Some((first, _)), [one]) if kind_of(first).is_none() && one.is_namespaced() => (Some(*one), word),
        (Some((first, name)), _) => (kind_of(first), name),
        (None, [one]) => (Some(*one), word),
        (None, _) => return Err(format!("{word:?} may be of several kinds: write KIND/{word}")),
    };
    let Some(kind) = kind.filter(|kind| spec.kinds.contains(kind)) else {
        let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.plural()).collect();
        return Err(format!("{word:?} cannot be the target of {}: it is for {}", spec.id, kinds.join(", ")));
    };
    let objects: Vec<ObjectRef> = match kind {
        Kind::Node => cluster.nodes.values().map(|row| row.object()).collect(),
        Kind::Pod => cluster.pods.values().map(|row| row.object()).collect(),
        Kind::VolumeAttachment => cluster.volume_attachments.values().map(|row| row.object()).collect(),
        Kind::Namespace => cluster.namespaces.values().map(|row| row.object()).collect(),
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => {
            let workloads = cluster.workloads().map(|workload| workload.object());
            workloads.filter(|object| object.kind == kind).collect()
        }
        Kind::PersistentVolume => cluster.persistent_volumes.values().map(|row| row.object()).collect(),
        Kind::PersistentVolumeClaim => {
            cluster.persistent_volume_claims.values().map(|row| row.object()).collect()
        }
        // No action is for these.
        Kind::ReplicaSet
        | Kind::Job
        | Kind::PodDisruptionBudget
        | Kind::Service
        | Kind::Event
        | Kind::ApiService => Vec::new(),
    };
    let found: Vec<ObjectRef> = objects.into_iter().filter(|object| is_named(object, name)).collect();
    let kind = kind.word().to_lowercase();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(format!("there is no {kind} {name:?}; check its spelling and the context")),
        [first, ..] => Err(format!(
            "there is a {kind} {name:?} in {} namespaces, such as {}; say which with -n, or as NAMESPACE/NAME",
            found.len(),
            first.name.namespace
        )),
    }
}

/// `NAME`, or `NAMESPACE/NAME`.
fn is_named(object: &ObjectRef, word: &str) -> bool {
    match word.split_once('/') {
        Some((namespace, name)) => *object.name.namespace == *namespace && *object.name.name == *name,
        None => *object.name.name == *word,
    }
}

fn kind_of(word: &str) -> Option<Kind> {
    let word = word.to_lowercase();
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(kind, _)| *kind)
}
