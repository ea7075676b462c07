//! What all objects share: names, ages, labels, owner, deletion.

use super::{Labels, Name, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub name: Name,
    pub uid: Text,
    /// Opaque; kept because a guided action must not write over what it has not seen.
    pub resource_version: Text,
    pub created: Option<Timestamp>,
    pub deletion: Option<Deletion>,
    pub finalizers: Box<[Text]>,
    pub labels: Labels,
    /// The owner that controls it, or the first one where none does.
    pub owner: Option<Owner>,
}

/// Asked to go. For a pod the deadline lies ahead by its grace; for all others it is the moment of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub deadline: Timestamp,
    pub grace_seconds: i64,
}

impl Deletion {
    pub fn requested(&self) -> Timestamp {
        self.deadline.checked_sub(SignedDuration::from_secs(self.grace_seconds)).unwrap_or(self.deadline)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub kind: Text,
    pub name: Text,
    pub uid: Text,
    pub is_controller: bool,
}

impl Meta {
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels
            .binary_search_by(|(known, _)| known.as_str().cmp(key))
            .ok()
            .map(|at| self.labels[at].1.as_str())
    }

    pub fn is_deleting(&self) -> bool {
        self.deletion.is_some()
    }

    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.created.map(|created| now.duration_since(created))
    }

    /// How far past its deadline, once it is past it.
    pub fn overdue(&self, now: Timestamp) -> Option<SignedDuration> {
        let late = now.duration_since(self.deletion?.deadline);
        late.is_positive().then_some(late)
    }
}
