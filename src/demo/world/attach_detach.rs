//! The attach-detach controller: wants volumes where pods need them, and off the nodes where nobody does.
//!
//! It works through `VolumeAttachment` objects and leaves the driver's part to the external attacher. A volume that
//! a node may still have mounted is let go of only when the node says so, after six minutes on a node that is not
//! ready, or at once where the node is tainted out-of-service: that taint is believed even of a node that is ready.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::store::Key;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::is_terminated;
use super::pod_gc::OUT_OF_SERVICE;
use super::volume::{Attachable, attachable_of_pod};
use super::{Controller, Stage, sooner};

/// `maxWaitForUnmount`: six minutes.
const MOST_WAIT: i64 = 360;

const COMPONENT: &str = "attachdetach-controller";

#[derive(Clone, Default)]
pub(super) struct AttachDetach {
    /// Since when nobody wants a volume on a node, by the attachment's name.
    unwanted: BTreeMap<String, Timestamp>,
    /// The attachments that could not be made and whose pods have been told: once each.
    told: BTreeSet<String>,
    /// The attachments known to have succeeded.
    attached: BTreeSet<String>,
    /// The attachments whose node said, when it was last there, that it has the volume mounted.
    mounted: BTreeSet<String>,
}

/// A volume that pods on a node need.
struct Want {
    node: String,
    volume: Attachable,
    pods: Vec<Arc<Value>>,
}

impl Controller for AttachDetach {
    fn watches(&self) -> &'static [Resource] {
        &[
            Resource::Pods,
            Resource::Nodes,
            Resource::VolumeAttachments,
            Resource::PersistentVolumes,
            Resource::PersistentVolumeClaims,
            Resource::CsiDrivers,
        ]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let wants = wants(stage);
        self.look_at_mounts(stage);
        let mut due = None;
        for attachment in stage.all(Resource::VolumeAttachments) {
            let name = object::name(&attachment);
            if wants.contains_key(name) || object::is_deleting(&attachment) {
                self.unwanted.remove(name);
            } else {
                due = sooner(due, self.let_go(stage, &attachment));
            }
        }
        for (name, want) in &wants {
            match stage.get(Resource::VolumeAttachments, "", name) {
                Some(attachment) => self.notice(stage, &attachment, want),
                None => self.attach(stage, name, want),
            }
        }
        self.mounted.retain(|name| stage.get(Resource::VolumeAttachments, "", name).is_some());
        self.attached.retain(|name| stage.get(Resource::VolumeAttachments, "", name).is_some());
        self.told.retain(|name| wants.contains_key(name));
        due
    }
}

impl AttachDetach {
    /// Takes what nodes say of their mounts. One that is gone says nothing, and what it said last stands.
    fn look_at_mounts(&mut self, stage: &Stage<'_>) {
        for attachment in stage.store.list(Resource::VolumeAttachments) {
            let node = stage.get(Resource::Nodes, "", object::text(attachment, "/spec/nodeName"));
            let volume_name = object::text(attachment, "/spec/source/persistentVolumeName");
            let volume = stage.get(Resource::PersistentVolumes, "", volume_name);
            let volume = volume.and_then(|volume| Attachable::of(stage.store, &volume));
            if let (Some(node), Some(volume)) = (node, volume) {
                let unique_name = volume.unique_name();
                let name = object::name(attachment).to_owned();
                if object::items(&node, "/status/volumesInUse").iter().any(|used| *used == unique_name) {
                    self.mounted.insert(name);
                } else {
                    self.mounted.remove(&name);
                }
            }
        }
    }

    fn attach(&mut self, stage: &mut Stage<'_>, name: &str, want: &Want) {
        let volume = &want.volume;
        let holders: Vec<String> = stage
            .store
            .list(Resource::VolumeAttachments)
            .filter(|other| other["spec"]["source"]["persistentVolumeName"] == volume.volume)
            .map(|other| object::text(other, "/spec/nodeName").to_owned())
            .collect();
        if !holders.is_empty() && !volume.is_shared {
            if self.told.insert(name.to_owned()) {
                refuse(stage, want, &holders);
            }
            return;
        }
        self.told.remove(name);
        stage.put(
            Resource::VolumeAttachments,
            json!({
                "metadata": { "name": name },
                "spec": {
                    "attacher": volume.driver,
                    "nodeName": want.node,
                    "source": { "persistentVolumeName": volume.volume },
                },
                "status": { "attached": false },
            }),
        );
    }

