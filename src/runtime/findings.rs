//! `sickbay findings`: the same picture and the same rules without a screen.

mod target;
mod trials;

use super::settings::Settings;
use super::{Outcome, complain, fail, start};
use crate::app::filter::{Filter, FilterError};
use crate::app::link::Picture;
use crate::app::object::clock_words;
use crate::app::time::age;
use crate::app::{App, Msg, triage};
use crate::cli::{Arguments, FailOn, Findings as Asked, Output};
use crate::cluster::{Feed, ObjectRef, Sync, Text};
use crate::findings::{Awaited, Bound, Finding, Incident, Severity, Subject};
use crate::k8s::watch::{Limits, LinkState, Streams, Update};
use serde_json::{Value, json};
use std::io::{ErrorKind, Write as _};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Of the document: it grows when a field goes or changes its meaning, not when one is added.
const VERSION: u32 = 1;
/// Said of a complete picture alone.
const CALM: &str = "nothing is wrong that sickbay looks for\n";

pub async fn run(arguments: &Arguments, asked: &Asked, settings: &Settings) -> Outcome {
    // What cannot be read is said before anything is asked of the cluster.
    let mut filter = match Filter::parse(&asked.filter, &triage::FIELDS) {
        Ok(filter) => filter,
        Err(error) => {
            let [complaint, shown, carets] = refusal(&asked.filter, &error);
            complain(&complaint);
            let _closed = writeln!(std::io::stderr(), "{}\n{carets}", Text::new(&shown));
            return Outcome::Usage;
        }
    };
    let connection = match start::connect(arguments, settings).await {
        Ok(connection) => connection,
        Err(outcome) => return outcome,
    };
    let mut app = connection.app(settings);
    if !settings.problems.is_empty() {
        complain(&settings.summary());
    }
    let (sender, updates) = mpsc::channel(64);
    let session = Arc::clone(&connection.session);
    let streams = Streams::start(session, &connection.session.scope, sender, Limits::default());
    let is_settled = gather(&mut app, updates, Instant::now() + asked.timeout, &connection).await;
    drop(streams);
    app.settle();
    if asked.try_updates {
        trials::ask(&mut app, &connection.session, &asked.targets).await;
        app.settle();
    }
    let is_complete = is_settled && is_whole(&app);
    if is_complete && let Some(unknown) = unknown(&app, &asked.targets) {
        return fail(&unknown);
    }
    let look = app.look();
    let mut is_kept =
        |incident| filter.as_mut().is_none_or(|filter| filter.keeps(&triage::Asked { incident, look }));
    let kept: Vec<&Incident> = app
        .findings
        .incidents
        .iter()
        .filter(|incident| is_meant(incident, &asked.targets) && is_kept(incident))
        .collect();
    let text = match asked.output {
        // What a filter leaves out is still wrong.
        Output::Table if kept.is_empty() && filter.is_some() && !app.findings.is_empty() => {
            format!("none of the {} incidents matches the filter\n", app.findings.incidents.len())
        }
        Output::Table if kept.is_empty() && is_complete => CALM.to_owned(),
        Output::Table => table(&app, &kept),
        Output::Json => format!("{:#}\n", document(&app, &kept)),
        Output::Yaml => serde_yaml::to_string(&document(&app, &kept)).unwrap_or_default(),
    };
    if let Err(error) = std::io::stdout().write_all(text.as_bytes()) {
        return unprinted(&error);
    }
    if !is_complete {
        complain(&incomplete(&app));
        return Outcome::Incomplete;
    }
    let worst = kept.iter().map(|incident| incident.severity).max();
    match (asked.fail_on.map(severity), worst) {
        (Some(limit), Some(worst)) if worst >= limit => Outcome::Found,
        (Some(_) | None, Some(_) | None) => Outcome::Done,
    }
}

fn unprinted(error: &std::io::Error) -> Outcome {
    // Whoever read this has left and knows it.
    if error.kind() == ErrorKind::BrokenPipe {
        return Outcome::Failed;
    }
    fail(&format!("could not print the findings: {error}; look at where standard output goes"))
}

