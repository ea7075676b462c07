//! What is chosen and foretold, against small clusters.

use super::*;
use crate::actions::audit::RunId;
use crate::actions::preflight::Verdict;
use crate::actions::{Action, Preflight};
use crate::cluster::sample::{at, claim, cluster, meta, node, pod, volume};
use crate::cluster::{
    AccessModes, Change, DaemonSet, Delta, Deployment, Job, Labels, Phase, Pod, PodDisruptionBudget,
    Requirement, Resources, Row as _, Service, Source,
};

const HERE: &str = "worker-1";

fn set(name: &str) -> Change {
    Change::DaemonSet(Delta::Apply(Box::new(DaemonSet { meta: meta(name), ..DaemonSet::default() })))
}

fn budget(row: PodDisruptionBudget) -> Change {
    Change::PodDisruptionBudget(Delta::Apply(Box::new(row)))
}

fn over(name: &str, app: &str) -> PodDisruptionBudget {
    PodDisruptionBudget {
        meta: meta(name),
        selector: Some(Selector::of(Labels::from([("app".into(), app.into())]))),
        min_available: "2".into(),
        ..PodDisruptionBudget::default()
    }
}

/// A pod that a replica set would make anew.
fn owned(name: &str, app: &str) -> Pod {
    let mut row = pod(name, HERE).of("ReplicaSet", "set");
    row.meta.labels = Labels::from([("app".into(), app.into())]);
    row.grace_seconds = 30;
    row
}

fn target(cluster: &Cluster) -> ObjectRef {
    cluster.node(HERE).unwrap().object()
}

fn choose(options: &Options, row: Pod) -> (Choice, Why) {
    let cluster = cluster([node(HERE).into(), set("infra/agent"), row.into()]);
    let chosen = choices(options, &target(&cluster), (&cluster, at(100)));
    let [chosen] = &chosen[..] else { panic!("{chosen:?}") };
    (chosen.choice, chosen.why.clone())
}

#[test]
fn each_pod_is_chosen_as_kubectl_does() {
    let kubectl = || Options { ignore_daemonsets: false, ..Options::default() };
    let ignoring = || Options { ignore_daemonsets: true, ..kubectl() };
    let forced = || Options { force: true, ..ignoring() };
    let emptied = || Options { delete_emptydir_data: true, ..ignoring() };
    let skipping = || Options { skip_wait_for_delete_timeout: 60, ..ignoring() };
    let bare = || pod("infra/bare", HERE);
    let of_set = || pod("infra/agent-x", HERE).of("DaemonSet", "agent");
    let of_gone = || pod("infra/old-x", HERE).of("DaemonSet", "old");
    let scratch = || Pod { has_empty_dir: true, ..owned("infra/scratch", "x") };
    let finished = |row: Pod| Pod { phase: Phase::Succeeded, ..row };
    let loose = |mut row: Pod| {
        row.meta.owner.as_mut().unwrap().is_controller = false;
        row
    };
    let gone = || Why::DaemonSetGone("old".into());
    for (options, row, expected) in [
        (kubectl(), owned("infra/web", "x"), (Choice::Evict, Why::Ordinary)),
        (kubectl(), pod("infra/web", HERE).of("CloneSet", "x"), (Choice::Evict, Why::Ordinary)),
        (kubectl(), of_set(), (Choice::Block, Why::DaemonSet)),
        (ignoring(), of_set(), (Choice::Skip, Why::DaemonSet)),
        (forced(), of_set(), (Choice::Skip, Why::DaemonSet)),
        (kubectl(), finished(of_set()), (Choice::Evict, Why::Finished)),
        (ignoring(), of_gone(), (Choice::Block, gone())),
        (forced(), of_gone(), (Choice::Warn, gone())),
        (kubectl(), Pod { is_mirror: true, ..bare() }, (Choice::Skip, Why::Mirror)),
        // The daemon set is asked first, the kubelet's own pods after it.
        (kubectl(), Pod { is_mirror: true, ..of_set() }, (Choice::Block, Why::DaemonSet)),
        (kubectl(), bare(), (Choice::Block, Why::Bare)),
        (forced(), bare(), (Choice::Warn, Why::Bare)),
        (kubectl(), finished(bare()), (Choice::Evict, Why::Finished)),
        (kubectl(), loose(owned("infra/web", "x")), (Choice::Block, Why::Bare)),
        (kubectl(), scratch(), (Choice::Block, Why::EmptyDir)),
        (emptied(), scratch(), (Choice::Warn, Why::EmptyDir)),
        (kubectl(), finished(scratch()), (Choice::Evict, Why::Finished)),
        // What speaks against it first is what is told.
        (forced(), Pod { has_empty_dir: true, ..bare() }, (Choice::Block, Why::EmptyDir)),
        (emptied(), Pod { has_empty_dir: true, ..bare() }, (Choice::Block, Why::Bare)),
        (kubectl(), owned("infra/web", "x").deleting(120, 30), (Choice::Evict, Why::Terminating)),
        (skipping(), owned("infra/web", "x").deleting(40, 30), (Choice::Evict, Why::Terminating)),
        (skipping(), owned("infra/web", "x").deleting(39, 30), (Choice::Skip, Why::Overdue)),
        (skipping(), bare().deleting(39, 30), (Choice::Skip, Why::Overdue)),
    ] {
        assert_eq!(choose(&options, row.clone()), expected, "{options:?} {row:?}");
    }
}

