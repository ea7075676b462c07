//! The control plane as the streams ask for it: leaders by their leases, the API server by its own checks.

use crate::board::Board;
use crate::script::{JSON, Life, script};
use serde_json::json;
use sickbay::cluster::{Component, Feed, Leading, Sync};
use std::time::Duration;

const SCHEDULER: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler";

fn lease(renewed: u32) -> String {
    let lease = json!({
        "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
        "metadata": { "name": "kube-scheduler", "namespace": "kube-system", "uid": "u" },
        "spec": {
            "holderIdentity": "control-plane-0",
            "leaseDurationSeconds": 15,
            "renewTime": format!("2026-11-21T10:00:{renewed:02}.000000Z"),
        },
    });
    lease.to_string()
}

fn leading(board: &Board) -> Option<Leading> {
    board.cluster.leader(Component::Scheduler).map(|leader| leader.leading())
}

#[tokio::test(start_paused = true)]
async fn a_leader_is_read_from_the_cache_while_it_moves_and_from_the_storage_when_it_does_not() {
    let (wire, mut server) = script(SCHEDULER);
    let mut board = Board::watch(wire);
    let first = server.asked().await;
    assert_eq!(first.query, "resourceVersion=0");
    let began = first.at;
    first.text(200, JSON, &lease(0));
    board.until("a reading", |board| leading(board) == Some(Leading::NotSeen)).await;
    let second = server.asked().await;
    assert!(second.at - began < Duration::from_secs(2), "whether it moves is to be known soon");
    assert_eq!(second.query, "resourceVersion=0");
    second.text(200, JSON, &lease(2));
    board.until("a leader", |board| leading(board) == Some(Leading::Leads)).await;
    // It stands still, which may be the cache that does.
    for query in ["resourceVersion=0", "", ""] {
        let asked = server.asked().await;
        assert_eq!(asked.query, query);
        asked.text(200, JSON, &lease(2));
    }
    server.asked().await.text(200, JSON, &lease(40));
    assert_eq!(server.asked().await.query, "resourceVersion=0", "it moves again");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_may_not_be_read_is_not_known() {
    let (wire, mut server) = script(SCHEDULER);
    let mut board = Board::watch(wire);
    server.asked().await.refuse(403, "not for you");
    let feed = Feed::Leader(Component::Scheduler);
    board.until("a refusal", |board| matches!(board.cluster.feed(feed).sync, Sync::Forbidden { .. })).await;
    assert_eq!(leading(&board), None);
    assert!(!server.is_asked_within(Duration::from_mins(3)).await, "it is not asked for again and again");
}

#[tokio::test(start_paused = true)]
async fn a_server_is_asked_for_its_checks_at_once_when_the_pulse_falters() {
    let (wire, mut server) = script("/readyz");
    let mut board = Board::watch(wire);
    let first = server.asked().await;
    assert_eq!(first.query, "verbose");
    let began = first.at;
    first.text(200, "text/plain", "[+]ping ok\nreadyz check passed\n");
    let is_ready = |board: &Board| board.cluster.readiness().map(|readiness| readiness.checks.is_ready);
    board.until("an answer", |board| is_ready(board) == Some(true)).await;
    server.life.send_replace(Life::Answering(500));
    let second = server.asked().await;
    assert!(second.at - began < Duration::from_secs(7), "it would be asked every ten");
    second.text(500, "text/plain", "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n");
    board.until("what fails", |board| is_ready(board) == Some(false)).await;
    assert_eq!(board.cluster.readiness().unwrap().checks.failed, ["etcd"]);
    // A balancer's answer names no check.
    server.asked().await.text(503, "text/html", "<html>");
    board
        .until("no answer", |board| matches!(board.cluster.feed(Feed::Checks).sync, Sync::Down { .. }))
        .await;
    assert_eq!(is_ready(&board), Some(false), "what it said last is still the best guess");
}
