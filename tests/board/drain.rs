//! A drain on the screen: its options, its check, its board of pods, and what an operator does to them.

use crate::harness::{Board, asked};
use insta::assert_snapshot;
use sickbay::actions::call::Cause;
use sickbay::actions::{Answer, Call, CallError, CallKind};
use sickbay::app::acting::{Asked, Told};
use sickbay::app::{Effect, Msg};
use sickbay::cluster::{Change, Delta, Name};

fn node(name: &str, version: u32, rest: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: Node, metadata: {{name: {name}, uid: uid-{name}, resourceVersion: '{version}'{rest}}}, \
         spec: {{unschedulable: {}}}, status: {{allocatable: {{cpu: '8', memory: 16Gi, pods: '2000'}}, \
         conditions: [{{type: Ready, status: 'True'}}]}}}}\n",
        !rest.is_empty()
    )
}

/// A pod of a set of this name, or of none.
fn pod(name: &str, (node, set): (&str, &str), rest: &str) -> String {
    let owner = if set.is_empty() {
        String::new()
    } else {
        format!(
            ", ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {set}, uid: uid-{set}, controller: true}}]"
        )
    };
    format!(
        "---\n{{apiVersion: v1, kind: Pod, metadata: {{namespace: shop, name: {name}, uid: uid-{name}, resourceVersion: '1', \
         creationTimestamp: '2026-03-01T03:00:00Z', labels: {{app: '{set}'}}{owner}}}, \
         spec: {{nodeName: {node}, containers: [{{name: main}}]{rest}}}, \
         status: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}}}\n"
    )
}

fn set(name: &str, replicas: usize) -> String {
    format!(
        "---\n{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{namespace: shop, name: {name}, uid: uid-{name}, resourceVersion: '1'}}, \
         spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: {name}}}}}}}, \
         status: {{replicas: {replicas}, readyReplicas: {replicas}, availableReplicas: {replicas}}}}}\n"
    )
}

fn budget(version: u32, allowed: u32) -> String {
    format!(
        "---\n{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{namespace: shop, name: web, uid: uid-web-budget, resourceVersion: '{version}'}}, \
         spec: {{minAvailable: 3, selector: {{matchLabels: {{app: web}}}}}}, \
         status: {{disruptionsAllowed: {allowed}, currentHealthy: {}, desiredHealthy: 3, expectedPods: 4}}}}\n",
        3 + allowed
    )
}

/// A node with four pods of one set behind a budget and two of another, and a second node that takes pods.
fn ward(width: u16, height: u16) -> Board {
    let mut world = node("worker-1", 1, "") + &node("worker-2", 1, "") + &set("web", 4) + &set("api", 2);
    world += &budget(1, 1);
    for name in ["web-1", "web-2", "web-3", "web-4"] {
        world += &pod(name, ("worker-1", "web"), "");
    }
    for name in ["api-1", "api-2"] {
        world += &pod(name, ("worker-1", "api"), "");
    }
    Board::at_nodes(&world, (width, height))
}

