//! The schema: every setting that there is, once. The reader, its complaints and the table in the documentation all
//! come from it, so none of them can know a setting that the others do not.

use super::machine::{Part, Tool};
use super::value::{Kind, Value};
use crate::problem::{Problem, Shape, Yaml, once};
use std::fmt::Write as _;

/// Declares the settings: name, path, what it takes, what holds without it, and a sentence for the documentation.
macro_rules! settings {
    ($($setting:ident $path:literal: $kind:expr, $default:literal, $doc:literal;)*) => {
        /// Each thing that can be set. In a path, `*` stands for a name that the user chooses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Setting { $($setting),* }

        impl Setting {
            pub const ALL: &'static [Self] = &[$(Self::$setting),*];

            pub fn path(self) -> &'static str {
                match self { $(Self::$setting => $path),* }
            }

            pub fn kind(self) -> Kind {
                match self { $(Self::$setting => $kind),* }
            }

            /// What holds without it, in words.
            pub fn default(self) -> &'static str {
                match self { $(Self::$setting => $default),* }
            }

            pub fn doc(self) -> &'static str {
                match self { $(Self::$setting => $doc),* }
            }
        }
    };
}

settings! {
    Keymap "keymap": Kind::Keymap, "`default`",
        "The keymap: an embedded one, or a file of the folder `keymaps`. `--keymap` wins over it.";
    Theme "theme": Kind::Theme, "by the terminal",
        "The theme: an embedded one, or a file of the folder `themes`. Without it `mono` where there are no colours, \
         `ansi16` where there are sixteen, else `dark`. `--theme` wins over it.";
    Glyphs "glyphs": Kind::OneOf(&["auto", "unicode", "ascii"]), "`auto`",
        "The signs beside words. `auto`: Unicode where the locale is UTF-8, else ASCII.";
    ReadOnly "read-only": Kind::Flag, "`false`",
        "Refuse to send anything that could change a cluster, as `--read-only` does.";
    Mouse "mouse": Kind::Flag, "`false`",
        "Let the mouse select, sort and scroll, as `--mouse` does; the terminal's own selection then needs shift.";
    Favourites "namespaces.favourites": Kind::Namespaces, "none",
        "Namespaces that the picker offers first. What is chosen on the screen is remembered and wins over it.";
    Columns "columns.*": Kind::Columns, "the screen's own",
        "The columns of a screen and their order, by their names in filters; `*` is the screen, such as `pods`. What is chosen on the screen is remembered and wins over it.";
    Places "places": Kind::Labels, "zone, rack, host",
        "Labels whose nodes fail together: several silent nodes with the same value of one are told as one cause. The widest place first.";
    MostTargets "actions.most-targets": Kind::Count, "`20`",
        "How many objects one action takes at most; more are refused before anything is asked for.";
    ClusterReadOnly "clusters.*.read-only": Kind::Flag, "`false`",
        "The same for one cluster. `*` is the name of its context or of its cluster, or the URL of its server.";
    ClusterProtected "clusters.*.protected": Kind::Flag, "`false`",
        "Ask for the name of the target before every action, and not only before those that cannot be taken back. By the name of the context, or the URL of the server.";
    Grace "clusters.*.timers.grace": Kind::Duration, "by the server's version",
        "How long a node may be silent before it is called unknown: the controller manager's `node-monitor-grace-period`. Timers go by the name of the context, or the URL of the server.";
    ForceDetach "clusters.*.timers.force-detach": Kind::Duration, "`6m`",
        "How long after its pod has gone a volume is taken from a node that is not ready.";
    DeletionSlack "clusters.*.timers.deletion-slack": Kind::Duration, "`30s`",
        "What a kubelet may need beyond a pod's deadline before the pod counts as stuck.";
    ClusterPlaces "clusters.*.places": Kind::Labels, "as `places`",
        "The same labels for one cluster.";
    KubeSystem "clusters.*.kube-system": Kind::Uid, "no command is run",
        "The uid of the namespace kube-system of the cluster for which the commands below are: they are run for no other. Commands go by the URL of the server.";
    MachineId "clusters.*.machine.id": Kind::MachineId, "only those of `ids`",
        "What stands for `{id}`: the node's name, what follows the last slash of its providerID, its InternalIP, or what a label of it says.";
    MachineIds "clusters.*.machine.ids": Kind::Ids, "none",
        "What stands for `{id}`, node by node; it goes before `id`.";
    FenceKind "clusters.*.machine.fence.kind": Kind::OneOf(&["off", "reset"]), "no fence",
        "What the command does: `off` switches the machine off and it stays off, `reset` has it start anew. After a `reset` nothing is ever detached.";
    FenceCommand "clusters.*.machine.fence.command": Kind::Command, "no fence",
        "Fences a node. Exit code 0 says that it is done.";
    FenceTimeout "clusters.*.machine.fence.timeout": Kind::Duration, "`60s`",
        "How long it may take; then it is killed and has failed. So with the other commands.";
    PowerCommand "clusters.*.machine.power.command": Kind::Command, "not checked",
        "Tells whether the machine is off, and changes nothing. Where it is set a fence counts only when it says so.";
    PowerOff "clusters.*.machine.power.prints-when-off": Kind::Line, "`off`",
        "All that it prints where the machine is off, with exit code 0; anything else is not off.";
    PowerTimeout "clusters.*.machine.power.timeout": Kind::Duration, "`15s`",
        "How long one look may take.";
    ProbeCommand "clusters.*.machine.probe.command": Kind::Command, "not asked",
        "Exit code 0 where the machine answers, which is a sign of life and blocks a detach; anything else proves nothing.";
    ProbeTimeout "clusters.*.machine.probe.timeout": Kind::Duration, "`10s`",
        "How long it is waited for an answer.";
    RestartKubeletCommand "clusters.*.machine.restart-kubelet.command": Kind::Command, "none",
        "Restarts the kubelet of a node.";
    RestartKubeletTimeout "clusters.*.machine.restart-kubelet.timeout": Kind::Duration, "`60s`",
        "How long it may take.";
    ReplaceCommand "clusters.*.machine.replace.command": Kind::Command, "none",
        "Has the provider end or replace the machine of a node that is retired.";
    ReplaceTimeout "clusters.*.machine.replace.timeout": Kind::Duration, "`2m`",
        "How long it may take.";
}

