//! A namespace: its name and whether it is going.

use super::{Condition, Meta, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub meta: Meta,
    pub phase: Text,
    /// What holds its deletion up.
    pub conditions: Box<[Condition]>,
}
