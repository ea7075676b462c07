//! Rollbacks by the program itself, on a real control plane: three kinds, three ways to be broken, and what results
//! compared with what `kubectl rollout undo` makes of a twin.

use crate::actions::{User, wait};
use crate::board::Board;
use crate::cluster::{Api, Hollow};
use crate::terminal::sickbay;
use serde_json::{Value, json};
use sickbay::app::App;
use sickbay::cluster::{Kind, Name, ObjectRef, Workload};
use std::process::Command;

pub const NAMESPACE: &str = "default";

pub fn path(kind: Kind, name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/{}/{name}", kind.plural())
}

pub fn workload(kind: Kind, name: &str, image: &str) -> Value {
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
pub fn release(image: &str) -> Value {
    json!({
        "metadata": { "annotations": { "team": "back", "kubernetes.io/change-cause": "release 2" } },
        "spec": { "template": { "spec": { "containers": [{ "name": "main", "image": image }] } } },
    })
}

pub async fn create(api: &Api, object: &Value, kind: Kind) {
    api.create(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/{}", kind.plural()), object).await;
}

fn counts(app: &App, kind: Kind, name: &str) -> Option<(bool, u32, u32)> {
    let row = app.cluster.workload_named(kind, &Name::new(NAMESPACE, name))?;
    let counts = row.counts();
    Some((row.rollout()?.is_complete(), counts.desired, counts.ready))
}

pub async fn until_complete(board: &mut Board, kind: Kind, name: &str) {
    let is_complete = |app: &App| {
        counts(app, kind, name)
            .is_some_and(|(is_complete, desired, ready)| is_complete && desired > 0 && ready == desired)
    };
    board.until(&format!("a complete {name}"), is_complete).await;
}

/// Until the picture shows this image to be wanted, and all of it there.
pub async fn until_release(board: &mut Board, name: &str, image: &str) {
    let is_wanted = |app: &App| {
        let row = app.cluster.workload_named(Kind::Deployment, &Name::new(NAMESPACE, name));
        row.is_some_and(|row| row.images().iter().any(|known| *known.image == *image))
    };
    board.until(&format!("{name} of {image}"), is_wanted).await;
    until_complete(board, Kind::Deployment, name).await;
}

/// Until a pod of the broken release is there, so that it has begun.
pub async fn until_broken(board: &mut Board, kind: Kind, name: &str) {
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
pub fn compared(object: &Value, name: &str) -> String {
    let both = json!([object["spec"]["template"], object["metadata"]["annotations"]]);
    both.to_string().replace(name, "NAME")
}

const KINDS: [Kind; 3] = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];
/// An image that does not pull, one that crashes, one that never becomes ready.
const BROKEN: [&str; 3] = ["broken", "crash", "unready"];

pub fn kubectl(user: &User) -> Command {
    let mut command = Command::new("kubectl");
    command.args(["--kubeconfig".as_ref(), user.hollow.kubeconfig.as_os_str()]).args(["-n", NAMESPACE]);
    command
}

/// A pair for each kind and each way to be broken, and a third one for the way that is gone by hand.
fn pairs() -> Vec<(Kind, &'static str, Vec<String>)> {
    let names = |kind: Kind, how: &str| {
        let word = kind.word().to_lowercase();
        let by_hand = (how == "crash").then(|| format!("hand-{word}-{how}"));
        [format!("one-{word}-{how}"), format!("twin-{word}-{how}")].into_iter().chain(by_hand).collect()
    };
    let all = KINDS.into_iter().flat_map(|kind| BROKEN.map(|how| (kind, how)));
    all.map(|(kind, how)| (kind, how, names(kind, how))).collect()
}

#[tokio::test]
async fn what_goes_back_is_as_after_kubectls_undo_of_a_twin() {
    let user = User::of(Hollow::start(3));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    for (kind, _, names) in &pairs() {
        for name in names {
            create(&api, &workload(*kind, name, "shop/main:1"), *kind).await;
        }
    }
    for (kind, how, names) in &pairs() {
        for name in names {
            until_complete(&mut board, *kind, name).await;
            api.patch_strategic(&path(*kind, name), &release(&format!("shop/main:2-{how}"))).await;
        }
    }
    for (kind, how, names) in pairs() {
        for name in &names {
            until_broken(&mut board, kind, name).await;
        }
        let word = kind.word().to_lowercase();
        let undone = kubectl(&user).args(["rollout", "undo", &format!("{word}/{}", names[1])]).output();
        assert!(undone.unwrap().status.success());
        let target = format!("{word}/{}", names[0]);
        let run = ["run", "rollback", &target, "-n", NAMESPACE, "--yes", "--confirm", &names[0]];
        let (code, text) = user.run(&run).await;
        assert_eq!(code, 0, "{kind} {how}: {text}");
        if let Some(name) = names.get(2) {
            by_hand(&user, kind, name).await;
        }
        if kind == Kind::Deployment {
            // Its number is its controller's to write.
            until_complete(&mut board, kind, &names[1]).await;
        }
        let undone = api.get(&path(kind, &names[1])).await;
        for name in names.iter().filter(|name| **name != names[1]) {
            until_complete(&mut board, kind, name).await;
            let own = api.get(&path(kind, name)).await;
            assert_eq!(compared(&own, name), compared(&undone, &names[1]), "{kind} {how}");
        }
    }
}

/// The same in a terminal: its list, its review, and whatever has to be typed.
async fn by_hand(user: &User, kind: Kind, name: &str) {
    let (kubeconfig, name) = (user.hollow.kubeconfig.clone(), name.to_owned());
    tokio::task::spawn_blocking(move || {
        let start = sickbay(&["-n", NAMESPACE]).env("KUBECONFIG", kubeconfig.to_str().unwrap());
        let mut terminal = start.size(130, 40).start();
        terminal.wait_for("Workloads");
        terminal.press("5");
        terminal.press(&format!("/name={name}\r"));
        terminal.wait_until("one workload", |screen| {
            let text = screen.contents();
            text.contains(&name) && text.contains(" 1 of ")
        });
        terminal.press("b");
        terminal.wait_for(&format!("Rollback {} {NAMESPACE}/{name}", kind.word().to_lowercase()));
        terminal.wait_until("all answers", |screen| {
            let text = screen.contents();
            text.contains("tab goes to the next field") || text.contains(&format!("not yet: type {name:?}"))
        });
        if terminal.shown().contains("not yet: type") {
            // What goes with the pod cannot be had back.
            terminal.press("\u{1b}[Z");
            terminal.press(&name);
            terminal.press("\t");
            terminal.wait_for("tab goes to the next field");
        }
        terminal.press("\t\r");
        terminal.wait_for("Rollback: done");
        terminal.press("\u{3}");
        assert_eq!(terminal.end(), 0, "{}", terminal.shown());
    })
    .await
    .unwrap();
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
async fn who_else_has_a_say_is_named_before_anybody_agrees() {
    let user = User::of(Hollow::start(2));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    let kind = Kind::Deployment;
    let mut web = workload(kind, "web", "shop/main:1");
    let container = &mut web["spec"]["template"]["spec"]["containers"][0];
    container["resources"] = json!({ "requests": { "cpu": "100m" } });
    create(&api, &web, kind).await;
    until_complete(&mut board, kind, "web").await;
    let scaler = json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "web-scaler" },
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "minReplicas": 2,
            "maxReplicas": 4,
            "metrics": [{
                "type": "Resource",
                "resource": { "name": "memory", "target": { "type": "Utilization", "averageUtilization": 80 } },
            }],
        },
    });
    let scalers = format!("/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers");
    api.create(&scalers, &scaler).await;
    let quota = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": "team" },
        "spec": { "hard": { "pods": "3" } },
    });
    let quotas = format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas");
    api.create(&quotas, &quota).await;
    while api.get(&format!("{quotas}/team")).await["status"]["used"]["pods"] != "3" {}
    let scale = ["plan", "scale", "deployment/web", "--replicas", "9", "-n", NAMESPACE];
    let (code, text) = user.run(&scale).await;
    assert_eq!(code, 0, "warned of, and not refused: {text}");
    for said in [
        "the autoscaler web-scaler (2 to 4 pods) undoes this, and brings it back to 4",
        "the quota team leaves too little (pods)",
        "6 pods more at a time request 0.6 CPU",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    api.delete(&format!("{quotas}/team"), &json!({})).await;
    // Argo CD, Flux and Helm by the marks that they leave, and kubectl by its own.
    let marks = json!({ "metadata": {
        "labels": { "kustomize.toolkit.fluxcd.io/name": "apps" },
        "annotations": {
            "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:default/web",
            "meta.helm.sh/release-name": "web-1",
        },
    } });
    api.patch_strategic(&path(kind, "web"), &marks).await;
    api.patch_strategic(&path(kind, "web"), &release("shop/main:2")).await;
    until_release(&mut board, "web", "shop/main:2").await;
    let rollback = ["plan", "rollback", "deployment/web", "-n", NAMESPACE];
    let (code, text) = user.run(&rollback).await;
    assert_eq!(code, 0, "{text}");
    for said in [
        "Argo CD (shop:apps/Deployment:default/web) manages it",
        "Flux (apps) manages it",
        "Helm (web-1) manages it",
        "the autoscaler web-scaler (2 to 4 pods) goes on scaling it",
        "goes by shares of the memory that pods ask for, and in revision 1 main asks for none",
        "1 pod more at a time requests 0.1 CPU",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // Who may do it and may not look at either.
    let rights = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": "deployer" },
        "rules": [
            { "apiGroups": ["apps"], "resources": ["*"], "verbs": ["get", "list", "watch", "patch"] },
            { "apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"] },
        ],
    });
    let roles = "/apis/rbac.authorization.k8s.io/v1";
    api.create(&format!("{roles}/clusterroles"), &rights).await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": "deployer" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "deployer" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob" }],
    });
    api.create(&format!("{roles}/clusterrolebindings"), &binding).await;
    let (code, text) = user.run(&[&scale[..], &["--as", "bob"]].concat()).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it is not known whether something scales it by itself"), "{text}");
    assert!(text.contains("it is not known whether a quota is in the way"), "{text}");
}

