//! A cluster to act on: the demo or a hollow one, behind the same few calls over HTTP.

use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::KubeConfigOptions;
use serde_json::{Value, json};
use sickbay::demo::{Blow, Demo, Options, Scenario};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than anything here takes on two slow cores; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(if cfg!(feature = "slow") { 600 } else { 90 });

/// The demo's clock: what takes a real cluster five minutes takes it ten seconds.
const SPEED: u32 = 30;

pub const JSON: &str = "application/json";
pub const MERGE: &str = "application/merge-patch+json";
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub const JSON_PATCH: &str = "application/json-patch+json";

pub struct Stage {
    pub client: kube::Client,
    pub namespace: String,
    pub kubeconfig: PathBuf,
    cluster: Cluster,
    _folder: tempfile::TempDir,
}

enum Cluster {
    Demo(Demo),
    #[cfg(feature = "hollow")]
    Hollow {
        _running: std::sync::Arc<crate::cluster::Hollow>,
    },
}

/// What happens to a machine.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Dead,
    Stuck,
}

#[derive(Debug)]
pub struct Answer {
    pub code: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// The code, and the reason of the Status.
    pub fn verdict(&self) -> (u16, &str) {
        (self.code.as_u16(), self.body["reason"].as_str().unwrap_or_default())
    }
}

impl Stage {
    pub async fn demo() -> Self {
        let options = Options {
            scenario: Scenario::Healthy,
            from: Duration::ZERO,
            speed: SPEED,
            is_open: true,
            port: 0,
        };
        let demo = Demo::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, demo.kubeconfig()).unwrap();
        Self::open(Cluster::Demo(demo), &kubeconfig, folder).await
    }

    #[cfg(feature = "hollow")]
    pub async fn hollow() -> Self {
        let hollow = tokio::task::spawn_blocking(|| crate::cluster::Hollow::start(5)).await.unwrap();
        Self::on_hollow(std::sync::Arc::new(hollow)).await
    }

    /// A cluster that lives as long as some test uses it.
    #[cfg(feature = "hollow")]
    pub async fn shared_hollow() -> Self {
        use std::sync::{Arc, Mutex, Weak};
        static SHARED: Mutex<Weak<crate::cluster::Hollow>> = Mutex::new(Weak::new());
        let hollow = tokio::task::spawn_blocking(|| {
            let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let hollow = Arc::new(crate::cluster::Hollow::start(5));
                *shared = Arc::downgrade(&hollow);
                hollow
            })
        });
        Self::on_hollow(hollow.await.unwrap()).await
    }

    #[cfg(feature = "hollow")]
    async fn on_hollow(hollow: std::sync::Arc<crate::cluster::Hollow>) -> Self {
        let kubeconfig = hollow.kubeconfig.clone();
        Self::open(Cluster::Hollow { _running: hollow }, &kubeconfig, tempfile::tempdir().unwrap()).await
    }

    async fn open(cluster: Cluster, kubeconfig: &Path, folder: tempfile::TempDir) -> Self {
        let read = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let mut config =
            kube::Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        // What the server refuses is what is looked at here.
        config.default_retry = false;
        let client = kube::Client::try_from(config).unwrap();
        let kubeconfig = kubeconfig.to_owned();
        let stage = Self { client, namespace: String::new(), kubeconfig, cluster, _folder: folder };
        let named = json!({ "metadata": { "generateName": "test-" } });
        let namespace = stage.create("/api/v1/namespaces", &named).await;
        Self { namespace: name(&namespace), ..stage }
    }

    /// The path of a collection in the test's namespace: `pods`, `apps/deployments`.
    pub fn path(&self, collection: &str) -> String {
        let namespace = &self.namespace;
        match collection.split_once('/') {
            Some((group, rest)) if ["apps", "policy", "batch"].contains(&group) => {
                format!("/apis/{group}/v1/namespaces/{namespace}/{rest}")
            }
            _ => format!("/api/v1/namespaces/{namespace}/{collection}"),
        }
    }

    pub async fn send(&self, method: Method, path: &str, (content_type, body): (&str, &str)) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !body.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, content_type);
        }
        let request = request.body(Body::from(body.as_bytes().to_vec())).unwrap();
        let response = tokio::time::timeout(PATIENCE, self.client.send(request)).await.unwrap().unwrap();
        let (code, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&body).into_owned()));
        Answer { code, headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, (JSON, "")).await
    }

    pub async fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::POST, path, (JSON, &object.to_string())).await
    }

    /// Creates what must be taken.
    pub async fn create(&self, path: &str, object: &Value) -> Value {
        let answer = self.post(path, object).await;
        assert_eq!(answer.code, 201, "{path}: {}", answer.body);
        answer.body
    }

    pub async fn patch(&self, path: &str, kind: &str, patch: &Value) -> Answer {
        self.send(Method::PATCH, path, (kind, &patch.to_string())).await
    }

    pub async fn put(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::PUT, path, (JSON, &object.to_string())).await
    }

    pub async fn delete(&self, path: &str, options: &Value) -> Answer {
        let body = if options.is_null() { String::new() } else { options.to_string() };
        self.send(Method::DELETE, path, (JSON, &body)).await
    }

    /// Creates a pod and waits until it is ready.
    pub async fn ready_pod(&self, name: &str, extra: &Value) -> Value {
        let mut pod = json!({
            "metadata": { "name": name, "labels": { "app": name } },
            "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
        });
        merge(&mut pod, extra);
        self.create(&self.path("pods"), &pod).await;
        let pods =
            self.until("pods", "a pod that is ready", |pods| pods.get(name).is_some_and(is_ready)).await;
        pods[name].clone()
    }

    /// Waits for what a collection of the test's namespace holds; gives it, by name.
    pub async fn until(
        &self,
        collection: &str,
        what: &str,
        holds: impl Fn(&BTreeMap<String, Value>) -> bool,
    ) -> BTreeMap<String, Value> {
        let path = if collection.starts_with('/') { collection.to_owned() } else { self.path(collection) };
        let list = self.get(&path).await.body;
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{path}: {list}"));
        let mut present: BTreeMap<String, Value> =
            items.iter().map(|item| (name(item), item.clone())).collect();
        let version = list["metadata"]["resourceVersion"].as_str().unwrap();
        let mut watch = self.watch(&format!("{path}?watch=true&resourceVersion={version}")).await;
        let told = async {
            while !holds(&present) {
                let event = watch.next().await.unwrap_or_else(|| panic!("{path}: the watch ended"));
                let object = &event["object"];
                match event["type"].as_str() {
                    Some("ADDED" | "MODIFIED") => present.insert(name(object), object.clone()),
                    Some("DELETED") => present.remove(&name(object)),
                    _ => panic!("{path}: {event}"),
                };
            }
        };
        let is_in_time = tokio::time::timeout(PATIENCE, told).await.is_ok();
        assert!(is_in_time, "{what} did not come to be in {path}: {}", shown(&present));
        present
    }

    pub async fn watch(&self, path: &str) -> Watch {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.client.send(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        Watch { body: response.into_body(), rest: Vec::new() }
    }

    /// Breaks a machine.
    #[cfg_attr(
        not(feature = "hollow"),
        expect(
            clippy::unused_async,
            reason = "the machines of a hollow cluster are reached through its API"
        )
    )]
    pub async fn strike(&self, node: &str, fault: Fault) {
        match &self.cluster {
            Cluster::Demo(demo) => demo.strike(
                node,
                match fault {
                    Fault::Dead => Blow::PowerOff,
                    Fault::Stuck => Blow::Hang,
                },
            ),
            #[cfg(feature = "hollow")]
            Cluster::Hollow { .. } => {
                let key = match fault {
                    Fault::Dead => "down",
                    Fault::Stuck => "stuck",
                };
                let map = "/api/v1/namespaces/kube-system/configmaps/hollow";
                let patched = self.patch(map, MERGE, &json!({ "data": { key: node } })).await;
                assert_eq!(patched.code, 200, "{}", patched.body);
            }
        }
    }
}

