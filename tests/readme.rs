//! The README and the program say the same: its tables are made here, its options, commands, keys and links exist.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "generated/file.rs"]
mod file;

use clap::CommandFactory as _;
use sickbay::actions::ActionKind;
use sickbay::app::acting::MOST_TARGETS;
use sickbay::cli::Arguments;
use sickbay::cluster::Kind;
use sickbay::command::{Command, Context, Group, Spec, scope};
use sickbay::config::Setting;
use sickbay::findings::RULES;
use sickbay::key::Sequence;
use sickbay::keymap::Keymap;
use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::path::Path;

/// What lies on top of a screen: what works everywhere is not listed again for it.
const ON_TOP: [Context; 8] = [
    Context::Columns,
    Context::Review,
    Context::ReviewLine,
    Context::Runs,
    Context::Journal,
    Context::Draft,
    Context::DraftLine,
    Context::Run,
];

/// The contexts in which a row of the table of keys holds, and the word for them together.
const PLACES: [(&[Context], &str); 5] = [
    (scope::VIEWS, "everywhere"),
    (scope::SHEETS, "screens and objects"),
    (scope::LISTS, "screens"),
    (scope::COLUMNS, "tables"),
    (scope::NAMED, "tables but events"),
];

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

// -- what is made ---------------------------------------------------------------------------------------------

#[test]
fn its_tables_are_those_of_the_program() {
    let mut text = document("README.md");
    for (name, made) in [
        ("keys", keys()),
        ("typing", typing()),
        ("findings", findings()),
        ("actions", actions()),
        ("rights", rights()),
        ("settings", sickbay::config::schema::markdown().trim_end().to_owned()),
    ] {
        text = with_section(&text, name, &made);
    }
    file::is_up_to_date("README.md", &text, "readme");
}

#[test]
fn the_ceiling_that_it_tells_is_the_one_that_holds() {
    assert_eq!(Setting::MostTargets.default(), format!("`{MOST_TARGETS}`"));
}

/// The text with the section of that name as it is made today.
fn with_section(text: &str, name: &str, made: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end generated -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("README.md: no section {name}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("README.md: section {name} has no end"));
    format!("{before}{begin}\n{made}\n{end}{after}")
}

/// Keys, group by group, where nothing is typed.
fn keys() -> String {
    let keymap = Keymap::embedded();
    let mut table =
        "| Keys | What they do | Where | Names in the palette |\n| --- | --- | --- | --- |\n".to_owned();
    for group in Group::ALL {
        let _ = writeln!(table, "| **{}** | | | |", group.title());
        for command in Command::all().filter(|command| command.spec().group == *group) {
            let spec = command.spec();
            for (contexts, keys) in by_keys(&keymap, command, |focus| !focus.takes_text()) {
                let words: Vec<String> = command.words().map(code).collect();
                let _ =
                    writeln!(table, "| {keys} | {} | {} | {} |", spec.doc, place(&contexts), words.join(" "));
            }
        }
    }
    table
}

/// Keys while a filter or the name of a command is typed.
fn typing() -> String {
    let keymap = Keymap::embedded();
    let mut table = "| Keys | What they do | Where |\n| --- | --- | --- |\n".to_owned();
    for command in Command::all() {
        let Spec { doc, .. } = command.spec();
        for (contexts, keys) in by_keys(&keymap, command, Context::takes_text) {
            let _ = writeln!(table, "| {keys} | {doc} | {} |", place(&contexts));
        }
    }
    table
}

/// The keys of a command, and the contexts that have the same.
fn by_keys(
    keymap: &Keymap,
    command: Command,
    is_meant: impl Fn(Context) -> bool,
) -> Vec<(Vec<Context>, String)> {
    let mut rows: Vec<(Vec<Context>, String)> = Vec::new();
    for focus in command.spec().scope.iter().filter(|focus| is_meant(**focus)) {
        let keys: Vec<String> = keymap.keys(*focus, command).map(code).collect();
        let keys = keys.join(" ");
        match rows.iter_mut().find(|(_, known)| *known == keys) {
            Some((contexts, _)) => contexts.push(*focus),
            None => rows.push((vec![*focus], keys)),
        }
    }
    rows
}

fn place(contexts: &[Context]) -> String {
    let below = below(contexts);
    let contexts = if below.is_empty() { contexts } else { &below };
    PLACES.iter().find(|(together, _)| self::below(together) == contexts).map_or_else(
        || contexts.iter().map(|context| context.id()).collect::<Vec<_>>().join(", "),
        |(_, word)| (*word).to_owned(),
    )
}

fn below(contexts: &[Context]) -> Vec<Context> {
    contexts.iter().copied().filter(|context| !ON_TOP.contains(context)).collect()
}

fn code(word: impl Display) -> String {
    format!("`{word}`")
}

fn findings() -> String {
    let mut table = "| Rule | What it finds |\n| --- | --- |\n".to_owned();
    for rule in RULES {
        let _ = writeln!(table, "| `{}` | {} |", rule.id.id(), rule.id.prose());
    }
    table
}

fn actions() -> String {
    let mut table =
        "| Action | What it does | To what | | What you must be allowed |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for action in ActionKind::ALL {
        let spec = action.spec();
        let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.plural()).collect();
        let rights: Vec<String> = spec.rights.iter().map(code).collect();
        let (id, doc, danger) = (spec.id, spec.doc, spec.danger.word());
        let _ =
            writeln!(table, "| `{id}` | {doc} | {} | {danger} | {} |", kinds.join(", "), rights.join(", "));
    }
    table
}

