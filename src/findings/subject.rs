//! What a finding is about: mostly an object, sometimes what several objects share.

use crate::cluster::{Kind, ObjectRef, Text};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// What steers the nodes rather than any of them.
    ControlPlane,
    /// The nodes that share a label: a zone, a rack, a host.
    Place {
        label: Text,
        value: Text,
    },
    Object(ObjectRef),
}

impl Subject {
    pub const fn object(&self) -> Option<&ObjectRef> {
        match self {
            Self::Object(object) => Some(object),
            Self::ControlPlane | Self::Place { .. } => None,
        }
    }

    pub fn kind(&self) -> Option<Kind> {
        self.object().map(|object| object.kind)
    }

    /// "zone eu-1a", "rack 7": the last part of the label, which is what people say.
    fn place(label: &str, value: &str) -> String {
        let word = label.rsplit('/').next().unwrap_or(label);
        format!("{word} {value}")
    }
}

impl From<ObjectRef> for Subject {
    fn from(object: ObjectRef) -> Self {
        Self::Object(object)
    }
}

impl PartialEq<ObjectRef> for Subject {
    fn eq(&self, other: &ObjectRef) -> bool {
        self.object() == Some(other)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlPlane => f.pad("control plane"),
            Self::Place { label, value } => f.pad(&Self::place(label, value)),
            Self::Object(object) => fmt::Display::fmt(object, f),
        }
    }
}
