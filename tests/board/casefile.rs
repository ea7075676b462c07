//! The case file of a node: what is read in three seconds at three in the morning.

use crate::harness::Board;
use insta::assert_snapshot;
use sickbay::actions::audit::{Commanded, Entry, StepEnded, StepResult};
use sickbay::actions::errand::Ended;
use sickbay::actions::evidence::Speech;
use sickbay::actions::others::{HealthCheck, Read, Remedy, Source, Survey};
use sickbay::actions::{Answer, Probe, Purpose, Ran, Record, RunId};
use sickbay::app::acting::{Asked, Told};
use sickbay::app::{Effect, Msg};
use sickbay::cluster::Row as _;
use std::fmt::Write as _;

/// What is asked about the open node.
fn looks(effects: Vec<Effect>) -> Vec<Probe> {
    let asked = effects.into_iter().filter_map(|effect| match effect {
        Effect::Acting(asked) => Some(*asked),
        _ => None,
    });
    let looks = asked.filter_map(|asked| match asked {
        Asked::Look { probe } => Some(probe),
        _ => None,
    });
    looks.collect()
}

fn nobody(board: &Board) -> Survey {
    Survey { at: board.now, told: Source::LISTED.map(|source| (source, Read::NotInstalled)).into() }
}

fn silence() -> Speech {
    Speech::Silence("Get \"https://10.0.0.7:10250/containerLogs/mq/queue-0\": dial tcp: i/o timeout".into())
}

/// Opens the node of the incident, and answers all that is asked.
fn open(board: &mut Board, survey: &Survey, speech: &Speech) {
    for probe in looks(board.press("enter")) {
        let answer = match &probe {
            Probe::Others(_) => Answer::Others(survey.clone()),
            Probe::Log { .. } => Answer::Speech(speech.clone()),
            other => panic!("{other:?} is not asked for a case file"),
        };
        board.tell(Told::Looked { probe, answer }.into());
    }
    board.pass(2);
}

fn opened(survey: impl FnOnce(&Board) -> Survey, speech: &Speech) -> Board {
    let mut board = Board::incident(80, 24);
    let survey = survey(&board);
    open(&mut board, &survey, speech);
    board
}

#[test]
fn the_first_screen_tells_of_a_silent_node_whether_it_lives_and_what_to_do() {
    assert_snapshot!(opened(nobody, &silence()).screen());
}

#[test]
fn a_machine_that_a_run_has_switched_off_is_told_of_and_can_be_forced() {
    let mut board = opened(nobody, &silence());
    assert!(board.screen().contains("nothing proves that it is off"), "{}", board.screen());
    let row = board.app.cluster.node("worker-2").unwrap();
    let (object, boot) = (row.object(), row.boot_id.clone());
    let ran = Ran { ended: Ended::Exited { code: 0 }, said: Vec::new(), complained: Vec::new() };
    let step = StepEnded {
        step: 0,
        what: "switch worker-2 off".into(),
        call: None,
        object: (&object).into(),
        result: StepResult::Done,
        reason: "".into(),
        replaced: None,
        command: Some(Commanded { purpose: Purpose::SwitchOff, boot, argv: Vec::new(), ran }),
    };
    let record = Record { run: RunId::new("t-0"), at: board.now, entry: Entry::Step(step) };
    board.app.acting.records.push(record);
    board.pass(60);
    let screen = board.screen();
    assert!(screen.contains("switched off 60s ago by a run"), "{screen}");
    assert!(screen.contains("Force-detach (f d): the machine is off"), "{screen}");
}

#[test]
fn the_rest_is_below_in_the_order_of_what_matters() {
    let mut board = Board::incident(80, 90);
    let survey = nobody(&board);
    open(&mut board, &survey, &silence());
    assert_snapshot!(board.screen());
}

