//! A stateful set, and where its rollout stands.

use super::{Condition, Counts, Image, Meta, Rollout, Selector, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatefulSet {
    pub meta: Meta,
    pub selector: Selector,
    /// Wanted; the other counts are the controller's.
    pub replicas: u32,
    /// The headless service that names its pods.
    pub service: Text,
    /// `OrderedReady` or `Parallel`.
    pub pod_management: Text,
    /// `RollingUpdate` or `OnDelete`.
    pub strategy: Text,
    /// Pods with a lower number keep the old template.
    pub partition: Option<u32>,
    pub images: Box<[Image]>,
    pub generation: i64,
    pub observed_generation: i64,
    pub current: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    pub current_revision: Text,
    pub update_revision: Text,
    pub conditions: Box<[Condition]>,
}

impl StatefulSet {
    pub const fn counts(&self) -> Counts {
        Counts {
            desired: self.replicas,
            updated: Some(self.updated),
            ready: self.ready,
            available: Some(self.available),
        }
    }

    /// Whether a new template reaches pods only when somebody deletes them: kubectl refuses to judge it then.
    pub fn is_on_delete(&self) -> bool {
        self.strategy == "OnDelete"
    }

    /// A new pod is made only when the one of its number is proved gone.
    pub fn rollout(&self) -> Rollout {
        if self.observed_generation == 0 || self.generation > self.observed_generation {
            return Rollout::Unobserved;
        }
        if self.ready < self.replicas {
            return Rollout::Unready { ready: self.ready, of: self.replicas };
        }
        if self.is_on_delete() {
            return Rollout::Complete;
        }
        // The API fills the partition in, so this is the rule that is reached in life.
        if let Some(partition) = self.partition {
            let of = self.replicas.saturating_sub(partition);
            return if self.updated < of {
                Rollout::Updating { updated: self.updated, of }
            } else {
                Rollout::Complete
            };
        }
        if self.update_revision == self.current_revision {
            Rollout::Complete
        } else {
            Rollout::Updating { updated: self.updated, of: self.replicas }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done() -> StatefulSet {
        StatefulSet {
            replicas: 3,
            strategy: "RollingUpdate".into(),
            partition: Some(0),
            generation: 2,
            observed_generation: 2,
            updated: 3,
            ready: 3,
            available: 3,
            current_revision: "db-1".into(),
            update_revision: "db-1".into(),
            ..StatefulSet::default()
        }
    }

    #[test]
    fn a_rollout_stands_where_kubectl_says() {
        assert_eq!(done().rollout(), Rollout::Complete);
        let updating = StatefulSet { updated: 1, update_revision: "db-2".into(), ..done() };
        assert_eq!(updating.rollout(), Rollout::Updating { updated: 1, of: 3 });
        let waiting = StatefulSet { ready: 2, ..updating.clone() };
        assert_eq!(waiting.rollout(), Rollout::Unready { ready: 2, of: 3 });
        for (generation, observed_generation) in [(3, 2), (0, 0)] {
            let unobserved = StatefulSet { generation, observed_generation, ..waiting.clone() };
            assert_eq!(unobserved.rollout(), Rollout::Unobserved);
        }
        let without_partition = StatefulSet { partition: None, ..updating };
        assert_eq!(without_partition.rollout(), Rollout::Updating { updated: 1, of: 3 });
    }

    #[test]
    fn a_partition_keeps_the_lower_numbers_out_of_it() {
        let canary = StatefulSet { updated: 1, update_revision: "db-2".into(), partition: Some(2), ..done() };
        assert_eq!(canary.rollout(), Rollout::Complete);
        let beyond = StatefulSet { updated: 0, partition: Some(7), ..canary };
        assert_eq!(beyond.rollout(), Rollout::Complete);
    }

    #[test]
    fn on_delete_nothing_rolls_out_by_itself() {
        let old = StatefulSet { strategy: "OnDelete".into(), updated: 0, partition: None, ..done() };
        assert_eq!(old.rollout(), Rollout::Complete);
    }
}
