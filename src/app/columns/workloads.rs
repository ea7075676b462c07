//! The columns of the workloads: what is wanted, how much of it is there, and where the rollout stands in words.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::filter::{Fact, Measure};
use crate::app::time::{age, short};
use crate::cluster::{
    Cluster, Counts, DaemonSet, Deployment, Job, JobState, Meta, Rollout, StatefulSet, Workload,
};
use jiff::Timestamp;

#[derive(Debug)]
pub struct Workloads;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Status,
    Namespace,
    Name,
    Kind,
    Desired,
    Updated,
    Ready,
    Available,
    Images,
    Age,
}

/// Where it stands.
pub fn status(workload: Workload<'_>, look: &Look<'_>) -> Cell {
    if let Some(deletion) = workload.meta().deletion {
        let asked = short(look.now.duration_since(deletion.requested()));
        return Cell::new(format!("deleting: asked {asked} ago"), Tone::Warning);
    }
    let cell = match workload {
        Workload::Job(job) => return job_status(job, look.now),
        Workload::Deployment(_)
        | Workload::ReplicaSet(_)
        | Workload::StatefulSet(_)
        | Workload::DaemonSet(_) => rollout(workload, look.now),
    };
    match workload {
        Workload::DaemonSet(DaemonSet { desired: 0, misscheduled: 0, .. }) => {
            Cell::muted("wanted on no node")
        }
        // As it is with those on a silent node, which their set has given up.
        Workload::DaemonSet(DaemonSet { misscheduled: many @ 1.., .. }) => {
            let tone = cell.tone.max(Tone::Notice);
            Cell::new(format!("{}; {many} misplaced", cell.text), tone)
        }
        Workload::Deployment(Deployment { is_paused: true, .. }) if workload.is_well() => {
            Cell::new("paused", Tone::Notice)
        }
        Workload::Deployment(Deployment { is_paused: true, .. }) => {
            let rest = cell.text.strip_prefix("progressing: ").unwrap_or(&cell.text);
            Cell::new(format!("paused; {rest}"), cell.tone)
        }
        Workload::Deployment(_)
        | Workload::ReplicaSet(_)
        | Workload::StatefulSet(_)
        | Workload::DaemonSet(_)
        | Workload::Job(_) => cell,
    }
}

/// By the rules of `kubectl rollout status`, and what it leaves out: the old pods, what is updated beside what is ready,
/// and what a strategy leaves to somebody else.
fn rollout(workload: Workload<'_>, now: Timestamp) -> Cell {
    let Some(rollout) = workload.rollout() else { return Cell::none() };
    let counts = workload.counts();
    let waiting = |many: u32, of: u32, word: &str| {
        let tone = if many == 0 { Tone::Critical } else { Tone::Warning };
        Cell::new(format!("waiting: {many} of {of} {word}"), tone)
    };
    match rollout {
        Rollout::Unobserved => Cell::new("waiting: the controller has not seen it", Tone::Notice),
        Rollout::DeadlineExceeded { since } => {
            let passed = since.map_or_else(String::new, |at| format!(" {}", short(now.duration_since(at))));
            let (updated, old) = (counts.updated.unwrap_or_default(), old(workload));
            Cell::new(format!("stuck{passed}: {updated}/{} updated{old}", counts.desired), Tone::Critical)
        }
        Rollout::Updating { updated, of } => {
            Cell::new(format!("progressing: {updated}/{of} updated{}", old(workload)), Tone::Notice)
        }
        Rollout::Ending { old } => Cell::new(format!("progressing: {old} old to end"), Tone::Notice),
        Rollout::Waiting { available, of } => waiting(available, of, "available"),
        Rollout::Unready { ready, of } => match counts.updated {
            Some(updated) if updated < to_update(workload) => {
                let tone = if ready == 0 { Tone::Critical } else { Tone::Warning };
                Cell::new(
                    format!("waiting: {ready}/{of} ready, {updated}/{} updated", to_update(workload)),
                    tone,
                )
            }
            Some(_) | None => waiting(ready, of, "ready"),
        },
        Rollout::Complete if counts.desired == 0 => Cell::muted("scaled to 0"),
        Rollout::Complete => match counts.available.unwrap_or(counts.ready) {
            available if available < counts.desired => waiting(available, counts.desired, "available"),
            _ => complete(workload),
        },
    }
}

