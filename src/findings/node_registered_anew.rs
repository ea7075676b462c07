//! The rule `node-registered-anew`: a Node younger than the attachments that name it.

use super::{Evidence, Finding, Found, RuleId, Severity, View, words};
use crate::cluster::{Row, VolumeAttachment};
use jiff::SignedDuration;

pub const PROSE: &str = "The Node object was deleted and the machine has registered itself again, while volume \
    attachments of before still name it. The machine does not know of them: the volume looks attached and is not \
    usable, and pods that need it hang.";

/// Attachments this much older are of the Node before.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(60);
/// Older nodes have had the time to be put right.
const YOUNG: SignedDuration = SignedDuration::from_hours(7 * 24);

pub fn evaluate(view: &View<'_>, found: &mut Found) {
    let is_young = |age: SignedDuration| age < YOUNG;
    for node in view.cluster.nodes.values().filter(|node| node.meta.age(view.now).is_some_and(is_young)) {
        let name = &node.meta.name.name;
        let older = |attachment: &&VolumeAttachment| {
            let ages = attachment.meta.created.zip(node.meta.created);
            ages.is_some_and(|(attached, created)| created.duration_since(attached) > CLOCKS_APART)
        };
        let attachments: Vec<&VolumeAttachment> = view.cluster.attachments_on(name).filter(older).collect();
        if attachments.is_empty() {
            continue;
        }
        if let Some(old) = node.meta.created.and_then(|created| created.checked_add(YOUNG).ok()) {
            found.look_again(old, view.now);
        }
        let many = attachments.len();
        let mut evidence = vec![Evidence::at("its Node object was created", node.meta.created)];
        evidence.extend(attachments.iter().take(5).map(|attachment| {
            Evidence::at(
                format!("attachment {} of {}", attachment.meta.name, attachment.attacher),
                attachment.meta.created,
            )
        }));
        found.add(Finding {
            about: attachments.iter().map(|attachment| attachment.object()).collect(),
            sentence: format!(
                "Node {name} has registered anew, and {} of before still {} it: the machine does not know of {}.",
                words::count(many, "volume attachment"),
                words::verb(many, "names", "name"),
                words::verb(many, "it", "them"),
            ),
            since: node.meta.created,
            evidence,
            next: "Delete the pods there that hang on these volumes, so that they are detached and attached again."
                .to_owned(),
            ..Finding::new(RuleId::NodeRegisteredAnew, Severity::Warning, node.object())
        });
    }
}
