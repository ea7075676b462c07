//! The rule `claim-stuck`: a claim that was deleted and stays, and who keeps it.

use super::pod_stuck_terminating::{names, owners};
use super::{Evidence, Finding, Found, RuleId, Severity, Subject, View, blame, words};
use crate::cluster::{Deletion, Name, ObjectRef, PersistentVolume, PersistentVolumeClaim, Pod, Row, Text};
use jiff::Timestamp;

pub const PROSE: &str = "A claim was deleted and is still there, because pods use it, those that have ended included, or \
    because a finalizer of somebody else holds it. A deletion cannot be taken back: with the last of these pods the \
    claim goes, and where the reclaim policy is Delete the data goes with it. Deleted by mistake, it is saved by a \
    reclaim policy of Retain before that.";

/// What the server puts on each claim, and takes away when no pod uses it any more.
const IN_USE: &str = "kubernetes.io/pvc-protection";
/// Pods that are shown among the evidence.
const SHOWN: usize = 5;

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    for claim in view.cluster.deleting_claims() {
        let Some(deletion) = claim.meta.deletion else { continue };
        let users: Vec<&Pod> = if claim.meta.finalizers.iter().any(|held| *held == IN_USE) {
            // As the controller counts them: what has no node yet will not be started with it.
            let pods = view.cluster.pods_of_claim(&claim.meta.name);
            pods.filter(|pod| !pod.node.is_empty()).collect()
        } else {
            Vec::new()
        };
        if view.has_lasted(Some(begun(deletion, &users)), view.timers.deletion_slack, found) {
            found.add(finding(view, claim, (deletion, &users)));
        }
    }
}

/// From when on it is in the way: where all who use it are on their way out, they have their grace first.
fn begun(deletion: Deletion, users: &[&Pod]) -> Timestamp {
    let deadlines: Option<Vec<Timestamp>> =
        users.iter().map(|pod| pod.meta.deletion.map(|deletion| deletion.deadline)).collect();
    deadlines.into_iter().flatten().max().map_or(deletion.deadline, |last| last.max(deletion.deadline))
}

fn finding(
    view: &View<'_>,
    claim: &PersistentVolumeClaim,
    (deletion, users): (Deletion, &[&Pod]),
) -> Finding {
    let volume = view.cluster.persistent_volumes.get(&Name::cluster(claim.volume.clone()));
    let others: Vec<Text> = claim.meta.finalizers.iter().filter(|held| **held != IN_USE).cloned().collect();
    let pods: Vec<ObjectRef> = users.iter().map(|pod| pod.object()).collect();
    let is_kept = volume.is_some_and(|volume| volume.reclaim_policy == "Retain");
    // A new pod of the same owner cannot start with it, so nothing comes back by itself either.
    let severity =
        if is_kept && others.is_empty() && !users.is_empty() { Severity::Notice } else { Severity::Warning };
    let is_leaving = !users.is_empty() && users.iter().all(|pod| pod.meta.is_deleting());
    Finding {
        about: pods.iter().cloned().chain(volume.map(Row::object)).collect(),
        sentence: format!(
            "Claim {} was deleted and is still there{}.",
            claim.meta.name,
            because(&pods, &others, volume)
        ),
        since: Some(deletion.requested()),
        evidence: evidence(claim, (deletion, users), volume),
        next: next(users, &others, volume),
        cause: is_leaving.then(|| cause(view, users)).flatten(),
        ..Finding::new(RuleId::ClaimStuck, severity, claim.object())
    }
}

/// What keeps those who use it from leaving.
fn cause(view: &View<'_>, users: &[&Pod]) -> Option<Subject> {
    let first = users.first()?.object();
    blame::all(view, users.iter().copied()).or_else(|| Some(first.into()))
}

fn because(users: &[ObjectRef], others: &[Text], volume: Option<&PersistentVolume>) -> String {
    let held = |also: &str| format!("it is {also}held by the {} of {}", names(others), owners(others));
    match (users, others) {
        ([], []) => ", although no pod uses it and nobody else holds it".to_owned(),
        ([], _) => format!(": {}", held("")),
        (users, others) => {
            let verb = words::verb(users.len(), "uses", "use");
            let also = if others.is_empty() { String::new() } else { format!("; {}", held("also ")) };
            format!(": {} {verb} it{}{also}", words::pods(users), fate(users.len(), volume))
        }
    }
}

/// What becomes of the data when it goes.
fn fate(users: usize, volume: Option<&PersistentVolume>) -> String {
    let Some(volume) = volume else { return String::new() };
    let name = &volume.meta.name;
    let go = words::verb(users, "goes", "go");
    match volume.reclaim_policy.as_str() {
        "Delete" => format!(", and when {} {go} its volume {name} is deleted with the data", they(users)),
        "Retain" => format!(", and its volume {name} is kept when {} {go}", they(users)),
        _ => String::new(),
    }
}

const fn they(many: usize) -> &'static str {
    words::verb(many, "that", "they")
}

fn next(users: &[&Pod], others: &[Text], volume: Option<&PersistentVolume>) -> String {
    if users.is_empty() {
        return if others.is_empty() {
            "Look at kube-controller-manager, which lets claims go that are not used.".to_owned()
        } else {
            format!(
                "Find out what keeps {} from finishing with it; taking the finalizer away skips that work.",
                owners(others)
            )
        };
    }
    let over = users.iter().all(|pod| pod.phase.is_terminal());
    let go = if over {
        "Delete the pods that have ended, and it goes: they count for as long as they are there."
    } else if users.iter().all(|pod| pod.meta.is_deleting()) {
        "It goes when they do: look at what keeps them."
    } else {
        "When it is to go, delete the pods: it goes with the last of them."
    };
    match volume.filter(|volume| volume.reclaim_policy == "Delete") {
        Some(volume) => format!(
            "If the data is needed, set the reclaim policy of volume {} to Retain before anything else: the \
             deletion cannot be taken back. {go}",
            volume.meta.name
        ),
        None => go.to_owned(),
    }
}

fn evidence(
    claim: &PersistentVolumeClaim,
    (deletion, users): (Deletion, &[&Pod]),
    volume: Option<&PersistentVolume>,
) -> Vec<Evidence> {
    let mut evidence = vec![
        Evidence::at("told to go", Some(deletion.requested())),
        Evidence::new(format!("finalizers: {}", claim.meta.finalizers.join(", "))),
    ];
    evidence.extend(users.iter().take(SHOWN).map(|pod| {
        let state = match (pod.phase.is_terminal(), pod.meta.is_deleting()) {
            (true, _) => "has ended and still counts",
            (false, true) => "is on its way out",
            (false, false) => "was not told to go",
        };
        Evidence::new(format!("pod {} on {} {state}", pod.meta.name, pod.node))
    }));
    if let Some(more) = users.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        evidence.push(Evidence::new(format!("and {} more", words::count(more, "pod"))));
    }
    if let Some(volume) = volume {
        let (name, policy) = (&volume.meta.name, &volume.reclaim_policy);
        evidence.push(Evidence::new(format!("the reclaim policy of volume {name} is {policy}")));
    }
    evidence
}
