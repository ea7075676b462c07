//! The columns of the pods: status, readiness and restarts as kubectl counts them.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::filter::{Fact, Field, Measure};
use crate::app::time::{age, short};
use crate::cluster::{Cluster, Component, Eviction, Meta, Phase, Pod, Row as _};

#[derive(Debug)]
pub struct Pods;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Namespace,
    Name,
    Ready,
    Status,
    Clock,
    Restarts,
    Node,
    Owner,
    Ip,
    Age,
}

/// A pod that does what it should, or has done it.
pub fn is_well(pod: &Pod) -> bool {
    match pod.phase {
        Phase::Succeeded => true,
        Phase::Running => pod.is_ready() && !pod.meta.is_deleting(),
        Phase::Pending | Phase::Failed | Phase::Unknown => false,
    }
}

pub fn status(pod: &Pod, look: &Look<'_>) -> Cell {
    let word = pod.status();
    let tone = match word.as_str() {
        "Running" | "Completed" if is_well(pod) => Tone::Good,
        "Running" | "Pending" | "ContainerCreating" | "PodInitializing" | "NotReady" => Tone::Notice,
        "Terminating" => match pod.meta.overdue(look.now) {
            Some(late) if late > look.timers.deletion_slack => Tone::Critical,
            Some(_) | None => Tone::Notice,
        },
        _ if pod.phase == Phase::Succeeded => Tone::Muted,
        _ if word.starts_with("Init:") && !word.contains("Error") && !word.contains("BackOff") => {
            Tone::Notice
        }
        _ => Tone::Critical,
    };
    Cell::new(word, tone)
}

/// What is due and when: how far past its deadline, or when it will be told to go.
pub fn clock(pod: &Pod, look: &Look<'_>) -> Option<Cell> {
    if let Some(deletion) = pod.meta.deletion {
        return Some(match pod.meta.overdue(look.now) {
            Some(late) if late > look.timers.deletion_slack => {
                Cell::new(format!("overdue {}", short(late)), Tone::Critical)
            }
            Some(late) => Cell::new(format!("overdue {}", short(late)), Tone::Notice),
            None => Cell::new(
                format!("gone in {}", short(deletion.deadline.duration_since(look.now))),
                Tone::Notice,
            ),
        });
    }
    let is_halted = look.cluster.is_silent(Component::ControllerManager);
    match look.cluster.eviction(pod, look.now)? {
        // Nobody leads the controllers: no moment can be promised.
        Eviction::Due | Eviction::NotBefore { .. } if is_halted => {
            Some(Cell::new("evict halted", Tone::Critical))
        }
        Eviction::Due => Some(Cell::new("evicted now", Tone::Warning)),
        Eviction::NotBefore { at, is_exact } => {
            let about = if is_exact { "" } else { "~" };
            let left = short(at.duration_since(look.now));
            Some(Cell::new(format!("evict in {about}{left}"), Tone::Warning))
        }
        Eviction::Never => Some(Cell::muted("stays")),
    }
}

impl Listing for Pods {
    type Row<'a> = &'a Pod;
    type Column = Column;

