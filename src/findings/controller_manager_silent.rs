//! The rule `controller-manager-silent`: nobody leads the controllers, so no countdown will run.

use super::{Finding, Found, RuleId, Severity, View, leader_silent};
use crate::cluster::Component;

pub const PROSE: &str = "The leader lease of kube-controller-manager stands still for longer than it is good for: no \
    controller runs. No pod is evicted or replaced, no volume is detached by force, no rollout goes on, nothing is \
    collected, and a node that dies is not declared silent. Every clock that waits for one of these stands, and \
    says so. Judged by when the lease was seen to move, never by what is written in it.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let as_rule = (RuleId::ControllerManagerSilent, Severity::Critical);
    if let Some(silent) = leader_silent::finding(view, Component::ControllerManager, as_rule) {
        found.add(Finding {
            sentence:
                "kube-controller-manager is silent: no pod is evicted or replaced, no volume is detached, no \
                       rollout goes on, and no countdown runs."
                    .to_owned(),
            ..silent
        });
    }
}
