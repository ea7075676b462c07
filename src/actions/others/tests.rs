//! Who is told to be at a node, by whose word.

use super::*;
use crate::cluster::sample::{at, node};
use crate::cluster::{Cluster, Effect, Labels, Node};

fn judged(node: &Node, told: Vec<(Source, Read)>) -> Vec<(Party, Stage)> {
    let survey = Survey { at: at(0), told };
    let found = others(node, Some(&survey), (&Cluster::default(), at(100)));
    found.into_iter().map(|other| (other.party, other.stage)).collect()
}

fn marked(mark: &str, value: &str) -> Node {
    Node { marks: [(mark.into(), value.into())].into(), ..node("worker-2").silent(0) }
}

fn remediation(node: &str, outcome: Outcome) -> Remedy {
    Remedy::Remediation(Remediation {
        name: Name::new("medik8s", "worker-2-x7"),
        node: node.into(),
        phase: "Fencing-Started".into(),
        created: Some(at(10)),
        outcome,
        assumed_rebooted: Some(at(160)),
        error: Text::default(),
    })
}

#[test]
fn a_fence_that_has_begun_is_told_from_one_that_is_over_and_one_that_could() {
    for (state, stage) in [
        ("pending", Stage::Acting),
        ("started", Stage::Acting),
        ("fenced", Stage::Over),
        ("failed", Stage::Over),
    ] {
        assert_eq!(judged(&marked("fencing/state", state), Vec::new()), [(Party::KubeFencing, stage)]);
    }
    let enabled = marked("fencing/enabled", "true");
    assert_eq!(judged(&enabled, Vec::new()), [(Party::KubeFencing, Stage::Armed)], "it is silent");
    let ready = Node { marks: enabled.marks.clone(), ..node("worker-2") };
    assert_eq!(judged(&ready, Vec::new()), [(Party::KubeFencing, Stage::Idle)]);
}

#[test]
fn a_remedy_of_another_node_is_nobody_here() {
    let told = |remedy| vec![(Source::SelfNodeRemediations, Read::Objects(vec![remedy]))];
    let silent = node("worker-2").silent(0);
    let of = |node, outcome| judged(&silent, told(remediation(node, outcome)));
    assert_eq!(of("worker-1", Outcome::UnderWay), []);
    assert_eq!(of("worker-2", Outcome::UnderWay), [(Party::SelfNodeRemediation, Stage::Acting)]);
    assert_eq!(of("worker-2", Outcome::Succeeded), [(Party::SelfNodeRemediation, Stage::Over)]);
    assert_eq!(of("worker-2", Outcome::TimedOut), [(Party::SelfNodeRemediation, Stage::Over)]);
    // Its taint stays until its object goes.
    let tainted =
        silent.clone().tainted("remediation.medik8s.io/self-node-remediation", Effect::NoSchedule, 0);
    let done = judged(&tainted, told(remediation("worker-2", Outcome::Succeeded)));
    assert_eq!(done, [(Party::SelfNodeRemediation, Stage::Over)]);
}

#[test]
fn a_health_check_is_at_it_armed_or_idle_by_its_own_word() {
    let check = |change: fn(&mut HealthCheck)| {
        let mut check = HealthCheck { name: "workers".into(), ..HealthCheck::default() };
        change(&mut check);
        vec![(Source::HealthChecks, Read::Objects(vec![Remedy::HealthCheck(check)]))]
    };
    let silent = node("worker-2").silent(0);
    let of = |node: &Node, change| judged(node, check(change));
    let nhc = |stage| [(Party::NodeHealthCheck, stage)];
    assert_eq!(of(&silent, |check| check.at_it.push(("worker-2".into(), None))), nhc(Stage::Acting));
    assert_eq!(of(&silent, |_| {}), nhc(Stage::Armed), "an empty selector watches all");
    assert_eq!(of(&silent, |check| check.is_paused = true), nhc(Stage::Idle));
    assert_eq!(of(&silent, |check| check.phase = "Disabled".into()), nhc(Stage::Idle));
    assert_eq!(of(&node("worker-2"), |_| {}), nhc(Stage::Idle));
    let elsewhere = |check: &mut HealthCheck| {
        check.selector = Selector::of(Labels::from([("pool".into(), "gpu".into())]));
    };
    assert_eq!(of(&silent, elsewhere), []);
    let mut excluded = silent.clone();
    excluded.meta.labels =
        Labels::from([("remediation.medik8s.io/exclude-from-remediation".into(), "true".into())]);
    assert_eq!(of(&excluded, |_| {}), nhc(Stage::Idle));
}

