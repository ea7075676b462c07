//! Filters, marks, the namespace that is shown and chosen columns, from the key to the drawn screen.

use crate::harness::Board;
use insta::assert_snapshot;
use sickbay::app::{Effect, Msg};
use sickbay::cluster::{Change, Delta, Name};
use sickbay::command::{Command, Context, Ui};

fn pods() -> Board {
    let mut board = Board::incident(80, 24);
    board.press("3");
    board
}

/// Types into the prompt, letter by letter as a person does.
fn filter(board: &mut Board, text: &str) {
    board.press("/");
    for c in text.chars() {
        board.type_text(&c.to_string());
        board.screen();
    }
}

fn names(board: &mut Board) -> Vec<String> {
    let screen = board.screen();
    let rows = screen.lines().skip_while(|line| !line.contains("NAMESPACE")).skip(1);
    let rows = rows.map(|line| line.trim_start_matches(['▸', '◆', ' ']));
    rows.take_while(|line| line.contains("  "))
        .filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned))
        .take_while(|name| name.contains('-'))
        .collect()
}

#[test]
fn fields_of_the_screen_can_be_asked_for() {
    for (typed, kept) in [
        ("node=worker-2", vec!["proxy-2", "queue-0"]),
        ("overdue>3m", vec!["queue-0"]),
        ("overdue>5m", vec![]),
        ("restarts>3", vec!["web-7d4b9c-9k2mv"]),
        ("ns=shop !restarts>3", vec!["web-7d4b9c-x2x4q"]),
        (
            "status=terminating | age<10m status!=terminating",
            vec!["postgres-0", "queue-0", "web-7d4b9c-9k2mv"],
        ),
    ] {
        let mut board = pods();
        filter(&mut board, typed);
        board.press("enter");
        assert_eq!(names(&mut board), kept, "{typed}: {}", board.screen());
    }
}

#[test]
fn a_slip_says_what_and_where_while_the_old_result_stays() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = Board::incident(width, height);
        board.press("3");
        filter(&mut board, "node=worker-2 nod=x");
        assert_snapshot!(format!("slip_{width}x{height}"), board.screen());
        assert_eq!(names(&mut board), ["proxy-2", "queue-0"]);
        // It is not kept as it is: the prompt stays until it can be read or is left.
        board.press("enter");
        assert!(board.screen().contains("did you mean `node`?"), "{}", board.screen());
        board.press("esc");
        assert_eq!(names(&mut board).len(), 6);
    }
}

#[test]
fn filters_are_completed_and_remembered() {
    let mut board = pods();
    filter(&mut board, "ove");
    board.press("tab");
    assert!(board.screen().contains("/overdue="), "{}", board.screen());
    board.press("ctrl-u");
    filter(&mut board, "queue");
    board.press("enter / ctrl-u");
    filter(&mut board, "web");
    board.press("enter / up");
    assert!(board.screen().contains("/queue_"), "{}", board.screen());
    board.press("down");
    assert!(board.screen().contains("/web_"), "{}", board.screen());
}

#[test]
fn marks_stay_on_their_objects_and_hidden_ones_are_counted() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = Board::incident(width, height);
        board.press("3 j space j j ctrl-space");
        assert!(board.screen().contains("◆ 4 marked"), "{}", board.screen());
        board.press("shift-n ~");
        filter(&mut board, "ns=mq,shop");
        board.press("enter");
        assert_snapshot!(format!("marks_{width}x{height}"), board.screen());
    }
}

#[test]
fn all_the_others_and_none_can_be_marked() {
    let mut board = pods();
    filter(&mut board, "ns=shop");
    board.press("enter +");
    assert!(board.screen().contains("2 marked"), "{}", board.screen());
    board.press("esc");
    assert!(!board.screen().contains("hidden"), "{}", board.screen());
    board.press("*");
    assert!(board.screen().contains("4 marked"), "{}", board.screen());
    // Going elsewhere and back loses none.
    board.press("2 esc");
    assert!(board.screen().contains("4 marked"), "{}", board.screen());
    board.press("-");
    assert!(!board.screen().contains("marked"), "{}", board.screen());
}

#[test]
fn a_mark_goes_with_its_object_and_is_not_inherited() {
    let mut board = pods();
    board.press("j j j space");
    assert!(board.screen().contains("1 marked"), "{}", board.screen());
    let uid = match board.app.view().unwrap().marks.iter().next().unwrap() {
        sickbay::app::columns::RowId::Object(object) => object.uid.clone(),
        other @ (sickbay::app::columns::RowId::Volume(_) | sickbay::app::columns::RowId::Case(_)) => {
            panic!("{other:?}")
        }
    };
    board.tell(Msg::Changes(vec![Change::Pod(Delta::Delete { name: Name::new("mq", "queue-0"), uid })]));
    board.read(
        "{apiVersion: v1, kind: Pod, metadata: {name: queue-0, namespace: mq, uid: another}, \
         status: {phase: Running}}",
    );
    assert!(!board.screen().contains("marked"), "{}", board.screen());
}

#[test]
fn a_range_without_a_beginning_says_what_to_do() {
    let mut board = pods();
    board.press("v");
    assert!(board.screen().contains("mark the first of the range"), "{}", board.screen());
}

