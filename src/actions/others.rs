//! Who else acts on a node by itself: what fences, remedies, reboots, empties or deletes machines without being asked.
//!
//! Two that fence at once are worse than one that is late, so what they are at is a fact of its own, for the case file
//! of a node and for the evidence alike. [`Survey`] is what was read of their objects, and [`others`] makes of it and
//! of the node who is at it. It deliberately reads nothing itself.

mod judge;

pub use judge::others;

use crate::cluster::{Name, Selector, Text};
use jiff::Timestamp;

/// One who acts on nodes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    KubeFencing,
    NodeHealthCheck,
    SelfNodeRemediation,
    FenceAgentsRemediation,
    MachineDeletionRemediation,
    /// Whoever makes and deletes machines by objects of that name.
    Machine,
    NodeMaintenance,
    Kured,
    MachineConfig,
    ClusterAutoscaler,
    Karpenter,
    Descheduler,
}

impl Party {
    pub const fn word(self) -> &'static str {
        match self {
            Self::KubeFencing => "kube-fencing",
            Self::NodeHealthCheck => "NodeHealthCheck",
            Self::SelfNodeRemediation => "SelfNodeRemediation",
            Self::FenceAgentsRemediation => "FenceAgentsRemediation",
            Self::MachineDeletionRemediation => "MachineDeletionRemediation",
            Self::Machine => "Machine",
            Self::NodeMaintenance => "node maintenance",
            Self::Kured => "kured",
            Self::MachineConfig => "machine config",
            Self::ClusterAutoscaler => "cluster autoscaler",
            Self::Karpenter => "karpenter",
            Self::Descheduler => "descheduler",
        }
    }
}

/// How far somebody is with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// At it now: nobody else may be.
    Acting,
    /// Watches it, and may begin at any moment.
    Armed,
    /// Has done what it does, or has given up.
    Over,
    /// Is there, and has no business with it now.
    Idle,
}

/// Somebody else, and what of a node is in their hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    pub party: Party,
    pub stage: Stage,
    /// What it does to the node and by what that is known, without its name.
    pub words: String,
    pub since: Option<Timestamp>,
}

impl Other {
    /// Who, and what they do: "kured: reboots it, by its annotation".
    pub fn sentence(&self) -> String {
        format!("{}: {}", self.party.word(), self.words)
    }
}

/// Something that is read to learn who is at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// What groups of APIs the server has; without it nothing is known of the others.
    Groups,
    Machine,
    HealthChecks,
    SelfNodeRemediations,
    FenceAgentsRemediations,
    MachineDeletionRemediations,
    /// The lease of a node that remedies hold while they work on it.
    Lease,
    /// Whose turn it is to be rebooted.
    KuredLock,
}

/// The group and the resource that hold objects of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    pub group: &'static str,
    pub plural: &'static str,
}

impl Source {
    /// Those that are custom resources of a fixed name, listed as a whole.
    pub const LISTED: [Self; 4] = [
        Self::HealthChecks,
        Self::SelfNodeRemediations,
        Self::FenceAgentsRemediations,
        Self::MachineDeletionRemediations,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Groups => "API groups",
            Self::Machine => "Machine",
            Self::HealthChecks => "NodeHealthCheck",
            Self::SelfNodeRemediations => "SelfNodeRemediation",
            Self::FenceAgentsRemediations => "FenceAgentsRemediation",
            Self::MachineDeletionRemediations => "MachineDeletionRemediation",
            Self::Lease => "remediation lease",
            Self::KuredLock => "kured's lock",
        }
    }

    /// Where its objects are, for those that are [`Self::LISTED`].
    pub const fn resource(self) -> Option<Resource> {
        let (group, plural) = match self {
            Self::HealthChecks => ("remediation.medik8s.io", "nodehealthchecks"),
            Self::SelfNodeRemediations => ("self-node-remediation.medik8s.io", "selfnoderemediations"),
            Self::FenceAgentsRemediations => {
                ("fence-agents-remediation.medik8s.io", "fenceagentsremediations")
            }
            Self::MachineDeletionRemediations => {
                ("machine-deletion-remediation.medik8s.io", "machinedeletionremediations")
            }
            Self::Groups | Self::Machine | Self::Lease | Self::KuredLock => return None,
        };
        Some(Resource { group, plural })
    }

    /// Who is at it where its objects say so.
    const fn party(self) -> Party {
        match self {
            Self::Machine => Party::Machine,
            Self::SelfNodeRemediations => Party::SelfNodeRemediation,
            Self::FenceAgentsRemediations => Party::FenceAgentsRemediation,
            Self::MachineDeletionRemediations => Party::MachineDeletionRemediation,
            Self::KuredLock => Party::Kured,
            Self::Groups | Self::HealthChecks | Self::Lease => Party::NodeHealthCheck,
        }
    }
}

/// What came of reading one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    Objects(Vec<Remedy>),
    NotInstalled,
    NotKnown(Text),
}

/// An object of those who act by themselves, as far as it says something about nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    HealthCheck(HealthCheck),
    Remediation(Remediation),
    Machine(Machine),
    /// Somebody has taken a node for themselves.
    Lease {
        holder: Text,
        until: Option<Timestamp>,
    },
    /// The node whose reboot is under way.
    Lock {
        node: Text,
        since: Option<Timestamp>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheck {
    pub name: Text,
    /// The nodes that it watches: all of them, where it is empty.
    pub selector: Selector,
    pub is_paused: bool,
    pub phase: Text,
    pub reason: Text,
    /// The nodes that it has somebody remedy, and since when.
    pub at_it: Vec<(Text, Option<Timestamp>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remediation {
    pub name: Name,
    pub node: Text,
    pub phase: Text,
    pub created: Option<Timestamp>,
    pub outcome: Outcome,
    /// When it takes the machine for rebooted, and not before.
    pub assumed_rebooted: Option<Timestamp>,
    pub error: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    UnderWay,
    Succeeded,
    Failed,
    /// Its time was over, and somebody else was asked.
    TimedOut,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub name: Name,
    pub phase: Text,
    pub deleted: Option<Timestamp>,
    /// Why it is remedied, and since when.
    pub remedied: Option<(Text, Option<Timestamp>)>,
    /// Whether a health check watches it.
    pub is_watched: bool,
}

/// What was read about one node, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    pub at: Timestamp,
    pub told: Vec<(Source, Read)>,
}

impl Survey {
    /// What nobody could say, and why, in words.
    pub fn not_known(&self) -> Vec<String> {
        let unknown = self.told.iter().filter_map(|(source, read)| match read {
            Read::NotKnown(reason) => Some(format!("{}: {reason}", source.word())),
            Read::Objects(_) | Read::NotInstalled => None,
        });
        unknown.collect()
    }

    pub fn not_installed(&self) -> Vec<&'static str> {
        let absent = self.told.iter().filter(|(_, read)| *read == Read::NotInstalled);
        absent.map(|(source, _)| source.word()).collect()
    }
}

#[cfg(test)]
mod tests;
