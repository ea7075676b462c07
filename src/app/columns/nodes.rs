//! The columns of the nodes: readiness and cordon are two things, and life is judged by the lease.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::filter::{Fact, Measure};
use crate::app::time::{age, short};
use crate::cluster::{Cluster, Meta, Node, Readiness, Row as _, SignOfLife};

#[derive(Debug)]
pub struct Nodes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Name,
    Ready,
    Cordon,
    Since,
    Life,
    Pods,
    Volumes,
    Pressure,
    Taints,
    Zone,
    Roles,
    Version,
    Age,
    CordonedBy,
}

pub const fn tone(readiness: Readiness) -> Tone {
    match readiness {
        Readiness::Silent => Tone::Critical,
        Readiness::NotReady => Tone::Warning,
        Readiness::New => Tone::Notice,
        Readiness::Ready => Tone::Good,
    }
}

/// `9s` where the lease was seen to move, `~6m` where only its own stamp is known.
pub fn life(node: &Node, look: &Look<'_>) -> Option<String> {
    let ago = |at| short(look.now.duration_since(at));
    Some(match look.cluster.heartbeat(&node.meta.name.name)?.sign_of_life()? {
        SignOfLife::Seen(at) => ago(at),
        SignOfLife::Stamped(at) => format!("~{}", ago(at)),
    })
}

/// A taint's key without the domain that all of Kubernetes' own share.
pub fn taint_words(node: &Node) -> Vec<String> {
    node.taints
        .iter()
        .map(|taint| {
            let key = taint.key.strip_prefix("node.kubernetes.io/").unwrap_or(&taint.key);
            format!("{key}:{}", taint.effect.word())
        })
        .collect()
}

impl Listing for Nodes {
    type Row<'a> = &'a Node;
    type Column = Column;

