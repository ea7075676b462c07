//! One evaluation after another: what nothing has touched is not judged again.
//!
//! A case is one rule's verdict on one subject, or on the whole picture. It holds until something that it can hang
//! on is touched (`reach` says what that is) or the moment comes at which its rule wants to look again. So after a
//! change of two hundred pods a zone of a thousand dead nodes costs what two hundred pods cost, and the joining.

use super::incident::{self, Joined};
use super::outage::Outages;
use super::reach::Reach;
use super::rule::{Judge, RULES, Rule, RuleId};
use super::store::{Slot, Store};
use super::{Found, Incident, Terms, View};
use crate::cluster::{Cluster, Kind, Name, Text, Touched};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// What stays from one evaluation to the next.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub store: Store,
    /// Where each finding is, by its slot.
    pub places: Vec<(usize, usize)>,
    cases: HashMap<Case, Verdict>,
    due: BTreeSet<(Timestamp, Case)>,
    outages: Outages,
    /// On what terms and when it was judged last; `None` before the first time.
    last: Option<(Timestamp, Terms)>,
    /// Above a number of nodes some rules do not look.
    looks_early: bool,
}

/// One rule and what it judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Case {
    rule: RuleId,
    of: Of,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Of {
    Whole,
    Node(Text),
    /// A pod, a service or a workload.
    Named(Kind, Name),
}

#[derive(Clone, Debug, Default)]
struct Verdict {
    slots: Vec<Slot>,
    due: Option<Timestamp>,
}

/// The outcome of one evaluation.
pub struct Renewed {
    pub incidents: Vec<Incident>,
    pub next_due: Option<Timestamp>,
    pub blind: Vec<(RuleId, Vec<Kind>)>,
}

impl Kept {
    pub fn renew(&mut self, cluster: &Cluster, touched: &Touched, now: Timestamp, terms: &Terms) -> Renewed {
        let looks_early = super::node_lease_quiet::looks(cluster);
        let is_same = self.last.as_ref().is_some_and(|(last, known)| *last <= now && known == terms)
            && looks_early == self.looks_early
            && !touched.is_everything;
        if !is_same {
            *self = Self::default();
        }
        self.looks_early = looks_early;
        let mut reach = if is_same { Reach::of(cluster, touched) } else { Reach::everything(cluster) };
        if !is_same || !touched.nodes.is_empty() {
            let outages = Outages::of(cluster, &terms.places);
            reach.nodes.extend(outages.differs_for(&self.outages).cloned());
            self.outages = outages;
        }
        let outages = std::mem::take(&mut self.outages);
        let view = View { cluster, now, timers: &terms.timers, outages: &outages };
        let due = self.take_due(now);
        let mut blind = Vec::new();
        for rule in RULES {
            let missing: Vec<Kind> =
                rule.needs.iter().copied().filter(|kind| !cluster.has_read(*kind)).collect();
            if !missing.is_empty() {
                blind.push((rule.id, missing));
                continue;
            }
            for of in cases(rule, &reach, &due) {
                let found = judge(rule, &of, &view);
                self.put(Case { rule: rule.id, of }, found);
            }
        }
        self.outages = outages;
        self.last = Some((now, terms.clone()));
        let Joined { incidents, places } = incident::join(&self.store);
        self.places = places;
        Renewed { incidents, next_due: self.due.first().map(|(at, _)| *at), blind }
    }

    /// The cases that want another look by now.
    fn take_due(&mut self, now: Timestamp) -> BTreeSet<Case> {
        let mut due = BTreeSet::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(self.due.pop_first().map(|(_, case)| case));
        }
        due
    }

    fn put(&mut self, case: Case, found: Found) {
        let Verdict { slots, due } = self.cases.remove(&case).unwrap_or_default();
        if let Some(due) = due {
            self.due.remove(&(due, case.clone()));
        }
        let is_same = slots.len() == found.findings.len()
            && slots
                .iter()
                .zip(&found.findings)
                .all(|(slot, finding)| self.store.get(*slot).is_some_and(|held| *held.finding == *finding));
        let slots = if is_same {
            slots
        } else {
            for slot in slots {
                self.store.remove(slot);
            }
            found.findings.into_iter().map(|finding| self.store.add(finding)).collect()
        };
        if slots.is_empty() && found.next_due.is_none() {
            return;
        }
        if let Some(due) = found.next_due {
            self.due.insert((due, case.clone()));
        }
        self.cases.insert(case, Verdict { slots, due: found.next_due });
    }
}

/// What of a rule is to be judged: what was reached, and what is due.
fn cases(rule: &Rule, reach: &Reach, due: &BTreeSet<Case>) -> BTreeSet<Of> {
    let mut cases: BTreeSet<Of> = match rule.judge {
        Judge::Whole(_) => [Of::Whole].into(),
        Judge::Node(_) => reach.nodes.iter().cloned().map(Of::Node).collect(),
        Judge::Pod(_) => reach.pods.iter().cloned().map(|name| Of::Named(Kind::Pod, name)).collect(),
        Judge::Service(_) => {
            reach.services.iter().cloned().map(|name| Of::Named(Kind::Service, name)).collect()
        }
        Judge::Workload(_) => {
            reach.workloads.iter().cloned().map(|(kind, name)| Of::Named(kind, name)).collect()
        }
    };
    cases.extend(due.iter().filter(|case| case.rule == rule.id).map(|case| case.of.clone()));
    cases
}

fn judge(rule: &Rule, of: &Of, view: &View<'_>) -> Found {
    let mut found = Found::default();
    let cluster = view.cluster;
    match (rule.judge, of) {
        (Judge::Whole(judge), _) => judge(view, &mut found),
        (Judge::Node(judge), Of::Node(name)) => judge(view, name, &mut found),
        (Judge::Pod(judge), Of::Named(_, name)) => {
            if let Some(pod) = cluster.pods.get(name) {
                judge(view, pod, &mut found);
            }
        }
        (Judge::Service(judge), Of::Named(_, name)) => {
            if let Some(service) = cluster.services.get(name) {
                judge(view, service, &mut found);
            }
        }
        (Judge::Workload(judge), Of::Named(kind, name)) => {
            if let Some((workload, seen)) = cluster.unwell_workload(*kind, name) {
                judge(view, workload, seen, &mut found);
            }
        }
        (Judge::Node(_), Of::Whole | Of::Named(..))
        | (Judge::Pod(_) | Judge::Service(_) | Judge::Workload(_), Of::Whole | Of::Node(_)) => {}
    }
    found
}
