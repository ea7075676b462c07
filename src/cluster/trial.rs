//! Whether the server would still take an update of an object: what it said when it was asked by a dry run.
//!
//! It deliberately asks nobody, and judges nothing: when to ask is the application's, what follows from the answer is
//! a finding's.

use super::{Cluster, Dirty, Meta, ObjectRef, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer to one dry run of an update that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    pub object: ObjectRef,
    /// As it was known when it was asked about: of what was written later it says nothing.
    pub version: Text,
    pub said: Acceptance,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acceptance {
    Accepted,
    /// The object itself is not valid, or not any more.
    Invalid {
        faults: Vec<Fault>,
    },
    /// A policy, a webhook or a plugin of the server does not let it pass.
    Denied {
        reason: Text,
    },
    /// A webhook that has to be asked does not answer.
    Unreachable {
        reason: Text,
    },
    /// It could not be asked, or what came back says nothing of the object.
    Unknown {
        reason: Text,
    },
}

/// A field that the server does not take, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub field: Text,
    pub message: Text,
}

/// The last trial of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub trial: Trial,
    pub at: Timestamp,
    /// Since when the answers in a row are refusals; of no meaning while the last is none.
    pub refused_since: Timestamp,
}

/// By uid: the last trial of each object that is still there.
pub(super) type Trials = BTreeMap<Text, Tried>;

impl Acceptance {
    /// Whether the server has said no.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Invalid { .. } | Self::Denied { .. } | Self::Unreachable { .. } => true,
            Self::Accepted | Self::Unknown { .. } => false,
        }
    }
}

impl Cluster {
    pub(super) fn take_trial(&mut self, trial: Trial, at: Timestamp) -> Dirty {
        let mut trials = std::mem::take(&mut self.trials);
        trials.retain(|_, tried| self.meta(&tried.trial.object).is_some());
        let dirty = Dirty::of(trial.object.kind);
        if self.meta(&trial.object).is_some() {
            let known = trials.get(&trial.object.uid).filter(|known| known.trial.said.is_refusal());
            let refused_since = known.map_or(at, |known| known.refused_since);
            trials.insert(trial.object.uid.clone(), Tried { trial, at, refused_since });
        }
        self.trials = trials;
        dirty
    }

    /// What the server said of an object as it is now.
    pub fn trial(&self, meta: &Meta) -> Option<&Tried> {
        self.trials.get(&meta.uid).filter(|tried| tried.trial.version == meta.resource_version)
    }

    /// All that was said of objects as they are now.
    pub fn trials(&self) -> impl Iterator<Item = (&Tried, &Meta)> {
        let current = |tried| {
            let tried: &Tried = tried;
            let meta = self.meta(&tried.trial.object)?;
            (meta.resource_version == tried.trial.version).then_some((tried, meta))
        };
        self.trials.values().filter_map(current)
    }
}
