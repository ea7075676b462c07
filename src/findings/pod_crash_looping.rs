//! The rule `pod-crash-looping`: a container that ends again and again, and what it ended with.

use super::{Awaited, Bound, Clock, Evidence, Finding, Found, RuleId, Severity, View, blame, words};
use crate::cluster::{Container, Ended, Pod, Row, State};
use jiff::SignedDuration;

pub const PROSE: &str = "A container ends again and again, and the kubelet waits longer each time before it starts it \
    anew, at most five minutes. The finding tells how it ended the last time, the limit if it was killed for its \
    memory, and when the kubelet will try next.";

/// One that has run for so long since it was started again does not loop.
const RECOVERED: SignedDuration = SignedDuration::from_secs(60);

pub fn evaluate(view: &View<'_>, pod: &Pod, found: &mut Found) {
    if !pod.is_troubled() {
        return;
    }
    let containers = pod.init_containers.iter().chain(&pod.containers);
    let looping = containers.filter_map(|container| match &container.state {
        State::Waiting { reason, message } if *reason == "CrashLoopBackOff" => {
            Some((container, message.as_str()))
        }
        // It runs between two crashes, and whether this one was the last shows in a while.
        State::Running { since } if container.was_held_back() => {
            (!view.has_lasted(*since, RECOVERED, found)).then_some((container, ""))
        }
        State::Terminated(ended) if ended.exit_code != 0 && container.last.is_some() => {
            (!view.has_lasted(ended.finished, RECOVERED, found)).then_some((container, ""))
        }
        State::Waiting { .. }
        | State::Unreported
        | State::None
        | State::Running { .. }
        | State::Terminated(_) => None,
    });
    // The one that was restarted most stands for the pod.
    if let Some((container, message)) = looping.max_by_key(|(container, _)| container.restarts) {
        found.add(finding(view, pod, container, message));
    }
}

fn finding(view: &View<'_>, pod: &Pod, container: &Container, message: &str) -> Finding {
    let last = container.last.as_ref();
    let is_out_of_memory = last.is_some_and(|last| last.reason == "OOMKilled");
    let how = last.map_or_else(String::new, |last| format!(": it ended with {}", ending(last)));
    let limit = container.memory_limit.non_empty();
    let killed = match (is_out_of_memory, limit) {
        (true, Some(limit)) => format!(", killed at its memory limit of {limit}"),
        (true, None) => ", killed for its memory without a limit of its own".to_owned(),
        (false, _) => String::new(),
    };
    let finished = last.and_then(|last| last.finished);
    let restart = finished.zip(back_off(message)).and_then(|(at, pause)| at.checked_add(pause).ok());
    Finding {
        sentence: format!(
            "Container {} of pod {} crashes again and again{how}{killed}.",
            container.name, pod.meta.name
        ),
        since: finished,
        clock: restart.map(|at| Clock { what: Awaited::Restart, at, bound: Bound::NotBefore }),
        evidence: [
            Some(Evidence::new(words::count(usize::try_from(container.restarts).unwrap_or(0), "restart"))),
            last.map(|last| Evidence::at(format!("it last ended with {}", ending(last)), last.finished)),
            Some(Evidence::new(format!("image {}", container.image))),
        ]
        .into_iter()
        .flatten()
        .collect(),
        next: if is_out_of_memory {
            "Raise its memory limit, or find what it fills its memory with.".to_owned()
        } else {
            format!("Read the log of its last run: kubectl logs --previous -c {}.", container.name)
        },
        cause: blame::pod(view, pod),
        ..Finding::new(RuleId::PodCrashLooping, Severity::Warning, pod.object())
    }
}

/// "exit code 137 (`OOMKilled`)".
fn ending(ended: &Ended) -> String {
    let code = match ended.signal {
        0 => format!("exit code {}", ended.exit_code),
        signal => format!("signal {signal}"),
    };
    match ended.reason.non_empty().filter(|reason| *reason != "Error") {
        Some(reason) => format!("{code} ({reason})"),
        None => code,
    }
}

/// The pause in "back-off 5m0s restarting failed container=…".
fn back_off(message: &str) -> Option<SignedDuration> {
    message.strip_prefix("back-off ")?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_read_from_the_kubelets_words() {
        let pause = back_off("back-off 2m40s restarting failed container=main pod=web_shop(uid)");
        assert_eq!(pause, Some(SignedDuration::from_secs(160)));
        assert_eq!(back_off("restarting"), None);
    }
}
