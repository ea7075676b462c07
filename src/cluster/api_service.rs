//! A group of the API and who serves it: the API server itself, or one behind it.

use super::{Condition, Meta, Name, Status, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiService {
    pub meta: Meta,
    pub group: Text,
    pub version: Text,
    /// The service that answers for it; `None` for what the API server serves itself.
    pub service: Option<Name>,
    pub conditions: Box<[Condition]>,
}

impl ApiService {
    /// Why it does not answer, where it does not.
    pub fn outage(&self) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == "Available")
            .filter(|available| available.status != Status::True)
    }
}
