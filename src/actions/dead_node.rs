//! The actions for a machine that is silent, or that came back: what each plans and checks.
//!
//! Whether a machine is dead is not said here but in `evidence`, and what the controllers do then in `milestone`.

mod plans;
mod retire;
mod volume;
mod words;

pub use plans::{plan, stays};
pub use words::checks;

use super::call::{Call, CallError, Guard, Refusal, Shown};
use super::dangerous::{
    DELETE_ATTACHMENTS, DELETE_NODES, GET_LEASES, GET_NODES, LIST_ATTACHMENTS, OUT_OF_SERVICE,
    PATCH_ATTACHMENTS, PATCH_NAMESPACES, PATCH_PODS,
};
use super::{Danger, Right, Spec, cordon, drain};
use crate::cluster::{Cluster, Kind, Node, ObjectRef, Pod, Readiness, Taint, Text};
use jiff::SignedDuration;

/// What is watched for all of them.
const RELIES_ON: &[Kind] =
    &[Kind::Node, Kind::Pod, Kind::PersistentVolume, Kind::PersistentVolumeClaim, Kind::VolumeAttachment];
const LOOKS_AT: &[Kind] = &[
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::PodDisruptionBudget,
    Kind::Service,
];
/// What the evidence asks for beside the request itself.
const EVIDENCE: [Right; 7] = [
    cordon::PATCH_NODES,
    GET_NODES,
    GET_LEASES,
    drain::LIST_PODS,
    drain::DELETE_PODS,
    LIST_ATTACHMENTS,
    DELETE_ATTACHMENTS,
];

const fn dangerous(id: &'static str, title: &'static str, doc: &'static str) -> Spec {
    Spec {
        id,
        title,
        doc,
        kinds: &[Kind::Node],
        danger: Danger::Destructive,
        rights: &EVIDENCE,
        relies_on: RELIES_ON,
        looks_at: LOOKS_AT,
    }
}

pub const RETURN_TO_SERVICE: Spec = Spec {
    danger: Danger::Reversible,
    rights: &[cordon::PATCH_NODES],
    ..dangerous(
        "return-to-service",
        "Return to service",
        "Take the out-of-service taint off a node that is back, whoever put it on, wait until nothing old is left on \
         it, and uncordon it.",
    )
};
pub const REPLACE_PODS: Spec = Spec {
    danger: Danger::Reversible,
    rights: &[drain::DELETE_PODS],
    ..dangerous(
        "replace-pods",
        "Replace pods",
        "Have the stateless pods of a silent node made anew elsewhere at once, and not after five minutes.",
    )
};
pub const FORCE_DETACH: Spec = dangerous(
    "force-detach",
    "Force-detach",
    "Have the pods of a dead node released and its volumes detached, by the out-of-service taint.",
);
pub const RELEASE_POD: Spec = Spec {
    kinds: &[Kind::Pod],
    ..dangerous(
        "release-pod",
        "Release pod",
        "Take a pod that is stuck off the API without its kubelet's word that it has ended.",
    )
};
pub const DETACH_VOLUME: Spec = Spec {
    kinds: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    ..dangerous(
        "detach-volume",
        "Detach volume",
        "Release the pods of one volume that hangs on a dead node, and wait until the controller detaches it.",
    )
};
pub const DELETE_ATTACHMENT: Spec = Spec {
    kinds: &[Kind::VolumeAttachment],
    ..dangerous(
        "delete-attachment",
        "Delete attachment",
        "Detach one volume from a dead node; the first of the last resorts.",
    )
};
const DELETE_NODE_RIGHTS: [Right; 8] = [
    DELETE_NODES,
    cordon::PATCH_NODES,
    GET_NODES,
    GET_LEASES,
    drain::LIST_PODS,
    drain::DELETE_PODS,
    LIST_ATTACHMENTS,
    DELETE_ATTACHMENTS,
];
pub const DELETE_NODE: Spec = Spec {
    rights: &DELETE_NODE_RIGHTS,
    ..dangerous(
        "delete-node",
        "Delete node",
        "Take a dead node off the API: its pods are released, and its volumes detached after six minutes.",
    )
};
pub const RETIRE: Spec = Spec {
    rights: &DELETE_NODE_RIGHTS,
    ..dangerous(
        "retire",
        "Retire",
        "Take a node that does not come back off the API, when nothing hangs on it any more, and wait for another.",
    )
};
const REMOVE_FINALIZER_RIGHTS: [Right; 3] = [PATCH_PODS, PATCH_NAMESPACES, PATCH_ATTACHMENTS];
pub const REMOVE_FINALIZER: Spec = Spec {
    kinds: &[Kind::Pod, Kind::Namespace, Kind::VolumeAttachment],
    rights: &REMOVE_FINALIZER_RIGHTS,
    relies_on: &[
        Kind::Node,
        Kind::Pod,
        Kind::PersistentVolume,
        Kind::PersistentVolumeClaim,
        Kind::VolumeAttachment,
        Kind::Namespace,
    ],
    ..dangerous(
        "remove-finalizer",
        "Remove finalizer",
        "Have an object go that waits for one who does not come; the very last resort.",
    )
};

// -- the calls that need no proof -----------------------------------------------------------------------------------

/// Takes the out-of-service taint off a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmark {
    pub node: ObjectRef,
    /// The version that was looked at: the taints are written as a whole.
    pub version: Text,
    /// What is left on it.
    pub taints: Vec<Taint>,
    /// On a sign of life; otherwise only from a node that speaks.
    pub is_retracted: bool,
}

