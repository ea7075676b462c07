//! Findings joined to their root cause: one dead node is one incident, whatever hangs on it.

use super::store::{Held, Slot, Store, SubjectNumber, Subjects};
use super::{Finding, RuleId, Severity, Subject};
use crate::cluster::{Kind, ObjectRef};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub root: Arc<Finding>,
    /// What follows from it: pods, then volumes, the worst of each first.
    pub members: Vec<Arc<Finding>>,
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
        std::iter::once(&self.root).chain(&self.members).map(Arc::as_ref)
    }

    /// What follows from the root.
    pub fn following(&self) -> impl Iterator<Item = &Finding> {
        self.members.iter().map(Arc::as_ref)
    }

    /// One of its findings: 0 is the root.
    pub fn nth(&self, at: usize) -> Option<&Finding> {
        match at.checked_sub(1) {
            None => Some(&self.root),
            Some(at) => self.members.get(at).map(Arc::as_ref),
        }
    }

    pub fn since(&self) -> Option<Timestamp> {
        self.root.since
    }
}

/// The incidents of a store, and where each of its findings is: in which incident, and as which of its findings.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    pub incidents: Vec<Incident>,
    /// By slot.
    pub places: Vec<(usize, usize)>,
}

/// Joins findings by what causes what: all that leads to one subject is one incident, and the first that is said of
/// that subject is its root. A cause of which nothing is said explains nothing, but what shares one is one incident
/// all the same: the first of it stands for the others.
pub fn join(store: &Store) -> Joined {
    let causes = Causes::of(store);
    let roots = causes.roots(store.subjects());
    let root_of = |held: &Held| match causes.effective(held) {
        Some(cause) => roots[cause as usize],
        None => roots[held.subject as usize],
    };
    // The first that is said of each root.
    let mut first: Vec<Option<(Slot, &Held)>> = vec![None; store.subjects().len()];
    for (slot, held) in store.iter().filter(|(_, held)| root_of(held) == held.subject) {
        let known = &mut first[held.subject as usize];
        if known.is_none_or(|(_, known)| order(held) < order(known)) {
            *known = Some((slot, held));
        }
    }
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    let mut draft_of: Vec<Option<usize>> = vec![None; store.subjects().len()];
    for slot in store.ranked() {
        let Some(held) = store.get(slot) else { continue };
        let root = root_of(held) as usize;
        // A ring has a root of which nothing is said only where nothing is said of any of it.
        let (root_slot, root_held) = first[root].unwrap_or((slot, held));
        let at = match draft_of[root] {
            Some(at) if first[root].is_some() => at,
            Some(_) | None => {
                drafts.push(Draft::new(root_slot, root_held));
                draft_of[root] = Some(drafts.len() - 1);
                drafts.len() - 1
            }
        };
        if slot != root_slot {
            drafts[at].add(slot, held, store.subjects());
        }
    }
    drafts.sort_by_cached_key(|draft| {
        let root = &draft.root.finding;
        // Of two as bad, the one that what is said of all others hangs on.
        let is_one_of_many = root.subject != Subject::ControlPlane;
        (Reverse(draft.severity), is_one_of_many, root.since.unwrap_or(Timestamp::MAX), root.id())
    });
    let mut places = vec![(usize::MAX, 0); store.slots()];
    for (at, draft) in drafts.iter().enumerate() {
        for (within, slot) in std::iter::once(&draft.root_slot).chain(&draft.slots).enumerate() {
            places[*slot as usize] = (at, within);
        }
    }
    Joined { incidents: drafts.into_iter().map(Draft::done).collect(), places }
}

/// What comes first of the findings on one subject.
fn order(held: &Held) -> (RuleId, Option<super::FindingId>) {
    let is_told_twice = held.rule == RuleId::VolumeOnUnreadyNode;
    (held.rule, is_told_twice.then(|| held.finding.id()))
}

/// An incident that is being made.
struct Draft<'a> {
    root_slot: Slot,
    root: &'a Held,
    slots: Vec<Slot>,
    members: Vec<Arc<Finding>>,
    severity: Severity,
    pods: usize,
    volumes: usize,
    /// Subjects of which more than one thing is said, so that each counts once.
    counted: BTreeSet<SubjectNumber>,
    held_up: BTreeSet<&'a ObjectRef>,
}

impl<'a> Draft<'a> {
    fn new(root_slot: Slot, root: &'a Held) -> Self {
        Self {
            root_slot,
            root,
            slots: Vec::new(),
            members: Vec::new(),
            severity: root.severity,
            pods: 0,
            volumes: 0,
            counted: BTreeSet::new(),
            held_up: root.finding.held_up.iter().collect(),
        }
    }

