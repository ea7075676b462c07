//! The demo's world.

use jiff::Timestamp;

use super::store::Store;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
}

impl World {
    pub(crate) fn empty() -> Self {
        Self { store: Store::new() }
    }
    pub(crate) fn advance(&mut self, _to: Timestamp) -> Option<Timestamp> {
        None
    }
}
