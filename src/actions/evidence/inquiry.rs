//! What is asked live about one silent machine, and what came back.
//!
//! The lease is read twice, the second time with all else and at the very end; after a dangerous request it is read
//! every second, for a sign of life. It asks nobody itself: it says what to ask, and takes the answers.

use super::facts::{Leadership, Speech};
use super::{APART, FRESH};
use crate::actions::errand::{Errand, Purpose};
use crate::actions::others::Survey;
use crate::actions::{Access, Answer, CallError, Probe};
use crate::cluster::{Cluster, Lease, Node, ObjectRef, Phase, Pod, Readiness, Row as _, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// One live read of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub lease: Lease,
    /// By the local monotonic clock, before and after.
    pub asked: SignedDuration,
    pub answered: SignedDuration,
    /// When it was asked for.
    pub at: Timestamp,
}

/// One live read of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub row: Node,
    pub at: Timestamp,
}

/// A read of the controller-manager's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    pub renewed: Option<Timestamp>,
    pub acquired: Option<Timestamp>,
    pub holder: Text,
}

/// The clocks run with each other to less than this.
const SLACK: SignedDuration = SignedDuration::from_millis(200);
/// Between two reads for a sign of life.
const PULSE: SignedDuration = SignedDuration::from_secs(1);
/// What was asked and not answered by then is asked again.
const UNANSWERED: SignedDuration = SignedDuration::from_secs(20);
/// Who failed to answer is left alone for so long.
const REST: SignedDuration = SignedDuration::from_secs(2);
/// A leader that gave no sign of life for so long is silent: longer than any renews its lease.
const LEADERS_WORD: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    node: ObjectRef,
    /// Of when it was first looked at: whoever has another one lives.
    first: Option<Reading>,
    last: Option<Reading>,
    has_moved: bool,
    /// Why it could not be read the last time.
    unread: Option<Text>,
    seen: Option<Seen>,
    speech: Option<Speech>,
    survey: Option<Survey>,
    /// What the machine is asked whether it answers, where that is configured, and what came back.
    probe: Option<Errand>,
    echo: Option<Speech>,
    leader: Led,
    rights: BTreeMap<Access, Answer>,
    /// What is on its way, and since when.
    open: Vec<(Probe, Timestamp)>,
    /// When something was asked last.
    asked: Option<Timestamp>,
    /// Some of it could not be answered.
    has_failed: bool,
    /// The boot that it was in when it was first read.
    boot: Option<Text>,
    round: Round,
}

/// How far the asking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    First,
    /// Everything but what has to be freshest.
    Around,
    /// The node and its lease.
    Last,
    Done,
}

/// A command may take longer than a server.
fn patience(probe: &Probe) -> SignedDuration {
    match probe {
        Probe::Errand(errand) => UNANSWERED.saturating_add(errand.limit),
        Probe::May(_)
        | Probe::DryRun(_)
        | Probe::PodsOn(_)
        | Probe::Needed(_)
        | Probe::Lease(_)
        | Probe::Node(_)
        | Probe::Log { .. }
        | Probe::Leader
        | Probe::Others(_)
        | Probe::Autoscalers { .. }
        | Probe::Quotas { .. } => UNANSWERED,
    }
}

/// What the controller-manager's lease has shown. It is judged by when it was seen to move, as all leases are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Led {
    /// As it was last read, and when that was asked.
    before: Option<(Leader, Timestamp)>,
    /// It was certainly renewed after this.
    moved_after: Option<Timestamp>,
    /// What came back in this round, and when that was asked.
    now: Option<(Answer, Option<Timestamp>)>,
}

impl Led {
    fn take(&mut self, answer: &Answer, asked: Option<Timestamp>) {
        if let Answer::Leader(read) = answer {
            if let Some((known, at)) = &self.before
                && (known.renewed != read.renewed || known.holder != read.holder)
            {
                self.moved_after = Some(*at);
            }
            self.before = asked.map(|asked| (read.clone(), asked));
        }
        self.now = Some((answer.clone(), asked));
    }
}

/// What is known of rights.
#[derive(Debug, Default)]
pub struct Rights {
    pub denied: Vec<Access>,
    pub are_known: bool,
}

