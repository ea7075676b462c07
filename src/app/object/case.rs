//! The case file of what is no object, or no more: a zone, the control plane, a node that is gone. All that is known of
//! it is what the findings say.

use super::{Line, Section, clock_words, evidence_line, next_lines, severity_tone};
use crate::app::columns::{Cell, Look, Tone};
use crate::app::subject::row_of;
use crate::app::time::short;
use crate::cluster::{Component, Kind, Leading, Node, Readiness};
use crate::findings::{Finding, Incident, Subject};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Consequences that are listed; a zone can have thousands, and Triage unfolds them all.
const LISTED: usize = 200;

/// "Zone eu-1a", "Control plane".
pub fn title(subject: &Subject) -> String {
    let words = subject.to_string();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `None` where nothing is said of it any more.
pub fn sections(subject: &Subject, look: &Look<'_>) -> Option<Vec<Section>> {
    let incidents = || look.findings.incidents.iter();
    if let Some(incident) = incidents().find(|incident| incident.root.subject == *subject) {
        let on_it = incident.findings().filter(|finding| finding.subject == *subject);
        let mut sections = vec![wrong(on_it, look), parts(subject, look)];
        // A node that is gone has no file of its own any more; what still names it is told here.
        if let Some(node) = subject.object().filter(|object| object.kind == Kind::Node) {
            sections.extend(super::node::remains(&node.name.name, look));
        }
        sections.extend([timeline(incident, look), consequences(incident, subject, look)]);
        return Some(sections);
    }
    // What is itself a consequence has its facts, and the case is that of its cause.
    let of = incidents().find(|incident| incident.following().any(|member| member.subject == *subject))?;
    let on_it = of.following().filter(|finding| finding.subject == *subject);
    let cause = Line::new("because of", Cell::plain(of.root.subject.to_string()));
    let row = of.root.subject.object().and_then(|object| row_of(look.cluster, object));
    let cause = match row {
        Some(row) => cause.to(row),
        None => cause,
    };
    let cause = Section { title: "Cause".to_owned(), lines: vec![cause] };
    Some(vec![wrong(on_it, look), parts(subject, look), cause])
}

/// Of the control plane what is known of its parts, the healthy ones, too: where not to look is worth as much.
fn parts(subject: &Subject, look: &Look<'_>) -> Section {
    let lines = match subject {
        Subject::ControlPlane => {
            let leaders = Component::ALL.into_iter().filter_map(|component| leader(component, look));
            std::iter::once(server(look)).chain(leaders).chain([nodes(look)]).collect()
        }
        Subject::Place { .. } | Subject::Object(_) => Vec::new(),
    };
    Section { title: "What is known of its parts".to_owned(), lines }
}

fn part(name: &str, words: String, tone: Tone) -> Line {
    Line::cells(vec![Cell::muted(format!("{name:<24}")), Cell::new(words, tone)])
}

fn server(look: &Look<'_>) -> Line {
    let ago = |at| short(look.now.duration_since(at));
    let (words, tone) = match look.cluster.readiness() {
        Some(known) if known.checks.is_ready => {
            (format!("ready by its own checks, asked {} ago", ago(known.read)), Tone::Plain)
        }
        Some(known) => {
            let failed: Vec<&str> = known.checks.failed.iter().map(|check| check.as_str()).collect();
            (format!("not ready: {}", failed.join(", ")), Tone::Critical)
        }
        None => ("whether it is ready is not known".to_owned(), Tone::Muted),
    };
    part("API server", words, tone)
}

/// A part that only some clusters have is not missed.
fn leader(component: Component, look: &Look<'_>) -> Option<Line> {
    let ago = |at| short(look.now.duration_since(at));
    let Some(leader) = look.cluster.leader(component) else {
        let words = "who leads is not known".to_owned();
        return component.is_everywhere().then(|| part(component.name(), words, Tone::Muted));
    };
    let (words, tone) = match leader.leading() {
        Leading::Leads => (format!("leads, as of {} ago", ago(leader.read)), Tone::Plain),
        Leading::Silent => (format!("silent for {}", ago(leader.last_sign())), Tone::Critical),
        Leading::NotSeen => ("not followed for long enough".to_owned(), Tone::Muted),
    };
    let holder = leader.last.holder.non_empty().map_or_else(String::new, |holder| format!(": {holder}"));
    Some(part(component.name(), format!("{words}{holder}"), tone))
}

fn nodes(look: &Look<'_>) -> Line {
    let all = look.cluster.nodes.len();
    let unready: Vec<&Node> = look.cluster.unready_nodes().collect();
    let silent = unready.iter().filter(|node| node.readiness() == Readiness::Silent).count();
    let words = match (unready.len(), silent) {
        (0, _) => format!("all {all} ready"),
        (unready, silent) => format!("{unready} of {all} not ready, {silent} of them silent"),
    };
    let tone = if unready.is_empty() { Tone::Plain } else { Tone::Warning };
    part("nodes", words, tone)
}

fn wrong<'a>(findings: impl Iterator<Item = &'a Finding>, look: &Look<'_>) -> Section {
    let mut lines = Vec::new();
    for finding in findings {
        let tone = severity_tone(finding.severity);
        lines.push(Line::cells(vec![Cell::new(finding.sentence.clone(), tone)]));
        lines.extend(clock_words(finding, look).map(|clock| Line::new("clock", Cell::new(clock, tone))));
        lines.extend(finding.evidence.iter().map(|evidence| evidence_line(evidence, look)));
        lines.extend(next_lines(finding, look));
    }
    Section { title: "What is wrong".to_owned(), lines }
}

