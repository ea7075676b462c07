//! Sends calls, and nothing else does: every write to the cluster goes through here.
//!
//! It deliberately retries nothing but a login, and judges nothing: whether a call may be sent was decided before,
//! and what an answer means is decided after.

mod edit;
mod trial;

pub use trial::try_update;

use super::clock::Clock;
use super::connect::Session;
use super::watch::{escaped, innermost};
use crate::actions::call::Cause;
use crate::actions::dangerous::Armed;
use crate::actions::drain::Removal;
use crate::actions::{Call, CallError, Dangerous};
use crate::cluster::{Cordon, Kind, ObjectRef, Taint, Text};
use crate::wire::Status;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Method, Request};
use http_body_util::{BodyExt as _, Limited};
use jiff::SignedDuration;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long a call may take. After it nobody knows whether it was carried out, and the watch has to tell.
const LIMIT: Duration = Duration::from_secs(15);
/// The most that is read of an answer.
const LARGEST_ANSWER: usize = 4 << 20;
/// Who changes fields, as the server writes it down.
const FIELD_MANAGER: &str = "sickbay";

/// Whether the server is to do it, or only to say what it would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    DryRun,
    Real,
}

/// Sends a call. That it was accepted says nothing yet of what became of it.
pub async fn execute(session: &Session, call: &Call, mode: Mode) -> Result<(), CallError> {
    if session.read_only {
        return Err(CallError::ReadOnly);
    }
    let (method, path, content_type, body) = request_of(call, mode);
    let send = || async {
        // Each time: a new login may have taken long.
        let limit = limit(call, &session.clock)?;
        let request = Request::builder()
            .method(method.clone())
            .uri(path.clone())
            .header(CONTENT_TYPE, content_type)
            .header(ACCEPT, "application/json")
            .body(Body::from(body.to_string().into_bytes()));
        // Every part is a constant or escaped, so this cannot fail.
        let request = request.map_err(|error| CallError::Invalid { reason: error.to_string().into() })?;
        sent(&session.client(), request, limit).await.map(drop)
    };
    match send().await {
        // It was not carried out: who was not known may be known after a new login.
        Err(CallError::Unauthorized { reason }) => match session.renew().await {
            Ok(_) => send().await,
            Err(_) => Err(CallError::Unauthorized { reason }),
        },
        answer => answer,
    }
}

/// How long a call may take. One that needs evidence is not sent when that is worth nothing any more, nor waited for
/// longer: it may not even have left.
fn limit(call: &Call, clock: &Clock) -> Result<Duration, CallError> {
    let Call::Dangerous(armed) = call else { return Ok(LIMIT) };
    let left = armed.left(clock.now(), clock.steady()).and_then(|left| Duration::try_from(left).ok());
    left.map(|left| left.min(LIMIT)).ok_or_else(|| {
        let reason = format!("not sent: the evidence for it is too old to {}", armed.what().sentence());
        CallError::Conflict { reason: reason.into() }
    })
}

const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

