//! The incident from beginning to end: a node falls silent, its pods and volumes join it, and all goes on its return.

use crate::board::Board;
use crate::cluster::{Api, Hollow, populate};
use serde_json::{Value, json};
use sickbay::app::App;
use sickbay::cluster::{Kind, Phase};
use sickbay::findings::{Incident, RuleId};
use std::path::Path;
use std::process::Command;

/// The incident whose root is this silent node.
fn of_silent<'a>(app: &'a App, node: &str) -> Option<&'a Incident> {
    let incidents = app.findings.incidents.iter();
    let mut roots = incidents.filter(|one| one.root.rule == RuleId::NodeSilent);
    roots.find(|one| one.root.subject.object().is_some_and(|object| &*object.name.name == node))
}

fn has_member(incident: Option<&Incident>, rule: RuleId) -> bool {
    incident.is_some_and(|one| one.members.iter().any(|member| member.rule == rule))
}

/// What the program says on the command line, and its exit code.
async fn findings(kubeconfig: &Path) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sickbay"));
    command.args(["findings", "-o", "json", "--fail-on", "critical", "--kubeconfig"]).arg(kubeconfig);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed = serde_json::from_str(&printed)
        .unwrap_or_else(|error| panic!("{error}: {printed}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), printed)
}

#[tokio::test]
async fn a_silent_node_is_one_incident_with_its_pods_and_volumes_until_it_returns() {
    let hollow = Hollow::start(5);
    let mut board = Board::live(&hollow.kubeconfig).await;
    let api = Api(board.session.client());
    populate(&api).await;
    board
        .until("nine pods that run, and three volumes that are attached", |app| {
            let running = app.cluster.pods.values().filter(|pod| pod.phase == Phase::Running).count();
            running == 9 && app.cluster.volume_attachments.values().filter(|one| one.is_attached).count() == 3
        })
        .await;
    assert!(board.app.findings.is_empty(), "{:?}", board.app.findings.incidents);
    let (code, _) = board.during(findings(&hollow.kubeconfig)).await;
    assert_eq!(code, Some(0), "nothing is wrong yet");

    let stateful = |app: &App| {
        let pod = app.cluster.pods.values().find(|pod| &*pod.meta.name.name == "postgres-0").unwrap();
        pod.node.to_string()
    };
    let node = stateful(&board.app);
    api.faults(json!({ "down": node })).await;
    board.until("the silent node", |app| of_silent(app, &node).is_some()).await;
    board
        .until("its stuck pod and its volume", |app| {
            let incident = of_silent(app, &node);
            has_member(incident, RuleId::PodStuckTerminating)
                && has_member(incident, RuleId::VolumeOnUnreadyNode)
        })
        .await;
    assert_eq!(board.app.findings.incidents.len(), 1, "{:#?}", board.app.findings.incidents);
    let members = &of_silent(&board.app, &node).unwrap().members;
    let subjects: Vec<Kind> = members.iter().filter_map(|member| member.subject.kind()).collect();
    assert!(subjects.contains(&Kind::Pod) && subjects.contains(&Kind::PersistentVolume), "{subjects:?}");
    let (code, printed) = board.during(findings(&hollow.kubeconfig)).await;
    assert_eq!(code, Some(3), "{printed}");
    assert!(printed.to_string().contains(&format!("{node} is silent")), "{printed}");

    api.faults(json!({ "down": null })).await;
    board.until("nothing wrong", |app| app.findings.is_empty()).await;
}
