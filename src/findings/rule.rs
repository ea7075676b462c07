//! The table of rules: their ids, what each looks for in prose, what it must have read, and its function.

use super::{
    Found, View, api_server_not_ready, api_service_down, attachment_of_no_volume, budget_held_by_unready,
    budget_never_allows, budgets_overlap, claim_not_bound, claim_stuck, cloud_controller_manager_silent,
    control_plane_suspect, controller_manager_silent, namespace_stuck, node_cordon_forgotten, node_gone,
    node_lease_quiet, node_not_ready, node_out_of_service_alive, node_registered_anew, node_returned_empty,
    node_shut_down, node_silent, node_under_pressure, nodes_silent_together, pod_crash_looping,
    pod_image_not_pulled, pod_never_evicted, pod_not_scheduled, pod_stuck_terminating, pods_evicted,
    pods_not_created, pods_stuck_on_node, rollout_blocks_itself, rollout_stuck, scheduler_silent,
    service_losing_requests, service_without_ready_pods, stateful_set_blocked, update_refused,
    volume_attach_failing, volume_detach_stuck, volume_failed, volume_on_unready_node, volume_wanted_twice,
    workload_short,
};
use crate::cluster::{Component, Feed, Kind, Pod, Service, Since, Text, Workload};
use std::fmt;

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub id: RuleId,
    /// It judges only when all of these were read at some time and none is behind the others.
    pub needs: &'static [Feed],
    /// It judges what it can without these, and tells by itself what it could not know.
    pub uses: &'static [Feed],
    pub judge: Judge,
}

