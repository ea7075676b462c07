//! The API server goes away, or hangs, and comes back: the board says so, keeps its rows, and goes on.

use crate::board::Board;
use crate::cluster::Hollow;
use rustix::process::{Signal, kill_process};

#[tokio::test]
async fn without_an_api_server_the_picture_is_stale_and_keeps_its_rows() {
    let hollow = Hollow::start(2);
    let mut board = Board::live(&hollow.kubeconfig).await;
    let hold = hollow.file("kube-apiserver.hold");
    std::fs::write(&hold, "").unwrap();
    kill_process(hollow.process("kube-apiserver"), Signal::KILL).unwrap();
    board.until_stale().await;
    assert_eq!(board.app.cluster.nodes.len(), 2);
    std::fs::remove_file(&hold).unwrap();
    board.until_live().await;
    assert_eq!(board.app.cluster.nodes.len(), 2);

    let server = hollow.process("kube-apiserver");
    kill_process(server, Signal::STOP).unwrap();
    board.until_stale().await;
    assert_eq!(board.app.cluster.nodes.len(), 2);
    kill_process(server, Signal::CONT).unwrap();
    board.until_live().await;
}
