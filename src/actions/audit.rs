//! What is written down of a run: who did what to which object, why, and how it ended. One record is one line.
//!
//! It deliberately writes nothing: the shell does, and nothing is sent before it has.

use super::errand::Purpose;
use super::run::{Outcome, Progress, SkipReason};
use super::undo::Replaced;
use super::{Action, CallKind, Draft, Errand, Kit, Plan, Ran};
use crate::cluster::{Kind, Name, ObjectRef, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a run is called, here and in its records.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(Text);

impl RunId {
    pub fn new(id: impl Into<Text>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who does something, in which run, when it was drafted, and with which commands at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The person, as the machine knows them: `alice@bastion`.
    pub who: Text,
    pub run: RunId,
    pub at: Timestamp,
    pub kit: Arc<Kit>,
    /// Machines that a run before this one has switched off.
    pub fenced: Vec<Fenced>,
}

/// A machine that was switched off: of which node, in which boot, and when that was seen to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenced {
    pub node: Text,
    pub boot: Text,
    pub at: Timestamp,
}

/// How long it is believed that a machine is off because it was switched off: somebody may switch it on again.
const FENCE_WORTH: SignedDuration = SignedDuration::from_secs(3600);

/// Where something is done, as the kubeconfig has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub context: Text,
    pub server: Text,
    /// The user of the kubeconfig, or the one who is impersonated.
    pub user: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub run: RunId,
    pub at: Timestamp,
    #[serde(flatten)]
    pub entry: Entry,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Entry {
    /// Written before anything is sent.
    Started(Started),
    /// A step is over.
    Step(StepEnded),
    /// Somebody changed how it goes on.
    Noted(Noted),
    Ended(Ended),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub who: Text,
    #[serde(flatten)]
    pub place: Place,
    pub action: Action,
    #[serde(default)]
    pub why: Text,
    pub targets: Vec<Object>,
    pub steps: Vec<Text>,
    /// What the preflight warned of, and what its dry runs said.
    pub checks: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub what: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEnded {
    pub step: usize,
    pub what: Text,
    /// Nothing for a step that changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallKind>,
    pub object: Object,
    pub result: StepResult,
    #[serde(default)]
    pub reason: Text,
    /// What was there before, where it can be had back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Replaced>,
    /// The configured command that was run, and how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Commanded>,
}

/// A configured command as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commanded {
    pub purpose: Purpose,
    /// The boot that the machine was in.
    pub boot: Text,
    /// The program and its arguments.
    pub argv: Vec<Text>,
    #[serde(flatten)]
    pub ran: Ran,
}

impl Commanded {
    pub fn of(errand: &Errand, ran: &Ran) -> Self {
        let argv = errand.argv.iter().map(|word| Text::new(word)).collect();
        Self { purpose: errand.purpose, boot: errand.boot.clone(), argv, ran: ran.clone() }
    }
}

/// The machines that these records say were switched off, as long ago as that is worth anything.
pub fn fenced(records: &[Record], now: Timestamp) -> Vec<Fenced> {
    let recent = records.iter().filter(|record| now.duration_since(record.at) <= FENCE_WORTH);
    let mut fenced: Vec<Fenced> = Vec::new();
    for record in recent {
        let Entry::Step(StepEnded { command: Some(command), object, result, .. }) = &record.entry else {
            continue;
        };
        match command.purpose {
            Purpose::SwitchOff if *result == StepResult::Done => {
                let (node, boot) = (object.uid.clone(), command.boot.clone());
                fenced.push(Fenced { node, boot, at: record.at });
            }
            // Whatever became of it: it is not off for certain.
            Purpose::Reset => fenced.retain(|known| known.node != object.uid),
            Purpose::SwitchOff
            | Purpose::CheckPower
            | Purpose::Probe
            | Purpose::RestartKubelet
            | Purpose::Replace => {}
        }
    }
    fenced
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    Done,
    /// It was so already.
    Needless,
    Stopped,
    /// Somebody left it out.
    Skipped,
    /// Told to go, and not waited for.
    Left,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub outcome: Outcome,
    pub done: usize,
    #[serde(rename = "notDone")]
    pub not_done: usize,
}

/// An object as a record names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub namespace: Text,
    pub name: Text,
    pub uid: Text,
}

fn is_empty(text: &Text) -> bool {
    text.is_empty()
}

impl From<&ObjectRef> for Object {
    fn from(object: &ObjectRef) -> Self {
        let ObjectRef { kind, name: Name { namespace, name }, uid } = object.clone();
        Self { kind, namespace, name, uid }
    }
}

impl From<&Object> for ObjectRef {
    fn from(object: &Object) -> Self {
        let Object { kind, namespace, name, uid } = object.clone();
        Self { kind, name: Name { namespace, name }, uid }
    }
}

impl Started {
    pub fn new(draft: &Draft, plan: &Plan, who: Text, place: Place) -> Self {
        Self {
            who,
            place,
            action: draft.action.clone(),
            why: draft.why.clone(),
            targets: draft.targets.iter().map(Object::from).collect(),
            steps: plan.steps.iter().map(|step| step.sentence().into()).collect(),
            checks: Vec::new(),
        }
    }

    pub fn draft(&self) -> Draft {
        Draft {
            action: self.action.clone(),
            targets: self.targets.iter().map(ObjectRef::from).collect(),
            why: self.why.clone(),
            powered_off: Vec::new(),
        }
    }
}

impl StepResult {
    /// What a step that is over is recorded as; nothing while it is not.
    pub fn of(progress: &Progress) -> Option<(Self, Text)> {
        Some(match progress {
            Progress::Pending | Progress::InFlight { .. } | Progress::Waiting { .. } => return None,
            Progress::Done { note, .. } => (Self::Done, note.clone()),
            Progress::Skipped { reason } => (Self::of_skip(reason), reason.text().clone()),
            Progress::Failed { reason } => (Self::Failed, reason.clone()),
        })
    }

    const fn of_skip(reason: &SkipReason) -> Self {
        match reason {
            SkipReason::Needless(_) => Self::Needless,
            SkipReason::Stopped(_) => Self::Stopped,
            SkipReason::Chosen(_) => Self::Skipped,
            SkipReason::Left(_) => Self::Left,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Needless => "was so already",
            Self::Stopped => "stopped",
            Self::Skipped => "left out",
            Self::Left => "not waited for",
            Self::Failed => "failed",
        }
    }
}
