//! What the controllers do after a dangerous request, and what the watch must show of it: each with how long it takes
//! where all is well, and what to look at when it does not come.

use super::cordon;
use super::drain::wait::{Moving, lacking};
use super::evidence::facts::exclusive_volumes;
use crate::cluster::{Cluster, Kind, ObjectRef, Phase, Pod, Readiness, Text, Toleration, VolumeAttachment};
use jiff::SignedDuration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// These pods are gone from the API.
    Released { node: ObjectRef, pods: Vec<ObjectRef> },
    /// These attachments are gone; nothing named is all of the node's. By force is when the attach-detach controller
    /// has lost its patience.
    Detached { node: ObjectRef, only: Option<Vec<ObjectRef>>, is_forced: bool },
    /// What lost pods there is as ready as it was.
    Replaced { node: ObjectRef, workloads: Vec<Moving> },
    /// The node is Ready, with no old pod and no old attachment.
    Clean { node: ObjectRef },
    /// It has booted since: another boot than this.
    Booted { node: ObjectRef, boot: Text },
    /// It has fallen silent.
    Silent { node: ObjectRef },
    /// Its kubelet speaks again: its lease has moved, or it says itself how it is.
    Speaks { node: ObjectRef },
    /// A node that was not there before is Ready: none of these.
    Joined { node: ObjectRef, known: Vec<Text> },
}

/// Between a detach and its end, where the driver answers.
const DETACH: SignedDuration = SignedDuration::from_secs(60);
/// The attach-detach controller's own patience with a volume that was not unmounted, and a minute more.
const FORCED_DETACH: SignedDuration = SignedDuration::from_secs(7 * 60);
/// Whoever replaces machines has done so by then, or nobody does.
const REPLACED_BY: SignedDuration = SignedDuration::from_secs(15 * 60);

impl Milestone {
    pub const fn node(&self) -> &ObjectRef {
        match self {
            Self::Released { node, .. }
            | Self::Detached { node, .. }
            | Self::Replaced { node, .. }
            | Self::Clean { node }
            | Self::Booted { node, .. }
            | Self::Silent { node }
            | Self::Speaks { node }
            | Self::Joined { node, .. } => node,
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Released { node, pods } => match pods.as_slice() {
                [one] => format!("wait until {one} is released from {}", node.name),
                many => format!("wait until the {} pods of {} are released", many.len(), node.name),
            },
            Self::Detached { node, only, is_forced } => {
                let what = match only.as_deref() {
                    None => format!("all volumes are detached from {}", node.name),
                    Some([_]) => format!("one volume is detached from {}", node.name),
                    Some(some) => format!("{} volumes are detached from {}", some.len(), node.name),
                };
                let how = if *is_forced { ", six minutes after its pods are gone" } else { "" };
                format!("wait until {what}{how}")
            }
            Self::Replaced { workloads, .. } => match workloads.as_slice() {
                [one] => format!("wait until {} is as ready as before", one.workload),
                many => format!("wait until {} workloads are as ready as before", many.len()),
            },
            Self::Clean { node } => {
                format!("wait until {} is Ready, without old pods and old attachments", node.name)
            }
            Self::Booted { node, .. } => format!("wait until {} has booted", node.name),
            Self::Silent { node } => format!("wait until the control plane sees {} as silent", node.name),
            Self::Speaks { node } => format!("wait until the lease of {} moves", node.name),
            Self::Joined { node, .. } => format!("wait until another node takes the place of {}", node.name),
        }
    }

    pub fn kubectl(&self) -> Option<String> {
        let name = &self.node().name;
        match self {
            Self::Released { .. } => {
                Some(format!("kubectl get pods -A --field-selector spec.nodeName={name}"))
            }
            Self::Detached { .. } => Some("kubectl get volumeattachments".to_owned()),
            Self::Clean { .. } | Self::Booted { .. } | Self::Silent { .. } | Self::Speaks { .. } => {
                Some(format!("kubectl get node {name}"))
            }
            Self::Joined { .. } => Some("kubectl get nodes".to_owned()),
            Self::Replaced { .. } => None,
        }
    }

    /// Whether the attach-detach controller's own patience is waited for.
    pub const fn is_forced(&self) -> bool {
        matches!(self, Self::Detached { is_forced: true, .. })
    }

