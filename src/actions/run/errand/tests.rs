//! Runs with configured commands, in simulated time: what is run, how often, and what follows from how it ended.

use super::*;
use crate::actions::audit::{Entry, StepResult};
use crate::actions::errand::{Kit, Purpose, Template};
use crate::actions::run::danger::tests::{World, at};
use crate::actions::{Action, CallKind, Draft, Outcome};
use crate::cluster::Status;
use std::sync::Arc;

fn world(purposes: &[Purpose]) -> World {
    let template = |purpose: &Purpose| {
        let argv = vec!["do".to_owned(), "{node}".to_owned()];
        (*purpose, Template { argv, limit: SignedDuration::from_secs(30) })
    };
    let commands = purposes.iter().map(template).collect();
    let mut world = World::new();
    world.kit = Arc::new(Kit { commands, means_off: "off".into(), ..Kit::default() });
    world
}

/// Nobody states anything: what is proved is proved by commands.
fn draft(world: &World, action: Action) -> Draft {
    Draft { powered_off: Vec::new(), ..world.draft(action) }
}

fn begin(world: &World, action: Action) -> Run {
    world.begin(draft(world, action))
}

fn reasons(run: &Run) -> String {
    run.steps().filter_map(|(_, progress)| progress.reason()).collect::<Vec<_>>().join("; ")
}

const DETACHED: [CallKind; 2] = [CallKind::Cordon, CallKind::OutOfService];

#[test]
fn a_machine_that_was_switched_off_is_detached() {
    let mut world = world(&[Purpose::SwitchOff]);
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 40);
    assert_eq!(world.ran, [Purpose::SwitchOff]);
    assert_eq!(world.sent, DETACHED, "{}", reasons(&run));
}

#[test]
fn with_a_power_command_only_its_word_counts() {
    let mut world = world(&[Purpose::SwitchOff, Purpose::CheckPower]);
    world.works = false;
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 60);
    assert_eq!((world.ran.len(), world.sent.len()), (1, 1), "it says done, and the machine is on");
    assert!(reasons(&run).contains("not off yet: on"), "{}", reasons(&run));
    world.is_on = false;
    world.pass(&mut run, 60);
    assert_eq!(world.ran, [Purpose::SwitchOff], "it is run once");
    assert_eq!(world.sent, DETACHED, "{}", reasons(&run));
}

#[test]
fn a_machine_that_does_not_go_off_is_not_detached() {
    let mut world = world(&[Purpose::SwitchOff, Purpose::CheckPower]);
    world.works = false;
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 200);
    assert!(run.is_over());
    assert_eq!((world.ran.len(), world.sent.as_slice()), (1, &DETACHED[..1]));
    assert!(
        reasons(&run).contains("the power command does not say that the machine is off"),
        "{}",
        reasons(&run)
    );
}

#[test]
fn what_is_off_already_is_not_switched_off() {
    let mut world = world(&[Purpose::SwitchOff, Purpose::CheckPower]);
    world.is_on = false;
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 40);
    assert_eq!(world.ran, []);
    assert_eq!(world.sent, DETACHED, "{}", reasons(&run));
}

#[test]
fn a_command_that_fails_ends_the_run_and_is_not_run_again() {
    let mut world = world(&[Purpose::SwitchOff]);
    world.code = 3;
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 60);
    assert!(run.is_over());
    assert_eq!((world.ran.len(), world.sent.as_slice()), (1, &DETACHED[..1]));
    assert!(reasons(&run).contains("the command failed: exit code 3: it says this"), "{}", reasons(&run));
}

#[test]
fn what_it_said_is_in_the_record() {
    let mut world = world(&[Purpose::SwitchOff]);
    let mut run = begin(&world, Action::Fence);
    world.pass(&mut run, 10);
    assert_eq!(run.summary().outcome, Outcome::Done);
    let commands: Vec<_> = world
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Step(step) => step.command.clone().map(|command| (step.result, command)),
            Entry::Started(_) | Entry::Noted(_) | Entry::Ended(_) => None,
        })
        .collect();
    let [(StepResult::Done, command)] = commands.as_slice() else { panic!("{commands:?}") };
    let argv: Vec<&str> = command.argv.iter().map(|word| word.as_str()).collect();
    assert_eq!((argv, command.ran.said[0].as_str()), (vec!["do", "dead"], "it says this"));
    let line = serde_json::to_string(command).unwrap();
    assert!(line.contains(r#""ended":"exited","code":0"#), "{line}");
}

#[test]
fn a_fence_of_a_run_before_is_proof_for_the_next() {
    let mut world = world(&[Purpose::SwitchOff]);
    let mut run = begin(&world, Action::Fence);
    world.pass(&mut run, 10);
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 40);
    assert_eq!(world.ran, [Purpose::SwitchOff], "it is not switched off twice");
    assert_eq!(world.sent, DETACHED, "{}", reasons(&run));
}

