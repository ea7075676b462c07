//! Configured commands: what is run on the operator's machine for one node, word for word.
//!
//! A [`Kit`] is what is configured for this very cluster, and makes an [`Errand`] of it for a node: `{node}` and `{id}`
//! are whole arguments, and what stands for them is checked. It deliberately runs nothing: `fence` does, without a shell.

use crate::cluster::{Node, ObjectRef, Row as _, Text};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What an argument is that stands for the node's name, and for what its machine is called elsewhere.
pub const NODE: &str = "{node}";
pub const ID: &str = "{id}";
/// Longer names are no names.
const LONGEST_ID: usize = 253;

/// What a configured command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Switches the machine off, and it stays off.
    SwitchOff,
    /// Has the machine start anew: it comes back, so nothing of it is ever detached.
    Reset,
    /// Tells whether the machine is off. Changes nothing.
    CheckPower,
    /// Succeeds where the machine lives. Changes nothing.
    Probe,
    RestartKubelet,
    /// Has the provider end the machine, or put another in its place.
    Replace,
}

impl Purpose {
    /// Whether it only asks.
    pub const fn is_question(self) -> bool {
        match self {
            Self::CheckPower | Self::Probe => true,
            Self::SwitchOff | Self::Reset | Self::RestartKubelet | Self::Replace => false,
        }
    }

    /// Whether it takes a machine down under whatever still runs there.
    pub const fn is_fence(self) -> bool {
        matches!(self, Self::SwitchOff | Self::Reset)
    }

    /// Below a cluster's entry of the config.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::SwitchOff | Self::Reset => "machine.fence.command",
            Self::CheckPower => "machine.power.command",
            Self::Probe => "machine.probe.command",
            Self::RestartKubelet => "machine.restart-kubelet.command",
            Self::Replace => "machine.replace.command",
        }
    }

    fn sentence(self, node: &str) -> String {
        match self {
            Self::SwitchOff => format!("switch the machine of {node} off"),
            Self::Reset => format!("have the machine of {node} start anew"),
            Self::CheckPower => format!("see that the machine of {node} is off"),
            Self::Probe => format!("see whether the machine of {node} answers"),
            Self::RestartKubelet => format!("restart the kubelet of {node}"),
            Self::Replace => format!("have the machine of {node} replaced"),
        }
    }
}

/// A configured command for one node, as it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    pub purpose: Purpose,
    pub node: ObjectRef,
    /// The boot that the machine is in.
    pub boot: Text,
    /// What the machine is called by whoever rules it; empty where no argument is that.
    pub id: Text,
    /// The program and its arguments.
    pub argv: Vec<String>,
    pub limit: SignedDuration,
    /// What is asked whether a machine is off, where this is to switch it off and there is something to ask.
    pub check: Option<Box<Errand>>,
    /// All that it prints where the machine is off; empty for what tells nothing of that.
    pub means_off: Text,
    /// The uid of kube-system in the cluster for which it is configured: it is run for no other.
    pub cluster: Text,
}

impl Errand {
    /// What it is for, and word for word what is run.
    pub fn sentence(&self) -> String {
        let checked = self.check.as_ref().map_or_else(String::new, |check| {
            format!(", until `{}` says {:?}", check.line(), check.means_off.as_str())
        });
        format!("{}: `{}`{checked}", self.purpose.sentence(&self.node.name.name), self.line())
    }

