//! The revisions of a workload on the screen: what is asked for, what is listed, and two of them line against line.

use crate::harness::Board;
use insta::assert_snapshot;
use serde_json::{Value, json};
use sickbay::actions::Answer;
use sickbay::app::Effect;
use sickbay::app::acting::{Asked, Told};
use sickbay::cluster::{Kind, Name, ObjectRef};
use sickbay::revision::{History, Running, RunningPod};
use std::sync::Arc;

fn template(release: u32) -> Value {
    let password = json!({ "secretKeyRef": { "name": "web", "key": "password" } });
    let tuning: Vec<Value> =
        (0..8).map(|at| json!({ "name": format!("TUNING_{at}"), "value": "on" })).collect();
    let mut env = vec![
        json!({ "name": "LOG_LEVEL", "value": if release < 3 { "info" } else { "debug" } }),
        json!({ "name": "PASSWORD", "valueFrom": password }),
    ];
    env.extend(tuning);
    let mut template = json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": {
            "containers": [{
                "name": "web",
                "image": format!("registry.example/shop/web:1.{release}.0"),
                "env": env,
                "readinessProbe": { "httpGet": { "path": "/healthz", "port": 8080 }, "periodSeconds": 10 },
                "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
            }],
        },
    });
    if release > 2 {
        template["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] = json!("/ready");
        template["spec"]["containers"][0]["resources"]["limits"] = json!({ "memory": "256Mi" });
    }
    template
}

fn deployment(generation: i64) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "namespace": "shop", "name": "web", "uid": "uid-web", "resourceVersion": "90", "generation": generation,
        },
        "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "web" } }, "template": template(3) },
        "status": {
            "observedGeneration": generation, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3,
            "availableReplicas": 3,
        },
    })
}

fn set(release: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "namespace": "shop", "name": format!("web-{release}"), "uid": format!("uid-web-{release}"),
            "creationTimestamp": format!("2026-02-2{release}T03:00:00Z"),
            "annotations": {
                "deployment.kubernetes.io/revision": release.to_string(),
                "kubernetes.io/change-cause": format!("release 1.{release}.0, for the sale"),
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid-web", "controller": true,
            }],
        },
        "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": template(release) },
    })
}

fn pod(release: u32, number: u32) -> Value {
    let ready = if release == 3 { "False" } else { "True" };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": "shop", "name": format!("web-{release}-{number}"), "uid": format!("uid-{release}-{number}"),
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("web-{release}"),
                "uid": format!("uid-web-{release}"), "controller": true,
            }],
        },
        "spec": { "containers": [{ "name": "web", "image": "web" }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }] },
    })
}

fn web() -> ObjectRef {
    ObjectRef { kind: Kind::Deployment, name: Name::parse("shop/web").unwrap(), uid: "uid-web".into() }
}

fn history() -> Arc<History> {
    Arc::new(History::read(Kind::Deployment, deployment(7), (1..=3).map(set).collect()).unwrap())
}

fn board(width: u16, height: u16) -> Board {
    let mut board = Board::new(width, height);
    let objects: Vec<Value> = std::iter::once(deployment(7))
        .chain((1..=3).map(set))
        .chain([pod(2, 1), pod(2, 2), pod(2, 3), pod(3, 1)])
        .collect();
    for object in objects {
        board.read(&object.to_string());
    }
    board.go_live();
    board.press("5");
    board
}

fn asked(effects: &[Effect]) -> Vec<ObjectRef> {
    let objects = effects.iter().map(|effect| match effect {
        Effect::Acting(asked) => match &**asked {
            Asked::History { object } => object.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    objects.collect()
}

/// With the history read.
fn opened(width: u16, height: u16) -> Board {
    let mut board = board(width, height);
    assert_eq!(asked(&board.press("shift-h")), [web()]);
    board.tell(Told::History { object: web(), read: Ok(history()) }.into());
    board
}

#[test]
fn a_history_lists_revisions_with_their_pods_and_what_going_back_would_change() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = opened(width, height);
        board.press("j");
        assert_snapshot!(format!("history_{width}x{height}"), board.screen());
    }
}

#[test]
fn a_difference_says_first_what_matters_and_then_every_line() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = opened(width, height);
        board.press("j enter");
        assert_snapshot!(format!("difference_{width}x{height}"), board.screen());
    }
}

