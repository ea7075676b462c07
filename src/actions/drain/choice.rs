//! What becomes of each pod of a node that is drained: the decisions of `kubectl drain`, in its order.
//!
//! It deliberately does not look at budgets: whether a pod may go now is the server's to say, when it is asked.

use super::Options;
use crate::actions::Danger;
use crate::cluster::{Cluster, Feed, Kind, Name, ObjectRef, Pod, Row as _, Sync, Text};
use jiff::Timestamp;

/// What is decided of one pod, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub pod: ObjectRef,
    pub choice: Choice,
    pub why: Why,
    /// How long it may take to end, in seconds.
    pub grace: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// Nothing of the node's pods goes while there is one of these.
    Block,
    /// It goes, and something is lost with it.
    Warn,
    /// It goes.
    Evict,
    /// It stays.
    Skip,
}

/// What decided it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing speaks against it.
    Ordinary,
    /// It has ended: its budget does not count it, and nothing is lost.
    Finished,
    /// It is going already.
    Terminating,
    /// It is past its deadline for longer than is waited.
    Overdue,
    /// The kubelet owns it.
    Mirror,
    /// Its daemon set would put it back at once.
    DaemonSet,
    /// Its daemon set is gone.
    DaemonSetGone(Text),
    /// It keeps data in an emptyDir.
    EmptyDir,
    /// Nothing would make it anew.
    Bare,
}

impl Choice {
    pub const fn goes(self) -> bool {
        match self {
            Self::Evict | Self::Warn => true,
            Self::Block | Self::Skip => false,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::Evict => "evict",
            Self::Skip => "skip",
        }
    }
}

impl Chosen {
    pub fn is_blocked(&self) -> bool {
        self.choice == Choice::Block
    }
}

impl Why {
    /// For whoever reads the choice beside it.
    pub fn sentence(&self, choice: Choice) -> String {
        let is_blocked = choice == Choice::Block;
        match self {
            Self::Ordinary => "its controller makes it anew elsewhere".to_owned(),
            Self::Finished => "it has ended".to_owned(),
            Self::Terminating => "it is going already".to_owned(),
            Self::Overdue => "it is past its deadline, and not waited for".to_owned(),
            Self::Mirror => "the kubelet owns it: it is static".to_owned(),
            Self::DaemonSet if is_blocked => "its daemon set would put it back at once".to_owned(),
            Self::DaemonSet => "its daemon set keeps it on every node".to_owned(),
            Self::DaemonSetGone(name) => format!("its daemon set {name} is gone: nothing makes it anew"),
            Self::EmptyDir if is_blocked => "it has data in an emptyDir, which would be lost".to_owned(),
            Self::EmptyDir => "its data in an emptyDir is lost".to_owned(),
            Self::Bare if is_blocked => "no controller would make it anew".to_owned(),
            Self::Bare => "it has no controller: nothing makes it anew".to_owned(),
        }
    }

    /// What to do where it blocks.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::DaemonSet => "leave daemon sets alone (--ignore-daemonsets)",
            Self::DaemonSetGone(_) | Self::Bare => "delete it yourself, or let it go for good (--force)",
            Self::EmptyDir => "save what is needed of it, or let it be lost (--delete-emptydir-data)",
            Self::Ordinary | Self::Finished | Self::Terminating | Self::Overdue | Self::Mirror => {
                "look at the pod"
            }
        }
    }
}

/// What becomes of each pod on a node that the options select, by name.
pub fn choices(options: &Options, node: &ObjectRef, (cluster, now): (&Cluster, Timestamp)) -> Vec<Chosen> {
    let Ok(selector) = options.selector() else { return Vec::new() };
    let pods = cluster.pods_on(&node.name.name).filter(|pod| selector.matches(&pod.meta.labels));
    let mut chosen: Vec<Chosen> = pods.map(|pod| chosen(options, pod, (cluster, now))).collect();
    chosen.sort_by(|one, two| one.pod.name.cmp(&two.pod.name));
    chosen
}

/// One pod, which need not be in the cluster's tables: a live list brings its own.
pub fn chosen(options: &Options, pod: &Pod, (cluster, now): (&Cluster, Timestamp)) -> Chosen {
    let (choice, why) = decide(options, pod, (cluster, now));
    let grace = options.grace_period.unwrap_or(pod.grace_seconds);
    Chosen { pod: pod.object(), choice, why, grace }
}

/// The first that says no decides; of those that say yes with a warning the last one.
fn decide(options: &Options, pod: &Pod, (cluster, now): (&Cluster, Timestamp)) -> (Choice, Why) {
    if is_overdue(options.skip_wait_for_delete_timeout, pod, now) {
        return (Choice::Skip, Why::Overdue);
    }
    let is_finished = pod.phase.is_terminal();
    let mut yes = match pod {
        _ if is_finished => (Choice::Evict, Why::Finished),
        pod if pod.meta.is_deleting() => (Choice::Evict, Why::Terminating),
        _ => (Choice::Evict, Why::Ordinary),
    };
    let controller = pod.meta.owner.as_ref().filter(|owner| owner.is_controller);
    if let Some(owner) = controller.filter(|owner| owner.kind == *"DaemonSet" && !is_finished) {
        let name = Name::new(pod.meta.name.namespace.clone(), owner.name.clone());
        match cluster.daemon_sets.get(&name) {
            None if options.force && is_live(cluster) => {
                yes = (Choice::Warn, Why::DaemonSetGone(owner.name.clone()));
            }
            None => return (Choice::Block, Why::DaemonSetGone(owner.name.clone())),
            Some(_) if options.ignore_daemonsets => return (Choice::Skip, Why::DaemonSet),
            Some(_) => return (Choice::Block, Why::DaemonSet),
        }
    }
    if pod.is_mirror {
        return (Choice::Skip, Why::Mirror);
    }
    if pod.has_empty_dir && !is_finished {
        if !options.delete_emptydir_data {
            return (Choice::Block, Why::EmptyDir);
        }
        yes = (Choice::Warn, Why::EmptyDir);
    }
    if controller.is_none() && !is_finished {
        if !options.force {
            return (Choice::Block, Why::Bare);
        }
        yes = (Choice::Warn, Why::Bare);
    }
    yes
}

/// Whether a daemon set that is not there is gone, and not merely unread.
fn is_live(cluster: &Cluster) -> bool {
    matches!(cluster.feed(Feed::Watch(Kind::DaemonSet)).sync, Sync::Live { .. })
}

/// Whether it is further past its deadline than is waited for, in whole seconds; 0 waits for ever.
pub fn is_overdue(skip_wait: u32, pod: &Pod, now: Timestamp) -> bool {
    let late = pod.meta.deletion.map(|deletion| now.duration_since(deletion.deadline).as_secs());
    skip_wait > 0 && late.is_some_and(|late| late > skip_wait.into())
}

/// What it takes to agree to these choices.
pub fn danger(options: &Options, chosen: &[Chosen]) -> Danger {
    let loses = chosen.iter().any(|chosen| chosen.choice == Choice::Warn);
    // Struck off at once, nobody knows whether it has ended.
    let bypasses = (options.disable_eviction || options.grace_period == Some(0))
        && chosen.iter().any(|chosen| chosen.choice.goes());
    if loses || bypasses { Danger::Destructive } else { Danger::Reversible }
}
