//! Keymap: which keys invoke which command, with what in focus; read from layered YAML files.
//!
//! Merging is done once, at load: each context that can have the focus gets the list of what holds there. A key
//! press then looks through some fifty bindings, which needs no cleverer structure. The keymap knows nothing of
//! what is pressed so far: whoever reads the keys keeps the pending ones.

mod listing;

pub use listing::{Bound, Hidden, Listing};

use crate::command::{Command, Context};
use crate::key::{Key, Sequence};
use crate::problem::{Layer, Layers, Problem, Shape, Source, Yaml, find_lines, once, whole};

/// The name of the embedded keymap, and what a user's file usually extends.
pub const DEFAULT: &str = "default";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// What holds while a context has the focus, in the order in which hints prefer them.
    by_focus: Vec<(Context, Vec<Binding>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub keys: Sequence,
    pub command: Command,
}

/// What the keys pressed so far mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    Matched(Command),
    /// More keys are needed: each that may come next, and its command if it is the last.
    Pending(Vec<(Key, Option<Command>)>),
    NotFound,
}

impl Keymap {
    /// The keymap of that name. A file with a problem does not count, because half a keymap would surprise more
    /// than a known one: what it extends is used, or the embedded default.
    pub fn load(name: &str, layers: &Layers) -> (Self, Vec<Problem>) {
        let (entries, problems) = in_force(name, layers);
        (Self::of(&entries), problems)
    }

    /// The default that is compiled in, whatever the user's files say.
    pub fn embedded() -> Self {
        Self::of(&embedded())
    }

    fn of(entries: &[Entry]) -> Self {
        let of = |focus: &Context| (*focus, in_focus(*focus, entries, |_, _| {}));
        Self { by_focus: Context::ALL.iter().map(of).collect() }
    }

    pub fn lookup(&self, focus: Context, pressed: &[Key]) -> Lookup {
        let begun = || self.bindings(focus).iter().filter(|binding| binding.keys.starts_with(pressed));
        // No sequence begins with another of the same focus, so one that is complete is the only one.
        if let Some(binding) = begun().find(|binding| binding.keys.keys().len() == pressed.len()) {
            return Lookup::Matched(binding.command);
        }
        let mut next: Vec<(Key, Option<Command>)> = Vec::new();
        for binding in begun() {
            let rest = &binding.keys.keys()[pressed.len()..];
            let command = (rest.len() == 1).then_some(binding.command);
            match rest.first() {
                Some(key) if !next.iter().any(|(known, _)| known == key) => next.push((*key, command)),
                Some(_) | None => {}
            }
        }
        if next.is_empty() { Lookup::NotFound } else { Lookup::Pending(next) }
    }

    /// All that holds while `focus` has the focus.
    pub fn bindings(&self, focus: Context) -> &[Binding] {
        self.by_focus.iter().find(|(context, _)| *context == focus).map_or(&[], |(_, bindings)| bindings)
    }

    /// The keys that invoke `command` here, the preferred ones first.
    pub fn keys(&self, focus: Context, command: Command) -> impl Iterator<Item = &Sequence> {
        self.bindings(focus)
            .iter()
            .filter(move |binding| binding.command == command)
            .map(|binding| &binding.keys)
    }
}

/// One line of a file. No command: the keys are unbound.
#[derive(Clone, Debug)]
struct Entry {
    file: String,
    context: Context,
    /// As written, for the place of a problem.
    written: String,
    at: u32,
    keys: Sequence,
    command: Option<Command>,
}

/// The entries that hold under a name, and what is wrong with its files.
fn in_force(name: &str, layers: &Layers) -> (Vec<Entry>, Vec<Problem>) {
    let (chain, mut problems) = layers.chain(name);
    let entries = merge(&chain, &mut problems);
    if problems.is_empty() {
        return (entries, problems);
    }
    let entries = match whole(&chain, &problems) {
        [] => embedded(),
        below => merge(below, &mut Vec::new()),
    };
    (entries, problems)
}

