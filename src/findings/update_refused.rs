//! The rule `update-refused`: an object that is to go and that the server lets nobody update.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Acceptance, Fault, Kind, Meta, Text, Tried};
use jiff::SignedDuration;

pub const PROSE: &str = "An object was told to go and the server refuses every update of it, so nobody can take its \
    finalizers away, their own controllers included. Mostly it was stored before an upgrade or a new schema became \
    stricter, and the server names the field; or a policy or a webhook stands in the way. Asked by a dry run that \
    changes nothing, when the object is opened or with `--try-updates`, and never in a read-only session.";

/// What was said so long ago is not told any more: a webhook may be back, a policy may be gone.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// Fields that are shown with the server's words.
const SHOWN: usize = 5;

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for (tried, meta) in view.cluster.trials() {
        let is_old = view.has_lasted(Some(tried.at), FRESH, found);
        if !is_old
            && meta.is_deleting()
            && let Some((why, next)) = refusal(&tried.trial.said, meta)
        {
            found.add(finding(tried, meta, (&why, next)));
        }
    }
}

fn finding(tried: &Tried, meta: &Meta, (why, next): (&str, String)) -> Finding {
    let object = &tried.trial.object;
    let held = match &*meta.finalizers {
        [] => String::new(),
        [one] => format!(" Nobody can take its finalizer {one} away."),
        many => format!(" Nobody can take its finalizers {} away.", many.join(", ")),
    };
    let faults: &[Fault] = match &tried.trial.said {
        Acceptance::Invalid { faults } => faults,
        Acceptance::Accepted
        | Acceptance::Denied { .. }
        | Acceptance::Unreachable { .. }
        | Acceptance::Unknown { .. } => &[],
    };
    let mut evidence =
        vec![Evidence::at("a dry run of an update that changes nothing was refused", Some(tried.at))];
    evidence.extend(
        faults
            .iter()
            .take(SHOWN)
            .map(|fault| Evidence::new(format!("{}: {}", fault.field, words::quote(&fault.message)))),
    );
    if let Some(more) = faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        evidence.push(Evidence::new(format!("and {} more", words::count(more, "field"))));
    }
    // With none to take away it can still be deleted.
    let severity = if meta.finalizers.is_empty() { Severity::Notice } else { Severity::Warning };
    Finding {
        sentence: words::ended(format!("{} {} cannot be updated: {why}", noun(object.kind), object.name))
            + &held,
        since: Some(tried.refused_since),
        evidence,
        next,
        ..Finding::new(RuleId::UpdateRefused, severity, object.clone())
    }
}

/// Why, and what can be done about it; nothing where the server has not refused it.
fn refusal(said: &Acceptance, meta: &Meta) -> Option<(String, String)> {
    match said {
        Acceptance::Invalid { faults } => {
            let fields = fields(faults);
            let many = faults.len();
            let why = format!(
                "the server finds {} {fields} not valid any more",
                words::verb(many, "its field", "its fields")
            );
            let write = match &*meta.finalizers {
                [] => "",
                [_, ..] => ", in the same write that takes the finalizers away",
            };
            let next = format!(
                "Write a value that the server takes to {fields}{write}; where it may not be changed, the schema \
                 has to allow it again, or an API server of the earlier version has to write it."
            );
            Some((why, next))
        }
        Acceptance::Denied { reason } => Some((
            format!("the server does not let it pass: {}", words::quote(reason)),
            "Change what the policy or the webhook asks for, or exempt what is to go from it; then its own \
             controller can finish."
                .to_owned(),
        )),
        Acceptance::Unreachable { reason } => Some((
            format!("a webhook that has to be asked does not answer: {}", words::quote(reason)),
            "Bring the webhook's service back, or take its configuration away until it is: all writes that it \
             is asked about are refused meanwhile."
                .to_owned(),
        )),
        Acceptance::Accepted | Acceptance::Unknown { .. } => None,
    }
}

/// "a", "a and b", "a, b and 3 more".
fn fields(faults: &[Fault]) -> String {
    let mut names: Vec<&Text> = faults.iter().map(|fault| &fault.field).collect();
    names.dedup();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::PersistentVolume => "Volume",
        Kind::PersistentVolumeClaim => "Claim",
        Kind::VolumeAttachment => "Attachment",
        Kind::Node
        | Kind::Pod
        | Kind::Namespace
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::PodDisruptionBudget
        | Kind::Service
        | Kind::ApiService
        | Kind::Event => kind.word(),
    }
}
