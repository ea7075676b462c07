//! `sickbay rules`: what the findings are made by; the same table as in the README.

use super::{Outcome, print};
use crate::app::wrap::wrap;
use crate::cli::{Output, Rules as Asked};
use crate::findings::RULES;
use serde_json::{Value, json};

/// Columns of a paragraph.
const WIDTH: usize = 100;

pub fn run(asked: &Asked) -> Outcome {
    match asked.output {
        Output::Table => print(&table()),
        Output::Json => print(&format!("{:#}\n", document())),
        Output::Yaml => print(&serde_yaml::to_string(&document()).unwrap_or_default()),
    }
}

fn table() -> String {
    let rules = RULES.iter().map(|rule| {
        let prose = wrap(rule.id.prose(), WIDTH, ("  ", "  ")).join("\n");
        let needs: Vec<&str> = rule.needs.iter().map(|need| need.name()).collect();
        let needs = if needs.is_empty() { String::new() } else { format!("  needs {}\n", needs.join(", ")) };
        format!("{}\n{prose}\n{needs}", rule.id)
    });
    rules.collect::<Vec<_>>().join("\n")
}

fn document() -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            let needs: Vec<&str> = rule.needs.iter().map(|need| need.name()).collect();
            json!({ "id": rule.id.id(), "finds": rule.id.prose(), "needs": needs })
        })
        .collect();
    json!({ "version": 1, "rules": rules })
}
