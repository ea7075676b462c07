//! An open object: its joined facts, what is wrong with it, and its events, in sections of lines.

mod budget;
mod case;
mod event;
mod namespace;
mod node;
mod pod;
mod service;
mod volume;
mod workload;

pub use case::title as case_title;

use super::App;
use super::columns::{Cell, Look, RowId, Tone};
use super::concerned::way_back;
use super::time::{age, short};
use super::view::Move;
use super::wrap::wrap;
use crate::cluster::{
    Acceptance, Condition, FoldedEvent, Kind, Meta, Name, ObjectRef, Owner, Row as _, Status,
};
use crate::command::Context;
use crate::findings::{Evidence, Finding, Severity};
use std::cmp::Reverse;
use unicode_width::UnicodeWidthStr;

/// What is open, and where in it the cursor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub target: RowId,
    /// Kept for when the object is gone.
    pub title: String,
    at: usize,
    top: usize,
}

/// An object as it is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    pub sections: Vec<Section>,
    pub is_gone: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    pub lines: Vec<Line>,
}

/// One line: a label, cells after it, and the object that Enter opens from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub label: &'static str,
    pub cells: Vec<Cell>,
    pub link: Option<RowId>,
    /// What is copied from here, where that is more than what stands here.
    pub copied: Option<String>,
}

impl Line {
    pub fn new(label: &'static str, cell: Cell) -> Self {
        Self { label, cells: vec![cell], ..Self::default() }
    }

    pub fn cells(cells: Vec<Cell>) -> Self {
        Self { cells, ..Self::default() }
    }

    pub fn and(mut self, cell: Cell) -> Self {
        self.cells.push(cell);
        self
    }

    pub fn to(mut self, link: RowId) -> Self {
        self.link = Some(link);
        self
    }

    pub fn copying(mut self, text: impl Into<String>) -> Self {
        self.copied = Some(text.into());
        self
    }

    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.cells.iter().map(|cell| cell.text.as_str()).collect();
        texts.join("  ")
    }
}

impl Open {
    pub fn new(target: RowId, title: String) -> Self {
        Self { target, title, at: 0, top: 0 }
    }

    pub fn sheet(&self, app: &App) -> Sheet {
        let look = &app.look();
        let sections = match &self.target {
            RowId::Object(object) => match object.kind {
                Kind::Node => node::sections(object, app),
                Kind::Pod => pod::sections(object, look),
                Kind::PersistentVolume
                | Kind::PersistentVolumeClaim
                | Kind::VolumeAttachment
                | Kind::ApiService => None,
                Kind::Namespace => namespace::sections(object, look),
                Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
                    workload::sections(object, look)
                }
                Kind::PodDisruptionBudget => budget::sections(object, look),
                Kind::Service => service::sections(object, look),
                Kind::Event => event::sections(object, look),
            },
            RowId::Volume(id) => volume::sections(id, look),
            RowId::Case(subject) => case::sections(subject, look),
        };
        match sections {
            Some(mut sections) => {
                sections.retain(|section| !section.lines.is_empty());
                Sheet { sections, is_gone: false }
            }
            None => Sheet { sections: self.last_words(look), is_gone: true },
        }
    }

    /// What is left of an object that is gone: its events.
    fn last_words(&self, look: &Look<'_>) -> Vec<Section> {
        match &self.target {
            RowId::Object(object) => vec![events(look, &[(object.kind, object.name.clone())])],
            RowId::Volume(_) | RowId::Case(_) => Vec::new(),
        }
    }

    pub fn move_cursor(&mut self, movement: Move, lines: usize) {
        let last = lines.saturating_sub(1);
        self.at = match movement {
            Move::By(by) => self.at.saturating_add_signed(by).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
    }

    /// Moves to the beginning of a section: the next one, or the one before.
    pub fn move_section(&mut self, rows: &[SheetRow], is_forward: bool) {
        let mut starts = (0..rows.len()).filter(|at| matches!(rows.get(*at), Some(SheetRow::Title(_))));
        let at = self.at;
        let to =
            if is_forward { starts.find(|start| *start > at) } else { starts.rfind(|start| *start < at) };
        self.at = to.unwrap_or(at);
    }

    pub fn scroll(&mut self, lines: usize, visible: usize) {
        let visible = visible.max(1);
        self.at = self.at.min(lines.saturating_sub(1));
        let most = lines.saturating_sub(visible);
        self.top = self.top.min(most).min(self.at).max((self.at + 1).saturating_sub(visible));
    }

    /// What the clipboard gets from here: what the line stands for, or else the line itself.
    pub fn copied(&self, rows: &[SheetRow]) -> Option<String> {
        match rows.get(self.at)? {
            SheetRow::Line(line) => {
                Some(line.copied.clone().unwrap_or_else(|| line.text().trim().to_owned()))
            }
            SheetRow::Title(_) => None,
        }
    }

    pub const fn at(&self) -> usize {
        self.at
    }

    pub const fn top(&self) -> usize {
        self.top
    }
}

