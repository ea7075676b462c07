//! An open workload: where it stands, its pods, the budgets and services that concern them.

use super::{Line, Section, budget, common, conditions, events, findings, pod, service};
use crate::app::columns::{Cell, Look, RowId, Tone, workloads};
use crate::app::time::{age, short};
use crate::cluster::{
    Condition, Counts, DaemonSet, Deployment, Job, Kind, Name, ObjectRef, Pod, PodDisruptionBudget,
    ReplicaSet, Row as _, Service, Workload,
};

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let workload = look.cluster.workload(object)?;
    let pods = look.cluster.pods_of(workload);
    let mut about = vec![(object.kind, object.name.clone())];
    let mut sections = vec![findings(look, std::slice::from_ref(object)), facts(workload, look)];
    if let Workload::Deployment(deployment) = workload {
        let sets = look.cluster.replica_sets_of(deployment);
        about.extend(sets.iter().map(|set| (Kind::ReplicaSet, set.meta.name.clone())));
        sections.push(replica_sets(&sets, look));
    }
    sections.extend([
        Section { title: format!("Pods ({})", pods.len()), lines: pod::lines(pods.iter().copied(), look) },
        budget::section(&budgets(&pods, look)),
        service::section(&services(&pods, look), look),
        conditions(told(workload).iter(), look),
        events(look, &about),
    ]);
    Some(sections)
}

fn facts(workload: Workload<'_>, look: &Look<'_>) -> Section {
    let mut lines = vec![Line::new("status", workloads::status(workload, look))];
    lines.push(Line::new("pods", Cell::plain(counts(workload))));
    if let Workload::Job(job) = workload {
        lines.extend(job_lines(job, look));
    }
    if let Workload::DaemonSet(DaemonSet { misscheduled: many @ 1.., .. }) = workload {
        let text = format!("{many} on nodes that should not have one");
        lines.push(Line::new("misplaced", Cell::new(text, Tone::Notice)));
    }
    if let Some(strategy) = workloads::strategy(workload) {
        lines.push(Line::new("strategy", Cell::plain(strategy)));
    }
    if let Workload::StatefulSet(set) = workload {
        lines.push(Line::new("pods come", Cell::plain(set.pod_management.as_str())));
        lines.push(Line::new("revision", Cell::plain(set.current_revision.as_str())));
        if set.update_revision != set.current_revision {
            let updating = Cell::new(format!("to {}", set.update_revision), Tone::Notice);
            lines.last_mut().into_iter().for_each(|line| line.cells.push(updating.clone()));
        }
        if let Some(service) = set.service.non_empty() {
            lines.push(Line::new("service", Cell::plain(service)));
        }
    }
    if !workload.selector().is_empty() {
        lines.push(Line::new("selector", Cell::plain(workload.selector().to_string())));
    }
    lines.extend(workload.images().iter().map(|image| {
        let label = if image.is_init { "init image" } else { "image" };
        Line::new(label, Cell::plain(image.container.as_str())).and(Cell::muted(image.image.as_str()))
    }));
    lines.extend(common(workload.meta(), look));
    Section { title: workload.kind().word().to_owned(), lines }
}

fn counts(workload: Workload<'_>) -> String {
    let Counts { desired, updated, ready, available } = workload.counts();
    let mut words = vec![format!("{desired} wanted")];
    words.extend(updated.map(|many| format!("{many} updated")));
    words.push(format!("{ready} ready"));
    words.extend(available.map(|many| format!("{many} available")));
    words.join(", ")
}

fn job_lines(job: &Job, look: &Look<'_>) -> Vec<Line> {
    let Job { active, succeeded, failed, backoff_limit, parallelism, .. } = job;
    let tone = if *failed > 0 { Tone::Warning } else { Tone::Plain };
    let mut lines = vec![
        Line::new("succeeded", Cell::plain(format!("{succeeded} of {}", job.wanted()))),
        Line::new("active", Cell::plain(format!("{active}, at most {parallelism} at once"))),
        Line::new("failed", Cell::new(format!("{failed}, given up after {backoff_limit}"), tone)),
    ];
    if let Some(started) = job.started {
        let took = job.finished.map_or_else(String::new, |finished| {
            format!(", took {}", short(finished.duration_since(started)))
        });
        let ago = age(Some(started), look.now);
        lines.push(Line::new("started", Cell::plain(format!("{ago} ago{took}"))));
    }
    lines
}

fn replica_sets(sets: &[&ReplicaSet], look: &Look<'_>) -> Section {
    /// Older ones have no pods, and are kept for going back to.
    const MOST: usize = 4;
    let is_shown = |at: usize, set: &ReplicaSet| at < MOST || set.replicas > 0 || set.current > 0;
    let shown: Vec<&&ReplicaSet> =
        sets.iter().enumerate().filter(|(at, set)| is_shown(*at, set)).map(|(_, set)| set).collect();
    let mut lines: Vec<Line> = shown
        .iter()
        .map(|set| {
            let images: Vec<&str> =
                set.images.iter().filter(|image| !image.is_init).map(|image| image.image.as_str()).collect();
            let tone = if set.replicas == 0 { Tone::Muted } else { Tone::Plain };
            let count = format!("{} of {} ready", set.ready, set.replicas);
            Line::cells(vec![
                Cell::new(set.meta.name.name.as_str(), tone),
                Cell::new(count, tone),
                Cell::muted(age(set.meta.created, look.now)),
                Cell::muted(images.join(", ")),
            ])
            .to(RowId::Object(set.object()))
        })
        .collect();
    let left = sets.len() - shown.len();
    if left > 0 {
        lines.push(Line::cells(vec![Cell::muted(format!("{left} older without pods"))]));
    }
    Section { title: format!("Replica sets ({})", sets.len()), lines }
}

const fn told(workload: Workload<'_>) -> &[Condition] {
    match workload {
        Workload::Deployment(Deployment { conditions, .. }) => conditions,
        Workload::ReplicaSet(_) => &[],
        Workload::StatefulSet(row) => &row.conditions,
        Workload::DaemonSet(row) => &row.conditions,
        Workload::Job(row) => &row.conditions,
    }
}

/// The budgets that cover any of its pods, each once.
pub fn budgets<'a>(pods: &[&'a Pod], look: &Look<'a>) -> Vec<&'a PodDisruptionBudget> {
    let cluster = look.cluster;
    distinct(pods.iter().flat_map(|pod| cluster.budgets_covering(pod)), |budget| &budget.meta.name)
}

pub fn services<'a>(pods: &[&'a Pod], look: &Look<'a>) -> Vec<&'a Service> {
    let cluster = look.cluster;
    distinct(pods.iter().flat_map(|pod| cluster.services_selecting(pod)), |service| &service.meta.name)
}

fn distinct<'a, R>(rows: impl Iterator<Item = &'a R>, name: impl Fn(&'a R) -> &'a Name) -> Vec<&'a R> {
    let named: std::collections::BTreeMap<&Name, &R> = rows.map(|row| (name(row), row)).collect();
    named.into_values().collect()
}
