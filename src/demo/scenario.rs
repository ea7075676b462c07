//! What the demo cluster can play: a YAML file each, with a sentence for people and a script of what breaks when.
//!
//! A scenario holds what comes from outside (machines, storage, operators) and no consequences: those are the
//! controllers' in `world`. The files are read here and played there.

mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

pub(crate) use script::{Act, Script, Target};

/// What the demo cluster plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    Healthy,
    #[default]
    DeadNode,
    KubeletStopped,
    DeadNodeReturns,
    NodeRecreated,
    ZoneOutage,
    ControlPlaneBlip,
    KubeletStuck,
    Finalizer,
    DrainBlocked,
    BadRollout,
    DetachFails,
    LiveNodeTainted,
}

impl Scenario {
    pub const fn all() -> [Self; 13] {
        [
            Self::Healthy,
            Self::DeadNode,
            Self::KubeletStopped,
            Self::DeadNodeReturns,
            Self::NodeRecreated,
            Self::ZoneOutage,
            Self::ControlPlaneBlip,
            Self::KubeletStuck,
            Self::Finalizer,
            Self::DrainBlocked,
            Self::BadRollout,
            Self::DetachFails,
            Self::LiveNodeTainted,
        ]
    }

    /// As it is written on the command line.
    pub const fn id(self) -> &'static str {
        self.file().0
    }

    /// What happens, in a sentence.
    pub fn description(self) -> &'static str {
        &self.script().about
    }

    /// Invariant: every embedded file can be read; a test holds them to it. What could not be would play nothing.
    pub(crate) fn script(self) -> &'static Script {
        static SCRIPTS: LazyLock<BTreeMap<Scenario, Script>> = LazyLock::new(|| {
            let read = |scenario: Scenario| Script::read(scenario.file().1).unwrap_or_default();
            Scenario::all().into_iter().map(|scenario| (scenario, read(scenario))).collect()
        });
        static NOTHING: Script = Script { about: String::new(), before: Vec::new(), acts: Vec::new() };
        SCRIPTS.get(&self).unwrap_or(&NOTHING)
    }

    /// Its name, and the text of its file.
    const fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Healthy => ("healthy", include_str!("scenarios/healthy.yaml")),
            Self::DeadNode => ("dead-node", include_str!("scenarios/dead-node.yaml")),
            Self::KubeletStopped => ("kubelet-stopped", include_str!("scenarios/kubelet-stopped.yaml")),
            Self::DeadNodeReturns => ("dead-node-returns", include_str!("scenarios/dead-node-returns.yaml")),
            Self::NodeRecreated => ("node-recreated", include_str!("scenarios/node-recreated.yaml")),
            Self::ZoneOutage => ("zone-outage", include_str!("scenarios/zone-outage.yaml")),
            Self::ControlPlaneBlip => {
                ("control-plane-blip", include_str!("scenarios/control-plane-blip.yaml"))
            }
            Self::KubeletStuck => ("kubelet-stuck", include_str!("scenarios/kubelet-stuck.yaml")),
            Self::Finalizer => ("finalizer", include_str!("scenarios/finalizer.yaml")),
            Self::DrainBlocked => ("drain-blocked", include_str!("scenarios/drain-blocked.yaml")),
            Self::BadRollout => ("bad-rollout", include_str!("scenarios/bad-rollout.yaml")),
            Self::DetachFails => ("detach-fails", include_str!("scenarios/detach-fails.yaml")),
            Self::LiveNodeTainted => ("live-node-tainted", include_str!("scenarios/live-node-tainted.yaml")),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no scenario is called {name:?}: {}", suggestion(name))]
pub struct UnknownScenario {
    name: String,
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::all().into_iter().find(|scenario| scenario.id() == name);
        found.ok_or_else(|| UnknownScenario { name: name.to_owned() })
    }
}

/// The one that was likely meant: the fewest letters apart, and not all of them; or the only one of which it is a part.
fn suggestion(name: &str) -> String {
    let near = Scenario::all()
        .into_iter()
        .map(|scenario| (distance(name, scenario.id()), scenario.id()))
        .filter(|(apart, id)| *apart <= id.len().max(name.len()) / 3)
        .min();
    let mut holding =
        Scenario::all().into_iter().filter(|scenario| !name.is_empty() && scenario.id().contains(name));
    let only = holding.next().filter(|_| holding.next().is_none());
    match near.map(|(_, id)| id).or(only.map(Scenario::id)) {
        Some(id) => format!("did you mean {id:?}?"),
        None => "`sickbay demo --list` tells which there are".to_owned(),
    }
}

/// How many letters have to be put in, left out or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (position, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = position + 1;
        for (column, candidate) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read_and_says_what_happens() {
        for scenario in Scenario::all() {
            let script =
                Script::read(scenario.file().1).unwrap_or_else(|error| panic!("{scenario}: {error}"));
            let about = &script.about;
            assert!((20..=160).contains(&about.len()) && !about.ends_with('.'), "{scenario}: {about}");
            assert_eq!(script.acts.is_empty(), scenario == Scenario::Healthy, "{scenario}");
            assert_eq!(scenario.id().parse(), Ok(scenario));
        }
    }

    #[test]
    fn every_file_of_the_folder_is_a_scenario() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut known = Scenario::all().map(|scenario| format!("{scenario}.yaml"));
        known.sort();
        assert_eq!(files, known);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_one_that_was_meant() {
        let answer = |name: &str| name.parse::<Scenario>().unwrap_err().to_string();
        assert_eq!(answer("dead-nod"), "no scenario is called \"dead-nod\": did you mean \"dead-node\"?");
        assert!(answer("rollout").contains("did you mean \"bad-rollout\"?"));
        let unlike = "no scenario is called \"quux\": `sickbay demo --list` tells which there are";
        assert_eq!(answer("quux"), unlike);
        assert!(!answer("node").contains("did you mean"), "several have it");
    }
}