impl Unmark {
    pub fn of(node: &ObjectRef, is_retracted: bool) -> Self {
        Self { node: node.clone(), version: Text::default(), taints: Vec::new(), is_retracted }
    }

    /// As the node is now.
    pub fn dated(&self, row: &Node) -> Self {
        let stay = row.taints.iter().filter(|taint| *taint.key != *OUT_OF_SERVICE);
        Self { version: row.meta.resource_version.clone(), taints: stay.cloned().collect(), ..self.clone() }
    }

    pub fn guard(&self, cluster: &Cluster) -> Guard {
        let row = match cordon::same_node(&self.node, cluster) {
            Ok(row) => row,
            Err(reason) => return Guard::Stop { reason },
        };
        if !row.is_out_of_service() {
            return Guard::Needless { reason: format!("{} is not marked out of service", self.node) };
        }
        match row.readiness() {
            Readiness::Silent | Readiness::New if !self.is_retracted => Guard::Stop {
                reason: format!(
                    "{} is silent: without its mark its volumes are not detached, and its pods not released",
                    self.node
                ),
            },
            Readiness::Silent | Readiness::New | Readiness::NotReady | Readiness::Ready => {
                Guard::Send(Call::Unmark(self.dated(row)))
            }
        }
    }

    pub fn shown(&self, cluster: &Cluster) -> Shown {
        let is_off = cordon::same_node(&self.node, cluster).is_ok_and(|row| !row.is_out_of_service());
        if is_off { Shown::Done } else { Shown::Nothing }
    }

    pub fn is_outdated(&self, cluster: &Cluster) -> bool {
        let row = cluster.nodes.get(&self.node.name);
        row.is_none_or(|row| row.meta.resource_version != self.version)
    }

    /// What a refusal means for it. On a sign of life it is asked for until it is done.
    pub fn refusal(&self, error: CallError) -> Refusal {
        match error {
            CallError::Broken { reason } if self.is_retracted => {
                Refusal::Again { pause: AGAIN, is_counted: false, reason }
            }
            error => cordon::refusal(error),
        }
    }

    pub fn sentence(&self) -> String {
        format!("take the out-of-service mark off {}", self.node)
    }

    pub fn kubectl(&self) -> String {
        format!("kubectl taint node {} {OUT_OF_SERVICE}-", self.node.name)
    }
}

/// Has a pod of a silent node made anew: a plain deletion, with its grace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacing {
    pub pod: ObjectRef,
    pub node: ObjectRef,
}

impl Replacing {
    fn row<'a>(&self, cluster: &'a Cluster) -> Option<&'a Pod> {
        cluster.pods.same(&self.pod)
    }

    pub fn guard(&self, call: &Call, cluster: &Cluster) -> Guard {
        let node = match cordon::same_node(&self.node, cluster) {
            Ok(node) => node,
            Err(reason) => return Guard::Stop { reason },
        };
        let Some(row) = self.row(cluster) else {
            return Guard::Needless { reason: format!("{} is gone", self.pod) };
        };
        if row.meta.is_deleting() {
            return Guard::Needless { reason: format!("{} is to go already", self.pod) };
        }
        match node.readiness() {
            Readiness::Silent => match plans::stays(row, cluster) {
                Some(reason) => Guard::Stop { reason: format!("{}: {reason}", self.pod) },
                None => Guard::Send(call.clone()),
            },
            readiness @ (Readiness::NotReady | Readiness::New | Readiness::Ready) => Guard::Stop {
                reason: format!(
                    "{} is {}, and silent no more: nothing has to be replaced",
                    self.node,
                    readiness.word()
                ),
            },
        }
    }

    /// Told to go is enough: nobody there confirms that it is gone, and its replacement does not wait for that.
    pub fn shown(&self, cluster: &Cluster) -> Shown {
        let is_going = self.row(cluster).is_none_or(|row| row.meta.is_deleting());
        if is_going { Shown::Done } else { Shown::Nothing }
    }
}

/// What a refusal means for a pod of a silent node that was to be made anew.
pub fn replacing_refusal(error: CallError) -> Refusal {
    let again = |reason, is_counted| Refusal::Again { pause: AGAIN, is_counted, reason };
    match error {
        CallError::NotFound { reason } | CallError::Conflict { reason } | CallError::Broken { reason } => {
            again(reason, true)
        }
        CallError::Unanswered { reason } | CallError::Unauthorized { reason } => again(reason, false),
        CallError::TooManyRequests { reason, pause, .. } => {
            Refusal::Busy { pause: pause.unwrap_or(AGAIN), reason }
        }
        error @ (CallError::ReadOnly | CallError::Forbidden { .. } | CallError::Invalid { .. }) => {
            Refusal::Final(error.reason().into())
        }
    }
}

const AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// The node on which an object is, where it is on one.
pub fn node_of(object: &ObjectRef, cluster: &Cluster) -> Option<ObjectRef> {
    use crate::cluster::Row as _;
    cluster.meta(object)?;
    let name = match object.kind {
        Kind::Pod => &cluster.pods.get(&object.name)?.node,
        Kind::VolumeAttachment => &cluster.volume_attachments.get(&object.name)?.node,
        Kind::Node => &object.name.name,
        Kind::PersistentVolume
        | Kind::PersistentVolumeClaim
        | Kind::Namespace
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::PodDisruptionBudget
        | Kind::Service
        | Kind::Event
        | Kind::ApiService => return None,
    };
    Some(cluster.node(name)?.object())
}
