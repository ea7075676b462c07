//! What ARCHITECTURE.md promises and no compiler checks, held against the sources.
//!
//! Code behind `#[cfg(test)]` may use what it needs: the rules are for what is shipped. That our own enums are
//! matched without `_` is clippy's to say (`wildcard_enum_match_arm`), which knows types.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tables.rs"]
mod tables;

use source::{Named, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tables::Leave;

/// Lines of one file that are not for tests.
const CEILING: usize = 500;

/// Names that say nothing.
const EMPTY_WORDS: [&str; 11] =
    ["manager", "handler", "helper", "helpers", "util", "utils", "service", "data", "info", "process", "do"];

/// Names that the API and its programs give.
const GIVEN: [&str; 11] = [
    "ApiService",
    "NodeSystemInfo",
    "Service",
    "api_service",
    "api_service_down",
    "cloud_controller_manager_silent",
    "controller_manager_silent",
    "service",
    "node_out_of_service_alive",
    "service_losing_requests",
    "service_without_ready_pods",
];

/// What the core may not reach of the standard library and of crates that it may otherwise use.
const OUTSIDE_OF_CORE: [&[&str]; 14] = [
    &["std", "env"],
    &["std", "fs"],
    &["std", "io", "stdin"],
    &["std", "io", "stdout"],
    &["std", "io", "stderr"],
    &["std", "net"],
    &["std", "os"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["jiff", "Timestamp", "now"],
    &["jiff", "Zoned", "now"],
    &["jiff", "tz", "TimeZone", "system"],
];

/// What ends a program.
const ENDINGS: [&str; 11] = [
    "unwrap",
    "expect",
    "unwrap_err",
    "expect_err",
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "assert",
    "assert_eq",
    "assert_ne",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

fn leaves() -> BTreeMap<String, Leave> {
    tables::imports(&document("ARCHITECTURE.md"))
}

/// All complaints at once: one run tells everything that is to be done.
#[track_caller]
fn none(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// What a file of the crate uses of the crate's other modules.
fn uses(source: &Source) -> impl Iterator<Item = (&str, &Named)> {
    let own = source.module.first();
    source.named.iter().filter_map(move |named| match named.words.as_slice() {
        [root, module, ..] if root == "crate" && Some(module) != own => Some((module.as_str(), named)),
        _ => None,
    })
}

fn core() -> impl Iterator<Item = Source> {
    let leaves = leaves();
    let is_core = move |source: &Source| leaves.get(source.module.first()?).map(|leave| leave.is_core);
    source::of_crate(root()).into_iter().filter(move |source| is_core(source).unwrap_or_default())
}

#[test]
fn modules_use_only_what_the_table_grants_them() {
    let leaves = leaves();
    let mut complaints = Vec::new();
    for source in source::of_crate(root()).iter().filter(|source| !source.is_at_root()) {
        let Some(leave) = leaves.get(&source.module[0]) else { continue };
        for (module, named) in uses(source).filter(|(module, _)| !leave.modules.contains(*module)) {
            let own = &source.module[0];
            complaints.push(format!("{}: `{own}` may not use `{module}`", source.at(named.line)));
        }
    }
    none(complaints);
}

#[test]
fn the_table_grants_nothing_that_is_not_used() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sources = source::of_crate(root());
    for source in sources.iter().filter(|source| !source.is_at_root()) {
        let modules = used.entry(source.module[0].clone()).or_default();
        modules.extend(uses(source).map(|(module, _)| module.to_owned()));
    }
    let mut complaints = Vec::new();
    for (module, leave) in leaves() {
        let Some(used) = used.get(&module) else {
            complaints.push(format!("ARCHITECTURE.md: there is no module `{module}`"));
            continue;
        };
        for idle in leave.modules.difference(used) {
            complaints.push(format!("ARCHITECTURE.md: `{module}` may use `{idle}` and does not"));
        }
    }
    none(complaints);
}

#[test]
fn every_module_has_a_row_in_the_table() {
    let leaves = leaves();
    let modules: BTreeSet<String> =
        source::of_crate(root()).iter().filter_map(|source| source.module.first().cloned()).collect();
    none(
        modules
            .iter()
            .filter(|module| !leaves.contains_key(*module))
            .map(|module| format!("ARCHITECTURE.md: `{module}` has no row below \"Who may import whom\"")),
    );
}

#[test]
fn the_core_knows_nothing_of_the_shell_and_nobody_uses_each_other() {
    let leaves = leaves();
    let mut complaints = Vec::new();
    for (module, leave) in &leaves {
        for used in &leave.modules {
            if leave.is_core && !leaves[used].is_core {
                complaints.push(format!("ARCHITECTURE.md: `{module}` is core and `{used}` is not"));
            }
        }
        if reach(&leaves, module).contains(module) {
            complaints.push(format!("ARCHITECTURE.md: `{module}` uses itself by way of others"));
        }
    }
    none(complaints);
}

/// All that a module can reach through others.
fn reach(leaves: &BTreeMap<String, Leave>, module: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![module.to_owned()];
    while let Some(module) = next.pop() {
        for used in &leaves[&module].modules {
            if reached.insert(used.clone()) {
                next.push(used.clone());
            }
        }
    }
    reached
}

#[test]
fn the_core_reaches_no_clock_no_file_and_nothing_else_outside() {
    let mut complaints = Vec::new();
    for source in core() {
        for named in &source.named {
            let is_outside = |outside: &&[&str]| {
                named.words.len() >= outside.len() && named.words.iter().zip(*outside).all(|(a, b)| a == b)
            };
            if OUTSIDE_OF_CORE.iter().any(is_outside) {
                let path = named.words.join("::");
                complaints.push(format!("{}: {path} in the core", source.at(named.line)));
            }
        }
    }
    none(complaints);
}

#[test]
fn the_core_never_ends_the_program() {
    let mut complaints = Vec::new();
    for source in core() {
        for call in source.calls.iter().filter(|call| ENDINGS.contains(&call.words[0].as_str())) {
            complaints.push(format!("{}: {} in the core", source.at(call.line), call.words[0]));
        }
    }
    none(complaints);
}

#[test]
fn crates_are_used_only_where_they_live() {
    let homes = tables::homes(&document("ARCHITECTURE.md"));
    let mut complaints = Vec::new();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for source in source::of_crate(root()) {
        let module = source.module.first().map_or("main", String::as_str);
        for named in &source.named {
            let Some(home) = homes.get(&named.words[0]) else { continue };
            used.insert((named.words[0].clone(), module.to_owned()));
            if !home.contains(module) && !home.contains("everywhere") {
                let name = &named.words[0];
                complaints
                    .push(format!("{}: `{module}` may not use the crate {name}", source.at(named.line)));
            }
        }
    }
    for (name, home) in &homes {
        for module in home.iter().filter(|module| *module != "everywhere") {
            if !used.contains(&(name.clone(), module.clone())) {
                complaints
                    .push(format!("ARCHITECTURE.md: {name} is said to live in `{module}` and does not"));
            }
        }
    }
    complaints.sort();
    complaints.dedup();
    none(complaints);
}

#[test]
fn every_dependency_has_a_home() {
    let homes = tables::homes(&document("ARCHITECTURE.md"));
    let manifest = document("Cargo.toml");
    let dependencies: BTreeSet<String> = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    let known: BTreeSet<String> = homes.into_keys().collect();
    let homeless = dependencies.difference(&known).map(|name| format!("ARCHITECTURE.md: {name} has no home"));
    let gone =
        known.difference(&dependencies).map(|name| format!("ARCHITECTURE.md: {name} is no dependency"));
    none(homeless.chain(gone));
}

/// Who may name a way to write: who sends it, who asks for rights, and who refuses all others.
const WRITERS: [&[&str]; 5] = [
    &["k8s", "execute"],
    &["k8s", "execute", "edit"],
    &["k8s", "execute", "trial"],
    &["k8s", "access"],
    &["k8s", "transport"],
];

#[test]
fn writes_are_built_in_one_place() {
    let is_write = |named: &&Named| {
        let words: Vec<&str> = named.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["http", "Method", method] => matches!(*method, "POST" | "PUT" | "PATCH" | "DELETE"),
            ["http", "Request", method] => matches!(*method, "post" | "put" | "patch" | "delete"),
            // Has ways of its own.
            ["kube", "Api" | "api", ..] => true,
            _ => false,
        }
    };
    let shipped = source::of_crate(root());
    let is_elsewhere = |source: &&Source| {
        let module: Vec<&str> = source.module.iter().map(String::as_str).collect();
        !WRITERS.contains(&module.as_slice()) && module.first() != Some(&"demo")
    };
    let others = shipped.iter().filter(is_elsewhere);
    none(others.flat_map(|source| {
        source.named.iter().filter(is_write).map(|named| {
            format!("{}: {} is for those who send writes", source.at(named.line), named.words.join("::"))
        })
    }));
    let of_writers: usize = shipped.iter().map(|source| source.named.iter().filter(is_write).count()).sum();
    assert!(of_writers > 0, "the rule looks for nothing");
}

#[test]
fn a_proof_is_made_by_the_evidence_alone_and_a_dangerous_call_of_a_proof_alone() {
    let made = |name: &str| -> Vec<String> {
        let is_made = |line: &str| {
            let (before, _) = line.split_once(&format!("{name} {{"))?;
            (!["struct ", "impl ", "let "].iter().any(|word| before.ends_with(word))).then_some(())
        };
        source::of_crate(root())
            .iter()
            .filter(|source| source.module.first().is_some_and(|module| module != "demo"))
            .flat_map(|source| {
                let text = document(&source.path);
                let many = text.lines().filter_map(is_made).count();
                std::iter::repeat_n(source.path.clone(), many)
            })
            .collect()
    };
    assert_eq!(made("Cleared"), ["src/actions/evidence.rs"]);
    // What makes it takes a proof and gives it away.
    let text = document("src/actions/dangerous.rs");
    assert_eq!(text.matches("Armed {").count(), 3, "the type, what it can do, and where it is made");
    assert!(text.contains("pub fn dangerous(cleared: Cleared) -> Self"));
    let armed = made("Armed");
    assert!(armed.iter().all(|path| path == "src/actions/dangerous.rs") && !armed.is_empty(), "{armed:?}");
}

#[test]
fn files_stay_under_the_ceiling() {
    none(
        source::of_crate(root()).iter().filter(|source| source.lines > CEILING).map(|source| {
            format!("{}: {} lines without tests; split it by subject", source.path, source.lines)
        }),
    );
}

#[test]
fn names_say_something() {
    let mut complaints = Vec::new();
    for source in source::of_project(root()) {
        let file = source.path.trim_end_matches(".rs").rsplit('/').next().unwrap_or_default().to_owned();
        let file = Named { words: vec![file], line: 1 };
        for named in source.declared.iter().chain([&file]) {
            let name = &named.words[0];
            let empty = words(name).into_iter().find(|word| EMPTY_WORDS.contains(&word.as_str()));
            if let Some(word) = empty.filter(|_| !GIVEN.contains(&name.as_str())) {
                complaints.push(format!("{}: {name}: {word:?} says nothing", source.at(named.line)));
            }
        }
    }
    none(complaints);
}

/// The words of a name, however it is written.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_') {
            word.extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn every_file_opens_with_what_it_holds() {
    none(
        source::of_project(root())
            .iter()
            .filter(|source| !source.has_opening)
            .map(|source| format!("{}:1: does not open with //! and what it holds", source.path)),
    );
}

#[test]
fn no_file_is_called_mod() {
    none(
        source::of_project(root())
            .iter()
            .filter(|source| source.path.ends_with("/mod.rs"))
            .map(|source| format!("{}: a module lies beside its folder, not in it", source.path)),
    );
}

#[test]
fn tests_that_guard_an_invariant_exist() {
    let document = document("ARCHITECTURE.md");
    let functions: BTreeSet<String> =
        source::of_project(root()).into_iter().flat_map(|source| source.functions).collect();
    let is_test =
        |name: &&str| name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let named: Vec<&str> =
        tables::quoted(tables::section(&document, "## Invariants")).filter(is_test).collect();
    assert!(!named.is_empty(), "the invariants name no test");
    none(
        named
            .iter()
            .filter(|name| !functions.contains(**name))
            .map(|name| format!("ARCHITECTURE.md: no test is called {name}")),
    );
}

#[test]
fn paths_in_the_documents_exist() {
    let mut complaints = Vec::new();
    for name in ["ARCHITECTURE.md"] {
        let text = document(name);
        let is_path = |path: &&str| {
            ["src/", "tests/", "keymaps/", "themes/", "screenshots/", "benches/", ".ci/"]
                .iter()
                .any(|folder| path.starts_with(folder))
                && !path.contains(['<', '*', '{', ' ', 'N'])
        };
        for path in tables::quoted(&text).filter(is_path) {
            if !root().join(path).exists() {
                complaints.push(format!("{name}: there is no {path}"));
            }
        }
    }
    none(complaints);
}

#[test]
fn paths_are_found_wherever_they_hide() {
    let text = "
        use crate::{alpha::A, beta::{self, B as C}};
        use std::time::Instant;
        mod inner { use super::super::sibling::S; }
        fn f(x: &crate::gamma::G) { Instant::now(); m!(crate::delta::D { x: C::new() }); x.expect(\"\"); }
        #[cfg(test)]
        use crate::hidden::{H};
        #[cfg(test)]
        mod tests { fn g() { crate::hidden::h().unwrap(); } }
        #[cfg(all(test, unix))]
        mod more;
    ";
    let source = Source::parse("src/one/two.rs".to_owned(), vec!["one".to_owned(), "two".to_owned()], text);
    let mut found: Vec<String> = source.named.iter().map(|named| named.words.join("::")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "crate::alpha::A",
            "crate::beta",
            "crate::beta::B",
            "crate::beta::B::new",
            "crate::delta::D",
            "crate::gamma::G",
            "crate::one::sibling::S",
            "std::time::Instant",
            "std::time::Instant::now",
        ]
    );
    let calls: Vec<&str> = source.calls.iter().map(|call| call.words[0].as_str()).collect();
    assert_eq!(calls, ["m", "expect"]);
    assert_eq!(source.lines, text.lines().count() - 6);
}
