//! Containers that do not do well: images that are not to be had, processes that fall over, probes that fail, and a
//! runtime that does not stop what it should.

use jiff::Timestamp;
use serde_json::Value;

use super::super::super::object;
use super::super::super::resource::Resource;
use super::super::Stage;
use super::super::event::Note;
use super::nature::Nature;
use super::{Progress, post};

/// Between attempts to pull or to start: doubled each time, up to five minutes.
const FIRST_PAUSE: i64 = 10;
const MOST_PAUSE: i64 = 300;
/// How long a crashing process lives, and how long the first attempt to pull is told as such.
const SHORT: i64 = 3;
/// `periodSeconds` of a probe.
const PROBE: i64 = 10;
/// How long a brief task takes.
const TASK: i64 = 10;
/// Between attempts to stop what does not stop: the runtime's own limit.
const KILL_AGAIN: i64 = 120;

fn pause(failures: u32) -> i64 {
    MOST_PAUSE.min(FIRST_PAUSE << failures.min(16))
}

/// What is said of the containers of one nature, about each.
fn of_nature(pod: &Value, nature: Nature) -> Vec<(String, String)> {
    let text = |container: &Value, pointer: &str| object::text(container, pointer).to_owned();
    let containers = object::items(pod, "/spec/containers").iter();
    let these = containers.filter(|container| Nature::of(object::text(container, "/image")) == nature);
    these.map(|container| (text(container, "/name"), text(container, "/image"))).collect()
}

/// An image that is not to be had: tried, waited, tried again.
pub(super) fn pull_in_vain(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Timestamp {
    let now = stage.now;
    if let Some(turn) = progress.turn.filter(|turn| *turn > now) {
        return turn;
    }
    let node = object::text(pod, "/spec/nodeName");
    let has_just_tried =
        object::text(pod, "/status/containerStatuses/0/state/waiting/reason") == "ErrImagePull";
    let reason = if has_just_tried { "ImagePullBackOff" } else { "ErrImagePull" };
    for (_, image) in of_nature(pod, Nature::Broken) {
        if has_just_tried {
            let message = format!("Back-off pulling image \"{image}\"");
            stage.say(pod, &Note::normal("kubelet", "BackOff", &message).on(node));
        } else {
            let pulling = format!("Pulling image \"{image}\"");
            stage.say(pod, &Note::normal("kubelet", "Pulling", &pulling).on(node));
            let failed = format!("Failed to pull image \"{image}\": {}", post::refusal(&image));
            stage.say(pod, &Note::warning("kubelet", "Failed", &failed).on(node));
        }
        stage.say(pod, &Note::warning("kubelet", "Failed", &format!("Error: {reason}")).on(node));
    }
    stage.change(Resource::Pods, &object::key(pod), |pod| post::without_image(pod, reason));
    let wait = if has_just_tried { pause(progress.failures) } else { SHORT };
    progress.failures += u32::from(has_just_tried);
    let turn = now + stage.timers.seconds(wait);
    progress.turn = Some(turn);
    turn
}

/// It runs for a moment, falls over, is waited with, and is started again.
pub(super) fn crash(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Timestamp {
    let now = stage.now;
    let turn = *progress.turn.get_or_insert(now + stage.timers.seconds(SHORT));
    if turn > now {
        return turn;
    }
    let (node, key) = (object::text(pod, "/spec/nodeName"), object::key(pod));
    if object::text(pod, "/spec/restartPolicy") == "Never" {
        stage.change(Resource::Pods, &key, |pod| post::stopped(pod, 1, now));
        return now + stage.timers.seconds(MOST_PAUSE);
    }
    let is_waiting = object::items(pod, "/status/containerStatuses")
        .iter()
        .any(|status| status["state"]["waiting"]["reason"] == "CrashLoopBackOff");
    let wait = if is_waiting {
        stage.change(Resource::Pods, &key, |pod| post::restarted(pod, Some(Nature::Crashing), now));
        SHORT
    } else {
        let wait = pause(progress.failures);
        progress.failures += 1;
        stage.change(Resource::Pods, &key, |pod| post::crashed(pod, wait, now));
        for (name, _) in of_nature(pod, Nature::Crashing) {
            let message = format!(
                "Back-off restarting failed container {name} in pod {}_{}({})",
                object::name(pod),
                object::namespace(pod),
                object::uid(pod)
            );
            stage.say(pod, &Note::warning("kubelet", "BackOff", &message).on(node));
        }
        wait
    };
    let turn = now + stage.timers.seconds(wait);
    progress.turn = Some(turn);
    turn
}

/// It runs and serves nobody.
pub(super) fn fail_probe(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Timestamp {
    let now = stage.now;
    let turn = *progress.turn.get_or_insert(now + stage.timers.seconds(PROBE));
    if turn > now {
        return turn;
    }
    let node = object::text(pod, "/spec/nodeName");
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    stage.say(pod, &Note::warning("kubelet", "Unhealthy", message).on(node));
    let turn = now + stage.timers.seconds(PROBE);
    progress.turn = Some(turn);
    turn
}

/// It does what it is for, and ends.
pub(super) fn be_done(stage: &mut Stage<'_>, pod: &Value, progress: &mut Progress) -> Timestamp {
    let now = stage.now;
    let turn = *progress.turn.get_or_insert(now + stage.timers.seconds(TASK));
    if turn <= now {
        stage.change(Resource::Pods, &object::key(pod), |pod| post::stopped(pod, 0, now));
    }
    turn
}

/// The grace is over and the runtime does not answer: said every two minutes.
pub(super) fn fail_to_kill(
    stage: &mut Stage<'_>,
    pod: &Value,
    progress: &mut Progress,
    deadline: Timestamp,
) -> Timestamp {
    let now = stage.now;
    let first = deadline + stage.timers.seconds(KILL_AGAIN);
    let turn = *progress.turn.filter(|turn| *turn >= first).get_or_insert(first);
    progress.turn = Some(turn);
    if turn > now {
        return turn;
    }
    let node = object::text(pod, "/spec/nodeName");
    let failures: Vec<String> = object::items(pod, "/spec/containers")
        .iter()
        .map(|container| {
            let name = object::text(container, "/name");
            format!(
                "failed to \"KillContainer\" for \"{name}\" with KillContainerError: \"rpc error: code = \
                 DeadlineExceeded desc = context deadline exceeded\""
            )
        })
        .collect();
    let message = format!("error killing pod: [{}]", failures.join(", "));
    stage.say(pod, &Note::warning("kubelet", "FailedKillPod", &message).on(node));
    let turn = now + stage.timers.seconds(KILL_AGAIN);
    progress.turn = Some(turn);
    turn
}
