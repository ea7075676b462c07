//! The rule `nodes-silent-together`: several silent nodes that share a zone, a rack or a host have one cause.

use super::outage::Pace;
use super::{Evidence, Finding, Found, RuleId, Severity, View, words};

pub const PROSE: &str = "Several nodes are silent, or their leases stand still together; they share a zone, rack or host label, and they are at least half of \
    the nodes that carry it: one cause there is likelier than many. In a zone where more than two nodes and 55 % \
    are not ready the controller evicts at a tenth of its rate, or, where the zone has no more than 50 nodes, not \
    at all.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for (place, outage) in &view.outages.places {
        let silent = outage.silent.len();
        let evictions = match outage.pace {
            Pace::Normal => "",
            Pace::Slowed => " Evictions are slowed there.",
            Pace::Halted => " Evictions are halted there: no pod is told to go.",
        };
        let which = if silent == outage.total {
            format!("All {silent}")
        } else {
            format!("{silent} of {}", outage.total)
        };
        // Not before the controller has said it of one of them.
        let severity = if outage.standing == silent { Severity::Warning } else { Severity::Critical };
        let are = match outage.standing {
            0 => "are silent",
            all if all == silent => "do not renew their leases",
            _ => "are silent or do not renew their leases",
        };
        found.add(Finding {
            about: outage.silent.clone(),
            sentence: format!(
                "{which} nodes of {place} {are}: one cause there is likelier than {silent}.{evictions}"
            ),
            since: outage.since,
            evidence: vec![
                Evidence::at("the first of them fell silent", outage.since),
                Evidence::new(format!("{} not ready there", words::are(outage.unready, "node"))),
            ],
            next: format!("Look at what the nodes of {place} share: power, network, storage, a hypervisor."),
            ..Finding::new(RuleId::NodesSilentTogether, severity, place.clone())
        });
    }
}
