//! The pulse: whether the server answers, asked every few seconds, because a link that is silent looks like a
//! cluster that is quiet.
//!
//! It deliberately judges the link alone: what becomes of the streams is theirs, after they are told that an outage
//! is over.

use super::backoff::spread;
use super::checks;
use super::watch::{Closed, Link, LinkState, Update};
use http::StatusCode;
use jiff::SignedDuration;
use kube::Client;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Beats that fail in a row before the link counts as down. The second follows the first at once.
const FAILURES: u32 = 2;
/// A link whose best of the last beats takes longer than this is a slow one.
const SLOW: Duration = Duration::from_millis(150);
const REMEMBERED: usize = 5;
/// A server that starts has a dozen checks that fail.
const MOST_NAMED: usize = 3;

/// Beats until nobody listens any more.
pub async fn run(link: Arc<Link>) {
    let mut pulse =
        Pulse { link, failures: 0, since: Instant::now(), latencies: VecDeque::new(), offset: None };
    while pulse.beat().await.is_ok() {
        pulse.rest().await;
    }
}

struct Pulse {
    link: Arc<Link>,
    /// Beats that failed in a row, and when the first of them was sent.
    failures: u32,
    since: Instant,
    latencies: VecDeque<Duration>,
    /// The server's time less ours, as it was last told.
    offset: Option<SignedDuration>,
}

impl Pulse {
    async fn beat(&mut self) -> Result<(), Closed> {
        let sent = Instant::now();
        let limit = self.link.limits.answer;
        let answer = match timeout(limit, ask(&self.link.login().client)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("the server did not answer within {} s", limit.as_secs())),
        };
        match answer {
            Ok(()) => self.is_up(sent.elapsed()).await,
            Err(reason) => self.is_failing(sent, reason).await,
        }
    }

    async fn is_up(&mut self, latency: Duration) -> Result<(), Closed> {
        let was_down = std::mem::take(&mut self.failures) >= FAILURES;
        if was_down {
            self.link.has_recovered(self.since);
        }
        self.latencies.truncate(REMEMBERED - 1);
        self.latencies.push_front(latency);
        self.link.set_slow(self.latencies.iter().min().is_some_and(|best| *best > SLOW));
        let clock = self.link.upstream.clock();
        let offset = clock.is_known().then(|| clock.offset());
        if let Some(known) = offset
            && offset != self.offset
        {
            self.offset = offset;
            self.link.tell(Update::ServerTime(known)).await?;
        }
        self.link.tell(Update::Link(LinkState::Up { latency })).await
    }

    async fn is_failing(&mut self, sent: Instant, reason: String) -> Result<(), Closed> {
        if self.failures == 0 {
            self.since = sent;
            self.link.falter();
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES {
            return Ok(());
        }
        self.link.tell(Update::Link(LinkState::Down { reason: reason.into() })).await
    }

    async fn rest(&self) {
        let (up, down) = self.link.limits.beat;
        match self.failures {
            0 => tokio::select! {
                () = sleep(spread(up)) => {}
                () = self.link.suspected() => {}
            },
            failures if failures < FAILURES => {}
            _ => sleep(spread(down)).await,
        }
    }
}

/// Asks whether the server lives. A refusal is a sign of life as well; an error of the server is none, whoever
/// sends it: the server itself, or a balancer before a dead one.
async fn ask(client: &Client) -> Result<(), String> {
    let (status, said) = checks::asked(client, "/livez").await?;
    if status.is_server_error() { Err(complaint(status, &said)) } else { Ok(()) }
}

/// What is wrong with a server that answers: it names the checks that fail.
fn complaint(status: StatusCode, said: &str) -> String {
    let failed = checks::failed(said);
    if failed.is_empty() {
        let words = status.canonical_reason().unwrap_or_default();
        return format!("the server answers {} {words}", status.as_u16()).trim_end().to_owned();
    }
    let (named, rest) = failed.split_at(failed.len().min(MOST_NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("the server says it is not healthy: {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sick_server_names_what_fails() {
        let said = "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nlivez check failed\n";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        assert_eq!(complaint(status, said), "the server says it is not healthy: etcd");
        let starting = "[-]etcd failed\n[-]a failed\n[-]b failed\n[-]c failed\n[-]d failed\n";
        assert_eq!(complaint(status, starting), "the server says it is not healthy: etcd, a, b and 2 more");
        assert_eq!(complaint(StatusCode::BAD_GATEWAY, "<html>"), "the server answers 502 Bad Gateway");
    }
}
