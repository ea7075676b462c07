//! What is said over a scenario's life, a line a change, and what must hold of every such life.

use crate::estimate::{self, Estimates};
use crate::stream::{Stream, all_live};
use jiff::{SignedDuration, Timestamp};
use sickbay::cluster::{Cluster, Timers};
use sickbay::findings::{Awaited, Bound, Clock, FindingId, Findings, Incident, evaluate};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What goes and comes back sooner flickers.
const FLICKER: SignedDuration = SignedDuration::from_secs(60);

pub struct Timeline {
    pub stream: Stream,
    pub cluster: Cluster,
    pub findings: Findings,
    pub now: Timestamp,
    timers: Timers,
    estimates: Estimates,
    /// An incident by its root, and how it was last told.
    told: BTreeMap<FindingId, String>,
    gone: BTreeMap<FindingId, Timestamp>,
    lines: Vec<String>,
    flickers: Vec<String>,
}

impl Timeline {
    pub fn of(stream: Stream) -> Self {
        let now = stream.next();
        let mut timeline = Self {
            stream,
            cluster: Cluster::default(),
            findings: Findings::default(),
            now,
            timers: Timers::default(),
            estimates: Estimates::default(),
            told: BTreeMap::new(),
            gone: BTreeMap::new(),
            lines: Vec::new(),
            flickers: Vec::new(),
        };
        let changes = timeline.stream.advance(now);
        timeline.cluster.apply_all(changes.into_iter().chain(all_live()), now);
        timeline.look();
        timeline
    }

    /// Lives on until so many seconds after the failure.
    pub fn until(&mut self, seconds: i64) -> &mut Self {
        let end = self.stream.failure() + SignedDuration::from_secs(seconds);
        while self.now < end {
            let due = self.findings.next_due.unwrap_or(end);
            self.now = self.stream.next().min(due).min(end).max(self.now);
            let changes = self.stream.advance(self.now);
            let is_due = due <= self.now;
            if changes.is_empty() && !is_due {
                continue;
            }
            self.estimates.judge(&estimate::events(&self.cluster, &changes), self.now);
            self.cluster.apply_all(changes, self.now);
            self.look();
        }
        self
    }

    fn look(&mut self) {
        let before = std::mem::take(&mut self.findings);
        self.findings = evaluate(&self.cluster, self.now, &self.timers);
        assert_eq!(self.findings.blind, [], "all is read");
        self.estimates.announce(&self.findings, self.now);
        self.note_flicker(&before);
        let mut told = BTreeMap::new();
        for incident in &self.findings.incidents {
            told.insert(incident.root.id(), words(incident));
        }
        let mut lines = Vec::new();
        for (id, known) in &self.told {
            if !told.contains_key(id) {
                let is_member = self.findings.iter().any(|finding| finding.id() == *id);
                let end = if is_member { "joins another" } else { "is over" };
                lines.push(format!("{} {end}", title(id)));
            } else if told[id] != *known {
                lines.push(format!("{} {}", title(id), told[id]));
            }
        }
        let new = told.iter().filter(|(id, _)| !self.told.contains_key(id));
        lines.extend(new.map(|(id, words)| format!("{} {words}", title(id))));
        let at = self.moment(self.now);
        self.lines.extend(lines.into_iter().map(|line| format!("{at:>7}  {line}")));
        self.told = told;
    }

    fn note_flicker(&mut self, before: &Findings) {
        let now = self.now;
        for finding in self.findings.iter() {
            let Some(gone) = self.gone.remove(&finding.id()) else { continue };
            if now.duration_since(gone) < FLICKER {
                let span = now.duration_since(gone);
                let line = format!("{} goes at {} and is back after {span:#}", title(&finding.id()), self.moment(gone));
                self.flickers.push(line);
            }
        }
        for finding in before.iter() {
            let id = finding.id();
            if !self.findings.iter().any(|other| other.id() == id) {
                self.gone.insert(id, now);
            }
        }
    }

    /// "+46s" from the failure.
    fn moment(&self, at: Timestamp) -> String {
        let millis = at.duration_since(self.stream.failure()).as_millis();
        let (whole, rest) = (millis / 1000, (millis % 1000).abs());
        let sign = if millis < 0 { "-" } else { "+" };
        if rest == 0 { format!("{sign}{}s", whole.abs()) } else { format!("{sign}{}.{}s", whole.abs(), rest / 100) }
    }

    /// All that was said, and how the estimates came true.
    pub fn told(&self) -> String {
        let mut all = String::new();
        for line in &self.lines {
            let _ = writeln!(all, "{line}");
        }
        if self.lines.is_empty() {
            all.push_str("nothing is said\n");
        }
        let announced = &self.estimates.verdicts;
        if !announced.is_empty() {
            all.push_str("\nannounced\n");
        }
        for verdict in announced {
            let said = self.moment(verdict.said);
            let title = title(&verdict.id);
            let came = match verdict.came {
                Some(came) => format!("it came at {}", self.moment(came)),
                None => "withdrawn".to_owned(),
            };
            let _ = writeln!(all, "{said:>7}  {title}: {}; {came}", self.clock(&verdict.clock));
        }
        all
    }

    fn clock(&self, clock: &Clock) -> String {
        let what = match clock.what {
            Awaited::Eviction => "eviction",
            Awaited::Deadline => "deadline",
            Awaited::ForceDetach => "forced detach",
            Awaited::Collection => "collection",
            Awaited::Silence => "silence",
            Awaited::Restart => "restart",
        };
        let bound = match clock.bound {
            Bound::Exact => "at",
            Bound::NotBefore => "not before",
            Bound::AtLatest => "at latest at",
        };
        format!("{what} {bound} {}", self.moment(clock.at))
    }

    /// What must hold of every life: nothing flickers, and what is announced comes when it is said to.
    pub fn assert_sound(&self) {
        assert_eq!(self.flickers, [""; 0], "what goes stays away for a while");
        let wrong: Vec<String> = self
            .estimates
            .verdicts
            .iter()
            .filter(|verdict| !verdict.is_true())
            .map(|verdict| format!("{verdict:?}"))
            .collect();
        assert_eq!(wrong, [""; 0], "announced, and it came at another time");
        let overdue: Vec<_> = self.estimates.overdue(self.now).collect();
        assert!(overdue.is_empty(), "announced, and it never came: {overdue:?}");
    }
}

/// "node-silent worker-2".
fn title(id: &FindingId) -> String {
    match id.subject.object() {
        Some(object) => format!("{} {}", id.rule, object.name),
        None => format!("{} {}", id.rule, id.subject),
    }
}

/// "critical: 2 pod-stuck-terminating, 1 service-losing-requests".
fn words(incident: &Incident) -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for member in &incident.members {
        *rules.entry(member.rule.id()).or_default() += 1;
    }
    let members: Vec<String> = rules.iter().map(|(rule, count)| format!("{count} {rule}")).collect();
    let word = incident.severity.word();
    if members.is_empty() { word.to_owned() } else { format!("{word}: {}", members.join(", ")) }
}
