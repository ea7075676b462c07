//! What the API server says of itself: the checks of its own that fail.

use super::{Cluster, Dirty, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The answer to one question for its readiness.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// By name, in the server's order: `etcd`, `informer-sync`.
    pub failed: Vec<Text>,
    /// Whether it says that it is ready. One that is not names what fails.
    pub is_ready: bool,
}

/// The last answer, and since when it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    pub checks: Checks,
    /// When it was first seen to be as ready as it is now.
    pub since: Timestamp,
    pub read: Timestamp,
}

impl Cluster {
    pub(super) fn take_readiness(&mut self, checks: Checks, at: Timestamp) -> Dirty {
        let known = self.readiness.take();
        let is_news = known.as_ref().is_none_or(|known| known.checks != checks);
        // While it is not ready, each answer tells until when nobody could write.
        if is_news || !checks.is_ready {
            self.touched.everything();
        }
        let since = match known {
            Some(known) if known.checks.is_ready == checks.is_ready => known.since,
            Some(_) | None => at,
        };
        self.readiness = Some(Readiness { checks, since, read: at });
        if is_news { Dirty(Dirty::FEEDS) } else { Dirty::default() }
    }

    /// It does not answer: that it was ready says nothing any more. What it said to fail is still the best guess.
    pub(super) fn forget_readiness(&mut self) {
        self.readiness.take_if(|known| known.checks.is_ready);
        self.touched.everything();
    }

    /// For how long something has certainly stood still that is written through the API server, as of its last
    /// reading: while the server could not write or did not answer, nobody could have moved it.
    pub fn stood_still(&self, since: Timestamp, read: Timestamp) -> SignedDuration {
        let able =
            self.readiness.as_ref().map(|known| if known.checks.is_ready { known.since } else { read });
        read.duration_since(since.max(able.unwrap_or(since)))
    }

    /// What the API server last said of itself; `None` while it has not been asked, or may not be.
    pub const fn readiness(&self) -> Option<&Readiness> {
        self.readiness.as_ref()
    }
}
