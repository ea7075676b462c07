//! Rollbacks as pure values: what is planned of which history, what is refused or warned of, and runs over a cluster
//! that is told what happens.

use super::*;
use crate::actions::audit::{Place, Started};
use crate::actions::{
    Action, Answers, Author, CallError, Order, Outcome, Preflight, Run, RunId, Sight, Verdict,
};
use crate::cluster::{
    Change as Told, Condition, Delta, Deployment, Feed, FeedChange, Image, Labels, Meta, Name, Owner, Phase,
    Pod, ReplicaSet, StatefulSet, Status,
};
use jiff::Timestamp;
use serde_json::{Value, json};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn author() -> Author {
    Author {
        who: "alice@bastion".into(),
        run: RunId::new("k3f9-1"),
        at: at(0),
        kit: std::sync::Arc::default(),
        fenced: Vec::new(),
    }
}

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: Name::new("shop", name), uid: format!("uid-{name}").into() }
}

fn template(image: &str) -> Value {
    json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "web", "image": image }] } })
}

fn held(name: &str, owner: &str) -> Value {
    json!({
        "name": name, "uid": format!("uid-{name}"),
        "ownerReferences": [{ "controller": true, "uid": format!("uid-{owner}") }],
    })
}

fn web(edit: impl FnOnce(&mut Value)) -> Value {
    let mut web = json!({
        "metadata": {
            "namespace": "shop", "name": "web", "uid": "uid-web", "resourceVersion": "40", "generation": 3,
            "annotations": {
                "deployment.kubernetes.io/revision": "2", "team": "back", "only-here": "lost",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
        },
        "spec": { "template": template("shop/web:2") },
    });
    edit(&mut web);
    web
}

fn web_history(edit: impl FnOnce(&mut Value)) -> Arc<History> {
    let set = |number: u32| {
        let mut meta = held(&format!("web-{number}"), "web");
        meta["annotations"] = json!({
            "deployment.kubernetes.io/revision": number.to_string(),
            "deployment.kubernetes.io/desired-replicas": "3",
            "team": "front",
        });
        json!({ "metadata": meta, "spec": { "template": template(&format!("shop/web:{number}")) } })
    };
    Arc::new(History::read(Kind::Deployment, web(edit), vec![set(1), set(2)]).unwrap())
}

fn db_history() -> Arc<History> {
    let db = json!({
        "metadata": { "namespace": "shop", "name": "db", "uid": "uid-db", "resourceVersion": "40", "generation": 3 },
        "spec": { "template": template("shop/db:2") },
        "status": { "observedGeneration": 3, "updateRevision": "db-2" },
    });
    let revision = |number: u32| {
        let mut template = template(&format!("shop/db:{number}"));
        template["$patch"] = json!("replace");
        json!({
            "metadata": held(&format!("db-{number}"), "db"),
            "data": { "spec": { "template": template } },
            "revision": number,
        })
    };
    Arc::new(History::read(Kind::StatefulSet, db, vec![revision(1), revision(2)]).unwrap())
}

fn meta(name: &str, version: &str) -> Meta {
    Meta {
        name: Name::new("shop", name),
        uid: format!("uid-{name}").into(),
        resource_version: version.into(),
        ..Meta::default()
    }
}

fn image(image: &str) -> Box<[Image]> {
    [Image { container: "web".into(), image: image.into(), is_init: false }].into()
}

struct World {
    cluster: Cluster,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let mut world = Self { cluster: Cluster::default(), now: at(0) };
        for kind in ROLLBACK.relies_on {
            world.cluster.apply(Told::Feed(Feed::Watch(*kind), FeedChange::Live), world.now);
        }
        world
    }

    fn shows(&mut self, change: Told) {
        self.cluster.apply(change, self.now);
    }

    /// Of three replicas so many are updated and available.
    fn web(&mut self, (generation, version): (i64, &str), release: u32, updated: u32) {
        let row = Deployment {
            meta: meta("web", version),
            replicas: 3,
            images: image(&format!("shop/web:{release}")),
            generation,
            observed_generation: generation,
            current: 3,
            updated,
            ready: 3,
            available: 3,
            ..Deployment::default()
        };
        self.shows(Told::Deployment(Delta::Apply(Box::new(row))));
    }

    fn set(&mut self, number: u32, replicas: u32) {
        let mut row =
            ReplicaSet { meta: meta(&format!("web-{number}"), "1"), replicas, ..ReplicaSet::default() };
        row.meta.owner = Some(Owner {
            kind: "Deployment".into(),
            name: "web".into(),
            uid: "uid-web".into(),
            is_controller: true,
        });
        self.shows(Told::ReplicaSet(Delta::Apply(Box::new(row))));
    }

    fn db(&mut self, generation: i64, revision: &str, ready: u32) {
        let row = StatefulSet {
            meta: meta("db", "40"),
            replicas: 3,
            strategy: "RollingUpdate".into(),
            partition: Some(0),
            images: image(&format!("shop/db:{}", revision.trim_start_matches("db-"))),
            generation,
            observed_generation: generation,
            updated: ready,
            ready,
            available: ready,
            update_revision: revision.into(),
            ..StatefulSet::default()
        };
        self.shows(Told::StatefulSet(Delta::Apply(Box::new(row))));
    }

    fn db_pod(&mut self, number: u32, revision: &str, is_ready: bool) {
        let status = if is_ready { Status::True } else { Status::False };
        let mut meta = meta(&format!("db-{number}"), "1");
        meta.labels = Labels::from([(Pod::REVISION.into(), revision.into())]);
        meta.owner = Some(Owner {
            kind: "StatefulSet".into(),
            name: "db".into(),
            uid: "uid-db".into(),
            is_controller: true,
        });
        let ready = Condition {
            kind: "Ready".into(),
            status,
            reason: Text::default(),
            message: Text::default(),
            changed: Some(at(-60)),
        };
        let pod = Pod { meta, phase: Phase::Running, conditions: [ready].into(), ..Pod::default() };
        self.shows(pod.into());
    }

    fn sight(&self) -> Sight<'_> {
        Sight { cluster: &self.cluster, now: self.now, outage: None, is_read_only: false }
    }

    fn plan(&self, draft: &Draft) -> Plan {
        draft.plan(&self.cluster, &author())
    }

    fn preflight(&self, draft: &Draft) -> Preflight {
        Preflight::of(draft, &self.plan(draft), &Answers::default(), &self.sight())
    }

    fn begin(&self, draft: &Draft) -> Run {
        let plan = self.plan(draft);
        let started = Started::new(draft, &plan, "alice@bastion".into(), Place::default());
        let (mut run, _) = Run::begin(author().run, draft.clone(), plan, (started, self.now));
        run.written(Ok(()), self.now);
        run
    }
}

