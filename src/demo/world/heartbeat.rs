//! The kubelets' signs of life: the lease every ten seconds, the node's status every five minutes.
//!
//! Both stop at once when a kubelet falls silent, and come back with it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::Key;
use super::event::Note;
use super::{Controller, Stage, next_beat, node, sooner};

/// A quarter of the lease's duration.
const RENEWAL: i64 = 10;
/// `nodeStatusReportFrequency`: how old the heartbeat in a healthy node's status may be.
const REPORT: i64 = 300;

/// The shortest time that can be told apart; beats are looked for after the last one.
const TICK: SignedDuration = SignedDuration::from_nanos(1);

#[derive(Clone)]
pub(super) struct Heartbeats {
    /// When the first node's beats are in step.
    origin: Timestamp,
    nodes: BTreeMap<String, Beats>,
}

#[derive(Clone, Default)]
struct Beats {
    renewed: Option<Timestamp>,
    reported: Option<Timestamp>,
    boots: u32,
}

impl Heartbeats {
    pub(super) fn new(origin: Timestamp) -> Self {
        Self { origin, nodes: BTreeMap::new() }
    }

    /// Renews the lease and posts the status when their beats come; gives the next.
    fn beat(&mut self, stage: &mut Stage<'_>, node: &Value, position: i64) -> Option<Timestamp> {
        let name = object::name(node);
        let beats = self.nodes.entry(name.to_owned()).or_default();
        // Kubelets are not in step with each other.
        let renewal_origin = self.origin + stage.timers.seconds(3 * position);
        let report_origin = self.origin + stage.timers.seconds(37 * position);
        let renewal = stage.timers.seconds(RENEWAL);
        let report = stage.timers.seconds(REPORT);
        if beats.renewed.is_none_or(|last| next_beat(last + TICK, renewal_origin, renewal) <= stage.now) {
            beats.renewed = Some(stage.now);
            renew(stage, node);
        }
        let is_unknown = object::condition_is(node, "Ready", "Unknown");
        let boots = stage.machines.boots(name);
        let has_booted = boots != std::mem::replace(&mut beats.boots, boots);
        if has_booted {
            let id = node::boot_id(name, boots);
            let message = format!("Node {name} has been rebooted, boot id: {id}");
            stage.change(Resource::Nodes, &object::key(node), |node| {
                node["status"]["nodeInfo"]["bootID"] = json!(id);
            });
            stage.say(node, &Note::warning("kubelet", "Rebooted", &message).on(name));
        }
        if is_unknown
            || has_booted
            || beats.reported.is_none_or(|last| next_beat(last + TICK, report_origin, report) <= stage.now)
        {
            beats.reported = Some(stage.now);
            let now = stage.now;
            stage.change(Resource::Nodes, &object::key(node), |node| {
                node::post_healthy(node, now);
            });
            if is_unknown {
                let message = format!("Node {name} status is now: NodeReady");
                stage.say(node, &Note::normal("kubelet", "NodeReady", &message).on(name));
            }
        }
        sooner(
            Some(next_beat(stage.now + TICK, renewal_origin, renewal)),
            Some(next_beat(stage.now + TICK, report_origin, report)),
        )
    }
}

impl Controller for Heartbeats {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Nodes]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for (node, position) in stage.all(Resource::Nodes).into_iter().zip(0..) {
            if stage.machines.speaks(object::name(&node)) {
                due = sooner(due, self.beat(stage, &node, position));
            }
        }
        due
    }
}

fn renew(stage: &mut Stage<'_>, node: &Value) {
    let name = object::name(node);
    let key = Key::new("kube-node-lease", name);
    let renewed = object::micro_time(stage.now);
    if stage.store.get(Resource::Leases, &key).is_some() {
        stage.change(Resource::Leases, &key, |lease| {
            lease["spec"]["renewTime"] = json!(renewed);
        });
        return;
    }
    let mut owner = object::owner_reference(node);
    object::merge(&mut owner, &json!({ "controller": null, "blockOwnerDeletion": null }));
    stage.put(
        Resource::Leases,
        json!({
            "metadata": { "namespace": "kube-node-lease", "name": name, "ownerReferences": [owner] },
            "spec": {
                "holderIdentity": name,
                "leaseDurationSeconds": stage.timers.whole_seconds(40),
                "renewTime": renewed,
            },
        }),
    );
}
