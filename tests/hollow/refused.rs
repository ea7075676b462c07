//! Objects that a real server lets nobody update: one that was stored before the server became stricter, one that a
//! policy stops, one whose webhook is away; and what each is told to be.

use crate::board::Board;
use crate::cluster::{Api, Hollow};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sickbay::app::App;
use sickbay::cluster::{Acceptance, Kind, Name, ObjectRef};
use sickbay::findings::{Finding, RuleId};
use sickbay::k8s::execute::try_update;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";

/// Writes an object as the storage holds it, past the API server: what an earlier version would have left there.
fn store(hollow: &Hollow, key: &str, object: &Value) {
    let arguments = std::fs::read(format!("/proc/{}/cmdline", hollow.process("etcd").as_raw_pid())).unwrap();
    let mut arguments = arguments.split(|byte| *byte == 0).map(|word| std::str::from_utf8(word).unwrap());
    arguments.find(|word| *word == "--client").unwrap();
    let address = arguments.next().unwrap().trim_start_matches("http://").to_owned();
    let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let value = encoded(object.to_string().as_bytes());
    let body = json!({ "key": encoded(key.as_bytes()), "value": value }).to_string();
    let length = body.len();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /v3/kv/put HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A claim that was told to go and that a controller holds which is not there; as the server has it.
async fn held(api: &Api, name: &str) -> Value {
    let claim = json!({
        "metadata": { "name": name, "finalizers": ["backup.example.com/snapshot-first"] },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "none",
            "resources": { "requests": { "storage": "1Gi" } },
        },
    });
    api.create(CLAIMS, &claim).await;
    api.delete(&format!("{CLAIMS}/{name}"), &Value::Null).await
}

fn object(claim: &Value) -> ObjectRef {
    let word = |field: &str| claim["metadata"][field].as_str().unwrap();
    let name = Name::new(word("namespace"), word("name"));
    ObjectRef { kind: Kind::PersistentVolumeClaim, name, uid: word("uid").into() }
}

fn refused<'a>(app: &'a App, name: &str) -> Option<&'a Finding> {
    app.findings.iter().find(|finding| {
        let is_of = finding.subject.object().is_some_and(|object| object.name.name == *name);
        is_of && finding.rule == RuleId::UpdateRefused
    })
}

#[tokio::test]
async fn what_the_server_refuses_to_update_is_told_with_its_field_its_policy_or_its_webhook() {
    let hollow = Hollow::start(1);
    let mut board = Board::live(&hollow.kubeconfig).await;
    let api = Api(board.session.client());
    // Or they would wait for half a minute.
    board.app.timers.deletion_slack = jiff::SignedDuration::from_secs(1);

    let fine = held(&api, "fine").await;
    assert_eq!(try_update(&board.session, &object(&fine)).await, Acceptance::Accepted);
    let gone = ObjectRef { uid: "another".into(), ..object(&fine) };
    let said = try_update(&board.session, &gone).await;
    assert!(matches!(said, Acceptance::Unknown { .. }), "of another object by the name: {said:?}");

    let mut old = held(&api, "old").await;
    old["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    // The protection of claims that are used goes sooner or later.
    old["metadata"]["finalizers"] = json!(["backup.example.com/snapshot-first"]);
    old["spec"]["accessModes"] = json!(["ReadWriteSometimes"]);
    store(&hollow, "/registry/persistentvolumeclaims/default/old", &old);
    let is_held = |app: &App| app.findings.iter().filter(|one| one.rule == RuleId::ClaimStuck).count() == 2;
    board.until("both claims that do not go", is_held).await;
    board.app.settle();
    let lines: Vec<&str> = board.app.findings.iter().map(|finding| finding.sentence.as_str()).collect();
    assert_eq!(
        lines,
        ["fine", "old"].map(|name| format!(
            "Claim default/{name} was deleted and is still there: it is held by the finalizer \
             backup.example.com/snapshot-first of backup.example.com."
        ))
    );
    board.press("j");
    board.app.settle();
    let asked = board.press_for("enter");
    assert_eq!(asked.len(), 1, "{asked:?}");
    board.perform(asked).await;
    board.until("the refused field", |app| refused(app, "old").is_some()).await;
    let finding = refused(&board.app, "old").unwrap();
    assert_eq!(
        finding.sentence,
        "Claim default/old cannot be updated: the server finds its field spec.accessModes not valid any more. \
         Nobody can take its finalizer backup.example.com/snapshot-first away."
    );
    assert!(refused(&board.app, "fine").is_none());
    let after = api.get(&format!("{CLAIMS}/old")).await;
    assert_eq!(after["spec"], old["spec"], "asking has changed nothing");

    let policies = "/apis/admissionregistration.k8s.io/v1";
    let policy = json!({
        "metadata": { "name": "team" },
        "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                "resources": ["persistentvolumeclaims"],
            }] },
            "validations": [{ "expression": "false", "message": "every object names its team" }],
        },
    });
    api.create(&format!("{policies}/validatingadmissionpolicies"), &policy).await;
    let binding = json!({
        "metadata": { "name": "team" },
        "spec": { "policyName": "team", "validationActions": ["Deny"] },
    });
    api.create(&format!("{policies}/validatingadmissionpolicybindings"), &binding).await;
    let denied =
        |said: &Acceptance| matches!(said, Acceptance::Denied { reason } if reason.contains("its team"));
    until(&board, &fine, denied).await;
    api.delete(&format!("{policies}/validatingadmissionpolicybindings/team"), &Value::Null).await;
    until(&board, &fine, |said| *said == Acceptance::Accepted).await;

    let webhook = json!({
        "metadata": { "name": "away" },
        "webhooks": [{
            "name": "away.example.com",
            "clientConfig": { "url": "https://127.0.0.1:1/" },
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                "resources": ["persistentvolumeclaims"],
            }],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    });
    api.create(&format!("{policies}/validatingwebhookconfigurations"), &webhook).await;
    let away = |said: &Acceptance| matches!(said, Acceptance::Unreachable { reason } if reason.contains("away.example.com"));
    until(&board, &fine, away).await;

    let viewer = Board::connect(&hollow.kubeconfig, Some("viewer")).await;
    let said = try_update(&viewer.session, &object(&fine)).await;
    assert!(matches!(&said, Acceptance::Unknown { reason } if reason.contains("cannot patch")), "{said:?}");
}

/// Admission is read by the server some time after it was written.
async fn until(board: &Board, claim: &Value, holds: impl Fn(&Acceptance) -> bool) {
    let mut last = None;
    let asking = async {
        loop {
            let said = try_update(&board.session, &object(claim)).await;
            if holds(&said) {
                return;
            }
            last = Some(said);
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(crate::board::PATIENCE, asking).await.is_ok();
    assert!(came, "{last:?}");
}
