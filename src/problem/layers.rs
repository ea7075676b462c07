//! Data files that extend each other, as layers of names: embedded ones below, the user's on top.
//!
//! It knows `extends` and nothing else of what the files say; keymaps and themes read the rest.

use super::yaml::{Shape, Yaml};
use super::{Problem, yaml};
use std::collections::BTreeMap;

/// The text of a data file, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file as the user knows it.
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
    pub source: Source,
    pub entries: Vec<(Yaml, Yaml)>,
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

    /// The topmost file of that name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.find(name, None).map(|found| found.source)
    }

    /// The file called `name` and all that it extends, itself first. It ends at the first file that cannot be
    /// read.
    pub fn chain(&self, name: &str) -> (Vec<Layer>, Vec<Problem>) {
        let mut layers = Vec::new();
        let mut problems = Vec::new();
        let mut read = Vec::new();
        let Some(mut found) = self.find(name, None) else {
            let problem = Problem::new(name, &[], "there is no such file").with_nearest(name, self.names());
            return (layers, vec![problem]);
        };
        loop {
            let (layer, extends) = match Layer::read(found.source, &mut problems) {
                Ok(layer) => layer,
                Err(problem) => {
                    problems.push(problem);
                    layers.push(Layer { source: found.source.clone(), entries: Vec::new() });
                    return (layers, problems);
                }
            };
            layers.push(layer);
            let Some((at, extends)) = extends else {
                return (layers, problems);
            };
            read.push((found.name.to_owned(), found.depth));
            let complaint = |reason| Problem::new(&found.source.file, &["extends"], reason).at(at);
            let covered = (extends == found.name).then_some(found.depth);
            let Some(below) = self.find(&extends, covered) else {
                problems.push(match covered {
                    Some(_) => {
                        complaint(format!("`{extends}` is this file, and there is no other to extend"))
                    }
                    None => complaint(format!("there is no `{extends}` to extend"))
                        .with_choice(&extends, self.names().collect::<Vec<_>>()),
                });
                return (layers, problems);
            };
            if read.contains(&(below.name.to_owned(), below.depth)) {
                problems.push(complaint(format!("`{extends}` extends this file in turn")));
                return (layers, problems);
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

/// The lower part of a chain that has no problem: what a broken file extends is nearer to what was meant than the
/// default is.
pub fn whole<'a>(chain: &'a [Layer], problems: &[Problem]) -> &'a [Layer] {
    let is_broken = |layer: &Layer| problems.iter().any(|problem| problem.file == layer.source.file);
    let from = chain.iter().rposition(is_broken).map_or(0, |last| last + 1);
    &chain[from..]
}

struct Found<'a> {
    name: &'a str,
    depth: usize,
    source: &'a Source,
}

impl Layer {
    /// Reads a file; each name that it says twice is a problem. Also what it extends, and where it says so.
    fn read(source: &Source, problems: &mut Vec<Problem>) -> Result<(Self, Option<(u32, String)>), Problem> {
        let file = &source.file;
        let yaml = yaml::read(file, &source.text)?;
        let entries = match yaml.shape {
            Shape::Map(entries) => entries,
            // A file with nothing but comments says nothing, which is allowed.
            Shape::Nothing => Vec::new(),
            Shape::Flag(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => {
                let reason = format!("must be a mapping of names, and is {}", yaml.kind());
                return Err(Problem::new(file, &[], reason).at(yaml.at));
            }
        };
        let (mut extends, mut rest) = (None, Vec::new());
        for (key, value) in super::once(entries, file, &[], problems) {
            if key.word() != "extends" {
                rest.push((key, value));
            } else if let Shape::Text(name) = value.shape {
                extends = Some((key.at, name));
            } else {
                let reason = format!("must be one name, and is {}", value.kind());
                problems.push(Problem::new(file, &["extends"], reason).at(key.at));
            }
        }
        Ok((Self { source: source.clone(), entries: rest }, extends))
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
        chain.iter().map(|layer| layer.source.file.as_str()).collect()
    }

    #[test]
    fn chain_runs_from_the_file_to_the_ground() {
        let (chain, problems) = layers(&[("a", "x: 1"), ("b", "extends: a\ny: 2")]).chain("b");
        assert_eq!(files(&chain), ["1/b.yaml", "0/a.yaml"]);
        assert_eq!(problems, []);
        assert_eq!(chain[0].entries.len(), 1);
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
        assert_eq!(
            own[0].to_string(),
            "0/a.yaml: extends: `a` is this file, and there is no other to extend"
        );
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
