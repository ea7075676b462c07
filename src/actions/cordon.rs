//! Cordon and uncordon: a node out of scheduling and back, with who, why and when written on it.
//!
//! A node that is cordoned already is left alone, whoever did it: the note on it is theirs. What was cordoned with
//! other tools carries no note, and says so.

use super::audit::{Author, RunId};
use super::call::{Call, CallError, Guard, Refusal};
use super::preflight::{Check, Verdict};
use super::probe::Right;
use super::{Danger, Draft, Sight, Spec, Step};
use crate::cluster::{Cluster, Cordon, Kind, Node, ObjectRef, Readiness, Row as _, Text};
use jiff::{SignedDuration, Timestamp};

pub const PATCH_NODES: Right = Right { verb: "patch", group: "", resource: "nodes", subresource: "" };

pub const CORDON: Spec = Spec {
    id: "cordon",
    title: "Cordon",
    doc: "Take a node out of scheduling, and write on it who did and why.",
    kinds: &[Kind::Node],
    danger: Danger::Reversible,
    rights: &[PATCH_NODES],
    relies_on: &[Kind::Node],
    looks_at: &[],
};

pub const UNCORDON: Spec = Spec {
    id: "uncordon",
    title: "Uncordon",
    doc: "Put a node back into scheduling, and take off it who had cordoned it.",
    kinds: &[Kind::Node],
    danger: Danger::Reversible,
    rights: &[PATCH_NODES],
    relies_on: &[Kind::Node],
    looks_at: &[],
};

// -- plans ----------------------------------------------------------------------------------------------------

pub fn cordon_steps(draft: &Draft, cluster: &Cluster, author: &Author) -> Vec<Step> {
    steps(draft.targets.iter().map(|node| guard_cordon(node, (author, &draft.why), cluster)))
}

pub fn uncordon_steps(targets: &[ObjectRef], of: Option<&RunId>, cluster: &Cluster) -> Vec<Step> {
    steps(targets.iter().map(|node| guard_uncordon(node, of, cluster)))
}

fn steps(guards: impl Iterator<Item = Guard>) -> Vec<Step> {
    let calls = guards.filter_map(|guard| match guard {
        Guard::Send(call) => Some(Step::Call(call)),
        Guard::Needless { .. } | Guard::UnderWay { .. } | Guard::Hold { .. } | Guard::Stop { .. } => None,
    });
    calls.collect()
}

// -- guards ---------------------------------------------------------------------------------------------------

pub fn guard_cordon(object: &ObjectRef, (author, why): (&Author, &Text), cluster: &Cluster) -> Guard {
    match same_node(object, cluster) {
        Err(reason) => Guard::Stop { reason },
        Ok(node) if node.is_cordoned() => Guard::Needless { reason: already(node, author.at) },
        Ok(node) => Guard::Send(Call::Cordon {
            node: object.clone(),
            version: node.meta.resource_version.clone(),
            author: author.clone(),
            why: why.clone(),
        }),
    }
}

pub fn guard_uncordon(object: &ObjectRef, of: Option<&RunId>, cluster: &Cluster) -> Guard {
    let node = match same_node(object, cluster) {
        Err(reason) => return Guard::Stop { reason },
        Ok(node) => node,
    };
    if !node.is_cordoned() {
        return Guard::Needless { reason: format!("{object} is not cordoned") };
    }
    if let Some(run) = of
        && !is_of(node, run)
    {
        return Guard::Stop {
            reason: format!("{object} was cordoned by somebody else since: {}", said(node)),
        };
    }
    Guard::Send(Call::Uncordon {
        node: object.clone(),
        version: node.meta.resource_version.clone(),
        of: of.cloned(),
    })
}

/// The node that the user saw, or why it is not there.
pub fn same_node<'a>(object: &ObjectRef, cluster: &'a Cluster) -> Result<&'a Node, String> {
    match cluster.nodes.get(&object.name) {
        None => Err(format!("{object} is gone")),
        Some(node) if node.meta.uid != object.uid => Err(anew(object)),
        Some(node) => Ok(node),
    }
}

/// What is said of an object whose name another one has by now.
pub fn anew(object: &ObjectRef) -> String {
    format!("{object} was deleted and created anew: it is another object than the one you saw")
}

pub fn is_cordoned_by(object: &ObjectRef, run: &RunId, cluster: &Cluster) -> bool {
    same_node(object, cluster).is_ok_and(|node| node.is_cordoned() && is_of(node, run))
}

pub fn is_uncordoned(object: &ObjectRef, cluster: &Cluster) -> bool {
    same_node(object, cluster).is_ok_and(|node| !node.is_cordoned())
}

fn is_of(node: &Node, run: &RunId) -> bool {
    node.cordon().is_some_and(|cordon| *cordon.run == *run.as_str())
}

