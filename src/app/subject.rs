//! From an object to the row that stands for it, and from a name to the object that has it now.

use super::columns::RowId;
use crate::cluster::{Cluster, Kind, Name, ObjectRef, VolumeId};

/// The row that stands for an object, while it is there.
pub fn row_of(cluster: &Cluster, subject: &ObjectRef) -> Option<RowId> {
    let volume = |id: VolumeId| cluster.volume(&id).map(|join| RowId::Volume(join.id));
    match subject.kind {
        Kind::Node => named(cluster, Kind::Node, &subject.name).map(RowId::Object),
        Kind::Pod
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::PodDisruptionBudget
        | Kind::Service
        | Kind::Event => Some(RowId::Object(subject.clone())),
        Kind::PersistentVolume => volume(VolumeId::Persistent(subject.name.name.clone()))
            .or_else(|| volume(VolumeId::Unknown(subject.name.name.clone()))),
        Kind::PersistentVolumeClaim => volume(cluster.volume_of_claim(&subject.name)?),
        Kind::VolumeAttachment => {
            let attachment = cluster.volume_attachments.get(&subject.name)?;
            volume(VolumeId::Persistent(attachment.volume.clone()))
        }
        Kind::Namespace => named(cluster, Kind::Namespace, &subject.name).map(RowId::Object),
        Kind::ApiService => None,
    }
}

/// The object that has this name now.
pub fn named(cluster: &Cluster, kind: Kind, name: &Name) -> Option<ObjectRef> {
    let uid = cluster.named(kind, name)?.uid.clone();
    Some(ObjectRef { kind, name: name.clone(), uid })
}
