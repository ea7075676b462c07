//! Tests of what is said when several nodes stop at once, before the controller has said so of any.

use super::*;
use crate::cluster::{Labels, Node, Text};

fn node_in(name: &str, zone: &str) -> Node {
    let mut node = node(name);
    node.meta.labels = Labels::from([(Text::from("topology.kubernetes.io/zone"), Text::from(zone))]);
    node
}

/// Six nodes in three zones. Each renews its lease every ten seconds until its moment; read every ten, until `end`.
fn watched(until: [i64; 6], end: i64) -> Cluster {
    let names = ["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"];
    let mut cluster = cluster(names.map(|name| node_in(name, &name[..1]).into()));
    for second in (0..=end).step_by(10) {
        let renewed = names.iter().zip(until).map(|(name, until)| lease(name, second.min(until)));
        cluster.apply(Change::Leases { leases: renewed.collect(), is_complete: true }, at(second));
    }
    cluster
}

fn roots(cluster: &Cluster, second: i64) -> Vec<String> {
    let findings = evaluate(cluster, at(second), &Timers::default());
    findings.incidents.iter().map(|incident| incident.root.sentence.clone()).collect()
}

#[test]
fn leases_that_stop_together_are_one_incident_before_any_node_is_silent() {
    // Of two the last renewal was read ten seconds later: they were not quiet for long enough by themselves.
    let cluster = watched([20, 20, 20, 20, 30, 30], 50);
    assert_eq!(
        roots(&cluster, 51),
        [
            "All 6 nodes do not renew their leases: the control plane, or the network to it, is likelier to be ill \
          than each of them."
        ]
    );
    let findings = evaluate(&cluster, at(51), &Timers::default());
    let root = &findings.incidents[0].root;
    assert_eq!((root.since, root.about.len()), (Some(at(20)), 6));
    let rules: Vec<RuleId> = findings.incidents[0].following().map(|member| member.rule).collect();
    assert_eq!(rules, [RuleId::NodeLeaseQuiet; 4], "the two others are not quiet yet");
    assert_eq!(roots(&watched([20, 20, 20, 20, 30, 30], 40), 41), [""; 0], "not sooner");
}

#[test]
fn a_zone_whose_leases_stop_together_is_one_incident() {
    let cluster = watched([20, 30, 90, 90, 90, 90], 50);
    assert_eq!(
        roots(&cluster, 51),
        ["All 2 nodes of zone a do not renew their leases: one cause there is likelier than 2."]
    );
}

#[test]
fn a_lease_that_is_late_by_itself_is_not_joined_to_one_that_stopped_long_before() {
    let cluster = watched([0, 60, 90, 90, 90, 90], 80);
    assert_eq!(
        roots(&cluster, 81),
        ["Node a-1 is still Ready, but its lease stands still: its kubelet may be gone."]
    );
    let cluster = watched([60, 90, 90, 90, 90, 90], 80);
    assert_eq!(roots(&cluster, 81), [""; 0], "late alone is nothing");
}

#[test]
fn nodes_that_are_silent_and_nodes_that_are_about_to_be_are_one_incident() {
    let mut cluster = watched([20, 20, 20, 20, 20, 20], 80);
    for name in ["a-1", "b-1", "c-1"] {
        cluster.apply(node_in(name, &name[..1]).silent(75).into(), at(75));
    }
    assert_eq!(
        roots(&cluster, 81),
        [
            "All 6 nodes are silent or not ready, or do not renew their leases: the control plane, or the network to \
          it, is likelier to be ill than each of them."
        ]
    );
}

#[test]
fn the_second_pod_that_does_not_end_makes_their_node_the_cause_of_both() {
    let mut cluster = cluster([
        node("worker-1").into(),
        pod("db/a", "worker-1").deleting(10, 10).into(),
        pod("db/b", "worker-1").deleting(100, 10).into(),
    ]);
    let mut findings = evaluate(&cluster, at(50), &Timers::default());
    assert_eq!(findings.incidents[0].root.rule, RuleId::PodStuckTerminating);
    assert_eq!(findings.next_due, Some(at(130)));
    cluster.take_touched();
    findings.renew(&cluster, &Touched::default(), at(130), &Terms::default());
    assert_eq!(findings, evaluate(&cluster, at(130), &Timers::default()));
    let [incident] = &*findings.incidents else { panic!("{:?}", findings.incidents) };
    assert_eq!((incident.root.rule, incident.members.len()), (RuleId::PodsStuckOnNode, 2));
    cluster.apply(gone(&pod("db/a", "worker-1")), at(140));
    let touched = cluster.take_touched();
    findings.renew(&cluster, &touched, at(140), &Terms::default());
    assert_eq!(findings, evaluate(&cluster, at(140), &Timers::default()));
    assert_eq!(findings.incidents[0].root.rule, RuleId::PodStuckTerminating, "it stands for itself again");
}
