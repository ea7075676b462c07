//! The rule `volume-detach-stuck`: an attachment that was deleted and is still held.

use super::{Evidence, Finding, Found, RuleId, Severity, View, attachment_of_no_volume::about, words};
use crate::cluster::Row;
use jiff::SignedDuration;

pub const PROSE: &str = "A volume was to be detached from a node that is Ready, and is not: the driver fails, in its own \
    words where it gave any, or nobody takes its finalizer from the attachment. Until then no other node can have \
    the volume. Taking the finalizer away by hand skips the detach: the backend may go on holding the volume, or \
    give it to two.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for object in view.cluster.odd_attachments().filter(|object| view.cluster.is_node_ready(&object.node)) {
        let asked = object.meta.deletion.map(|deletion| deletion.deadline);
        let error = object.detach_error.as_ref();
        if asked.is_none() && error.is_none() {
            continue;
        }
        if error.is_none() && !view.has_lasted(asked, PATIENCE, found) {
            continue;
        }
        let about = about(view, object);
        let why = match error {
            Some(error) => format!("its driver fails: {}", words::quote(&error.message)),
            None if object.meta.finalizers.is_empty() => "it is not gone yet".to_owned(),
            None => format!("it is held by {}", object.meta.finalizers.join(", ")),
        };
        let mut evidence = vec![Evidence::at(
            format!("the deletion of attachment {} was asked for", object.meta.name),
            asked,
        )];
        evidence
            .extend(error.map(|error| Evidence::at(format!("{} failed last", object.attacher), error.at)));
        let is_held_up = !about.waiting.is_empty();
        found.add(Finding {
            held_up: about.waiting,
            sentence: format!("{} is not detached from {}, as was asked for: {why}.", about.title, object.node),
            since: asked,
            evidence,
            next: format!(
                "Look at the controller of {}; do not take its finalizer away: the backend would not be asked.",
                object.attacher
            ),
            about: vec![about.subject],
            ..Finding::new(
                RuleId::VolumeDetachStuck,
                if is_held_up { Severity::Critical } else { Severity::Warning },
                object.object(),
            )
        });
    }
}
