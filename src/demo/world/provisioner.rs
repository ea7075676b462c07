//! Binding claims: to a volume that waits for them, or to a new one made by their class's driver.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::{Controller, Stage};

#[derive(Clone)]
pub(super) struct Provisioner;

impl Controller for Provisioner {
    fn watches(&self) -> &'static [Resource] {
        &[
            Resource::PersistentVolumes,
            Resource::PersistentVolumeClaims,
            Resource::StorageClasses,
            Resource::CsiDrivers,
        ]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for claim in stage.all(Resource::PersistentVolumeClaims) {
            if !object::text(&claim, "/spec/volumeName").is_empty() {
                continue;
            }
            if claim["spec"]["storageClassName"].is_null() {
                give_class(stage, &claim);
                continue;
            }
            let Some(class) =
                stage.get(Resource::StorageClasses, "", object::text(&claim, "/spec/storageClassName"))
            else {
                continue;
            };
            let waiting = stage.store.list(Resource::PersistentVolumes).find(|volume| {
                volume["status"]["phase"] == "Available"
                    && volume["spec"]["storageClassName"] == claim["spec"]["storageClassName"]
            });
            let volume = match waiting.cloned() {
                Some(volume) => Some(volume),
                None => provision(stage, &claim, &class),
            };
            if let Some(volume) = volume {
                bind(stage, &claim, &volume, object::text(&class, "/provisioner"));
            }
        }
        None
    }
}

/// Who names no class gets the default one, if there is one.
fn give_class(stage: &mut Stage<'_>, claim: &Value) {
    let is_default = |class: &&Arc<Value>| {
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    };
    let class = stage.store.list(Resource::StorageClasses).find(is_default);
    if let Some(name) = class.map(|class| object::name(class).to_owned()) {
        stage.change(Resource::PersistentVolumeClaims, &object::key(claim), |claim| {
            claim["spec"]["storageClassName"] = json!(name);
        });
    }
}

fn provision(stage: &mut Stage<'_>, claim: &Value, class: &Value) -> Option<Arc<Value>> {
    let driver = object::text(class, "/provisioner");
    stage.get(Resource::CsiDrivers, "", driver)?;
    let name = format!("pvc-{}", object::uid(claim));
    let handle = if driver.starts_with("files") {
        format!("files-01.demo.example#exports/{}#{name}", object::namespace(claim))
    } else {
        format!("vol-{:.17}", object::uid(claim).replace('-', ""))
    };
    // A class that is tied to a zone ties its volumes to it.
    let zone = object::text(class, "/parameters/zone");
    let affinity = (!zone.is_empty()).then(|| {
        let expression = json!({ "key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone] });
        json!({ "required": { "nodeSelectorTerms": [{ "matchExpressions": [expression] }] } })
    });
    let mut volume = json!({
        "metadata": {
            "name": name,
            "annotations": { "pv.kubernetes.io/provisioned-by": driver },
            "finalizers": ["kubernetes.io/pv-protection"],
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": claim["spec"]["resources"]["requests"],
            "csi": {
                "driver": driver,
                "volumeHandle": handle,
                "fsType": "ext4",
                "volumeAttributes": { "storage.kubernetes.io/csiProvisionerIdentity": format!("provisioner-{driver}") },
            },
            "persistentVolumeReclaimPolicy": class["reclaimPolicy"],
            "storageClassName": object::name(class),
            "volumeMode": "Filesystem",
        },
        "status": { "phase": "Available" },
    });
    if let Some(affinity) = affinity {
        volume["spec"]["nodeAffinity"] = affinity;
    }
    Some(stage.put(Resource::PersistentVolumes, volume))
}

fn bind(stage: &mut Stage<'_>, claim: &Value, volume: &Value, provisioner: &str) {
    let now = object::time(stage.now);
    stage.change(Resource::PersistentVolumes, &object::key(volume), |volume| {
        volume["spec"]["claimRef"] = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": object::namespace(claim),
            "name": object::name(claim),
            "uid": object::uid(claim),
            "resourceVersion": claim["metadata"]["resourceVersion"],
        });
        volume["status"] = json!({ "phase": "Bound", "lastPhaseTransitionTime": now });
    });
    stage.change(Resource::PersistentVolumeClaims, &object::key(claim), |claim| {
        claim["metadata"]["annotations"] = json!({
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
            "volume.kubernetes.io/storage-provisioner": provisioner,
        });
        claim["spec"]["volumeName"] = json!(object::name(volume));
        claim["spec"]["volumeMode"] = json!("Filesystem");
        claim["status"] = json!({
            "phase": "Bound",
            "accessModes": volume["spec"]["accessModes"],
            "capacity": volume["spec"]["capacity"],
        });
    });
}
