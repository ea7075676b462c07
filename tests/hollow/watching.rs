//! What tests on a real control plane do with a board besides waiting for one thing.

use crate::board::Board;
use sickbay::app::acting::{Asked, Told};
use sickbay::app::link::Picture;
use sickbay::app::{Effect, Msg};
use sickbay::cluster::Trial;
use sickbay::k8s::execute::try_update;

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
        self.press_for(key);
    }

    /// The same, for what is to be carried out then.
    pub fn press_for(&mut self, key: &str) -> Vec<Effect> {
        let now = self.now();
        self.app.update(Msg::Key(key.parse().unwrap()), now)
    }

    /// Asks the server what the board wants to know of objects that cannot be updated.
    pub async fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Acting(asked) = effect else { panic!("{effect:?}") };
            let Asked::Trial { object, version } = *asked else { panic!("{asked:?}") };
            let said = try_update(&self.session, &object).await;
            let now = self.now();
            self.app.update(Told::Trial(Trial { object, version, said }).into(), now);
        }
    }

    pub async fn until_live(&mut self) {
        self.until("a live picture", |app| app.picture() == Picture::Live).await;
    }

    pub async fn until_stale(&mut self) {
        self.until("a stale picture", |app| matches!(app.picture(), Picture::Stale { .. })).await;
    }
}
