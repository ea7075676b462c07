//! What the user has seen of the incidents while the program runs: acknowledged, put off, and resolved of late.
//!
//! The findings themselves remember nothing. It deliberately hides nothing for good: what is put off comes back, and
//! what gets worse comes back at once.

use crate::cluster::ObjectRef;
use crate::findings::{Finding, FindingId, Findings, Incident, Severity, Subject};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
#[derive(Clone, Debug)]
struct Mark {
    severity: Severity,
    /// `None` for one that is acknowledged.
    until: Option<Timestamp>,
    /// What it consisted of when it was last looked at: so much was seen by whoever decided.
    seen: Vec<Arc<Finding>>,
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
        self.carry_over(findings);
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
        // What was decided of something that had become part of another incident, and is over with it.
        let (known, is_there) =
            (&self.known, |id: &FindingId| findings.iter().any(|finding| is_of(finding, id)));
        self.marks.retain(|id, _| known.contains_key(id) || is_there(id));
        self.resolved.truncate(MOST_REMEMBERED);
    }

    /// Keeps what was decided of incidents whose root is another now: their cause came to light, or what is said of it
    /// has changed. Not for one that is worse, or has consequences that nobody has decided of.
    fn carry_over(&mut self, findings: &Findings) {
        if self.marks.is_empty() {
            return;
        }
        let roots: BTreeSet<FindingId> =
            findings.incidents.iter().map(|incident| incident.root.id()).collect();
        let mut kept = Vec::new();
        for incident in
            findings.incidents.iter().filter(|incident| !self.marks.contains_key(&incident.root.id()))
        {
            let subject = &incident.root.subject;
            let is_part = |id: &FindingId| {
                is_alike(&id.subject, subject) || incident.findings().any(|finding| is_of(finding, id))
            };
            let before: Vec<(&FindingId, &Mark)> =
                self.marks.iter().filter(|(id, _)| !roots.contains(id) && is_part(id)).collect();
            let Some(severity) = before.iter().map(|(_, mark)| mark.severity).max() else { continue };
            let seen = || before.iter().flat_map(|(_, mark)| &mark.seen);
            let subjects: BTreeSet<&Subject> = seen().map(|finding| &finding.subject).collect();
            let objects: BTreeSet<&ObjectRef> = seen().flat_map(|finding| finding.objects()).collect();
            // Of an object something else is said in the place of what was. The control plane is no object: what is
            // said of one part of it is not what is said of another.
            let is_replaced = before.iter().any(|(id, _)| {
                subject.object().is_some()
                    && is_alike(&id.subject, subject)
                    && !incident.findings().any(|finding| is_of(finding, id))
            });
            // Or else what was said has a cause now, of which nothing else follows.
            let is_explained = !subjects.contains(subject)
                && incident.root.about.iter().all(|object| objects.contains(object))
                && incident
                    .following()
                    .all(|finding| finding.subject == *subject || subjects.contains(&finding.subject));
            let is_seen = is_replaced || is_explained;
            if incident.severity <= severity && is_seen {
                let until = before.iter().filter_map(|(_, mark)| mark.until).min();
                kept.push((incident.root.id(), Mark { severity, until, seen: Vec::new() }));
            }
        }
        self.marks.extend(kept);
        for incident in &findings.incidents {
            if let Some(mark) = self.marks.get_mut(&incident.root.id()) {
                mark.seen = seen(incident);
            }
        }
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
            self.marks.insert(id, Mark { severity: incident.severity, until, seen: seen(incident) });
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

fn seen(incident: &Incident) -> Vec<Arc<Finding>> {
    std::iter::once(&incident.root).chain(&incident.members).cloned().collect()
}

/// Whether a finding has this id; made without making its own.
fn is_of(finding: &Finding, id: &FindingId) -> bool {
    (finding.rule, &finding.subject) == (id.rule, &id.subject) && finding.id() == *id
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

    /// Acknowledges the first incident, and says how the first one stands after this has happened.
    fn after(mut cluster: Cluster, changes: Vec<crate::cluster::Change>) -> Standing {
        let mut attention = Attention::default();
        let findings = said(&cluster, 200);
        attention.observe(&findings, true, at(200));
        attention.acknowledge(&findings.incidents[0], at(200));
        cluster.apply_all(changes, at(210));
        let later = said(&cluster, 210);
        attention.observe(&later, true, at(210));
        assert_ne!(later.incidents[0].root.id(), findings.incidents[0].root.id(), "its root is another");
        attention.standing(&later.incidents[0], at(210))
    }

    #[test]
    fn an_acknowledged_incident_whose_cause_comes_to_light_stays_acknowledged() {
        let stuck = || pod("db/a", "worker-2").of("StatefulSet", "db").deleting(100, 30);
        let cluster = || cluster([node("worker-1").into(), node("worker-2").into(), stuck().into()]);
        let silent = || node("worker-2").silent(205).into();
        assert_eq!(after(cluster(), vec![silent()]), Standing::Acknowledged);
        let other = pod("db/b", "worker-2").deleting(100, 30);
        assert_eq!(
            after(cluster(), vec![silent(), other.into()]),
            Standing::New,
            "nobody has seen the other pod"
        );
    }

    #[test]
    fn an_acknowledged_incident_of_which_something_else_is_said_stays_acknowledged() {
        let busy = pod("db/a", "worker-2");
        let cluster =
            || cluster([node("worker-2").not_ready(50, "runtime is down").into(), busy.clone().into()]);
        let silent = node("worker-2").silent(205);
        // A node that is silent is worse than one that is not ready.
        assert_eq!(after(cluster(), vec![silent.clone().into()]), Standing::New);
        let empty = vec![crate::cluster::sample::gone(&busy), silent.into()];
        assert_eq!(after(cluster(), empty), Standing::Acknowledged);
    }

    #[test]
    fn another_part_of_the_control_plane_is_not_hidden_by_the_acknowledgement_of_the_first() {
        use crate::cluster::{Change, Checks, Component, LeaderLease};
        let mut cluster = cluster([node("worker-1").into()]);
        let lease = |renewed: i64| {
            let holder = "one".into();
            let lease = LeaderLease { uid: "u".into(), holder, seconds: 15, renewed: Some(at(renewed)) };
            Change::Leader(Component::Scheduler, lease)
        };
        for second in (0..=200).step_by(5) {
            cluster.apply(lease(second.min(10)), at(second));
        }
        let unready = Checks { is_ready: false, failed: vec!["etcd".into()] };
        assert_eq!(after(cluster, vec![Change::Checks(unready)]), Standing::New);
    }

    #[test]
    fn a_second_node_is_not_hidden_by_the_acknowledgement_of_the_first() {
        let cluster = cluster(
            ["worker-2", "worker-3", "worker-4"].map(|name| node(name).into()).into_iter().chain([node(
                "worker-1",
            )
            .silent(50)
            .into()]),
        );
        let more = ["worker-2", "worker-3", "worker-4"].map(|name| node(name).silent(205).into());
        assert_eq!(after(cluster, more.into()), Standing::New);
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