#[test]
fn a_namespace_is_picked_and_what_it_hides_is_said() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = Board::incident(width, height);
        board.press("3 n");
        assert_snapshot!(format!("namespaces_{width}x{height}"), board.screen());
        board.press("s h o enter");
        assert_snapshot!(format!("namespace_{width}x{height}"), board.screen());
        // What belongs to no namespace is not hidden.
        board.press("1");
        assert!(board.screen().contains("Node worker-2"), "{}", board.screen());
        board.press("0 3");
        assert_eq!(names(&mut board).len(), 6);
    }
}

#[test]
fn favourites_and_what_was_picked_before_come_first() {
    let mut board = pods();
    board.press("n s h o enter n m q");
    assert_eq!(board.press("ctrl-f"), [Effect::Remember]);
    board.press("ctrl-u");
    let picker = sickbay::app::namespaces::Picker::default();
    let choices = board.app.choices(&picker);
    let names: Vec<&str> =
        choices.iter().map(|choice| choice.namespace.as_deref().unwrap_or("all")).collect();
    assert_eq!(&names[..3], ["all", "mq", "shop"]);
}

#[test]
fn columns_are_hidden_and_moved_and_the_name_stays() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = Board::incident(width, height);
        // Without the namespace, and the status before the name.
        board.press("3 w space j");
        assert_eq!(board.press("shift-k"), [Effect::Remember]);
        assert_snapshot!(format!("columns_{width}x{height}"), board.screen());
        board.press("esc");
        let screen = board.screen();
        assert!(screen.contains("NAME ") && !screen.contains("NAMESPACE"), "{screen}");
        board.press("w j space");
        board.press("backspace esc");
        assert!(board.screen().contains("NAMESPACE"), "{}", board.screen());
    }
}

#[test]
fn triage_is_asked_by_incident_and_counts_what_a_namespace_hides() {
    let mut board = Board::incident(80, 24);
    filter(&mut board, "severity=critical overdue>3m node=worker-2");
    board.press("enter");
    assert!(board.screen().contains("Node worker-2"), "{}", board.screen());
    board.press("esc");
    filter(&mut board, "!node=worker-2");
    board.press("enter");
    let screen = board.screen();
    assert!(
        screen.contains("Node worker-3 is short of disk") && !screen.contains("Node worker-2"),
        "{screen}"
    );
    board.press("esc");
    filter(&mut board, "name=no-such-thing");
    board.press("enter");
    assert!(board.screen().contains("none of the 4 incidents"), "{}", board.screen());
}

#[test]
fn the_mouse_selects_rows_sorts_by_headings_changes_screens_and_scrolls() {
    let mut board = pods();
    board.click("queue-0");
    assert!(board.selected().contains("queue-0"), "{}", board.selected());
    board.click("NAME ");
    assert!(board.screen().contains("NAME↑"), "{}", board.screen());
    board.click("NAME↑");
    assert!(board.screen().contains("NAME↓"), "{}", board.screen());
    board.click("2 Nodes");
    assert!(board.screen().contains("CORDON"), "{}", board.screen());
    board.press("3 g");
    board.tell(Msg::Wheel(1));
    assert!(board.selected().contains("proxy-2"), "{}", board.selected());
    // What lies on top hides what is below it.
    board.press("?");
    board.click("1 Triage");
    assert!(board.screen().contains("Keys on pods"), "{}", board.screen());
}

#[test]
fn every_screen_with_columns_can_be_asked_for_its_own() {
    for (screen, typed, kept) in [
        ("2", "status=silent", "worker-2"),
        ("2", "cordon=cordoned since>1m", "worker-2"),
        ("4", "attached=worker-2 claim=*queue*", "data-queue-0"),
        ("4", "ns=mq pod=queue-*", "data-queue-0"),
        ("5", "kind=deployment ready<desired", ""),
        ("5", "desired>0 ready<1", ""),
        ("6", "type=warning age<1h", ""),
        ("7", "type=clusterip status!=answers", ""),
    ] {
        let mut board = Board::incident(160, 48);
        board.press(screen);
        filter(&mut board, typed);
        board.press("enter");
        let screen = board.screen();
        if kept.is_empty() {
            // `ready<desired` compares with a number, and says so.
            assert_eq!(screen.contains('^'), typed.ends_with("desired"), "{typed}: {screen}");
        } else {
            assert!(board.selected().contains(kept), "{typed}: {screen}");
        }
    }
}

#[test]
fn a_list_is_sorted_by_the_columns_that_it_has() {
    for (screen, columns) in sickbay::app::arranged::columns() {
        let context = Context::by_id(&screen).unwrap();
        for (ui, column) in [
            (Ui::SortByName, "name"),
            (Ui::SortByNamespace, "namespace"),
            (Ui::SortByStatus, "status"),
            (Ui::SortByAge, "age"),
            (Ui::SortByNode, "node"),
            (Ui::SortByRestarts, "restarts"),
        ] {
            assert_eq!(Command::Ui(ui).applies_in(context), columns.contains(&column), "{screen}: {column}");
        }
    }
}
