//! The rule `node-lease-quiet`: the early warning before the controller's grace is over.

use super::{Awaited, Bound, Clock, Evidence, Finding, Found, RuleId, Severity, View};
use crate::cluster::{Cluster, Feed, Heartbeat, Kind, Node, Row, Sync, Text, Timers};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

pub const PROSE: &str = "The node is still Ready, but its lease, which its kubelet renews every ten seconds, does not \
    move: the kubelet may be gone, and the controller will say so when its grace is over. Until then the services \
    send requests there. If the controller does not say so long after, it is the controller that is ill. Only with \
    the right to read the leases, and up to 500 nodes: with more they are read too seldom for an early warning.";

/// With more nodes the leases are listed more rarely than this rule could use.
const MOST_NODES: usize = 500;
/// The controller looks at the nodes once in so long.
const ROUND: SignedDuration = SignedDuration::from_secs(5);
/// A kubelet renews its lease once in so long.
const RENEWAL: SignedDuration = SignedDuration::from_secs(10);
/// Two renewals and a reading between them.
const QUIET: SignedDuration = SignedDuration::from_secs(25);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    if !looks(view.cluster) {
        return;
    }
    for node in view.cluster.nodes.values() {
        if let Some(heartbeat) = quiet(view, node) {
            found.add(finding(view, node, heartbeat));
        }
    }
}

/// The Ready nodes whose leases stand still, and since when: those that are quiet, and those that fell behind together
/// with one of them. A single lease that is late means nothing; one that stopped when others did is one of them.
pub fn standing(cluster: &Cluster, timers: &Timers) -> BTreeMap<Text, Timestamp> {
    if !looks(cluster) {
        return BTreeMap::new();
    }
    let limit = limit(timers);
    let late = cluster.nodes.values().filter_map(|node| {
        let (heartbeat, span) = stillness(cluster, node)?;
        let name = node.meta.name.name.clone();
        (span + ROUND >= limit).then_some((name, span, heartbeat.last_sign()))
    });
    let late: Vec<(Text, SignedDuration, Timestamp)> = late.collect();
    let quiet: Vec<SignedDuration> =
        late.iter().map(|(_, span, _)| *span).filter(|span| *span >= limit).collect();
    let is_together =
        |span: SignedDuration| quiet.iter().any(|other| (*other - span).abs() <= RENEWAL + ROUND);
    late.into_iter()
        .filter(|(_, span, _)| *span >= limit || is_together(*span))
        .map(|(name, _, last)| (name, last))
        .collect()
}

/// Whether there is so early a warning at all.
pub fn looks(cluster: &Cluster) -> bool {
    let is_live = |feed| matches!(cluster.feed(feed).sync, Sync::Live { .. });
    cluster.nodes.len() <= MOST_NODES && is_live(Feed::Leases) && is_live(Feed::Watch(Kind::Node))
}

/// A Ready node's lease that did not move between readings for long.
pub fn quiet<'a>(view: &View<'a>, node: &Node) -> Option<&'a Heartbeat> {
    if !looks(view.cluster) {
        return None;
    }
    stillness(view.cluster, node)
        .filter(|(_, span)| *span >= limit(view.timers))
        .map(|(heartbeat, _)| heartbeat)
}

/// For how long a Ready node's lease did not move. Judged by the readings alone: a lease that was not read has not been
/// quiet.
fn stillness<'a>(cluster: &'a Cluster, node: &Node) -> Option<(&'a Heartbeat, SignedDuration)> {
    let heartbeat = cluster.heartbeat(&node.meta.name.name).filter(|_| node.is_ready())?;
    let last = heartbeat.last_sign();
    // One that has just come back has not been quiet since then, whatever its lease was like before.
    let since = node.ready_since().map_or(last, |since| since.max(last));
    Some((heartbeat, cluster.stood_still(since, heartbeat.read)))
}

/// A lease that stands still for so long is quiet.
fn limit(timers: &Timers) -> SignedDuration {
    (timers.grace / 2).max(QUIET)
}

/// When the controller gives the node up at the latest, if it is as it seems.
pub fn declared(view: &View<'_>, heartbeat: &Heartbeat) -> Option<Clock> {
    let last = heartbeat.last_sign();
    // Where the controllers are hurried, so is their round.
    let round = ROUND.min(view.timers.grace / 8);
    let at = last.checked_add(view.timers.grace + round).ok()?;
    Some(Clock { what: Awaited::Silence, at, bound: Bound::AtLatest })
}

fn finding(view: &View<'_>, node: &Node, heartbeat: &Heartbeat) -> Finding {
    let name = &node.meta.name.name;
    let last = heartbeat.last_sign();
    let is_overlooked = heartbeat.quiet(heartbeat.read) > view.timers.grace * 2;
    let (sentence, next) = if is_overlooked {
        (
            format!(
                "Node {name} is Ready by its status, but its lease stands still for longer than the controller's \
                 grace: the controller-manager may not be running."
            ),
            "Look at the controller-manager: while it is down no countdown runs and nothing fails over."
                .to_owned(),
        )
    } else {
        (
            format!("Node {name} is still Ready, but its lease stands still: its kubelet may be gone."),
            format!("Look whether {name} answers; services still send requests to it."),
        )
    };
    Finding {
        sentence,
        since: Some(last),
        clock: declared(view, heartbeat).filter(|_| !is_overlooked),
        evidence: vec![
            match heartbeat.moved {
                Some(moved) => Evidence::at("its lease was last seen to move", Some(moved)),
                None => Evidence::at("its lease has not moved since it is read", Some(last)),
            },
            Evidence::at("its lease was last read", Some(heartbeat.read)),
        ],
        next,
        cause: view.outages.cause(name),
        ..Finding::new(RuleId::NodeLeaseQuiet, Severity::Warning, node.object())
    }
}
