//! The rule `service-without-ready-pods`: a service with pods behind it, none of which is ready.

use super::{Evidence, Finding, Found, RuleId, Severity, View, blame, words};
use crate::cluster::{ObjectRef, Pod, Row, Service};
use jiff::SignedDuration;

pub const PROSE: &str = "A service selects pods, and none of them has been ready for more than a minute: whoever calls it \
    is refused. A service that selects no pod at all is none: it may be scaled to zero on purpose.";

const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// Pods that were never ready may be starting for so long.
const START: SignedDuration = SignedDuration::from_mins(10);

pub fn evaluate(view: &View<'_>, service: &Service, found: &mut Found) {
    let Some(selector) = service.selector().filter(|_| !service.publishes_unready) else { return };
    if !view.cluster.has_unready_pods(service) {
        return;
    }
    let name = &service.meta.name;
    let pods: Vec<&Pod> = view
        .cluster
        .pods_matching(&name.namespace, &selector)
        .filter(|pod| !pod.phase.is_terminal() && !pod.is_owned_by("Job"))
        .collect();
    let is_serving = |pod: &&Pod| pod.is_ready() && !pod.meta.is_deleting();
    if pods.is_empty() || pods.iter().any(is_serving) {
        return;
    }
    let since = pods.iter().filter_map(|pod| pod.unready_since()).max();
    if !view.has_lasted(since, PATIENCE, found) {
        return;
    }
    let oldest = pods.iter().filter_map(|pod| pod.meta.created).min();
    let is_starting = !view.has_lasted(oldest, START, found);
    let objects: Vec<ObjectRef> = pods.iter().map(|pod| pod.object()).collect();
    found.add(Finding {
        sentence: format!(
            "Service {name} has no ready pod: {} {} ({}).",
            words::pods(&objects),
            words::verb(objects.len(), "is not ready", "are not ready"),
            pods.first().map_or_else(String::new, |pod| pod.status()),
        ),
        about: objects,
        since,
        evidence: vec![Evidence::new(format!("{} there with {selector}", words::are(pods.len(), "pod")))],
        next: "Look at its pods: each says what it waits for.".to_owned(),
        cause: blame::any(view, &pods),
        ..Finding::new(
            RuleId::ServiceWithoutReadyPods,
            if is_starting { Severity::Warning } else { Severity::Critical },
            service.object(),
        )
    });
}
