//! Who else acts on a node, by custom resources that a real API server serves.

use crate::actions::User;
use crate::board::{Board, PATIENCE};
use crate::cluster::{Api, Hollow};
use serde_json::{Value, json};
use sickbay::actions::others::{Other, Party, Read, Source, Stage, Survey, others};
use sickbay::app::App;
use sickbay::cluster::Row as _;
use sickbay::k8s::others::read;
use tokio::time::timeout;

/// A custom resource without any schema: what is in it is for those who write it.
fn definition(group: &str, (kind, plural): (&str, &str), scope: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group,
            "scope": scope,
            "names": { "kind": kind, "plural": plural, "singular": kind.to_lowercase() },
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    })
}

async fn survey(board: &Board, node: &str) -> Survey {
    read(&board.session, &board.app.cluster.node(node).unwrap().object()).await
}

fn of(survey: &Survey, wanted: Source) -> &Read {
    let (_, read) = survey.told.iter().find(|(source, _)| *source == wanted).unwrap();
    read
}

fn judged(app: &App, node: &str, survey: &Survey) -> Vec<(Party, Stage)> {
    let found = others(app.cluster.node(node).unwrap(), Some(survey), (&app.cluster, app.now));
    found.into_iter().map(|Other { party, stage, .. }| (party, stage)).collect()
}

/// The server takes a moment to serve a resource that is new.
async fn served(board: &Board, source: Source) {
    let serving = async { while *of(&survey(board, "worker-1").await, source) == Read::NotInstalled {} };
    timeout(PATIENCE, serving).await.unwrap();
}

#[tokio::test]
async fn who_else_acts_on_a_node_is_read_from_their_own_objects() {
    let user = User::of(Hollow::start(3));
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    board.until("three nodes", |app| app.cluster.nodes.len() == 3).await;
    let api = Api(board.session.client());

    let before = survey(&board, "worker-1").await;
    assert_eq!(before.not_known(), [""; 0]);
    assert_eq!(before.not_installed().len(), 5, "{before:?}");
    assert_eq!(judged(&board.app, "worker-1", &before), []);

    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for (group, names, scope) in [
        ("remediation.medik8s.io", ("NodeHealthCheck", "nodehealthchecks"), "Cluster"),
        ("self-node-remediation.medik8s.io", ("SelfNodeRemediation", "selfnoderemediations"), "Namespaced"),
        ("machine.openshift.io", ("Machine", "machines"), "Namespaced"),
    ] {
        api.create(definitions, &definition(group, names, scope)).await;
    }
    served(&board, Source::HealthChecks).await;
    served(&board, Source::SelfNodeRemediations).await;
    let checks = "/apis/remediation.medik8s.io/v1alpha1/nodehealthchecks";
    let check = json!({
        "apiVersion": "remediation.medik8s.io/v1alpha1",
        "kind": "NodeHealthCheck",
        "metadata": { "name": "workers" },
        "spec": { "selector": {} },
        "status": { "phase": "Enabled" },
    });
    api.create(checks, &check).await;
    let watched = survey(&board, "worker-1").await;
    assert_eq!(judged(&board.app, "worker-1", &watched), [(Party::NodeHealthCheck, Stage::Idle)]);

    // It begins, through a remedy; and the Machine goes.
    let started = json!([{ "started": "2026-03-01T03:20:00Z" }]);
    let status = json!({ "status": { "unhealthyNodes": [{ "name": "worker-1", "remediations": started }] } });
    api.patch(&format!("{checks}/workers"), &status).await;
    let remedy = json!({
        "apiVersion": "self-node-remediation.medik8s.io/v1alpha1",
        "kind": "SelfNodeRemediation",
        "metadata": {
            "name": "worker-1-x7",
            "annotations": { "remediation.medik8s.io/node-name": "worker-1" },
        },
        "status": { "phase": "Fencing-Started" },
    });
    let path = "/apis/self-node-remediation.medik8s.io/v1alpha1/namespaces/default/selfnoderemediations";
    api.create(path, &remedy).await;
    let machine = json!({
        "apiVersion": "machine.openshift.io/v1alpha1",
        "kind": "Machine",
        "metadata": { "name": "m-1", "finalizers": ["example.com/machine"] },
        "status": { "phase": "Running" },
    });
    let machines = "/apis/machine.openshift.io/v1alpha1/namespaces/default/machines";
    api.create(machines, &machine).await;
    api.delete(&format!("{machines}/m-1"), &Value::Null).await;
    let annotation =
        json!({ "metadata": { "annotations": { "machine.openshift.io/machine": "default/m-1" } } });
    api.patch("/api/v1/nodes/worker-1", &annotation).await;
    let at_it = survey(&board, "worker-1").await;
    assert_eq!(
        judged(&board.app, "worker-1", &at_it),
        [
            (Party::NodeHealthCheck, Stage::Acting),
            (Party::SelfNodeRemediation, Stage::Acting),
            (Party::Machine, Stage::Acting),
        ]
    );
    assert_eq!(judged(&board.app, "worker-2", &survey(&board, "worker-2").await).len(), 1, "only watched");

    // Nobody fences beside them.
    let (code, told) = user.run(&["plan", "force-detach", "worker-1"]).await;
    assert_eq!(code, 4, "{told}");
    assert!(told.contains("somebody else acts on node worker-1: NodeHealthCheck: workers has it"), "{told}");
    assert!(told.contains("somebody else acts on node worker-1: SelfNodeRemediation"), "{told}");

    // Who may not read it is told so.
    let narrow = Board::connect(&user.hollow.kubeconfig, Some("namespaced")).await;
    let node = board.app.cluster.node("worker-1").unwrap().object();
    let refused = read(&narrow.session, &node).await;
    let Read::NotKnown(reason) = of(&refused, Source::HealthChecks) else { panic!("{refused:?}") };
    assert!(reason.contains("cannot list"), "{reason}");
}