    /// As one would type it into a shell, made safe to be shown.
    pub fn line(&self) -> String {
        Text::from(self.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")).to_string()
    }

    /// Whether what came back says that the machine is off.
    pub fn proves_off(&self, ran: &Ran) -> bool {
        let is_alone = |said: &[Text]| matches!(said, [one] if *one == self.means_off);
        match self.purpose {
            Purpose::CheckPower => ran.ended.is_success() && is_alone(&ran.said),
            Purpose::SwitchOff
            | Purpose::Reset
            | Purpose::Probe
            | Purpose::RestartKubelet
            | Purpose::Replace => false,
        }
    }
}

fn quoted(word: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || "-_.,:/@=+%".contains(letter);
    if !word.is_empty() && word.chars().all(is_bare) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// How a command ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    #[serde(flatten)]
    pub ended: Ended,
    /// The last lines of its output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Text>,
    /// The last lines of its errors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complained: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum Ended {
    Exited {
        code: i32,
    },
    Killed {
        signal: i32,
    },
    /// Its time was over, and all of it was killed.
    TimedOut {
        seconds: i64,
    },
    /// Nothing was run.
    NotRun {
        reason: Text,
    },
}

impl Ended {
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit code {code}"),
            Self::Killed { signal } => write!(f, "ended by signal {signal}"),
            Self::TimedOut { seconds } => write!(f, "not done within {seconds} s, and killed"),
            Self::NotRun { reason } => write!(f, "not run: {reason}"),
        }
    }
}

impl Ran {
    pub fn not_run(reason: impl Into<Text>) -> Self {
        Self { ended: Ended::NotRun { reason: reason.into() }, said: Vec::new(), complained: Vec::new() }
    }

    /// Its last words, and how it ended unless that was well, in one line.
    pub fn summary(&self) -> String {
        const LINES: usize = 3;
        let all: Vec<&str> = self.said.iter().chain(&self.complained).map(Text::as_str).collect();
        let last = all.get(all.len().saturating_sub(LINES)..).unwrap_or_default().join(" | ");
        match (last.is_empty(), self.ended.is_success()) {
            (true, _) => self.ended.to_string(),
            (false, true) => last,
            (false, false) => format!("{}: {last}", self.ended),
        }
    }
}

// -- what is configured ---------------------------------------------------------------------------------------------

/// The commands that are configured for this cluster, and how its machines are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kit {
    /// The uid of kube-system.
    pub cluster: Text,
    /// Nothing: a node that is not among the names has no other.
    pub id: Option<IdSource>,
    /// By node; goes before the rest.
    pub ids: BTreeMap<String, String>,
    /// The command that fences is here by what it does.
    pub commands: BTreeMap<Purpose, Template>,
    /// What the power command prints where a machine is off.
    pub means_off: Text,
    /// Why there is nothing in it, where there could be.
    pub absence: Option<Text>,
}

/// A command before it is for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub argv: Vec<String>,
    pub limit: SignedDuration,
}

/// Where it is written what a machine is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdSource {
    /// The node's own name.
    Name,
    /// What follows the last slash of `spec.providerID`.
    ProviderId,
    InternalIp,
    Label(String),
}

impl Kit {
    pub fn has(&self, purpose: Purpose) -> bool {
        self.commands.contains_key(&purpose)
    }

    /// What the command that fences does; nothing where there is none.
    pub fn fence(&self) -> Option<Purpose> {
        [Purpose::SwitchOff, Purpose::Reset].into_iter().find(|purpose| self.has(*purpose))
    }

    /// The command for a node; or why there is none, and what to do.
    pub fn errand(&self, purpose: Purpose, node: &Node) -> Result<Errand, String> {
        let Some(template) = self.commands.get(&purpose) else { return Err(self.lacking(purpose)) };
        let name = node.name().name.as_str();
        let id = if template.argv.iter().any(|word| word == ID) { self.id_of(node)? } else { String::new() };
        if !is_id(name) {
            return Err(format!("the name of {} is none that a command may be given", node.object()));
        }
        let argv = template.argv.iter().map(|word| match word.as_str() {
            NODE => name.to_owned(),
            ID => id.clone(),
            other => other.to_owned(),
        });
        Ok(Errand {
            purpose,
            node: node.object(),
            boot: node.boot_id.clone(),
            argv: argv.collect(),
            id: id.into(),
            limit: template.limit,
            check: self.check(purpose, node)?.map(Box::new),
            means_off: if purpose == Purpose::CheckPower { self.means_off.clone() } else { Text::default() },
            cluster: self.cluster.clone(),
        })
    }

