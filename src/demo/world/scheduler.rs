//! The scheduler: gives pods a node, spreading those of one owner.
//!
//! It minds readiness, cordons, taints and where volumes can be reached; resources it does not count.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::toleration::obstacle;
use super::volume::{are_bound, of_pod};
use super::{Controller, Stage};

const COMPONENT: &str = "default-scheduler";

pub(super) struct Scheduler {
    /// Where the first pods of the cast stand: a part of the plot. Each is used once.
    placements: Vec<(&'static str, &'static str)>,
}

impl Scheduler {
    pub(super) fn new(placements: Vec<(&'static str, &'static str)>) -> Self {
        Self { placements }
    }

    /// The node for a pod; or why there is none.
    fn place(&mut self, stage: &Stage<'_>, pod: &Value) -> Result<String, String> {
        let nodes = stage.all(Resource::Nodes);
        let mut refusals: Vec<String> = Vec::new();
        let mut fitting = Vec::new();
        for node in &nodes {
            match objection(stage, pod, node) {
                None => fitting.push(node),
                Some(objection) => refusals.push(objection),
            }
        }
        let planned = self
            .placements
            .iter()
            .position(|(prefix, node)| {
                object::name(pod).starts_with(prefix) && fitting.iter().any(|fit| object::name(fit) == *node)
            })
            .map(|position| self.placements.remove(position).1.to_owned());
        if let Some(planned) = planned {
            return Ok(planned);
        }
        let owner = object::controller(pod).map(|owner| owner["uid"].clone());
        let best = fitting.iter().min_by_key(|node| {
            let pods = stage.pods_on(object::name(node));
            let siblings = pods
                .iter()
                .filter(|other| {
                    owner.is_some() && object::controller(other).map(|other| other["uid"].clone()) == owner
                })
                .count();
            (siblings, pods.len(), object::name(node).to_owned())
        });
        best.map(|node| object::name(node).to_owned()).ok_or_else(|| explain(nodes.len(), refusals))
    }
}

impl Controller for Scheduler {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Pods, Resource::Nodes, Resource::PersistentVolumes, Resource::PersistentVolumeClaims]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for pod in stage.all(Resource::Pods) {
            let is_waiting = object::text(&pod, "/spec/nodeName").is_empty() && !object::is_deleting(&pod);
            // A claim that is not bound yet will be in a moment, and that will be a change to look at.
            if is_waiting && are_bound(stage.store, &pod) {
                match self.place(stage, &pod) {
                    Ok(node) => bind(stage, &pod, &node),
                    Err(reason) => refuse(stage, &pod, &reason),
                }
            }
        }
        None
    }
}

fn objection(stage: &Stage<'_>, pod: &Value, node: &Value) -> Option<String> {
    if let Some(taint) = obstacle(pod, object::items(node, "/spec/taints")) {
        let (key, value) = (object::text(taint, "/key"), object::text(taint, "/value"));
        return Some(format!("node(s) had untolerated taint(s) {{{key}: {value}}}"));
    }
    if node["spec"]["unschedulable"] == true {
        return Some("node(s) were unschedulable".to_owned());
    }
    if !of_pod(stage.store, pod).iter().all(|volume| is_reachable(volume, node)) {
        return Some("node(s) didn't match PersistentVolume's node affinity".to_owned());
    }
    None
}

/// Whether a volume's node affinity allows a node. Of the operators only `In` is read; nothing else is written here.
fn is_reachable(volume: &Value, node: &Value) -> bool {
    let terms = object::items(volume, "/spec/nodeAffinity/required/nodeSelectorTerms");
    let labels = &node["metadata"]["labels"];
    let holds = |expression: &Value| {
        let label = labels.get(object::text(expression, "/key"));
        label.is_some_and(|label| object::items(expression, "/values").contains(label))
    };
    terms.is_empty() || terms.iter().any(|term| object::items(term, "/matchExpressions").iter().all(holds))
}

fn bind(stage: &mut Stage<'_>, pod: &Value, node: &str) {
    let now = stage.now;
    stage.change(Resource::Pods, &object::key(pod), |pod| {
        pod["spec"]["nodeName"] = json!(node);
        object::set_condition(pod, "PodScheduled", &json!({ "status": "True", "lastProbeTime": null }), now);
    });
    let message = format!("Successfully assigned {}/{} to {node}", object::namespace(pod), object::name(pod));
    stage.say_anew(pod, &Note::normal(COMPONENT, "Scheduled", &message), "Binding");
}

fn refuse(stage: &mut Stage<'_>, pod: &Value, reason: &str) {
    let known = object::condition(pod, "PodScheduled").map_or("", |known| object::text(known, "/message"));
    if known == reason {
        return;
    }
    let now = stage.now;
    stage.change(Resource::Pods, &object::key(pod), |pod| {
        let fields =
            json!({ "status": "False", "lastProbeTime": null, "reason": "Unschedulable", "message": reason });
        object::set_condition(pod, "PodScheduled", &fields, now);
    });
    stage.say_anew(pod, &Note::warning(COMPONENT, "FailedScheduling", reason), "Scheduling");
}

fn explain(count: usize, mut refusals: Vec<String>) -> String {
    refusals.sort();
    let mut reasons: Vec<(usize, String)> = Vec::new();
    for refusal in refusals {
        match reasons.last_mut() {
            Some((times, known)) if *known == refusal => *times += 1,
            _ => reasons.push((1, refusal)),
        }
    }
    let reasons: Vec<String> =
        reasons.into_iter().map(|(times, reason)| format!("{times} {reason}")).collect();
    format!("0/{count} nodes are available: {}.", reasons.join(", "))
}
