//! The control plane taken apart, one part after the other: what is said while it is gone, and that it is not said any
//! more when it is back.

use crate::board::Board;
use crate::cluster::{Api, Hollow, populate};
use rustix::process::{Signal, kill_process};
use serde_json::json;
use sickbay::app::App;
use sickbay::cluster::{Component, Phase};
use sickbay::findings::{Bound, Finding, RuleId};

/// Ends a component, and keeps it away until `release`.
fn hold(hollow: &Hollow, component: &str) {
    std::fs::write(hollow.file(&format!("{component}.hold")), "").unwrap();
    kill_process(hollow.process(component), Signal::KILL).unwrap();
}

fn release(hollow: &Hollow, component: &str) {
    std::fs::remove_file(hollow.file(&format!("{component}.hold"))).unwrap();
}

fn finding(app: &App, rule: RuleId) -> Option<&Finding> {
    app.findings.iter().find(|finding| finding.rule == rule)
}

#[tokio::test]
async fn a_control_plane_that_loses_its_parts_says_which_and_takes_it_back_when_they_return() {
    let hollow = Hollow::start(3);
    let mut board = Board::live(&hollow.kubeconfig).await;
    // Their leases are there a little later than the API server.
    let leads = |app: &App| Component::ALL.into_iter().filter(|one| app.cluster.has_judged(*one)).count();
    board.until("who leads", |app| leads(app) == 2).await;
    let api = Api(board.session.client());
    populate(&api).await;
    let running = |app: &App| app.cluster.pods.values().filter(|pod| pod.phase == Phase::Running).count();
    board.until("nine pods that run", |app| running(app) == 9).await;
    assert!(board.app.findings.is_empty(), "{:?}", board.app.findings.incidents);

    hold(&hollow, "kube-scheduler");
    board.until("the silent scheduler", |app| finding(app, RuleId::SchedulerSilent).is_some()).await;
    let pod = json!({
        "metadata": { "name": "overlooked", "namespace": "default" },
        "spec": { "containers": [{ "name": "main", "image": "main" }] },
    });
    api.create("/api/v1/namespaces/default/pods", &pod).await;
    board
        .until("the pod that waits for it", |app| {
            finding(app, RuleId::SchedulerSilent).is_some_and(|silent| silent.held_up.len() == 1)
        })
        .await;
    release(&hollow, "kube-scheduler");
    board.until("a scheduler again", |app| app.findings.is_empty() && running(app) == 10).await;

    // The node is declared silent first, so that the clock of its pods runs when it is stopped.
    let patient = json!({
        "metadata": { "name": "patient", "namespace": "default" },
        "spec": {
            "nodeName": "worker-2",
            "tolerations": [{ "operator": "Exists", "tolerationSeconds": 3600, "effect": "NoExecute" }],
            "containers": [{ "name": "main", "image": "main" }],
        },
    });
    api.create("/api/v1/namespaces/default/pods", &patient).await;
    board.until("a pod that tolerates an hour", |app| running(app) == 11).await;
    api.faults(json!({ "down": "worker-2" })).await;
    let clock = |app: &App| finding(app, RuleId::NodeSilent).and_then(|silent| silent.clock);
    board.until("the clock of an eviction", |app| clock(app).is_some()).await;
    hold(&hollow, "kube-controller-manager");
    board
        .until("a clock that stands", |app| {
            finding(app, RuleId::ControllerManagerSilent).is_some()
                && clock(app).is_some_and(|clock| clock.bound == Bound::Halted)
        })
        .await;
    release(&hollow, "kube-controller-manager");
    board
        .until("a clock that runs again", |app| {
            finding(app, RuleId::ControllerManagerSilent).is_none()
                && clock(app).is_some_and(|clock| clock.bound == Bound::NotBefore)
        })
        .await;
    api.faults(json!({ "down": null })).await;
    board.until("nothing wrong", |app| app.findings.is_empty()).await;

    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": { "name": "v1beta1.metrics.k8s.io" },
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": true,
            "service": { "namespace": "kube-system", "name": "nobody", "port": 443 },
        },
    });
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    api.create(path, &service).await;
    board.until("the API that is down", |app| finding(app, RuleId::ApiServiceDown).is_some()).await;
    api.delete(&format!("{path}/v1beta1.metrics.k8s.io"), &json!({})).await;
    board.until("nothing wrong", |app| app.findings.is_empty()).await;

    hold(&hollow, "etcd");
    board
        .until("a server that is not ready", |app| {
            finding(app, RuleId::ApiServerNotReady).is_some_and(|unready| unready.sentence.contains("etcd"))
        })
        .await;
    release(&hollow, "etcd");
    board.until_live().await;
    board.until("a server that is ready", |app| finding(app, RuleId::ApiServerNotReady).is_none()).await;
    assert!(finding(&board.app, RuleId::NodeLeaseQuiet).is_none(), "no kubelet could renew its lease");
}
