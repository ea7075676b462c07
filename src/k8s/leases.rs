//! The leases of the nodes: listed from the server's cache every few seconds, and read live for suspects.
//!
//! Not watched: at 5,000 nodes that is 500 changes a second, of which none is news. It deliberately judges no lease:
//! how long one has not moved is the cluster's own reading.

use super::backoff::{Backoff, spread};
use super::watch::{Answer, Closed, Link, Login, Trouble, Update, escaped, get};
use crate::cluster::{Change, Feed, FeedChange, Lease, Text};
use crate::wire::{self, Encoding, LARGEST_ITEM, ListParser};
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
/// Live reads go past the cache: for no more than this many nodes at a time.
const MOST_SUSPECTS: usize = 10;
/// Up to so many nodes the leases are listed at the shortest interval, from so many on at the longest.
const FEW_NODES: usize = 500;
const MANY_NODES: usize = 5_000;

/// Lists the leases again and again.
pub async fn run(link: Arc<Link>, node_count: watch::Receiver<usize>) {
    let limits = &link.limits;
    let mut reader = Reader {
        backoff: Backoff::new(limits.backoff.0, limits.backoff.1),
        is_shown_live: false,
        node_count,
        link: Arc::clone(&link),
    };
    let Err(Closed) = reader.run().await;
}

struct Reader {
    link: Arc<Link>,
    node_count: watch::Receiver<usize>,
    backoff: Backoff,
    is_shown_live: bool,
}

impl Reader {
    async fn run(&mut self) -> Result<std::convert::Infallible, Closed> {
        let mut outages = self.link.outages();
        let mut refreshes = self.link.refreshes();
        self.tell(vec![feed(FeedChange::Listing)]).await?;
        loop {
            outages.mark_unchanged();
            let login = self.link.login();
            let began = Instant::now();
            let next = match listed(&login, self.link.limits.list, self.link.is_slow()).await {
                Ok(changes) => {
                    self.backoff.reset();
                    self.is_read(changes).await?;
                    began + interval(*self.node_count.borrow(), self.link.limits.leases)
                }
                Err(trouble) => Instant::now() + self.after(trouble, &login).await?,
            };
            tokio::select! {
                () = sleep_until(next) => {}
                _ = refreshes.changed() => {}
                _ = outages.changed() => {}
            }
        }
    }

    async fn is_read(&mut self, mut changes: Vec<Change>) -> Result<(), Closed> {
        if !self.is_shown_live {
            self.is_shown_live = true;
            changes.push(feed(FeedChange::Live));
        }
        self.tell(changes).await
    }

    /// Says what is wrong, and how long to wait.
    async fn after(&mut self, trouble: Trouble, login: &Login) -> Result<Duration, Closed> {
        self.is_shown_live = false;
        let reason = Text::from(trouble.reason());
        let (change, pause) = match trouble {
            Trouble::Forbidden { .. } => (FeedChange::Forbidden { reason }, None),
            Trouble::Absent { .. } => (FeedChange::Absent { reason }, None),
            Trouble::Login { .. } => {
                self.tell(vec![feed(FeedChange::Down { reason })]).await?;
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
        self.tell(vec![feed(change)]).await?;
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
async fn refused(link: &Link, login: &Login) {
    let mut refreshes = link.refreshes();
    tokio::select! {
        () = sleep(spread(link.limits.refused)) => {}
        () = link.later_login(login) => {}
        _ = refreshes.changed() => {}
    }
}

fn feed(change: FeedChange) -> Change {
    Change::Feed(Feed::Leases, change)
}

/// One list of all leases, as old as the server's cache may be.
async fn listed(login: &Login, limit: Duration, is_gzip: bool) -> Result<Vec<Change>, Trouble> {
    let uri = format!("{PATH}?resourceVersion=0");
    let reading = async {
        let mut answer = Answer::to(get(&uri, Encoding::ACCEPT, is_gzip), &login.client).await?;
        let mut parser = ListParser::new(answer.encoding);
        let mut read = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            parser.push_leases(&chunk, &mut read)?;
        }
        parser.finish()?;
        Ok(read)
    };
    let read = within_limit(limit, reading).await?;
    let mut leases = Vec::with_capacity(read.len());
    let mut changes = Vec::new();
    for lease in read {
        match lease {
            Ok(lease) => leases.push(lease),
            Err(skipped) => changes.push(feed(FeedChange::Undecodable { reason: skipped.reason })),
        }
    }
    // A lease that could not be read is not one that is gone.
    let is_complete = changes.is_empty();
    changes.push(Change::Leases { leases, is_complete });
    Ok(changes)
}

async fn within_limit<T>(
    limit: Duration,
    reading: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    match timeout(limit, reading).await {
        Ok(read) => read,
        Err(_) => Err(Trouble::broken(format!("the server did not answer within {} s", limit.as_secs()))),
    }
}

/// Between two lists: the shortest for few nodes, stretched evenly to the longest for many.
fn interval(nodes: usize, (shortest, longest): (Duration, Duration)) -> Duration {
    let beyond = nodes.clamp(FEW_NODES, MANY_NODES) - FEW_NODES;
    let span = u32::try_from(MANY_NODES - FEW_NODES).unwrap_or(u32::MAX);
    shortest + longest.saturating_sub(shortest) * u32::try_from(beyond).unwrap_or(span) / span
}

/// Reads the leases of suspects live, for as long as there are any.
pub async fn run_suspects(link: Arc<Link>, mut suspects: watch::Receiver<Vec<Text>>) {
    loop {
        let nodes: Vec<Text> = suspects.borrow_and_update().iter().take(MOST_SUSPECTS).cloned().collect();
        if nodes.is_empty() {
            if suspects.changed().await.is_err() {
                return;
            }
            continue;
        }
        let login = link.login();
        let limit = link.limits.suspects;
        let readings = join_all(nodes.iter().map(|node| read(&login, node, limit))).await;
        let is_forbidden = readings.iter().any(|read| matches!(read, Err(Trouble::Forbidden { .. })));
        // A read that fails for another reason is made good by the next: the list, and the pulse, say what is wrong.
        let leases: Vec<Lease> = readings.into_iter().filter_map(Result::ok).collect();
        if !leases.is_empty() {
            let change = Change::Leases { leases, is_complete: false };
            if link.tell(Update::Changes(vec![change])).await.is_err() {
                return;
            }
        }
        if is_forbidden {
            refused(&link, &login).await;
        }
        sleep(spread(link.limits.suspects)).await;
    }
}

/// One lease as it is now: without a version, the server asks its storage.
async fn read(login: &Login, node: &str, limit: Duration) -> Result<Lease, Trouble> {
    let uri = format!("{PATH}/{}", escaped(node));
    within_limit(limit, async {
        let answer = Answer::to(get(&uri, Encoding::ACCEPT, false), &login.client).await?;
        let encoding = answer.encoding;
        let body = answer.collected(LARGEST_ITEM).await?;
        Ok(wire::lease(encoding, &body)?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_nodes_the_rarer_their_leases_are_listed() {
        let range = (Duration::from_secs(10), Duration::from_mins(1));
        for (nodes, seconds) in [(0, 10), (500, 10), (2_750, 35), (5_000, 60), (50_000, 60)] {
            assert_eq!(interval(nodes, range), Duration::from_secs(seconds), "{nodes} nodes");
        }
    }
}
