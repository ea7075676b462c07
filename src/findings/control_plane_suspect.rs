//! The rule `control-plane-suspect`: so many nodes silent at once that the nodes are not the likeliest cause.

use super::outage::Pace;
use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View};

pub const PROSE: &str = "All nodes are silent or not ready, or most of them in a cluster without zones; a node \
    whose lease stands still counts before the controller says so. Machines do not die together: the control plane, \
    or the network between it and the nodes, is likelier to be ill. The controllers know this, too, and halt or slow \
    the evictions, so no countdown runs. Nothing may be forced on the word of a control plane that is in doubt.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let Some(outage) = &view.outages.all else { return };
    let lost = outage.unready + outage.standing;
    let which =
        if lost == outage.total { format!("All {lost}") } else { format!("{lost} of {}", outage.total) };
    let are = match (outage.unready, outage.standing) {
        (_, 0) => "are silent or not ready",
        (0, _) => "do not renew their leases",
        (_, _) => "are silent or not ready, or do not renew their leases",
    };
    let how_many = format!("{which} nodes {are}");
    let evictions = match outage.pace {
        Pace::Normal => "",
        Pace::Slowed => " Evictions are slowed meanwhile.",
        Pace::Halted => " Evictions are halted meanwhile.",
    };
    found.add(Finding {
        about: outage.silent.clone(),
        sentence: format!(
            "{how_many}: the control plane, or the network to it, is likelier to be ill than each of them.{evictions}"
        ),
        since: outage.since,
        evidence: vec![Evidence::at("the first of them fell silent", outage.since)],
        next: "Look at the controller-manager, the API server and the network to the nodes; force nothing.".to_owned(),
        ..Finding::new(RuleId::ControlPlaneSuspect, Severity::Critical, Subject::ControlPlane)
    });
}
