//! The rule `node-gone`: no object of that name is there, and pods or attachments still name it.

use super::{Awaited, Bound, Clock, Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Kind, Name, ObjectRef, Row, Since, Text};
use jiff::{SignedDuration, Timestamp};

pub const PROSE: &str = "The Node object was deleted while pods or volume attachments still name it. The garbage \
    collector removes such pods about a minute later without asking a kubelet, and the volumes are detached by \
    force six minutes after that. Deleting the object does not stop the machine: whether its processes have \
    ended is not known.";

/// The collector waits forty seconds for the node to come back, and looks every twenty.
const COLLECTION: SignedDuration = SignedDuration::from_secs(60);

pub fn object(name: &str) -> ObjectRef {
    ObjectRef { kind: Kind::Node, name: Name::cluster(name), uid: "".into() }
}

pub fn evaluate(view: &View<'_>, name: &Text, found: &mut Found) {
    // A node that has joined since then would be gone.
    if !view.knows(Kind::Node) {
        return;
    }
    if let Some(since) = view.cluster.absent_since(name) {
        let finding = finding(view, name, since, found);
        found.add(finding);
    }
}

fn finding(view: &View<'_>, name: &str, since: Since, found: &mut Found) -> Finding {
    let pods: Vec<ObjectRef> = view.cluster.pods_on(name).map(Row::object).collect();
    let attachments: Vec<ObjectRef> = view.cluster.attachments_on(name).map(Row::object).collect();
    let collected = collected(since).unwrap_or(since.at);
    found.look_again(collected, view.now);
    let is_fresh = view.now < collected;

    let counted: Vec<String> = [(pods.len(), "pod"), (attachments.len(), "volume attachment")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| words::count(number, noun))
        .collect();
    let names = words::verb(pods.len() + attachments.len(), "names", "name");
    let sentence = format!("Node {name} is gone, and {} still {names} it.", counted.join(" and "));
    let (evidence, known_since) = if since.is_exact {
        (Evidence::at("its Node object was deleted", Some(since.at)), Some(since.at))
    } else {
        (Evidence::new("no Node object of that name was there when it was first looked for"), None)
    };
    let next = match (is_fresh, pods.is_empty()) {
        (true, false) => {
            "Wait for the garbage collector. The machine may still run: power it off before its data is used elsewhere."
        }
        (false, false) => {
            "See why the garbage collector leaves its pods: a finalizer, or a controller-manager that is down."
        }
        (true | false, true) => {
            "Make sure that the machine is off; its volumes are detached by force in time."
        }
    };
    Finding {
        rule: RuleId::NodeGone,
        severity: if is_fresh { Severity::Notice } else { Severity::Warning },
        subject: object(name).into(),
        clock: (is_fresh && !pods.is_empty()).then_some(Clock {
            what: Awaited::Collection,
            at: collected,
            bound: Bound::AtLatest,
        }),
        about: pods.into_iter().chain(attachments).collect(),
        held_up: Vec::new(),
        sentence,
        since: known_since,
        evidence: vec![evidence],
        next: next.to_owned(),
        cause: None,
    }
}

/// When the garbage collector has its pods at the latest.
pub fn collected(since: Since) -> Option<Timestamp> {
    since.at.checked_add(COLLECTION).ok()
}
