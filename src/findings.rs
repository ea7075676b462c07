//! What is wrong, why, and what happens next: findings made by rules, joined to incidents by their root cause.
//!
//! Pure over the cluster and the time. What it deliberately does not do: render times (a finding carries the
//! moments, so a clock can tick on the screen without a new evaluation), remember (acknowledging is the
//! application's), or act (a finding names the next safe step in words).

mod api_server_not_ready;
mod api_service_down;
mod attachment_of_no_volume;
mod blame;
mod budget_held_by_unready;
mod budget_never_allows;
mod budgets_overlap;
mod claim_not_bound;
mod clock;
mod cloud_controller_manager_silent;
mod control_plane_suspect;
mod controller_manager_silent;
mod finding;
mod incident;
mod leader_silent;
mod namespace_stuck;
mod node_cordon_forgotten;
mod node_gone;
mod node_lease_quiet;
mod node_not_ready;
mod node_out_of_service_alive;
mod node_registered_anew;
mod node_returned_empty;
mod node_shut_down;
mod node_silent;
mod node_under_pressure;
mod nodes_silent_together;
mod outage;
mod outlook;
mod pod_crash_looping;
mod pod_image_not_pulled;
mod pod_never_evicted;
mod pod_not_scheduled;
mod pod_stuck_terminating;
mod pods_evicted;
mod pods_not_created;
mod rollout_blocks_itself;
mod rollout_stuck;
mod rule;
mod scheduler_silent;
mod service_losing_requests;
mod service_without_ready_pods;
mod standstill;
mod stateful_set_blocked;
mod subject;
mod volume_attach_failing;
mod volume_detach_stuck;
mod volume_failed;
mod volume_on_unready_node;
mod volume_wanted_twice;
mod words;
mod workload_short;

pub use clock::{Awaited, Bound, Clock, Reading};
pub use finding::{Evidence, Finding, FindingId, Severity};
pub use incident::{Counts, Incident};
pub use rule::{RULES, Rule, RuleId};
pub use subject::Subject;

use crate::cluster::{Cluster, Feed, Kind, ObjectRef, Row, Timers};
use jiff::{SignedDuration, Timestamp};
use outage::Outages;
use std::collections::BTreeMap;

/// A stream that is broken for less than this mostly comes back with nothing missed.
const BEHIND: SignedDuration = SignedDuration::from_secs(30);

/// What a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub cluster: &'a Cluster,
    pub now: Timestamp,
    pub timers: &'a Timers,
    /// What several silent nodes have in common.
    outages: &'a Outages,
}

impl View<'_> {
    /// Whether so much time is over since then; if not, another look is due when it is. A moment that is not known
    /// is long ago.
    fn has_lasted(&self, since: Option<Timestamp>, span: SignedDuration, found: &mut Found) -> bool {
        let Some(due) = since.and_then(|since| since.checked_add(span).ok()) else { return true };
        found.look_again(due, self.now);
        due <= self.now
    }

    /// Whether a kind was read, and is not behind the others for long: what is said of two kinds at once is wrong where
    /// one of them is old.
    fn knows(&self, kind: Kind) -> bool {
        let due = self.cluster.behind_since(kind).and_then(|since| since.checked_add(BEHIND).ok());
        self.cluster.has_read(kind) && due.is_none_or(|due| due > self.now)
    }

    /// Whether a stream tells enough to judge by it.
    fn is_told(&self, feed: Feed) -> bool {
        match feed {
            Feed::Watch(kind) => self.knows(kind),
            Feed::Leases | Feed::Leader(_) | Feed::Checks => self.cluster.has_judgement(feed),
        }
    }

    /// A node as the cause of something; one that is ready is nobody's.
    fn unready_node(&self, name: &str) -> Option<Subject> {
        match self.cluster.node(name) {
            Some(node) if node.is_ready() => None,
            Some(node) => Some(node.object().into()),
            None => self.cluster.absent_since(name).map(|_| node_gone::object(name).into()),
        }
    }
}

