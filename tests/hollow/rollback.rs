//! Rollbacks by the program itself, on a real control plane: three kinds, three ways to be broken, and what results
//! compared with what `kubectl rollout undo` makes of a twin.

use crate::actions::User;
use crate::board::Board;
use crate::cluster::{Api, Hollow};
use serde_json::{Value, json};
use sickbay::app::App;
use sickbay::cluster::{Kind, Name, ObjectRef, Workload};
use std::process::Command;

const NAMESPACE: &str = "default";

fn path(kind: Kind, name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/{}/{name}", kind.plural())
}

fn workload(kind: Kind, name: &str, image: &str) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": kind.word(),
        "metadata": { "name": name, "annotations": { "team": "front" } },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{ "name": "main", "image": image, "env": [{ "name": "A", "value": "1" }] }],
                },
            },
        },
    });
    if kind != Kind::DaemonSet {
        object["spec"]["replicas"] = json!(3);
    }
    if kind == Kind::StatefulSet {
        object["spec"]["serviceName"] = json!(name);
    }
    object
}

/// A release that does not work, with annotations of its own.
fn release(image: &str) -> Value {
    json!({
        "metadata": { "annotations": { "team": "back", "kubernetes.io/change-cause": "release 2" } },
        "spec": { "template": { "spec": { "containers": [{ "name": "main", "image": image }] } } },
    })
}