/// The role that lets everything be seen.
fn rights() -> String {
    let mut role = "```yaml\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: sickbay\nrules:\n".to_owned();
    let groups: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.group()).collect();
    for group in groups {
        let kinds: Vec<&str> =
            Kind::ALL.iter().filter(|kind| kind.group() == group).map(|kind| kind.plural()).collect();
        let _ = writeln!(
            role,
            "- apiGroups: [\"{group}\"]\n  resources: [{}]\n  verbs: [list, watch]",
            kinds.join(", ")
        );
    }
    role.push_str(
        "- apiGroups: [\"coordination.k8s.io\"]\n  resources: [leases]\n  verbs: [get, list]\n```\n",
    );
    role
}

// -- what it names --------------------------------------------------------------------------------------------

/// What stands in code: lines of blocks, and spans within lines.
fn in_code(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_block = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            found.push(line);
        } else {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// The arguments that a piece of code gives to sickbay; none where it is the line of another program.
fn arguments(code: &str) -> Vec<&str> {
    let code = code.split(" #").next().unwrap_or_default();
    let words: Vec<&str> = code.split_whitespace().collect();
    match words.as_slice() {
        ["cargo", "run", rest @ ..] => {
            rest.iter().skip_while(|word| **word != "--").skip(1).copied().collect()
        }
        ["sickbay" | "kubectl-sickbay", rest @ ..] | ["kubectl", "sickbay", rest @ ..] => rest.to_vec(),
        [first, ..] if first.starts_with("--") => words,
        _ => Vec::new(),
    }
}

#[test]
fn every_option_and_subcommand_that_it_names_exists() {
    let mut grammar = Arguments::command();
    grammar.build();
    let text = document("README.md");
    let lines: Vec<Vec<&str>> =
        in_code(&text).into_iter().map(arguments).filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 10, "the README shows how it is called");
    for line in lines {
        let name = line.first().filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
        let command = match name {
            None => &grammar,
            Some(name) => {
                let command =
                    grammar.find_subcommand(name).unwrap_or_else(|| panic!("no subcommand {name}: {line:?}"));
                // `runs` has some of its own.
                line.get(1).and_then(|word| command.find_subcommand(word)).unwrap_or(command)
            }
        };
        let is_alone = name.is_none();
        for word in line.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
            let flag = word.trim_start_matches('-').split(['=', '[']).next().unwrap_or_default();
            let has = |command: &clap::Command| {
                command.get_arguments().any(|argument| argument.get_long() == Some(flag))
            };
            let is_known = has(command) || (is_alone && grammar.get_subcommands().any(has));
            assert!(is_known, "no option --{flag}: {line:?}");
        }
    }
}

#[test]
fn every_option_of_the_program_is_in_it() {
    let text = document("README.md");
    let grammar = Arguments::command();
    let commands = std::iter::once(&grammar).chain(grammar.get_subcommands());
    for flag in commands.flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long) {
        assert!(
            text.contains(&format!("`--{flag}")) || text.contains(&format!(" --{flag}")),
            "--{flag} is not told"
        );
    }
}

#[test]
fn every_key_that_it_names_is_bound() {
    let keymap = Keymap::embedded();
    let bound: BTreeSet<String> = Context::ALL
        .iter()
        .flat_map(|focus| keymap.bindings(*focus))
        .map(|binding| binding.keys.to_string())
        .collect();
    // The tables that are made have names of commands in them, some of which are names of keys as well.
    let text = ["keys", "typing", "settings"]
        .iter()
        .fold(document("README.md"), |text, name| with_section(&text, name, ""));
    let mut seen = 0;
    for word in in_code(&text) {
        // A word such as `pods` is no key; `ctrl-c`, `?` and `enter` are.
        if let Ok(keys) = word.parse::<Sequence>() {
            seen += 1;
            assert!(bound.contains(&keys.to_string()), "`{word}` is bound to nothing");
        }
    }
    assert!(seen > 0, "the README names the keys that one needs first");
}

#[test]
fn links_lead_somewhere() {
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = document(name);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(if path.is_empty() { name } else { path });
            assert!(there.exists(), "{name}: there is no {path}");
            let is_heading = |line: &str| {
                line.starts_with('#')
                    && line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == anchor
            };
            assert!(
                anchor.is_empty() || std::fs::read_to_string(&there).unwrap().lines().any(is_heading),
                "{name}: no heading #{anchor}"
            );
        }
    }
}