impl Inquiry {
    pub fn new(node: &ObjectRef) -> Self {
        Self {
            node: node.clone(),
            first: None,
            last: None,
            has_moved: false,
            unread: None,
            seen: None,
            speech: None,
            survey: None,
            probe: None,
            echo: None,
            leader: Led::default(),
            rights: BTreeMap::new(),
            open: Vec::new(),
            asked: None,
            has_failed: false,
            boot: None,
            round: Round::First,
        }
    }

    /// With the command that asks the machine itself whether it answers.
    pub fn with_probe(self, probe: Option<&Errand>) -> Self {
        Self { probe: probe.cloned(), ..self }
    }

    /// That a review asks these now, for all that it is about.
    pub fn awaits(&mut self, probes: &[Probe], now: Timestamp) {
        let is_of_it = |probe: &&Probe| match probe {
            Probe::Lease(node) | Probe::Node(node) | Probe::Log { node, .. } | Probe::Others(node) => {
                *node == self.node
            }
            Probe::Leader => true,
            Probe::Errand(errand) => self.probe.as_ref() == Some(errand),
            Probe::May(_)
            | Probe::DryRun(_)
            | Probe::PodsOn(_)
            | Probe::Needed(_)
            | Probe::Autoscalers { .. }
            | Probe::Quotas { .. } => false,
        };
        self.open = probes.iter().filter(is_of_it).map(|probe| (probe.clone(), now)).collect();
    }

    /// What a review asks at first, beside who leads.
    pub fn at_review(node: &ObjectRef) -> [Probe; 3] {
        [Probe::Lease(node.clone()), Probe::Node(node.clone()), Probe::Others(node.clone())]
    }

    /// What to ask now.
    pub fn asks(&mut self, accesses: &[Access], cluster: &Cluster, now: Timestamp) -> Vec<Probe> {
        self.open.retain(|(probe, since)| now.duration_since(*since) < patience(probe));
        let is_resting = self.has_failed && self.asked.is_some_and(|at| now.duration_since(at) < REST);
        if !self.open.is_empty() || is_resting {
            return Vec::new();
        }
        if self.round == Round::First {
            if let Some(first) = &self.first {
                if now.duration_since(first.at) < APART.saturating_add(SLACK) {
                    return Vec::new();
                }
                self.round = Round::Around;
                self.leader.now = None;
            } else {
                return self.ask(vec![Probe::Lease(self.node.clone()), Probe::Leader], now);
            }
        }
        if self.round == Round::Around {
            let mut missing: Vec<Probe> = accesses
                .iter()
                .filter(|access| !self.rights.contains_key(*access))
                .map(|access| Probe::May(access.clone()))
                .collect();
            if self.leader.now.is_none() {
                missing.push(Probe::Leader);
            }
            if self.speech.is_none() {
                match listened(&self.node, cluster) {
                    Some(probe) => missing.push(probe),
                    None => self.speech = Some(Speech::NotKnown("no pod is there to ask".into())),
                }
            }
            if self.survey.is_none() {
                missing.push(Probe::Others(self.node.clone()));
            }
            if let (Some(probe), None) = (&self.probe, &self.echo) {
                missing.push(Probe::Errand(probe.clone()));
            }
            if !missing.is_empty() {
                return self.ask(missing, now);
            }
            self.round = Round::Last;
            // A moment later than anything before: the two reads are one answer.
            return self.ask(vec![Probe::Node(self.node.clone()), Probe::Lease(self.node.clone())], now);
        }
        if self.round == Round::Last {
            self.round = Round::Done;
        }
        Vec::new()
    }

    fn ask(&mut self, probes: Vec<Probe>, now: Timestamp) -> Vec<Probe> {
        self.open.extend(probes.iter().map(|probe| (probe.clone(), now)));
        self.asked = Some(now);
        self.has_failed = false;
        probes
    }

    /// Whether all was asked and answered.
    pub fn is_done(&self) -> bool {
        self.round == Round::Done && self.open.is_empty()
    }

    /// Whether it is not asked again in the same moment.
    pub fn has_rested(&self, now: Timestamp) -> bool {
        self.asked.is_none_or(|asked| now.duration_since(asked) >= FRESH)
    }

    /// When the lease is read for the second time, while that is waited for.
    pub fn next_read(&self) -> Option<Timestamp> {
        let first = self.first.as_ref().filter(|_| self.round == Round::First)?;
        first.at.checked_add(APART.saturating_add(SLACK)).ok()
    }

