//! Creating, replacing and patching.

use crate::stage::{JSON, JSON_PATCH, MERGE, STRATEGIC, Stage, workload};
use http::Method;
use serde_json::{Value, json};

fn config(name: &str, data: &Value) -> Value {
    json!({ "metadata": { "name": name }, "data": data })
}

fn idle_deployment(name: &str) -> Value {
    workload("Deployment", name, 0)
}

pub async fn what_is_created_is_filled_up_and_numbered(stage: &Stage) {
    let path = stage.path("apps/deployments");
    let created = stage.create(&path, &idle_deployment("web")).await;
    assert_eq!(created["metadata"]["generation"], 1);
    assert_eq!(created["metadata"]["uid"].as_str().map(str::len), Some(36));
    assert_eq!(created["metadata"]["namespace"], stage.namespace.as_str());
    let spec = &created["spec"];
    let rolling =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } });
    assert_eq!(spec["strategy"], rolling);
    assert_eq!((&spec["revisionHistoryLimit"], &spec["progressDeadlineSeconds"]), (&json!(10), &json!(600)));
    let pod = &spec["template"]["spec"];
    assert_eq!((&pod["restartPolicy"], &pod["dnsPolicy"]), (&json!("Always"), &json!("ClusterFirst")));
    assert_eq!(pod["containers"][0]["imagePullPolicy"], "IfNotPresent");

    let again = stage.post(&path, &idle_deployment("web")).await;
    assert_eq!(again.verdict(), (409, "AlreadyExists"));
    assert_eq!(again.message(), "deployments.apps \"web\" already exists");

    let named = json!({ "metadata": { "generateName": "made-" }, "data": {} });
    let made = stage.create(&stage.path("configmaps"), &named).await;
    let name = made["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("made-") && name.len() == "made-".len() + 5, "{name}");

    let pod =
        json!({ "metadata": { "name": "bare" }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    let pod = stage.create(&stage.path("pods"), &pod).await;
    assert_eq!(pod["status"], json!({ "phase": "Pending", "qosClass": "BestEffort" }));
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
    let tolerated: Vec<&Value> =
        pod["spec"]["tolerations"].as_array().unwrap().iter().map(|toleration| &toleration["key"]).collect();
    assert_eq!(tolerated, ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
}

pub async fn a_replacement_of_something_else_is_refused(stage: &Stage) {
    let collection = stage.path("configmaps");
    let path = format!("{collection}/settings");
    let first = stage.create(&collection, &config("settings", &json!({ "a": "1" }))).await;
    let second = stage.put(&path, &config("settings", &json!({ "a": "2" }))).await;
    assert_eq!((second.code.as_u16(), &second.body["data"]["a"]), (200, &json!("2")));
    assert_eq!(second.body["metadata"]["uid"], first["metadata"]["uid"]);

    let stale = stage.put(&path, &first).await;
    assert_eq!(stale.verdict(), (409, "Conflict"));
    assert_eq!(
        stale.message(),
        "Operation cannot be fulfilled on configmaps \"settings\": the object has been modified; please apply your \
         changes to the latest version and try again"
    );
    let mut other = config("settings", &json!({}));
    other["metadata"]["uid"] = json!("d3b07384-d9a0-4c9b-8f5e-0123456789ab");
    assert_eq!(stage.put(&path, &other).await.verdict(), (409, "Conflict"));
    assert_eq!(stage.put(&path, &config("other", &json!({}))).await.verdict(), (400, "BadRequest"));
    let missing = stage.put(&format!("{collection}/none"), &config("none", &json!({}))).await;
    assert_eq!(missing.verdict(), (404, "NotFound"));
    assert_eq!(stage.get(&path).await.body["data"]["a"], "2");

    let budgets = stage.path("policy/poddisruptionbudgets");
    let budget = json!({
        "metadata": { "name": "web" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } },
    });
    stage.create(&budgets, &budget).await;
    let blind = stage.put(&format!("{budgets}/web"), &budget).await;
    assert_eq!(blind.verdict(), (422, "Invalid"));
    assert_eq!(
        blind.message(),
        "poddisruptionbudgets.policy \"web\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified \
         for an update"
    );
}

pub async fn each_kind_of_patch_merges_by_its_own_rules(stage: &Stage) {
    let collection = stage.path("apps/deployments");
    let path = format!("{collection}/web");
    stage.create(&collection, &idle_deployment("web")).await;
    let pod = |containers: Value| json!({ "spec": { "template": { "spec": { "containers": containers } } } });
    let containers = |object: &Value| -> Vec<(String, String)> {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        containers.map(|container| (text(&container["name"]), text(&container["image"]))).collect()
    };
    let pair = |name: &str, image: &str| (name.to_owned(), image.to_owned());

    let added = pod(json!([{ "name": "log", "image": "log:1", "env": [{ "name": "A", "value": "1" }] }]));
    let merged = stage.patch(&path, STRATEGIC, &added).await;
    assert_eq!(merged.code, 200, "{}", merged.body);
    let mut sorted = containers(&merged.body);
    sorted.sort();
    assert_eq!(sorted, [pair("log", "log:1"), pair("main", "main:1")]);

    let more = pod(json!([{ "name": "log", "env": [{ "name": "B", "value": "2" }] }]));
    let merged = stage.patch(&path, STRATEGIC, &more).await.body;
    let log = merged["spec"]["template"]["spec"]["containers"].as_array().unwrap().iter();
    let log = log.clone().find(|container| container["name"] == "log").unwrap();
    let mut names: Vec<&str> =
        log["env"].as_array().unwrap().iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["A", "B"]);

    let gone = pod(json!([{ "name": "log", "$patch": "delete" }]));
    let merged = stage.patch(&path, STRATEGIC, &gone).await.body;
    assert_eq!(containers(&merged), [pair("main", "main:1")]);

    let replaced = stage.patch(&path, MERGE, &pod(json!([{ "name": "new", "image": "new:1" }]))).await.body;
    assert_eq!(containers(&replaced), [pair("new", "new:1")]);

    let image = "/spec/template/spec/containers/0/image";
    let failing = json!([
        { "op": "replace", "path": image, "value": "new:2" },
        { "op": "test", "path": "/metadata/name", "value": "other" },
    ]);
    assert_eq!(stage.patch(&path, JSON_PATCH, &failing).await.verdict(), (422, "Invalid"));
    assert_eq!(containers(&stage.get(&path).await.body), [pair("new", "new:1")]);
    let holding = json!([
        { "op": "test", "path": "/metadata/name", "value": "web" },
        { "op": "replace", "path": image, "value": "new:2" },
        { "op": "add", "path": "/metadata/annotations", "value": { "a/b": "c" } },
        { "op": "remove", "path": "/metadata/annotations/a~1b" },
    ]);
    let patched = stage.patch(&path, JSON_PATCH, &holding).await;
    assert_eq!(patched.code, 200, "{}", patched.body);
    assert_eq!(containers(&patched.body), [pair("new", "new:2")]);

    let locked = json!({ "metadata": { "resourceVersion": "1" }, "spec": { "paused": true } });
    assert_eq!(stage.patch(&path, MERGE, &locked).await.verdict(), (409, "Conflict"));
    let nameless = stage.patch(&path, STRATEGIC, &pod(json!([{ "image": "x" }]))).await;
    assert_eq!(nameless.code, 500);
    assert!(
        nameless.message().ends_with("does not contain declared merge key: name"),
        "{}",
        nameless.message()
    );
    for (kind, patch, verdict) in [
        (JSON, "{}", (415, "UnsupportedMediaType")),
        (MERGE, "{", (400, "BadRequest")),
        (MERGE, "[1]", (400, "BadRequest")),
        (JSON_PATCH, "{}", (400, "BadRequest")),
        (MERGE, r#"{"metadata":{"name":"other"}}"#, (400, "BadRequest")),
        (MERGE, r#"{"spec":{"replicas":-1}}"#, (422, "Invalid")),
        (MERGE, r#"{"spec":{"selector":{"matchLabels":{"app":"x"}}}}"#, (422, "Invalid")),
        (MERGE, r#"{"metadata":{"uid":"x"}}"#, (422, "Invalid")),
        ("application/apply-patch+yaml", "{}", (422, "Invalid")),
    ] {
        let answer = stage.send(Method::PATCH, &path, (kind, patch)).await;
        assert_eq!(answer.verdict(), verdict, "{kind} {patch}: {}", answer.body);
    }
}

pub async fn a_dry_run_changes_nothing(stage: &Stage) {
    let collection = stage.path("configmaps");
    let path = format!("{collection}/settings");
    let tried = stage.post(&format!("{collection}?dryRun=All"), &config("tried", &json!({}))).await;
    assert_eq!(tried.code, 201);
    assert!(tried.body["metadata"]["resourceVersion"].is_null());
    assert_eq!(stage.get(&format!("{collection}/tried")).await.verdict(), (404, "NotFound"));

    let kept = stage.create(&collection, &config("settings", &json!({ "a": "1" }))).await;
    let patch = json!({ "data": { "a": "2" } });
    let tried = stage.patch(&format!("{path}?dryRun=All"), MERGE, &patch).await;
    assert_eq!((tried.code.as_u16(), &tried.body["data"]["a"]), (200, &json!("2")));
    assert_eq!(stage.delete(&format!("{path}?dryRun=All"), &Value::Null).await.code, 200);
    assert_eq!(stage.delete(&path, &json!({ "dryRun": ["All"] })).await.code, 200);
    let now = stage.get(&path).await.body;
    assert_eq!(now["metadata"]["resourceVersion"], kept["metadata"]["resourceVersion"]);
    let misspelt = stage.post(&format!("{collection}?dryRun=Yes"), &config("tried", &json!({}))).await;
    assert_eq!(misspelt.verdict(), (422, "Invalid"));
}

pub async fn the_spec_is_counted_and_the_status_is_written_apart(stage: &Stage) {
    let collection = stage.path("apps/deployments");
    let path = format!("{collection}/web");
    stage.create(&collection, &idle_deployment("web")).await;
    stage
        .until("apps/deployments", "a deployment that was seen", |present| {
            present["web"]["status"]["observedGeneration"] == 1
        })
        .await;
    let generation = |answer: &Value| answer["metadata"]["generation"].as_i64().unwrap();
    let labelled = stage.patch(&path, MERGE, &json!({ "metadata": { "labels": { "a": "b" } } })).await.body;
    assert_eq!(generation(&labelled), 1);
    let both = json!({ "spec": { "minReadySeconds": 1 }, "status": { "replicas": 77 } });
    let changed = stage.patch(&path, MERGE, &both).await.body;
    assert_eq!((generation(&changed), &changed["spec"]["minReadySeconds"]), (2, &json!(1)));
    assert_ne!(changed["status"]["replicas"], 77);

    let pods = stage.path("pods");
    // No scheduler of this name is there: nobody else writes this pod.
    let pod = json!({
        "metadata": { "name": "idle" },
        "spec": { "schedulerName": "nobody", "containers": [{ "name": "a", "image": "a:1" }] },
    });
    stage.create(&pods, &pod).await;
    let both = json!({
        "spec": { "activeDeadlineSeconds": 5 },
        "status": { "conditions": [{ "type": "Practised", "status": "True" }] },
    });
    let written = stage.patch(&format!("{pods}/idle/status"), STRATEGIC, &both).await;
    assert_eq!(written.code, 200, "{}", written.body);
    assert_eq!(crate::stage::condition(&written.body, "Practised"), "True");
    assert!(written.body["spec"]["activeDeadlineSeconds"].is_null());
    let moved = stage.patch(&format!("{pods}/idle"), MERGE, &json!({ "spec": { "nodeName": "x" } })).await;
    assert_eq!(moved.verdict(), (422, "Invalid"));
    let nowhere = stage.patch(&stage.path("configmaps/x/status"), MERGE, &json!({})).await;
    assert_eq!(nowhere.verdict(), (404, "NotFound"));
}

pub async fn replicas_are_scaled_by_their_own_part(stage: &Stage) {
    let collection = stage.path("apps/deployments");
    let path = format!("{collection}/web/scale");
    stage.create(&collection, &idle_deployment("web")).await;
    let scale = stage.get(&path).await.body;
    assert_eq!((&scale["kind"], &scale["apiVersion"]), (&json!("Scale"), &json!("autoscaling/v1")));
    assert_eq!((&scale["spec"], &scale["status"]["selector"]), (&json!({}), &json!("app=web")));
    let scaled = stage.patch(&path, MERGE, &json!({ "spec": { "replicas": 2 } })).await;
    assert_eq!((scaled.code.as_u16(), &scaled.body["spec"]["replicas"]), (200, &json!(2)));
    assert_eq!(stage.get(&format!("{collection}/web")).await.body["spec"]["replicas"], 2);
    let negative = stage.patch(&path, MERGE, &json!({ "spec": { "replicas": -2 } })).await;
    assert_eq!(negative.verdict(), (422, "Invalid"));
    assert_eq!(
        negative.message(),
        "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -2: must be greater than or equal to 0"
    );
    let pods = stage.until("pods", "two pods", |pods| pods.len() == 2).await;
    assert!(pods.keys().all(|name| name.starts_with("web-")), "{:?}", pods.keys());
    assert_eq!(stage.get(&stage.path("apps/daemonsets/x/scale")).await.verdict(), (404, "NotFound"));
}

pub async fn unknown_fields_are_refused_or_warned_of(stage: &Stage) {
    let path = stage.path("apps/deployments");
    let mut misspelt = idle_deployment("web");
    misspelt["spec"]["replica"] = json!(3);
    misspelt["spec"]["template"]["spec"]["containers"][0]["imago"] = json!("x");
    let strict = stage.post(&format!("{path}?fieldValidation=Strict"), &misspelt).await;
    assert_eq!(strict.verdict(), (400, "BadRequest"));
    assert!(
        strict.message().ends_with(
            "strict decoding error: unknown field \"spec.replica\", unknown field \
             \"spec.template.spec.containers[0].imago\""
        ),
        "{}",
        strict.message()
    );
    let warned = stage.post(&path, &misspelt).await;
    assert_eq!(warned.code, 201, "{}", warned.body);
    assert!(warned.body["spec"]["replica"].is_null());
    let warnings: Vec<&str> =
        warned.headers.get_all("warning").iter().map(|warning| warning.to_str().unwrap()).collect();
    assert_eq!(
        warnings,
        [
            "299 - \"unknown field \\\"spec.replica\\\"\"",
            "299 - \"unknown field \\\"spec.template.spec.containers[0].imago\\\"\"",
        ]
    );
    let mut wrong = idle_deployment("other");
    wrong["spec"]["replicas"] = json!("three");
    assert_eq!(stage.post(&path, &wrong).await.verdict(), (400, "BadRequest"));
}

pub async fn what_is_not_there_or_not_allowed_is_refused_in_words(stage: &Stage) {
    let pods = stage.path("pods");
    let pod =
        json!({ "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    let text = |object: &Value| object.to_string();
    let with = |field: &str, value: Value| {
        let mut pod = pod.clone();
        pod["metadata"][field] = value;
        pod.to_string()
    };
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "a" } });
    let nobody = json!({ "spec": { "containers": [] } });
    for (method, path, (kind, body), verdict) in [
        (Method::POST, pods.as_str(), (JSON, text(&node)), (400, "BadRequest")),
        (Method::POST, &pods, (JSON, "{".to_owned()), (400, "BadRequest")),
        (Method::POST, &pods, ("text/plain", text(&pod)), (415, "UnsupportedMediaType")),
        (Method::POST, &pods, (JSON, text(&nobody)), (422, "Invalid")),
        (Method::POST, &pods, (JSON, with("name", json!("A_b"))), (422, "Invalid")),
        (Method::POST, &pods, (JSON, with("namespace", json!("elsewhere"))), (400, "BadRequest")),
        (Method::POST, &pods, (JSON, with("resourceVersion", json!("7"))), (500, "")),
        (Method::POST, "/api/v1/namespaces/nowhere/pods", (JSON, text(&pod)), (404, "NotFound")),
        (Method::POST, "/api/v1/pods", (JSON, text(&pod)), (405, "MethodNotAllowed")),
        (Method::PUT, &pods, (JSON, text(&pod)), (405, "MethodNotAllowed")),
        (Method::PATCH, &pods, (MERGE, text(&pod)), (405, "MethodNotAllowed")),
        (Method::POST, &format!("{pods}/a"), (JSON, text(&pod)), (405, "MethodNotAllowed")),
        (Method::GET, &format!("{pods}/a/eviction"), (JSON, String::new()), (405, "MethodNotAllowed")),
        (Method::DELETE, "/api/v1/namespaces", (JSON, String::new()), (405, "MethodNotAllowed")),
        (Method::DELETE, &format!("{pods}/none"), (JSON, String::new()), (404, "NotFound")),
        (Method::PATCH, &format!("{pods}/none"), (MERGE, "{}".to_owned()), (404, "NotFound")),
        (Method::GET, &format!("{pods}/none/log"), (JSON, String::new()), (404, "NotFound")),
        (Method::GET, "/apis/example.com/v1/things", (JSON, String::new()), (404, "")),
        (Method::GET, &format!("{pods}?labelSelector=a%20b"), (JSON, String::new()), (400, "BadRequest")),
        (
            Method::GET,
            &format!("{pods}?fieldSelector=spec.x%3Dy"),
            (JSON, String::new()),
            (400, "BadRequest"),
        ),
    ] {
        let answer = stage.send(method.clone(), path, (kind, &body)).await;
        let told = answer.verdict();
        // A path of no group is answered in plain text by a real server.
        let told = if path.contains("example.com") { (told.0, "") } else { told };
        assert_eq!(told, verdict, "{method} {path} {body}: {}", answer.body);
    }
    let missing = stage.post("/api/v1/namespaces/nowhere/pods", &pod).await;
    assert_eq!(missing.message(), "namespaces \"nowhere\" not found");
    let nobody = stage.post(&pods, &nobody).await;
    assert_eq!(
        nobody.message(),
        "Pod \"\" is invalid: [metadata.name: Required value: name or generateName is required, spec.containers: \
         Required value]"
    );
    let review =
        json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "pods", "namespace": "x" } } });
    let review = stage.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await;
    assert_eq!(review["status"]["allowed"], true);
}
