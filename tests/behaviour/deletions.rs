//! Deleting: grace, force, finalizers, preconditions, and what becomes of dependents.

use crate::stage::{JSON_PATCH, MERGE, STRATEGIC, Stage, is_deleting, workload};
use serde_json::{Value, json};

/// A pod that runs somewhere, and that its kubelet takes so long to stop that a test can look at it.
async fn slow_pod(stage: &Stage, name: &str) -> Value {
    let extra = json!({
        "metadata": { "finalizers": ["example.com/hold"] },
        "spec": { "terminationGracePeriodSeconds": 600 },
    });
    stage.ready_pod(name, &extra).await
}

fn deadline(pod: &Value) -> (i64, i64) {
    let at: jiff::Timestamp = pod["metadata"]["deletionTimestamp"].as_str().unwrap().parse().unwrap();
    (at.as_second(), pod["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap())
}

pub async fn a_pod_has_its_grace_and_a_second_delete_only_shortens_it(stage: &Stage) {
    // A node without a machine: nobody confirms a deletion, and nobody collects its pods as those of a node that is gone.
    let node = format!("no-machine-of-{}", stage.namespace);
    let nobody = json!({ "key": "example.com/nobody", "effect": "NoSchedule" });
    let no_machine = json!({ "metadata": { "name": node }, "spec": { "taints": [nobody] } });
    stage.create("/api/v1/nodes", &no_machine).await;
    let pods = stage.path("pods");
    let path = format!("{pods}/lost");
    let pod = json!({
        "metadata": { "name": "lost" },
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 600,
            "containers": [{ "name": "a", "image": "a:1" }],
        },
    });
    stage.create(&pods, &pod).await;
    let first = stage.delete(&path, &Value::Null).await;
    assert_eq!(first.code, 200, "{}", first.body);
    let (at, grace) = deadline(&first.body);
    let asked = at - grace;
    assert_eq!(grace, 600);
    assert_eq!(first.body["metadata"]["generation"], 2);
    let longer = stage.delete(&path, &json!({ "gracePeriodSeconds": 900 })).await.body;
    assert_eq!(deadline(&longer), (at, 600));
    let shorter = stage.delete(&path, &json!({ "gracePeriodSeconds": 300 })).await.body;
    assert_eq!(deadline(&shorter), (asked + 300, 300));
    let gone = stage.delete(&path, &json!({ "gracePeriodSeconds": 0 })).await;
    assert_eq!(gone.code, 200);
    assert_eq!(stage.get(&path).await.verdict(), (404, "NotFound"));
    assert_eq!(stage.delete(&format!("/api/v1/nodes/{node}"), &Value::Null).await.code, 200);
}

pub async fn a_forced_delete_waits_for_nobody(stage: &Stage) {
    stage.ready_pod("web", &json!({})).await;
    let path = stage.path("pods/web");
    let force = json!({ "gracePeriodSeconds": 0, "propagationPolicy": "Background" });
    let answer = stage.delete(&path, &force).await;
    assert_eq!((answer.code.as_u16(), &answer.body["kind"]), (200, &json!("Pod")));
    assert_eq!(stage.get(&path).await.verdict(), (404, "NotFound"));
    assert_eq!(stage.delete(&path, &force).await.verdict(), (404, "NotFound"));
}

pub async fn a_finalizer_holds_what_is_deleted(stage: &Stage) {
    slow_pod(stage, "held").await;
    let path = stage.path("pods/held");
    let forced = stage.delete(&path, &json!({ "gracePeriodSeconds": 0 })).await;
    assert_eq!(forced.code, 200);
    let held = stage.get(&path).await.body;
    assert_eq!(deadline(&held).1, 0);
    let more =
        stage.patch(&path, STRATEGIC, &json!({ "metadata": { "finalizers": ["example.com/more"] } })).await;
    assert_eq!(more.verdict(), (422, "Invalid"));
    assert!(
        more.message().ends_with(
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
             finalizers []string{\"example.com/more\"}"
        ),
        "{}",
        more.message()
    );
    let drop = json!([{ "op": "remove", "path": "/metadata/finalizers" }]);
    assert_eq!(stage.patch(&path, JSON_PATCH, &drop).await.code, 200);
    assert_eq!(stage.get(&path).await.verdict(), (404, "NotFound"));

    let configs = stage.path("configmaps");
    let held = json!({ "metadata": { "name": "held", "finalizers": ["example.com/hold"] } });
    stage.create(&configs, &held).await;
    let path = format!("{configs}/held");
    let answer = stage.delete(&path, &Value::Null).await.body;
    assert_eq!((&answer["kind"], deadline(&answer).1), (&json!("ConfigMap"), 0));
    let freed = stage.patch(&path, MERGE, &json!({ "metadata": { "finalizers": null } })).await;
    assert_eq!(freed.code, 200);
    assert_eq!(stage.get(&path).await.verdict(), (404, "NotFound"));
}

pub async fn a_delete_means_the_object_that_was_seen(stage: &Stage) {
    let configs = stage.path("configmaps");
    let path = format!("{configs}/settings");
    let seen = stage.create(&configs, &json!({ "metadata": { "name": "settings" } })).await;
    let (uid, version) = (&seen["metadata"]["uid"], &seen["metadata"]["resourceVersion"]);
    let other = json!({ "preconditions": { "uid": "11111111-2222-3333-4444-555555555555" } });
    let refused = stage.delete(&path, &other).await;
    assert_eq!(refused.verdict(), (409, "Conflict"));
    assert_eq!(
        refused.message(),
        format!(
            "Operation cannot be fulfilled on ConfigMap \"settings\": the UID in the precondition \
             (11111111-2222-3333-4444-555555555555) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            uid.as_str().unwrap()
        )
    );
    let stale = json!({ "preconditions": { "resourceVersion": "1" } });
    assert_eq!(stage.delete(&path, &stale).await.verdict(), (409, "Conflict"));
    let nonsense = json!({ "propagationPolicy": "Sideways" });
    assert_eq!(stage.delete(&path, &nonsense).await.verdict(), (422, "Invalid"));
    let meant = json!({ "preconditions": { "uid": uid, "resourceVersion": version } });
    let gone = stage.delete(&path, &meant).await;
    assert_eq!(gone.code, 200);
    assert_eq!(gone.body["status"], "Success");
    assert_eq!(gone.body["details"], json!({ "name": "settings", "kind": "configmaps", "uid": uid }));
}

pub async fn a_collection_is_deleted_by_its_labels(stage: &Stage) {
    let configs = stage.path("configmaps");
    for (name, tier) in [("a", "front"), ("b", "front"), ("c", "back")] {
        stage.create(&configs, &json!({ "metadata": { "name": name, "labels": { "tier": tier } } })).await;
    }
    let deleted = stage.delete(&format!("{configs}?labelSelector=tier%3Dfront"), &Value::Null).await;
    assert_eq!((deleted.code.as_u16(), &deleted.body["kind"]), (200, &json!("ConfigMapList")));
    assert_eq!(deleted.body["items"].as_array().map(Vec::len), Some(2));
    let left = stage.get(&format!("{configs}?labelSelector=tier")).await.body;
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(left["items"][0]["metadata"]["name"], "c");
}

pub async fn dependents_go_after_their_owner_or_stay_as_was_asked(stage: &Stage) {
    let collection = stage.path("apps/deployments");
    for name in ["kept", "gone"] {
        stage.create(&collection, &workload("Deployment", name, 1)).await;
    }
    let count = |pods: &std::collections::BTreeMap<String, Value>, name: &str| {
        pods.values().filter(|pod| pod["metadata"]["labels"]["app"] == name && !is_deleting(pod)).count()
    };
    stage.until("pods", "a pod of each", |pods| count(pods, "kept") == 1 && count(pods, "gone") == 1).await;
    let orphan = json!({ "propagationPolicy": "Orphan" });
    assert_eq!(stage.delete(&format!("{collection}/kept"), &orphan).await.code, 200);
    let foreground = json!({ "propagationPolicy": "Foreground" });
    let waiting = stage.delete(&format!("{collection}/gone"), &foreground).await.body;
    assert_eq!(waiting["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    stage.until("apps/deployments", "no deployment", |present| present.is_empty()).await;
    stage.until("pods", "the orphan's pod alone", |pods| pods.len() == 1 && count(pods, "kept") == 1).await;
    let left = stage.until("apps/replicasets", "the orphan alone", |present| present.len() == 1).await;
    let orphan = left.values().next().unwrap();
    assert!(orphan["metadata"]["ownerReferences"].is_null(), "{orphan}");
    assert!(!is_deleting(orphan));
}