    /// How long it is waited for, where it may as well not come: nothing more depends on it.
    pub const fn patience(&self) -> Option<SignedDuration> {
        match self {
            Self::Joined { .. } => Some(REPLACED_BY),
            Self::Released { .. }
            | Self::Detached { .. }
            | Self::Replaced { .. }
            | Self::Clean { .. }
            | Self::Booted { .. }
            | Self::Silent { .. }
            | Self::Speaks { .. } => None,
        }
    }

    /// How long it takes where all is well.
    pub const fn normal(&self) -> SignedDuration {
        match self {
            // The garbage collector looks every 20 s.
            Self::Released { .. } => SignedDuration::from_secs(45),
            Self::Detached { is_forced, .. } => {
                if *is_forced {
                    FORCED_DETACH
                } else {
                    DETACH
                }
            }
            Self::Joined { .. } => SignedDuration::from_secs(300),
            Self::Replaced { .. } => SignedDuration::from_secs(120),
            Self::Clean { .. } | Self::Speaks { .. } => SignedDuration::from_secs(60),
            Self::Booted { .. } => SignedDuration::from_secs(600),
            Self::Silent { .. } => SignedDuration::from_secs(90),
        }
    }

    /// Where to look when it takes longer.
    pub const fn look_at(&self) -> &'static str {
        match self {
            Self::Released { .. } => {
                "look at the pods' finalizers, and whether the controller-manager leads: its garbage collector \
                 releases them every 20 s"
            }
            Self::Detached { is_forced: true, .. } => {
                "look at what the driver says of the attachment, and whether the controller-manager runs with \
                 --disable-force-detach-on-timeout: then it never does, and it takes force-detach of the node"
            }
            Self::Joined { .. } => {
                "look at whoever replaces machines here, or stop the wait: nothing depends on it"
            }
            Self::Detached { .. } => {
                "look at what the driver says of the attachment, and at its controller: the external-attacher tries \
                 again with a back-off of up to 5 min"
            }
            Self::Replaced { .. } => {
                "look at the pods that wait: their events tell what of scheduling, attaching or starting fails"
            }
            Self::Clean { .. } => "look at the kubelet of the node: what it has not ended or unmounted yet",
            Self::Booted { .. } => "look at the machine's console",
            Self::Speaks { .. } => {
                "look at the log of the kubelet on the machine: `journalctl -u kubelet`, and at its way to the API server"
            }
            Self::Silent { .. } => "it still speaks: what was to switch it off did not, or not this machine",
        }
    }

    /// What is still lacking, in words that stay the same while it is the same; nothing where it is reached.
    pub fn lacking(&self, cluster: &Cluster) -> Option<String> {
        match self {
            Self::Released { pods, .. } => {
                let is_there = |pod: &&ObjectRef| cluster.pods.same(pod).is_some();
                named(
                    "still there",
                    pods.iter().filter(is_there).map(|pod| match held_by(pod, cluster) {
                        Some(finalizers) => format!("{} (held by {finalizers})", pod.name),
                        None => pod.name.to_string(),
                    }),
                )
            }
            Self::Detached { node, only, .. } => {
                let is_meant = |row: &&VolumeAttachment| {
                    only.as_ref().is_none_or(|only| only.iter().any(|object| object.uid == row.meta.uid))
                };
                let left = cluster.attachments_on(&node.name.name).filter(is_meant);
                named("still attached", left.map(attachment_words))
            }
            Self::Replaced { workloads, .. } => lacking(workloads, cluster),
            Self::Clean { node } => unclean(node, cluster),
            Self::Booted { node, boot } => {
                let row = cordon::same_node(node, cluster).ok()?;
                let is_back = row.boot_id != *boot && row.is_ready();
                (!is_back).then(|| format!("{} is {} with its old boot", node.name, row.readiness().word()))
            }
            Self::Speaks { node } => match cordon::same_node(node, cluster) {
                Ok(row) if row.readiness() == Readiness::Silent => {
                    Some(format!("the lease of {} has not moved", node.name))
                }
                Ok(_) => None,
                Err(reason) => Some(reason),
            },
            Self::Silent { node } => {
                let row = cordon::same_node(node, cluster).ok()?;
                (row.readiness() != Readiness::Silent)
                    .then(|| format!("{} is {}", node.name, row.readiness().word()))
            }
            Self::Joined { known, .. } => {
                let anew = cluster.nodes.values().filter(|row| !known.contains(&row.meta.uid));
                match anew.max_by_key(|row| row.is_ready()) {
                    Some(row) if row.is_ready() => None,
                    Some(row) => {
                        Some(format!("{} has come, and is {}", row.meta.name, row.readiness().word()))
                    }
                    None => Some("no node has come that was not there".to_owned()),
                }
            }
        }
    }
}

