//! A control plane of its own for a test: started, broken on purpose, and gone with the test.

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// Ends when its standard input closes, which happens however the test ends.
pub struct Hollow {
    pub kubeconfig: PathBuf,
    folder: TempDir,
    nodes: usize,
    up: Up,
}

/// The program that runs it all.
struct Up {
    program: Child,
    _lifeline: ChildStdin,
}

impl Hollow {
    /// Waits until it is ready; the first start on a machine builds it, which takes minutes.
    pub fn start(nodes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let up = Up::start(folder.path(), nodes, free_port());
        Self { kubeconfig: folder.path().join("kubeconfig"), folder, nodes, up }
    }

    /// The whole control plane goes away, and its nodes with it.
    pub fn stop(&mut self) {
        self.up.stop();
    }

    /// It comes back as it was, at the same address.
    pub fn start_again(&mut self) {
        let config = std::fs::read_to_string(&self.kubeconfig).unwrap();
        let (_, port) = config.split_once("https://127.0.0.1:").unwrap();
        let port = port.split('"').next().unwrap().parse().unwrap();
        self.up = Up::start(self.folder.path(), self.nodes, port);
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The process of a component.
    pub fn process(&self, component: &str) -> Pid {
        let text = std::fs::read_to_string(self.file(&format!("{component}.pid"))).unwrap();
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }

    /// A test that fails because the cluster did is otherwise a riddle.
    #[expect(clippy::print_stderr, reason = "the test's harness shows it with the failure")]
    fn tell_last_words(&mut self) {
        let ended = self.up.program.try_wait();
        eprintln!("the hollow cluster, ended: {ended:?}");
        for name in
            ["log", "etcd.log", "kube-apiserver.log", "kube-controller-manager.log", "kube-scheduler.log"]
        {
            let text = std::fs::read_to_string(self.file(name)).unwrap_or_default();
            let first = text.lines().count().saturating_sub(8);
            let last: Vec<&str> = text.lines().skip(first).collect();
            eprintln!("{name}: …\n{}", last.join("\n"));
        }
    }
}

impl Drop for Hollow {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell_last_words();
        }
        self.up.stop();
    }
}