/// What the rules have found so far, and when another look could find something else.
#[derive(Debug, Default)]
pub struct Found {
    findings: Vec<Finding>,
    next_due: Option<Timestamp>,
}

impl Found {
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// At that moment the answer may change although nothing in the cluster does; a moment that is over is no
    /// reason to look again.
    pub fn look_again(&mut self, at: Timestamp, now: Timestamp) {
        if at > now {
            self.next_due = Some(self.next_due.map_or(at, |known| known.min(at)));
        }
    }
}

/// The findings of one evaluation, joined and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Worst first; the order stays the same from one evaluation to the next while nothing changes.
    pub incidents: Vec<Incident>,
    /// The earliest moment at which an evaluation of the same cluster could give another answer.
    pub next_due: Option<Timestamp>,
    /// Rules that could not judge, or not everything, and what they did without.
    pub blind: Vec<(RuleId, Vec<Feed>)>,
    /// Object to findings that name it: the incident's place, and the finding's within it (0 is the root).
    by_object: BTreeMap<ObjectRef, Vec<(usize, usize)>>,
}

/// All rules over the whole picture.
pub fn evaluate(cluster: &Cluster, now: Timestamp, timers: &Timers) -> Findings {
    let outages = Outages::of(cluster);
    let view = View { cluster, now, timers, outages: &outages };
    let mut found = Found::default();
    let mut blind = Vec::new();
    for rule in RULES {
        let unknown = |feeds: &[Feed]| -> Vec<Feed> {
            feeds.iter().copied().filter(|feed| !view.is_told(*feed)).collect()
        };
        let mut missing = unknown(rule.needs);
        if missing.is_empty() {
            (rule.evaluate)(&view, &mut found);
        }
        missing.extend(unknown(rule.uses));
        if !missing.is_empty() {
            blind.push((rule.id, missing));
        }
    }
    for since in Kind::ALL.into_iter().filter_map(|kind| cluster.behind_since(kind)) {
        if let Ok(due) = since.checked_add(BEHIND) {
            found.look_again(due, now);
        }
    }
    standstill::mark(cluster, &mut found.findings);
    Findings { blind, ..Findings::join(found) }
}

impl Findings {
    fn join(found: Found) -> Self {
        let incidents = incident::join(found.findings);
        let mut by_object: BTreeMap<ObjectRef, Vec<(usize, usize)>> = BTreeMap::new();
        for (at, incident) in incidents.iter().enumerate() {
            for (within, finding) in incident.findings().enumerate() {
                for object in finding.objects() {
                    let places = by_object.entry(object.clone()).or_default();
                    if places.last() != Some(&(at, within)) {
                        places.push((at, within));
                    }
                }
            }
        }
        Self { incidents, next_due: found.next_due, blind: Vec::new(), by_object }
    }

    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty()
    }

    /// All findings, incident by incident, the root of each first.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.incidents.iter().flat_map(Incident::findings)
    }

    /// The findings that name an object: as their subject, as concerned, or as held up by it.
    pub fn of(&self, object: &ObjectRef) -> impl Iterator<Item = &Finding> {
        self.places(object).filter_map(|(at, within)| self.incidents.get(at)?.findings().nth(within))
    }

    /// The incidents in which an object appears.
    pub fn incidents_of(&self, object: &ObjectRef) -> impl Iterator<Item = &Incident> {
        let mut last = None;
        self.places(object).filter_map(move |(at, _)| {
            let is_new = last.replace(at) != Some(at);
            is_new.then(|| self.incidents.get(at)).flatten()
        })
    }

    /// The worst that is said of an object.
    pub fn severity_of(&self, object: &ObjectRef) -> Option<Severity> {
        self.of(object).map(|finding| finding.severity).max()
    }

    /// How many incidents are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.incidents.iter().filter(|incident| incident.severity == severity).count()
    }

    fn places(&self, object: &ObjectRef) -> impl Iterator<Item = (usize, usize)> {
        self.by_object.get(object).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests;
