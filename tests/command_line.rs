//! The program as scripts and pipes meet it: no terminal, arguments in; two streams and an exit code out.
//!
//! What the messages about a connection say is held in `connect` and `k8s::kubeconfig`; here is where they come
//! out. Whatever is run, nothing but text is printed, and a failure leaves standard output empty.
#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "command_line/actions.rs"]
mod actions;
#[path = "command_line/program.rs"]
mod program;

use http::StatusCode;
use program::{Cluster, Run, run, sickbay};
use serde_json::Value;
use sickbay::demo::{Resource, Scenario, Scope};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

const CALM: &str = "nothing is wrong that sickbay looks for\n";

// -- usage ----------------------------------------------------------------------------------------------------

#[test]
fn help_and_version_are_answers_and_no_errors() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    for word in ["findings", "demo", "--kubeconfig", "--context", "--read-only"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    let version = run(&["--version"]);
    assert_eq!(
        (version.code, version.out),
        (0, concat!("sickbay ", env!("CARGO_PKG_VERSION"), "\n").to_owned())
    );
}

#[test]
fn what_is_not_understood_is_answered_with_the_nearest() {
    for (arguments, nearest) in [
        (&["--kubeconfg", "x"][..], "'--kubeconfig'"),
        (&["finding"], "'findings'"),
        (&["findings", "-o", "jsn"], "'json'"),
        (&["findings", "--fail-on", "critcal"], "'critical'"),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.err.contains(nearest), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_refused_before_anything_is_asked() {
    let ran = run(&["findings", "--kubeconfig", "/does/not/exist", "--filter", "node=a severty=critical"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(
        ran.err,
        "sickbay: --filter: there is no field `severty` here; did you mean `severity`?\n\
         \x20 node=a severty=critical\n\
         \x20        ^^^^^^^\n"
    );
}

#[test]
fn an_option_of_the_demo_is_refused_where_there_is_no_demo() {
    for arguments in [
        &["--demo-speed", "5"][..],
        &["--demo-from", "3m"],
        &["findings", "--demo-speed", "5"],
        &["demo", "--demo-speed", "5"],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.err.contains("--demo[=<SCENARIO>]"), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn without_a_terminal_the_board_is_not_started() {
    for arguments in [&[][..], &["--demo"], &["--kubeconfig", "/does/not/exist"]] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.err.starts_with("sickbay: standard input is not a terminal; "), "{}", ran.err);
    }
}

#[test]
fn an_unknown_scenario_is_answered_with_the_one_that_was_meant() {
    for arguments in [&["findings", "--demo=ded-node"][..], &["demo", "ded-node"]] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert_eq!(ran.err, "sickbay: no scenario is called \"ded-node\": did you mean \"dead-node\"?\n");
    }
}

// -- no connection --------------------------------------------------------------------------------------------

#[test]
fn without_a_kubeconfig_the_demo_is_offered() {
    let ran = run(&["findings"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("sickbay: no kubeconfig: "), "{}", ran.err);
    assert!(ran.err.ends_with("or try sickbay --demo\n"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_context_is_answered_with_its_file_and_the_nearest() {
    let cluster = Cluster::start(Scenario::Healthy).await;
    let ran = cluster.run(&["findings", "--context", "demmo"]).await;
    let file = cluster.kubeconfig();
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        format!("sickbay: no context \"demmo\" in kubeconfig {file}; did you mean \"demo\"?\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_fails_with_its_place() {
    let cluster = Cluster::start(Scenario::Healthy).await;
    cluster.demo.faults().refuse_connections().await;
    let ran = cluster.run(&["findings"]).await;
    let beginning = format!("sickbay: cannot connect to {} (context demo, kubeconfig ", cluster.demo.url());
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with(&beginning), "{}", ran.err);
    assert!(ran.err.contains(": connection refused; "), "{}", ran.err);
}

#[test]
fn what_is_echoed_of_the_arguments_is_made_safe() {
    let ran = run(&["findings", "--kubeconfig", "/no\u{1b}[31m\u{7}where"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("sickbay: kubeconfig /no"), "{}", ran.err);
}

// -- findings -------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_calm_cluster_is_called_calm_and_fails_at_no_severity() {
    let cluster = Cluster::start(Scenario::Healthy).await;
    let ran = cluster.run(&["findings", "--fail-on", "notice"]).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, CALM, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_fail_only_at_the_severity_asked_for() {
    let cluster = Cluster::start(Scenario::DeadNode).await;
    let plain = cluster.run(&["findings"]).await;
    assert_eq!((plain.code, plain.err.as_str()), (0, ""));
    assert!(plain.out.starts_with("critical "), "{}", plain.out);
    assert!(plain.out.contains("Node worker-2 is silent"), "{}", plain.out);
    for severity in ["critical", "warning", "notice"] {
        let ran = cluster.run(&["findings", "--fail-on", severity]).await;
        assert_eq!((ran.code, ran.err.as_str()), (3, ""), "{severity}");
    }
}

/// A document without its moments: some are those at which a run first saw a thing.
fn timeless(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "at" | "since"));
            kept.map(|(name, value)| (name.clone(), timeless(value))).collect()
        }
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => document.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_and_yaml_are_one_document() {
    let cluster = Cluster::start(Scenario::DeadNode).await;
    let json = cluster.run(&["findings", "-o", "json"]).await;
    let yaml = cluster.run(&["findings", "-o", "yaml"]).await;
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let yaml: Value = serde_yaml::from_str(&yaml.out).unwrap();
    assert_eq!(timeless(&json), timeless(&yaml));
    assert!(json["at"].is_string());
    assert_eq!(json["complete"], true);
    let incident = &json["incidents"][0];
    assert_eq!(incident["severity"], "critical");
    assert_eq!(incident["root"]["rule"], "node-silent");
    assert_eq!(incident["root"]["subject"]["kind"], "Node");
    assert_eq!(incident["root"]["subject"]["name"], "worker-2");
    let stuck = &incident["members"][0];
    assert_eq!(stuck["rule"], "pod-stuck-terminating");
    assert_eq!(stuck["clock"]["awaited"], "deadline");
    assert_eq!(stuck["clock"]["bound"], "exact");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_keeps_what_concerns_it() {
    let cluster = Cluster::start(Scenario::DeadNode).await;
    for target in ["worker-2", "node/worker-2", "no/worker-2", "data/kafka-2", "pod/data/kafka-2"] {
        let ran = cluster.run(&["findings", "--fail-on", "critical", target]).await;
        assert_eq!(ran.code, 3, "{target}: {}{}", ran.out, ran.err);
    }
    let ran = cluster.run(&["findings", "--fail-on", "notice", "node/worker-1"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, CALM));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_exist_is_not_called_healthy() {
    let cluster = Cluster::start(Scenario::DeadNode).await;
    for target in ["worker-22", "pod/worker-2", "namespace/data"] {
        let ran = cluster.run(&["findings", "worker-2", target]).await;
        assert_eq!(ran.code, 1, "{target}");
        assert!(ran.err.starts_with(&format!("sickbay: nothing is called {target:?}: ")), "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_makes_the_picture_incomplete_and_never_calm() {
    let cluster = Cluster::start(Scenario::Healthy).await;
    for verb in ["list", "watch"] {
        cluster.demo.faults().deny(verb, Resource::VolumeAttachments, Scope::Everywhere);
    }
    let ran = cluster.run(&["findings"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (6, ""));
    assert_eq!(ran.err, "sickbay: the picture is incomplete: volumeattachments may not be read\n");
    let json = cluster.run(&["findings", "-o", "json", "worker-22"]).await;
    assert_eq!(json.code, 6);
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap()["complete"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_does_not_complete_in_time_is_never_calm() {
    let cluster = Cluster::start(Scenario::DeadNode).await;
    cluster.demo.faults().fail("/api/v1/nodes", usize::MAX, StatusCode::SERVICE_UNAVAILABLE, None);
    let ran = cluster.run(&["findings", "node/worker-1", "--timeout", "1s"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (6, ""), "nothing is said of a node that was not read");
    assert!(ran.err.starts_with("sickbay: the picture is not live: "), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_to_update_is_found_when_it_is_asked_for_and_never_in_a_read_only_session() {
    let cluster = Cluster::start(Scenario::Finalizer).await;
    let patches = || {
        let received = cluster.demo.faults().received();
        received.into_iter().filter(|one| one.method == "PATCH").collect::<Vec<_>>()
    };
    let refused = "Claim data/archive-2019 cannot be updated: the server finds its field spec.accessModes";
    for quiet in [&["findings"][..], &["findings", "--try-updates", "--read-only"]] {
        let ran = cluster.run(quiet).await;
        assert!(ran.out.contains("Claim data/archive-2019 was deleted"), "{ran:?}");
        assert!(!ran.out.contains(refused), "{ran:?}");
    }
    assert_eq!(patches(), []);
    let ran = cluster.run(&["findings", "--try-updates"]).await;
    assert!(ran.out.contains(refused), "{ran:?}");
    assert_eq!(ran.out.matches("cannot be updated").count(), 1, "the others are as they should be: {ran:?}");
    let sent = patches();
    assert_eq!(sent.len(), 3, "{sent:#?}");
    assert!(sent.iter().all(|one| one.query.contains("dryRun=All")), "{sent:#?}");
    let ran = cluster.run(&["findings", "--try-updates", "pod/shop/export-orders"]).await;
    assert!(!ran.out.contains(refused), "{ran:?}");
    assert_eq!(patches().len(), 4, "of the target alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_that_cannot_be_written_are_a_failure_and_a_reader_that_left_is_not_told() {
    let cluster = Cluster::start(Scenario::DeadNode).await;
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = cluster.run_with(&["findings"], move |command| command.stdout(full)).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("sickbay: could not print the findings: "), "{}", ran.err);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = cluster.run_with(&["findings"], move |command| command.stdout(writer)).await;
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
}

// -- the demo alone -------------------------------------------------------------------------------------------

#[test]
fn scenarios_are_listed_with_what_happens_in_them() {
    let ran = run(&["demo", "--list"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, Scenario::all().len()));
    for (line, scenario) in ran.out.lines().zip(Scenario::all()) {
        assert!(line.starts_with(scenario.id()) && line.ends_with(scenario.description()), "{line}");
    }
}

#[test]
fn a_demo_that_is_served_is_found_by_its_kubeconfig_and_leaves_no_file() {
    let mut child = sickbay(&["demo", "--from", "9m"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let path = line.trim_end().strip_prefix("kubeconfig ").unwrap().to_owned();

    let found = Run::of(sickbay(&["findings", "--fail-on", "critical"]).env("KUBECONFIG", &path));
    assert_eq!(found.code, 3, "{}", found.err);

    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert!(!std::path::Path::new(&path).exists(), "{path} is left");
}
