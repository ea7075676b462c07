//! A node: readiness and cordon are two things, and Unknown is not False.

use super::{Cordon, Cordoner, Meta, Resources, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub meta: Meta,
    pub is_unschedulable: bool,
    pub taints: Box<[Taint]>,
    pub conditions: Box<[Condition]>,
    /// Unique volume names, as the attach-detach controller writes them.
    pub volumes_attached: Box<[Text]>,
    /// Unique volume names, as the kubelet last wrote them: stale on a silent node.
    pub volumes_in_use: Box<[Text]>,
    pub kubelet_version: Text,
    pub boot_id: Text,
    pub os_image: Text,
    pub internal_ip: Text,
    pub provider_id: Text,
    pub allocatable_pods: Option<u32>,
    pub allocatable: Resources,
    /// What the last cordon by sickbay wrote on it, which other tools leave there when they uncordon.
    pub cordon_note: Option<Box<Cordon>>,
    /// The tool whose annotation says that it empties the node.
    pub cordoned_by: Option<Cordoner>,
    /// What those who act on machines by themselves have written on it, by their annotations.
    pub marks: Box<[(Text, Text)]>,
}

/// The annotations of those who fence, remedy, reboot or delete machines.
pub const MARKS: [&str; 7] = [
    "fencing/state",
    "fencing/enabled",
    "fencing/mode",
    "remediation.medik8s.io/nhc-timed-out",
    "cluster.x-k8s.io/delete-machine",
    "machine.openshift.io/delete-machine",
    "weave.works/kured-reboot-in-progress",
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    pub key: Text,
    pub value: Text,
    pub effect: Effect,
    pub added: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
    /// One that this version of sickbay does not know.
    Other,
}

impl Effect {
    pub fn parse(word: &str) -> Self {
        match word {
            "NoSchedule" => Self::NoSchedule,
            "PreferNoSchedule" => Self::PreferNoSchedule,
            "NoExecute" => Self::NoExecute,
            _ => Self::Other,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
            Self::Other => "?",
        }
    }
}

/// A condition of a node or a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub kind: Text,
    pub status: Status,
    pub reason: Text,
    pub message: Text,
    pub changed: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    True,
    False,
    Unknown,
}

impl Status {
    pub fn parse(word: &str) -> Self {
        match word {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// What the control plane believes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Readiness {
    /// No contact: the controller wrote Unknown. Silent, not proved dead.
    Silent,
    /// A kubelet that talks, and says that it is not ready.
    NotReady,
    /// Registered, and no Ready condition was ever written.
    New,
    Ready,
}

impl Readiness {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "Silent",
            Self::NotReady => "NotReady",
            Self::New => "New",
            Self::Ready => "Ready",
        }
    }
}

impl Node {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == *kind)
    }

    pub fn readiness(&self) -> Readiness {
        match self.condition("Ready").map(|ready| ready.status) {
            None => Readiness::New,
            Some(Status::True) => Readiness::Ready,
            Some(Status::False) => Readiness::NotReady,
            Some(Status::Unknown) => Readiness::Silent,
        }
    }

    pub fn is_ready(&self) -> bool {
        self.readiness() == Readiness::Ready
    }

    /// Since when it is what it is: written by the controller's clock, or the kubelet's.
    pub fn ready_since(&self) -> Option<Timestamp> {
        self.condition("Ready").and_then(|ready| ready.changed)
    }

    /// Memory, disk and process pressure, and a network that is not there: what is True and should not be.
    pub fn pressures(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().filter(|condition| {
            condition.status == Status::True
                && matches!(
                    condition.kind.as_str(),
                    "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable"
                )
        })
    }

    /// Whether anything keeps pods away from it.
    pub fn is_marked(&self) -> bool {
        self.is_unschedulable || !self.taints.is_empty() || self.pressures().next().is_some()
    }

    pub fn zone(&self) -> Option<&str> {
        self.meta
            .label("topology.kubernetes.io/zone")
            .or_else(|| self.meta.label("failure-domain.beta.kubernetes.io/zone"))
    }

    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.meta.labels.iter().filter_map(|(key, value)| {
            match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) if !role.is_empty() => Some(role),
                _ if *key == "kubernetes.io/role" && !value.is_empty() => Some(value.as_str()),
                _ => None,
            }
        })
    }

    /// What somebody who acts on machines has written on it, by its annotation.
    pub fn mark(&self, key: &str) -> Option<&str> {
        self.marks.iter().find(|(known, _)| *known == *key).map(|(_, value)| value.as_str())
    }

    /// The host name that a volume's node affinity names.
    pub fn hostname(&self) -> &str {
        self.meta.label("kubernetes.io/hostname").unwrap_or(&self.meta.name.name)
    }

    pub fn taint(&self, key: &str, effect: Effect) -> Option<&Taint> {
        self.taints.iter().find(|taint| taint.key == *key && taint.effect == effect)
    }

    pub fn no_execute_taints(&self) -> impl Iterator<Item = &Taint> {
        self.taints.iter().filter(|taint| taint.effect == Effect::NoExecute)
    }

    /// The cloud's word that its machine is stopped.
    pub const SHUT_DOWN: &str = "node.cloudprovider.kubernetes.io/shutdown";

    /// The taint with that word.
    pub fn shut_down(&self) -> Option<&Taint> {
        self.taints.iter().find(|taint| taint.key == Self::SHUT_DOWN)
    }

    pub fn is_out_of_service(&self) -> bool {
        self.taints.iter().any(|taint| taint.key == "node.kubernetes.io/out-of-service")
    }
}
