//! Watches and lists.

use crate::stage::{MERGE, Stage, Watch};
use serde_json::{Value, json};

async fn put(stage: &Stage, name: &str, tier: &str) -> Value {
    let object = json!({ "metadata": { "name": name, "labels": { "tier": tier } } });
    stage.create(&stage.path("configmaps"), &object).await
}

async fn version(stage: &Stage) -> String {
    let list = stage.get(&stage.path("configmaps")).await.body;
    list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

/// The next change: its type, name and version.
async fn next(watch: &mut Watch) -> (String, String, u64) {
    let event = watch.next().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &event["object"]["metadata"];
    (text(&event["type"]), text(&metadata["name"]), text(&metadata["resourceVersion"]).parse().unwrap())
}

pub async fn a_watch_tells_what_happens_in_its_order(stage: &Stage) {
    put(stage, "before", "front").await;
    let configs = stage.path("configmaps");
    let path = format!("{configs}?watch=true&labelSelector=tier&resourceVersion={}", version(stage).await);
    let mut watch = stage.watch(&path).await;
    let made = put(stage, "a", "front").await;
    stage.patch(&format!("{configs}/a"), MERGE, &json!({ "data": { "x": "y" } })).await;
    // A patch that changes nothing is not told of.
    stage.patch(&format!("{configs}/a"), MERGE, &json!({ "data": { "x": "y" } })).await;
    stage.delete(&format!("{configs}/a"), &Value::Null).await;
    let told = [next(&mut watch).await, next(&mut watch).await, next(&mut watch).await];
    assert_eq!(
        told.each_ref().map(|event| (&*event.0, &*event.1)),
        [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    );
    assert_eq!(made["metadata"]["resourceVersion"], told[0].2.to_string());
    assert!(told[0].2 < told[1].2 && told[1].2 < told[2].2, "{told:?}");
}

pub async fn a_narrowed_watch_loses_what_leaves_it(stage: &Stage) {
    let configs = stage.path("configmaps");
    let path =
        format!("{configs}?watch=true&labelSelector=tier%3Dfront&resourceVersion={}", version(stage).await);
    let mut watch = stage.watch(&path).await;
    put(stage, "a", "back").await;
    for tier in ["front", "back"] {
        let label = json!({ "metadata": { "labels": { "tier": tier } } });
        stage.patch(&format!("{configs}/a"), MERGE, &label).await;
    }
    let (entered, left) = (next(&mut watch).await, next(&mut watch).await);
    assert_eq!(((&*entered.0, &*entered.1), (&*left.0, &*left.1)), (("ADDED", "a"), ("DELETED", "a")));
}

pub async fn a_list_comes_in_pages_of_one_version(stage: &Stage) {
    for name in ["a", "b", "c"] {
        put(stage, name, "front").await;
    }
    let configs = format!("{}?labelSelector=tier", stage.path("configmaps"));
    let first = stage.get(&format!("{configs}&limit=2")).await.body;
    assert_eq!(first["kind"], "ConfigMapList");
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    assert!(first["items"][0]["kind"].is_null());
    let token = first["metadata"]["continue"].as_str().unwrap();
    put(stage, "d", "front").await;
    let second = stage.get(&format!("{configs}&limit=2&continue={token}")).await.body;
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let names: Vec<&Value> =
        second["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["name"]).collect();
    assert_eq!(names, ["c"]);
    assert!(second["metadata"]["continue"].is_null());
    let future = stage.get(&format!("{configs}&resourceVersion=99999999999")).await;
    assert_eq!(future.verdict(), (504, "Timeout"));
    assert_eq!(future.body["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    let contradiction = stage.get(&format!("{configs}&resourceVersionMatch=Exact")).await;
    assert_eq!(contradiction.verdict(), (422, "Invalid"));
}

pub async fn a_streaming_list_says_where_it_ends(stage: &Stage) {
    for name in ["a", "b"] {
        put(stage, name, "front").await;
    }
    let path = format!("{}?watch=true&labelSelector=tier&sendInitialEvents=true", stage.path("configmaps"));
    let refused = stage.get(&path).await;
    assert_eq!(refused.verdict(), (422, "Invalid"));
    let path = format!("{path}&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    let mut watch = stage.watch(&path).await;
    let mut present = vec![next(&mut watch).await.1, next(&mut watch).await.1];
    present.sort();
    assert_eq!(present, ["a", "b"]);
    let end = watch.next().await.unwrap();
    assert_eq!(end["type"], "BOOKMARK");
    assert_eq!(end["object"]["metadata"]["annotations"], json!({ "k8s.io/initial-events-end": "true" }));
    put(stage, "c", "front").await;
    let later = next(&mut watch).await;
    assert_eq!((&*later.0, &*later.1), ("ADDED", "c"));
}
