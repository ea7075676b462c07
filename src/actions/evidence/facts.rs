//! What is known of a machine that is said to be dead, put together: from live answers, from the watch, and from what
//! was done and stated. It judges nothing.

use super::inquiry::{Inquiry, Reading, Seen};
use crate::actions::dangerous::Dangerous;
use crate::actions::others::{Other, others};
use crate::actions::{Access, Sight};
use crate::cluster::{Cluster, Kind, Name, Node, ObjectRef, Phase, Pod, Row as _, Text, VolumeId};
use jiff::Timestamp;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub struct Facts {
    pub what: Dangerous,
    pub now: Timestamp,
    /// Why the watch may be behind.
    pub staleness: Option<String>,
    pub object: ObjectState,
    /// The node as it was read live.
    pub node: Option<Seen>,
    /// The two live reads of its lease, the first and the last.
    pub leases: Option<(Reading, Reading)>,
    /// How anybody has seen it move.
    pub moved: Option<String>,
    /// Nothing while it is not answered.
    pub speech: Option<Speech>,
    /// The same of the machine itself, by a configured command.
    pub echo: Option<Speech>,
    /// Nodes that are not ready, and all.
    pub unready: (usize, usize),
    pub are_all_zones_down: bool,
    pub leadership: Leadership,
    /// What proves that it is off.
    pub deaths: Vec<Death>,
    pub is_last_control_plane: bool,
    /// In words: who uses which of its exclusive volumes on another node.
    pub used_elsewhere: Vec<String>,
    /// Attachments that are to go already.
    pub detaching: Vec<Name>,
    pub denied: Vec<Access>,
    pub are_rights_known: bool,
    /// Who else acts on it, at it now or not.
    pub others: Vec<Other>,
}

/// The object of the request, as the watch has it.
#[expect(clippy::struct_excessive_bools, reason = "facts, each with a name; none of them is a mode")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectState {
    pub is_there: bool,
    pub version: Text,
    pub is_deleting: bool,
    pub is_overdue: bool,
    /// Its kubelet has said that all of its containers have ended.
    pub has_stopped: bool,
    pub is_stateful: bool,
    /// Volumes that it has for itself.
    pub exclusive: Vec<Name>,
    pub finalizers: Box<[Text]>,
    /// Pods on the node that want the volume of an attachment.
    pub wanted_by: Vec<Name>,
}

/// What came back to the question for a pod's log, which only the kubelet can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speech {
    /// An answer of the kubelet's own, errors included.
    Life(Text),
    /// Proves nothing, and is asked for.
    Silence(Text),
    NotKnown(Text),
}

/// The lease of the controller-manager's leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    NotAsked,
    Leads { since: Option<Timestamp> },
    Quiet,
    NoLease,
    Unreadable(Text),
}

/// What proves that a machine is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// A command that switches off was carried out.
    Fenced { at: Timestamp },
    /// The cloud says that it is stopped.
    ShutDown,
    /// Somebody says so.
    Stated { by: Text },
    /// Will be proved by a step before it, or there is no request.
    Planned,
}

impl Facts {
    pub fn gather(what: &Dangerous, inquiry: Option<&Inquiry>, deaths: &[Death], sight: &Sight<'_>) -> Self {
        let cluster = sight.cluster;
        let node = what.node();
        let seen = inquiry.and_then(Inquiry::seen);
        let survey = inquiry.and_then(Inquiry::survey);
        let mut deaths = deaths.to_vec();
        deaths.extend(seen.and_then(|seen| seen.row.shut_down()).map(|_| Death::ShutDown));
        let accesses = what.accesses();
        let rights = inquiry.map(|inquiry| inquiry.rights(&accesses)).unwrap_or_default();
        Self {
            what: what.clone(),
            now: sight.now,
            staleness: sight.staleness(&relied_on(what)),
            object: object_state(what, sight),
            node: seen.cloned(),
            leases: inquiry.and_then(Inquiry::leases),
            moved: inquiry.and_then(|inquiry| inquiry.life(cluster)),
            speech: inquiry.and_then(Inquiry::speech).cloned(),
            echo: inquiry.and_then(Inquiry::echo),
            unready: (cluster.unready_nodes().count(), cluster.nodes.len()),
            are_all_zones_down: cluster.nodes.values().all(|node| !node.is_ready()),
            leadership: inquiry.map_or(Leadership::NotAsked, Inquiry::leadership),
            deaths,
            is_last_control_plane: node.is_some_and(|node| is_last_control_plane(node, cluster)),
            used_elsewhere: used_elsewhere(what, cluster),
            detaching: detaching(what, cluster),
            denied: rights.denied,
            // Without a node there is no inquiry: the server's own answer is the first that is heard.
            are_rights_known: node.is_none() || rights.are_known,
            others: seen.map(|seen| others(&seen.row, survey, (cluster, sight.now))).unwrap_or_default(),
        }
    }
}

fn relied_on(what: &Dangerous) -> Vec<Kind> {
    match what.node() {
        Some(_) => vec![
            Kind::Node,
            Kind::Pod,
            Kind::PersistentVolume,
            Kind::PersistentVolumeClaim,
            Kind::VolumeAttachment,
        ],
        None => vec![what.object().kind],
    }
}

