//! What becomes of the pods of a node, and when: in groups, because a node can have 250 of them.

use crate::actions::evidence::facts::exclusive_volumes;
use crate::app::columns::{Cell, Look, RowId, Tone};
use crate::app::object::{GAP, Line, Section};
use crate::app::time::short;
use crate::cluster::{Cluster, Component, Eviction, Node, Pod, Row as _};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What happens to a pod where it is. In the order of how bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Told to go, and past its deadline: nobody confirms that it has ended.
    Stuck,
    /// Told to go, and the garbage collector takes it off.
    Collected,
    Going,
    Due,
    /// Nobody leads the controllers.
    Halted,
    Coming,
    NotTold,
    Stays,
    Runs,
    Ended,
}

/// What comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum After {
    /// Its successor waits until it is gone.
    OneAtATime,
    /// Its successor comes up elsewhere, and waits for the volume that is held here.
    Held,
    Elsewhere,
    Nothing,
    /// It comes and goes with the machine.
    OfMachine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub fate: Fate,
    pub after: After,
    /// When it is told to go, or was to be gone.
    pub at: Option<Timestamp>,
}

pub fn of(pod: &Pod, node: &Node, look: &Look<'_>) -> Outlook {
    let (fate, at) = fate(pod, node, look);
    Outlook { fate, after: after(pod, look.cluster), at }
}

fn fate(pod: &Pod, node: &Node, look: &Look<'_>) -> (Fate, Option<Timestamp>) {
    if pod.phase.is_terminal() {
        return (Fate::Ended, None);
    }
    if let Some(deletion) = pod.meta.deletion {
        let is_late = pod.meta.overdue(look.now).is_some_and(|late| late > look.timers.deletion_slack);
        let fate = match is_late {
            _ if node.is_out_of_service() && !node.is_ready() => Fate::Collected,
            true => Fate::Stuck,
            false => Fate::Going,
        };
        return (fate, Some(deletion.deadline));
    }
    match look.cluster.eviction(pod, look.now) {
        None if node.is_ready() => (Fate::Runs, None),
        None => (Fate::NotTold, None),
        Some(Eviction::Never) => (Fate::Stays, None),
        Some(_) if look.cluster.is_silent(Component::ControllerManager) => (Fate::Halted, None),
        Some(Eviction::Due) => (Fate::Due, None),
        Some(Eviction::NotBefore { at, .. }) => (Fate::Coming, Some(at)),
    }
}

fn after(pod: &Pod, cluster: &Cluster) -> After {
    let Some(owner) = pod.meta.owner.as_ref().filter(|owner| owner.is_controller && !pod.is_mirror) else {
        return if pod.is_mirror { After::OfMachine } else { After::Nothing };
    };
    match owner.kind.as_str() {
        "DaemonSet" => After::OfMachine,
        "StatefulSet" => After::OneAtATime,
        _ if exclusive_volumes(pod, cluster).is_empty() => After::Elsewhere,
        _ => After::Held,
    }
}

impl Fate {
    const fn tone(self, after: After) -> Tone {
        match (self, after) {
            (Self::Stuck, After::OneAtATime | After::Held) | (Self::Halted, _) => Tone::Critical,
            (Self::Stuck | Self::Due | Self::Coming, _) => Tone::Warning,
            (Self::Collected | Self::Going | Self::NotTold, _) => Tone::Notice,
            (Self::Stays | Self::Runs | Self::Ended, _) => Tone::Plain,
        }
    }
}

/// "stuck, overdue 3m: no replacement before it is gone".
fn words(outlook: Outlook, (first, now): (Option<Timestamp>, Timestamp)) -> String {
    let left = first.map(|at| at.duration_since(now));
    let is_silent_end = matches!(outlook.fate, Fate::Stuck | Fate::Going);
    let then = match (outlook.fate, outlook.after) {
        (Fate::Stays | Fate::Runs | Fate::Ended, _) => "",
        (_, After::OneAtATime) => ": no replacement before it is gone",
        (_, After::Held) if is_silent_end => ": replaced elsewhere, where the volume is missing",
        (_, After::Held) => ", then replaced elsewhere, where the volume is missing",
        (_, After::Elsewhere) if is_silent_end => ": replaced elsewhere",
        (_, After::Elsewhere) => ", then replaced elsewhere",
        (_, After::Nothing) => ": nothing makes it anew",
        (_, After::OfMachine) => ": comes back with the machine",
    };
    let fate = match outlook.fate {
        Fate::Stuck => match left {
            Some(left) => format!("stuck, overdue {}", short(-left)),
            None => "stuck".to_owned(),
        },
        Fate::Collected => "released by the garbage collector within 20 s".to_owned(),
        Fate::Going => match left.filter(|left| left.is_positive()) {
            Some(left) => format!("told to go, grace over in {}", short(left)),
            None => "told to go".to_owned(),
        },
        Fate::Due => "told to go now".to_owned(),
        Fate::Halted => "not told to go: nobody leads the controllers".to_owned(),
        Fate::Coming => match left {
            Some(left) => format!("told to go in {}", short(left)),
            None => "told to go".to_owned(),
        },
        Fate::NotTold => "not told to go yet".to_owned(),
        Fate::Stays if outlook.after == After::OfMachine => "stays: of the machine".to_owned(),
        Fate::Stays => "stays: tolerates it".to_owned(),
        Fate::Runs => "runs".to_owned(),
        Fate::Ended => "has ended".to_owned(),
    };
    format!("{fate}{then}")
}

/// What stands beside a line: the cursor's sign, and a blank on either side.
const MARGIN: u16 = 3;

/// A pod, and when something happens to it.
type Member<'a> = (&'a Pod, Option<Timestamp>);

/// One line for each kind of end; which pods those are, as far as there is room.
pub fn section(node: &Node, pods: &[&Pod], (look, width): (&Look<'_>, u16)) -> Section {
    let mut groups: BTreeMap<(Fate, After), Vec<Member<'_>>> = BTreeMap::new();
    for pod in pods {
        let Outlook { fate, after, at } = of(pod, node, look);
        groups.entry((fate, after)).or_default().push((pod, at));
    }
    let wide = pods.len().to_string().len().max(2);
    let lines = groups.into_iter().flat_map(|((fate, after), members)| {
        let first = members.iter().filter_map(|(_, at)| *at).min();
        let words = words(Outlook { fate, after, at: first }, (first, look.now));
        let names = names(&members, look.cluster);
        let place = |line: Line| match members.as_slice() {
            [(one, _)] => line.to(RowId::Object(one.object())),
            _ => line,
        };
        let taken = wide + words.chars().count() + names.chars().count() + 2 * GAP;
        let count = Cell::plain(format!("{:>wide$}", members.len()));
        let line = Line::cells(vec![count, Cell::new(words, fate.tone(after))]);
        // Names that do not fit beside it stand below it, and not around the edge.
        if taken <= usize::from(width.saturating_sub(MARGIN)) {
            vec![place(line.and(Cell::muted(names)))]
        } else {
            vec![place(line), place(Line::new("    of", Cell::muted(names)))]
        }
    });
    let lines = lines.collect();
    Section { title: format!("What becomes of its pods ({})", pods.len()), lines }
}

/// The workloads that lose them, which are fewer and shorter than their pods.
fn names(members: &[Member<'_>], cluster: &Cluster) -> String {
    const NAMED: usize = 3;
    let mut named: Vec<String> = Vec::new();
    for (pod, _) in members {
        let name =
            cluster.workload_of(pod).map_or(&pod.meta.name, |workload| &workload.meta().name).to_string();
        if !named.contains(&name) {
            named.push(name);
        }
    }
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}
