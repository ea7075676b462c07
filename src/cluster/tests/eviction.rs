//! When pods are told to go, as far as their tolerations and what was seen of the taints tell.

use crate::cluster::sample::{at, cluster, node, pod, toleration};
use crate::cluster::{Cluster, Effect, Eviction, Node, Pod, Toleration};

const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";

fn eviction_with(tolerations: &[Toleration], node: Node, now: i64) -> Option<Eviction> {
    let pod = Pod { tolerations: tolerations.into(), ..pod("web/a", "worker-2") };
    let cluster = cluster([node.into(), pod.clone().into()]);
    cluster.eviction(&pod, at(now))
}

fn not_before(second: i64) -> Eviction {
    Eviction::NotBefore { at: at(second), is_exact: true }
}

#[test]
fn a_node_without_a_no_execute_taint_evicts_nobody() {
    assert_eq!(eviction_with(&[], node("worker-2").silent(50), 60), None);
}

#[test]
fn a_taint_that_is_not_tolerated_is_due_at_once() {
    assert_eq!(eviction_with(&[], node("worker-2").unreachable(55), 60), Some(Eviction::Due));
    let other = [toleration(NOT_READY, None)];
    assert_eq!(eviction_with(&other, node("worker-2").unreachable(55), 60), Some(Eviction::Due));
}

#[test]
fn the_first_toleration_that_matches_decides_not_the_shortest() {
    let long_first = [toleration(UNREACHABLE, Some(900)), toleration(UNREACHABLE, Some(30))];
    assert_eq!(eviction_with(&long_first, node("worker-2").unreachable(55), 60), Some(not_before(955)));
    let endless_first = [toleration("", None), toleration(UNREACHABLE, Some(30))];
    assert_eq!(eviction_with(&endless_first, node("worker-2").unreachable(55), 60), Some(Eviction::Never));
}

#[test]
fn of_several_taints_the_shortest_wait_decides_and_an_untolerated_one_outweighs_all() {
    let both = [toleration(UNREACHABLE, Some(300)), toleration("maintenance", Some(60))];
    let tainted = || node("worker-2").unreachable(55).tainted("maintenance", Effect::NoExecute, 100);
    assert_eq!(eviction_with(&both, tainted(), 60), Some(not_before(115)));
    assert_eq!(eviction_with(&both[..1], tainted(), 60), Some(Eviction::Due));
}

#[test]
fn a_wait_that_is_over_or_negative_is_due() {
    let tainted = || node("worker-2").unreachable(55);
    assert_eq!(eviction_with(&[toleration("", Some(300))], tainted(), 355), Some(Eviction::Due));
    assert_eq!(eviction_with(&[toleration("", Some(-5))], tainted(), 55), Some(Eviction::Due));
}

#[test]
fn values_and_effects_are_compared_where_the_toleration_names_them() {
    let equal = |value: &str, effect: &str| Toleration {
        operator: "".into(),
        value: value.into(),
        effect: effect.into(),
        ..toleration("maintenance", None)
    };
    let tainted = || node("worker-2").tainted("maintenance", Effect::NoExecute, 0);
    assert_eq!(eviction_with(&[equal("", "")], tainted(), 60), Some(Eviction::Never));
    assert_eq!(eviction_with(&[equal("disk", "")], tainted(), 60), Some(Eviction::Due));
    assert_eq!(eviction_with(&[equal("", "NoSchedule")], tainted(), 60), Some(Eviction::Due));
}

#[test]
fn a_swap_of_the_taint_keeps_the_timer_and_its_end_resets_it() {
    let pod = pod("web/a", "worker-2");
    let mut cluster = cluster([pod.clone().into()]);
    let seen = |cluster: &mut Cluster, node: Node, second: i64| {
        cluster.apply(node.into(), at(second));
        cluster.eviction(&pod, at(second))
    };
    let not_ready = |second| node("worker-2").tainted(NOT_READY, Effect::NoExecute, second);
    assert_eq!(seen(&mut cluster, not_ready(55), 55), Some(not_before(355)));
    let swapped = node("worker-2").unreachable(200);
    assert_eq!(seen(&mut cluster, swapped, 200), Some(not_before(355)), "the new taint carries a newer time");
    assert_eq!(seen(&mut cluster, node("worker-2"), 250), None);
    assert_eq!(seen(&mut cluster, not_ready(260), 260), Some(not_before(560)));
}

#[test]
fn a_taint_without_a_time_counts_from_when_it_was_seen_and_says_so() {
    let pod = pod("web/a", "worker-2");
    let mut tainted = node("worker-2").unreachable(0);
    tainted.taints[0].added = None;
    let mut cluster = cluster([pod.clone().into()]);
    cluster.apply(tainted.into(), at(70));
    let expected = Eviction::NotBefore { at: at(370), is_exact: false };
    assert_eq!(cluster.eviction(&pod, at(80)), Some(expected));
}

#[test]
fn a_pod_that_is_going_or_has_ended_has_no_countdown() {
    let going = pod("web/a", "worker-2").deleting(385, 30);
    let ended = Pod { phase: crate::cluster::Phase::Succeeded, ..pod("web/b", "worker-2") };
    let cluster = cluster([node("worker-2").unreachable(55).into()]);
    assert_eq!(cluster.eviction(&going, at(60)), None);
    assert_eq!(cluster.eviction(&ended, at(60)), None);
}