fn object_state(what: &Dangerous, sight: &Sight<'_>) -> ObjectState {
    let Sight { cluster, now, .. } = *sight;
    let object = what.object();
    let Some(meta) = cluster.meta(object) else { return ObjectState::default() };
    let pod = cluster.pods.same(object).filter(|_| object.kind == Kind::Pod);
    let attachment = cluster.volume_attachments.get(&object.name);
    let attachment = attachment.filter(|_| object.kind == Kind::VolumeAttachment);
    let wanted_by = attachment.and_then(|attachment| {
        let join = cluster.volume(&VolumeId::Persistent(attachment.volume.clone()))?;
        Some(join.wanting_on(&attachment.node).map(|pod| pod.meta.name.clone()).collect())
    });
    ObjectState {
        is_there: true,
        version: meta.resource_version.clone(),
        is_deleting: meta.is_deleting(),
        is_overdue: meta.overdue(now).is_some(),
        has_stopped: pod.is_some_and(Pod::has_stopped),
        is_stateful: pod.is_some_and(|pod| pod.is_owned_by("StatefulSet")),
        exclusive: pod.map(|pod| exclusive_volumes(pod, cluster)).unwrap_or_default(),
        finalizers: meta.finalizers.clone(),
        wanted_by: wanted_by.unwrap_or_default(),
    }
}

/// The volumes of a pod that one node alone may have; of a claim nothing is known of that is assumed.
pub fn exclusive_volumes(pod: &Pod, cluster: &Cluster) -> Vec<Name> {
    let namespace = &pod.meta.name.namespace;
    let claims = pod.claims.iter().map(|claim| Name::new(namespace.clone(), claim.clone()));
    let is_exclusive = |claim: &Name| {
        let volume = cluster.volume_of_claim(claim).and_then(|id| cluster.volume(&id));
        volume.and_then(|join| join.volume).is_none_or(|volume| !volume.access.is_shared())
    };
    claims.filter(is_exclusive).collect()
}

/// Whether no other node of the control plane is ready.
pub(super) fn is_last_control_plane(node: &ObjectRef, cluster: &Cluster) -> bool {
    let is_member =
        |node: &Node| node.roles().any(|role| role == "control-plane" || role == "master" || role == "etcd");
    let Some(row) = cluster.nodes.get(&node.name) else { return false };
    let mut others = cluster.nodes.values().filter(|other| other.meta.name != node.name);
    is_member(row) && !others.any(|other| is_member(other) && other.is_ready())
}

/// The volumes that a request is about.
fn volumes(what: &Dangerous, cluster: &Cluster) -> BTreeSet<VolumeId> {
    match what {
        Dangerous::OutOfService { node } | Dangerous::DeleteNode { node } => {
            let name = &node.name.name;
            let attached = cluster.attachments_on(name).map(|row| VolumeId::Persistent(row.volume.clone()));
            let wanted = cluster.pods_on(name).flat_map(|pod| cluster.volumes_of(pod));
            attached.chain(wanted).collect()
        }
        Dangerous::ReleasePod { pod: object, .. } | Dangerous::RemoveFinalizer { object, .. }
            if object.kind == Kind::Pod =>
        {
            cluster.pods.get(&object.name).into_iter().flat_map(|pod| cluster.volumes_of(pod)).collect()
        }
        Dangerous::ReleasePod { pod: object, .. }
        | Dangerous::DeleteAttachment { attachment: object, .. }
        | Dangerous::RemoveFinalizer { object, .. } => {
            let row = cluster.volume_attachments.get(&object.name);
            row.map(|row| VolumeId::Persistent(row.volume.clone())).into_iter().collect()
        }
    }
}

fn used_elsewhere(what: &Dangerous, cluster: &Cluster) -> Vec<String> {
    let Some(node) = what.node() else { return Vec::new() };
    let mut used = Vec::new();
    for id in volumes(what, cluster) {
        let Some(join) = cluster.volume(&id) else { continue };
        let Some(volume) = join.volume.filter(|volume| !volume.access.is_shared()) else { continue };
        let elsewhere = join.pods.iter().filter(|pod| {
            pod.node != node.name.name
                && !pod.node.is_empty()
                && pod.phase == Phase::Running
                && pod.is_ready()
        });
        used.extend(elsewhere.map(|pod| {
            format!("{} uses volume {} on {} already", pod.object(), volume.meta.name.name, pod.node)
        }));
    }
    used
}

fn detaching(what: &Dangerous, cluster: &Cluster) -> Vec<Name> {
    let Some(node) = what.node() else { return Vec::new() };
    let volumes = volumes(what, cluster);
    let is_meant = |volume: &Text| volumes.contains(&VolumeId::Persistent(volume.clone()));
    match what {
        // That it is to go is the case for which it is.
        Dangerous::RemoveFinalizer { .. } => Vec::new(),
        Dangerous::OutOfService { .. }
        | Dangerous::DeleteNode { .. }
        | Dangerous::ReleasePod { .. }
        | Dangerous::DeleteAttachment { .. } => cluster
            .attachments_on(&node.name.name)
            .filter(|row| row.meta.is_deleting() && is_meant(&row.volume))
            .map(|row| row.meta.name.clone())
            .collect(),
    }
}
