//! Invariant: text that came from the cluster reaches the terminal, or a pipe, only through the sanitiser.

use crate::terminal::sickbay;
use sickbay::demo::{Demo, Options, Resource};
use serde_json::json;
use std::io::Write as _;
use std::process::Command;
use tempfile::NamedTempFile;

/// Colour, title, cursor, the eight-bit introducer, a bell, a new line, and letters that run backwards.
const HOSTILE: &str =
    "EVIL\u{1b}[31m\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}5n\r\n\u{8}\u{202e}sdrawkcab\u{2066}\u{200b}LIVE";
/// What must never come out.
const RAW: [&str; 8] =
    ["\u{1b}[31m", "\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{8}", "\u{200b}"];

/// A cluster with a dead node, in which everything that can hold text says something hostile.
async fn cluster() -> (Demo, NamedTempFile) {
    let demo = Demo::start(Options::default()).await.unwrap();
    let silent = json!({"status": {"conditions": [{
        "type": "Ready", "status": "Unknown", "reason": HOSTILE, "message": HOSTILE,
        "lastTransitionTime": "2026-01-01T00:00:00Z", "lastHeartbeatTime": "2026-01-01T00:00:00Z",
    }]}});
    demo.patch(Resource::Nodes, "", "worker-2", &silent).unwrap();
    let pod = demo.put(Resource::Pods, json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "aaa-hostile", "namespace": "default", "labels": {"app": HOSTILE}},
        "spec": {"nodeName": "worker-2", "containers": [{"name": "c", "image": HOSTILE}]},
        "status": {"phase": "Failed", "reason": HOSTILE, "message": HOSTILE},
    }));
    demo.put(Resource::Events, json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": "aaa-hostile.1", "namespace": "default"},
        "involvedObject": {
            "kind": "Pod", "namespace": "default", "name": "aaa-hostile", "uid": pod["metadata"]["uid"],
        },
        "type": "Warning", "reason": HOSTILE, "message": HOSTILE,
        "lastTimestamp": "2026-01-01T00:00:00Z", "count": 3,
    }));
    let mut kubeconfig = NamedTempFile::new().unwrap();
    kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
    (demo, kubeconfig)
}

fn assert_clean(written: &[u8], place: &str) {
    let text = String::from_utf8_lossy(written);
    for raw in RAW {
        assert!(!text.contains(raw), "{raw:?} came out on {place}");
    }
    assert!(text.contains("EVIL"), "the text is left out on {place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_never_reaches_the_terminal_raw() {
    let (_demo, kubeconfig) = cluster().await;
    let file = kubeconfig.path().to_str().unwrap();
    let mut terminal = sickbay(&["--kubeconfig", file]).size(160, 48).start();
    terminal.wait_for("worker-2");
    terminal.press("3");
    terminal.wait_for("aaa-hostile");
    // The first by name.
    terminal.press("Ng\r");
    terminal.wait_until("the open pod", |screen| screen.contents().matches("EVIL").count() > 1);
    assert_clean(&terminal.written, "the screen of a pod");
    terminal.press("\u{1b}");
    terminal.press("2");
    terminal.wait_for("CORDON");
    terminal.press("1");
    terminal.wait_for("Triage");
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), 0);
    assert_clean(&terminal.written, "any screen");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_never_reaches_a_pipe_raw() {
    let (_demo, kubeconfig) = cluster().await;
    for output in ["table", "json", "yaml"] {
        let mut findings = Command::new(env!("CARGO_BIN_EXE_sickbay"));
        findings.args(["findings", "-o", output, "--kubeconfig"]).arg(kubeconfig.path());
        let printed = tokio::task::spawn_blocking(move || findings.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&printed.stdout);
        assert!(text.contains("worker-2"), "{output}: {text}");
        for raw in RAW {
            assert!(!text.contains(raw), "{raw:?} came out as {output}");
        }
    }
}
