//! What keys do to the board, from the key to the drawn screen, without a terminal or a cluster.

use crate::harness::Board;
use sickbay::app::{Effect, Msg};

const TWO_NAMESPACES: &str = r"
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: one, uid: uid-b}, spec: {nodeName: worker-1}, status: {phase: Running}}
---
{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: one, uid: uid-c}, spec: {nodeName: worker-1}, status: {phase: Running}}
";

fn pods() -> Board {
    let mut board = Board::new(80, 24);
    board.read(TWO_NAMESPACES);
    board.go_live();
    board.press("3");
    board
}

fn pod(name: &str, uid: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: one, uid: {uid}}}, status: {{phase: Running}}}}"
    )
}

fn delete(board: &mut Board, name: &str, uid: &str) {
    use sickbay::cluster::{Change, Delta, Name};
    let gone = Delta::Delete { name: Name::new("one", name), uid: uid.into() };
    board.tell(Msg::Changes(vec![Change::Pod(gone)]));
}

#[test]
fn the_cursor_stays_on_its_object_while_rows_move() {
    let mut board = pods();
    board.press("j");
    assert_eq!(board.selected().split_whitespace().nth(1), Some("c"));
    board.read(&pod("a", "uid-a"));
    board.read(&pod("bb", "uid-bb"));
    assert_eq!(board.selected().split_whitespace().nth(1), Some("c"));
}

#[test]
fn the_cursor_stays_in_its_place_when_its_object_goes() {
    let mut board = pods();
    board.read(&pod("a", "uid-a"));
    board.press("j");
    assert!(board.selected().contains(" b "), "{}", board.selected());
    delete(&mut board, "b", "uid-b");
    assert!(board.selected().contains(" c "), "{}", board.selected());
}

#[test]
fn an_object_created_anew_under_the_same_name_is_another_one() {
    let mut board = pods();
    board.press("enter");
    assert!(board.screen().contains("uid-b"));
    delete(&mut board, "b", "uid-b");
    board.read(&pod("b", "uid-b-second"));
    let screen = board.screen();
    assert!(screen.contains("Pod one/b is gone"), "{screen}");
    assert!(!screen.contains("uid-b-second"), "{screen}");
}

#[test]
fn back_goes_back_to_where_one_was() {
    let mut board = Board::incident(80, 24);
    board.press("3 j j j");
    let before = board.screen();
    let on = board.selected();
    board.press("enter");
    assert!(board.screen().contains("── Pod mq/queue-0"), "{}", board.screen());
    // From the pod to its node and back, step by step.
    board.press("j j");
    while !board.selected().starts_with("node") {
        board.press("j");
    }
    board.press("enter");
    assert!(board.screen().contains("── Node worker-2"), "{}", board.screen());
    board.press("esc esc");
    assert_eq!(board.screen(), before);
    assert_eq!(board.selected(), on);
}

#[test]
fn from_triage_enter_opens_what_the_finding_is_about() {
    let mut board = Board::incident(80, 24);
    for (down, title) in [
        ("", "── Node worker-2"),
        ("j", "── Pod mq/queue-0"),
        ("j", "── Volume pvc-0a1b (db/data-postgres-0)"),
    ] {
        if !down.is_empty() {
            board.press(down);
        }
        board.press("enter");
        assert!(board.screen().contains(title), "{title}: {}", board.screen());
        board.press("esc");
    }
}

#[test]
fn a_filter_is_kept_by_enter_restored_by_esc_and_cleared_by_back() {
    let mut board = Board::incident(80, 24);
    board.press("3 / w e b enter");
    let is_kept = |screen: &str| screen.contains("  /web\n") && screen.contains("2 of 6");
    assert!(is_kept(&board.screen()), "{}", board.screen());
    board.press("/ x x esc");
    assert!(is_kept(&board.screen()), "{}", board.screen());
    board.press("esc");
    let screen = board.screen();
    assert!(screen.contains("3 Pods") && screen.contains("queue-0"), "{screen}");
}

#[test]
fn sorting_by_a_column_twice_turns_the_order_round() {
    let mut board = pods();
    board.read(&pod("a", "uid-a"));
    board.press("shift-n g");
    assert!(board.selected().contains(" a "), "{}", board.selected());
    board.press("shift-n g");
    assert!(board.selected().contains(" c "), "{}", board.selected());
    assert!(board.screen().contains("NAME↓"));
}

#[test]
fn every_column_can_be_sorted_by() {
    let mut board = Board::incident(160, 48);
    for (screen, columns) in [("2", 14), ("3", 10), ("4", 13)] {
        board.press(screen);
        let first = board.screen();
        for _ in 0..columns {
            board.press(">");
            assert!(board.screen().contains('↑'), "{}", board.screen());
        }
        // All the way round.
        assert_eq!(board.screen(), first);
    }
}

