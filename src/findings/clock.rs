//! A moment that a finding counts towards or from, and how well it is known.

use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub what: Awaited,
    pub at: Timestamp,
    pub bound: Bound,
}

/// What happens at the moment, or what should have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Awaited {
    /// Pods are told to go.
    Eviction,
    /// A pod should have been gone.
    Deadline,
    /// The attach-detach controller detaches although the kubelet has not unmounted.
    ForceDetach,
    /// The garbage collector removes the pods of a node that is gone.
    Collection,
    /// The controller's grace for a node without a heartbeat is over.
    Silence,
    /// The kubelet starts a container again.
    Restart,
}

impl Awaited {
    /// Whether a controller brings it about, rather than a kubelet.
    pub const fn is_of_controllers(self) -> bool {
        match self {
            Self::Eviction | Self::ForceDetach | Self::Collection | Self::Silence => true,
            Self::Deadline | Self::Restart => false,
        }
    }
}

/// How well the moment is known: the controllers keep their timers in memory and start them by their own clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    Exact,
    NotBefore,
    AtLatest,
    /// Not before the moment, and not before somebody leads the controllers again.
    Halted,
}

/// A clock as it stands: `words` and, where there is one, the span that follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub words: &'static str,
    pub span: Option<SignedDuration>,
}

impl Clock {
    /// What to show: "evicted in" 2m10s, "overdue" 3m, "force-detach due".
    pub fn reading(&self, now: Timestamp) -> Reading {
        let left = self.at.duration_since(now);
        let words = match self.what {
            Awaited::Deadline => {
                return Reading { words: "overdue", span: Some(-left.min(SignedDuration::ZERO)) };
            }
            Awaited::Eviction => {
                ["evicted in", "evicted in at least", "evicted in at most", "eviction due", "eviction halted"]
            }
            Awaited::ForceDetach => [
                "force-detached in",
                "force-detached in at least",
                "force-detached in at most",
                "force-detach due",
                "force-detach halted",
            ],
            Awaited::Silence => [
                "declared silent in",
                "declared silent in at least",
                "declared silent in at most",
                "to be declared silent",
                "not declared silent",
            ],
            Awaited::Restart => [
                "started again in",
                "started again in at least",
                "started again in at most",
                "restart due",
                "restart halted",
            ],
            Awaited::Collection => [
                "collected in",
                "collected in at least",
                "collected in at most",
                "collection due",
                "collection halted",
            ],
        };
        let [exact, not_before, at_latest, due, halted] = words;
        if self.bound == Bound::Halted {
            return Reading { words: halted, span: None };
        }
        if !left.is_positive() {
            return Reading { words: due, span: None };
        }
        let words = match self.bound {
            Bound::Exact => exact,
            Bound::NotBefore => not_before,
            Bound::AtLatest => at_latest,
            Bound::Halted => halted,
        };
        Reading { words, span: Some(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_counts_down_to_its_moment_and_then_says_due() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let clock = Clock { what: Awaited::ForceDetach, at: at(1000), bound: Bound::AtLatest };
        let reading = clock.reading(at(760));
        assert_eq!(reading.words, "force-detached in at most");
        assert_eq!(reading.span, Some(SignedDuration::from_mins(4)));
        assert_eq!(clock.reading(at(1000)), Reading { words: "force-detach due", span: None });
    }

    #[test]
    fn a_clock_that_is_halted_counts_nothing() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let clock = Clock { what: Awaited::Eviction, at: at(1000), bound: Bound::Halted };
        for now in [760, 1000, 1200] {
            assert_eq!(clock.reading(at(now)), Reading { words: "eviction halted", span: None });
        }
    }

    #[test]
    fn a_deadline_counts_up() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let clock = Clock { what: Awaited::Deadline, at: at(1000), bound: Bound::Exact };
        let reading = clock.reading(at(1180));
        assert_eq!((reading.words, reading.span), ("overdue", Some(SignedDuration::from_mins(3))));
    }
}
