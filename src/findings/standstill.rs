//! What a silent controller-manager does to all that is said: what waits for a controller does not come.

use super::{Bound, Evidence, Finding, RuleId};
use crate::cluster::{Cluster, Component};

/// Says of every finding that waits for a controller that it waits in vain, while nobody leads the controllers.
pub fn mark(cluster: &Cluster, findings: &mut [Finding]) {
    let silent = cluster.leader(Component::ControllerManager);
    let Some(leader) = silent.filter(|_| cluster.is_silent(Component::ControllerManager)) else { return };
    for finding in findings {
        let waits = finding.clock.as_mut().filter(|clock| clock.what.is_of_controllers());
        let has_clock = waits.is_some();
        if let Some(clock) = waits {
            clock.bound = Bound::Halted;
            finding.sentence.push_str(" Not before kube-controller-manager leads again: it is silent.");
        }
        if has_clock || awaits_controllers(finding.rule) {
            let text = "kube-controller-manager is silent: no controller acts before it leads again";
            finding.evidence.insert(0, Evidence::at(text, Some(leader.last_sign())));
            finding.next = after(&finding.next);
        }
    }
}

/// The next step, after the one that it takes to have any effect.
fn after(next: &str) -> String {
    let mut letters = next.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    format!(
        "Bring kube-controller-manager back first; then {}{}",
        first.unwrap_or_default(),
        letters.as_str()
    )
}

/// Whether what it speaks of goes on by a controller.
const fn awaits_controllers(rule: RuleId) -> bool {
    match rule {
        RuleId::NodeSilent
        | RuleId::NodeNotReady
        | RuleId::NodeGone
        | RuleId::PodStuckTerminating
        | RuleId::PodsNotCreated
        | RuleId::RolloutStuck
        | RuleId::StatefulSetBlocked
        | RuleId::WorkloadShort
        | RuleId::VolumeOnUnreadyNode
        | RuleId::VolumeAttachFailing
        | RuleId::VolumeDetachStuck
        | RuleId::AttachmentOfNoVolume
        | RuleId::ClaimNotBound
        | RuleId::ClaimStuck
        | RuleId::NamespaceStuck => true,
        RuleId::ApiServerNotReady
        | RuleId::ControllerManagerSilent
        | RuleId::SchedulerSilent
        | RuleId::CloudControllerManagerSilent
        | RuleId::ControlPlaneSuspect
        | RuleId::ApiServiceDown
        | RuleId::NodesSilentTogether
        | RuleId::NodeOutOfServiceAlive
        | RuleId::NodeLeaseQuiet
        | RuleId::NodeShutDown
        | RuleId::NodeUnderPressure
        | RuleId::NodeRegisteredAnew
        | RuleId::NodeCordonForgotten
        | RuleId::NodeReturnedEmpty
        | RuleId::PodNeverEvicted
        | RuleId::PodCrashLooping
        | RuleId::PodImageNotPulled
        | RuleId::PodNotScheduled
        | RuleId::PodsEvicted
        | RuleId::VolumeWantedTwice
        | RuleId::VolumeFailed
        | RuleId::RolloutBlocksItself
        | RuleId::ServiceLosingRequests
        | RuleId::ServiceWithoutReadyPods
        | RuleId::BudgetNeverAllows
        | RuleId::BudgetHeldByUnready
        | RuleId::BudgetsOverlap
        | RuleId::UpdateRefused
        | RuleId::PodsStuckOnNode => false,
    }
}
