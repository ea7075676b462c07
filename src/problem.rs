//! Problem: one complaint about a data file, with its place; and the files themselves, as layers of names.
//!
//! Everything a person may write (keymaps, themes, the config) is read through here, so that all of it
//! complains alike: every problem at once, each with the file, the place, the reason and the nearest valid name.
//! It reads no files: `assets` and the config bring them as [`Source`]s.

use crate::plain::plain;
use std::collections::BTreeSet;
use std::fmt;

mod layers;
mod yaml;

pub use layers::{Layer, Layers, Source, whole};
pub use yaml::{Shape, Yaml, read};

/// Problems of one file that get a line. More are told without: a line costs as much as reading the file.
const MOST_LINES: usize = 100;

/// One complaint about a data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user knows it: a path, or `keymaps/default.yaml` for an embedded one.
    pub file: String,
    /// The key path: `nodes."g n"`. Empty where the whole file is meant.
    pub place: String,
    pub line: Option<usize>,
    pub reason: String,
    pub hint: Option<String>,
    /// What of the file is meant, as [`Yaml`] counts: the line is found by it.
    at: Option<u32>,
}

impl Problem {
    pub fn new(file: impl Into<String>, path: &[&str], reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            place: place(path),
            line: None,
            reason: reason.into(),
            hint: None,
            at: None,
        }
    }

    /// Tells which thing of the file is meant, so that [`find_lines`] can find its line.
    #[must_use]
    pub fn at(self, at: u32) -> Self {
        Self { at: Some(at), ..self }
    }

    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds the nearest valid name, where one is near.
    #[must_use]
    pub fn with_nearest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, candidates) {
            Some(name) => self.with_hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Adds the nearest valid name, or all of them where none is near.
    #[must_use]
    pub fn with_choice<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Self {
        self.with_hint(choice(word, candidates))
    }

    /// What the YAML parser has to say.
    pub fn from_yaml(file: &str, error: &serde_yaml::Error) -> Self {
        // The parser puts the position into its text as well; once is enough.
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text);
        let line = error.location().map(|location| location.line());
        Self { line, ..Self::new(file, &[], format!("not valid YAML: {reason}")) }
    }
}

/// One line that is safe for a terminal, whatever the file holds: it may have come from anywhere.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        };
        for part in [&self.place, &self.reason].into_iter().filter(|part| !part.is_empty()) {
            text.push_str(": ");
            text.push_str(part);
        }
        if let Some(hint) = &self.hint {
            text.push_str("; ");
            text.push_str(hint);
        }
        f.write_str(&plain(&text))
    }
}

/// Gives the problems of a file their lines, as far as they are known.
pub fn find_lines(source: &Source, problems: &mut [Problem]) {
    let unplaced =
        problems.iter_mut().filter(|problem| problem.file == source.file && problem.line.is_none());
    for problem in unplaced.take(MOST_LINES) {
        problem.line = problem.at.and_then(|at| yaml::line(&source.text, at));
    }
}

/// The entries of a mapping with each name once, as its first says; every other is a problem.
pub fn once(
    entries: Vec<(Yaml, Yaml)>,
    file: &str,
    path: &[&str],
    problems: &mut Vec<Problem>,
) -> Vec<(Yaml, Yaml)> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let word = key.word();
        if matches!(key.shape, Shape::List(_) | Shape::Map(_)) {
            let reason = format!("a name must be one word, and this is {}", key.kind());
            problems.push(Problem::new(file, path, reason).at(key.at));
        } else if seen.insert(word.clone()) {
            kept.push((key, value));
        } else {
            let path: Vec<&str> = path.iter().copied().chain([word.as_str()]).collect();
            problems.push(Problem::new(file, &path, "is there twice").at(key.at).with_hint("keep one"));
        }
    }
    kept
}

/// A key path as it would be written: dots between, quotes where a key is not a bare word.
fn place(path: &[&str]) -> String {
    let quoted = |key: &&str| {
        let bare =
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if bare { (*key).to_owned() } else { format!("\"{key}\"") }
    };
    path.iter().map(quoted).collect::<Vec<_>>().join(".")
}

/// What to say to a word that is none of the few there are.
pub fn choice<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, candidates.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there is {}", candidates.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// The candidate most like `word`, if any is like enough to be meant: a third of its letters may be wrong.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = word;
    let word = word.to_lowercase();
    let near = |candidate: &'a str| {
        let apart = distance(&word, &candidate.to_lowercase());
        let allowed = (word.chars().count().max(candidate.chars().count()) / 3).max(1);
        // Replacing every letter is not likeness: `x` is not near `q`.
        (candidate != wrong && apart <= allowed && apart < candidate.chars().count())
            .then_some((apart, candidate))
    };
    candidates.into_iter().filter_map(near).min_by_key(|(apart, _)| *apart).map(|(_, candidate)| candidate)
}

/// Edit distance where two letters swapped count as one edit: that is how commands are mistyped.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_file_place_reason_and_hint() {
        let problem = Problem::new("vim.yaml", &["nodes", "g n"], "no command `go-noods`")
            .with_nearest("go-noods", ["go-nodes", "go-pods"]);
        assert_eq!(
            problem.to_string(),
            "vim.yaml: nodes.\"g n\": no command `go-noods`; did you mean `go-nodes`?"
        );
    }

    #[test]
    fn yaml_errors_keep_their_line_once() {
        let error = serde_yaml::from_str::<serde_yaml::Value>("a: 1\nb: [\nc: }\n").unwrap_err();
        let problem = Problem::from_yaml("x.yaml", &error);
        assert!(problem.line.is_some(), "{problem:?}");
        assert!(!problem.reason.contains("line"), "{problem:?}");
    }

    #[test]
    fn nearest_finds_slips_and_nothing_else() {
        let names = ["go-nodes", "go-pods", "quit", "q"];
        assert_eq!(nearest("go-ndoes", names), Some("go-nodes"));
        assert_eq!(nearest("GO-PODS", names), Some("go-pods"));
        assert_eq!(nearest("quti", names), Some("quit"));
        assert_eq!(nearest("drain", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, edits) in [("", "", 0), ("", "abc", 3), ("abc", "acb", 1), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }
}
