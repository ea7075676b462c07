//! What is to blame for a pod that does not run: its node, the node that keeps its volume, or its owner's trouble.

use super::{Subject, View};
use crate::cluster::{Attached, AttachedBy, Name, Node, Pod, Row};
use jiff::Timestamp;

/// The node that is to blame, if one is.
pub fn node(view: &View<'_>, pod: &Pod) -> Option<Subject> {
    if !pod.node.is_empty()
        && let Some(node) = view.unready_node(&pod.node)
    {
        return Some(node);
    }
    if pod.is_ready() {
        return None;
    }
    pod.claims.iter().find_map(|claim| holder(view, pod, claim))
}

/// The node that keeps a volume which the pod waits for: silent or gone, or one where nothing wants it any more.
fn holder(view: &View<'_>, pod: &Pod, claim: &str) -> Option<Subject> {
    let name = Name::new(pod.meta.name.namespace.clone(), claim);
    let join = view.cluster.volume(&view.cluster.volume_of_claim(&name)?)?;
    if join.volume.is_none_or(|volume| volume.access.is_shared()) {
        return None;
    }
    let kept = |node: &str| {
        let is_unused = !pod.node.is_empty() && join.wanting_on(node).next().is_none();
        is_unused.then(|| Some(view.cluster.node(node)?.object().into())).flatten()
    };
    join.attached.iter().filter(|attached| attached.node_name != pod.node).find_map(|attached| match attached
        .by
    {
        AttachedBy::Object(_) | AttachedBy::Status { is_in_use_only: false } => {
            let node = &attached.node_name;
            view.unready_node(node).or_else(|| kept(node))
        }
        AttachedBy::Status { is_in_use_only: true } => None,
    })
}

/// The node, or else the workload that the pod is part of: sixty pods of one broken rollout are one incident.
pub fn pod(view: &View<'_>, pod: &Pod) -> Option<Subject> {
    node(view, pod).or_else(|| Some(view.cluster.workload_of(pod)?.object().into()))
}

/// The same of something that needs these pods: what they share, or else what the first of them is part of, or that pod.
pub fn any(view: &View<'_>, pods: &[&Pod]) -> Option<Subject> {
    let first = *pods.first()?;
    all(view, pods.iter().copied()).or_else(|| pod(view, first)).or_else(|| Some(first.object().into()))
}

/// What is to blame for all of these pods: a node where each has one to blame, otherwise nothing.
pub fn all<'a>(view: &View<'_>, pods: impl IntoIterator<Item = &'a Pod>) -> Option<Subject> {
    let mut first = None;
    for pod in pods {
        let node = node(view, pod)?;
        first.get_or_insert(node);
    }
    first
}

/// Since when a pod is missing for good: with a node to blame, from the node's trouble on, for a new pod in the place of
/// the old one is no new beginning; without one, from when it has what it takes to start.
pub fn missing_since(view: &View<'_>, pod: &Pod, node: Option<&Subject>) -> Option<Timestamp> {
    let unready = pod.unready_since();
    match node {
        Some(node) => unready.min(trouble_since(view, node).or(unready)),
        None => unready.max(started(view, pod)),
    }
}

fn trouble_since(view: &View<'_>, node: &Subject) -> Option<Timestamp> {
    let node = view.cluster.node(&node.object()?.name.name)?;
    if node.is_ready() { None } else { node.ready_since() }
}

/// When its node was ready and its volumes were attached there: it can start no sooner.
fn started(view: &View<'_>, pod: &Pod) -> Option<Timestamp> {
    let node = view.cluster.node(&pod.node).and_then(Node::ready_since);
    let volumes = view.cluster.volumes_of(pod).filter_map(|id| view.cluster.volume(&id));
    let attached = volumes.filter_map(|join| {
        join.attached.iter().filter(|attached| attached.node_name == pod.node).filter_map(created).max()
    });
    node.max(attached.max())
}

fn created(attached: &Attached<'_>) -> Option<Timestamp> {
    match attached.by {
        AttachedBy::Object(object) => object.meta.created,
        AttachedBy::Status { .. } => None,
    }
}