    /// What tells whether a command that switches off has done so, where there is such a thing.
    fn check(&self, purpose: Purpose, node: &Node) -> Result<Option<Errand>, String> {
        match purpose {
            Purpose::SwitchOff if self.has(Purpose::CheckPower) => {
                self.errand(Purpose::CheckPower, node).map(Some)
            }
            Purpose::SwitchOff
            | Purpose::Reset
            | Purpose::CheckPower
            | Purpose::Probe
            | Purpose::RestartKubelet
            | Purpose::Replace => Ok(None),
        }
    }

    /// What a command for this would be, and is not there.
    pub fn lacking(&self, purpose: Purpose) -> String {
        match &self.absence {
            Some(absence) => absence.to_string(),
            None => format!("config.yaml has no {} for this cluster", purpose.setting()),
        }
    }

    fn id_of(&self, node: &Node) -> Result<String, String> {
        let name = node.name().name.as_str();
        if let Some(id) = self.ids.get(name) {
            return checked(id, name, "machine.ids of config.yaml");
        }
        let (id, source) = match &self.id {
            None => {
                return Err(format!(
                    "machine.ids of config.yaml has no {name}: add what its machine is called"
                ));
            }
            Some(IdSource::Name) => (name, "its name".to_owned()),
            Some(IdSource::ProviderId) => {
                let last = node.provider_id.rsplit('/').next().unwrap_or_default();
                (last, "its spec.providerID".to_owned())
            }
            Some(IdSource::InternalIp) => (node.internal_ip.as_str(), "its InternalIP".to_owned()),
            Some(IdSource::Label(key)) => {
                (node.meta.label(key).unwrap_or_default(), format!("its label {key}"))
            }
        };
        checked(id, name, &source)
    }
}

fn checked(id: &str, node: &str, source: &str) -> Result<String, String> {
    if id.is_empty() {
        return Err(format!(
            "{node} has no id: {source} is not there; name it in machine.ids of config.yaml"
        ));
    }
    if !is_id(id) {
        return Err(format!(
            "{node} has the id {:?} by {source}, which no command is given: letters, digits and . _ : - are what an id \
             is made of, and a letter or a digit comes first",
            Text::new(id).as_str()
        ));
    }
    Ok(id.to_owned())
}

