//! The rule `namespace-stuck`: a namespace that was deleted and stays, and on what.

use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View, words};
use crate::cluster::{ApiService, Cluster, Condition, Namespace, Row, Status};
use jiff::SignedDuration;

pub const PROSE: &str = "A namespace was deleted more than two minutes ago and is still there. Its own conditions say on \
    what: objects with finalizers that nobody takes away, content that cannot be deleted, or an API group that does \
    not answer, mostly of an aggregated server that is down.";

const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for namespace in view.cluster.namespaces.values().filter(|namespace| namespace.meta.is_deleting()) {
        let asked = namespace.meta.deletion.map(|deletion| deletion.deadline);
        if view.has_lasted(asked, PATIENCE, found) {
            found.add(finding(view.cluster, namespace));
        }
    }
}

fn finding(cluster: &Cluster, namespace: &Namespace) -> Finding {
    let asked = namespace.meta.deletion.map(|deletion| deletion.deadline);
    let mut held: Vec<&Condition> =
        namespace.conditions.iter().filter(|condition| condition.status == Status::True).collect();
    // What remains follows from an API group that does not answer, and from finalizers.
    held.sort_by_key(|condition| match condition.kind.as_str() {
        "NamespaceDeletionDiscoveryFailure" => 0,
        "NamespaceDeletionGroupVersionParsingFailure" => 1,
        "NamespaceFinalizersRemaining" => 2,
        "NamespaceDeletionContentFailure" => 3,
        _ => 4,
    });
    let why = held
        .first()
        .map_or_else(|| "it does not say on what".to_owned(), |first| words::quote(&first.message));
    let next = match held.first().map(|first| first.kind.as_str()) {
        Some("NamespaceDeletionDiscoveryFailure" | "NamespaceDeletionGroupVersionParsingFailure") => {
            "Look at the API service that it names: while that is down, no namespace can be deleted."
        }
        Some("NamespaceFinalizersRemaining") => {
            "Find what should take those finalizers away; without it the objects stay, and so does the namespace."
        }
        Some(_) | None => "Look at what is left in it.",
    };
    Finding {
        sentence: words::ended(format!(
            "Namespace {} was deleted and is still there: {why}",
            namespace.meta.name
        )),
        since: asked,
        evidence: held
            .iter()
            .map(|condition| {
                Evidence::at(
                    format!("{}: {}", condition.kind, words::quote(&condition.message)),
                    condition.changed,
                )
            })
            .collect(),
        next: next.to_owned(),
        cause: held.first().and_then(|first| api_service(cluster, first)),
        ..Finding::new(RuleId::NamespaceStuck, Severity::Warning, namespace.object())
    }
}

/// The API service that is down and that the discovery fails for: the message names its group and version.
fn api_service(cluster: &Cluster, condition: &Condition) -> Option<Subject> {
    if condition.kind != "NamespaceDeletionDiscoveryFailure" {
        return None;
    }
    let is_named = |row: &&ApiService| {
        let name = format!("{}/{}", row.group, row.version);
        let mut words = condition.message.split([' ', ',', ':']);
        words.any(|word| word.trim_end_matches('.') == name)
    };
    let mut down = cluster.api_services.values().filter(|row| row.outage().is_some());
    down.find(is_named).map(|row| row.object().into())
}
