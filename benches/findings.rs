//! How long the rules take over 5,000 nodes and 150,000 pods after a batch of changes, on the core alone: to take the
//! batch in, to judge what it touched, and to join all findings anew. `cargo bench --bench findings` measures it.

use divan::Bencher;
use jiff::Timestamp;
use sickbay::cluster::{
    AccessModes, Change, ClaimRef, Cluster, Condition, Container, Deletion, Delta, Deployment, Effect, Feed,
    FeedChange, Kind, Labels, Meta, Name, Node, Owner, PersistentVolume, PersistentVolumeClaim, Phase, Pod,
    PodDisruptionBudget, ReplicaSet, Selector, Service, Source, State, Status, Taint, Text, Timers,
    Toleration, VolumeAttachment,
};
use sickbay::findings::{Findings, Terms, evaluate};
use std::sync::Arc;

const NODES: usize = 5_000;
const NAMESPACES: usize = 1_000;
/// In each namespace so many deployments of five pods, each behind a service.
const DEPLOYMENTS: usize = 30;
const REPLICAS: usize = 5;
/// In each namespace so many of the deployments have a budget.
const BUDGETS: usize = 3;
const VOLUMES: usize = 10_000;
const BATCH: usize = 200;

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    "2026-03-01T03:22:00Z".parse().expect("a time")
}

fn long_ago() -> Timestamp {
    "2026-02-01T00:00:00Z".parse().expect("a time")
}

fn meta(namespace: &str, name: &str, uid: String) -> Meta {
    Meta { name: Name::new(namespace, name), uid: uid.into(), created: Some(long_ago()), ..Meta::default() }
}

fn condition(kind: &str, status: Status) -> Condition {
    Condition { kind: kind.into(), status, reason: "".into(), message: "".into(), changed: Some(long_ago()) }
}

fn owner(kind: &str, name: &str, uid: String) -> Owner {
    Owner { kind: kind.into(), name: name.into(), uid: uid.into(), is_controller: true }
}

fn node(number: usize) -> Node {
    let name = format!("node-{number}");
    let zone = format!("zone-{}", number % 5);
    let mut meta = meta("", &name, format!("uid-{name}"));
    meta.labels = Labels::from([("topology.kubernetes.io/zone".into(), Text::from(zone))]);
    Node { meta, conditions: [condition("Ready", Status::True)].into(), ..Node::default() }
}

fn silent(mut node: Node) -> Node {
    node.conditions = [condition("Ready", Status::Unknown)].into();
    let taint = |effect| Taint {
        key: "node.kubernetes.io/unreachable".into(),
        value: "".into(),
        effect,
        added: Some(now()),
    };
    node.taints = [taint(Effect::NoSchedule), taint(Effect::NoExecute)].into();
    node
}

/// All pods, those of one deployment next to each other.
struct Pods {
    tolerations: Arc<[Toleration]>,
}

impl Pods {
    fn new() -> Self {
        let toleration = |key: &str| Toleration {
            key: key.into(),
            operator: "Exists".into(),
            value: "".into(),
            effect: "NoExecute".into(),
            seconds: Some(300),
        };
        let keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
        Self { tolerations: keys.map(toleration).into() }
    }

    fn pod(&self, number: usize) -> Pod {
        let deployment = number / REPLICAS;
        let (namespace, app) = place(deployment);
        let mut meta = meta(&namespace, &format!("{app}-7d4b-{number}"), format!("uid-pod-{number}"));
        meta.labels = labels(&app);
        meta.owner = Some(owner("ReplicaSet", &format!("{app}-7d4b"), format!("uid-set-{deployment}")));
        Pod {
            meta,
            node: format!("node-{}", number % NODES).into(),
            phase: Phase::Running,
            conditions: [condition("Ready", Status::True)].into(),
            containers: [Container {
                name: "main".into(),
                is_ready: true,
                state: State::Running { since: Some(long_ago()) },
                ..Container::default()
            }]
            .into(),
            tolerations: Arc::clone(&self.tolerations),
            claims: if number < VOLUMES { [format!("data-{number}").into()].into() } else { [].into() },
            ..Pod::default()
        }
    }

