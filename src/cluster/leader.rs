//! Who leads the control plane: leader leases, judged by when we saw them move and never by their own stamps.

use super::{Cluster, Dirty, Feed, Sync, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A part of the control plane of which one of several replicas leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Component {
    ControllerManager,
    Scheduler,
    CloudControllerManager,
}

impl Component {
    pub const ALL: [Self; 3] = [Self::ControllerManager, Self::Scheduler, Self::CloudControllerManager];

    /// Its program, which is also its lease in `kube-system`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::CloudControllerManager => "cloud-controller-manager",
        }
    }

    /// Its lease, as what could not be read is called.
    pub const fn lease(self) -> &'static str {
        match self {
            Self::ControllerManager => "leader lease of kube-controller-manager",
            Self::Scheduler => "leader lease of kube-scheduler",
            Self::CloudControllerManager => "leader lease of cloud-controller-manager",
        }
    }

    /// Whether every cluster has one, so that it means something that none is seen.
    pub const fn is_everywhere(self) -> bool {
        match self {
            Self::ControllerManager | Self::Scheduler => true,
            Self::CloudControllerManager => false,
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One reading of a leader lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderLease {
    pub uid: Text,
    /// Empty where the last one gave it up.
    pub holder: Text,
    /// Others may take it when it has not moved for so long.
    pub seconds: i32,
    /// By the holder's own clock: only good for seeing it move.
    pub renewed: Option<Timestamp>,
}

/// What the readings of one leader lease add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    pub last: LeaderLease,
    /// When it was first read.
    pub followed_since: Timestamp,
    /// When a reading first differed from the one before.
    pub moved: Option<Timestamp>,
    pub read: Timestamp,
    /// Since when readings without a gap between them have found it where it is.
    steady_since: Timestamp,
    is_silent: bool,
}

/// Whether somebody leads, as far as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leading {
    /// It has not been followed for long enough to tell.
    NotSeen,
    Leads,
    Silent,
}

/// Who takes over a lease that has run out tries every two seconds or so, and we look every five.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// One that is given up says that it lasts a second, to be taken at once.
const SHORTEST: SignedDuration = SignedDuration::from_secs(10);
/// Readings further apart than this do not tell that it stood still between them: while the API server was away
/// nobody could renew it.
const GAP: SignedDuration = SignedDuration::from_secs(15);

impl Leader {
    pub fn new(lease: LeaderLease, at: Timestamp) -> Self {
        Self { last: lease, followed_since: at, moved: None, read: at, steady_since: at, is_silent: false }
    }

    pub fn read(&mut self, lease: LeaderLease, at: Timestamp) {
        if lease != self.last {
            self.moved = Some(at);
            self.steady_since = at;
            self.is_silent = false;
        } else if at.duration_since(self.read) > GAP {
            self.steady_since = at;
        }
        self.last = lease;
        self.read = at;
        // What was seen to be silent stays so until it moves, whatever is missed meanwhile.
        self.is_silent |= at.duration_since(self.steady_since) >= self.patience();
    }

    /// For how long it may stand still before nobody leads.
    fn patience(&self) -> SignedDuration {
        SignedDuration::from_secs(self.last.seconds.into()).max(SHORTEST) + MARGIN
    }

    pub const fn leading(&self) -> Leading {
        match (self.is_silent, self.moved) {
            (true, _) => Leading::Silent,
            (false, Some(_)) => Leading::Leads,
            (false, None) => Leading::NotSeen,
        }
    }

    /// When it was last seen to move, or else since when it is followed.
    pub fn last_sign(&self) -> Timestamp {
        self.moved.unwrap_or(self.followed_since)
    }
}

impl Cluster {
    pub(super) fn take_leader(&mut self, component: Component, lease: LeaderLease, at: Timestamp) -> Dirty {
        match self.leaders.get_mut(&component) {
            Some(leader) => {
                let before = leader.leading();
                leader.read(lease, at);
                // A leader that goes on leading is no news, and it does so every few seconds.
                if leader.leading() == before {
                    return Dirty::default();
                }
            }
            None => {
                self.leaders.insert(component, Leader::new(lease, at));
            }
        }
        self.touched.everything();
        Dirty(Dirty::FEEDS)
    }

    pub fn leader(&self, component: Component) -> Option<&Leader> {
        self.leaders.get(&component)
    }

    /// Whether nobody leads, for certain.
    pub fn is_silent(&self, component: Component) -> bool {
        self.leader(component).is_some_and(|leader| leader.leading() == Leading::Silent)
    }

    /// Whether it is known that it leads or does not.
    pub fn has_judged(&self, component: Component) -> bool {
        self.leader(component).is_some_and(|leader| leader.leading() != Leading::NotSeen)
    }

    /// Whether nothing more is to be expected before it can be told who leads.
    pub fn is_leader_settled(&self, component: Component) -> bool {
        match self.feed(Feed::Leader(component)).sync {
            Sync::Forbidden { .. } | Sync::Absent { .. } => true,
            Sync::Waiting | Sync::Listing { .. } | Sync::Live { .. } | Sync::Down { .. } => {
                self.has_judged(component)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lease(renewed: i64) -> LeaderLease {
        LeaderLease {
            uid: "u".into(),
            holder: "control-plane-0".into(),
            seconds: 15,
            renewed: Some(at(renewed)),
        }
    }

    #[test]
    fn a_leader_is_silent_when_its_lease_stood_still_for_its_duration_and_the_time_to_take_it_over() {
        // Its own clock is an hour behind, which says nothing.
        let mut leader = Leader::new(lease(-3600), at(0));
        assert_eq!(leader.leading(), Leading::NotSeen);
        leader.read(lease(-3595), at(5));
        assert_eq!(leader.leading(), Leading::Leads);
        for second in [10, 15, 20] {
            leader.read(lease(-3595), at(second));
        }
        assert_eq!(leader.leading(), Leading::Leads, "another may still take over");
        leader.read(lease(-3595), at(25));
        assert_eq!((leader.leading(), leader.last_sign()), (Leading::Silent, at(5)));
        leader.read(lease(-3570), at(30));
        assert_eq!(leader.leading(), Leading::Leads);
    }

    #[test]
    fn a_lease_that_nobody_could_renew_while_the_server_was_away_is_not_held_against_its_holder() {
        let mut leader = Leader::new(lease(0), at(0));
        leader.read(lease(2), at(5));
        leader.read(lease(2), at(90));
        assert_eq!(leader.leading(), Leading::Leads);
        for second in [95, 100, 105, 110] {
            leader.read(lease(2), at(second));
        }
        assert_eq!(leader.leading(), Leading::Silent, "it had its time since");
        leader.read(lease(2), at(200));
        assert_eq!(leader.leading(), Leading::Silent, "and what is silent stays so until it moves");
    }

    #[test]
    fn a_lease_that_was_given_up_gets_the_time_that_a_start_takes() {
        let given_up = LeaderLease { holder: Text::default(), seconds: 1, ..lease(0) };
        let mut leader = Leader::new(lease(0), at(0));
        for second in [2, 6, 10, 14] {
            leader.read(given_up.clone(), at(second));
        }
        assert_eq!(leader.leading(), Leading::Leads);
        leader.read(given_up, at(17));
        assert_eq!(leader.leading(), Leading::Silent);
    }
}
