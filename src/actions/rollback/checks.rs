//! What speaks against a rollback, or has to be known before it: of the history, the workload, and whoever else has a
//! say in what is wanted.

use super::{Draft, Goal, Read};
use crate::actions::edit::same_workload;
use crate::actions::probe::Needed;
use crate::actions::{Answer, Check, Sight, Verdict};
use crate::actions::{extent, rollout};
use crate::cluster::{Cluster, Image, ObjectRef, Pod, Row as _, Text, Workload};
use crate::revision::{History, Revision, short_digest};
use jiff::Timestamp;
use std::collections::BTreeSet;

pub fn checks(draft: &Draft, goal: &Goal, sight: &Sight<'_>) -> Vec<Check> {
    let [object] = draft.targets.as_slice() else {
        let reason = format!("{} are chosen, and one goes back at a time", draft.targets.len());
        return vec![Check::new(Verdict::Block, reason).remedy("choose one")];
    };
    let workload = match same_workload(object, sight.cluster) {
        Ok(workload) => workload,
        Err(reason) => return vec![gone(object, reason)],
    };
    let mut checks = vec![there(object, workload)];
    match goal.target() {
        None => {}
        Some(Err(reason)) => {
            let remedy = match &goal.read {
                Read::NotYet | Read::Failed(_) => "ask again when that is mended",
                Read::History(history) if history.limit == Some(0) => {
                    "its revisionHistoryLimit is 0, so none is kept: apply the release that worked"
                }
                Read::History(_) => "look at its history, and choose a revision that is kept",
            };
            checks.push(Check::new(Verdict::Block, reason).remedy(remedy));
        }
        Some(Ok((history, revision))) => {
            checks.extend(of_history(history, revision));
            checks.extend(of_owners(history));
            checks.extend(of_images(revision));
            checks.extend(of_moved_tags(history, revision));
            checks.extend(of_pods(history, revision, sight.cluster));
            checks.extend(of_workload(workload, revision, sight.cluster));
            checks.extend(extent::of_nodes(draft, object, sight));
        }
    }
    checks.into_iter().map(|check| check.about(object)).collect()
}

pub fn gone(object: &ObjectRef, reason: String) -> Check {
    Check::new(Verdict::Block, reason).remedy("look again, and choose what is there now").about(object)
}

/// That it is there; and whoever makes it would make it anew.
pub fn there(object: &ObjectRef, workload: Workload<'_>) -> Check {
    match workload.meta().owner.as_ref().filter(|owner| owner.is_controller) {
        Some(owner) => {
            let reason = format!("{object} is made by {} {}, which would undo it", owner.kind, owner.name);
            Check::new(Verdict::Block, reason).remedy(format!("change {} {}", owner.kind, owner.name))
        }
        None => Check::new(Verdict::Ok, format!("{object} is there, and the one you saw")),
    }
}

fn of_history(history: &History, revision: &Revision) -> Vec<Check> {
    let mut checks = Vec::new();
    if history.is_paused {
        let reason = format!("{} is paused: nothing would come of it", history.object);
        checks.push(Check::new(Verdict::Block, reason).remedy("resume it first"));
    }
    let Revision { number, name, cause, .. } = revision;
    if revision.template == history.template {
        let reason = format!("what is wanted is revision {number} already");
        checks.push(Check::new(Verdict::Skip, reason));
    } else {
        let cause = cause.non_empty().map_or_else(String::new, |cause| format!(", because: {cause}"));
        let reason = format!("revision {number} is kept by {name}{cause}");
        checks.push(Check::new(Verdict::Ok, reason));
        checks.push(Check::new(
            Verdict::Ok,
            "replicas, strategy and what config maps and secrets hold stay as they are",
        ));
    }
    checks
}

/// Whether the revision is one that does not come up either.
fn of_pods(history: &History, revision: &Revision, cluster: &Cluster) -> Option<Check> {
    let (counts, _) = history.pods(cluster);
    let at = history.revisions.iter().position(|known| known.uid == revision.uid)?;
    let count = counts.get(at).filter(|count| count.total > 0 && count.ready == 0)?;
    let reason = format!(
        "none of the {} pods of revision {} is ready: it may not work either",
        count.total, revision.number
    );
    Some(Check::new(Verdict::Warn, reason))
}

/// What the server says of something that the pods will need, and that does not go back with the template.
pub fn judged(needed: &Needed, answer: &Answer, now: Timestamp) -> Option<Check> {
    let Needed { reference, replaced, .. } = needed;
    let warning = match answer {
        Answer::No { .. } if reference.is_optional => return None,
        Answer::No { .. } => {
            format!("the {reference} is gone, and pods do not start without it: bring it back first")
        }
        Answer::Written { at } => {
            let at = (*at)?;
            if replaced.is_none_or(|replaced| at <= replaced) {
                return None;
            }
            let minutes = now.duration_since(at).as_mins().max(0);
            let ago = if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) };
            format!(
                "the {reference} was written {ago} ago, after this revision was replaced: it does not go back"
            )
        }
        Answer::Failed(error) => {
            format!("it is not known whether the {reference} is there: {}", error.reason())
        }
        // To another question.
        Answer::Yes
        | Answer::Pods(_)
        | Answer::Autoscalers(_)
        | Answer::Quotas(_)
        | Answer::Lease(_)
        | Answer::Node(_)
        | Answer::Speech(_)
        | Answer::Leader(_)
        | Answer::Others(_)
        | Answer::Ran(_) => return None,
    };
    Some(Check::new(Verdict::Warn, warning))
}