impl Setting {
    /// What a value that cannot be read counts as, where not set would be the dangerous way to read it: whoever
    /// writes `read-only: yes` does not want a cluster changed.
    fn in_doubt(self) -> Option<Value> {
        match self {
            Self::ReadOnly | Self::ClusterReadOnly | Self::ClusterProtected => Some(Value::Flag(true)),
            // Whoever writes a ceiling wants few.
            Self::MostTargets => Some(Value::Count(1)),
            Self::Keymap
            | Self::Theme
            | Self::Glyphs
            | Self::Mouse
            | Self::Favourites
            | Self::Columns
            | Self::Grace
            | Self::ForceDetach
            | Self::DeletionSlack
            | Self::Places
            | Self::ClusterPlaces => None,
            // Half a command is none.
            Self::KubeSystem
            | Self::MachineId
            | Self::MachineIds
            | Self::FenceKind
            | Self::FenceCommand
            | Self::FenceTimeout
            | Self::PowerCommand
            | Self::PowerOff
            | Self::PowerTimeout
            | Self::ProbeCommand
            | Self::ProbeTimeout
            | Self::RestartKubeletCommand
            | Self::RestartKubeletTimeout
            | Self::ReplaceCommand
            | Self::ReplaceTimeout => Some(Value::Doubt),
        }
    }

    /// What it is of the commands for machines, where it is of them.
    pub const fn part(self) -> Option<Part> {
        Some(match self {
            Self::KubeSystem => Part::KubeSystem,
            Self::MachineId => Part::Id,
            Self::MachineIds => Part::Ids,
            Self::FenceKind => Part::FenceKind,
            Self::FenceCommand => Part::Command(Tool::Fence),
            Self::FenceTimeout => Part::Timeout(Tool::Fence),
            Self::PowerCommand => Part::Command(Tool::Power),
            Self::PowerOff => Part::PowerOff,
            Self::PowerTimeout => Part::Timeout(Tool::Power),
            Self::ProbeCommand => Part::Command(Tool::Probe),
            Self::ProbeTimeout => Part::Timeout(Tool::Probe),
            Self::RestartKubeletCommand => Part::Command(Tool::RestartKubelet),
            Self::RestartKubeletTimeout => Part::Timeout(Tool::RestartKubelet),
            Self::ReplaceCommand => Part::Command(Tool::Replace),
            Self::ReplaceTimeout => Part::Timeout(Tool::Replace),
            Self::Keymap
            | Self::Theme
            | Self::Glyphs
            | Self::ReadOnly
            | Self::Mouse
            | Self::Favourites
            | Self::Columns
            | Self::Places
            | Self::MostTargets
            | Self::ClusterReadOnly
            | Self::ClusterProtected
            | Self::Grace
            | Self::ForceDetach
            | Self::DeletionSlack
            | Self::ClusterPlaces => return None,
        })
    }
}

/// One setting as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub setting: Setting,
    /// What stands for the `*` of its path.
    pub name: Option<String>,
    pub value: Value,
    /// Its place in the file, for complaints that need more than the schema.
    pub at: u32,
}