fn embedded() -> Vec<Entry> {
    let mut layers = Layers::new();
    let text = include_str!("../keymaps/default.yaml").to_owned();
    layers.push(DEFAULT, Source { file: "keymaps/default.yaml".to_owned(), text });
    // That it has no problem is a test's business.
    merge(&layers.chain(DEFAULT).0, &mut Vec::new())
}

/// What all layers say together: the first one is on top, and covers what the others say of the same keys.
fn merge(chain: &[Layer], problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for layer in chain {
        let mut own: Vec<Entry> = Vec::new();
        for entry in read(layer, problems) {
            let same = |other: &&Entry| other.context == entry.context && other.keys == entry.keys;
            if let Some(twin) = own.iter().find(same) {
                problems.push(entry.problem(format!("is the same key as `{}`", twin.written)));
            } else {
                own.push(entry);
            }
        }
        own.retain(|entry| {
            !entries.iter().any(|upper| upper.context == entry.context && upper.keys == entry.keys)
        });
        entries.append(&mut own);
    }
    problems.extend(conflicts(&entries));
    for layer in chain {
        find_lines(&layer.source, problems);
    }
    entries
}

/// What of the entries holds in one focus: the nearer context wins, and hides what its keys begin or are begun by.
/// `hide` is told which entry is hidden and by what.
fn in_focus(focus: Context, entries: &[Entry], mut hide: impl FnMut(usize, &Binding)) -> Vec<Binding> {
    let mut bindings: Vec<Binding> = Vec::new();
    let mut unbound: Vec<&Sequence> = Vec::new();
    for context in focus.stack() {
        let mut own = Vec::new();
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.context == *context) {
            let Some(command) = entry.command else {
                unbound.push(&entry.keys);
                continue;
            };
            if !command.applies_in(focus) || unbound.contains(&&entry.keys) {
                continue;
            }
            match bindings.iter().find(|nearer| overlap(&nearer.keys, &entry.keys).is_some()) {
                Some(nearer) => hide(at, nearer),
                None => own.push(Binding { keys: entry.keys.clone(), command }),
            }
        }
        bindings.append(&mut own);
    }
    bindings
}

/// The longer of two sequences, if the other begins it.
fn overlap<'a>(one: &'a Sequence, other: &'a Sequence) -> Option<&'a Sequence> {
    if one.starts_with(other.keys()) { Some(one) } else { other.starts_with(one.keys()).then_some(other) }
}

/// In one context, keys that are bound and also begin another binding: the longer one could never be typed.
fn conflicts(entries: &[Entry]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, upper) in entries.iter().enumerate() {
        for lower in &entries[i + 1..] {
            let (Some(_), Some(command)) = (upper.command, lower.command) else {
                continue;
            };
            if upper.context != lower.context || overlap(&upper.keys, &lower.keys).is_none() {
                continue;
            }
            let reason = format!("cannot be told from `{}`, which is {}", lower.keys, command.spec().id);
            let unbind = format!("unbind one: `\"{}\": none`", lower.keys);
            problems.push(upper.problem(reason).with_hint(unbind));
        }
    }
    problems
}

