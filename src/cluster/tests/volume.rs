//! The join of a volume: what it is, where it is attached, where it is wanted.

use crate::cluster::sample::{at, attachment, claim, cluster, node, pod, unique, volume};
use crate::cluster::{
    AccessModes, AttachedBy, Name, PersistentVolume, Phase, Pod, Requirement, Source, Storage, VolumeId,
};

fn persistent(name: &str) -> VolumeId {
    VolumeId::Persistent(name.into())
}

#[test]
fn a_volume_joins_its_claim_its_attachment_its_node_and_its_pods() {
    let cluster = cluster([
        node("worker-2").with_volume("pvc-1").into(),
        volume("pvc-1", "db/data").into(),
        claim("db/data", "pvc-1").into(),
        attachment("pvc-1", "worker-2").into(),
        pod("db/postgres-0", "worker-2").mounting("data").into(),
        pod("other/postgres-0", "worker-2").mounting("data").into(),
    ]);
    assert_eq!(cluster.volumes(), [persistent("pvc-1")], "claim and status are the same volume");
    let join = cluster.volume(&persistent("pvc-1")).unwrap();
    assert_eq!(join.claim.unwrap().meta.name.to_string(), "db/data");
    let [attached] = join.attached.as_slice() else { panic!("{:?}", join.attached) };
    assert!(matches!(attached.by, AttachedBy::Object(_)), "the object comes before the status");
    assert!(attached.node.is_some());
    let pods: Vec<_> = join.pods.iter().map(|pod| pod.meta.name.to_string()).collect();
    assert_eq!(pods, ["db/postgres-0"], "a claim belongs to its namespace");
    assert!(!join.is_torn());
}

#[test]
fn a_volume_without_an_attachment_object_is_attached_by_its_nodes_status() {
    let mut stale = node("worker-2").with_volume("pvc-1");
    stale.volumes_attached = [].into();
    let cluster = cluster([
        node("worker-1").with_volume("pvc-1").into(),
        stale.into(),
        volume("pvc-1", "db/data").into(),
    ]);
    let join = cluster.volume(&persistent("pvc-1")).unwrap();
    let attached: Vec<_> = join
        .attached
        .iter()
        .map(|attached| match attached.by {
            AttachedBy::Status { is_in_use_only } => (attached.node_name.as_str(), is_in_use_only),
            AttachedBy::Object(object) => panic!("{object:?}"),
        })
        .collect();
    assert_eq!(attached, [("worker-1", false), ("worker-2", true)]);
    assert_eq!(cluster.volumes_attached_to("worker-1"), [persistent("pvc-1")].into());
    assert_eq!(cluster.volumes_attached_to("worker-2"), [].into(), "in use alone is not attached");
}

#[test]
fn a_name_that_belongs_to_no_volume_is_a_row_of_its_own_until_the_volume_is_known() {
    let mut cluster = cluster([node("worker-2").with_volume("pvc-1").into()]);
    let unknown = VolumeId::Unknown(unique("pvc-1").into());
    assert_eq!(cluster.volumes(), std::slice::from_ref(&unknown));
    let join = cluster.volume(&unknown).unwrap();
    assert_eq!((join.attached.len(), join.storage()), (1, Storage::Unknown));
    cluster.apply(volume("pvc-1", "db/data").into(), at(5));
    assert_eq!(cluster.volumes(), [persistent("pvc-1")]);
}

#[test]
fn a_claim_without_a_volume_is_a_row_until_it_is_bound() {
    let mut cluster = cluster([claim("db/data", "").into()]);
    let pending = VolumeId::Claim(Name::new("db", "data"));
    assert_eq!(cluster.volumes(), std::slice::from_ref(&pending));
    assert_eq!(cluster.volume(&pending).unwrap().storage(), Storage::Unknown);
    cluster.apply(volume("pvc-1", "db/data").into(), at(5));
    assert_eq!(cluster.volumes(), [persistent("pvc-1")], "the volume names the claim first");
    assert_eq!(cluster.volume_of_claim(&Name::new("db", "data")), Some(persistent("pvc-1")));
}

