//! The streams against a server that misbehaves in every way that is known: first one that is scripted, in time that
//! stands still, then the demo's over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

#[path = "watch/board.rs"]
mod board;
#[path = "watch/control_plane.rs"]
mod control_plane;
#[cfg(feature = "demo")]
#[path = "watch/http.rs"]
mod http_flows;
#[path = "watch/script.rs"]
mod script;

use board::Board;
use script::{JSON, Life, PROTOBUF, Script, script, status};
use serde_json::json;
use sickbay::cluster::{Feed, FeedChange, Kind, Sync};
use sickbay::k8s::connect::Scope;
use sickbay::k8s::watch::{Limits, LinkState, LoginState, Streams};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

const NAMESPACES: &str = "/api/v1/namespaces";
const EVENTS: &str = "/api/v1/events";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

/// A board that is live on namespaces at version 10, by pages, and its open watch.
async fn live_by_pages() -> (Board, Script, script::Stream) {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.refuse(422, "sendInitialEvents is forbidden");
    server.page().await.list("10", &["a", "b"], &json!({}));
    let watch = server.watch_from("10").await.stream(JSON);
    board.until("the first list", |board| board.is_live(Kind::Namespace)).await;
    (board, server, watch)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

// -- the list ------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_watch_list_in_protobuf_fills_the_table_and_goes_on_as_the_watch() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    let asked = server.watch_list().await;
    assert!(asked.query.contains("allowWatchBookmarks=true"), "{}", asked.query);
    assert!(asked.query.contains("resourceVersionMatch=NotOlderThan"), "{}", asked.query);
    assert!(asked.accept.starts_with("application/vnd.kubernetes.protobuf"), "{}", asked.accept);
    assert_eq!(asked.accept_encoding, "identity");
    let stream = asked.stream(PROTOBUF);
    stream.added("a", "5").await;
    board.until("the first row", |board| board.namespaces() == ["a"]).await;
    assert!(!board.is_live(Kind::Namespace), "not before the list is complete");
    stream.added("b", "3").await;
    stream.initial_end("10").await;
    board.until("the end of the list", |board| board.is_live(Kind::Namespace)).await;
    stream.deleted("a", "11").await;
    board.until("the deletion", |board| board.namespaces() == ["b"]).await;
    drop(stream);
    server.watch_from("11").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_without_watch_lists_is_read_by_pages_and_not_asked_again() {
    for code in [400, 422, 500] {
        let (wire, mut server) = script(NAMESPACES);
        let mut board = Board::watch(wire);
        server.watch_list().await.refuse(code, "no");
        let page = server.page().await;
        assert_eq!(page.query, "limit=500");
        page.list("10", &["a"], &json!({}));
        server.watch_from("10").await;
        board.until("the list", |board| board.is_live(Kind::Namespace)).await;
        assert!(!board.was_down(Kind::Namespace), "a fallback is no trouble");
        board.streams.refresh();
        server.page().await;
    }
}

#[tokio::test(start_paused = true)]
async fn over_a_slow_link_a_list_comes_in_compressed_pages() {
    let (wire, mut server) = script(NAMESPACES);
    server.life.send_replace(Life::Far);
    let mut board = Board::watch(wire);
    let open = server.watch_list().await.stream(PROTOBUF);
    open.initial_end("10").await;
    board.until("the pulse", |board| board.is_link_up() && board.is_live(Kind::Namespace)).await;
    board.streams.refresh();
    let page = server.page().await;
    assert_eq!(page.accept_encoding, "gzip");
    page.list("11", &["a"], &json!({}));
    let watch = server.watch_from("11").await;
    assert_eq!(watch.accept_encoding, "identity");
}

#[tokio::test(start_paused = true)]
async fn an_error_within_a_watch_list_falls_back_on_pages() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    let stream = server.watch_list().await.stream(PROTOBUF);
    stream.added("ghost", "5").await;
    stream.error(&status(500, "RequestWatchProgress is disabled", &json!({}))).await;
    server.page().await.list("10", &["a"], &json!({}));
    board.until("the list", |board| board.is_live(Kind::Namespace)).await;
    assert_eq!(board.namespaces(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_a_watch_list_in_json_is_read_by_pages() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    let stream = server.watch_list().await.stream(JSON);
    server.page().await.list("10", &["a"], &json!({}));
    stream.hung_up().await;
    board.until("the list", |board| board.is_live(Kind::Namespace)).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_list_that_ends_before_it_is_complete_leaves_the_old_rows_and_becomes_pages() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    let stream = server.watch_list().await.stream(PROTOBUF);
    stream.added("a", "5").await;
    drop(stream);
    server.page().await.list("10", &["a", "b"], &json!({}));
    board.until("the list", |board| board.is_live(Kind::Namespace)).await;
    assert_eq!(board.namespaces(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn pages_are_joined_by_their_tokens_and_the_watch_goes_on_from_their_version() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.refuse(422, "no");
    server.page().await.list("10", &["a"], &json!({ "continue": "to=b&", "remainingItemCount": 1 }));
    board.until("the first page", |board| board.namespaces() == ["a"]).await;
    assert!(!board.is_live(Kind::Namespace));
    let second = server.page().await;
    assert_eq!(second.query, "limit=500&continue=to%3Db%26");
    second.list("10", &["b"], &json!({}));
    server.watch_from("10").await;
    board.until("all pages", |board| board.is_live(Kind::Namespace)).await;
    assert_eq!(board.namespaces(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_goes_on_with_the_fresh_one_and_the_list_is_taken_again() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.refuse(422, "no");
    server.page().await.list("10", &["gone-meanwhile"], &json!({ "continue": "old" }));
    let fresh = json!({ "metadata": { "continue": "fresh" }, "reason": "Expired" });
    server.page().await.refuse_with(410, "the continue token is too old", &fresh);
    let second = server.page().await;
    assert_eq!(second.query, "limit=500&continue=fresh");
    second.list("50", &["b"], &json!({}));
    let watch = server.watch_from("50").await.stream(JSON);
    board.until("the list", |board| board.is_live(Kind::Namespace)).await;
    assert!(!board.was_down(Kind::Namespace));
    let live = Instant::now();
    let again = server.page().await;
    assert!(live.elapsed() <= seconds(40), "{:?}", live.elapsed());
    watch.hung_up().await;
    again.list("60", &["b"], &json!({}));
    board.until("no ghost", |board| board.namespaces() == ["b"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_without_a_fresh_one_starts_over() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.refuse(422, "no");
    server.page().await.list("10", &["gone-meanwhile"], &json!({ "continue": "old" }));
    server.page().await.refuse(410, "the continue token is too old");
    let again = server.page().await;
    assert_eq!(again.query, "limit=500");
    again.list("50", &["b"], &json!({}));
    board.until("the list", |board| board.is_live(Kind::Namespace)).await;
    assert_eq!(board.namespaces(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_decoded_is_told_and_costs_no_other() {
    let (mut board, _server, watch) = live_by_pages().await;
    watch
        .bytes(
            b"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Namespace\",\"metadata\":{\"name\":7}}}\n".to_vec(),
        )
        .await;
    watch.added("c", "12").await;
    board.until("the good one", |board| board.namespaces() == ["a", "b", "c"]).await;
    assert_eq!(board.cluster.feed(Feed::Watch(Kind::Namespace)).undecodable, 1);
    assert!(board.is_live(Kind::Namespace));
}

// -- the ends of a watch -------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_taken_up_from_its_last_version_at_once() {
    let (mut board, mut server, watch) = live_by_pages().await;
    board.during(seconds(20)).await;
    watch.added("c", "11").await;
    watch.bookmark("17").await;
    drop(watch);
    let ended = Instant::now();
    server.watch_from("17").await.stream(JSON);
    assert!(ended.elapsed() < seconds(1), "{:?}", ended.elapsed());
    assert_eq!(board.feeds.iter().filter(|(_, told)| *told == FeedChange::Live).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_at_once_again_and_again_is_opened_ever_more_rarely() {
    let (_board, mut server, watch) = live_by_pages().await;
    watch.bookmark("11").await;
    drop(watch);
    let mut asked = Vec::new();
    for _ in 0..6 {
        let again = server.watch_from("11").await;
        asked.push(again.at);
        again.stream(JSON).bookmark("11").await;
    }
    let pauses: Vec<Duration> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.windows(2).all(|pair| pair[0] < pair[1]), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_without_a_word_lists_anew() {
    let (mut board, mut server, watch) = live_by_pages().await;
    board.during(seconds(20)).await;
    drop(watch);
    server.page().await.list("4", &["a"], &json!({}));
    server.watch_from("4").await;
    board.until("the list", |board| board.namespaces() == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_version_ahead_of_the_server_lists_anew() {
    let (mut board, mut server, watch) = live_by_pages().await;
    let ahead =
        json!({ "details": { "causes": [{ "reason": "ResourceVersionTooLarge", "message": "too large" }] } });
    watch.error(&status(504, "Too large resource version", &ahead)).await;
    server.page().await.list("4", &["a"], &json!({}));
    board.until("the list", |board| board.namespaces() == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_version_too_old_lists_anew_at_once_and_the_old_rows_stay_until_it_is_complete() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.error(&status(410, "too old resource version", &json!({ "reason": "Expired" }))).await;
    let expired = Instant::now();
    let first = server.page().await;
    assert!(expired.elapsed() < seconds(1), "{:?}", expired.elapsed());
    first.list("90", &["b"], &json!({ "continue": "more" }));
    let second = server.page().await;
    board.during(seconds(3)).await;
    assert_eq!(board.namespaces(), ["a", "b"]);
    second.list("90", &["c"], &json!({}));
    board.until("the new list", |board| board.namespaces() == ["b", "c"]).await;
    assert!(!board.was_down(Kind::Namespace));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forgot_our_version_when_it_was_restarted_is_listed_at_once() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bookmark("11").await;
    watch.cut().await;
    server.is_at("11").await;
    let again = server.watch_from("11").await;
    let back = again.at;
    again.stream(JSON).error(&status(410, "too old", &json!({}))).await;
    let page = server.page().await;
    assert!(page.at - back < Duration::from_millis(100), "{:?}", page.at - back);
    page.list("20", &["a"], &json!({}));
    board.until("the list", |board| board.namespaces() == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_again_at_once_is_listed_after_a_pause() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.error(&status(410, "too old", &json!({}))).await;
    server.page().await.list("90", &["a"], &json!({}));
    let again = server.watch_from("90").await;
    let refused = again.at;
    again.refuse(410, "gone");
    let third = server.page().await;
    assert!(third.at - refused >= seconds(1), "{:?}", third.at - refused);
    third.list("91", &["a"], &json!({}));
    board.until("the list", |board| board.synced.len() == 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_silent_for_longer_than_bookmarks_take_is_opened_anew_from_its_last_version() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bookmark("17").await;
    let spoke = Instant::now();
    let again = tokio::select! {
        again = server.watch_from("17") => again,
        () = board.until("no end", |_| false) => unreachable!(),
    };
    let silence = again.at - spoke;
    assert!((seconds(75)..seconds(76)).contains(&silence), "{silence:?}");
    watch.hung_up().await;
    assert!(board.is_live(Kind::Namespace) && !board.was_down(Kind::Namespace));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_told_and_tried_again_from_the_last_version() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.added("c", "12").await;
    watch.cut().await;
    board.until("down", |board| board.was_down(Kind::Namespace)).await;
    let Sync::Down { reason, .. } = board.sync(Kind::Namespace) else {
        panic!("{:?}", board.sync(Kind::Namespace))
    };
    assert_eq!(reason, "the connection was cut");
    assert_eq!(board.namespaces(), ["a", "b", "c"]);
    server.asked().await.fail();
    server.is_at("15").await;
    server.watch_from("12").await.fail();
    server.is_at("15").await;
    server.watch_from("12").await.stream(JSON);
    board.until("live again", |board| board.is_live(Kind::Namespace)).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_cut_in_the_middle_of_a_frame_is_no_clean_end() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bytes(b"{\"type\":\"ADDED\",\"obj".to_vec()).await;
    drop(watch);
    board.until("down", |board| board.was_down(Kind::Namespace)).await;
    server.is_at("10").await;
    server.watch_from("10").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_with_an_older_history_is_listed_anew_at_once() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bookmark("1000").await;
    watch.cut().await;
    server.is_at("999").await;
    server.page().await.list("999", &["a"], &json!({}));
    server.watch_from("999").await;
    board.until("the list", |board| board.namespaces() == ["a"]).await;
    assert!(board.is_live(Kind::Namespace));
}

#[tokio::test(start_paused = true)]
async fn a_watch_without_one_frame_in_all_its_silence_lists_anew() {
    let (mut board, mut server, _watch) = live_by_pages().await;
    let page = tokio::select! {
        page = server.page() => page,
        () = board.until("no end", |_| false) => unreachable!(),
    };
    page.list("4", &["a"], &json!({}));
    board.until("the list", |board| board.namespaces() == ["a"]).await;
    assert!(!board.was_down(Kind::Namespace));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_not_answered_is_told_and_tried_again() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    let _unanswered = server.watch_list().await;
    board.until("down", |board| board.was_down(Kind::Namespace)).await;
    let Sync::Down { reason, .. } = board.sync(Kind::Namespace) else {
        panic!("{:?}", board.sync(Kind::Namespace))
    };
    assert_eq!(reason, "the server did not answer within 30 s");
    server.watch_list().await;
}

// -- refusals ------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_said_and_not_asked_for_again_until_minutes_later() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.refuse(403, "namespaces is forbidden: User \"x\" cannot list");
    board.until("forbidden", |board| matches!(board.sync(Kind::Namespace), Sync::Forbidden { .. })).await;
    let Sync::Forbidden { reason } = board.sync(Kind::Namespace) else { unreachable!() };
    assert_eq!(reason, "namespaces is forbidden: User \"x\" cannot list");
    let refused = Instant::now();
    let again = tokio::select! {
        again = server.watch_list() => again,
        () = board.until("no end", |_| false) => unreachable!(),
    };
    assert!(again.at - refused >= seconds(225), "{:?}", again.at - refused);
    again.stream(PROTOBUF).initial_end("1").await;
    board.until("allowed", |board| board.is_live(Kind::Namespace)).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_asked_for_again_on_demand() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.refuse(403, "no");
    board.until("forbidden", |board| matches!(board.sync(Kind::Namespace), Sync::Forbidden { .. })).await;
    let asked = Instant::now();
    board.streams.refresh();
    assert!(server.watch_list().await.at - asked < seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_server_does_not_have_is_absent_and_stops_no_other() {
    let (wire, mut server) = script(NAMESPACES);
    let mut board = Board::watch(wire);
    server.watch_list().await.stream(PROTOBUF).initial_end("1").await;
    board.until("absent", |board| matches!(board.sync(Kind::Pod), Sync::Absent { .. })).await;
    board.until("live", |board| board.is_live(Kind::Namespace)).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_patience_gets_it() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bookmark("11").await;
    board.during(seconds(20)).await;
    drop(watch);
    let again = server.watch_from("11").await;
    let refused = again.at;
    again.refuse_with(429, "too many requests", &json!({ "retryAfter": 7 }));
    let third = server.watch_from("11").await;
    assert!((seconds(7)..seconds(9)).contains(&(third.at - refused)), "{:?}", third.at - refused);
    third.stream(JSON);
    board
        .until("live again", |board| board.was_down(Kind::Namespace) && board.is_live(Kind::Namespace))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_able_is_asked_ever_more_rarely() {
    let (_board, mut server, watch) = live_by_pages().await;
    watch.bookmark("11").await;
    watch.cut().await;
    server.is_at("11").await;
    let mut asked = Vec::new();
    for code in [503, 504, 503, 504, 503] {
        let again = server.watch_from("11").await;
        asked.push(again.at);
        again.refuse(code, "not now");
    }
    let pauses: Vec<Duration> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.windows(2).all(|pair| pair[0] < pair[1]), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn seven_streams_that_are_refused_together_have_one_login_renewed() {
    let (wire, mut server) = script("/api");
    let mut board = Board::watch(wire.clone());
    wire.failing_renewals.store(1, Ordering::SeqCst);
    let mut is_renewed = false;
    // Fifteen kinds, the leases of nodes and three of leaders; the answers come in any order.
    for _ in 0..8 {
        server.asked().await.refuse(401, "Unauthorized");
    }
    for _ in 8..20 {
        let again = server.asked().await;
        is_renewed |= wire.renewals.load(Ordering::SeqCst) == 2;
        again.refuse(404, "no");
    }
    assert!(is_renewed);
    board.until("the end", |board| board.logins.len() == 4).await;
    assert_eq!(wire.renewals.load(Ordering::SeqCst), 2, "one that fails, and one for all");
    let failed = LoginState::Failed { reason: "the plugin says no".into() };
    assert_eq!(board.logins, [LoginState::Renewing, failed, LoginState::Renewing, LoginState::Renewed]);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_renewed_and_refused_again_is_renewed_ever_more_rarely() {
    let (wire, mut server) = script(NAMESPACES);
    let _board = Board::watch(wire);
    let mut asked = Vec::new();
    for _ in 0..6 {
        let again = server.watch_list().await;
        asked.push(again.at);
        again.refuse(401, "Unauthorized");
    }
    let pauses: Vec<Duration> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[1] >= seconds(1) && pauses.windows(2).all(|pair| pair[0] < pair[1]), "{pauses:?}");
}

// -- events --------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn of_the_events_twenty_pages_are_read_and_the_board_is_told_how_many_are_left() {
    let (wire, mut server) = script(EVENTS);
    let mut board = Board::watch(wire);
    for page in 0..20 {
        let names: Vec<String> = (0..500).map(|event| format!("{page:02}-{event:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let left = 1_000_000 - 500 * (page + 1);
        let more = json!({ "continue": format!("page {page}"), "remainingItemCount": left });
        server.page().await.list("10", &names, &more);
    }
    server.watch_from("10").await;
    board.until("the watch", |board| board.is_live(Kind::Event)).await;
    assert_eq!(board.cluster.feed(Feed::Watch(Kind::Event)).truncated, Some((10_000, Some(990_000))));
    assert_eq!(board.cluster.events.len(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_of_events_is_left_alone_and_one_that_expired_is_taken_up_quietly() {
    let (wire, mut server) = script(EVENTS);
    let mut board = Board::watch(wire);
    server.page().await.list("10", &[], &json!({}));
    let watch = server.watch_from("10").await.stream(JSON);
    board.until("live", |board| board.is_live(Kind::Event)).await;
    let told = board.feeds.len();
    board.during(seconds(230)).await;
    assert!(!server.is_asked_within(Duration::ZERO).await, "silence is no trouble without bookmarks");
    watch.error(&status(410, "too old", &json!({}))).await;
    server.page().await.list("99", &[], &json!({}));
    server.watch_from("99").await;
    board
        .until("the list", |board| board.synced.iter().filter(|kind| **kind == Kind::Event).count() == 2)
        .await;
    let about_events = board.feeds.iter().skip(told).filter(|(feed, _)| *feed == Feed::Watch(Kind::Event));
    assert_eq!(about_events.count(), 0);
}

// -- the pulse -----------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_noticed_within_fifteen_seconds() {
    let (mut board, server, _watch) = live_by_pages().await;
    board.until("a pulse", Board::is_link_up).await;
    // Right after a beat that was answered: the longest way to the next.
    server.life.send_replace(Life::Hanging);
    let hangs = Instant::now();
    board.until("down", Board::is_link_down).await;
    assert!(hangs.elapsed() <= seconds(15), "{:?}", hangs.elapsed());
    assert!(board.is_live(Kind::Namespace), "what the streams do is theirs");
    let reason = "the server did not answer within 4 s".into();
    assert_eq!(board.links.last().unwrap().1, LinkState::Down { reason });
    server.life.send_replace(Life::Alive);
    let lives = Instant::now();
    board.until("up", Board::is_link_up).await;
    assert!(lives.elapsed() <= seconds(6), "{:?}", lives.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_was_silent_through_an_outage_is_opened_anew() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bookmark("11").await;
    board.during(seconds(1)).await;
    server.life.send_replace(Life::Hanging);
    board.until("down", Board::is_link_down).await;
    server.life.send_replace(Life::Alive);
    board.until("up", Board::is_link_up).await;
    let up = Instant::now();
    assert!(server.is_at("11").await - up <= seconds(1), "{:?}", up.elapsed());
    server.watch_from("11").await;
    watch.hung_up().await;
    assert!(!board.was_down(Kind::Namespace));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_spoke_through_an_outage_stays_open() {
    let (mut board, mut server, watch) = live_by_pages().await;
    server.life.send_replace(Life::Hanging);
    board.until("down", Board::is_link_down).await;
    watch.bookmark("12").await;
    board.during(seconds(1)).await;
    server.life.send_replace(Life::Alive);
    board.until("up", Board::is_link_up).await;
    board.during(seconds(30)).await;
    assert!(!server.is_asked_within(Duration::ZERO).await);
}

#[tokio::test(start_paused = true)]
async fn who_waits_out_a_pause_comes_back_as_soon_as_the_link_does() {
    let (mut board, mut server, watch) = live_by_pages().await;
    watch.bookmark("11").await;
    server.life.send_replace(Life::Refusing);
    let broke = Instant::now();
    watch.cut().await;
    board.until("down", Board::is_link_down).await;
    assert!(broke.elapsed() < seconds(1), "a stream that breaks makes the pulse look: {:?}", broke.elapsed());
    // Until the pauses are long.
    let mut last = server.asked().await;
    while last.at - broke < seconds(40) {
        last.fail();
        last = tokio::select! {
            again = server.asked() => again,
            () = board.until("no end", |_| false) => unreachable!(),
        };
    }
    last.fail();
    board.during(seconds(2)).await;
    server.life.send_replace(Life::Alive);
    board.until("up", Board::is_link_up).await;
    let up = Instant::now();
    assert!(server.is_at("11").await - up <= seconds(1), "{:?}", up.elapsed());
    server.watch_from("11").await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_sign_of_life_and_an_error_of_the_server_is_none() {
    for (code, is_alive) in
        [(401, true), (403, true), (404, true), (429, true), (500, false), (502, false), (503, false)]
    {
        let (wire, server) = script("/none");
        server.life.send_replace(Life::Answering(code));
        let mut board = Board::watch(wire);
        board.until("a pulse", |board| !board.links.is_empty()).await;
        assert_eq!(board.is_link_up(), is_alive, "{code}");
    }
}

// -- the leases ----------------------------------------------------------------------------------------------

fn lease(name: &str, version: &str) -> serde_json::Value {
    json!({
        "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
        "metadata": { "name": name, "namespace": "kube-node-lease", "uid": "uid", "resourceVersion": version },
        "spec": { "renewTime": "2026-11-21T10:00:00.000000Z" },
    })
}

#[tokio::test(start_paused = true)]
async fn leases_are_listed_from_the_cache_more_rarely_the_more_nodes_there_are() {
    let (wire, mut server) = script(LEASES);
    let mut board = Board::watch(wire);
    let list = json!({
        "kind": "LeaseList", "apiVersion": "coordination.k8s.io/v1",
        "metadata": { "resourceVersion": "7" }, "items": [lease("worker-0", "5"), lease("worker-1", "6")],
    });
    let first = server.asked().await;
    assert_eq!(first.query, "resourceVersion=0");
    let at = first.at;
    first.text(200, JSON, &list.to_string());
    board.until("a reading", |board| board.lease_readings.len() == 1).await;
    assert_eq!((board.lease_readings[0].1, board.lease_readings[0].2), (true, 2));
    assert!(board.cluster.heartbeat("worker-1").is_some());
    board.streams.set_node_count(2_750);
    let second = server.asked().await;
    assert_eq!((second.at - at).as_secs(), 10);
    let at = second.at;
    second.text(200, JSON, &list.to_string());
    board.until("a reading", |board| board.lease_readings.len() == 2).await;
    let third = tokio::select! {
        third = server.asked() => third,
        () = board.until("no end", |_| false) => unreachable!(),
    };
    assert_eq!((third.at - at).as_secs(), 35);
}

#[tokio::test(start_paused = true)]
async fn the_leases_of_ten_suspects_are_read_live() {
    let (wire, mut server) = script(LEASES);
    let mut board = Board::watch(wire);
    server.asked().await.refuse(403, "not the list");
    board
        .until("forbidden", |board| matches!(board.cluster.feed(Feed::Leases).sync, Sync::Forbidden { .. }))
        .await;
    board.streams.set_suspects((0..12).map(|node| format!("worker-{node:02}").into()).collect());
    let mut begun = Vec::new();
    for round in 0..2 {
        for node in 0..10 {
            let asked = server.asked().await;
            assert_eq!(asked.path, format!("{LEASES}/worker-{node:02}"));
            assert_eq!(asked.query, "");
            begun.push(asked.at);
            // One has no lease.
            match node {
                3 => asked.refuse(404, "no such lease"),
                _ => asked.text(200, JSON, &lease(&format!("worker-{node:02}"), "5").to_string()),
            }
        }
        board.until("a reading", |board| board.lease_readings.len() == round + 1).await;
        assert_eq!((board.lease_readings[round].1, board.lease_readings[round].2), (false, 9));
    }
    let pause = begun[10] - begun[0];
    assert!((seconds(3)..seconds(7)).contains(&pause), "{pause:?}");
    board.streams.set_suspects(Vec::new());
    board.during(seconds(30)).await;
    assert!(!server.is_asked_within(Duration::ZERO).await);
}

// -- the channel ---------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_board_that_does_not_keep_up_slows_the_watches_down() {
    let (wire, mut server) = script(NAMESPACES);
    let (out, _updates) = mpsc::channel(16);
    let _streams = Streams::start(wire, &Scope::All, out, Limits::default());
    let watch = server.watch_list().await.stream(PROTOBUF);
    let flooding = async {
        for version in 11..100_000 {
            watch.added("c", &version.to_string()).await;
        }
    };
    assert!(tokio::time::timeout(seconds(60), flooding).await.is_err(), "somebody took it all and kept it");
}

#[tokio::test(start_paused = true)]
async fn dropped_streams_hang_up() {
    let (board, mut server, watch) = live_by_pages().await;
    drop(board);
    watch.hung_up().await;
    assert!(!server.is_asked_within(seconds(600)).await);
}

#[test]
fn the_limits_let_a_dead_link_be_noticed_within_fifteen_seconds() {
    let limits = Limits::default();
    let longest = limits.beat.0.mul_f64(1.25) + 2 * limits.answer;
    assert!(longest <= seconds(15), "{longest:?}");
}
