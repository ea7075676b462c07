//! Drains by the program itself, on a real control plane: what kubectl decides, decided the same; and what becomes of
//! the pods, of the journal, and of what was held, refused, created anew, interrupted or cut off in the middle.

use crate::actions::{User, cordoned, node, set, wait};
use crate::board::Board;
use crate::cluster::{Api, Hollow};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sickbay::actions::drain::{Choice, Options, Removal, choices};
use sickbay::actions::{Call, CallError};
use sickbay::cluster::{Kind, Name, Node, ObjectRef, Pod, Row as _};
use sickbay::k8s::execute::{Mode, execute};
use std::collections::BTreeSet;
use std::process::Command;

const PODS: &str = "/api/v1/namespaces/default/pods";
const SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

/// A pod bound to a node, with more in its metadata and its spec.
fn pod(name: &str, on: &str, (metadata, spec): (Value, Value)) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "nodeName": on, "containers": [{ "name": "main", "image": "main" }] },
    });
    merge(&mut pod["metadata"], &metadata);
    merge(&mut pod["spec"], &spec);
    pod
}

fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().unwrap() {
        into[key] = value.clone();
    }
}

/// Pods of one label that keep to some nodes, as long as those take any.
fn replica_set(name: &str, replicas: u32, (nodes, annotations): (&[&str], Value)) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name }, "annotations": annotations },
                "spec": {
                    "terminationGracePeriodSeconds": 3,
                    "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{ "matchExpressions": [
                            { "key": "kubernetes.io/hostname", "operator": "In", "values": nodes },
                        ] }],
                    } } },
                    "containers": [{ "name": name, "image": name }],
                },
            },
        },
    })
}

fn budget(name: &str, app: &str, min: u32) -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "minAvailable": min, "selector": { "matchLabels": { "app": app } } },
    })
}

fn daemon_set(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "tolerations": [{ "operator": "Exists" }],
                    "containers": [{ "name": name, "image": name }],
                },
            },
        },
    })
}

async fn pods_on(api: &Api, node: &str) -> BTreeSet<String> {
    let pods = api.get(&format!("{PODS}?fieldSelector=spec.nodeName={node}")).await;
    let pods = pods["items"].as_array().unwrap().iter();
    pods.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// Waits until so many pods of this label are Ready.
async fn ready(board: &mut Board, app: &str, many: usize) {
    let is_ready = |pod: &&Pod| pod.meta.label("app") == Some(app) && pod.is_ready();
    let what = format!("{many} ready pods of {app}");
    board.until(&what, |shown| shown.cluster.pods.values().filter(is_ready).count() == many).await;
}

fn step<'a>(records: &'a [Value], name: &str) -> &'a Value {
    let of = |record: &&Value| {
        record["record"] == "step" && record["object"]["name"].as_str().unwrap().starts_with(name)
    };
    records.iter().find(of).unwrap_or_else(|| panic!("no step of {name}: {records:#?}"))
}

/// What kubectl would evict, and what it says may not go.
fn kubectl(user: &User, flags: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut command = Command::new("kubectl");
    command
        .env("KUBECONFIG", &user.hollow.kubeconfig)
        .args(["drain", "worker-1", "--dry-run=client"])
        .args(flags);
    let ended = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let evicted = |line: &str| Some(line.strip_prefix("evicting pod ")?.split(' ').next()?.to_owned());
    let evicted = text(&ended.stdout).lines().filter_map(evicted).collect();
    let told = text(&ended.stderr);
    let held = told.lines().filter(|line| line.starts_with("cannot delete ") && !ended.status.success());
    let held = held.filter_map(|line| line.rsplit_once(": ")).flat_map(|(_, names)| names.split(", "));
    (evicted, held.map(str::to_owned).collect())
}

