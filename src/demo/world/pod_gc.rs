//! The pod garbage collector: removes by force what nobody is left to confirm.
//!
//! Three kinds: pods whose node is gone, pods that are leaving an out-of-service node, and pods that are leaving and
//! were never on a node. The limit of finished pods is never reached here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::pod::is_finished;
use super::{Controller, Stage, next_beat, sooner};

/// `gcCheckPeriod`: it looks every 20 s and at no other time.
const PERIOD: i64 = 20;
/// `quarantineTime`: how long a node has to be missed.
const QUARANTINE: i64 = 40;

pub(super) const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

#[derive(Clone)]
pub(super) struct PodGc {
    origin: Timestamp,
    /// Since when a node of which there are pods has been missed.
    missed: BTreeMap<String, Timestamp>,
}

impl PodGc {
    pub(super) const fn new(origin: Timestamp) -> Self {
        Self { origin, missed: BTreeMap::new() }
    }

    /// Removes a pod if its time has come; gives the next time at which it may have.
    fn judge(&self, stage: &mut Stage<'_>, pod: &Value) -> Option<Timestamp> {
        let name = object::text(pod, "/spec/nodeName");
        if name.is_empty() {
            if object::is_deleting(pod) {
                deletion::delete(stage.store, Resource::Pods, &object::key(pod), Some(0), stage.now);
            }
            return None;
        }
        if has_been_failed(pod) {
            return None;
        }
        let quarantined = self.missed.get(name).map(|since| *since + stage.timers.seconds(QUARANTINE));
        let node = stage.get(Resource::Nodes, "", name);
        let is_out = node.as_deref().is_some_and(|node| {
            let taints = object::items(node, "/spec/taints");
            taints.iter().any(|taint| taint["key"] == OUT_OF_SERVICE)
                && !object::condition_is(node, "Ready", "True")
        });
        let free_at = match quarantined {
            Some(free_at) => free_at,
            None if is_out && object::is_deleting(pod) => stage.now,
            None => return None,
        };
        let beat = next_beat(free_at, self.origin, stage.timers.seconds(PERIOD));
        if beat > stage.now {
            return Some(beat);
        }
        remove(stage, pod, quarantined.is_some());
        None
    }
}

impl Controller for PodGc {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Pods, Resource::Nodes]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let pods = stage.all(Resource::Pods);
        self.missed.retain(|name, _| stage.get(Resource::Nodes, "", name).is_none());
        for pod in &pods {
            let name = object::text(pod, "/spec/nodeName");
            if !name.is_empty() && stage.get(Resource::Nodes, "", name).is_none() {
                self.missed.entry(name.to_owned()).or_insert_with(|| {
                    // It notices when it looks.
                    next_beat(stage.now, self.origin, stage.timers.seconds(PERIOD))
                });
            }
        }
        pods.iter().fold(None, |due, pod| sooner(due, self.judge(stage, pod)))
    }
}

/// Whether it has done its part and a finalizer holds the pod.
fn has_been_failed(pod: &Value) -> bool {
    is_finished(pod) && object::is_deleting(pod) && pod["metadata"]["deletionGracePeriodSeconds"] == 0
}

fn remove(stage: &mut Stage<'_>, pod: &Value, is_orphan: bool) {
    let (now, key) = (stage.now, object::key(pod));
    stage.change(Resource::Pods, &key, |pod| {
        if is_orphan {
            let fields = json!({
                "status": "True",
                "lastProbeTime": null,
                "reason": "DeletionByPodGC",
                "message": "PodGC: node no longer exists",
            });
            object::set_condition(pod, "DisruptionTarget", &fields, now);
        }
        if !is_finished(pod) {
            pod["status"]["phase"] = json!("Failed");
        }
    });
    deletion::delete(stage.store, Resource::Pods, &key, Some(0), now);
}
