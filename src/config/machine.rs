//! The commands for the machines of a cluster, put together from their settings: whole, or none at all.
//!
//! What each setting takes is read in `value`; what becomes of a command is said in `actions::errand`.

use super::value::{ID_OF_LABEL, Value};
use crate::actions::errand::{IdSource, Kit, Purpose, Template};
use crate::problem::Problem;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// What a setting is of the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    KubeSystem,
    Id,
    Ids,
    FenceKind,
    PowerOff,
    Command(Tool),
    Timeout(Tool),
}

/// A command by its name in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    Fence,
    Power,
    Probe,
    RestartKubelet,
    Replace,
}

impl Tool {
    const fn name(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Power => "power",
            Self::Probe => "probe",
            Self::RestartKubelet => "restart-kubelet",
            Self::Replace => "replace",
        }
    }

    /// How long it may take where nobody says otherwise.
    const fn limit(self) -> SignedDuration {
        SignedDuration::from_secs(match self {
            Self::Fence | Self::RestartKubelet => 60,
            Self::Power => 15,
            Self::Probe => 10,
            Self::Replace => 120,
        })
    }
}

/// What is written of the commands of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machines {
    kube_system: Option<String>,
    id: Option<IdSource>,
    ids: BTreeMap<String, String>,
    fence: Option<Purpose>,
    means_off: Option<String>,
    commands: BTreeMap<Tool, Vec<String>>,
    timeouts: BTreeMap<Tool, SignedDuration>,
    /// Where the first of it stands.
    at: Option<u32>,
    /// Something of it could not be read, and was told.
    is_doubtful: bool,
}

impl Machines {
    pub fn take(&mut self, part: Part, value: Value, at: u32) {
        self.at.get_or_insert(at);
        match (part, value) {
            (Part::KubeSystem, Value::Word(uid)) => self.kube_system = Some(uid.to_ascii_lowercase()),
            (Part::Id, Value::Word(word)) => self.id = Some(source(&word)),
            (Part::Ids, Value::Pairs(pairs)) => self.ids = pairs.into_iter().collect(),
            (Part::FenceKind, Value::Word(word)) => {
                self.fence = Some(if word == "off" { Purpose::SwitchOff } else { Purpose::Reset });
            }
            (Part::PowerOff, Value::Word(word)) => self.means_off = Some(word),
            (Part::Command(tool), Value::Words(argv)) => {
                self.commands.insert(tool, argv);
            }
            (Part::Timeout(tool), Value::Duration(limit)) => {
                self.timeouts.insert(tool, limit);
            }
            // The schema has read each by its kind: what is left is what could not be read.
            (
                Part::KubeSystem
                | Part::Id
                | Part::Ids
                | Part::FenceKind
                | Part::PowerOff
                | Part::Command(_)
                | Part::Timeout(_),
                Value::Flag(_)
                | Value::Word(_)
                | Value::Words(_)
                | Value::Duration(_)
                | Value::Count(_)
                | Value::Pairs(_)
                | Value::Doubt,
            ) => self.is_doubtful = true,
        }
    }

    /// The commands, if all that they need is there and nothing of it is in doubt.
    pub fn kit(&self, (cluster, file): (&str, &str), problems: &mut Vec<Problem>) -> Option<Kit> {
        let at = self.at?;
        let before = problems.len();
        let mut lacks = |path: &[&str], reason: &str, hint: String| {
            let path: Vec<&str> = ["clusters", cluster].into_iter().chain(path.iter().copied()).collect();
            problems.push(Problem::new(file, &path, reason).at(at).with_hint(hint));
        };
        if !cluster.starts_with("https://") && !cluster.starts_with("http://") {
            let hint =
                "move what is below `machine` to an entry whose name is the URL of the server".to_owned();
            lacks(&["machine"], "commands are for a server, and this is the name of a context", hint);
        }
        if self.kube_system.is_none() && !self.is_doubtful {
            let hint = "without the uid of its namespace kube-system no command is run".to_owned();
            lacks(&["kube-system"], "is missing", hint);
        }
        match (self.fence, self.commands.contains_key(&Tool::Fence)) {
            (None, true) if !self.is_doubtful => {
                let hint = "`off` if the machine stays off, `reset` if it comes back".to_owned();
                lacks(&["machine", "fence", "kind"], "is missing", hint);
            }
            (Some(_), false) if !self.is_doubtful => {
                lacks(&["machine", "fence", "command"], "is missing", "add it, or remove `kind`".to_owned());
            }
            (Some(_) | None, _) => {}
        }
        for tool in self.timeouts.keys().filter(|tool| !self.commands.contains_key(tool)) {
            if *tool != Tool::Fence && !self.is_doubtful {
                let hint = "add it, or remove `timeout`".to_owned();
                lacks(&["machine", tool.name(), "command"], "is missing", hint);
            }
        }
        if self.means_off.is_some() && !self.commands.contains_key(&Tool::Power) && !self.is_doubtful {
            let hint = "add it, or remove `prints-when-off`".to_owned();
            lacks(&["machine", "power", "command"], "is missing", hint);
        }
        let asks_for_id = self.commands.values().flatten().any(|word| word == crate::actions::errand::ID);
        if asks_for_id && self.id.is_none() && self.ids.is_empty() && !self.is_doubtful {
            let hint = "say with `id` or `ids` what stands for `{id}`".to_owned();
            lacks(&["machine", "id"], "is missing", hint);
        }
        if problems.len() > before || self.is_doubtful {
            return None;
        }
        let commands = self.commands.iter().map(|(tool, argv)| {
            let limit = self.timeouts.get(tool).copied().unwrap_or_else(|| tool.limit());
            (self.purpose(*tool), Template { argv: argv.clone(), limit })
        });
        Some(Kit {
            cluster: self.kube_system.as_deref().unwrap_or_default().into(),
            id: self.id.clone(),
            ids: self.ids.clone(),
            commands: commands.collect(),
            means_off: self.means_off.as_deref().unwrap_or("off").into(),
            absence: None,
        })
    }

    fn purpose(&self, tool: Tool) -> Purpose {
        match tool {
            // One of a kind that is not known comes to no kit; of the two this is the one that never detaches.
            Tool::Fence => self.fence.unwrap_or(Purpose::Reset),
            Tool::Power => Purpose::CheckPower,
            Tool::Probe => Purpose::Probe,
            Tool::RestartKubelet => Purpose::RestartKubelet,
            Tool::Replace => Purpose::Replace,
        }
    }
}

fn source(word: &str) -> IdSource {
    match word {
        "provider-id" => IdSource::ProviderId,
        "internal-ip" => IdSource::InternalIp,
        _ => match word.strip_prefix(ID_OF_LABEL) {
            Some(key) => IdSource::Label(key.to_owned()),
            None => IdSource::Name,
        },
    }
}

#[cfg(test)]
mod tests;
