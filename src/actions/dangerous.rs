//! Requests that can ruin data when the machine that they are about still lives: what is wanted, and as a call once
//! the evidence clears it.
//!
//! Invariant: an [`Armed`] is made of a [`Cleared`] and of nothing else, for the very object that was cleared, and is
//! not sent when that is no longer worth anything. A conflict is never tried again with the same evidence.

use super::call::{Call, CallError, CallKind, Guard, Refusal, Shown};
use super::evidence::Cleared;
use super::probe::{Access, Right};
use super::{cordon, drain};
use crate::cluster::{Cluster, Effect, Kind, ObjectRef, Taint, Text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";
/// As Kubernetes documents it; whoever looks for the taint goes by its key.
pub const OUT_OF_SERVICE_VALUE: &str = "nodeshutdown";

const STORAGE: &str = "storage.k8s.io";
pub const GET_LEASES: Right =
    Right { verb: "get", group: "coordination.k8s.io", resource: "leases", subresource: "" };
pub const GET_NODES: Right = Right { verb: "get", group: "", resource: "nodes", subresource: "" };
pub const DELETE_NODES: Right = Right { verb: "delete", group: "", resource: "nodes", subresource: "" };
pub const LIST_ATTACHMENTS: Right =
    Right { verb: "list", group: STORAGE, resource: "volumeattachments", subresource: "" };
pub const DELETE_ATTACHMENTS: Right =
    Right { verb: "delete", group: STORAGE, resource: "volumeattachments", subresource: "" };
pub const PATCH_ATTACHMENTS: Right =
    Right { verb: "patch", group: STORAGE, resource: "volumeattachments", subresource: "" };
pub const PATCH_PODS: Right = Right { verb: "patch", group: "", resource: "pods", subresource: "" };
pub const PATCH_NAMESPACES: Right =
    Right { verb: "patch", group: "", resource: "namespaces", subresource: "" };

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dangerous {
    /// Says to the controllers that a machine is off: they release its pods and detach its volumes.
    OutOfService {
        node: ObjectRef,
    },
    /// Takes a pod off the API without its kubelet's word that it has ended.
    ReleasePod {
        pod: ObjectRef,
        node: ObjectRef,
    },
    DeleteAttachment {
        attachment: ObjectRef,
        node: ObjectRef,
    },
    DeleteNode {
        node: ObjectRef,
    },
    /// Of what is to go already. The node is the one that it is about; a namespace has none.
    RemoveFinalizer {
        object: ObjectRef,
        finalizer: Text,
        node: Option<ObjectRef>,
    },
}

impl Dangerous {
    pub const fn object(&self) -> &ObjectRef {
        match self {
            Self::OutOfService { node } | Self::DeleteNode { node } => node,
            Self::ReleasePod { pod, .. } => pod,
            Self::DeleteAttachment { attachment, .. } => attachment,
            Self::RemoveFinalizer { object, .. } => object,
        }
    }

    /// The machine that must be dead for it.
    pub const fn node(&self) -> Option<&ObjectRef> {
        match self {
            Self::OutOfService { node }
            | Self::DeleteNode { node }
            | Self::ReleasePod { node, .. }
            | Self::DeleteAttachment { node, .. } => Some(node),
            Self::RemoveFinalizer { node, .. } => node.as_ref(),
        }
    }

    pub const fn kind(&self) -> CallKind {
        match self {
            Self::OutOfService { .. } => CallKind::OutOfService,
            Self::ReleasePod { .. } => CallKind::ReleasePod,
            Self::DeleteAttachment { .. } => CallKind::DeleteAttachment,
            Self::DeleteNode { .. } => CallKind::DeleteNode,
            Self::RemoveFinalizer { .. } => CallKind::RemoveFinalizer,
        }
    }

    /// The right to the request itself.
    pub fn access(&self) -> Access {
        let right = match self {
            Self::OutOfService { .. } => cordon::PATCH_NODES,
            Self::ReleasePod { .. } => drain::DELETE_PODS,
            Self::DeleteAttachment { .. } => DELETE_ATTACHMENTS,
            Self::DeleteNode { .. } => DELETE_NODES,
            Self::RemoveFinalizer { object, .. } => match object.kind {
                Kind::Pod => PATCH_PODS,
                Kind::Namespace => PATCH_NAMESPACES,
                Kind::VolumeAttachment => PATCH_ATTACHMENTS,
                Kind::Node
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
                | Kind::ApiService => {
                    let resource = object.kind.plural();
                    Right { verb: "patch", group: object.kind.group(), resource, subresource: "" }
                }
            },
        };
        Access::to(right, self.object())
    }

    /// All rights that the evidence asks for: who lacks one would be stopped half way.
    pub fn accesses(&self) -> Vec<Access> {
        let mut accesses = vec![self.access()];
        if let Some(node) = self.node() {
            let lease = Access {
                right: GET_LEASES,
                namespace: "kube-node-lease".into(),
                name: node.name.name.clone(),
            };
            accesses.extend([
                Access::to(cordon::PATCH_NODES, node),
                Access::to(GET_NODES, node),
                lease,
                Access::everywhere(drain::LIST_PODS),
                Access::everywhere(drain::DELETE_PODS),
                Access::everywhere(LIST_ATTACHMENTS),
                Access::everywhere(DELETE_ATTACHMENTS),
            ]);
        }
        accesses.sort();
        accesses.dedup();
        accesses
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::OutOfService { node } => {
                format!("mark {node} out of service: its pods are released and its volumes detached")
            }
            Self::ReleasePod { pod, .. } => {
                format!("release {pod}: take it off the API without its kubelet's word")
            }
            Self::DeleteAttachment { attachment, node } => {
                format!("delete {attachment}, which is on {}", node.name)
            }
            Self::DeleteNode { node } => format!("delete {node}"),
            Self::RemoveFinalizer { object, finalizer, .. } => {
                format!("remove the finalizer {finalizer} from {object}")
            }
        }
    }

    pub fn kubectl(&self) -> Option<String> {
        Some(match self {
            Self::OutOfService { node } => {
                format!("kubectl taint node {} {OUT_OF_SERVICE}={OUT_OF_SERVICE_VALUE}:NoExecute", node.name)
            }
            Self::ReleasePod { pod: ObjectRef { name, .. }, .. } => {
                format!("kubectl delete pod -n {} {} --force --grace-period=0", name.namespace, name.name)
            }
            Self::DeleteAttachment { attachment, .. } => {
                format!("kubectl delete volumeattachment {}", attachment.name)
            }
            Self::DeleteNode { node } => format!("kubectl delete node {}", node.name),
            // Nobody should have it at hand.
            Self::RemoveFinalizer { .. } => return None,
        })
    }

    /// Whether it has to be done at all: what is so already needs no evidence.
    pub fn needless(&self, cluster: &Cluster) -> Option<String> {
        match self {
            Self::OutOfService { node } => {
                let row = cordon::same_node(node, cluster).ok()?;
                row.is_out_of_service().then(|| format!("{node} is marked out of service already"))
            }
            Self::ReleasePod { .. }
            | Self::DeleteAttachment { .. }
            | Self::DeleteNode { .. }
            | Self::RemoveFinalizer { .. } => {
                let object = self.object();
                match (cluster.meta(object), self) {
                    (None, _) => Some(format!("{object} is gone")),
                    (Some(meta), Self::RemoveFinalizer { finalizer, .. })
                        if !meta.finalizers.contains(finalizer) =>
                    {
                        Some(format!("{object} has no finalizer {finalizer}"))
                    }
                    (Some(meta), Self::DeleteAttachment { .. } | Self::DeleteNode { .. })
                        if meta.is_deleting() =>
                    {
                        Some(format!("{object} is to go already"))
                    }
                    (Some(_), _) => None,
                }
            }
        }
    }

    /// How far the watch shows it to be carried out.
    pub fn shown(&self, cluster: &Cluster) -> Shown {
        let is_done = match self {
            Self::OutOfService { .. } | Self::DeleteAttachment { .. } | Self::DeleteNode { .. } => {
                self.needless(cluster).is_some()
            }
            Self::ReleasePod { .. } | Self::RemoveFinalizer { .. } => {
                let left = cluster.meta(self.object());
                left.is_none_or(|meta| match self {
                    // It waits for its finalizers alone.
                    Self::ReleasePod { .. } => {
                        meta.deletion.is_some_and(|deletion| deletion.grace_seconds == 0)
                    }
                    Self::RemoveFinalizer { finalizer, .. } => !meta.finalizers.contains(finalizer),
                    Self::OutOfService { .. } | Self::DeleteAttachment { .. } | Self::DeleteNode { .. } => {
                        false
                    }
                })
            }
        };
        if is_done { Shown::Done } else { Shown::Nothing }
    }
}

