//! The case file of a node: whether it lives and by what that is known, the next safe step, what becomes of its pods
//! and volumes, who else is at it. What decides comes first; the rest is there for whoever scrolls.

mod fate;
mod life;
mod others;
mod storage;

use super::{Line, Section, budget, common, conditions, events, findings, pod, service, workload};
use crate::app::App;
use crate::app::columns::{Cell, Look, Tone};
use crate::app::time::age;
use crate::cluster::{Kind, Node, ObjectRef, Pod};

pub fn sections(object: &ObjectRef, app: &App) -> Option<Vec<Section>> {
    let look = &app.look();
    let node = look.cluster.nodes.same(object)?;
    let name = node.meta.name.name.as_str();
    let pods: Vec<&Pod> = look.cluster.pods_on(name).collect();
    let wrong = findings(look, std::slice::from_ref(object));
    let others = others::known(node, app);
    let mut sections = vec![life::section(node, &others, app), life::next(node, &others, app)];
    // Of a machine that may be dead its case comes first, and then what the rules say of it and of all that hangs on it.
    let is_at_stake = !node.is_ready() || node.is_out_of_service();
    let mut wrong = Some(wrong);
    if !is_at_stake {
        sections.extend(wrong.take());
    }
    sections.extend([
        fate::section(node, &pods, (look, app.size.width)),
        storage::section(name, look),
        others::section(node, &others, app),
    ]);
    sections.push(service::section(&workload::services(&pods, look), look));
    sections.push(budget::section(&workload::budgets(&pods, look)));
    sections.extend(wrong);
    sections.extend([
        life::taints(node, look),
        life::runs(object, app),
        each(node, &pods, look),
        facts(node, look),
        conditions(node.conditions.iter(), look),
        events(look, &[(Kind::Node, object.name.clone())]),
    ]);
    Some(sections)
}

/// What is left of a node that is gone: what still names it.
pub fn remains(name: &str, look: &Look<'_>) -> Vec<Section> {
    let pods: Vec<&Pod> = look.cluster.pods_on(name).collect();
    let title = format!("Pods that name it ({})", pods.len());
    vec![storage::section(name, look), Section { title, lines: pod::lines(pods.into_iter(), look) }]
}

fn each(node: &Node, pods: &[&Pod], look: &Look<'_>) -> Section {
    let of = node.allocatable_pods.map_or_else(String::new, |most| format!(" of {most}"));
    let lines = pod::lines_in_full(pods.iter().copied(), look);
    Section { title: format!("Each pod ({}{of})", lines.len()), lines }
}

fn facts(node: &Node, look: &Look<'_>) -> Section {
    let roles: Vec<&str> = node.roles().collect();
    let mut lines = Vec::new();
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
