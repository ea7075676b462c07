//! What a user may not see shrinks the board and says so; it never stops it.

use crate::board::{Board, PATIENCE};
use crate::cluster::{Api, Hollow};
use serde_json::json;
use sickbay::app::link::{Picture, Scope};
use sickbay::cluster::Kind;
use tokio::time::timeout;

/// Waits for the role: on a control plane this young, a controller is still putting it together.
async fn may_list_pods(api: &Api) {
    let attributes = json!({ "namespace": "default", "verb": "list", "resource": "pods" });
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    while api.create(path, &review).await["status"]["allowed"] != true {}
}

#[tokio::test]
async fn a_viewer_sees_everything_and_a_namespaced_user_his_namespace() {
    let hollow = Hollow::start(2);
    let mut board = Board::connect(&hollow.kubeconfig, Some("viewer")).await;
    board.until("a live picture", |app| app.picture() == Picture::Live && app.are_leases_read()).await;
    assert_eq!(board.app.session.scope, Scope::All);

    let early = Board::connect(&hollow.kubeconfig, Some("namespaced")).await;
    timeout(PATIENCE, may_list_pods(&Api(early.session.client()))).await.unwrap();
    let mut board = Board::connect(&hollow.kubeconfig, Some("namespaced")).await;
    board.until("what he may see", |app| matches!(app.picture(), Picture::Partial { .. })).await;
    let Scope::Namespace { name, reason: Some(reason) } = &board.app.session.scope else {
        panic!("{:?}", board.app.session.scope);
    };
    assert_eq!(&**name, "default");
    assert!(reason.contains("cannot list"), "{reason}");
    let Picture::Partial { missing } = board.app.picture() else { panic!("{:?}", board.app.picture()) };
    for kind in [Kind::Node, Kind::PersistentVolume, Kind::VolumeAttachment] {
        assert!(missing.contains(&kind), "{kind}: {missing:?}");
    }
    assert!(!missing.contains(&Kind::Pod), "{missing:?}");
}