/// A dangerous call that the evidence has cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed {
    what: Dangerous,
    version: Text,
    taints: Box<[Taint]>,
    finalizers: Box<[Text]>,
    until: Timestamp,
    until_steady: Option<SignedDuration>,
}

impl Call {
    /// The only way to a dangerous call.
    pub fn dangerous(cleared: Cleared) -> Self {
        let (until, until_steady) = (cleared.until(), cleared.until_steady());
        let Cleared { what, version, taints, finalizers, .. } = cleared;
        Self::Dangerous(Box::new(Armed { what, version, taints, finalizers, until, until_steady }))
    }
}

impl Armed {
    pub const fn what(&self) -> &Dangerous {
        &self.what
    }

    /// The version of the object that the evidence was about.
    pub const fn version(&self) -> &Text {
        &self.version
    }

    /// The taints of the node with the one that is put on it.
    pub fn taints(&self) -> Vec<Taint> {
        let mut taints = self.taints.to_vec();
        taints.push(Taint {
            key: OUT_OF_SERVICE.into(),
            value: OUT_OF_SERVICE_VALUE.into(),
            effect: Effect::NoExecute,
            added: None,
        });
        taints
    }

    /// The finalizers that are left on the object.
    pub fn finalizers(&self) -> impl Iterator<Item = &Text> {
        let removed = match &self.what {
            Dangerous::RemoveFinalizer { finalizer, .. } => Some(finalizer),
            Dangerous::OutOfService { .. }
            | Dangerous::ReleasePod { .. }
            | Dangerous::DeleteAttachment { .. }
            | Dangerous::DeleteNode { .. } => None,
        };
        self.finalizers.iter().filter(move |known| Some(*known) != removed)
    }

