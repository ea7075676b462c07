//! Tests of the rules together: one dead node from the last heartbeat to its return.

mod control_plane;
mod due;
mod refused;
mod renewed;
mod together;

use super::*;
use crate::cluster::sample::{at, attachment, claim, cluster, gone, lease, node, pod, volume};
use crate::cluster::{Change, Delta, Effect, Name, Pod, Row, VolumeAttachment};

/// Every finding as a line: members are indented under their root, and clocks read at `second`.
fn said(cluster: &Cluster, second: i64) -> Vec<String> {
    let now = at(second);
    let line = |finding: &Finding, indent: &str| {
        let clock = finding.clock.map_or_else(String::new, |clock| {
            let reading = clock.reading(now);
            let span = reading.span.map_or_else(String::new, |span| format!(" {}s", span.as_secs()));
            format!(" [{}{span}]", reading.words)
        });
        format!("{indent}{}: {}{clock}", finding.severity.word(), finding.sentence)
    };
    let findings = evaluate(cluster, now, &Timers::default());
    findings
        .incidents
        .iter()
        .flat_map(|incident| {
            let members = incident.members.iter().map(|member| line(member, "  "));
            std::iter::once(line(&incident.root, "")).chain(members).collect::<Vec<_>>()
        })
        .collect()
}

fn postgres(node: &str) -> Pod {
    pod("db/postgres-0", node).of("StatefulSet", "postgres").mounting("data-postgres-0")
}

fn deleted(object: &VolumeAttachment) -> Change {
    Change::VolumeAttachment(Delta::Delete { name: object.meta.name.clone(), uid: object.meta.uid.clone() })
}

fn leases(second: i64) -> Change {
    Change::Leases { leases: vec![lease("worker-1", second), lease("worker-2", 0)], is_complete: true }
}

#[test]
fn a_node_that_a_force_detach_left_cordoned_is_told_of_until_it_is_returned() {
    let note = |why: &str| {
        let note = crate::cluster::Cordon { by: "alice".into(), why: why.into(), ..Default::default() };
        crate::cluster::Node { cordon_note: Some(Box::new(note)), ..node("worker-1").cordoned() }
    };
    let back = "warning: Node worker-1 is back, and still cordoned since a force-detach.";
    assert_eq!(said(&cluster([note("force-detach: no power").into()]), 0), [back]);
    assert_eq!(said(&cluster([note("a new disk").into()]), 0), [""; 0], "nobody has forgotten it yet");
    let returned = crate::cluster::Node { is_unschedulable: false, ..note("force-detach") };
    assert_eq!(said(&cluster([returned.into()]), 0), [""; 0]);
}

