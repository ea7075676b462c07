//! The demo's API server, held to what a real one does, with a client that knows nothing of Kubernetes.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also outside the functions marked as tests"
)]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use sickbay::demo::{Demo, Faults, Options, Resource, Scenario, Scope};

/// Longer than anything here takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What `kubectl get` accepts.
const TABLE: [(&str, &str); 1] =
    [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")];

const GROUPS: [&str; 8] = [
    "/api/v1",
    "/apis/apps/v1",
    "/apis/batch/v1",
    "/apis/policy/v1",
    "/apis/storage.k8s.io/v1",
    "/apis/coordination.k8s.io/v1",
    "/apis/discovery.k8s.io/v1",
    "/apis/apiregistration.k8s.io/v1",
];

struct Caller {
    demo: Demo,
    client: Client<HttpConnector, Empty<Bytes>>,
}

struct Answer {
    code: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Caller {
    async fn new() -> Self {
        Self::of(Demo::empty().await.unwrap())
    }

    fn of(demo: Demo) -> Self {
        // A connection is never used twice: some tests break them.
        Self { demo, client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http() }
    }

    fn faults(&self) -> Faults {
        self.demo.faults()
    }

    fn put_pods(&self, count: usize) {
        for number in 0..count {
            self.put_pod(&format!("web-{number:02}"), "web", "worker-1");
        }
    }

    fn put_pod(&self, name: &str, app: &str, node: &str) -> Value {
        self.demo.put(
            Resource::Pods,
            json!({
                "metadata": { "namespace": "shop", "name": name, "labels": { "app": app } },
                "spec": { "nodeName": node, "containers": [{ "name": app, "image": "registry.example/web:1" }] },
                "status": { "phase": "Running" },
            }),
        )
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<hyper::body::Incoming> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.demo.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.demo.token()));
        }
        let sent = self.client.request(request.body(Empty::new()).unwrap());
        tokio::time::timeout(PATIENCE, sent).await.expect("an answer in time").unwrap()
    }

    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let response = self.send(method, path, headers).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { code: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[]).await
    }

    async fn watch(&self, path: &str) -> Watch {
        let response = self.send(Method::GET, path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        Watch { body: response.into_body(), rest: Vec::new() }
    }

    async fn version(&self, path: &str) -> String {
        self.get(path).await.body["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    }
}

struct Watch {
    body: hyper::body::Incoming,
    rest: Vec<u8>,
}

impl Watch {
    /// The next line; `None` when the watch has ended, cleanly or not.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("a frame in time");
            self.rest.extend_from_slice(frame?.ok()?.data_ref().unwrap());
        }
    }

    /// The type and the name of the next line.
    async fn change(&mut self) -> (String, String) {
        let line = self.next().await.expect("one more line");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&line["type"]), text(&line["object"]["metadata"]["name"]))
    }
}

fn change(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the condition comes true");
}

#[tokio::test]
async fn the_server_says_what_it_is() {
    let caller = Caller::new().await;
    assert_eq!(caller.get("/version").await.body["gitVersion"], "v1.36.2");
    for path in ["/livez", "/readyz", "/healthz"] {
        let answer = caller.get(path).await;
        assert_eq!((answer.code, answer.body), (StatusCode::OK, json!("ok")));
        assert!(answer.headers.contains_key("date"));
    }
}

#[tokio::test]
async fn without_the_right_token_nothing_is_answered() {
    let caller = Caller::new().await;
    for token in ["", "Bearer other"] {
        let answer = caller.call(Method::GET, "/api/v1/pods", &[("authorization", token)]).await;
        assert_eq!((answer.code, &answer.body["reason"]), (StatusCode::UNAUTHORIZED, &json!("Unauthorized")));
    }
}

