//! Nodes that die and hang, and what an operator can do about it.

use crate::stage::{Fault, MERGE, Stage, condition, is_deleting, is_ready, workload};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn of<'a>(pods: &'a BTreeMap<String, Value>, app: &'a str) -> impl Iterator<Item = &'a Value> {
    pods.values().filter(move |pod| pod["metadata"]["labels"]["app"] == app)
}

fn node(pod: &Value) -> String {
    pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned()
}

/// A stateful set with a volume and a deployment; gives the node of the stateful set's one pod.
async fn populate(stage: &Stage) -> String {
    let mut postgres = workload("StatefulSet", "postgres", 1);
    postgres["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": { "name": "data" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
    }]);
    stage.create(&stage.path("apps/statefulsets"), &postgres).await;
    stage.create(&stage.path("apps/deployments"), &workload("Deployment", "web", 8)).await;
    let all_ready = |pods: &BTreeMap<String, Value>| pods.len() == 9 && pods.values().all(is_ready);
    let pods = stage.until("pods", "nine pods that are ready", all_ready).await;
    node(&pods["postgres-0"])
}

async fn silent(stage: &Stage, dead: &str) {
    let unreachable = |nodes: &BTreeMap<String, Value>| {
        let taints = nodes[dead]["spec"]["taints"].as_array().into_iter().flatten();
        condition(&nodes[dead], "Ready") == "Unknown"
            && taints.clone().any(|taint| {
                taint["key"] == "node.kubernetes.io/unreachable" && taint["effect"] == "NoExecute"
            })
    };
    stage.until("/api/v1/nodes", "a node that is silent", unreachable).await;
}

pub async fn pods_of_a_dead_node_are_replaced_but_for_stateful_ones(stage: &Stage) {
    let dead = populate(stage).await;
    stage.strike(&dead, Fault::Dead).await;
    silent(stage, &dead).await;
    let replaced = |pods: &BTreeMap<String, Value>| {
        let on_dead: Vec<&Value> = pods.values().filter(|pod| node(pod) == dead).collect();
        on_dead.iter().all(|pod| is_deleting(pod))
            && of(pods, "web").filter(|pod| node(pod) != dead && is_ready(pod)).count() == 8
    };
    let pods = stage.until("pods", "eight pods elsewhere", replaced).await;
    let stuck = &pods["postgres-0"];
    assert!(is_deleting(stuck) && !is_ready(stuck), "{stuck}");
    assert_eq!(of(&pods, "postgres").count(), 1);
    let taken_down = json!(["TaintManagerEviction", "DeletionByTaintManager"]);
    let reasons = stuck["status"]["conditions"].as_array().unwrap().iter();
    let target = reasons.clone().find(|condition| condition["type"] == "DisruptionTarget").unwrap();
    assert!(taken_down.as_array().unwrap().contains(&target["reason"]), "{target}");

    // Who forces it says that the old one is dead; the volume stays attached where it was.
    let uid = &stuck["metadata"]["uid"];
    let force = json!({ "gracePeriodSeconds": 0, "preconditions": { "uid": uid } });
    assert_eq!(stage.delete(&stage.path("pods/postgres-0"), &force).await.code, 200);
    let waits = |pods: &BTreeMap<String, Value>| {
        pods.get("postgres-0").is_some_and(|pod| pod["metadata"]["uid"] != *uid && !node(pod).is_empty())
    };
    let pods = stage.until("pods", "a pod in its place", waits).await;
    assert_ne!(node(&pods["postgres-0"]), dead);
    let attachments = "/apis/storage.k8s.io/v1/volumeattachments";
    let holds = |present: &BTreeMap<String, Value>| {
        present.values().any(|one| one["spec"]["nodeName"] == dead && one["status"]["attached"] == true)
    };
    stage.until(attachments, "the volume where it was", holds).await;
    assert!(!is_ready(&stage.get(&stage.path("pods/postgres-0")).await.body));
}

