//! A node's lease, judged by when we saw it move and never by its own stamp: clocks differ.

use super::Text;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One reading of a lease in `kube-node-lease`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The node's name, which is the lease's.
    pub node: Text,
    pub uid: Text,
    pub resource_version: Text,
    /// By the node's own clock.
    pub renewed: Option<Timestamp>,
}

/// What the readings of one lease add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub last: Lease,
    /// When we first read it.
    pub watched_since: Timestamp,
    /// When a reading first differed from the one before; `None` while it never moved before our eyes.
    pub moved: Option<Timestamp>,
    /// The reading before that one: the lease was certainly renewed after it.
    pub moved_after: Option<Timestamp>,
    pub read: Timestamp,
}

/// The last sign of life, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOfLife {
    /// We saw the lease move.
    Seen(Timestamp),
    /// It has not moved since we look; this is what the node's own clock wrote.
    Stamped(Timestamp),
}

impl Heartbeat {
    pub fn new(lease: Lease, at: Timestamp) -> Self {
        Self { last: lease, watched_since: at, moved: None, moved_after: None, read: at }
    }

    pub fn read(&mut self, lease: Lease, at: Timestamp) {
        let has_moved = lease.renewed != self.last.renewed || lease.uid != self.last.uid;
        if has_moved {
            self.moved = Some(at);
            self.moved_after = Some(self.read);
        }
        self.last = lease;
        self.read = at;
    }

    pub fn sign_of_life(&self) -> Option<SignOfLife> {
        self.moved.map(SignOfLife::Seen).or(self.last.renewed.map(SignOfLife::Stamped))
    }

    /// When it was last seen to move, or else first read.
    pub fn last_sign(&self) -> Timestamp {
        self.moved.unwrap_or(self.watched_since)
    }

    /// How long it has certainly not moved: by our own watching only.
    pub fn quiet(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.last_sign())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(renewed: i64) -> Lease {
        Lease {
            node: "worker-2".into(),
            uid: "u".into(),
            resource_version: renewed.to_string().into(),
            renewed: Some(Timestamp::from_second(renewed).unwrap()),
        }
    }

    #[test]
    fn a_lease_is_judged_by_our_clock_even_when_the_nodes_is_an_hour_ahead() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut heartbeat = Heartbeat::new(lease(4600), at(1000));
        assert_eq!(heartbeat.sign_of_life(), Some(SignOfLife::Stamped(at(4600))));
        heartbeat.read(lease(4610), at(1010));
        assert_eq!(heartbeat.sign_of_life(), Some(SignOfLife::Seen(at(1010))));
        heartbeat.read(lease(4610), at(1020));
        assert_eq!(heartbeat.quiet(at(1050)), SignedDuration::from_secs(40));
    }
}