/// Whether a command may be given this as what a machine is called: nothing in it looks like an option, a path or
/// something of a shell, whatever the command makes of its arguments.
pub fn is_id(id: &str) -> bool {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "._:-".contains(letter);
    id.len() <= LONGEST_ID
        && id.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && id.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Meta, Name};

    fn node() -> Node {
        Node {
            meta: Meta {
                name: Name::cluster("worker-2"),
                uid: "u-2".into(),
                labels: [("example.com/bmc".into(), "bmc-17".into())].into(),
                ..Meta::default()
            },
            provider_id: "openstack:///b1f2-77".into(),
            internal_ip: "10.0.0.12".into(),
            ..Node::default()
        }
    }

    fn kit(argv: &[&str], id: Option<IdSource>) -> Kit {
        let template = Template {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            limit: SignedDuration::from_secs(60),
        };
        Kit {
            cluster: "cluster-uid".into(),
            id,
            commands: [(Purpose::SwitchOff, template)].into(),
            ..Kit::default()
        }
    }

    fn argv(kit: &Kit) -> Result<Vec<String>, String> {
        kit.errand(Purpose::SwitchOff, &node()).map(|errand| errand.argv)
    }

    #[test]
    fn whole_arguments_are_replaced_and_nothing_else() {
        let kit = kit(&["fence", "{node}", "--for={node}", "{id}", "{ID}"], Some(IdSource::ProviderId));
        assert_eq!(argv(&kit).unwrap(), ["fence", "worker-2", "--for={node}", "b1f2-77", "{ID}"]);
    }

    #[test]
    fn the_id_is_found_where_the_config_says() {
        for (source, id) in [
            (IdSource::Name, "worker-2"),
            (IdSource::ProviderId, "b1f2-77"),
            (IdSource::InternalIp, "10.0.0.12"),
            (IdSource::Label("example.com/bmc".to_owned()), "bmc-17"),
        ] {
            assert_eq!(argv(&kit(&["fence", "{id}"], Some(source))).unwrap(), ["fence", id]);
        }
        let mut named = kit(&["fence", "{id}"], Some(IdSource::Name));
        named.ids.insert("worker-2".to_owned(), "rack4-u12".to_owned());
        assert_eq!(argv(&named).unwrap(), ["fence", "rack4-u12"]);
    }

    #[test]
    fn without_an_id_there_is_no_command() {
        let none = argv(&kit(&["fence", "{id}"], None)).unwrap_err();
        assert_eq!(none, "machine.ids of config.yaml has no worker-2: add what its machine is called");
        let label = IdSource::Label("example.com/gone".to_owned());
        let gone = argv(&kit(&["fence", "{id}"], Some(label))).unwrap_err();
        assert!(gone.contains("its label example.com/gone is not there"), "{gone}");
        // One that is not asked for need not be there.
        assert_eq!(argv(&kit(&["fence", "{node}"], None)).unwrap(), ["fence", "worker-2"]);
    }

    #[test]
    fn an_id_that_a_command_could_take_for_something_else_is_refused() {
        for id in ["bmc-17", "10.0.0.12", "fd00::12", "00:1a:2b:3c:4d:5e", "i-0a1b", "VM_7.lab"] {
            assert!(is_id(id), "{id}");
        }
        let long = "a".repeat(LONGEST_ID + 1);
        for id in [
            "",
            "-H",
            "--force",
            ".hidden",
            "a b",
            "a;b",
            "$(a)",
            "`a`",
            "a\nb",
            "../a",
            "a/b",
            "a'b",
            "a\"b",
            "ä",
            "a\u{202e}b",
            "root@a",
            &long,
        ] {
            assert!(!is_id(id), "{id:?}");
        }
        let mut named = kit(&["fence", "{id}"], None);
        named.ids.insert("worker-2".to_owned(), "-x\u{1b}[31m".to_owned());
        let refused = argv(&named).unwrap_err();
        assert!(refused.contains("which no command is given") && !refused.contains('\u{1b}'), "{refused}");
    }

    #[test]
    fn a_machine_is_off_only_by_the_very_words_and_a_success() {
        let errand = Errand {
            purpose: Purpose::CheckPower,
            means_off: "shut off".into(),
            ..kit(&["x"], None).errand(Purpose::SwitchOff, &node()).unwrap()
        };
        let ran = |code, said: &[&str]| Ran {
            ended: Ended::Exited { code },
            said: said.iter().map(|line| (*line).into()).collect(),
            complained: vec!["a warning".into()],
        };
        assert!(errand.proves_off(&ran(0, &["shut off"])));
        for not in [
            ran(1, &["shut off"]),
            ran(0, &[]),
            ran(0, &["running"]),
            ran(0, &["not shut off"]),
            ran(0, &["shut off", "running"]),
            Ran { ended: Ended::TimedOut { seconds: 5 }, ..ran(0, &["shut off"]) },
        ] {
            assert!(!errand.proves_off(&not), "{not:?}");
        }
        let fence = Errand { purpose: Purpose::SwitchOff, ..errand };
        assert!(!fence.proves_off(&ran(0, &["shut off"])));
    }

    #[test]
    fn a_line_is_what_a_shell_would_be_given() {
        let errand = kit(&["fence", "it's", "", "a b", "-H", "{node}"], None);
        let errand = errand.errand(Purpose::SwitchOff, &node()).unwrap();
        assert_eq!(errand.line(), r"fence 'it'\''s' '' 'a b' -H worker-2");
    }
}