    /// Asks all that has to be fresh once more.
    pub fn again(&mut self) {
        self.round = Round::First;
        self.speech = None;
        self.survey = None;
        self.echo = None;
        self.seen = None;
        self.leader.now = None;
        self.rights.clear();
        self.open.clear();
    }

    /// After a dangerous request: one read of the lease each second.
    pub fn pulse(&mut self, now: Timestamp) -> Option<Probe> {
        let last = self.last.as_ref().map(|last| last.at);
        self.ask_each_second(Probe::Lease(self.node.clone()), last, now)
    }

    /// After a sign of life: one read of the node each second.
    pub fn look(&mut self, now: Timestamp) -> Option<Probe> {
        let last = self.seen.as_ref().map(|seen| seen.at);
        self.ask_each_second(Probe::Node(self.node.clone()), last, now)
    }

    fn ask_each_second(&mut self, probe: Probe, last: Option<Timestamp>, now: Timestamp) -> Option<Probe> {
        self.open.retain(|(_, since)| now.duration_since(*since) < FRESH);
        let is_due = last.is_none_or(|last| now.duration_since(last) >= PULSE);
        if !is_due || !self.open.is_empty() {
            return None;
        }
        self.open.push((probe.clone(), now));
        Some(probe)
    }

    /// An answer, if it is to one of its questions.
    pub fn hear(&mut self, probe: &Probe, answer: &Answer) {
        if let Some(at) = self.open.iter().position(|(open, _)| open == probe) {
            let (_, asked) = self.open.remove(at);
            self.has_failed |= matches!(answer, Answer::Failed(_));
            self.take(probe, answer, Some(asked));
        }
    }

    /// An answer, whoever has asked.
    pub fn overhear(&mut self, probe: &Probe, answer: &Answer) {
        let asked = self.open.iter().find(|(open, _)| open == probe).map(|(_, asked)| *asked);
        self.open.retain(|(open, _)| open != probe);
        self.has_failed |= asked.is_some() && matches!(answer, Answer::Failed(_));
        self.take(probe, answer, asked);
    }

    fn take(&mut self, probe: &Probe, answer: &Answer, asked: Option<Timestamp>) {
        match (probe, answer) {
            (Probe::Lease(node), Answer::Lease(reading)) if *node == self.node => {
                self.unread = None;
                self.read(reading);
            }
            (Probe::Lease(node), Answer::Failed(error)) if *node == self.node => {
                self.unread = Some(error.reason().into());
            }
            (Probe::Node(node), Answer::Node(seen)) if *node == self.node => {
                self.boot.get_or_insert_with(|| seen.row.boot_id.clone());
                self.seen = Some((**seen).clone());
            }
            (Probe::Log { node, .. }, Answer::Speech(speech)) if *node == self.node => {
                self.speech = Some(speech.clone());
            }
            (Probe::Others(node), Answer::Others(survey)) if *node == self.node => {
                self.survey = Some(survey.clone());
            }
            (Probe::Errand(errand), Answer::Ran(ran))
                if errand.node == self.node && errand.purpose == Purpose::Probe =>
            {
                self.echo = Some(if ran.ended.is_success() {
                    Speech::Life(ran.summary().into())
                } else {
                    Speech::Silence(ran.summary().into())
                });
            }
            (Probe::Leader, answer) => self.leader.take(answer, asked),
            (Probe::May(access), answer) => {
                self.rights.insert(access.clone(), answer.clone());
            }
            // Of another node, or no answer: it is missing then, and that is an objection.
            (
                Probe::Lease(_)
                | Probe::Node(_)
                | Probe::Log { .. }
                | Probe::Others(_)
                | Probe::DryRun(_)
                | Probe::PodsOn(_)
                | Probe::Needed(_)
                | Probe::Autoscalers { .. }
                | Probe::Quotas { .. }
                | Probe::Errand(_),
                _,
            ) => {}
        }
    }

    fn read(&mut self, reading: &Reading) {
        let is_other = |known: &Reading| {
            known.lease.renewed != reading.lease.renewed || known.lease.uid != reading.lease.uid
        };
        if self.first.as_ref().is_some_and(is_other) {
            self.has_moved = true;
        }
        if self.first.is_none() {
            self.first = Some(reading.clone());
        } else {
            self.last = Some(reading.clone());
        }
    }

    // -- readings ------------------------------------------------------------------------------------------------