#[tokio::test]
async fn somebody_elses_change_in_the_middle_is_seen_and_not_run_over() {
    let user = User::of(Hollow::start(2));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    let kind = Kind::Deployment;
    for name in ["reviewed", "watched"] {
        create(&api, &workload(kind, name, "shop/main:1-unready"), kind).await;
    }
    // The first release was never ready, so that going back to it takes for ever.
    for name in ["reviewed", "watched"] {
        until_made(&mut board, name).await;
        api.patch_strategic(&path(kind, name), &release("shop/main:2")).await;
        until_release(&mut board, name, "shop/main:2").await;
    }

    // Between the review and the answer somebody goes back by another way.
    let kubeconfig = user.hollow.kubeconfig.clone();
    let mut terminal = tokio::task::spawn_blocking(move || {
        let start = sickbay(&["-n", NAMESPACE]).env("KUBECONFIG", kubeconfig.to_str().unwrap());
        let mut terminal = start.size(130, 40).start();
        terminal.wait_for("Workloads");
        terminal.press("5/name=reviewed\r");
        terminal.wait_until("one workload", |screen| {
            let text = screen.contents();
            text.contains("reviewed") && text.contains(" 1 of ")
        });
        terminal.press("b");
        terminal.wait_for("tab goes to the next field");
        terminal
    })
    .await
    .unwrap();
    let undone = kubectl(&user).args(["rollout", "undo", "deployment/reviewed"]).output();
    assert!(undone.unwrap().status.success());
    let before = api.get(&path(kind, "reviewed")).await["metadata"]["generation"].clone();
    tokio::task::spawn_blocking(move || {
        terminal.wait_for("Nothing to do");
        terminal.press("\t\r");
        terminal.wait_for("there is nothing to do");
        terminal.press("\u{3}");
        assert_eq!(terminal.end(), 0, "{}", terminal.shown());
    })
    .await
    .unwrap();
    assert_eq!(api.get(&path(kind, "reviewed")).await["metadata"]["generation"], before);

    // During the rollout somebody takes another release.
    let child = user.begin(&["run", "rollback", "deployment/watched", "-n", NAMESPACE, "--yes"]).await;
    let is_back = |app: &App| {
        let row = app.cluster.workload_named(kind, &Name::new(NAMESPACE, "watched"));
        row.is_some_and(|row| row.images().iter().any(|image| *image.image == *"shop/main:1-unready"))
    };
    board.until("going back", is_back).await;
    while user.steps("done").is_empty() {
        board.until("anything", |_| true).await;
    }
    api.patch_strategic(&path(kind, "watched"), &release("shop/main:3")).await;
    assert_ne!(wait(child).await, 0, "what came up is not what the run was for");
    let said = user.records().iter().map(Value::to_string).collect::<String>();
    assert!(said.contains("what rolls out is not revision 1 any more"), "{said}");
    until_release(&mut board, "watched", "shop/main:3").await;
}

/// Until all its pods are there, ready or not.
async fn until_made(board: &mut Board, name: &str) {
    let is_made = |app: &App| {
        let row = app.cluster.workload_named(Kind::Deployment, &Name::new(NAMESPACE, name));
        row.is_some_and(|row| app.cluster.pods_of(row).len() == 3)
    };
    board.until(&format!("three pods of {name}"), is_made).await;
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
