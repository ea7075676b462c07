//! The rule `volume-failed`: a volume that could not be reclaimed.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::Row;

pub const PROSE: &str = "A persistent volume is Failed: its claim is gone and the provisioner could not delete or recycle \
    it. It costs, and blocks a volume of the same name. A volume that is Released and kept on purpose is none.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for volume in view.cluster.failed_volumes() {
        let why = volume.message.non_empty().or(volume.reason.non_empty());
        let why = why.map_or_else(String::new, |why| format!(": {}", words::quote(why)));
        found.add(Finding {
            sentence: format!("Volume {} has failed{why}.", volume.meta.name),
            evidence: vec![Evidence::new(format!("its reclaim policy is {}", volume.reclaim_policy))],
            next: "Look at what its driver says; delete it by hand when its data is not needed.".to_owned(),
            ..Finding::new(RuleId::VolumeFailed, Severity::Warning, volume.object())
        });
    }
}
