//! Actions as pure values: drafts, preflights and runs over a cluster that is told what happens.

use super::audit::{Entry, Place, Started, StepResult};
use super::history::runs;
use super::run::{SkipReason, Until};
use super::*;
use crate::cluster::{Change, Delta, FeedChange, Meta, Name, Node};
use jiff::SignedDuration;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn author() -> Author {
    Author {
        who: "alice@bastion".into(),
        run: RunId::new("k3f9-1"),
        at: at(0),
        kit: std::sync::Arc::default(),
        fenced: Vec::new(),
    }
}

fn node(name: &str, uid: &str, version: &str) -> Node {
    Node {
        meta: Meta {
            name: Name::cluster(name),
            uid: uid.into(),
            resource_version: version.into(),
            ..Meta::default()
        },
        ..Node::default()
    }
}

fn cordoned(node: Node, by: &str, run: &str) -> Node {
    let written = crate::cluster::Cordon {
        by: by.into(),
        why: "the disk is failing".into(),
        at: Some(at(-7200)),
        run: run.into(),
    };
    Node { is_unschedulable: true, cordon_note: Some(Box::new(written)), ..node }
}

struct World {
    cluster: Cluster,
    now: Timestamp,
    outage: Option<Text>,
}

impl World {
    fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        let mut world = Self { cluster: Cluster::default(), now: at(0), outage: None };
        for node in nodes {
            world.shows(node);
        }
        world.feed(FeedChange::Live);
        world
    }

    fn shows(&mut self, node: Node) {
        self.cluster.apply(Change::Node(Delta::Apply(Box::new(node))), self.now);
    }

    fn feed(&mut self, change: FeedChange) {
        self.cluster.apply(Change::Feed(Feed::Watch(Kind::Node), change), self.now);
    }

    fn sight(&self) -> Sight<'_> {
        Sight { cluster: &self.cluster, now: self.now, outage: self.outage.as_ref(), is_read_only: false }
    }

    fn draft(&self, action: Action, names: &[&str]) -> Draft {
        let words: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let targets = target::resolve(action.kind(), &words, &self.cluster).unwrap();
        Draft { action, targets, why: "the disk is failing".into(), powered_off: Vec::new() }
    }

    fn plan(&self, draft: &Draft) -> Plan {
        draft.plan(&self.cluster, &author())
    }

    fn preflight(&self, draft: &Draft) -> Preflight {
        let plan = self.plan(draft);
        let mut answers = Answers::to(plan.probes(false));
        for probe in plan.probes(false) {
            answers.take(&probe, Answer::Yes);
        }
        Preflight::of(draft, &plan, &answers, &self.sight())
    }

    /// A run whose first record is on disk.
    fn run(&self, draft: Draft) -> Run {
        let plan = self.plan(&draft);
        let started = Started::new(&draft, &plan, author().who, Place::default());
        let (mut run, record) = Run::begin(author().run, draft, plan, (started, self.now));
        assert!(matches!(record.entry, Entry::Started(_)));
        run.written(Ok(()), self.now);
        run
    }
}

fn sent(orders: &[Order]) -> Vec<(usize, Call)> {
    let sent = orders.iter().filter_map(|order| match order {
        Order::Send { step, call } => Some((*step, call.clone())),
        Order::Write(_) | Order::Ask(_) | Order::Run { .. } => None,
    });
    sent.collect()
}

fn written(orders: &[Order]) -> Vec<&Entry> {
    let written = orders.iter().filter_map(|order| match order {
        Order::Write(record) => Some(&record.entry),
        Order::Send { .. } | Order::Ask(_) | Order::Run { .. } => None,
    });
    written.collect()
}

fn progress(run: &Run, step: usize) -> Progress {
    run.steps().nth(step).unwrap().1.clone()
}

// -- drafts and preflights ------------------------------------------------------------------------------------

#[test]
fn a_node_that_is_cordoned_already_is_no_step_and_says_who_did_it() {
    let world = World::new([node("a", "1", "1"), cordoned(node("b", "2", "1"), "bob@bastion", "x")]);
    let draft = world.draft(Action::Cordon, &["a", "node/b"]);
    assert_eq!(world.plan(&draft).steps.len(), 1);
    let preflight = world.preflight(&draft);
    let skip = preflight.of_verdict(Verdict::Skip).next().unwrap();
    assert_eq!(
        skip.reason,
        "node b is cordoned already, 2 h ago: by bob@bastion, because: the disk is failing"
    );
}

