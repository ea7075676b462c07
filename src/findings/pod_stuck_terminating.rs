//! The rule `pod-stuck-terminating`: told to go, past its deadline and the slack, and still there.

use super::{
    Awaited, Bound, Clock, Evidence, Finding, Found, RuleId, Severity, View, node_gone, pods_stuck_on_node,
    words,
};
use crate::cluster::{Cluster, Deletion, Feed, Kind, Name, Node, ObjectRef, Pod, Readiness, Row, Text};
use jiff::Timestamp;

pub const PROSE: &str = "A pod was told to go, its grace is over, and its object is still there. The cause is told \
    apart: its node is silent or gone, so no kubelet can confirm the end; its kubelet talks but does not finish; \
    its containers have ended but it is not released; or a finalizer holds it. Until the object is gone, a \
    StatefulSet creates no replacement and the volumes stay wanted where they are.";

/// Why it is still there.
#[derive(Clone, Copy, Debug)]
enum Cause<'a> {
    /// No kubelet is needed any more, only these.
    Finalizers,
    NodeGone,
    Silent(&'a Node),
    /// A kubelet that talks; its containers have ended.
    NotReleased(&'a Node),
    /// A kubelet that talks; its containers have not ended.
    NotFinished(&'a Node),
    /// The node is not known, because nodes may not be read or were not read yet, or there is none.
    Unknown,
}

pub fn evaluate(view: &View<'_>, pod: &Pod, found: &mut Found) {
    // Until the first list of nodes is in, each of these would be blamed on an unknown node.
    if view.cluster.feed(Feed::Watch(Kind::Node)).is_first_awaited() {
        return;
    }
    let (Some(deletion), Some(stuck)) = (pod.meta.deletion, stuck_from(view, pod)) else { return };
    if stuck > view.now {
        found.look_again(stuck, view.now);
    } else {
        let finding = finding(view, pod, (deletion, found));
        found.add(finding);
    }
}

/// From when on a pod that was told to go counts as stuck.
pub fn stuck_from(view: &View<'_>, pod: &Pod) -> Option<Timestamp> {
    let deadline = pod.meta.deletion?.deadline;
    // A kubelet that has just come back has its pods to end first.
    let back = view.cluster.node(&pod.node).filter(|node| node.is_ready()).and_then(Node::ready_since);
    back.map_or(deadline, |back| back.max(deadline)).checked_add(view.timers.deletion_slack).ok()
}

/// Whether it is a kubelet that has something to do yet, and not those whose finalizers hold it.
pub fn is_of_kubelet(pod: &Pod) -> bool {
    let is_released = pod.meta.deletion.is_some_and(|deletion| deletion.grace_seconds == 0);
    !is_released || pod.meta.finalizers.is_empty()
}

fn cause<'a>(view: &View<'a>, pod: &Pod) -> Cause<'a> {
    let cluster = view.cluster;
    if !is_of_kubelet(pod) {
        return Cause::Finalizers;
    }
    if cluster.has_read(Kind::Node) && !view.knows(Kind::Node) {
        return Cause::Unknown;
    }
    match cluster.node(&pod.node) {
        Some(node) => match node.readiness() {
            Readiness::Silent => Cause::Silent(node),
            Readiness::NotReady | Readiness::New | Readiness::Ready if pod.has_stopped() => {
                Cause::NotReleased(node)
            }
            Readiness::NotReady | Readiness::New | Readiness::Ready => Cause::NotFinished(node),
        },
        None if cluster.absent_since(&pod.node).is_some() => Cause::NodeGone,
        None => Cause::Unknown,
    }
}

fn finding(view: &View<'_>, pod: &Pod, (deletion, found): (Deletion, &mut Found)) -> Finding {
    let cluster = view.cluster;
    let cause = cause(view, pod);
    let waiting = pod.meta.owner.as_ref().filter(|owner| owner.is_controller && owner.kind == "StatefulSet");
    let blocked = waiting.map_or_else(String::new, |owner| {
        format!(" StatefulSet {} creates no replacement until it is gone.", owner.name)
    });
    let sentence = format!("Pod {} {}.{blocked}", pod.meta.name, because(pod, cause));
    let node = match cause {
        Cause::NodeGone => Some(node_gone::object(&pod.node)),
        Cause::Finalizers | Cause::Unknown => None,
        Cause::Silent(node) | Cause::NotReleased(node) | Cause::NotFinished(node) => Some(node.object()),
    };
    Finding {
        rule: RuleId::PodStuckTerminating,
        severity: if waiting.is_some() { Severity::Critical } else { Severity::Warning },
        subject: pod.object().into(),
        about: claims(cluster, pod).chain(node.clone()).collect(),
        held_up: Vec::new(),
        sentence,
        since: Some(deletion.deadline),
        clock: Some(Clock { what: Awaited::Deadline, at: deletion.deadline, bound: Bound::Exact }),
        evidence: evidence(view, pod, deletion),
        next: next(pod, cause),
        // A kubelet that is ready is nobody's cause, unless its node is marked or others do not end there either.
        cause: node.map(Into::into).filter(|_| match cause {
            Cause::NodeGone | Cause::Silent(_) => true,
            Cause::NotReleased(node) | Cause::NotFinished(node) => {
                node.readiness() == Readiness::NotReady
                    || node.is_out_of_service()
                    || pods_stuck_on_node::is_to_blame(view, node, found)
            }
            Cause::Finalizers | Cause::Unknown => false,
        }),
    }
}

