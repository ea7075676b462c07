//! Plans and reviews of commands, without running any.

use super::*;
use crate::actions::audit::{Commanded, RunId};
use crate::actions::audit::{Entry, Object, Record, StepEnded, StepResult, fenced};
use crate::actions::errand::{Ended, Kit, Ran, Template};
use crate::actions::preflight::Preflight;
use crate::cluster::{
    Change, Condition, Delta, Feed, FeedChange, Meta, Name, Phase, Pod, Status, Taint, Text,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

/// Five nodes, `a` to `e`, all ready but those that are named.
fn cluster(known: &[(&str, Status)]) -> Cluster {
    let mut cluster = Cluster::default();
    for name in ["a", "b", "c", "d", "e"] {
        let status =
            known.iter().find(|(known, _)| *known == name).map_or(Status::True, |(_, status)| *status);
        apply(&mut cluster, node(name, status));
    }
    let pod = Pod {
        meta: Meta { name: Name::new("shop", "web-1"), uid: "web-1".into(), ..Meta::default() },
        node: "a".into(),
        phase: Phase::Running,
        ..Pod::default()
    };
    cluster.apply(Change::Pod(Delta::Apply(Box::new(pod))), at(0));
    for kind in Kind::ALL {
        cluster.apply(Change::Feed(Feed::Watch(kind), FeedChange::Live), at(0));
    }
    cluster
}

fn apply(cluster: &mut Cluster, row: Node) {
    cluster.apply(Change::Node(Delta::Apply(Box::new(row))), at(0));
}

fn node(name: &str, status: Status) -> Node {
    let condition = Condition {
        kind: "Ready".into(),
        status,
        reason: "x".into(),
        message: Text::default(),
        changed: Some(at(-300)),
    };
    Node {
        meta: Meta { name: Name::cluster(name), uid: name.into(), ..Meta::default() },
        conditions: [condition].into(),
        boot_id: "boot-1".into(),
        ..Node::default()
    }
}

fn kit(purposes: &[Purpose]) -> Kit {
    let template = |purpose: &Purpose| {
        let argv = vec!["do".to_owned(), "{node}".to_owned()];
        (*purpose, Template { argv, limit: SignedDuration::from_secs(30) })
    };
    Kit { commands: purposes.iter().map(template).collect(), means_off: "off".into(), ..Kit::default() }
}

fn author(purposes: &[Purpose]) -> Author {
    Author {
        who: "alice".into(),
        run: RunId::new("t-1"),
        at: at(0),
        kit: Arc::new(kit(purposes)),
        fenced: Vec::new(),
    }
}

fn draft(action: Action, nodes: &[&str], cluster: &Cluster) -> Draft {
    let targets = nodes.iter().map(|name| cluster.node(name).unwrap().object()).collect();
    Draft { action, targets, why: Text::default(), powered_off: Vec::new() }
}

fn preflight(draft: &Draft, plan: &Plan, cluster: &Cluster, answers: &Answers) -> Preflight {
    let sight = Sight { cluster, now: at(0), outage: None, is_read_only: false };
    Preflight::of(draft, plan, answers, &sight)
}

/// The blocks of an action on node `a` with these commands at hand.
fn blocks(action: Action, cluster: &Cluster, purposes: &[Purpose]) -> Vec<String> {
    let draft = draft(action, &["a"], cluster);
    let plan = draft.plan(cluster, &author(purposes));
    let preflight = preflight(&draft, &plan, cluster, &Answers::default());
    preflight.of_verdict(Verdict::Block).map(|check| check.reason.clone()).collect()
}

#[test]
fn a_fence_is_blocked_while_ready_typed_when_not_ready_and_a_plain_question_when_silent() {
    for (status, is_blocked, danger) in [
        (Status::True, true, Danger::Destructive),
        (Status::False, false, Danger::Destructive),
        (Status::Unknown, false, Danger::Reversible),
    ] {
        let cluster = cluster(&[("a", status)]);
        let blocks = blocks(Action::Fence, &cluster, &[Purpose::SwitchOff]);
        assert_eq!(!blocks.is_empty(), is_blocked, "{status:?}: {blocks:?}");
        let plan = draft(Action::Fence, &["a"], &cluster).plan(&cluster, &author(&[Purpose::SwitchOff]));
        assert_eq!(plan.danger, danger, "{status:?}");
    }
}

#[test]
fn several_machines_are_named_one_by_one() {
    let cluster = cluster(&[("a", Status::Unknown), ("b", Status::Unknown)]);
    let plan = draft(Action::Fence, &["a", "b"], &cluster).plan(&cluster, &author(&[Purpose::SwitchOff]));
    assert!(plan.danger == Danger::Destructive && plan.is_fencing());
}

#[test]
fn the_review_shows_the_command_word_for_word() {
    let cluster = cluster(&[("a", Status::Unknown)]);
    let draft = draft(Action::Fence, &["a"], &cluster);
    let author = author(&[Purpose::SwitchOff, Purpose::CheckPower]);
    let plan = draft.plan(&cluster, &author);
    let sentences: Vec<String> = plan.steps.iter().map(Step::sentence).collect();
    assert_eq!(
        sentences,
        [
            "switch the machine of a off: `do a`, until `do a` says \"off\"",
            "wait until the control plane sees a as silent"
        ]
    );
    let preflight = preflight(&draft, &plan, &cluster, &Answers::default());
    let told = |words: &str| preflight.checks.iter().any(|check| check.reason.contains(words));
    assert!(told("a is switched off, by a command that runs here for 30 s at most: do a"), "{preflight:?}");
    assert!(told("is no proof that it is dead: should it live, 1 pod ends at once"), "{preflight:?}");
}

#[test]
fn what_is_not_configured_blocks_and_says_what_else_there_is() {
    let cluster = cluster(&[("a", Status::Unknown)]);
    let draft = draft(Action::Fence, &["a"], &cluster);
    let plan = draft.plan(&cluster, &author(&[]));
    assert!(plan.steps.is_empty());
    let preflight = preflight(&draft, &plan, &cluster, &Answers::default());
    let block = preflight.of_verdict(Verdict::Block).next().unwrap();
    assert_eq!(block.reason, "config.yaml has no machine.fence.command for this cluster");
    assert!(block.remedy.as_deref().unwrap().contains("--powered-off a"), "{block:?}");
    let restart = blocks(Action::RestartKubelet, &cluster, &[Purpose::SwitchOff]);
    assert_eq!(restart, ["config.yaml has no machine.restart-kubelet.command for this cluster"]);
}

#[test]
fn a_storm_a_last_control_plane_and_somebody_else_at_it_block_a_fence() {
    let fence = |cluster: &Cluster| blocks(Action::Fence, cluster, &[Purpose::SwitchOff]).join("; ");
    let storm = cluster(&[("a", Status::Unknown), ("b", Status::Unknown)]);
    assert!(fence(&storm).contains("2 of 5 nodes are not ready"));
    let mut last = cluster(&[]);
    let mut row = node("a", Status::Unknown);
    row.meta.labels = [("node-role.kubernetes.io/control-plane".into(), Text::default())].into();
    apply(&mut last, row);
    assert!(fence(&last).contains("is the last of the control plane"));
    let mut other = cluster(&[]);
    let taint = Taint {
        key: "remediation.medik8s.io/self-node-remediation".into(),
        value: Text::default(),
        effect: crate::cluster::Effect::NoSchedule,
        added: None,
    };
    apply(&mut other, Node { taints: [taint].into(), ..node("a", Status::Unknown) });
    assert!(fence(&other).contains("somebody else acts on node a"), "{}", fence(&other));
    assert_eq!(fence(&cluster(&[("a", Status::Unknown)])), "");
}

#[test]
fn a_reset_waits_for_another_boot_and_proves_nothing() {
    let cluster = cluster(&[("a", Status::Unknown)]);
    let author = author(&[Purpose::Reset]);
    let plan = draft(Action::Fence, &["a"], &cluster).plan(&cluster, &author);
    let booted = Milestone::Booted { node: cluster.node("a").unwrap().object(), boot: "boot-1".into() };
    assert_eq!(plan.steps[1], Step::Milestone(booted));
    // No machine is reset on the way to a detach, and a detach with nothing but that is not cleared.
    let detach = draft(Action::ForceDetach, &["a"], &cluster).plan(&cluster, &author);
    assert_eq!(detach.errands().count(), 0);
    let what = detach.dangerous().next().unwrap();
    assert_eq!(detach.deaths(what), []);
}

fn record(purpose: Purpose, result: StepResult, seconds: i64) -> Record {
    let ran = Ran { ended: Ended::Exited { code: 0 }, said: Vec::new(), complained: Vec::new() };
    let object = Object { kind: Kind::Node, namespace: Text::default(), name: "a".into(), uid: "a".into() };
    let command = Some(Commanded { purpose, boot: "boot-1".into(), argv: Vec::new(), ran });
    let step = StepEnded {
        step: 0,
        what: "fence".into(),
        call: None,
        object,
        result,
        reason: Text::default(),
        replaced: None,
        command,
    };
    Record { run: RunId::new("t-0"), at: at(seconds), entry: Entry::Step(step) }
}

#[test]
fn a_fence_of_an_earlier_run_counts_for_an_hour_and_one_boot_and_no_longer_than_to_a_reset() {
    let silent = || cluster(&[("a", Status::Unknown)]);
    let draft = draft(Action::ForceDetach, &["a"], &silent());
    let known = |records: &[Record], boot: &str| {
        let mut cluster = silent();
        apply(&mut cluster, Node { boot_id: boot.into(), ..node("a", Status::Unknown) });
        let author = Author { fenced: fenced(records, at(0)), ..author(&[Purpose::SwitchOff]) };
        let plan = draft.plan(&cluster, &author);
        (plan.fenced.len(), plan.errands().count())
    };
    let done = record(Purpose::SwitchOff, StepResult::Done, -60);
    assert_eq!(known(std::slice::from_ref(&done), "boot-1"), (1, 0));
    assert_eq!(known(std::slice::from_ref(&done), "boot-2"), (0, 1));
    assert_eq!(known(&[record(Purpose::SwitchOff, StepResult::Done, -3700)], "boot-1"), (0, 1));
    assert_eq!(known(&[record(Purpose::SwitchOff, StepResult::Failed, -60)], "boot-1"), (0, 1));
    let reset = record(Purpose::Reset, StepResult::Failed, -30);
    assert_eq!(known(&[done, reset], "boot-1"), (0, 1));
}

#[test]
fn a_word_against_the_operators_blocks() {
    let cluster = cluster(&[("a", Status::Unknown)]);
    let powered_off = vec!["a".into()];
    let draft = Draft { powered_off, ..draft(Action::ForceDetach, &["a"], &cluster) };
    let plan = draft.plan(&cluster, &author(&[Purpose::SwitchOff, Purpose::CheckPower, Purpose::Probe]));
    assert_eq!(plan.errands().count(), 0, "it is stated, and not switched off once more");
    let reasons = |purpose: Purpose, code: i32, said: &str| {
        let mut answers = Answers::to(plan.probes(false));
        let errand = plan.questions.iter().find(|errand| errand.purpose == purpose).unwrap();
        let ran = Ran { ended: Ended::Exited { code }, said: vec![said.into()], complained: Vec::new() };
        answers.take(&Probe::Errand(errand.clone()), Answer::Ran(ran));
        let preflight = preflight(&draft, &plan, &cluster, &answers);
        preflight.of_verdict(Verdict::Block).map(|check| check.reason.clone()).collect::<Vec<_>>().join("; ")
    };
    assert!(reasons(Purpose::CheckPower, 0, "on").contains("its power command says: on"));
    assert!(!reasons(Purpose::CheckPower, 0, "off").contains("power command"));
    assert!(!reasons(Purpose::CheckPower, 1, "no route").contains("power command"));
    assert!(reasons(Purpose::Probe, 0, "hello").contains("the machine of a answers its probe"));
    assert!(!reasons(Purpose::Probe, 255, "").contains("answers its probe"));
}

#[test]
fn nothing_is_asked_by_a_command_in_a_read_only_session() {
    let cluster = cluster(&[("a", Status::Unknown)]);
    let plan = draft(Action::Fence, &["a"], &cluster)
        .plan(&cluster, &author(&[Purpose::SwitchOff, Purpose::CheckPower, Purpose::Probe]));
    let asks = |is_read_only| {
        let probes = plan.probes(is_read_only);
        probes.iter().filter(|probe| matches!(probe, Probe::Errand(_))).count()
    };
    assert_eq!((asks(false), asks(true)), (2, 0));
}

#[test]
fn a_machine_is_replaced_where_a_command_does_that() {
    let cluster = cluster(&[("a", Status::Unknown)]);
    let plan = |author: &Author| {
        let mut plan = Plan::of(Vec::new(), Danger::Destructive);
        replaced(&mut plan, cluster.node("a").unwrap(), author);
        (plan.errands().map(Errand::sentence).collect::<Vec<_>>(), plan.objections.len())
    };
    assert_eq!(plan(&author(&[Purpose::SwitchOff])), (Vec::new(), 0));
    let replaced = "have the machine of a replaced: `do a`".to_owned();
    assert_eq!(plan(&author(&[Purpose::Replace])), (vec![replaced], 0));
    // One that nobody can name is told, and the node is retired all the same.
    let template =
        Template { argv: vec!["do".to_owned(), "{id}".to_owned()], limit: SignedDuration::from_secs(5) };
    let kit = Kit { commands: [(Purpose::Replace, template)].into(), ..Kit::default() };
    let nameless = Author { kit: Arc::new(kit), ..author(&[]) };
    assert_eq!(plan(&nameless), (Vec::new(), 1));
}
