//! The table of rules: their ids, what each looks for in prose, and its function.

use super::{
    Found, View, node_gone, node_not_ready, node_silent, pod_stuck_terminating, volume_on_unready_node,
};
use std::fmt;

/// A rule by its id, which users see and which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleId {
    NodeSilent,
    NodeGone,
    NodeNotReady,
    PodStuckTerminating,
    VolumeOnUnreadyNode,
}

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub id: RuleId,
    pub evaluate: fn(&View<'_>, &mut Found),
}

/// All rules, in the order in which they are documented.
pub const RULES: &[Rule] = &[
    Rule { id: RuleId::NodeSilent, evaluate: node_silent::evaluate },
    Rule { id: RuleId::NodeGone, evaluate: node_gone::evaluate },
    Rule { id: RuleId::NodeNotReady, evaluate: node_not_ready::evaluate },
    Rule { id: RuleId::PodStuckTerminating, evaluate: pod_stuck_terminating::evaluate },
    Rule { id: RuleId::VolumeOnUnreadyNode, evaluate: volume_on_unready_node::evaluate },
];

impl RuleId {
    pub const fn id(self) -> &'static str {
        match self {
            Self::NodeSilent => "node-silent",
            Self::NodeGone => "node-gone",
            Self::NodeNotReady => "node-not-ready",
            Self::PodStuckTerminating => "pod-stuck-terminating",
            Self::VolumeOnUnreadyNode => "volume-on-unready-node",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::NodeSilent => "Node silent",
            Self::NodeGone => "Node gone",
            Self::NodeNotReady => "Node not ready",
            Self::PodStuckTerminating => "Pod stuck terminating",
            Self::VolumeOnUnreadyNode => "Volume on an unready node",
        }
    }

    /// What the rule looks for and why it matters, in one paragraph.
    pub const fn prose(self) -> &'static str {
        match self {
            Self::NodeSilent => node_silent::PROSE,
            Self::NodeGone => node_gone::PROSE,
            Self::NodeNotReady => node_not_ready::PROSE,
            Self::PodStuckTerminating => pod_stuck_terminating::PROSE,
            Self::VolumeOnUnreadyNode => volume_on_unready_node::PROSE,
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
