//! The rule `api-service-down`: a part of the API is served by another server, and that one does not answer.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{ApiService, Row};
use jiff::SignedDuration;

pub const PROSE: &str = "An aggregated API is not available: the API server cannot reach the server behind it, in its \
    own words. Clients of that group fail, and so does whoever needs to know all groups: while it lasts no namespace \
    can be deleted, and the garbage collector and quotas may not see objects of that group. Metrics are the most \
    common one, and without them nothing is scaled automatically.";

/// A server that starts is reported within half a minute.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for row in view.cluster.api_services.values() {
        let Some(outage) = row.outage() else { continue };
        if !view.has_lasted(outage.changed, PATIENCE, found) {
            continue;
        }
        let name = &row.meta.name;
        let server = match &row.service {
            Some(service) => format!("service {service}"),
            None => "the API server itself".to_owned(),
        };
        let why = if outage.message.is_empty() { &outage.reason } else { &outage.message };
        found.add(Finding {
            sentence: format!(
                "API {name} is down: {server} does not serve it ({}). {}o namespace can be deleted.",
                words::quote(if outage.reason.is_empty() { why } else { &outage.reason }),
                loss(row),
            ),
            since: outage.changed,
            evidence: vec![Evidence::at(
                format!("Available is {}: {}", outage.status.word(), words::quote(why)),
                outage.changed,
            )],
            next: match &row.service {
                Some(service) => format!(
                    "Look at the pods behind service {service}; if what it served is gone for good, delete the \
                     APIService."
                ),
                None => "Look at the API server's log.".to_owned(),
            },
            ..Finding::new(RuleId::ApiServiceDown, Severity::Warning, row.object())
        });
    }
}

/// What is gone with the well-known ones, up to what is gone with each.
fn loss(row: &ApiService) -> &'static str {
    match row.group.as_str() {
        "metrics.k8s.io" => "Autoscalers stand still, `kubectl top` fails, and n",
        "custom.metrics.k8s.io" | "external.metrics.k8s.io" => "Autoscalers that go by it stand still, and n",
        _ => "N",
    }
}
