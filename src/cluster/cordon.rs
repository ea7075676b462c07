//! Who took a node out of scheduling, and since when: as far as the node itself says it.
//!
//! The API keeps no author of a cordon. What there is: our own annotations, the marks that other tools leave, and
//! the time of the taint that the controller adds. Who wrote which field last is not read: it is skipped while
//! decoding, and names a program rather than a person.

use super::{Effect, Node, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Who took a node out of scheduling, and why, as annotations say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cordon {
    pub by: Text,
    pub why: Text,
    /// Nothing where it is no time.
    pub at: Option<Timestamp>,
    /// The run in which it was done.
    pub run: Text,
}

/// A tool that takes nodes out of scheduling by itself, and leaves a mark while it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cordoner {
    ClusterAutoscaler,
    Karpenter,
    Kured,
    MachineConfig,
    NodeMaintenance,
}

/// Taints that tools put on a node which they empty.
const TAINTS: [(&str, Cordoner); 3] = [
    ("ToBeDeletedByClusterAutoscaler", Cordoner::ClusterAutoscaler),
    ("karpenter.sh/disrupted", Cordoner::Karpenter),
    ("medik8s.io/drain", Cordoner::NodeMaintenance),
];
/// The controller taints what is cordoned at once; while it changes its leader, after this at most.
const TAINTED_WITHIN: SignedDuration = SignedDuration::from_secs(60);

impl Cordon {
    pub const BY: &'static str = "sickbay.dev/cordoned-by";
    pub const WHY: &'static str = "sickbay.dev/cordoned-why";
    pub const AT: &'static str = "sickbay.dev/cordoned-at";
    pub const RUN: &'static str = "sickbay.dev/cordoned-run";
    /// How the reason of a cordon begins that a force-detach left behind: it lasts until the node is returned.
    pub const OF_DETACH: &'static str = "force-detach";

    /// What a node's annotations say, which `value` looks up.
    pub fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let text = |key| value(key).map(Text::new).unwrap_or_default();
        value(Self::BY).map(|by| Self {
            by: by.into(),
            why: text(Self::WHY),
            at: value(Self::AT).and_then(|at| at.parse().ok()),
            run: text(Self::RUN),
        })
    }

    /// Whether it was part of a force-detach, and ends with the return to service.
    pub fn is_of_detach(&self) -> bool {
        self.why.starts_with(Self::OF_DETACH)
    }
}

impl Cordoner {
    /// Removed when the node is back.
    const KURED: &'static str = "weave.works/kured-reboot-in-progress";
    /// Says `drain-…` or `uncordon-…`, so its value has to be read.
    pub const MACHINE_CONFIG: &'static str = "machineconfiguration.openshift.io/desiredDrain";

    /// What a node's annotations say, which `value` looks up.
    pub fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        if value(Self::MACHINE_CONFIG).is_some_and(|wish| wish.starts_with("drain-")) {
            Some(Self::MachineConfig)
        } else {
            value(Self::KURED).map(|_| Self::Kured)
        }
    }

    /// As it is spoken of.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ClusterAutoscaler => "the cluster autoscaler",
            Self::Karpenter => "karpenter",
            Self::Kured => "kured",
            Self::MachineConfig => "the machine config operator",
            Self::NodeMaintenance => "the node maintenance operator",
        }
    }
}

impl Node {
    pub const fn is_cordoned(&self) -> bool {
        self.is_unschedulable
    }

    /// Who cordoned it, where it is cordoned and says so, and nothing speaks against that.
    pub fn cordon(&self) -> Option<&Cordon> {
        self.note().filter(|note| !self.has_outlived(note))
    }

    /// The note of a cordon that was lifted since: other tools leave it there, and the node was cordoned again.
    pub fn outlived_note(&self) -> Option<&Cordon> {
        self.note().filter(|note| self.has_outlived(note))
    }

