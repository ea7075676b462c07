//! Config: what the user has set, read by one schema; and the folder in which it lies.
//!
//! It says what is wanted and decides nothing: flags win over it, and `runtime` brings the two together. A setting
//! that is wrong is a problem and counts as not set (but a read-only that cannot be read counts as wanted); the
//! others hold.

pub mod folder;
mod machine;
pub mod schema;
mod value;

pub use folder::Folder;
pub use schema::Setting;

use crate::actions::errand::Kit;
use crate::cluster::{Text, Timers};
use crate::problem::{Problem, Shape, Source, find_lines, read};
use jiff::SignedDuration;
use machine::Machines;
use std::collections::BTreeMap;
use value::Value;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub keymap: Option<String>,
    pub theme: Option<String>,
    pub signs: Signs,
    pub read_only: bool,
    pub mouse: bool,
    pub favourites: Option<Vec<String>>,
    /// The columns of screens, by the screen.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Labels whose nodes fail together, the widest place first.
    pub places: Option<Vec<String>>,
    /// How many objects one action takes.
    pub most_targets: Option<usize>,
    /// In the order of the file.
    pub clusters: Vec<ClusterConfig>,
}

/// Which signs stand beside words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signs {
    #[default]
    Auto,
    Unicode,
    Ascii,
}

/// What is set for one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterConfig {
    /// The name of its context, or the URL of its server.
    pub name: String,
    pub read_only: bool,
    pub protected: bool,
    pub grace: Option<SignedDuration>,
    pub force_detach: Option<SignedDuration>,
    pub deletion_slack: Option<SignedDuration>,
    pub places: Option<Vec<String>>,
    /// The commands for its machines, where they are whole.
    pub kit: Option<Kit>,
    /// As they are written.
    machines: Machines,
}

/// The names that a setting may mean, for those that are known only where the files are.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    pub keymaps: &'a [&'a str],
    pub themes: &'a [&'a str],
    /// The screens that have columns, each with the names of its columns.
    pub columns: &'a [(String, Vec<&'static str>)],
}

