//! A daemon set, and where its rollout stands.
//!
//! A silent node does not keep it waiting for long: its taint takes the node out of what is desired, and the pod there
//! is counted as one that should not be there.

use super::{Condition, Counts, Image, Meta, Rollout, Selector, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonSet {
    pub meta: Meta,
    pub selector: Selector,
    /// `RollingUpdate` or `OnDelete`.
    pub strategy: Text,
    pub images: Box<[Image]>,
    pub generation: i64,
    pub observed_generation: i64,
    /// Nodes that should have a pod of it.
    pub desired: u32,
    /// Nodes that should have one and do.
    pub scheduled: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    /// Pods on nodes that should not have one.
    pub misscheduled: u32,
    pub conditions: Box<[Condition]>,
}

impl DaemonSet {
    pub const fn counts(&self) -> Counts {
        Counts {
            desired: self.desired,
            updated: Some(self.updated),
            ready: self.ready,
            available: Some(self.available),
        }
    }

    /// Whether a new template reaches pods only when somebody deletes them: kubectl refuses to judge it then.
    pub fn is_on_delete(&self) -> bool {
        self.strategy == "OnDelete"
    }

    pub fn rollout(&self) -> Rollout {
        if self.generation > self.observed_generation {
            Rollout::Unobserved
        } else if self.updated < self.desired && !self.is_on_delete() {
            Rollout::Updating { updated: self.updated, of: self.desired }
        } else if self.available < self.desired {
            Rollout::Waiting { available: self.available, of: self.desired }
        } else {
            Rollout::Complete
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_stands_where_kubectl_says() {
        let done = DaemonSet {
            generation: 1,
            observed_generation: 1,
            desired: 5,
            updated: 5,
            ready: 5,
            available: 5,
            ..DaemonSet::default()
        };
        assert_eq!(done.rollout(), Rollout::Complete);
        let waiting = DaemonSet { available: 4, ..done };
        assert_eq!(waiting.rollout(), Rollout::Waiting { available: 4, of: 5 });
        let updating = DaemonSet { updated: 2, ..waiting };
        assert_eq!(updating.rollout(), Rollout::Updating { updated: 2, of: 5 });
        let on_delete = DaemonSet { strategy: "OnDelete".into(), ..updating.clone() };
        assert_eq!(on_delete.rollout(), Rollout::Waiting { available: 4, of: 5 });
        assert_eq!(DaemonSet { generation: 2, ..updating }.rollout(), Rollout::Unobserved);
    }
}
