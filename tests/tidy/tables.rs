//! The tables of ARCHITECTURE.md that are rules.
//!
//! What stands between backticks counts; the words around it are for people.

use std::collections::{BTreeMap, BTreeSet};

/// What a module may use of the crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    pub is_core: bool,
    pub modules: BTreeSet<String>,
}

/// "Who may import whom": each module's leave.
pub fn imports(document: &str) -> BTreeMap<String, Leave> {
    let mut leaves = BTreeMap::new();
    for cells in rows(document, "## Who may import whom") {
        let [modules, part, uses, ..] = cells.as_slice() else {
            panic!("a row has too few cells: {cells:?}")
        };
        let is_core = match *part {
            "core" => true,
            "shell" | "apart" => false,
            other => panic!("{other:?} is no part: core, shell or apart"),
        };
        for module in quoted(modules) {
            let leave = Leave { is_core, modules: quoted(uses).map(str::to_owned).collect() };
            let known = leaves.insert(module.to_owned(), leave);
            assert_eq!(known, None, "{module} has two rows");
        }
    }
    leaves
}

/// "Which crate lives where": each dependency's modules. `everywhere` is every module.
pub fn homes(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for cells in rows(document, "## Which crate lives where") {
        let [crates, modules, ..] = cells.as_slice() else { panic!("a row has too few cells: {cells:?}") };
        for name in quoted(crates) {
            let home = homes.entry(name.replace('-', "_")).or_default();
            home.extend(quoted(modules).map(str::to_owned));
            if modules.starts_with("everywhere") {
                home.insert("everywhere".to_owned());
            }
        }
    }
    homes
}

/// The text below a heading, up to the next one of its level.
pub fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let (_, below) =
        document.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{heading} is gone"));
    below.split("\n## ").next().unwrap_or_default()
}

fn rows<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let lines = section(document, heading).lines().filter(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Vec<&str>> =
        lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert!(!rows.is_empty(), "there is no table below {heading}");
    rows
}

/// What stands between backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
