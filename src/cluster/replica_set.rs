//! A replica set: a template's pods. One that a deployment owns is a step of that deployment's rollout.

use super::{Condition, Counts, Image, Meta, Rollout, Selector};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaSet {
    pub meta: Meta,
    pub selector: Selector,
    /// Wanted; the other counts are the controller's.
    pub replicas: u32,
    pub images: Box<[Image]>,
    pub generation: i64,
    pub observed_generation: i64,
    pub current: u32,
    pub ready: u32,
    pub available: u32,
    pub conditions: Box<[Condition]>,
    /// Of its deployment's history; the highest is what is wanted.
    pub revision: Option<i64>,
}

impl ReplicaSet {
    pub const fn counts(&self) -> Counts {
        Counts { desired: self.replicas, updated: None, ready: self.ready, available: Some(self.available) }
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == *kind)
    }

    /// Kubectl has no word on it: it has one template, so it only has too many, too few, or waits.
    pub const fn rollout(&self) -> Rollout {
        if self.generation > self.observed_generation {
            Rollout::Unobserved
        } else if self.current > self.replicas {
            Rollout::Ending { old: self.current - self.replicas }
        } else if self.available < self.replicas {
            Rollout::Waiting { available: self.available, of: self.replicas }
        } else {
            Rollout::Complete
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_until_all_are_available() {
        let waiting = ReplicaSet { replicas: 2, current: 2, ready: 2, available: 1, ..ReplicaSet::default() };
        assert_eq!(waiting.rollout(), Rollout::Waiting { available: 1, of: 2 });
        assert_eq!(ReplicaSet { replicas: 1, ..waiting.clone() }.rollout(), Rollout::Ending { old: 1 });
        assert_eq!(ReplicaSet { available: 2, ..waiting }.rollout(), Rollout::Complete);
    }
}
