//! A job: how far it is, and how many of its retries are spent.

use super::rollout::find;
use super::{Condition, Counts, Image, Meta, Selector, Status, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub meta: Meta,
    pub selector: Selector,
    /// Pods at once.
    pub parallelism: u32,
    /// Pods that must succeed; `None` where one success ends it.
    pub completions: Option<u32>,
    /// Pods that may fail before it is given up.
    pub backoff_limit: u32,
    pub is_suspended: bool,
    pub images: Box<[Image]>,
    pub active: u32,
    pub ready: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub conditions: Box<[Condition]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Given up, or about to be: its pods are being ended.
    Failed {
        reason: Text,
        since: Option<Timestamp>,
    },
    Suspended,
    /// Created, and no pod yet.
    Waiting,
    Running,
    Complete,
}

impl Job {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        find(&self.conditions, kind)
    }

    fn holds(&self, kind: &str) -> Option<&Condition> {
        self.condition(kind).filter(|condition| condition.status == Status::True)
    }

    /// Pods that must succeed.
    pub fn wanted(&self) -> u32 {
        self.completions.unwrap_or(1)
    }

    pub fn counts(&self) -> Counts {
        Counts { desired: self.wanted(), updated: None, ready: self.ready, available: None }
    }

    pub fn state(&self) -> JobState {
        if let Some(failed) = self.holds("Failed").or_else(|| self.holds("FailureTarget")) {
            return JobState::Failed { reason: failed.reason.clone(), since: failed.changed };
        }
        if self.holds("Complete").or_else(|| self.holds("SuccessCriteriaMet")).is_some() {
            JobState::Complete
        } else if self.is_suspended {
            JobState::Suspended
        } else if self.active + self.succeeded + self.failed == 0 {
            JobState::Waiting
        } else {
            JobState::Running
        }
    }

    pub fn is_over(&self) -> bool {
        match self.state() {
            JobState::Failed { .. } | JobState::Complete => true,
            JobState::Suspended | JobState::Waiting | JobState::Running => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::{at, condition};

    #[test]
    fn conditions_say_how_it_ended_and_counts_whether_it_runs() {
        assert_eq!(Job::default().state(), JobState::Waiting);
        let running = Job { active: 1, failed: 2, ..Job::default() };
        assert_eq!(running.state(), JobState::Running);
        assert_eq!(Job { is_suspended: true, ..running.clone() }.state(), JobState::Suspended);
        let told = |kind: &str, status, reason: &str| Job {
            conditions: [condition(kind, status, reason, 9)].into(),
            ..running.clone()
        };
        let failed = JobState::Failed { reason: "BackoffLimitExceeded".into(), since: Some(at(9)) };
        for kind in ["Failed", "FailureTarget"] {
            assert_eq!(told(kind, Status::True, "BackoffLimitExceeded").state(), failed);
        }
        assert_eq!(told("Complete", Status::True, "CompletionsReached").state(), JobState::Complete);
        assert_eq!(told("Failed", Status::False, "").state(), JobState::Running);
        assert!(told("Complete", Status::True, "").is_over() && !running.is_over());
    }
}