    const COLUMNS: &'static [(Column, Heading)] = &[
        (Column::Name, Heading::new("name", "NAME", (12, 40), 0)),
        (Column::Ready, Heading::new("status", "READY", (8, 8), 0)),
        (Column::Cordon, Heading::new("cordon", "CORDON", (8, 8), 3)),
        (Column::Since, Heading::new("since", "SINCE", (6, 6), 2).right().measured(Measure::Duration)),
        (Column::Life, Heading::new("life", "LIFE", (6, 6), 1).right().measured(Measure::Duration)),
        (Column::Pods, Heading::new("pods", "PODS", (4, 5), 4).right().measured(Measure::Number)),
        (Column::Volumes, Heading::new("volumes", "VOLS", (4, 5), 5).right().measured(Measure::Number)),
        (Column::Pressure, Heading::new("pressure", "PRESSURE", (8, 24), 8)),
        (Column::Taints, Heading::new("taints", "TAINTS", (6, 36), 6)),
        (Column::Zone, Heading::new("zone", "ZONE", (6, 18), 7)),
        (Column::Roles, Heading::new("roles", "ROLES", (6, 20), 11)),
        (Column::Version, Heading::new("version", "VERSION", (8, 16), 10)),
        (Column::Age, Heading::new("age", "AGE", (5, 6), 9).right().measured(Measure::Duration)),
        (Column::CordonedBy, Heading::new("cordoned-by", "CORDONED BY", (12, 48), 12)),
    ];

    fn rows(cluster: &Cluster) -> Vec<&Node> {
        cluster.nodes.values().collect()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<&'a Node> {
        match id {
            RowId::Object(object) => cluster.nodes.same(object),
            RowId::Volume(_) | RowId::Case(_) => None,
        }
    }

    fn id(row: &&Node) -> RowId {
        RowId::Object(row.object())
    }

    fn cell(column: Column, node: &&Node, look: &Look<'_>) -> Cell {
        let readiness = node.readiness();
        match column {
            Column::Name => Cell::plain(node.meta.name.name.as_str()),
            Column::Ready => Cell::new(readiness.word(), tone(readiness)),
            Column::Cordon if node.is_cordoned() => Cell::new("cordoned", Tone::Notice),
            Column::Cordon => Cell::none(),
            Column::Since => Cell::plain(age(node.ready_since(), look.now)),
            Column::Life => life(node, look).map_or_else(Cell::none, |text| {
                Cell::new(text, if node.is_ready() { Tone::Plain } else { tone(readiness) })
            }),
            Column::Pods => Cell::plain(look.cluster.pod_count(&node.meta.name.name).to_string()),
            Column::Volumes => match attached_volumes(node, look.cluster) {
                0 => Cell::none(),
                many => Cell::plain(many.to_string()),
            },
            Column::Pressure => {
                let words: Vec<&str> = node.pressures().map(|pressure| pressure.kind.as_str()).collect();
                if words.is_empty() { Cell::none() } else { Cell::new(words.join(","), Tone::Warning) }
            }
            Column::Taints => {
                let words = taint_words(node);
                let tone = if node.is_out_of_service() { Tone::Critical } else { Tone::Plain };
                if words.is_empty() { Cell::none() } else { Cell::new(words.join(","), tone) }
            }
            Column::Zone => node.zone().map_or_else(Cell::none, Cell::plain),
            Column::Roles => {
                let roles: Vec<&str> = node.roles().collect();
                if roles.is_empty() { Cell::none() } else { Cell::plain(roles.join(",")) }
            }
            Column::Version => Cell::plain(node.kubelet_version.as_str()),
            Column::Age => Cell::plain(age(node.meta.created, look.now)),
            Column::CordonedBy => match node.cordoned_by() {
                Some(by) => Cell::plain(by),
                None if node.outlived_note().is_some() => Cell::plain("not known"),
                None => Cell::none(),
            },
        }
    }

    fn key(column: Column, node: &&Node, look: &Look<'_>) -> SortKey {
        let pods = || i64::try_from(look.cluster.pod_count(&node.meta.name.name)).unwrap_or(i64::MAX);
        match column {
            Column::Name => SortKey::text(&node.meta.name.name),
            Column::Ready => SortKey::Number(node.readiness() as i64),
            Column::Cordon => SortKey::Number(i64::from(!node.is_cordoned())),
            Column::Since => SortKey::age(node.ready_since()),
            Column::Life => {
                let sign =
                    look.cluster.heartbeat(&node.meta.name.name).and_then(|heart| heart.sign_of_life());
                sign.map_or(SortKey::None, |(SignOfLife::Seen(at) | SignOfLife::Stamped(at))| {
                    SortKey::Number(at.as_second())
                })
            }
            Column::Pods => SortKey::most(pods()),
            Column::Volumes => {
                SortKey::most(i64::try_from(attached_volumes(node, look.cluster)).unwrap_or(i64::MAX))
            }
            Column::Pressure => SortKey::most(i64::try_from(node.pressures().count()).unwrap_or(i64::MAX)),
            Column::Taints => SortKey::most(i64::try_from(node.taints.len()).unwrap_or(i64::MAX)),
            Column::Zone => node.zone().map_or(SortKey::None, SortKey::text),
            Column::Roles => node.roles().next().map_or(SortKey::None, SortKey::text),
            Column::Version => SortKey::text(&node.kubelet_version),
            Column::Age => SortKey::age(node.meta.created),
            Column::CordonedBy => node.cordoned_by().map_or(SortKey::None, |by| SortKey::text(&by)),
        }
    }

    fn words(node: &&Node, _: &Look<'_>) -> String {
        let cordon = if node.is_cordoned() { "cordoned" } else { "" };
        let zone = node.zone().unwrap_or_default();
        format!(
            "{} {} {cordon} {zone} {}",
            node.meta.name,
            node.readiness().word(),
            taint_words(node).join(" ")
        )
    }

    fn is_problem(node: &&Node, _: &Look<'_>) -> bool {
        !node.is_ready()
            || node.is_cordoned()
            || node.is_out_of_service()
            || node.pressures().next().is_some()
    }

    fn meta<'r>(node: &'r &Node) -> Option<&'r Meta> {
        Some(&node.meta)
    }

    fn fact<'r>((column, heading): (Column, &Heading), node: &'r &Node, look: &Look<'_>) -> Fact<'r> {
        let ago = |at| Fact::duration(look.now.duration_since(at));
        match column {
            Column::Since => node.ready_since().map_or(Fact::None, ago),
            Column::Life => {
                let sign =
                    look.cluster.heartbeat(&node.meta.name.name).and_then(|heart| heart.sign_of_life());
                sign.map_or(Fact::None, |(SignOfLife::Seen(at) | SignOfLife::Stamped(at))| ago(at))
            }
            Column::Volumes => Fact::count(attached_volumes(node, look.cluster)),
            Column::Age => node.meta.created.map_or(Fact::None, ago),
            Column::Name
            | Column::Ready
            | Column::Cordon
            | Column::Pods
            | Column::Pressure
            | Column::Taints
            | Column::Zone
            | Column::Roles
            | Column::Version
            | Column::CordonedBy => Fact::of_cell(&Self::cell(column, node, look).text, heading.measure),
        }
    }
}

/// Volumes attached by an object, or listed in the node's status without one.
fn attached_volumes(node: &Node, cluster: &Cluster) -> usize {
    cluster.attachments_on(&node.meta.name.name).count().max(node.volumes_attached.len())
}