/// The complaint, and below it the filter with its place marked, line by line.
fn refusal(filter: &str, error: &FilterError) -> [String; 3] {
    let (before, many) = error.columns(filter);
    let shown = filter.replace(char::is_control, "?");
    let carets = format!("  {}{}", " ".repeat(before), "^".repeat(many));
    [format!("--filter: {error}"), format!("  {shown}"), carets]
}

const fn severity(fail_on: FailOn) -> Severity {
    match fail_on {
        FailOn::Critical => Severity::Critical,
        FailOn::Warning => Severity::Warning,
        FailOn::Notice => Severity::Notice,
    }
}

/// Takes changes in until the picture is complete; false where it was not in time.
async fn gather(
    app: &mut App,
    mut updates: mpsc::Receiver<Update>,
    deadline: Instant,
    connection: &start::Connection,
) -> bool {
    loop {
        let is_read = app.are_leases_read() && app.is_control_plane_judged();
        match app.picture() {
            Picture::Live | Picture::Partial { .. } if is_read => return true,
            Picture::Live | Picture::Partial { .. } | Picture::Loading { .. } | Picture::Stale { .. } => {}
        }
        let Ok(Some(update)) = timeout_at(deadline, updates.recv()).await else { return false };
        let now = connection.session.clock.now();
        match update {
            Update::Changes(changes) => app.update(Msg::Changes(changes), now),
            Update::Link(LinkState::Down { reason }) => app.update(Msg::Beat(Err(reason)), now),
            Update::Link(LinkState::Up { .. }) => app.update(Msg::Beat(Ok(())), now),
            Update::ServerTime(_) | Update::Login(_) => continue,
        };
    }
}

fn incomplete(app: &App) -> String {
    match app.picture() {
        Picture::Live => unjudged(app),
        Picture::Partial { missing } => {
            let words: Vec<&str> = missing.iter().map(|kind| kind.plural()).collect();
            format!("the picture is incomplete: {} may not be read", words.join(", "))
        }
        Picture::Loading { kinds } => {
            let words: Vec<&str> = kinds.iter().map(|kind| kind.plural()).collect();
            format!(
                "the picture was not complete in time: still loading {}; try a longer --timeout",
                words.join(", ")
            )
        }
        Picture::Stale { reason, .. } => format!("the picture is not live: {reason}"),
    }
}

/// Whether all is known from which something could be found.
fn is_whole(app: &App) -> bool {
    app.picture() == Picture::Live && app.not_judged().is_empty()
}

/// What is missing although every kind is there.
fn unjudged(app: &App) -> String {
    let not_judged = app.not_judged();
    let is_refused = |feed: &&Feed| matches!(app.cluster.feed(**feed).sync, Sync::Forbidden { .. });
    let refused: Vec<&str> = not_judged.iter().filter(is_refused).map(|feed| feed.name()).collect();
    let late: Vec<&str> =
        not_judged.iter().filter(|feed| !is_refused(feed)).map(|feed| feed.name()).collect();
    match (refused.as_slice(), late.as_slice()) {
        ([], []) => "the picture was not complete in time; try a longer --timeout".to_owned(),
        ([], late) => format!(
            "the picture was not complete in time: {} not followed for long enough; try a longer --timeout",
            late.join(", ")
        ),
        (refused, _) => format!("the picture is incomplete: {} may not be read", refused.join(", ")),
    }
}

/// Whether a target names an object of the incident.
fn is_meant(incident: &Incident, targets: &[String]) -> bool {
    let is_target =
        |object: &ObjectRef| targets.iter().any(|word| target::names(word, object.kind, &object.name));
    targets.is_empty() || incident.findings().flat_map(Finding::objects).any(is_target)
}

/// The complaint about a target that names nothing.
fn unknown(app: &App, targets: &[String]) -> Option<String> {
    let objects = || app.findings.iter().flat_map(Finding::objects);
    let word = targets.iter().find(|word| !target::is_known(word, &app.cluster, objects()))?;
    let place = match &app.cluster.namespace {
        None => String::new(),
        Some(namespace) => format!(" in namespace {namespace}"),
    };
    Some(format!(
        "nothing is called {word:?}: no node, pod, volume, claim or attachment{place}; check its spelling and its namespace"
    ))
}

