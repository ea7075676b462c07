//! `sickbay journal`, `sickbay runs` and `sickbay actions`: what was done, what became of it, and what can be done.

use super::{Outcome, complain, print, start};
use crate::actions::history::{self, PastRun};
use crate::actions::{ActionKind, Record};
use crate::app::acting::record_words;
use crate::cli::{Global, Output, Printed};
use crate::journal;
use serde_json::{Value, json};

/// Prints all records, oldest first.
pub fn print_journal(global: &Global, printed: &Printed) -> Outcome {
    let reading = journal::read(&start::journals(global));
    let text = match printed.output {
        Output::Table if reading.records.is_empty() => "nothing was done so far\n".to_owned(),
        Output::Table => reading.records.iter().map(line).collect(),
        Output::Json => format!("{:#}\n", json!(reading.records)),
        Output::Yaml => serde_yaml::to_string(&reading.records).unwrap_or_default(),
    };
    for problem in &reading.problems {
        complain(problem);
    }
    print(&text)
}

fn line(record: &Record) -> String {
    let at = record.at.strftime("%Y-%m-%d %H:%M:%SZ");
    format!("{at}  {:<10} {}\n", record.run, record_words(record))
}

/// The runs that the journals tell of, oldest first.
pub fn past(global: &Global) -> Vec<PastRun> {
    let reading = journal::read(&start::journals(global));
    for problem in &reading.problems {
        complain(problem);
    }
    history::runs(&reading.records, |run| reading.is_alive(run))
}

pub fn print_runs(runs: &[PastRun], output: Output) -> Outcome {
    let text = match output {
        Output::Table if runs.is_empty() => "nothing was run so far\n".to_owned(),
        Output::Table => runs.iter().map(run_lines).collect(),
        Output::Json => format!("{:#}\n", runs.iter().map(document).collect::<Value>()),
        Output::Yaml => {
            serde_yaml::to_string(&runs.iter().map(document).collect::<Value>()).unwrap_or_default()
        }
    };
    print(&text)
}

fn run_lines(run: &PastRun) -> String {
    let started = &run.started;
    let names: Vec<&str> = started.targets.iter().map(|target| target.name.as_str()).collect();
    let action = started.action.kind().spec().id;
    let many = started.steps.len();
    let mut lines = vec![format!(
        "{:<10} {}  {:<11} {action} {}: {} of {many} done, in {}",
        run.id,
        run.began.strftime("%Y-%m-%d %H:%M:%SZ"),
        run.state(),
        names.join(", "),
        run.done(),
        started.place.context,
    )];
    if run.is_cut_off() {
        let unknown = run.unknown();
        if unknown > 0 {
            lines.push(format!("{:<10} of {unknown} nothing is recorded: look at them", ""));
        }
        lines.push(format!("{:<10} take it up: sickbay runs resume {}", "", run.id));
    }
    if run.undo().is_some() {
        lines.push(format!("{:<10} take it back: sickbay runs undo {}", "", run.id));
    }
    lines.join("\n") + "\n"
}

fn document(run: &PastRun) -> Value {
    json!({
        "id": run.id,
        "began": run.began,
        "state": run.state(),
        "started": run.started,
        "steps": run.steps,
        "ended": run.ended.as_ref().map(|(at, ended)| json!({ "at": at, "outcome": ended.outcome })),
        "unknown": run.unknown(),
        "undo": run.undo().is_some(),
    })
}

/// The table of actions.
pub fn print_actions(printed: &Printed) -> Outcome {
    let actions = || {
        ActionKind::ALL.iter().map(|action| {
            let spec = action.spec();
            let rights: Vec<String> = spec.rights.iter().map(|right| right.to_string()).collect();
            (spec, rights)
        })
    };
    let text = match printed.output {
        Output::Table => actions()
            .map(|(spec, rights)| {
                let danger = spec.danger.word();
                format!("{:<12} {danger:<12} {:<16} {}", spec.id, rights.join(", "), spec.doc)
            })
            .chain([String::new()])
            .collect::<Vec<_>>()
            .join("\n"),
        Output::Json | Output::Yaml => {
            let document: Value = actions()
                .map(|(spec, rights)| {
                    json!({
                        "id": spec.id,
                        "doc": spec.doc,
                        "kinds": spec.kinds,
                        "danger": spec.danger.word(),
                        "rights": rights,
                    })
                })
                .collect();
            match printed.output {
                Output::Yaml => serde_yaml::to_string(&document).unwrap_or_default(),
                Output::Json | Output::Table => format!("{document:#}\n"),
            }
        }
    };
    print(&text)
}
