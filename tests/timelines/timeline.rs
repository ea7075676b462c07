//! What is said over a scenario's life, a line a change, and what must hold of every such life.

use crate::estimate::{self, Estimates, Verdict};
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
            let next = self.stream.next().min(due).min(end).max(self.now);
            // What lasts no second is not worth a line.
            if next.as_second() > self.now.as_second() {
                self.tell();
            }
            self.now = next;
            let changes = self.stream.advance(self.now);
            let is_due = due <= self.now;
            if changes.is_empty() && !is_due {
                continue;
            }
            self.estimates.judge(&estimate::events(&self.cluster, &changes), self.now);
            self.cluster.apply_all(changes, self.now);
            self.look();
        }
        self.tell();
        self
    }

    fn look(&mut self) {
        let before = std::mem::take(&mut self.findings);
        self.findings = evaluate(&self.cluster, self.now, &self.timers);
        assert_eq!(self.findings.blind, [], "all is read");
        self.estimates.announce(&self.findings, self.now);
        self.note_flicker(&before);
    }

    /// Writes down what is said otherwise than when it was last written down.
    fn tell(&mut self) {
        let told: BTreeMap<FindingId, String> =
            self.findings.incidents.iter().map(|incident| (incident.root.id(), words(incident))).collect();
        let mut lines = Vec::new();
        for (id, known) in &self.told {
            match told.get(id) {
                None if self.findings.iter().any(|finding| finding.id() == *id) => {
                    lines.push(format!("{} joins another", title(id)));
                }
                None => lines.push(format!("{} is over", title(id))),
                Some(words) if words != known => lines.push(format!("{} {words}", title(id))),
                Some(_) => {}
            }
        }
        let new = told.iter().filter(|(id, _)| !self.told.contains_key(id));
        lines.extend(new.map(|(id, words)| format!("{} {words}", title(id))));
        let at = self.moment(self.now);
        self.lines.extend(lines.into_iter().map(|line| format!("{at:>6}  {line}")));
        self.told = told;
    }

    fn note_flicker(&mut self, before: &Findings) {
        let now = self.now;
        for finding in self.findings.iter() {
            let Some(gone) = self.gone.remove(&finding.id()) else { continue };
            if now.duration_since(gone) < FLICKER {
                let span = now.duration_since(gone);
                let line = format!(
                    "{} goes at {} and is back after {span:#}",
                    title(&finding.id()),
                    self.moment(gone)
                );
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
        let seconds = at.as_second() - self.stream.failure().as_second();
        format!("{}{}s", if seconds < 0 { '-' } else { '+' }, seconds.abs())
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
        let mut verdicts: Vec<_> = self.estimates.verdicts.iter().collect();
        verdicts.sort_by_key(|verdict| (verdict.said, verdict.id.clone()));
        if !verdicts.is_empty() {
            all.push_str("\nannounced\n");
        }
        for Verdict { id, said, clock, came } in verdicts {
            let came = came.map_or("withdrawn".to_owned(), |came| format!("came at {}", self.moment(came)));
            let said = self.moment(*said);
            let _ = writeln!(all, "{said:>6}  {}: {}, {came}", title(id), self.clock(clock));
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
            Bound::Halted => "halted, and not before",
        };
        format!("{what} {bound} {}", self.moment(clock.at))
    }

    /// What must hold of every life: nothing flickers, and what is announced comes when it is said to, unless somebody
    /// acts at such a moment.
    pub fn assert_sound(&self, acts: &[i64]) {
        assert_eq!(self.flickers, [""; 0], "what goes stays away for a while");
        let is_act = |at: Timestamp| acts.contains(&(at.as_second() - self.stream.failure().as_second()));
        let verdicts = self.estimates.verdicts.iter();
        let wrong: Vec<_> =
            verdicts.filter(|verdict| !verdict.is_true() && !verdict.came.is_some_and(is_act)).collect();
        assert!(wrong.is_empty(), "announced, and it came at another time: {wrong:#?}");
        let overdue: Vec<_> = self.estimates.overdue(self.now).collect();
        assert!(overdue.is_empty(), "announced, and it never came: {overdue:#?}");
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
