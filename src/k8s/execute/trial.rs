//! The dry run that asks whether an object can still be updated: an empty patch of one uid.
//!
//! Invariant: it has no real form. What is sent says that it is a dry run, and would change nothing if it were none.

use super::{FIELD_MANAGER, LIMIT, MERGE_PATCH, Mode, Unwell, answered, dry_run};
use crate::cluster::{Acceptance, Fault, ObjectRef};
use crate::k8s::connect::{Scope, Session, WhyNamespace};
use crate::k8s::watch::{escaped, path};
use crate::wire::Status;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use kube::client::Body;
use serde_json::json;

/// Asks the server whether it would take an update of this object as it is. Never sent in a read-only session: to be
/// allowed to ask is to be allowed to write.
pub async fn try_update(session: &Session, object: &ObjectRef) -> Acceptance {
    if session.read_only {
        return unknown("not asked: this session is read-only");
    }
    let send = || async {
        let (uri, body) = request_of(object);
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(uri)
            .header(CONTENT_TYPE, MERGE_PATCH)
            .header(ACCEPT, "application/json")
            .body(Body::from(body.to_string().into_bytes()));
        // Every part is a constant or escaped, so this cannot fail.
        let request = request.map_err(|error| Unwell::Unsent(super::unanswered(error.to_string())))?;
        answered(&session.client(), request, LIMIT).await
    };
    let answer = match send().await {
        // Who was not known may be known after a new login.
        Err(Unwell::Refused(status)) if status.code == 401 => match session.renew().await {
            Ok(_) => send().await,
            Err(_) => return unknown("the credentials are not taken any more"),
        },
        answer => answer,
    };
    match answer {
        Ok(_) => Acceptance::Accepted,
        Err(Unwell::Refused(status)) => acceptance(status),
        Err(Unwell::Unsent(error)) => unknown(error.reason()),
    }
}

/// Path, query and body. An update that changes nothing is validated and admitted like any other.
fn request_of(object: &ObjectRef) -> (String, serde_json::Value) {
    let scope = match object.name.namespace.non_empty() {
        Some(name) => Scope::Namespace { name: name.to_owned(), why: WhyNamespace::Asked },
        None => Scope::All,
    };
    let folder = path(object.kind, &scope);
    let (name, query) = (escaped(&object.name.name), dry_run(Mode::DryRun));
    let uri = format!("{folder}/{name}?fieldManager={FIELD_MANAGER}{query}");
    (uri, json!({ "metadata": { "uid": object.uid } }))
}

/// What a refusal says of the object. A webhook may answer with any code, so its words count first.
fn acceptance(status: Status) -> Acceptance {
    let Status { code, reason: word, message: reason, causes, .. } = status;
    // It may change something even in a dry run, so the server did not ask it.
    if reason.contains("does not support dry run") {
        return Acceptance::Unknown { reason };
    }
    if reason.contains("failed calling webhook") {
        return Acceptance::Unreachable { reason };
    }
    if reason.contains("admission webhook") || reason.contains("ValidatingAdmissionPolicy") {
        return Acceptance::Denied { reason };
    }
    let faults: Vec<Fault> = causes
        .into_iter()
        .filter(|cause| !cause.field.is_empty())
        .map(|cause| Fault { field: cause.field, message: cause.message })
        .collect();
    // Its name has gone to another object, for which the patch was not.
    if faults.iter().any(|fault| fault.field == "metadata.uid") {
        return Acceptance::Unknown { reason };
    }
    match code {
        422 if !faults.is_empty() => Acceptance::Invalid { faults },
        422 => Acceptance::Denied { reason },
        // Who may not write learns nothing; and a page of a proxy is not the server's word.
        403 if word == "Forbidden" && !reason.contains(" cannot patch resource ") => {
            Acceptance::Denied { reason }
        }
        _ => Acceptance::Unknown { reason },
    }
}

fn unknown(reason: &str) -> Acceptance {
    Acceptance::Unknown { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Kind, Name};
    use crate::wire::Cause;

    fn object(kind: Kind, name: Name) -> ObjectRef {
        ObjectRef { kind, name, uid: "u-1".into() }
    }

    #[test]
    fn it_is_a_dry_run_of_one_uid_that_holds_nothing_else() {
        for (object, path) in [
            (
                object(Kind::PersistentVolumeClaim, Name::new("shop", "data")),
                "/api/v1/namespaces/shop/persistentvolumeclaims/data",
            ),
            (object(Kind::Namespace, Name::cluster("shop")), "/api/v1/namespaces/shop"),
            (
                object(Kind::VolumeAttachment, Name::cluster("csi-1")),
                "/apis/storage.k8s.io/v1/volumeattachments/csi-1",
            ),
        ] {
            let (uri, body) = request_of(&object);
            assert_eq!(uri, format!("{path}?fieldManager=sickbay&dryRun=All"));
            assert_eq!(body, json!({ "metadata": { "uid": "u-1" } }));
        }
    }

    fn said(code: u16, reason: &str, message: &str, fields: &[&str]) -> Acceptance {
        let cause = |field: &&str| Cause { field: (*field).into(), message: "no".into(), ..Cause::default() };
        acceptance(Status {
            code,
            reason: reason.into(),
            message: message.into(),
            causes: fields.iter().map(cause).collect(),
            ..Status::default()
        })
    }

    #[test]
    fn a_field_that_is_not_valid_is_told_by_its_name() {
        let said =
            said(422, "Invalid", "PersistentVolumeClaim \"old\" is invalid", &["spec.accessModes", ""]);
        let Acceptance::Invalid { faults } = said else { panic!("{said:?}") };
        assert_eq!(faults, [Fault { field: "spec.accessModes".into(), message: "no".into() }]);
    }

    #[test]
    fn policies_and_webhooks_are_told_from_the_object_and_from_rights() {
        let policy =
            "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no";
        assert!(matches!(said(422, "Invalid", policy, &[""]), Acceptance::Denied { .. }));
        let webhook = "admission webhook \"deny.example.com\" denied the request: no";
        for code in [400, 403, 409, 500] {
            assert!(matches!(said(code, "", webhook, &[]), Acceptance::Denied { .. }), "{code}");
        }
        let away = "Internal error occurred: failed calling webhook \"deny.example.com\": no endpoints";
        assert!(matches!(said(500, "InternalError", away, &[]), Acceptance::Unreachable { .. }));
        let plugin = "pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": hostPath";
        assert!(matches!(said(403, "Forbidden", plugin, &[]), Acceptance::Denied { .. }));
    }

    #[test]
    fn another_object_by_the_name_is_not_said_to_be_refused() {
        let said = said(422, "Invalid", "claims \"old\" is invalid", &["metadata.uid", "spec.accessModes"]);
        assert!(matches!(said, Acceptance::Unknown { .. }), "{said:?}");
    }

    #[test]
    fn what_is_no_word_on_the_object_is_not_taken_for_one() {
        for (code, reason, message) in [
            (
                403,
                "Forbidden",
                "pods \"a\" is forbidden: User \"u\" cannot patch resource \"pods\" in API group \"\"",
            ),
            (400, "BadRequest", "admission webhook \"w\" does not support dry run"),
            (403, "", "Forbidden by the proxy"),
            (404, "NotFound", "pods \"a\" not found"),
            (409, "Conflict", "Precondition failed: UID in precondition"),
            (429, "TooManyRequests", "too many requests"),
            (503, "ServiceUnavailable", "away"),
        ] {
            assert!(
                matches!(said(code, reason, message, &[]), Acceptance::Unknown { .. }),
                "{code} {message}"
            );
        }
    }
}
