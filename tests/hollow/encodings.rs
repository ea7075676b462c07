//! What a real API server sends in protobuf and in JSON gives the same rows, kind by kind.

use crate::board::Board;
use crate::cluster::{Api, Hollow, populate};
use crate::reading::{KINDS, must_be_equal};
use sickbay::cluster::{Kind, Phase};

fn path(kind: Kind) -> String {
    match kind.group() {
        "" => format!("/api/v1/{}", kind.plural()),
        group => format!("/apis/{group}/v1/{}", kind.plural()),
    }
}

#[tokio::test]
async fn both_encodings_of_every_kind_give_the_same_rows() {
    let hollow = Hollow::start(3);
    let mut board = Board::live(&hollow.kubeconfig).await;
    let api = Api(board.session.client());
    populate(&api).await;
    board
        .until("nine pods that run", |app| {
            app.cluster.pods.values().filter(|pod| pod.phase == Phase::Running).count() == 9
        })
        .await;
    for (kind, name) in KINDS {
        let path = path(kind);
        let list = api.get(&format!("{path}?limit=1")).await;
        let version = list["metadata"]["resourceVersion"].as_str().unwrap();
        let exact = format!("{path}?resourceVersion={version}&resourceVersionMatch=Exact");
        let json = api.raw(&exact, "application/json").await;
        let protobuf = api.raw(&exact, "application/vnd.kubernetes.protobuf").await;
        let rows = must_be_equal(kind, &json, &protobuf);
        assert!(!rows.is_empty(), "there is a {name} to compare");
    }
}
