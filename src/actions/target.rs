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
        (Some((first, name)), _) => (kind_of(first), name),
        (None, [one]) => (Some(*one), word),
        (None, _) => return Err(format!("{word:?} may be of several kinds: write KIND/{word}")),
    };
    let Some(kind) = kind.filter(|kind| spec.kinds.contains(kind)) else {
        let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.plural()).collect();
        return Err(format!("{word:?} cannot be the target of {}: it is for {}", spec.id, kinds.join(", ")));
    };
    let found: Vec<ObjectRef> = if kind == Kind::Node {
        let nodes = cluster.nodes.values().map(|node| node.object());
        nodes.filter(|node| *node.name.name == *name).collect()
    } else {
        let workloads = cluster.workloads().map(|workload| workload.object());
        workloads.filter(|object| object.kind == kind && is_named(object, name)).collect()
    };
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
