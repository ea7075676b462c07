//! An object that should be gone and that the server lets nobody update: when it is asked about, and what is shown.

use crate::harness::Board;
use insta::assert_snapshot;
use serde_json::json;
use sickbay::app::Effect;
use sickbay::app::acting::{Asked, Told};
use sickbay::cluster::{Acceptance, Fault, ObjectRef, Text, Trial};

/// Told to go four minutes ago, and held by the controller of a backup.
fn claim(version: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "namespace": "data", "name": "archive", "uid": "uid-archive", "resourceVersion": version,
            "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-03-01T03:18:00Z",
            "deletionGracePeriodSeconds": 0, "finalizers": ["backup.example.com/snapshot-first"],
        },
        "spec": { "storageClassName": "block-fast" },
        "status": { "phase": "Pending" },
    })
    .to_string()
}

fn board() -> Board {
    let mut board = Board::new(80, 24);
    board.read(&claim("7"));
    board.go_live();
    board
}

/// What the last key or message asks the server about.
fn asked(effects: &[Effect]) -> Vec<(ObjectRef, Text)> {
    let trial = |effect: &Effect| match effect {
        Effect::Acting(asked) => match &**asked {
            Asked::Trial { object, version } => Some((object.clone(), version.clone())),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    effects.iter().filter_map(trial).collect()
}

fn answer(board: &mut Board, (object, version): (ObjectRef, Text)) {
    let fault = |field: &str, message: &str| Fault { field: field.into(), message: message.into() };
    let faults = vec![fault("spec.accessModes", "Required value: at least 1 access mode is required")];
    let trial = Trial { object, version, said: Acceptance::Invalid { faults } };
    board.tell(Told::Trial(trial).into());
}

#[test]
fn opening_what_does_not_go_asks_and_shows_the_field_that_the_server_refuses() {
    let mut board = board();
    assert!(board.selected().contains("Claim data/archive was deleted"), "{}", board.selected());
    let asked = asked(&board.press("enter"));
    let [trial] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((trial.0.name.to_string().as_str(), trial.1.as_str()), ("data/archive", "7"));
    answer(&mut board, trial.clone());
    assert_snapshot!("a_claim_that_cannot_be_updated", board.screen());
    board.press("esc");
    assert_snapshot!("triage_with_what_cannot_be_updated", board.screen());
}

#[test]
fn it_is_asked_about_once_in_a_while_and_soon_when_it_has_changed() {
    let mut board = board();
    board.screen();
    let first = asked(&board.press("enter"));
    assert_eq!(first.len(), 1);
    let mut later = |seconds, changed: Option<&str>| {
        board.now += jiff::SignedDuration::from_secs(seconds);
        if let Some(version) = changed {
            let changes = sickbay::wire::manifest(&claim(version)).unwrap();
            return asked(&board.tell(sickbay::app::Msg::Changes(changes)));
        }
        asked(&board.tell(sickbay::app::Msg::Tick))
    };
    assert_eq!(later(59, None), []);
    assert_eq!(later(1, None).len(), 1, "an answer that is looked at is kept fresh");
    assert_eq!(later(5, Some("8")), [], "not at once");
    assert_eq!(later(5, None)[0].1, "8", "of what it is now");
}

#[test]
fn nothing_is_asked_of_what_may_still_go_or_in_a_read_only_session() {
    let mut board = board();
    board.app.session.is_read_only = true;
    board.screen();
    assert_eq!(board.press("enter"), []);
    let mut board = Board::new(80, 24);
    board.read(&claim("7").replace("03:18:00", "03:21:40"));
    board.go_live();
    assert_eq!(board.press("4 enter"), []);
    assert!(board.screen().contains("data/archive"), "{}", board.screen());
    board.pass(10);
    assert_eq!(asked(&board.tell(sickbay::app::Msg::Tick)), [], "it was asked about when its time was over");
}