/// What is worth reading of objects that are not as they should be.
fn shown(present: &BTreeMap<String, Value>) -> String {
    let mut shown = json!({});
    for (name, object) in present {
        shown[name] = json!({ "spec": object["spec"]["nodeName"], "status": object["status"] });
        shown[name]["deleting"] = object["metadata"]["deletionTimestamp"].clone();
    }
    shown.to_string()
}

pub struct Watch {
    body: Body,
    rest: Vec<u8>,
}

impl Watch {
    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.unwrap()?.unwrap();
            if let Ok(bytes) = frame.into_data() {
                self.rest.extend_from_slice(&bytes);
            }
        }
    }
}

pub fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready") == "True"
}

/// The status of a condition.
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let found = conditions.into_iter().find(|condition| condition["type"] == kind);
    found.and_then(|condition| condition["status"].as_str()).unwrap_or_default()
}

pub fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Lays one object over another, field by field.
pub fn merge(target: &mut Value, over: &Value) {
    match (target, over) {
        (Value::Object(target), Value::Object(over)) => {
            for (field, value) in over {
                merge(target.entry(field.as_str()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (target, over) => *target = over.clone(),
    }
}

/// A workload of pods that run, by the kind's name.
pub fn workload(kind: &str, name: &str, replicas: u32) -> Value {
    let tolerate = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2 });
    let mut workload = json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "terminationGracePeriodSeconds": 3,
                    "tolerations": [tolerate("node.kubernetes.io/unreachable"), tolerate("node.kubernetes.io/not-ready")],
                    "containers": [{ "name": "main", "image": "main:1" }],
                },
            },
        },
    });
    if kind != "DaemonSet" {
        workload["spec"]["replicas"] = json!(replicas);
    }
    if kind == "StatefulSet" {
        workload["spec"]["serviceName"] = json!(name);
    }
    workload
}
