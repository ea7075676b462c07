//! Evictions, and the disruption budgets that they ask.

use crate::stage::{Answer, MERGE, Stage, condition, is_deleting};
use serde_json::{Value, json};

async fn budget(stage: &Stage, name: &str, least: u32) {
    let budget = json!({
        "metadata": { "name": name },
        "spec": { "minAvailable": least, "selector": { "matchLabels": { "app": "web" } } },
    });
    stage.create(&stage.path("policy/poddisruptionbudgets"), &budget).await;
    counted(stage, name, |budget| {
        budget["status"]["currentHealthy"] == 1 && budget["status"]["desiredHealthy"] == least
    })
    .await;
}

/// Waits until the controller has counted what holds.
async fn counted(stage: &Stage, name: &str, holds: impl Fn(&Value) -> bool) {
    let is_seen = |budget: &Value| {
        budget["status"]["observedGeneration"] == budget["metadata"]["generation"] && holds(budget)
    };
    let path = "policy/poddisruptionbudgets";
    stage.until(path, "a budget that was counted", |budgets| budgets.get(name).is_some_and(&is_seen)).await;
}

async fn evict(stage: &Stage, name: &str, options: &Value) -> Answer {
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "name": "web", "namespace": stage.namespace },
        "deleteOptions": options,
    });
    stage.post(&stage.path(&format!("pods/{name}/eviction")), &eviction).await
}

pub async fn an_eviction_waits_for_the_budget(stage: &Stage) {
    stage.ready_pod("web", &json!({ "metadata": { "finalizers": ["example.com/hold"] } })).await;
    budget(stage, "web", 1).await;
    let refused = evict(stage, "web", &json!({})).await;
    assert_eq!(refused.verdict(), (429, "TooManyRequests"));
    assert_eq!(refused.message(), "Cannot evict pod as it would violate the pod's disruption budget.");
    let cause = json!({
        "reason": "DisruptionBudget",
        "message": "The disruption budget web needs 1 healthy pods and has 1 currently",
    });
    assert_eq!(refused.body["details"], json!({ "causes": [cause] }));
    // There is no telling when to try again.
    assert_eq!(refused.headers.get("retry-after"), None);
    assert!(!is_deleting(&stage.get(&stage.path("pods/web")).await.body));

    let path = stage.path("policy/poddisruptionbudgets/web");
    stage.patch(&path, MERGE, &json!({ "spec": { "minAvailable": 0 } })).await;
    counted(stage, "web", |budget| budget["status"]["disruptionsAllowed"] == 1).await;
    let taken = evict(stage, "web", &json!({})).await;
    assert_eq!(taken.code, 201, "{}", taken.body);
    assert_eq!(taken.body["status"], "Success");
    let pod = stage.get(&stage.path("pods/web")).await.body;
    assert!(is_deleting(&pod));
    assert_eq!(condition(&pod, "DisruptionTarget"), "True");
    counted(stage, "web", |budget| budget["status"]["disruptionsAllowed"] == 0).await;
    stage.patch(&stage.path("pods/web"), MERGE, &json!({ "metadata": { "finalizers": null } })).await;
    stage.until("pods", "no pod", |pods| pods.is_empty()).await;
    assert_eq!(evict(stage, "web", &json!({})).await.verdict(), (404, "NotFound"));
}

pub async fn two_budgets_on_a_pod_are_an_error(stage: &Stage) {
    stage.ready_pod("web", &json!({})).await;
    budget(stage, "one", 0).await;
    budget(stage, "two", 0).await;
    let refused = evict(stage, "web", &json!({})).await;
    assert_eq!(refused.code, 500);
    assert_eq!(
        refused.message(),
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    );
    // Who deletes asks no budget.
    assert_eq!(stage.delete(&stage.path("pods/web"), &Value::Null).await.code, 200);
}

pub async fn an_eviction_in_a_dry_run_only_asks(stage: &Stage) {
    stage.ready_pod("web", &json!({})).await;
    budget(stage, "web", 0).await;
    let dry = json!({ "dryRun": ["All"] });
    assert_eq!(evict(stage, "web", &dry).await.code, 201);
    let pod = stage.get(&stage.path("pods/web")).await.body;
    assert!(!is_deleting(&pod) && condition(&pod, "DisruptionTarget").is_empty(), "{pod}");
    let path = stage.path("policy/poddisruptionbudgets/web");
    assert_eq!(stage.get(&path).await.body["status"]["disruptionsAllowed"], 1);
    stage.patch(&path, MERGE, &json!({ "spec": { "minAvailable": 1 } })).await;
    counted(stage, "web", |budget| budget["status"]["disruptionsAllowed"] == 0).await;
    assert_eq!(evict(stage, "web", &dry).await.verdict(), (429, "TooManyRequests"));
}

pub async fn an_eviction_means_the_pod_that_was_seen(stage: &Stage) {
    let pod = stage.ready_pod("web", &json!({})).await;
    let other = json!({ "preconditions": { "uid": "11111111-2222-3333-4444-555555555555" } });
    assert_eq!(evict(stage, "web", &other).await.verdict(), (409, "Conflict"));
    assert_eq!(evict(stage, "other", &json!({})).await.verdict(), (400, "BadRequest"));
    let meant = json!({ "preconditions": { "uid": pod["metadata"]["uid"] } });
    assert_eq!(evict(stage, "web", &meant).await.code, 201);
    stage.until("pods", "no pod", |pods| pods.is_empty()).await;
}
