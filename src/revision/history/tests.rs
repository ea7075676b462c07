//! Histories from what a server says, told as kubectl tells them.

use super::*;
use crate::cluster::sample::{at, meta, pod};
use crate::cluster::{Change, Delta, Deployment, Labels, Owner, ReplicaSet, StatefulSet};
use serde_json::json;

fn template(image: &str) -> Value {
    json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "web", "image": image }] } })
}

fn deployment(image: &str) -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": "web", "uid": "uid-of-shop/web", "resourceVersion": "40", "generation": 3,
            "annotations": { NUMBER: "3" },
        },
        "spec": { "template": template(image), "revisionHistoryLimit": 10, "paused": true },
    })
}

fn owner(uid: &str) -> Value {
    json!([{ "kind": "Deployment", "name": "web", "uid": uid, "controller": true }])
}

fn set(name: &str, number: &str, (image, created): (&str, &str)) -> Value {
    let mut template = template(image);
    template["metadata"]["labels"]["pod-template-hash"] = json!(name);
    json!({
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "creationTimestamp": created,
            "ownerReferences": owner("uid-of-shop/web"),
            "annotations": { NUMBER: number, CAUSE: format!("because of {name}") },
        },
        "spec": { "template": template },
    })
}

fn sets() -> Vec<Value> {
    vec![
        set("web-c", "3", ("web:3", "2026-01-03T00:00:00Z")),
        set("web-a", "1", ("web:1", "2026-01-01T00:00:00Z")),
        set("web-b", "2", ("web:2", "2026-01-02T00:00:00Z")),
    ]
}

fn names(history: &History) -> Vec<(i64, &str, bool)> {
    history.revisions.iter().map(|one| (one.number, one.name.as_str(), one.is_wanted)).collect()
}

#[test]
fn a_deployments_history_is_that_of_its_replica_sets() {
    let history = History::read(Kind::Deployment, deployment("web:3"), sets()).unwrap();
    assert_eq!(names(&history), [(1, "web-a", false), (2, "web-b", false), (3, "web-c", true)]);
    assert_eq!((history.generation, &*history.version, history.is_paused), (3, "40", true));
    let [first, ..] = &history.revisions[..] else { panic!() };
    assert_eq!((&*first.cause, &*first.images[0].image), ("because of web-a", "web:1"));
    assert_eq!(history.target(None).unwrap().number, 2);
    assert_eq!(history.target(Some(1)).unwrap().number, 1);
    assert_eq!(history.target(Some(9)), Err(NoTarget::Unknown(9)));
}

#[test]
fn of_equal_templates_the_oldest_is_the_one_in_use_and_foreign_sets_are_none_of_it() {
    let mut twin = set("web-0", "7", ("web:3", "2025-12-31T00:00:00Z"));
    let mut foreign = set("web-f", "8", ("web:8", "2026-01-04T00:00:00Z"));
    foreign["metadata"]["ownerReferences"] = owner("another");
    let mut unreadable = set("web-u", "9", ("web:9", "2026-01-05T00:00:00Z"));
    unreadable["metadata"]["annotations"][NUMBER] = json!("nine");
    let mut unnumbered = set("web-n", "0", ("web:0", "2026-01-06T00:00:00Z"));
    unnumbered["metadata"]["annotations"] = json!({});
    twin["metadata"]["labels"] = json!({});
    let owned = sets().into_iter().chain([twin, foreign, unreadable, unnumbered]).collect();
    let history = History::read(Kind::Deployment, deployment("web:3"), owned).unwrap();
    let wanted = [
        (0, "web-n", false),
        (1, "web-a", false),
        (2, "web-b", false),
        (3, "web-c", false),
        (7, "web-0", true),
    ];
    assert_eq!(names(&history), wanted);
}

#[test]
fn one_revision_is_no_history() {
    let history = History::read(Kind::Deployment, deployment("web:1"), sets()[1..2].to_vec()).unwrap();
    assert_eq!(history.target(None), Err(NoTarget::NoHistory));
}

#[test]
fn what_is_no_workload_is_told_and_does_no_harm() {
    for broken in [json!(null), json!([]), json!("web"), json!({ "metadata": { "uid": "u" } })] {
        assert!(History::read(Kind::Deployment, broken.clone(), vec![broken]).is_err());
    }
    let odd = vec![json!(7), json!({ "metadata": [] }), json!({ "spec": "x" })];
    assert!(History::read(Kind::Deployment, deployment("web:1"), odd).unwrap().revisions.is_empty());
    assert!(History::read(Kind::Pod, deployment("web:1"), vec![]).is_err());
}

