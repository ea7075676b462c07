//! What is kept from one evaluation to the next is what a judgement of the whole picture would say.

use super::due;
use crate::cluster::sample::{at, cluster, condition, gone, lease, meta, node, pod, volume};
use crate::cluster::{
    Change, Cluster, Delta, Deployment, Effect, Event, Feed, FeedChange, Kind, Labels, Owner, Pod,
    PodDisruptionBudget, Regarding, ReplicaSet, Selector, Service, StatefulSet, Status, Text, Timers,
    Touched,
};
use crate::findings::{Findings, Places, Terms, evaluate};
use proptest::prelude::*;

const NODES: [&str; 4] = ["worker-0", "worker-1", "worker-2", "worker-3"];

fn labels(app: usize) -> Labels {
    Labels::from([("app".into(), Text::from(format!("app-{app}")))])
}

fn owner(kind: &str, name: &str) -> Owner {
    Owner { kind: kind.into(), name: name.into(), uid: format!("uid-{name}").into(), is_controller: true }
}

/// A pod of one of the workloads, behind a service.
fn replica(number: usize, on: usize, is_ready: bool) -> Pod {
    let app = number % 3;
    let mut row = pod(&format!("shop/pod-{number}"), NODES[on]);
    row.meta.labels = labels(app);
    row.meta.owner = Some(match app {
        0 | 1 => owner("ReplicaSet", &format!("set-{app}")),
        _ => owner("StatefulSet", "data"),
    });
    let status = if is_ready { Status::True } else { Status::False };
    row.conditions = [condition("Ready", status, "", -300)].into();
    if number > 5 { row.mounting("claim") } else { row }
}

fn apply<R>(change: impl Fn(Delta<R>) -> Change, row: R) -> Change {
    change(Delta::Apply(Box::new(row)))
}

fn workload() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..2_usize, 0..4_u32, any::<bool>()).prop_map(|(app, available, is_stuck)| {
            let mut row = Deployment {
                meta: meta(&format!("shop/app-{app}")),
                replicas: 3,
                current: 3,
                updated: 3,
                ready: available,
                available,
                ..Deployment::default()
            };
            row.meta.uid = format!("uid-app-{app}").into();
            if is_stuck {
                let stuck = condition("Progressing", Status::False, "ProgressDeadlineExceeded", -100);
                row.conditions = [stuck].into();
            }
            apply(Change::Deployment, row)
        }),
        (0..2_usize, any::<bool>()).prop_map(|(app, is_owned)| {
            let name = format!("set-{app}");
            let mut row =
                ReplicaSet { meta: meta(&format!("shop/{name}")), replicas: 3, ..ReplicaSet::default() };
            row.meta.uid = format!("uid-{name}").into();
            row.meta.owner = is_owned.then(|| owner("Deployment", &format!("app-{app}")));
            apply(Change::ReplicaSet, row)
        }),
        (0..2_usize).prop_map(|app| {
            let name = format!("set-{app}");
            let meta = meta(&format!("shop/{name}"));
            Change::ReplicaSet(Delta::Delete { name: meta.name, uid: format!("uid-{name}").into() })
        }),
        (0..4_u32, 1..4_u32).prop_map(|(current, replicas)| {
            let mut row = StatefulSet {
                meta: meta("shop/data"),
                replicas,
                current,
                ready: current.min(1),
                available: current.min(1),
                observed_generation: 1,
                ..StatefulSet::default()
            };
            row.meta.uid = "uid-data".into();
            apply(Change::StatefulSet, row)
        }),
        Just({
            let regarding = Regarding {
                kind: "StatefulSet".into(),
                name: meta("shop/data").name,
                uid: "uid-data".into(),
            };
            let mut row = Event { meta: meta("shop/told"), regarding, ..Event::default() };
            (row.reason, row.note) = ("FailedCreate".into(), "create Pod data-0 failed error: quota".into());
            apply(Change::Event, row)
        }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let which = 0..NODES.len();
    prop_oneof![
        4 => due::changes(),
        4 => (0..9_usize, which.clone(), any::<bool>())
            .prop_map(|(number, on, is_ready)| replica(number, on, is_ready).into()),
        2 => (0..9_usize, which.clone()).prop_map(|(number, on)| {
            replica(number, on, false).deleting(-60, 30).into()
        }),
        1 => (0..9_usize).prop_map(|number| gone(&replica(number, 0, true))),
        3 => workload(),
        1 => (0..3_usize, any::<bool>()).prop_map(|(app, publishes_unready)| apply(Change::Service, Service {
            meta: meta(&format!("shop/svc-{app}")),
            kind: "ClusterIP".into(),
            labels: labels(app),
            publishes_unready,
            ..Service::default()
        })),
        1 => (0..3_usize).prop_map(|app| apply(Change::PodDisruptionBudget, PodDisruptionBudget {
            meta: meta(&format!("shop/budget-{app}")),
            selector: Some(Selector::of(labels(app))),
            expected_pods: 3,
            current_healthy: 1,
            desired_healthy: 2,
            ..PodDisruptionBudget::default()
        })),
        1 => Just(volume("pvc-1", "shop/claim").into()),
        2 => (which.clone(), any::<bool>()).prop_map(|(name, is_silent)| {
            let mut row = node(NODES[name]);
            row.meta.labels = Labels::from([("topology.kubernetes.io/zone".into(), "eu-1a".into())]);
            if is_silent { row.silent(-30).unreachable(-25) } else { row }.into()
        }),
        1 => which.clone().prop_map(|name| {
            node(NODES[name]).cordoned().tainted("node.kubernetes.io/unschedulable", Effect::NoSchedule, -20).into()
        }),
        2 => prop::collection::vec(-100..100_i64, 4).prop_map(|renewed| Change::Leases {
            leases: NODES.iter().zip(renewed).map(|(name, second)| lease(name, second)).collect(),
            is_complete: true,
        }),
        1 => any::<bool>().prop_map(|is_live| {
            let change = if is_live { FeedChange::Live } else { FeedChange::Down { reason: "no".into() } };
            Change::Feed(Feed::Leases, change)
        }),
        1 => Just(Change::Feed(Feed::Watch(Kind::Event), FeedChange::Listing)),
    ]
}

