//! The node lifecycle controller: judges nodes by their heartbeats, taints them, and marks their pods.
//!
//! It measures silence by when it saw a heartbeat move, never by what the heartbeat says, and throttles the eviction
//! taint per zone. The modes for failing zones are not played.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::{Controller, Stage, next_beat, sooner};

/// `--node-monitor-grace-period`, from 1.32 on.
const GRACE: i64 = 50;
/// `--node-monitor-period`.
const PERIOD: i64 = 5;
/// The inverse of `--node-eviction-rate`: between two nodes of a zone.
const EVICTION_PAUSE: i64 = 10;

const COMPONENT: &str = "node-controller";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// Taints that follow the state of the node: condition, the status that brings the taint, the taint.
const BY_CONDITION: [(&str, &str, &str); 6] = [
    ("Ready", "Unknown", UNREACHABLE),
    ("Ready", "False", NOT_READY),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
];
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

pub(super) struct NodeLifecycle {
    /// When the loop that looks at all nodes is in step.
    origin: Timestamp,
    nodes: BTreeMap<String, Seen>,
    /// When the next node of a zone may get its eviction taint.
    zones: BTreeMap<String, Timestamp>,
}

struct Seen {
    /// What of the heartbeat moves.
    heartbeat: String,
    /// When it was seen to move.
    at: Timestamp,
    was_ready: bool,
}

impl NodeLifecycle {
    pub(super) fn new(origin: Timestamp) -> Self {
        Self { origin, nodes: BTreeMap::new(), zones: BTreeMap::new() }
    }

    /// Judges a node; gives when it will be overdue.
    fn judge(&mut self, stage: &mut Stage<'_>, node: &Value) -> Option<Timestamp> {
        let name = object::name(node);
        let lease = stage.get(Resource::Leases, "kube-node-lease", name);
        let renewed = lease.as_deref().map_or("", |lease| object::text(lease, "/spec/renewTime"));
        let posted = object::condition(node, "Ready")
            .map_or("", |condition| object::text(condition, "/lastHeartbeatTime"));
        let heartbeat = format!("{renewed} {posted}");
        let period = stage.timers.seconds(PERIOD);
        let looks_at = next_beat(stage.now, self.origin, period);
        let is_ready = object::condition_is(node, "Ready", "True");
        let seen = self.nodes.entry(name.to_owned()).or_insert_with(|| Seen {
            heartbeat: heartbeat.clone(),
            at: looks_at,
            was_ready: is_ready,
        });
        if seen.heartbeat != heartbeat {
            seen.heartbeat = heartbeat;
            seen.at = looks_at;
        }
        let overdue = seen.at + stage.timers.seconds(GRACE);
        let is_overdue = overdue <= stage.now;
        let is_known = !object::condition_is(node, "Ready", "Unknown");
        let falls_silent = is_overdue && is_known;
        let turns_bad = seen.was_ready && (falls_silent || !is_ready);
        seen.was_ready = is_ready && !falls_silent;
        if falls_silent {
            declare_unknown(stage, node);
        }
        if turns_bad {
            let message = format!("Node {name} status is now: NodeNotReady");
            stage.say(node, &Note::normal(COMPONENT, "NodeNotReady", &message));
            mark_pods(stage, name);
        }
        (is_known && !is_overdue).then_some(overdue)
    }

    /// Brings the taints in line with the state; gives when a waiting one may be set.
    fn taint(&mut self, stage: &mut Stage<'_>, node: &Value) -> Option<Timestamp> {
        let present = object::items(node, "/spec/taints");
        let mut taints: Vec<Value> = present.iter().filter(|taint| !is_managed(taint)).cloned().collect();
        let now = object::time(stage.now);
        let keep_or_add = |key: &str, effect: &str| {
            let known = present.iter().find(|taint| taint["key"] == key && taint["effect"] == effect);
            known.cloned().unwrap_or_else(|| json!({ "key": key, "effect": effect, "timeAdded": now }))
        };
        if node["spec"]["unschedulable"] == true {
            taints.push(keep_or_add(UNSCHEDULABLE, "NoSchedule"));
        }
        let wanted = BY_CONDITION.iter().filter(|(kind, status, _)| object::condition_is(node, kind, status));
        taints.extend(wanted.map(|(_, _, key)| keep_or_add(key, "NoSchedule")));

        let mut due = None;
        if let Some(evicting) = eviction_taint(node) {
            let has_one = present.iter().any(|taint| taint["effect"] == "NoExecute" && is_managed(taint));
            let free_at = self.zones.get(&zone(node)).copied().filter(|free_at| *free_at > stage.now);
            match free_at {
                Some(free_at) if !has_one => due = Some(free_at),
                _ => taints.push(keep_or_add(evicting, "NoExecute")),
            }
            if !has_one && due.is_none() {
                self.zones.insert(zone(node), stage.now + stage.timers.seconds(EVICTION_PAUSE));
            }
        }
        if taints != present {
            stage.change(Resource::Nodes, &object::key(node), |node| {
                node["spec"]["taints"] = if taints.is_empty() { Value::Null } else { json!(taints) };
                if let (true, Value::Object(spec)) = (taints.is_empty(), &mut node["spec"]) {
                    spec.remove("taints");
                }
            });
        }
        due
    }
}

impl Controller for NodeLifecycle {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Nodes, Resource::Leases]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for node in stage.all(Resource::Nodes) {
            due = sooner(due, self.judge(stage, &node));
            if let Some(node) = stage.get(Resource::Nodes, "", object::name(&node)) {
                due = sooner(due, self.taint(stage, &node));
            }
        }
        due
    }
}

fn declare_unknown(stage: &mut Stage<'_>, node: &Value) {
    let now = stage.now;
    stage.change(Resource::Nodes, &object::key(node), |node| {
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            let fields = json!({
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
            });
            object::set_condition(node, kind, &fields, now);
        }
    });
}

/// The pods of a node that is not ready are not ready either. Their containers' states stay what they were: nobody
/// is there to say otherwise.
fn mark_pods(stage: &mut Stage<'_>, node: &str) {
    for pod in stage.pods_on(node) {
        if object::condition_is(&pod, "Ready", "True") {
            let now = stage.now;
            stage.change(Resource::Pods, &object::key(&pod), |pod| {
                object::set_condition(pod, "Ready", &json!({ "status": "False" }), now);
            });
            stage.say(&pod, &Note::warning(COMPONENT, "NodeNotReady", "Node is not ready"));
        }
    }
}

fn eviction_taint(node: &Value) -> Option<&'static str> {
    let states = BY_CONDITION.iter().take(2);
    states.filter(|(kind, status, _)| object::condition_is(node, kind, status)).map(|(_, _, key)| *key).next()
}

fn is_managed(taint: &Value) -> bool {
    let key = object::text(taint, "/key");
    match object::text(taint, "/effect") {
        "NoSchedule" => key == UNSCHEDULABLE || BY_CONDITION.iter().any(|(_, _, known)| *known == key),
        "NoExecute" => key == UNREACHABLE || key == NOT_READY,
        _ => false,
    }
}

fn zone(node: &Value) -> String {
    object::text(node, "/metadata/labels/topology.kubernetes.io~1zone").to_owned()
}
