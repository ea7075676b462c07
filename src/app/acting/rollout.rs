//! A rollout as it is watched: its revisions with their pods, those that come and go, what holds it up and how long it
//! may take.
//!
//! It decides nothing: how far the rollout is, `actions::rollout` says by kubectl's rules.

use crate::actions::rollout::blocking;
use crate::app::time::short;
use crate::cluster::{
    Cluster, DaemonSet, Deployment, Image, ObjectRef, Pod, ReplicaSet, Rollout, State, StatefulSet, Status,
    Text, Workload,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A rollout at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched<'a> {
    /// The one that is wanted first.
    pub revisions: Vec<Part>,
    /// In whole sentences: of the pods that hold it up the first, which mostly stands for the others.
    pub holds: Vec<String>,
    /// The clock that runs against it.
    pub clock: Option<String>,
    /// What needs a look first, then what comes, then what goes.
    pub pods: Vec<Moving<'a>>,
}

/// A revision with its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub is_wanted: bool,
    pub number: Option<i64>,
    pub name: Text,
    /// Nothing where its controller does not say.
    pub wanted: Option<u32>,
    pub pods: u32,
    pub ready: u32,
    /// Ready for as long as it takes; nothing where it is not counted by revision.
    pub available: Option<u32>,
    pub images: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving<'a> {
    pub pod: &'a Pod,
    pub stage: Stage,
    /// As what it is not ready, in a word; or until when it may end.
    pub why: String,
}

/// Where a pod of a rollout stands, what needs a hand first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Stuck,
    Coming,
    Going,
}

impl Stage {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Coming => "coming",
            Self::Going => "going",
        }
    }
}

/// What there is to be seen of a rollout; nothing of what has none, or is gone.
pub fn watched<'a>(object: &ObjectRef, cluster: &'a Cluster, now: Timestamp) -> Option<Watched<'a>> {
    let workload = cluster.workload(object)?;
    let pods = cluster.pods_of(workload);
    let (revisions, mut holds, clock) = match workload {
        Workload::Deployment(row) => {
            (of_sets(row, cluster), holds_of_deployment(row, cluster), clock(row, now))
        }
        Workload::StatefulSet(row) => (of_numbers(row, &pods), holds_of_set(row, cluster), None),
        Workload::DaemonSet(row) => (of_nodes(row, &pods), on_delete(row.is_on_delete()), None),
        Workload::ReplicaSet(_) | Workload::Job(_) => return None,
    };
    let mut pods: Vec<Moving<'_>> = pods.into_iter().filter_map(|pod| moving(pod, now)).collect();
    pods.sort_by(|one, other| (one.stage, &one.pod.meta.name).cmp(&(other.stage, &other.pod.meta.name)));
    holds.extend(pods.first().and_then(held_by));
    Some(Watched { revisions, holds, clock, pods })
}

// -- revisions ------------------------------------------------------------------------------------------------

fn of_sets(deployment: &Deployment, cluster: &Cluster) -> Vec<Part> {
    let newest =
        cluster.newest_set_of(deployment).filter(|_| deployment.generation <= deployment.observed_generation);
    let is_wanted = |set: &ReplicaSet| newest.is_some_and(|newest| newest.meta.uid == set.meta.uid);
    let mut parts: Vec<Part> = cluster
        .replica_sets_of(deployment)
        .into_iter()
        .filter(|set| is_wanted(set) || set.replicas > 0 || set.current > 0)
        .map(|set| Part {
            is_wanted: is_wanted(set),
            number: set.revision,
            name: set.meta.name.name.clone(),
            wanted: Some(set.replicas),
            pods: set.current,
            ready: set.ready,
            available: Some(set.available),
            images: images(&set.images),
        })
        .collect();
    parts.sort_by_key(|part| (!part.is_wanted, std::cmp::Reverse(part.number)));
    parts
}

fn of_numbers(set: &StatefulSet, pods: &[&Pod]) -> Vec<Part> {
    let kept = set.partition.unwrap_or_default().min(set.replicas);
    let wanted = |is_wanted: bool| match (set.is_on_delete(), is_wanted) {
        (true, _) => None,
        (false, true) => Some(set.replicas - kept),
        (false, false) => Some(kept),
    };
    of_marks(Some(&set.update_revision), pods, (wanted, &set.images))
}

