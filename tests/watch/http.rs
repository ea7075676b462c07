//! The streams and the demo's server, over HTTP and real connections: what is drawn must be what is stored, whatever
//! happened on the way.

use super::board::Board;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;
use sickbay::cluster::{Feed, Kind, Sync};
use sickbay::demo::{Demo, Resource, Scope};
use sickbay::k8s::connect::{Session, connect};
use sickbay::k8s::kubeconfig::{Env, Flags};
use sickbay::k8s::watch::Limits;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything here takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nothing waits for longer than a moment.
fn impatient() -> Limits {
    let moment = Duration::from_millis(20);
    Limits {
        settled: moment,
        at_once: moment,
        backoff: (moment, 5 * moment),
        beat: (5 * moment, moment),
        answer: Duration::from_millis(500),
        leases: (moment, moment),
        ..Limits::default()
    }
}

async fn session(demo: &Demo, namespace: Option<&str>) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig: PathBuf = folder.path().join("config");
    std::fs::write(&kubeconfig, demo.kubeconfig()).unwrap();
    let namespace = namespace.map(str::to_owned);
    let flags = Flags { kubeconfig: Some(kubeconfig), namespace, ..Flags::default() };
    connect(&flags, &Env::default()).await.unwrap()
}

async fn board(demo: &Demo) -> Board {
    let session = session(demo, None).await;
    let scope = session.scope.clone();
    Board::with_patience(Arc::new(session), &scope, impatient(), PATIENCE)
}

fn put_pod(demo: &Demo, name: &str) {
    let pod = json!({
        "metadata": { "namespace": "shop", "name": name },
        "spec": { "nodeName": "worker-1", "containers": [{ "name": "web", "image": "registry.example/web:1" }] },
        "status": { "phase": "Running" },
    });
    demo.put(Resource::Pods, pod);
}

/// Names and uids.
type Identities = BTreeMap<String, String>;

fn stored(demo: &Demo) -> Identities {
    let identity = |pod: &serde_json::Value| {
        let text = |key: &str| pod["metadata"][key].as_str().unwrap().to_owned();
        (text("name"), text("uid"))
    };
    demo.list(Resource::Pods).iter().map(identity).collect()
}

fn shown(board: &Board) -> Identities {
    let pods = board.cluster.pods.values();
    pods.map(|pod| (pod.meta.name.name.to_string(), pod.meta.uid.to_string())).collect()
}

#[tokio::test]
async fn thousands_of_objects_deleted_and_created_anew_leave_no_ghost_rows() {
    let demo = Demo::empty().await.unwrap();
    let faults = demo.faults();
    let name = |number: usize| format!("web-{number:04}");
    (0..1_000).for_each(|number| put_pod(&demo, &name(number)));
    // Far less than what happens while a watch is away: it will be too old.
    faults.set_window(200);
    let mut board = board(&demo).await;
    board.until("the list", |board| board.is_live(Kind::Pod)).await;
    assert_eq!(shown(&board), stored(&demo));

    for round in 0..4 {
        for number in (0..1_000).filter(|number| number % 7 >= round) {
            demo.remove(Resource::Pods, "shop", &name(number));
            if number % 5 != round {
                put_pod(&demo, &name(number));
            }
            match number % 400 {
                100 => faults.end_watches(),
                200 => faults.drop_connections(),
                300 => faults.compact(Resource::Pods),
                // So that the streams come to act between two changes.
                rest if rest % 10 == 0 => tokio::task::yield_now().await,
                _ => {}
            }
        }
    }
    let all = stored(&demo);
    board.until("what is stored", |board| shown(board) == all && board.is_live(Kind::Pod)).await;
    put_pod(&demo, "afterwards");
    board.until("what happens afterwards", |board| shown(board).contains_key("afterwards")).await;
    assert_eq!(shown(&board), stored(&demo));
}

