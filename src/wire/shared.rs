//! What the rows of one kind share: strings, label sets and tolerations, each kept once.

use super::scalar::{Pair, lossy};
use crate::cluster::{Interner, Labels, Text, Toleration};
use std::collections::HashSet;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Shared {
    interner: Interner,
    tolerations: HashSet<Arc<[Toleration]>>,
    swept_at: usize,
}

impl Shared {
    const SMALLEST_SWEEP: usize = 256;

    pub fn text(&mut self, raw: &str) -> Text {
        self.interner.text(raw)
    }

    /// A reason, an image: few different ones, that need not be UTF-8.
    pub fn free(&mut self, raw: &[u8]) -> Text {
        self.interner.text(&lossy(raw))
    }

    pub fn labels(&mut self, pairs: &[Pair]) -> Labels {
        self.interner.labels(pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_str())))
    }

    pub fn tolerations(&mut self, tolerations: Vec<Toleration>) -> Arc<[Toleration]> {
        if let Some(known) = self.tolerations.get(tolerations.as_slice()) {
            return known.clone();
        }
        if self.tolerations.len() >= self.swept_at.max(Self::SMALLEST_SWEEP) {
            self.tolerations.retain(|tolerations| Arc::strong_count(tolerations) > 1);
            self.swept_at = 2 * self.tolerations.len();
        }
        let tolerations: Arc<[Toleration]> = tolerations.into();
        self.tolerations.insert(tolerations.clone());
        tolerations
    }
}

/// Text of which each row has its own.
pub fn own(raw: &[u8]) -> Text {
    Text::new(&lossy(raw))
}