/// The pods of older templates that have still to go, where they are counted.
fn old(workload: Workload<'_>) -> String {
    match workload {
        Workload::Deployment(Deployment { current, updated, .. }) if current > updated => {
            format!(", {} old", current - updated)
        }
        Workload::Deployment(_)
        | Workload::ReplicaSet(_)
        | Workload::StatefulSet(_)
        | Workload::DaemonSet(_)
        | Workload::Job(_) => String::new(),
    }
}

/// The pods that a template reaches by itself.
const fn to_update(workload: Workload<'_>) -> u32 {
    match workload {
        Workload::StatefulSet(row) => match row.partition {
            Some(partition) => row.replicas.saturating_sub(partition),
            None => row.replicas,
        },
        Workload::Deployment(row) => row.replicas,
        Workload::DaemonSet(row) => row.desired,
        Workload::ReplicaSet(_) | Workload::Job(_) => 0,
    }
}

/// As far as it goes by itself.
fn complete(workload: Workload<'_>) -> Cell {
    let (by_hand, kept) = match workload {
        Workload::StatefulSet(row) => {
            (row.is_on_delete(), row.partition.filter(|kept| *kept > 0 && row.updated < row.replicas))
        }
        Workload::DaemonSet(row) => (row.is_on_delete(), None),
        Workload::Deployment(_) | Workload::ReplicaSet(_) | Workload::Job(_) => (false, None),
    };
    let Counts { desired, updated, .. } = workload.counts();
    match (kept, updated) {
        (_, Some(updated)) if by_hand && updated < desired => {
            Cell::new(format!("by hand: {updated}/{desired} updated"), Tone::Notice)
        }
        (Some(number), _) => Cell::new(format!("complete from number {number} on"), Tone::Good),
        (None, _) => Cell::new("complete", Tone::Good),
    }
}

fn job_status(job: &Job, now: Timestamp) -> Cell {
    let Job { active, succeeded, failed, backoff_limit, .. } = job;
    match job.state() {
        JobState::Failed { reason, since } => {
            let ago = since.map_or_else(String::new, |at| format!(" {} ago", short(now.duration_since(at))));
            Cell::new(format!("failed{ago}: {reason}"), Tone::Critical)
        }
        JobState::Suspended => Cell::new("suspended", Tone::Notice),
        JobState::Waiting => Cell::new("waiting for its first pod", Tone::Notice),
        JobState::Running => {
            let tone = if *failed > 0 { Tone::Warning } else { Tone::Plain };
            let done = format!("{succeeded}/{} done", job.wanted());
            let retries = match failed {
                0 => String::new(),
                failed => format!(", {failed}/{backoff_limit} failed"),
            };
            Cell::new(format!("running {active}, {done}{retries}"), tone)
        }
        JobState::Complete => Cell::muted("complete"),
    }
}

/// Worst first.
const fn rank(tone: Tone) -> i64 {
    match tone {
        Tone::Critical => 0,
        Tone::Warning => 1,
        Tone::Notice => 2,
        Tone::Plain => 3,
        Tone::Good => 4,
        Tone::Muted => 5,
    }
}

fn images(workload: Workload<'_>) -> String {
    let images: Vec<&str> = workload
        .images()
        .iter()
        .filter(|image| !image.is_init)
        .map(|image| image.image.rsplit('/').next().unwrap_or_default())
        .collect();
    images.join(",")
}