#[test]
fn a_volume_is_torn_when_it_is_wanted_where_it_is_not_and_may_be_on_one_node_only() {
    let torn = |volume: PersistentVolume, pod: Pod| {
        let cluster = cluster([
            node("worker-1").into(),
            node("worker-2").into(),
            volume.into(),
            attachment("pvc-1", "worker-2").into(),
            pod.into(),
        ]);
        let join = cluster.volume(&persistent("pvc-1")).unwrap();
        (join.is_torn(), join.waiting().count())
    };
    let shared =
        || PersistentVolume { access: AccessModes::parse(["ReadWriteMany"]), ..volume("pvc-1", "db/data") };
    let mounting = |node: &str| pod("db/postgres-0", node).mounting("data");
    assert_eq!(torn(volume("pvc-1", "db/data"), mounting("worker-1").pending()), (true, 1));
    assert_eq!(torn(volume("pvc-1", "db/data"), mounting("worker-2")), (false, 0));
    assert_eq!(torn(shared(), mounting("worker-1")), (false, 0));
    let ended = Pod { phase: Phase::Failed, ..mounting("worker-1") };
    assert_eq!(torn(volume("pvc-1", "db/data"), ended), (false, 0));
}

#[test]
fn a_kubelet_that_lists_the_volume_it_waits_for_does_not_have_it() {
    let mut waiting = node("worker-1").with_volume("pvc-1");
    waiting.volumes_attached = [].into();
    let cluster = cluster([
        waiting.into(),
        node("worker-2").with_volume("pvc-1").into(),
        volume("pvc-1", "db/data").into(),
        attachment("pvc-1", "worker-2").into(),
        pod("db/postgres-0", "worker-1").mounting("data").pending().into(),
    ]);
    let join = cluster.volume(&persistent("pvc-1")).unwrap();
    assert_eq!((join.is_torn(), join.waiting().count()), (true, 1));
}

#[test]
fn the_kind_of_storage_is_told_by_source_affinity_and_access() {
    let base = || volume("pvc-1", "db/data");
    let many = AccessModes::parse(["ReadWriteMany"]);
    let pinned = Requirement { key: "kubernetes.io/hostname".into(), values: ["worker-2".into()].into() };
    let zoned = Requirement { key: "topology.kubernetes.io/zone".into(), values: ["a".into()].into() };
    let in_tree = |field: &str| Source::InTree { field: field.into() };
    for (volume, storage) in [
        (base(), Storage::Block),
        (PersistentVolume { affinity: [zoned].into(), ..base() }, Storage::Block),
        (PersistentVolume { affinity: [pinned].into(), ..base() }, Storage::Pinned),
        (PersistentVolume { access: many, ..base() }, Storage::File),
        (PersistentVolume { access: many, is_raw_block: true, ..base() }, Storage::Block),
        (PersistentVolume { source: Source::Local { path: "/d".into() }, ..base() }, Storage::Pinned),
        (PersistentVolume { source: Source::HostPath { path: "/d".into() }, ..base() }, Storage::Pinned),
        (PersistentVolume { source: in_tree("cephfs"), ..base() }, Storage::File),
        (PersistentVolume { source: in_tree("iscsi"), ..base() }, Storage::Block),
        (PersistentVolume { source: Source::Unknown, ..base() }, Storage::Unknown),
    ] {
        assert_eq!(volume.storage(), storage, "{volume:?}");
    }
}

#[test]
fn a_pod_stops_wanting_its_volumes_only_when_its_containers_have_stopped() {
    let going = || pod("db/postgres-0", "worker-2").deleting(30, 30);
    assert!(going().wants_volumes(), "on a dead node the containers stay running for ever");
    assert!(!going().ended(0).wants_volumes());
    assert!(pod("db/postgres-0", "worker-2").ended(0).wants_volumes(), "it may be restarted");
    assert!(!Pod { phase: Phase::Failed, ..going() }.wants_volumes());
}