#[tokio::test]
async fn what_is_not_served_is_refused_in_words() {
    let caller = Caller::new().await;
    caller.put_pods(1);
    for path in
        ["/", "/nothing", "/api/v1/secrets", "/apis/example.com/v1", "/api/v1/namespaces/shop/pods/no"]
    {
        let answer = caller.get(path).await;
        assert_eq!(
            (answer.code, &answer.body["reason"]),
            (StatusCode::NOT_FOUND, &json!("NotFound")),
            "{path}"
        );
    }
    let pod = "/api/v1/namespaces/shop/pods/web-00";
    for (method, path) in [(Method::POST, pod), (Method::OPTIONS, pod), (Method::PUT, "/version")] {
        let answer = caller.call(method, path, &[]).await;
        assert_eq!(answer.code, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.body["reason"], "MethodNotAllowed");
    }
    assert_eq!(caller.get(pod).await.code, StatusCode::OK);
    let answer = caller.call(Method::GET, "/api/v1/pods", &[("accept", "text/plain")]).await;
    assert_eq!((answer.code, &answer.body["reason"]), (StatusCode::NOT_ACCEPTABLE, &json!("NotAcceptable")));
}

#[tokio::test]
async fn who_asks_for_protobuf_or_json_gets_json() {
    let caller = Caller::new().await;
    let accept = [("accept", "application/vnd.kubernetes.protobuf,application/json")];
    let answer = caller.call(Method::GET, "/api/v1/nodes", &accept).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!((&answer.body["kind"], &answer.body["items"]), (&json!("NodeList"), &json!([])));
}

