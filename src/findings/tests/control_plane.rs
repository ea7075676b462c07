//! Tests of what is said of the control plane: leaders that fall silent, a server that is not ready, and what both do
//! to all else that is said.

use super::*;
use crate::cluster::{Checks, Component, FeedChange, LeaderLease};

fn leader_at(component: Component, renewed: i64) -> Change {
    let lease = LeaderLease {
        uid: "u".into(),
        holder: "control-plane-0_5b0e".into(),
        seconds: 15,
        renewed: Some(at(renewed)),
    };
    Change::Leader(component, lease)
}

/// A component that leads until `last`, and whose lease is read every five seconds until `end`.
fn follow(cluster: &mut Cluster, component: Component, (last, end): (i64, i64)) {
    for second in (0..=end).step_by(5) {
        cluster.apply(leader_at(component, second.min(last)), at(second));
    }
}

fn checks(failed: &[&str]) -> Change {
    let failed: Vec<_> = failed.iter().map(|check| (*check).into()).collect();
    Change::Checks(Checks { is_ready: failed.is_empty(), failed })
}

#[test]
fn a_silent_controller_manager_is_told_until_it_leads_again() {
    let mut cluster = cluster([node("worker-1").into()]);
    follow(&mut cluster, Component::ControllerManager, (10, 25));
    assert_eq!(said(&cluster, 26), [""; 0], "another may still take over");
    cluster.apply(leader_at(Component::ControllerManager, 10), at(30));
    assert_eq!(
        said(&cluster, 31),
        [
            "critical: kube-controller-manager is silent: no pod is evicted or replaced, no volume is detached, no \
          rollout goes on, and no countdown runs."
        ]
    );
    let root = &evaluate(&cluster, at(31), &Timers::default()).incidents[0].root;
    assert_eq!(root.since, Some(at(10)), "since it was last seen to move");
    let facts: Vec<&str> = root.evidence.iter().map(|fact| fact.text.as_str()).collect();
    assert_eq!(
        facts,
        [
            "its lease was last seen to move",
            "its lease is held by control-plane-0_5b0e, for 15 s at a time",
            "its lease was last read"
        ]
    );
    cluster.apply(leader_at(Component::ControllerManager, 34), at(35));
    assert_eq!(said(&cluster, 36), [""; 0]);
}

#[test]
fn a_leader_that_is_not_known_is_no_finding_and_its_rule_says_that_it_could_not_judge() {
    let mut cluster = cluster([node("worker-1").into()]);
    let not_judged = |cluster: &Cluster| -> Vec<RuleId> {
        evaluate(cluster, at(60), &Timers::default()).blind.iter().map(|(rule, _)| *rule).collect()
    };
    let refused = FeedChange::Forbidden { reason: "no".into() };
    for component in Component::ALL {
        cluster.apply(Change::Feed(Feed::Leader(component), refused.clone()), at(0));
    }
    cluster.apply(Change::Feed(Feed::Checks, refused), at(0));
    assert_eq!(said(&cluster, 60), [""; 0]);
    assert_eq!(
        not_judged(&cluster),
        [RuleId::ApiServerNotReady, RuleId::ControllerManagerSilent, RuleId::SchedulerSilent]
    );
    // One reading tells nothing, whatever is stamped on it.
    cluster.apply(leader_at(Component::Scheduler, 0), at(60));
    assert!(not_judged(&cluster).contains(&RuleId::SchedulerSilent));
    cluster.apply(leader_at(Component::Scheduler, 2), at(62));
    assert!(!not_judged(&cluster).contains(&RuleId::SchedulerSilent));
}

#[test]
fn the_pods_of_which_no_scheduler_has_said_anything_are_held_up_by_its_silence() {
    let mut overlooked = pod("web/web-1", "");
    overlooked.phase = crate::cluster::Phase::Pending;
    let mut cluster = cluster([node("worker-1").into(), overlooked.clone().into()]);
    follow(&mut cluster, Component::Scheduler, (0, 20));
    assert_eq!(
        said(&cluster, 21),
        ["critical: kube-scheduler is silent: no pod gets a node. Pod web/web-1 waits for a place."]
    );
    let findings = evaluate(&cluster, at(21), &Timers::default());
    assert_eq!(findings.incidents[0].counts.held_up, 1);
    assert_eq!(findings.of(&overlooked.object()).count(), 1);
}

