//! Configured commands on a real control plane: machines that are switched off or reset by a script, and what the
//! program makes of that. The scripts ask the test, which breaks and heals the nodes.

use crate::dead_node::{Going, Ward, is_whole_without, postgres, row};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A command that asks the test what to do, and how to end.
struct Script {
    dir: TempDir,
}

impl Script {
    fn new() -> Self {
        let script = Self { dir: tempfile::tempdir().unwrap() };
        let pipes = ["asked", "answer"].map(|name| script.path(name));
        assert!(Command::new("mkfifo").args(pipes).status().unwrap().success());
        let dir = script.dir.path().display();
        let ask = format!("#!/bin/sh\necho \"$@\" > {dir}/asked\nread code < {dir}/answer\nexit $code\n");
        write_program(&script.path("ask"), &ask);
        write_program(&script.path("power"), &format!("#!/bin/sh\nexec cat {dir}/state\n"));
        script.power("on");
        script
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn power(&self, state: &str) {
        std::fs::write(self.path("power.new"), state).unwrap();
        std::fs::rename(self.path("power.new"), self.path("state")).unwrap();
    }

    /// Waits until it is run, and gives its arguments.
    async fn asked(&self) -> String {
        let path = self.path("asked");
        let asked = tokio::task::spawn_blocking(move || std::fs::read_to_string(path).unwrap());
        asked.await.unwrap().trim().to_owned()
    }

    async fn end(&self, code: u8) {
        let path = self.path("answer");
        tokio::task::spawn_blocking(move || std::fs::write(path, format!("{code}\n")).unwrap())
            .await
            .unwrap();
    }

    /// The config that has it for this purpose, in this cluster.
    fn config(&self, (server, uid): (&str, &str), commands: &[&str]) -> String {
        let dir = self.dir.path().display().to_string();
        let commands = commands.join("\n      ").replace("$DIR", &dir);
        format!(
            "clusters:\n  {server}:\n    kube-system: {uid}\n    machine:\n      id: name\n      {commands}\n"
        )
    }
}

/// Written by another process: what this one has open when something is started cannot be started itself.
fn write_program(path: &Path, text: &str) {
    let write = r#"printf %s "$1" > "$0" && chmod 755 "$0""#;
    assert!(Command::new("sh").args(["-c", write]).arg(path).arg(text).status().unwrap().success());
}

const OFF: &str = "fence: {kind: off, command: [$DIR/ask, off, '{id}']}";
const RESET: &str = "fence: {kind: reset, command: [$DIR/ask, reset, '{id}']}";
const POWER: &str = "power: {command: [$DIR/power, '{node}']}";
const RESTART: &str = "restart-kubelet: {command: [$DIR/ask, restart, '{node}']}";

/// Where the cluster is, and which.
async fn place(ward: &Ward) -> (String, String) {
    let namespace = ward.api.get("/api/v1/namespaces/kube-system").await;
    let uid = namespace["metadata"]["uid"].as_str().unwrap().to_owned();
    (ward.board.session.server.clone(), uid)
}

/// The commands that were run, by what for, with how their steps ended.
fn commands(ward: &Ward) -> Vec<(String, String)> {
    let mut records = ward.user.records();
    records.sort_by_key(|record| record["at"].as_str().unwrap().to_owned());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = records.iter().filter(|record| !record["command"].is_null());
    steps.map(|record| (text(&record["command"]["purpose"]), text(&record["result"]))).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[tokio::test]
async fn a_machine_is_switched_off_seen_to_be_off_and_then_detached() {
    let mut ward = Box::pin(Ward::start()).await;
    let (node, script) = (ward.node.clone(), Script::new());
    let (server, uid) = place(&ward).await;
    let commands_of = |uid: &str| script.config((&server, uid), &[OFF, POWER, RESTART]);

    // Not one that works, not in another cluster, and not where nothing may be changed.
    ward.user.configure(&commands_of(&uid));
    let (code, text) = ward.run_words(&["run", "fence", &node, "--yes", "--confirm", &node]).await;
    assert!(code == 4 && text.contains("is Ready: its kubelet talks"), "{text}");
    ward.fails("partitioned").await;
    ward.user.configure(&commands_of("00000000-0000-4000-8000-000000000000"));
    let (code, text) = ward.run_words(&["run", "fence", &node, "--yes"]).await;
    assert!(code == 4 && text.contains("for another cluster"), "{text}");
    ward.user.configure(&commands_of(&uid));
    let (code, text) = ward.run_words(&["run", "fence", &node, "--yes", "--read-only"]).await;
    assert!(code == 4 && text.contains("this session is read-only"), "{text}");

    // The kubelet first: its machine lives.
    let restart = ["run", "restart-kubelet", &node, "--yes"].map(str::to_owned);
    let going = Going::begin(&ward.user, &restart);
    assert_eq!(script.asked().await, format!("restart {node}"));
    ward.heals("partitioned").await;
    script.end(0).await;
    let (code, text) = going.end().await;
    assert_eq!(code, 0, "{text}");
    ward.board.until("the node is ready", |app| row(app, &node).is_ready()).await;

    // A command that says that it is done is not believed before the power is gone.
    ward.node = postgres(&ward.board.app).next().unwrap().node.to_string();
    let node = ward.node.clone();
    ward.fails("partitioned").await;
    let words = ["run", "force-detach", &node, "--yes", "--confirm", &node].map(str::to_owned);
    let mut going = Going::begin(&ward.user, &words);
    assert_eq!(script.asked().await, format!("off {node}"));
    script.end(0).await;
    going.until("not off yet: on");
    assert!(!row(&ward.board.app, &node).is_out_of_service());
    ward.api.faults(json!({ "partitioned": "", "down": node })).await;
    script.power("off");
    ward.board.until("every replica elsewhere", |app| is_whole_without(app, &node)).await;
    let (code, text) = going.end().await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(ward.done(), ["cordon", "out-of-service"], "{text}");
    assert_eq!(commands(&ward), owned(&[("restart-kubelet", "done"), ("switch-off", "done")]));
}

#[tokio::test]
async fn a_reset_waits_for_the_boot_and_detaches_nothing_and_a_fence_counts_for_the_next_run() {
    let mut ward = Box::pin(Ward::start()).await;
    let (node, script) = (ward.node.clone(), Script::new());
    let (server, uid) = place(&ward).await;
    let place = (server.as_str(), uid.as_str());
    ward.user.configure(&script.config(place, &[RESET]));
    ward.fails("down").await;
    let mut going = Going::begin(&ward.user, &["run", "fence", &node, "--yes"].map(str::to_owned));
    assert_eq!(script.asked().await, format!("reset {node}"));
    script.end(0).await;
    going.until("with its old boot");
    // It was reset, and is silent: nothing says that it is off.
    let (code, text) = ward.run_words(&["run", "force-detach", &node, "--yes", "--confirm", &node]).await;
    assert!(code == 4 && text.contains("nothing proves that"), "{text}");
    ward.heals("down").await;
    let (code, text) = going.end().await;
    assert_eq!(code, 0, "{text}");
    ward.board.until("the node is ready", |app| row(app, &node).is_ready()).await;
    assert!(!row(&ward.board.app, &node).is_out_of_service());
    assert_eq!(ward.done(), [""; 0], "nothing was sent");

    // Switched off by one run, and detached by another, without a way to look at the power.
    ward.user.configure(&script.config(place, &[OFF]));
    ward.board.until("whole again", |app| is_whole_without(app, "")).await;
    ward.node = postgres(&ward.board.app).next().unwrap().node.to_string();
    let node = ward.node.clone();
    ward.fails("down").await;
    let going = Going::begin(&ward.user, &["run", "fence", &node, "--yes"].map(str::to_owned));
    assert_eq!(script.asked().await, format!("off {node}"));
    script.end(0).await;
    let (code, text) = going.end().await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = ward.run_words(&["run", "force-detach", &node, "--yes", "--confirm", &node]).await;
    assert_eq!(code, 0, "{text}");
    let records = ward.user.records();
    let checks: Vec<String> = records.iter().map(|record| record["checks"].to_string()).collect();
    assert!(checks.iter().any(|checks| checks.contains("was switched off by a run before")), "{checks:?}");
    ward.board.until("every replica elsewhere", |app| is_whole_without(app, &node)).await;
    assert_eq!(ward.done(), ["cordon", "out-of-service"], "{text}");
    assert_eq!(commands(&ward), owned(&[("reset", "done"), ("switch-off", "done")]));
}