fn draft(name: &str, to: Option<i64>, history: Arc<History>) -> Draft {
    let mut goal = Goal { to, ..Goal::default() };
    let kind = history.object.kind;
    goal.take(Ok(history));
    Draft {
        action: Action::Rollback { goal },
        targets: vec![object(kind, name)],
        why: Text::default(),
        powered_off: Vec::new(),
    }
}

fn sent(orders: Vec<Order>) -> Vec<Call> {
    let calls = orders.into_iter().filter_map(|order| match order {
        Order::Send { call, .. } => Some(call),
        Order::Ask(_) | Order::Run { .. } | Order::Write(_) => None,
    });
    calls.collect()
}

fn words(preflight: &Preflight, verdict: Verdict) -> String {
    preflight.of_verdict(verdict).flat_map(|check| [check.reason.as_str(), "\n"]).collect()
}

#[test]
fn a_deployment_goes_back_with_the_annotations_of_kubectls_undo() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let plan = world.plan(&draft("web", None, web_history(|_| {})));
    let [Step::Call(Call::Edit(edit)), Step::Rollout(rollout)] = &plan.steps[..] else { panic!("{plan:?}") };
    assert_eq!((edit.version.as_str(), edit.generation, rollout.after), ("41", 3, 3));
    let Change::Revision(goal) = &edit.change else { panic!("{edit:?}") };
    assert_eq!((goal.number, goal.uid.as_str()), (1, "uid-web-1"));
    let Body::Replace { template, before, after } = &goal.body else { panic!("{goal:?}") };
    assert_eq!(template.value()["spec"]["containers"][0]["image"], "shop/web:1");
    assert_eq!(before["only-here"], "lost");
    let after: Vec<(&str, &str)> = after.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let wanted = [
        ("deployment.kubernetes.io/revision", "2"),
        ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
        ("team", "front"),
    ];
    assert_eq!(after, wanted);
}