#[test]
fn what_is_silent_of_the_control_plane_is_one_incident_and_comes_first() {
    let mut cluster =
        cluster([node("worker-1").into(), node("worker-2").silent(-600).into(), postgres("worker-2").into()]);
    follow(&mut cluster, Component::Scheduler, (0, 20));
    follow(&mut cluster, Component::ControllerManager, (0, 20));
    cluster.apply(checks(&["etcd", "etcd-readiness"]), at(20));
    let rules: Vec<Vec<RuleId>> = evaluate(&cluster, at(21), &Timers::default())
        .incidents
        .iter()
        .map(|incident| incident.findings().map(|finding| finding.rule).collect())
        .collect();
    assert_eq!(
        rules[0],
        [RuleId::ApiServerNotReady, RuleId::ControllerManagerSilent, RuleId::SchedulerSilent]
    );
    assert_eq!(rules[1][0], RuleId::NodeSilent);
}

#[test]
fn while_nobody_leads_the_controllers_no_clock_of_theirs_promises_anything() {
    let dead = node("worker-2").with_volume("pvc-1").silent(0).unreachable(0);
    let mut cluster = cluster([
        node("worker-1").into(),
        dead.into(),
        pod("web/web-1", "worker-2").of("ReplicaSet", "web").into(),
        volume("pvc-1", "db/data-postgres-0").into(),
        claim("db/data-postgres-0", "pvc-1").into(),
        attachment("pvc-1", "worker-2").into(),
    ]);
    let clocks = |cluster: &Cluster, second| -> Vec<&'static str> {
        let findings = evaluate(cluster, at(second), &Timers::default());
        let clocks: Vec<Clock> = findings.iter().filter_map(|finding| finding.clock).collect();
        clocks.iter().map(|clock| clock.reading(at(second)).words).collect()
    };
    follow(&mut cluster, Component::ControllerManager, (0, 15));
    assert_eq!(clocks(&cluster, 16), ["evicted in at least", "force-detached in at most"]);
    follow(&mut cluster, Component::ControllerManager, (0, 20));
    assert_eq!(clocks(&cluster, 21), ["eviction halted", "force-detach halted"]);
    let findings = evaluate(&cluster, at(21), &Timers::default());
    for finding in findings.iter().filter(|finding| finding.rule != RuleId::ControllerManagerSilent) {
        assert!(finding.sentence.ends_with("Not before kube-controller-manager leads again: it is silent."));
        assert!(
            finding.next.starts_with("Bring kube-controller-manager back first; then "),
            "{}",
            finding.next
        );
        assert_eq!(finding.evidence[0].at, Some(at(0)));
    }
}

#[test]
fn a_server_that_is_not_ready_names_the_checks_that_fail_and_is_critical_without_its_storage() {
    let mut cluster = cluster([node("worker-1").into()]);
    cluster.apply(checks(&[]), at(0));
    assert_eq!(said(&cluster, 1), [""; 0]);
    cluster.apply(checks(&["etcd", "etcd-readiness"]), at(10));
    assert_eq!(
        said(&cluster, 11),
        [
            "critical: The API server is not ready by its own checks: etcd, etcd-readiness; nothing can be written, and \
          what is read may be old."
        ]
    );
    cluster.apply(checks(&["a", "b", "c", "d"]), at(20));
    assert_eq!(
        said(&cluster, 21),
        [
            "warning: The API server is not ready by its own checks: a, b, c and 1 more; it may still be starting."
        ]
    );
    let since = evaluate(&cluster, at(21), &Timers::default()).incidents[0].root.since;
    assert_eq!(since, Some(at(10)), "other checks, but the same trouble");
    cluster.apply(checks(&[]), at(30));
    assert_eq!(said(&cluster, 31), [""; 0]);
}

#[test]
fn a_lease_that_no_kubelet_could_renew_for_want_of_storage_is_no_warning() {
    let mut cluster = cluster([node("worker-1").into(), node("worker-2").into()]);
    let read =
        || Change::Leases { leases: vec![lease("worker-1", 0), lease("worker-2", 0)], is_complete: true };
    cluster.apply(checks(&[]), at(0));
    cluster.apply(read(), at(1));
    cluster.apply(checks(&["etcd"]), at(5));
    cluster.apply(read(), at(60));
    assert!(said(&cluster, 61).iter().all(|line| line.contains("The API server")));
    cluster.apply(checks(&[]), at(62));
    cluster.apply(read(), at(70));
    assert_eq!(said(&cluster, 71), [""; 0], "they have had eight seconds");
    cluster.apply(read(), at(90));
    assert_eq!(said(&cluster, 91).len(), 3, "and now they had their time, and have a cause in common");
}
