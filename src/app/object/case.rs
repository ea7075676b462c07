//! The case file of what is no object, or no more: a zone, the control plane, a node that is gone. All that is known of
//! it is what the findings say.

use super::{Line, Section, clock_words, evidence_line, severity_tone};
use crate::app::columns::{Cell, Look};
use crate::app::subject::row_of;
use crate::app::time::short;
use crate::cluster::Kind;
use crate::findings::{Finding, Incident, Subject};
use jiff::Timestamp;

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
        let mut sections = vec![wrong(on_it, look)];
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
    Some(vec![wrong(on_it, look), Section { title: "Cause".to_owned(), lines: vec![cause] }])
}

fn wrong<'a>(findings: impl Iterator<Item = &'a Finding>, look: &Look<'_>) -> Section {
    let mut lines = Vec::new();
    for finding in findings {
        let tone = severity_tone(finding.severity);
        lines.push(Line::cells(vec![Cell::new(finding.sentence.clone(), tone)]));
        lines.extend(clock_words(finding, look).map(|clock| Line::new("clock", Cell::new(clock, tone))));
        lines.extend(finding.evidence.iter().map(|evidence| evidence_line(evidence, look)));
        lines.push(Line::new("next", Cell::plain(finding.next.clone())));
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
    moments.sort();
    moments.dedup();
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