#[tokio::test]
async fn the_choices_are_kubectls_on_the_same_cluster_for_the_same_flags() {
    let user = User::of(Hollow::start(2));
    let api = user.api().await;
    let owned = |kind: &str, uid: u32| {
        json!({
            "finalizers": ["test.example.com/kept"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": kind, "name": "lost", "controller": true,
                "uid": format!("00000000-0000-0000-0000-{uid:012}"),
            }],
        })
    };
    let here = |name: &str, more| pod(name, "worker-1", more);
    let scratch = json!({ "volumes": [{ "name": "scratch", "emptyDir": {} }] });
    api.create("/apis/apps/v1/namespaces/default/daemonsets", &daemon_set("agent")).await;
    api.create(SETS, &replica_set("web", 2, (&["worker-1"], json!({})))).await;
    for row in [
        here("bare", (json!({ "labels": { "app": "bare" } }), json!({}))),
        here("scratch", (json!({}), scratch.clone())),
        here("mirror", (json!({ "annotations": { "kubernetes.io/config.mirror": "x" } }), json!({}))),
        here("orphan", (owned("DaemonSet", 1), json!({}))),
        here("custom", (owned("CloneSet", 2), json!({}))),
        here("custom-scratch", (owned("CloneSet", 3), scratch.clone())),
    ] {
        api.create(PODS, &row).await;
    }
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    board.until("all pods", |app| app.cluster.pod_count("worker-1") == 9).await;
    let defaults = || Options { ignore_daemonsets: false, ..Options::default() };
    let all = || Options { ignore_daemonsets: true, force: true, delete_emptydir_data: true, ..defaults() };
    for (flags, options) in [
        (&[][..], defaults()),
        (&["--ignore-daemonsets"], Options { ignore_daemonsets: true, ..defaults() }),
        (&["--ignore-daemonsets", "--force"], Options { delete_emptydir_data: false, ..all() }),
        (&["--ignore-daemonsets", "--delete-emptydir-data"], Options { force: false, ..all() }),
        (&["--ignore-daemonsets", "--force", "--delete-emptydir-data"], all()),
        (
            &["--ignore-daemonsets", "--force", "--delete-emptydir-data", "--disable-eviction"],
            Options { disable_eviction: true, ..all() },
        ),
        (&["--pod-selector", "app in (web)"], Options { pod_selector: "app in (web)".into(), ..defaults() }),
        (
            &["--pod-selector", "app,app!=web", "--ignore-daemonsets"],
            Options { pod_selector: "app,app!=web".into(), ignore_daemonsets: true, ..defaults() },
        ),
    ] {
        let cluster = &board.app.cluster;
        let node = cluster.node("worker-1").unwrap().object();
        let chosen = choices(&options, &node, (cluster, board.now()));
        let of = |wanted: fn(Choice) -> bool| -> BTreeSet<String> {
            let of = chosen.iter().filter(|chosen| wanted(chosen.choice));
            of.map(|chosen| chosen.pod.name.to_string()).collect()
        };
        let held = of(|choice| choice == Choice::Block);
        // As a whole or not at all.
        let going = if held.is_empty() { of(Choice::goes) } else { BTreeSet::new() };
        assert_eq!((going, held), kubectl(&user, flags), "{flags:?}");
    }
}

#[tokio::test]
async fn an_eviction_that_is_only_tried_or_meant_for_another_pod_ends_none() {
    let user = User::of(Hollow::start(1));
    let board = Board::connect(&user.hollow.kubeconfig, None).await;
    let api = Api(board.session.client());
    let made = api.create(PODS, &pod("bare", "worker-0", (json!({}), json!({})))).await;
    let uid = made["metadata"]["uid"].as_str().unwrap();
    let removal = |uid: &str| {
        Box::new(Removal {
            pod: ObjectRef { kind: Kind::Pod, name: Name::new("default", "bare"), uid: uid.into() },
            node: ObjectRef { kind: Kind::Node, name: Name::cluster("worker-0"), uid: "".into() },
            workload: None,
            grace: Some(1),
            skip_wait: 0,
        })
    };
    for call in [Call::Evict, Call::DeletePod] {
        let dry = execute(&board.session, &call(removal(uid)), Mode::DryRun).await;
        assert_eq!(dry, Ok(()));
        let other = execute(&board.session, &call(removal("another")), Mode::Real).await;
        assert!(matches!(other, Err(CallError::Conflict { .. })), "{other:?}");
        let left = api.get(&format!("{PODS}/bare")).await;
        assert_eq!(left["metadata"]["deletionTimestamp"], Value::Null, "{left}");
    }
    assert_eq!(execute(&board.session, &Call::Evict(removal(uid)), Mode::Real).await, Ok(()));
}

