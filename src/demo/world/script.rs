//! What happens to the cluster from outside: machines that fail, operators that act.
//!
//! A scenario is a list of moments and acts and nothing more; all consequences are the controllers'.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::super::resource::Resource;
use super::super::store::Key;
use super::super::{Scenario, deletion};
use super::{Timers, World};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// A kubelet stops: its node falls silent, whatever runs there goes on or not.
    StopKubelet { node: String },
    /// It starts again on the same boot of the machine.
    #[cfg(test)]
    StartKubelet { node: String },
    /// `kubectl delete pod --force --grace-period=0`.
    ForceDelete { namespace: String, pod: String },
}

#[derive(Debug, Default)]
pub(super) struct Script {
    acts: VecDeque<(Timestamp, Act)>,
}

impl Script {
    /// A scenario's acts; the failure is its zero.
    pub(super) fn of(scenario: Scenario, failure: Timestamp, timers: Timers) -> Self {
        let acts = match scenario {
            Scenario::Healthy => Vec::new(),
            Scenario::DeadNode => vec![
                (0, Act::StopKubelet { node: "worker-2".to_owned() }),
                (8 * 60, Act::ForceDelete { namespace: "data".to_owned(), pod: "postgres-1".to_owned() }),
            ],
        };
        Self {
            acts: acts.into_iter().map(|(seconds, act)| (failure + timers.seconds(seconds), act)).collect(),
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.acts.front().map(|(at, _)| *at)
    }

    /// Takes the acts whose time has come.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Act> {
        let due = self.acts.partition_point(|(at, _)| *at <= now);
        self.acts.drain(..due).map(|(_, act)| act).collect()
    }
}

impl World {
    pub(super) fn perform(&mut self, act: &Act) {
        // What happens to machines is in no resource: everybody has to look.
        self.controllers.iter_mut().for_each(|running| running.seen = None);
        match act {
            Act::StopKubelet { node } => {
                self.silent.insert(node.clone());
            }
            #[cfg(test)]
            Act::StartKubelet { node } => {
                self.silent.remove(node);
            }
            Act::ForceDelete { namespace, pod } => {
                deletion::delete(
                    &mut self.store,
                    Resource::Pods,
                    &Key::new(namespace, pod),
                    Some(0),
                    self.now,
                );
            }
        }
    }
}
