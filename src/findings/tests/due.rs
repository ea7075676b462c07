//! What must hold of any cluster, at any time.

use crate::cluster::sample::{
    at, attachment, claim, cluster, condition, meta, node, pod, toleration, volume,
};
use crate::cluster::{Change, Deletion, Delta, Effect, Labels, Namespace, Node, Service, Status, Timers};
use crate::findings::{FindingId, evaluate};
use proptest::prelude::*;
use std::collections::BTreeSet;

const NODES: [&str; 3] = ["worker-0", "worker-1", "worker-2"];

fn state(name: &str, state: u8, second: i64) -> Node {
    match state {
        0 => node(name),
        1 => node(name).silent(second),
        2 => node(name).silent(second).unreachable(second + 5),
        3 => node(name).not_ready(second, "disk is full").unreachable(second + 5),
        _ => node(name).silent(second).with_volume("pvc-0").unreachable(second + 5),
    }
}

pub(super) fn changes() -> impl Strategy<Value = Change> {
    let which = 0..NODES.len();
    prop_oneof![
        (which.clone(), 0..5_u8, -400..0_i64)
            .prop_map(|(name, to, second)| state(NODES[name], to, second).into()),
        which.clone().prop_map(|name| {
            let meta = node(NODES[name]).meta;
            Change::Node(Delta::Delete { name: meta.name, uid: meta.uid })
        }),
        (0..6_usize, which.clone(), 0..4_i64, prop::option::of((-100..100_i64, 0..60_i64))).prop_map(
            |(name, node, wait, deletion)| {
                let mut row = pod(&format!("db/pod-{name}"), NODES[node]).mounting("data");
                row.tolerations = [toleration("", (wait > 0).then_some(wait * 100))].into();
                match deletion {
                    Some((deadline, grace)) => row.deleting(deadline, grace),
                    None => row,
                }
                .into()
            }
        ),
        (0..2_usize, which)
            .prop_map(|(volume, node)| { attachment(&format!("pvc-{volume}"), NODES[node]).into() }),
        Just(volume("pvc-0", "db/data").into()),
        (0..6_usize, 0..3_usize, -400..0_i64).prop_map(|(name, node, second)| {
            let mut row = pod(&format!("db/pod-{name}"), if node == 2 { "" } else { NODES[node] });
            row = row.mounting("data").pending();
            row.meta.created = Some(at(second));
            let mut scheduled = condition("PodScheduled", Status::False, "Unschedulable", second);
            if node != 2 {
                scheduled.status = Status::True;
            }
            row.conditions = [scheduled].into();
            row.into()
        }),
        (0..2_usize, 0..3_usize, -400..0_i64).prop_map(|(volume, node, second)| {
            let mut row = attachment(&format!("pvc-{volume}"), NODES[node]);
            row.meta.deletion = Some(Deletion { deadline: at(second), grace_seconds: 0 });
            row.into()
        }),
        (0..3_usize, -4000..0_i64, -40_000..0_i64).prop_map(|(name, second, created)| {
            let mut row = node(NODES[name]).cordoned().tainted(
                "node.kubernetes.io/unschedulable",
                Effect::NoSchedule,
                second,
            );
            row.meta.created = Some(at(created));
            row.into()
        }),
        (-200..0_i64).prop_map(|second| {
            let mut row = Namespace { meta: meta("old"), ..Namespace::default() };
            row.meta.deletion = Some(Deletion { deadline: at(second), grace_seconds: 0 });
            row.into()
        }),
        (-200..0_i64).prop_map(|second| {
            let mut row = claim("db/data", "");
            row.phase = "Pending".into();
            row.meta.created = Some(at(second));
            row.into()
        }),
        Just(Change::Service(Delta::Apply(Box::new(Service {
            meta: meta("db/all"),
            labels: Labels::from([("app".into(), "db".into())]),
            ..Service::default()
        })))),
        (0..4_usize, -900..0_i64).prop_map(|(name, second)| {
            let mut row = pod(&format!("db/all-{name}"), "worker-0");
            row.meta.labels = Labels::from([("app".into(), "db".into())]);
            row.meta.created = Some(at(second));
            row.conditions = [condition("Ready", Status::False, "", second)].into();
            row.into()
        }),
    ]
}

proptest! {
    #[test]
    fn nothing_is_said_anew_before_it_is_due(changes in prop::collection::vec(changes(), 0..30)) {
        let mut cluster = cluster([]);
        cluster.apply_all(changes, at(0));
        let said = |second: i64| evaluate(&cluster, at(second), &Timers::default());
        let mut second = 0;
        loop {
            let findings = said(second);
            let due = findings.next_due.map(|due| due.duration_since(at(0)).as_secs());
            let quiet_until = due.map_or(1_000_000, |due| due - 1);
            prop_assert!(quiet_until >= second);
            prop_assert_eq!(&findings, &said(quiet_until));
            match due {
                Some(due) => second = due,
                None => break,
            }
        }
    }

    #[test]
    fn every_finding_is_itself_alone_and_is_found_by_every_object_that_it_names(
        changes in prop::collection::vec(changes(), 0..30),
    ) {
        let mut cluster = cluster([]);
        cluster.apply_all(changes, at(0));
        let findings = evaluate(&cluster, at(200), &Timers::default());
        let ids: BTreeSet<FindingId> = findings.iter().map(crate::findings::Finding::id).collect();
        prop_assert_eq!(ids.len(), findings.iter().count());
        for finding in findings.iter() {
            prop_assert!(!finding.sentence.is_empty() && finding.sentence.ends_with('.'), "{}", finding.sentence);
            prop_assert!(finding.next.ends_with('.'), "{}", finding.next);
            for object in finding.objects() {
                prop_assert!(findings.of(object).any(|named| named == finding));
            }
        }
        for (one, two) in findings.incidents.iter().zip(findings.incidents.iter().skip(1)) {
            prop_assert!(one.severity >= two.severity);
        }
    }
}