#[test]
fn two_that_are_marked_are_compared_with_each_other_the_older_one_first() {
    let mut board = opened(80, 24);
    board.press("j space j space enter");
    let screen = board.screen();
    assert!(screen.contains("revision 1 -> revision 2"), "{screen}");
    assert!(screen.contains("shop/web:1.1.0 ->"), "{screen}");
    assert!(!screen.contains("LOG_LEVEL:"), "{screen}");
    board.press("esc esc");
    assert_eq!(board.app.overlay.as_ref().map(|_| ()), None, "back through the list to the screen");
}

#[test]
fn what_is_the_same_is_unfolded_by_a_key() {
    let mut board = opened(80, 24);
    board.press("j enter");
    assert!(board.screen().contains("lines that are the same"), "{}", board.screen());
    board.press("right");
    assert!(!board.screen().contains("lines that are the same"), "{}", board.screen());
    board.press("shift-g");
    assert!(board.screen().contains("memory: 128Mi"), "{}", board.screen());
}

#[test]
fn a_history_is_read_again_when_somebody_changes_the_workload() {
    let mut board = opened(80, 24);
    assert_eq!(board.tell(sickbay::app::Msg::Tick), []);
    board.read(&deployment(8).to_string());
    assert!(board.tell(sickbay::app::Msg::Tick).is_empty(), "it was asked for when the change came");
    let changes = sickbay::wire::manifest(&deployment(9).to_string()).unwrap();
    assert_eq!(asked(&board.tell(sickbay::app::Msg::Changes(changes))), [web()]);
}

#[test]
fn a_history_that_cannot_be_read_says_why() {
    let mut board = board(80, 24);
    board.press("shift-h");
    assert!(board.screen().contains("asking the API server for the history"), "{}", board.screen());
    let reason = "the history of deployment shop/web cannot be read: replicasets is forbidden; ask for the right to get \
                  and list it";
    board.tell(Told::History { object: web(), read: Err(reason.into()) }.into());
    assert!(board.screen().contains("replicasets is forbidden"), "{}", board.screen());
}

#[test]
fn what_has_no_revisions_says_so() {
    let mut board = board(80, 24);
    board.read(
        "{apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: a, uid: u}, spec: {}, status: {}}",
    );
    board.press("shift-n g shift-h");
    assert!(board.screen().contains("job a/j has no history"), "{}", board.screen());
}

/// A rollback to the revision before, with everything answered.
fn reviewed(width: u16, height: u16) -> Board {
    let mut board = opened(width, height);
    assert_eq!(asked(&board.press("j b")), [web()], "the history is read for it, as it is now");
    assert!(board.screen().contains("asking the API server: 1 answers awaited"), "{}", board.screen());
    let effects = board.tell(Told::History { object: web(), read: Ok(history()) }.into());
    assert_eq!(
        effects.len(),
        5,
        "may I, is its secret there, who scales it, is there a quota, and a dry run"
    );
    for effect in effects {
        let Effect::Acting(asked) = effect else { panic!("{effect:?}") };
        let Asked::Probe { run, probe } = *asked else { panic!("{asked:?}") };
        board.tell(Told::Probed { run, probe, answer: Answer::Yes }.into());
    }
    board
}

#[test]
fn a_rollback_to_the_revision_under_the_cursor_reads_the_history_and_then_asks() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = reviewed(width, height);
        assert_snapshot!(format!("rollback_{width}x{height}"), board.screen());
        let effects = board.press("tab enter");
        let [Effect::Acting(asked)] = &effects[..] else { panic!("{effects:?}") };
        assert!(matches!(**asked, Asked::Write(_)), "{asked:?}");
    }
}

#[test]
fn the_patch_for_the_repository_is_a_key_away_and_the_same_key_copies_it() {
    let mut board = reviewed(80, 24);
    board.press("y");
    assert_snapshot!("patch_80x24", board.screen());
    let effects = board.press("y");
    let [Effect::Copy(text)] = &effects[..] else { panic!("{effects:?}") };
    assert!(text.contains("\n        image: registry.example/shop/web:1.2.0\n"), "{text}");
    board.press("esc");
    assert!(board.screen().contains("[ Cancel ]"), "back to the review: {}", board.screen());

    let mut board = opened(80, 24);
    board.press("j y");
    assert!(board.screen().contains("Patch of deployment shop/web to revision 2"), "{}", board.screen());
    board.press("esc enter y");
    assert!(board.screen().contains("Patch of deployment shop/web to revision 2"), "{}", board.screen());
    board.press("esc");
    assert!(
        board.screen().contains("revision 2 -> revision 3"),
        "back to the difference: {}",
        board.screen()
    );
}