fn because(pod: &Pod, cause: Cause<'_>) -> String {
    let node = &pod.node;
    match cause {
        Cause::Finalizers => {
            let held = &pod.meta.finalizers;
            format!("is there only because of the {} of {}", names(held), owners(held))
        }
        Cause::NodeGone => format!("cannot end: its node {node} is gone, so no kubelet confirms it"),
        Cause::Silent(_) => format!("cannot end: its node {node} is silent, so no kubelet confirms it"),
        Cause::NotReleased(_) => {
            format!("has stopped, but the kubelet of {node}, which talks, does not release it")
        }
        Cause::NotFinished(_) => {
            format!("does not end: the kubelet of {node} talks, but has not finished it")
        }
        Cause::Unknown if node.is_empty() => "does not go, although it was never on a node".to_owned(),
        Cause::Unknown => format!("does not end, and the state of its node {node} is not known"),
    }
}

fn next(pod: &Pod, cause: Cause<'_>) -> String {
    let node = &pod.node;
    match cause {
        Cause::Finalizers => format!(
            "Find out what keeps {} from finishing with it; taking the finalizer away skips that work.",
            owners(&pod.meta.finalizers)
        ),
        Cause::NodeGone => {
            "Power the machine off if it may still run; the garbage collector then removes the pod within a \
             minute."
                .to_owned()
        }
        Cause::Silent(node) if node.is_out_of_service() => {
            "Wait: its node is marked out-of-service, so the garbage collector removes it within 20 seconds."
                .to_owned()
        }
        Cause::Silent(_) => format!(
            "Bring {node} back and its kubelet ends the pod, or prove that the machine is off and release the \
             pod: until then it may still run."
        ),
        Cause::NotReleased(_) => format!(
            "Look at the kubelet's log on {node} for a volume that does not unmount; force nothing while it \
             talks."
        ),
        Cause::NotFinished(_) => format!(
            "Look at the pod's events and the kubelet's log on {node}: a preStop hook or the container runtime \
             may hang. Force nothing while the kubelet talks."
        ),
        Cause::Unknown => "Find out whether its node lives before anything is forced.".to_owned(),
    }
}

fn evidence(view: &View<'_>, pod: &Pod, deletion: Deletion) -> Vec<Evidence> {
    let cluster = view.cluster;
    let mut evidence = vec![
        Evidence::at("told to go", Some(deletion.requested())),
        Evidence::at(
            format!("its grace of {} was over", words::count(seconds(deletion), "second")),
            Some(deletion.deadline),
        ),
    ];
    let target = pod.condition("DisruptionTarget");
    if let Some(by) = target.and_then(|condition| condition.reason.non_empty()) {
        evidence.push(Evidence::new(format!("told so by {by}")));
    }
    if !pod.meta.finalizers.is_empty() {
        evidence.push(Evidence::new(format!("finalizers: {}", pod.meta.finalizers.join(", "))));
    }
    if pod.wants_volumes() && !pod.claims.is_empty() {
        evidence.push(Evidence::new("its volumes stay attached while it is there"));
    }
    if cluster.node(&pod.node).is_none() && !cluster.feed(Feed::Watch(Kind::Node)).was_complete {
        evidence.push(Evidence::new("nodes have not been read, or may not be"));
    }
    if let Some(since) = cluster.behind_since(Kind::Node).filter(|_| !view.knows(Kind::Node)) {
        evidence.push(Evidence::at("what is known of nodes is of this time", Some(since)));
    }
    evidence
}

fn seconds(deletion: Deletion) -> usize {
    usize::try_from(deletion.grace_seconds).unwrap_or(0)
}

fn claims(cluster: &Cluster, pod: &Pod) -> impl Iterator<Item = ObjectRef> {
    pod.claims.iter().filter_map(|claim| {
        let name = Name::new(pod.meta.name.namespace.clone(), claim.clone());
        cluster.persistent_volume_claims.get(&name).map(Row::object)
    })
}

/// "finalizer a", "finalizers a, b".
pub fn names(finalizers: &[Text]) -> String {
    match finalizers {
        [one] => format!("finalizer {one}"),
        many => format!("finalizers {}", many.join(", ")),
    }
}

/// Who is to take the finalizers away, as far as their names tell.
pub fn owners(finalizers: &[Text]) -> String {
    let mut owners: Vec<&str> = finalizers
        .iter()
        .map(|finalizer| match finalizer.as_str() {
            "batch.kubernetes.io/job-tracking" => "the Job controller",
            "foregroundDeletion" | "orphan" => "the garbage collector",
            other => other.split_once('/').map_or(other, |(domain, _)| domain),
        })
        .collect();
    owners.dedup();
    owners.join(" and ")
}
