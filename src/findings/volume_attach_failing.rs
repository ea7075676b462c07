//! The rule `volume-attach-failing`: the driver refuses to attach, in its own words.

use super::{Evidence, Finding, Found, RuleId, Severity, View, attachment_of_no_volume::about, words};
use crate::cluster::Row;

pub const PROSE: &str = "The driver cannot attach a volume to a node that is Ready, and says why in the attachment's \
    status; it tries again, waiting up to five minutes between. The pods there wait. Attachments to nodes that are \
    silent or gone are another rule's.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let failing =
        view.cluster.odd_attachments().filter(|object| !object.is_attached && !object.meta.is_deleting());
    for object in failing.filter(|object| view.cluster.is_node_ready(&object.node)) {
        let Some(error) = &object.attach_error else { continue };
        let about = about(view, object);
        found.add(Finding {
            held_up: about.waiting,
            sentence: format!(
                "{} cannot be attached to {}: {}.",
                about.title,
                object.node,
                words::quote(&error.message)
            ),
            since: object.meta.created,
            evidence: vec![
                Evidence::at(format!("{} failed last", object.attacher), error.at),
                Evidence::at(format!("attachment {} was created", object.meta.name), object.meta.created),
            ],
            next: format!(
                "Look at the controller of {} and at what its backend says of the volume.",
                object.attacher
            ),
            about: vec![about.subject],
            ..Finding::new(RuleId::VolumeAttachFailing, Severity::Warning, object.object())
        });
    }
}