impl Config {
    pub fn parse(source: &Source, names: Names<'_>) -> (Self, Vec<Problem>) {
        let mut config = Self::default();
        let mut problems = Vec::new();
        let file = &source.file;
        match read(file, &source.text) {
            Ok(yaml) => match yaml.shape {
                Shape::Map(entries) => {
                    for said in schema::read(entries, file, &mut problems) {
                        config.take(said, file, names, &mut problems);
                    }
                }
                Shape::Nothing => {}
                Shape::Flag(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => {
                    let reason = format!("must be a mapping of settings, and is {}", yaml.kind());
                    problems.push(Problem::new(file, &[], reason).at(yaml.at));
                }
            },
            Err(problem) => problems.push(problem),
        }
        for cluster in &mut config.clusters {
            cluster.kit = cluster.machines.kit((&cluster.name, file), &mut problems);
        }
        find_lines(source, &mut problems);
        (config, problems)
    }

    fn take(&mut self, said: schema::Said, file: &str, names: Names<'_>, problems: &mut Vec<Problem>) {
        let schema::Said { setting, name, value, at } = said;
        let name = name.unwrap_or_default();
        if let Some(part) = setting.part() {
            return self.cluster(&name).machines.take(part, value, at);
        }
        let mut known = |what: &str, word: String, names: &[&str]| {
            if names.contains(&word.as_str()) {
                return Some(word);
            }
            let problem = Problem::new(file, &[setting.path()], format!("there is no {what} `{word}`"));
            problems.push(problem.at(at).with_choice(&word, names.iter().copied()));
            None
        };
        match (setting, value) {
            (Setting::Keymap, Value::Word(word)) => self.keymap = known("keymap", word, names.keymaps),
            (Setting::Theme, Value::Word(word)) => self.theme = known("theme", word, names.themes),
            (Setting::Glyphs, Value::Word(word)) => {
                self.signs = match word.as_str() {
                    "unicode" => Signs::Unicode,
                    "ascii" => Signs::Ascii,
                    _ => Signs::Auto,
                }
            }
            (Setting::ReadOnly, Value::Flag(yes)) => self.read_only = yes,
            (Setting::Mouse, Value::Flag(yes)) => self.mouse = yes,
            (Setting::Favourites, Value::Words(words)) => self.favourites = Some(words),
            (Setting::Columns, Value::Words(words)) => {
                let found = names.columns.iter().find(|(screen, _)| *screen == name);
                let Some((_, ids)) = found else {
                    let problem = Problem::new(file, &["columns", &name], "is no screen with columns");
                    let screens = names.columns.iter().map(|(screen, _)| screen.as_str());
                    return problems.push(problem.at(at).with_choice(&name, screens));
                };
                let (known, unknown): (Vec<String>, Vec<String>) =
                    words.into_iter().partition(|word| ids.contains(&word.as_str()));
                for word in unknown {
                    let reason = format!("has no column `{word}`");
                    let problem = Problem::new(file, &["columns", &name], reason);
                    problems.push(problem.at(at).with_choice(&word, ids.iter().copied()));
                }
                self.columns.insert(name, known);
            }
            (Setting::Places, Value::Words(words)) => self.places = Some(words),
            (Setting::ClusterPlaces, Value::Words(words)) => self.cluster(&name).places = Some(words),
            (Setting::MostTargets, Value::Count(many)) => self.most_targets = Some(many),
            (Setting::ClusterReadOnly, Value::Flag(yes)) => self.cluster(&name).read_only = yes,
            (Setting::ClusterProtected, Value::Flag(yes)) => self.cluster(&name).protected = yes,
            (Setting::Grace, Value::Duration(time)) => self.cluster(&name).grace = Some(time),
            (Setting::ForceDetach, Value::Duration(time)) => self.cluster(&name).force_detach = Some(time),
            (Setting::DeletionSlack, Value::Duration(time)) => {
                self.cluster(&name).deletion_slack = Some(time);
            }
            // The schema has read each by its kind; a test takes every setting through here.
            (
                Setting::Keymap
                | Setting::Theme
                | Setting::Glyphs
                | Setting::ReadOnly
                | Setting::Mouse
                | Setting::Favourites
                | Setting::Columns
                | Setting::MostTargets
                | Setting::ClusterReadOnly
                | Setting::ClusterProtected
                | Setting::Grace
                | Setting::ForceDetach
                | Setting::DeletionSlack
                | Setting::Places
                | Setting::ClusterPlaces
                | Setting::KubeSystem
                | Setting::MachineId
                | Setting::MachineIds
                | Setting::FenceKind
                | Setting::FenceCommand
                | Setting::FenceTimeout
                | Setting::PowerCommand
                | Setting::PowerOff
                | Setting::PowerTimeout
                | Setting::ProbeCommand
                | Setting::ProbeTimeout
                | Setting::RestartKubeletCommand
                | Setting::RestartKubeletTimeout
                | Setting::ReplaceCommand
                | Setting::ReplaceTimeout,
                Value::Flag(_)
                | Value::Word(_)
                | Value::Words(_)
                | Value::Duration(_)
                | Value::Count(_)
                | Value::Pairs(_)
                | Value::Doubt,
            ) => {}
        }
    }

    fn cluster(&mut self, name: &str) -> &mut ClusterConfig {
        let at = self.clusters.iter().position(|cluster| cluster.name == name).unwrap_or_else(|| {
            self.clusters.push(ClusterConfig { name: name.to_owned(), ..ClusterConfig::default() });
            self.clusters.len() - 1
        });
        &mut self.clusters[at]
    }

    /// The names of the clusters that nothing may change.
    pub fn read_only_clusters(&self) -> Vec<String> {
        self.clusters.iter().filter(|cluster| cluster.read_only).map(|cluster| cluster.name.clone()).collect()
    }

    /// Whether every action on a cluster is confirmed by typing.
    pub fn is_protected(&self, context: &str, server: &str) -> bool {
        self.clusters.iter().any(|cluster| cluster.protected && cluster.means(context, server))
    }

    /// The timers of a cluster as far as they are set; a later entry of the file wins.
    pub fn timers(&self, context: &str, server: &str, mut timers: Timers) -> Timers {
        for cluster in self.clusters.iter().filter(|cluster| cluster.means(context, server)) {
            timers.grace = cluster.grace.unwrap_or(timers.grace);
            timers.force_detach = cluster.force_detach.unwrap_or(timers.force_detach);
            timers.deletion_slack = cluster.deletion_slack.unwrap_or(timers.deletion_slack);
        }
        timers
    }

    /// The commands for the machines of the cluster behind a server, whose kube-system has this uid. What is configured
    /// for another cluster is none, and says so.
    pub fn kit(&self, server: &str, kube_system: Option<&str>) -> Kit {
        let of_server = self.clusters.iter().rev().filter(|cluster| cluster.is_server(server));
        let kits: Vec<&Kit> = of_server.filter_map(|cluster| cluster.kit.as_ref()).collect();
        let absence = match (kits.first(), kube_system) {
            (None, _) => return Kit::default(),
            (Some(_), None) => {
                "config.yaml has commands for this server, and it is not known whether they are for this \
                                cluster: the namespace kube-system could not be read"
                    .to_owned()
            }
            (Some(first), Some(uid)) => match kits.iter().find(|kit| *kit.cluster == *uid) {
                Some(kit) => return (*kit).clone(),
                None => format!(
                    "config.yaml has commands for this server, and for another cluster: the uid of its kube-system is \
                     {uid}, and not {}",
                    first.cluster
                ),
            },
        };
        Kit { absence: Some(Text::from(absence)), ..Kit::default() }
    }

    /// Whether a command for machines is set anywhere.
    pub fn has_kits(&self) -> bool {
        self.clusters.iter().any(|cluster| cluster.kit.is_some())
    }

    /// Whether commands are set for a server, for whatever cluster is behind it.
    pub fn has_kit(&self, server: &str) -> bool {
        self.clusters.iter().any(|cluster| cluster.kit.is_some() && cluster.is_server(server))
    }

    /// Leaves out all commands.
    pub fn drop_kits(&mut self) {
        for cluster in &mut self.clusters {
            cluster.kit = None;
        }
    }

    /// The labels whose nodes fail together, where they are set; a later entry of the file wins.
    pub fn places(&self, context: &str, server: &str) -> Option<&[String]> {
        let of_cluster = self.clusters.iter().rev().filter(|cluster| cluster.means(context, server));
        let mut of_cluster = of_cluster.filter_map(|cluster| cluster.places.as_deref());
        of_cluster.next().or(self.places.as_deref())
    }
}

impl ClusterConfig {
    fn means(&self, context: &str, server: &str) -> bool {
        self.name == context || self.is_server(server)
    }

