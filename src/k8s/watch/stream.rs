//! The stream of one kind: list, watch, and what follows when that breaks.
//!
//! Each object is decoded as it arrives, becomes a row, and is sent; nothing is collected. It deliberately keeps no
//! rows: a list that breaks off leaves the old ones where they are, and the next complete one sweeps.

mod follow;
mod list;

use super::Update;
use super::answer::Trouble;
use super::link::{Closed, Link, Login, Outage};
use super::request;
use crate::cluster::{Change, Delta, Feed, FeedChange, Kind};
use crate::k8s::backoff::{Backoff, spread, within};
use crate::k8s::connect::Scope;
use crate::wire::{Decoder, WireError};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// After an outage all streams come back within this.
const COMEBACK: Duration = Duration::from_millis(500);
/// A server that asks for more patience is asked again all the same.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// The stream of one kind, and where it stands.
pub struct Stream {
    kind: Kind,
    path: String,
    link: Arc<Link>,
    decoder: Decoder,
    batch: Vec<Change>,
    /// Where a watch goes on from; nothing where a list is needed.
    version: Option<String>,
    /// Since when the table follows the cluster, in this attempt.
    live: Option<Instant>,
    /// The board was last told that it does.
    is_shown_live: bool,
    /// The connection broke, and who answers next may be a server with another history.
    is_doubtful: bool,
    /// The list was cut off on purpose, and the board was told so.
    is_truncated: bool,
    /// When a list that was pieced together from two versions is due again.
    recheck: Option<Instant>,
    rechecks: Backoff,
    backoff: Backoff,
    /// Apart from the pauses of other troubles: after a restart the server has forgotten our version, and the first
    /// list is due at once.
    expiries: Backoff,
    outages: watch::Receiver<Option<Outage>>,
    refreshes: watch::Receiver<u64>,
}

