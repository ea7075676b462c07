//! Since when a volume is unwanted and a node absent, and how well that is known.

use crate::cluster::sample::{at, attachment, cluster, gone, live, node, pod, volume};
use crate::cluster::{
    Change, Cluster, Delta, Feed, FeedChange, Kind, Name, Pod, Row, Since, VolumeAttachment,
};

const NODE: &str = "worker-2";

fn holder() -> Pod {
    pod("db/postgres-0", NODE).mounting("data")
}

fn held() -> [Change; 4] {
    [
        node(NODE).silent(-10).into(),
        volume("pvc-1", "db/data").into(),
        attachment("pvc-1", NODE).into(),
        holder().into(),
    ]
}

fn unwanted(cluster: &Cluster) -> Option<Since> {
    let by_name = cluster.volume_unwanted_since(NODE, "pvc-1");
    let object: VolumeAttachment = attachment("pvc-1", NODE);
    if cluster.volume_attachments.get(object.name()).is_some() {
        assert_eq!(cluster.unwanted_since(object.name()), by_name);
    }
    by_name
}

#[test]
fn the_clock_starts_when_the_last_pod_that_wants_the_volume_is_seen_to_go() {
    let mut cluster = cluster(held());
    assert_eq!(unwanted(&cluster), None);
    cluster.apply(gone(&holder()), at(100));
    assert_eq!(unwanted(&cluster), Some(Since { at: at(100), is_exact: true }));
    cluster.apply(pod("web/other", NODE).into(), at(150));
    assert_eq!(unwanted(&cluster), Some(Since { at: at(100), is_exact: true }), "others do not touch it");
    cluster.apply(holder().into(), at(200));
    assert_eq!(unwanted(&cluster), None, "a pod that wants it again stops the clock");
}

#[test]
fn the_clock_of_a_volume_without_an_attachment_object_runs_too() {
    let [_, volume, _, pod] = held();
    let mut cluster = cluster([node(NODE).silent(-10).with_volume("pvc-1").into(), volume, pod]);
    cluster.apply(gone(&holder()), at(100));
    assert_eq!(unwanted(&cluster), Some(Since { at: at(100), is_exact: true }));
}

#[test]
fn a_pod_that_went_while_nobody_looked_gives_a_moment_that_is_not_exact() {
    let down = Change::Feed(Feed::Watch(Kind::Pod), FeedChange::Down { reason: "".into() });
    let mut cluster = cluster(held());
    cluster.apply(down, at(50));
    cluster.apply_all(
        [Change::Pod(Delta::Reset), Change::Pod(Delta::Synced), live(Feed::Watch(Kind::Pod))],
        at(100),
    );
    assert_eq!(unwanted(&cluster), Some(Since { at: at(100), is_exact: false }));
}

#[test]
fn a_volume_that_nobody_wanted_from_the_beginning_gives_a_moment_that_is_not_exact() {
    let [node, volume, attachment, _] = held();
    assert_eq!(unwanted(&cluster([node, volume, attachment])), Some(Since { at: at(0), is_exact: false }));
}

#[test]
fn nothing_is_said_of_wanting_before_the_pods_and_the_volume_are_known() {
    let [node, volume, attachment, _] = held();
    let mut cluster = Cluster::default();
    cluster.apply_all([node, attachment], at(0));
    assert_eq!(unwanted(&cluster), None);
    cluster.apply(live(Feed::Watch(Kind::Pod)), at(1));
    assert_eq!(unwanted(&cluster), None, "its claim is not known");
    cluster.apply(volume, at(2));
    assert_eq!(unwanted(&cluster), Some(Since { at: at(2), is_exact: false }));
}

#[test]
fn a_user_of_one_namespace_is_told_nothing_of_the_pods_of_another() {
    let [node, volume, attachment, _] = held();
    let mut cluster = Cluster { namespace: Some("web".into()), ..Cluster::default() };
    cluster.apply_all([node, volume, attachment, live(Feed::Watch(Kind::Pod))], at(0));
    assert_eq!(unwanted(&cluster), None);
    assert!(!cluster.knows_pods_of("db") && cluster.knows_pods_of("web"));
}

#[test]
fn a_node_that_is_ready_again_or_a_volume_that_is_detached_has_no_clock() {
    let mut cluster = cluster(held());
    cluster.apply(gone(&holder()), at(100));
    let object: VolumeAttachment = attachment("pvc-1", NODE);
    let detached = Delta::Delete { name: object.name().clone(), uid: object.meta.uid.clone() };
    cluster.apply(Change::VolumeAttachment(detached), at(110));
    assert_eq!(unwanted(&cluster), None);
    cluster.apply(object.into(), at(120));
    assert!(unwanted(&cluster).is_some());
    cluster.apply(node(NODE).into(), at(130));
    assert_eq!(unwanted(&cluster), None);
}

#[test]
fn a_node_is_absent_while_pods_or_attachments_name_it_and_only_once_nodes_are_known() {
    let mut cluster = Cluster::default();
    cluster.apply(holder().into(), at(0));
    assert_eq!(cluster.absent_nodes().count(), 0);
    cluster.apply_all([node(NODE).into(), live(Feed::Watch(Kind::Node))], at(1));
    assert_eq!(cluster.absent_since(NODE), None);
    let deleted = Delta::Delete { name: Name::cluster(NODE), uid: node(NODE).meta.uid };
    cluster.apply(Change::Node(deleted), at(100));
    assert_eq!(cluster.absent_since(NODE), Some(Since { at: at(100), is_exact: true }));
    cluster.apply(attachment("pvc-1", NODE).into(), at(110));
    cluster.apply(gone(&holder()), at(120));
    assert_eq!(
        cluster.absent_since(NODE),
        Some(Since { at: at(100), is_exact: true }),
        "an attachment names it"
    );
    let object: VolumeAttachment = attachment("pvc-1", NODE);
    let detached = Delta::Delete { name: object.name().clone(), uid: object.meta.uid.clone() };
    cluster.apply(Change::VolumeAttachment(detached), at(130));
    assert_eq!(cluster.absent_nodes().count(), 0);
}
