//! Guided actions on the screen, from the key to the effects: what is asked, what is sent, and what it takes for that.

use crate::harness::{Board, asked};
use insta::assert_snapshot;
use sickbay::actions::{Answer, Call, CallError};
use sickbay::app::acting::{Asked, Told};
use sickbay::app::{Effect, Msg};
use sickbay::cluster::FeedChange;

fn node(name: &str, version: u32, rest: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Node, metadata: {{name: {name}, uid: uid-{name}, resourceVersion: '{version}'{rest}}}, \
         spec: {{unschedulable: {}}}, status: {{conditions: [{{type: Ready, status: 'True'}}]}}}}",
        !rest.is_empty()
    )
}

fn cordoned(name: &str, version: u32, run: &str) -> String {
    let rest = format!(
        ", annotations: {{sickbay.dev/cordoned-by: alice@bastion, sickbay.dev/cordoned-why: the disk is failing, \
         sickbay.dev/cordoned-at: '2026-03-01T03:20:00Z', sickbay.dev/cordoned-run: {run}}}"
    );
    node(name, version, &rest)
}

/// Three nodes, on the screen that lists them.
fn nodes(width: u16, height: u16) -> Board {
    let world = ["worker-1", "worker-2", "worker-3"].map(|name| node(name, 1, ""));
    Board::at_nodes(&world.join("\n---\n"), (width, height))
}

pub fn calls(effects: Vec<Effect>) -> Vec<Call> {
    let calls = asked(effects).into_iter().map(|asked| match asked {
        Asked::Send { call, .. } => call,
        other => panic!("{other:?}"),
    });
    calls.collect()
}

/// Answers every question with yes.
pub fn allow(board: &mut Board, effects: Vec<Effect>) {
    for asked in asked(effects) {
        let Asked::Probe { run, probe } = asked else { panic!("{asked:?}") };
        board.tell(Told::Probed { run, probe, answer: Answer::Yes }.into());
    }
}

/// Agrees, and has the first record written; the calls that go out then.
pub fn agree(board: &mut Board) -> Vec<Call> {
    let effects = asked(board.press("tab enter"));
    let [Asked::Write(record)] = &effects[..] else { panic!("{effects:?}") };
    let run = record.run.clone();
    calls(board.tell(Told::Written { run, written: Ok(()) }.into()))
}

pub fn answer(board: &mut Board, step: usize, answer: Result<(), CallError>) -> Vec<Effect> {
    let run = board.app.acting.runs.last().unwrap().id.clone();
    board.tell(Told::Answered { run, step, answer }.into())
}

#[test]
fn no_key_however_often_it_is_pressed_sends_anything() {
    for key in ["c", "u", "enter", "y", "space", "tab", "right"] {
        let mut board = nodes(80, 24);
        let effects = board.press("c");
        allow(&mut board, effects);
        for _ in 0..8 {
            for effect in board.press(key) {
                let [Asked::Probe { .. } | Asked::Look { .. }] = asked(vec![effect])[..] else {
                    panic!("{key} sends something")
                };
            }
        }
        assert!(board.app.acting.runs.is_empty(), "{key}");
    }
}

