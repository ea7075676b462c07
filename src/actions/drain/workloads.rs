//! What a drain means for those whose pods go: only replicas, jobs that start over, and traffic that breaks off.

use super::forecast::{Scene, named};
use crate::actions::preflight::{Check, Verdict};
use crate::cluster::{Job, Kind, ObjectRef, Pod, Row as _, Workload};
use std::collections::BTreeMap;

pub fn checks(scene: &Scene<'_>) -> Vec<Check> {
    let mut groups: BTreeMap<ObjectRef, (Workload<'_>, Vec<&Pod>)> = BTreeMap::new();
    let mut checks = Vec::new();
    for pod in scene.moving() {
        match scene.cluster.workload_of(pod) {
            Some(workload) => {
                let group = groups.entry(workload.object()).or_insert_with(|| (workload, Vec::new()));
                group.1.push(pod);
            }
            None => checks.extend(orphan(pod, scene)),
        }
    }
    checks.extend(groups.values().filter_map(|(workload, pods)| of_workload(*workload, pods)));
    checks.extend(traffic(scene));
    checks
}

/// A controller that is known not to be there any more; one of another kind is believed to be.
fn orphan(pod: &Pod, scene: &Scene<'_>) -> Option<Check> {
    let owner = pod.meta.owner.as_ref().filter(|owner| owner.is_controller)?;
    let kind = [Kind::ReplicaSet, Kind::StatefulSet, Kind::Job]
        .into_iter()
        .find(|kind| owner.kind == *kind.word())?;
    scene.cluster.has_read(kind).then(|| {
        let reason = format!(
            "{} belongs to {} {}, which is gone: nothing makes it anew",
            pod.meta.name, owner.kind, owner.name
        );
        Check::new(Verdict::Warn, reason).about(&pod.object())
    })
}

fn of_workload(workload: Workload<'_>, pods: &[&Pod]) -> Option<Check> {
    let (object, counts) = (workload.object(), workload.counts());
    let ready = pods.iter().filter(|pod| pod.is_ready()).count();
    let reason = match workload {
        Workload::Job(job) => return Some(of_job(job, pods)),
        Workload::Deployment(_) | Workload::ReplicaSet(_) | Workload::StatefulSet(_)
            if counts.desired == 1 =>
        {
            format!("{object} has one replica: it is away until it is ready elsewhere")
        }
        Workload::Deployment(_) | Workload::ReplicaSet(_) | Workload::StatefulSet(_)
            if ready > 0 && ready >= counts.ready as usize =>
        {
            format!("all {ready} ready pods of {object} go")
        }
        Workload::Deployment(_)
        | Workload::ReplicaSet(_)
        | Workload::StatefulSet(_)
        | Workload::DaemonSet(_) => return None,
    };
    Some(Check::new(Verdict::Warn, reason).about(&object))
}

fn of_job(job: &Job, pods: &[&Pod]) -> Check {
    let left = job.backoff_limit.saturating_sub(job.failed);
    let end = match left as usize {
        left if left < pods.len() => ", and it fails when they count as failures".to_owned(),
        left => format!(", and {left} of its {} retries are left", job.backoff_limit),
    };
    let names = named(pods.iter().map(|pod| &pod.meta.name));
    let reason = format!("{} starts over what {names} does{end}", job.object());
    Check::new(Verdict::Warn, reason).about(&job.object())
}

/// Pods that get traffic and say neither when they are able to take it nor wait before they end.
fn traffic(scene: &Scene<'_>) -> Vec<Check> {
    if !scene.cluster.has_read(Kind::Service) {
        return Vec::new();
    }
    let serves = |pod: &&Pod| scene.cluster.services_selecting(pod).next().is_some();
    let serving: Vec<&Pod> = scene.moving().filter(serves).collect();
    let told = |lacks: fn(&Pod) -> bool, what: &str| {
        let lacking: Vec<&Pod> = serving.iter().copied().filter(|pod| lacks(pod)).collect();
        let names = named(lacking.iter().map(|pod| &pod.meta.name));
        (!lacking.is_empty()).then(|| Check::new(Verdict::Warn, format!("{what}: {names}")))
    };
    let hooks = told(
        |pod| !pod.has_pre_stop,
        "no preStop hook, and a Service sends traffic: requests may still arrive while it ends",
    );
    let probes = told(
        |pod| !pod.has_readiness_probe,
        "no readiness probe, and a Service sends traffic: its replacement gets it before it is able to",
    );
    hooks.into_iter().chain(probes).collect()
}
