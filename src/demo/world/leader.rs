//! The leader leases of the controller-manager and the scheduler: how they show that somebody leads.
//!
//! They say nothing of whether the others act: here everybody always does.

use jiff::Timestamp;
use serde_json::json;

use super::super::object;
use super::super::resource::Resource;
use super::super::store::Key;
use super::{Controller, Stage, next_beat};

/// `leaderElection.retryPeriod`: between two renewals.
const RENEWAL: i64 = 2;
const DURATION: i64 = 15;
const NAMES: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];

#[derive(Clone)]
pub(super) struct Leaders {
    origin: Timestamp,
    since: Option<Timestamp>,
}

impl Leaders {
    pub(super) const fn new(origin: Timestamp) -> Self {
        Self { origin, since: None }
    }
}

impl Controller for Leaders {
    fn watches(&self) -> &'static [Resource] {
        &[]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let since = *self.since.get_or_insert(stage.now);
        let renewed = object::micro_time(stage.now);
        for name in NAMES {
            let key = Key::new("kube-system", name);
            if stage.store.get(Resource::Leases, &key).is_some() {
                stage.change(Resource::Leases, &key, |lease| lease["spec"]["renewTime"] = json!(renewed));
                continue;
            }
            stage.put(
                Resource::Leases,
                json!({
                    "metadata": { "namespace": "kube-system", "name": name },
                    "spec": {
                        "acquireTime": object::micro_time(since),
                        "holderIdentity": format!("control-plane-0_{}", "5b0e7b9c-6f6e-4f0e-9a39-8d1c5c1f0b7a"),
                        "leaseDurationSeconds": stage.timers.whole_seconds(DURATION),
                        "leaseTransitions": 0,
                        "renewTime": renewed,
                    },
                }),
            );
        }
        let period = stage.timers.seconds(RENEWAL);
        let next = next_beat(stage.now, self.origin, period);
        Some(if next > stage.now { next } else { stage.now + period })
    }
}
