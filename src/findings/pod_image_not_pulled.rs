//! The rule `pod-image-not-pulled`: a container that waits for an image which does not come.

use super::{Evidence, Finding, Found, RuleId, Severity, View, blame, words};
use crate::cluster::{Pod, Row, State, Text};

pub const PROSE: &str = "The kubelet cannot get a container's image: the name or the tag is wrong, the registry does not \
    answer or refuses the login. It tries again, waiting up to five minutes between.";

const REASONS: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
];

pub fn evaluate(view: &View<'_>, pod: &Pod, found: &mut Found) {
    if !pod.is_troubled() {
        return;
    }
    let waiting =
        pod.init_containers.iter().chain(&pod.containers).find_map(|container| match &container.state {
            State::Waiting { reason, message } if REASONS.contains(&reason.as_str()) => {
                Some((container, reason, message))
            }
            State::Waiting { .. }
            | State::Unreported
            | State::None
            | State::Running { .. }
            | State::Terminated(_) => None,
        });
    let Some((container, reason, message)) = waiting else { return };
    found.add(Finding {
        sentence: format!(
            "Pod {} cannot start: the image {} of container {} is not pulled{}.",
            pod.meta.name,
            container.image,
            container.name,
            because(reason, message),
        ),
        since: since(pod),
        evidence: vec![Evidence::new(format!(
            "the kubelet of {} says {reason}: {}",
            pod.node,
            words::quote(message)
        ))],
        next: "Check the image's name and tag, and that its registry answers and takes the pull secret."
            .to_owned(),
        cause: blame::pod(view, pod),
        ..Finding::new(RuleId::PodImageNotPulled, Severity::Warning, pod.object())
    });
}

/// What the registry said, which is the end of the kubelet's message.
fn because(reason: &Text, message: &Text) -> String {
    if message.is_empty() || message.starts_with("Back-off") || message.len() > 200 {
        format!(" ({reason})")
    } else {
        format!(": {}", words::quote(message))
    }
}

fn since(pod: &Pod) -> Option<jiff::Timestamp> {
    pod.condition("PodScheduled").and_then(|scheduled| scheduled.changed).or(pod.meta.created)
}
