//! How many pods an edit makes, against what autoscalers, nodes and quotas say.

use super::*;
use crate::actions::rollback::Goal;
use crate::actions::{Author, CallError, Plan, Probe, RunId};
use crate::cluster::{
    Change, Condition, Delta, Deployment, Feed, FeedChange, Meta, Name, Node, Owner, Pod, ReplicaSet, Status,
};
use crate::revision::History;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

fn meta(name: &str) -> Meta {
    Meta { name: Name::new("shop", name), uid: format!("uid-{name}").into(), ..Meta::default() }
}

fn web() -> ObjectRef {
    ObjectRef { kind: Kind::Deployment, name: Name::new("shop", "web"), uid: "uid-web".into() }
}

/// Four replicas, and so much on each of two nodes.
fn cluster(allocatable: Resources) -> Cluster {
    let now = Timestamp::UNIX_EPOCH;
    let mut cluster = Cluster::default();
    let mut tell = |change: Change| _ = cluster.apply(change, now);
    let row = Deployment { meta: meta("web"), replicas: 4, generation: 1, ..Deployment::default() };
    tell(Change::Deployment(Delta::Apply(Box::new(row))));
    let owned = |name: &str, kind: &str, owner: &str| {
        let uid = format!("uid-{owner}").into();
        let owner = Owner { kind: kind.into(), name: owner.into(), uid, is_controller: true };
        Meta { owner: Some(owner), ..meta(name) }
    };
    let set = ReplicaSet { meta: owned("web-2", "Deployment", "web"), ..ReplicaSet::default() };
    tell(Change::ReplicaSet(Delta::Apply(Box::new(set))));
    let meta_of_pod = owned("web-2-x", "ReplicaSet", "web-2");
    let requests = Resources { cpu_millis: 500, memory_bytes: 100 << 20 };
    tell(Pod { meta: meta_of_pod, node: "worker-0".into(), requests, ..Pod::default() }.into());
    for name in ["worker-0", "worker-1"] {
        let ready = Condition { kind: "Ready".into(), status: Status::True, ..condition() };
        let meta = Meta { name: Name::cluster(name), uid: name.into(), ..Meta::default() };
        let node = Node { meta, allocatable, conditions: [ready].into(), ..Node::default() };
        tell(Change::Node(Delta::Apply(Box::new(node))));
    }
    for kind in [Kind::Node, Kind::Pod, Kind::Deployment] {
        tell(Change::Feed(Feed::Watch(kind), FeedChange::Live));
    }
    cluster
}

fn condition() -> Condition {
    Condition {
        kind: Text::default(),
        status: Status::True,
        reason: Text::default(),
        message: Text::default(),
        changed: None,
    }
}

const fn sight(cluster: &Cluster) -> Sight<'_> {
    Sight { cluster, now: Timestamp::UNIX_EPOCH, outage: None, is_read_only: false }
}

fn scale(replicas: u32) -> Draft {
    let action = Action::Scale { replicas: Some(replicas), back: Vec::new() };
    Draft { action, targets: vec![web()], why: Text::default(), powered_off: Vec::new() }
}

/// Back to a template whose pods have these resources.
fn back_to(resources: &Value) -> Draft {
    let template = |image: &str, resources: &Value| json!({ "spec": { "containers": [{ "name": "web", "image": image, "resources": resources }] } });
    let set = |number: u32, template: Value| {
        json!({
            "metadata": {
                "name": format!("web-{number}"), "uid": format!("uid-web-{number}"),
                "annotations": { "deployment.kubernetes.io/revision": number.to_string() },
                "ownerReferences": [{ "controller": true, "uid": "uid-web" }],
            },
            "spec": { "template": template },
        })
    };
    let wanted = template("web:2", &json!({ "requests": { "cpu": "500m", "memory": "100Mi" } }));
    let workload = json!({
        "metadata": { "namespace": "shop", "name": "web", "uid": "uid-web", "generation": 1 },
        "spec": {
            "replicas": 4,
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "30%" } },
            "template": wanted,
        },
    });
    let sets = vec![set(1, template("web:1", resources)), set(2, wanted)];
    let history = History::read(Kind::Deployment, workload, sets).unwrap();
    let mut goal = Goal::default();
    goal.take(Ok(Arc::new(history)));
    Draft {
        action: Action::Rollback { goal },
        targets: vec![web()],
        why: Text::default(),
        powered_off: Vec::new(),
    }
}

