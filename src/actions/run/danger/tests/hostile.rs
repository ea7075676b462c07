//! What the world does to a run about a dead machine beside dying: several machines, a server that fails, leaders that
//! fall silent, watches that lag.

use super::*;
use crate::actions::Steer;

fn marked(world: &World, name: &str) -> bool {
    world.cluster.node(name).unwrap().is_out_of_service()
}

/// Two machines that are dead by all that is asked, of eight.
fn two() -> (World, Run) {
    let mut world = World::new();
    for name in ["e", "f", "g"] {
        world.node(name, (Status::True, "KubeletReady"), |_| {});
    }
    world.node("other", (Status::Unknown, "NodeStatusUnknown"), |_| {});
    let targets = ["dead", "other"].map(|name| world.cluster.node(name).unwrap().object());
    let powered_off = vec!["dead".into(), "other".into()];
    let draft = Draft { targets: targets.into(), powered_off, ..world.draft(Action::ForceDetach) };
    let run = world.begin(draft);
    (world, run)
}

fn controllers_finish(world: &mut World) {
    for name in ["db-0", "web-1"] {
        world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", name), uid: name.into() }));
    }
    let name = Name::cluster("csi-1");
    world.apply(Change::VolumeAttachment(Delta::Delete { name, uid: "csi-1".into() }));
}

#[test]
fn two_dead_machines_are_taken_one_after_the_other() {
    let (mut world, mut run) = two();
    world.pass(&mut run, 20);
    assert!(marked(&world, "dead") && !marked(&world, "other"), "{:?}", world.sent);
    controllers_finish(&mut world);
    world.pass(&mut run, 25);
    assert!(marked(&world, "other"), "{:?}", world.sent);
    assert!(run.is_over() && run.summary().outcome == Outcome::Done, "{:?}", run.summary());
}

#[test]
fn the_life_of_one_machine_says_nothing_of_another() {
    let (mut world, mut run) = two();
    world.pass(&mut run, 20);
    controllers_finish(&mut world);
    world.pass(&mut run, 10);
    assert!(marked(&world, "dead") && !marked(&world, "other"), "{:?}", world.sent);
    // While the other is looked at.
    world.node("dead", (Status::True, "KubeletReady"), |_| {});
    world.pass(&mut run, 30);
    assert!(!marked(&world, "dead") && !marked(&world, "other"), "{:?}", world.sent);
    assert!(run.is_over());

    // Both are marked, and the second still waits for its volumes.
    let (mut world, mut run) = two();
    let attachment = VolumeAttachment {
        meta: meta(Name::cluster("csi-2"), "csi-2"),
        attacher: "d".into(),
        node: "other".into(),
        volume: "pv-2".into(),
        is_attached: true,
        ..VolumeAttachment::default()
    };
    world.apply(Change::VolumeAttachment(Delta::Apply(Box::new(attachment))));
    world.pass(&mut run, 20);
    controllers_finish(&mut world);
    world.pass(&mut run, 25);
    assert!(marked(&world, "dead") && marked(&world, "other"), "{:?}", world.sent);
    world.node("dead", (Status::True, "KubeletReady"), |_| {});
    world.pass(&mut run, 10);
    assert!(!marked(&world, "dead"), "it lives");
    assert!(marked(&world, "other"), "it is as dead as before, and its volumes are still attached");
    let left = run.steps().last().unwrap().1.reason().unwrap().to_owned();
    assert!(left.contains("other keeps its mark"), "{left}");
}

#[test]
fn the_way_back_is_not_given_up_however_often_the_node_changes_under_it() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 20);
    world.node("dead", (Status::True, "KubeletReady"), |_| {});
    world.refuse = Some(CallError::Conflict { reason: "changed".into() });
    world.refuses_on = true;
    for _ in 0..30 {
        world.pass(&mut run, 1);
        world.node("dead", (Status::True, "KubeletReady"), |_| {});
    }
    assert!(marked(&world, "dead") && !run.is_over());
    world.refuse = None;
    world.pass(&mut run, 2);
    assert!(!marked(&world, "dead"), "{:?}", run.steps().last());
}

/// Why something was asked and not answered.
fn failed() -> Answer {
    Answer::Failed(CallError::Unanswered { reason: "connection refused".into() })
}