#[test]
fn a_dead_node_is_one_incident_from_silence_to_return() {
    let web = pod("web/web-1", "worker-2").of("ReplicaSet", "web");
    let proxy = pod("kube-system/proxy-2", "worker-2").of("DaemonSet", "proxy");
    let old = attachment("pvc-1", "worker-2");
    let dead = node("worker-2").with_volume("pvc-1");
    let mut cluster = cluster([
        node("worker-1").into(),
        dead.clone().into(),
        postgres("worker-2").into(),
        web.clone().into(),
        proxy.into(),
        volume("pvc-1", "db/data-postgres-0").into(),
        claim("db/data-postgres-0", "pvc-1").into(),
        old.clone().into(),
    ]);
    cluster.apply(
        Change::Leases { leases: vec![lease("worker-1", -9), lease("worker-2", -9)], is_complete: true },
        at(-5),
    );
    cluster.apply(leases(1), at(5));
    assert_eq!(said(&cluster, 49), [""; 0]);

    cluster.apply(dead.clone().silent(50).into(), at(50));
    assert_eq!(
        said(&cluster, 51),
        [
            "critical: Node worker-2 is silent: its kubelet stopped reporting. Its 3 pods are not yet told to \
             go.",
            "  warning: The volume of db/data-postgres-0 is attached to worker-2, which is silent. It is \
             not detached while pod db/postgres-0 wants it there.",
        ]
    );

    let tainted = dead.clone().silent(50).unreachable(55);
    cluster.apply(tainted.clone().into(), at(55));
    assert_eq!(
        said(&cluster, 70)[0],
        "critical: Node worker-2 is silent: its kubelet stopped reporting. 2 of its 3 pods will be told to go. \
         [evicted in at least 285s]"
    );
    let findings = evaluate(&cluster, at(70), &Timers::default());
    assert_eq!(findings.next_due, Some(at(355)));
    let root = &findings.incidents[0].root;
    assert_eq!(root.evidence[0].text, "its lease was last seen to move");
    assert_eq!(root.evidence[0].at, Some(at(5)));

    cluster.apply_all(
        [postgres("worker-2").deleting(385, 30).into(), web.clone().deleting(385, 30).into()],
        at(355),
    );
    let told = "critical: Node worker-2 is silent: its kubelet stopped reporting. 2 of its 3 pods have been told \
                to go.";
    let held = "  warning: The volume of db/data-postgres-0 is attached to worker-2, which is silent. It \
                is not detached while pod db/postgres-0 is not gone.";
    assert_eq!(said(&cluster, 356), [told, held]);
    assert_eq!(said(&cluster, 400), [told, held], "within the slack a pod is not stuck");
    assert_eq!(evaluate(&cluster, at(400), &Timers::default()).next_due, Some(at(415)));
    assert_eq!(
        said(&cluster, 415),
        [
            told,
            "  critical: Pod db/postgres-0 cannot end: its node worker-2 is silent, so no kubelet confirms it. \
             StatefulSet postgres creates no replacement until it is gone. [overdue 30s]",
            "  warning: Pod web/web-1 cannot end: its node worker-2 is silent, so no kubelet confirms it. \
             [overdue 30s]",
            held,
        ]
    );

    cluster.apply(gone(&postgres("worker-2")), at(500));
    cluster.apply(postgres("worker-1").with_uid("second").pending().into(), at(501));
    let findings = said(&cluster, 560);
    assert_eq!(findings.len(), 3);
    assert_eq!(
        findings[2],
        "  critical: The volume of db/data-postgres-0 is attached to worker-2, which is silent, and pod \
         db/postgres-0 waits for it on worker-1. No pod there wants it any more, so it will be detached by \
         force. [force-detached in 300s]"
    );
    let findings = evaluate(&cluster, at(560), &Timers::default());
    let incident = &findings.incidents[0];
    assert_eq!(incident.counts, Counts { pods: 1, volumes: 1, held_up: 1 });
    let waiting = postgres("worker-1").with_uid("second").object();
    assert_eq!(findings.of(&waiting).count(), 1, "the pod that waits is named by the volume");
    assert_eq!(findings.incidents_of(&waiting).count(), 1);

    // The controller takes the volume from the status first; what the kubelet said to use stays there.
    let mut detached = tainted;
    detached.volumes_attached = [].into();
    cluster.apply_all([detached.into(), deleted(&old)], at(860));
    cluster.apply_all(
        [attachment("pvc-1", "worker-1").into(), postgres("worker-1").with_uid("second").into()],
        at(865),
    );
    assert_eq!(
        said(&cluster, 870),
        [
            "critical: Node worker-2 is silent: its kubelet stopped reporting. 1 of its 2 pods has been told to \
             go.",
            "  warning: Pod web/web-1 cannot end: its node worker-2 is silent, so no kubelet confirms it. \
             [overdue 485s]",
        ]
    );

    cluster.apply_all([node("worker-2").into(), gone(&web)], at(900));
    assert_eq!(said(&cluster, 901), [""; 0]);
    assert_eq!(evaluate(&cluster, at(901), &Timers::default()).next_due, None);
}

