//! A namespace: its name and whether it is going.

use super::{Meta, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub meta: Meta,
    pub phase: Text,
}
