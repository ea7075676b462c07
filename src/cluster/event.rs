//! An event, old style and new alike. Events expire after an hour: one that is gone is not a trouble resolved.

use super::{Meta, Name, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub meta: Meta,
    pub regarding: Regarding,
    pub reason: Text,
    pub note: Text,
    pub is_warning: bool,
    pub source: Text,
    /// When it last happened, by the right one of the API's five time fields.
    pub last: Option<Timestamp>,
    pub count: u32,
}

/// What the event is about. The uid may be the object's, the node's name, or empty: match by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Regarding {
    pub kind: Text,
    pub name: Name,
    pub uid: Text,
}
