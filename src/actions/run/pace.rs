//! How fast a run may send: budgets that were found spent, a server that is busy, and how long a node's pods have.
//!
//! A budget that refused one pod is not asked for another before it may have changed: a thousand pods behind one
//! budget cost a try each time, and not a thousand.

use super::progress::later;
use crate::cluster::{Cluster, Name, Pod, PodDisruptionBudget, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Tries that are due at one time are spread over this.
const SPREAD: i64 = 1000;

#[derive(Debug, Default)]
pub struct Pace {
    /// The server has too much to do until then.
    busy_until: Option<Timestamp>,
    closed: BTreeMap<Name, Closed>,
    /// When the first pod of a node was begun with.
    begun: BTreeMap<Name, Timestamp>,
}

/// A budget that refused.
#[derive(Clone, Debug)]
pub struct Closed {
    pub again: Timestamp,
    /// Of the budget, when it refused.
    version: Option<Text>,
    pub reason: Text,
}

impl Pace {
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.busy_until.is_some_and(|until| now < until)
    }

    pub fn be_busy(&mut self, until: Timestamp) {
        self.busy_until = self.busy_until.max(Some(until));
    }

    pub fn close(&mut self, budget: Name, again: Timestamp, reason: Text) {
        self.closed.insert(budget, Closed { again, version: None, reason });
    }

    /// Forgets the refusals that may not hold any more, and learns which version of a budget it was that refused.
    pub fn reopen(&mut self, cluster: &Cluster, now: Timestamp) {
        self.closed.retain(|name, closed| {
            let Some(budget) = cluster.pod_disruption_budgets.get(name) else { return now < closed.again };
            let version = closed.version.get_or_insert_with(|| budget.meta.resource_version.clone());
            // The same version that refused may seem to allow: the server knows better.
            let has_opened = *version != budget.meta.resource_version && allows(budget);
            now < closed.again && !has_opened
        });
    }

    pub fn is_closed(&self, budget: &Name) -> bool {
        self.closed.contains_key(budget)
    }

    /// A budget over the pod that is known to refuse now, with its name.
    pub fn refusing<'a>(&'a self, pod: &Pod, cluster: &'a Cluster) -> Option<(&'a Name, &'a Closed)> {
        if self.closed.is_empty() {
            return None;
        }
        cluster.budgets_covering(pod).find_map(|budget| self.closed.get_key_value(&budget.meta.name))
    }

    /// When a node's pods were begun with; from now on, where they were not.
    pub fn begin(&mut self, node: &Name, now: Timestamp) {
        self.begun.entry(node.clone()).or_insert(now);
    }

    pub fn begun(&self, node: &Name) -> Option<Timestamp> {
        self.begun.get(node).copied()
    }
}

const fn allows(budget: &PodDisruptionBudget) -> bool {
    budget.is_observed() && budget.disruptions_allowed > 0
}

/// When a step is tried again that is not to be tried before then, and not in the same moment as all others.
pub fn spread(step: usize, now: Timestamp, pause: SignedDuration) -> Timestamp {
    let by = i64::try_from(step).unwrap_or_default().wrapping_mul(137).rem_euclid(SPREAD);
    later(later(now, pause), SignedDuration::from_millis(by))
}
