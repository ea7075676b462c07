//! The objects that `sickbay findings` was asked about, as they are named on the command line.
//!
//! It deliberately does not guess: a word that names nothing is told, because "nothing is wrong" of an object that
//! does not exist would be a lie.

use crate::cluster::{Cluster, Kind, Name, ObjectRef, Row, Table};

/// The kinds that a finding can be about, with kubectl's words for them.
const KINDS: [(Kind, &[&str]); 5] = [
    (Kind::Node, &["node", "nodes", "no"]),
    (Kind::Pod, &["pod", "pods", "po"]),
    (Kind::PersistentVolume, &["persistentvolume", "persistentvolumes", "pv"]),
    (Kind::PersistentVolumeClaim, &["persistentvolumeclaim", "persistentvolumeclaims", "pvc"]),
    (Kind::VolumeAttachment, &["volumeattachment", "volumeattachments"]),
];

/// Whether a word names an object: `KIND/NAME`, `KIND/NAMESPACE/NAME`, `NAMESPACE/NAME`, or `NAME`.
pub fn names(word: &str, kind: Kind, name: &Name) -> bool {
    let is_name = |rest: &str| *rest == *name.name || rest == name.to_string();
    let is_kind = |first: &str| {
        let first = first.to_lowercase();
        KINDS.iter().any(|(known, words)| *known == kind && words.contains(&first.as_str()))
    };
    is_name(word) || word.split_once('/').is_some_and(|(first, rest)| is_kind(first) && is_name(rest))
}

/// Whether a word names an object that is there, or that something was found out about.
pub fn is_known<'a>(word: &str, cluster: &Cluster, mut found: impl Iterator<Item = &'a ObjectRef>) -> bool {
    is_in(word, &cluster.nodes)
        || is_in(word, &cluster.pods)
        || is_in(word, &cluster.persistent_volumes)
        || is_in(word, &cluster.persistent_volume_claims)
        || is_in(word, &cluster.volume_attachments)
        || found.any(|object| names(word, object.kind, &object.name))
}

fn is_in<R: Row>(word: &str, table: &Table<R>) -> bool {
    table.values().any(|row| names(word, R::KIND, &row.meta().name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_as_kubectl_names_it() {
        let pod = Name::new("data", "kafka-2");
        for word in
            ["kafka-2", "data/kafka-2", "pod/kafka-2", "pods/kafka-2", "po/data/kafka-2", "Pod/data/kafka-2"]
        {
            assert!(names(word, Kind::Pod, &pod), "{word}");
        }
        for word in ["kafka", "node/kafka-2", "shop/kafka-2", "pod/shop/kafka-2", "/kafka-2", ""] {
            assert!(!names(word, Kind::Pod, &pod), "{word}");
        }
    }

    #[test]
    fn a_claim_that_is_called_like_its_pod_is_told_apart_by_its_kind() {
        let claim = Name::new("data", "kafka-2");
        assert!(names("pvc/kafka-2", Kind::PersistentVolumeClaim, &claim));
        assert!(!names("pod/kafka-2", Kind::PersistentVolumeClaim, &claim));
    }
}
