//! What is printed of a plan and of a run: lines for people, a document for programs.

use crate::actions::audit::Entry;
use crate::actions::rollback;
use crate::actions::run::{SkipReason, Until};
use crate::actions::{Progress, Record, Run};
use crate::app::App;
use crate::app::acting::{Review, record_words};
use crate::cli::Output;
use crate::cluster::Text;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn plan(app: &App, review: &Review, output: Output) -> String {
    match output {
        Output::Table => plan_lines(app, review),
        Output::Json => format!("{:#}\n", plan_document(app, review)),
        Output::Yaml => serde_yaml::to_string(&plan_document(app, review)).unwrap_or_default(),
    }
}

/// What brings a repository to where a rollback goes back to, as YAML.
pub fn patch(review: &Review) -> Option<String> {
    let lines = rollback::patch(review.draft.goal()?)?.lines();
    Some(lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect())
}

fn plan_lines(app: &App, review: &Review) -> String {
    let mut lines = Vec::new();
    for check in &review.preflight.checks {
        lines.push(format!("{:<6} {}", check.word(), check.reason));
        if let Some(remedy) = &check.remedy {
            lines.push(format!("{:<6} {remedy}", "so:"));
        }
    }
    for (at, step) in review.plan.steps.iter().enumerate() {
        let kubectl = step.kubectl().map_or_else(String::new, |kubectl| format!("  ({kubectl})"));
        lines.push(format!("step {} {}{kubectl}", at + 1, step.sentence()));
    }
    if review.plan.steps.is_empty() {
        lines.push("nothing to do".to_owned());
    } else if let Some(word) = app.word_asked() {
        lines.push(format!("to confirm, {word} has to be typed: --confirm"));
    }
    joined(&lines)
}

fn joined(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

fn plan_document(app: &App, review: &Review) -> Value {
    let checks: Vec<Value> = review
        .preflight
        .checks
        .iter()
        .map(|check| {
            json!({
                "verdict": check.verdict.word(),
                "about": check.about,
                "reason": check.reason,
                "remedy": check.remedy,
            })
        })
        .collect();
    let steps: Vec<Value> = review
        .plan
        .steps
        .iter()
        .map(|step| {
            json!({
                "what": step.sentence(),
                "object": step.object(),
                "kubectl": step.kubectl(),
                "command": step.errand().map(|errand| &errand.argv),
            })
        })
        .collect();
    json!({
        "context": app.session.context,
        "server": app.session.server,
        "action": review.draft.action.kind().spec().id,
        "why": review.draft.why,
        "blocked": review.preflight.is_blocked(),
        "danger": review.plan.danger.word(),
        "confirm": app.word_asked(),
        "checks": checks,
        "steps": steps,
        "patch": review.draft.goal().and_then(rollback::patch).map(|patch| patch.value),
    })
}

/// A record as it happens.
pub fn record(record: &Record) -> Option<String> {
    match &record.entry {
        // The end is told with all that led to it.
        Entry::Ended(_) => None,
        Entry::Started(_) | Entry::Step(_) | Entry::Noted(_) => Some(record_words(record)),
    }
}

/// What was told of the steps that wait, each once for each reason.
#[derive(Default)]
pub struct Waits {
    told: BTreeMap<usize, Text>,
}

impl Waits {
    /// What is new.
    pub fn told(&mut self, run: &Run) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, (step, progress)) in run.steps().enumerate() {
            let Some(reason) = waits_for(progress) else { continue };
            if self.told.get(&at) != Some(reason) {
                self.told.insert(at, reason.clone());
                lines.push(format!("{}: waiting: {reason}", step.sentence()));
            }
        }
        lines
    }
}

/// What holds a step up that has not been accepted.
const fn waits_for(progress: &Progress) -> Option<&Text> {
    match progress {
        Progress::Waiting {
            until: Until::Again(_) | Until::Budget { .. } | Until::Gone { .. } | Until::Node | Until::Seen,
            reason,
            ..
        } => Some(reason),
        Progress::Waiting { until: Until::Shown | Until::Changed, .. }
        | Progress::Pending
        | Progress::InFlight { .. }
        | Progress::Done { .. }
        | Progress::Skipped { .. }
        | Progress::Failed { .. } => None,
    }
}

/// How a run ended.
pub fn run(run: &Run, output: Output) -> String {
    match output {
        Output::Table => run_lines(run),
        Output::Json => format!("{:#}\n", run_document(run)),
        Output::Yaml => serde_yaml::to_string(&run_document(run)).unwrap_or_default(),
    }
}

fn run_lines(run: &Run) -> String {
    let ended = run.summary();
    let many = ended.done + ended.not_done;
    let mut lines =
        vec![format!("{}: {} of {many} steps (run {})", ended.outcome.word(), ended.done, run.id)];
    for (step, progress) in run.steps() {
        if let Progress::Failed { reason } | Progress::Skipped { reason: SkipReason::Chosen(reason) } =
            progress
        {
            lines.push(format!("{}: {}: {reason}", progress.word(), step.sentence()));
        }
    }
    if let Some(reason) = run.stopped() {
        lines.push(format!("stopped because: {reason}"));
    }
    if run.undo().is_some() {
        lines.push(format!("take it back: sickbay runs undo {}", run.id));
    }
    joined(&lines)
}

fn run_document(run: &Run) -> Value {
    let steps: Vec<Value> = run
        .steps()
        .map(|(step, progress)| {
            json!({
                "what": step.sentence(),
                "object": step.object(),
                "result": progress.word(),
                "reason": progress.reason(),
                "at": match progress {
                    Progress::Done { at, .. } => Some(at.to_string()),
                    Progress::Pending
                    | Progress::InFlight { .. }
                    | Progress::Waiting { .. }
                    | Progress::Skipped { .. }
                    | Progress::Failed { .. } => None,
                },
            })
        })
        .collect();
    let ended = run.summary();
    json!({
        "run": run.id,
        "action": run.draft.action.kind().spec().id,
        "outcome": ended.outcome,
        "done": ended.done,
        "notDone": ended.not_done,
        "steps": steps,
        "undo": run.undo().is_some(),
    })
}
