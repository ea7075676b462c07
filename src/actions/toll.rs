//! What a plan takes away from a machine, in names: the first thing to be read before anybody agrees to it.
//!
//! What becomes of each of it is said by the checks.

use super::milestone::Milestone;
use super::{Call, Dangerous, Plan, Step};
use crate::cluster::{Cluster, Kind, Name, ObjectRef, VolumeAttachment, VolumeId};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// Taken off the API, or told to go.
    pub pods: Vec<Name>,
    /// Detached; each by its claim where it has one.
    pub volumes: Vec<Name>,
}

impl Plan {
    pub fn toll(&self, cluster: &Cluster) -> Toll {
        let mut pods: BTreeSet<Name> = BTreeSet::new();
        let mut volumes: BTreeSet<Name> = BTreeSet::new();
        let attached = |row: &VolumeAttachment| named(row, cluster);
        for step in &self.steps {
            match step {
                Step::Milestone(Milestone::Released { pods: released, .. }) => {
                    pods.extend(released.iter().map(|pod| pod.name.clone()));
                }
                Step::Milestone(Milestone::Detached { node, only, .. }) => {
                    let is_meant = |row: &&VolumeAttachment| is_meant(row, only.as_deref());
                    let rows = cluster.attachments_on(&node.name.name).filter(is_meant);
                    volumes.extend(rows.map(attached));
                }
                Step::Danger(Dangerous::ReleasePod { pod, .. }) => {
                    pods.insert(pod.name.clone());
                }
                Step::Danger(Dangerous::RemoveFinalizer { object, .. }) => match object.kind {
                    Kind::Pod => {
                        pods.insert(object.name.clone());
                    }
                    Kind::VolumeAttachment => {
                        volumes.extend(cluster.volume_attachments.get(&object.name).map(attached));
                    }
                    Kind::Node
                    | Kind::Namespace
                    | Kind::PersistentVolume
                    | Kind::PersistentVolumeClaim
                    | Kind::Deployment
                    | Kind::ReplicaSet
                    | Kind::StatefulSet
                    | Kind::DaemonSet
                    | Kind::Job
                    | Kind::PodDisruptionBudget
                    | Kind::Service
                    | Kind::Event
                    | Kind::ApiService => {}
                },
                Step::Call(Call::ReplacePod(replacing)) => {
                    pods.insert(replacing.pod.name.clone());
                }
                Step::Call(_)
                | Step::Wait(_)
                | Step::Rollout(_)
                | Step::Attest { .. }
                | Step::Errand(_)
                | Step::Danger(_)
                | Step::Milestone(_)
                | Step::Retract(_) => {}
            }
        }
        Toll { pods: pods.into_iter().collect(), volumes: volumes.into_iter().collect() }
    }
}

fn is_meant(row: &VolumeAttachment, only: Option<&[ObjectRef]>) -> bool {
    only.is_none_or(|only| only.iter().any(|object| object.uid == row.meta.uid))
}

/// Whose volume an attachment is of.
pub fn named(row: &VolumeAttachment, cluster: &Cluster) -> Name {
    let join = cluster.volume(&VolumeId::Persistent(row.volume.clone()));
    let claim = join.and_then(|join| join.claim_name);
    let name = if row.volume.is_empty() { &row.meta.name.name } else { &row.volume };
    claim.unwrap_or_else(|| Name::cluster(name.clone()))
}