/// Columns that labels take.
pub const LABEL: usize = 12;

impl Sheet {
    /// All lines with the headings between them, as the cursor walks them on a screen of this width: a line's
    /// last cell goes on below itself where it is too long.
    pub fn rows(&self, width: u16) -> Vec<SheetRow> {
        self.sections
            .iter()
            .flat_map(|section| {
                let lines = section.lines.iter().flat_map(|line| line.wrapped(usize::from(width)));
                std::iter::once(SheetRow::Title(section.title.clone())).chain(lines.map(SheetRow::Line))
            })
            .collect()
    }
}

impl Line {
    /// Cells before the last one keep their place; the last one is wrapped beside them.
    fn wrapped(&self, width: usize) -> Vec<Self> {
        let Some((last, before)) = self.cells.split_last() else { return vec![self.clone()] };
        let label = if self.label.is_empty() { 0 } else { LABEL };
        let taken = label + before.iter().map(|cell| cell.text.width() + GAP).sum::<usize>();
        // Where little room is left beside them, what follows goes below them all.
        let (indent, room) = match width.saturating_sub(taken) {
            room @ 24.. => (taken, room),
            _ => (label, width.saturating_sub(label).max(8)),
        };
        let first_room = width.saturating_sub(taken).max(8);
        let first = " ".repeat(taken - indent);
        let mut parts = wrap(&last.text, room.max(first_room), (&first, "")).into_iter();
        let head = parts.next().unwrap_or_default();
        let mut lines = vec![Self {
            label: self.label,
            cells: before
                .iter()
                .cloned()
                .chain([Cell::new(head.get(first.len()..).unwrap_or_default(), last.tone)])
                .collect(),
            link: self.link.clone(),
            copied: self.copied.clone(),
        }];
        lines.extend(parts.map(|part| Self {
            label: "",
            cells: vec![Cell::new(format!("{}{part}", " ".repeat(indent)), last.tone)],
            link: self.link.clone(),
            copied: self.copied.clone(),
        }));
        lines
    }
}

/// Columns between the cells of a line.
pub const GAP: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SheetRow {
    Title(String),
    Line(Line),
}

// -- parts that the objects share ------------------------------------------------------------------------------

pub const fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Critical,
        Severity::Warning => Tone::Warning,
        Severity::Notice => Tone::Notice,
    }
}

/// The clock of a finding as text: `overdue 3m`.
pub fn clock_words(finding: &Finding, look: &Look<'_>) -> Option<String> {
    let reading = finding.clock?.reading(look.now);
    Some(match reading.span {
        Some(span) => format!("{} {}", reading.words, short(span)),
        None => reading.words.to_owned(),
    })
}

/// What is wrong, as the findings that name any of these objects say it.
fn findings(look: &Look<'_>, objects: &[ObjectRef]) -> Section {
    let mut lines = Vec::new();
    let mut said = Vec::new();
    for finding in objects.iter().flat_map(|object| look.findings.of(object)) {
        if said.contains(&finding.id()) {
            continue;
        }
        said.push(finding.id());
        lines.push(Line::cells(vec![Cell::new(finding.sentence.clone(), severity_tone(finding.severity))]));
        if let Some(clock) = clock_words(finding, look) {
            lines.push(Line::new("clock", Cell::new(clock, severity_tone(finding.severity))));
        }
        if finding.subject.object().is_some_and(|object| objects.contains(object)) {
            lines.extend(finding.evidence.iter().map(|evidence| evidence_line(evidence, look)));
            lines.extend(next_lines(finding, look));
        }
    }
    Section { title: "What is wrong".to_owned(), lines }
}

/// The next safe step, and the keys that lead back from a release.
fn next_lines(finding: &Finding, look: &Look<'_>) -> Vec<Line> {
    let back = way_back(finding, Context::Object, look);
    let back = back.map(|words| Line::new("release", Cell::plain(words)));
    std::iter::once(Line::new("next", Cell::plain(finding.next.clone()))).chain(back).collect()
}

fn evidence_line(evidence: &Evidence, look: &Look<'_>) -> Line {
    let ago =
        evidence.at.map_or_else(String::new, |at| format!(" ({} ago)", short(look.now.duration_since(at))));
    Line::new("because", Cell::plain(format!("{}{ago}", evidence.text)))
}

fn common(meta: &Meta, look: &Look<'_>) -> Vec<Line> {
    let mut lines = vec![
        Line::new("age", Cell::plain(age(meta.created, look.now))),
        Line::new("uid", Cell::muted(meta.uid.as_str())),
    ];
    if let Some(owner) = &meta.owner {
        lines.insert(0, owner_line(owner, meta, look));
    }
    let mut going = going(meta, look);
    going.extend(lines);
    going
}

