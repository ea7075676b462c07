//! Drain: a node cordoned, and its pods asked to go, as `kubectl drain` does it; budgets are respected and waited for.
//!
//! What becomes of each pod is decided in [`choice`], what that means for all of them together in `forecast`, and
//! what is sent for one of them in [`removal`]. It deliberately drains no silent node: nobody there would confirm
//! that anything is gone.

mod budgets;
pub mod choice;
mod forecast;
pub mod removal;
mod room;
mod volumes;
pub mod wait;
mod workloads;

pub use choice::{Choice, Chosen, Why, choices};
pub use removal::Removal;
pub use wait::{Replacement, Wait, replacements};

use super::audit::Author;
use super::call::Call;
use super::preflight::Check;
use super::probe::Right;
use super::{Danger, Draft, Plan, Sight, Spec, Step, cordon};
use crate::cluster::{Cluster, Kind, ObjectRef, Selector, Text, Workload};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub const LIST_PODS: Right = Right { verb: "list", group: "", resource: "pods", subresource: "" };
pub const EVICT_PODS: Right = Right { verb: "create", group: "", resource: "pods", subresource: "eviction" };
pub const DELETE_PODS: Right = Right { verb: "delete", group: "", resource: "pods", subresource: "" };

pub const DRAIN: Spec = Spec {
    id: "drain",
    title: "Drain",
    doc: "Cordon a node and have its pods go elsewhere, as far as their budgets allow.",
    kinds: &[Kind::Node],
    danger: Danger::Reversible,
    rights: &[cordon::PATCH_NODES, LIST_PODS, EVICT_PODS],
    relies_on: &[Kind::Node, Kind::Pod, Kind::DaemonSet],
    looks_at: &[
        Kind::PodDisruptionBudget,
        Kind::Deployment,
        Kind::ReplicaSet,
        Kind::StatefulSet,
        Kind::Job,
        Kind::Service,
        Kind::PersistentVolume,
        Kind::PersistentVolumeClaim,
    ],
};

/// With kubectl's names and meaning. The one other default: the pods of daemon sets are left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[expect(clippy::struct_excessive_bools, reason = "kubectl's flags, one by one")]
pub struct Options {
    /// For every pod, in seconds; nothing is each pod's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_period: Option<u32>,
    /// Seconds for a node's pods to be gone; 0 is no end.
    pub timeout: u64,
    /// Pods without a controller go too, and nothing makes them anew.
    pub force: bool,
    pub ignore_daemonsets: bool,
    /// Pods with an emptyDir go too, and what is in it is lost.
    pub delete_emptydir_data: bool,
    /// Pods are deleted, and their budgets are not asked.
    pub disable_eviction: bool,
    /// Only pods with these labels, as kubectl takes it; empty for all.
    pub pod_selector: Text,
    /// A pod that is that many seconds past its deadline is not waited for; 0 waits for each.
    pub skip_wait_for_delete_timeout: u32,
    /// Sickbay's own: it is done when what had to move is as ready elsewhere as it was.
    pub wait_for_replacements: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            grace_period: None,
            timeout: 0,
            force: false,
            ignore_daemonsets: true,
            delete_emptydir_data: false,
            disable_eviction: false,
            pod_selector: Text::default(),
            skip_wait_for_delete_timeout: 0,
            wait_for_replacements: false,
        }
    }
}

impl Options {
    /// Which pods it is about; why the words are no selector otherwise.
    pub fn selector(&self) -> Result<Selector, String> {
        Selector::parse(&self.pod_selector)
            .map_err(|reason| format!("the pod selector {:?}: {reason}", self.pod_selector.as_str()))
    }

    /// When a node's pods are given up that were begun with then.
    pub fn end(&self, began: Timestamp) -> Option<Timestamp> {
        let seconds = i64::try_from(self.timeout).ok().filter(|seconds| *seconds > 0)?;
        began.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    /// The command that comes nearest to it.
    pub fn kubectl(&self, node: &ObjectRef) -> String {
        let mut words = vec![format!("kubectl drain {}", node.name)];
        let mut flag = |is_given: bool, word: String| words.extend(is_given.then_some(word));
        flag(self.ignore_daemonsets, "--ignore-daemonsets".to_owned());
        flag(self.delete_emptydir_data, "--delete-emptydir-data".to_owned());
        flag(self.force, "--force".to_owned());
        flag(self.disable_eviction, "--disable-eviction".to_owned());
        if let Some(grace) = self.grace_period {
            flag(true, format!("--grace-period={grace}"));
        }
        flag(self.timeout > 0, format!("--timeout={}s", self.timeout));
        flag(!self.pod_selector.is_empty(), format!("--pod-selector='{}'", self.pod_selector));
        let skip = self.skip_wait_for_delete_timeout;
        flag(skip > 0, format!("--skip-wait-for-delete-timeout={skip}"));
        words.join(" ")
    }
}

/// Cordons first, all of them; then one node after another: its pods, and a last look at it.
pub fn plan(draft: &Draft, options: &Options, (cluster, author): (&Cluster, &Author)) -> Plan {
    let mut plan = Plan::of(cordon::cordon_steps(draft, cluster, author), Danger::Reversible);
    for node in &draft.targets {
        let chosen = choices(options, node, (cluster, author.at));
        // As a whole or not at all: kubectl's way, and the only one that can be read beforehand.
        if cordon::same_node(node, cluster).is_err() || chosen.iter().any(Chosen::is_blocked) {
            continue;
        }
        plan.danger = plan.danger.max(choice::danger(options, &chosen));
        let going = chosen.iter().filter(|chosen| chosen.choice.goes());
        let calls: Vec<Call> =
            going.map(|chosen| removal_of(&chosen.pod, node, (options, cluster))).collect();
        let replaced = wait::replaced(node, calls.iter(), cluster);
        plan.then(calls.into_iter().map(Step::Call).collect());
        if options.wait_for_replacements {
            plan.then(vec![Step::Wait(replaced)]);
        }
        let emptied = Wait::Emptied { node: node.clone(), options: Box::new(options.clone()) };
        plan.then(vec![Step::Wait(emptied)]);
    }
    plan
}

fn removal_of(pod: &ObjectRef, node: &ObjectRef, (options, cluster): (&Options, &Cluster)) -> Call {
    let workload = cluster.pods.get(&pod.name).and_then(|pod| cluster.workload_of(pod));
    let removal = Removal {
        pod: pod.clone(),
        node: node.clone(),
        workload: workload.map(Workload::object),
        grace: options.grace_period,
        skip_wait: options.skip_wait_for_delete_timeout,
    };
    let removal = Box::new(removal);
    if options.disable_eviction { Call::DeletePod(removal) } else { Call::Evict(removal) }
}

pub fn checks(draft: &Draft, options: &Options, sight: &Sight<'_>) -> Vec<Check> {
    forecast::checks(draft, options, sight)
}

#[cfg(test)]
mod tests;