fn table(app: &App, incidents: &[&Incident]) -> String {
    let row = |severity: &str, clock: &str, text: &str| format!("{severity:<9} {clock:<32} {text}\n");
    let lines = incidents.iter().flat_map(|incident| {
        let findings = incident.findings().enumerate().map(|(at, finding)| {
            let clock = clock_words(finding, &app.look()).unwrap_or_else(|| match finding.since {
                Some(since) => format!("for {}", age(Some(since), app.now)),
                None => String::new(),
            });
            let indent = if at == 0 { "" } else { "  " };
            row(finding.severity.word(), &clock, &format!("{indent}{}", finding.sentence))
        });
        findings.chain([row("", "", &format!("next: {}", incident.root.next))])
    });
    lines.collect()
}

fn document(app: &App, incidents: &[&Incident]) -> Value {
    let incidents: Vec<Value> = incidents
        .iter()
        .map(|incident| {
            json!({
                "severity": incident.severity.word(),
                "root": finding(&incident.root),
                "members": incident.following().map(finding).collect::<Vec<_>>(),
            })
        })
        .collect();
    let not_judged: Vec<Value> = app
        .findings
        .blind
        .iter()
        .map(|(rule, feeds)| {
            let missing: Vec<&str> = feeds.iter().map(|feed| feed.name()).collect();
            json!({ "rule": rule.id(), "missing": missing })
        })
        .collect();
    json!({
        "version": VERSION,
        "context": app.session.context,
        "server": app.session.server,
        "at": app.now.to_string(),
        "complete": is_whole(app),
        "incidents": incidents,
        "notJudged": not_judged,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id(),
        "severity": finding.severity.word(),
        "subject": subject(&finding.subject),
        "about": finding.about.iter().map(object).collect::<Vec<_>>(),
        "heldUp": finding.held_up.iter().map(object).collect::<Vec<_>>(),
        "sentence": finding.sentence,
        "since": finding.since.map(|since| since.to_string()),
        "clock": finding.clock.map(|clock| json!({
            "awaited": awaited(clock.what),
            "at": clock.at.to_string(),
            "bound": bound(clock.bound),
            "halted": clock.bound == Bound::Halted,
        })),
        "evidence": finding.evidence.iter().map(|evidence| json!({
            "text": evidence.text,
            "at": evidence.at.map(|at| at.to_string()),
        })).collect::<Vec<_>>(),
        "next": finding.next,
    })
}

/// What scripts know a clock by; it never changes.
const fn awaited(what: Awaited) -> &'static str {
    match what {
        Awaited::Eviction => "eviction",
        Awaited::Deadline => "deadline",
        Awaited::ForceDetach => "force-detach",
        Awaited::Collection => "collection",
        Awaited::Silence => "silence",
        Awaited::Restart => "restart",
    }
}

const fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Exact => "exact",
        Bound::NotBefore | Bound::Halted => "not-before",
        Bound::AtLatest => "at-latest",
    }
}

fn subject(subject: &Subject) -> Value {
    match subject {
        Subject::Object(subject) => object(subject),
        Subject::ControlPlane => json!({ "kind": "ControlPlane" }),
        Subject::Place { label, value } => json!({ "kind": "Place", "label": label, "value": value }),
    }
}

fn object(object: &ObjectRef) -> Value {
    json!({
        "kind": object.kind.word(),
        "namespace": object.name.namespace,
        "name": object.name.name,
        "uid": object.uid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_shown_with_its_place_marked() {
        let text = "naïve severty=critical";
        let error = Filter::parse(text, &triage::FIELDS).unwrap_err();
        assert_eq!(
            refusal(text, &error),
            [
                "--filter: there is no field `severty` here; did you mean `severity`?",
                "  naïve severty=critical",
                "        ^^^^^^^",
            ]
        );
    }
}
