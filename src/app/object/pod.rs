//! An open pod: where it is, its containers, its claims, and what will become of it.

use super::{Line, Section, budget, common, conditions, events, findings, service};
use crate::app::columns::{Cell, Look, RowId, Tone, nodes, pods, volumes};
use crate::app::time::{age, short};
use crate::cluster::{Container, Kind, Name, ObjectRef, Pod, Row as _, State};

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let pod = look.cluster.pods.same(object)?;
    Some(vec![
        findings(look, std::slice::from_ref(object)),
        facts(pod, look),
        containers(pod, look),
        claims(pod, look),
        budget::section_of_pod(&look.cluster.budgets_covering(pod).collect::<Vec<_>>()),
        service::section(&look.cluster.services_selecting(pod).collect::<Vec<_>>(), look),
        conditions(pod.conditions.iter(), look),
        events(look, &[(Kind::Pod, object.name.clone())]),
    ])
}

/// The same, each with its namespace.
pub fn lines_in_full<'a>(of: impl Iterator<Item = &'a Pod>, look: &Look<'_>) -> Vec<Line> {
    let mut sorted: Vec<&Pod> = of.collect();
    sorted.sort_by_key(|pod| (pods::is_well(pod), pod.meta.name.clone()));
    let wide = sorted.iter().map(|pod| pod.meta.name.to_string().len()).max().unwrap_or(0).min(48);
    let line = |pod: &Pod| {
        let line = Line::cells(vec![
            Cell::plain(format!("{:<wide$}", pod.meta.name.to_string())),
            pods::status(pod, look),
        ])
        .to(RowId::Object(pod.object()));
        match pods::clock(pod, look) {
            Some(clock) => line.and(clock),
            None => line,
        }
    };
    sorted.into_iter().map(line).collect()
}

/// Pods as lines of another object: the troubled ones first.
pub fn lines<'a>(of: impl Iterator<Item = &'a Pod>, look: &Look<'_>) -> Vec<Line> {
    let mut sorted: Vec<&Pod> = of.collect();
    sorted.sort_by_key(|pod| (pods::is_well(pod), pod.meta.name.clone()));
    let name = sorted.iter().map(|pod| pod.meta.name.name.len()).max().unwrap_or(0).min(48);
    let status = sorted.iter().map(|pod| pod.status().len()).max().unwrap_or(0).min(24);
    sorted.into_iter().map(|pod| line(pod, (name, status), look)).collect()
}

/// With so much room for its name and its status.
fn line(pod: &Pod, (wide, status_wide): (usize, usize), look: &Look<'_>) -> Line {
    let (ready, total) = pod.readiness();
    let status = pods::status(pod, look);
    let tone = if look.cluster.is_stranded(pod) { Tone::Critical } else { Tone::Plain };
    let node = match pod.node.non_empty() {
        None => Cell::muted("not scheduled"),
        Some(node) => Cell::new(format!("on {node}"), tone),
    };
    let line = Line::cells(vec![
        Cell::plain(format!("{:<wide$}", pod.meta.name.name)),
        Cell::plain(format!("{ready}/{total}")),
        Cell::new(format!("{:<status_wide$}", status.text), status.tone),
        node,
    ])
    .to(RowId::Object(pod.object()));
    match pods::clock(pod, look) {
        Some(clock) => line.and(clock),
        None => line,
    }
}

fn facts(pod: &Pod, look: &Look<'_>) -> Section {
    let (ready, total) = pod.readiness();
    let mut status =
        Line::new("status", pods::status(pod, look)).and(Cell::plain(format!("{ready}/{total} ready")));
    if let Some(clock) = pods::clock(pod, look) {
        status = status.and(clock);
    }
    let mut lines = vec![status];
    if let Some(reason) = pod.reason.non_empty().or(pod.message.non_empty()) {
        lines.push(Line::new("reason", Cell::plain(reason)).and(Cell::plain(pod.message.as_str())));
    }
    lines.push(match look.cluster.node(&pod.node) {
        Some(node) => Line::new("node", Cell::plain(pod.node.as_str()))
            .and(Cell::new(node.readiness().word(), nodes::tone(node.readiness())))
            .to(RowId::Object(node.object())),
        None if pod.node.is_empty() => Line::new("node", Cell::muted("not scheduled")),
        None => Line::new("node", Cell::plain(pod.node.as_str())),
    });
    if let Some(ip) = pod.ip.non_empty() {
        lines.push(Line::new("address", Cell::plain(ip)));
    }
    lines.extend(common(&pod.meta, look));
    Section { title: "Pod".to_owned(), lines }
}

fn containers(pod: &Pod, look: &Look<'_>) -> Section {
    let init = pod.init_containers.iter().map(|container| {
        container_line(container, if container.is_sidecar { "sidecar" } else { "init" }, look)
    });
    let main = pod.containers.iter().map(|container| container_line(container, "container", look));
    Section { title: "Containers".to_owned(), lines: init.chain(main).collect() }
}

fn container_line(container: &Container, label: &'static str, look: &Look<'_>) -> Line {
    let state = match &container.state {
        State::Unreported => Cell::muted("not reported"),
        State::None => Cell::muted("-"),
        State::Waiting { reason, message } => Cell::new(super::join_words(reason, message), Tone::Warning),
        State::Running { since } => {
            let tone = if container.is_ready { Tone::Good } else { Tone::Notice };
            Cell::new(format!("running {}", age(*since, look.now)), tone)
        }
        State::Terminated(ended) => {
            let ago = ended
                .finished
                .map_or_else(String::new, |at| format!(" {} ago", short(look.now.duration_since(at))));
            let tone = if ended.exit_code == 0 { Tone::Muted } else { Tone::Critical };
            Cell::new(format!("{} (exit code {}){ago}", ended.word(), ended.exit_code), tone)
        }
    };
    let mut line = Line::new(label, Cell::plain(container.name.as_str())).and(state);
    if container.restarts > 0 {
        let last = container.last.as_ref().map_or_else(String::new, |last| {
            format!(", last {} (exit code {})", last.word(), last.exit_code)
        });
        line = line.and(Cell::new(format!("{} restarts{last}", container.restarts), Tone::Notice));
    }
    line.and(Cell::muted(container.image.as_str()))
}

fn claims(pod: &Pod, look: &Look<'_>) -> Section {
    let lines = pod
        .claims
        .iter()
        .map(|claim| {
            let name = Name::new(pod.meta.name.namespace.clone(), claim.clone());
            let Some(join) = look.cluster.volume_of_claim(&name).and_then(|id| look.cluster.volume(&id))
            else {
                return Line::cells(vec![
                    Cell::plain(name.to_string()),
                    Cell::new("not found", Tone::Warning),
                ]);
            };
            let attached = join.attached.iter().map(volumes::attached_words);
            let mut cells = vec![Cell::plain(volumes::title(&join)), Cell::muted(join.storage().word())];
            cells.extend(attached);
            if join.is_torn() {
                cells.push(Cell::new("held elsewhere", Tone::Critical));
            }
            Line::cells(cells).to(RowId::Volume(join.id.clone()))
        })
        .collect();
    Section { title: "Claims".to_owned(), lines }
}