pub async fn a_volume_is_detached_by_force_when_six_minutes_are_over(stage: &Stage) {
    let dead = populate(stage).await;
    stage.strike(&dead, Fault::Dead).await;
    silent(stage, &dead).await;
    stage.until("pods", "a pod that is stuck", |pods| is_deleting(&pods["postgres-0"])).await;
    let force = json!({ "gracePeriodSeconds": 0 });
    assert_eq!(stage.delete(&stage.path("pods/postgres-0"), &force).await.code, 200);
    let moved = |pods: &BTreeMap<String, Value>| {
        pods.get("postgres-0").is_some_and(|pod| node(pod) != dead && is_ready(pod))
    };
    stage.until("pods", "the pod elsewhere, with its volume", moved).await;
    let attachments = stage.get("/apis/storage.k8s.io/v1/volumeattachments").await.body;
    let claim = stage.get(&stage.path("persistentvolumeclaims/data-postgres-0")).await.body;
    let volume = &claim["spec"]["volumeName"];
    let items = attachments["items"].as_array().unwrap().iter();
    let nodes: Vec<&Value> = items
        .filter(|one| one["spec"]["source"]["persistentVolumeName"] == *volume)
        .map(|one| &one["spec"]["nodeName"])
        .collect();
    assert!(nodes.len() == 1 && nodes[0] != dead.as_str(), "{nodes:?}");
}

pub async fn a_node_out_of_service_gives_its_pods_and_volumes_free(stage: &Stage) {
    let dead = populate(stage).await;
    stage.strike(&dead, Fault::Dead).await;
    silent(stage, &dead).await;
    stage.until("pods", "a pod that is stuck", |pods| is_deleting(&pods["postgres-0"])).await;
    let path = format!("/api/v1/nodes/{dead}");
    let seen = stage.get(&path).await.body;
    let mut taints = seen["spec"]["taints"].as_array().unwrap().clone();
    taints.push(
        json!({ "key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute" }),
    );
    let patch = json!({
        "metadata": { "resourceVersion": seen["metadata"]["resourceVersion"] },
        "spec": { "taints": taints },
    });
    let tainted = stage.patch(&path, MERGE, &patch).await;
    assert_eq!(tainted.code, 200, "{}", tainted.body);
    let moved = |pods: &BTreeMap<String, Value>| {
        pods.get("postgres-0").is_some_and(|pod| node(pod) != dead && is_ready(pod))
    };
    stage.until("pods", "the pod elsewhere, with its volume", moved).await;
    let attachments = "/apis/storage.k8s.io/v1/volumeattachments";
    let claim = stage.get(&stage.path("persistentvolumeclaims/data-postgres-0")).await.body;
    let attached = |present: &BTreeMap<String, Value>| {
        let volume = &claim["spec"]["volumeName"];
        let of_it = present.values().filter(|one| one["spec"]["source"]["persistentVolumeName"] == *volume);
        of_it.map(|one| one["spec"]["nodeName"] != dead && one["status"]["attached"] == true).eq([true])
    };
    stage.until(attachments, "the volume on the other node alone", attached).await;
}

pub async fn a_kubelet_that_hangs_lets_no_pod_end(stage: &Stage) {
    let pod = stage.ready_pod("web", &json!({ "spec": { "terminationGracePeriodSeconds": 1 } })).await;
    let other = stage.ready_pod("other", &json!({})).await;
    let place = node(&pod);
    stage.strike(&place, Fault::Stuck).await;
    assert_eq!(stage.delete(&stage.path("pods/web"), &Value::Null).await.code, 200);
    if node(&other) != place {
        assert_eq!(stage.delete(&stage.path("pods/other"), &Value::Null).await.code, 200);
        stage.until("pods", "the pod on a sound node is gone", |pods| !pods.contains_key("other")).await;
    }
    let held = stage.get(&stage.path("pods/web")).await.body;
    assert!(is_deleting(&held) && held["metadata"]["deletionGracePeriodSeconds"] == 1, "{held}");
    let nodes = stage.until("/api/v1/nodes", "a node that is ready", |nodes| is_ready(&nodes[&place])).await;
    assert!(nodes[&place]["spec"]["taints"].is_null());
    let force = json!({ "gracePeriodSeconds": 0 });
    assert_eq!(stage.delete(&stage.path("pods/web"), &force).await.code, 200);
    assert_eq!(stage.get(&stage.path("pods/web")).await.verdict(), (404, "NotFound"));
}