/// A daemon set does not say what its newest revision is called: it is that of the youngest pod, if any is updated.
fn of_nodes(set: &DaemonSet, pods: &[&Pod]) -> Vec<Part> {
    let youngest = pods.iter().max_by_key(|pod| pod.meta.created).and_then(|pod| pod.revision());
    let newest = youngest.filter(|_| set.updated > 0).map(Text::new);
    let wanted = |is_wanted: bool| match (set.is_on_delete(), is_wanted) {
        (true, _) => None,
        (false, true) => Some(set.desired),
        (false, false) => Some(0),
    };
    of_marks(newest.as_ref(), pods, (wanted, &set.images))
}

fn of_marks(
    newest: Option<&Text>,
    pods: &[&Pod],
    (wanted, template): (impl Fn(bool) -> Option<u32>, &[Image]),
) -> Vec<Part> {
    let mut by_mark: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    by_mark.extend(newest.map(|newest| (newest.as_str(), Vec::new())));
    for pod in pods.iter().filter(|pod| !pod.phase.is_terminal()) {
        by_mark.entry(pod.revision().unwrap_or_default()).or_default().push(pod);
    }
    let mut parts: Vec<Part> = by_mark
        .into_iter()
        .map(|(mark, pods)| {
            let is_wanted = newest.is_some_and(|newest| **newest == *mark);
            let ready = pods.iter().filter(|pod| pod.is_ready() && !pod.meta.is_deleting()).count();
            Part {
                is_wanted,
                number: None,
                name: mark.into(),
                wanted: wanted(is_wanted),
                pods: u32::try_from(pods.len()).unwrap_or(u32::MAX),
                ready: u32::try_from(ready).unwrap_or(u32::MAX),
                available: None,
                images: if is_wanted { images(template) } else { images_of(pods.first().copied()) },
            }
        })
        .collect();
    parts.sort_by_key(|part| !part.is_wanted);
    parts
}

fn short_image(image: &str) -> &str {
    image.rsplit('/').next().unwrap_or_default()
}

fn images(images: &[Image]) -> String {
    let images = images.iter().filter(|image| !image.is_init).map(|image| short_image(&image.image));
    images.collect::<Vec<_>>().join(" ")
}

fn images_of(pod: Option<&Pod>) -> String {
    let containers = pod.into_iter().flat_map(|pod| &pod.containers);
    containers.map(|container| short_image(&container.image)).collect::<Vec<_>>().join(" ")
}

// -- what holds it up -----------------------------------------------------------------------------------------

fn holds_of_deployment(deployment: &Deployment, cluster: &Cluster) -> Vec<String> {
    let mut holds = Vec::new();
    if deployment.is_paused {
        holds.push("it is paused: nothing rolls out before it is resumed".to_owned());
    }
    let refused = cluster
        .newest_set_of(deployment)
        .and_then(|set| set.condition("ReplicaFailure"))
        .or_else(|| deployment.condition("ReplicaFailure"))
        .filter(|condition| condition.status == Status::True);
    holds.extend(refused.map(|condition| format!("its pods are refused: {}", condition.message)));
    holds
}

fn holds_of_set(set: &StatefulSet, cluster: &Cluster) -> Vec<String> {
    let mut holds = on_delete(set.is_on_delete());
    if let Some(partition) = set.partition.filter(|partition| *partition > 0 && !set.is_on_delete()) {
        holds.push(format!("its partition keeps the pods below number {partition} as they are"));
    }
    holds.extend(
        blocking(set, &set.update_revision, cluster).map(|pod| {
            format!("{} is broken and not replaced before somebody deletes it", pod.meta.name.name)
        }),
    );
    holds
}

fn on_delete(is_on_delete: bool) -> Vec<String> {
    let words = "its strategy is OnDelete: a pod takes the template when somebody deletes it";
    if is_on_delete { vec![words.to_owned()] } else { Vec::new() }
}

fn clock(deployment: &Deployment, now: Timestamp) -> Option<String> {
    let deadline = SignedDuration::from_secs(deployment.progress_deadline?.into());
    if let Rollout::DeadlineExceeded { since } = deployment.rollout() {
        let ago =
            since.map_or_else(String::new, |since| format!(" {} ago", short(now.duration_since(since))));
        return Some(format!("stuck: its deadline of {} without progress was over{ago}", short(deadline)));
    }
    let left = deployment.stuck_at()?.duration_since(now);
    let passed = short(deadline - left);
    Some(if left.is_positive() {
        format!("no progress for {passed}; stuck in {} if none comes", short(left))
    } else {
        format!("no progress for {passed}; its deadline of {} is over", short(deadline))
    })
}

