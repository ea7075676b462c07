//! Thousands of objects that come and go, with their streams broken in between, leave exactly what is there.

use crate::board::Board;
use crate::cluster::{Api, Hollow};
use futures::StreamExt as _;
use futures::stream;
use serde_json::{Value, json};
use sickbay::app::screen::Screen;
use std::collections::BTreeSet;

const PODS: &str = "/api/v1/namespaces/default/pods";
const MANY: usize = 1_000;

/// A pod that no scheduler takes, so that it goes at once when it is deleted.
fn pod(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "schedulingGates": [{ "name": "example.org/never" }],
            "containers": [{ "name": "main", "image": "main" }],
        },
    })
}

async fn create(api: &Api, names: impl Iterator<Item = usize>) {
    let all = stream::iter(names).for_each_concurrent(32, async |number| {
        api.create(PODS, &pod(&format!("many-{number}"))).await;
    });
    all.await;
}

/// The uids of all pods, as the server lists them.
async fn listed(api: &Api) -> BTreeSet<String> {
    let list = api.get("/api/v1/pods").await;
    let items = list["items"].as_array().unwrap();
    items.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
}

async fn must_show_what_is_there(board: &mut Board, api: &Api) {
    let there = board.during(listed(api)).await;
    board
        .until("the pods that are there, and no others", |app| {
            let shown: BTreeSet<String> =
                app.cluster.pods.values().map(|pod| pod.meta.uid.to_string()).collect();
            shown == there && app.views.get(Screen::Pods).unwrap().total() == there.len()
        })
        .await;
}

#[tokio::test]
async fn thousands_of_pods_that_come_and_go_leave_no_ghost_row() {
    let mut hollow = Hollow::start(1);
    let mut board = Board::live(&hollow.kubeconfig).await;
    board.press("3");
    let api = Api(board.session.client());
    board.during(create(&api, 0..MANY)).await;
    must_show_what_is_there(&mut board, &api).await;

    // The same names again, as other pods.
    board.during(async { api.delete(PODS, &Value::Null).await }).await;
    board.during(create(&api, 0..MANY)).await;
    must_show_what_is_there(&mut board, &api).await;

    // Streams that break while it happens.
    let flood = async {
        create(&api, MANY..MANY + 200).await;
        api.delete(PODS, &json!({ "gracePeriodSeconds": 0 })).await;
    };
    board.during(flood).await;
    hollow.stop();
    board.until_stale().await;
    hollow.start_again();
    board.until_live().await;
    let api = Api(board.session.client());
    board.during(create(&api, 0..200)).await;
    must_show_what_is_there(&mut board, &api).await;
    assert_eq!(board.app.cluster.pods.len(), 200, "what was deleted is gone");
}
