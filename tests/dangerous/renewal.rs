//! A login that is renewed between the evidence and the request.

use crate::ward::{DEAD, Ward};
use http::StatusCode;
use jiff::SignedDuration;
use sickbay::actions::evidence::facts::ObjectState;
use sickbay::actions::evidence::inquiry::Reading;
use sickbay::actions::evidence::{Death, Facts, Leadership, Speech, clear};
use sickbay::actions::{Answer, Call, CallError, Dangerous};
use sickbay::cluster::{Kind, Name, ObjectRef};
use sickbay::demo::Resource;
use sickbay::k8s::connect::{Session, connect};
use sickbay::k8s::execute::{Mode, execute};
use sickbay::k8s::kubeconfig::{Env, Flags};
use sickbay::k8s::silence;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

/// A plugin that gives the token at once when it is first asked, and takes so many seconds afterwards.
async fn session(ward: &Ward, folder: &TempDir, seconds: &str) -> Session {
    let plugin = folder.path().join("plugin");
    let token = ward.demo.token();
    let script = format!(
        "#!/bin/sh\nif [ -e {0}.asked ]; then sleep {seconds}; fi\ntouch {0}.asked\necho '{{\"apiVersion\": \
         \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {{\"token\": \"{token}\"}}}}'\n",
        plugin.display()
    );
    std::fs::write(&plugin, script).unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    let exec = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: Never}}",
        plugin.display()
    );
    let config = ward.demo.kubeconfig().replace(&format!("token: {token}"), &exec);
    assert!(config.contains("exec:"), "{config}");
    let path = folder.path().join("config");
    std::fs::write(&path, config).unwrap();
    connect(&Flags { kubeconfig: Some(path), ..Flags::default() }, &Env::default()).await.unwrap()
}

/// The mark, cleared by evidence that is worth something for two seconds more.
async fn mark(ward: &Ward, session: &Session) -> Call {
    let uid = ward.demo.get(Resource::Nodes, "", DEAD).unwrap()["metadata"]["uid"].as_str().unwrap().into();
    let node = ObjectRef { kind: Kind::Node, name: Name::cluster(DEAD), uid };
    let Answer::Lease(last) = silence::lease(session, &node).await else { panic!("it has a lease") };
    let Answer::Node(seen) = silence::node(session, &node).await else { panic!("it is there") };
    let by = |reading: &Reading, seconds: i64| {
        let by = SignedDuration::from_secs(seconds);
        Reading {
            asked: reading.asked - by,
            answered: reading.answered - by,
            at: reading.at - by,
            ..reading.clone()
        }
    };
    let facts = Facts {
        what: Dangerous::OutOfService { node },
        now: session.clock.now(),
        staleness: None,
        object: ObjectState { is_there: true, ..ObjectState::default() },
        node: Some(*seen),
        leases: Some((by(&last, 30), by(&last, 3))),
        moved: None,
        speech: Some(Speech::Silence("no answer".into())),
        unready: (1, 6),
        are_all_zones_down: false,
        leadership: Leadership::NoLease,
        deaths: vec![Death::Stated { by: "alice".into() }],
        is_last_control_plane: false,
        used_elsewhere: Vec::new(),
        detaching: Vec::new(),
        denied: Vec::new(),
        are_rights_known: true,
        echo: Some(Speech::NotKnown("no probe is configured".into())),
        others: Vec::new(),
    };
    Call::dangerous(clear(&facts).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cleared_before_a_long_login_is_not_sent_after_it() {
    for (seconds, is_sent) in [("0", true), ("3", false)] {
        let (ward, folder) = (Ward::start().await, tempfile::tempdir().unwrap());
        let session = session(&ward, &folder, seconds).await;
        let call = mark(&ward, &session).await;
        ward.demo.faults().fail(&format!("/api/v1/nodes/{DEAD}"), 1, StatusCode::UNAUTHORIZED, None);
        let answer = execute(&session, &call, Mode::Real).await;
        // The first was refused; who was not let in has changed nothing.
        assert_eq!(ward.dangerous().len(), if is_sent { 2 } else { 1 }, "{answer:?}");
        match answer {
            Ok(()) => assert!(is_sent),
            Err(error) => assert!(!is_sent && matches!(error, CallError::Conflict { .. }), "{error:?}"),
        }
    }
}
