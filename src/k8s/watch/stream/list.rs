//! The list that a stream begins with: a WatchList where the server has it, else page by page.

use super::follow::Phase;
use super::{Bound, End, Stream, of_kind};
use crate::cluster::{Change, Feed, FeedChange, Kind};
use crate::k8s::watch::answer::Trouble;
use crate::k8s::watch::link::Login;
use crate::k8s::watch::request::{self, Begin};
use crate::wire::{Encoding, ListEnd, ListParser};
use std::convert::Infallible;
use tokio::time::Instant;

/// Events have no end, and no cache in the server: so many pages of them are read and no more.
const PAGES_OF_EVENTS: usize = 20;
/// A list that expires so often while it is read does not come to an end.
const MOST_EXPIRIES: usize = 3;

/// What has been read of a list.
#[derive(Default)]
struct Progress {
    pages: usize,
    objects: usize,
    expiries: usize,
}

impl Stream {
    /// Lists all there is, and watches from there.
    pub(super) async fn list(&mut self, login: &Login) -> Result<Infallible, End> {
        // A watch of events expires whenever its server compacts: the board need not hear of it every few minutes.
        if self.kind != Kind::Event || !self.is_shown_live {
            self.tell(FeedChange::Listing).await?;
        }
        // Without a cache, a WatchList of the events would read all of them, however many.
        if self.kind != Kind::Event && self.link.wants_watch_list() {
            let Err(end) = self.watch_list(login).await;
            match end {
                End::Trouble(Trouble::Rejected { .. }) if self.live.is_none() => {
                    self.link.forget_watch_lists();
                }
                // The server that ends it before it is complete may do so again, but is not known to.
                End::Clean { .. } if self.live.is_none() => {}
                End::Clean { .. }
                | End::Silent { .. }
                | End::Outage
                | End::Relist
                | End::Trouble(_)
                | End::Closed => return Err(end),
            }
        }
        let version = self.pages(login).await?;
        self.synced(version.clone()).await?;
        self.watch(login, &version).await
    }

    async fn watch_list(&mut self, login: &Login) -> Result<Infallible, End> {
        let lasting = self.lasting();
        let request = request::watch(&self.path, Begin::Everything, lasting);
        let limit = self.link.limits.watch;
        let answer = self.ask(login, request, limit).await?;
        if answer.encoding == Encoding::Json {
            // In JSON it costs the server three times what the pages do.
            return Err(Trouble::Rejected { reason: "no protobuf".to_owned() }.into());
        }
        self.recheck = None;
        self.batch.push(of_kind(self.kind, Bound::Reset));
        self.follow(answer, Phase::Initial, lasting).await
    }

    /// Reads all pages, and tells the version from which a watch goes on.
    async fn pages(&mut self, login: &Login) -> Result<String, End> {
        let mut read = Progress::default();
        let mut token: Option<String> = None;
        self.recheck = None;
        self.batch.push(of_kind(self.kind, Bound::Reset));
        loop {
            let end = match self.page(login, token.as_deref(), &mut read).await {
                Err(End::Trouble(Trouble::Expired { continue_token: Some(fresh) }))
                    if token.is_some() && read.expiries < MOST_EXPIRIES =>
                {
                    read.expiries += 1;
                    token = Some(fresh);
                    continue;
                }
                other => other?,
            };
            read.pages += 1;
            let is_enough = self.kind == Kind::Event && read.pages >= PAGES_OF_EVENTS;
            match end.continue_token {
                Some(next) if !is_enough => token = Some(next),
                cut => {
                    self.is_read(&read, cut.is_some(), end.remaining);
                    return Ok(end.resource_version);
                }
            }
        }
    }

    async fn page(
        &mut self,
        login: &Login,
        token: Option<&str>,
        read: &mut Progress,
    ) -> Result<ListEnd, End> {
        let request = request::page(&self.path, token, self.link.is_slow());
        let limit = self.link.limits.list;
        let mut answer = self.ask(login, request, limit).await?;
        let mut parser = ListParser::new(answer.encoding);
        while let Some(chunk) = self.next_of_list(&mut answer).await? {
            let before = self.batch.len();
            let pushed = parser.push(&chunk, &mut self.decoder, &mut self.batch);
            read.objects += self.batch.len() - before;
            pushed?;
        }
        Ok(parser.finish()?)
    }

    /// Says how much of the list was read, where that is not all, and remembers what is to be done about it.
    fn is_read(&mut self, read: &Progress, is_cut: bool, remaining: Option<u64>) {
        if is_cut || self.is_truncated {
            let left = if is_cut { remaining } else { Some(0) };
            let truncated = FeedChange::Truncated { read: read.objects, left };
            self.batch.push(Change::Feed(Feed::Watch(self.kind), truncated));
        }
        self.is_truncated = is_cut;
        if read.expiries == 0 {
            self.rechecks.reset();
        } else {
            // What the first pages named may have gone before the version of the last one, and no watch tells.
            self.recheck = Some(Instant::now() + self.rechecks.pause());
        }
    }
}
