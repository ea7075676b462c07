//! Data files that extend each other, as layers of names: embedded ones below, the user's on top.
//!
//! It knows `extends` and nothing else of what the files say; keymaps and themes read the rest.

use super::Problem;
use serde_yaml::{Mapping, Value};
use std::collections::BTreeMap;

/// The text of a data file, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub file: String,
    pub text: String,
}

/// The files of one folder by name. A name may be there several times: a user's `default` lies over the embedded
/// one and may extend it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers(BTreeMap<String, Vec<Source>>);

/// One file, read: what it says without its `extends`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub file: String,
    pub entries: Mapping,
}

impl Layers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file over what is there under the same name.
    pub fn push(&mut self, name: impl Into<String>, source: Source) {
        self.0.entry(name.into()).or_default().push(source);
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The file called `name` and all that it extends, itself first. It ends at the first file that cannot be
    /// read.
    pub fn chain(&self, name: &str) -> (Vec<Layer>, Vec<Problem>) {
        let mut layers = Vec::new();
        let mut read = Vec::new();
        let Some(mut found) = self.find(name, None) else {
            let problem = Problem::new(name, &[], "there is no such file").with_nearest(name, self.names());
            return (layers, vec![problem]);
        };
        loop {
            let (layer, extends) = match Layer::read(found.source) {
                Ok(layer) => layer,
                Err(problem) => return (layers, vec![problem]),
            };
            layers.push(layer);
            let Some(extends) = extends else {
                return (layers, Vec::new());
            };
            read.push((found.name.to_owned(), found.depth));
            let complaint = |reason| Problem::new(&found.source.file, &["extends"], reason);
            let covered = (extends == found.name).then_some(found.depth);
            let Some(below) = self.find(&extends, covered) else {
                let problem = complaint(format!("there is no `{extends}` to extend"));
                return (layers, vec![problem.with_nearest(&extends, self.names())]);
            };
            if read.contains(&(below.name.to_owned(), below.depth)) {
                return (layers, vec![complaint(format!("`{extends}` extends this file in turn"))]);
            }
            found = below;
        }
    }

    /// The topmost file of that name, or the topmost under the one that covers it.
    fn find(&self, name: &str, covered: Option<usize>) -> Option<Found<'_>> {
        let (name, pile) = self.0.get_key_value(name)?;
        let depth = covered.unwrap_or(pile.len()).checked_sub(1)?;
        Some(Found { name, depth, source: pile.get(depth)? })
    }
}

struct Found<'a> {
    name: &'a str,
    depth: usize,
    source: &'a Source,
}

impl Layer {
    fn read(source: &Source) -> Result<(Self, Option<String>), Problem> {
        let file = source.file.clone();
        let value = serde_yaml::from_str(&source.text).map_err(|error| Problem::from_yaml(&file, &error))?;
        let mut entries = match value {
            Value::Mapping(entries) => entries,
            // A file with nothing but comments says nothing, which is allowed.
            Value::Null => Mapping::new(),
            _ => return Err(Problem::new(file, &[], "must be a mapping of names")),
        };
        let extends = match entries.shift_remove("extends") {
            None => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err(Problem::new(file, &["extends"], "must be one name")),
        };
        Ok((Self { file, entries }, extends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(files: &[(&str, &str)]) -> Layers {
        let mut layers = Layers::new();
        for (i, (name, text)) in files.iter().enumerate() {
            layers.push(*name, Source { file: format!("{i}/{name}.yaml"), text: (*text).to_owned() });
        }
        layers
    }

    fn files(chain: &[Layer]) -> Vec<&str> {
        chain.iter().map(|layer| layer.file.as_str()).collect()
    }

    #[test]
    fn chain_runs_from_the_file_to_the_ground() {
        let (chain, problems) = layers(&[("a", "x: 1"), ("b", "extends: a\ny: 2")]).chain("b");
        assert_eq!(files(&chain), ["1/b.yaml", "0/a.yaml"]);
        assert_eq!(problems, []);
        assert!(!chain[0].entries.contains_key("extends"));
    }

    #[test]
    fn a_file_may_extend_the_one_it_covers() {
        let (chain, problems) =
            layers(&[("default", "x: 1"), ("default", "extends: default")]).chain("default");
        assert_eq!(files(&chain), ["1/default.yaml", "0/default.yaml"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn circles_and_missing_files_are_problems_with_names() {
        let circle = layers(&[("a", "extends: b"), ("b", "extends: a")]).chain("a").1;
        assert_eq!(circle[0].to_string(), "1/b.yaml: extends: `a` extends this file in turn");
        let own = layers(&[("a", "extends: a")]).chain("a").1;
        assert_eq!(own[0].to_string(), "0/a.yaml: extends: there is no `a` to extend");
        let missing = layers(&[("vim", "extends: defualt"), ("default", "")]).chain("vim").1;
        assert_eq!(
            missing[0].to_string(),
            "0/vim.yaml: extends: there is no `defualt` to extend; did you mean `default`?"
        );
        assert_eq!(layers(&[]).chain("vim").1[0].to_string(), "vim: there is no such file");
    }

    #[test]
    fn what_is_not_a_mapping_is_a_problem() {
        for text in ["- a\n", "extends: [a]\n", "a: 1\na: 2\n", "a: [\n"] {
            assert_eq!(layers(&[("a", text)]).chain("a").1.len(), 1, "{text:?}");
        }
        assert_eq!(layers(&[("a", "# nothing\n")]).chain("a").1, []);
    }
}
