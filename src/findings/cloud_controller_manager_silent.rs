//! The rule `cloud-controller-manager-silent`: nobody tells the cluster what becomes of its machines.

use super::{Finding, Found, RuleId, Severity, View, leader_silent};
use crate::cluster::Component;

pub const PROSE: &str = "The leader lease of cloud-controller-manager stands still for longer than it is good for: nodes \
    of machines that the cloud has deleted or shut down stay as they are, new nodes stay tainted as not initialised, \
    and load balancers do not follow their services. A cluster without such a lease has nothing of the kind to look \
    at, and nothing is said.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let as_rule = (RuleId::CloudControllerManagerSilent, Severity::Warning);
    if let Some(silent) = leader_silent::finding(view, Component::CloudControllerManager, as_rule) {
        found.add(Finding {
            sentence: "cloud-controller-manager is silent: machines that the cloud deleted keep their nodes, and load \
                       balancers do not follow their services."
                .to_owned(),
            ..silent
        });
    }
}