/// Pods that are there of those that are wanted.
fn part(many: Option<u32>, workload: Workload<'_>) -> Cell {
    let desired = workload.counts().desired;
    match many {
        None => Cell::none(),
        Some(many) if many >= desired => Cell::plain(many.to_string()),
        Some(0) => Cell::new("0", Tone::Critical),
        Some(many) => Cell::new(many.to_string(), Tone::Warning),
    }
}

fn number(many: Option<u32>) -> SortKey {
    many.map_or(SortKey::None, |many| SortKey::Number(i64::from(many)))
}

impl Listing for Workloads {
    type Row<'a> = Workload<'a>;
    type Column = Column;

    const COLUMNS: &'static [(Column, Heading)] = &[
        (Column::Namespace, Heading::new("namespace", "NAMESPACE", (10, 24), 3)),
        (Column::Name, Heading::new("name", "NAME", (18, 60), 0)),
        (Column::Kind, Heading::new("kind", "KIND", (11, 11), 2)),
        (Column::Status, Heading::new("status", "STATUS", (31, 56), 0)),
        (Column::Desired, Heading::new("desired", "WANT", (4, 5), 5).right().measured(Measure::Number)),
        (Column::Updated, Heading::new("updated", "NEW", (4, 5), 6).right().measured(Measure::Number)),
        (Column::Ready, Heading::new("ready", "READY", (5, 5), 4).right().measured(Measure::Number)),
        (Column::Available, Heading::new("available", "AVAIL", (5, 5), 7).right().measured(Measure::Number)),
        (Column::Images, Heading::new("images", "IMAGES", (16, 60), 9)),
        (Column::Age, Heading::new("age", "AGE", (5, 6), 8).right().measured(Measure::Duration)),
    ];

    fn rows(cluster: &Cluster) -> Vec<Workload<'_>> {
        cluster.workloads().collect()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<Workload<'a>> {
        match id {
            RowId::Object(object) => cluster.workload(object),
            RowId::Volume(_) | RowId::Case(_) => None,
        }
    }

    fn id(row: &Workload<'_>) -> RowId {
        RowId::Object(row.object())
    }

    fn cell(column: Column, row: &Workload<'_>, look: &Look<'_>) -> Cell {
        let counts = || row.counts();
        match column {
            Column::Status => status(*row, look),
            Column::Namespace => Cell::muted(row.meta().name.namespace.as_str()),
            Column::Name => Cell::plain(row.meta().name.name.as_str()),
            Column::Kind => Cell::muted(row.kind().word()),
            Column::Desired => Cell::plain(counts().desired.to_string()),
            Column::Updated => part(counts().updated, *row),
            // A job that is over has no pods, and should have none.
            Column::Ready => match row {
                Workload::Job(job) if job.is_over() => Cell::none(),
                Workload::Job(_) => Cell::plain(counts().ready.to_string()),
                Workload::Deployment(_)
                | Workload::ReplicaSet(_)
                | Workload::StatefulSet(_)
                | Workload::DaemonSet(_) => part(Some(counts().ready), *row),
            },
            Column::Available => part(counts().available, *row),
            Column::Images => Cell::muted(images(*row)),
            Column::Age => Cell::plain(age(row.meta().created, look.now)),
        }
    }

    fn key(column: Column, row: &Workload<'_>, look: &Look<'_>) -> SortKey {
        let meta = row.meta();
        match column {
            Column::Status => SortKey::Number(rank(status(*row, look).tone)),
            Column::Namespace => SortKey::text(&meta.name.to_string()),
            Column::Name => SortKey::text(&meta.name.name),
            Column::Kind => SortKey::text(row.kind().word()),
            Column::Desired => SortKey::most(row.counts().desired),
            Column::Updated => number(row.counts().updated),
            Column::Ready => number(Some(row.counts().ready)),
            Column::Available => number(row.counts().available),
            Column::Images => SortKey::text(&images(*row)),
            Column::Age => SortKey::age(meta.created),
        }
    }

    fn words(row: &Workload<'_>, look: &Look<'_>) -> String {
        let status = status(*row, look).text;
        format!("{} {} {status} {}", row.kind().word(), row.meta().name, images(*row))
    }

    fn is_problem(row: &Workload<'_>, _: &Look<'_>) -> bool {
        !row.is_well() || row.meta().is_deleting()
    }

    fn meta<'r>(row: &'r Workload<'_>) -> Option<&'r Meta> {
        Some(row.meta())
    }

    fn fact<'r>((column, heading): (Column, &Heading), row: &'r Workload<'_>, look: &Look<'_>) -> Fact<'r> {
        let count = |many: Option<u32>| many.map_or(Fact::None, |many| Fact::Number(many.into()));
        let counts = row.counts();
        match column {
            // Words with commas in them, and not several.
            Column::Status => Fact::text(status(*row, look).text),
            Column::Desired => count(Some(counts.desired)),
            Column::Updated => count(counts.updated),
            Column::Ready => count(Some(counts.ready)),
            Column::Available => count(counts.available),
            Column::Age => row.meta().age(look.now).map_or(Fact::None, Fact::duration),
            Column::Namespace | Column::Name | Column::Kind | Column::Images => {
                Fact::of_cell(&Self::cell(column, row, look).text, heading.measure)
            }
        }
    }
}