#[test]
fn the_palette_takes_kubectls_and_k9s_words() {
    for (typed, screen) in
        [("p o", "3 Pods"), ("n o", "2 Nodes"), ("p v c", "4 Volumes"), ("v a", "4 Volumes")]
    {
        let mut board = Board::incident(80, 24);
        board.press(&format!(": {typed} enter"));
        let heading = match screen {
            "2 Nodes" => "CORDON",
            "3 Pods" => "STATUS",
            _ => "WANTED ON",
        };
        assert!(board.screen().contains(heading), "{typed}: {}", board.screen());
    }
}

#[test]
fn a_word_that_is_no_command_says_so_and_keeps_it_in_the_notices() {
    let mut board = Board::incident(80, 24);
    board.press(": z z z z enter");
    assert!(board.screen().contains("there is no command like \"zzzz\""), "{}", board.screen());
    board.pass(60);
    assert!(!board.screen().contains("zzzz"));
    board.press("m");
    assert!(board.screen().contains("there is no command like \"zzzz\""), "{}", board.screen());
}

#[test]
fn pasted_text_is_text_and_never_commands() {
    let mut board = Board::incident(80, 24);
    board.type_text(":q\n\u{3}q");
    assert!(board.screen().contains("pasted text was ignored"), "{}", board.screen());
    board.press("3 /");
    board.type_text("queue\n:q");
    assert!(board.screen().contains("/queue"), "{}", board.screen());
}

#[test]
fn only_quitting_quits() {
    let mut board = Board::incident(80, 24);
    assert_eq!(board.press("q"), []);
    assert!(board.screen().contains("to leave, press ctrl-c or type :q"), "{}", board.screen());
    assert_eq!(board.press("ctrl-z"), [Effect::Suspend]);
    assert_eq!(board.press("ctrl-l"), [Effect::Redraw]);
    assert_eq!(board.press(": q enter"), [Effect::Quit]);
    assert_eq!(board.press("ctrl-c"), [Effect::Quit]);
}

#[test]
fn clocks_tick_without_any_news_from_the_cluster() {
    let mut board = Board::incident(80, 24);
    assert!(board.screen().contains("overdue 3m35s"), "{}", board.screen());
    board.pass(5);
    assert!(board.screen().contains("overdue 3m40s"), "{}", board.screen());
}

#[test]
fn a_second_that_changes_no_visible_clock_changes_no_cell() {
    let mut board = Board::new(80, 24);
    board.read("{apiVersion: v1, kind: Node, metadata: {name: worker-0, uid: u, creationTimestamp: '2026-01-01T00:00:00Z'}, status: {conditions: [{type: Ready, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z'}]}}");
    board.go_live();
    board.press("2");
    let before = board.screen();
    board.pass(1);
    assert_eq!(board.screen(), before);
}

#[test]
fn an_incident_with_sixty_pods_is_folded_and_unfolds() {
    let mut board = Board::incident(80, 24);
    for number in 0..60 {
        board.read(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p-{number:02}, namespace: many, uid: uid-{number}, \
             deletionTimestamp: '2026-03-01T03:18:25Z', deletionGracePeriodSeconds: 30}}, \
             spec: {{nodeName: worker-2}}, status: {{phase: Running}}}}"
        ));
    }
    let screen = board.screen();
    assert!(screen.contains("61 more hang on it: enter shows them"), "{screen}");
    assert!(screen.contains("Triage 4 "), "{screen}");
    board.press("right");
    assert!(!board.screen().contains("more hang on it"), "{}", board.screen());
    // The root, the pods, and then what hangs on them.
    for _ in 0..63 {
        board.press("down");
    }
    let unfolded = board.selected();
    assert!(unfolded.contains("mq/data-queue-0"), "{unfolded}");
    board.press("left");
    assert!(board.selected().contains("Node worker-2"), "{}", board.selected());
}

#[test]
fn an_incident_that_is_put_off_goes_last_and_one_that_is_over_stays_a_while() {
    let mut board = Board::incident(160, 48);
    assert!(board.selected().contains("Node worker-2"), "{}", board.selected());
    board.press("z");
    assert!(board.screen().contains("put off for 30m"), "{}", board.screen());
    board.press("g");
    assert!(board.selected().contains("Node worker-3"), "{}", board.selected());
    board.press("a");
    assert!(board.screen().contains("seen  for"), "{}", board.screen());
    board.read("{apiVersion: v1, kind: Node, metadata: {name: worker-3, uid: uid-worker-3}, status: {conditions: [{type: Ready, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z'}]}}");
    assert!(board.screen().contains("resolved: Node worker-3 is short of disk"), "{}", board.screen());
    assert!(board.screen().contains("lasted 82m"), "{}", board.screen());
}