    pub const fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// Why the lease could not be read, where that is what is waited for.
    pub const fn unread(&self) -> Option<&Text> {
        self.unread.as_ref()
    }

    pub fn leases(&self) -> Option<(Reading, Reading)> {
        self.first.clone().zip(self.last.clone())
    }

    pub const fn speech(&self) -> Option<&Speech> {
        self.speech.as_ref()
    }

    pub const fn survey(&self) -> Option<&Survey> {
        self.survey.as_ref()
    }

    /// What the machine itself answers; that nobody asks it proves nothing.
    pub fn echo(&self) -> Option<Speech> {
        match &self.probe {
            Some(_) => self.echo.clone(),
            None => Some(Speech::NotKnown("no probe is configured".into())),
        }
    }

    pub fn rights(&self, accesses: &[Access]) -> Rights {
        let mut rights = Rights { denied: Vec::new(), are_known: true };
        for access in accesses {
            match self.rights.get(access) {
                // Who may not even ask finds out by trying.
                Some(Answer::Yes | Answer::Failed(CallError::Forbidden { .. })) => {}
                Some(Answer::No { .. }) => rights.denied.push(access.clone()),
                Some(_) | None => rights.are_known = false,
            }
        }
        rights
    }

    pub fn leadership(&self) -> Leadership {
        match &self.leader.now {
            Some((Answer::Leader(last), asked)) => {
                let has_moved = asked
                    .zip(self.leader.moved_after)
                    .is_some_and(|(asked, moved_after)| asked.duration_since(moved_after) <= LEADERS_WORD);
                // One read alone, at review, says only that it leads.
                if has_moved || self.round == Round::First {
                    return Leadership::Leads { since: last.acquired };
                }
                Leadership::Quiet
            }
            Some((Answer::Failed(CallError::NotFound { .. }), _)) => Leadership::NoLease,
            Some((Answer::Failed(error), _)) => Leadership::Unreadable(error.reason().into()),
            Some(_) | None => Leadership::NotAsked,
        }
    }

    /// Whether the watch shows the node as it was read live: where it does not, all that it shows is old.
    pub fn is_followed(&self, cluster: &Cluster) -> bool {
        self.seen.as_ref().is_none_or(|seen| {
            let row = cluster.nodes.get(&self.node.name);
            row.is_some_and(|row| row.meta.resource_version == seen.row.meta.resource_version)
        })
    }

    /// How anybody has seen it live since it was first looked at.
    pub fn life(&self, cluster: &Cluster) -> Option<String> {
        let node = &self.node;
        if self.has_moved {
            return Some(format!("the lease of {node} has moved"));
        }
        if let Some(Speech::Life(answer)) = &self.speech {
            return Some(format!("the kubelet of {node} answers: {answer}"));
        }
        let first = self.first.as_ref()?;
        let heartbeat = cluster.heartbeat(&node.name.name);
        let has_moved = |read: &Lease| {
            read.uid != first.lease.uid || (read.renewed > first.lease.renewed && read.renewed.is_some())
        };
        if heartbeat.is_some_and(|heartbeat| has_moved(&heartbeat.last)) {
            return Some(format!("the lease of {node} has moved"));
        }
        None
    }

    /// The same, and what the node's own status says: after it was marked there must be no word of it.
    pub fn revival(&self, cluster: &Cluster) -> Option<String> {
        let node = &self.node;
        if let Some(life) = self.life(cluster) {
            return Some(life);
        }
        let row = cluster.nodes.get(&node.name)?;
        if row.meta.uid != node.uid {
            return Some(format!("{node} was registered afresh"));
        }
        match row.readiness() {
            Readiness::Ready => return Some(format!("{node} is Ready")),
            Readiness::NotReady => return Some(format!("{node} speaks: it is not ready by its own word")),
            Readiness::Silent | Readiness::New => {}
        }
        self.boot.as_ref().is_some_and(|was| *was != row.boot_id).then(|| format!("{node} has booted"))
    }
}

/// The question for a byte of a pod's log that only the kubelet of this node can give.
pub fn listened(node: &ObjectRef, cluster: &Cluster) -> Option<Probe> {
    let runs = |pod: &&Pod| pod.phase == Phase::Running && !pod.containers.is_empty();
    let pod = cluster.pods_on(&node.name.name).find(runs)?;
    let container = pod.containers.first()?.name.clone();
    Some(Probe::Log { node: node.clone(), pod: pod.object(), container })
}