    fn unready(&self, number: usize) -> Pod {
        let mut pod = self.pod(number);
        pod.conditions = [condition("Ready", Status::False)].into();
        pod
    }
}

fn place(deployment: usize) -> (String, String) {
    (format!("team-{}", deployment % NAMESPACES), format!("app-{deployment}"))
}

fn labels(app: &str) -> Labels {
    Labels::from([("app".into(), app.into())])
}

fn apply<R>(change: impl Fn(Delta<R>) -> Change, row: R) -> Change {
    change(Delta::Apply(Box::new(row)))
}

fn deployment(number: usize, available: u32) -> [Change; 3] {
    let (namespace, app) = place(number);
    let replicas = u32::try_from(REPLICAS).unwrap_or(0);
    let above = Deployment {
        meta: meta(&namespace, &app, format!("uid-deployment-{number}")),
        selector: Selector::of(labels(&app)),
        replicas,
        current: replicas,
        updated: replicas,
        ready: available,
        available,
        ..Deployment::default()
    };
    let mut set_meta = meta(&namespace, &format!("{app}-7d4b"), format!("uid-set-{number}"));
    set_meta.owner = Some(owner("Deployment", &app, format!("uid-deployment-{number}")));
    let set = ReplicaSet { meta: set_meta, replicas, current: replicas, ..ReplicaSet::default() };
    let service = Service {
        meta: meta(&namespace, &app, format!("uid-service-{number}")),
        kind: "ClusterIP".into(),
        labels: labels(&app),
        ..Service::default()
    };
    [apply(Change::Deployment, above), apply(Change::ReplicaSet, set), apply(Change::Service, service)]
}

fn budget(number: usize) -> Change {
    let (namespace, app) = place(number);
    let row = PodDisruptionBudget {
        meta: meta(&namespace, &app, format!("uid-budget-{number}")),
        selector: Some(Selector::of(labels(&app))),
        min_available: "50%".into(),
        disruptions_allowed: 2,
        current_healthy: 5,
        desired_healthy: 3,
        expected_pods: 5,
        ..PodDisruptionBudget::default()
    };
    apply(Change::PodDisruptionBudget, row)
}

fn volume(number: usize) -> [Change; 3] {
    let (namespace, _) = place(number / REPLICAS);
    let (name, claim) = (format!("pvc-{number}"), format!("data-{number}"));
    let volume = PersistentVolume {
        meta: meta("", &name, format!("uid-{name}")),
        phase: "Bound".into(),
        access: AccessModes::parse(["ReadWriteOnce"]),
        claim: Some(ClaimRef { name: Name::new(namespace.as_str(), claim.as_str()), uid: "".into() }),
        source: Source::Csi { driver: "block.example.com".into(), handle: name.as_str().into() },
        ..PersistentVolume::default()
    };
    let bound = PersistentVolumeClaim {
        meta: meta(&namespace, &claim, format!("uid-{claim}")),
        phase: "Bound".into(),
        volume: name.as_str().into(),
        ..PersistentVolumeClaim::default()
    };
    let attachment = VolumeAttachment {
        meta: meta("", &format!("csi-{number}"), format!("uid-csi-{number}")),
        attacher: "block.example.com".into(),
        node: format!("node-{}", number % NODES).into(),
        volume: name.into(),
        is_attached: true,
        ..VolumeAttachment::default()
    };
    [
        apply(Change::PersistentVolume, volume),
        apply(Change::PersistentVolumeClaim, bound),
        apply(Change::VolumeAttachment, attachment),
    ]
}

const PODS: usize = NAMESPACES * DEPLOYMENTS * REPLICAS;

/// A large cluster that is well.
fn well() -> Cluster {
    let pods = Pods::new();
    let mut cluster = Cluster::default();
    let deployments = NAMESPACES * DEPLOYMENTS;
    cluster.apply_all((0..NODES).map(|number| apply(Change::Node, node(number))), now());
    cluster.apply_all((0..PODS).map(|number| apply(Change::Pod, pods.pod(number))), now());
    cluster.apply_all((0..deployments).flat_map(|number| deployment(number, 5)), now());
    cluster.apply_all((0..NAMESPACES * BUDGETS).map(budget), now());
    cluster.apply_all((0..VOLUMES).flat_map(volume), now());
    let live = |kind| Change::Feed(Feed::Watch(kind), FeedChange::Live);
    cluster.apply_all(Kind::ALL.map(live), now());
    cluster
}

