//! The columns of the volumes: where each is attached against where it is wanted.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::filter::{Fact, Field, Measure};
use crate::app::time::age;
use crate::cluster::{Attached, AttachedBy, Cluster, Meta, Source, Storage, Text, VolumeId, VolumeJoin};

#[derive(Debug)]
pub struct Volumes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Volume,
    Claim,
    Phase,
    Attached,
    Wanted,
    Storage,
    Access,
    Capacity,
    Reclaim,
    Class,
    Driver,
    Handle,
    Age,
}

/// What a volume is called on the screen: its claim says more than its own name, which is often a number.
pub fn title(join: &VolumeJoin<'_>) -> String {
    match (&join.id, &join.claim_name) {
        (VolumeId::Claim(name), _) => name.to_string(),
        (VolumeId::Persistent(volume), Some(claim)) => format!("{volume} ({claim})"),
        (VolumeId::Persistent(volume), None) => volume.to_string(),
        (VolumeId::Unknown(unique), _) => unique.to_string(),
    }
}

pub fn meta<'r>(join: &'r VolumeJoin<'_>) -> Option<&'r Meta> {
    join.volume.map(|volume| &volume.meta).or(join.claim.map(|claim| &claim.meta))
}

pub fn phase<'a>(join: &VolumeJoin<'a>) -> Option<&'a str> {
    join.volume.map(|volume| volume.phase.as_str()).or(join.claim.map(|claim| claim.phase.as_str()))
}

fn phase_tone(phase: &str) -> Tone {
    match phase {
        "Bound" => Tone::Good,
        "Available" => Tone::Plain,
        "Released" | "Pending" => Tone::Notice,
        _ => Tone::Critical,
    }
}

/// `worker-2`, with what is odd about it: going, failing, on a node that is not ready, known from status only.
pub fn attached_words(attached: &Attached<'_>) -> Cell {
    let mut words = attached.node_name.to_string();
    let mut tone = match attached.node {
        None => {
            words.push_str(" gone");
            Tone::Critical
        }
        Some(node) => match super::nodes::tone(node.readiness()) {
            Tone::Good => Tone::Plain,
            tone @ (Tone::Plain | Tone::Muted | Tone::Notice | Tone::Warning | Tone::Critical) => tone,
        },
    };
    match attached.by {
        AttachedBy::Object(object) => {
            if object.detach_error.is_some() {
                words.push_str(" detach fails");
                tone = Tone::Critical;
            } else if object.attach_error.is_some() {
                words.push_str(" attach fails");
                tone = Tone::Critical;
            } else if object.meta.is_deleting() {
                words.push_str(" detaching");
                tone = tone.max(Tone::Notice);
            } else if !object.is_attached {
                words.push_str(" attaching");
                tone = tone.max(Tone::Notice);
            }
        }
        AttachedBy::Status { is_in_use_only: true } => words.push_str(" in use"),
        AttachedBy::Status { is_in_use_only: false } => words.push_str(" by status"),
    }
    Cell::new(words, tone)
}

pub fn driver<'a>(join: &VolumeJoin<'a>) -> Option<&'a str> {
    join.volume.map(|volume| match &volume.source {
        Source::Csi { driver, .. } => driver.as_str(),
        Source::Local { .. } => "local",
        Source::HostPath { .. } => "hostPath",
        Source::Nfs { .. } => "nfs",
        Source::InTree { field } => field.as_str(),
        Source::Unknown => "-",
    })
}

/// What the backend knows the volume by.
pub fn handle(join: &VolumeJoin<'_>) -> Option<String> {
    match &join.volume?.source {
        Source::Csi { handle, .. } => Some(handle.to_string()),
        Source::Local { path } | Source::HostPath { path } => Some(path.to_string()),
        Source::Nfs { server, path } => Some(format!("{server}:{path}")),
        Source::InTree { .. } | Source::Unknown => None,
    }
}

fn has_error(join: &VolumeJoin<'_>) -> bool {
    join.attached.iter().any(|attached| match attached.by {
        AttachedBy::Object(object) => object.attach_error.is_some() || object.detach_error.is_some(),
        AttachedBy::Status { .. } => false,
    })
}