/// Method, path and query, content type and body of a call.
fn request_of(call: &Call, mode: Mode) -> (Method, String, &'static str, Value) {
    match call {
        Call::Cordon { node, version, author, why } => patch_of_node(
            node,
            mode,
            json!({
                "metadata": guarded(node, version, mode, &[
                    (Cordon::BY, Some(author.who.as_str())),
                    (Cordon::WHY, why.non_empty()),
                    (Cordon::AT, Some(&author.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
                    (Cordon::RUN, Some(author.run.as_str())),
                ]),
                "spec": { "unschedulable": true },
            }),
        ),
        Call::Uncordon { node, version, .. } => patch_of_node(
            node,
            mode,
            json!({
                "metadata": guarded(node, version, mode, &[
                    (Cordon::BY, None),
                    (Cordon::WHY, None),
                    (Cordon::AT, None),
                    (Cordon::RUN, None),
                ]),
                "spec": { "unschedulable": null },
            }),
        ),
        Call::Evict(removal) => {
            let body = json!({
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": { "namespace": removal.pod.name.namespace, "name": removal.pod.name.name },
                "deleteOptions": delete_options(removal, mode),
            });
            // A field that the server does not know is refused: one that it dropped could be the uid, or that this is
            // only tried.
            let query = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict{}", dry_run(mode));
            (Method::POST, format!("{}/eviction?{query}", pod_path(&removal.pod)), JSON, body)
        }
        Call::DeletePod(removal) => {
            let mut body = delete_options(removal, mode);
            body["apiVersion"] = json!("v1");
            body["kind"] = json!("DeleteOptions");
            // Of a body and a query the server takes the one or the other, so all of it is in the body.
            (Method::DELETE, pod_path(&removal.pod), JSON, body)
        }
        Call::Edit(edit) => edit::request(edit, mode),
        Call::DeleteBlocking(blocking) => edit::deletion(blocking, mode),
        Call::ReplacePod(replacing) => deletion(&replacing.pod, mode, json!({})),
        Call::Unmark(unmark) => {
            let metadata = guarded(&unmark.node, &unmark.version, mode, &[]);
            patch_of_node(
                &unmark.node,
                mode,
                json!({ "metadata": metadata, "spec": { "taints": taints(&unmark.taints) } }),
            )
        }
        Call::Dangerous(armed) => dangerous(armed, mode),
    }
}

fn dangerous(armed: &Armed, mode: Mode) -> (Method, String, &'static str, Value) {
    match armed.what() {
        Dangerous::OutOfService { node } => {
            let metadata = guarded(node, armed.version(), mode, &[]);
            patch_of_node(
                node,
                mode,
                json!({ "metadata": metadata, "spec": { "taints": taints(&armed.taints()) } }),
            )
        }
        // Of the version that was looked at: one of which anything was said since is another.
        Dangerous::ReleasePod { pod: object, .. }
        | Dangerous::DeleteAttachment { attachment: object, .. }
        | Dangerous::DeleteNode { node: object } => {
            let preconditions = json!({ "uid": object.uid, "resourceVersion": armed.version() });
            let mut besides = json!({ "preconditions": preconditions });
            if object.kind == Kind::Pod {
                besides["gracePeriodSeconds"] = json!(0);
            }
            deletion(object, mode, besides)
        }
        Dangerous::RemoveFinalizer { object, .. } => {
            let mut metadata = guarded(object, armed.version(), mode, &[]);
            metadata["finalizers"] = armed.finalizers().map(|finalizer| json!(finalizer)).collect();
            let path = format!("{}?fieldManager={FIELD_MANAGER}{}", object_path(object), dry_run(mode));
            (Method::PATCH, path, MERGE_PATCH, json!({ "metadata": metadata }))
        }
    }
}

/// The deletion of one uid, and what else is said of it.
fn deletion(object: &ObjectRef, mode: Mode, besides: Value) -> (Method, String, &'static str, Value) {
    let mut body = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": { "uid": object.uid },
    });
    if let Value::Object(besides) = besides {
        besides.into_iter().for_each(|(key, value)| body[key] = value);
    }
    match mode {
        Mode::DryRun => body["dryRun"] = json!(["All"]),
        Mode::Real => {}
    }
    (Method::DELETE, object_path(object), JSON, body)
}

