//! An open namespace: its state, why it does not go if it is to go, and what is left in it as far as that is watched.

use super::{Line, Section, common, conditions, events, findings};
use crate::app::columns::{Cell, Look, Tone};
use crate::app::subject::row_of;
use crate::cluster::{Cluster, Namespace, ObjectRef, Row, Status, Table};

/// Objects that are listed of each kind.
const LISTED: usize = 20;

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let row = look.cluster.namespaces.same(object)?;
    Some(vec![
        findings(look, std::slice::from_ref(object)),
        facts(row, look),
        inside(row, look),
        // What is False holds nothing up.
        conditions(row.conditions.iter().filter(|condition| condition.status != Status::False), look),
        events(look, &[(object.kind, object.name.clone())]),
    ])
}

fn facts(row: &Namespace, look: &Look<'_>) -> Section {
    let phase = match row.phase.non_empty() {
        Some(phase) if row.meta.is_deleting() => Cell::new(phase, Tone::Warning),
        Some(phase) => Cell::plain(phase),
        None => Cell::none(),
    };
    let mut lines = vec![Line::new("phase", phase)];
    lines.extend(common(&row.meta, look));
    Section { title: "Namespace".to_owned(), lines }
}

/// What is known to be in it; what is not watched, such as a custom resource, can be in it, too.
fn inside(row: &Namespace, look: &Look<'_>) -> Section {
    let cluster = look.cluster;
    let namespace = &row.meta.name.name;
    let mut lines = Vec::new();
    let mut all = 0;
    for objects in [
        of(&cluster.deployments, namespace),
        of(&cluster.stateful_sets, namespace),
        of(&cluster.daemon_sets, namespace),
        of(&cluster.jobs, namespace),
        of(&cluster.replica_sets, namespace),
        of(&cluster.pods, namespace),
        of(&cluster.persistent_volume_claims, namespace),
        of(&cluster.services, namespace),
        of(&cluster.pod_disruption_budgets, namespace),
    ] {
        all += objects.len();
        lines.extend(objects.iter().take(LISTED).map(|object| line(object, cluster)));
        if let Some(more) = objects.len().checked_sub(LISTED).filter(|more| *more > 0) {
            let kind = objects.first().map_or("", |object| object.kind.plural());
            lines.push(Line::cells(vec![Cell::muted(format!("and {more} more {kind}"))]));
        }
    }
    Section { title: format!("Left in it, of the kinds that are watched ({all})"), lines }
}

fn of<R: Row>(table: &Table<R>, namespace: &crate::cluster::Text) -> Vec<ObjectRef> {
    table.in_namespace(namespace).map(Row::object).collect()
}

fn line(object: &ObjectRef, cluster: &Cluster) -> Line {
    let line = Line::cells(vec![
        Cell::muted(format!("{:<24}", object.kind.to_string())),
        Cell::plain(object.name.name.as_str()),
    ]);
    match row_of(cluster, object) {
        Some(row) => line.to(row),
        None => line,
    }
}
