//! A keymap as a list for people: each binding in force with the file it comes from, what hides it where, and which
//! commands have no key.

use super::{Binding, in_focus, in_force};
use crate::command::{Command, Context};
use crate::key::Sequence;
use crate::problem::Layers;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// In the order of contexts, then of the files.
    pub bound: Vec<Bound>,
    /// Commands that no key invokes, and where that is so.
    pub keyless: Vec<(Command, Vec<Context>)>,
}

/// A binding where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub file: String,
    pub context: Context,
    pub keys: Sequence,
    pub command: Command,
    /// Where something nearer takes its keys for another command.
    pub hidden: Vec<Hidden>,
    /// Whether it can be pressed anywhere.
    pub is_reached: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// What has the focus then.
    pub focus: Context,
    pub by: Binding,
}

impl Listing {
    /// What holds under a name: for a file with problems, what holds in its place.
    pub fn of(name: &str, layers: &Layers) -> Self {
        let (entries, _) = in_force(name, layers);
        let mut bound: Vec<Bound> = Vec::with_capacity(entries.len());
        let mut hidden: Vec<(usize, Hidden)> = Vec::new();
        let mut in_focuses = Vec::new();
        for focus in Context::ALL {
            let hide = |at: usize, by: &Binding| hidden.push((at, Hidden { focus: *focus, by: by.clone() }));
            in_focuses.push((*focus, in_focus(*focus, &entries, hide)));
        }
        for (at, entry) in entries.into_iter().enumerate() {
            let Some(command) = entry.command else { continue };
            let is_reached = in_focuses.iter().any(|(focus, bindings)| {
                let is_it = |binding: &Binding| binding.command == command && binding.keys == entry.keys;
                focus.stack().contains(&entry.context) && bindings.iter().any(is_it)
            });
            // The same command by the same keys is no loss.
            let hides = |(other, hidden): &&(usize, Hidden)| *other == at && hidden.by.command != command;
            bound.push(Bound {
                hidden: hidden.iter().filter(hides).map(|(_, hidden)| hidden.clone()).collect(),
                file: entry.file,
                context: entry.context,
                keys: entry.keys,
                command,
                is_reached,
            });
        }
        // Stable: within a context the order of the files stays.
        bound.sort_by_key(|bound| bound.context);
        Self { bound, keyless: keyless(&in_focuses) }
    }
}

fn keyless(in_focuses: &[(Context, Vec<Binding>)]) -> Vec<(Command, Vec<Context>)> {
    let mut keyless = Vec::new();
    for command in Command::all() {
        let is_bound = |bindings: &[Binding]| bindings.iter().any(|binding| binding.command == command);
        let without: Vec<Context> = in_focuses
            .iter()
            .filter(|(focus, bindings)| command.applies_in(*focus) && !is_bound(bindings))
            .map(|(focus, _)| *focus)
            .collect();
        if !without.is_empty() {
            keyless.push((command, without));
        }
    }
    keyless
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Ui;
    use crate::problem::Source;

    fn listing(mine: &str) -> Listing {
        let mut layers = Layers::new();
        for (name, text) in [("default", include_str!("../../keymaps/default.yaml")), ("mine", mine)] {
            layers.push(name, Source { file: format!("{name}.yaml"), text: text.to_owned() });
        }
        Listing::of("mine", &layers)
    }

    fn find<'a>(listing: &'a Listing, context: Context, keys: &str) -> &'a Bound {
        let is_it = |bound: &&Bound| bound.context == context && bound.keys.to_string() == keys;
        listing.bound.iter().find(is_it).unwrap()
    }

    #[test]
    fn a_binding_names_the_file_that_it_comes_from() {
        let listing = listing("extends: default\nglobal: {q: quit, d: none}\n");
        assert_eq!(find(&listing, Context::Global, "q").file, "mine.yaml");
        assert_eq!(find(&listing, Context::Global, "esc").file, "default.yaml");
        assert!(!listing.bound.iter().any(|bound| bound.keys.to_string() == "d"));
    }

    #[test]
    fn what_hides_a_binding_is_told_with_the_place() {
        let listing = listing("extends: default\nnodes: {g n: sort-by-name}\n");
        let top = find(&listing, Context::Global, "g");
        let hidden: Vec<_> = top.hidden.iter().map(|hidden| (hidden.focus, hidden.by.command)).collect();
        assert_eq!(hidden, [(Context::Nodes, Command::Ui(Ui::SortByName))]);
        assert!(top.is_reached);
    }

    #[test]
    fn what_no_place_is_left_for_is_not_reached() {
        let listing = listing("extends: default\nobject: {ctrl-r x: back}\n");
        // The file has a conflict and does not count: what it extends is listed.
        assert!(find(&listing, Context::Object, "ctrl-r").is_reached);
        let hidden = self::listing("extends: default\nglobal: {r: refresh}\nobject: {r: back}\n");
        assert!(!find(&hidden, Context::Global, "r").is_reached);
    }

    #[test]
    fn commands_without_a_key_are_told() {
        assert_eq!(listing("extends: default\n").keyless, []);
        let listing = listing("extends: default\ntable: {shift-t: none}\n");
        assert_eq!(listing.keyless, [(Command::Ui(Ui::SortByRestarts), vec![Context::Pods])]);
    }
}