fn revision(name: &str, number: i64, image: &str) -> Value {
    let mut template = template(image);
    template["$patch"] = json!("replace");
    json!({
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "ownerReferences": owner("uid-of-shop/db"),
            "labels": { "controller.kubernetes.io/hash": name },
        },
        "data": { "spec": { "template": template } },
        "revision": number,
    })
}

fn stateful_set(image: &str, update: &str) -> Value {
    json!({
        "metadata": { "namespace": "shop", "name": "db", "uid": "uid-of-shop/db", "generation": 2 },
        "spec": { "template": template(image) },
        "status": { "observedGeneration": 2, "updateRevision": update },
    })
}

#[test]
fn a_sets_history_is_that_of_its_controller_revisions() {
    let revisions = vec![revision("db-2", 2, "db:2"), revision("db-1", 1, "db:1")];
    let history = History::read(Kind::StatefulSet, stateful_set("db:2", "db-2"), revisions.clone()).unwrap();
    assert_eq!(names(&history), [(1, "db-1", false), (2, "db-2", true)]);
    let patch = history.revisions[0].patch.as_ref().unwrap();
    assert_eq!(patch["spec"]["template"]["$patch"], "replace");
    // What the server fills in makes no template equal: the controller is believed.
    let mut upgraded = stateful_set("db:2", "db-2");
    upgraded["spec"]["template"]["spec"]["restartPolicy"] = json!("Always");
    let history = History::read(Kind::StatefulSet, upgraded.clone(), revisions.clone()).unwrap();
    assert_eq!(history.wanted().unwrap().number, 2);
    // But not before it has looked.
    upgraded["status"]["observedGeneration"] = json!(1);
    let history = History::read(Kind::StatefulSet, upgraded, revisions).unwrap();
    assert_eq!(history.wanted(), None);
}

#[test]
fn pods_are_counted_by_the_revision_they_are_of() {
    let history = History::read(Kind::Deployment, deployment("web:3"), sets()).unwrap();
    let mut cluster = Cluster::default();
    let row = Deployment { meta: meta("shop/web"), ..Deployment::default() };
    assert_eq!(row.meta.uid, history.object.uid, "the sample's uid");
    let mut changes = vec![Change::Deployment(Delta::Apply(Box::new(row)))];
    for name in ["web-a", "web-c"] {
        let mut set = ReplicaSet { meta: meta(&format!("shop/{name}")), ..ReplicaSet::default() };
        set.meta.uid = format!("uid-{name}").into();
        set.meta.owner = Some(Owner {
            kind: "Deployment".into(),
            name: "web".into(),
            uid: history.object.uid.clone(),
            is_controller: true,
        });
        changes.push(Change::ReplicaSet(Delta::Apply(Box::new(set))));
    }
    for (name, of) in [("shop/one", "web-a"), ("shop/two", "web-c"), ("shop/three", "web-c")] {
        let mut row = pod(name, "worker-1");
        row.phase = crate::cluster::Phase::Running;
        row.meta.owner = Some(Owner {
            kind: "ReplicaSet".into(),
            name: of.into(),
            uid: format!("uid-{of}").into(),
            is_controller: true,
        });
        changes.push(row.into());
    }
    cluster.apply_all(changes, at(0));
    let (pods, others) = history.pods(&cluster);
    assert_eq!(pods.iter().map(|count| count.total).collect::<Vec<_>>(), [1, 0, 2]);
    assert_eq!(others, PodCount::default());
}

#[test]
fn pods_of_a_set_tell_their_revision_by_a_label() {
    let revisions = vec![revision("db-2", 2, "db:2"), revision("db-1", 1, "db:1")];
    let history = History::read(Kind::StatefulSet, stateful_set("db:2", "db-2"), revisions).unwrap();
    let row = StatefulSet { meta: meta("shop/db"), ..StatefulSet::default() };
    let mut cluster = Cluster::default();
    cluster.apply(Change::StatefulSet(Delta::Apply(Box::new(row))), at(0));
    for (name, of) in [("shop/db-0", "db-1"), ("shop/db-1", "db-2"), ("shop/db-2", "gone")] {
        let mut row = pod(name, "worker-1");
        row.meta.labels = Labels::from([(Pod::REVISION.into(), of.into())]);
        row.meta.owner = Some(Owner {
            kind: "StatefulSet".into(),
            name: "db".into(),
            uid: history.object.uid.clone(),
            is_controller: true,
        });
        cluster.apply(row.into(), at(0));
    }
    let (pods, others) = history.pods(&cluster);
    assert_eq!(pods.iter().map(|count| count.total).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(others.total, 1);
}
