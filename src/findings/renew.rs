//! One evaluation after another: what nothing has touched is not judged again.
//!
//! A case is all verdicts on one subject, or that of one rule over the whole picture. It holds until something that it
//! can hang on is touched (`reach` says what that is) or the moment comes at which one of its rules wants to look
//! again. So after a change of two hundred pods a zone of a thousand dead nodes costs what two hundred pods cost, and
//! the joining.

use super::incident::{self, Joined};
use super::outage::Outages;
use super::reach::Reach;
use super::rule::{Judge, RULES, Rule, RuleId};
use super::store::{Slot, Store};
use super::{Found, Incident, Terms, View, node_lease_quiet, standstill};
use crate::cluster::{Cluster, Feed, Kind, Name, Pod, Service, Since, Text, Touched, Workload};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What stays from one evaluation to the next.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub store: Store,
    /// Where each finding is, by its slot.
    pub places: Vec<(usize, usize)>,
    cases: HashMap<Of, Verdict>,
    due: BTreeSet<(Timestamp, Of)>,
    outages: Outages,
    /// Nodes whose leases stand still, and since when.
    standing: BTreeMap<Text, Timestamp>,
    /// On what terms and when it was judged last; `None` before the first time.
    last: Option<(Timestamp, Terms)>,
    /// Above a number of nodes some rules do not look.
    looks_early: bool,
    /// Whether each kind was read and is not behind the others.
    knows: Vec<bool>,
}

/// What a case is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Of {
    Whole(RuleId),
    Node(Text),
    /// A pod, a service or a workload.
    Named(Kind, Name),
}

