//! The leader leases of the control plane, each read by its name every few seconds.
//!
//! Not watched: a leader renews every two seconds, so a watch would bring each server that is looked at from ten
//! boards some fifteen changes a second, of which none is news, and would need the right to watch. Read from the
//! server's cache, which costs its storage nothing; only a lease that did not move is read from the storage itself,
//! because a cache that has stopped looks like a leader that has. It deliberately judges none: that is the cluster's
//! own reading.

use super::backoff::spread;
use super::poll::{Poll, within_limit};
use super::watch::{Answer, Closed, Link, Login, Trouble, get};
use crate::cluster::{Change, Component, Feed, LeaderLease};
use crate::wire::{self, Encoding, LARGEST_ITEM};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Reads the lease of one component until nobody listens any more.
pub async fn run(link: Arc<Link>, component: Component) {
    let Err(Closed) = follow(link, component).await;
}

async fn follow(link: Arc<Link>, component: Component) -> Result<Infallible, Closed> {
    let mut poll = Poll::begin(Arc::clone(&link), Feed::Leader(component)).await?;
    let mut refreshes = link.refreshes();
    let (first, later) = link.limits.leaders;
    let mut last: Option<LeaderLease> = None;
    let mut has_moved = false;
    let mut is_steady = false;
    loop {
        let login = link.login();
        let pause = match read(&login, component, is_steady, link.limits.answer).await {
            Ok(lease) => {
                is_steady = last.as_ref() == Some(&lease);
                has_moved |= last.is_some() && !is_steady;
                last = Some(lease.clone());
                poll.is_read(vec![Change::Leader(component, lease)]).await?;
                // Whether somebody leads is not known before it has moved once.
                spread(if has_moved { later } else { first })
            }
            Err(trouble) => poll.has_failed(trouble, &login).await?,
        };
        tokio::select! {
            () = sleep(pause) => {}
            _ = refreshes.changed() => {}
        }
    }
}

async fn read(
    login: &Login,
    component: Component,
    is_from_storage: bool,
    limit: Duration,
) -> Result<LeaderLease, Trouble> {
    let version = if is_from_storage { "" } else { "?resourceVersion=0" };
    let uri =
        format!("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{}{version}", component.name());
    within_limit(limit, async {
        let answer = Answer::to(get(&uri, Encoding::ACCEPT, false), &login.client).await?;
        let encoding = answer.encoding;
        let body = answer.collected(LARGEST_ITEM).await?;
        Ok(wire::leader_lease(encoding, &body)?)
    })
    .await
}
