//! Drains in simulated time: the cluster is told what happens, and the run what it is answered.

use super::*;
use crate::actions::audit::{Author, Place};
use crate::actions::call::Cause;
use crate::actions::drain::Options;
use crate::actions::{Action, CallKind};
use crate::cluster::sample::{at, cluster, gone, live, meta, node, pod};
use crate::cluster::{
    Change, Cluster, DaemonSet, Delta, Feed, FeedChange, Kind, Labels, Name, Node, ObjectRef, Pod,
    PodDisruptionBudget, Row as _, Selector,
};
use jiff::SignedDuration;

const HERE: &str = "worker-1";

/// An answer, and whether a step stands as it should after it.
type Case = (Result<(), CallError>, fn(&Progress) -> bool);

struct World {
    cluster: Cluster,
    now: Timestamp,
    run: Run,
    /// What was sent since it was last looked at.
    sent: Vec<(usize, Call)>,
    asked: Vec<Probe>,
    records: Vec<Entry>,
}

fn web(n: usize) -> Pod {
    let mut row = pod(&format!("shop/web-{n}"), HERE).of("ReplicaSet", "web");
    row.meta.labels = Labels::from([("app".into(), "web".into())]);
    row
}

fn budget(version: &str, allowed: u32) -> Change {
    let mut row = PodDisruptionBudget {
        meta: meta("shop/web"),
        selector: Some(Selector::of(Labels::from([("app".into(), "web".into())]))),
        disruptions_allowed: allowed,
        ..PodDisruptionBudget::default()
    };
    row.meta.resource_version = version.into();
    Change::PodDisruptionBudget(Delta::Apply(Box::new(row)))
}

fn refused() -> Result<(), CallError> {
    Err(CallError::TooManyRequests {
        reason: "Cannot evict pod as it would violate the pod's disruption budget.".into(),
        pause: None,
        causes: vec![Cause {
            reason: "DisruptionBudget".into(),
            message: "The disruption budget web needs 2 healthy pods and has 2 currently".into(),
        }],
    })
}

impl World {
    /// A drain of a node that somebody has cordoned already, with so many pods, begun.
    fn with(options: Options, rows: impl IntoIterator<Item = Change>) -> Self {
        Self::of(&[HERE], options, rows)
    }

    fn of(targets: &[&str], options: Options, rows: impl IntoIterator<Item = Change>) -> Self {
        let nodes = targets.iter().map(|name| node(name).cordoned().into());
        let cluster = cluster(nodes.chain(rows));
        let author = Author {
            who: "alice".into(),
            run: RunId::new("t-1"),
            at: at(0),
            kit: std::sync::Arc::default(),
            fenced: Vec::new(),
        };
        let targets = targets.iter().map(|name| cluster.node(name).unwrap().object()).collect();
        let draft = Draft {
            action: Action::Drain { options },
            targets,
            why: Text::default(),
            powered_off: Vec::new(),
        };
        let plan = draft.plan(&cluster, &author);
        let started = Started::new(&draft, &plan, author.who, Place::default());
        let (mut run, _) = Run::begin(author.run, draft, plan, (started, at(0)));
        run.written(Ok(()), at(0));
        let mut world =
            Self { cluster, now: at(0), run, sent: Vec::new(), asked: Vec::new(), records: Vec::new() };
        world.go_on();
        world
    }