/// That an object is to go, and what holds it.
fn going(meta: &Meta, look: &Look<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(deletion) = meta.deletion {
        let asked = short(look.now.duration_since(deletion.requested()));
        lines.push(Line::new("deletion", Cell::new(format!("asked {asked} ago"), Tone::Warning)));
    }
    if !meta.finalizers.is_empty() {
        let finalizers: Vec<&str> = meta.finalizers.iter().map(|finalizer| finalizer.as_str()).collect();
        lines.push(Line::new("finalizers", Cell::plain(finalizers.join(", "))));
    }
    lines.extend(update_line(meta, look));
    lines
}

/// Whether the server would still take an update of it, where it was asked.
fn update_line(meta: &Meta, look: &Look<'_>) -> Option<Line> {
    let tried = look.cluster.trial(meta)?;
    let (words, tone) = match &tried.trial.said {
        Acceptance::Accepted => ("the server would take one".to_owned(), Tone::Plain),
        Acceptance::Invalid { .. } | Acceptance::Denied { .. } | Acceptance::Unreachable { .. } => {
            ("refused by the server".to_owned(), Tone::Warning)
        }
        Acceptance::Unknown { reason } => (format!("not known whether one is taken: {reason}"), Tone::Muted),
    };
    let asked = short(look.now.duration_since(tried.at));
    Some(Line::new("update", Cell::new(format!("{words} (asked {asked} ago)"), tone)))
}

/// Who owns it, and who owns that: a pod's replica set says less than its deployment.
fn owner_line(owner: &Owner, meta: &Meta, look: &Look<'_>) -> Line {
    let line = Line::new("owner", Cell::plain(super::columns::pods::owner_words(owner)));
    let Some(direct) = look.cluster.owner_of(meta) else { return line };
    match look.cluster.owner_of(direct.meta()) {
        Some(above) => {
            let words = format!("of {}/{}", above.kind(), above.meta().name.name);
            line.and(Cell::plain(words)).to(RowId::Object(above.object()))
        }
        None => line.to(RowId::Object(direct.object())),
    }
}

fn conditions<'a>(conditions: impl Iterator<Item = &'a Condition>, look: &Look<'_>) -> Section {
    let lines = conditions
        .map(|condition| {
            let is_good = match condition.kind.as_str() {
                "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable"
                | "DisruptionTarget" | "Failed" | "FailureTarget" | "Suspended" | "ReplicaFailure" => {
                    condition.status == Status::False
                }
                kind if kind.starts_with("Namespace") => condition.status == Status::False,
                _ => condition.status == Status::True,
            };
            let tone = match condition.status {
                _ if is_good => Tone::Plain,
                Status::Unknown => Tone::Critical,
                Status::True | Status::False => Tone::Warning,
            };
            let word = match condition.status {
                Status::True => "True",
                Status::False => "False",
                Status::Unknown => "Unknown",
            };
            let mut line = Line::cells(vec![
                Cell::plain(format!("{:<18}", condition.kind)),
                Cell::new(format!("{word:<7}"), tone),
                Cell::muted(format!("{:>6}", age(condition.changed, look.now))),
            ]);
            if !is_good || !condition.reason.is_empty() {
                line = line.and(Cell::muted(join_words(&condition.reason, &condition.message)));
            }
            line
        })
        .collect();
    Section { title: "Conditions".to_owned(), lines }
}

fn join_words(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// Events about these objects, newest first.
fn events(look: &Look<'_>, objects: &[(Kind, Name)]) -> Section {
    let mut events: Vec<FoldedEvent<'_>> =
        objects.iter().flat_map(|(kind, name)| look.cluster.folded_events_of(*kind, name)).collect();
    events.sort_by_key(|event| (Reverse(event.newest.last), &event.id.meta.name));
    let mut lines: Vec<Line> = events.iter().map(|event| event_line(event, look)).collect();
    if lines.is_empty() {
        lines.push(Line::cells(vec![Cell::muted(
            "none that the server still has; events expire after an hour",
        )]));
    }
    Section { title: "Events".to_owned(), lines }
}

fn event_line(event: &FoldedEvent<'_>, look: &Look<'_>) -> Line {
    let FoldedEvent { id, newest, count } = event;
    let times = if *count > 1 { format!(" (x{count})") } else { String::new() };
    Line::cells(vec![
        Cell::muted(format!("{:>6}", age(newest.last, look.now))),
        Cell::new(format!("{}{times}", newest.reason), super::columns::events::tone(newest.is_warning)),
        Cell::plain(newest.note.as_str()),
    ])
    .to(RowId::Object(id.object()))
}
