//! Findings joined to their root cause: one dead node is one incident, whatever hangs on it.

use super::{Finding, Severity};
use crate::cluster::{Kind, ObjectRef};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub root: Finding,
    /// What follows from it: pods, then volumes, the worst of each first.
    pub members: Vec<Finding>,
    /// The worst of all its findings.
    pub severity: Severity,
    pub counts: Counts,
}

/// How many objects hang on an incident besides its root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pods that are stuck.
    pub pods: usize,
    /// Volumes that are held.
    pub volumes: usize,
    /// Pods elsewhere that wait.
    pub held_up: usize,
}

impl Incident {
    /// The root first, then the members.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.root).chain(&self.members)
    }

    pub const fn since(&self) -> Option<Timestamp> {
        self.root.since
    }

    fn new(root: Finding, mut members: Vec<Finding>) -> Self {
        members.sort_by_cached_key(rank);
        let severity = members.iter().map(|member| member.severity).fold(root.severity, Severity::max);
        let subjects = |kind| -> BTreeSet<&ObjectRef> {
            members.iter().map(|member| &member.subject).filter(|subject| subject.kind == kind).collect()
        };
        let held_up: BTreeSet<&ObjectRef> =
            std::iter::once(&root).chain(&members).flat_map(|finding| &finding.held_up).collect();
        let counts = Counts {
            pods: subjects(Kind::Pod).len(),
            volumes: subjects(Kind::PersistentVolume).len(),
            held_up: held_up.len(),
        };
        Self { root, members, severity, counts }
    }
}

/// What follows a root: by kind, then the worst, then the oldest, then by name.
fn rank(finding: &Finding) -> (Kind, Reverse<Severity>, Timestamp, ObjectRef) {
    let since = finding.since.unwrap_or(Timestamp::MAX);
    (finding.subject.kind, Reverse(finding.severity), since, finding.subject.clone())
}

/// Joins findings whose cause has a finding of its own to that one; the rest are incidents by themselves.
pub fn join(findings: Vec<Finding>) -> Vec<Incident> {
    let roots: BTreeSet<ObjectRef> = findings
        .iter()
        .filter(|finding| finding.cause.is_none())
        .map(|finding| finding.subject.clone())
        .collect();
    let mut members: BTreeMap<ObjectRef, Vec<Finding>> = BTreeMap::new();
    let mut alone = Vec::new();
    for finding in findings {
        match &finding.cause {
            Some(cause) if roots.contains(cause) => {
                members.entry(cause.clone()).or_default().push(finding);
            }
            Some(_) | None => alone.push(finding),
        }
    }
    let mut incidents: Vec<Incident> = alone
        .into_iter()
        .map(|root| {
            let members = match root.cause {
                None => members.remove(&root.subject).unwrap_or_default(),
                Some(_) => Vec::new(),
            };
            Incident::new(root, members)
        })
        .collect();
    incidents.sort_by_cached_key(|incident| {
        let root = &incident.root;
        (Reverse(incident.severity), root.since.unwrap_or(Timestamp::MAX), root.id())
    });
    incidents
}