/// How a new template reaches the pods, where that is not at once.
pub fn strategy(workload: Workload<'_>) -> Option<String> {
    match workload {
        Workload::Deployment(row) => row.strategy.non_empty().map(str::to_owned),
        Workload::StatefulSet(StatefulSet { strategy, partition: Some(from @ 1..), .. }) => {
            Some(format!("{strategy} from number {from}"))
        }
        Workload::StatefulSet(StatefulSet { strategy, .. })
        | Workload::DaemonSet(DaemonSet { strategy, .. }) => strategy.non_empty().map(|strategy| {
            let by_hand = if strategy == "OnDelete" { ": a pod is new once it was deleted" } else { "" };
            format!("{strategy}{by_hand}")
        }),
        Workload::ReplicaSet(_) | Workload::Job(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Status;
    use crate::cluster::sample::{at, condition};

    fn told(workload: Workload<'_>) -> String {
        rollout(workload, at(900)).text
    }

    #[test]
    fn a_deployment_tells_its_old_pods_and_for_how_long_it_is_stuck() {
        let going = Deployment { replicas: 5, current: 7, updated: 3, ..Deployment::default() };
        assert_eq!(told(Workload::Deployment(&going)), "progressing: 3/5 updated, 4 old");
        let late = condition("Progressing", Status::False, "ProgressDeadlineExceeded", 0);
        let stuck = Deployment { conditions: [late].into(), ..going };
        assert_eq!(told(Workload::Deployment(&stuck)), "stuck 15m: 3/5 updated, 4 old");
    }

    #[test]
    fn a_stateful_set_tells_what_its_strategy_leaves_to_somebody_else() {
        let set = StatefulSet {
            replicas: 3,
            strategy: "RollingUpdate".into(),
            partition: Some(0),
            observed_generation: 1,
            generation: 1,
            ready: 3,
            available: 3,
            updated: 3,
            ..StatefulSet::default()
        };
        let text = |edit: fn(&mut StatefulSet)| {
            let mut row = set.clone();
            edit(&mut row);
            told(Workload::StatefulSet(&row))
        };
        assert_eq!(text(|_| {}), "complete");
        assert_eq!(text(|set| (set.ready, set.updated) = (2, 1)), "waiting: 2/3 ready, 1/3 updated");
        assert_eq!(text(|set| (set.ready, set.updated) = (2, 3)), "waiting: 2 of 3 ready");
        assert_eq!(text(|set| (set.partition, set.updated) = (Some(2), 1)), "complete from number 2 on");
        let by_hand = |set: &mut StatefulSet| {
            (set.strategy, set.partition, set.updated) = ("OnDelete".into(), None, 1);
        };
        assert_eq!(text(by_hand), "by hand: 1/3 updated");
    }
}
