//! What the screens of workloads, events and services say, and what they do not.

use crate::harness::Board;
use sickbay::cluster::{FeedChange, Kind};

/// The line of the screen that has these words.
fn line(board: &mut Board, words: &str) -> String {
    let screen = board.screen();
    let line = screen.lines().find(|line| line.contains(words));
    line.unwrap_or_else(|| panic!("{words}: {screen}")).to_owned()
}

#[test]
fn warnings_only_is_one_key() {
    let mut board = Board::incident(80, 24);
    board.press("6");
    assert!(board.screen().contains("Scheduled"), "{}", board.screen());
    board.press("!");
    let screen = board.screen();
    assert!(!screen.contains("Scheduled") && screen.contains("2 of 4"), "{screen}");
}

#[test]
fn the_cursor_stays_on_an_event_that_is_said_again() {
    let mut board = Board::incident(80, 24);
    board.press("6 j");
    assert!(board.selected().contains("FailedAttachVolume"), "{}", board.selected());
    board.read(
        "{kind: Event, metadata: {name: postgres-0.18b0, namespace: db, uid: u}, reason: FailedAttachVolume, \
         involvedObject: {kind: Pod, namespace: db, name: postgres-0, uid: uid-postgres-0-second}, type: Warning, \
         message: 'Multi-Attach error for volume \"pvc-0a1b\" Volume is already exclusively attached to one node and \
         can''t be attached to another', lastTimestamp: '2026-03-01T03:21:59Z', count: 1}",
    );
    board.press("g");
    assert!(board.selected().starts_with("1s  Warn  FailedAttachVolume"), "{}", board.selected());
    board.press("enter");
    assert!(line(&mut board, "said").contains("2 times"));
}

#[test]
fn an_event_leads_to_its_object_unless_that_is_another_by_now() {
    let mut board = Board::incident(80, 24);
    board.press("6 j enter j j j j");
    assert!(line(&mut board, "about").starts_with("→ about"), "{}", board.screen());
    board.press("enter");
    assert!(board.screen().contains("── Pod db/postgres-0"), "{}", board.screen());
    board.press("esc");
    board.read("{kind: Pod, metadata: {name: postgres-0, namespace: db, uid: uid-third}}");
    assert!(line(&mut board, "about").contains("another of this name is there now"));
}

#[test]
fn a_service_is_not_called_empty_before_the_pods_are_read() {
    let mut board = Board::new(80, 24);
    board.read(
        "{kind: Service, metadata: {name: web, namespace: shop, uid: u}, \
         spec: {type: ClusterIP, clusterIP: 10.96.0.7, selector: {app: web}}}",
    );
    board.feed(Kind::Service, FeedChange::Live);
    board.feed(Kind::Pod, FeedChange::Listing);
    board.press("7");
    assert!(line(&mut board, "web").contains("its pods were not read"));
    board.press("!");
    assert!(board.screen().contains("nothing wrong with any of the 1"), "{}", board.screen());
    board.feed(Kind::Pod, FeedChange::Live);
    assert!(line(&mut board, " web ").contains("no pod"));
}

#[test]
fn a_part_of_a_service_on_a_silent_node_is_a_problem_although_its_pods_say_ready() {
    let mut board = Board::incident(80, 24);
    for (name, node) in [("a", "worker-1"), ("b", "worker-2")] {
        board.read(&format!(
            "{{kind: Pod, metadata: {{name: {name}, namespace: pay, uid: uid-{name}, labels: {{app: pay}}}}, \
             spec: {{nodeName: {node}}}, \
             status: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}}}"
        ));
    }
    board.read(
        "{kind: Service, metadata: {name: pay, namespace: pay, uid: u}, \
         spec: {type: ClusterIP, clusterIP: 10.96.0.7, selector: {app: pay}}}",
    );
    board.press("7 !");
    assert!(line(&mut board, " pay ").contains("1 of 2 on unready nodes"), "{}", board.screen());
}

#[test]
fn a_kind_that_may_not_be_read_costs_its_rows_and_nothing_else() {
    let mut board = Board::incident(80, 24);
    let reason = r#"jobs.batch is forbidden: User "ops" cannot list resource"#;
    board.feed(Kind::Job, FeedChange::Forbidden { reason: reason.into() });
    board.press("5");
    let screen = board.screen();
    assert!(screen.contains("jobs may not be read: jobs.batch is forbidden"), "{screen}");
    assert!(screen.contains("live without jobs") && screen.contains("checkout"), "{screen}");
}

#[test]
fn the_words_of_kubectl_and_k9s_lead_to_the_new_screens() {
    for (word, heading) in [
        ("d p", "KIND"),
        ("s t s", "KIND"),
        ("d s", "KIND"),
        ("j o b", "KIND"),
        ("e v", "MESSAGE"),
        ("s v c", "STATUS"),
    ] {
        let mut board = Board::incident(80, 24);
        board.press(&format!(": {word} enter"));
        assert!(board.screen().contains(heading), "{word}: {}", board.screen());
    }
}