fn batches() -> impl Strategy<Value = Vec<(Vec<Change>, i64)>> {
    prop::collection::vec((prop::collection::vec(change(), 1..6), 0..400_i64), 1..14)
}

fn terms() -> Terms {
    Terms { timers: Timers::default(), places: Places::default() }
}

/// The whole picture, judged as if for the first time.
fn whole(cluster: &Cluster, second: i64) -> Findings {
    evaluate(cluster, at(second), &Timers::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn what_is_kept_is_what_a_judgement_of_everything_says(batches in batches()) {
        let mut cluster = cluster([]);
        let mut findings = Findings::default();
        let mut second = 0;
        for (changes, later) in batches {
            second += later;
            cluster.apply_all(changes, at(second));
            let touched = cluster.take_touched();
            findings.renew(&cluster, &touched, at(second), &terms());
            let whole = whole(&cluster, second);
            prop_assert_eq!(&findings, &whole);
            for finding in whole.iter() {
                for object in finding.objects() {
                    let kept: Vec<_> = findings.of(object).collect();
                    prop_assert_eq!(kept, whole.of(object).collect::<Vec<_>>());
                }
            }
        }
    }
}

#[test]
fn time_alone_brings_what_is_due() {
    let mut cluster =
        cluster([node("worker-0").silent(0).into(), replica(1, 0, false).deleting(100, 30).into()]);
    let mut findings = Findings::default();
    let touched = cluster.take_touched();
    findings.renew(&cluster, &touched, at(10), &terms());
    for second in [60, 129, 130, 400] {
        findings.renew(&cluster, &Touched::default(), at(second), &terms());
        assert_eq!(findings, whole(&cluster, second), "after {second} s");
    }
    assert_eq!(findings.iter().count(), 2);
}

#[test]
fn other_terms_and_a_clock_that_goes_back_judge_everything_anew() {
    let mut cluster =
        cluster([node("worker-0").silent(0).into(), replica(1, 0, false).deleting(100, 30).into()]);
    let mut findings = Findings::default();
    let touched = cluster.take_touched();
    findings.renew(&cluster, &touched, at(400), &terms());
    findings.renew(&cluster, &Touched::default(), at(110), &terms());
    assert_eq!(findings, whole(&cluster, 110));
    let patient = Timers { deletion_slack: jiff::SignedDuration::from_hours(1), ..Timers::default() };
    findings.renew(&cluster, &Touched::default(), at(400), &Terms { timers: patient, ..terms() });
    assert_eq!(findings, evaluate(&cluster, at(400), &patient));
}