/// What a node has to be drained of: held by a budget that opens later, slow, bare, with data, and under two budgets.
#[tokio::test]
async fn a_node_is_drained_under_budgets_that_open_later_and_what_stays_is_told() {
    let user = User::of(Hollow::start(3));
    let api = user.api().await;
    api.create("/apis/apps/v1/namespaces/default/daemonsets", &daemon_set("agent")).await;
    let slow = json!({ "hollow/shutdown-seconds": "30" });
    for (name, annotations) in [("web", json!({})), ("slow", slow), ("twice", json!({}))] {
        api.create(SETS, &replica_set(name, 1, (&["worker-1"], annotations))).await;
    }
    // The same name comes up again elsewhere while the drain goes on.
    let mut again = replica_set("again", 1, (&["worker-1"], json!({})));
    again["kind"] = json!("StatefulSet");
    again["spec"]["serviceName"] = json!("again");
    api.create("/apis/apps/v1/namespaces/default/statefulsets", &again).await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    for name in ["web", "slow", "twice", "again"] {
        ready(&mut board, name, 1).await;
    }
    for row in [budget("web", "web", 1), budget("one", "twice", 0), budget("two", "twice", 0)] {
        api.create(BUDGETS, &row).await;
    }
    api.create(PODS, &pod("bare", "worker-1", (json!({}), json!({})))).await;
    let scratch = json!({ "volumes": [{ "name": "scratch", "emptyDir": {} }] });
    api.create(PODS, &pod("scratch", "worker-1", (json!({}), scratch))).await;
    ready(&mut board, "agent", 3).await;
    board.until("all pods", |app| app.cluster.pods.get(&Name::new("default", "scratch")).is_some()).await;

    let drain = ["drain", "worker-1", "--force", "--delete-emptydir-data"];
    let (code, text) = user.run(&[&["plan"], &drain[..]].concat()).await;
    assert_eq!(code, 0, "{text}");
    for words in
        ["it never lets its pod here go", "has 2 budgets (default/one, default/two)", "no controller"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (code, text) = user.run(&[&["run"], &drain[..], &["--yes"]].concat()).await;
    assert!(code == 4 && text.contains("type \"worker-1\" to confirm"), "{text}");
    assert_eq!(cordoned(&api).await, set(&[]));

    let yes = ["--yes", "--confirm", "worker-1", "--timeout", "90s"];
    let child = user.begin(&[&["run"], &drain[..], &yes].concat()).await;
    board
        .until("the others to be gone", |app| {
            let on = app.cluster.pods_on("worker-1").map(|pod| pod.meta.name.name.to_string());
            let left: BTreeSet<String> = on.filter(|name| !name.starts_with("agent-")).collect();
            left.iter().all(|name| name.starts_with("web-") || name.starts_with("twice-"))
        })
        .await;
    // Held all that while: then its budget opens.
    assert!(pods_on(&api, "worker-1").await.iter().any(|name| name.starts_with("web-")));
    api.delete(&format!("{BUDGETS}/web"), &Value::Null).await;
    assert_eq!(wait(child).await, 5, "one pod is under two budgets");

    let left = pods_on(&api, "worker-1").await;
    assert!(left.iter().all(|name| name.starts_with("agent-") || name.starts_with("twice-")), "{left:?}");
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(cordoned(&api).await, set(&["worker-1"]));
    let records = user.records();
    let twice = step(&records, "twice-");
    assert_eq!((&twice["call"], &twice["result"]), (&"evict".into(), &"failed".into()));
    assert!(twice["reason"].as_str().unwrap().contains("more than one PodDisruptionBudget"), "{twice}");
    for name in ["bare", "scratch", "again"] {
        assert_eq!(step(&records, name)["result"], "done");
    }
    let anew = api.get(&format!("{PODS}/again-0")).await;
    assert_ne!(anew["metadata"]["uid"], step(&records, "again")["object"]["uid"]);
    assert_eq!(anew["metadata"]["deletionTimestamp"], Value::Null, "nobody asked that one to go: {anew}");
    assert_ne!(anew["spec"]["nodeName"], "worker-1");
    let slow = step(&records, "slow-")["reason"].as_str().unwrap();
    assert!(slow.contains("all of its 3 s of grace"), "{slow}");
    assert_eq!(step(&records, "web-")["result"], "done");
    let looked = records.iter().rfind(|record| record["record"] == "step").unwrap();
    assert!(looked["reason"].as_str().unwrap().contains("default/twice-"), "{looked}");

    let run = records[0]["run"].as_str().unwrap().to_owned();
    let (code, text) = user.run(&["runs", "undo", &run, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await, set(&[]));
}

#[tokio::test]
async fn a_drain_outlives_its_api_server_and_can_be_interrupted_and_taken_up() {
    let mut user = User::of(Hollow::start(3));
    let api = user.api().await;
    let slow = json!({ "hollow/shutdown-seconds": "2" });
    let all = ["worker-0", "worker-1", "worker-2"];
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    // Or all pods are on the first of them.
    let is_open = |node: &&Node| node.is_ready() && node.taints.is_empty();
    board.until("three nodes", |app| app.cluster.nodes.values().filter(is_open).count() == 3).await;
    api.create(SETS, &replica_set("web", 30, (&all, slow))).await;
    ready(&mut board, "web", 30).await;
    assert_ne!(pods_on(&api, "worker-0").await, set(&[]));

    // Who may only look is told what they may not.
    let (code, text) = user.run(&["run", "drain", "worker-0", "--yes", "--context", "viewer"]).await;
    assert!(code == 4 && text.contains("you may not create pods/eviction in default"), "{text}");
    let (code, text) = user.run(&["plan", "drain", "worker-0", "--context", "namespaced"]).await;
    assert_ne!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await, set(&[]));

    // Killed in the middle, and back.
    let child = user.begin(&["run", "drain", "worker-0", "--yes", "--wait-for-replacements"]).await;
    user.hollow.stop();
    user.hollow.start_again();
    assert_eq!(wait(child).await, 0);
    assert_eq!(pods_on(&api, "worker-0").await, set(&[]));
    let done = user.records();
    let ended = done.iter().find(|record| record["record"] == "ended").unwrap();
    assert_eq!(ended["outcome"], "done", "{ended}");

    // Interrupted in the middle, and taken up.
    api.create(BUDGETS, &budget("web", "web", 30)).await;
    board
        .until("a budget that allows nothing", |app| {
            app.cluster.pod_disruption_budgets.values().any(|budget| budget.never_allows())
        })
        .await;
    let before = pods_on(&api, "worker-1").await;
    let child = user.begin(&["run", "drain", "worker-1", "--yes"]).await;
    board.until("a cordon", |app| app.cluster.node("worker-1").is_some_and(|node| node.is_cordoned())).await;
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(wait(child).await, 5);
    assert_eq!(pods_on(&api, "worker-1").await, before, "its budget held all of them");
    let records = user.records();
    let run =
        records.iter().find(|record| record["targets"][0]["name"] == "worker-1").unwrap()["run"].clone();
    let of_run: Vec<&Value> = records.iter().filter(|record| record["run"] == run).collect();
    assert_eq!(of_run.last().unwrap()["outcome"], "stopped");
    assert_eq!(of_run.iter().filter(|record| record["result"] == "stopped").count(), before.len() + 1);
    api.delete(&format!("{BUDGETS}/web"), &Value::Null).await;
    let (code, text) = user.run(&["runs", "resume", run.as_str().unwrap(), "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(pods_on(&api, "worker-1").await, set(&[]));
}

#[tokio::test]
async fn a_node_that_falls_silent_in_the_middle_is_given_up_with_what_to_do() {
    let user = User::of(Hollow::start(3));
    let api = user.api().await;
    let slow = json!({ "hollow/shutdown-seconds": "300" });
    let mut stay = replica_set("stay", 3, (&["worker-1"], slow));
    stay["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(300);
    api.create(SETS, &stay).await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    ready(&mut board, "stay", 3).await;
    let child = user.begin(&["run", "drain", "worker-1", "--yes"]).await;
    board.until("pods on their way out", |app| app.cluster.deleting_pods().count() == 3).await;
    api.faults(json!({ "down": "worker-1" })).await;
    assert_eq!(wait(child).await, 5);
    let records = user.records();
    let failed: Vec<&Value> = records.iter().filter(|record| record["result"] == "failed").collect();
    assert_eq!(failed.len(), 3, "{records:#?}");
    for step in failed {
        assert!(step["reason"].as_str().unwrap().contains("nothing confirms that it is gone"), "{step}");
    }
    assert_eq!(records.last().unwrap()["outcome"], "stopped");
    let (code, text) = user.run(&["plan", "drain", "worker-1"]).await;
    assert!(
        code == 4 && text.contains("node worker-1 is silent") && text.contains("out of service"),
        "{text}"
    );
    assert_eq!(node(&api, "worker-1").await["spec"]["unschedulable"], true);
}
