//! Cordon and uncordon by the program itself, on a real control plane: what becomes of the nodes, of the journal, and
//! of what was cut off, refused, created anew or interrupted in the middle.

use crate::board::Board;
use crate::cluster::{Api, Hollow};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sickbay::actions::{Author, Call, CallError, RunId};
use sickbay::app::App;
use sickbay::cluster::{Kind, Name, ObjectRef};
use sickbay::k8s::execute::{Mode, execute};
use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A user with a home of their own, at a cluster.
pub struct User {
    pub hollow: Hollow,
    state: TempDir,
}

impl User {
    pub fn of(hollow: Hollow) -> Self {
        let state = tempfile::tempdir().unwrap();
        let config = state.path().join("sickbay");
        std::fs::create_dir(&config).unwrap();
        // Whoever does so much at once has said that they mean it.
        std::fs::write(config.join("config.yaml"), "actions: {most-targets: 60}\n").unwrap();
        Self { hollow, state }
    }

    /// The config from now on; nobody else can write it.
    pub fn configure(&self, text: &str) {
        let folder = self.state.path().join("sickbay");
        let file = folder.join("config.yaml");
        std::fs::write(&file, text).unwrap();
        for (path, mode) in [(&file, 0o644), (&folder, 0o755)] {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sickbay"));
        command.args(arguments).env_clear().env("HOME", "/nonexistent").env("USER", "alice");
        command.env("XDG_STATE_HOME", self.state.path()).env("XDG_CONFIG_HOME", self.state.path());
        command.env("KUBECONFIG", &self.hollow.kubeconfig);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub async fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = self.command(arguments);
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        told(&ended)
    }

    /// Starts it, and returns when it has told that it begins.
    pub async fn begin(&self, arguments: &[&str]) -> Child {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        tokio::task::spawn_blocking(move || {
            let first = lines.next().unwrap().unwrap();
            assert!(first.contains(" begins to "), "{first}");
            // Or it would block when the pipe is full.
            std::thread::spawn(move || lines.for_each(drop));
            child
        })
        .await
        .unwrap()
    }

    pub fn records(&self) -> Vec<Value> {
        let files = std::fs::read_dir(self.state.path().join("sickbay/journal")).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let texts: Vec<String> = texts.collect();
        texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The objects of the steps of which this is recorded.
    pub fn steps(&self, result: &str) -> BTreeSet<String> {
        let records = self.records();
        let steps = records.iter().filter(|record| record["record"] == "step" && record["result"] == result);
        steps.map(|step| step["object"]["name"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn api(&self) -> Api {
        Api(Board::connect(&self.hollow.kubeconfig, None).await.session.client())
    }
}

fn told(ended: &Output) -> (i32, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (ended.status.code().unwrap_or(-1), text(&ended.stdout) + &text(&ended.stderr))
}

pub async fn wait(child: Child) -> i32 {
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    ended.status.code().unwrap_or(-1)
}

pub async fn node(api: &Api, name: &str) -> Value {
    api.get(&format!("/api/v1/nodes/{name}")).await
}

pub async fn cordoned(api: &Api) -> BTreeSet<String> {
    let nodes = api.get("/api/v1/nodes").await;
    let nodes = nodes["items"].as_array().unwrap();
    let cordoned = nodes.iter().filter(|node| node["spec"]["unschedulable"] == true);
    cordoned.map(|node| node["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

pub fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn nodes_are_cordoned_and_put_back_with_all_that_is_written_of_it() {
    let user = User::of(Hollow::start(3));
    let api = user.api().await;
    let (code, text) =
        user.run(&["run", "cordon", "worker-0", "worker-1", "--yes", "--why", "rack move"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await, set(&["worker-0", "worker-1"]));
    let annotations = &node(&api, "worker-0").await["metadata"]["annotations"];
    assert_eq!(annotations["sickbay.dev/cordoned-why"], "rack move");
    assert_eq!(user.steps("done"), set(&["worker-0", "worker-1"]));

    let (code, text) = user.run(&["run", "cordon", "worker-1", "--yes"]).await;
    assert!(code == 0 && text.contains("nothing to do"), "{text}");
    let (code, text) = user.run(&["run", "uncordon", "worker-1", "--yes", "--context", "viewer"]).await;
    assert!(code == 4 && text.contains("you may not patch nodes worker-1"), "{text}");
    assert_eq!(cordoned(&api).await, set(&["worker-0", "worker-1"]));

    // The one is deleted and registers afresh: what was done to the old one is not taken back on the new one.
    api.faults(json!({ "down": "worker-0" })).await;
    let old = node(&api, "worker-0").await["metadata"]["uid"].as_str().unwrap().to_owned();
    // It is off when it is silent, and not when somebody says so.
    let mut board = Board::connect(&user.hollow.kubeconfig, None).await;
    board.until("a silent node", |app| app.cluster.unready_nodes().next().is_some()).await;
    api.delete("/api/v1/nodes/worker-0", &Value::Null).await;
    api.faults(json!({ "down": "" })).await;
    let is_new = |app: &App| app.cluster.node("worker-0").is_some_and(|node| *node.meta.uid != *old);
    board.until("a node created anew", is_new).await;
    let run = user.records()[0]["run"].as_str().unwrap().to_owned();
    let (code, text) = user.run(&["runs", "undo", &run, "--yes"]).await;
    assert!(code == 4 && text.contains("worker-0 was deleted and created anew"), "{text}");
    let (code, text) = user.run(&["run", "uncordon", "worker-1", "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await, set(&[]));
    let left = node(&api, "worker-1").await["metadata"]["annotations"].to_string();
    assert!(!left.contains("sickbay.dev"), "{left}");
}

#[tokio::test]
async fn the_server_refuses_what_is_for_another_version_or_another_object() {
    let user = User::of(Hollow::start(1));
    let board = Board::connect(&user.hollow.kubeconfig, None).await;
    let api = Api(board.session.client());
    let before = node(&api, "worker-0").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let call = |uid: String, version: String| Call::Cordon {
        node: ObjectRef { kind: Kind::Node, name: Name::cluster("worker-0"), uid: uid.into() },
        version: version.into(),
        author: Author {
            who: "alice".into(),
            run: RunId::new("t-1"),
            at: board.session.clock.now(),
            kit: std::sync::Arc::default(),
            fenced: Vec::new(),
        },
        why: "".into(),
    };
    let uid = text(&before["metadata"]["uid"]);
    let stale = execute(&board.session, &call(uid.clone(), "1".to_owned()), Mode::Real).await;
    assert!(matches!(stale, Err(CallError::Conflict { .. })), "{stale:?}");
    for mode in [Mode::Real, Mode::DryRun] {
        let version = text(&node(&api, "worker-0").await["metadata"]["resourceVersion"]);
        let other = execute(&board.session, &call("another".to_owned(), version), mode).await;
        assert!(
            matches!(other, Err(CallError::Conflict { .. } | CallError::Invalid { .. })),
            "{mode:?}: {other:?}"
        );
    }
    let dry = execute(&board.session, &call(uid, "1".to_owned()), Mode::DryRun).await;
    assert_eq!(dry, Ok(()));
    assert_eq!(cordoned(&api).await, set(&[]), "nothing of it was carried out");
}

/// Sixty nodes, so that something can happen in the middle.
async fn many() -> (User, Api, Vec<String>) {
    let user = User::of(Hollow::start(60));
    let api = user.api().await;
    while api.get("/api/v1/nodes").await["items"].as_array().unwrap().len() < 60 {}
    let names = (0..60).map(|n| format!("worker-{n}")).collect();
    (user, api, names)
}

fn cordon(names: &[String]) -> Vec<&str> {
    ["run", "cordon"].into_iter().chain(names.iter().map(String::as_str)).chain(["--yes"]).collect()
}

#[tokio::test]
async fn an_api_server_that_is_away_in_the_middle_holds_a_run_up_and_no_more() {
    let (mut user, api, names) = many().await;
    let child = user.begin(&cordon(&names)).await;
    user.hollow.stop();
    user.hollow.start_again();
    assert_eq!(wait(child).await, 0);
    let all: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(cordoned(&api).await, all);
    let mut recorded = user.steps("done");
    recorded.extend(user.steps("needless"));
    assert_eq!(recorded, all);
    assert_eq!(user.records().len(), 62, "one record a step, one before and one after");
}

#[tokio::test]
async fn an_interrupt_stops_a_run_and_what_is_left_can_be_taken_up() {
    let (user, api, names) = many().await;
    let child = user.begin(&cordon(&names)).await;
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(wait(child).await, 5);
    let done = cordoned(&api).await;
    assert!(done.len() < 60, "it was to be in the middle");
    assert_eq!(user.steps("done"), done);
    assert_eq!(user.steps("stopped").len(), 60 - done.len());
    let run = user.records()[0]["run"].as_str().unwrap().to_owned();
    let (code, text) = user.run(&["runs", "resume", &run, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await.len(), 60);
    let (code, text) = user.run(&["runs", "undo", &run, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await.len(), 60 - done.len(), "what the first run did, and no more");
}

#[tokio::test]
async fn a_run_that_was_killed_is_found_again_and_taken_up() {
    let (user, api, names) = many().await;
    let mut child = user.begin(&cordon(&names)).await;
    child.kill().unwrap();
    wait(child).await;
    let (_, text) = user.run(&["runs"]).await;
    assert!(text.contains("cut off") && text.contains("take it up: sickbay runs resume"), "{text}");
    let run = user.records()[0]["run"].as_str().unwrap().to_owned();
    let (code, text) = user.run(&["runs", "resume", &run, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(cordoned(&api).await.len(), 60);
}