fn moving(pod: &Pod, now: Timestamp) -> Option<Moving<'_>> {
    if let Some(deletion) = pod.meta.deletion {
        let left = deletion.deadline.duration_since(now);
        let why = if left.is_positive() {
            format!("killed in {} at the latest", short(left))
        } else {
            format!("should have ended {} ago", short(-left))
        };
        return Some(Moving { pod, stage: Stage::Going, why });
    }
    if pod.is_ready() || pod.phase.is_terminal() {
        return None;
    }
    // What only starts is no trouble yet.
    let is_stuck = pod.is_troubled() && !is_starting(pod);
    let stage = if is_stuck { Stage::Stuck } else { Stage::Coming };
    Some(Moving { pod, stage, why: pod.status() })
}

fn held_by(Moving { pod, stage, .. }: &Moving<'_>) -> Option<String> {
    let message = message(pod);
    (*stage == Stage::Stuck && !message.is_empty())
        .then(|| format!("{} holds it up: {}: {message}", pod.meta.name.name, pod.status()))
}

fn is_starting(pod: &Pod) -> bool {
    let unscheduled = pod.condition("PodScheduled").is_some_and(|told| told.status != Status::True);
    let waits_for = |state: &State| match state {
        State::Waiting { reason, .. } => *reason != "ContainerCreating" && *reason != "PodInitializing",
        State::Unreported | State::None | State::Running { .. } | State::Terminated(_) => false,
    };
    let mut containers = pod.containers.iter().chain(&pod.init_containers);
    !unscheduled && !containers.any(|container| waits_for(&container.state) || container.was_held_back())
}

