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

fn set(release: u32, replicas: u32, ready: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "namespace": "shop", "name": format!("web-{release}f7d9c"), "uid": format!("uid-web-{release}"),
            "annotations": { "deployment.kubernetes.io/revision": release.to_string() },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid-web", "controller": true,
            }],
        },
        "spec": { "replicas": replicas, "selector": {}, "template": { "spec": { "containers": [
            { "name": "web", "image": format!("registry.example/shop/web:1.{release}.0") },
            { "name": "log", "image": "registry.example/log:7" },
        ] } } },
        "status": { "replicas": replicas, "readyReplicas": ready, "availableReplicas": ready },
    })
}

fn pod(release: u32, name: &str, rest: &Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": "shop", "name": format!("web-{release}f7d9c-{name}"), "uid": format!("uid-{release}-{name}"),
            "creationTimestamp": "2026-03-01T03:21:00Z",
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("web-{release}f7d9c"),
                "uid": format!("uid-web-{release}"), "controller": true,
            }],
        },
        "spec": { "nodeName": "worker-1", "containers": [{ "name": "web", "image": "web" }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
    });
    for (part, more) in rest.as_object().unwrap() {
        pod[part.as_str()].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    pod
}

/// A release under way, its first pod of which cannot be pulled.
fn under_way(width: u16, height: u16) -> Board {
    let mut board = board(width, height);
    board.read(&set(1, 3, 3).to_string());
    board.press("i backspace backspace backspace 2 . 0");
    check(&mut board);
    agree(&mut board);
    answer(&mut board, 0, Ok(()));
    let mut deployment = web(Web { generation: 4, replicas: 3, release: 2, updated: 1 });
    deployment["spec"]["progressDeadlineSeconds"] = json!(600);
    deployment["status"]["replicas"] = json!(4);
    deployment["status"]["conditions"] = json!([{
        "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
        "lastUpdateTime": "2026-03-01T03:20:30Z", "lastTransitionTime": "2026-02-01T00:00:00Z",
    }]);
    let waiting = json!({ "state": { "waiting": {
        "reason": "ImagePullBackOff",
        "message": "Back-off pulling image \"registry.example/shop/web:1.2.0\": not found: manifest unknown",
    } } });
    let unready = json!({ "status": {
        "phase": "Pending",
        "conditions": [{ "type": "Ready", "status": "False" }],
        "containerStatuses": [{
            "name": "web", "image": "web", "imageID": "", "ready": false, "restartCount": 0, "state": waiting["state"],
        }],
    } });
    let going = json!({ "metadata": {
        "deletionTimestamp": "2026-03-01T03:22:20Z", "deletionGracePeriodSeconds": 30,
    } });
    for object in [
        deployment,
        set(1, 2, 2),
        set(2, 2, 0),
        pod(1, "aaaaa", &json!({})),
        pod(1, "bbbbb", &json!({})),
        pod(1, "ccccc", &going),
        pod(2, "ddddd", &unready),
        pod(2, "eeeee", &json!({ "status": { "phase": "Pending", "conditions": [] } })),
    ] {
        board.read(&object.to_string());
    }
    board
}

#[test]
fn a_rollout_is_watched_by_its_revisions_its_clock_and_the_pod_that_holds_it_up() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = under_way(width, height);
        assert_snapshot!(format!("rollout_{width}x{height}"), board.screen());
    }
}

#[test]
fn a_rollout_that_is_done_offers_the_way_back() {
    let mut board = under_way(80, 24);
    for object in
        [web(Web { generation: 4, replicas: 3, release: 2, updated: 3 }), set(1, 0, 0), set(2, 3, 3)]
    {
        board.read(&object.to_string());
    }
    let screen = board.screen();
    assert!(screen.contains("done 0s") && screen.contains("u takes it back"), "{screen}");
    board.pass(60);
    assert!(
        board.screen().lines().last().unwrap().trim_start().starts_with("u Take back"),
        "{}",
        board.screen()
    );
}