#[tokio::test]
async fn both_discoveries_tell_of_every_resource() {
    let caller = Caller::new().await;
    let mut plain = Vec::new();
    for path in GROUPS {
        let group = caller.get(path).await.body;
        let resources =
            group["resources"].as_array().unwrap().iter().map(|resource| resource["name"].clone());
        plain.extend(resources.filter(|name| !name.as_str().unwrap().contains('/')));
    }
    let accept =
        [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")];
    let mut aggregated = Vec::new();
    for path in ["/api", "/apis"] {
        let answer = caller.call(Method::GET, path, &accept).await;
        assert!(answer.headers["content-type"].to_str().unwrap().contains("as=APIGroupDiscoveryList"));
        for group in answer.body["items"].as_array().unwrap() {
            let resources = group["versions"][0]["resources"].as_array().unwrap();
            // What can only be created is a question, no resource.
            let kept = resources.iter().filter(|resource| resource["verbs"] != json!(["create"]));
            aggregated.extend(kept.map(|resource| resource["resource"].clone()));
        }
    }
    let sorted = |mut names: Vec<Value>| {
        names.sort_by_key(ToString::to_string);
        names
    };
    assert_eq!(plain.len(), Resource::ALL.len());
    assert_eq!(sorted(plain), sorted(aggregated));
    assert_eq!(caller.get("/apis").await.body["kind"], "APIGroupList");
}

#[tokio::test]
async fn a_list_comes_page_by_page_as_of_its_first_page() {
    let caller = Caller::new().await;
    caller.put_pods(5);
    let first = caller.get("/api/v1/pods?limit=2").await.body;
    assert_eq!(names(&first), ["web-00", "web-01"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    assert_eq!(first["items"][0]["kind"], Value::Null);

    caller.demo.remove(Resource::Pods, "shop", "web-03");
    caller.put_pod("web-99", "web", "worker-1");
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = caller.get(&format!("/api/v1/pods?limit=2&continue={token}")).await.body;
    assert_eq!(names(&second), ["web-02", "web-03"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let token = second["metadata"]["continue"].as_str().unwrap();
    let third = caller.get(&format!("/api/v1/pods?limit=2&continue={token}")).await.body;
    assert_eq!(names(&third), ["web-04"]);
    assert_eq!(third["metadata"]["continue"], Value::Null);
}

#[tokio::test]
async fn a_page_after_a_compaction_is_gone_and_says_how_to_go_on() {
    let caller = Caller::new().await;
    caller.put_pods(3);
    let first = caller.get("/api/v1/pods?limit=1").await.body;
    caller.faults().compact(Resource::Pods);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let gone = caller.get(&format!("/api/v1/pods?limit=1&continue={token}")).await;
    assert_eq!((gone.code, &gone.body["reason"]), (StatusCode::GONE, &json!("Expired")));
    let fresh = gone.body["metadata"]["continue"].as_str().unwrap();
    let rest = caller.get(&format!("/api/v1/pods?continue={fresh}")).await.body;
    assert_eq!(names(&rest), ["web-01", "web-02"]);
}

#[tokio::test]
async fn a_list_from_the_cache_comes_whole() {
    let caller = Caller::new().await;
    caller.put_pods(3);
    let list = caller.get("/api/v1/pods?limit=1&resourceVersion=0").await.body;
    assert_eq!(names(&list).len(), 3);
    let ahead = caller.get("/api/v1/pods?resourceVersion=99999999").await;
    assert_eq!(ahead.code, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(ahead.body["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
}

#[tokio::test]
async fn lists_are_narrowed_by_namespace_labels_and_fields() {
    let caller = Caller::new().await;
    caller.put_pod("web-0", "web", "worker-1");
    caller.put_pod("cart-0", "cart", "worker-2");
    let of = async |query: &str| caller.get(query).await.body;
    assert_eq!(names(&of("/api/v1/pods?labelSelector=app%20in%20(cart)").await), ["cart-0"]);
    assert_eq!(names(&of("/api/v1/pods?fieldSelector=spec.nodeName%3Dworker-1").await), ["web-0"]);
    assert_eq!(names(&of("/api/v1/namespaces/shop/pods").await), ["cart-0", "web-0"]);
    assert_eq!(names(&of("/api/v1/namespaces/data/pods").await).len(), 0);
    let refused = caller.get("/api/v1/pods?fieldSelector=spec.image%3Dx").await;
    assert_eq!(refused.code, StatusCode::BAD_REQUEST);
    assert_eq!(refused.body["message"], "field label not supported: spec.image");
}

#[tokio::test]
async fn a_watch_tells_what_comes_after_its_version() {
    let caller = Caller::new().await;
    caller.put_pods(1);
    let version = caller.version("/api/v1/pods").await;
    let mut watch = caller.watch(&format!("/api/v1/pods?watch=true&resourceVersion={version}")).await;
    caller.put_pod("cart-0", "cart", "worker-1");
    caller.put_pod("web-00", "web", "worker-2");
    caller.demo.remove(Resource::Pods, "shop", "web-00");
    assert_eq!(watch.change().await, change("ADDED", "cart-0"));
    let moved = watch.next().await.unwrap();
    assert_eq!((&moved["type"], &moved["object"]["kind"]), (&json!("MODIFIED"), &json!("Pod")));
    let deleted = watch.next().await.unwrap();
    assert_eq!(deleted["type"], "DELETED");
    assert_eq!(deleted["object"]["spec"]["nodeName"], "worker-2");
    let last = caller.version("/api/v1/pods").await;
    assert_eq!(deleted["object"]["metadata"]["resourceVersion"], last.as_str());
}

#[tokio::test]
async fn a_narrowed_watch_tells_who_enters_and_leaves() {
    let caller = Caller::new().await;
    caller.put_pod("web-0", "web", "worker-1");
    let version = caller.version("/api/v1/pods").await;
    let path =
        format!("/api/v1/pods?watch=1&resourceVersion={version}&fieldSelector=spec.nodeName%3Dworker-2");
    let mut watch = caller.watch(&path).await;
    caller.put_pod("cart-0", "cart", "worker-1");
    caller.put_pod("web-0", "web", "worker-2");
    caller.put_pod("web-0", "web", "worker-3");
    assert_eq!(watch.change().await, change("ADDED", "web-0"));
    assert_eq!(watch.change().await, change("DELETED", "web-0"));
}

#[tokio::test]
async fn idle_watches_get_bookmarks_and_a_clean_end() {
    let caller = Caller::new().await;
    caller.faults().set_bookmark_period(Duration::from_millis(5));
    caller.put_pods(1);
    let version = caller.version("/api/v1/pods").await;
    let query = format!("watch=1&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion={version}");
    let mut watch = caller.watch(&format!("/api/v1/pods?{query}")).await;
    let bookmark = watch.next().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["metadata"], json!({ "resourceVersion": version }));

    let mut events = caller.watch(&format!("/api/v1/events?{query}")).await;
    assert_eq!(events.next().await, None, "events have no bookmarks");
    while let Some(line) = watch.next().await {
        assert_eq!(line["type"], "BOOKMARK");
    }
}

#[tokio::test]
async fn a_watch_from_a_version_that_is_gone_is_told_so_in_a_line() {
    let caller = Caller::new().await;
    caller.put_pods(1);
    let version = caller.version("/api/v1/pods").await;
    caller.faults().set_window(1);
    caller.put_pods(4);
    let mut watch = caller.watch(&format!("/api/v1/pods?watch=1&resourceVersion={version}")).await;
    let error = watch.next().await.unwrap();
    assert_eq!((&error["type"], &error["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(error["object"]["reason"], "Expired");
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn a_compaction_does_not_end_a_watch_that_is_up_to_date() {
    let caller = Caller::new().await;
    caller.put_pods(1);
    let version = caller.version("/api/v1/pods").await;
    let mut watch = caller.watch(&format!("/api/v1/pods?watch=1&resourceVersion={version}")).await;
    caller.put_pod("cart-0", "cart", "worker-1");
    assert_eq!(watch.change().await, change("ADDED", "cart-0"));
    caller.faults().compact_everything();
    caller.put_pod("cart-1", "cart", "worker-1");
    assert_eq!(watch.change().await, change("ADDED", "cart-1"));
    let mut late = caller.watch(&format!("/api/v1/pods?watch=1&resourceVersion={version}")).await;
    assert_eq!(late.change().await, change("ERROR", ""));
}

#[tokio::test]
async fn a_watch_ahead_of_the_store_ends_without_a_word() {
    let caller = Caller::new().await;
    caller.put_pods(1);
    let version: u64 = caller.version("/api/v1/pods").await.parse().unwrap();
    caller.faults().restore_at(10);
    let query = format!("watch=1&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion={version}");
    let mut watch = caller.watch(&format!("/api/v1/pods?{query}")).await;
    caller.put_pod("cart-0", "cart", "worker-1");
    assert_eq!(watch.next().await, None);
    assert_eq!(caller.version("/api/v1/pods").await, "11");
}

const STREAMING: &str =
    "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";

#[tokio::test]
async fn a_streaming_list_marks_its_end_and_goes_on_as_a_watch() {
    let caller = Caller::new().await;
    caller.put_pods(2);
    let mut watch = caller.watch(&format!("/api/v1/pods?{STREAMING}")).await;
    assert_eq!(watch.change().await, change("ADDED", "web-00"));
    assert_eq!(watch.change().await, change("ADDED", "web-01"));
    let end = watch.next().await.unwrap();
    assert_eq!(end["type"], "BOOKMARK");
    assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    caller.demo.patch(Resource::Pods, "shop", "web-00", &json!({ "status": { "phase": "Failed" } }));
    assert_eq!(watch.change().await, change("MODIFIED", "web-00"));

    let mut events = caller.watch(&format!("/api/v1/events?{STREAMING}")).await;
    let end = events.next().await.unwrap();
    assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[tokio::test]
async fn a_server_without_streaming_lists_refuses_them() {
    let caller = Caller::new().await;
    caller.faults().set_watch_list(false);
    let refused = caller.get(&format!("/api/v1/pods?{STREAMING}")).await;
    assert_eq!(refused.code, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["details"]["causes"][0]["field"], "sendInitialEvents");
    caller.faults().set_watch_list(true);
    let refused = caller.get("/api/v1/pods?watch=1&sendInitialEvents=true").await;
    assert_eq!(refused.code, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["details"]["causes"][0]["field"], "resourceVersionMatch");
}

#[tokio::test]
async fn what_is_denied_is_forbidden_in_the_words_of_rbac() {
    let caller = Caller::new().await;
    caller.faults().deny("list", Resource::VolumeAttachments, Scope::Everywhere);
    let answer = caller.get("/apis/storage.k8s.io/v1/volumeattachments").await;
    assert_eq!(answer.code, StatusCode::FORBIDDEN);
    assert_eq!(
        answer.body["message"],
        "volumeattachments.storage.k8s.io is forbidden: User \"demo\" cannot list resource \"volumeattachments\" \
         in API group \"storage.k8s.io\" at the cluster scope"
    );
    caller.faults().deny("list", Resource::Pods, Scope::AllNamespaces);
    assert_eq!(caller.get("/api/v1/pods").await.code, StatusCode::FORBIDDEN);
    assert_eq!(caller.get("/api/v1/namespaces/shop/pods").await.code, StatusCode::OK);
    caller.faults().allow_everything();
    assert_eq!(caller.get("/api/v1/pods").await.code, StatusCode::OK);
}

#[tokio::test]
async fn a_fault_answers_as_often_as_it_was_told() {
    let caller = Caller::new().await;
    caller.faults().fail("/api/v1/pods", 1, StatusCode::TOO_MANY_REQUESTS, Some(7));
    caller.faults().fail_with_body("/api/v1/pods", 1, StatusCode::BAD_GATEWAY, "<html>bad gateway</html>");
    let first = caller.get("/api/v1/pods").await;
    assert_eq!((first.code, &first.headers["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &7.into()));
    let second = caller.get("/api/v1/pods?limit=1").await;
    assert_eq!((second.code, second.body), (StatusCode::BAD_GATEWAY, json!("<html>bad gateway</html>")));
    assert_eq!(caller.get("/api/v1/pods").await.code, StatusCode::OK);
}

#[tokio::test]
async fn a_hanging_server_takes_requests_and_answers_when_released() {
    let caller = Caller::new().await;
    caller.faults().hang();
    let faults = caller.faults();
    let release = async {
        until(|| !faults.received().is_empty()).await;
        faults.release();
    };
    let (answer, ()) = tokio::join!(caller.get("/livez"), release);
    assert_eq!(answer.code, StatusCode::OK);
}

#[tokio::test]
async fn a_silent_watch_holds_back_what_happened_until_it_speaks() {
    let caller = Caller::new().await;
    let mut watch = caller.watch("/api/v1/pods?watch=1&resourceVersion=0").await;
    until(|| caller.faults().open_watches() == 1).await;
    caller.faults().silence();
    caller.put_pods(1);
    let held = tokio::time::timeout(Duration::from_millis(50), watch.next()).await;
    assert!(held.is_err(), "{held:?}");
    caller.faults().speak();
    assert_eq!(watch.change().await, change("ADDED", "web-00"));
}

#[tokio::test]
async fn watches_are_counted_and_can_be_ended() {
    let caller = Caller::new().await;
    let mut first = caller.watch("/api/v1/pods?watch=1&resourceVersion=0").await;
    let mut second = caller.watch("/api/v1/nodes?watch=1&resourceVersion=0").await;
    let left = caller.watch("/api/v1/events?watch=1&resourceVersion=0").await;
    until(|| caller.faults().open_watches() == 3).await;
    drop(left);
    until(|| caller.faults().open_watches() == 2).await;
    caller.faults().end_watches();
    assert_eq!(first.next().await, None);
    assert_eq!(second.next().await, None);

    let mut cut = caller.watch("/api/v1/nodes?watch=1&resourceVersion=0").await;
    caller.faults().drop_connections();
    let frame = tokio::time::timeout(PATIENCE, cut.body.frame()).await.unwrap();
    assert!(frame.is_some_and(|frame| frame.is_err()), "cut off, not ended");
    until(|| caller.faults().open_watches() == 0).await;
}

#[tokio::test]
async fn a_server_that_refuses_connections_comes_back_at_the_same_address() {
    let caller = Caller::new().await;
    let address = caller.demo.address();
    caller.faults().refuse_connections().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    caller.faults().accept_connections().await;
    assert_eq!(caller.get("/livez").await.code, StatusCode::OK);
}

#[tokio::test]
async fn the_clock_of_the_server_can_be_wrong() {
    let caller = Caller::new().await;
    caller.faults().set_clock_offset(jiff::SignedDuration::from_hours(-24 * 365 * 30));
    let date = caller.get("/livez").await.headers["date"].to_str().unwrap().to_owned();
    let told = jiff::fmt::rfc2822::parse(&date).unwrap().timestamp();
    assert!(told < "2010-01-01T00:00:00Z".parse().unwrap(), "{date}");
}

#[tokio::test]
async fn requests_are_recorded_with_their_query() {
    let caller = Caller::new().await;
    caller.get("/api/v1/pods?limit=5").await;
    let received = caller.faults().received();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("GET", "/api/v1/pods"));
    assert_eq!(received[0].query, "limit=5");
}

#[tokio::test]
async fn metadata_alone_is_served_to_who_asks() {
    let caller = Caller::new().await;
    caller.put_pods(1);
    let accept = [("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")];
    let list = caller.call(Method::GET, "/api/v1/pods", &accept).await.body;
    assert_eq!(
        (&list["kind"], &list["items"][0]["spec"]),
        (&json!("PartialObjectMetadataList"), &Value::Null)
    );
    assert_eq!(list["items"][0]["metadata"]["name"], "web-00");
}

#[tokio::test]
async fn the_rows_of_every_table_fit_its_columns() {
    let caller = Caller::new().await;
    for resource in Resource::ALL {
        caller.demo.put(resource, json!({ "metadata": { "name": "x", "namespace": "shop" } }));
    }
    let mut seen = 0;
    for group in GROUPS {
        let resources = caller.get(group).await.body["resources"].as_array().unwrap().clone();
        for resource in resources {
            let name = resource["name"].as_str().unwrap();
            if name.contains('/') {
                continue;
            }
            let path = format!("{group}/{name}");
            let table = caller.call(Method::GET, &path, &TABLE).await.body;
            let cells = table["rows"][0]["cells"].as_array().unwrap();
            assert!(cells.contains(&json!("x")), "{path}");
            assert_eq!(cells.len(), table["columnDefinitions"].as_array().unwrap().len(), "{path}");
            seen += 1;
        }
    }
    assert_eq!(seen, Resource::ALL.len());
}

#[tokio::test]
async fn every_kind_that_the_program_watches_has_something_to_show() {
    let demo = Demo::start(Options { scenario: Scenario::Healthy, ..Options::default() }).await.unwrap();
    let caller = Caller::of(demo);
    for (path, kind) in [
        ("/apis/apps/v1/deployments", "DeploymentList"),
        ("/apis/apps/v1/replicasets", "ReplicaSetList"),
        ("/apis/apps/v1/statefulsets", "StatefulSetList"),
        ("/apis/apps/v1/daemonsets", "DaemonSetList"),
        ("/apis/batch/v1/jobs", "JobList"),
        ("/apis/policy/v1/poddisruptionbudgets", "PodDisruptionBudgetList"),
        ("/api/v1/services", "ServiceList"),
    ] {
        let list = caller.get(path).await.body;
        assert_eq!(list["kind"], kind);
        assert!(!list["items"].as_array().unwrap().is_empty(), "{path}");
    }
    let services = caller.get("/api/v1/namespaces/shop/services").await.body;
    assert_eq!(names(&services), ["cart", "checkout", "media", "search", "web"]);
}

#[tokio::test]
async fn a_table_watch_sends_its_columns_once() {
    let caller = Caller::new().await;
    caller.put_pods(2);
    let response = caller.send(Method::GET, "/api/v1/pods?watch=1&resourceVersion=0", &TABLE).await;
    let mut watch = Watch { body: response.into_body(), rest: Vec::new() };
    let first = watch.next().await.unwrap();
    assert_eq!(first["object"]["rows"][0]["cells"][0], "web-00");
    assert!(first["object"]["columnDefinitions"].is_array());
    assert_eq!(watch.next().await.unwrap()["object"]["columnDefinitions"], Value::Null);
}

#[tokio::test]
async fn a_demo_that_is_shut_down_leaves_nothing_open() {
    let caller = Caller::new().await;
    let mut watch = caller.watch("/api/v1/pods?watch=1&resourceVersion=0").await;
    let address = caller.demo.address();
    caller.demo.shutdown().await;
    let frame = tokio::time::timeout(PATIENCE, watch.body.frame()).await.unwrap();
    assert!(frame.is_none_or(|frame| frame.is_err()));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_open_demo_answers_who_shows_no_token_but_not_who_shows_a_wrong_one() {
    let options = Options { scenario: Scenario::Healthy, is_open: true, ..Options::default() };
    let demo = Demo::start(options).await.unwrap();
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let code = async |authorization: Option<&str>| {
        let mut request = Request::get(format!("{}/api/v1/nodes", demo.url()));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        client.request(request.body(Empty::new()).unwrap()).await.unwrap().status()
    };
    assert_eq!(code(None).await, StatusCode::OK);
    assert_eq!(code(Some("Bearer other")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(code(Some(&format!("Bearer {}", demo.token()))).await, StatusCode::OK);
}

#[tokio::test]
async fn the_incident_is_played_live() {
    let options = Options { from: Duration::ZERO, speed: 100, ..Options::default() };
    let caller = Caller::of(Demo::start(options).await.unwrap());
    let path = "/api/v1/nodes?watch=1&resourceVersion=0&fieldSelector=metadata.name%3Dworker-2";
    let mut watch = caller.watch(path).await;
    let ready = |line: &Value| {
        let conditions = line["object"]["status"]["conditions"].as_array().unwrap();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
        ready["status"].as_str().unwrap().to_owned()
    };
    while ready(&watch.next().await.unwrap()) != "Unknown" {}
    let mut pods = caller.watch("/api/v1/namespaces/data/pods?watch=1&resourceVersion=0").await;
    loop {
        let line = pods.next().await.unwrap();
        let metadata = &line["object"]["metadata"];
        if metadata["name"] == "postgres-1" && metadata["deletionTimestamp"].is_string() {
            break;
        }
    }
}

#[tokio::test]
async fn the_kubeconfig_leads_to_the_demo() {
    let demo = Demo::empty().await.unwrap();
    let read: Value = serde_yaml::from_str(&demo.kubeconfig()).unwrap();
    assert_eq!(read["current-context"], "demo");
    assert_eq!(read["clusters"][0]["cluster"]["server"], demo.url().as_str());
    assert_eq!(read["users"][0]["user"]["token"], demo.token());
}

#[test]
fn scenarios_are_known_by_their_names() {
    for scenario in Scenario::all() {
        assert_eq!(scenario.id().parse(), Ok(scenario));
    }
    let error = "dead".parse::<Scenario>().unwrap_err().to_string();
    assert_eq!(error, "no scenario is called \"dead\": `sickbay demo --list` tells which there are");
}