#[test]
fn a_rollback_is_done_when_the_rollout_is() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    world.set(1, 2);
    world.set(2, 1);
    let mut run = world.begin(&draft("web", None, web_history(|_| {})));
    assert_eq!(sent(run.advance(&world.sight())).len(), 1);
    run.answered(0, Ok(()), world.now);
    // A status that moves on is not it.
    world.web((3, "42"), 2, 1);
    assert!(sent(run.advance(&world.sight())).is_empty());
    assert_eq!(run.summary().done, 0);
    world.web((4, "43"), 1, 2);
    run.advance(&world.sight());
    assert_eq!(run.summary().done, 1);
    let waits: Vec<&str> = run.steps().filter_map(|(_, progress)| progress.reason()).collect();
    assert_eq!(waits, ["2 of 3 updated"]);
    world.web((4, "44"), 1, 3);
    run.advance(&world.sight());
    assert!(run.is_over());
    assert_eq!(run.summary().outcome, Outcome::Done);
}

#[test]
fn the_way_back_goes_to_what_was_wanted_by_its_uid() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    world.set(1, 2);
    let mut run = world.begin(&draft("web", None, web_history(|_| {})));
    run.advance(&world.sight());
    run.answered(0, Ok(()), world.now);
    world.web((4, "43"), 1, 3);
    run.advance(&world.sight());
    let back = run.undo().unwrap();
    let Action::Rollback { goal } = &back.action else { panic!("{back:?}") };
    assert_eq!((goal.to, goal.uid.as_deref(), &goal.read), (None, Some("uid-web-2"), &Read::NotYet));
    let written = serde_json::to_value(&back.action).unwrap();
    assert_eq!(written, json!({ "kind": "rollback", "uid": "uid-web-2" }));
    assert_eq!(serde_json::from_value::<Action>(written).unwrap(), back.action);
}

#[test]
fn somebody_elses_change_in_the_middle_is_not_overwritten() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let mut run = world.begin(&draft("web", None, web_history(|_| {})));
    assert_eq!(sent(run.advance(&world.sight())).len(), 1);
    run.answered(0, Err(CallError::Conflict { reason: "the object has been modified".into() }), world.now);
    world.web((4, "43"), 3, 1);
    assert!(sent(run.advance(&world.sight())).is_empty());
    assert!(run.is_over());
    let failed: Vec<&str> = run.steps().filter_map(|(_, progress)| progress.reason()).collect();
    assert_eq!(
        failed,
        [
            "somebody has changed deployment shop/web since you looked at it: plan it again",
            "what it was to roll out was not done",
        ]
    );
}

#[test]
fn a_status_that_came_between_is_no_reason_to_stop() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let mut run = world.begin(&draft("web", None, web_history(|_| {})));
    run.advance(&world.sight());
    run.answered(0, Err(CallError::Conflict { reason: "the object has been modified".into() }), world.now);
    assert!(sent(run.advance(&world.sight())).is_empty(), "it waits for the later state");
    world.web((3, "42"), 2, 1);
    let again = sent(run.advance(&world.sight()));
    let [Call::Edit(edit)] = &again[..] else { panic!("{again:?}") };
    assert_eq!(edit.version, "42");
}

#[test]
fn what_cannot_be_gone_back_to_blocks_with_words_that_help() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let blocked = |draft: &Draft| {
        assert!(world.plan(draft).steps.is_empty());
        words(&world.preflight(draft), Verdict::Block)
    };
    let paused = web_history(|web| web["spec"]["paused"] = json!(true));
    assert_eq!(
        blocked(&draft("web", None, paused)),
        "deployment shop/web is paused: nothing would come of it\n"
    );
    let unknown = draft("web", Some(9), web_history(|_| {}));
    assert_eq!(blocked(&unknown), "deployment shop/web: there is no revision 9\n");
    let alone = Arc::new(History::read(Kind::Deployment, web(|_| {}), Vec::new()).unwrap());
    assert_eq!(blocked(&draft("web", None, alone)), "deployment shop/web: there is no earlier revision\n");
    let mut goal = Goal { uid: Some("uid-gone".into()), ..Goal::default() };
    goal.take(Ok(web_history(|_| {})));
    let targets = vec![object(Kind::Deployment, "web")];
    let gone =
        Draft { action: Action::Rollback { goal }, targets, why: Text::default(), powered_off: Vec::new() };
    assert_eq!(blocked(&gone), "deployment shop/web: revision uid-gone is gone\n");
    let same = draft("web", Some(2), web_history(|_| {}));
    assert!(world.plan(&same).steps.is_empty());
    assert_eq!(words(&world.preflight(&same), Verdict::Skip), "what is wanted is revision 2 already\n");
}