#[tokio::test]
async fn a_port_that_refuses_is_told_and_what_happened_meanwhile_is_made_good() {
    let demo = Demo::empty().await.unwrap();
    let faults = demo.faults();
    put_pod(&demo, "before");
    put_pod(&demo, "goes-meanwhile");
    let mut board = board(&demo).await;
    board.until("the list", |board| board.is_live(Kind::Pod) && board.is_link_up()).await;
    faults.refuse_connections().await;
    faults.drop_connections();
    let is_refused = |board: &Board| match board.sync(Kind::Pod) {
        Sync::Down { reason, .. } => reason == "connection refused",
        Sync::Waiting
        | Sync::Listing { .. }
        | Sync::Live { .. }
        | Sync::Forbidden { .. }
        | Sync::Absent { .. } => false,
    };
    board.until("down", |board| board.is_link_down() && is_refused(board)).await;
    assert_eq!(board.cluster.pods.len(), 2, "the old rows stay");
    put_pod(&demo, "meanwhile");
    demo.remove(Resource::Pods, "shop", "goes-meanwhile");
    faults.accept_connections().await;
    board.until("up", |board| board.is_link_up() && board.is_live(Kind::Pod)).await;
    board.until("what is stored", |board| shown(board) == stored(&demo)).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_down_until_it_answers() {
    let demo = Demo::empty().await.unwrap();
    let faults = demo.faults();
    let mut board = board(&demo).await;
    board.until("the pulse", Board::is_link_up).await;
    faults.hang();
    board.until("down", Board::is_link_down).await;
    faults.release();
    board.until("up", Board::is_link_up).await;
}

#[tokio::test]
async fn a_cluster_restored_from_an_older_backup_is_listed_anew() {
    let demo = Demo::empty().await.unwrap();
    let faults = demo.faults();
    (0..20).for_each(|number| put_pod(&demo, &format!("web-{number}")));
    let mut board = board(&demo).await;
    board.until("the list", |board| board.is_live(Kind::Pod)).await;
    // No watch tells of it: the backup is older.
    faults.silence();
    demo.remove(Resource::Pods, "shop", "web-7");
    faults.restore_at(2);
    faults.speak();
    board.until("what is stored", |board| shown(board) == stored(&demo)).await;
    put_pod(&demo, "afterwards");
    board.until("what happens afterwards", |board| shown(board) == stored(&demo)).await;
}

#[tokio::test]
async fn pages_over_http_join_to_all_there_is() {
    let demo = Demo::empty().await.unwrap();
    demo.faults().set_watch_list(false);
    (0..1_234).for_each(|number| put_pod(&demo, &format!("web-{number}")));
    let mut board = board(&demo).await;
    board.until("the list", |board| board.is_live(Kind::Pod)).await;
    assert_eq!(shown(&board), stored(&demo));
}

#[tokio::test]
async fn one_namespace_is_watched_alone_and_what_is_forbidden_shrinks_the_board() {
    let demo = Demo::empty().await.unwrap();
    demo.faults().deny("list", Resource::Nodes, Scope::Everywhere);
    demo.faults().deny("watch", Resource::Nodes, Scope::Everywhere);
    put_pod(&demo, "ours");
    let other = json!({ "metadata": { "namespace": "other", "name": "theirs" }, "spec": {}, "status": {} });
    demo.put(Resource::Pods, other);
    let session = session(&demo, Some("shop")).await;
    let scope = session.scope.clone();
    let mut board = Board::with_patience(Arc::new(session), &scope, impatient(), PATIENCE);
    board
        .until("all streams", |board| Kind::ALL.iter().all(|kind| board.is_settled(Feed::Watch(*kind))))
        .await;
    assert_eq!(shown(&board).into_keys().collect::<Vec<_>>(), ["ours"]);
    assert!(matches!(board.sync(Kind::Node), Sync::Forbidden { .. }), "{:?}", board.sync(Kind::Node));
    assert!(board.is_live(Kind::PersistentVolume));
}

#[tokio::test]
async fn a_balancer_before_a_dead_server_is_told_as_it_is() {
    let demo = Demo::empty().await.unwrap();
    let session = session(&demo, None).await;
    let scope = session.scope.clone();
    demo.faults().fail_with_body("/", usize::MAX, StatusCode::BAD_GATEWAY, "<html>Bad Gateway</html>");
    let mut board = Board::with_patience(Arc::new(session), &scope, impatient(), PATIENCE);
    board.until("down", |board| board.is_link_down() && board.was_down(Kind::Pod)).await;
}

#[tokio::test]
async fn the_servers_time_is_told_when_it_is_known() {
    let demo = Demo::empty().await.unwrap();
    demo.faults().set_clock_offset(SignedDuration::from_hours(1));
    let mut board = board(&demo).await;
    board.until("the time", |board| board.server_time.is_some()).await;
    let off = board.server_time.unwrap() - SignedDuration::from_hours(1);
    assert!(off.abs() <= SignedDuration::from_millis(1_500), "{off}");
}