#[test]
fn a_node_is_cordoned_by_three_keys_and_done_when_the_watch_shows_it() {
    let mut board = nodes(80, 24);
    let effects = board.press("j c");
    assert_eq!(effects.len(), 2, "may I, and a dry run");
    allow(&mut board, effects);
    let sent = agree(&mut board);
    let [Call::Cordon { node, version, author, .. }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(
        (node.uid.as_str(), version.as_str(), author.who.as_str()),
        ("uid-worker-2", "1", "alice@bastion")
    );
    assert_eq!(answer(&mut board, 0, Ok(())), []);
    assert!(board.screen().contains("waiting"), "{}", board.screen());
    board.read(&cordoned("worker-2", 2, "k3f9-1"));
    let screen = board.screen();
    assert!(screen.contains("k3f9-1  Cordon: done, 1 of 1 done"), "{screen}");
    board.press("esc");
    assert!(board.selected().contains("cordoned"), "{}", board.screen());
}

fn targets(board: &Board) -> Vec<&str> {
    let review = board.app.acting.review.as_ref().unwrap();
    review.draft.targets.iter().map(|target| target.name.name.as_str()).collect()
}

#[test]
fn marks_that_the_filter_hides_are_left_out_until_a_key_takes_them_in() {
    let mut board = nodes(80, 24);
    board.press("space space /");
    board.type_text("worker-2");
    board.press("enter c");
    assert_eq!(targets(&board), ["worker-2"]);
    let told = "1 marked and hidden by the filter: left out; i takes them in";
    assert!(board.screen().contains(told), "{}", board.screen());
    let effects = board.press("i");
    assert_eq!(effects.len(), 4, "all is asked anew, for both: {effects:?}");
    assert_eq!(targets(&board), ["worker-2", "worker-1"]);
    let screen = board.screen();
    assert!(screen.contains("hidden by the filter: taken in; i leaves them out"), "{screen}");
    assert!(screen.contains("Cordon 2 nodes") && screen.contains("2  cordon node worker-1"), "{screen}");
    board.press("i");
    assert_eq!(targets(&board), ["worker-2"]);
    board.press("esc");
    board.press("/ ctrl-u");
    board.type_text("worker-3");
    board.press("enter c");
    assert!(board.app.acting.review.is_none(), "nothing that is marked is shown");
    assert!(board.screen().contains("what is marked (2) is hidden by the filter"), "{}", board.screen());
    board.press("backspace c");
    assert_eq!(targets(&board), ["worker-1", "worker-2"]);
}

#[test]
fn an_action_for_more_than_the_ceiling_is_refused_and_nothing_is_asked() {
    let mut board = nodes(80, 24);
    board.app.session.most_targets = Some(2);
    assert_eq!(board.press("+ c"), [], "nobody is asked");
    let screen = board.screen();
    assert!(
        screen.contains("block these are 3 nodes, and one action takes 2 at most; take fewer"),
        "{screen}"
    );
    assert_eq!(board.press("tab enter"), []);
    assert!(board.app.acting.runs.is_empty());
    board.press("esc space c");
    assert_eq!(targets(&board).len(), 2);
    assert!(!board.screen().contains("block"), "{}", board.screen());
}

#[test]
fn a_refused_right_blocks_and_nobody_can_agree() {
    let mut board = nodes(80, 24);
    for asked in asked(board.press("c")) {
        let Asked::Probe { run, probe } = asked else { panic!("{asked:?}") };
        let answer = Answer::No { reason: "no RBAC policy matched".into() };
        board.tell(Told::Probed { run, probe, answer }.into());
    }
    assert_eq!(board.press("tab enter"), []);
    let screen = board.screen();
    assert!(screen.contains("not yet: you may not patch nodes worker-1: no RBAC policy matched"), "{screen}");
    assert!(board.app.acting.runs.is_empty());
}

#[test]
fn a_read_only_session_shows_the_action_and_why_it_is_not_to_be_had() {
    let mut board = nodes(80, 24);
    board.app.session.is_read_only = true;
    let effects = asked(board.press("c"));
    assert_eq!(effects.len(), 1, "no dry run: {effects:?}");
    assert!(board.screen().contains("block this session is read-only"), "{}", board.screen());
    assert_eq!(board.press("tab enter"), []);
    assert!(board.app.acting.runs.is_empty());
}

#[test]
fn a_protected_cluster_wants_the_name_typed() {
    let mut board = nodes(80, 24);
    board.app.session.is_protected = true;
    let effects = board.press("c");
    allow(&mut board, effects);
    assert_eq!(board.press("tab enter"), []);
    assert!(board.app.acting.runs.is_empty());
    board.press("shift-tab shift-tab");
    board.type_text("worker-2");
    assert_eq!(board.press("tab tab enter"), [], "that is another one");
    board.press("shift-tab shift-tab ctrl-u");
    board.type_text("worker-1");
    assert_eq!(board.press("tab tab enter").len(), 1);
    assert_eq!(board.app.acting.runs.len(), 1);
}

#[test]
fn a_review_follows_the_cluster_and_asks_about_what_is_new_in_it() {
    let mut board = nodes(80, 24);
    board.read(&cordoned("worker-1", 2, "other"));
    let effects = board.press("c");
    assert_eq!(effects, [], "it is cordoned already");
    assert!(board.screen().contains("Nothing to do"), "{}", board.screen());
    // Somebody uncordons it meanwhile.
    let effects = board.tell(Msg::Changes(sickbay::wire::manifest(&node("worker-1", 3, "")).unwrap()));
    assert_eq!(effects.len(), 2, "{effects:?}");
    // And the watch breaks.
    allow(&mut board, effects);
    board.feed(sickbay::cluster::Kind::Node, FeedChange::Down { reason: "cut".into() });
    let screen = board.screen();
    assert!(screen.contains("block what is known may be old: the watch of nodes broke: cut"), "{screen}");
}

#[test]
fn leaving_while_something_runs_is_asked_about() {
    let mut board = nodes(80, 24);
    let effects = board.press("c");
    allow(&mut board, effects);
    agree(&mut board);
    assert_eq!(board.press("ctrl-c"), []);
    assert!(board.screen().contains("Leave while something runs?"), "{}", board.screen());
    assert_eq!(board.press("enter"), [], "the first answer is to stay");
    assert_eq!(board.press("ctrl-c tab enter"), [Effect::Quit]);
    answer(&mut board, 0, Ok(()));
    board.read(&cordoned("worker-1", 2, "k3f9-1"));
    assert_eq!(board.press("ctrl-c"), [Effect::Quit]);
}

#[test]
fn what_a_run_did_is_taken_back_by_a_review_of_its_own() {
    let mut board = nodes(80, 24);
    let effects = board.press("c");
    allow(&mut board, effects);
    agree(&mut board);
    answer(&mut board, 0, Ok(()));
    board.read(&cordoned("worker-1", 2, "k3f9-1"));
    let effects = board.press("u");
    assert_eq!(effects.len(), 2);
    assert!(board.screen().contains("Uncordon node worker-1"), "{}", board.screen());
    allow(&mut board, effects);
    let sent = agree(&mut board);
    assert!(
        matches!(&sent[..], [Call::Uncordon { of: Some(run), .. }] if run.as_str() == "k3f9-1"),
        "{sent:?}"
    );
}

#[test]
fn a_stopped_run_begins_nothing_new() {
    let mut board = nodes(80, 24);
    let effects = board.press("+ c");
    allow(&mut board, effects);
    assert_eq!(agree(&mut board).len(), 3);
    let unanswered = CallError::Unanswered { reason: "the connection was cut".into() };
    answer(&mut board, 0, Err(unanswered));
    board.press("x");
    board.pass(5);
    answer(&mut board, 1, Ok(()));
    answer(&mut board, 2, Ok(()));
    for name in ["worker-2", "worker-3"] {
        board.read(&cordoned(name, 2, "k3f9-1"));
    }
    let screen = board.screen();
    assert!(screen.contains("Cordon: stopped, 2 of 3 done"), "{screen}");
}

#[test]
fn nodes_cordoned_by_the_one_who_sits_here_are_told_at_the_start() {
    let mut board = Board::new(80, 24);
    board.app.session.operator = "alice@bastion".into();
    for name in ["worker-1", "worker-2", "worker-3", "worker-4"] {
        board.read(&cordoned(name, 1, "old"));
    }
    board.go_live();
    let screen = board.screen();
    let told = "still cordoned by you: worker-1 (2m), worker-2 (2m), worker-3 (2m) and 1 more";
    assert!(screen.contains(told), "{screen}");
}

#[test]
fn the_review_and_the_runs_are_drawn() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut board = nodes(width, height);
        board.read(&cordoned("worker-2", 2, "other"));
        let effects = board.press("+ c");
        assert_snapshot!(format!("review_asking_{width}x{height}"), board.screen());
        allow(&mut board, effects);
        board.press("tab");
        assert_snapshot!(format!("review_{width}x{height}"), board.screen());
        board.press("shift-tab");
        agree(&mut board);
        answer(&mut board, 0, Ok(()));
        board.read(&cordoned("worker-1", 2, "k3f9-1"));
        answer(&mut board, 1, Err(CallError::Conflict { reason: "the object has been modified".into() }));
        assert_snapshot!(format!("runs_{width}x{height}"), board.screen());
        board.press("shift-j");
        assert_snapshot!(format!("journal_{width}x{height}"), board.screen());
        board.press("esc enter");
        assert_snapshot!(format!("cordoned_node_{width}x{height}"), board.screen());
    }
}