#[test]
fn nobody_agrees_before_the_history_is_read() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let targets = vec![object(Kind::Deployment, "web")];
    let mut draft = Draft {
        action: Action::Rollback { goal: Goal::default() },
        targets,
        why: Text::default(),
        powered_off: Vec::new(),
    };
    assert!(!world.preflight(&draft).is_settled());
    draft.history().unwrap().1.take(Err("the server does not answer".into()));
    let preflight = world.preflight(&draft);
    assert!(preflight.is_settled() && preflight.is_blocked());
}

#[test]
fn who_will_bring_back_what_was_is_told() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let warned = |edit: &dyn Fn(&mut Value)| {
        let draft = draft("web", None, web_history(edit));
        words(&world.preflight(&draft), Verdict::Warn)
    };
    assert!(warned(&|_| {}).contains("the next `kubectl apply` brings back"));
    for (place, key, who) in [
        ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD"),
        ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux"),
        ("annotations", "meta.helm.sh/release-name", "Helm"),
        ("annotations", "moniker.spinnaker.io/application", "Spinnaker"),
    ] {
        let words = warned(&|web| web["metadata"][place][key] = json!("shop"));
        assert!(words.contains(&format!("{who} (shop) manages it")), "{words}");
        assert!(!words.contains("kubectl apply"), "{words}");
    }
}

#[test]
fn an_image_without_a_release_is_warned_of() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    for (image, is_loose) in [
        ("web", true),
        ("reg.local:5000/web", true),
        ("web:latest", true),
        ("web:1.2", false),
        ("web@sha256:00", false),
    ] {
        let mut meta = held("web-1", "web");
        meta["annotations"] = json!({ "deployment.kubernetes.io/revision": "1" });
        let set = json!({ "metadata": meta, "spec": { "template": template(image) } });
        let history = Arc::new(History::read(Kind::Deployment, web(|_| {}), vec![set]).unwrap());
        let words = words(&world.preflight(&draft("web", Some(1), history)), Verdict::Warn);
        assert_eq!(words.contains("names no release"), is_loose, "{image}: {words}");
    }
}

#[test]
fn the_pod_that_blocks_the_way_back_is_named_confirmed_and_deleted_by_its_uid() {
    let mut world = World::new();
    world.db(3, "db-2", 2);
    for (number, revision, is_ready) in [(0, "db-1", true), (1, "db-1", true), (2, "db-2", false)] {
        world.db_pod(number, revision, is_ready);
    }
    let draft = draft("db", None, db_history());
    let plan = world.plan(&draft);
    assert_eq!(plan.danger, Danger::Destructive);
    let warned = words(&world.preflight(&draft), Verdict::Warn);
    assert!(warned.contains("pod shop/db-2 is broken"), "{warned}");
    let mut run = world.begin(&draft);
    let [Call::Edit(edit)] = &sent(run.advance(&world.sight()))[..] else { panic!("{run:?}") };
    assert!(matches!(&edit.change, Change::Revision(goal) if matches!(goal.body, Body::Apply(_))));
    run.answered(0, Ok(()), world.now);
    assert!(sent(run.advance(&world.sight())).is_empty(), "not before the set goes back");
    world.db(4, "db-1", 2);
    let [Call::DeleteBlocking(blocking)] = &sent(run.advance(&world.sight()))[..] else { panic!("{run:?}") };
    assert_eq!(blocking.pod.uid, "uid-db-2");
    run.answered(1, Ok(()), world.now);
    world.shows(Told::Pod(Delta::Delete { name: Name::new("shop", "db-2"), uid: "uid-db-2".into() }));
    run.advance(&world.sight());
    world.db(4, "db-1", 3);
    run.advance(&world.sight());
    assert_eq!(run.summary().outcome, Outcome::Done);
}

#[test]
fn a_set_that_went_back_already_and_hangs_is_helped_on() {
    let mut world = World::new();
    world.db(3, "db-2", 2);
    world.db_pod(1, "db-2", true);
    world.db_pod(2, "db-1", false);
    let plan = world.plan(&draft("db", Some(2), db_history()));
    let [Step::Call(Call::DeleteBlocking(_)), Step::Rollout(rollout)] = &plan.steps[..] else {
        panic!("{plan:?}")
    };
    assert_eq!(rollout.after, 2);
}