/// What its kubelet or the scheduler says of it.
fn message(pod: &Pod) -> &str {
    let waits = |state: &'_ State| matches!(state, State::Waiting { message, .. } if !message.is_empty());
    let containers = pod.init_containers.iter().chain(&pod.containers);
    let waiting = containers.map(|container| &container.state).find(|state| waits(state));
    if let Some(State::Waiting { message, .. }) = waiting {
        return message;
    }
    let unscheduled = pod.condition("PodScheduled").filter(|told| told.status != Status::True);
    unscheduled.map_or("", |told| told.message.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::{at, condition, meta, pod};
    use crate::cluster::{Change, Container, Delta, Labels, Meta, Owner, Phase, Row as _};

    fn owned(name: &str, (kind, owner): (&str, &Meta)) -> Meta {
        let (of, uid) = (owner.name.name.clone(), owner.uid.clone());
        let owner = Owner { kind: kind.into(), name: of, uid, is_controller: true };
        Meta { owner: Some(owner), ..meta(name) }
    }

    fn unready(mut row: Pod, reason: &str, message: &str) -> Pod {
        let state = State::Waiting { reason: reason.into(), message: message.into() };
        row.phase = Phase::Pending;
        row.conditions = [condition("Ready", Status::False, "ContainersNotReady", 0)].into();
        row.containers = [Container { name: "web".into(), state, ..Container::default() }].into();
        row
    }

    fn web() -> Deployment {
        Deployment {
            meta: meta("shop/web"),
            replicas: 3,
            generation: 5,
            observed_generation: 5,
            current: 4,
            updated: 1,
            ready: 3,
            available: 3,
            conditions: [condition("Progressing", Status::True, "ReplicaSetUpdated", 0)].into(),
            progress_deadline: Some(600),
            progressed: Some(at(0)),
            ..Deployment::default()
        }
    }

    fn set(name: &str, revision: i64, replicas: u32, ready: u32) -> ReplicaSet {
        let mut meta = owned(name, ("Deployment", &web().meta));
        // The one that it went back to is the older one.
        meta.created = Some(at(-revision));
        let current = replicas;
        ReplicaSet { meta, replicas, current, ready, revision: Some(revision), ..ReplicaSet::default() }
    }

    fn cluster(web: Deployment, pods: Vec<Pod>) -> Cluster {
        let mut cluster = Cluster::default();
        let sets =
            [set("shop/web-new", 3, 1, 0), set("shop/web-old", 2, 3, 3), set("shop/web-kept", 1, 0, 0)];
        cluster.apply(Change::Deployment(Delta::Apply(Box::new(web))), at(0));
        for set in sets {
            cluster.apply(Change::ReplicaSet(Delta::Apply(Box::new(set))), at(0));
        }
        cluster.apply_all(pods.into_iter().map(Into::into), at(0));
        cluster
    }

    #[test]
    fn the_revision_that_is_wanted_comes_first_and_those_without_pods_are_left_out() {
        let cluster = cluster(web(), Vec::new());
        let seen = watched(&web().object(), &cluster, at(60)).unwrap();
        let told: Vec<(bool, Option<i64>, u32, u32)> =
            seen.revisions.iter().map(|part| (part.is_wanted, part.number, part.pods, part.ready)).collect();
        assert_eq!(told, [(true, Some(3), 1, 0), (false, Some(2), 3, 3)]);
        assert_eq!(seen.clock.as_deref(), Some("no progress for 60s; stuck in 9m if none comes"));
    }

    #[test]
    fn before_its_controller_has_seen_it_no_revision_is_the_wanted_one() {
        let cluster = cluster(Deployment { generation: 6, ..web() }, Vec::new());
        let seen = watched(&web().object(), &cluster, at(60)).unwrap();
        assert!(seen.revisions.iter().all(|part| !part.is_wanted));
        assert_eq!(seen.clock, None);
    }

    #[test]
    fn a_pod_that_needs_a_hand_is_named_with_its_reason_before_those_that_come_and_go() {
        let new = |name: &str| {
            let mut row = pod(name, "worker-1");
            row.meta = owned(name, ("ReplicaSet", &set("shop/web-new", 3, 1, 0).meta));
            row
        };
        let mut going = new("shop/a-going");
        going.meta.deletion = Some(crate::cluster::Deletion { deadline: at(90), grace_seconds: 30 });
        let mut ready = new("shop/d-ready");
        ready.conditions = [condition("Ready", Status::True, "", 0)].into();
        let pods = vec![
            going,
            unready(new("shop/b-coming"), "ContainerCreating", ""),
            unready(new("shop/c-stuck"), "ImagePullBackOff", "Back-off pulling image \"web:2\""),
            ready,
        ];
        let cluster = cluster(web(), pods);
        let seen = watched(&web().object(), &cluster, at(60)).unwrap();
        let told: Vec<(Stage, &str)> =
            seen.pods.iter().map(|moving| (moving.stage, moving.why.as_str())).collect();
        assert_eq!(
            told,
            [
                (Stage::Stuck, "ImagePullBackOff"),
                (Stage::Coming, "ContainerCreating"),
                (Stage::Going, "killed in 30s at the latest"),
            ]
        );
        assert_eq!(seen.holds, ["c-stuck holds it up: ImagePullBackOff: Back-off pulling image \"web:2\""]);
    }

    #[test]
    fn what_holds_a_stateful_set_is_told_and_its_partition_is_no_hold_up() {
        let set = StatefulSet {
            meta: meta("shop/db"),
            replicas: 3,
            strategy: "RollingUpdate".into(),
            partition: Some(1),
            update_revision: "db-2".into(),
            ..StatefulSet::default()
        };
        let member = |number: u32, revision: &str| {
            let name = format!("shop/db-{number}");
            let mut row = pod(&name, "worker-1");
            row.meta = owned(&name, ("StatefulSet", &set.meta));
            row.meta.labels = Labels::from([(Pod::REVISION.into(), revision.into())]);
            row
        };
        let ready = |mut row: Pod| {
            row.conditions = [condition("Ready", Status::True, "", 0)].into();
            row
        };
        let mut cluster = Cluster::default();
        cluster.apply(Change::StatefulSet(Delta::Apply(Box::new(set.clone()))), at(0));
        let pods =
            [ready(member(0, "db-1")), ready(member(1, "db-1")), unready(member(2, "db-bad"), "Error", "")];
        cluster.apply_all(pods.map(Into::into), at(0));
        let seen = watched(&set.object(), &cluster, at(60)).unwrap();
        assert_eq!(
            seen.holds,
            [
                "its partition keeps the pods below number 1 as they are",
                "db-2 is broken and not replaced before somebody deletes it"
            ]
        );
        let told: Vec<(&str, Option<u32>, u32)> =
            seen.revisions.iter().map(|part| (part.name.as_str(), part.wanted, part.pods)).collect();
        assert_eq!(told, [("db-2", Some(2), 0), ("db-1", Some(1), 2), ("db-bad", Some(1), 1)]);
    }
}
