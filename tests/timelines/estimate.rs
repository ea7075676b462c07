//! What a finding announces for a moment, held against the moment at which it comes.

use jiff::{SignedDuration, Timestamp};
use sickbay::cluster::{Change, Cluster, Delta, Pod, Readiness};
use sickbay::findings::{Awaited, Bound, Clock, FindingId, Findings, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// What came true in one batch of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A pod of a node was told to go.
    Told { node: String },
    /// A pod of a node was removed.
    Removed { node: String },
    /// The attachment of a volume was told to go.
    Detached { volume: String },
    /// The controller gave a node up.
    Silent { node: String },
    /// A container of a pod was started again.
    Restarted { pod: String },
}

/// An announcement that has been judged.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub id: FindingId,
    pub said: Timestamp,
    pub clock: Clock,
    /// `None` if it was withdrawn before its moment.
    pub came: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub struct Estimates {
    standing: BTreeMap<FindingId, Standing>,
    pub verdicts: Vec<Verdict>,
}

/// An eviction or a collection waits for the controller's round.
const LATE: SignedDuration = SignedDuration::from_secs(10);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

impl Verdict {
    /// Whether it came when it was said to.
    pub fn is_true(&self) -> bool {
        let Clock { at, bound, .. } = self.clock;
        let Some(came) = self.came else { return true };
        match bound {
            Bound::Exact => came.duration_since(at).abs() <= SECOND,
            Bound::NotBefore => came >= at - SECOND && came <= at + LATE,
            Bound::AtLatest => came <= at + SECOND,
            Bound::Halted => false,
        }
    }
}

/// What is announced, since when, and the objects that it is about.
#[derive(Debug)]
struct Standing {
    said: Timestamp,
    clock: Clock,
    names: BTreeSet<String>,
}

impl Estimates {
    /// What happened is held against what stands announced.
    pub fn judge(&mut self, events: &[Event], now: Timestamp) {
        for event in events {
            let kept = self.standing.extract_if(.., |_, standing| is_about(event, standing));
            let verdicts =
                kept.map(|(id, Standing { said, clock, .. })| Verdict { id, said, clock, came: Some(now) });
            self.verdicts.extend(verdicts);
        }
    }

    /// What is announced now; what is no longer, or is otherwise, has been withdrawn.
    pub fn announce(&mut self, findings: &Findings, now: Timestamp) {
        let mut before = std::mem::take(&mut self.standing);
        for finding in findings.iter() {
            let Some(clock) = finding.clock.filter(|clock| clock.what != Awaited::Deadline) else { continue };
            let id = finding.id();
            let objects = finding.objects().chain(finding.cause.as_ref().and_then(Subject::object));
            let names = objects.map(|object| object.name.name.to_string()).collect();
            let mut standing = Standing { said: now, clock, names };
            if let Some(known) = before.remove(&id) {
                if known.clock == clock {
                    standing.said = known.said;
                } else {
                    before.insert(id.clone(), known);
                }
            }
            self.standing.insert(id, standing);
        }
        let withdrawn = before.into_iter().map(|(id, Standing { said, clock, .. })| Verdict {
            id,
            said,
            clock,
            came: None,
        });
        self.verdicts.extend(withdrawn);
    }

    /// What should have come long ago.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = (&FindingId, &Clock)> {
        let is_late = move |clock: &Clock| now > clock.at + LATE;
        let standing = self.standing.iter().map(|(id, standing)| (id, &standing.clock));
        standing.filter(move |(_, clock)| is_late(clock))
    }
}

fn is_about(event: &Event, standing: &Standing) -> bool {
    let name = match (event, standing.clock.what) {
        (Event::Told { node }, Awaited::Eviction)
        | (Event::Removed { node }, Awaited::Collection)
        | (Event::Silent { node }, Awaited::Silence) => node,
        (Event::Detached { volume }, Awaited::ForceDetach) => volume,
        (Event::Restarted { pod }, Awaited::Restart) => pod,
        (
            Event::Told { .. }
            | Event::Removed { .. }
            | Event::Silent { .. }
            | Event::Detached { .. }
            | Event::Restarted { .. },
            _,
        ) => return false,
    };
    standing.names.contains(name)
}

/// What changes bring about, seen from the cluster before they are taken in.
pub fn events(before: &Cluster, changes: &[Change]) -> Vec<Event> {
    changes.iter().filter_map(|change| event(before, change)).collect()
}

fn event(before: &Cluster, change: &Change) -> Option<Event> {
    match change {
        Change::Pod(Delta::Apply(pod)) => {
            let old = before.pods.get(&pod.meta.name)?;
            if pod.meta.is_deleting() && !old.meta.is_deleting() {
                return Some(Event::Told { node: pod.node.to_string() });
            }
            let restarts =
                |pod: &Pod| pod.containers.iter().map(|container| i64::from(container.restarts)).sum::<i64>();
            (restarts(pod) > restarts(old)).then(|| Event::Restarted { pod: pod.meta.name.name.to_string() })
        }
        Change::Pod(Delta::Delete { name, .. }) => {
            before.pods.get(name).map(|old| Event::Removed { node: old.node.to_string() })
        }
        Change::VolumeAttachment(Delta::Apply(one)) => {
            let old = before.volume_attachments.get(&one.meta.name)?;
            let is_told = one.meta.is_deleting() && !old.meta.is_deleting();
            is_told.then(|| Event::Detached { volume: one.volume.to_string() })
        }
        Change::VolumeAttachment(Delta::Delete { name, .. }) => {
            let old = before.volume_attachments.get(name)?;
            (!old.meta.is_deleting()).then(|| Event::Detached { volume: old.volume.to_string() })
        }
        Change::Node(Delta::Apply(node)) => {
            let old = before.nodes.get(&node.meta.name)?;
            let is_given_up = node.readiness() == Readiness::Silent && old.readiness() != Readiness::Silent;
            is_given_up.then(|| Event::Silent { node: node.meta.name.name.to_string() })
        }
        _ => None,
    }
}
