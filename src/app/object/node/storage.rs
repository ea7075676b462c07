//! The volumes of a node: what kind of storage each is, where it is attached, who waits for it, what its driver says,
//! and what its backend knows it by.

use crate::app::columns::{Cell, Look, RowId, Tone, volumes as columns};
use crate::app::object::{Line, Section, clock_words};
use crate::app::time::short;
use crate::cluster::{
    Attached, AttachedBy, Kind, Name, ObjectRef, Storage, VolumeAttachment, VolumeId, VolumeJoin,
};
use std::collections::BTreeSet;

/// Those that somebody waits for first.
pub fn section(node: &str, look: &Look<'_>) -> Section {
    let cluster = look.cluster;
    let host = cluster.node(node).map_or(node, |row| row.hostname());
    let in_use = cluster.node(node).into_iter().flat_map(|row| &row.volumes_in_use);
    let ids: BTreeSet<VolumeId> = cluster
        .volumes_attached_to(node)
        .into_iter()
        .chain(in_use.map(|unique| cluster.volume_by_unique_name(unique)))
        .chain(cluster.pods_on(node).flat_map(|pod| cluster.volumes_of(pod)))
        .chain(cluster.volumes_pinned_to(host))
        .collect();
    let mut joins: Vec<VolumeJoin<'_>> = ids.iter().filter_map(|id| cluster.volume(id)).collect();
    joins.sort_by_key(|join| (join.waiting().next().is_none(), !has_error(join), name(join)));
    let lone: Vec<&VolumeAttachment> = cluster
        .attachments_on(node)
        .filter(|object| cluster.persistent_volumes.get(&Name::cluster(object.volume.clone())).is_none())
        .collect();
    let title = format!("Volumes ({})", joins.len() + lone.len());
    let mut lines: Vec<Line> = joins.iter().flat_map(|join| volume_lines(join, node, look)).collect();
    lines.extend(lone.into_iter().flat_map(|object| lone_lines(object, look)));
    Section { title, lines }
}

fn name(join: &VolumeJoin<'_>) -> String {
    join.claim_name.as_ref().map_or_else(|| columns::title(join), ToString::to_string)
}

fn has_error(join: &VolumeJoin<'_>) -> bool {
    join.attached.iter().any(|attached| match attached.by {
        AttachedBy::Object(object) => object.attach_error.is_some() || object.detach_error.is_some(),
        AttachedBy::Status { .. } => false,
    })
}

fn volume_lines(join: &VolumeJoin<'_>, node: &str, look: &Look<'_>) -> Vec<Line> {
    let copied = copied(join);
    let row = RowId::Volume(join.id.clone());
    let place = |mut line: Line| {
        line.copied.clone_from(&copied);
        line.to(row.clone())
    };
    let storage = match join.storage() {
        Storage::Unknown => "unknown",
        known @ (Storage::Block | Storage::File | Storage::Pinned) => known.word(),
    };
    let mut lines =
        vec![place(Line::cells(vec![Cell::plain(name(join)), Cell::muted(storage), at_node(join, node)]))];
    let mut more = |label: &'static str, cell: Cell| lines.push(place(Line::new(label, cell)));
    for pod in join.waiting() {
        let words = format!("{} waits for it on {}", pod.meta.name, pod.node);
        more("  waits", Cell::new(words, Tone::Critical));
    }
    let clock = volume_object(join).and_then(|object| {
        look.findings
            .of(&object)
            .find(|finding| finding.subject.object() == Some(&object))
            .and_then(|finding| clock_words(finding, look))
    });
    if let Some(clock) = clock {
        more("  clock", Cell::new(clock, Tone::Warning));
    }
    for attached in &join.attached {
        if let AttachedBy::Object(object) = attached.by {
            for cell in said(object, look) {
                more("  driver", cell);
            }
        }
    }
    if let (Some(driver), Some(handle)) = (columns::driver(join), columns::handle(join)) {
        more("  handle", Cell::muted(format!("{handle} ({driver})")));
    }
    lines
}

/// What an operator gives to the storage's own console.
fn copied(join: &VolumeJoin<'_>) -> Option<String> {
    columns::handle(join)
}

