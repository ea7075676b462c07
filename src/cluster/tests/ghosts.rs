//! No row outlives its object, and no index its row, whatever comes in whatever order.

use crate::cluster::sample::{at, attachment, live, meta, node, pod, volume};
use crate::cluster::{Change, Cluster, Delta, Feed, Indexes, Kind, Name, Pod, Row, Table};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A table as simple as can be: rows, and whether the running list has named them.
type Model = BTreeMap<Name, (Pod, bool)>;

#[derive(Clone, Debug)]
enum Step {
    Pod(Delta<Pod>),
    Node { name: usize, is_silent: bool, has_volume: bool },
    NodeGone(usize),
    Attachment { volume: usize, node: usize },
    AttachmentGone { volume: usize, node: usize },
    Volume { name: usize, claim: usize },
}

const NODES: [&str; 3] = ["worker-0", "worker-1", "worker-2"];
const VOLUMES: [&str; 2] = ["pvc-0", "pvc-1"];
const CLAIMS: [&str; 2] = ["data-0", "data-1"];

fn pods() -> impl Strategy<Value = Pod> {
    (0..4_usize, 0..3_usize, 0..4_usize, 0..3_usize, any::<bool>()).prop_map(
        |(name, uid, node, claim, is_deleting)| {
            let mut row = pod(&format!("db/pod-{name}"), NODES.get(node).copied().unwrap_or_default());
            row.meta.uid = format!("uid-{uid}").into();
            row.meta.labels = [("app".into(), format!("app-{uid}").into())].into();
            if let Some(claim) = CLAIMS.get(claim) {
                row = row.mounting(claim);
            }
            if is_deleting { row.deleting(30, 30) } else { row }
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => pods().prop_map(|pod| Step::Pod(Delta::Apply(Box::new(pod)))),
        4 => pods().prop_map(|pod| {
            Step::Pod(Delta::Delete { name: pod.meta.name.clone(), uid: pod.meta.uid.clone() })
        }),
        1 => Just(Step::Pod(Delta::Reset)),
        1 => Just(Step::Pod(Delta::Synced)),
        2 => (0..3_usize, any::<bool>(), any::<bool>())
            .prop_map(|(name, is_silent, has_volume)| Step::Node { name, is_silent, has_volume }),
        1 => (0..3_usize).prop_map(Step::NodeGone),
        2 => (0..2_usize, 0..3_usize).prop_map(|(volume, node)| Step::Attachment { volume, node }),
        1 => (0..2_usize, 0..3_usize).prop_map(|(volume, node)| Step::AttachmentGone { volume, node }),
        1 => (0..2_usize, 0..2_usize).prop_map(|(name, claim)| Step::Volume { name, claim }),
    ]
}

fn change(step: &Step) -> Change {
    match step {
        Step::Pod(delta) => Change::Pod(delta.clone()),
        Step::Node { name, is_silent, has_volume } => {
            let row = node(NODES[*name]);
            let row = if *is_silent { row.silent(0).unreachable(0) } else { row };
            if *has_volume { row.with_volume(VOLUMES[0]) } else { row }.into()
        }
        Step::NodeGone(name) => {
            let meta = meta(NODES[*name]);
            Change::Node(Delta::Delete { name: meta.name, uid: meta.uid })
        }
        Step::Attachment { volume, node } => attachment(VOLUMES[*volume], NODES[*node]).into(),
        Step::AttachmentGone { volume, node } => {
            let meta = attachment(VOLUMES[*volume], NODES[*node]).meta;
            Change::VolumeAttachment(Delta::Delete { name: meta.name, uid: meta.uid })
        }
        Step::Volume { name, claim } => volume(VOLUMES[*name], &format!("db/{}", CLAIMS[*claim])).into(),
    }
}

fn follow(model: &mut Model, delta: &Delta<Pod>) {
    match delta {
        Delta::Reset => model.values_mut().for_each(|(_, is_named)| *is_named = false),
        Delta::Apply(pod) => {
            model.insert(pod.meta.name.clone(), ((**pod).clone(), true));
        }
        Delta::Delete { name, uid } => {
            if model.get(name).is_some_and(|(pod, _)| pod.meta.uid == *uid) {
                model.remove(name);
            }
        }
        Delta::Synced => model.retain(|_, (_, is_named)| *is_named),
    }
}

/// What the indexes must be: made from the rows alone.
fn rebuilt(cluster: &Cluster) -> Indexes {
    fn each<R: Row>(table: &Table<R>, mut put: impl FnMut(Option<&R>, Option<&R>)) {
        for row in table.values() {
            put(None, Some(row));
        }
    }
    let mut indexes = Indexes::default();
    each(&cluster.nodes, |old, new| indexes.node(old, new));
    each(&cluster.pods, |old, new| indexes.pod(old, new));
    each(&cluster.persistent_volumes, |old, new| indexes.volume(old, new));
    each(&cluster.volume_attachments, |old, new| indexes.attachment(old, new));
    each(&cluster.events, |old, new| indexes.event(old, new));
    indexes
}

proptest! {
    #[test]
    fn rows_and_indexes_follow_any_sequence_of_changes(steps in prop::collection::vec(steps(), 1..80)) {
        let mut cluster = Cluster::default();
        cluster.apply_all([Kind::Node, Kind::Pod].map(|kind| live(Feed::Watch(kind))), at(0));
        let mut model = Model::new();
        for (second, step) in (1..).zip(&steps) {
            cluster.apply(change(step), at(second));
            if let Step::Pod(delta) = step {
                follow(&mut model, delta);
            }
            let rows: Vec<&Pod> = cluster.pods.values().collect();
            let expected: Vec<&Pod> = model.values().map(|(pod, _)| pod).collect();
            prop_assert_eq!(rows, expected);
            prop_assert_eq!(&cluster.indexes, &rebuilt(&cluster));

            let named: BTreeSet<&str> = cluster
                .pods
                .values()
                .map(|pod| pod.node.as_str())
                .chain(cluster.volume_attachments.values().map(|object| object.node.as_str()))
                .filter(|name| !name.is_empty() && cluster.node(name).is_none())
                .collect();
            let absent: BTreeSet<&str> = cluster.absent_nodes().map(|(name, _)| name.as_str()).collect();
            prop_assert_eq!(absent, named);

            for (node, volume) in NODES.iter().flat_map(|node| VOLUMES.map(|volume| (node, volume))) {
                let row = cluster.persistent_volumes.get(&Name::cluster(volume));
                let is_there = cluster
                    .volumes_attached_to(node)
                    .contains(&crate::cluster::VolumeId::Persistent(volume.into()));
                let claim = row.and_then(|row| row.claim.as_ref());
                let is_wanted = claim.is_some_and(|claim| {
                    cluster.pods_of_claim(&claim.name).any(|pod| pod.node == **node && pod.wants_volumes())
                });
                let is_unwanted = is_there && !cluster.is_node_ready(node) && !is_wanted && row.is_some();
                prop_assert_eq!(
                    cluster.volume_unwanted_since(node, volume).is_some(), is_unwanted, "{} on {}", volume, node
                );
            }
        }
    }
}

#[test]
fn thousands_of_deletes_and_recreations_leave_no_ghost() {
    let mut cluster = Cluster::default();
    let named = |name: usize, uid: usize| {
        let node = NODES[(name + uid) % NODES.len()];
        pod(&format!("db/pod-{name}"), node).mounting("data-0").with_uid(&format!("uid-{uid}"))
    };
    let gone = |pod: Pod| Change::Pod(Delta::Delete { name: pod.meta.name, uid: pod.meta.uid });
    for round in 0..100 {
        // The next object of a name may be told of before the end of the one before.
        let recreated = (0..50).map(|name| named(name, round + 1).into());
        let late = (0..50).map(|name| gone(named(name, round)));
        cluster.apply_all((0..50).map(|name| named(name, round).into()).chain(recreated).chain(late), at(0));
        assert_eq!(cluster.pods.len(), 50);
        cluster.apply_all((0..50).map(|name| gone(named(name, round + 1))), at(0));
        assert!(cluster.pods.is_empty());
    }
    assert_eq!(cluster.indexes, Indexes::default());
}
