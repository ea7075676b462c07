//! What the user has seen of the incidents while the program runs: acknowledged, put off, and resolved of late.
//!
//! The findings themselves remember nothing. It deliberately hides nothing for good: what is put off comes back, and
//! what gets worse comes back at once.

use crate::findings::{Finding, FindingId, Findings, Incident, Severity, Subject};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A resolved incident stays in view for so long.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(15);
const MOST_REMEMBERED: usize = 20;
/// What is put off comes back after this.
pub const SNOOZE: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug, Default)]
pub struct Attention {
    marks: BTreeMap<FindingId, Mark>,
    /// What was there the last time, for when it is gone.
    known: BTreeMap<FindingId, Known>,
    resolved: Vec<Resolved>,
}

/// What was decided of an incident, as bad as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    severity: Severity,
    /// `None` for one that is acknowledged.
    until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Known {
    sentence: String,
    severity: Severity,
    since: Option<Timestamp>,
    first_seen: Timestamp,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub id: FindingId,
    pub sentence: String,
    pub severity: Severity,
    /// From its beginning, or from when it was first seen where that is not known.
    pub lasted: SignedDuration,
    pub at: Timestamp,
}

/// How an incident stands with the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    New,
    Acknowledged,
    Snoozed { until: Timestamp },
}

impl Attention {
    /// Takes the findings of an evaluation in. What is gone is resolved only where the picture can be trusted: rows
    /// that are missing because a stream is down have not recovered.
    pub fn observe(&mut self, findings: &Findings, is_trusted: bool, now: Timestamp) {
        let mut before = std::mem::take(&mut self.known);
        for incident in &findings.incidents {
            let id = incident.root.id();
            let first_seen = before.remove(&id).map_or(now, |known| known.first_seen);
            self.resolved.retain(|resolved| resolved.id != id);
            let known = Known {
                sentence: incident.root.sentence.clone(),
                severity: incident.severity,
                since: incident.since(),
                first_seen,
            };
            self.known.insert(id, known);
        }
        if !is_trusted {
            self.known.extend(before);
            return;
        }
        for (id, known) in before {
            // One that is now part of another has not gone: its cause came to light. Nor has one of whose subject
            // something else is said: a node that was quiet and is silent has not recovered.
            let is_same = |finding: &Finding| finding.id() == id || is_alike(&finding.subject, &id.subject);
            if findings.iter().any(is_same) {
                continue;
            }
            self.marks.remove(&id);
            let lasted = now.duration_since(known.since.unwrap_or(known.first_seen));
            let Known { sentence, severity, .. } = known;
            self.resolved.insert(0, Resolved { id, sentence, severity, lasted, at: now });
        }
        self.resolved.truncate(MOST_REMEMBERED);
    }

    /// Acknowledges an incident, or takes that back.
    pub fn acknowledge(&mut self, incident: &Incident, now: Timestamp) -> Standing {
        self.mark(incident, None, now)
    }

    /// Puts an incident off, or takes that back.
    pub fn snooze(&mut self, incident: &Incident, now: Timestamp) -> Standing {
        self.mark(incident, now.checked_add(SNOOZE).ok(), now)
    }

    fn mark(&mut self, incident: &Incident, until: Option<Timestamp>, now: Timestamp) -> Standing {
        let is_the_same = match self.standing(incident, now) {
            Standing::New => false,
            Standing::Acknowledged => until.is_none(),
            Standing::Snoozed { .. } => until.is_some(),
        };
        let id = incident.root.id();
        if is_the_same {
            self.marks.remove(&id);
        } else {
            self.marks.insert(id, Mark { severity: incident.severity, until });
        }
        self.standing(incident, now)
    }

    /// What gets worse is new again.
    pub fn standing(&self, incident: &Incident, now: Timestamp) -> Standing {
        match self.marks.get(&incident.root.id()) {
            Some(mark) if incident.severity > mark.severity => Standing::New,
            Some(Mark { until: None, .. }) => Standing::Acknowledged,
            Some(Mark { until: Some(until), .. }) if *until > now => Standing::Snoozed { until: *until },
            Some(_) | None => Standing::New,
        }
    }

    /// Incidents that are over, the latest first.
    pub fn resolved(&self, now: Timestamp) -> impl Iterator<Item = &Resolved> {
        self.resolved.iter().filter(move |resolved| now.duration_since(resolved.at) < REMEMBERED)
    }

