//! The API server goes away and comes back: the board says so, keeps its rows, and goes on.
//!
//! One that hangs is left to `tests/watch.rs`: while it does, the controllers lose their leader leases and end, and the
//! hollow cluster did not always come back from that.

use crate::board::Board;
use crate::cluster::Hollow;

#[tokio::test]
async fn without_an_api_server_the_picture_is_stale_and_keeps_its_rows() {
    let mut hollow = Hollow::start(2);
    let mut board = Board::live(&hollow.kubeconfig).await;
    hollow.stop();
    board.until_stale().await;
    assert_eq!(board.app.cluster.nodes.len(), 2);
    hollow.start_again();
    board.until_live().await;
    assert_eq!(board.app.cluster.nodes.len(), 2);
}