impl Listing for Volumes {
    type Row<'a> = VolumeJoin<'a>;
    type Column = Column;

    const COLUMNS: &'static [(Column, Heading)] = &[
        (Column::Claim, Heading::new("claim", "CLAIM", (24, 48), 0)),
        (Column::Phase, Heading::new("status", "PHASE", (8, 9), 3)),
        (Column::Attached, Heading::new("attached", "ATTACHED", (12, 30), 1)),
        (Column::Wanted, Heading::new("wanted", "WANTED ON", (10, 26), 2)),
        (Column::Storage, Heading::new("storage", "KIND", (6, 6), 4)),
        (Column::Access, Heading::new("access", "ACCESS", (6, 12), 5)),
        (Column::Capacity, Heading::new("capacity", "SIZE", (5, 8), 8).right().measured(Measure::Quantity)),
        (Column::Reclaim, Heading::new("reclaim", "RECLAIM", (7, 7), 9)),
        (Column::Class, Heading::new("class", "CLASS", (8, 18), 7)),
        (Column::Driver, Heading::new("driver", "DRIVER", (10, 26), 10)),
        (Column::Volume, Heading::new("name", "VOLUME", (12, 44), 6)),
        (Column::Handle, Heading::new("handle", "HANDLE", (10, 40), 12)),
        (Column::Age, Heading::new("age", "AGE", (5, 6), 11).right().measured(Measure::Duration)),
    ];

    const FIELDS: &'static [Field] = &[
        Field { id: NAMESPACE, title: NAMESPACE, measure: Measure::Text },
        Field { id: POD, title: POD, measure: Measure::Text },
    ];

    fn rows(cluster: &Cluster) -> Vec<VolumeJoin<'_>> {
        cluster.volumes().iter().filter_map(|id| cluster.volume(id)).collect()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<VolumeJoin<'a>> {
        match id {
            RowId::Volume(id) => cluster.volume(id),
            RowId::Object(_) | RowId::Case(_) => None,
        }
    }

    fn id(row: &VolumeJoin<'_>) -> RowId {
        RowId::Volume(row.id.clone())
    }

    fn cell(column: Column, join: &VolumeJoin<'_>, look: &Look<'_>) -> Cell {
        let volume = join.volume;
        let text = |text: Option<&str>| match text {
            Some(text) if !text.is_empty() => Cell::plain(text),
            Some(_) | None => Cell::none(),
        };
        match column {
            Column::Volume => match &join.id {
                VolumeId::Persistent(name) => Cell::muted(name.as_str()),
                VolumeId::Unknown(unique) => Cell::plain(unique.as_str()),
                VolumeId::Claim(_) => Cell::none(),
            },
            // The one column that is never dropped: what has no claim shows its own name there.
            Column::Claim => match (&join.id, &join.claim_name) {
                (_, Some(claim)) | (VolumeId::Claim(claim), None) => Cell::plain(claim.to_string()),
                (VolumeId::Persistent(name) | VolumeId::Unknown(name), None) => Cell::muted(name.as_str()),
            },
            Column::Phase => phase(join).map_or_else(Cell::none, |phase| Cell::new(phase, phase_tone(phase))),
            Column::Attached => joined(join.attached.iter().map(attached_words)),
            Column::Wanted => {
                let tone = if join.is_torn() { Tone::Critical } else { Tone::Plain };
                joined(join.wanted_on().into_iter().map(|node| Cell::new(node.as_str(), tone)))
            }
            Column::Storage => match join.storage() {
                Storage::Unknown => Cell::none(),
                kind @ (Storage::Block | Storage::File | Storage::Pinned) => Cell::plain(kind.word()),
            },
            Column::Access => {
                let modes = volume.map(|volume| volume.access).or(join.claim.map(|claim| claim.access));
                text(modes.map(|modes| modes.short()).as_deref())
            }
            Column::Capacity => text(
                volume
                    .map(|volume| volume.capacity.as_str())
                    .or(join.claim.map(|claim| claim.capacity.as_str())),
            ),
            Column::Reclaim => text(volume.map(|volume| volume.reclaim_policy.as_str())),
            Column::Class => text(
                volume.map(|volume| volume.class.as_str()).or(join.claim.map(|claim| claim.class.as_str())),
            ),
            Column::Driver => text(driver(join)),
            Column::Handle => text(handle(join).as_deref()),
            Column::Age => Cell::plain(age(meta(join).and_then(|meta| meta.created), look.now)),
        }
    }

    fn key(column: Column, join: &VolumeJoin<'_>, look: &Look<'_>) -> SortKey {
        match column {
            Column::Age => SortKey::age(meta(join).and_then(|meta| meta.created)),
            Column::Volume
            | Column::Claim
            | Column::Phase
            | Column::Attached
            | Column::Wanted
            | Column::Storage
            | Column::Access
            | Column::Capacity
            | Column::Reclaim
            | Column::Class
            | Column::Driver
            | Column::Handle => match Self::cell(column, join, look).text.as_str() {
                "-" => SortKey::None,
                text => SortKey::text(text),
            },
        }
    }

    fn words(join: &VolumeJoin<'_>, _: &Look<'_>) -> String {
        let attached: Vec<&str> = join.attached.iter().map(|attached| attached.node_name.as_str()).collect();
        let pods: Vec<String> = join.pods.iter().map(|pod| pod.meta.name.to_string()).collect();
        let class = join.volume.map_or("", |volume| volume.class.as_str());
        format!(
            "{} {} {class} {} {} {} {}",
            title(join),
            phase(join).unwrap_or_default(),
            driver(join).unwrap_or_default(),
            join.storage().word(),
            attached.join(" "),
            pods.join(" "),
        )
    }

    fn is_problem(join: &VolumeJoin<'_>, _: &Look<'_>) -> bool {
        let is_phase_odd = phase(join).is_some_and(|phase| !matches!(phase, "Bound" | "Available"));
        join.is_torn() || join.on_unready_node() || has_error(join) || is_phase_odd
    }

    fn meta<'r>(join: &'r VolumeJoin<'_>) -> Option<&'r Meta> {
        meta(join)
    }

    fn namespace(join: &VolumeJoin<'_>) -> Option<Text> {
        join.claim_name.as_ref().map(|claim| claim.namespace.clone())
    }

    fn uid(join: &VolumeJoin<'_>) -> Option<Text> {
        meta(join).map(|meta| meta.uid.clone())
    }

    fn fact<'r>(
        (column, heading): (Column, &Heading),
        join: &'r VolumeJoin<'_>,
        look: &Look<'_>,
    ) -> Fact<'r> {
        match column {
            // Where it is; what is odd about that is said beside it on the screen.
            Column::Attached => Fact::any(join.attached.iter().map(|attached| attached.node_name.as_str())),
            Column::Age => {
                let age = meta(join).and_then(|meta| meta.age(look.now));
                age.map_or(Fact::None, Fact::duration)
            }
            Column::Volume
            | Column::Claim
            | Column::Phase
            | Column::Wanted
            | Column::Storage
            | Column::Access
            | Column::Capacity
            | Column::Reclaim
            | Column::Class
            | Column::Driver
            | Column::Handle => Fact::of_cell(&Self::cell(column, join, look).text, heading.measure),
        }
    }

    fn extra<'r>(field: &'static str, join: &'r VolumeJoin<'_>, _: &Look<'_>) -> Fact<'r> {
        match field {
            NAMESPACE => {
                Self::namespace(join).map_or(Fact::None, |namespace| Fact::text(namespace.to_string()))
            }
            POD => Fact::any(join.pods.iter().map(|pod| pod.meta.name.name.as_str())),
            _ => Fact::None,
        }
    }
}

const NAMESPACE: &str = "namespace";
const POD: &str = "pod";

/// Cells beside each other in one: the worst tone is its tone.
fn joined(cells: impl Iterator<Item = Cell>) -> Cell {
    let cells: Vec<Cell> = cells.collect();
    let Some(tone) = cells.iter().map(|cell| cell.tone).max() else { return Cell::none() };
    let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
    Cell::new(texts.join(","), tone)
}