async fn create(api: &Api, object: &Value, kind: Kind) {
    api.create(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/{}", kind.plural()), object).await;
}

fn counts(app: &App, kind: Kind, name: &str) -> Option<(bool, u32, u32)> {
    let row = app.cluster.workload_named(kind, &Name::new(NAMESPACE, name))?;
    let counts = row.counts();
    Some((row.rollout()?.is_complete(), counts.desired, counts.ready))
}

async fn until_complete(board: &mut Board, kind: Kind, name: &str) {
    let is_complete = |app: &App| {
        counts(app, kind, name)
            .is_some_and(|(is_complete, desired, ready)| is_complete && desired > 0 && ready == desired)
    };
    board.until(&format!("a complete {name}"), is_complete).await;
}

/// Until the picture shows this image to be wanted, and all of it there.
async fn until_release(board: &mut Board, name: &str, image: &str) {
    let is_wanted = |app: &App| {
        let row = app.cluster.workload_named(Kind::Deployment, &Name::new(NAMESPACE, name));
        row.is_some_and(|row| row.images().iter().any(|known| *known.image == *image))
    };
    board.until(&format!("{name} of {image}"), is_wanted).await;
    until_complete(board, Kind::Deployment, name).await;
}

/// Until a pod of the broken release is there, so that it has begun.
async fn until_broken(board: &mut Board, kind: Kind, name: &str) {
    let is_broken = |app: &App| {
        let row: Option<Workload<'_>> = app.cluster.workload_named(kind, &Name::new(NAMESPACE, name));
        row.is_some_and(|row| {
            app.cluster.pods_of(row).iter().any(|pod| {
                let is_new = pod.containers.iter().any(|container| container.image.contains(":2"));
                is_new && !pod.is_ready()
            })
        })
    };
    board.until(&format!("a broken pod of {name}"), is_broken).await;
}

/// What of a workload must be equal: template and annotations, and no name in either.
fn compared(object: &Value, name: &str) -> String {
    let both = json!([object["spec"]["template"], object["metadata"]["annotations"]]);
    both.to_string().replace(name, "NAME")
}

#[tokio::test]
async fn what_goes_back_is_as_after_kubectls_undo_of_a_twin() {
    let user = User::of(Hollow::start(3));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    for (kind, broken) in [
        (Kind::Deployment, "shop/main:2-broken"),
        (Kind::Deployment, "shop/main:2-crash"),
        (Kind::Deployment, "shop/main:2-unready"),
        (Kind::StatefulSet, "shop/main:2-broken"),
        (Kind::StatefulSet, "shop/main:2-unready"),
        (Kind::DaemonSet, "shop/main:2-crash"),
        (Kind::DaemonSet, "shop/main:2-unready"),
    ] {
        let (_, how) = broken.split_once('-').unwrap();
        let word = kind.word().to_lowercase();
        let (name, twin) = (format!("one-{word}-{how}"), format!("twin-{word}-{how}"));
        for name in [&name, &twin] {
            create(&api, &workload(kind, name, "shop/main:1"), kind).await;
        }
        for name in [&name, &twin] {
            until_complete(&mut board, kind, name).await;
            api.patch_strategic(&path(kind, name), &release(broken)).await;
            until_broken(&mut board, kind, name).await;
        }
        let undone = Command::new("kubectl")
            .args(["--kubeconfig".as_ref(), user.hollow.kubeconfig.as_os_str()])
            .args(["-n", NAMESPACE, "rollout", "undo", &format!("{word}/{twin}")])
            .status()
            .unwrap();
        assert!(undone.success());
        let target = format!("{word}/{name}");
        let (code, text) =
            user.run(&["run", "rollback", &target, "-n", NAMESPACE, "--yes", "--confirm", &name]).await;
        assert_eq!(code, 0, "{kind} {how}: {text}");
        until_complete(&mut board, kind, &name).await;
        let (own, undone) = (api.get(&path(kind, &name)).await, api.get(&path(kind, &twin)).await);
        assert_eq!(compared(&own, &name), compared(&undone, &twin), "{kind} {how}");
        for name in [&name, &twin] {
            api.delete(&path(kind, name), &json!({ "propagationPolicy": "Background" })).await;
        }
    }
}

#[tokio::test]
async fn what_must_not_go_back_is_refused_and_stays_as_it_is() {
    let user = User::of(Hollow::start(1));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    let kind = Kind::Deployment;
    create(&api, &workload(kind, "web", "shop/main:1"), kind).await;
    until_complete(&mut board, kind, "web").await;
    let plan = ["plan", "rollback", "deployment/web", "-n", NAMESPACE];
    let (code, text) = user.run(&plan).await;
    assert!(code == 4 && text.contains("there is no earlier revision"), "{text}");
    api.patch_strategic(&path(kind, "web"), &release("shop/main:2")).await;
    until_release(&mut board, "web", "shop/main:2").await;
    let (code, text) = user.run(&[&plan[..], &["--context", "viewer"]].concat()).await;
    assert!(code == 4 && text.contains("you may not patch deployments.apps web"), "{text}");
    api.patch_strategic(&path(kind, "web"), &json!({ "spec": { "paused": true } })).await;
    let (code, text) = user.run(&plan).await;
    assert!(code == 4 && text.contains("is paused"), "{text}");
    api.patch_strategic(
        &path(kind, "web"),
        &json!({ "spec": { "paused": null, "revisionHistoryLimit": 0 } }),
    )
    .await;
    let set = |app: &App| app.cluster.replica_sets.values().count() == 1;
    board.until("no old replica set", set).await;
    let (code, text) = user.run(&plan).await;
    assert!(code == 4 && text.contains("revisionHistoryLimit is 0"), "{text}");
    let image = &api.get(&path(kind, "web")).await["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "shop/main:2");
}

#[tokio::test]
async fn the_version_and_the_uid_that_an_edit_is_for_are_held_to_by_the_server() {
    use sickbay::actions::edit::{Change, Edit};
    use sickbay::actions::{Call, CallError};
    use sickbay::k8s::execute::{Mode, execute};
    let user = User::of(Hollow::start(1));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    create(&api, &workload(Kind::Deployment, "web", "shop/main:1"), Kind::Deployment).await;
    until_complete(&mut board, Kind::Deployment, "web").await;
    let found = api.get(&path(Kind::Deployment, "web")).await;
    let object =
        |uid: &str| ObjectRef { kind: Kind::Deployment, name: Name::new(NAMESPACE, "web"), uid: uid.into() };
    let uid = found["metadata"]["uid"].as_str().unwrap();
    let edit = |uid: &str, version: &str| {
        let change = Change::Scale { replicas: 1, was: 3 };
        Call::Edit(Box::new(Edit { object: object(uid), version: version.into(), generation: 1, change }))
    };
    let session = &board.session;
    let answer = execute(session, &edit(uid, "1"), Mode::Real).await;
    assert!(matches!(answer, Err(CallError::Conflict { .. })), "{answer:?}");
    let version = found["metadata"]["resourceVersion"].as_str().unwrap();
    let answer = execute(session, &edit("another", version), Mode::Real).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(api.get(&path(Kind::Deployment, "web")).await["spec"]["replicas"], 3);
}

#[tokio::test]
async fn what_a_small_action_did_is_taken_back_unless_somebody_has_changed_it_since() {
    let user = User::of(Hollow::start(1));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    let web = path(Kind::Deployment, "web");
    create(&api, &workload(Kind::Deployment, "web", "shop/main:1"), Kind::Deployment).await;
    until_complete(&mut board, Kind::Deployment, "web").await;
    // Each program has a journal of its own, and their names do not tell which is the later one.
    let run_of = |text: &str| {
        let (_, run) = text.split_once("(run ").unwrap();
        run.split_once(')').unwrap().0.to_owned()
    };
    let image = "/spec/template/spec/containers/0/image";
    for (action, options, place, done, before) in [
        ("scale", &["--replicas", "2"][..], "/spec/replicas", json!(2), json!(3)),
        ("set-image", &["--image", "main=shop/main:2"], image, json!("shop/main:2"), json!("shop/main:1")),
        ("pause", &[], "/spec/paused", json!(true), Value::Null),
    ] {
        let run = [&["run", action, "deployment/web", "-n", NAMESPACE, "--yes"], options].concat();
        let (code, text) = user.run(&run).await;
        assert_eq!(code, 0, "{action}: {text}");
        assert_eq!(api.get(&web).await.pointer(place), Some(&done), "{action}");
        let (code, text) = user.run(&["runs", "undo", &run_of(&text), "--yes"]).await;
        assert_eq!(code, 0, "{action}: {text}");
        let back = api.get(&web).await;
        assert_eq!(back.pointer(place).unwrap_or(&Value::Null), &before, "{action}");
    }
    let (code, text) = user.run(&["run", "restart", "deployment/web", "-n", NAMESPACE, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = user.run(&["runs", "undo", &run_of(&text), "--yes"]).await;
    assert!(code == 1 && text.contains("a restart is not taken back"), "{text}");

    let scale = ["run", "scale", "deployment/web", "-n", NAMESPACE, "--replicas", "0", "--yes"];
    let (code, text) = user.run(&scale).await;
    assert!(code == 4 && text.contains("web"), "to nothing its name has to be given: {text}");
    let (code, text) = user.run(&[&scale[..], &["--confirm", "web"]].concat()).await;
    assert_eq!(code, 0, "{text}");
    let run = run_of(&text);
    api.patch_strategic(&web, &json!({ "spec": { "replicas": 1 } })).await;
    let (code, text) = user.run(&["runs", "undo", &run, "--yes"]).await;
    assert!(code == 4 && text.contains("somebody has scaled deployment default/web since"), "{text}");
    assert_eq!(api.get(&web).await["spec"]["replicas"], 1);
}
