//! What a review of something dangerous says before all else: the verdict, and what goes. And the field in which the
//! operator states that a machine is off.

use crate::actions::toll::Toll;
use crate::actions::{Preflight, Verdict};
use crate::app::App;
use crate::app::acting::Review;
use crate::app::review::{Field, Form};
use crate::app::wrap::wrap;
use crate::cluster::{Name, Text};
use crate::theme::Role;

/// Lines that the names of pods, and of volumes, may take: all of them are told one by one below.
const MOST_LINES: usize = 3;

/// In one line: whether it may be done, as far as is known.
pub fn verdict(preflight: &Preflight) -> (String, Role) {
    let against = preflight.of_verdict(Verdict::Block).count();
    let open = preflight.checks.iter().filter(|check| check.is_open).count() + preflight.open;
    match (against, open) {
        (0, 0) => ("Nothing speaks against it; all is read again right before".to_owned(), Role::StatusGood),
        (0, _) => {
            ("Nothing speaks against it so far; it is still looked at".to_owned(), Role::SeverityNotice)
        }
        (1, _) => ("BLOCKED: one thing speaks against it".to_owned(), Role::SeverityCritical),
        (many, _) => (format!("BLOCKED: {many} things speak against it"), Role::SeverityCritical),
    }
}

/// What goes, by name.
pub fn toll(app: &App, review: &Review, width: usize) -> Vec<(String, Role)> {
    let Toll { pods, volumes } = review.plan.toll(&app.cluster);
    let mut lines = Vec::new();
    lines.extend(names("pods", &pods, width));
    lines.extend(names("vols", &volumes, width));
    lines
}

fn names(what: &str, names: &[Name], width: usize) -> Vec<(String, Role)> {
    if names.is_empty() {
        return Vec::new();
    }
    let (first, width) = (format!("{what:<6}"), width.max(20));
    let told = |many: usize| {
        let words: Vec<String> = names.iter().take(many).map(Name::to_string).collect();
        let more = match names.len() - many {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        wrap(&format!("{}: {}{more}", names.len(), words.join(", ")), width, (&first, "      "))
    };
    let fits = (1..=names.len()).rev().map(told).find(|lines| lines.len() <= MOST_LINES);
    let lines = fits.unwrap_or_else(|| told(1));
    lines.into_iter().map(|line| (line, Role::Heading)).collect()
}

/// What is written before the field.
pub fn label(machines: &[Text]) -> String {
    match machines {
        [one] => format!("{one} is off, I state (type its name): "),
        many => {
            let names: Vec<&str> = many.iter().map(Text::as_str).collect();
            format!("these are off, I state ({}): ", names.join(" "))
        }
    }
}

/// What the statement means, while it is typed.
pub fn meaning(app: &App, form: &Form, machines: &[Text]) -> Option<(String, Role)> {
    if form.field != Field::Off {
        return None;
    }
    let is_known = |word: &&str| machines.iter().any(|name| name.as_str().starts_with(word));
    if let Some(word) = form.off.split_whitespace().find(|word| !is_known(word)) {
        return Some((format!("no machine that this is about is called {word}"), Role::NoticeWarning));
    }
    let who = &app.session.operator;
    let words = format!("journalled as the word of {who}; if it is wrong, two machines write to one disk");
    Some((words, Role::SeverityWarning))
}
