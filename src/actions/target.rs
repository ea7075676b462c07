//! The targets of an action as they are named on the command line.
//!
//! It deliberately does not guess: a word that names nothing is told.

use super::ActionKind;
use crate::cluster::{Cluster, Kind, ObjectRef, Row as _};

/// kubectl's words for the kinds that actions are for.
const WORDS: &[(Kind, &[&str])] = &[(Kind::Node, &["node", "nodes", "no"])];

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
    let (kind, name) = match word.split_once('/') {
        Some((first, name)) => (kind_of(first), name),
        None => (spec.kinds.first().copied(), word),
    };
    let Some(kind) = kind.filter(|kind| spec.kinds.contains(kind)) else {
        let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.plural()).collect();
        return Err(format!("{word:?} cannot be the target of {}: it is for {}", spec.id, kinds.join(", ")));
    };
    let found = cluster.nodes.values().find(|node| *node.meta.name.name == *name).map(|node| node.object());
    found.ok_or_else(|| {
        format!("there is no {} {name:?}; check its spelling and the context", kind.word().to_lowercase())
    })
}

fn kind_of(word: &str) -> Option<Kind> {
    let word = word.to_lowercase();
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(kind, _)| *kind)
}