#[test]
fn one_that_another_controller_makes_is_refused_with_its_name() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let mut row = Deployment { meta: meta("web", "42"), generation: 3, ..Deployment::default() };
    row.meta.owner = Some(Owner {
        kind: "WebApp".into(),
        name: "shop".into(),
        uid: "uid-app".into(),
        is_controller: true,
    });
    world.shows(Told::Deployment(Delta::Apply(Box::new(row))));
    let words = words(&world.preflight(&draft("web", None, web_history(|_| {}))), Verdict::Block);
    assert_eq!(words, "deployment shop/web is made by WebApp shop, which would undo it\n");
}

#[test]
fn what_does_not_go_back_with_the_template_is_told_where_it_has_changed_since() {
    use crate::actions::Answer;
    use crate::actions::probe::Needed;
    use crate::revision::{Held, Reference};
    let needed = |is_optional| Needed {
        reference: Reference { held: Held::ConfigMap, name: "web".into(), is_optional },
        namespace: "shop".into(),
        replaced: Some(at(-7200)),
    };
    let told = |needed: &Needed, answer: Answer| judged(needed, &answer, at(0)).map(|check| check.reason);
    let gone = Answer::No { reason: "not found".into() };
    let missing = told(&needed(false), gone.clone()).unwrap();
    assert!(missing.starts_with("the config map web is gone"), "{missing}");
    assert_eq!(told(&needed(true), gone), None);
    let later = told(&needed(false), Answer::Written { at: Some(at(-600)) }).unwrap();
    assert!(later.starts_with("the config map web was written 10 min ago"), "{later}");
    assert_eq!(told(&needed(false), Answer::Written { at: Some(at(-7200)) }), None);
    let denied = Answer::Failed(CallError::Forbidden { reason: "no".into(), causes: Vec::new() });
    assert_eq!(
        told(&needed(false), denied).unwrap(),
        "it is not known whether the config map web is there: no"
    );
}

#[test]
fn an_image_that_pods_got_in_two_ways_under_one_name_is_warned_of() {
    use crate::revision::{Running, RunningPod};
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    let pod = |digest: &str| -> RunningPod {
        serde_json::from_value(json!({
            "metadata": { "ownerReferences": [{ "uid": "uid-web-1", "controller": true }] },
            "status": { "containerStatuses": [{ "name": "web", "imageID": format!("shop/web@sha256:{digest}") }] },
        }))
        .unwrap()
    };
    let warned = |pods: &[RunningPod]| {
        let mut history = (*web_history(|_| {})).clone();
        history.running = Ok(Running::of(Kind::Deployment, pods));
        words(&world.preflight(&draft("web", None, Arc::new(history))), Verdict::Warn)
    };
    let two = warned(&[pod("aa"), pod("bb")]);
    assert!(two.contains("different images under shop/web:1 (sha256:aa, sha256:bb)"), "{two}");
    let one = warned(&[pod("aa"), pod("aa")]);
    assert!(!one.contains("different images"), "{one}");
}

#[test]
fn somebody_elses_change_during_the_rollout_is_told_and_is_no_success() {
    let mut world = World::new();
    world.web((3, "41"), 2, 1);
    world.set(1, 2);
    world.set(2, 1);
    let mut run = world.begin(&draft("web", None, web_history(|_| {})));
    run.advance(&world.sight());
    run.answered(0, Ok(()), world.now);
    world.web((4, "43"), 1, 1);
    run.advance(&world.sight());
    assert_eq!(run.summary().done, 1);
    // Scaled by an autoscaler: it is still what was meant.
    world.web((5, "44"), 1, 2);
    run.advance(&world.sight());
    assert_eq!(run.summary().not_done, 1, "it goes on");
    world.web((6, "45"), 3, 3);
    run.advance(&world.sight());
    let failed = run.steps().find_map(|(_, progress)| match progress {
        crate::actions::Progress::Failed { reason } => Some(reason.to_string()),
        _ => None,
    });
    assert!(failed.unwrap().contains("what rolls out is not revision 1 any more"));
    assert_ne!(run.summary().outcome, Outcome::Done);
}