#[test]
fn a_server_that_fails_is_not_asked_without_end() {
    let cases: [fn(&World, &Probe) -> Option<Answer>; 5] = [
        |_, probe| matches!(probe, Probe::Lease(_)).then(failed),
        |_, probe| matches!(probe, Probe::Leader).then(failed),
        |_, probe| matches!(probe, Probe::Log { .. }).then(failed),
        |_, probe| matches!(probe, Probe::Node(_)).then(failed),
        |_, probe| matches!(probe, Probe::May(_)).then(failed),
    ];
    for (case, otherwise) in cases.into_iter().enumerate() {
        let mut world = World::new();
        world.otherwise = otherwise;
        let mut run = world.begin(world.draft(Action::ForceDetach));
        let mut asked = 0;
        for second in 0..60 {
            world.now = second;
            // As fast as a server answers that refuses connections.
            for _ in 0..100 {
                for order in run.advance(&world.sight()) {
                    match order {
                        Order::Write(_) => run.written(Ok(()), at(world.now)),
                        Order::Ask(probe) => {
                            asked += usize::from(world.answer(&probe) == failed());
                            run.probed(&probe, &world.answer(&probe));
                        }
                        Order::Send { step, call } => {
                            assert_eq!(call.kind(), CallKind::Cordon, "{case}");
                            run.answered(step, Ok(()), at(world.now));
                            world.carry_out(&call);
                        }
                        Order::Run { errand, .. } => panic!("nothing is configured: {errand:?}"),
                    }
                }
            }
        }
        let reasons: Vec<String> =
            run.steps().filter_map(|(_, progress)| Some(progress.reason()?.to_owned())).collect();
        let is_told = |reason: &String| reason.contains("; so far: ") || reason.contains("not sent: ");
        // A log that is not given is silence, so that cannot be.
        assert!(case == 2 || reasons.iter().any(is_told), "case {case}: {reasons:?}");
        // Some rights are asked for with each round.
        assert!((1..=150).contains(&asked), "case {case}: asked {asked} times in a minute");
    }
}

#[test]
fn a_leader_that_fell_silent_since_the_review_clears_nothing() {
    let mut world = World::new();
    let draft = world.draft(Action::ForceDetach);
    let plan = draft.plan(&world.cluster, &world.author());
    let probes = plan.probes(false);
    let mut answers = Answers::to(probes.clone()).awaited(&probes, at(world.now));
    for probe in &probes {
        answers.take(probe, world.answer(probe));
    }
    // It renewed once more after the review, and then never again: ten minutes ago.
    world.otherwise = |_, probe| {
        let leader = Leader { renewed: Some(at(20)), acquired: Some(at(-9000)), holder: "kcm".into() };
        matches!(probe, Probe::Leader).then_some(Answer::Leader(leader))
    };
    world.now = 600;
    let mut run = world.begin(draft);
    run.remember(&answers);
    world.pass(&mut run, 60);
    assert_eq!(world.sent, [CallKind::Cordon]);
    // It leads again.
    world.otherwise = |_, _| None;
    world.pass(&mut run, 30);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService]);
}

#[test]
fn a_leader_that_dies_while_a_run_is_paused_clears_nothing() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 8);
    run.steer(&Steer::Pause, "alice", at(world.now)).unwrap();
    world.pass(&mut run, 10);
    world.otherwise = |_, probe| {
        let leader = Leader { renewed: Some(at(18)), acquired: Some(at(-9000)), holder: "kcm".into() };
        matches!(probe, Probe::Leader).then_some(Answer::Leader(leader))
    };
    world.pass(&mut run, 600);
    run.steer(&Steer::Resume, "alice", at(world.now)).unwrap();
    world.pass(&mut run, 60);
    assert_eq!(world.sent, [CallKind::Cordon]);
}

#[test]
fn another_leader_that_has_only_begun_clears_nothing_before_a_minute_is_over() {
    let mut world = World::new();
    world.otherwise = |world, probe| {
        let (holder, acquired) = if world.now < 10 { ("one", -9000) } else { ("two", 10) };
        let leader =
            Leader { renewed: Some(at(world.now)), acquired: Some(at(acquired)), holder: holder.into() };
        matches!(probe, Probe::Leader).then_some(Answer::Leader(leader))
    };
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 40);
    assert_eq!(world.sent, [CallKind::Cordon]);
}

#[test]
fn nothing_is_sent_on_a_watch_that_lags_behind_what_is_read_live() {
    let mut world = World::new();
    world.otherwise = |world, probe| {
        let Probe::Node(node) = probe else { return None };
        let mut row = world.cluster.nodes.get(&node.name).unwrap().clone();
        row.meta.resource_version = "99".into();
        Some(Answer::Node(Box::new(Seen { row, at: at(world.now) })))
    };
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 60);
    assert_eq!(world.sent, [CallKind::Cordon]);
    assert!(!run.is_over(), "it waits for the watch");
    world.otherwise = |_, _| None;
    world.pass(&mut run, 10);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService]);
}