/// What happened when, as the findings know it, and what comes next.
fn timeline(incident: &Incident, look: &Look<'_>) -> Section {
    let on_root = incident.findings().filter(|finding| finding.subject == incident.root.subject);
    let told = on_root.flat_map(|finding| &finding.evidence);
    let mut moments: Vec<(Timestamp, String)> =
        told.filter_map(|fact| Some((fact.at?, fact.text.clone()))).collect();
    let begun = |finding: &Finding| Some((finding.since?, finding.subject.to_string()));
    let first = incident.following().filter_map(begun).min();
    let last = incident.following().filter_map(begun).max();
    moments.extend(first.map(|(at, subject)| (at, format!("the first consequence: {subject}"))));
    if incident.members.len() > 1 {
        moments.extend(last.map(|(at, subject)| (at, format!("the latest consequence: {subject}"))));
    }
    // Of what happened at one moment, the cause comes first.
    moments.sort_by_key(|(at, _)| *at);
    let mut told = BTreeSet::new();
    moments.retain(|moment| told.insert(moment.clone()));
    let mut lines: Vec<Line> = moments
        .into_iter()
        .map(|(at, text)| {
            let ago = format!("{:>8} ago", short(look.now.duration_since(at)));
            Line::cells(vec![Cell::muted(ago), Cell::plain(text)])
        })
        .collect();
    // The next that comes, of all that is awaited.
    let coming = incident.findings().filter(|finding| finding.clock.is_some_and(|clock| clock.at > look.now));
    let next = coming.min_by_key(|finding| finding.clock.map(|clock| clock.at));
    if let Some((finding, words)) = next.and_then(|finding| Some((finding, clock_words(finding, look)?))) {
        let text = format!("{}: {words}", finding.subject);
        lines.push(Line::cells(vec![Cell::muted(format!("{:>12}", "next")), Cell::plain(text)]));
    }
    Section { title: "Timeline".to_owned(), lines }
}

fn consequences(incident: &Incident, subject: &Subject, look: &Look<'_>) -> Section {
    let following = || incident.following().filter(|finding| finding.subject != *subject);
    let many = following().count();
    let mut lines: Vec<Line> = following()
        .take(LISTED)
        .map(|finding| {
            let line =
                Line::cells(vec![Cell::new(finding.sentence.clone(), severity_tone(finding.severity))]);
            match finding.subject.object().and_then(|object| row_of(look.cluster, object)) {
                Some(row) => line.to(row),
                None => line,
            }
        })
        .collect();
    if many > LISTED {
        lines
            .push(Line::cells(vec![Cell::muted(format!("and {} more: Triage unfolds them", many - LISTED))]));
    }
    Section { title: format!("Consequences ({many})"), lines }
}
