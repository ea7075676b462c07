//! Findings joined to their root cause: one dead node is one incident, whatever hangs on it.

use super::{Finding, RuleId, Severity, Subject};
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
            let objects = members.iter().filter_map(|member| member.subject.object());
            objects.filter(|object| object.kind == kind).collect()
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
fn rank(finding: &Finding) -> (Option<Kind>, Reverse<Severity>, Timestamp, Subject) {
    let since = finding.since.unwrap_or(Timestamp::MAX);
    (finding.subject.kind(), Reverse(finding.severity), since, finding.subject.clone())
}

/// Joins findings by what causes what: all that leads to one subject is one incident, and the first that is said of
/// that subject is its root. A cause of which nothing is said explains nothing, but what shares one is one incident
/// all the same: the first of it stands for the others.
pub fn join(mut findings: Vec<Finding>) -> Vec<Incident> {
    stand_in(&mut findings);
    let roots = roots(&findings);
    let mut joined: BTreeMap<Subject, (Finding, Vec<Finding>)> = BTreeMap::new();
    let mut members: BTreeMap<Subject, Vec<Finding>> = BTreeMap::new();
    let mut alone = Vec::new();
    for finding in findings {
        let root = match &finding.cause {
            Some(cause) => roots.get(cause).filter(|_| *cause != finding.subject),
            None => None,
        };
        let root = root.or_else(|| roots.get(&finding.subject)).unwrap_or(&finding.subject).clone();
        if root == finding.subject && !joined.contains_key(&root) {
            joined.insert(root, (finding, Vec::new()));
        } else {
            members.entry(root).or_default().push(finding);
        }
    }
    for (root, more) in members {
        match joined.get_mut(&root) {
            Some((_, members)) => members.extend(more),
            None => alone.extend(more),
        }
    }
    let joined = joined.into_values().map(|(root, members)| Incident::new(root, members));
    let alone = alone.into_iter().map(|finding| Incident::new(finding, Vec::new()));
    let mut incidents: Vec<Incident> = joined.chain(alone).collect();
    incidents.sort_by_cached_key(|incident| {
        let root = &incident.root;
        // Of two as bad, the one that what is said of all others hangs on.
        let is_one_of_many = root.subject != Subject::ControlPlane;
        (Reverse(incident.severity), is_one_of_many, root.since.unwrap_or(Timestamp::MAX), root.id())
    });
    incidents
}

/// Puts the first that is said in the place of a cause of which nothing is said. A volume that two nodes hold keeps
/// its causes: they are what tells the two findings apart.
fn stand_in(findings: &mut [Finding]) {
    let told: BTreeSet<Subject> = findings.iter().map(|finding| finding.subject.clone()).collect();
    let mut first: BTreeMap<Subject, Subject> = BTreeMap::new();
    for finding in findings.iter_mut().filter(|finding| finding.rule != RuleId::VolumeOnUnreadyNode) {
        let Some(cause) = finding.cause.take_if(|cause| !told.contains(cause)) else { continue };
        let stands = first.entry(cause).or_insert_with(|| finding.subject.clone());
        finding.cause = (*stands != finding.subject).then(|| stands.clone());
    }
}

/// Of each subject of which something is said, the subject at the end of its causes.
fn roots(findings: &[Finding]) -> BTreeMap<Subject, Subject> {
    let mut causes: BTreeMap<&Subject, Option<&Subject>> = BTreeMap::new();
    for finding in findings {
        causes.entry(&finding.subject).or_default();
    }
    for finding in findings {
        let cause = finding.cause.as_ref().filter(|cause| **cause != finding.subject);
        if let Some(cause) = cause.filter(|cause| causes.contains_key(cause)) {
            causes.entry(&finding.subject).and_modify(|known| *known = known.or(Some(cause)));
        }
    }
    let root = |subject: &Subject| {
        let mut at = subject;
        let mut passed = BTreeSet::from([at]);
        while let Some(Some(cause)) = causes.get(at) {
            if !passed.insert(cause) {
                return first_of_ring(&causes, cause).clone();
            }
            at = cause;
        }
        at.clone()
    };
    causes.keys().map(|subject| ((*subject).clone(), root(subject))).collect()
}

/// Of subjects that blame each other in a ring, the one that stands for all.
fn first_of_ring<'a>(
    causes: &BTreeMap<&'a Subject, Option<&'a Subject>>,
    member: &'a Subject,
) -> &'a Subject {
    let (mut first, mut at) = (member, member);
    while let Some(Some(cause)) = causes.get(at) {
        if *cause == member {
            break;
        }
        at = cause;
        first = first.min(at);
    }
    first
}
