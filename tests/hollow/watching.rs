//! What tests on a real control plane do with a board besides waiting for one thing.

use crate::board::Board;
use sickbay::app::Msg;
use sickbay::app::link::Picture;

impl Board {
    /// Lets in what there is while something else happens.
    pub async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            tokio::select! {
                biased;
                done = &mut other => return done,
                _unsent = self.turn() => self.app.settle(),
            }
        }
    }

    pub fn press(&mut self, key: &str) {
        let now = self.now();
        self.app.update(Msg::Key(key.parse().unwrap()), now);
    }

    pub async fn until_live(&mut self) {
        self.until("a live picture", |app| app.picture() == Picture::Live).await;
    }

    pub async fn until_stale(&mut self) {
        self.until("a stale picture", |app| matches!(app.picture(), Picture::Stale { .. })).await;
    }
}
