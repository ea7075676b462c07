//! Tests of the rules together: one dead node from the last heartbeat to its return.

use super::*;
use crate::cluster::sample::{at, attachment, claim, cluster, gone, lease, node, pod, volume};
use crate::cluster::{Change, Delta, Pod, Row, VolumeAttachment};

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
            "  warning: Volume pvc-1 of claim db/data-postgres-0 is attached to worker-2, which is silent. It is \
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
    let held = "  warning: Volume pvc-1 of claim db/data-postgres-0 is attached to worker-2, which is silent. It \
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
        "  critical: Volume pvc-1 of claim db/data-postgres-0 is attached to worker-2, which is silent, and pod \
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
    assert_eq!(evaluate(&cluster, at(901), &Timers::default()), Findings::default());
}
