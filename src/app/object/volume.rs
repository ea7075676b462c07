//! An open volume: what it is, where it is attached, who wants it.

use super::{Line, Section, common, events, findings, going};
use crate::app::columns::{Cell, Look, RowId, Tone, nodes, pods, volumes};
use crate::app::time::short;
use crate::cluster::{Attached, AttachedBy, Kind, ObjectRef, Row, Storage, VolumeId, VolumeJoin};

pub fn sections(id: &VolumeId, look: &Look<'_>) -> Option<Vec<Section>> {
    let join = look.cluster.volume(id)?;
    let mut objects = Vec::new();
    let mut about = Vec::new();
    if let Some(volume) = join.volume {
        let (kind, name) = (Kind::PersistentVolume, volume.meta.name.clone());
        objects.push(ObjectRef { kind, name: name.clone(), uid: volume.meta.uid.clone() });
        about.push((kind, name));
    }
    objects.extend(join.claim.map(Row::object));
    if let Some(claim) = &join.claim_name {
        about.push((Kind::PersistentVolumeClaim, claim.clone()));
    }
    Some(vec![
        findings(look, &objects),
        attached(&join, look),
        wanted(&join, look),
        facts(&join, look),
        events(look, &about),
    ])
}

fn attached(join: &VolumeJoin<'_>, look: &Look<'_>) -> Section {
    let lines = join.attached.iter().flat_map(|attached| attached_lines(attached, look)).collect();
    Section { title: "Attached to".to_owned(), lines }
}

fn attached_lines(attached: &Attached<'_>, look: &Look<'_>) -> Vec<Line> {
    let mut line = Line::cells(vec![volumes::attached_words(attached)]);
    if let Some(node) = attached.node {
        line = line
            .and(Cell::new(node.readiness().word(), nodes::tone(node.readiness())))
            .to(RowId::Object(node.object()));
    }
    let AttachedBy::Object(object) = attached.by else { return vec![line] };
    let mut lines = vec![line, Line::new("attachment", Cell::muted(object.meta.name.name.as_str()))];
    if let Some(deletion) = object.meta.deletion {
        let asked = short(look.now.duration_since(deletion.requested()));
        lines.push(Line::new("detach", Cell::new(format!("asked {asked} ago"), Tone::Notice)));
    }
    for error in object.attach_error.iter().chain(&object.detach_error) {
        lines.push(Line::new("driver says", Cell::new(error.message.as_str(), Tone::Critical)));
    }
    lines
}

fn wanted(join: &VolumeJoin<'_>, look: &Look<'_>) -> Section {
    let lines = join
        .pods
        .iter()
        .map(|pod| {
            let node = pod.node.non_empty().unwrap_or("not scheduled");
            let is_here = join.attached.iter().any(|attached| attached.node_name == pod.node);
            let tone = if is_here || !join.is_torn() { Tone::Plain } else { Tone::Critical };
            Line::cells(vec![
                Cell::plain(pod.meta.name.to_string()),
                pods::status(pod, look),
                Cell::new(format!("on {node}"), tone),
            ])
            .to(RowId::Object(pod.object()))
        })
        .collect();
    Section { title: "Mounted by".to_owned(), lines }
}

fn facts(join: &VolumeJoin<'_>, look: &Look<'_>) -> Section {
    let mut lines = Vec::new();
    let advice = match join.storage() {
        Storage::Block => "block: on one node at a time; prove that node dead before detaching",
        Storage::File => "file: shared between nodes; only the pod needs releasing",
        Storage::Pinned => "pinned: the data is on that machine; detaching does not help",
        Storage::Unknown => "unknown",
    };
    lines.push(Line::new("storage", Cell::plain(advice)));
    if let Some(claim) = &join.claim_name {
        let phase = join.claim.map_or("not readable", |claim| claim.phase.as_str());
        lines.push(Line::new("claim", Cell::plain(claim.to_string())).and(Cell::muted(phase)));
        // All else that is shown of a meta is the volume's.
        if join.volume.is_some()
            && let Some(claim) = join.claim
        {
            lines.extend(going(&claim.meta, look));
        }
    }
    if let Some(volume) = join.volume {
        lines.push(
            Line::new("volume", Cell::plain(volume.meta.name.name.as_str()))
                .and(Cell::muted(volume.phase.as_str())),
        );
        if let Some(handle) = volumes::handle(join) {
            lines.push(Line::new("handle", Cell::plain(handle)));
        }
        let pinned: Vec<&str> = volume.pinned_to().map(|node| node.as_str()).collect();
        for (label, text) in [
            ("driver", volumes::driver(join).unwrap_or_default()),
            ("access", &volume.access.short()),
            ("reclaim", &volume.reclaim_policy),
            ("class", &volume.class),
            ("size", &volume.capacity),
            ("pinned to", &pinned.join(", ")),
            ("message", &volume.message),
        ] {
            if !text.is_empty() {
                lines.push(Line::new(label, Cell::plain(text)));
            }
        }
    }
    if let Some(meta) = volumes::meta(join) {
        lines.extend(common(meta, look));
    }
    Section { title: "Volume".to_owned(), lines }
}
