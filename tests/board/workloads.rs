//! The small actions on workloads on the screen: what is typed, what it becomes, and how its rollout is watched.

use crate::actions::{agree, allow, answer};
use crate::harness::Board;
use insta::assert_snapshot;
use serde_json::{Value, json};
use sickbay::actions::Call;
use sickbay::actions::edit::Change;

/// As it is wanted, and how many of its pods are updated, all of them ready.
#[derive(Clone, Copy)]
struct Web {
    generation: u32,
    replicas: u32,
    release: u32,
    updated: u32,
}

const BEFORE: Web = Web { generation: 3, replicas: 3, release: 1, updated: 3 };

fn web(Web { generation, replicas, release, updated }: Web) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "namespace": "shop", "name": "web", "uid": "uid-web", "resourceVersion": format!("9{generation}"),
            "generation": generation,
        },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "spec": {
                "initContainers": [{ "name": "wait", "image": "registry.example/shop/wait:1.0.0" }],
                "containers": [
                    { "name": "web", "image": format!("registry.example/shop/web:1.{release}.0") },
                    { "name": "log", "image": "registry.example/log:7" },
                ],
            } },
        },
        "status": {
            "observedGeneration": generation, "replicas": replicas, "updatedReplicas": updated,
            "readyReplicas": replicas, "availableReplicas": replicas,
        },
    })
}

fn board(width: u16, height: u16) -> Board {
    let mut board = Board::new(width, height);
    board.app.session.tag = "k3f9".into();
    board.app.session.operator = "alice@bastion".into();
    board.read(&web(BEFORE).to_string());
    board.go_live();
    board.press("5");
    board
}

/// Goes on to the review, and has everything allowed.
fn check(board: &mut Board) {
    let effects = board.press("enter");
    allow(board, effects);
}

fn only_change(sent: &[Call]) -> &Change {
    let [Call::Edit(edit)] = sent else { panic!("{sent:?}") };
    &edit.change
}

#[test]
fn a_count_is_typed_beside_the_one_that_holds_and_what_comes_of_it_stands_below() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = board(width, height);
        board.press("s");
        assert_snapshot!(format!("scale_empty_{width}x{height}"), board.screen());
        board.press("5");
        assert_snapshot!(format!("scale_{width}x{height}"), board.screen());
    }
}

#[test]
fn a_count_is_sent_as_it_was_typed() {
    let mut board = board(80, 24);
    board.press("s 5 0 backspace");
    check(&mut board);
    let sent = agree(&mut board);
    assert_eq!(*only_change(&sent), Change::Scale { replicas: 5, was: 3 });
}

#[test]
fn what_is_no_count_goes_nowhere_and_says_why() {
    let mut board = board(80, 24);
    board.press("s");
    for (typed, told) in [
        ("", "type how many pods there should be"),
        ("3", "3 is what is wanted already"),
        ("5x", "\"5x\" is no number"),
        ("99999999999", "99999999999 is more than the API takes"),
    ] {
        board.press("ctrl-u");
        board.type_text(typed);
        assert_eq!(board.press("enter"), [], "{typed}: nothing is asked");
        assert!(board.screen().contains(told), "{}", board.screen());
    }
    board.press("ctrl-u");
    board.type_text(" 4\n");
    check(&mut board);
    assert_eq!(*only_change(&agree(&mut board)), Change::Scale { replicas: 4, was: 3 });
}

#[test]
fn to_scale_to_nothing_the_name_is_typed() {
    let mut board = board(80, 24);
    board.press("s 0");
    check(&mut board);
    assert!(board.screen().contains("type web to confirm"), "{}", board.screen());
    assert_eq!(board.press("tab enter"), [], "not without it");
    assert!(board.app.acting.runs.is_empty());
    // Back from the button over the other one to the line.
    board.press("shift-tab shift-tab");
    board.type_text("web");
    board.press("tab");
    assert_eq!(*only_change(&agree(&mut board)), Change::Scale { replicas: 0, was: 3 });
}

#[test]
fn an_image_is_changed_where_it_ends_and_the_container_is_chosen() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = board(width, height);
        board.press("i backspace backspace backspace 2 . 0");
        assert_snapshot!(format!("set_image_{width}x{height}"), board.screen());
    }
    let mut board = board(80, 24);
    board.press("i up ctrl-u");
    assert!(board.screen().contains("type the image that it should have"), "{}", board.screen());
    board.type_text("registry.example/shop/wait:1.1.0");
    check(&mut board);
    let sent = agree(&mut board);
    let Change::SetImage { container, image, is_init: true, .. } = only_change(&sent) else {
        panic!("{sent:?}")
    };
    assert_eq!((container.as_str(), image.as_str()), ("wait", "registry.example/shop/wait:1.1.0"));
}

#[test]
fn what_was_typed_is_there_again_after_a_look_at_the_review() {
    let mut board = board(80, 24);
    board.press("s 5");
    check(&mut board);
    board.press("esc");
    assert!(board.screen().contains("replicas  5_"), "{}", board.screen());
    board.press("esc");
    assert!(board.app.overlay.is_none() && board.app.acting.review.is_none());
}

#[test]
fn keys_of_actions_are_text_where_text_is_typed() {
    let mut board = board(80, 24);
    for key in ["q", "b", "x", ":", "?"] {
        board.press("s");
        assert_eq!(board.press(key), []);
        assert!(board.screen().contains("is no number"), "{key}: {}", board.screen());
        board.press("esc");
    }
}

#[test]
fn a_scale_is_taken_back_by_a_key_on_its_run() {
    let mut board = board(80, 24);
    board.press("s 5");
    check(&mut board);
    agree(&mut board);
    answer(&mut board, 0, Ok(()));
    board.read(&web(Web { generation: 4, replicas: 5, updated: 5, ..BEFORE }).to_string());
    let effects = board.press("u");
    assert!(board.screen().contains("scale deployment shop/web from 5 to 3"), "{}", board.screen());
    allow(&mut board, effects);
    assert_eq!(*only_change(&agree(&mut board)), Change::Scale { replicas: 3, was: 5 });
}

#[test]
fn a_restart_says_that_it_has_no_way_back() {
    let mut board = board(80, 24);
    let effects = board.press("shift-r");
    allow(&mut board, effects);
    agree(&mut board);
    answer(&mut board, 0, Ok(()));
    board.read(&web(Web { generation: 4, ..BEFORE }).to_string());
    board.press("u");
    assert!(board.screen().contains("a restart is not taken back"), "{}", board.screen());
}