/// Why a list or a watch is over.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The server ended the watch, as it does after a while.
    Clean {
        had_frames: bool,
    },
    /// Nothing came for too long.
    Silent {
        had_frames: bool,
    },
    /// The link was down meanwhile, and nothing has come since.
    Outage,
    /// A list is wanted, by the operator or to make sure.
    Relist,
    Trouble(Trouble),
    Closed,
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<WireError> for End {
    fn from(error: WireError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Stream {
    pub fn new(kind: Kind, scope: &Scope, link: Arc<Link>) -> Self {
        let limits = &link.limits;
        Self {
            kind,
            path: request::path(kind, scope),
            decoder: Decoder::new(kind),
            batch: Vec::new(),
            version: None,
            live: None,
            is_shown_live: false,
            is_doubtful: false,
            is_truncated: false,
            recheck: None,
            rechecks: Backoff::new(limits.recheck.0, limits.recheck.1),
            backoff: Backoff::new(limits.backoff.0, limits.backoff.1),
            expiries: Backoff::new(limits.backoff.0, limits.backoff.1),
            outages: link.outages(),
            refreshes: link.refreshes(),
            link,
        }
    }

    /// Runs until nobody listens any more.
    pub async fn run(mut self) {
        loop {
            self.live = None;
            self.outages.mark_unchanged();
            let login = self.link.login();
            let began = Instant::now();
            let Err(end) = self.attempt(&login).await;
            if self.live.is_some_and(|since| since.elapsed() >= self.link.limits.settled) {
                self.backoff.reset();
                self.expiries.reset();
            }
            if self.after(end, &login, began.elapsed()).await.is_err() {
                return;
            }
        }
    }

    /// Lists if there is no version to go on from, and watches.
    async fn attempt(&mut self, login: &Login) -> Result<Infallible, End> {
        match self.version.clone() {
            Some(version) => self.watch(login, &version).await,
            None => self.list(login).await,
        }
    }

    /// What follows an end: what is told, and how long it takes until the next attempt.
    async fn after(&mut self, end: End, login: &Login, lasted: Duration) -> Result<(), Closed> {
        let at_once = lasted < self.link.limits.at_once;
        match end {
            End::Closed => return Err(Closed),
            // Without one frame in all that time, the server may not even know our version.
            End::Silent { had_frames } => self.forget_version_unless(had_frames),
            End::Outage => {
                self.is_doubtful = true;
                sleep(within(COMEBACK)).await;
            }
            End::Relist => self.version = None,
            End::Clean { had_frames } => {
                self.forget_version_unless(had_frames);
                if at_once {
                    let pause = self.backoff.pause();
                    self.rest(pause).await;
                }
            }
            End::Trouble(trouble) => self.after_trouble(trouble, login).await?,
        }
        Ok(())
    }

    /// Bookmarks come every minute, and before an end: a watch that had none may be one from a version that the
    /// server never had.
    fn forget_version_unless(&mut self, had_frames: bool) {
        if !had_frames {
            self.version = None;
        }
    }

    async fn after_trouble(&mut self, trouble: Trouble, login: &Login) -> Result<(), Closed> {
        let reason = trouble.reason().into();
        match trouble {
            // The rows are as old as this moment, and the list that follows makes that good.
            Trouble::Expired { .. } => {
                self.version = None;
                let pause = self.expiries.pause_unless_first();
                if !pause.is_zero() {
                    self.tell(FeedChange::Down { reason }).await?;
                    self.rest(pause).await;
                }
            }
            Trouble::Login { .. } => {
                self.tell(FeedChange::Down { reason }).await?;
                self.link.renewed(login).await?;
            }
            Trouble::Forbidden { .. } => {
                self.tell(FeedChange::Forbidden { reason }).await?;
                self.rest_refused(login).await;
            }
            Trouble::Absent { .. } => {
                self.tell(FeedChange::Absent { reason }).await?;
                self.rest_refused(login).await;
            }
            Trouble::Busy { pause, .. } => {
                self.tell(FeedChange::Down { reason }).await?;
                let own = self.backoff.pause();
                let asked = pause.filter(|asked| !asked.is_zero()).map(|asked| asked.min(LONGEST_PAUSE));
                // Spread upwards only: not before the server said.
                self.rest(asked.map_or(own, |asked| asked + within(asked / 4))).await;
            }
            Trouble::Rejected { .. } => {
                // A version that the server cannot serve would be refused for ever.
                self.version = None;
                self.tell(FeedChange::Down { reason }).await?;
                let pause = self.backoff.pause();
                self.rest(pause).await;
            }
            Trouble::Broken { .. } => {
                self.tell(FeedChange::Down { reason }).await?;
                self.is_doubtful = true;
                self.link.suspect();
                let pause = self.backoff.pause();
                self.rest(pause).await;
            }
        }
        Ok(())
    }

    /// Waits out a pause, or until there is a reason to believe that it works again.
    async fn rest(&mut self, pause: Duration) {
        let is_recovered = tokio::select! {
            () = sleep(pause) => false,
            _ = self.refreshes.changed() => false,
            _ = self.outages.changed() => true,
        };
        if is_recovered {
            self.backoff.reset();
            sleep(within(COMEBACK)).await;
        }
    }

    /// Waits until what was refused may be asked for again.
    async fn rest_refused(&mut self, login: &Login) {
        self.version = None;
        tokio::select! {
            () = sleep(spread(self.link.limits.refused)) => {}
            _ = self.refreshes.changed() => {}
            () = self.link.later_login(login) => {}
        }
    }

    /// Tells one thing about the stream itself, after what is waiting to be sent.
    async fn tell(&mut self, change: FeedChange) -> Result<(), Closed> {
        self.is_shown_live = matches!(change, FeedChange::Live);
        self.batch.push(Change::Feed(Feed::Watch(self.kind), change));
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Closed> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.link.tell(Update::Changes(std::mem::take(&mut self.batch))).await
    }

    /// The table is complete as of this version, and follows the cluster from now on.
    async fn synced(&mut self, version: String) -> Result<(), Closed> {
        self.version = Some(version);
        self.is_doubtful = false;
        self.batch.push(of_kind(self.kind, Bound::Synced));
        self.is_live().await
    }

    async fn is_live(&mut self) -> Result<(), Closed> {
        self.live.get_or_insert_with(Instant::now);
        if self.is_shown_live { self.flush().await } else { self.tell(FeedChange::Live).await }
    }
}

/// The two ends of a list.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Reset,
    Synced,
}

fn of_kind(kind: Kind, bound: Bound) -> Change {
    const fn delta<R>(bound: Bound) -> Delta<R> {
        match bound {
            Bound::Reset => Delta::Reset,
            Bound::Synced => Delta::Synced,
        }
    }
    match kind {
        Kind::Node => Change::Node(delta(bound)),
        Kind::Pod => Change::Pod(delta(bound)),
        Kind::PersistentVolume => Change::PersistentVolume(delta(bound)),
        Kind::PersistentVolumeClaim => Change::PersistentVolumeClaim(delta(bound)),
        Kind::VolumeAttachment => Change::VolumeAttachment(delta(bound)),
        Kind::Namespace => Change::Namespace(delta(bound)),
        Kind::Deployment => Change::Deployment(delta(bound)),
        Kind::ReplicaSet => Change::ReplicaSet(delta(bound)),
        Kind::StatefulSet => Change::StatefulSet(delta(bound)),
        Kind::DaemonSet => Change::DaemonSet(delta(bound)),
        Kind::Job => Change::Job(delta(bound)),
        Kind::PodDisruptionBudget => Change::PodDisruptionBudget(delta(bound)),
        Kind::Service => Change::Service(delta(bound)),
        Kind::ApiService => Change::ApiService(delta(bound)),
        Kind::Event => Change::Event(delta(bound)),
    }
}
