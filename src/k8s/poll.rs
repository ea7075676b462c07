//! What is read again and again rather than watched: when it comes to be shown as live, and how long a trouble waits.
//!
//! It deliberately asks nothing, and knows no interval: the asker does.

use super::backoff::{Backoff, spread};
use super::watch::{Closed, Link, Login, Trouble, Update};
use crate::cluster::{Change, Feed, FeedChange, Text};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

pub struct Poll {
    pub link: Arc<Link>,
    feed: Feed,
    backoff: Backoff,
    is_shown_live: bool,
    /// It is not there, which was told.
    is_told_absent: bool,
}

impl Poll {
    /// Says that the reading begins.
    pub async fn begin(link: Arc<Link>, feed: Feed) -> Result<Self, Closed> {
        let backoff = Backoff::new(link.limits.backoff.0, link.limits.backoff.1);
        let poll = Self { link, feed, backoff, is_shown_live: false, is_told_absent: false };
        poll.tell(vec![Change::Feed(feed, FeedChange::Listing)]).await?;
        Ok(poll)
    }

    /// Tells what was read, and that it was.
    pub async fn is_read(&mut self, mut changes: Vec<Change>) -> Result<(), Closed> {
        self.backoff.reset();
        self.is_told_absent = false;
        if !self.is_shown_live {
            self.is_shown_live = true;
            changes.push(Change::Feed(self.feed, FeedChange::Live));
        }
        self.tell(changes).await
    }

    /// Says what is wrong, and how long to wait; where it was refused, waits by itself.
    pub async fn has_failed(&mut self, trouble: Trouble, login: &Login) -> Result<Duration, Closed> {
        self.is_shown_live = false;
        let reason = Text::from(trouble.reason());
        let (change, pause) = match trouble {
            Trouble::Forbidden { .. } => (FeedChange::Forbidden { reason }, None),
            // A control plane that starts has it a little later.
            Trouble::Absent { .. } if self.is_told_absent => return Ok(spread(self.link.limits.recheck.0)),
            Trouble::Absent { .. } => {
                self.is_told_absent = true;
                (FeedChange::Absent { reason }, Some(self.link.limits.recheck.0))
            }
            Trouble::Login { .. } => {
                self.tell(vec![Change::Feed(self.feed, FeedChange::Down { reason })]).await?;
                self.link.renewed(login).await?;
                return Ok(Duration::ZERO);
            }
            Trouble::Busy { pause, .. } => (FeedChange::Down { reason }, Some(pause.unwrap_or_default())),
            Trouble::Broken { .. } => {
                self.link.suspect();
                (FeedChange::Down { reason }, Some(Duration::ZERO))
            }
            Trouble::Expired { .. } | Trouble::Rejected { .. } => {
                (FeedChange::Down { reason }, Some(Duration::ZERO))
            }
        };
        self.tell(vec![Change::Feed(self.feed, change)]).await?;
        if let Some(asked) = pause {
            Ok(self.backoff.pause().max(asked))
        } else {
            refused(&self.link, login).await;
            Ok(Duration::ZERO)
        }
    }

    async fn tell(&self, changes: Vec<Change>) -> Result<(), Closed> {
        self.link.tell(Update::Changes(changes)).await
    }
}

/// Waits until what was refused may be asked for again.
pub async fn refused(link: &Link, login: &Login) {
    let mut refreshes = link.refreshes();
    tokio::select! {
        () = sleep(spread(link.limits.refused)) => {}
        () = link.later_login(login) => {}
        _ = refreshes.changed() => {}
    }
}

pub async fn within_limit<T>(
    limit: Duration,
    reading: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    match timeout(limit, reading).await {
        Ok(read) => read,
        Err(_) => Err(Trouble::broken(format!("the server did not answer within {} s", limit.as_secs()))),
    }
}
