//! Pictures in which a kind is missing, half read or old: what is said of them is true of the whole picture, too, and
//! what could not be judged is named.

use crate::stream::{Stream, all_live};
use jiff::{SignedDuration, Timestamp};
use sickbay::cluster::{Change, Cluster, Feed, FeedChange, Kind, Timers};
use sickbay::demo::Scenario;
use sickbay::findings::{Finding, Findings, RuleId, evaluate};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds from the failure: a dead node still counts as ready; it is silent; its pods are told to go and overdue.
pub const MOMENTS: [i64; 3] = [40, 170, 520];

#[derive(Clone, Copy, Debug)]
enum Gap {
    Waiting,
    /// Every other row is there.
    Listing,
    Forbidden,
    /// The rows are those from before the failure.
    Down,
}

const GAPS: [Gap; 4] = [Gap::Waiting, Gap::Listing, Gap::Forbidden, Gap::Down];

/// What is there at a moment, by kind; and the leases.
pub struct Picture {
    rows: BTreeMap<Kind, Vec<Change>>,
    leases: Vec<Change>,
    at: Timestamp,
}

impl Picture {
    pub fn of(stream: &Stream, at: Timestamp) -> Self {
        let changes = Stream::opened_on(stream.life.clone(), at).advance(at);
        let mut picture = Self { rows: BTreeMap::new(), leases: Vec::new(), at };
        for change in changes {
            match kind(&change) {
                Some(kind) => picture.rows.entry(kind).or_default().push(change),
                None => picture.leases.push(change),
            }
        }
        picture
    }

    fn rows(&self, kind: Kind) -> impl Iterator<Item = Change> {
        self.rows.get(&kind).into_iter().flatten().cloned()
    }

    /// What is said of all of it.
    fn whole(&self) -> Findings {
        let mut cluster = Cluster::default();
        let rows = Kind::ALL.into_iter().flat_map(|kind| self.rows(kind));
        cluster.apply_all(rows.chain(self.leases.iter().cloned()).chain(all_live()), self.at);
        evaluate(&cluster, self.at, &Timers::default())
    }

    /// What is said where one kind has a gap; `before` is what was there before the failure.
    fn with(&self, gap: Gap, missing: Kind, before: &Self) -> Findings {
        let mut cluster = Cluster::default();
        let others = Kind::ALL.into_iter().filter(|kind| *kind != missing);
        cluster
            .apply_all(others.flat_map(|kind| self.rows(kind)).chain(self.leases.iter().cloned()), self.at);
        let live = all_live().into_iter().filter(|change| *change != feed(missing, FeedChange::Live));
        cluster.apply_all(live, self.at);
        let reason = || "for the test".into();
        match gap {
            Gap::Waiting => {}
            Gap::Listing => {
                let half = self.rows(missing).step_by(2);
                cluster.apply_all([feed(missing, FeedChange::Listing)].into_iter().chain(half), self.at);
            }
            Gap::Forbidden => {
                cluster.apply(feed(missing, FeedChange::Forbidden { reason: reason() }), self.at);
            }
            Gap::Down => {
                let live = [feed(missing, FeedChange::Live)];
                cluster.apply_all(before.rows(missing).chain(live), before.at);
                cluster.apply(feed(missing, FeedChange::Down { reason: reason() }), before.at);
            }
        }
        evaluate(&cluster, self.at, &Timers::default())
    }
}

fn feed(kind: Kind, change: FeedChange) -> Change {
    Change::Feed(Feed::Watch(kind), change)
}

const fn kind(change: &Change) -> Option<Kind> {
    Some(match change {
        Change::Node(_) => Kind::Node,
        Change::Pod(_) => Kind::Pod,
        Change::PersistentVolume(_) => Kind::PersistentVolume,
        Change::PersistentVolumeClaim(_) => Kind::PersistentVolumeClaim,
        Change::VolumeAttachment(_) => Kind::VolumeAttachment,
        Change::Namespace(_) => Kind::Namespace,
        Change::Deployment(_) => Kind::Deployment,
        Change::ReplicaSet(_) => Kind::ReplicaSet,
        Change::StatefulSet(_) => Kind::StatefulSet,
        Change::DaemonSet(_) => Kind::DaemonSet,
        Change::Job(_) => Kind::Job,
        Change::PodDisruptionBudget(_) => Kind::PodDisruptionBudget,
        Change::Service(_) => Kind::Service,
        Change::ApiService(_) => Kind::ApiService,
        Change::Event(_) => Kind::Event,
        Change::Leases { .. }
        | Change::Leader(..)
        | Change::Checks(_)
        | Change::Trial(_)
        | Change::Feed(..) => return None,
    })
}