#[test]
fn only_pods_that_the_selector_matches_are_chosen() {
    let cluster = cluster([
        node(HERE).into(),
        owned("shop/web", "web").into(),
        owned("shop/api", "api").into(),
        pod("shop/elsewhere", "worker-2").into(),
    ]);
    let names = |selector: &str| {
        let options = Options { pod_selector: selector.into(), ..Options::default() };
        let chosen = choices(&options, &target(&cluster), (&cluster, at(0)));
        chosen.iter().map(|chosen| chosen.pod.name.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("app=web"), ["web"]);
    assert_eq!(names("app!=web"), ["api"]);
    assert_eq!(names(""), ["api", "web"]);
}

// -- plans ----------------------------------------------------------------------------------------------------

fn draft(cluster: &Cluster, options: Options) -> Draft {
    Draft {
        action: Action::Drain { options },
        targets: vec![target(cluster)],
        why: Text::default(),
        powered_off: Vec::new(),
    }
}

fn plan_of(cluster: &Cluster, options: Options) -> Plan {
    let author = Author {
        who: "alice".into(),
        run: RunId::new("t-1"),
        at: at(0),
        kit: std::sync::Arc::default(),
        fenced: Vec::new(),
    };
    draft(cluster, options).plan(cluster, &author)
}

fn preflight(cluster: &Cluster, options: Options) -> Preflight {
    let draft = draft(cluster, options.clone());
    let sight = Sight { cluster, now: at(0), outage: None, is_read_only: false };
    Preflight::of(&draft, &plan_of(cluster, options), &crate::actions::Answers::default(), &sight)
}

#[track_caller]
fn told(preflight: &Preflight, verdict: Verdict, words: &str) {
    let told: Vec<&str> = preflight.of_verdict(verdict).map(|check| check.reason.as_str()).collect();
    assert!(told.iter().any(|reason| reason.contains(words)), "{words:?} is not among {told:#?}");
}

#[test]
fn one_pod_that_may_not_go_holds_all_of_them() {
    let cluster =
        cluster([node(HERE).into(), owned("shop/web", "web").into(), pod("shop/bare", HERE).into()]);
    let plan = plan_of(&cluster, Options::default());
    assert!(plan.calls().all(|call| call.removal().is_none()), "{plan:?}");
    let preflight = preflight(&cluster, Options::default());
    told(&preflight, Verdict::Block, "shop/bare stays: no controller would make it anew");
    assert!(preflight.of_verdict(Verdict::Block).all(|check| check.remedy.is_some()));
}

#[test]
fn what_is_lost_or_bypassed_has_to_be_typed() {
    let scratch = Pod { has_empty_dir: true, ..owned("shop/scratch", "web") };
    let lossy = cluster([node(HERE).into(), scratch.into(), pod("shop/bare", HERE).into()]);
    let plain = cluster([node(HERE).into(), owned("shop/web", "web").into()]);
    let all = Options { force: true, delete_emptydir_data: true, ..Options::default() };
    assert_eq!(plan_of(&lossy, all.clone()).danger, Danger::Destructive);
    assert_eq!(plan_of(&plain, all).danger, Danger::Reversible, "nothing is lost here");
    for options in [
        Options { disable_eviction: true, ..Options::default() },
        Options { grace_period: Some(0), ..Options::default() },
    ] {
        assert_eq!(plan_of(&plain, options).danger, Danger::Destructive);
    }
}

#[test]
fn the_server_is_asked_for_rights_and_not_for_each_pod() {
    let pods = (0..50).map(|n| owned(&format!("shop/web-{n}"), "web").into());
    let cluster = cluster([node(HERE).into()].into_iter().chain(pods));
    let probes = plan_of(&cluster, Options::default()).probes(false);
    let words: Vec<String> = probes.iter().map(|probe| format!("{probe:?}")).collect();
    assert_eq!(probes.len(), 5, "{words:#?}");
    let asked: Vec<String> = probes
        .iter()
        .filter_map(|probe| match probe {
            crate::actions::Probe::May(access) => Some(access.to_string()),
            crate::actions::Probe::DryRun(_)
            | crate::actions::Probe::PodsOn(_)
            | crate::actions::Probe::Needed(_)
            | crate::actions::Probe::Autoscalers { .. }
            | crate::actions::Probe::Quotas { .. }
            | crate::actions::Probe::Lease(_)
            | crate::actions::Probe::Node(_)
            | crate::actions::Probe::Log { .. }
            | crate::actions::Probe::Leader
            | crate::actions::Probe::Others(_)
            | crate::actions::Probe::Errand(_) => None,
        })
        .collect();
    assert_eq!(asked, ["create pods/eviction in shop", "list pods", "patch nodes worker-1"]);
}

#[test]
fn a_silent_node_is_not_drained_and_the_right_way_is_told() {
    let cluster = cluster([node(HERE).silent(0).into(), owned("shop/web", "web").into()]);
    let preflight = preflight(&cluster, Options::default());
    told(&preflight, Verdict::Block, "node worker-1 is silent");
    assert!(
        preflight
            .of_verdict(Verdict::Block)
            .any(|check| { check.remedy.as_deref().is_some_and(|remedy| remedy.contains("out of service")) })
    );
}

#[test]
fn pods_of_other_namespaces_that_are_not_watched_block() {
    let mut cluster = cluster([node(HERE).into()]);
    cluster.namespace = Some("shop".into());
    told(&preflight(&cluster, Options::default()), Verdict::Block, "only pods in shop are watched");
}

#[test]
fn a_selector_that_is_none_blocks() {
    let cluster = cluster([node(HERE).into()]);
    let options = Options { pod_selector: "a b".into(), ..Options::default() };
    told(&preflight(&cluster, options), Verdict::Block, "the pod selector \"a b\"");
}

// -- forecasts ------------------------------------------------------------------------------------------------

#[test]
fn budgets_are_told_for_all_pods_together() {
    let counted = |allowed, healthy, desired, expected| PodDisruptionBudget {
        disruptions_allowed: allowed,
        current_healthy: healthy,
        desired_healthy: desired,
        expected_pods: expected,
        ..over("shop/web", "web")
    };
    let three = || (0..3).map(|n| owned(&format!("shop/web-{n}"), "web").into());
    for (row, verdict, words) in [
        (counted(3, 5, 2, 5), Verdict::Ok, "has 5 healthy and needs 2: its 3 pods here may go at once"),
        (counted(1, 3, 2, 3), Verdict::Ok, "1 of 3 pods go at a time"),
        (counted(0, 2, 2, 3), Verdict::Warn, "does not let its 3 pods here go now"),
        (counted(0, 3, 3, 3), Verdict::Warn, "it never lets its 3 pods here go"),
        (
            PodDisruptionBudget { generation: 2, observed_generation: 1, ..counted(3, 5, 2, 5) },
            Verdict::Warn,
            "still being processed",
        ),
    ] {
        let cluster = cluster([node(HERE).into(), budget(row)].into_iter().chain(three()));
        told(&preflight(&cluster, Options::default()), verdict, words);
        let bypassed = preflight(&cluster, Options { disable_eviction: true, ..Options::default() });
        told(&bypassed, Verdict::Warn, "no budget is asked");
        assert!(bypassed.checks.iter().all(|check| !check.reason.contains("budget shop/web")));
    }
}

#[test]
fn two_budgets_on_a_pod_are_told_before_the_server_refuses_it() {
    let (one, two) = (over("shop/one", "web"), over("shop/two", "web"));
    let cluster = cluster([node(HERE).into(), owned("shop/web", "web").into(), budget(one), budget(two)]);
    let preflight = preflight(&cluster, Options::default());
    told(&preflight, Verdict::Warn, "shop/web has 2 budgets (shop/one, shop/two)");
}

#[test]
fn a_pod_that_is_not_ready_is_held_where_its_budget_is_short() {
    let unready = || Pod { conditions: [].into(), ..owned("shop/web", "web") };
    let short = PodDisruptionBudget {
        current_healthy: 1,
        desired_healthy: 2,
        expected_pods: 3,
        ..over("shop/web", "web")
    };
    let of = |row: PodDisruptionBudget| cluster([node(HERE).into(), unready().into(), budget(row)]);
    told(
        &preflight(&of(short.clone()), Options::default()),
        Verdict::Warn,
        "not ready, and held all the same",
    );
    let always = PodDisruptionBudget { unhealthy_pod_eviction_policy: "AlwaysAllow".into(), ..short.clone() };
    told(&preflight(&of(always), Options::default()), Verdict::Ok, "may go, being not ready");
    let enough = PodDisruptionBudget { current_healthy: 2, ..short };
    told(&preflight(&of(enough), Options::default()), Verdict::Ok, "may go, being not ready");
}

#[test]
fn budgets_that_may_not_be_read_are_missed() {
    let mut cluster = Cluster::default();
    cluster.apply_all([node(HERE).into(), owned("shop/web", "web").into()], at(0));
    told(&preflight(&cluster, Options::default()), Verdict::Warn, "poddisruptionbudgets could not be read");
}

#[test]
fn what_it_means_for_workloads_is_told() {
    let deployment = |replicas, ready| {
        let row = Deployment { meta: meta("shop/web"), replicas, ready, ..Deployment::default() };
        Change::Deployment(Delta::Apply(Box::new(row)))
    };
    let of_deployment = |name: &str| {
        let mut row = owned(name, "web").of("Deployment", "web");
        row.meta.owner.as_mut().unwrap().uid = "uid-of-shop/web".into();
        row
    };
    let one = cluster([node(HERE).into(), deployment(1, 1), of_deployment("shop/web-1").into()]);
    told(&preflight(&one, Options::default()), Verdict::Warn, "deployment shop/web has one replica");
    let pods = ["shop/web-1", "shop/web-2"].map(|name| of_deployment(name).into());
    let all = cluster([node(HERE).into(), deployment(2, 2)].into_iter().chain(pods));
    told(&preflight(&all, Options::default()), Verdict::Warn, "all 2 ready pods of deployment shop/web go");
    let mut counting = owned("shop/count-x", "count").of("Job", "count");
    counting.meta.owner.as_mut().unwrap().uid = "uid-of-shop/count".into();
    for (failed, words) in [(1, "and 2 of its 3 retries are left"), (3, "and it fails when they count")] {
        let job = Job { meta: meta("shop/count"), backoff_limit: 3, failed, ..Job::default() };
        let job = Change::Job(Delta::Apply(Box::new(job)));
        let cluster = cluster([node(HERE).into(), job, counting.clone().into()]);
        told(&preflight(&cluster, Options::default()), Verdict::Warn, words);
    }
    let orphan = cluster([node(HERE).into(), owned("shop/web", "web").into()]);
    told(&preflight(&orphan, Options::default()), Verdict::Warn, "belongs to ReplicaSet set, which is gone");
}

#[test]
fn traffic_that_would_break_off_is_told() {
    let labels = Labels::from([("app".into(), "web".into())]);
    let service = Service { meta: meta("shop/web"), labels, ..Service::default() };
    let service = || Change::Service(Delta::Apply(Box::new(service.clone())));
    let of = |row: Pod| preflight(&cluster([node(HERE).into(), service(), row.into()]), Options::default());
    let plain = of(owned("shop/web", "web"));
    told(&plain, Verdict::Warn, "no preStop hook");
    told(&plain, Verdict::Warn, "no readiness probe");
    let careful = of(Pod { has_pre_stop: true, has_readiness_probe: true, ..owned("shop/web", "web") });
    assert!(careful.checks.iter().all(|check| !check.reason.contains("Service")), "{careful:?}");
}

#[test]
fn a_volume_that_cannot_follow_is_told() {
    let zoned = |zone: &str| {
        let mut row = volume("disk", "shop/data");
        row.affinity =
            [Requirement { key: "topology.kubernetes.io/zone".into(), values: [zone.into()].into() }].into();
        row.access = AccessModes::parse(["ReadWriteOnce"]);
        row
    };
    let other = |zone: &str| {
        let mut row = node("worker-2");
        row.meta.labels = Labels::from([("topology.kubernetes.io/zone".into(), zone.into())]);
        row
    };
    let of = |row: crate::cluster::PersistentVolume, other: crate::cluster::Node| {
        let pod = owned("shop/db", "db").mounting("data");
        let rows = [
            node(HERE).into(),
            other.into(),
            Change::PersistentVolume(Delta::Apply(Box::new(row))),
            claim("shop/data", "disk").into(),
            pod.into(),
        ];
        preflight(&cluster(rows), Options::default())
    };
    told(&of(zoned("a"), other("b")), Verdict::Warn, "the volume disk of shop/db cannot follow it");
    told(&of(zoned("a"), other("a").cordoned()), Verdict::Warn, "cannot follow it");
    let follows = of(zoned("a"), other("a"));
    assert!(follows.checks.iter().all(|check| !check.reason.contains("follow")), "{follows:?}");
    let mut local = volume("disk", "shop/data");
    local.source = Source::Local { path: "/mnt".into() };
    told(&of(local, other("a")), Verdict::Warn, "keeps data on this machine (volume disk)");
}

#[test]
fn room_elsewhere_is_counted_by_requests() {
    let large = |name: &str| Pod {
        requests: Resources { cpu_millis: 1500, memory_bytes: 1 << 30 },
        ..owned(name, "web")
    };
    let other = |cpu_millis| {
        let mut row = node("worker-2");
        row.allocatable = Resources { cpu_millis, memory_bytes: 16 << 30 };
        row.allocatable_pods = Some(110);
        row
    };
    let of = |others: Vec<crate::cluster::Node>| {
        let pods = ["shop/web-1", "shop/web-2"].map(|name| large(name).into());
        let nodes = others.into_iter().map(Change::from);
        preflight(&cluster([node(HERE).into()].into_iter().chain(nodes).chain(pods)), Options::default())
    };
    told(
        &of(vec![other(4000)]),
        Verdict::Ok,
        "2 pods request 3.0 CPU, 2048 MiB, and 1 other nodes have 4.0 CPU",
    );
    told(&of(vec![other(2000)]), Verdict::Warn, "some will find no place");
    let mut halves = vec![other(1400), other(1400), other(1400)];
    for (at, half) in halves.iter_mut().enumerate() {
        half.meta = meta(&format!("other-{at}"));
    }
    told(&of(halves), Verdict::Warn, "no single node has room for shop/web-1, shop/web-2");
    told(&of(vec![other(4000).cordoned()]), Verdict::Warn, "no other node is Ready and takes pods");
}

#[test]
fn the_longest_that_it_can_take_is_told() {
    let slow = Pod { grace_seconds: 3600, ..owned("shop/web-1", "web") };
    let row = PodDisruptionBudget {
        disruptions_allowed: 1,
        current_healthy: 3,
        desired_healthy: 2,
        expected_pods: 3,
        ..over("shop/web", "web")
    };
    let cluster = cluster([node(HERE).into(), budget(row), slow.into(), owned("shop/web-2", "web").into()]);
    let untimed = preflight(&cluster, Options::default());
    told(&untimed, Verdict::Warn, "long to end, up to 60 min: shop/web-1");
    told(&untimed, Verdict::Ok, "2 h for 2 rounds behind budgets");
    let timed = preflight(&cluster, Options { grace_period: Some(5), timeout: 90, ..Options::default() });
    told(&timed, Verdict::Ok, "it is given up after 90 s");
}
