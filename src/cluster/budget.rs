//! A disruption budget: which pods it covers, and whether one of them may be evicted now.

use super::rollout::find;
use super::{Condition, Meta, Pod, Selector, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodDisruptionBudget {
    pub meta: Meta,
    /// `None` covers nothing; an empty one covers the whole namespace.
    pub selector: Option<Selector>,
    /// A number or a percentage, as it is written; empty where it is not set.
    pub min_available: Text,
    pub max_unavailable: Text,
    /// `IfHealthyBudget` or `AlwaysAllow`; empty is the former.
    pub unhealthy_pod_eviction_policy: Text,
    pub generation: i64,
    pub observed_generation: i64,
    pub disruptions_allowed: u32,
    pub current_healthy: u32,
    pub desired_healthy: u32,
    pub expected_pods: u32,
    /// Pods whose eviction was allowed and that are still there.
    pub disrupted: Box<[Text]>,
    pub conditions: Box<[Condition]>,
}

impl PodDisruptionBudget {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        find(&self.conditions, kind)
    }

    pub fn covers(&self, pod: &Pod) -> bool {
        self.meta.name.namespace == pod.meta.name.namespace
            && self.selector.as_ref().is_some_and(|selector| selector.matches(&pod.meta.labels))
    }

    /// Whether the status is of the newest spec; until then the server refuses every eviction.
    pub const fn is_observed(&self) -> bool {
        self.observed_generation >= self.generation
    }

    /// Even with every pod healthy it would allow none to be evicted: a drain waits for ever.
    pub const fn never_allows(&self) -> bool {
        self.is_observed() && self.expected_pods > 0 && self.desired_healthy >= self.expected_pods
    }

    /// Whether pods that are not ready may always be evicted.
    pub fn always_allows_unhealthy(&self) -> bool {
        self.unhealthy_pod_eviction_policy == "AlwaysAllow"
    }

    /// What it asks for, in the words of its spec.
    pub fn demand(&self) -> String {
        match (self.min_available.non_empty(), self.max_unavailable.non_empty()) {
            (Some(min), _) => format!("at least {min} available"),
            (None, Some(max)) => format!("at most {max} unavailable"),
            (None, None) => "nothing".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::pod;
    use crate::cluster::{Labels, Name};

    #[test]
    fn no_selector_covers_nothing_and_an_empty_one_its_namespace() {
        let mut budget = PodDisruptionBudget::default();
        budget.meta.name = Name::new("db", "postgres");
        assert!(!budget.covers(&pod("db/postgres-0", "worker-1")));
        budget.selector = Some(Selector::default());
        assert!(budget.covers(&pod("db/postgres-0", "worker-1")));
        assert!(!budget.covers(&pod("mq/queue-0", "worker-1")));
        budget.selector = Some(Selector::of(Labels::from([("app".into(), "other".into())])));
        assert!(!budget.covers(&pod("db/postgres-0", "worker-1")));
    }

    #[test]
    fn a_budget_as_large_as_its_pods_never_allows_one_to_go() {
        let one_of_one = PodDisruptionBudget {
            current_healthy: 1,
            desired_healthy: 1,
            expected_pods: 1,
            ..PodDisruptionBudget::default()
        };
        assert!(one_of_one.never_allows());
        assert!(!PodDisruptionBudget { expected_pods: 2, ..one_of_one.clone() }.never_allows());
        assert!(
            !PodDisruptionBudget { expected_pods: 0, desired_healthy: 0, ..one_of_one.clone() }
                .never_allows()
        );
        assert!(!PodDisruptionBudget { generation: 1, ..one_of_one }.never_allows());
    }
}