fn told(checks: impl IntoIterator<Item = Check>) -> Vec<(Verdict, String)> {
    checks.into_iter().map(|check| (check.verdict, check.reason)).collect()
}

fn autoscaler(shares: &[&str]) -> Answer {
    Answer::Autoscalers(vec![
        Autoscaler {
            name: "web".into(),
            kind: "Deployment".into(),
            target: "web".into(),
            least: 2,
            most: 6,
            owner: None,
            shares: shares.iter().map(|share| Text::new(share)).collect(),
        },
        Autoscaler {
            name: "db".into(),
            kind: "StatefulSet".into(),
            target: "web".into(),
            least: 1,
            most: 1,
            owner: None,
            shares: Vec::new(),
        },
    ])
}

#[test]
fn an_autoscaler_undoes_what_somebody_else_scales_and_is_named_with_its_bounds() {
    for (replicas, outcome) in [
        (0, "rests while there is no pod"),
        (1, "undoes this, and brings it back to 2"),
        (3, "sets the number by itself, and will undo this as it sees fit"),
        (9, "undoes this, and brings it back to 6"),
    ] {
        let told = told(of_autoscalers(&scale(replicas), &"shop".into(), &autoscaler(&[])));
        let [(Verdict::Warn, reason)] = &told[..] else { panic!("{told:?}") };
        assert!(reason.starts_with("the autoscaler web (2 to 6 pods) "), "{reason}");
        assert!(reason.contains(outcome), "{replicas}: {reason}");
    }
    let elsewhere = of_autoscalers(&scale(3), &"other".into(), &autoscaler(&[]));
    assert_eq!(elsewhere, []);
}

#[test]
fn an_autoscaler_goes_on_after_a_rollback_unless_the_revision_asks_for_nothing_to_go_by() {
    let requests = json!({ "requests": { "cpu": "100m" } });
    let said = told(of_autoscalers(&back_to(&requests), &"shop".into(), &autoscaler(&["cpu"])));
    assert!(
        matches!(&said[..], [(Verdict::Ok, reason)] if reason.contains("goes on scaling it")),
        "{said:?}"
    );
    let said = told(of_autoscalers(&back_to(&requests), &"shop".into(), &autoscaler(&["memory"])));
    let [_, (Verdict::Warn, reason)] = &said[..] else { panic!("{said:?}") };
    assert!(reason.contains("in revision 1 web asks for none"), "{reason}");
}

#[test]
fn what_may_not_be_read_is_told_as_not_known_and_blocks_nothing() {
    let cluster = cluster(Resources { cpu_millis: 8000, memory_bytes: 8 << 30 });
    let denied = Answer::Failed(CallError::Forbidden { reason: "no".into(), causes: Vec::new() });
    let shop = Text::from("shop");
    let mut checks = of_autoscalers(&scale(9), &shop, &denied);
    checks.extend(of_quotas(&scale(9), &shop, (&denied, &sight(&cluster))));
    assert_eq!(
        told(checks),
        [
            (Verdict::Warn, "it is not known whether something scales it by itself: no".to_owned()),
            (Verdict::Warn, "it is not known whether a quota is in the way: no".to_owned()),
        ]
    );
    // A server that has none of them.
    assert_eq!(of_autoscalers(&scale(9), &shop, &Answer::No { reason: "not found".into() }), []);
    let unread = Cluster::default();
    assert_eq!(of_nodes(&scale(9), &web(), &sight(&unread)), None, "no such workload");
}

