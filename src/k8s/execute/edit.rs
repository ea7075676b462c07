//! What an edit of a workload is on the wire: for each change what kubectl sends, with the object and the version that
//! it is for.

use super::{FIELD_MANAGER, JSON, MERGE_PATCH, Mode, dry_run, pod_path};
use crate::actions::edit::{Body, Change, Edit};
use crate::actions::rollout::Blocking;
use crate::k8s::watch::escaped;
use http::Method;
use serde_json::{Value, json};

const JSON_PATCH: &str = "application/json-patch+json";
const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";
/// What kubectl writes into a template so that its pods are made anew.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

pub fn request(edit: &Edit, mode: Mode) -> (Method, String, &'static str, Value) {
    let (content_type, body) = match &edit.change {
        Change::Revision(goal) => match &goal.body {
            Body::Replace { template, before, after } => {
                (JSON_PATCH, replacing(edit, mode, (template.value(), &json!(before), &json!(after))))
            }
            Body::Apply(patch) => (STRATEGIC_PATCH, guarded(edit, mode, patch.clone())),
        },
        Change::Restart { at } => {
            let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let template = json!({ "metadata": { "annotations": { RESTARTED_AT: at } } });
            (STRATEGIC_PATCH, guarded(edit, mode, json!({ "spec": { "template": template } })))
        }
        Change::Pause => (MERGE_PATCH, guarded(edit, mode, json!({ "spec": { "paused": true } }))),
        Change::Resume => (MERGE_PATCH, guarded(edit, mode, json!({ "spec": { "paused": null } }))),
        Change::Scale { replicas, .. } => {
            (MERGE_PATCH, guarded(edit, mode, json!({ "spec": { "replicas": replicas } })))
        }
        Change::SetImage { container, image, is_init, .. } => {
            let list = if *is_init { "initContainers" } else { "containers" };
            let spec = json!({ list: [{ "name": container, "image": image }] });
            (STRATEGIC_PATCH, guarded(edit, mode, json!({ "spec": { "template": { "spec": spec } } })))
        }
    };
    let (namespace, name) = (escaped(&edit.object.name.namespace), escaped(&edit.object.name.name));
    let kind = edit.object.kind.plural();
    let query = format!("fieldManager={FIELD_MANAGER}{}", dry_run(mode));
    let path = format!("/apis/apps/v1/namespaces/{namespace}/{kind}/{name}?{query}");
    (Method::PATCH, path, content_type, body)
}

/// Template and annotations, each as a whole, as kubectl's undo replaces them: of this object, and only if nobody has
/// written other annotations since, because all of them are replaced.
fn replacing(edit: &Edit, mode: Mode, (template, before, after): (&Value, &Value, &Value)) -> Value {
    let mut patch = vec![json!({ "op": "test", "path": "/metadata/uid", "value": edit.object.uid })];
    if before.as_object().is_some_and(|before| !before.is_empty()) {
        patch.push(json!({ "op": "test", "path": "/metadata/annotations", "value": before }));
    }
    if mode == Mode::Real {
        // With another version than the object has, the server refuses the whole.
        patch.push(json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": edit.version }));
    }
    patch.push(json!({ "op": "replace", "path": "/spec/template", "value": template }));
    patch.push(json!({ "op": "add", "path": "/metadata/annotations", "value": after }));
    Value::Array(patch)
}

/// A patch with the object that it is for. A dry run goes without the version, which every status makes anew.
fn guarded(edit: &Edit, mode: Mode, mut patch: Value) -> Value {
    patch["metadata"]["uid"] = json!(edit.object.uid);
    if mode == Mode::Real {
        patch["metadata"]["resourceVersion"] = json!(edit.version);
    }
    patch
}

/// The deletion of a pod by its uid, with the pod's own grace.
pub fn deletion(blocking: &Blocking, mode: Mode) -> (Method, String, &'static str, Value) {
    let mut body = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": { "uid": blocking.pod.uid },
    });
    if mode == Mode::DryRun {
        body["dryRun"] = json!(["All"]);
    }
    (Method::DELETE, pod_path(&blocking.pod), JSON, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::edit::Return;
    use crate::cluster::{Kind, Name, ObjectRef};
    use crate::revision::Template;

    fn edit(kind: Kind, change: Change) -> Edit {
        let object = ObjectRef { kind, name: Name::new("shop", "web"), uid: "u-1".into() };
        Edit { object, version: "17".into(), generation: 3, change }
    }

    fn back(body: Body) -> Change {
        let goal = Return {
            number: 1,
            name: "web-1".into(),
            uid: "u-w1".into(),
            images: Vec::new(),
            body,
            needed: Vec::new(),
        };
        Change::Revision(Box::new(goal))
    }

    #[test]
    fn a_deployment_goes_back_with_its_template_and_annotations_as_a_whole() {
        let template = Template::new(json!({ "spec": {} }));
        let before = [("a".to_owned(), "1".to_owned())].into();
        let after = [("b".to_owned(), "2".to_owned())].into();
        let edit = edit(Kind::Deployment, back(Body::Replace { template, before, after }));
        let (method, path, content_type, body) = request(&edit, Mode::Real);
        assert_eq!((method, content_type), (Method::PATCH, JSON_PATCH));
        assert_eq!(path, "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=sickbay");
        assert_eq!(
            body,
            json!([
                { "op": "test", "path": "/metadata/uid", "value": "u-1" },
                { "op": "test", "path": "/metadata/annotations", "value": { "a": "1" } },
                { "op": "replace", "path": "/metadata/resourceVersion", "value": "17" },
                { "op": "replace", "path": "/spec/template", "value": { "spec": {} } },
                { "op": "add", "path": "/metadata/annotations", "value": { "b": "2" } },
            ])
        );
        let (_, path, _, body) = request(&edit, Mode::DryRun);
        assert!(path.ends_with("&dryRun=All"), "{path}");
        assert!(!body.to_string().contains("resourceVersion"));
    }

    #[test]
    fn a_set_goes_back_by_what_its_revision_holds() {
        let held = json!({ "spec": { "template": { "$patch": "replace", "spec": {} } } });
        let edit = edit(Kind::StatefulSet, back(Body::Apply(held)));
        let (_, path, content_type, body) = request(&edit, Mode::Real);
        assert_eq!(content_type, STRATEGIC_PATCH);
        assert!(path.contains("/statefulsets/web?"), "{path}");
        assert_eq!(
            body,
            json!({
                "metadata": { "uid": "u-1", "resourceVersion": "17" },
                "spec": { "template": { "$patch": "replace", "spec": {} } },
            })
        );
    }

    #[test]
    fn a_broken_pod_is_deleted_by_its_uid() {
        let object =
            |kind, name: &str, uid: &str| ObjectRef { kind, name: Name::new("shop", name), uid: uid.into() };
        let blocking = Blocking {
            pod: object(Kind::Pod, "db-2", "u-p"),
            set: object(Kind::StatefulSet, "db", "u-s"),
            revision: "db-1".into(),
        };
        let (method, path, _, body) = deletion(&blocking, Mode::DryRun);
        assert_eq!((method, path.as_str()), (Method::DELETE, "/api/v1/namespaces/shop/pods/db-2"));
        assert_eq!(body["preconditions"]["uid"], "u-p");
        assert_eq!(body["dryRun"], json!(["All"]));
    }
}