/// Between two tries of a call that was not answered.
pub const AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// What a refusal means for a node that was to be changed.
pub fn refusal(error: CallError) -> Refusal {
    let again = |pause, reason| Refusal::Again { pause, is_counted: false, reason };
    match error {
        CallError::Conflict { reason } => {
            Refusal::Changed(format!("it was changed meanwhile: {reason}").into())
        }
        CallError::Unanswered { reason } | CallError::Unauthorized { reason } => again(AGAIN, reason),
        CallError::TooManyRequests { reason, pause, .. } => {
            Refusal::Busy { pause: pause.unwrap_or_default().max(AGAIN), reason }
        }
        // The node is gone, or the server fails at it: neither passes by asking again.
        error @ (CallError::ReadOnly
        | CallError::Forbidden { .. }
        | CallError::NotFound { .. }
        | CallError::Invalid { .. }
        | CallError::Broken { .. }) => Refusal::Final(error.reason().into()),
    }
}

// -- words ----------------------------------------------------------------------------------------------------

pub fn already(node: &Node, now: Timestamp) -> String {
    let since = node.cordoned_since().map_or_else(String::new, |at| ago(at, now));
    format!("{} is cordoned already{since}: {}", node.object(), said(node))
}

/// Who cordoned a node and why, as far as it says.
fn said(node: &Node) -> String {
    match (node.cordoned_by(), node.outlived_note()) {
        (Some(by), _) => format!("by {by}"),
        (None, Some(Cordon { by, .. })) => {
            format!("the note of {by} on it is older than its taint: it may have been cordoned anew")
        }
        (None, None) => "nothing on it says by whom".to_owned(),
    }
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(at).as_mins();
    match minutes {
        ..1 => ", just now".to_owned(),
        1..120 => format!(", {minutes} min ago"),
        120..2880 => format!(", {} h ago", minutes / 60),
        2880.. => format!(", {} days ago", minutes / 1440),
    }
}

// -- checks ---------------------------------------------------------------------------------------------------

pub fn cordon_checks(draft: &Draft, sight: &Sight<'_>) -> Vec<Check> {
    let mut checks = checks_of(&draft.targets, sight.cluster, |node| {
        node.is_cordoned().then(|| Check::new(Verdict::Skip, already(node, sight.now)))
    });
    checks.extend(room(&draft.targets, sight.cluster));
    checks
}

pub fn uncordon_checks(targets: &[ObjectRef], of: Option<&RunId>, sight: &Sight<'_>) -> Vec<Check> {
    let mut checks = checks_of(targets, sight.cluster, |node| {
        let object = node.object();
        if !node.is_cordoned() {
            return Some(Check::new(Verdict::Skip, format!("{object} is not cordoned")));
        }
        if let Some(run) = of
            && !is_of(node, run)
        {
            let reason = format!("{object} was cordoned by somebody else since: {}", said(node));
            let remedy = "leave it out, or uncordon it by itself if you know better";
            return Some(Check::new(Verdict::Block, reason).remedy(remedy));
        }
        None
    });
    for object in targets {
        let Ok(node) = same_node(object, sight.cluster) else { continue };
        if !node.is_cordoned() {
            continue;
        }
        if of.is_none() && node.cordon().is_some() {
            checks
                .push(Check::new(Verdict::Ok, format!("{object} was cordoned {}", said(node))).about(object));
        }
        if node.readiness() != Readiness::Ready {
            let reason = format!(
                "{object} is {} and not Ready: nothing is scheduled on it before it is",
                node.readiness().word()
            );
            checks.push(Check::new(Verdict::Warn, reason).about(object));
        }
        if node.is_out_of_service() {
            let reason = format!("{object} keeps its out-of-service taint: uncordon does not take it off");
            checks.push(Check::new(Verdict::Warn, reason).about(object));
        }
    }
    checks
}

/// One check for each target: that it is there, and what else is to be said of it.
fn checks_of(targets: &[ObjectRef], cluster: &Cluster, more: impl Fn(&Node) -> Option<Check>) -> Vec<Check> {
    let check = |object: &ObjectRef| match same_node(object, cluster) {
        Err(reason) => Check::new(Verdict::Block, reason).remedy("look again, and choose what is there now"),
        Ok(node) => more(node)
            .unwrap_or_else(|| Check::new(Verdict::Ok, format!("{object} is there, and the one you saw"))),
    };
    targets.iter().map(|object| check(object).about(object)).collect()
}

/// Whether anything is left to schedule on.
fn room(targets: &[ObjectRef], cluster: &Cluster) -> Option<Check> {
    let is_left = |node: &&Node| {
        node.is_ready() && !node.is_cordoned() && targets.iter().all(|target| target.name != node.meta.name)
    };
    let left = cluster.nodes.values().filter(is_left).count();
    (left == 0).then(|| Check::new(Verdict::Warn, "no Ready node is left that pods can be scheduled on"))
}