#[test]
fn a_node_whose_lease_moves_again_is_not_to_be_forced() {
    let mut cluster = cluster([node("worker-2").silent(50).into(), pod("web/a", "worker-2").into()]);
    let read = |second| Change::Leases { leases: vec![lease("worker-2", second)], is_complete: true };
    for second in [0, 10, 60] {
        cluster.apply(read(second.min(10)), at(second));
    }
    let sentence =
        |cluster: &Cluster| evaluate(cluster, at(65), &Timers::default()).incidents[0].root.sentence.clone();
    assert!(sentence(&cluster).contains("its kubelet stopped reporting"));
    cluster.apply(read(61), at(65));
    assert_eq!(
        sentence(&cluster),
        "Node worker-2 is silent: its kubelet posts no status, but its lease moves. Its one pod is not yet told \
         to go."
    );
    let next = evaluate(&cluster, at(65), &Timers::default()).incidents[0].root.next.clone();
    assert_eq!(next, "Look at its kubelet: it shows life, so nothing on it may be forced.");
}

#[test]
fn a_lease_read_late_is_no_sign_of_life_after_the_silence_began() {
    let mut cluster = cluster([node("worker-2").silent(50).into()]);
    let read = |second| Change::Leases { leases: vec![lease("worker-2", second)], is_complete: true };
    cluster.apply(read(-9), at(0));
    // Read once a minute: it moved at some time between the readings, most likely before the silence.
    cluster.apply(read(1), at(60));
    assert!(said(&cluster, 65)[0].contains("its kubelet stopped reporting"));
}

#[test]
fn a_pod_that_tolerates_everything_stays_and_a_silent_node_without_load_is_less_urgent() {
    let proxy = pod("kube-system/proxy-2", "worker-2").of("DaemonSet", "proxy");
    let cluster = cluster([node("worker-2").cordoned().silent(50).unreachable(55).into(), proxy.into()]);
    assert_eq!(
        said(&cluster, 60),
        ["warning: Node worker-2, cordoned, is silent: its kubelet stopped reporting. The one pod on it \
             tolerates this and stays."]
    );
}

#[test]
fn pods_of_namespaces_that_are_not_read_are_not_called_absent() {
    let silent = || node("worker-2").silent(50).unreachable(55);
    let mut narrow = cluster([silent().into()]);
    narrow.namespace = Some("shop".into());
    assert_eq!(
        said(&narrow, 60),
        [
            "warning: Node worker-2 is silent: its kubelet stopped reporting. No pod of namespace shop is on it; \
          those of others are not known."
        ]
    );
    let next =
        |cluster: &Cluster| evaluate(cluster, at(60), &Timers::default()).incidents[0].root.next.clone();
    assert!(!next(&narrow).contains("delete the Node"), "what is not known may still run there");
    assert!(next(&cluster([silent().into()])).contains("delete the Node"));

    let proxy = pod("shop/proxy-2", "worker-2").of("DaemonSet", "proxy");
    narrow.apply(proxy.into(), at(55));
    assert_eq!(
        said(&narrow, 60),
        [
            "warning: Node worker-2 is silent: its kubelet stopped reporting. The one pod on it tolerates this and \
          stays. Only pods of namespace shop are known."
        ]
    );
}