const PATCH: &str = "commit the patch that the review shows, and that `sickbay plan rollback --patch` prints";

/// Who will apply what was before, by the marks that they leave.
fn of_owners(history: &History) -> Vec<Check> {
    let label = |key: &str| history.labels.get(key).map(String::as_str);
    let annotation = |key: &str| history.annotations.get(key).map(String::as_str);
    let managed_by = label("app.kubernetes.io/managed-by").unwrap_or_default();
    let mut owners: Vec<(&str, String)> = Vec::new();
    let mut owner = |who: &'static str, name: Option<&str>| {
        if let Some(name) = name {
            owners.push((who, Text::new(name).to_string()));
        }
    };
    owner("Argo CD", annotation("argocd.argoproj.io/tracking-id").or(label("argocd.argoproj.io/instance")));
    owner("Flux", label("kustomize.toolkit.fluxcd.io/name").or(label("helm.toolkit.fluxcd.io/name")));
    let release = annotation("meta.helm.sh/release-name");
    owner("Helm", release.or((managed_by == "Helm").then_some("a release")));
    let spinnaker = annotation("moniker.spinnaker.io/application");
    owner("Spinnaker", spinnaker.or((managed_by == "spinnaker").then_some("an application")));
    let mut checks: Vec<Check> = owners
        .into_iter()
        .map(|(who, name)| {
            let reason = format!(
                "{who} ({name}) manages it and will bring back what is wanted now: go back there as well"
            );
            Check::new(Verdict::Warn, reason).remedy(PATCH)
        })
        .collect();
    if checks.is_empty() && annotation("kubectl.kubernetes.io/last-applied-configuration").is_some() {
        let reason = "it was applied from a file: the next `kubectl apply` brings back what is wanted now";
        checks.push(Check::new(Verdict::Warn, reason).remedy(PATCH));
    }
    checks
}

/// Images that may not be any more what they were.
fn of_images(revision: &Revision) -> Option<Check> {
    let loose: Vec<&str> =
        revision.images.iter().map(|image| image.image.as_str()).filter(|image| is_loose(image)).collect();
    (!loose.is_empty()).then(|| {
        let reason = format!(
            "{} names no release: what is pulled may be another image than the one that ran then",
            loose.join(", ")
        );
        Check::new(Verdict::Warn, reason)
    })
}

/// Tags that pods have got different images for.
fn of_moved_tags(history: &History, revision: &Revision) -> Vec<Check> {
    let moved = history.moved_tags();
    let of = |image: &Image| {
        let digests: Vec<&str> = moved.get(&image.image)?.iter().map(|digest| short_digest(digest)).collect();
        let (image, digests) = (&image.image, digests.join(", "));
        let reason =
            format!("pods run different images under {image} ({digests}): which of them comes is not known");
        Some(Check::new(Verdict::Warn, reason).remedy("deploy it by its digest"))
    };
    revision.images.iter().filter_map(of).collect()
}

fn is_loose(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn of_workload(workload: Workload<'_>, revision: &Revision, cluster: &Cluster) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut warn = |reason: String| checks.push(Check::new(Verdict::Warn, reason));
    let pods = cluster.pods_of(workload);
    let is_on_delete =
        "its strategy is OnDelete: a pod takes the template when somebody deletes it".to_owned();
    match workload {
        Workload::Deployment(row) if row.strategy == "Recreate" => {
            warn("its strategy is Recreate: all its pods go before new ones come".to_owned());
        }
        Workload::Deployment(_) => {
            let claims = torn(&pods, cluster);
            if !claims.is_empty() {
                let claims = claims.into_iter().collect::<Vec<_>>().join(", ");
                warn(format!(
                    "one node at a time may have {claims}: a new pod on another node waits until the old one is \
                     deleted, so a downtime cannot be avoided"
                ));
            }
        }
        Workload::StatefulSet(row) if row.is_on_delete() => warn(is_on_delete),
        Workload::StatefulSet(row) => {
            if let Some(partition) = row.partition.filter(|partition| *partition > 0) {
                warn(format!("its partition keeps pods below number {partition} as they are"));
            }
            if let Some(pod) = rollout::blocking(row, &revision.name, cluster) {
                warn(format!(
                    "{} is broken ({}) and is not replaced by itself: it is deleted when the set goes back",
                    pod.object(),
                    pod.status()
                ));
            }
        }
        Workload::DaemonSet(row) if row.is_on_delete() => warn(is_on_delete),
        Workload::DaemonSet(_) | Workload::ReplicaSet(_) | Workload::Job(_) => {}
    }
    let spent: BTreeSet<&Text> = pods
        .iter()
        .flat_map(|pod| cluster.budgets_covering(pod))
        .filter(|budget| budget.disruptions_allowed == 0)
        .map(|budget| &budget.meta.name.name)
        .collect();
    if !spent.is_empty() {
        let names = spent.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        warn(format!("the budget {names} allows no disruption now, and a rollout does not ask it"));
    }
    checks
}

/// The claims of these pods that one node at a time may have.
fn torn<'a>(pods: &[&'a Pod], cluster: &Cluster) -> BTreeSet<&'a str> {
    let claims = pods
        .iter()
        .flat_map(|pod| pod.claims.iter().map(|claim| (pod.meta.name.namespace.clone(), claim.as_str())));
    let is_torn = |(namespace, claim): &(Text, &str)| {
        let name = crate::cluster::Name::new(namespace.clone(), *claim);
        cluster.persistent_volume_claims.get(&name).is_some_and(|claim| !claim.access.is_shared())
    };
    claims.filter(is_torn).map(|(_, claim)| claim).collect()
}