    /// Tells node and pods of an attachment that has succeeded.
    fn notice(&mut self, stage: &mut Stage<'_>, attachment: &Value, want: &Want) {
        if attachment["status"]["attached"] != true
            || !self.attached.insert(object::name(attachment).to_owned())
        {
            return;
        }
        let unique_name = want.volume.unique_name();
        stage.change(Resource::Nodes, &Key::new("", &want.node), |node| {
            let mut volumes = object::items(node, "/status/volumesAttached").to_vec();
            if !volumes.iter().any(|known| known["name"] == unique_name) {
                volumes.push(json!({ "name": unique_name, "devicePath": "" }));
            }
            node["status"]["volumesAttached"] = json!(volumes);
        });
        // The space at the end is the controller's.
        let message = format!("AttachVolume.Attach succeeded for volume \"{}\" ", want.volume.volume);
        for pod in &want.pods {
            stage.say(pod, &Note::normal(COMPONENT, "SuccessfulAttachVolume", &message));
        }
    }

    /// Detaches a volume that nobody wants, as soon as that may be; gives when to look again.
    fn let_go(&mut self, stage: &mut Stage<'_>, attachment: &Value) -> Option<Timestamp> {
        let name = object::name(attachment);
        let since = *self.unwanted.entry(name.to_owned()).or_insert(stage.now);
        let node_name = object::text(attachment, "/spec/nodeName");
        let volume_name = object::text(attachment, "/spec/source/persistentVolumeName");
        let volume = stage.get(Resource::PersistentVolumes, "", volume_name)?;
        let unique_name = Attachable::of(stage.store, &volume)?.unique_name();
        let node = stage.get(Resource::Nodes, "", node_name);
        let is_in_use = self.mounted.contains(name);
        let is_out = node.as_deref().is_some_and(|node| {
            object::items(node, "/spec/taints").iter().any(|taint| taint["key"] == OUT_OF_SERVICE)
        });
        let is_healthy = node.as_deref().is_some_and(|node| object::condition_is(node, "Ready", "True"));
        let patience_ends = since + stage.timers.seconds(MOST_WAIT);
        // Out of service is believed at once, and of a node that lives too.
        if is_in_use && !is_out && patience_ends > stage.now {
            return Some(patience_ends);
        }
        if is_in_use && !is_out && is_healthy {
            return None;
        }
        stage.change(Resource::Nodes, &Key::new("", node_name), |node| {
            let mut volumes = object::items(node, "/status/volumesAttached").to_vec();
            volumes.retain(|known| known["name"] != unique_name);
            object::merge(&mut node["status"], &json!({ "volumesAttached": null }));
            if !volumes.is_empty() {
                node["status"]["volumesAttached"] = json!(volumes);
            }
        });
        self.unwanted.remove(name);
        deletion::delete(stage.store, Resource::VolumeAttachments, &object::key(attachment), None, stage.now);
        None
    }
}

/// What pods need where, by the name of the attachment it takes.
fn wants(stage: &Stage<'_>) -> BTreeMap<String, Want> {
    let mut wants = BTreeMap::new();
    for pod in stage.all(Resource::Pods) {
        let node = object::text(&pod, "/spec/nodeName");
        if node.is_empty() || is_terminated(&pod) {
            continue;
        }
        for volume in attachable_of_pod(stage.store, &pod) {
            wants
                .entry(volume.attachment(node))
                .or_insert_with(|| Want { node: node.to_owned(), volume, pods: Vec::new() })
                .pods
                .push(Arc::clone(&pod));
        }
    }
    wants
}

fn refuse(stage: &mut Stage<'_>, want: &Want, holders: &[String]) {
    let volume = &want.volume.volume;
    let others: Vec<Arc<Value>> = holders
        .iter()
        .flat_map(|node| stage.pods_on(node))
        .filter(|pod| attachable_of_pod(stage.store, pod).iter().any(|other| other.volume == *volume))
        .collect();
    for pod in &want.pods {
        let namespace = object::namespace(pod);
        let mut near: Vec<&str> = others
            .iter()
            .filter(|other| object::namespace(other) == namespace)
            .map(|other| object::name(other))
            .collect();
        near.sort_unstable();
        let far = others.len() - near.len();
        let why = match (near.is_empty(), far) {
            (true, 0) => {
                "Volume is already exclusively attached to one node and can't be attached to another"
                    .to_owned()
            }
            (true, far) => format!("Volume is already used by {far} pod(s) in different namespaces"),
            (false, 0) => format!("Volume is already used by pod(s) {}", near.join(", ")),
            (false, far) => format!(
                "Volume is already used by pod(s) {} and {far} pod(s) in different namespaces",
                near.join(", ")
            ),
        };
        let message = format!("Multi-Attach error for volume \"{volume}\" {why}");
        stage.say(pod, &Note::warning(COMPONENT, "FailedAttachVolume", &message));
    }
}