    fn go_on(&mut self) {
        let sight = Sight { cluster: &self.cluster, now: self.now, outage: None, is_read_only: false };
        for order in self.run.advance(&sight) {
            match order {
                Order::Send { step, call } => self.sent.push((step, call)),
                Order::Ask(probe) => self.asked.push(probe),
                Order::Run { errand, .. } => panic!("a drain runs no command: {}", errand.line()),
                Order::Write(record) => {
                    self.records.push(record.entry);
                    self.run.written(Ok(()), self.now);
                }
            }
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.go_on();
    }

    fn shows(&mut self, change: impl Into<Change>) {
        self.cluster.apply(change.into(), self.now);
        self.go_on();
    }

    fn answer(&mut self, answer: impl Fn() -> Result<(), CallError>) {
        for (step, _) in std::mem::take(&mut self.sent) {
            self.run.answered(step, answer(), self.now);
        }
        self.go_on();
    }

    /// The pods for which something was sent since it was last looked at.
    fn sent(&mut self) -> Vec<String> {
        let names = self.sent.drain(..).map(|(_, call)| call.object().name.name.to_string());
        names.collect()
    }

    fn listing(&mut self, pods: Vec<Pod>) {
        let probe = self.asked.pop().expect("a question");
        self.run.probed(&probe, &Answer::Pods(pods));
        self.go_on();
    }

    fn pod(&self, name: &str) -> &Progress {
        let is_it = |step: &Step| *step.object().name.name == *name;
        self.run.steps().find(|(step, _)| is_it(step)).map(|(_, progress)| progress).unwrap()
    }

    fn outcome(&self) -> (bool, Outcome) {
        (self.run.is_over(), self.run.summary().outcome)
    }
}

#[test]
fn pods_are_evicted_when_the_watch_shows_the_cordon_and_not_before() {
    let cluster = cluster([node(HERE).into(), web(1).into()]);
    let mut world = World::with(Options::default(), [web(1).into()]);
    let author = Author {
        who: "alice".into(),
        run: RunId::new("t-1"),
        at: at(0),
        kit: std::sync::Arc::default(),
        fenced: Vec::new(),
    };
    let plan = world.run.draft.plan(&cluster, &author);
    let started = Started::new(&world.run.draft, &plan, "alice".into(), Place::default());
    let (mut run, _) = Run::begin(author.run.clone(), world.run.draft.clone(), plan, (started, at(0)));
    run.written(Ok(()), at(0));
    (world.run, world.cluster, world.sent) = (run, cluster, Vec::new());
    world.go_on();
    assert_eq!(world.sent(), [HERE]);
    world.run.answered(0, Ok(()), world.now);
    world.go_on();
    assert_eq!(world.sent(), Vec::<String>::new(), "the server has taken it, and nobody has seen it yet");
    let note =
        crate::cluster::Cordon { run: author.run.as_str().into(), ..crate::cluster::Cordon::default() };
    world.shows(Node { cordon_note: Some(Box::new(note)), ..node(HERE).cordoned() });
    assert_eq!(world.sent(), ["web-1"]);
}

#[test]
fn a_pod_is_done_when_its_uid_is_gone_and_the_node_when_a_live_list_says_so() {
    let mut world = World::with(Options::default(), [web(1).into()]);
    world.answer(|| Ok(()));
    assert!(matches!(world.pod("web-1"), Progress::Waiting { until: Until::Shown, .. }));
    world.shows(web(1).deleting(30, 30));
    let until = Until::Gone { deadline: at(30), grace_seconds: 30 };
    assert!(matches!(world.pod("web-1"), Progress::Waiting { until: known, .. } if *known == until));
    assert!(world.asked.is_empty());
    world.shows(gone(&web(1)));
    assert_eq!(world.pod("web-1"), &Progress::done(at(0)));
    world.listing(vec![pod("infra/agent", HERE).of("DaemonSet", "agent").deleting(1, 1)]);
    // Its daemon set is not known here, so it is no pod that may stay.
    assert_eq!(world.outcome(), (true, Outcome::Partly));
}

#[test]
fn an_emptied_node_is_done_with_what_was_meant_to_stay() {
    let set = DaemonSet { meta: meta("infra/agent"), ..DaemonSet::default() };
    let set = Change::DaemonSet(Delta::Apply(Box::new(set)));
    let mut world = World::with(Options::default(), [set, web(1).into()]);
    world.answer(|| Ok(()));
    world.shows(gone(&web(1)));
    world.listing(vec![pod("infra/agent-x", HERE).of("DaemonSet", "agent")]);
    assert_eq!(world.outcome(), (true, Outcome::Done));
}

#[test]
fn drain_waits_for_the_budget_and_asks_it_once_for_all() {
    let pods = (1..=50).map(|n| web(n).into());
    let mut world = World::with(Options::default(), [budget("1", 0)].into_iter().chain(pods));
    assert_eq!(world.sent.len(), MOST_IN_FLIGHT);
    world.answer(refused);
    assert_eq!(world.sent(), Vec::<String>::new(), "the others are held by the same budget");
    let held = |until: &Until| matches!(until, Until::Budget { budget: Some(name), .. } if *name == Name::new("shop", "web"));
    let waits = |(_, progress): &(&Step, &Progress)| matches!(progress, Progress::Waiting { until, .. } if held(until));
    assert_eq!(world.run.steps().filter(waits).count(), 50);
    for _ in 0..4 {
        world.pass(1);
        assert_eq!(world.sent(), Vec::<String>::new());
    }
    let mut tried = 0;
    for _ in 0..60 {
        world.pass(1);
        tried += world.sent.len();
        world.answer(refused);
    }
    assert!((55..=65).contains(&tried), "{tried} tries in a minute: five at a time, every five seconds");
}

#[test]
fn a_budget_that_opens_is_noticed_at_once() {
    let mut world = World::with(Options::default(), [budget("1", 0), web(1).into()]);
    world.answer(refused);
    world.pass(1);
    world.shows(budget("2", 0));
    assert_eq!(world.sent(), Vec::<String>::new());
    world.shows(budget("3", 1));
    assert_eq!(world.sent(), ["web-1"]);
}

#[test]
fn a_budget_that_seems_to_allow_and_is_refused_all_the_same_is_not_asked_at_once() {
    let mut world = World::with(Options::default(), [budget("1", 1), web(1).into()]);
    world.answer(refused);
    for _ in 0..4 {
        world.pass(1);
        assert_eq!(world.sent(), Vec::<String>::new());
    }
    world.pass(2);
    assert_eq!(world.sent(), ["web-1"]);
}

#[test]
fn a_budget_that_may_not_be_read_is_not_asked_in_a_loop() {
    let mut world = World::with(Options::default(), [web(1).into()]);
    let mut tried = 0;
    for _ in 0..60 {
        tried += world.sent.len();
        world.answer(refused);
        world.pass(1);
    }
    assert!((10..=13).contains(&tried), "{tried} tries in a minute");
}

#[test]
fn two_budgets_fail_their_pod_and_the_others_go() {
    let mut world = World::with(Options::default(), [web(1).into(), web(2).into()]);
    let reason =
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    world.run.answered(0, Err(CallError::Broken { reason: reason.into() }), world.now);
    world.run.answered(1, Ok(()), world.now);
    world.shows(gone(&web(2)));
    assert_eq!(world.pod("web-1"), &Progress::failed(reason));
    world.listing(vec![web(1)]);
    assert_eq!(world.outcome(), (true, Outcome::Partly));
    assert!(matches!(world.pod(HERE), Progress::Failed { reason } if reason.contains("shop/web-1")));
}

#[test]
fn refusals_are_told_apart() {
    let cause = |reason: &str| vec![Cause { reason: reason.into(), message: "".into() }];
    let busy = || {
        Err(CallError::TooManyRequests {
            reason: "too many requests".into(),
            pause: Some(SignedDuration::from_secs(3)),
            causes: Vec::new(),
        })
    };
    let mut world = World::with(Options::default(), (1..=20).map(|n| web(n).into()));
    world.answer(busy);
    assert_eq!(world.sent(), Vec::<String>::new(), "a busy server is left alone, with the other pods too");
    world.pass(4);
    assert_eq!(world.sent.len(), MOST_IN_FLIGHT);
    world.sent.clear();
    let answers: [Case; 5] = [
        (Err(CallError::Forbidden { reason: "no".into(), causes: vec![] }), |progress| {
            matches!(progress, Progress::Failed { .. })
        }),
        (
            Err(CallError::Forbidden { reason: "ends".into(), causes: cause("NamespaceTerminating") }),
            |progress| progress.next_try().is_some(),
        ),
        (Err(CallError::NotFound { reason: "not found".into() }), |progress| progress.next_try().is_some()),
        (Err(CallError::Conflict { reason: "other uid".into() }), |progress| progress.next_try().is_some()),
        (Err(CallError::Unanswered { reason: "cut".into() }), |progress| progress.next_try().is_some()),
    ];
    let in_flight: Vec<usize> =
        (0..world.run.steps.len()).filter(|step| world.run.steps[*step].progress.is_in_flight()).collect();
    for (step, (answer, is_expected)) in in_flight.into_iter().zip(answers) {
        world.run.answered(step, answer.clone(), world.now);
        assert!(is_expected(&world.run.steps[step].progress), "{answer:?}");
    }
}

#[test]
fn a_pod_created_anew_under_its_name_is_done_and_not_touched() {
    let mut world = World::with(Options::default(), [web(1).into()]);
    world.answer(|| Err(CallError::Conflict { reason: "the UID in the precondition does not match".into() }));
    world.shows(web(1).with_uid("another"));
    assert_eq!(world.pod("web-1"), &Progress::done(at(0)));
    world.pass(30);
    assert_eq!(world.sent(), Vec::<String>::new());
    world.listing(vec![web(1).with_uid("another")]);
    assert_eq!(world.outcome(), (true, Outcome::Partly), "it is on the node that was to be empty");
}

#[test]
fn a_node_that_falls_silent_is_waited_for_and_then_given_up() {
    let mut world = World::with(Options::default(), (1..=7).map(|n| web(n).into()));
    for step in 1..5 {
        world.run.answered(step, refused(), world.now);
    }
    world.run.answered(0, Ok(()), world.now);
    world.shows(web(1).deleting(30, 30));
    world.shows(node(HERE).silent(0).cordoned());
    world.answer(refused);
    world.pass(20);
    assert_eq!(world.sent(), Vec::<String>::new(), "nobody there would confirm it");
    assert!(matches!(world.pod("web-7"), Progress::Waiting { until: Until::Node, .. }));
    assert!(!world.run.is_over());
    world.pass(20);
    assert_eq!(world.outcome(), (true, Outcome::Stopped));
    assert!(world.run.stopped().unwrap().contains("fell silent and stays so"));
    assert!(matches!(world.pod("web-1"), Progress::Failed { reason } if reason.contains("nothing confirms")));
}

#[test]
fn a_node_that_comes_back_in_time_is_drained_on() {
    let mut world = World::with(Options::default(), [web(1).into()]);
    world.answer(|| Err(CallError::Unanswered { reason: "cut".into() }));
    world.shows(node(HERE).silent(0).cordoned());
    world.pass(10);
    assert_eq!(world.sent(), Vec::<String>::new());
    world.shows(node(HERE).cordoned());
    assert_eq!(world.sent(), ["web-1"]);
}

#[test]
fn a_node_that_was_created_anew_or_uncordoned_is_not_drained_on() {
    for changed in [
        Node { meta: crate::cluster::Meta { uid: "new".into(), ..meta(HERE) }, ..node(HERE).cordoned() },
        node(HERE),
    ] {
        let mut world = World::with(Options::default(), (1..=7).map(|n| web(n).into()));
        world.shows(changed);
        world.answer(|| Err(CallError::Unanswered { reason: "cut".into() }));
        assert!(matches!(world.pod("web-7"), Progress::Failed { .. }));
        assert_eq!(world.sent(), Vec::<String>::new());
    }
}

#[test]
fn a_stopped_drain_begins_nothing_and_sees_what_is_on_its_way_to_its_end() {
    let mut world = World::with(Options::default(), (1..=7).map(|n| web(n).into()));
    world.answer(|| Ok(()));
    world.sent.clear();
    for n in 1..=7 {
        world.shows(web(n).deleting(30, 30));
    }
    world.shows(web(7));
    world.run.stop("stopped by an interrupt");
    world.go_on();
    assert!(!world.run.is_over(), "some are on their way");
    for n in 1..=6 {
        world.shows(gone(&web(n)));
    }
    world.sent.clear();
    world.pass(40);
    assert_eq!(world.sent(), Vec::<String>::new());
    assert_eq!(world.outcome().1, Outcome::Stopped);
    assert!(world.asked.is_empty(), "nothing new is begun");
}

#[test]
fn what_is_not_gone_in_time_is_given_up_and_the_node_is_looked_at_all_the_same() {
    let options = Options { timeout: 20, ..Options::default() };
    let mut world = World::with(options, [budget("1", 0), web(1).into()]);
    world.answer(refused);
    world.pass(19);
    world.answer(refused);
    assert!(!world.run.is_over());
    world.pass(1);
    let Progress::Failed { reason } = world.pod("web-1") else { panic!("{:?}", world.pod("web-1")) };
    assert!(
        reason.contains("given up after the timeout of 20 s: The disruption budget web needs"),
        "{reason}"
    );
    world.listing(vec![web(1)]);
    assert_eq!(world.outcome(), (true, Outcome::Failed));
}

#[test]
fn a_pod_past_its_deadline_is_not_waited_for_where_that_was_asked() {
    let options = Options { skip_wait_for_delete_timeout: 10, ..Options::default() };
    let mut world = World::with(options, [web(1).into()]);
    world.answer(|| Ok(()));
    world.shows(web(1).deleting(30, 30));
    world.pass(40);
    assert!(matches!(world.pod("web-1"), Progress::Waiting { .. }));
    world.pass(1);
    assert!(matches!(world.pod("web-1"), Progress::Skipped { reason: SkipReason::Left(_) }));
    world.listing(vec![web(1).deleting(30, 30)]);
    assert_eq!(world.outcome(), (true, Outcome::Done));
}

#[test]
fn who_used_all_of_the_grace_is_told() {
    let mut world = World::with(Options::default(), [web(1).into(), web(2).into()]);
    world.answer(|| Ok(()));
    world.shows(web(1).deleting(30, 30));
    world.shows(web(2).deleting(30, 30));
    world.pass(5);
    world.shows(gone(&web(1)));
    // The server's time is known to about a second.
    world.pass(24);
    // The kubelet's word that it has ended is no new deadline.
    world.shows(web(2).deleting(31, 0));
    world.shows(gone(&web(2)));
    let note = |name| world.pod(name).reason().map(str::to_owned);
    assert_eq!(note("web-1"), None);
    assert!(note("web-2").unwrap().contains("all of its 30 s of grace"), "{:?}", note("web-2"));
}

#[test]
fn one_node_is_drained_after_another() {
    let second = Pod { node: "worker-2".into(), ..web(2) };
    let mut world =
        World::of(&[HERE, "worker-2"], Options::default(), [web(1).into(), second.clone().into()]);
    assert_eq!(world.sent.len(), 1);
    world.answer(|| Ok(()));
    world.shows(gone(&web(1)));
    assert_eq!(world.sent(), Vec::<String>::new(), "the first node is still to be looked at");
    world.listing(Vec::new());
    assert_eq!(world.sent(), ["web-2"]);
}

#[test]
fn a_look_that_fails_is_taken_again_unless_it_is_forbidden() {
    let mut world = World::with(Options::default(), [web(1).into()]);
    world.answer(|| Ok(()));
    world.shows(gone(&web(1)));
    let probe = world.asked.pop().unwrap();
    world.run.probed(&probe, &Answer::Failed(CallError::Unanswered { reason: "cut".into() }));
    world.go_on();
    assert!(world.asked.is_empty());
    world.pass(5);
    let probe = world.asked.pop().unwrap();
    world.run.probed(&probe, &Answer::Failed(CallError::Forbidden { reason: "no".into(), causes: vec![] }));
    world.go_on();
    assert!(matches!(world.pod(HERE), Progress::Failed { .. }));
}

#[test]
fn nothing_is_sent_on_a_stale_picture() {
    let mut world = World::with(Options::default(), (1..=7).map(|n| web(n).into()));
    let down = FeedChange::Down { reason: "cut".into() };
    world.sent.clear();
    world.cluster.apply(Change::Feed(Feed::Watch(Kind::Pod), down), at(0));
    for step in 0..5 {
        world.run.answered(step, refused(), world.now);
    }
    world.pass(60);
    assert_eq!(world.sent(), Vec::<String>::new());
    world.shows(live(Feed::Watch(Kind::Pod)));
    assert_eq!(world.sent.len(), MOST_IN_FLIGHT);
}

// -- steering -------------------------------------------------------------------------------------------------

#[test]
fn a_paused_drain_sends_nothing_until_it_is_resumed() {
    let mut world = World::with(Options::default(), (1..=7).map(|n| web(n).into()));
    world.run.steer(&Steer::Pause, "alice", at(0)).unwrap();
    assert!(world.run.steer(&Steer::Pause, "alice", at(0)).is_err());
    world.answer(|| Ok(()));
    for n in 1..=5 {
        world.shows(gone(&web(n)));
    }
    assert_eq!(world.sent(), Vec::<String>::new());
    world.run.steer(&Steer::Resume, "alice", at(0)).unwrap();
    world.go_on();
    assert_eq!(world.sent(), ["web-6", "web-7"]);
    let noted = world.records.iter().filter(|entry| matches!(entry, Entry::Noted(_))).count();
    assert_eq!(noted, 2);
}

#[test]
fn a_pod_is_left_out_while_it_waits_and_not_when_it_was_told_to_go() {
    let mut world = World::with(Options::default(), [budget("1", 0), web(1).into(), web(2).into()]);
    let skip = |n| Steer::Skip { pod: web(n).object() };
    assert!(world.run.steer(&skip(1), "alice", at(0)).unwrap_err().contains("told to go already"));
    world.run.answered(0, refused(), at(0));
    world.run.answered(1, Ok(()), at(0));
    world.run.steer(&skip(1), "alice", at(0)).unwrap();
    world.shows(gone(&web(2)));
    assert!(matches!(world.pod("web-1"), Progress::Skipped { reason: SkipReason::Chosen(_) }));
    world.listing(vec![web(1)]);
    assert_eq!(world.outcome(), (true, Outcome::Partly), "the node is not empty");
}

#[test]
fn a_held_pod_is_deleted_past_its_budget_when_its_name_is_typed_and_that_is_on_disk() {
    let mut world = World::with(Options::default(), [budget("1", 0), web(1).into()]);
    world.answer(refused);
    let delete = |typed: &str| Steer::Delete { pod: web(1).object(), typed: typed.to_owned() };
    assert!(world.run.steer(&delete("yes"), "alice", at(0)).unwrap_err().contains("type \"web-1\""));
    world.run.steer(&delete("web-1"), "alice", at(0)).unwrap();
    let sight = Sight { cluster: &world.cluster, now: at(0), outage: None, is_read_only: false };
    let orders = world.run.advance(&sight);
    assert!(
        matches!(&orders[..], [Order::Write(record)] if matches!(record.entry, Entry::Noted(_))),
        "{orders:?}"
    );
    assert_eq!(world.run.advance(&sight), [], "it is not on disk yet");
    world.run.written(Ok(()), at(0));
    world.go_on();
    assert!(matches!(&world.sent[..], [(_, Call::DeletePod(_))]), "{:?}", world.sent);
    world.answer(|| Ok(()));
    world.shows(gone(&web(1)));
    let call = world.records.iter().find_map(|entry| match entry {
        Entry::Step(step) => step.call,
        Entry::Started(_) | Entry::Noted(_) | Entry::Ended(_) => None,
    });
    assert_eq!(call, Some(CallKind::DeletePod));
}

#[test]
fn a_thousand_pods_are_a_few_requests_at_a_time() {
    let mut world = World::with(Options::default(), (0..1000).map(|n| web(n).into()));
    let mut gone_pods = 0;
    while gone_pods < 1000 {
        let sent = std::mem::take(&mut world.sent);
        assert!((1..=MOST_IN_FLIGHT).contains(&sent.len()));
        let rows: Vec<Change> =
            sent.iter().map(|(_, call)| gone(world.cluster.pods.get(&call.object().name).unwrap())).collect();
        gone_pods += rows.len();
        for (step, _) in &sent {
            world.run.answered(*step, Ok(()), world.now);
        }
        world.cluster.apply_all(rows, world.now);
        world.go_on();
    }
    world.listing(Vec::new());
    assert_eq!(world.outcome(), (true, Outcome::Done));
}

#[test]
fn an_undo_uncordons_what_the_drain_cordoned_and_no_more() {
    let done = |call, object: ObjectRef| Done { call, object, replaced: None };
    let cluster = cluster([node(HERE).into(), web(1).into()]);
    let object = cluster.node(HERE).unwrap().object();
    let drain = Action::Drain { options: Options::default() };
    let undone = undo(
        &RunId::new("t-1"),
        &drain,
        [
            done(Some(CallKind::Cordon), object.clone()),
            done(Some(CallKind::Evict), web(1).object()),
            done(None, object.clone()),
        ]
        .into_iter(),
    );
    assert_eq!(undone.unwrap().targets, std::slice::from_ref(&object));
    assert_eq!(undo(&RunId::new("t-1"), &drain, [done(None, object)].into_iter()), None);
}
