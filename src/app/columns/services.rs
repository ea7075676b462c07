//! The columns of the services: how they are reached, and whether anything that lives stands behind them.

use super::{Cell, Heading, Listing, Look, RowId, SortKey, Tone};
use crate::app::filter::{Fact, Measure};
use crate::app::time::age;
use crate::cluster::{Backed, Backing, Cluster, Kind, Meta, Row as _, Service};

#[derive(Debug)]
pub struct Services;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Namespace,
    Name,
    Status,
    Ready,
    Type,
    ClusterIp,
    Ports,
    Selector,
    External,
    Age,
}

/// Whether it can answer.
pub fn status(join: &Backed<'_>) -> Cell {
    let service = join.service;
    match join.backing {
        None if service.kind == "ExternalName" => Cell::muted("a name elsewhere"),
        None if service.labels.is_empty() => Cell::muted("selects nothing itself"),
        None => Cell::muted("its pods were not read"),
        Some(Backing { total: 0, .. }) => Cell::new("no pod", Tone::Critical),
        Some(Backing { ready: 0, stranded: 0, .. }) => Cell::new("no ready pod", Tone::Critical),
        Some(Backing { ready: 0, stranded, .. }) => {
            Cell::new(format!("none ready, {stranded} on unready nodes"), Tone::Critical)
        }
        Some(Backing { stranded: many @ 1.., total, .. }) => {
            Cell::new(format!("{many} of {total} on unready nodes"), Tone::Warning)
        }
        Some(Backing { ready, total, .. }) if ready < total => {
            Cell::new(format!("{ready} of {total} ready"), Tone::Notice)
        }
        Some(_) => Cell::new("answers", Tone::Good),
    }
}

fn ready(join: &Backed<'_>) -> Cell {
    match join.backing {
        None => Cell::none(),
        Some(Backing { ready, total, .. }) => {
            let tone = if ready == total && total > 0 { Tone::Plain } else { Tone::Warning };
            Cell::new(format!("{ready}/{total}"), tone)
        }
    }
}

pub fn ports(service: &Service) -> String {
    let ports: Vec<String> = service.ports.iter().map(crate::cluster::Port::short).collect();
    ports.join(",")
}

pub fn selector(service: &Service) -> String {
    service.selector().map_or_else(String::new, |selector| selector.to_string())
}

pub fn external(service: &Service) -> String {
    match service.external_name.non_empty() {
        Some(name) => name.to_owned(),
        None => {
            let ingress: Vec<&str> = service.ingress.iter().map(|ingress| ingress.as_str()).collect();
            ingress.join(",")
        }
    }
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::none() } else { Cell::plain(text) }
}

impl Listing for Services {
    type Row<'a> = Backed<'a>;
    type Column = Column;

    const COLUMNS: &'static [(Column, Heading)] = &[
        (Column::Namespace, Heading::new("namespace", "NAMESPACE", (10, 24), 3)),
        (Column::Name, Heading::new("name", "NAME", (16, 60), 0)),
        (Column::Status, Heading::new("status", "STATUS", (30, 42), 0)),
        (Column::Ready, Heading::new("ready", "READY", (5, 7), 1)),
        (Column::Type, Heading::new("type", "TYPE", (9, 12), 4)),
        (Column::ClusterIp, Heading::new("cluster-ip", "CLUSTER IP", (10, 15), 6)),
        (Column::Ports, Heading::new("ports", "PORTS", (8, 36), 5)),
        (Column::Selector, Heading::new("selector", "SELECTOR", (16, 60), 8)),
        (Column::External, Heading::new("external", "EXTERNAL", (10, 40), 9)),
        (Column::Age, Heading::new("age", "AGE", (5, 6), 7).right().measured(Measure::Duration)),
    ];

    fn rows(cluster: &Cluster) -> Vec<Backed<'_>> {
        cluster.services.values().map(|service| cluster.service(service)).collect()
    }

    fn find<'a>(cluster: &'a Cluster, id: &RowId) -> Option<Backed<'a>> {
        match id {
            RowId::Object(object) if object.kind == Kind::Service => {
                cluster.services.same(object).map(|service| cluster.service(service))
            }
            RowId::Object(_) | RowId::Volume(_) | RowId::Case(_) => None,
        }
    }

    fn id(row: &Backed<'_>) -> RowId {
        RowId::Object(row.service.object())
    }

    fn cell(column: Column, row: &Backed<'_>, look: &Look<'_>) -> Cell {
        let service = row.service;
        match column {
            Column::Namespace => Cell::muted(service.meta.name.namespace.as_str()),
            Column::Name => Cell::plain(service.meta.name.name.as_str()),
            Column::Status => status(row),
            Column::Ready => ready(row),
            Column::Type => Cell::plain(service.kind.as_str()),
            Column::ClusterIp => text(&service.cluster_ip),
            Column::Ports => text(&ports(service)),
            Column::Selector => text(&selector(service)),
            Column::External => text(&external(service)),
            Column::Age => Cell::plain(age(service.meta.created, look.now)),
        }
    }

    fn key(column: Column, row: &Backed<'_>, look: &Look<'_>) -> SortKey {
        let meta = &row.service.meta;
        match column {
            Column::Namespace => SortKey::text(&meta.name.to_string()),
            Column::Age => SortKey::age(meta.created),
            Column::Status => SortKey::Number(match status(row).tone {
                Tone::Critical => 0,
                Tone::Warning => 1,
                Tone::Notice => 2,
                Tone::Plain | Tone::Good => 3,
                Tone::Muted => 4,
            }),
            Column::Ready => row.backing.map_or(SortKey::None, |backing| {
                SortKey::Number(i64::from(backing.ready) - i64::from(backing.total))
            }),
            Column::Name
            | Column::Type
            | Column::ClusterIp
            | Column::Ports
            | Column::Selector
            | Column::External => match Self::cell(column, row, look).text.as_str() {
                "-" => SortKey::None,
                text => SortKey::text(text),
            },
        }
    }

    fn words(row: &Backed<'_>, _: &Look<'_>) -> String {
        let service = row.service;
        format!(
            "{} {} {} {} {} {} {}",
            service.meta.name,
            service.kind,
            service.cluster_ip,
            ports(service),
            selector(service),
            external(service),
            status(row).text,
        )
    }

    fn is_problem(row: &Backed<'_>, _: &Look<'_>) -> bool {
        row.is_problem()
    }

    fn meta<'r>(row: &'r Backed<'_>) -> Option<&'r Meta> {
        Some(&row.service.meta)
    }

    fn fact<'r>((column, heading): (Column, &Heading), row: &'r Backed<'_>, look: &Look<'_>) -> Fact<'r> {
        match column {
            // Words with commas in them, and not several.
            Column::Status => Fact::text(status(row).text),
            Column::Age => row.service.meta.age(look.now).map_or(Fact::None, Fact::duration),
            Column::Namespace
            | Column::Name
            | Column::Ready
            | Column::Type
            | Column::ClusterIp
            | Column::Ports
            | Column::Selector
            | Column::External => Fact::of_cell(&Self::cell(column, row, look).text, heading.measure),
        }
    }
}
