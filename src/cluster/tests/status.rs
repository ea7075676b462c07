//! The STATUS, READY and RESTARTS columns, by the rules of kubectl's printer.

use crate::cluster::sample::{at, condition, meta, pod};
use crate::cluster::{Container, Ended, Phase, Pod, State, Status};

fn waiting(reason: &str) -> State {
    State::Waiting { reason: reason.into(), message: "".into() }
}

fn running() -> State {
    State::Running { since: Some(at(0)) }
}

fn ended(reason: &str, exit_code: i32, signal: i32) -> State {
    State::Terminated(Ended { reason: reason.into(), exit_code, signal, finished: None })
}

/// A container, ready exactly when it runs.
fn container(state: State) -> Container {
    Container { is_ready: matches!(state, State::Running { .. }), state, ..Container::default() }
}

fn restarted(restarts: u32, state: State) -> Container {
    Container { restarts, ..container(state) }
}

fn sidecar(is_started: bool, state: State) -> Container {
    Container { is_sidecar: true, is_started, ..container(state) }
}

fn pending(init: &[Container], main: &[Container]) -> Pod {
    Pod {
        meta: meta("web/a"),
        phase: Phase::Pending,
        init_containers: init.into(),
        containers: main.into(),
        ..Pod::default()
    }
}

fn in_phase(phase: Phase, main: &[Container]) -> Pod {
    Pod { phase, ..pending(&[], main) }
}

fn ready(mut pod: Pod) -> Pod {
    pod.conditions = [condition("Ready", Status::True, "", 0)].into();
    pod
}

type Case<'a> = (&'a str, Pod, &'a str, (u32, u32), u32);

fn assert_columns(cases: impl IntoIterator<Item = Case<'static>>) {
    for (case, pod, status, readiness, restarts) in cases {
        let columns = (pod.status(), pod.readiness(), pod.restarts());
        assert_eq!(columns, (status.to_owned(), readiness, restarts), "{case}");
    }
}

fn done() -> Container {
    container(ended("Completed", 0, 0))
}

fn starting() -> Container {
    container(waiting("PodInitializing"))
}

fn with_reason(reason: &str, pod: Pod) -> Pod {
    Pod { reason: reason.into(), ..pod }
}

fn initialized(mut pod: Pod) -> Pod {
    pod.conditions = [condition("Initialized", Status::True, "", 0)].into();
    pod
}

#[test]
fn a_pod_whose_containers_say_nothing_shows_its_phase_or_reason() {
    let mut gated = pending(&[], &[]);
    gated.conditions = [condition("PodScheduled", Status::False, "SchedulingGated", 0)].into();
    assert_columns([
        ("plain", pod("web/a", "worker-1"), "Running", (1, 1), 0),
        ("not reported yet", pending(&[], &[Container::default()]), "Pending", (0, 1), 0),
        (
            "creating",
            pending(&[], &[container(waiting("ContainerCreating"))]),
            "ContainerCreating",
            (0, 1),
            0,
        ),
        ("gated", gated, "SchedulingGated", (0, 0), 0),
        ("evicted", with_reason("Evicted", in_phase(Phase::Failed, &[])), "Evicted", (0, 0), 0),
    ]);
}

#[test]
fn a_pod_that_initializes_shows_how_far_it_is_and_a_sidecar_does_not_hold_it_up() {
    assert_columns([
        (
            "init containers left",
            pending(&[container(running()), container(waiting("PodInitializing"))], &[starting()]),
            "Init:0/2",
            (0, 1),
            0,
        ),
        (
            "second init container",
            pending(&[done(), container(waiting("PodInitializing"))], &[starting()]),
            "Init:1/2",
            (0, 1),
            0,
        ),
        (
            "init crash loop",
            pending(&[restarted(4, waiting("CrashLoopBackOff"))], &[starting()]),
            "Init:CrashLoopBackOff",
            (0, 1),
            4,
        ),
        ("init error", pending(&[container(ended("Error", 1, 0))], &[]), "Init:Error", (0, 0), 0),
        ("init by code", pending(&[container(ended("", 3, 0))], &[]), "Init:ExitCode:3", (0, 0), 0),
        ("init by signal", pending(&[container(ended("", 137, 9))], &[]), "Init:Signal:9", (0, 0), 0),
        ("sidecar not started", pending(&[sidecar(false, running())], &[starting()]), "Init:0/1", (0, 2), 0),
        (
            "sidecar runs on, restarts of ordinary init containers are dropped",
            ready(Pod {
                phase: Phase::Running,
                ..pending(
                    &[
                        Container { restarts: 2, ..sidecar(true, running()) },
                        restarted(5, ended("Completed", 0, 0)),
                    ],
                    &[restarted(1, running())],
                )
            }),
            "Running",
            (2, 2),
            3,
        ),
        (
            "initialized once, an init container runs again",
            initialized(pending(&[container(running())], &[container(waiting("CrashLoopBackOff"))])),
            "CrashLoopBackOff",
            (0, 1),
            0,
        ),
    ]);
}

#[test]
fn the_first_container_that_has_something_to_say_gives_the_status() {
    assert_columns([
        (
            "crash loop",
            in_phase(Phase::Running, &[restarted(7, waiting("CrashLoopBackOff"))]),
            "CrashLoopBackOff",
            (0, 1),
            7,
        ),
        (
            "the first container's word wins",
            in_phase(Phase::Running, &[container(waiting("ErrImagePull")), container(ended("Error", 1, 0))]),
            "ErrImagePull",
            (0, 2),
            0,
        ),
        ("completed", in_phase(Phase::Succeeded, &[done()]), "Completed", (0, 1), 0),
        ("error", in_phase(Phase::Failed, &[container(ended("Error", 1, 0))]), "Error", (0, 1), 0),
        (
            "out of memory",
            in_phase(Phase::Failed, &[container(ended("OOMKilled", 137, 0))]),
            "OOMKilled",
            (0, 1),
            0,
        ),
        ("by code", in_phase(Phase::Failed, &[container(ended("", 2, 0))]), "ExitCode:2", (0, 1), 0),
        ("by signal", in_phase(Phase::Failed, &[container(ended("", 139, 11))]), "Signal:11", (0, 1), 0),
        (
            "one completed, one runs and the pod is ready",
            ready(in_phase(Phase::Running, &[done(), container(running())])),
            "Running",
            (1, 2),
            0,
        ),
        (
            "one completed, one runs and the pod is not ready",
            in_phase(Phase::Running, &[done(), container(running())]),
            "NotReady",
            (1, 2),
            0,
        ),
        (
            "one completed after another failed",
            in_phase(Phase::Running, &[done(), container(ended("Error", 1, 0)), container(running())]),
            "Error",
            (1, 3),
            0,
        ),
    ]);
}

#[test]
fn a_pod_that_was_told_to_go_is_terminating_unless_it_has_ended() {
    assert_columns([
        ("terminating", pod("web/a", "worker-1").deleting(30, 30), "Terminating", (1, 1), 0),
        (
            "deleted after its end",
            Pod { phase: Phase::Succeeded, ..in_phase(Phase::Succeeded, &[done()]).deleting(30, 30) },
            "Completed",
            (0, 1),
            0,
        ),
        (
            "node lost",
            with_reason("NodeLost", pod("web/a", "worker-1").deleting(30, 30)),
            "Unknown",
            (1, 1),
            0,
        ),
    ]);
}
