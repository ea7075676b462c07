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
mod claim_stuck;
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
mod places;
mod pod_crash_looping;
mod pod_image_not_pulled;
mod pod_never_evicted;
mod pod_not_scheduled;
mod pod_stuck_terminating;
mod pods_evicted;
mod pods_not_created;
mod pods_stuck_on_node;
mod reach;
mod renew;
mod rollout_blocks_itself;
mod rollout_stuck;
mod rule;
mod scheduler_silent;
mod service_losing_requests;
mod service_without_ready_pods;
mod standstill;
mod stateful_set_blocked;
mod store;
mod subject;
mod update_refused;
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
pub use places::Places;
pub use rule::{Judge, RULES, Rule, RuleId};
pub use subject::Subject;

use crate::cluster::{Cluster, Feed, Kind, ObjectRef, Row, Timers, Touched};
use jiff::{SignedDuration, Timestamp};
use outage::Outages;
use renew::{Kept, Renewed};

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
        knows(self.cluster, kind, self.now)
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

fn knows(cluster: &Cluster, kind: Kind, now: Timestamp) -> bool {
    cluster.has_read(kind) && behind_from(cluster, kind).is_none_or(|due| due > now)
}

/// The moment from which on a kind is behind the others.
fn behind_from(cluster: &Cluster, kind: Kind) -> Option<Timestamp> {
    cluster.behind_since(kind)?.checked_add(BEHIND).ok()
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

/// On what terms the rules judge: what the user and the server's version say, and not the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub timers: Timers,
    pub places: Places,
}

/// The findings of one evaluation, joined and in order.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Worst first; the order stays the same from one evaluation to the next while nothing changes.
    pub incidents: Vec<Incident>,
    /// The earliest moment at which an evaluation of the same cluster could give another answer.
    pub next_due: Option<Timestamp>,
    /// Rules that could not judge, or not everything, and what they did without.
    pub blind: Vec<(RuleId, Vec<Feed>)>,
    /// What the next evaluation begins with.
    kept: Kept,
}

/// What they say counts, and not how they came to it.
impl PartialEq for Findings {
    fn eq(&self, other: &Self) -> bool {
        (&self.incidents, self.next_due, &self.blind) == (&other.incidents, other.next_due, &other.blind)
    }
}

impl Eq for Findings {}

/// All rules over the whole picture, with the usual places.
pub fn evaluate(cluster: &Cluster, now: Timestamp, timers: &Timers) -> Findings {
    let mut findings = Findings::default();
    let terms = Terms { timers: *timers, places: Places::default() };
    findings.renew(cluster, &Touched::default(), now, &terms);
    findings
}

impl Findings {
    /// Brings them up to date: `touched` is what has changed in the cluster since the last time. What comes out is
    /// what a judgement of the whole picture would give.
    pub fn renew(&mut self, cluster: &Cluster, touched: &Touched, now: Timestamp, terms: &Terms) {
        let Renewed { incidents, next_due, blind } = self.kept.renew(cluster, touched, now, terms);
        (self.incidents, self.next_due, self.blind) = (incidents, next_due, blind);
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
        self.places(object).into_iter().filter_map(|(at, within)| self.incidents.get(at)?.nth(within))
    }

    /// The incidents in which an object appears.
    pub fn incidents_of(&self, object: &ObjectRef) -> impl Iterator<Item = &Incident> {
        let mut last = None;
        self.places(object).into_iter().filter_map(move |(at, _)| {
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

    /// The findings that name an object: the incident's place, and the finding's within it (0 is the root).
    fn places(&self, object: &ObjectRef) -> Vec<(usize, usize)> {
        let slots = self.kept.store.naming(object);
        let mut places: Vec<(usize, usize)> = slots
            .iter()
            .filter_map(|slot| self.kept.places.get(usize::try_from(*slot).ok()?).copied())
            .collect();
        places.sort_unstable();
        places
    }
}

#[cfg(test)]
mod tests;
