//! A pod: what `kubectl get pods` says of it, by kubectl's own rules, and what it will do on a dead node.

use super::{Condition, Meta, Status, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts of its spec that exclude nothing of each other")]
pub struct Pod {
    pub meta: Meta,
    /// Empty until it is scheduled.
    pub node: Text,
    pub phase: Phase,
    pub reason: Text,
    pub message: Text,
    pub ip: Text,
    pub conditions: Box<[Condition]>,
    /// In the order of the spec.
    pub init_containers: Box<[Container]>,
    pub containers: Box<[Container]>,
    pub tolerations: Arc<[Toleration]>,
    /// Names of the claims it mounts, generic ephemeral volumes' included.
    pub claims: Box<[Text]>,
    /// A static pod's image in the API: the kubelet owns it.
    pub is_mirror: bool,
    /// How long it may take to end, in seconds.
    pub grace_seconds: u32,
    /// It keeps data that goes with it.
    pub has_empty_dir: bool,
    /// Some container says when it is ready for traffic.
    pub has_readiness_probe: bool,
    /// Some container does something before it ends.
    pub has_pre_stop: bool,
    pub requests: Resources,
}

/// Amounts of what is scheduled by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    pub cpu_millis: u64,
    pub memory_bytes: u64,
}

impl Resources {
    /// Both together.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_add(more.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_add(more.memory_bytes),
        }
    }

    /// Of each the larger.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.max(other.cpu_millis),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
        }
    }

    /// What is left of it.
    #[must_use]
    pub const fn less(self, taken: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_sub(taken.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_sub(taken.memory_bytes),
        }
    }

    #[must_use]
    pub const fn times(self, many: u64) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_mul(many),
            memory_bytes: self.memory_bytes.saturating_mul(many),
        }
    }

    pub const fn fit(self, free: Self) -> bool {
        self.cpu_millis <= free.cpu_millis && self.memory_bytes <= free.memory_bytes
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
    #[default]
    Unknown,
}

impl Phase {
    pub fn parse(word: &str) -> Self {
        match word {
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Pending | Self::Running | Self::Unknown => false,
        }
    }
}

/// A container of the spec with what the kubelet last said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub name: Text,
    pub image: Text,
    /// An init container that goes on running beside the others.
    pub is_sidecar: bool,
    pub is_ready: bool,
    pub is_started: bool,
    pub restarts: u32,
    pub state: State,
    /// How it ended the time before.
    pub last: Option<Ended>,
    /// As it is written; empty for none.
    pub memory_limit: Text,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The kubelet has not reported on it at all.
    #[default]
    Unreported,
    /// Reported, and nothing said of its state.
    None,
    Waiting {
        reason: Text,
        message: Text,
    },
    Running {
        since: Option<Timestamp>,
    },
    Terminated(Ended),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub reason: Text,
    pub exit_code: i32,
    pub signal: i32,
    pub finished: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Toleration {
    pub key: Text,
    /// `Exists` or `Equal`; empty is `Equal`.
    pub operator: Text,
    pub value: Text,
    /// Empty for all effects.
    pub effect: Text,
    pub seconds: Option<i64>,
}

impl Container {
    /// Whether it failed, and its kubelet paused before it started it again, as it does with what fails repeatedly.
    pub fn was_held_back(&self) -> bool {
        /// The first pause of a kubelet.
        const PAUSE: SignedDuration = SignedDuration::from_secs(10);
        let Some(last) = self.last.as_ref().filter(|last| last.exit_code != 0) else { return false };
        let again = match &self.state {
            State::Running { since } => *since,
            State::Terminated(ended) => ended.finished,
            State::Unreported | State::None | State::Waiting { .. } => None,
        };
        let pause = last.finished.zip(again).map(|(ended, again)| again.duration_since(ended));
        pause.is_some_and(|pause| pause >= PAUSE)
    }
}

impl Pod {
    /// The label by which the pods of a stateful set or a daemon set tell of which revision they are.
    pub const REVISION: &str = "controller-revision-hash";

