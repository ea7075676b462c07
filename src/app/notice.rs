//! What the program had to say: the newest on the last line for a while, all of it one key away.

use crate::cluster::Text;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// How many are kept.
const MOST: usize = 200;
/// How long one stays on the last line.
const SHOWN: SignedDuration = SignedDuration::from_secs(8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Hint,
    Warning,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub at: Timestamp,
    pub weight: Weight,
    pub text: Text,
    /// How often in a row it was said.
    pub times: u32,
}

#[derive(Debug, Default)]
pub struct Notices {
    all: VecDeque<Notice>,
}

impl Notices {
    pub fn say(&mut self, weight: Weight, text: impl Into<Text>, at: Timestamp) {
        let text = text.into();
        if let Some(last) = self.all.back_mut().filter(|last| last.text == text) {
            last.at = at;
            last.times = last.times.saturating_add(1);
            return;
        }
        if self.all.len() == MOST {
            self.all.pop_front();
        }
        self.all.push_back(Notice { at, weight, text, times: 1 });
    }

    /// The one for the last line.
    pub fn current(&self, now: Timestamp) -> Option<&Notice> {
        self.all.back().filter(|last| now.duration_since(last.at) < SHOWN)
    }

    /// Newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.all.iter().rev()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
