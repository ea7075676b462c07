//! Whether what is open and does not go can still be updated: asked when somebody looks at it, and again after a while
//! as long as it is looked at.
//!
//! It deliberately asks of nothing that is not open, nothing that may still go by itself, and nothing in a read-only
//! session.

use super::acting::Asked;
use super::columns::RowId;
use super::link::Link;
use super::{App, Effect};
use crate::cluster::{AttachedBy, Cluster, Meta, ObjectRef, Row as _, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A question is not asked again sooner, even of a later version.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// An answer that is looked at is asked for anew after this.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// What was asked, by uid.
#[derive(Debug, Default)]
pub(super) struct Trying {
    /// What is open, as of the last look.
    open: Option<RowId>,
    asked: BTreeMap<Text, (Text, Timestamp)>,
}

impl App {
    /// Asks about what is open, where that is due.
    pub(super) fn try_updates(&mut self) -> Vec<Effect> {
        let open = self.open().map(|open| &open.target);
        if open != self.trying.open.as_ref() {
            self.trying.open = open.cloned();
            let now = self.now;
            self.trying.asked.retain(|_, (_, at)| now.duration_since(*at) < PAUSE);
        }
        if self.session.is_read_only || self.link != Link::Up {
            return Vec::new();
        }
        let Some(open) = &self.trying.open else { return Vec::new() };
        let mut effects = Vec::new();
        for object in shown(open, &self.cluster) {
            let Some(meta) = self.cluster.meta(&object).filter(|meta| self.is_stuck(meta)) else { continue };
            let version = meta.resource_version.clone();
            if let Some((known, at)) = self.trying.asked.get(&object.uid) {
                let wait = if *known == version { AGAIN } else { PAUSE };
                if self.now.duration_since(*at) < wait {
                    continue;
                }
            }
            self.trying.asked.insert(object.uid.clone(), (version.clone(), self.now));
            effects.push(Asked::Trial { object, version }.into());
        }
        effects
    }

    /// Whether it should be gone by now.
    pub fn is_stuck(&self, meta: &Meta) -> bool {
        meta.overdue(self.now).is_some_and(|late| late >= self.timers.deletion_slack)
    }
}

/// The objects that one row stands for.
fn shown(row: &RowId, cluster: &Cluster) -> Vec<ObjectRef> {
    match row {
        RowId::Object(object) => vec![object.clone()],
        RowId::Case(subject) => subject.object().cloned().into_iter().collect(),
        RowId::Volume(id) => {
            let Some(join) = cluster.volume(id) else { return Vec::new() };
            let volume = join.volume.map(crate::cluster::Row::object);
            let claim = join.claim.map(crate::cluster::Row::object);
            let attachments = join.attached.iter().filter_map(|attached| match attached.by {
                AttachedBy::Object(object) => Some(object.object()),
                AttachedBy::Status { .. } => None,
            });
            volume.into_iter().chain(claim).chain(attachments).collect()
        }
    }
}