    /// How long the evidence is still worth something, by the server's time and by the local monotonic clock;
    /// nothing when it is not.
    pub fn left(&self, now: Timestamp, steady: SignedDuration) -> Option<SignedDuration> {
        let by_steady = self.until_steady.map(|until| until.saturating_sub(steady));
        let left = self.until.duration_since(now);
        let left = by_steady.map_or(left, |by_steady| by_steady.min(left));
        (!left.is_negative()).then_some(left)
    }

    /// It is decided with the evidence and sent at once; there is nothing more to look at.
    pub fn guard(&self, call: &Call) -> Guard {
        Guard::Send(call.clone())
    }

    pub fn refusal(&self, error: CallError) -> Refusal {
        match error {
            // Whatever changed may have been a sign of life.
            CallError::Conflict { reason } => Refusal::Changed(reason),
            CallError::Unanswered { reason } | CallError::Unauthorized { reason } => {
                Refusal::Again { pause: AGAIN, is_counted: true, reason }
            }
            CallError::TooManyRequests { reason, pause, .. } => {
                Refusal::Again { pause: pause.unwrap_or_default().max(AGAIN), is_counted: true, reason }
            }
            // The watch shows that it is gone.
            CallError::NotFound { reason } => Refusal::Again { pause: AGAIN, is_counted: true, reason },
            // The reason names the field: the object is older than the rule that it breaks.
            CallError::Invalid { reason } => Refusal::Final(
                format!(
                    "the server's validation refuses it: {reason}; put that right first, with kubectl edit"
                )
                .into(),
            ),
            error @ (CallError::ReadOnly | CallError::Forbidden { .. } | CallError::Broken { .. }) => {
                Refusal::Final(error.reason().into())
            }
        }
    }
}

const AGAIN: SignedDuration = SignedDuration::from_secs(2);