/// The server allows everything, and shows the same pods as the picture does; records are written at once. What is
/// sent is left to the test.
fn serve(board: &mut Board, effects: Vec<Effect>) -> Vec<(usize, Call)> {
    let mut open = effects;
    let mut sent = Vec::new();
    while let Some(effect) = open.pop() {
        let told = match asked(vec![effect]).remove(0) {
            Asked::Probe { run, probe } => {
                let answer = match &probe {
                    sickbay::actions::Probe::PodsOn(node) => {
                        let pods = board.app.cluster.pods_on(&node.name.name);
                        Answer::Pods(pods.cloned().collect())
                    }
                    sickbay::actions::Probe::May(_)
                    | sickbay::actions::Probe::DryRun(_)
                    | sickbay::actions::Probe::Needed(_)
                    | sickbay::actions::Probe::Autoscalers { .. }
                    | sickbay::actions::Probe::Quotas { .. } => Answer::Yes,
                    sickbay::actions::Probe::Lease(_)
                    | sickbay::actions::Probe::Node(_)
                    | sickbay::actions::Probe::Log { .. }
                    | sickbay::actions::Probe::Leader
                    | sickbay::actions::Probe::Others(_)
                    | sickbay::actions::Probe::Errand(_) => panic!("a drain asks for no sign of life"),
                };
                Told::Probed { run, probe, answer }
            }
            Asked::Write(record) => Told::Written { run: record.run, written: Ok(()) },
            Asked::Send { step, call, .. } => {
                sent.push((step, call));
                continue;
            }
            Asked::Look { .. } => continue,
            Asked::Run { errand, .. } => panic!("a drain runs no command: {}", errand.line()),
            Asked::History { object } | Asked::Trial { object, .. } => {
                panic!("a drain does not ask about {object}")
            }
        };
        open.extend(board.tell(told.into()));
    }
    sent.sort_by_key(|(step, _)| *step);
    sent
}

/// Drains worker-1 as the options stand, up to the calls for its pods.
fn begin(board: &mut Board) -> Vec<(usize, Call)> {
    let effects = board.press("enter");
    assert_eq!(serve(board, effects), []);
    let effects = board.press("tab enter");
    let sent = serve(board, effects);
    let [(0, Call::Cordon { .. })] = &sent[..] else { panic!("{sent:?}") };
    let more = answer(board, 0, Ok(()));
    assert_eq!(more, [], "nobody is told to go before the watch shows the cordon");
    let run = board.app.acting.runs[0].id.clone();
    let note =
        format!(", annotations: {{sickbay.dev/cordoned-by: alice@bastion, sickbay.dev/cordoned-run: {run}}}");
    read(board, &node("worker-1", 2, &note))
}

/// Takes in what the watch shows; what is sent then.
fn read(board: &mut Board, manifests: &str) -> Vec<(usize, Call)> {
    let effects = board.tell(Msg::Changes(sickbay::wire::manifest(manifests).unwrap()));
    serve(board, effects)
}

fn answer(board: &mut Board, step: usize, answer: Result<(), CallError>) -> Vec<(usize, Call)> {
    let run = board.app.acting.runs[0].id.clone();
    let effects = board.tell(Told::Answered { run, step, answer }.into());
    serve(board, effects)
}

/// The server has told the pod to go: it is seen going, with its grace.
fn going(name: &str) -> String {
    pod(name, ("worker-1", "web"), "").replace(
        "creationTimestamp:",
        "deletionTimestamp: '2026-03-01T03:22:30Z', deletionGracePeriodSeconds: 30, creationTimestamp:",
    )
}

fn gone(board: &mut Board, name: &str) -> Vec<(usize, Call)> {
    let uid = format!("uid-{name}").into();
    let delta = Delta::Delete { name: Name::new("shop", name), uid };
    let effects = board.tell(Msg::Changes(vec![Change::Pod(delta)]));
    serve(board, effects)
}

fn held() -> CallError {
    let message = "The disruption budget web needs 3 healthy pods and has 3 currently";
    CallError::TooManyRequests {
        reason: "Cannot evict pod as it would violate the pod's disruption budget.".into(),
        pause: None,
        causes: vec![Cause { reason: "DisruptionBudget".into(), message: message.into() }],
    }
}

fn name(call: &Call) -> &str {
    call.object().name.name.as_str()
}

#[test]
fn the_options_come_first_and_nobody_is_asked_yet() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = ward(width, height);
        board.read(&pod("cache-1", ("worker-1", "web"), ", volumes: [{name: cache, emptyDir: {}}]"));
        board.read(&pod("shell", ("worker-1", ""), ""));
        assert_eq!(board.press("shift-d"), []);
        assert_snapshot!(format!("drain_options_{width}x{height}"), board.screen());
        board.press("j space j space");
        let screen = board.screen();
        assert!(screen.contains("[x] delete-emptydir-data") && screen.contains("[x] force"), "{screen}");
        assert!(screen.contains("8 pods: 8 to go"), "{screen}");
    }
}