#[test]
fn the_digests_that_run_stand_beside_the_tags_and_two_of_one_tag_are_told() {
    let pod = |release: u32, digest: &str| -> RunningPod {
        let digest = digest.repeat(32);
        serde_json::from_value(json!({
            "metadata": { "ownerReferences": [{ "uid": format!("uid-web-{release}"), "controller": true }] },
            "status": { "containerStatuses": [{
                "name": "web", "imageID": format!("registry.example/shop/web@sha256:{digest}"),
            }] },
        }))
        .unwrap()
    };
    let mut board = opened(80, 24);
    let mut told = |pods: &[RunningPod]| {
        let mut history = (*history()).clone();
        history.running = Ok(Running::of(Kind::Deployment, pods));
        board.tell(Told::History { object: web(), read: Ok(Arc::new(history)) }.into());
        board.press("g j");
        board.screen()
    };
    let screen = told(&[pod(2, "ab"), pod(2, "ab")]);
    assert!(screen.contains("web: registry.example/shop/web:1.2.0 sha256:abababababab"), "{screen}");
    let screen = told(&[pod(2, "ab"), pod(2, "ab"), pod(2, "cd")]);
    assert!(screen.contains("sha256:abababababab on 2 pods"), "{screen}");
    assert!(screen.contains("sha256:cdcdcdcdcdcd on 1 pod"), "{screen}");
    assert!(screen.contains("that tag was moved: pods run different images under it"), "{screen}");
}

#[test]
fn a_review_whose_workload_changes_reads_the_history_anew() {
    let mut board = opened(80, 24);
    board.press("j b");
    board.tell(Told::History { object: web(), read: Ok(history()) }.into());
    let changes = sickbay::wire::manifest(&deployment(8).to_string()).unwrap();
    assert_eq!(asked(&board.tell(sickbay::app::Msg::Changes(changes))), [web()]);
    // Once: it is not asked for again while nothing else happens.
    assert_eq!(board.tell(sickbay::app::Msg::Tick), []);
}

/// A pod of the release that its kubelet cannot pull.
fn unpullable(number: u32) -> Value {
    let mut pod = pod(3, number);
    pod["status"] = json!({
        "phase": "Pending",
        "conditions": [{ "type": "Ready", "status": "False" }],
        "containerStatuses": [{
            "name": "web", "image": "web", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image" } },
        }],
    });
    pod["metadata"]["creationTimestamp"] = json!("2026-03-01T03:00:00Z");
    pod["status"]["startTime"] = json!("2026-03-01T03:00:00Z");
    pod
}

#[test]
fn from_a_finding_on_a_pod_the_keys_lead_to_its_deployments_history_and_back() {
    let mut board = board(80, 24);
    board.read(&unpullable(1).to_string());
    board.press("1 g");
    let screen = board.screen();
    assert!(screen.contains("b rolls deployment shop/web back, shift-h shows its history"), "{screen}");
    assert_eq!(asked(&board.press("shift-h")), [web()]);
    assert!(board.screen().contains("History of deployment shop/web"), "{}", board.screen());
    assert_eq!(asked(&board.press("esc b")), [web()]);
    assert!(board.screen().contains("Rollback deployment shop/web"), "{}", board.screen());
    // The same from the pod, open and in its list.
    for keys in ["esc 3 b", "esc enter b", "esc shift-h"] {
        assert_eq!(asked(&board.press(keys)), [web()], "{keys}");
    }
}

#[test]
fn what_is_no_part_of_a_workload_with_a_history_leads_to_none() {
    let mut board = board(80, 24);
    board
        .read("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: a, uid: u}, spec: {}, status: {}}");
    board.press("3 shift-n g");
    for key in ["b", "shift-h"] {
        assert_eq!(board.press(key), []);
        assert!(board.screen().contains("pod a/a has no history"), "{}", board.screen());
    }
}
