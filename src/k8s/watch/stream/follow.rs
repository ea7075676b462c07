//! Reading a stream: what has arrived goes into one batch, and what does not arrive ends it.

use super::{End, Stream};
use crate::cluster::{Change, Feed, FeedChange, Kind};
use crate::k8s::backoff::within;
use crate::k8s::watch::answer::{Answer, CUT, Trouble};
use crate::k8s::watch::link::Login;
use crate::k8s::watch::request::{self, Begin};
use crate::wire::{Frame, ListParser, WatchParser};
use bytes::Bytes;
use http::Request;
use kube::client::Body;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The most changes that are sent at once: more than a screen, less than a frame's worth of work.
const BATCH: usize = 256;

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The objects that are there now, in no order: no version to go on from yet.
    Initial,
    Changes,
}

impl Stream {
    /// Goes on from a version.
    pub(super) async fn watch(&mut self, login: &Login, version: &str) -> Result<Infallible, End> {
        if self.is_doubtful && self.is_ahead(login, version).await? {
            return Err(Trouble::Expired { continue_token: None }.into());
        }
        self.is_doubtful = false;
        let lasting = self.lasting();
        let request = request::watch(&self.path, Begin::Version(version), lasting);
        let limit = self.link.limits.watch;
        let answer = self.ask(login, request, limit).await?;
        self.is_live().await?;
        self.follow(answer, Phase::Changes, lasting).await
    }

    /// Whether our version is one that the server has yet to reach: its storage was restored from a backup. A watch
    /// from there would be accepted, and silent, while the picture is wrong.
    async fn is_ahead(&mut self, login: &Login, version: &str) -> Result<bool, End> {
        let limit = self.link.limits.list;
        let mut answer = self.ask(login, request::newest(&self.path), limit).await?;
        let mut parser = ListParser::new(answer.encoding);
        let mut unwanted = Vec::new();
        while let Some(chunk) = self.next_of_list(&mut answer).await? {
            parser.push(&chunk, &mut self.decoder, &mut unwanted)?;
        }
        let newest = parser.finish()?.resource_version;
        // Numbers, within one resource; of a server that counts otherwise nothing can be said.
        let is_less = |newest: u64, ours: u64| newest < ours;
        Ok(newest.parse().ok().zip(version.parse().ok()).is_some_and(|(newest, ours)| is_less(newest, ours)))
    }

    /// How long the server is asked to keep a watch open: never the same, so that they do not end together.
    pub(super) fn lasting(&self) -> Duration {
        let (from, to) = self.link.limits.lasting;
        from + within(to.saturating_sub(from))
    }

    /// Sends a request and waits for the head of the answer, for so long. What waits to be sent goes out before.
    pub(super) async fn ask(
        &mut self,
        login: &Login,
        request: Request<Body>,
        limit: Duration,
    ) -> Result<Answer, End> {
        self.flush().await?;
        let asked = Instant::now();
        let answer = Answer::to(request, &login.client);
        match self.unless_interrupted(answer, asked, limit).await {
            Err(End::Silent { .. }) => Err(silent(limit).into()),
            Err(end) => Err(end),
            Ok(answer) => Ok(answer?),
        }
    }

    /// The next bytes of a list, nothing at its end.
    pub(super) async fn next_of_list(&mut self, answer: &mut Answer) -> Result<Option<Bytes>, End> {
        let limit = self.link.limits.list;
        match self.next(answer, limit).await {
            Err(End::Silent { .. }) => Err(silent(limit).into()),
            other => other,
        }
    }

    /// The next bytes, nothing at the end. What waits to be sent goes out before it waits, so that a row is never
    /// held back.
    async fn next(&mut self, answer: &mut Answer, limit: Duration) -> Result<Option<Bytes>, End> {
        if self.batch.len() < BATCH
            && let Some(here) = answer.ready()
        {
            return Ok(here?);
        }
        self.flush().await?;
        let heard = Instant::now();
        Ok(self.unless_interrupted(answer.chunk(), heard, limit).await??)
    }

    /// Waits for something that was last heard of at `heard`, unless that takes too long, the link was down in the
    /// meantime, or a list is wanted.
    async fn unless_interrupted<T>(
        &mut self,
        what: impl Future<Output = T> + Send,
        heard: Instant,
        limit: Duration,
    ) -> Result<T, End> {
        let mut what = pin!(what);
        let recheck = self.recheck;
        loop {
            tokio::select! {
                biased;
                done = &mut what => return Ok(done),
                _ = self.refreshes.changed() => return Err(End::Relist),
                _ = self.outages.changed() => {
                    let outage = *self.outages.borrow_and_update();
                    if outage.is_some_and(|outage| heard <= outage.since) {
                        return Err(End::Outage);
                    }
                }
                () = sleep_until(recheck.unwrap_or(heard)), if recheck.is_some() => return Err(End::Relist),
                () = sleep_until(heard + limit) => return Err(End::Silent { had_frames: false }),
            }
        }
    }

    /// Follows a watch until it ends.
    pub(super) async fn follow(
        &mut self,
        mut answer: Answer,
        mut phase: Phase,
        lasting: Duration,
    ) -> Result<Infallible, End> {
        let mut parser = WatchParser::new(answer.encoding);
        let mut frames = Vec::new();
        let mut had_frames = false;
        loop {
            let limit = self.silence(phase, lasting);
            let chunk = match self.next(&mut answer, limit).await {
                Err(End::Silent { .. }) if phase == Phase::Initial => return Err(silent(limit).into()),
                Err(End::Silent { .. }) => return Err(End::Silent { had_frames }),
                other => other?,
            };
            let Some(chunk) = chunk else {
                self.flush().await?;
                if parser.is_inside_frame() {
                    return Err(Trouble::broken(CUT).into());
                }
                return Err(End::Clean { had_frames });
            };
            let pushed = parser.push(&chunk, &mut self.decoder, &mut frames);
            for frame in frames.drain(..) {
                had_frames = true;
                phase = self.take(frame, phase).await?;
            }
            pushed?;
        }
    }

    async fn take(&mut self, frame: Frame, phase: Phase) -> Result<Phase, End> {
        let version = match frame {
            Frame::Change { change, resource_version } => {
                self.batch.push(change);
                Some(resource_version)
            }
            Frame::Bookmark { resource_version, is_initial_end } => {
                if is_initial_end && phase == Phase::Initial {
                    self.synced(resource_version).await?;
                    return Ok(Phase::Changes);
                }
                Some(resource_version)
            }
            Frame::Undecodable { reason, resource_version } => {
                self.batch.push(Change::Feed(Feed::Watch(self.kind), FeedChange::Undecodable { reason }));
                resource_version
            }
            Frame::Error(status) => {
                self.flush().await?;
                return Err(Trouble::from(status).into());
            }
        };
        if phase == Phase::Changes && version.as_ref().is_some_and(|version| !version.is_empty()) {
            self.version = version;
        }
        Ok(phase)
    }

    /// How long a watch may be silent. Events come without bookmarks, so their watch may be silent until it ends.
    fn silence(&self, phase: Phase, lasting: Duration) -> Duration {
        let silence = self.link.limits.silence;
        let may_be_silent = self.kind == Kind::Event && phase == Phase::Changes;
        if may_be_silent { lasting + silence } else { silence }
    }
}

fn silent(limit: Duration) -> Trouble {
    Trouble::broken(format!("the server did not answer within {} s", limit.as_secs()))
}
