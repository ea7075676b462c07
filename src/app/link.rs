//! The connection as the header tells it: to what, as whom, how much may be seen, and how old the picture is.

use super::App;
use super::notice::Weight;
use crate::actions::Kit;
use crate::cluster::{Cluster, Feed, FeedState, Kind, Sync, Text};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What does not change while the program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub context: Text,
    pub server: Text,
    pub version: Text,
    pub user: Text,
    pub scope: Scope,
    pub is_read_only: bool,
    pub is_demo: bool,
    /// How much is wrong in the user's own files.
    pub config_problems: usize,
    /// The person, as the machine knows them: `alice@bastion`.
    pub operator: Text,
    /// What runs of this session are called by, before their number.
    pub tag: Text,
    /// Whatever is done here is confirmed by typing.
    pub is_protected: bool,
    /// How many objects one action takes, where that is set.
    pub most_targets: Option<usize>,
    /// The commands that are configured for the machines of this very cluster.
    pub kit: Arc<Kit>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    All,
    /// One namespace, and why not all where that was not asked for.
    Namespace { name: Text, reason: Option<Text> },
}

/// Whether the API server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    #[default]
    Connecting,
    Up,
    Down {
        since: Timestamp,
        reason: Text,
    },
    /// A new login is under way, or failed.
    Login {
        since: Timestamp,
        reason: Text,
    },
}

/// What becomes of a login that the server no longer takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Renewing,
    Renewed,
    Failed { reason: Text },
}

/// How far the picture can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// First lists are still arriving.
    Loading {
        kinds: Vec<Kind>,
    },
    Live,
    /// It follows the cluster, but some kinds may not be seen.
    Partial {
        missing: Vec<Kind>,
    },
    /// Nothing, or not all of it, has followed the cluster since then.
    Stale {
        since: Timestamp,
        reason: Text,
    },
}

impl Picture {
    /// Events are no part of the picture: what is wrong is read from state. Nor is it held up by kinds from which
    /// nothing is found.
    pub fn of(cluster: &Cluster, link: &Link) -> Self {
        let feeds: Vec<(Kind, FeedState)> = Kind::ALL
            .into_iter()
            .filter(|kind| *kind != Kind::Event)
            .map(|kind| (kind, cluster.feed(Feed::Watch(kind))))
            .collect();
        let down_link = match link {
            Link::Down { since, reason } | Link::Login { since, reason } => Some((*since, reason.clone())),
            Link::Connecting | Link::Up => None,
        };
        let down_feeds = feeds.iter().filter_map(|(_, feed)| match &feed.sync {
            Sync::Down { since, reason } => Some((*since, reason.clone())),
            Sync::Waiting
            | Sync::Listing { .. }
            | Sync::Live { .. }
            | Sync::Forbidden { .. }
            | Sync::Absent { .. } => None,
        });
        if let Some((since, reason)) = down_link.into_iter().chain(down_feeds).min() {
            return Self::Stale { since, reason };
        }
        let loading: Vec<Kind> = feeds
            .iter()
            .filter(|(kind, feed)| kind.is_evidence() && !feed.is_settled() && !feed.was_complete)
            .map(|(kind, _)| *kind)
            .collect();
        if !loading.is_empty() {
            return Self::Loading { kinds: loading };
        }
        let missing: Vec<Kind> = feeds
            .iter()
            .filter(|(_, feed)| matches!(feed.sync, Sync::Forbidden { .. } | Sync::Absent { .. }))
            .map(|(kind, _)| *kind)
            .collect();
        if missing.is_empty() { Self::Live } else { Self::Partial { missing } }
    }
}

/// The difference between the server's clock and this machine's, when it is large enough to mislead.
pub fn clock_warning(offset: SignedDuration) -> Option<String> {
    (offset.abs() > SignedDuration::from_secs(5)).then(|| {
        let word = if offset.is_negative() { "ahead" } else { "behind" };
        format!("this machine's clock is {} {word}", super::time::short(offset.abs()))
    })
}

impl App {
    pub(super) fn take_beat(&mut self, beat: Result<(), Text>) {
        match beat {
            Ok(()) => {
                if matches!(self.link, Link::Down { .. }) {
                    self.notices.say(Weight::Hint, "the API server answers again", self.now);
                }
                self.last_beat = Some(self.now);
                if !matches!(self.link, Link::Login { .. }) {
                    self.link = Link::Up;
                }
            }
            Err(reason) => {
                let since = match &self.link {
                    Link::Down { since, .. } | Link::Login { since, .. } => *since,
                    Link::Connecting | Link::Up => {
                        self.notices.say(Weight::Error, reason.clone(), self.now);
                        self.last_beat.unwrap_or(self.now)
                    }
                };
                self.link = Link::Down { since, reason };
            }
        }
    }

    pub(super) fn take_login(&mut self, login: Login) {
        let since = match &self.link {
            Link::Down { since, .. } | Link::Login { since, .. } => *since,
            Link::Connecting | Link::Up => self.now,
        };
        match login {
            Login::Renewing => {
                self.notices.say(Weight::Warning, "the credentials expired: logging in again", self.now);
                self.link = Link::Login { since, reason: "logging in again".into() };
            }
            Login::Renewed => {
                self.notices.say(Weight::Hint, "logged in again", self.now);
                self.link = Link::Up;
            }
            Login::Failed { reason } => {
                self.notices.say(Weight::Error, reason.clone(), self.now);
                self.link = Link::Login { since, reason };
            }
        }
    }
}