#[test]
fn a_target_that_was_created_anew_blocks() {
    let mut world = World::new([node("a", "1", "1")]);
    let draft = world.draft(Action::Cordon, &["a"]);
    world.shows(node("a", "2", "5"));
    let preflight = world.preflight(&draft);
    assert!(preflight.is_blocked());
    assert_eq!(world.plan(&draft).steps, []);
}

#[test]
fn nothing_is_begun_on_a_stale_picture() {
    let mut world = World::new([node("a", "1", "1")]);
    let draft = world.draft(Action::Cordon, &["a"]);
    assert!(!world.preflight(&draft).is_blocked());
    world.feed(FeedChange::Down { reason: "the connection was cut".into() });
    let preflight = world.preflight(&draft);
    let block = preflight.of_verdict(Verdict::Block).next().unwrap();
    assert_eq!(block.reason, "what is known may be old: the watch of nodes broke: the connection was cut");
    assert!(block.remedy.is_some());
}

#[test]
fn a_right_that_is_missing_blocks_with_the_servers_reason() {
    let world = World::new([node("a", "1", "1")]);
    let draft = world.draft(Action::Cordon, &["a"]);
    let plan = world.plan(&draft);
    let mut answers = Answers::to(plan.probes(false));
    assert_eq!(answers.open(), 2);
    for probe in plan.probes(false) {
        let answer = match &probe {
            Probe::May(_) => Answer::No { reason: "no RBAC policy matched".into() },
            Probe::DryRun(_)
            | Probe::Autoscalers { .. }
            | Probe::Quotas { .. }
            | Probe::Needed(_)
            | Probe::PodsOn(_)
            | Probe::Lease(_)
            | Probe::Node(_)
            | Probe::Log { .. }
            | Probe::Leader
            | Probe::Others(_)
            | Probe::Errand(_) => {
                Answer::Failed(CallError::Forbidden { reason: "forbidden".into(), causes: Vec::new() })
            }
        };
        answers.take(&probe, answer);
    }
    let preflight = Preflight::of(&draft, &plan, &answers, &world.sight());
    let blocks: Vec<&str> = preflight.of_verdict(Verdict::Block).map(|check| check.reason.as_str()).collect();
    assert_eq!(blocks, ["you may not patch nodes a: no RBAC policy matched"]);
}

#[test]
fn a_read_only_session_tries_nothing_and_says_why() {
    let world = World::new([node("a", "1", "1")]);
    let draft = world.draft(Action::Cordon, &["a"]);
    let plan = world.plan(&draft);
    assert!(plan.probes(true).iter().all(|probe| matches!(probe, Probe::May(_))));
    let sight = Sight { is_read_only: true, ..world.sight() };
    let preflight = Preflight::of(&draft, &plan, &Answers::default(), &sight);
    assert_eq!(preflight.of_verdict(Verdict::Block).next().unwrap().reason, "this session is read-only");
}

