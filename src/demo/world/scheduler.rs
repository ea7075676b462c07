//! The scheduler: gives pods a node, spreading those of one owner.
//!
//! It minds cordons, taints, selectors and required affinity to nodes, what pods request, and where volumes can be
//! reached. Affinity to pods, spread constraints and priorities it does not read.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::event::Note;
use super::pod::is_finished;
use super::rollout::holds;
use super::toleration::obstacle;
use super::volume::{are_bound, of_pod};
use super::{Controller, Stage};

const COMPONENT: &str = "default-scheduler";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

#[derive(Clone)]
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
            // Pods of another scheduler wait for that one.
            let is_ours = ["", "default-scheduler"].contains(&object::text(&pod, "/spec/schedulerName"));
            let is_unbound = object::text(&pod, "/spec/nodeName").is_empty() && !object::is_deleting(&pod);
            let is_waiting = is_ours && is_unbound;
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
    let taints = object::items(node, "/spec/taints");
    // The taint that a cordon brings says less than the cordon.
    if node["spec"]["unschedulable"] == true
        && obstacle(pod, &[json!({ "key": UNSCHEDULABLE, "effect": "NoSchedule" })]).is_some()
    {
        return Some("node(s) were unschedulable".to_owned());
    }
    if obstacle(pod, taints).is_some() {
        return Some("node(s) had untolerated taint(s)".to_owned());
    }
    if !is_selected(pod, node) {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    if let Some(short) = shortage(stage, pod, node) {
        return Some(short);
    }
    if !of_pod(stage.store, pod).iter().all(|volume| is_reachable(volume, node)) {
        return Some("node(s) didn't match PersistentVolume's node affinity".to_owned());
    }
    None
}

/// The selector of the pod, and the affinity that it requires.
fn is_selected(pod: &Value, node: &Value) -> bool {
    let wanted = pod["spec"]["nodeSelector"].as_object();
    let is_named = wanted.into_iter().flatten().all(|(key, value)| node["metadata"]["labels"][key] == *value);
    let required =
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    is_named && is_in_terms(object::items(pod, required), node)
}

/// Whether a volume's node affinity allows a node.
fn is_reachable(volume: &Value, node: &Value) -> bool {
    is_in_terms(object::items(volume, "/spec/nodeAffinity/required/nodeSelectorTerms"), node)
}

fn is_in_terms(terms: &[Value], node: &Value) -> bool {
    let fields = json!({ "metadata.name": object::name(node) });
    let fits = |term: &Value| {
        object::items(term, "/matchExpressions")
            .iter()
            .all(|expression| holds(expression, &node["metadata"]["labels"]))
            && object::items(term, "/matchFields").iter().all(|expression| holds(expression, &fields))
    };
    terms.is_empty() || terms.iter().any(fits)
}

/// What a node has too little of for a pod.
fn shortage(stage: &Stage<'_>, pod: &Value, node: &Value) -> Option<String> {
    let present: Vec<_> =
        stage.pods_on(object::name(node)).into_iter().filter(|pod| !is_finished(pod)).collect();
    let allocatable = &node["status"]["allocatable"];
    if amount(&allocatable["pods"]) < (present.len() as u64 + 1) * 1_000 {
        return Some("Too many pods".to_owned());
    }
    ["cpu", "memory"].into_iter().find_map(|resource| {
        let wanted = requested(pod, resource);
        let taken: u64 = present.iter().map(|pod| requested(pod, resource)).sum();
        (wanted > 0 && taken + wanted > amount(&allocatable[resource]))
            .then(|| format!("Insufficient {resource}"))
    })
}

fn requested(pod: &Value, resource: &str) -> u64 {
    let containers = object::items(pod, "/spec/containers").iter();
    containers.map(|container| amount(&container["resources"]["requests"][resource])).sum()
}

/// A quantity in thousandths, so that both `100m` and `32Gi` are whole; what cannot be read is nothing.
fn amount(quantity: &Value) -> u64 {
    let text = quantity.as_str().map_or_else(|| quantity.to_string(), str::to_owned);
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().unwrap_or(0);
    let factor: u64 = match &text[end..] {
        "m" => return number,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => 1,
    };
    number.saturating_mul(factor).saturating_mul(1_000)
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
    let mut reasons: Vec<String> =
        reasons.into_iter().map(|(times, reason)| format!("{times} {reason}")).collect();
    // Sorted as texts, numbers and all, as the real one does.
    reasons.sort();
    format!(
        "0/{count} nodes are available: {}. no new claims to deallocate, preemption: 0/{count} nodes are available: \
         {count} Preemption is not helpful for scheduling.",
        reasons.join(", ")
    )
}