    fn add(&mut self, slot: Slot, held: &'a Held, subjects: &Subjects) {
        self.severity = self.severity.max(held.severity);
        self.held_up.extend(&held.finding.held_up);
        let is_first = subjects.told(held.subject) == 1 || self.counted.insert(held.subject);
        self.pods += usize::from(is_first && held.kind == Some(Kind::Pod));
        self.volumes += usize::from(is_first && held.kind == Some(Kind::PersistentVolume));
        self.slots.push(slot);
        self.members.push(Arc::clone(&held.finding));
    }

    fn done(self) -> Incident {
        let counts = Counts { pods: self.pods, volumes: self.volumes, held_up: self.held_up.len() };
        Incident {
            root: Arc::clone(&self.root.finding),
            members: self.members,
            severity: self.severity,
            counts,
        }
    }
}

/// What is blamed for what.
struct Causes {
    /// By subject: what the first finding on it blames, of which something is said.
    of_subject: Vec<Option<SubjectNumber>>,
    /// In the place of a cause of which nothing is said: the subject of the first finding that blames it.
    stand_ins: BTreeMap<SubjectNumber, SubjectNumber>,
    is_told: Vec<bool>,
}

impl Causes {
    fn of(store: &Store) -> Self {
        let subjects = store.subjects();
        let numbers = 0..SubjectNumber::try_from(subjects.len()).unwrap_or(SubjectNumber::MAX);
        let is_told: Vec<bool> = numbers.map(|number| subjects.told(number) > 0).collect();
        let mut first: BTreeMap<SubjectNumber, &Held> = BTreeMap::new();
        for (_, held) in store.iter() {
            let Some(cause) = held.cause.filter(|cause| !is_told[*cause as usize]) else { continue };
            if is_placed(held) {
                continue;
            }
            let key = |held: &Held| (held.rule, subjects.get(held.subject));
            let known = first.entry(cause).or_insert(held);
            if key(held) < key(known) {
                *known = held;
            }
        }
        let stand_ins = first.into_iter().map(|(cause, held)| (cause, held.subject)).collect();
        let mut causes = Self { of_subject: vec![None; subjects.len()], stand_ins, is_told };
        let mut by: Vec<Option<&Held>> = vec![None; subjects.len()];
        for (_, held) in store.iter() {
            let Some(cause) = causes.effective(held) else { continue };
            let known = &mut by[held.subject as usize];
            if known.is_none_or(|known| order(held) < order(known)) {
                *known = Some(held);
                causes.of_subject[held.subject as usize] = Some(cause);
            }
        }
        causes
    }

    /// What a finding hangs on: another subject of which something is said.
    fn effective(&self, held: &Held) -> Option<SubjectNumber> {
        let cause = held.cause?;
        let told = if self.is_told[cause as usize] {
            Some(cause)
        } else {
            self.stand_ins.get(&cause).copied().filter(|_| !is_placed(held))
        };
        told.filter(|cause| *cause != held.subject)
    }

    /// Of each subject, the subject at the end of its causes.
    fn roots(&self, subjects: &Subjects) -> Vec<SubjectNumber> {
        let numbers = 0..SubjectNumber::try_from(self.of_subject.len()).unwrap_or(SubjectNumber::MAX);
        numbers.map(|number| self.root(number, subjects)).collect()
    }

    fn root(&self, number: SubjectNumber, subjects: &Subjects) -> SubjectNumber {
        // Chains are short: what has not come to an end after so many steps goes in a ring, or is looked at closely.
        let mut at = number;
        for _ in 0..8 {
            match self.of_subject[at as usize] {
                None => return at,
                Some(cause) => at = cause,
            }
        }
        let mut passed = BTreeSet::new();
        while let Some(cause) = self.of_subject[at as usize] {
            if !passed.insert(at) {
                return self.first_of_ring(at, subjects);
            }
            at = cause;
        }
        at
    }

    /// Of subjects that blame each other in a ring, the one that stands for all.
    fn first_of_ring(&self, member: SubjectNumber, subjects: &Subjects) -> SubjectNumber {
        let (mut first, mut at) = (member, member);
        while let Some(cause) = self.of_subject[at as usize].filter(|cause| *cause != member) {
            at = cause;
            if subjects.get(at) < subjects.get(first) {
                first = at;
            }
        }
        first
    }
}

/// A volume that two nodes hold keeps its causes: they are what tells the two findings apart.
fn is_placed(held: &Held) -> bool {
    held.rule == RuleId::VolumeOnUnreadyNode
}