    const COLUMNS: &'static [(Column, Heading)] = &[
        (Column::Namespace, Heading::new("namespace", "NAMESPACE", (11, 24), 3)),
        (Column::Name, Heading::new("name", "NAME", (22, 60), 0)),
        (Column::Ready, Heading::new("ready", "READY", (5, 5), 5)),
        (Column::Status, Heading::new("status", "STATUS", (14, 26), 0)),
        (Column::Clock, Heading::new("clock", "CLOCK", (13, 16), 1)),
        (Column::Restarts, Heading::new("restarts", "RESTARTS", (8, 8), 7).right().measured(Measure::Number)),
        (Column::Node, Heading::new("node", "NODE", (10, 32), 2)),
        (Column::Owner, Heading::new("owner", "OWNER", (12, 44), 8)),
        (Column::Ip, Heading::new("ip", "IP", (11, 15), 9)),
        (Column::Age, Heading::new("age", "AGE", (5, 6), 6).right().measured(Measure::Duration)),
    ];

    const FIELDS: &'static [Field] = &[
        Field { id: OVERDUE, title: OVERDUE, measure: Measure::Duration },
        Field { id: IMAGE, title: IMAGE, measure: Measure::Text },
        Field { id: CLAIM, title: CLAIM, measure: Measure::Text },
    ];

    fn rows(cluster: &Cluster) -> Vec<&Pod> {
        cluster.pods.values().collect()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<&'a Pod> {
        match id {
            RowId::Object(object) => cluster.pods.same(object),
            RowId::Volume(_) | RowId::Case(_) => None,
        }
    }

    fn id(row: &&Pod) -> RowId {
        RowId::Object(row.object())
    }

    fn cell(column: Column, pod: &&Pod, look: &Look<'_>) -> Cell {
        match column {
            Column::Namespace => Cell::muted(pod.meta.name.namespace.as_str()),
            Column::Name => Cell::plain(pod.meta.name.name.as_str()),
            Column::Ready => {
                let (ready, total) = pod.readiness();
                let tone =
                    if ready == total || pod.phase.is_terminal() { Tone::Plain } else { Tone::Warning };
                Cell::new(format!("{ready}/{total}"), tone)
            }
            Column::Status => status(pod, look),
            Column::Clock => clock(pod, look).unwrap_or_else(Cell::none),
            Column::Restarts => match pod.restarts() {
                0 => Cell::muted("0"),
                many => Cell::plain(many.to_string()),
            },
            Column::Node => match pod.node.non_empty() {
                None => Cell::none(),
                Some(node) if look.cluster.is_node_ready(node) => Cell::plain(node),
                // Nodes that may not be read are not bad news.
                Some(node) if look.cluster.nodes.is_empty() => Cell::plain(node),
                Some(node) => Cell::new(node, Tone::Critical),
            },
            Column::Owner => {
                pod.meta.owner.as_ref().map_or_else(Cell::none, |owner| Cell::muted(owner_words(owner)))
            }
            Column::Ip => pod.ip.non_empty().map_or_else(Cell::none, Cell::muted),
            Column::Age => Cell::plain(age(pod.meta.created, look.now)),
        }
    }

    fn key(column: Column, pod: &&Pod, look: &Look<'_>) -> SortKey {
        match column {
            Column::Namespace => {
                SortKey::text(&format!("{}/{}", pod.meta.name.namespace, pod.meta.name.name))
            }
            Column::Name => SortKey::text(&pod.meta.name.name),
            Column::Ready => {
                let (ready, total) = pod.readiness();
                SortKey::Number(if pod.phase.is_terminal() { 1 } else { i64::from(ready) - i64::from(total) })
            }
            Column::Status => SortKey::text(&pod.status()),
            Column::Clock => match pod.meta.deletion {
                Some(deletion) => SortKey::Number(deletion.deadline.as_second()),
                None => match look.cluster.eviction(pod, look.now) {
                    Some(Eviction::Due) => SortKey::Number(look.now.as_second()),
                    Some(Eviction::NotBefore { at, .. }) => SortKey::Number(at.as_second()),
                    Some(Eviction::Never) | None => SortKey::None,
                },
            },
            Column::Restarts => SortKey::most(pod.restarts()),
            Column::Node => pod.node.non_empty().map_or(SortKey::None, SortKey::text),
            Column::Owner => {
                pod.meta.owner.as_ref().map_or(SortKey::None, |owner| SortKey::text(&owner_words(owner)))
            }
            Column::Ip => pod.ip.non_empty().map_or(SortKey::None, SortKey::text),
            Column::Age => SortKey::age(pod.meta.created),
        }
    }

    fn words(pod: &&Pod, _: &Look<'_>) -> String {
        let owner = pod.meta.owner.as_ref().map(owner_words).unwrap_or_default();
        format!("{} {} {} {owner} {}", pod.meta.name, pod.status(), pod.node, pod.ip)
    }

    fn is_problem(pod: &&Pod, look: &Look<'_>) -> bool {
        let is_stranded =
            !pod.node.is_empty() && look.cluster.node(&pod.node).is_some_and(|node| !node.is_ready());
        !is_well(pod) || (is_stranded && !pod.phase.is_terminal())
    }

    fn meta<'r>(pod: &'r &Pod) -> Option<&'r Meta> {
        Some(&pod.meta)
    }

    fn fact<'r>((column, heading): (Column, &Heading), pod: &'r &Pod, look: &Look<'_>) -> Fact<'r> {
        match column {
            Column::Namespace => Fact::text(pod.meta.name.namespace.as_str()),
            Column::Name => Fact::text(pod.meta.name.name.as_str()),
            Column::Status => Fact::text(pod.status()),
            Column::Restarts => Fact::Number(pod.restarts().into()),
            Column::Node => Fact::text(pod.node.as_str()),
            Column::Ip => Fact::text(pod.ip.as_str()),
            Column::Age => pod.meta.age(look.now).map_or(Fact::None, Fact::duration),
            Column::Ready | Column::Clock | Column::Owner => {
                Fact::of_cell(&Self::cell(column, pod, look).text, heading.measure)
            }
        }
    }

    fn extra<'r>(field: &'static str, pod: &'r &Pod, look: &Look<'_>) -> Fact<'r> {
        match field {
            OVERDUE => pod.meta.overdue(look.now).map_or(Fact::None, Fact::duration),
            IMAGE => Fact::any(pod.containers.iter().map(|container| container.image.as_str())),
            CLAIM => Fact::any(pod.claims.iter().map(|claim| claim.as_str())),
            _ => Fact::None,
        }
    }
}

const OVERDUE: &str = "overdue";
const IMAGE: &str = "image";
const CLAIM: &str = "claim";

pub fn owner_words(owner: &crate::cluster::Owner) -> String {
    format!("{}/{}", owner.kind, owner.name)
}