    fn is_server(&self, server: &str) -> bool {
        self.name.trim_end_matches('/') == server.trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Config, Vec<String>) {
        let source = Source { file: "config.yaml".to_owned(), text: text.to_owned() };
        let columns = [("pods".to_owned(), vec!["name", "age"])];
        let names = Names { keymaps: &["default", "vim"], themes: &["dark", "light"], columns: &columns };
        let (config, problems) = Config::parse(&source, names);
        (config, problems.iter().map(ToString::to_string).collect())
    }

    const FULL: &str = "\
keymap: vim
theme: light
glyphs: ascii
read-only: true
mouse: true
namespaces: {favourites: [shop, data]}
columns: {pods: [age, name]}
places: [topology.kubernetes.io/zone, example.com/rack]
actions: {most-targets: 5}
clusters:
  prod:
    places: [example.com/rack]
    protected: true
    read-only: true
    timers: {grace: 40s, force-detach: 1h, deletion-slack: 1m}
  https://10.0.0.1:6443/:
    timers:
      grace: 45s
";

    #[test]
    fn every_setting_is_read() {
        let (config, problems) = parse(FULL);
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            config,
            Config {
                keymap: Some("vim".to_owned()),
                theme: Some("light".to_owned()),
                signs: Signs::Ascii,
                read_only: true,
                mouse: true,
                favourites: Some(vec!["shop".to_owned(), "data".to_owned()]),
                columns: [("pods".to_owned(), vec!["age".to_owned(), "name".to_owned()])].into(),
                places: Some(vec!["topology.kubernetes.io/zone".to_owned(), "example.com/rack".to_owned()]),
                most_targets: Some(5),
                clusters: vec![
                    ClusterConfig {
                        name: "prod".to_owned(),
                        read_only: true,
                        protected: true,
                        grace: Some(SignedDuration::from_secs(40)),
                        force_detach: Some(SignedDuration::from_hours(1)),
                        deletion_slack: Some(SignedDuration::from_mins(1)),
                        places: Some(vec!["example.com/rack".to_owned()]),
                        ..ClusterConfig::default()
                    },
                    ClusterConfig {
                        name: "https://10.0.0.1:6443/".to_owned(),
                        grace: Some(SignedDuration::from_secs(45)),
                        ..ClusterConfig::default()
                    },
                ],
            }
        );
    }