fn held_by(pod: &ObjectRef, cluster: &Cluster) -> Option<String> {
    let row = cluster.pods.get(&pod.name)?;
    let finalizers: Vec<&str> = row.meta.finalizers.iter().map(Text::as_str).collect();
    (!finalizers.is_empty()).then(|| finalizers.join(", "))
}

fn attachment_words(row: &VolumeAttachment) -> String {
    let what = if row.volume.is_empty() { &row.meta.name.name } else { &row.volume };
    match &row.detach_error {
        Some(error) => format!("{what} ({} says: {})", row.attacher, error.message),
        None => what.to_string(),
    }
}

/// Some of these names, said to be so; nothing where there are none.
fn named(state: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let first: Vec<&str> = names.iter().take(MOST_NAMED).map(String::as_str).collect();
    (!names.is_empty()).then(|| format!("{state}: {}{more}", first.join(", ")))
}

/// So many names are told.
const MOST_NAMED: usize = 5;

/// What is old on a node that came back.
fn unclean(node: &ObjectRef, cluster: &Cluster) -> Option<String> {
    let row = match cordon::same_node(node, cluster) {
        Ok(row) => row,
        Err(reason) => return Some(reason),
    };
    if !row.is_ready() {
        return Some(format!("{} is {}", node.name, row.readiness().word()));
    }
    let name = &node.name.name;
    let going = cluster.pods_on(name).filter(|pod| pod.meta.is_deleting() && !pod.phase.is_terminal());
    let old = named("on their way out", going.map(|pod| pod.meta.name.to_string()));
    old.or_else(|| {
        named("attached and wanted by no pod there", old_attachments(name, cluster).map(attachment_words))
    })
}

/// Attachments to a node that no pod there wants.
pub fn old_attachments<'a>(
    node: &'a str,
    cluster: &'a Cluster,
) -> impl Iterator<Item = &'a VolumeAttachment> {
    cluster.attachments_on(node).filter(move |row| {
        let wanted = cluster.pods_on(node).filter(|pod| pod.wants_volumes());
        let mut volumes = wanted.flat_map(|pod| cluster.volumes_of(pod));
        let id = crate::cluster::VolumeId::Persistent(row.volume.clone());
        !volumes.any(|volume| volume == id)
    })
}

/// Whether the out-of-service taint lets a pod stay.
pub fn tolerates_out_of_service(pod: &Pod) -> bool {
    let tolerates = |one: &Toleration| {
        let key = one.key.is_empty() || *one.key == *super::dangerous::OUT_OF_SERVICE;
        let effect = one.effect.is_empty() || *one.effect == *"NoExecute";
        let value = *one.operator == *"Exists" || *one.value == *super::dangerous::OUT_OF_SERVICE_VALUE;
        key && effect && value && one.seconds.is_none()
    };
    pod.tolerations.iter().any(tolerates)
}

/// The workloads that lose pods with these, each with how many it is to have again.
pub fn losing<'a>(pods: impl Iterator<Item = &'a Pod>, cluster: &Cluster) -> Vec<Moving> {
    let mut workloads: Vec<Moving> = Vec::new();
    for pod in pods {
        let Some(workload) = cluster.workload_of(pod) else { continue };
        let object = workload.object();
        let is_of_machine = object.kind == Kind::DaemonSet || object.kind == Kind::Job;
        if is_of_machine || workloads.iter().any(|known| known.workload == object) {
            continue;
        }
        let stay = cluster.pods_of(workload);
        let counted = |other: &&&Pod| {
            let is_lost = other.node == pod.node;
            !other.phase.is_terminal() && (is_lost || (other.is_ready() && !other.meta.is_deleting()))
        };
        let ready = stay.iter().filter(counted).count();
        workloads.push(Moving { workload: object, ready: u32::try_from(ready).unwrap_or(u32::MAX) });
    }
    workloads
}

/// Whether a pod has a volume for itself.
pub fn has_exclusive(pod: &Pod, cluster: &Cluster) -> bool {
    pod.phase != Phase::Succeeded && !exclusive_volumes(pod, cluster).is_empty()
}
