//! The findings that hold, each in a slot: what stays from one evaluation to the next, and how it is looked up.
//!
//! It does not know why a finding holds (that is `renew`'s) nor what it belongs to (`incident`'s).

use super::{Finding, RuleId, Severity, Subject};
use crate::cluster::{Kind, ObjectRef};
use jiff::Timestamp;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The place of a finding in the store.
pub type Slot = u32;
/// A subject by number, so that joining compares numbers.
pub type SubjectNumber = u32;

#[derive(Clone, Debug, Default)]
pub struct Store {
    slots: Vec<Option<Held>>,
    free: Vec<Slot>,
    subjects: Subjects,
    /// What follows a root, in the order in which it is shown.
    ranked: BTreeSet<Ranked>,
    by_object: HashMap<ObjectRef, Vec<Slot>>,
}

/// A finding, with what the join asks of it.
#[derive(Clone, Debug)]
pub struct Held {
    pub finding: Arc<Finding>,
    pub rule: RuleId,
    pub severity: Severity,
    pub kind: Option<Kind>,
    pub subject: SubjectNumber,
    pub cause: Option<SubjectNumber>,
}

/// The subjects and causes of all findings that hold.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    numbers: HashMap<Subject, SubjectNumber>,
    named: Vec<Named>,
    free: Vec<SubjectNumber>,
}

#[derive(Clone, Debug)]
struct Named {
    subject: Subject,
    /// How many findings are on it.
    told: u32,
    /// How many name it as their subject or their cause.
    uses: u32,
}

#[derive(Clone, Debug)]
struct Ranked(Arc<Finding>, Slot);

impl Ranked {
    /// By kind, then the worst, then the oldest, then by name.
    fn key(&self) -> (Option<Kind>, Reverse<Severity>, Timestamp, &Subject, RuleId) {
        let finding = &self.0;
        let since = finding.since.unwrap_or(Timestamp::MAX);
        (finding.subject.kind(), Reverse(finding.severity), since, &finding.subject, finding.rule)
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_cause = || self.0.cause.cmp(&other.0.cause);
        self.key().cmp(&other.key()).then_with(by_cause).then_with(|| self.1.cmp(&other.1))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

impl Store {
    pub fn add(&mut self, finding: Finding) -> Slot {
        let finding = Arc::new(finding);
        let subject = self.subjects.number(&finding.subject);
        self.subjects.named[subject as usize].told += 1;
        let held = Held {
            rule: finding.rule,
            severity: finding.severity,
            kind: finding.subject.kind(),
            subject,
            cause: finding.cause.as_ref().map(|cause| self.subjects.number(cause)),
            finding: Arc::clone(&finding),
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(held);
                slot
            }
            None => {
                self.slots.push(Some(held));
                Slot::try_from(self.slots.len() - 1).unwrap_or(Slot::MAX)
            }
        };
        for object in finding.objects() {
            let slots = self.by_object.entry(object.clone()).or_default();
            if slots.last() != Some(&slot) {
                slots.push(slot);
            }
        }
        self.ranked.insert(Ranked(finding, slot));
        slot
    }

    pub fn remove(&mut self, slot: Slot) {
        let Some(held) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        self.free.push(slot);
        for object in held.finding.objects() {
            if let Some(slots) = self.by_object.get_mut(object) {
                slots.retain(|kept| *kept != slot);
                if slots.is_empty() {
                    self.by_object.remove(object);
                }
            }
        }
        self.subjects.named[held.subject as usize].told -= 1;
        self.subjects.release(held.subject);
        if let Some(cause) = held.cause {
            self.subjects.release(cause);
        }
        self.ranked.remove(&Ranked(held.finding, slot));
    }

    pub fn get(&self, slot: Slot) -> Option<&Held> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub const fn slots(&self) -> usize {
        self.slots.len()
    }

    /// All that is held, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Held)> {
        (0..).zip(&self.slots).filter_map(|(slot, held)| Some((slot, held.as_ref()?)))
    }

    /// In the order of rank.
    pub fn ranked(&self) -> impl Iterator<Item = Slot> {
        self.ranked.iter().map(|ranked| ranked.1)
    }

    pub fn naming(&self, object: &ObjectRef) -> &[Slot] {
        self.by_object.get(object).map_or(&[], Vec::as_slice)
    }

    pub const fn subjects(&self) -> &Subjects {
        &self.subjects
    }
}

impl Subjects {
    fn number(&mut self, subject: &Subject) -> SubjectNumber {
        if let Some(number) = self.numbers.get(subject) {
            self.named[*number as usize].uses += 1;
            return *number;
        }
        let named = Named { subject: subject.clone(), told: 0, uses: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                self.named[number as usize] = named;
                number
            }
            None => {
                self.named.push(named);
                SubjectNumber::try_from(self.named.len() - 1).unwrap_or(SubjectNumber::MAX)
            }
        };
        self.numbers.insert(subject.clone(), number);
        number
    }

    fn release(&mut self, number: SubjectNumber) {
        let named = &mut self.named[number as usize];
        named.uses -= 1;
        if named.uses == 0 {
            self.numbers.remove(&named.subject);
            self.free.push(number);
        }
    }

    /// Numbers are below this.
    pub const fn len(&self) -> usize {
        self.named.len()
    }

    pub fn get(&self, number: SubjectNumber) -> &Subject {
        &self.named[number as usize].subject
    }

    /// How many findings are on it.
    pub fn told(&self, number: SubjectNumber) -> u32 {
        self.named[number as usize].told
    }
}
