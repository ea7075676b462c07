//! Invariant: text that came from the cluster reaches the terminal, or a pipe, only through the sanitiser.

use crate::terminal::sickbay;
use serde_json::json;
use sickbay::demo::{Demo, Resource};
use std::io::Write as _;
use std::process::Command;
use tempfile::NamedTempFile;

/// Colour, title, cursor, the eight-bit introducer, a bell, a new line, and letters that run backwards.
const HOSTILE: &str =
    "EVIL\u{1b}[31m\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}5n\r\n\u{8}\u{202e}sdrawkcab\u{2066}\u{200b}LIVE";
/// What must never come out.
const RAW: [&str; 8] =
    ["\u{1b}[31m", "\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{8}", "\u{200b}"];

/// A cluster with a dead node, in which everything that can hold text says something hostile. Nobody acts in it, so
/// it stays as it is.
async fn cluster() -> (Demo, NamedTempFile) {
    let demo = Demo::empty().await.unwrap();
    let long_ago = "2026-01-01T00:00:00Z";
    demo.put(
        Resource::Nodes,
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "worker-2", "labels": {"topology.kubernetes.io/zone": HOSTILE}},
            "status": {
                "nodeInfo": {"kubeletVersion": HOSTILE},
                "conditions": [{
                    "type": "Ready", "status": "Unknown", "reason": HOSTILE, "message": HOSTILE,
                    "lastTransitionTime": long_ago, "lastHeartbeatTime": long_ago,
                }],
            },
        }),
    );
    let pod = demo.put(
        Resource::Pods,
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "victim", "namespace": "default", "deletionTimestamp": long_ago,
                "deletionGracePeriodSeconds": 30, "finalizers": [HOSTILE],
            },
            "spec": {"nodeName": "worker-2", "containers": [{"name": "c", "image": HOSTILE}]},
            "status": {
                "phase": "Running", "reason": HOSTILE, "message": HOSTILE, "podIP": HOSTILE,
                "containerStatuses": [{
                    "name": "c", "restartCount": 1, "ready": false, "image": HOSTILE, "imageID": "",
                    "state": {"waiting": {"reason": HOSTILE, "message": HOSTILE}},
                }],
            },
        }),
    );
    demo.put(
        Resource::Events,
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "victim.1", "namespace": "default"},
            "involvedObject": {
                "kind": "Pod", "namespace": "default", "name": "victim", "uid": pod["metadata"]["uid"],
            },
            "type": "Warning", "reason": HOSTILE, "message": HOSTILE, "lastTimestamp": long_ago, "count": 3,
        }),
    );
    let mut kubeconfig = NamedTempFile::new().unwrap();
    kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
    (demo, kubeconfig)
}

fn assert_clean(written: &[u8], place: &str) {
    let text = String::from_utf8_lossy(written);
    for raw in RAW {
        assert!(!text.contains(raw), "{raw:?} came out on {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_never_reaches_the_terminal_raw() {
    let (_demo, kubeconfig) = cluster().await;
    let file = kubeconfig.path().to_str().unwrap();
    let mut terminal = sickbay(&["--kubeconfig", file]).size(160, 48).start();
    terminal.wait_for("worker-2");
    // Each screen, and the object on it.
    for (screen, object) in [("1", "worker-2"), ("2", "worker-2"), ("3", "victim")] {
        terminal.press(screen);
        terminal.wait_for(object);
        terminal.press("\r");
        terminal.wait_until("hostile text, made safe", |screen| screen.contents().contains("EVIL"));
        assert_clean(&terminal.written, &format!("screen {screen}"));
        terminal.press("q");
    }
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
        assert!(text.contains("worker-2") && text.contains("victim"), "{output}: {text}");
        assert_clean(&printed.stdout, output);
        assert_eq!(printed.status.code(), Some(0), "{}", String::from_utf8_lossy(&printed.stderr));
    }
}