#[test]
fn numbers_and_labels_are_typed_and_the_plan_follows_each_key() {
    let mut board = ward(80, 24);
    board.press("shift-d j j j j j 1 2 0");
    assert!(board.screen().contains("grace-period                  120_ s"), "{}", board.screen());
    board.press("backspace x");
    assert!(board.screen().contains("grace-period                  12_ s"), "{}", board.screen());
    board.press("down down down");
    board.type_text("app=api");
    let screen = board.screen();
    assert!(screen.contains("app=api_") && screen.contains("2 pods: 2 to go"), "{screen}");
    board.type_text(",(");
    assert!(board.screen().contains("block the pod selector"), "{}", board.screen());
    board.press("ctrl-u");
    assert!(board.screen().contains("6 pods: 6 to go"), "{}", board.screen());
}

#[test]
fn from_the_check_one_goes_back_to_the_options_and_what_was_answered_is_forgotten() {
    let mut board = ward(80, 24);
    board.press("shift-d");
    let effects = board.press("enter");
    assert!(!effects.is_empty());
    serve(&mut board, effects);
    assert!(board.screen().contains("tab goes to the next field"), "{}", board.screen());
    board.press("esc");
    assert!(board.screen().contains("ignore-daemonsets"), "{}", board.screen());
    assert_eq!(board.app.objection(&[]).as_deref(), Some("it has not been checked"));
    board.press("esc");
    assert!(board.app.acting.review.is_none());
}

#[test]
fn a_drain_that_loses_something_wants_the_name_typed() {
    let mut board = ward(80, 24);
    board.read(&pod("shell", ("worker-1", ""), ""));
    board.press("shift-d j j space");
    let effects = board.press("enter");
    serve(&mut board, effects);
    assert_snapshot!("drain_review_80x24", board.screen());
    assert_eq!(board.press("tab enter"), []);
    assert!(board.app.acting.runs.is_empty());
    board.press("shift-tab shift-tab");
    board.type_text("worker-1");
    assert_eq!(asked(board.press("tab tab enter")).len(), 1, "the record");
}

#[test]
fn no_key_however_often_it_is_pressed_drains_anything() {
    for key in ["shift-d", "enter", "y", "space", "tab", "right", "s", "x", "shift-x"] {
        let mut board = ward(80, 24);
        board.press("shift-d");
        for _ in 0..8 {
            let effects = board.press(key);
            let sent = serve(&mut board, effects);
            assert_eq!(sent, [], "{key}");
        }
        assert!(board.app.acting.runs.is_empty(), "{key}");
    }
}

#[test]
fn the_board_says_who_goes_who_waits_for_what_and_what_comes_up() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = ward(width, height);
        board.press("shift-d");
        let sent = begin(&mut board);
        assert_eq!(sent.len(), 5, "so many at a time: {sent:?}");
        for (step, call) in &sent {
            match name(call) {
                "web-1" | "api-1" => drop(answer(&mut board, *step, Ok(()))),
                web if web.starts_with("web") => drop(answer(&mut board, *step, Err(held()))),
                _ => {}
            }
        }
        board.read(&going("web-1"));
        gone(&mut board, "api-1");
        board.read(&pod("api-3", ("worker-2", "api"), "").replace("03:00:00Z", "03:22:01Z"));
        board.pass(3);
        assert_snapshot!(format!("drain_running_{width}x{height}"), board.screen());
    }
}

