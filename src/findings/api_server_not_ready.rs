//! The rule `api-server-not-ready`: the API server says so itself, and by which of its checks.

use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View};
use crate::cluster::Text;

pub const PROSE: &str = "The API server answers, and says at /readyz that it is not ready: the checks of its own that \
    fail are named. Without etcd nothing can be written, and what is read may be old; any other check mostly passes \
    when the server has started, and if it does not, balancers send their clients elsewhere.";

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let Some(readiness) = view.cluster.readiness().filter(|readiness| !readiness.checks.is_ready) else {
        return;
    };
    let failed = &readiness.checks.failed;
    let is_storage = failed.iter().any(|check| check.starts_with("etcd"));
    let (means, next) = if is_storage {
        (
            "nothing can be written, and what is read may be old",
            "Look at etcd: its members, their disks, and whether the API server reaches them.",
        )
    } else if failed.iter().any(|check| *check == *"shutdown") {
        ("it is shutting down", "Wait for its successor; if none comes, look at who runs it.")
    } else {
        (
            "it may still be starting",
            "Look at the API server's log; one that starts is ready within a minute.",
        )
    };
    let which = match failed.as_slice() {
        [] => "without saying why".to_owned(),
        failed => format!("by its own checks: {}", list(failed)),
    };
    found.add(Finding {
        sentence: format!("The API server is not ready {which}; {means}."),
        since: Some(readiness.since),
        evidence: failed
            .iter()
            .map(|check| Evidence::new(format!("its check {check} fails")))
            .chain([Evidence::at("it was last asked", Some(readiness.read))])
            .collect(),
        next: next.to_owned(),
        ..Finding::new(
            RuleId::ApiServerNotReady,
            if is_storage { Severity::Critical } else { Severity::Warning },
            Subject::ControlPlane,
        )
    });
}

/// The first few: a server that starts has a dozen that fail.
fn list(failed: &[Text]) -> String {
    const MOST: usize = 3;
    let named: Vec<&str> = failed.iter().take(MOST).map(Text::as_str).collect();
    match failed.len().saturating_sub(MOST) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
