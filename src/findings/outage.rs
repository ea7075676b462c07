//! What several silent nodes have in common, and what their zones' state does to the evictions.
//!
//! A node whose lease stands still counts as silent before the controller says so. The states of the zones are those of
//! the node-lifecycle controller, which counts every node that is not Ready and knows nothing of leases yet.

use super::{Places, Subject, places};
use crate::cluster::{Cluster, Kind, Node, ObjectRef, Readiness, Row, Text};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The controller's `--large-cluster-size-threshold`.
const LARGE_ZONE: usize = 50;

#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// Most or all nodes of the cluster.
    pub all: Option<Outage>,
    pub places: Vec<(Subject, Outage)>,
    causes: BTreeMap<Text, Subject>,
}

#[derive(Clone, Debug)]
pub struct Outage {
    /// Nodes without a sign of life: silent, or still Ready with a lease that stands still.
    pub silent: Vec<ObjectRef>,
    /// Those of them that are still Ready.
    pub standing: usize,
    /// Silent or not ready by the controller's word.
    pub unready: usize,
    pub total: usize,
    /// When the first of them fell silent.
    pub since: Option<Timestamp>,
    pub pace: Pace,
}

/// What becomes of the evictions there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Normal,
    /// A tenth of the rate.
    Slowed,
    Halted,
}

impl Outages {
    /// `standing` are the Ready nodes whose leases stand still, and since when.
    pub fn of(cluster: &Cluster, places: &Places, standing: &BTreeMap<Text, Timestamp>) -> Self {
        let is_silent = |node: &&Node| node.readiness() == Readiness::Silent;
        let quiet = standing.keys().filter_map(|name| cluster.node(name));
        let mut silent: Vec<&Node> = cluster.unready_nodes().filter(is_silent).chain(quiet).collect();
        if silent.len() < 2 || !cluster.has_read(Kind::Node) {
            return Self::default();
        }
        let unready = cluster.unready_nodes().count();
        let total = cluster.nodes.len();
        let has_zones = cluster.nodes.values().any(|node| node.zone().is_some());
        let lost = unready + standing.len();
        if lost == total || (!has_zones && is_disrupted(lost, total)) {
            let pace = match unready {
                all if all == total => Pace::Halted,
                // Each zone has a pace of its own.
                _ if has_zones => Pace::Normal,
                some => pace(some, total),
            };
            let outage = outage(&silent, standing, (unready, total, pace));
            let causes = names(&silent).map(|name| (name, Subject::ControlPlane)).collect();
            return Self { all: Some(outage), places: Vec::new(), causes };
        }
        let mut outages = Self::default();
        for label in places.labels() {
            let mut groups: BTreeMap<Text, Vec<&Node>> = BTreeMap::new();
            for node in &silent {
                if let Some(value) = places::value(node, label) {
                    groups.entry(value.into()).or_default().push(*node);
                }
            }
            groups.retain(|_, nodes| nodes.len() > 1);
            for (value, nodes) in groups {
                let there =
                    || cluster.nodes.values().filter(|node| places::value(node, label) == Some(&value));
                let (unready, total) = (there().filter(|node| !node.is_ready()).count(), there().count());
                // Where every node has the label it is no place among others.
                if 2 * nodes.len() < total || total == cluster.nodes.len() {
                    continue;
                }
                let pace = if label == places::ZONE { pace(unready, total) } else { Pace::Normal };
                let subject = Subject::Place { label: label.clone(), value };
                outages.causes.extend(names(&nodes).map(|name| (name, subject.clone())));
                outages.places.push((subject, outage(&nodes, standing, (unready, total, pace))));
            }
            silent.retain(|node| !outages.causes.contains_key(&node.meta.name.name));
        }
        outages
    }

    /// The nodes of which another cause is known now.
    pub fn differs_for<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Text> {
        let new = self.causes.iter().filter(|(node, cause)| before.causes.get(*node) != Some(cause));
        let old = before.causes.keys().filter(|node| !self.causes.contains_key(*node));
        new.map(|(node, _)| node).chain(old)
    }

    /// What explains that this node is silent.
    pub fn cause(&self, node: &str) -> Option<Subject> {
        self.causes.get(node).cloned()
    }
}

fn names(nodes: &[&Node]) -> impl Iterator<Item = Text> {
    nodes.iter().map(|node| node.meta.name.name.clone())
}

fn outage(
    silent: &[&Node],
    standing: &BTreeMap<Text, Timestamp>,
    (unready, total, pace): (usize, usize, Pace),
) -> Outage {
    let quiet_since = |node: &Node| standing.get(&node.meta.name.name).copied();
    let since = silent.iter().filter_map(|node| quiet_since(node).or_else(|| node.ready_since())).min();
    let standing = silent.iter().filter(|node| quiet_since(node).is_some()).count();
    let silent = silent.iter().map(|node| node.object()).collect();
    Outage { silent, standing, unready, total, since, pace }
}

/// More than two nodes, and 55 % of them.
const fn is_disrupted(unready: usize, total: usize) -> bool {
    unready > 2 && 100 * unready >= 55 * total
}

const fn pace(unready: usize, total: usize) -> Pace {
    if unready == total || !is_disrupted(unready, total) {
        Pace::Normal
    } else if total > LARGE_ZONE {
        Pace::Slowed
    } else {
        Pace::Halted
    }
}