    pub fn revision(&self) -> Option<&str> {
        self.meta.label(Self::REVISION)
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == *kind)
    }

    fn has_condition(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition.status == Status::True)
    }

    pub fn is_ready(&self) -> bool {
        self.has_condition("Ready")
    }

    /// Whether the kubelet has reported that all of its containers have ended.
    pub fn has_stopped(&self) -> bool {
        !self.containers.is_empty()
            && self.containers.iter().all(|container| matches!(container.state, State::Terminated(_)))
    }

    /// Whether a controller of that kind owns it.
    pub fn is_owned_by(&self, kind: &str) -> bool {
        self.meta.owner.as_ref().is_some_and(|owner| owner.kind == *kind)
    }

    /// Whether a controller or an operator would have it elsewhere: not of a daemon set, not static, not at its end.
    pub fn is_movable(&self) -> bool {
        !self.is_mirror
            && !self.is_owned_by("DaemonSet")
            && !self.phase.is_terminal()
            && !self.meta.is_deleting()
    }

    /// Since when it is not ready, or not to stay; from its beginning where it never was.
    pub fn unready_since(&self) -> Option<Timestamp> {
        let told = self.condition("Ready").filter(|ready| ready.status != Status::True);
        let asked = self.meta.deletion.map(|deletion| deletion.requested());
        told.and_then(|ready| ready.changed).or(asked).or(self.meta.created)
    }

    /// Whether it has not started, or a container waits to, or its kubelet has evicted it: what is worth a look
    /// among many that run or have run.
    pub fn is_troubled(&self) -> bool {
        let waits = |container: &Container| matches!(container.state, State::Waiting { .. });
        match self.phase {
            _ if self.meta.is_deleting() => false,
            Phase::Pending | Phase::Unknown => true,
            Phase::Running => self
                .containers
                .iter()
                .chain(&self.init_containers)
                .any(|container| waits(container) || container.was_held_back()),
            Phase::Failed => self.reason == "Evicted",
            Phase::Succeeded => false,
        }
    }

    /// The attach-detach controller does not count a pod that has ended, or whose containers have all stopped
    /// after it was told to go: only then does it stop wanting its volumes. A container of which nothing is
    /// said counts as running.
    pub fn wants_volumes(&self) -> bool {
        let any_running = self
            .containers
            .iter()
            .chain(&self.init_containers)
            .any(|container| matches!(container.state, State::Running { .. } | State::None));
        !self.phase.is_terminal() && (!self.meta.is_deleting() || any_running)
    }

    pub fn restarts(&self) -> u32 {
        self.summary().restarts
    }

    /// `ready/total`, as kubectl counts.
    pub fn readiness(&self) -> (u32, u32) {
        let summary = self.summary();
        (summary.ready, summary.total)
    }

    /// The STATUS column of kubectl.
    pub fn status(&self) -> String {
        self.summary().status
    }

    fn summary(&self) -> Summary {
        let sidecars = self.init_containers.iter().filter(|container| container.is_sidecar).count();
        let mut summary = Summary { total: count(self.containers.len() + sidecars), ..Summary::default() };
        self.phase.word().clone_into(&mut summary.status);
        if let Some(reason) = self.reason.non_empty() {
            reason.clone_into(&mut summary.status);
        }
        if self.condition("PodScheduled").is_some_and(|scheduled| scheduled.reason == "SchedulingGated") {
            "SchedulingGated".clone_into(&mut summary.status);
        }
        let is_initializing = self.init_summary(&mut summary);
        if !is_initializing || self.has_condition("Initialized") {
            self.main_summary(&mut summary);
        }
        if self.meta.is_deleting() {
            if self.reason == "NodeLost" {
                "Unknown".clone_into(&mut summary.status);
            } else if !self.phase.is_terminal() {
                "Terminating".clone_into(&mut summary.status);
            }
        }
        summary
    }

    /// Init containers up to the first that has not done its part; whether there is one.
    fn init_summary(&self, summary: &mut Summary) -> bool {
        for (at, container) in self.init_containers.iter().enumerate() {
            if !container.is_reported() {
                continue;
            }
            summary.restarts += container.restarts;
            if container.is_sidecar {
                summary.sidecar_restarts += container.restarts;
            }
            let is_done = matches!(&container.state, State::Terminated(ended) if ended.exit_code == 0);
            if is_done {
                continue;
            }
            if container.is_sidecar && container.is_started {
                summary.ready += u32::from(container.is_ready);
                continue;
            }
            summary.status = match &container.state {
                State::Terminated(ended) => format!("Init:{}", ended.word()),
                State::Waiting { reason, .. } if !reason.is_empty() && *reason != "PodInitializing" => {
                    format!("Init:{reason}")
                }
                State::Unreported | State::None | State::Waiting { .. } | State::Running { .. } => {
                    format!("Init:{at}/{}", self.init_containers.len())
                }
            };
            return true;
        }
        false
    }

    fn main_summary(&self, summary: &mut Summary) {
        summary.restarts = summary.sidecar_restarts;
        let mut has_running = false;
        let mut failed = None;
        for container in self.containers.iter().rev().filter(|container| container.is_reported()) {
            summary.restarts += container.restarts;
            match &container.state {
                State::Waiting { reason, .. } if !reason.is_empty() => {
                    reason.as_str().clone_into(&mut summary.status);
                }
                State::Terminated(ended) => {
                    summary.status = ended.word();
                    if ended.exit_code != 0 {
                        failed = Some(ended);
                    }
                }
                State::Running { .. } if container.is_ready => {
                    has_running = true;
                    summary.ready += 1;
                }
                State::Unreported | State::None | State::Waiting { .. } | State::Running { .. } => {}
            }
        }
        if summary.status == "Completed" {
            match failed {
                _ if has_running && self.is_ready() => "Running".clone_into(&mut summary.status),
                Some(failed) => summary.status = failed.word(),
                None if has_running => "NotReady".clone_into(&mut summary.status),
                None => {}
            }
        }
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Summary {
    status: String,
    ready: u32,
    total: u32,
    restarts: u32,
    sidecar_restarts: u32,
}

impl Container {
    pub fn is_reported(&self) -> bool {
        self.state != State::Unreported
    }
}

impl Ended {
    /// The reason, or the signal or code where none was given.
    pub fn word(&self) -> String {
        match self.reason.non_empty() {
            Some(reason) => reason.to_owned(),
            None if self.signal != 0 => format!("Signal:{}", self.signal),
            None => format!("ExitCode:{}", self.exit_code),
        }
    }
}
