//! A deployment, and where its rollout stands.

use super::rollout::find;
use super::{Condition, Counts, Image, Meta, Rollout, Selector, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub meta: Meta,
    pub selector: Selector,
    /// Wanted; the other counts are the controller's.
    pub replicas: u32,
    pub is_paused: bool,
    pub strategy: Text,
    pub images: Box<[Image]>,
    pub generation: i64,
    pub observed_generation: i64,
    /// Of all templates together.
    pub current: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    pub conditions: Box<[Condition]>,
    /// So many seconds may go by without progress before its rollout counts as stuck.
    pub progress_deadline: Option<u32>,
    /// When its controller last saw progress.
    pub progressed: Option<Timestamp>,
}

impl Deployment {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        find(&self.conditions, kind)
    }

    pub const fn counts(&self) -> Counts {
        Counts {
            desired: self.replicas,
            updated: Some(self.updated),
            ready: self.ready,
            available: Some(self.available),
        }
    }

    /// When its rollout counts as stuck, unless there is progress before; nothing where nothing counts towards that.
    pub fn stuck_at(&self) -> Option<Timestamp> {
        let progressing = self.condition("Progressing")?;
        let is_going = !self.is_paused
            && !self.rollout().is_complete()
            && self.generation <= self.observed_generation
            // Of the rollout before.
            && progressing.reason != "NewReplicaSetAvailable"
            && progressing.reason != "ProgressDeadlineExceeded";
        let deadline = SignedDuration::from_secs(self.progress_deadline.filter(|_| is_going)?.into());
        self.progressed?.checked_add(deadline).ok()
    }

    pub fn rollout(&self) -> Rollout {
        if self.generation > self.observed_generation {
            return Rollout::Unobserved;
        }
        let progressing = self.condition("Progressing");
        if let Some(late) = progressing.filter(|condition| condition.reason == "ProgressDeadlineExceeded") {
            return Rollout::DeadlineExceeded { since: late.changed };
        }
        if self.updated < self.replicas {
            return Rollout::Updating { updated: self.updated, of: self.replicas };
        }
        if self.current > self.updated {
            return Rollout::Ending { old: self.current - self.updated };
        }
        if self.available < self.updated {
            return Rollout::Waiting { available: self.available, of: self.updated };
        }
        Rollout::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Status;
    use crate::cluster::sample::{at, condition};

    #[test]
    fn a_rollout_stands_where_kubectl_says() {
        let done = Deployment {
            replicas: 3,
            generation: 4,
            observed_generation: 4,
            current: 3,
            updated: 3,
            ready: 3,
            available: 3,
            ..Deployment::default()
        };
        assert_eq!(done.rollout(), Rollout::Complete);
        let waiting = Deployment { available: 2, ..done.clone() };
        assert_eq!(waiting.rollout(), Rollout::Waiting { available: 2, of: 3 });
        let ending = Deployment { current: 4, ..waiting };
        assert_eq!(ending.rollout(), Rollout::Ending { old: 1 });
        let updating = Deployment { updated: 2, ..ending };
        assert_eq!(updating.rollout(), Rollout::Updating { updated: 2, of: 3 });
        let late = condition("Progressing", Status::False, "ProgressDeadlineExceeded", 7);
        let late = Deployment { conditions: [late].into(), ..updating };
        assert_eq!(late.rollout(), Rollout::DeadlineExceeded { since: Some(at(7)) });
        // Whatever the status says, it is of an older spec.
        assert_eq!(Deployment { generation: 5, ..late }.rollout(), Rollout::Unobserved);
    }

    #[test]
    fn what_makes_no_progress_is_stuck_when_its_deadline_is_over() {
        let told = |reason| [condition("Progressing", Status::True, reason, 0)].into();
        let going = Deployment {
            replicas: 3,
            conditions: told("ReplicaSetUpdated"),
            progress_deadline: Some(600),
            progressed: Some(at(30)),
            ..Deployment::default()
        };
        assert_eq!(going.stuck_at(), Some(at(630)));
        for not_going in [
            Deployment { is_paused: true, ..going.clone() },
            Deployment { conditions: told("NewReplicaSetAvailable"), ..going.clone() },
            Deployment { generation: 1, ..going.clone() },
            Deployment { replicas: 0, ..going.clone() },
            Deployment { progress_deadline: None, ..going },
        ] {
            assert_eq!(not_going.stuck_at(), None, "{not_going:?}");
        }
    }

    #[test]
    fn one_that_is_scaled_to_nothing_is_complete() {
        assert_eq!(Deployment::default().rollout(), Rollout::Complete);
    }
}
