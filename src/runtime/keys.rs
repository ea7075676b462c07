//! `sickbay keys`: the keymap in force as a list.

use super::settings::Settings;
use super::{Outcome, complain, print};
use crate::cli::{Keys as Asked, Output};
use crate::command::Context;
use crate::keymap::{Bound, Hidden, Listing};
use crate::problem::choice;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub fn run(asked: &Asked, settings: &Settings) -> Outcome {
    let focus = match asked.context.as_deref().map(context).transpose() {
        Ok(focus) => focus,
        Err(reason) => {
            complain(&reason);
            return Outcome::Usage;
        }
    };
    let listing = settings.listing();
    let listing = match focus {
        Some(focus) => seen_from(focus, listing),
        None => listing,
    };
    if !settings.problems.is_empty() {
        complain(&settings.summary());
    }
    match asked.output {
        Output::Table => print(&table(&listing)),
        Output::Json => print(&format!("{:#}\n", document(settings.keymap_name(), &listing))),
        Output::Yaml => {
            print(&serde_yaml::to_string(&document(settings.keymap_name(), &listing)).unwrap_or_default())
        }
    }
}

fn context(word: &str) -> Result<Context, String> {
    Context::by_id(word).ok_or_else(|| {
        let ids = Context::ALL.iter().map(|context| context.id());
        format!("there is no context `{word}`; {}", choice(word, ids))
    })
}

/// What of the list matters while `focus` has the focus.
fn seen_from(focus: Context, listing: Listing) -> Listing {
    let mut bound = listing.bound;
    for one in &mut bound {
        one.hidden.retain(|hidden| hidden.focus == focus);
    }
    let stack = focus.stack();
    bound.retain(|one| stack.contains(&one.context) && one.command.applies_in(focus));
    let place = |bound: &Bound| stack.iter().position(|context| *context == bound.context);
    bound.sort_by_key(place);
    let mut keyless = listing.keyless;
    keyless.retain(|(_, contexts)| contexts.contains(&focus));
    for (_, contexts) in &mut keyless {
        contexts.retain(|context| *context == focus);
    }
    Listing { bound, keyless }
}

fn table(listing: &Listing) -> String {
    let rows: Vec<[String; 4]> = listing
        .bound
        .iter()
        .map(|bound| {
            let spec = bound.command.spec();
            [bound.context.id().to_owned(), bound.keys.to_string(), spec.id.to_owned(), spec.doc.to_owned()]
        })
        .collect();
    let headings = ["CONTEXT", "KEYS", "COMMAND", "WHAT IT DOES"].map(str::to_owned);
    let width =
        |at: usize| rows.iter().chain([&headings]).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [context, keys, command, doc] in [&headings].into_iter().chain(&rows) {
        let [first, second, third] = widths;
        let _infallible = writeln!(text, "{context:<first$}  {keys:<second$}  {command:<third$}  {doc}");
    }
    let conflicts: Vec<String> = listing.bound.iter().flat_map(conflicts).collect();
    for (title, lines) in [("Conflicts", conflicts), ("Without a key", keyless(listing))] {
        if !lines.is_empty() {
            let _infallible = write!(text, "\n{title}\n{}", lines.concat());
        }
    }
    text
}

fn conflicts(bound: &Bound) -> Vec<String> {
    let name =
        |bound: &Bound| format!("{} `{}` ({})", bound.context.id(), bound.keys, bound.command.spec().id);
    let hidden = |hidden: &Hidden| {
        let by = &hidden.by;
        let reach = if bound.is_reached { "hidden" } else { "never reached: hidden" };
        format!(
            "  {}: {reach} in {} by `{}` ({})\n",
            name(bound),
            hidden.focus.id(),
            by.keys,
            by.command.spec().id
        )
    };
    bound.hidden.iter().map(hidden).collect()
}

fn keyless(listing: &Listing) -> Vec<String> {
    let line = |(command, contexts): &(crate::command::Command, Vec<Context>)| {
        let id = command.spec().id;
        let places: Vec<&str> = contexts.iter().map(|context| context.id()).collect();
        format!("  {id} in {}: type `:{id}`\n", places.join(", "))
    };
    listing.keyless.iter().map(line).collect()
}

fn document(name: &str, listing: &Listing) -> Value {
    let hidden = |hidden: &Hidden| {
        json!({
            "in": hidden.focus.id(),
            "keys": hidden.by.keys.to_string(),
            "command": hidden.by.command.spec().id,
        })
    };
    let bound = |bound: &Bound| {
        json!({
            "context": bound.context.id(),
            "keys": bound.keys.to_string(),
            "command": bound.command.spec().id,
            "doc": bound.command.spec().doc,
            "file": bound.file,
            "isReached": bound.is_reached,
            "hidden": bound.hidden.iter().map(hidden).collect::<Vec<_>>(),
        })
    };
    let keyless = |(command, contexts): &(crate::command::Command, Vec<Context>)| {
        json!({
            "command": command.spec().id,
            "in": contexts.iter().map(|context| context.id()).collect::<Vec<_>>(),
        })
    };
    json!({
        "keymap": name,
        "bindings": listing.bound.iter().map(bound).collect::<Vec<_>>(),
        "withoutKey": listing.keyless.iter().map(keyless).collect::<Vec<_>>(),
    })
}
