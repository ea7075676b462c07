//! From an object to the row that stands for it, and from a name to the object that has it now.

use super::columns::RowId;
use crate::cluster::{Cluster, Kind, Name, ObjectRef, Row, Table, VolumeId};

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
    fn found<R: Row>(table: &Table<R>, name: &Name) -> Option<ObjectRef> {
        table.get(name).map(Row::object)
    }
    match kind {
        Kind::Node => found(&cluster.nodes, name),
        Kind::Pod => found(&cluster.pods, name),
        Kind::PersistentVolume => found(&cluster.persistent_volumes, name),
        Kind::PersistentVolumeClaim => found(&cluster.persistent_volume_claims, name),
        Kind::VolumeAttachment => found(&cluster.volume_attachments, name),
        Kind::Namespace => found(&cluster.namespaces, name),
        Kind::Deployment => found(&cluster.deployments, name),
        Kind::ReplicaSet => found(&cluster.replica_sets, name),
        Kind::StatefulSet => found(&cluster.stateful_sets, name),
        Kind::DaemonSet => found(&cluster.daemon_sets, name),
        Kind::Job => found(&cluster.jobs, name),
        Kind::PodDisruptionBudget => found(&cluster.pod_disruption_budgets, name),
        Kind::Service => found(&cluster.services, name),
        Kind::ApiService => found(&cluster.api_services, name),
        Kind::Event => found(&cluster.events, name),
    }
}