#[test]
fn a_paused_run_sends_nothing_until_it_goes_on() {
    let mut board = ward(80, 24);
    board.press("shift-d");
    let sent = begin(&mut board);
    board.press("p");
    assert!(board.screen().contains("PAUSED"), "{}", board.screen());
    for (step, call) in &sent {
        if name(call).starts_with("web") {
            assert_eq!(answer(&mut board, *step, Err(held())), []);
        }
    }
    board.pass(60);
    assert_eq!(board.tell(Msg::Tick), []);
    assert!(board.screen().contains("paused"), "{}", board.screen());
    let effects = board.press("p");
    assert!(!serve(&mut board, effects).is_empty(), "and now it goes on");
}

#[test]
fn a_pod_that_is_held_up_is_left_out_or_deleted_behind_its_name() {
    let mut board = ward(80, 24);
    board.press("shift-d");
    for (step, call) in begin(&mut board) {
        if name(&call).starts_with("web") {
            answer(&mut board, step, Err(held()));
        }
    }
    board.press("s");
    assert!(board.screen().contains("this is for pods: move to one first"), "{}", board.screen());
    board.press("j");
    assert!(board.screen().contains("held by budget shop/web"), "{}", board.screen());
    let effects = board.press("s");
    serve(&mut board, effects);
    let screen = board.screen();
    assert!(screen.contains("skipped   shop/web-1") && screen.contains("1 stay"), "{screen}");
    board.press("shift-g k k k g shift-x");
    board.type_text("web-1");
    let effects = board.press("tab tab enter");
    assert_eq!(serve(&mut board, effects), [], "that is another one");
    let screen = board.screen();
    assert!(screen.contains("type \"web-2\" to confirm"), "{screen}");
    board.press("shift-tab shift-tab ctrl-u");
    board.type_text("web-2");
    assert_snapshot!("drain_override_80x24", board.screen());
    let effects = board.press("tab tab enter");
    let sent = serve(&mut board, effects);
    let kinds: Vec<(CallKind, &str)> = sent.iter().map(|(_, call)| (call.kind(), name(call))).collect();
    assert_eq!(kinds, [(CallKind::DeletePod, "web-2")]);
}

#[test]
fn a_stopped_drain_says_what_is_left_and_offers_to_put_the_node_back() {
    let mut board = ward(80, 24);
    board.press("shift-d");
    let sent = begin(&mut board);
    board.press("x");
    for (step, call) in &sent {
        match name(call) {
            "api-1" | "api-2" => drop(answer(&mut board, *step, Ok(()))),
            _ => drop(answer(&mut board, *step, Err(held()))),
        }
    }
    gone(&mut board, "api-1");
    gone(&mut board, "api-2");
    board.pass(1);
    assert_snapshot!("drain_stopped_80x24", board.screen());
    let effects = board.press("u");
    serve(&mut board, effects);
    assert!(board.screen().contains("Uncordon node worker-1"), "{}", board.screen());
}

#[test]
fn a_drain_that_is_done_says_so_and_a_list_of_runs_leads_back_to_it() {
    let mut board = ward(80, 24);
    board.press("shift-d");
    let mut open = begin(&mut board);
    while let Some((step, call)) = open.pop() {
        open.extend(answer(&mut board, step, Ok(())));
        open.extend(gone(&mut board, name(&call)));
    }
    let screen = board.screen();
    assert!(screen.contains("done 0s  6 of 6 gone"), "{screen}");
    assert!(screen.contains("the cordon stays, u takes it back"), "{screen}");
    board.press("esc r enter");
    assert!(board.screen().contains("6 of 6 gone"), "{}", board.screen());
    board.press("esc");
    assert!(board.screen().contains("Runs"), "{}", board.screen());
}

#[test]
fn what_came_up_in_the_second_in_which_the_run_began_is_counted() {
    let mut board = ward(80, 24);
    board.now += jiff::SignedDuration::from_millis(700);
    board.press("shift-d");
    begin(&mut board);
    // The API dates in whole seconds.
    board.read(&pod("api-3", ("worker-2", "api"), "").replace("03:00:00Z", "03:22:00Z"));
    assert!(board.screen().contains("coming up elsewhere: 1 of 1 ready"), "{}", board.screen());
}
