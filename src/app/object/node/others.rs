//! Who else acts on a node, and what of that could not be read.

use crate::actions::others::{Other, Stage, others};
use crate::app::App;
use crate::app::columns::{Cell, Tone};
use crate::app::object::{Line, Section};
use crate::app::time::short;
use crate::cluster::Node;

/// By what is watched, and by what was read when the file was opened.
pub fn known(node: &Node, app: &App) -> Vec<Other> {
    let survey = app.inquest(node).and_then(|inquest| inquest.survey.as_ref());
    others(node, survey, (&app.cluster, app.now))
}

pub fn section(node: &Node, others: &[Other], app: &App) -> Section {
    let mut lines: Vec<Line> = others
        .iter()
        .map(|other| {
            let (word, tone) = match other.stage {
                Stage::Acting => ("at it", Tone::Critical),
                Stage::Armed => ("may begin", Tone::Warning),
                Stage::Over => ("over", Tone::Plain),
                Stage::Idle => ("not at it", Tone::Muted),
            };
            let since = other
                .since
                .map_or_else(String::new, |since| format!(" ({} ago)", short(app.now.duration_since(since))));
            Line::cells(vec![
                Cell::new(format!("{word:<9}"), tone),
                Cell::new(
                    format!("{}{since}", other.sentence()),
                    if tone == Tone::Muted { tone } else { Tone::Plain },
                ),
            ])
        })
        .collect();
    let survey = app.inquest(node).and_then(|inquest| inquest.survey.as_ref());
    let Some(survey) = survey else {
        lines.push(Line::cells(vec![Cell::muted("their objects are not read yet")]));
        return Section { title: TITLE.to_owned(), lines };
    };
    if lines.is_empty() {
        lines.push(Line::cells(vec![Cell::plain("nobody that is known")]));
    }
    for reason in survey.not_known() {
        lines.push(Line::cells(vec![Cell::new("not known", Tone::Notice), Cell::plain(reason)]));
    }
    let absent = survey.not_installed();
    if !absent.is_empty() {
        let words = format!("not installed: {}", absent.join(", "));
        lines.push(Line::cells(vec![Cell::muted(words)]));
    }
    let title = format!("{TITLE} (read {} ago)", short(app.now.duration_since(survey.at)));
    Section { title, lines }
}

const TITLE: &str = "Who else acts on it";