/// A port for an API server, of those that the system hands out to nobody: it is some seconds before it is taken, and
/// in those a connection of another test could be given it.
fn free_port() -> u16 {
    const EACH: u16 = 100;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let of_process = u16::try_from(std::process::id() % u32::from(EACH)).unwrap();
    let mut ports =
        (0..EACH).map(|_| 20_000 + of_process * EACH + NEXT.fetch_add(1, Ordering::Relaxed) % EACH);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

impl Up {
    /// Told to end, it ends its components as well; killed, it would leave API servers behind that wait for their etcd.
    fn stop(&mut self) {
        let _already_ended = kill_process(Pid::from_child(&self.program), Signal::TERM);
        let _already_waited_for = self.program.wait();
    }

    fn start(folder: &Path, nodes: usize, port: u16) -> Self {
        let up = std::env::var_os("HOLLOW_CLUSTER").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hollow-cluster"),
            PathBuf::from,
        );
        let up = up.join("up");
        assert!(
            up.is_file(),
            "no hollow cluster: {} does not exist; HOLLOW_CLUSTER names its folder",
            up.display()
        );
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut program = Command::new(up)
            .args(["--nodes", &nodes.to_string(), "--port", &port.to_string()])
            .args(["--fast", "--stdin-lifeline", "--dir"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lifeline = program.stdin.take().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let is_ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        let log = std::fs::read_to_string(folder.join("log")).unwrap();
        let of_server = || std::fs::read_to_string(folder.join("kube-apiserver.log")).unwrap_or_default();
        assert!(is_ready, "the hollow cluster did not start:\n{log}\n{}", of_server());
        // Or it would block when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Self { program, _lifeline: lifeline }
    }
}

/// Requests to the API server: how a test changes the cluster, and what it compares the board with.
#[derive(Clone)]
pub struct Api(pub kube::Client);

impl Api {
    pub async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, &Value::Null).await
    }

    pub async fn create(&self, path: &str, object: &Value) -> Value {
        self.send(Method::POST, path, object).await
    }

    /// Writes an object as a whole.
    pub async fn replace(&self, path: &str, object: &Value) -> Value {
        self.send(Method::PUT, path, object).await
    }

    pub async fn delete(&self, path: &str, options: &Value) -> Value {
        self.send(Method::DELETE, path, options).await
    }

    /// Changes an object as kubectl's patch does: lists are merged by the names of their items.
    pub async fn patch_strategic(&self, path: &str, change: &Value) -> Value {
        let request = request(Method::PATCH, path, change, "application/strategic-merge-patch+json");
        self.0.request(request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Changes an object by a merge patch.
    pub async fn patch(&self, path: &str, merge: &Value) -> Value {
        let request = request(Method::PATCH, path, merge, "application/merge-patch+json");
        self.0.request(request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Sends a text, and takes one for an answer.
    pub async fn put_text(&self, path: &str, text: &str) -> String {
        let request = Request::put(path).body(text.as_bytes().to_vec()).unwrap();
        self.0.request_text(request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Breaks and mends machines: `{"down": "worker-2"}`.
    pub async fn faults(&self, faults: Value) {
        let path = "/api/v1/namespaces/kube-system/configmaps/hollow";
        self.patch(path, &json!({ "data": faults })).await;
    }

    /// What a server sends for `path`, byte for byte.
    pub async fn raw(&self, path: &str, accept: &str) -> Vec<u8> {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.headers_mut().insert(http::header::ACCEPT, accept.parse().unwrap());
        let response = self.0.send(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    async fn send(&self, method: Method, path: &str, object: &Value) -> Value {
        let request = request(method, path, object, "application/json");
        self.0.request(request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

fn request(method: Method, path: &str, object: &Value, content_type: &str) -> Request<Vec<u8>> {
    let body = if object.is_null() { Vec::new() } else { serde_json::to_vec(object).unwrap() };
    let request = Request::builder().method(method).uri(path);
    request.header(http::header::CONTENT_TYPE, content_type).body(body).unwrap()
}

/// A tolerance of silence that makes an eviction a matter of seconds.
fn tolerations() -> Value {
    let one = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2 });
    json!([one("node.kubernetes.io/unreachable"), one("node.kubernetes.io/not-ready")])
}

/// A workload with the pod template that all tests use.
fn workload(kind: &str, name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "tolerations": tolerations(), "containers": [{ "name": name, "image": name }] },
            },
        },
    })
}

/// A StatefulSet with a ReadWriteOnce volume for each pod, and a Deployment; of the other kinds one without pods.
pub async fn populate(api: &Api) {
    let mut postgres = workload("StatefulSet", "postgres", 3);
    postgres["spec"]["serviceName"] = json!("postgres");
    postgres["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": { "name": "data" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
    }]);
    api.create("/apis/apps/v1/namespaces/default/statefulsets", &postgres).await;
    api.create("/apis/apps/v1/namespaces/default/deployments", &workload("Deployment", "web", 6)).await;
    let mut nowhere = workload("DaemonSet", "nowhere", 0);
    nowhere["spec"]["template"]["spec"]["nodeSelector"] = json!({ "disk": "none" });
    api.create("/apis/apps/v1/namespaces/default/daemonsets", &nowhere).await;
    let mut later = workload("Job", "later", 0);
    later["apiVersion"] = json!("batch/v1");
    later["spec"] = json!({ "suspend": true, "template": later["spec"]["template"] });
    later["spec"]["template"]["spec"]["restartPolicy"] = json!("Never");
    api.create("/apis/batch/v1/namespaces/default/jobs", &later).await;
    let budget = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "maxUnavailable": "50%", "selector": { "matchLabels": { "app": "web" } } },
    });
    api.create("/apis/policy/v1/namespaces/default/poddisruptionbudgets", &budget).await;
}