/// Reads a mapping by the schema: what it says, and what is wrong with the rest.
pub fn read(entries: Vec<(Yaml, Yaml)>, file: &str, problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut reader = Reader { file, problems, said: Vec::new() };
    reader.mapping(entries, &mut Vec::new());
    reader.said
}

/// A key on the way down: its name in the schema, and as it was written.
type Step = (&'static str, String);

struct Reader<'a> {
    file: &'a str,
    problems: &'a mut Vec<Problem>,
    said: Vec<Said>,
}

impl Reader<'_> {
    fn mapping(&mut self, entries: Vec<(Yaml, Yaml)>, path: &mut Vec<Step>) {
        for (key, value) in once(entries, self.file, &written(path, None), self.problems) {
            let word = key.word();
            let next = segments(path);
            match next.iter().copied().find(|segment| *segment == "*" || *segment == word) {
                Some(segment) => {
                    path.push((segment, word));
                    self.entry(key.at, &value, path);
                    path.pop();
                }
                None => {
                    let problem = Problem::new(self.file, &written(path, Some(&word)), "is not a setting");
                    self.problems.push(problem.at(key.at).with_choice(&word, next.iter().copied()));
                }
            }
        }
    }

    fn entry(&mut self, at: u32, value: &Yaml, path: &mut Vec<Step>) {
        let schema: Vec<&str> = path.iter().map(|(segment, _)| *segment).collect();
        let schema = schema.join(".");
        let complain = |problems: &mut Vec<Problem>, path: &[Step], reason: String, hint: Option<String>| {
            let problem = Problem::new(self.file, &written(path, None), reason).at(at);
            problems.push(match hint {
                Some(hint) => problem.with_hint(hint),
                None => problem,
            });
        };
        let setting = Setting::ALL.iter().copied().find(|setting| setting.path() == schema);
        match (setting, value.shape.clone()) {
            // As if it were not there: whoever writes `keymap:` and nothing after it has not decided yet.
            (_, Shape::Nothing) => {}
            (Some(setting), _) => match setting.kind().read(value) {
                Ok(value) => {
                    self.said.push(Said { setting, name: chosen(path), value, at });
                }
                Err(refused) => {
                    complain(self.problems, path, refused.reason, refused.hint);
                    if let Some(value) = setting.in_doubt() {
                        self.said.push(Said { setting, name: chosen(path), value, at });
                    }
                }
            },
            (None, Shape::Map(entries)) => self.mapping(entries, path),
            (None, Shape::Flag(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_)) => {
                let next = segments(path);
                let what = if next == ["*"] { "names".to_owned() } else { next.join(", ") };
                let reason = format!("must be a mapping of {what}, and is {}", value.kind());
                complain(self.problems, path, reason, None);
            }
        }
    }
}

/// What stands for the `*` of a path.
fn chosen(path: &[Step]) -> Option<String> {
    path.iter().find(|(segment, _)| *segment == "*").map(|(_, name)| name.clone())
}

fn written<'a>(path: &'a [Step], last: Option<&'a str>) -> Vec<&'a str> {
    path.iter().map(|(_, written)| written.as_str()).chain(last).collect()
}

/// What may come next below a path, in the order of the schema.
fn segments(path: &[Step]) -> Vec<&'static str> {
    let mut next = Vec::new();
    for setting in Setting::ALL {
        let mut segments = setting.path().split('.');
        let is_below = path.iter().all(|(segment, _)| segments.next() == Some(*segment));
        if let Some(segment) = segments.next().filter(|segment| is_below && !next.contains(segment)) {
            next.push(segment);
        }
    }
    next
}

/// The settings as a table of Markdown, for the documentation.
pub fn markdown() -> String {
    let mut text = "| Setting | Takes | Without it | |\n| --- | --- | --- | --- |\n".to_owned();
    for setting in Setting::ALL {
        let (path, takes) = (setting.path(), setting.kind().takes());
        let _infallible =
            writeln!(text, "| `{path}` | {takes} | {} | {} |", setting.default(), setting.doc());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_is_the_way_to_another() {
        for one in Setting::ALL {
            for other in Setting::ALL {
                assert!(!other.path().starts_with(&format!("{}.", one.path())), "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_name_of_the_users_choice_has_no_neighbours() {
        for setting in Setting::ALL {
            let before: Vec<Step> =
                setting.path().split('.').map(|segment| (segment, String::new())).collect();
            for length in 0..before.len() {
                let next = segments(&before[..length]);
                assert!(!next.contains(&"*") || next == ["*"], "{setting:?}");
            }
        }
    }

    #[test]
    fn docs_are_sentences_that_fit_a_table() {
        for setting in Setting::ALL {
            let doc = setting.doc();
            assert!(doc.ends_with('.') && doc.starts_with(char::is_uppercase), "{setting:?}");
            assert!(!doc.contains(['|', '\n']) && !doc.contains("  "), "{setting:?}");
        }
    }
}