/// Those of the nodes fall silent, and their pods count as not ready.
fn lose(cluster: &mut Cluster, is_lost: impl Fn(usize) -> bool) {
    let pods = Pods::new();
    let lost = |number: &usize| is_lost(*number % NODES);
    cluster.apply_all(
        (0..NODES).filter(|number| is_lost(*number)).map(|number| apply(Change::Node, silent(node(number)))),
        now(),
    );
    cluster.apply_all((0..PODS).filter(lost).map(|number| apply(Change::Pod, pods.unready(number))), now());
    let short = (0..PODS).filter(lost).flat_map(|number| deployment(number / REPLICAS, 4));
    cluster.apply_all(short, now());
}

fn after_a_batch(bencher: Bencher<'_, '_>, mut cluster: Cluster) {
    let pods = Pods::new();
    let terms = Terms::default();
    let mut findings = Findings::default();
    let touched = cluster.take_touched();
    findings.renew(&cluster, &touched, now(), &terms);
    let mut round = 0;
    bencher
        .with_inputs(|| {
            round += 1;
            (0..BATCH)
                .map(|number| apply(Change::Pod, pods.pod((number * 7 + round) % PODS)))
                .collect::<Vec<_>>()
        })
        .bench_local_values(|batch| {
            cluster.apply_all(batch, now());
            let touched = cluster.take_touched();
            findings.renew(&cluster, &touched, now(), &terms);
        });
}

#[divan::bench(sample_count = 30)]
fn a_cluster_that_is_well(bencher: Bencher<'_, '_>) {
    after_a_batch(bencher, well());
}

#[divan::bench(sample_count = 30)]
fn one_dead_node(bencher: Bencher<'_, '_>) {
    let mut cluster = well();
    lose(&mut cluster, |node| node == 7);
    after_a_batch(bencher, cluster);
}

/// Their pods were told to go, and are still there.
fn tell_to_go(cluster: &mut Cluster, is_lost: impl Fn(usize) -> bool) {
    let pods = Pods::new();
    let going = (0..PODS).filter(|number| is_lost(number % NODES)).map(|number| {
        let mut pod = pods.unready(number);
        pod.meta.deletion = Some(Deletion { deadline: long_ago(), grace_seconds: 30 });
        apply(Change::Pod, pod)
    });
    cluster.apply_all(going, now());
}

#[divan::bench(sample_count = 30)]
fn ten_dead_nodes_whose_pods_were_told_to_go(bencher: Bencher<'_, '_>) {
    let mut cluster = well();
    lose(&mut cluster, |node| node < 10);
    tell_to_go(&mut cluster, |node| node < 10);
    after_a_batch(bencher, cluster);
}

#[divan::bench(sample_count = 30)]
fn a_zone_of_a_thousand_nodes(bencher: Bencher<'_, '_>) {
    let mut cluster = well();
    lose(&mut cluster, |node| node % 5 == 0);
    after_a_batch(bencher, cluster);
}

#[divan::bench(sample_count = 30)]
fn a_zone_of_a_thousand_nodes_whose_pods_were_told_to_go(bencher: Bencher<'_, '_>) {
    let mut cluster = well();
    lose(&mut cluster, |node| node % 5 == 0);
    tell_to_go(&mut cluster, |node| node % 5 == 0);
    after_a_batch(bencher, cluster);
}

/// What the first evaluation costs, and each that has to begin anew.
#[divan::bench(sample_count = 10)]
fn a_zone_of_a_thousand_nodes_for_the_first_time(bencher: Bencher<'_, '_>) {
    let mut cluster = well();
    lose(&mut cluster, |node| node % 5 == 0);
    bencher.bench_local(|| evaluate(&cluster, now(), &Timers::default()));
}
