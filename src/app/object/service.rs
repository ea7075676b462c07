//! Services: an open one with the pods behind it, and the lines that other objects say of those in front of them.

use super::{Line, Section, common, events, findings, pod};
use crate::app::columns::{Cell, Look, RowId, services};
use crate::cluster::{Backed, ObjectRef, Pod, Row as _, Service};

pub fn sections(object: &ObjectRef, look: &Look<'_>) -> Option<Vec<Section>> {
    let service = look.cluster.services.same(object)?;
    let join = look.cluster.service(service);
    let selector = service.selector();
    let behind: Vec<&Pod> = match &selector {
        Some(selector) => look.cluster.pods_matching(&service.meta.name.namespace, selector).collect(),
        None => Vec::new(),
    };
    Some(vec![
        findings(look, std::slice::from_ref(object)),
        facts(&join, look),
        Section {
            title: format!("Pods behind it ({})", behind.len()),
            lines: pod::lines(behind.into_iter(), look),
        },
        events(look, &[(object.kind, object.name.clone())]),
    ])
}

fn facts(join: &Backed<'_>, look: &Look<'_>) -> Section {
    let service = join.service;
    let mut status = Line::new("status", services::status(join));
    if let Some(backing) = join.backing {
        status = status.and(Cell::plain(format!("{} of {} pods ready", backing.ready, backing.total)));
    }
    let address = if service.is_headless() { "none: it is headless" } else { service.cluster_ip.as_str() };
    let mut lines = vec![status, Line::new("type", Cell::plain(service.kind.as_str()))];
    for (label, text) in [
        ("address", address),
        ("external", &services::external(service)),
        ("selector", &services::selector(service)),
    ] {
        if !text.is_empty() {
            lines.push(Line::new(label, Cell::plain(text)));
        }
    }
    lines.extend(service.ports.iter().map(|port| {
        let line = Line::new("port", Cell::plain(port.short()));
        let line =
            if port.target.is_empty() { line } else { line.and(Cell::muted(format!("to {}", port.target))) };
        if port.name.is_empty() { line } else { line.and(Cell::muted(port.name.as_str())) }
    }));
    if service.publishes_unready {
        lines.push(Line::new("unready", Cell::plain("pods get traffic too")));
    }
    lines.extend(common(&service.meta, look));
    Section { title: "Service".to_owned(), lines }
}

pub fn section(selecting: &[&Service], look: &Look<'_>) -> Section {
    let lines = selecting
        .iter()
        .map(|service| {
            Line::cells(vec![
                Cell::plain(service.meta.name.name.as_str()),
                services::status(&look.cluster.service(service)),
                Cell::muted(services::ports(service)),
            ])
            .to(RowId::Object(service.object()))
        })
        .collect();
    Section { title: "Services".to_owned(), lines }
}