#[test]
fn a_kubelet_that_talks_gets_the_time_to_unmount_what_nobody_wants() {
    let holder = pod("db/postgres-0", "worker-1").mounting("data");
    let mut cluster = cluster([
        node("worker-1").with_volume("pvc-1").not_ready(50, "disk is full").into(),
        volume("pvc-1", "db/data").into(),
        attachment("pvc-1", "worker-1").into(),
        holder.clone().into(),
    ]);
    let root = "warning: Node worker-1 is not ready: its kubelet reports disk is full.";
    assert_eq!(said(&cluster, 60), [format!("{root} Its one pod is not yet told to go.")]);
    cluster.apply(gone(&holder), at(100));
    assert_eq!(said(&cluster, 129), [format!("{root} No pod is on it.")]);
    assert_eq!(evaluate(&cluster, at(129), &Timers::default()).next_due, Some(at(130)));
    assert_eq!(
        said(&cluster, 130)[1],
        "  warning: The volume of db/data is attached to worker-1, which is not ready. No pod there wants \
         it any more, so it will be detached by force. [force-detached in 330s]"
    );
    let findings = evaluate(&cluster, at(130), &Timers::default());
    assert_eq!(
        findings.incidents[0].members[0].next,
        "Look at the kubelet's log on worker-1: an unmount may hang. Force nothing while the kubelet talks."
    );
}

#[test]
fn a_node_that_is_marked_out_of_service_lets_go_of_its_volumes_at_once() {
    let marked = node("worker-2").with_volume("pvc-1").silent(50).unreachable(55).tainted(
        "node.kubernetes.io/out-of-service",
        Effect::NoExecute,
        90,
    );
    let old = postgres("worker-2").deleting(120, 30);
    let mut cluster = cluster([
        marked.into(),
        volume("pvc-1", "db/data-postgres-0").into(),
        attachment("pvc-1", "worker-2").into(),
        old.clone().into(),
    ]);
    let stuck = &evaluate(&cluster, at(160), &Timers::default()).incidents[0].members[0].next;
    assert_eq!(
        stuck,
        "Wait: its node is marked out-of-service, so the garbage collector removes it within 20 seconds."
    );
    cluster.apply(gone(&old), at(170));
    assert_eq!(
        said(&cluster, 171),
        [
            "critical: Node worker-2 is silent: its kubelet stopped reporting. It is marked out-of-service. No \
             pod is on it.",
            "  warning: The volume of db/data-postgres-0 is attached to worker-2, which is silent. No pod \
             there wants it any more, so it can be detached at once.",
        ]
    );
}

#[test]
fn a_node_that_is_deleted_becomes_gone_and_its_pods_are_collected_within_a_minute() {
    let old = pod("db/postgres-0", "worker-2").of("StatefulSet", "postgres").deleting(30, 30);
    let mut cluster = cluster([node("worker-2").silent(0).into(), old.into()]);
    assert_eq!(said(&cluster, 100).len(), 2);
    let deleted = node("worker-2").meta;
    cluster.apply(Change::Node(Delta::Delete { name: deleted.name, uid: deleted.uid }), at(100));
    assert_eq!(
        said(&cluster, 110),
        [
            "notice: Node worker-2 is gone, and 1 pod still names it. [collected in at most 50s]",
            "  critical: Pod db/postgres-0 cannot end: its node worker-2 is gone, so no kubelet confirms it. \
             StatefulSet postgres creates no replacement until it is gone. [overdue 80s]",
        ]
    );
    assert_eq!(evaluate(&cluster, at(110), &Timers::default()).next_due, Some(at(160)));
    assert_eq!(said(&cluster, 160)[0], "warning: Node worker-2 is gone, and 1 pod still names it.");
}

#[test]
fn an_attachment_whose_volume_is_not_known_is_named_by_itself() {
    let mut inline = attachment("", "worker-2");
    inline.meta.name = Name::cluster("csi-inline");
    let cluster =
        cluster([node("worker-2").silent(50).into(), attachment("lost", "worker-2").into(), inline.into()]);
    assert_eq!(
        said(&cluster, 60)[1..],
        [
            "  warning: The inline volume of attachment csi-inline is attached to worker-2, which is silent. \
             Whether a pod there wants it is not known.",
            "  warning: Volume lost, of which no more is known, is attached to worker-2, which is silent. Whether \
             a pod there wants it is not known.",
        ]
    );
}