#[test]
fn every_screen_says_what_is_under_way_beside_what_is_wrong() {
    let mut board = nodes(80, 24);
    let effects = board.press("+ c");
    allow(&mut board, effects);
    agree(&mut board);
    answer(&mut board, 0, Ok(()));
    board.read(&cordoned("worker-1", 2, "k3f9-1"));
    board.press("esc");
    for key in ["1", "2", "3", "4", "5", "6", "7"] {
        board.press(key);
        let screen = board.screen();
        let header = screen.lines().next().unwrap();
        assert!(header.contains("prod") && header.ends_with("cordon 1/3  ● live"), "{header}");
    }
    for (step, name) in [(1, "worker-2"), (2, "worker-3")] {
        answer(&mut board, step, Ok(()));
        board.read(&cordoned(name, 2, "k3f9-1"));
    }
    let screen = board.screen();
    assert!(!screen.lines().next().unwrap().contains("cordon"), "it is over: {screen}");
}

/// Cordoned as the note says, and tainted so many minutes after it.
fn tainted(minutes: i64) -> String {
    let written: jiff::Timestamp = "2026-03-01T03:20:00Z".parse().unwrap();
    let added = written + jiff::SignedDuration::from_mins(minutes);
    let taints = format!(
        "unschedulable: true, taints: [{{key: node.kubernetes.io/unschedulable, effect: NoSchedule, timeAdded: '{added}'}}]"
    );
    cordoned("worker-1", 2, "k3f9-1").replace("unschedulable: true", &taints)
}