fn object_path(object: &ObjectRef) -> String {
    let base = match object.kind.group() {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    let (plural, name) = (object.kind.plural(), escaped(&object.name.name));
    if object.kind.is_namespaced() {
        format!("{base}/namespaces/{}/{plural}/{name}", escaped(&object.name.namespace))
    } else {
        format!("{base}/{plural}/{name}")
    }
}

fn taints(taints: &[Taint]) -> Value {
    let written = taints.iter().map(|taint| {
        let mut written = json!({ "key": taint.key, "effect": taint.effect.word() });
        if !taint.value.is_empty() {
            written["value"] = json!(taint.value);
        }
        if let Some(added) = taint.added {
            written["timeAdded"] = json!(added.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
        written
    });
    written.collect()
}

fn patch_of_node(node: &ObjectRef, mode: Mode, body: Value) -> (Method, String, &'static str, Value) {
    let name = escaped(&node.name.name);
    let path = format!("/api/v1/nodes/{name}?fieldManager={FIELD_MANAGER}{}", dry_run(mode));
    (Method::PATCH, path, MERGE_PATCH, body)
}

const fn dry_run(mode: Mode) -> &'static str {
    match mode {
        Mode::DryRun => "&dryRun=All",
        Mode::Real => "",
    }
}

fn pod_path(pod: &ObjectRef) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", escaped(&pod.name.namespace), escaped(&pod.name.name))
}

/// How a pod is to go: the one of this uid and no other.
fn delete_options(removal: &Removal, mode: Mode) -> Value {
    let mut options = json!({ "preconditions": { "uid": removal.pod.uid } });
    if let Some(grace) = removal.grace {
        // Without any the API forgets the pod at once, and nobody knows whether it has ended: its kubelet kills it as
        // quickly after a second, and says so.
        options["gracePeriodSeconds"] = json!(grace.max(1));
    }
    match mode {
        Mode::DryRun => options["dryRun"] = json!(["All"]),
        Mode::Real => {}
    }
    options
}

/// The metadata of a patch: what it is for, and no other object or version. A dry run goes without the version: a
/// node that reports its status meanwhile has a new one, and that is no reason to refuse.
fn guarded(
    object: &ObjectRef,
    version: &Text,
    mode: Mode,
    annotations: &[(&'static str, Option<&str>)],
) -> Value {
    let annotations: serde_json::Map<String, Value> =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    match mode {
        Mode::DryRun => json!({ "uid": object.uid, "annotations": annotations }),
        Mode::Real => {
            json!({ "uid": object.uid, "resourceVersion": version, "annotations": annotations })
        }
    }
}

/// Sends a request that is not a GET, and reads the body of a success.
pub(super) async fn sent(
    client: &Client,
    request: Request<Body>,
    limit: Duration,
) -> Result<Vec<u8>, CallError> {
    answered(client, request, limit).await.map_err(|unwell| match unwell {
        Unwell::Refused(status) => refusal(status),
        Unwell::Unsent(error) => error,
    })
}

/// What came in the place of a success.
enum Unwell {
    /// An answer, of the server or of something on the way.
    Refused(Status),
    /// None that could be read.
    Unsent(CallError),
}

async fn answered(client: &Client, request: Request<Body>, limit: Duration) -> Result<Vec<u8>, Unwell> {
    let answer = async {
        let response = client.send(request).await.map_err(|error| Unwell::Unsent(unsent(&error)))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        if head.status.is_success() {
            let body = body.map_err(|error| Unwell::Unsent(unanswered(innermost(&*error))))?;
            return Ok(body.to_bytes().to_vec());
        }
        let said = body.map(|body| body.to_bytes()).unwrap_or_default();
        let mut status = Status::read(head.status.as_u16(), text(&head.headers, &CONTENT_TYPE), &said);
        status.code = head.status.as_u16();
        let after = text(&head.headers, &RETRY_AFTER).parse().ok();
        status.retry_after_seconds = after.or(status.retry_after_seconds);
        Err(Unwell::Refused(status))
    };
    match timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            let reason = format!("the server did not answer within {} s", limit.as_secs());
            Err(Unwell::Unsent(unanswered(reason)))
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn unanswered(reason: String) -> CallError {
    CallError::Unanswered { reason: reason.into() }
}

fn unsent(error: &kube::Error) -> CallError {
    match error {
        // Not its own words: they may hold what a credential plugin printed.
        kube::Error::Auth(_) => {
            CallError::Unauthorized { reason: "the credentials cannot be renewed".into() }
        }
        other => unanswered(innermost(other)),
    }
}

/// What the server's word means for a call.
fn refusal(status: Status) -> CallError {
    let Status { code, message: reason, causes, retry_after_seconds, .. } = status;
    let causes =
        causes.into_iter().map(|cause| Cause { reason: cause.reason, message: cause.message }).collect();
    match code {
        401 => CallError::Unauthorized { reason },
        403 => CallError::Forbidden { reason, causes },
        404 => CallError::NotFound { reason },
        409 => CallError::Conflict { reason },
        429 => {
            let pause = retry_after_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
            CallError::TooManyRequests { reason, pause, causes }
        }
        500 => CallError::Broken { reason },
        // A balancer before a server that is away, or a server that gave up waiting for its storage.
        501.. => CallError::Unanswered { reason },
        _ => CallError::Invalid { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{Author, RunId};
    use crate::cluster::Name;

    fn node() -> ObjectRef {
        ObjectRef { kind: Kind::Node, name: Name::cluster("worker-2"), uid: "u-2".into() }
    }

    fn cordon() -> Call {
        let at = "2026-11-21T15:54:00.25Z".parse().unwrap();
        let author = Author {
            who: "alice@bastion".into(),
            run: RunId::new("k3f9-1"),
            at,
            kit: std::sync::Arc::default(),
            fenced: Vec::new(),
        };
        Call::Cordon { node: node(), version: "17".into(), author, why: Text::default() }
    }

    #[test]
    fn a_cordon_names_the_object_and_the_version_that_it_is_for() {
        let (method, path, content_type, body) = request_of(&cordon(), Mode::Real);
        assert_eq!((method, content_type), (Method::PATCH, "application/merge-patch+json"));
        assert_eq!(path, "/api/v1/nodes/worker-2?fieldManager=sickbay");
        assert_eq!(
            body,
            json!({
                "metadata": {
                    "uid": "u-2",
                    "resourceVersion": "17",
                    "annotations": {
                        "sickbay.dev/cordoned-by": "alice@bastion",
                        "sickbay.dev/cordoned-why": null,
                        "sickbay.dev/cordoned-at": "2026-11-21T15:54:00Z",
                        "sickbay.dev/cordoned-run": "k3f9-1",
                    },
                },
                "spec": { "unschedulable": true },
            })
        );
    }

    #[test]
    fn a_dry_run_says_so_in_the_query_and_carries_the_uid() {
        let (_, path, _, body) = request_of(&cordon(), Mode::DryRun);
        assert_eq!(path, "/api/v1/nodes/worker-2?fieldManager=sickbay&dryRun=All");
        assert_eq!(body["metadata"]["uid"], "u-2");
        assert_eq!(body["metadata"].get("resourceVersion"), None);
    }

    #[test]
    fn an_uncordon_takes_off_all_that_a_cordon_wrote() {
        let (_, _, _, put) = request_of(&cordon(), Mode::Real);
        let call = Call::Uncordon { node: node(), version: "17".into(), of: None };
        let (_, _, _, taken) = request_of(&call, Mode::Real);
        let keys = |body: &Value| -> Vec<String> {
            body["metadata"]["annotations"].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&taken), keys(&put));
        assert!(taken["metadata"]["annotations"].as_object().unwrap().values().all(Value::is_null));
        assert_eq!(taken["spec"]["unschedulable"], Value::Null);
    }

    fn removal(grace: Option<u32>) -> Box<Removal> {
        let pod = ObjectRef { kind: Kind::Pod, name: Name::new("shop", "web-1"), uid: "u-7".into() };
        Box::new(Removal { pod, node: node(), workload: None, grace, skip_wait: 0 })
    }

    #[test]
    fn an_eviction_is_for_one_uid_and_a_dry_one_says_so_twice() {
        let (method, path, content_type, body) = request_of(&Call::Evict(removal(None)), Mode::Real);
        assert_eq!((method, content_type), (Method::POST, "application/json"));
        assert_eq!(
            path,
            "/api/v1/namespaces/shop/pods/web-1/eviction?fieldManager=sickbay&fieldValidation=Strict"
        );
        assert_eq!(body["deleteOptions"], json!({ "preconditions": { "uid": "u-7" } }));
        let (_, path, _, body) = request_of(&Call::Evict(removal(Some(5))), Mode::DryRun);
        assert!(path.ends_with("&dryRun=All"), "{path}");
        assert_eq!(
            body["deleteOptions"],
            json!({ "preconditions": { "uid": "u-7" }, "gracePeriodSeconds": 5, "dryRun": ["All"] })
        );
    }

    #[test]
    fn a_deletion_is_for_one_uid_too() {
        let (method, path, _, body) = request_of(&Call::DeletePod(removal(Some(5))), Mode::Real);
        assert_eq!((method, path.as_str()), (Method::DELETE, "/api/v1/namespaces/shop/pods/web-1"));
        assert_eq!(
            body,
            json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": { "uid": "u-7" },
                "gracePeriodSeconds": 5,
            })
        );
    }

    #[test]
    fn a_pod_that_has_no_time_is_killed_by_its_kubelet_and_not_forgotten() {
        for call in [Call::Evict(removal(Some(0))), Call::DeletePod(removal(Some(0)))] {
            for mode in [Mode::Real, Mode::DryRun] {
                let (_, _, _, body) = request_of(&call, mode);
                let options = if body["deleteOptions"].is_null() { &body } else { &body["deleteOptions"] };
                assert_eq!(options["gracePeriodSeconds"], 1, "{call:?} {mode:?}");
            }
        }
    }

    #[test]
    fn each_refusal_leads_to_what_has_to_be_done() {
        let refused = |code: u16| refusal(Status { code, message: "no".into(), ..Status::default() });
        assert!(matches!(refused(401), CallError::Unauthorized { .. }));
        assert!(matches!(refused(403), CallError::Forbidden { .. }));
        assert!(matches!(refused(404), CallError::NotFound { .. }));
        assert!(matches!(refused(409), CallError::Conflict { .. }));
        assert!(matches!(refused(422), CallError::Invalid { .. }));
        assert!(matches!(refused(429), CallError::TooManyRequests { pause: None, .. }));
        assert!(matches!(refused(500), CallError::Broken { .. }));
        for code in [502, 503, 504] {
            assert!(matches!(refused(code), CallError::Unanswered { .. }), "{code}");
        }
    }
}