    #[test]
    fn each_setting_changes_something() {
        for setting in Setting::ALL {
            let path = setting.path().replace("columns.*", "columns.pods");
            let keys: Vec<&str> = path.split('.').collect();
            let value = match setting {
                Setting::Keymap => "vim",
                Setting::Theme => "light",
                Setting::Glyphs => "ascii",
                Setting::ReadOnly | Setting::Mouse | Setting::ClusterReadOnly | Setting::ClusterProtected => {
                    "true"
                }
                Setting::Favourites | Setting::Columns | Setting::Places | Setting::ClusterPlaces => "[name]",
                Setting::MostTargets => "7",
                Setting::Grace | Setting::ForceDetach | Setting::DeletionSlack => "7s",
                // Each of them alone is no command, and is told: `machine` has their tests.
                Setting::KubeSystem
                | Setting::MachineId
                | Setting::MachineIds
                | Setting::FenceKind
                | Setting::FenceCommand
                | Setting::FenceTimeout
                | Setting::PowerCommand
                | Setting::PowerOff
                | Setting::PowerTimeout
                | Setting::ProbeCommand
                | Setting::ProbeTimeout
                | Setting::RestartKubeletCommand
                | Setting::RestartKubeletTimeout
                | Setting::ReplaceCommand
                | Setting::ReplaceTimeout => continue,
            };
            let text = keys.iter().rev().fold(value.to_owned(), |inner, key| format!("{{{key:?}: {inner}}}"));
            let (config, problems) = parse(&text);
            assert_eq!(problems, [""; 0], "{text}");
            assert_ne!(config, Config::default(), "{text}");
        }
    }

    #[test]
    fn timers_are_set_by_context_and_by_server() {
        let (config, _) = parse(FULL);
        let by_version = Timers::of_version(36);
        let grace = |context: &str, server: &str| config.timers(context, server, by_version).grace.as_secs();
        assert_eq!(grace("prod", "https://10.0.0.9"), 40);
        assert_eq!(grace("dev", "https://10.0.0.1:6443"), 45);
        assert_eq!(grace("prod", "https://10.0.0.1:6443"), 45);
        assert_eq!(grace("dev", "https://10.0.0.9"), 50);
        assert_eq!(config.timers("prod", "", by_version).force_detach, SignedDuration::from_hours(1));
    }

    #[test]
    fn places_are_set_for_all_clusters_and_for_one() {
        let (config, _) = parse(FULL);
        assert_eq!(config.places("prod", ""), Some(&["example.com/rack".to_owned()][..]));
        assert_eq!(config.places("dev", "").map(<[String]>::len), Some(2));
        assert_eq!(Config::default().places("prod", ""), None);
        let (config, problems) = parse("places: [zone, Example.com/rack, a b]\n");
        assert_eq!(config.places, None);
        assert_eq!(
            problems,
            ["config.yaml:1: places: has `Example.com/rack` in it, which is no label key; such as \
              `topology.kubernetes.io/zone`"]
        );
    }

    #[test]
    fn a_read_only_that_cannot_be_read_counts_as_wanted() {
        let (config, problems) = parse("read-only: yes\nclusters: {prod: {read-only: 1}}\n");
        assert!(config.read_only && config.read_only_clusters() == ["prod"]);
        assert_eq!(
            problems,
            [
                "config.yaml:1: read-only: must be `true` or `false`, and is `yes`; write `true`",
                "config.yaml:2: clusters.prod.read-only: must be `true` or `false`, and is `1`",
            ]
        );
    }

    #[test]
    fn a_ceiling_that_cannot_be_read_lets_one_object_through() {
        for (written, shown) in [("0", "`0`"), ("five", "`five`"), ("-3", "`-3`"), ("[5]", "a list")] {
            let (config, problems) = parse(&format!("actions: {{most-targets: {written}}}\n"));
            assert_eq!(config.most_targets, Some(1), "{written}");
            let problem =
                format!("config.yaml:1: actions.most-targets: must be a number from 1 on, and is {shown}");
            assert_eq!(problems, [problem], "{written}");
        }
    }

    #[test]
    fn what_is_wrong_counts_as_not_set_and_the_rest_holds() {
        let (config, problems) = parse("keymap: vmi\nglyphs: ascii\ntheme: [dark]\nred-only: true\n");
        assert_eq!(config, Config { signs: Signs::Ascii, ..Config::default() });
        assert_eq!(
            problems,
            [
                "config.yaml:3: theme: must be the name of a theme, and is a list",
                "config.yaml:4: red-only: is not a setting; did you mean `read-only`?",
                "config.yaml:1: keymap: there is no keymap `vmi`; did you mean `vim`?",
            ]
        );
    }
}
