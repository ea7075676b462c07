//! The driver's side of attaching: does what attachments ask, and holds them by its finalizer until it is undone.
//!
//! It asks nobody whether the volume is still mounted, as the real one does not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::Key;
use super::{Controller, Stage, sooner};

/// What the storage takes to attach, and to detach, in milliseconds.
const ATTACHING: i64 = 1_700;
const DETACHING: i64 = 2_200;
/// Between attempts that fail, in seconds; doubled each time.
const FIRST_BACK_OFF: i64 = 1;
const MOST_BACK_OFF: i64 = 300;

#[derive(Clone, Default)]
pub(super) struct ExternalAttacher {
    /// When the storage will have done what an attachment asks: by uid, and whether that is to detach.
    pending: BTreeMap<(String, bool), Timestamp>,
    /// How often detaching has failed, by uid.
    failures: BTreeMap<String, u32>,
}

impl Controller for ExternalAttacher {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::VolumeAttachments]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for attachment in stage.all(Resource::VolumeAttachments) {
            let is_leaving = object::is_deleting(&attachment);
            let is_held = !object::items(&attachment, "/metadata/finalizers").is_empty();
            if (!is_leaving && attachment["status"]["attached"] == true) || (is_leaving && !is_held) {
                continue;
            }
            if !is_leaving {
                hold(stage, &attachment);
            }
            let duration = stage.timers.millis(if is_leaving { DETACHING } else { ATTACHING });
            let work = (object::uid(&attachment).to_owned(), is_leaving);
            let done_at = *self.pending.entry(work.clone()).or_insert(stage.now + duration);
            if done_at > stage.now {
                due = sooner(due, Some(done_at));
                continue;
            }
            self.pending.remove(&work);
            let refusal = stage.machines.detach_refusal(object::text(&attachment, "/spec/nodeName"));
            if let Some(refusal) = refusal.filter(|_| is_leaving) {
                let error = json!({ "message": refusal, "time": object::time(stage.now) });
                stage.change(Resource::VolumeAttachments, &object::key(&attachment), |attachment| {
                    attachment["status"]["detachError"] = error;
                });
                let failures = self.failures.entry(object::uid(&attachment).to_owned()).or_default();
                let pause = MOST_BACK_OFF.min(FIRST_BACK_OFF << (*failures).min(16));
                *failures += 1;
                let again = stage.now + stage.timers.seconds(pause);
                self.pending.insert(work, again);
                due = sooner(due, Some(again));
                continue;
            }
            let key = object::key(&attachment);
            if is_leaving {
                self.failures.remove(object::uid(&attachment));
                let finalizer = finalizer(object::text(&attachment, "/spec/attacher"));
                let mut others = object::items(&attachment, "/metadata/finalizers").to_vec();
                others.retain(|known| *known != finalizer);
                let patch = json!({ "metadata": { "finalizers": others }, "status": { "attached": false } });
                stage.change(Resource::VolumeAttachments, &key, |attachment| {
                    object::merge(attachment, &patch);
                });
                release(stage, &attachment);
            } else {
                stage.change(Resource::VolumeAttachments, &key, |attachment| {
                    attachment["status"]["attached"] = json!(true);
                });
            }
        }
        due
    }
}

/// Only letters, digits and dashes, and no dash at the end.
fn finalizer(driver: &str) -> String {
    let plain: String =
        driver.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let end = if plain.ends_with('-') { "X" } else { "" };
    format!("external-attacher/{plain}{end}")
}

/// Puts the finalizer on the attachment and its volume.
fn hold(stage: &mut Stage<'_>, attachment: &Value) {
    let finalizer = finalizer(object::text(attachment, "/spec/attacher"));
    let node = object::text(attachment, "/spec/nodeName").to_owned();
    stage.change(Resource::VolumeAttachments, &object::key(attachment), |attachment| {
        attachment["metadata"]["finalizers"] = json!([finalizer]);
        attachment["metadata"]["annotations"] = json!({ "csi.alpha.kubernetes.io/node-id": node });
    });
    stage.change(Resource::PersistentVolumes, &volume_key(attachment), |volume| {
        let mut finalizers = object::items(volume, "/metadata/finalizers").to_vec();
        if !finalizers.contains(&json!(finalizer)) {
            finalizers.push(json!(finalizer));
            volume["metadata"]["finalizers"] = json!(finalizers);
        }
    });
}

/// Takes the finalizer off the volume when nothing refers to it any more.
fn release(stage: &mut Stage<'_>, attachment: &Value) {
    let source = &attachment["spec"]["source"];
    if stage.store.list(Resource::VolumeAttachments).any(|other| other["spec"]["source"] == *source) {
        return;
    }
    let finalizer = finalizer(object::text(attachment, "/spec/attacher"));
    stage.change(Resource::PersistentVolumes, &volume_key(attachment), |volume| {
        let mut finalizers = object::items(volume, "/metadata/finalizers").to_vec();
        finalizers.retain(|known| *known != finalizer);
        volume["metadata"]["finalizers"] = json!(finalizers);
    });
}

fn volume_key(attachment: &Value) -> Key {
    Key::new("", object::text(attachment, "/spec/source/persistentVolumeName"))
}