#[test]
fn a_machine_that_goes_takes_the_node_with_it() {
    let of = |machine: Machine| {
        judged(&node("worker-2"), vec![(Source::Machine, Read::Objects(vec![Remedy::Machine(machine)]))])
    };
    let machine = |stage| [(Party::Machine, stage)];
    assert_eq!(of(Machine { deleted: Some(at(5)), ..Machine::default() }), machine(Stage::Acting));
    let remedied = Some((Text::from("waiting for its owner"), None));
    assert_eq!(of(Machine { remedied, ..Machine::default() }), machine(Stage::Acting));
    assert_eq!(of(Machine { is_watched: true, ..Machine::default() }), machine(Stage::Armed));
    assert_eq!(of(Machine::default()), machine(Stage::Idle));
}

#[test]
fn a_lease_counts_while_it_lasts_and_a_lock_for_its_own_node() {
    let of = |remedy| judged(&node("worker-2"), vec![(Source::Lease, Read::Objects(vec![remedy]))]);
    let lease = |until| Remedy::Lease { holder: "NodeHealthCheck-workers".into(), until };
    assert_eq!(of(lease(Some(at(200)))), [(Party::NodeHealthCheck, Stage::Acting)]);
    assert_eq!(of(lease(Some(at(50)))), []);
    let lock = |node: &str| Remedy::Lock { node: node.into(), since: None };
    assert_eq!(of(lock("worker-2")), [(Party::Kured, Stage::Acting)]);
    assert_eq!(of(lock("worker-1")), []);
}

#[test]
fn taints_and_tools_that_empty_it_are_at_it() {
    for (key, party) in [
        ("remediation.medik8s.io/self-node-remediation", Party::SelfNodeRemediation),
        ("remediation.medik8s.io/fence-agents-remediation", Party::FenceAgentsRemediation),
        ("ToBeDeletedByClusterAutoscaler", Party::ClusterAutoscaler),
        ("karpenter.sh/disrupted", Party::Karpenter),
        ("medik8s.io/drain", Party::NodeMaintenance),
    ] {
        // Newer ones leave the node schedulable, and taint it alone.
        let tainted = node("worker-2").tainted(key, Effect::NoSchedule, 0);
        assert_eq!(judged(&tainted, Vec::new()), [(party, Stage::Acting)], "{key}");
    }
    assert_eq!(judged(&node("worker-2").cordoned().unreachable(0), Vec::new()), []);
    let rebooted = Node { cordoned_by: Some(crate::cluster::Cordoner::Kured), ..node("worker-2") };
    assert_eq!(judged(&rebooted, Vec::new()), [(Party::Kured, Stage::Acting)]);
}

#[test]
fn what_is_not_known_is_told_apart_from_what_is_not_there() {
    let survey = Survey {
        at: at(0),
        told: vec![
            (Source::HealthChecks, Read::NotInstalled),
            (Source::Machine, Read::NotKnown("forbidden".into())),
            (Source::Lease, Read::Objects(Vec::new())),
        ],
    };
    assert_eq!(survey.not_installed(), ["NodeHealthCheck"]);
    assert_eq!(survey.not_known(), ["Machine: forbidden"]);
}

#[test]
fn programs_that_have_nothing_written_on_the_node_are_named_as_idle() {
    let set = |name: &str| crate::cluster::DaemonSet {
        meta: crate::cluster::sample::meta(name),
        ..crate::cluster::DaemonSet::default()
    };
    let job = crate::cluster::Job {
        meta: crate::cluster::sample::meta("kube-system/descheduler-29384710"),
        ..crate::cluster::Job::default()
    };
    let mut cluster = Cluster::default();
    let apply = |row| crate::cluster::Change::DaemonSet(crate::cluster::Delta::Apply(Box::new(row)));
    let changes = [set("kube-system/kured"), set("shop/kured-report")].map(apply);
    cluster.apply_all(changes, at(0));
    cluster.apply(crate::cluster::Change::Job(crate::cluster::Delta::Apply(Box::new(job))), at(0));
    let found = others(&node("worker-2").silent(0), None, (&cluster, at(100)));
    let told: Vec<(Party, Stage)> = found.iter().map(|other| (other.party, other.stage)).collect();
    assert_eq!(told, [(Party::Kured, Stage::Idle), (Party::Descheduler, Stage::Idle)]);
    assert!(found[0].sentence().contains("kube-system/kured"), "{found:?}");
}
