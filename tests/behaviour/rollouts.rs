//! Rollbacks of the three kinds, with the requests that kubectl sends.

use crate::stage::{JSON_PATCH, STRATEGIC, Stage, workload};
use serde_json::{Value, json};

fn image(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]["containers"][0]["image"]
}

/// Whether all that a workload wants runs, of its newest template.
fn is_settled(workload: &Value) -> bool {
    let (spec, status) = (&workload["spec"], &workload["status"]);
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let (wanted, updated, available) = if workload["status"]["desiredNumberScheduled"].is_number() {
        (&status["desiredNumberScheduled"], &status["updatedNumberScheduled"], &status["numberAvailable"])
    } else {
        (&spec["replicas"], &status["updatedReplicas"], &status["availableReplicas"])
    };
    let all = number(&status["replicas"]).max(number(wanted));
    number(&status["observedGeneration"]) >= number(&workload["metadata"]["generation"])
        && number(wanted) > 0
        && number(updated) == number(wanted)
        && number(available) == number(wanted)
        && all == number(wanted)
}

async fn settled(stage: &Stage, collection: &str) -> Value {
    let settled =
        |present: &std::collections::BTreeMap<String, Value>| present.get("web").is_some_and(is_settled);
    let present = stage.until(collection, "a rollout that is complete", settled).await;
    present["web"].clone()
}

async fn set_image(stage: &Stage, path: &str, image: &str) {
    let containers = json!([{ "name": "main", "image": image }]);
    let patch = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
    assert_eq!(stage.patch(path, STRATEGIC, &patch).await.code, 200);
}

pub async fn a_deployment_goes_back_to_an_older_revision(stage: &Stage) {
    const REVISION: &str = "deployment.kubernetes.io/revision";
    let collection = stage.path("apps/deployments");
    let path = format!("{collection}/web");
    stage.create(&collection, &workload("Deployment", "web", 2)).await;
    settled(stage, "apps/deployments").await;
    set_image(stage, &path, "main:2").await;
    let second = settled(stage, "apps/deployments").await;
    assert_eq!(
        (image(&second), &second["metadata"]["annotations"][REVISION]),
        (&json!("main:2"), &json!("2"))
    );

    let sets = stage.until("apps/replicasets", "two revisions", |sets| sets.len() == 2).await;
    let first = sets.values().find(|set| set["metadata"]["annotations"][REVISION] == "1").unwrap();
    assert_eq!(first["metadata"]["ownerReferences"][0]["uid"], second["metadata"]["uid"]);
    let mut template = first["spec"]["template"].clone();
    template["metadata"]["labels"].as_object_mut().unwrap().remove("pod-template-hash");
    let undo = json!([{ "op": "replace", "path": "/spec/template", "value": template }]);
    assert_eq!(stage.patch(&path, JSON_PATCH, &undo).await.code, 200);
    let back = settled(stage, "apps/deployments").await;
    assert_eq!((image(&back), &back["metadata"]["annotations"][REVISION]), (&json!("main:1"), &json!("3")));
    let sets = stage.until("apps/replicasets", "the old set in use again", |sets| {
        sets.values()
            .any(|set| set["metadata"]["annotations"][REVISION] == "3" && set["status"]["readyReplicas"] == 2)
    });
    let sets = sets.await;
    assert_eq!(sets.len(), 2, "{:?}", sets.keys());
    let again = sets.values().find(|set| set["metadata"]["annotations"][REVISION] == "3").unwrap();
    assert_eq!(again["metadata"]["uid"], first["metadata"]["uid"]);
}

pub async fn a_stateful_set_goes_back_to_an_older_revision(stage: &Stage) {
    by_controller_revision(stage, "StatefulSet", "apps/statefulsets").await;
}

pub async fn a_daemon_set_goes_back_to_an_older_revision(stage: &Stage) {
    by_controller_revision(stage, "DaemonSet", "apps/daemonsets").await;
}

async fn by_controller_revision(stage: &Stage, kind: &str, collection: &str) {
    let path = format!("{}/web", stage.path(collection));
    stage.create(&stage.path(collection), &workload(kind, "web", 2)).await;
    settled(stage, collection).await;
    set_image(stage, &path, "main:2").await;
    let second = settled(stage, collection).await;
    assert_eq!(image(&second), "main:2");
    let two = |revisions: &std::collections::BTreeMap<String, Value>| revisions.len() == 2;
    let revisions = stage.until("apps/controllerrevisions", "two revisions", two).await;
    let first = revisions.values().find(|revision| revision["revision"] == 1).unwrap();
    assert_eq!(first["metadata"]["ownerReferences"][0]["uid"], second["metadata"]["uid"]);
    assert_eq!(first["data"]["spec"]["template"]["$patch"], "replace");
    assert_eq!(stage.patch(&path, STRATEGIC, &first["data"]).await.code, 200);
    let back = settled(stage, collection).await;
    assert_eq!(image(&back), "main:1");
    let renumbered = |revisions: &std::collections::BTreeMap<String, Value>| {
        revisions.values().any(|revision| {
            revision["metadata"]["uid"] == first["metadata"]["uid"] && revision["revision"] == 3
        })
    };
    stage.until("apps/controllerrevisions", "the old revision as the newest", renumbered).await;
}