#[test]
fn the_nodes_have_room_for_what_a_rollout_has_more_at_a_time_or_have_not() {
    // Two of four at 30 %, and none of the four that are there asks for more than before.
    let draft = back_to(&json!({ "requests": { "cpu": "400m", "memory": "90Mi" } }));
    let on = |cpu_millis| {
        let cluster = cluster(Resources { cpu_millis, memory_bytes: 8 << 30 });
        let check = of_nodes(&draft, &web(), &sight(&cluster)).unwrap();
        (check.verdict, check.reason)
    };
    let (verdict, reason) = on(1000);
    assert!(
        reason.starts_with("2 pods more at a time request 0.8 CPU, 180 MiB, and 2 nodes have 1.5 CPU"),
        "{reason}"
    );
    assert_eq!(verdict, Verdict::Ok);
    let (verdict, reason) = on(600);
    assert_eq!(verdict, Verdict::Warn);
    assert!(reason.ends_with("some will find no place"), "{reason}");
    // Together there would be enough: 0.1 and 0.6.
    let large = back_to(&json!({ "requests": { "cpu": "700m", "memory": "1Mi" } }));
    let cluster = cluster(Resources { cpu_millis: 2000, memory_bytes: 8 << 30 });
    let reason = of_nodes(&large, &web(), &sight(&cluster)).unwrap().reason;
    assert!(
        reason.starts_with("2 pods more at a time request 2.2 CPU"),
        "two new ones, and 0.2 more for each of four: {reason}"
    );
}

#[test]
fn a_quota_that_leaves_too_little_is_named_with_what_it_lacks() {
    let cluster = cluster(Resources { cpu_millis: 8000, memory_bytes: 8 << 30 });
    let row = |resource: &str, hard, used| QuotaRow { resource: resource.into(), hard, used };
    let quotas = Answer::Quotas(vec![Quota {
        name: "team".into(),
        rows: vec![
            row("pods", 6_000, 4_000),
            row("requests.cpu", 3_000, 2_000),
            row("limits.cpu", 1_000, 1_000),
            row("services", 1_000, 1_000),
        ],
    }]);
    let of = |draft: &Draft| told(of_quotas(draft, &"shop".into(), (&quotas, &sight(&cluster))));
    assert_eq!(of(&scale(6)), []);
    let said = of(&scale(7));
    let [(Verdict::Warn, reason)] = &said[..] else { panic!("{said:?}") };
    assert!(reason.starts_with("3 pods more at a time request 1.5 CPU"), "{reason}");
    assert!(reason.contains("the quota team leaves too little (pods, requests.cpu)"), "{reason}");
    let limited = json!({ "requests": { "cpu": "100m" }, "limits": { "cpu": "1" } });
    let said = of(&back_to(&limited));
    assert!(matches!(&said[..], [(_, reason)] if reason.contains("too little (limits.cpu)")), "{said:?}");
}

#[test]
fn both_are_asked_for_once_a_namespace_and_only_where_pods_are_made() {
    let cluster = cluster(Resources::default());
    let author = Author {
        who: "alice".into(),
        run: RunId::new("k3f9-1"),
        at: Timestamp::UNIX_EPOCH,
        kit: std::sync::Arc::default(),
        fenced: Vec::new(),
    };
    let asked = |action: Action| {
        let draft = Draft { action, ..scale(1) };
        let plan: Plan = draft.plan(&cluster, &author);
        let is_extent = |probe: &Probe| matches!(probe, Probe::Autoscalers { .. } | Probe::Quotas { .. });
        plan.probes(false).into_iter().filter(is_extent).count()
    };
    assert_eq!(asked(Action::Scale { replicas: Some(9), back: Vec::new() }), 2);
    assert_eq!(asked(back_to(&json!({})).action), 2);
    assert_eq!(asked(Action::Restart), 0);
}
