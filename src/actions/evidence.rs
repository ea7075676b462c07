//! The proof that a dangerous call needs. Who holds a [`Cleared`] has seen the evidence function find nothing against
//! it, a moment ago.
//!
//! Invariant: only this module makes one, and it is worth nothing after five seconds.

use crate::cluster::ObjectRef;
use jiff::{SignedDuration, Timestamp};

/// How long a proof is worth something: longer than a request takes, shorter than a machine needs to come back.
pub const WORTH: SignedDuration = SignedDuration::from_secs(5);

/// Cleared for one object, at one moment. Cannot be made outside of this module, and is no value that can be kept:
/// a call takes it and is gone with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Cleared {
    object: ObjectRef,
    at: Timestamp,
}

impl Cleared {
    pub const fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// Whether it is still worth something for this object. A clock that went backwards proves nothing.
    pub fn holds(&self, object: &ObjectRef, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        self.object == *object && !age.is_negative() && age <= WORTH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Kind, Name};

    fn node(uid: &str) -> ObjectRef {
        ObjectRef { kind: Kind::Node, name: Name::cluster("worker-2"), uid: uid.into() }
    }

    #[test]
    fn a_proof_expires_after_five_seconds_and_holds_for_one_object_alone() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let cleared = Cleared { object: node("1"), at };
        assert!(cleared.holds(&node("1"), at + SignedDuration::from_secs(5)));
        assert!(!cleared.holds(&node("1"), at + SignedDuration::from_millis(5001)));
        assert!(!cleared.holds(&node("1"), at - SignedDuration::from_millis(1)));
        assert!(!cleared.holds(&node("2"), at));
    }
}