/// A subject of which a rule could have something to say.
#[derive(Clone, Copy, Debug)]
enum Suspect<'a> {
    Node(&'a Text),
    Pod(&'a Pod),
    Service(&'a Service),
    Workload(Workload<'a>, Since),
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
    pub blind: Vec<(RuleId, Vec<Feed>)>,
}

impl Kept {
    pub fn renew(&mut self, cluster: &Cluster, touched: &Touched, now: Timestamp, terms: &Terms) -> Renewed {
        let looks_early = node_lease_quiet::looks(cluster);
        let knows: Vec<bool> = Kind::ALL.into_iter().map(|kind| super::knows(cluster, kind, now)).collect();
        let is_same = self.last.as_ref().is_some_and(|(last, known)| *last <= now && known == terms)
            && looks_early == self.looks_early
            && knows == self.knows
            && !touched.is_everything;
        if !is_same {
            *self = Self::default();
        }
        self.looks_early = looks_early;
        self.knows = knows;
        let mut reach = if is_same { Reach::of(cluster, touched) } else { Reach::everything(cluster) };
        let standing = node_lease_quiet::standing(cluster, &terms.timers);
        if !is_same || !touched.nodes.is_empty() || standing != self.standing {
            let outages = Outages::of(cluster, &terms.places, &standing);
            self.standing = standing;
            reach.nodes.extend(outages.differs_for(&self.outages).cloned());
            self.outages = outages;
        }
        let outages = std::mem::take(&mut self.outages);
        let view = View { cluster, now, timers: &terms.timers, outages: &outages };
        let due = self.take_due(now);
        let mut blind = Vec::new();
        let mut rules: Vec<&Rule> = Vec::with_capacity(RULES.len());
        for rule in RULES {
            let unknown = |feeds: &[Feed]| -> Vec<Feed> {
                feeds.iter().copied().filter(|feed| !view.is_told(*feed)).collect()
            };
            let mut missing = unknown(rule.needs);
            if missing.is_empty() {
                rules.push(rule);
            }
            missing.extend(unknown(rule.uses));
            if !missing.is_empty() {
                blind.push((rule.id, missing));
            }
        }
        let has_storage_changed = !is_same || touched.has_storage();
        for rule in &rules {
            let of = Of::Whole(rule.id);
            let judge = match rule.judge {
                Judge::Whole(judge) => judge,
                Judge::Storage(judge) if has_storage_changed || due.contains(&of) => judge,
                Judge::Storage(_)
                | Judge::Node(_)
                | Judge::Pod(_)
                | Judge::Service(_)
                | Judge::Workload(_) => {
                    continue;
                }
            };
            let mut found = Found::default();
            judge(&view, &mut found);
            standstill::mark(cluster, &mut found.findings);
            self.put(of, found);
        }
        let is_lost = super::service_losing_requests::has_suspects(&view);
        let reached = reach.into_subjects().chain(due);
        for of in reached.collect::<BTreeSet<Of>>() {
            let suspect = suspect(cluster, &of, is_lost);
            // What is well, and was well, is most of what is touched.
            if suspect.is_none() && !self.cases.contains_key(&of) || matches!(of, Of::Whole(_)) {
                continue;
            }
            let mut found = Found::default();
            if let Some(suspect) = suspect {
                for rule in &rules {
                    judge(rule, suspect, &view, &mut found);
                }
                standstill::mark(cluster, &mut found.findings);
            }
            self.put(of, found);
        }
        self.outages = outages;
        self.last = Some((now, terms.clone()));
        let Joined { incidents, places } = incident::join(&self.store);
        self.places = places;
        // A kind that is behind is not known from some moment on.
        let behind = Kind::ALL.into_iter().filter_map(|kind| super::behind_from(cluster, kind));
        let due = self.due.first().map(|(at, _)| *at).into_iter().chain(behind);
        Renewed { incidents, next_due: due.filter(|due| *due > now).min(), blind }
    }

    /// The cases that want another look by now.
    fn take_due(&mut self, now: Timestamp) -> BTreeSet<Of> {
        let mut due = BTreeSet::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(self.due.pop_first().map(|(_, of)| of));
        }
        due
    }

    fn put(&mut self, of: Of, found: Found) {
        let Verdict { slots, due } = self.cases.remove(&of).unwrap_or_default();
        if let Some(due) = due {
            self.due.remove(&(due, of.clone()));
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
            self.due.insert((due, of.clone()));
        }
        self.cases.insert(of, Verdict { slots, due: found.next_due });
    }
}

impl Reach {
    fn into_subjects(self) -> impl Iterator<Item = Of> {
        let named = |kind| move |name| Of::Named(kind, name);
        let nodes = self.nodes.into_iter().map(Of::Node);
        let workloads = self.workloads.into_iter().map(|(kind, name)| Of::Named(kind, name));
        let pods = self.pods.into_iter().map(named(Kind::Pod));
        nodes.chain(pods).chain(self.services.into_iter().map(named(Kind::Service))).chain(workloads)
    }
}

/// The subject, unless no rule could have anything to say of it.
fn suspect<'a>(cluster: &'a Cluster, of: &'a Of, is_lost: bool) -> Option<Suspect<'a>> {
    match of {
        Of::Whole(_) => None,
        Of::Node(name) => {
            let is_gone = || cluster.absent_since(name).is_some();
            let is_suspect = cluster.node(name).map_or_else(is_gone, |node| !node.is_ready());
            is_suspect.then_some(Suspect::Node(name))
        }
        Of::Named(Kind::Pod, name) => {
            let pod = cluster.pods.get(name)?;
            (pod.meta.is_deleting() || pod.is_troubled()).then_some(Suspect::Pod(pod))
        }
        Of::Named(Kind::Service, name) => {
            let service = cluster.services.get(name)?;
            (is_lost || cluster.has_unready_pods(service)).then_some(Suspect::Service(service))
        }
        Of::Named(kind, name) => {
            cluster.unwell_workload(*kind, name).map(|(workload, seen)| Suspect::Workload(workload, seen))
        }
    }
}

fn judge(rule: &Rule, suspect: Suspect<'_>, view: &View<'_>, found: &mut Found) {
    match (rule.judge, suspect) {
        (Judge::Node(judge), Suspect::Node(name)) => judge(view, name, found),
        (Judge::Pod(judge), Suspect::Pod(pod)) => judge(view, pod, found),
        (Judge::Service(judge), Suspect::Service(service)) => judge(view, service, found),
        (Judge::Workload(judge), Suspect::Workload(workload, seen)) => judge(view, workload, seen, found),
        (
            Judge::Whole(_)
            | Judge::Storage(_)
            | Judge::Node(_)
            | Judge::Pod(_)
            | Judge::Service(_)
            | Judge::Workload(_),
            Suspect::Node(_) | Suspect::Pod(_) | Suspect::Service(_) | Suspect::Workload(..),
        ) => {}
    }
}
