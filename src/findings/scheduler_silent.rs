//! The rule `scheduler-silent`: nobody places pods.

use super::{Finding, Found, RuleId, Severity, View, leader_silent, words};
use crate::cluster::{Component, ObjectRef, Pod, Row};

pub const PROSE: &str = "The leader lease of kube-scheduler stands still for longer than it is good for: no pod gets a \
    node, so what is evicted, scaled up or rolled out stays pending without a reason. The finding names the pods \
    that wait for a place and of which no scheduler has said anything. Judged by when the lease was seen to move, \
    never by what is written in it.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let as_rule = (RuleId::SchedulerSilent, Severity::Critical);
    let Some(silent) = leader_silent::finding(view, Component::Scheduler, as_rule) else { return };
    let waiting: Vec<ObjectRef> =
        view.cluster.troubled_pods().filter(|pod| is_overlooked(pod)).map(Row::object).collect();
    let who = match waiting.as_slice() {
        [] => String::new(),
        pods => format!(
            " {} {} for a place.",
            capital(&words::pods(pods)),
            words::verb(pods.len(), "waits", "wait")
        ),
    };
    found.add(Finding {
        sentence: format!("kube-scheduler is silent: no pod gets a node.{who}"),
        held_up: waiting,
        ..silent
    });
}

/// A pod that has no node, and of which nothing was said.
fn is_overlooked(pod: &Pod) -> bool {
    pod.node.is_empty() && !pod.meta.is_deleting() && pod.condition("PodScheduled").is_none()
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