fn volume_object(join: &VolumeJoin<'_>) -> Option<ObjectRef> {
    let volume = join.volume?;
    Some(ObjectRef {
        kind: Kind::PersistentVolume,
        name: volume.meta.name.clone(),
        uid: volume.meta.uid.clone(),
    })
}

/// Where it is, seen from the node: what guards it, and what does not.
fn at_node(join: &VolumeJoin<'_>, node: &str) -> Cell {
    let is_here = |attached: &&Attached<'_>| *attached.node_name == *node;
    let elsewhere: Vec<&str> = join
        .attached
        .iter()
        .filter(|attached| *attached.node_name != *node && attached.is_attached())
        .map(|attached| attached.node_name.as_str())
        .collect();
    let is_wanted = join.wanting_on(node).next().is_some();
    let Some(here) = join.attached.iter().find(is_here) else {
        return match (join.storage(), elsewhere.as_slice()) {
            (Storage::Pinned, _) => {
                Cell::new("its data is on this machine alone: a detach does not help", Tone::Warning)
            }
            (_, [_, ..]) => Cell::new(format!("attached to {}", elsewhere.join(", ")), Tone::Plain),
            (Storage::File, []) => Cell::plain("no attachment: only the pod needs releasing"),
            (Storage::Block, []) if is_wanted => {
                Cell::new("no attachment guards it: two machines could write to it", Tone::Warning)
            }
            (Storage::Block | Storage::Unknown, []) => Cell::muted("not attached"),
        };
    };
    let wanted = if is_wanted { "wanted here" } else { "wanted by no pod here" };
    let (state, tone) = match here.by {
        AttachedBy::Object(object) if object.detach_error.is_some() => ("its detach fails", Tone::Critical),
        AttachedBy::Object(object) if object.attach_error.is_some() => ("its attach fails", Tone::Critical),
        AttachedBy::Object(object) if object.meta.is_deleting() => ("detaching", Tone::Notice),
        AttachedBy::Object(object) if !object.is_attached => ("attaching", Tone::Notice),
        AttachedBy::Object(_) => ("attached", Tone::Plain),
        AttachedBy::Status { is_in_use_only: false } => ("attached by the node's status alone", Tone::Notice),
        AttachedBy::Status { is_in_use_only: true } => ("in use by the kubelet's last word", Tone::Plain),
    };
    let also = match elsewhere.as_slice() {
        [] => String::new(),
        others => format!(", and to {}", others.join(", ")),
    };
    Cell::new(format!("{state}{also}, {wanted}"), tone)
}

/// What the driver said last, and since when it is asked to detach.
fn said(object: &VolumeAttachment, look: &Look<'_>) -> Vec<Cell> {
    let mut said: Vec<Cell> = Vec::new();
    if let Some(deletion) = object.meta.deletion {
        let asked = short(look.now.duration_since(deletion.requested()));
        said.push(Cell::new(format!("{} was asked to detach {asked} ago", object.attacher), Tone::Notice));
    }
    for (error, what) in [(&object.attach_error, "attach"), (&object.detach_error, "detach")] {
        if let Some(error) = error {
            let ago = error
                .at
                .map_or_else(String::new, |at| format!(" {} ago", short(look.now.duration_since(at))));
            said.push(Cell::new(format!("{what} failed{ago}: {}", error.message), Tone::Critical));
        }
    }
    said
}

/// An attachment whose volume is not known: inline, deleted, or not to be read.
fn lone_lines(object: &VolumeAttachment, look: &Look<'_>) -> Vec<Line> {
    let title = object.volume.non_empty().map_or_else(
        || format!("an inline volume, by {}", object.meta.name),
        |volume| format!("{volume}, of which no more is known"),
    );
    let state = if object.is_attached { "attached" } else { "attaching" };
    let mut lines = vec![Line::cells(vec![
        Cell::plain(title),
        Cell::muted(object.attacher.as_str()),
        Cell::plain(state),
    ])];
    lines.extend(said(object, look).into_iter().map(|cell| Line::new("  driver", cell)));
    lines
}
