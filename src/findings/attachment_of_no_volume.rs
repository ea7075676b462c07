//! The rule `attachment-of-no-volume`: an attachment whose volume is not there any more.

use super::{Evidence, Finding, Found, RuleId, Severity, View, volume_on_unready_node};
use crate::cluster::{Name, ObjectRef, Row, VolumeAttachment, VolumeId};
use jiff::SignedDuration;

pub const PROSE: &str = "A volume attachment names a persistent volume that does not exist: it was deleted by force, so \
    the driver can neither tell what to detach nor finish. The disk may still be attached in the backend.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// What an attachment is of.
pub struct About {
    /// "The volume of db/data-postgres-0".
    pub title: String,
    pub subject: ObjectRef,
    pub waiting: Vec<ObjectRef>,
}

pub fn about(view: &View<'_>, object: &VolumeAttachment) -> About {
    match view.cluster.volume(&VolumeId::Persistent(object.volume.clone())) {
        Some(join) => About {
            title: volume_on_unready_node::title(&join),
            subject: volume_on_unready_node::subject(&join),
            waiting: join.waiting().map(Row::object).collect(),
        },
        None => About {
            title: volume_on_unready_node::lone_title(object),
            subject: object.object(),
            waiting: Vec::new(),
        },
    }
}

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for object in view.cluster.lone_attachments() {
        let is_there = view.cluster.persistent_volumes.get(&Name::cluster(object.volume.clone())).is_some();
        if is_there
            || !view.cluster.is_node_ready(&object.node)
            || !view.has_lasted(object.meta.created, PATIENCE, found)
        {
            continue;
        }
        found.add(Finding {
            sentence: format!(
                "Attachment {} ties volume {} to {}, and there is no such volume.",
                object.meta.name, object.volume, object.node
            ),
            since: object.meta.created,
            evidence: vec![Evidence::at(format!("{} attached it", object.attacher), object.meta.created)],
            next: format!(
                "Ask the backend of {} what is attached to {}; once it is nothing, the attachment can go.",
                object.attacher, object.node
            ),
            ..Finding::new(RuleId::AttachmentOfNoVolume, Severity::Notice, object.object())
        });
    }
}
