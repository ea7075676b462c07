//! The taint eviction controller: deletes pods that have stayed under a node's `NoExecute` taints for as long as
//! they may.
//!
//! A plain delete with the pod's own grace: no eviction request, so disruption budgets do not matter.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::event::Note;
use super::toleration::{Stay, stay};
use super::{Controller, Stage, sooner};

const COMPONENT: &str = "taint-eviction-controller";

#[derive(Clone, Default)]
pub(super) struct TaintEviction {
    /// When pods are due, by uid. The time runs from when the controller first saw pod and taint together.
    due: BTreeMap<String, Timestamp>,
}

impl Controller for TaintEviction {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Nodes, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let nodes: BTreeMap<String, Vec<Value>> = stage
            .store
            .list(Resource::Nodes)
            .map(|node| (object::name(node).to_owned(), object::items(node, "/spec/taints").to_vec()))
            .collect();
        let mut next = None;
        for pod in stage.all(Resource::Pods) {
            let uid = object::uid(&pod);
            let taints = nodes.get(object::text(&pod, "/spec/nodeName")).map_or(&[][..], Vec::as_slice);
            if object::is_deleting(&pod) {
                self.due.remove(uid);
                continue;
            }
            let name = format!("{}/{}", object::namespace(&pod), object::name(&pod));
            match stay(&pod, taints) {
                None | Some(Stay::Forever) => {
                    if self.due.remove(uid).is_some() {
                        let message = format!("Cancelling deletion of Pod {name}");
                        stage.say(&pod, &Note::normal(COMPONENT, "TaintManagerEviction", &message));
                    }
                }
                Some(Stay::Seconds(seconds)) => {
                    // A timer that runs is not restarted by a taint that takes another's place; one that is not
                    // tolerated at all ends it.
                    let wanted = stage.now + SignedDuration::from_secs(seconds);
                    let known = self.due.get(uid).copied().filter(|_| seconds > 0);
                    let due = known.unwrap_or(wanted);
                    self.due.insert(uid.to_owned(), due);
                    if due > stage.now {
                        next = sooner(next, Some(due));
                    } else {
                        self.due.remove(uid);
                        evict(stage, &pod, &name);
                    }
                }
            }
        }
        next
    }
}

fn evict(stage: &mut Stage<'_>, pod: &Value, name: &str) {
    let (now, key) = (stage.now, object::key(pod));
    stage.say(
        pod,
        &Note::normal(COMPONENT, "TaintManagerEviction", &format!("Marking for deletion Pod {name}")),
    );
    stage.change(Resource::Pods, &key, |pod| {
        let fields = json!({
            "status": "True",
            "lastProbeTime": null,
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        });
        object::set_condition(pod, "DisruptionTarget", &fields, now);
    });
    deletion::delete(stage.store, Resource::Pods, &key, None, now);
}