fn read(layer: &Layer, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let file = &layer.source.file;
    let mut entries = Vec::new();
    for (name, bindings) in &layer.entries {
        let at = name.at;
        let name = name.word();
        let Some(context) = Context::by_id(&name) else {
            let known = Context::ALL.iter().map(|context| context.id());
            let problem = Problem::new(file, &[&name], "is not a context").at(at);
            problems.push(problem.with_choice(&name, known));
            continue;
        };
        let bindings = match &bindings.shape {
            Shape::Map(bindings) => bindings.clone(),
            Shape::Nothing => continue,
            Shape::Flag(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => {
                let reason = format!("must be a mapping of keys to commands, and is {}", bindings.kind());
                problems.push(Problem::new(file, &[&name], reason).at(at));
                continue;
            }
        };
        for (keys, command) in once(bindings, file, &[&name], problems) {
            match entry(file, context, &keys, &command) {
                Ok(entry) => entries.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
    }
    entries
}

fn entry(file: &str, context: Context, key: &Yaml, command: &Yaml) -> Result<Entry, Problem> {
    let (written, id) = (key.word(), command.word());
    let complaint = |reason: String| Problem::new(file, &[context.id(), &written], reason).at(key.at);
    let keys: Sequence = written.parse().map_err(|error: crate::key::KeyError| {
        let meant = Sequence::respelled(&written).map(|keys| format!("write `{keys}`"));
        match meant {
            Some(hint) => complaint(error.to_string()).with_hint(hint),
            None => complaint(error.to_string()).with_nearest(&written, Key::names()),
        }
    })?;
    let command = match (&command.shape, id.as_str()) {
        (_, "none") => None,
        (Shape::Nothing | Shape::List(_) | Shape::Map(_), _) => {
            let reason = format!("must be one command, and is {}", command.kind());
            return Err(complaint(reason).with_hint("`none` unbinds the key"));
        }
        (Shape::Flag(_) | Shape::Number(_) | Shape::Text(_), _) => {
            Some(Command::by_id(&id).ok_or_else(|| {
                let ids = Command::all().map(|command| command.spec().id);
                complaint(format!("there is no command `{id}`")).with_nearest(&id, ids.chain(["none"]))
            })?)
        }
    };
    if let Some(command) = command {
        if context.takes_text() && keys.keys().first().is_some_and(|key| key.text().is_some()) {
            return Err(complaint("types a character here; bind a key that types none".to_owned()));
        }
        let reaches = |focus: &&Context| focus.stack().contains(&context) && command.applies_in(**focus);
        if !Context::ALL.iter().any(|focus| reaches(&focus)) {
            let scope: Vec<_> = command.spec().scope.iter().map(|context| context.id()).collect();
            let reason = format!("`{id}` does nothing in {}", context.id());
            return Err(complaint(reason).with_hint(format!("it applies in {}", scope.join(", "))));
        }
    }
    Ok(Entry { file: file.to_owned(), context, at: key.at, keys, command, written })
}

impl Entry {
    fn problem(&self, reason: String) -> Problem {
        Problem::new(&self.file, &[self.context.id(), &self.written], reason).at(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Ui;

    fn keys(written: &str) -> Vec<Key> {
        written.parse::<Sequence>().unwrap().keys().to_vec()
    }

    fn lookup(keymap: &Keymap, focus: Context, written: &str) -> Lookup {
        keymap.lookup(focus, &keys(written))
    }

    fn matched(ui: Ui) -> Lookup {
        Lookup::Matched(Command::Ui(ui))
    }

    fn load(text: &str) -> (Keymap, Vec<String>) {
        let mut layers = Layers::new();
        let default = include_str!("../keymaps/default.yaml");
        for (name, text) in [("default", default), ("mine", text)] {
            layers.push(name, Source { file: format!("{name}.yaml"), text: text.to_owned() });
        }
        let (keymap, problems) = Keymap::load("mine", &layers);
        (keymap, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_default_has_no_problem_and_is_the_embedded_one() {
        let (keymap, problems) = load("extends: default");
        assert_eq!(problems, [""; 0]);
        assert_eq!(keymap, Keymap::embedded());
    }

    #[test]
    fn every_command_has_a_key_wherever_it_applies() {
        let keymap = Keymap::embedded();
        for command in Command::all() {
            for focus in command.spec().scope {
                assert!(keymap.keys(*focus, command).next().is_some(), "{command:?} in {focus:?}");
            }
        }
    }

    #[test]
    fn hands_of_a_k9s_user_find_their_keys() {
        let keymap = Keymap::embedded();
        for (focus, written, ui) in [
            (Context::Pods, "j", Ui::Down),
            (Context::Pods, "G", Ui::Bottom),
            (Context::Pods, "g", Ui::Top),
            (Context::Pods, "ctrl-f", Ui::PageDown),
            (Context::Pods, "/", Ui::Filter),
            (Context::Pods, ":", Ui::Palette),
            (Context::Pods, "?", Ui::Help),
            (Context::Pods, "enter", Ui::Open),
            (Context::Pods, "d", Ui::Open),
            (Context::Pods, "esc", Ui::Back),
            (Context::Pods, "shift-n", Ui::SortByName),
            (Context::Pods, "shift-o", Ui::SortByNode),
            (Context::Pods, "shift-t", Ui::SortByRestarts),
            (Context::Nodes, "shift-a", Ui::SortByAge),
            (Context::Object, "ctrl-r", Ui::Refresh),
            (Context::Help, "q", Ui::Back),
            (Context::Prompt, "ctrl-c", Ui::Quit),
            (Context::Palette, "esc", Ui::Back),
        ] {
            assert_eq!(lookup(&keymap, focus, written), matched(ui), "{written} in {focus:?}");
        }
    }

    #[test]
    fn characters_are_never_taken_from_a_text() {
        let keymap = Keymap::embedded();
        for focus in [Context::Prompt, Context::Palette] {
            for c in (' '..='~').chain(['ü', 'É']) {
                let key = Key::plain(crate::key::Code::Char(c));
                assert_eq!(keymap.lookup(focus, &[key]), Lookup::NotFound, "{c} in {focus:?}");
            }
        }
    }

    #[test]
    fn what_does_not_apply_in_the_focus_is_not_found_there() {
        let keymap = Keymap::embedded();
        assert_eq!(lookup(&keymap, Context::Nodes, "shift-t"), Lookup::NotFound);
        assert_eq!(lookup(&keymap, Context::Object, "/"), Lookup::NotFound);
    }

    #[test]
    fn sequences_wait_for_their_keys() {
        let (keymap, problems) = load("extends: default\nglobal:\n  g: none\n  g n: go-nodes\n  g g: top\n");
        assert_eq!(problems, [""; 0]);
        let (n, g) = (keys("n")[0], keys("g")[0]);
        let pending = vec![(n, Some(Command::Ui(Ui::GoNodes))), (g, Some(Command::Ui(Ui::Top)))];
        assert_eq!(lookup(&keymap, Context::Pods, "g"), Lookup::Pending(pending));
        assert_eq!(lookup(&keymap, Context::Pods, "g n"), matched(Ui::GoNodes));
        assert_eq!(lookup(&keymap, Context::Pods, "g x"), Lookup::NotFound);
    }

    #[test]
    fn none_unbinds_in_its_context_alone() {
        let (keymap, problems) = load("extends: default\nnodes:\n  d: none\n");
        assert_eq!(problems, [""; 0]);
        assert_eq!(lookup(&keymap, Context::Nodes, "d"), Lookup::NotFound);
        assert_eq!(lookup(&keymap, Context::Pods, "d"), matched(Ui::Open));
    }

    #[test]
    fn a_nearer_context_hides_what_its_keys_begin() {
        let (keymap, problems) = load("extends: default\nnodes:\n  g n: sort-by-name\n");
        assert_eq!(problems, [""; 0]);
        assert_eq!(lookup(&keymap, Context::Nodes, "g n"), matched(Ui::SortByName));
        assert_eq!(lookup(&keymap, Context::Pods, "g"), matched(Ui::Top));
    }

    #[test]
    fn own_keys_are_named_before_inherited_ones() {
        let (keymap, _) = load("extends: default\nglobal:\n  o: open\n");
        let first = keymap.keys(Context::Pods, Command::Ui(Ui::Open)).map(ToString::to_string).next();
        assert_eq!(first.as_deref(), Some("o"));
    }

    #[test]
    fn all_problems_come_at_once_and_the_default_is_used() {
        let text = "\
extends: default
nods: {x: open}
help: 3
global:
  entre: open
  ctrl-i: open
  x: go-noods
  G: top
  shift-g: bottom
  g n: go-nodes
  w: [open]
nodes:
  r: refresh
prompt:
  j: open
";
        let (keymap, problems) = load(text);
        assert_eq!(keymap, Keymap::embedded());
        assert_eq!(
            problems,
            [
                "mine.yaml:2: nods: is not a context; did you mean `nodes`?",
                "mine.yaml:3: help: must be a mapping of keys to commands, and is a number",
                "mine.yaml:5: global.entre: `entre` is not a key; did you mean `enter`?",
                "mine.yaml:6: global.ctrl-i: a terminal sends the same for `ctrl-i` as for `tab`; bind `tab`",
                "mine.yaml:7: global.x: there is no command `go-noods`; did you mean `go-nodes`?",
                "mine.yaml:11: global.w: must be one command, and is a list; `none` unbinds the key",
                "mine.yaml:13: nodes.r: `refresh` does nothing in nodes; it applies in object",
                "mine.yaml:15: prompt.j: types a character here; bind a key that types none",
                "mine.yaml:9: global.shift-g: is the same key as `G`",
                "mine.yaml:10: global.\"g n\": cannot be told from `g`, which is top; unbind one: `\"g\": none`",
            ]
        );
    }

    #[test]
    fn a_broken_file_leaves_what_it_extends() {
        let mut layers = Layers::new();
        let default = include_str!("../keymaps/default.yaml");
        let vim = include_str!("../keymaps/vim.yaml");
        for (name, text) in [("default", default), ("vim", vim), ("mine", "extends: vim\nglobal: {x: opn}\n")]
        {
            layers.push(name, Source { file: format!("{name}.yaml"), text: text.to_owned() });
        }
        let (keymap, problems) = Keymap::load("mine", &layers);
        assert_eq!(problems.len(), 1);
        assert_eq!(keymap, Keymap::load("vim", &layers).0);
        assert_ne!(keymap, Keymap::embedded());
        // A file that cannot be read at all is no ground either.
        layers.push("vim", Source { file: "own/vim.yaml".to_owned(), text: "[".to_owned() });
        assert_eq!(Keymap::load("mine", &layers).0, Keymap::embedded());
    }

    #[test]
    fn hands_of_a_vim_user_find_their_keys() {
        let mut layers = Layers::new();
        let default = include_str!("../keymaps/default.yaml");
        for (name, text) in [("default", default), ("vim", include_str!("../keymaps/vim.yaml"))] {
            layers.push(name, Source { file: format!("{name}.yaml"), text: text.to_owned() });
        }
        let (keymap, problems) = Keymap::load("vim", &layers);
        assert_eq!(problems, []);
        for (focus, written, ui) in [
            (Context::Pods, "g g", Ui::Top),
            (Context::Pods, "shift-g", Ui::Bottom),
            (Context::Pods, "ctrl-d", Ui::HalfPageDown),
            (Context::Pods, "ctrl-u", Ui::HalfPageUp),
            (Context::Pods, "ctrl-f", Ui::PageDown),
            (Context::Pods, "ctrl-b", Ui::PageUp),
            (Context::Pods, "j", Ui::Down),
            (Context::Pods, "k", Ui::Up),
            (Context::Triage, "l", Ui::Right),
            (Context::Triage, "h", Ui::Left),
            (Context::Nodes, "g t", Ui::NextScreen),
            (Context::Nodes, "g T", Ui::PreviousScreen),
            (Context::Object, "ctrl-o", Ui::Back),
            (Context::Object, "}", Ui::NextSection),
            (Context::Nodes, "Z Z", Ui::Quit),
            (Context::Nodes, "Z Q", Ui::Quit),
        ] {
            assert_eq!(lookup(&keymap, focus, written), matched(ui), "{written} in {focus:?}");
        }
        // What deletes in vim does nothing.
        for written in ["d", "x", "shift-d"] {
            assert_eq!(lookup(&keymap, Context::Pods, written), Lookup::NotFound, "{written}");
        }
    }

    #[test]
    fn a_missing_keymap_is_a_problem_and_the_default_is_used() {
        let (keymap, problems) = Keymap::load("vim", &Layers::new());
        assert_eq!(keymap, Keymap::embedded());
        assert_eq!(problems.len(), 1);
    }
}