#[test]
fn incidents_come_worst_first_then_oldest_then_by_name() {
    let loaded = |name: &str, second| -> [Change; 2] {
        [node(name).silent(second).into(), pod(&format!("web/on-{name}"), name).into()]
    };
    let mut changes: Vec<Change> = vec![node("worker-4").silent(1).into()];
    changes.extend(["worker-2", "worker-1"].into_iter().flat_map(|name| loaded(name, 50)));
    changes.extend(loaded("worker-3", 40));
    changes.extend((5..10).map(|number| node(&format!("worker-{number}")).into()));
    let findings = evaluate(&cluster(changes), at(60), &Timers::default());
    let order: Vec<String> =
        findings.incidents.iter().map(|it| it.root.subject.object().unwrap().name.to_string()).collect();
    assert_eq!(order, ["worker-3", "worker-1", "worker-2", "worker-4"]);
    assert_eq!(findings.count(Severity::Critical), 3);
    assert_eq!(findings.severity_of(&node("worker-4").object()), Some(Severity::Warning));
}

#[test]
fn a_lease_that_stands_still_is_an_early_warning_until_the_controller_says_so() {
    let mut cluster = cluster([node("worker-1").into(), node("worker-2").into()]);
    for second in [-9, 0, 10, 20] {
        cluster.apply(
            Change::Leases {
                leases: vec![lease("worker-1", second), lease("worker-2", second.min(0))],
                is_complete: true,
            },
            at(second + 1),
        );
        assert_eq!(said(&cluster, second + 2), [""; 0]);
    }
    let read = |second| Change::Leases {
        leases: vec![lease("worker-1", second), lease("worker-2", 0)],
        is_complete: true,
    };
    cluster.apply(read(30), at(31));
    let warning =
        "warning: Node worker-2 is still Ready, but its lease stands still: its kubelet may be gone.";
    assert_eq!(said(&cluster, 32), [format!("{warning} [declared silent in at most 24s]")]);
    let feed = |change| Change::Feed(crate::cluster::Feed::Leases, change);
    cluster.apply(feed(crate::cluster::FeedChange::Down { reason: "no".into() }), at(33));
    assert_eq!(said(&cluster, 60), [""; 0], "a lease that is not read any more is not quiet");
    cluster.apply(feed(crate::cluster::FeedChange::Live), at(61));
    cluster.apply(read(110), at(111));
    assert_eq!(
        said(&cluster, 112),
        ["warning: Node worker-2 is Ready by its status, but its lease stands still for longer than the \
          controller's grace: the controller-manager may not be running."]
    );
    cluster.apply(node("worker-2").silent(112).into(), at(112));
    assert!(said(&cluster, 113)[0].starts_with("warning: Node worker-2 is silent"));
}

#[test]
fn many_nodes_are_not_warned_of_early_because_their_leases_are_read_too_seldom() {
    let mut cluster = cluster((0..501).map(|number| node(&format!("worker-{number}")).into()));
    for second in [0, 60] {
        let read = Change::Leases { leases: vec![lease("worker-2", 0)], is_complete: true };
        cluster.apply(read, at(second));
    }
    assert_eq!(said(&cluster, 61), [""; 0]);
}

#[test]
fn what_blames_each_other_in_a_ring_is_one_incident_and_nothing_is_lost() {
    let subject = |name: &str| Subject::from(pod(name, "worker-1").object());
    let of = |name: &str, cause: &str| Finding {
        cause: Some(subject(cause)),
        ..Finding::new(RuleId::PodCrashLooping, Severity::Warning, subject(name))
    };
    let findings = vec![of("db/a", "db/b"), of("db/b", "db/c"), of("db/c", "db/b"), of("db/d", "db/none")];
    let mut store = store::Store::default();
    for finding in findings {
        store.add(finding);
    }
    let joined = incident::join(&store);
    let sizes: Vec<usize> = joined.incidents.iter().map(|incident| incident.findings().count()).collect();
    assert_eq!(sizes, [3, 1]);
}
