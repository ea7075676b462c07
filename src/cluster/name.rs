//! What an object is called: kind, namespace, name and uid.

use super::Text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds that are watched, in the order in which they are started: what an incident needs first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    Node,
    Pod,
    PersistentVolume,
    PersistentVolumeClaim,
    VolumeAttachment,
    Namespace,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    PodDisruptionBudget,
    Service,
    ApiService,
    Event,
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::Node,
        Self::Pod,
        Self::PersistentVolume,
        Self::PersistentVolumeClaim,
        Self::VolumeAttachment,
        Self::Namespace,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::PodDisruptionBudget,
        Self::Service,
        Self::ApiService,
        Self::Event,
    ];

    /// The kind as the API spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Node => "Node",
            Self::Pod => "Pod",
            Self::PersistentVolume => "PersistentVolume",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::VolumeAttachment => "VolumeAttachment",
            Self::Namespace => "Namespace",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Service => "Service",
            Self::ApiService => "APIService",
            Self::Event => "Event",
        }
    }

    /// The resource, as in a path: lower case and plural.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Node => "nodes",
            Self::Pod => "pods",
            Self::PersistentVolume => "persistentvolumes",
            Self::PersistentVolumeClaim => "persistentvolumeclaims",
            Self::VolumeAttachment => "volumeattachments",
            Self::Namespace => "namespaces",
            Self::Deployment => "deployments",
            Self::ReplicaSet => "replicasets",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::Job => "jobs",
            Self::PodDisruptionBudget => "poddisruptionbudgets",
            Self::Service => "services",
            Self::ApiService => "apiservices",
            Self::Event => "events",
        }
    }

    /// The API group, empty for the core group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::VolumeAttachment => "storage.k8s.io",
            Self::Deployment | Self::ReplicaSet | Self::StatefulSet | Self::DaemonSet => "apps",
            Self::Job => "batch",
            Self::PodDisruptionBudget => "policy",
            Self::ApiService => "apiregistration.k8s.io",
            Self::Node
            | Self::Pod
            | Self::PersistentVolume
            | Self::PersistentVolumeClaim
            | Self::Namespace
            | Self::Service
            | Self::Event => "",
        }
    }

    /// Whether findings are derived from it: without it the picture of what is wrong is not whole. The other kinds
    /// tell more about what is found.
    pub const fn is_evidence(self) -> bool {
        match self {
            Self::Node
            | Self::Pod
            | Self::PersistentVolume
            | Self::PersistentVolumeClaim
            | Self::VolumeAttachment
            | Self::Namespace
            | Self::Deployment
            | Self::ReplicaSet
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::PodDisruptionBudget
            | Self::Service
            | Self::ApiService => true,
            Self::Job | Self::Event => false,
        }
    }

    pub const fn is_namespaced(self) -> bool {
        match self {
            Self::Pod
            | Self::PersistentVolumeClaim
            | Self::Deployment
            | Self::ReplicaSet
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::Job
            | Self::PodDisruptionBudget
            | Self::Service
            | Self::Event => true,
            Self::Node
            | Self::PersistentVolume
            | Self::VolumeAttachment
            | Self::Namespace
            | Self::ApiService => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// An object's name within its kind; the namespace is empty for what has none.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    pub namespace: Text,
    pub name: Text,
}

impl Name {
    pub fn new(namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    pub fn cluster(name: impl Into<Text>) -> Self {
        Self { namespace: Text::default(), name: name.into() }
    }

    /// Reads what `Display` prints: `namespace/name`, or `name` alone.
    pub fn parse(word: &str) -> Option<Self> {
        let (namespace, name) = word.split_once('/').unwrap_or(("", word));
        let has_namespace = !namespace.is_empty() || !word.contains('/');
        let is_whole = has_namespace && !name.is_empty() && !name.contains('/');
        is_whole.then(|| Self::new(namespace, name))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.pad(&self.name)
        } else {
            f.pad(&format!("{}/{}", self.namespace, self.name))
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One object and no other: the name may be taken again by another object, the uid never.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    pub kind: Kind,
    pub name: Name,
    pub uid: Text,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word().to_lowercase(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_what_it_prints() {
        for word in ["worker-2", "data/postgres-0"] {
            assert_eq!(Name::parse(word).unwrap().to_string(), word);
        }
        for wrong in ["", "/", "/x", "x/", "a/b/c"] {
            assert_eq!(Name::parse(wrong), None, "{wrong:?}");
        }
    }
}
