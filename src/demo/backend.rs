//! What the server answers from: the world behind one lock, the faults, and the bell that tells watches of changes.
//!
//! The lock is held for the time of a look or a change and never over a wait.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::faults::Levers;
use super::world::World;

#[derive(Debug)]
pub(crate) struct Backend {
    world: Mutex<World>,
    pub(crate) levers: Levers,
    /// The version of the store, for watches to wait on.
    version: watch::Sender<u64>,
    /// Rung when the world was changed from outside, so that its controllers look.
    changed: Notify,
    pub(crate) token: String,
    /// Whether who shows no token is answered too.
    is_open: bool,
}

impl Backend {
    pub(crate) fn new(world: World, token: &str, is_open: bool) -> Self {
        let version = world.store.version();
        Self {
            world: Mutex::new(world),
            levers: Levers::new(),
            version: watch::Sender::new(version),
            changed: Notify::new(),
            token: token.to_owned(),
            is_open,
        }
    }

    /// Whether a request with this `Authorization` header is let in.
    pub(crate) fn admits(&self, authorization: Option<&str>) -> bool {
        authorization.map_or(self.is_open, |shown| shown.strip_prefix("Bearer ") == Some(&self.token))
    }

    /// Looks at the world or changes it. Watches and controllers learn of a change when it is done.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let (answer, is_changed) = self.locked(act);
        if is_changed {
            self.changed.notify_one();
        }
        answer
    }

    /// Has the controllers look although no object has changed.
    pub(crate) fn ring(&self) {
        self.changed.notify_one();
    }

    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Keeps the world at the time of the wall clock, for ever: sleeps until something is due or was changed.
    pub(crate) async fn live(&self) {
        loop {
            let (due, _) = self.locked(|world| world.advance(Timestamp::now()));
            let nothing_due = async {
                match due {
                    Some(due) => {
                        tokio::time::sleep(due.duration_since(Timestamp::now()).unsigned_abs()).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = nothing_due => {}
                () = self.changed.notified() => {}
            }
        }
    }

    fn locked<T>(&self, act: impl FnOnce(&mut World) -> T) -> (T, bool) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let before = world.store.version();
        let answer = act(&mut world);
        let after = world.store.version();
        drop(world);
        // Versions can also go down: a restored cluster.
        let is_changed = before != after;
        if is_changed {
            self.version.send_replace(after);
        }
        (answer, is_changed)
    }
}
