//! An open node: its life, its taints, its pods and the volumes attached to it.

use super::{Line, Section, common, conditions, events, findings};
use crate::app::columns::nodes::{life, tone};
use crate::app::columns::{Cell, Look, RowId, Tone, pods, volumes};
use crate::app::time::{age, short};
use crate::cluster::{Kind, Node, ObjectRef, Pod, VolumeId};
use std::collections::BTreeSet;

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let node = look.cluster.nodes.same(object)?;
    Some(vec![
        findings(look, std::slice::from_ref(object)),
        facts(node, look),
        pods_on(node, look),
        attached(node, look),
        conditions(node.conditions.iter(), look),
        events(look, &[(Kind::Node, object.name.clone())]),
    ])
}

fn facts(node: &Node, look: &Look<'_>) -> Section {
    let readiness = node.readiness();
    let since = age(node.ready_since(), look.now);
    let mut lines = vec![
        Line::new("ready", Cell::new(readiness.word(), tone(readiness)))
            .and(Cell::plain(format!("for {since}"))),
        Line::new("cordon", cordon(node, look)),
        Line::new(
            "last life",
            life(node, look).map_or_else(
                || Cell::muted("no lease was read"),
                |life| match life.strip_prefix('~') {
                    Some(stamp) => Cell::plain(format!(
                        "lease last moved {stamp} ago by the node's own clock; not since we look"
                    )),
                    None => Cell::plain(format!("lease moved {life} ago")),
                },
            ),
        ),
    ];
    lines.extend(node.taints.iter().map(|taint| {
        let value = if taint.value.is_empty() { String::new() } else { format!("={}", taint.value) };
        let added = taint
            .added
            .map_or_else(String::new, |added| format!("since {}", short(look.now.duration_since(added))));
        Line::new("taint", Cell::plain(format!("{}{value}:{}", taint.key, taint.effect.word())))
            .and(Cell::muted(added))
    }));
    let roles: Vec<&str> = node.roles().collect();
    for (label, text) in [
        ("zone", node.zone().unwrap_or_default()),
        ("roles", &roles.join(",")),
        ("address", &node.internal_ip),
        ("kubelet", &node.kubelet_version),
        ("system", &node.os_image),
        ("boot id", &node.boot_id),
        ("provider id", &node.provider_id),
    ] {
        if !text.is_empty() {
            lines.push(Line::new(label, Cell::plain(text)));
        }
    }
    lines.extend(common(&node.meta, look));
    Section { title: "Node".to_owned(), lines }
}

/// Who cordoned it, since when and why, as far as the node says it.
fn cordon(node: &Node, look: &Look<'_>) -> Cell {
    if !node.is_cordoned() {
        return Cell::plain("no");
    }
    let since = node.cordoned_since();
    let ago = since.map_or_else(String::new, |since| format!(" {} ago", age(Some(since), look.now)));
    let words = match (node.cordoned_by(), node.outlived_note()) {
        (Some(by), _) => format!("cordoned{ago} by {by}"),
        (None, Some(outlived)) => {
            let written = age(outlived.at, look.now);
            format!("cordoned{ago}, by whom is not known: the note of {} is {written} old", outlived.by)
        }
        (None, None) => format!("cordoned{ago}"),
    };
    Cell::new(words, Tone::Notice)
}

fn pods_on(node: &Node, look: &Look<'_>) -> Section {
    let mut on_it: Vec<&Pod> = look.cluster.pods_on(&node.meta.name.name).collect();
    on_it.sort_by_key(|pod| (pods::is_well(pod), pod.meta.name.clone()));
    let wide = on_it.iter().map(|pod| pod.meta.name.to_string().len()).max().unwrap_or(0).min(48);
    let lines = on_it
        .iter()
        .map(|pod| {
            let line = Line::cells(vec![
                Cell::plain(format!("{:<wide$}", pod.meta.name.to_string())),
                pods::status(pod, look),
            ])
            .to(RowId::Object(pods::reference(pod)));
            match pods::clock(pod, look) {
                Some(clock) => line.and(clock),
                None => line,
            }
        })
        .collect::<Vec<_>>();
    let of = node.allocatable_pods.map_or_else(String::new, |most| format!(" of {most}"));
    Section { title: format!("Pods ({}{of})", lines.len()), lines }
}

fn attached(node: &Node, look: &Look<'_>) -> Section {
    let name = &node.meta.name.name;
    let by_object =
        look.cluster.attachments_on(name).map(|object| VolumeId::Persistent(object.volume.clone()));
    let by_status = node.volumes_attached.iter().chain(&node.volumes_in_use);
    let ids: BTreeSet<VolumeId> =
        by_object.chain(by_status.map(|unique| look.cluster.volume_by_unique_name(unique))).collect();
    let lines = ids
        .iter()
        .filter_map(|id| look.cluster.volume(id))
        .map(|join| {
            let here = join.attached.iter().find(|attached| attached.node_name == *name);
            let mut line =
                Line::cells(vec![Cell::plain(volumes::title(&join)), Cell::muted(join.storage().word())])
                    .to(RowId::Volume(join.id.clone()));
            if let Some(here) = here {
                line = line.and(volumes::attached_words(here));
            }
            let elsewhere: Vec<&str> =
                join.wanted_on().into_iter().filter(|node| *node != name).map(|node| node.as_str()).collect();
            if join.is_torn() {
                line = line.and(Cell::new(format!("wanted on {}", elsewhere.join(", ")), Tone::Critical));
            }
            line
        })
        .collect::<Vec<_>>();
    Section { title: format!("Volumes attached ({})", lines.len()), lines }
}
