//! The node lifecycle controller: judges nodes by their heartbeats, taints them, and marks their pods.
//!
//! It measures silence by when it saw a heartbeat move, never by what the heartbeat says, and throttles the eviction
//! taint per zone: slower or not at all where most of a zone fails, and nowhere when every zone is dark, for then it is
//! likelier that it is blind than that all are dead.

use std::collections::BTreeMap;
use std::sync::Arc;

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
/// The inverse of `--secondary-node-eviction-rate`: the same where most of a large zone fails.
const SECONDARY_PAUSE: i64 = 100;

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

#[derive(Clone)]
pub(super) struct NodeLifecycle {
    /// When the loop that looks at all nodes is in step.
    origin: Timestamp,
    nodes: BTreeMap<String, Seen>,
    /// When the next node of a zone may get its eviction taint.
    zones: BTreeMap<String, Timestamp>,
    /// Whether every zone is dark, so that nobody is evicted.
    is_halted: bool,
}

/// How much of a zone fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disruption {
    None,
    /// Most of a zone of so many nodes.
    Partial(usize),
    /// All of it.
    Full,
}

impl Disruption {
    /// `--unhealthy-zone-threshold`, in percent.
    const THRESHOLD: usize = 55;
    /// `--large-cluster-size-threshold`.
    const LARGE: usize = 50;

    const fn of(ready: usize, others: usize) -> Self {
        if ready == 0 && others > 0 {
            Self::Full
        } else if others > 2 && others * 100 >= Self::THRESHOLD * (ready + others) {
            Self::Partial(ready + others)
        } else {
            Self::None
        }
    }

    /// Between two nodes that get the eviction taint; `None` if none gets it.
    const fn pause(self) -> Option<i64> {
        match self {
            Self::None | Self::Full => Some(EVICTION_PAUSE),
            Self::Partial(size) if size > Self::LARGE => Some(SECONDARY_PAUSE),
            Self::Partial(_) => None,
        }
    }
}

#[derive(Clone)]
struct Seen {
    /// What of the heartbeat moves.
    heartbeat: String,
    /// When it was seen to move.
    at: Timestamp,
    was_ready: bool,
    uid: String,
}

impl NodeLifecycle {
    pub(super) fn new(origin: Timestamp) -> Self {
        Self { origin, nodes: BTreeMap::new(), zones: BTreeMap::new(), is_halted: false }
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
        if !self.nodes.contains_key(name) {
            let message = format!("Node {name} event: Registered Node {name} in Controller");
            stage.say(node, &Note::normal(COMPONENT, "RegisteredNode", &message));
        }
        let seen = self.nodes.entry(name.to_owned()).or_insert_with(|| Seen {
            heartbeat: heartbeat.clone(),
            at: looks_at,
            was_ready: is_ready,
            uid: object::uid(node).to_owned(),
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
    fn taint(
        &mut self,
        stage: &mut Stage<'_>,
        node: &Value,
        zone: &str,
        pause: Option<i64>,
    ) -> Option<Timestamp> {
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
        if let Some(evicting) = eviction_taint(node).filter(|_| !self.is_halted) {
            let has_one = present.iter().any(|taint| taint["effect"] == "NoExecute" && is_managed(taint));
            let free_at = self.zones.get(zone).copied().filter(|free_at| *free_at > stage.now);
            match (has_one, pause, free_at) {
                // One that is there already is swapped without waiting.
                (true, ..) => taints.push(keep_or_add(evicting, "NoExecute")),
                (false, Some(_), Some(free_at)) => due = Some(free_at),
                (false, Some(pause), None) => {
                    taints.push(keep_or_add(evicting, "NoExecute"));
                    self.zones.insert(zone.to_owned(), stage.now + stage.timers.seconds(pause));
                }
                (false, None, _) => {}
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
        let nodes = stage.all(Resource::Nodes);
        self.notice_gone(stage, &nodes);
        for node in &nodes {
            due = sooner(due, self.judge(stage, node));
        }
        let zones = disruptions(&stage.all(Resource::Nodes));
        self.halt_or_resume(stage, &zones);
        for node in stage.all(Resource::Nodes) {
            let zone = zone(&node);
            let pause = zones.get(&zone).and_then(|disruption| disruption.pause());
            due = sooner(due, self.taint(stage, &node, &zone, pause));
        }
        due
    }
}

impl NodeLifecycle {
    fn notice_gone(&mut self, stage: &mut Stage<'_>, nodes: &[Arc<Value>]) {
        let gone: Vec<String> = self
            .nodes
            .keys()
            .filter(|name| !nodes.iter().any(|node| object::name(node) == name.as_str()))
            .cloned()
            .collect();
        for name in gone {
            let uid = self.nodes.remove(&name).map(|seen| seen.uid);
            let message = format!("Node {name} event: Removing Node {name} from Controller");
            let node =
                json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "uid": uid } });
            stage.say(&node, &Note::normal(COMPONENT, "RemovingNode", &message));
        }
    }

    /// With every zone dark, nobody is evicted and who was about to be is spared; when one is back, all get their
    /// full grace anew.
    fn halt_or_resume(&mut self, stage: &Stage<'_>, zones: &BTreeMap<String, Disruption>) {
        let are_all_dark =
            !zones.is_empty() && zones.values().all(|disruption| *disruption == Disruption::Full);
        if self.is_halted && !are_all_dark {
            self.nodes.values_mut().for_each(|seen| seen.at = stage.now);
        }
        self.is_halted = are_all_dark;
    }
}

fn disruptions(nodes: &[Arc<Value>]) -> BTreeMap<String, Disruption> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let counted = nodes
        .iter()
        .filter(|node| node["metadata"]["labels"]["node.kubernetes.io/exclude-disruption"].is_null());
    for node in counted {
        let (ready, others) = counts.entry(zone(node)).or_default();
        *(if object::condition_is(node, "Ready", "True") { ready } else { others }) += 1;
    }
    counts.into_iter().map(|(zone, (ready, others))| (zone, Disruption::of(ready, others))).collect()
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
    let label = |name: &str| object::text(&node["metadata"]["labels"], name);
    format!("{}:{}", label("/topology.kubernetes.io~1region"), label("/topology.kubernetes.io~1zone"))
}
