//! The leases of the nodes: listed from the server's cache every few seconds, and read live for suspects.
//!
//! Not watched: at 5,000 nodes that is 500 changes a second, of which none is news. It deliberately judges no lease:
//! how long one has not moved is the cluster's own reading.

use super::backoff::spread;
use super::poll::{Poll, refused, within_limit};
use super::watch::{Answer, Closed, Link, Login, Trouble, Update, escaped, get};
use crate::cluster::{Change, Feed, FeedChange, Lease, Text};
use crate::wire::{self, Encoding, LARGEST_ITEM, ListParser};
use futures::future::join_all;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
/// Live reads go past the cache: for no more than this many nodes at a time.
const MOST_SUSPECTS: usize = 10;
/// Up to so many nodes the leases are listed at the shortest interval, from so many on at the longest.
const FEW_NODES: usize = 500;
const MANY_NODES: usize = 5_000;

/// Lists the leases again and again.
pub async fn run(link: Arc<Link>, node_count: watch::Receiver<usize>) {
    let Err(Closed) = follow(link, node_count).await;
}

async fn follow(link: Arc<Link>, node_count: watch::Receiver<usize>) -> Result<Infallible, Closed> {
    let mut outages = link.outages();
    let mut refreshes = link.refreshes();
    let mut poll = Poll::begin(Arc::clone(&link), Feed::Leases).await?;
    loop {
        outages.mark_unchanged();
        let login = link.login();
        let began = Instant::now();
        let next = match listed(&login, link.limits.list, link.is_slow()).await {
            Ok(changes) => {
                poll.is_read(changes).await?;
                began + interval(*node_count.borrow(), link.limits.leases)
            }
            Err(trouble) => Instant::now() + poll.has_failed(trouble, &login).await?,
        };
        tokio::select! {
            () = sleep_until(next) => {}
            _ = refreshes.changed() => {}
            _ = outages.changed() => {}
        }
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
