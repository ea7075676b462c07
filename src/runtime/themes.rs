//! `sickbay themes`: which there are, and what one makes of each role.

use super::settings::Settings;
use super::{Outcome, complain, print};
use crate::cli::{Output, Themes as Asked};
use crate::problem::choice;
use crate::terminal::Environment;
use crate::theme::{ColorDepth, Role, Style, Theme};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What is written in each role, where it can be seen.
const SAMPLE: &str = "worker-2 NotReady";

pub fn run(asked: &Asked, settings: &Settings) -> Outcome {
    let environment = Environment::read();
    let (in_force, depth) = settings.theme_name(&environment);
    let name = asked.name.as_deref().unwrap_or(in_force);
    if settings.themes.source(name).is_none() {
        let hint = choice(name, settings.themes.names().collect::<Vec<_>>());
        complain(&format!("there is no theme `{name}`; {hint}"));
        return Outcome::Usage;
    }
    if !settings.problems.is_empty() {
        complain(&settings.summary());
    }
    let shown = Shown { name, in_force, depth, is_styled: environment.stdout_is_terminal };
    match asked.output {
        Output::Table => print(&table(settings, &shown)),
        Output::Json => print(&format!("{:#}\n", document(settings, &shown))),
        Output::Yaml => print(&serde_yaml::to_string(&document(settings, &shown)).unwrap_or_default()),
    }
}

/// Which theme is shown, and to what.
struct Shown<'a> {
    name: &'a str,
    in_force: &'a str,
    depth: ColorDepth,
    is_styled: bool,
}

impl Shown<'_> {
    fn theme(&self, settings: &Settings) -> Theme {
        // A file has no colours of its own to lose: it gets the theme as it was written.
        let depth = if self.is_styled { self.depth } else { ColorDepth::Indexed256 };
        Theme::load(self.name, &settings.themes, depth).0
    }
}

fn table(settings: &Settings, shown: &Shown<'_>) -> String {
    let mut text = String::new();
    for name in settings.themes.names() {
        let file = settings.themes.source(name).map_or("", |source| source.file.as_str());
        let sign = if name == shown.in_force { '*' } else { ' ' };
        let _infallible = writeln!(text, "{sign} {name:<12} {file}");
    }
    let theme = shown.theme(settings);
    let _infallible = writeln!(text, "\nRoles of {}", shown.name);
    for role in Role::ALL {
        let style = theme.style(*role);
        let sample = if shown.is_styled { painted(style) } else { String::new() };
        let line = format!("  {:<18} {:<28} {sample}", role.id(), style.to_string());
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn painted(style: Style) -> String {
    match style.sgr() {
        plain if plain.is_empty() => SAMPLE.to_owned(),
        sgr => format!("{sgr}{SAMPLE}\u{1b}[0m"),
    }
}

fn document(settings: &Settings, shown: &Shown<'_>) -> Value {
    let themes = settings.themes.names().map(|name| {
        json!({
            "name": name,
            "file": settings.themes.source(name).map(|source| source.file.as_str()),
            "isInForce": name == shown.in_force,
        })
    });
    let theme = shown.theme(settings);
    let roles = Role::ALL.iter().map(|role| {
        json!({
            "role": role.id(),
            "style": theme.style(*role).to_string(),
            "fallback": (role.fallback() != *role).then(|| role.fallback().id()),
        })
    });
    json!({
        "themes": themes.collect::<Vec<_>>(),
        "shown": shown.name,
        "roles": roles.collect::<Vec<_>>(),
    })
}
