//! `sickbay check`: what is wrong in the user's files, all of it at once.

use super::settings::Settings;
use super::{Outcome, print};
use std::fmt::Write as _;

pub fn run(settings: &Settings) -> Outcome {
    let printed = print(&report(settings));
    if settings.problems.is_empty() { printed } else { Outcome::Failed }
}

/// The problems one a line, and what was looked at.
fn report(settings: &Settings) -> String {
    let mut report = String::new();
    for problem in &settings.problems {
        let _infallible = writeln!(report, "{problem}");
    }
    let problems = match settings.problems.len() {
        0 => "no problem".to_owned(),
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    };
    let _infallible = match (&settings.folder, settings.files.len()) {
        (None, _) => writeln!(report, "{problems}: there is no home to look for files in; the defaults hold"),
        (Some(folder), 0) => {
            writeln!(report, "{problems}: {} holds no file to read; the defaults hold", folder.display())
        }
        (Some(_), 1) => writeln!(report, "{problems}; read {}", settings.files[0]),
        (Some(_), many) => {
            let files = settings.files.join("\n  ");
            writeln!(report, "{problems}; read {many} files:\n  {files}")
        }
    };
    report
}