#[test]
fn many_steps_are_tried_in_part_and_asked_for_together() {
    let nodes: Vec<Node> = (0..50).map(|n| node(&format!("n{n}"), &n.to_string(), "1")).collect();
    let names: Vec<String> = (0..50).map(|n| format!("n{n}")).collect();
    let world = World::new(nodes);
    let draft = world.draft(Action::Cordon, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let probes = world.plan(&draft).probes(false);
    let asked = probes.iter().filter(|probe| matches!(probe, Probe::May(_))).count();
    assert_eq!((asked, probes.len() - asked), (1, plan::MOST_TRIED));
}

#[test]
fn a_word_that_is_no_target_is_told() {
    let world = World::new([node("a", "1", "1")]);
    let resolve = |word: &str| target::resolve(ActionKind::Cordon, &[word.to_owned()], &world.cluster);
    assert!(resolve("node/a").is_ok());
    assert_eq!(resolve("b").unwrap_err(), "there is no node \"b\"; check its spelling and the context");
    assert_eq!(resolve("pod/a").unwrap_err(), "\"pod/a\" cannot be the target of cordon: it is for nodes");
}

// -- runs -----------------------------------------------------------------------------------------------------

#[test]
fn nothing_is_sent_before_the_record_is_on_disk() {
    let world = World::new([node("a", "1", "1")]);
    let draft = world.draft(Action::Cordon, &["a"]);
    let plan = world.plan(&draft);
    let started = Started::new(&draft, &plan, author().who, Place::default());
    let (mut run, _) = Run::begin(author().run, draft, plan, (started, world.now));
    assert_eq!(run.advance(&world.sight()), []);
    run.written(Err("the disk is full".into()), world.now);
    assert_eq!(run.advance(&world.sight()), []);
    assert!(run.is_over());
    assert_eq!(run.summary().outcome, Outcome::Failed);
    assert_eq!(progress(&run, 0), Progress::Failed { reason: "nothing was sent: the disk is full".into() });
}

#[test]
fn a_step_is_done_when_the_watch_shows_it_and_not_before() {
    let mut world = World::new([node("a", "1", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a"]));
    let orders = run.advance(&world.sight());
    assert_eq!(sent(&orders).len(), 1);
    run.answered(0, Ok(()), world.now);
    assert_eq!(run.advance(&world.sight()), []);
    assert!(matches!(progress(&run, 0), Progress::Waiting { until: Until::Shown, .. }));
    world.shows(cordoned(node("a", "1", "2"), "alice@bastion", "k3f9-1"));
    let orders = run.advance(&world.sight());
    let entries = written(&orders);
    assert!(matches!(entries[0], Entry::Step(step) if step.result == StepResult::Done));
    assert!(matches!(entries[1], Entry::Ended(ended) if ended.outcome == Outcome::Done && ended.done == 1));
    assert!(run.is_over());
    assert_eq!(run.advance(&world.sight()), []);
}

#[test]
fn what_was_accepted_and_never_shown_is_not_called_done() {
    let mut world = World::new([node("a", "1", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a"]));
    run.advance(&world.sight());
    run.answered(0, Ok(()), world.now);
    world.now += SignedDuration::from_secs(31);
    world.outage = Some("the server does not answer".into());
    run.advance(&world.sight());
    assert!(
        matches!(progress(&run, 0), Progress::Waiting { .. }),
        "without a live watch nothing can be said"
    );
    world.outage = None;
    run.advance(&world.sight());
    assert!(matches!(progress(&run, 0), Progress::Failed { .. }));
}

#[test]
fn a_conflict_is_looked_at_again_and_sent_with_the_version_that_was_seen_then() {
    let mut world = World::new([node("a", "1", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a"]));
    run.advance(&world.sight());
    run.answered(0, Err(CallError::Conflict { reason: "the object has been modified".into() }), world.now);
    assert_eq!(run.advance(&world.sight()), [], "the picture is as old as it was");
    world.shows(node("a", "1", "2"));
    let orders = run.advance(&world.sight());
    let [(0, Call::Cordon { version, .. })] = &sent(&orders)[..] else { panic!("{orders:?}") };
    assert_eq!(*version, *"2");
}

#[test]
fn a_conflict_with_somebody_who_cordoned_it_too_leaves_it_to_them() {
    let mut world = World::new([node("a", "1", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a"]));
    run.advance(&world.sight());
    run.answered(0, Err(CallError::Conflict { reason: "the object has been modified".into() }), world.now);
    world.shows(cordoned(node("a", "1", "2"), "bob@bastion", "other"));
    assert_eq!(sent(&run.advance(&world.sight())), []);
    assert!(matches!(progress(&run, 0), Progress::Skipped { reason: SkipReason::Needless(_) }));
    assert_eq!(run.undo(), None, "it is bob's cordon and not ours to take back");
}

#[test]
fn an_object_created_anew_while_it_runs_is_not_touched() {
    let mut world = World::new([node("a", "1", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a"]));
    world.shows(node("a", "2", "9"));
    assert_eq!(sent(&run.advance(&world.sight())), []);
    assert!(matches!(progress(&run, 0), Progress::Failed { .. }));
    assert_eq!(run.summary().outcome, Outcome::Failed);
}

#[test]
fn a_call_that_was_not_answered_is_looked_for_before_it_is_sent_again() {
    let unanswered = || Err(CallError::Unanswered { reason: "the connection was cut".into() });
    let mut world = World::new([node("a", "1", "1"), node("b", "2", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a", "b"]));
    assert_eq!(sent(&run.advance(&world.sight())).len(), 2);
    run.answered(0, unanswered(), world.now);
    run.answered(1, unanswered(), world.now);
    world.outage = Some("the server does not answer".into());
    world.now += SignedDuration::from_secs(60);
    assert_eq!(run.advance(&world.sight()), [], "nobody is there to send it to");
    world.outage = None;
    // The one was carried out, the other was not.
    world.shows(cordoned(node("a", "1", "2"), "alice@bastion", "k3f9-1"));
    let orders = run.advance(&world.sight());
    assert!(matches!(&sent(&orders)[..], [(1, _)]));
    assert!(matches!(progress(&run, 0), Progress::Done { .. }));
}

#[test]
fn a_stopped_run_begins_nothing_and_sees_to_the_end_what_it_began() {
    let nodes: Vec<Node> = (0..8).map(|n| node(&format!("n{n}"), &n.to_string(), "1")).collect();
    let names: Vec<String> = (0..8).map(|n| format!("n{n}")).collect();
    let mut world = World::new(nodes);
    let draft = world.draft(Action::Cordon, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut run = world.run(draft);
    assert_eq!(sent(&run.advance(&world.sight())).len(), run::MOST_IN_FLIGHT);
    run.stop("stopped by alice@bastion");
    assert_eq!(sent(&run.advance(&world.sight())), []);
    assert!(!run.is_over());
    for n in 0..run::MOST_IN_FLIGHT {
        run.answered(n, Ok(()), world.now);
        world.shows(cordoned(node(&format!("n{n}"), &n.to_string(), "2"), "alice@bastion", "k3f9-1"));
    }
    run.advance(&world.sight());
    let summary = run.summary();
    assert!(run.is_over());
    assert_eq!((summary.outcome, summary.done, summary.not_done), (Outcome::Stopped, 5, 3));
}

#[test]
fn a_refusal_fails_its_step_and_the_others_go_on() {
    let mut world = World::new([node("a", "1", "1"), node("b", "2", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a", "b"]));
    run.advance(&world.sight());
    run.answered(0, Err(CallError::Forbidden { reason: "no".into(), causes: Vec::new() }), world.now);
    run.answered(1, Ok(()), world.now);
    world.shows(cordoned(node("b", "2", "2"), "alice@bastion", "k3f9-1"));
    run.advance(&world.sight());
    assert_eq!(run.summary().outcome, Outcome::Partly);
}

// -- what is left of them ---------------------------------------------------------------------------------------

#[test]
fn undo_takes_back_what_this_run_did_and_no_more() {
    let mut world = World::new([node("a", "1", "1"), node("b", "2", "1")]);
    let mut run = world.run(world.draft(Action::Cordon, &["a", "b"]));
    run.advance(&world.sight());
    for (step, (name, uid)) in [("a", "1"), ("b", "2")].into_iter().enumerate() {
        run.answered(step, Ok(()), world.now);
        world.shows(cordoned(node(name, uid, "2"), "alice@bastion", "k3f9-1"));
    }
    run.advance(&world.sight());
    let undo = run.undo().unwrap();
    assert_eq!(undo.targets.len(), 2);
    // Meanwhile somebody else has uncordoned and cordoned b.
    world.shows(cordoned(node("b", "2", "7"), "bob@bastion", "other"));
    let preflight = world.preflight(&undo);
    let block = preflight.of_verdict(Verdict::Block).next().unwrap();
    assert_eq!(
        block.reason,
        "node b was cordoned by somebody else since: by bob@bastion, because: the disk is failing"
    );
    assert_eq!(world.plan(&undo).steps.len(), 1);
}

#[test]
fn a_run_without_an_end_whose_program_is_gone_was_cut_off_and_can_be_taken_up() {
    let mut world = World::new([node("a", "1", "1"), node("b", "2", "1")]);
    let draft = world.draft(Action::Cordon, &["a", "b"]);
    let plan = world.plan(&draft);
    let started = Started::new(&draft, &plan, author().who, Place::default());
    let (mut run, first) = Run::begin(author().run, draft, plan, (started, world.now));
    let mut records = vec![first];
    run.written(Ok(()), world.now);
    run.advance(&world.sight());
    run.answered(0, Ok(()), world.now);
    world.shows(cordoned(node("a", "1", "2"), "alice@bastion", "k3f9-1"));
    records.extend(run.advance(&world.sight()).into_iter().filter_map(|order| match order {
        Order::Write(record) => Some(record),
        Order::Send { .. } | Order::Ask(_) | Order::Run { .. } => None,
    }));
    // As they come back from disk.
    let lines: Vec<String> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let records: Vec<Record> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let past = runs(&records, |_| false);
    let [past] = &past[..] else { panic!("{past:?}") };
    assert_eq!((past.is_cut_off(), past.state(), past.done(), past.unknown()), (true, "cut off", 1, 1));
    let resumed = past.resumed().unwrap();
    assert_eq!(world.plan(&resumed).steps.len(), 1, "what is done is skipped");
    assert_eq!(past.undo().unwrap().targets.len(), 1);
    assert!(!runs(&records, |_| true)[0].is_cut_off());
}