    /// The incident that is over by its id.
    pub fn named(&self, id: &FindingId) -> Option<&Resolved> {
        self.resolved.iter().find(|resolved| resolved.id == *id)
    }

    /// The next moment at which something comes back, or what is over leaves the view.
    pub fn next_due(&self) -> Option<Timestamp> {
        let back = self.marks.values().filter_map(|mark| mark.until);
        let leave = self.resolved.iter().filter_map(|resolved| resolved.at.checked_add(REMEMBERED).ok());
        back.chain(leave).min()
    }

    /// Forgets what is due: marks whose time is over, and what has been resolved for long.
    pub fn expire(&mut self, now: Timestamp) {
        self.marks.retain(|_, mark| mark.until.is_none_or(|until| until > now));
        self.resolved.retain(|resolved| now.duration_since(resolved.at) < REMEMBERED);
    }
}

/// Whether two are of one name: a Node that was deleted is still what it was to who looks for it.
fn is_alike(one: &Subject, other: &Subject) -> bool {
    match (one.object(), other.object()) {
        (Some(one), Some(other)) => (one.kind, &one.name) == (other.kind, &other.name),
        (Some(_) | None, Some(_) | None) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::{at, cluster, node, pod};
    use crate::cluster::{Cluster, Timers};
    use crate::findings::evaluate;

    fn said(cluster: &Cluster, second: i64) -> Findings {
        evaluate(cluster, at(second), &Timers::default())
    }

    fn silent() -> Cluster {
        cluster([node("worker-1").into(), node("worker-2").silent(50).into()])
    }

    #[test]
    fn a_resolved_incident_stays_for_a_while_and_says_how_long_it_lasted() {
        let mut cluster = silent();
        let mut attention = Attention::default();
        attention.observe(&said(&cluster, 60), true, at(60));
        assert_eq!(attention.resolved(at(60)).count(), 0);
        cluster.apply(node("worker-2").into(), at(350));
        attention.observe(&said(&cluster, 350), false, at(350));
        assert_eq!(attention.resolved(at(350)).count(), 0, "a picture that is not live resolves nothing");
        attention.observe(&said(&cluster, 350), true, at(350));
        let resolved: Vec<&Resolved> = attention.resolved(at(351)).collect();
        assert_eq!(resolved.len(), 1);
        assert_eq!(resolved[0].lasted, SignedDuration::from_mins(5));
        assert_eq!(attention.resolved(at(350 + 900)).count(), 0);
        cluster.apply(node("worker-2").silent(400).into(), at(400));
        attention.observe(&said(&cluster, 400), true, at(400));
        assert_eq!(attention.resolved(at(400)).count(), 0, "it is there again");
    }

    #[test]
    fn an_incident_that_turns_into_another_of_the_same_object_is_not_over() {
        let mut cluster = cluster([node("worker-2").not_ready(50, "runtime is down").into()]);
        let mut attention = Attention::default();
        attention.observe(&said(&cluster, 60), true, at(60));
        cluster.apply(node("worker-2").silent(100).into(), at(100));
        attention.observe(&said(&cluster, 100), true, at(100));
        assert_eq!(attention.resolved(at(100)).count(), 0, "it is worse, and not well");
    }

    #[test]
    fn what_is_acknowledged_or_put_off_comes_back_when_it_gets_worse() {
        let mut cluster = silent();
        let mut attention = Attention::default();
        let findings = said(&cluster, 60);
        assert_eq!(attention.acknowledge(&findings.incidents[0], at(60)), Standing::Acknowledged);
        assert_eq!(attention.acknowledge(&findings.incidents[0], at(60)), Standing::New);
        let put_off = attention.snooze(&findings.incidents[0], at(60));
        assert_eq!(put_off, Standing::Snoozed { until: at(60 + 30 * 60) });
        assert_eq!(attention.next_due(), Some(at(60 + 30 * 60)));
        assert_eq!(attention.standing(&findings.incidents[0], at(60 + 30 * 60)), Standing::New);
        attention.acknowledge(&findings.incidents[0], at(61));
        cluster.apply(pod("db/a", "worker-2").into(), at(62));
        let worse = said(&cluster, 62);
        assert!(worse.incidents[0].severity > findings.incidents[0].severity);
        assert_eq!(attention.standing(&worse.incidents[0], at(62)), Standing::New);
    }
}
