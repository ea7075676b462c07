//! Objects of any kind: what all kinds share, found by kind and name.
//!
//! What is asked of one kind alone is asked of its table.

use super::{Cluster, Kind, Meta, Name, ObjectRef, Row, Table};

impl Cluster {
    /// What all objects share, of this object and no later one of its name.
    pub fn meta(&self, object: &ObjectRef) -> Option<&Meta> {
        self.named(object.kind, &object.name).filter(|meta| meta.uid == object.uid)
    }

    /// The same of the object that has a name now.
    pub fn named(&self, kind: Kind, name: &Name) -> Option<&Meta> {
        fn found<'a, R: Row>(table: &'a Table<R>, name: &Name) -> Option<&'a Meta> {
            table.get(name).map(Row::meta)
        }
        match kind {
            Kind::Node => found(&self.nodes, name),
            Kind::Pod => found(&self.pods, name),
            Kind::PersistentVolume => found(&self.persistent_volumes, name),
            Kind::PersistentVolumeClaim => found(&self.persistent_volume_claims, name),
            Kind::VolumeAttachment => found(&self.volume_attachments, name),
            Kind::Namespace => found(&self.namespaces, name),
            Kind::Deployment => found(&self.deployments, name),
            Kind::ReplicaSet => found(&self.replica_sets, name),
            Kind::StatefulSet => found(&self.stateful_sets, name),
            Kind::DaemonSet => found(&self.daemon_sets, name),
            Kind::Job => found(&self.jobs, name),
            Kind::PodDisruptionBudget => found(&self.pod_disruption_budgets, name),
            Kind::Service => found(&self.services, name),
            Kind::ApiService => found(&self.api_services, name),
            Kind::Event => found(&self.events, name),
        }
    }

    /// Objects that were told to go and are still there, however long ago.
    pub fn deleting(&self) -> Vec<ObjectRef> {
        fn of<R: Row>(table: &Table<R>) -> impl Iterator<Item = ObjectRef> {
            table.values().filter(|row| row.meta().is_deleting()).map(Row::object)
        }
        let pods = self.deleting_pods().map(Row::object);
        of(&self.nodes)
            .chain(pods)
            .chain(of(&self.persistent_volumes))
            .chain(of(&self.persistent_volume_claims))
            .chain(of(&self.volume_attachments))
            .chain(of(&self.namespaces))
            .chain(of(&self.deployments))
            .chain(of(&self.replica_sets))
            .chain(of(&self.stateful_sets))
            .chain(of(&self.daemon_sets))
            .chain(of(&self.jobs))
            .chain(of(&self.pod_disruption_budgets))
            .chain(of(&self.services))
            .chain(of(&self.api_services))
            .collect()
    }
}