    fn note(&self) -> Option<&Cordon> {
        self.cordon_note.as_deref().filter(|_| self.is_unschedulable)
    }

    /// Whether it went out of scheduling long after the note was written. One that was cordoned anew before the
    /// controller saw the difference cannot be told from one that was not.
    fn has_outlived(&self, note: &Cordon) -> bool {
        let since = self.cordon_taint_added().zip(note.at);
        since.is_some_and(|(since, written)| since.duration_since(written) > TAINTED_WITHIN)
    }

    /// The tool that keeps it cordoned, by the mark that it leaves.
    pub fn cordoner(&self) -> Option<Cordoner> {
        let by_taint = TAINTS.iter().find(|(key, _)| self.taints.iter().any(|taint| taint.key == **key));
        let tool = by_taint.map(|(_, tool)| *tool).or(self.cordoned_by);
        tool.filter(|_| self.is_unschedulable)
    }

    /// Since when it is cordoned: by the taint that the controller adds, or by the note.
    pub fn cordoned_since(&self) -> Option<Timestamp> {
        let told = || self.cordon().and_then(|note| note.at);
        self.cordon_taint_added().or_else(told).filter(|_| self.is_unschedulable)
    }

    /// By whom, in words: "alice@bastion, because: the disk is failing", "kured"; `None` where nothing says it.
    pub fn cordoned_by(&self) -> Option<String> {
        match (self.cordon(), self.cordoner()) {
            (Some(note), _) if note.why.is_empty() => Some(note.by.to_string()),
            (Some(note), _) => Some(format!("{}, because: {}", note.by, note.why)),
            (None, Some(tool)) => Some(tool.words().to_owned()),
            (None, None) => None,
        }
    }

    fn cordon_taint_added(&self) -> Option<Timestamp> {
        self.taint("node.kubernetes.io/unschedulable", Effect::NoSchedule).and_then(|taint| taint.added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::{at, node};

    fn noted(second: i64) -> Node {
        let note = Cordon { by: "alice".into(), why: "disk".into(), at: Some(at(second)), run: "r".into() };
        Node { cordon_note: Some(Box::new(note)), ..node("worker-1").cordoned() }
    }

    fn tainted(row: Node, second: i64) -> Node {
        row.tainted("node.kubernetes.io/unschedulable", Effect::NoSchedule, second)
    }

    #[test]
    fn a_note_counts_while_its_cordon_lasts_and_not_for_a_later_one() {
        let fresh = tainted(noted(100), 101);
        assert_eq!(fresh.cordoned_by().as_deref(), Some("alice, because: disk"));
        assert_eq!(fresh.cordoned_since(), Some(at(101)));
        let later = tainted(noted(100), 5000);
        assert_eq!((later.cordoned_by(), later.cordoned_since()), (None, Some(at(5000))));
        let uncordoned = Node { is_unschedulable: false, ..noted(100) };
        assert_eq!((uncordoned.cordoned_by(), uncordoned.cordoned_since()), (None, None));
        assert_eq!(noted(100).cordoned_since(), Some(at(100)), "before the controller adds its taint");
    }

    #[test]
    fn a_tool_is_told_by_the_mark_that_it_leaves_on_a_cordoned_node() {
        for (key, tool) in TAINTS {
            let row = node("worker-1").tainted(key, Effect::NoSchedule, 0);
            assert_eq!(row.cordoner(), None, "it is not cordoned");
            assert_eq!(row.cordoned().cordoned_by().as_deref(), Some(tool.words()));
        }
        let read =
            |key: &'static str, value: &'static str| Cordoner::read(|asked| (asked == key).then_some(value));
        assert_eq!(read(Cordoner::KURED, ""), Some(Cordoner::Kured));
        assert_eq!(read(Cordoner::MACHINE_CONFIG, "drain-abc"), Some(Cordoner::MachineConfig));
        assert_eq!(read(Cordoner::MACHINE_CONFIG, "uncordon-abc"), None);
    }
}