fn name(finding: &Finding) -> String {
    match finding.subject.object() {
        Some(object) => format!("{} {}", finding.rule, object.name),
        None => format!("{} {}", finding.rule, finding.subject),
    }
}

/// What is said of the picture with the gap although it is not said of the whole, and what is not said of it without
/// a word why.
fn complaints(whole: &Findings, found: &Findings, missing: Kind) -> Vec<String> {
    let all: BTreeMap<String, &Finding> = whole.iter().map(|finding| (name(finding), finding)).collect();
    let mut complaints = Vec::new();
    for finding in found.iter() {
        // A volume that may not be read is known by its attachment alone, and so by another name.
        let is_renamed = missing == Kind::PersistentVolume && finding.rule == RuleId::VolumeOnUnreadyNode;
        match all.get(&name(finding)) {
            None if is_renamed => {}
            None => complaints.push(format!("{} is wrong: {}", name(finding), finding.sentence)),
            Some(_) => {}
        }
    }
    let said: BTreeSet<RuleId> = found.iter().map(|finding| finding.rule).collect();
    let silent: BTreeSet<RuleId> =
        whole.iter().map(|finding| finding.rule).filter(|rule| !said.contains(rule)).collect();
    for rule in silent {
        let missing = Feed::Watch(missing);
        let is_named = found.blind.iter().any(|(blind, feeds)| *blind == rule && feeds.contains(&missing));
        if !is_named {
            complaints.push(format!("{rule} is silent, and does not say why"));
        }
    }
    complaints
}

/// Nothing is said of a picture with a gap that is not true of the whole, whichever gap it is.
pub fn assert_gaps_are_known(stream: &Stream, at: Timestamp, before: &Picture) {
    let picture = Picture::of(stream, at);
    let whole = picture.whole();
    let mut wrong = Vec::new();
    for missing in Kind::ALL {
        for gap in GAPS {
            let complaints = complaints(&whole, &picture.with(gap, missing, before), missing);
            wrong.extend(complaints.into_iter().map(|complaint| format!("{missing} {gap:?}: {complaint}")));
        }
    }
    assert_eq!(wrong, [""; 0], "{} after the failure", at.duration_since(stream.failure()));
}

#[test]
fn a_kubelet_is_not_said_to_talk_by_what_is_known_of_old() {
    let mut stream = Stream::of(Scenario::DeadNode);
    let before = Picture::of(&stream, stream.next());
    let at = stream.failure() + SignedDuration::from_secs(420);
    stream.life.advance(at);
    let found = Picture::of(&stream, at).with(Gap::Down, Kind::Node, &before);
    let stuck: Vec<&str> = found
        .iter()
        .filter(|finding| finding.rule == RuleId::PodStuckTerminating)
        .map(|finding| finding.sentence.as_str())
        .collect();
    assert!(!stuck.is_empty());
    for sentence in stuck {
        assert!(sentence.contains("the state of its node worker-2 is not known"), "{sentence}");
    }
}

#[test]
fn a_stream_that_breaks_for_a_moment_silences_nobody() {
    let mut stream = Stream::of(Scenario::DeadNode);
    let at = stream.failure() + SignedDuration::from_secs(420);
    stream.life.advance(at);
    let picture = Picture::of(&stream, at);
    let just_now =
        Picture { rows: picture.rows.clone(), leases: Vec::new(), at: at - SignedDuration::from_secs(5) };
    let found = picture.with(Gap::Down, Kind::Pod, &just_now);
    assert_eq!(found.blind, []);
    assert_eq!(complaints(&picture.whole(), &found, Kind::Pod), [""; 0]);
    assert_eq!(
        found.next_due.map(|due| due <= at + SignedDuration::from_secs(25)),
        Some(true),
        "it is looked at again"
    );
}