#[test]
fn a_note_that_is_older_than_the_cordon_is_not_believed() {
    let mut board = nodes(160, 48);
    board.pass(3600);
    board.read(&tainted(0));
    board.press("enter");
    assert!(
        board.screen().contains("cordoned 62m ago by alice@bastion, because: the disk"),
        "{}",
        board.screen()
    );
    // It was uncordoned and cordoned again with a tool that leaves the note alone.
    board.read(&tainted(30));
    let screen = board.screen();
    let told = "cordoned 32m ago, by whom is not known: the note of alice@bastion is 62m old";
    assert!(screen.contains(told), "{screen}");
    board.press("esc c");
    let screen = board.screen();
    let told = "the note of alice@bastion on it is older than its taint: it may have been cordoned anew";
    assert!(screen.contains(told), "{screen}");
}

#[test]
fn at_the_start_one_is_told_of_own_cordons_and_not_of_those_that_others_made_since() {
    for (minutes, is_own) in [(0, true), (30, false)] {
        let mut board = Board::new(160, 48);
        board.app.session.operator = "alice@bastion".into();
        board.pass(26 * 3600);
        board.read(&tainted(minutes));
        board.go_live();
        let screen = board.screen();
        assert_eq!(screen.contains("still cordoned by you: worker-1 (26h)"), is_own, "{screen}");
    }
}

#[test]
fn what_waited_for_the_server_is_dated_when_it_is_sent() {
    let mut board = nodes(80, 24);
    let effects = board.press("c");
    allow(&mut board, effects);
    board.feed(sickbay::cluster::Kind::Node, FeedChange::Live);
    let effects = asked(board.press("tab enter"));
    let [Asked::Write(record)] = &effects[..] else { panic!("{effects:?}") };
    let run = record.run.clone();
    board.tell(Msg::Beat(Err("the connection was cut".into())));
    assert_eq!(
        board.tell(Told::Written { run, written: Ok(()) }.into()),
        [],
        "nothing goes to a dead server"
    );
    board.pass(600);
    let sent = calls(board.tell(Msg::Beat(Ok(()))));
    let [Call::Cordon { author, .. }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(author.at, board.now);
}

/// A run over three nodes that was cut off after its first, as the journal tells it.
fn cut_off(board: &mut Board) -> Told {
    let effects = board.press("+ c");
    allow(board, effects);
    agree(board);
    answer(board, 0, Ok(()));
    board.read(&cordoned("worker-1", 2, "k3f9-1"));
    let records = board.app.acting.records.clone();
    Told::Past { runs: sickbay::actions::history::runs(&records, |_| false), records }
}

#[test]
fn a_run_that_was_cut_off_is_told_at_the_next_start_and_taken_up_again() {
    let told = cut_off(&mut nodes(80, 24));
    let mut board = nodes(80, 24);
    board.app.session.tag = "w7aa".into();
    board.read(&cordoned("worker-1", 2, "k3f9-1"));
    board.pass(7200);
    board.tell(told.into());
    let screen = board.screen();
    assert!(screen.contains("Cordon was cut off, 1 of 3 done (k3f9-1): r shows it"), "{screen}");
    board.press("r");
    assert_snapshot!("cut_off_80x24", board.screen());
    let effects = board.press("ctrl-r");
    assert_eq!(targets(&board).len(), 3);
    allow(&mut board, effects);
    let screen = board.screen();
    assert!(screen.contains("skip  node worker-1 is cordoned already"), "{screen}");
    assert!(screen.contains("1  cordon node worker-2"), "{screen}");
    assert_eq!(agree(&mut board).len(), 2, "what was done is not done again");
}

#[test]
fn what_a_run_that_was_cut_off_did_is_taken_back() {
    let told = cut_off(&mut nodes(80, 24));
    let mut board = nodes(80, 24);
    board.read(&cordoned("worker-1", 2, "k3f9-1"));
    board.tell(told.into());
    let effects = board.press("r u");
    assert_eq!(targets(&board), ["worker-1"]);
    allow(&mut board, effects);
    let sent = agree(&mut board);
    assert!(matches!(&sent[..], [Call::Uncordon { .. }]), "{sent:?}");
}