#[test]
fn who_opens_a_silent_node_asks_its_kubelet_and_for_those_who_act_by_themselves() {
    let mut board = Board::incident(80, 24);
    let asked = looks(board.press("enter"));
    let [Probe::Others(node), Probe::Log { pod, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((&*node.name.name, &*pod.name.name), ("worker-2", "proxy-2"));
    assert_eq!(looks(board.tell(Msg::Tick)), [], "they are on their way");
    let survey = nobody(&board);
    for probe in asked {
        let answer = match &probe {
            Probe::Others(_) => Answer::Others(survey.clone()),
            _ => Answer::Speech(silence()),
        };
        board.tell(Told::Looked { probe, answer }.into());
    }
    assert_eq!(looks(board.tell(Msg::Tick)), [], "it is known");
    board.now += jiff::SignedDuration::from_secs(30);
    assert_eq!(looks(board.tell(Msg::Tick)).len(), 2, "it is asked again while it lies open");
}

#[test]
fn nothing_is_asked_of_a_server_that_does_not_answer() {
    let mut board = Board::incident(80, 24);
    board.tell(Msg::Beat(Err("no route to host".into())));
    assert_eq!(looks(board.press("enter")), []);
    assert_eq!(looks(board.tell(Msg::Beat(Ok(())))).len(), 2);
}

#[test]
fn a_kubelet_that_answers_ends_all_talk_of_forcing() {
    let screen = opened(nobody, &Speech::Life("it gives a log".into())).screen();
    assert!(screen.contains("its kubelet answers: force nothing"), "{screen}");
    assert!(screen.contains("ANSWERS"), "{screen}");
    assert!(!screen.contains("Force-detach ("), "{screen}");
}

#[test]
fn a_node_in_other_hands_is_left_to_them() {
    let nhc = |board: &Board| {
        let check = HealthCheck {
            name: "workers".into(),
            at_it: vec![("worker-2".into(), Some(board.now))],
            ..HealthCheck::default()
        };
        let read = Read::Objects(vec![Remedy::HealthCheck(check)]);
        Survey { at: board.now, told: vec![(Source::HealthChecks, read)] }
    };
    let screen = opened(nhc, &silence()).screen();
    assert!(screen.contains("in hands    NodeHealthCheck: workers has it remedied"), "{screen}");
    assert!(screen.contains("let NodeHealthCheck finish, or pause it"), "{screen}");
    assert!(!screen.contains("Force-detach ("), "{screen}");
}

#[test]
fn what_may_not_be_read_is_said_to_be_not_known() {
    let forbidden = |board: &Board| Survey {
        at: board.now,
        told: vec![(Source::Groups, Read::NotKnown("may not get /apis".into()))],
    };
    let mut board = Board::incident(80, 90);
    let survey = forbidden(&board);
    open(&mut board, &survey, &Speech::NotKnown("pods/log is forbidden".into()));
    let screen = board.screen();
    assert!(screen.contains("not known  API groups: may not get /apis"), "{screen}");
    assert!(screen.contains("kubelet     not known: pods/log is forbidden"), "{screen}");
}

#[test]
fn hundreds_of_pods_are_told_by_what_becomes_of_them() {
    let mut pods = String::new();
    for number in 0..240 {
        let _infallible = write!(
            pods,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: web-{number}, namespace: shop, uid: many-{number}, \
             ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-7d4b9c, uid: uid-web-set, \
             controller: true}}]}}\nspec:\n  nodeName: worker-2\n  containers: [{{name: web, image: web}}]\n  \
             tolerations: [{{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, \
             tolerationSeconds: 900}}]\nstatus: {{phase: Running}}\n"
        );
    }
    let mut board = Board::incident(80, 24);
    board.read(pods.trim_start_matches("---\n"));
    let survey = nobody(&board);
    open(&mut board, &survey, &silence());
    let screen = board.screen();
    assert!(screen.contains("What becomes of its pods (242)"), "{screen}");
    assert!(screen.contains("240  told to go in"), "{screen}");
    assert!(screen.contains("Replace pods"), "{screen}");
}

#[test]
fn a_detach_that_the_driver_refuses_is_told_in_its_words_with_its_handle() {
    let mut board = Board::incident(80, 60);
    board.read(
        r#"
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata: {name: csi-0a1b, uid: uid-csi-0a1b, deletionTimestamp: "2026-03-01T03:20:00Z", finalizers: [x/y]}
spec: {attacher: block.example.com, nodeName: worker-2, source: {persistentVolumeName: pvc-0a1b}}
status: {attached: true, detachError: {time: "2026-03-01T03:21:00Z", message: "rpc error: the array is locked"}}
"#,
    );
    let survey = nobody(&board);
    open(&mut board, &survey, &silence());
    let screen = board.screen();
    assert!(
        screen.contains("db/data-postgres-0  block  its detach fails, wanted by no pod here"),
        "{screen}"
    );
    assert!(screen.contains("waits     db/postgres-0 waits for it on worker-1"), "{screen}");
    assert!(screen.contains("the array is locked"), "{screen}");
    assert!(screen.contains("vol-0a1b (block.example.com)"), "{screen}");
}

#[test]
fn a_line_of_a_volume_stands_for_its_handle_and_any_other_for_itself() {
    let mut board = opened(nobody, &silence());
    let copied = |board: &mut Board| match &board.press("y")[..] {
        [] => None,
        [Effect::Copy(text)] => Some(text.clone()),
        more => panic!("{more:?}"),
    };
    assert_eq!(copied(&mut board), None, "a heading");
    board.press("j");
    assert_eq!(copied(&mut board).unwrap(), "Silent for 9m12s  NodeStatusUnknown");
    while !board.selected().contains("block  attached") {
        board.press("j");
    }
    assert_eq!(copied(&mut board).unwrap(), "vol-0a1b");
}