#[test]
fn a_reset_waits_for_the_boot_and_never_leads_to_a_detach() {
    let mut world = world(&[Purpose::Reset]);
    let mut run = begin(&world, Action::Fence);
    world.pass(&mut run, 30);
    assert!(!run.is_over() && world.ran == [Purpose::Reset]);
    // It is seen again, in the boot that it was in.
    world.node("dead", (Status::True, "KubeletReady"), |_| {});
    world.pass(&mut run, 5);
    assert!(!run.is_over());
    world.node("dead", (Status::True, "KubeletReady"), |row| row.boot_id = "boot-2".into());
    world.pass(&mut run, 5);
    assert_eq!((run.is_over(), run.summary().outcome), (true, Outcome::Done));
    world.node("dead", (Status::Unknown, "NodeStatusUnknown"), |_| {});
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 60);
    assert_eq!(world.sent, DETACHED[..1]);
    assert!(reasons(&run).contains("nothing proves that dead is off"), "{}", reasons(&run));
}

#[test]
fn a_machine_that_comes_back_before_its_turn_is_not_fenced() {
    for (status, action, is_run) in [
        (Status::True, Action::Fence, false),
        (Status::False, Action::Fence, true),
        (Status::True, Action::ForceDetach, false),
        // What a kubelet says itself is no silence: nobody has agreed to that.
        (Status::False, Action::ForceDetach, false),
    ] {
        let mut world = world(&[Purpose::SwitchOff]);
        // It is cordoned already, and so this is the first step.
        world.node("dead", (Status::Unknown, "NodeStatusUnknown"), |row| row.is_unschedulable = true);
        let mut run = begin(&world, action.clone());
        world.node("dead", (status, "x"), |_| {});
        world.pass(&mut run, 30);
        assert_eq!(!world.ran.is_empty(), is_run, "{status:?} {action:?}: {}", reasons(&run));
    }
}

#[test]
fn a_machine_that_answers_its_probe_is_not_detached() {
    let mut world = world(&[Purpose::SwitchOff, Purpose::Probe]);
    world.echoes = true;
    let mut run = begin(&world, Action::ForceDetach);
    world.pass(&mut run, 60);
    assert_eq!(world.sent, DETACHED[..1]);
    assert!(reasons(&run).contains("the machine of dead answers its probe"), "{}", reasons(&run));
}

#[test]
fn a_kubelet_was_restarted_when_its_lease_moves() {
    let mut world = world(&[Purpose::RestartKubelet]);
    let mut run = begin(&world, Action::RestartKubelet);
    world.pass(&mut run, 20);
    assert!(!run.is_over() && world.ran == [Purpose::RestartKubelet]);
    world.renewed = world.now;
    world.pass(&mut run, 3);
    assert_eq!((run.is_over(), run.summary().outcome), (true, Outcome::Done), "{}", reasons(&run));
    assert_eq!(world.sent, []);
}

#[test]
fn a_run_that_is_stopped_begins_no_command_and_says_what_became_of_one() {
    let mut world = world(&[Purpose::SwitchOff, Purpose::CheckPower]);
    let mut run = begin(&world, Action::Fence);
    run.stop("somebody says so");
    world.pass(&mut run, 5);
    assert!(run.is_over() && world.ran.is_empty());

    world.works = false;
    let mut run = begin(&world, Action::Fence);
    world.pass(&mut run, 5);
    run.stop("somebody says so");
    world.pass(&mut run, 5);
    assert!(run.is_over());
    assert!(
        reasons(&run).contains("it was run, and the machine was not seen to be off"),
        "{}",
        reasons(&run)
    );
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let world = world(&[Purpose::SwitchOff]);
    let mut run = begin(&world, Action::Fence);
    run.ran(0, Ran::not_run("late"), at(0));
    assert!(run.steps().all(|(_, progress)| *progress == Progress::Pending));
}
