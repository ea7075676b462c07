//! From a pod to its volumes: claims, what they are bound to, and whether that needs attaching.

use std::sync::Arc;

use serde_json::Value;

use super::super::object;
use super::super::resource::Resource;
use super::super::store::{Key, Store};

/// A volume that a driver must attach to a node before a pod can have it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attachable {
    /// The name of the `PersistentVolume`.
    pub(super) volume: String,
    pub(super) driver: String,
    pub(super) handle: String,
    /// Whether several nodes may have it at once.
    pub(super) is_shared: bool,
}

impl Attachable {
    /// As `node.status` names it.
    pub(super) fn unique_name(&self) -> String {
        format!("kubernetes.io/csi/{}^{}", self.driver, self.handle)
    }

    /// The name of its attachment to a node.
    pub(super) fn attachment(&self, node: &str) -> String {
        let text = format!("{}{}{node}", self.handle, self.driver);
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        format!("csi-{}", object::hex(digest.as_ref()))
    }

    pub(super) fn of(store: &Store, volume: &Value) -> Option<Self> {
        let driver = object::text(volume, "/spec/csi/driver");
        let declared = store.get(Resource::CsiDrivers, &Key::new("", driver))?;
        if declared["spec"]["attachRequired"] == false {
            return None;
        }
        let modes = object::items(volume, "/spec/accessModes");
        Some(Self {
            volume: object::name(volume).to_owned(),
            driver: driver.to_owned(),
            handle: object::text(volume, "/spec/csi/volumeHandle").to_owned(),
            is_shared: modes.is_empty()
                || modes.iter().any(|mode| mode == "ReadWriteMany" || mode == "ReadOnlyMany"),
        })
    }
}

/// The claims that a pod names.
pub(super) fn claims(pod: &Value) -> impl Iterator<Item = Key> {
    object::items(pod, "/spec/volumes").iter().filter_map(|volume| {
        let claim = object::text(volume, "/persistentVolumeClaim/claimName");
        (!claim.is_empty()).then(|| Key::new(object::namespace(pod), claim))
    })
}

/// The volumes that a pod's claims are bound to.
pub(super) fn of_pod(store: &Store, pod: &Value) -> Vec<Arc<Value>> {
    claims(pod)
        .filter_map(|claim| {
            let claim = store.get(Resource::PersistentVolumeClaims, &claim)?;
            store.get(Resource::PersistentVolumes, &Key::new("", object::text(&claim, "/spec/volumeName")))
        })
        .collect()
}

/// The ones of them that need attaching.
pub(super) fn attachable_of_pod(store: &Store, pod: &Value) -> Vec<Attachable> {
    of_pod(store, pod).iter().filter_map(|volume| Attachable::of(store, volume)).collect()
}

/// Whether all of a pod's claims are bound.
pub(super) fn are_bound(store: &Store, pod: &Value) -> bool {
    claims(pod).all(|claim| {
        store
            .get(Resource::PersistentVolumeClaims, &claim)
            .is_some_and(|claim| claim["status"]["phase"] == "Bound")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_is_named_by_its_volume_driver_and_node() {
        // Taken from a real control plane.
        let volume = Attachable {
            volume: "pvc-7e291f16-ef36-4cc7-9456-80293ff3b5f7".to_owned(),
            driver: "hollow.csi".to_owned(),
            handle: "pvc-7e291f16-ef36-4cc7-9456-80293ff3b5f7".to_owned(),
            is_shared: false,
        };
        assert_eq!(
            volume.attachment("worker-1"),
            "csi-3cafadc196f4420bd1e5cd69d89b5018292f2b398127e80ef15f7f590dc6e53d"
        );
    }
}