/// What a rule judges one by one, so that only what has changed has to be judged again. A rule may look at the
/// subject and at what `reach` counts among its neighbours, and at nothing beyond.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// The whole picture, at every evaluation: for what is rare, or small.
    Whole(fn(&View<'_>, &mut Found)),
    /// The whole picture, when nodes, volumes or attachments have changed, and for nothing else.
    Storage(fn(&View<'_>, &mut Found)),
    /// A node by its name, because what is said of one that is gone is said by that.
    Node(fn(&View<'_>, &Text, &mut Found)),
    Pod(fn(&View<'_>, &Pod, &mut Found)),
    Service(fn(&View<'_>, &Service, &mut Found)),
    /// A workload that does not have what it wants, and since when that is seen.
    Workload(fn(&View<'_>, Workload<'_>, Since, &mut Found)),
}

/// What a rule needs, as the table below names it: a kind, or a stream that is none.
macro_rules! need {
    (ControllerManager) => {
        Feed::Leader(Component::ControllerManager)
    };
    (Scheduler) => {
        Feed::Leader(Component::Scheduler)
    };
    (Checks) => {
        Feed::Checks
    };
    ($kind:ident) => {
        Feed::Watch(Kind::$kind)
    };
}

macro_rules! rules {
    ($($rule:ident, $id:literal, $module:ident, $judge:ident, [$($need:ident),*] $(uses [$($used:ident),*])?;)*) => {
        /// A rule by its id, which users see and which never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId { $($rule,)* }

        /// All rules, in the order in which they are documented. Of two that say something of one object, the
        /// first is the root.
        pub const RULES: &[Rule] = &[$(
            Rule {
                id: RuleId::$rule,
                needs: &[$(need!($need)),*],
                uses: &[$($(need!($used)),*)?],
                judge: Judge::$judge($module::evaluate),
            },
        )*];

        impl RuleId {
            pub const fn id(self) -> &'static str {
                match self { $(Self::$rule => $id,)* }
            }

            /// What the rule looks for and why it matters, in one paragraph.
            pub const fn prose(self) -> &'static str {
                match self { $(Self::$rule => $module::PROSE,)* }
            }
        }
    };
}

rules! {
    ApiServerNotReady, "api-server-not-ready", api_server_not_ready, Whole, [Checks];
    ControllerManagerSilent, "controller-manager-silent", controller_manager_silent, Whole, [ControllerManager];
    SchedulerSilent, "scheduler-silent", scheduler_silent, Whole, [Scheduler];
    CloudControllerManagerSilent, "cloud-controller-manager-silent", cloud_controller_manager_silent, Whole, [];
    ControlPlaneSuspect, "control-plane-suspect", control_plane_suspect, Whole, [Node];
    NodesSilentTogether, "nodes-silent-together", nodes_silent_together, Whole, [Node];
    NodeSilent, "node-silent", node_silent, Node, [] uses [Node];
    NodeGone, "node-gone", node_gone, Node, [] uses [Node, Pod, VolumeAttachment];
    NodeNotReady, "node-not-ready", node_not_ready, Node, [] uses [Node];
    NodeOutOfServiceAlive, "node-out-of-service-alive", node_out_of_service_alive, Whole, [] uses [Node];
    NodeLeaseQuiet, "node-lease-quiet", node_lease_quiet, Whole, [] uses [Node];
    NodeShutDown, "node-shut-down", node_shut_down, Whole, [] uses [Node];
    NodeUnderPressure, "node-under-pressure", node_under_pressure, Whole, [] uses [Node];
    NodeRegisteredAnew, "node-registered-anew", node_registered_anew, Whole, [VolumeAttachment] uses [Node];
    NodeCordonForgotten, "node-cordon-forgotten", node_cordon_forgotten, Whole, [] uses [Node];
    NodeReturnedEmpty, "node-returned-empty", node_returned_empty, Whole, [Node, Pod];
    PodsStuckOnNode, "pods-stuck-on-node", pods_stuck_on_node, Whole, [Node, Pod];
    UpdateRefused, "update-refused", update_refused, Whole, [];
    PodStuckTerminating, "pod-stuck-terminating", pod_stuck_terminating, Pod, [] uses [Node, Pod];
    PodNeverEvicted, "pod-never-evicted", pod_never_evicted, Node, [Node, Pod];
    PodCrashLooping, "pod-crash-looping", pod_crash_looping, Pod, [] uses [Pod];
    PodImageNotPulled, "pod-image-not-pulled", pod_image_not_pulled, Pod, [] uses [Pod];
    PodNotScheduled, "pod-not-scheduled", pod_not_scheduled, Pod, [] uses [Pod];
    PodsEvicted, "pods-evicted", pods_evicted, Whole, [] uses [Pod];
    VolumeOnUnreadyNode, "volume-on-unready-node", volume_on_unready_node, Node, [] uses [Node, Pod, PersistentVolume, VolumeAttachment];
    VolumeWantedTwice, "volume-wanted-twice", volume_wanted_twice, Whole, [Node, Pod, PersistentVolume, VolumeAttachment];
    VolumeAttachFailing, "volume-attach-failing", volume_attach_failing, Whole, [Node, VolumeAttachment];
    VolumeDetachStuck, "volume-detach-stuck", volume_detach_stuck, Whole, [Node, VolumeAttachment];
    AttachmentOfNoVolume, "attachment-of-no-volume", attachment_of_no_volume, Storage, [Node, PersistentVolume, VolumeAttachment];
    ClaimNotBound, "claim-not-bound", claim_not_bound, Whole, [Pod, PersistentVolumeClaim];
    ClaimStuck, "claim-stuck", claim_stuck, Whole, [Pod, PersistentVolumeClaim] uses [PersistentVolume];
    VolumeFailed, "volume-failed", volume_failed, Whole, [] uses [PersistentVolume];
    RolloutBlocksItself, "rollout-blocks-itself", rollout_blocks_itself, Whole, [Node, Pod, PersistentVolume, VolumeAttachment, Deployment, ReplicaSet];
    PodsNotCreated, "pods-not-created", pods_not_created, Workload, [] uses [Deployment, ReplicaSet, StatefulSet, DaemonSet];
    RolloutStuck, "rollout-stuck", rollout_stuck, Workload, [Deployment, ReplicaSet, Pod];
    StatefulSetBlocked, "stateful-set-blocked", stateful_set_blocked, Workload, [Node, Pod, StatefulSet];
    WorkloadShort, "workload-short", workload_short, Workload, [Node, Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet];
    ServiceLosingRequests, "service-losing-requests", service_losing_requests, Service, [Node, Pod, Service];
    ServiceWithoutReadyPods, "service-without-ready-pods", service_without_ready_pods, Service, [Node, Pod, Service];
    BudgetNeverAllows, "budget-never-allows", budget_never_allows, Whole, [Node, Pod, PodDisruptionBudget];
    BudgetHeldByUnready, "budget-held-by-unready", budget_held_by_unready, Whole, [Node, Pod, PodDisruptionBudget];
    BudgetsOverlap, "budgets-overlap", budgets_overlap, Whole, [Pod, PodDisruptionBudget];
    ApiServiceDown, "api-service-down", api_service_down, Whole, [ApiService];
    NamespaceStuck, "namespace-stuck", namespace_stuck, Whole, [] uses [Namespace];
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
