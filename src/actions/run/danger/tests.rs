//! Runs about a machine that is said to be dead, in simulated time: what is asked is answered by a small world, and
//! what is sent is what counts.

use super::*;
use crate::actions::audit::{self, Place, Record, Started};
use crate::actions::errand::Ended;
use crate::actions::evidence::Speech;
use crate::actions::evidence::inquiry::{Leader, Reading, Seen};
use crate::actions::others::Survey;
use crate::actions::{
    Action, ActionKind, Answer, Author, CallError, CallKind, Draft, Kit, Outcome, Preflight, Probe, Ran,
    RunId,
};
use crate::cluster::{
    AccessModes, Change, Cluster, Condition, Container, Deletion, Delta, Feed, FeedChange, Kind, Lease, Meta,
    Name, Namespace, Node, Owner, PersistentVolume, PersistentVolumeClaim, Phase, Pod, Row as _, Source,
    State, Status, VolumeAttachment,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

mod hostile;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

#[expect(clippy::struct_excessive_bools, reason = "what is so in it, each by its name")]
pub struct World {
    pub cluster: Cluster,
    pub now: i64,
    version: u32,
    pub renewed: i64,
    speech: Speech,
    pub sent: Vec<CallKind>,
    refuse: Option<CallError>,
    /// Not once, but each time.
    refuses_on: bool,
    /// It speaks at the moment of a refusal.
    wakes: bool,
    pub kit: Arc<Kit>,
    /// Whether the machine has power, as its power command tells.
    pub is_on: bool,
    /// Whether it answers its probe.
    pub echoes: bool,
    /// How configured commands end, and whether they do what they say.
    pub code: i32,
    pub works: bool,
    pub ran: Vec<Purpose>,
    pub entries: Vec<Entry>,
    /// What is answered otherwise.
    otherwise: fn(&World, &Probe) -> Option<Answer>,
}

fn meta(name: Name, uid: &str) -> Meta {
    Meta { name, uid: uid.into(), created: Some(at(-9000)), ..Meta::default() }
}

fn ended(code: i32, said: &str) -> Ran {
    let said = if said.is_empty() { Vec::new() } else { vec![said.into()] };
    Ran { ended: Ended::Exited { code }, said, complained: Vec::new() }
}

impl World {
    pub fn new() -> Self {
        let mut world = Self {
            cluster: Cluster::default(),
            now: 0,
            version: 1,
            renewed: -300,
            speech: Speech::Silence("no answer".into()),
            sent: Vec::new(),
            refuse: None,
            refuses_on: false,
            wakes: false,
            kit: Arc::default(),
            is_on: true,
            echoes: false,
            code: 0,
            works: true,
            ran: Vec::new(),
            entries: Vec::new(),
            otherwise: |_, _| None,
        };
        for name in ["a", "b", "c", "d"] {
            world.node(name, (Status::True, "KubeletReady"), |_| {});
        }
        world.node("dead", (Status::Unknown, "NodeStatusUnknown"), |_| {});
        let going = Deletion { deadline: at(-60), grace_seconds: 30 };
        let owner = |kind: &str| {
            Some(Owner { kind: kind.into(), name: "db".into(), uid: "o".into(), is_controller: true })
        };
        let pod = |name: &str, kind: &str| Pod {
            meta: Meta { owner: owner(kind), ..meta(Name::new("shop", name), name) },
            node: "dead".into(),
            phase: Phase::Running,
            containers: [Container {
                name: "c".into(),
                state: State::Running { since: None },
                ..Container::default()
            }]
            .into(),
            ..Pod::default()
        };
        let mut db = pod("db-0", "StatefulSet");
        db.claims = ["data".into()].into();
        db.meta.deletion = Some(going);
        db.meta.finalizers = ["x/y".into()].into();
        world.apply(Change::Pod(Delta::Apply(Box::new(db))));
        world.apply(Change::Pod(Delta::Apply(Box::new(pod("web-1", "ReplicaSet")))));
        let volume = PersistentVolume {
            meta: meta(Name::cluster("pv"), "pv"),
            access: AccessModes::parse(["ReadWriteOnce"]),
            claim: Some(crate::cluster::ClaimRef { name: Name::new("shop", "data"), uid: "pvc".into() }),
            source: Source::Csi { driver: "d".into(), handle: "h".into() },
            ..PersistentVolume::default()
        };
        world.apply(Change::PersistentVolume(Delta::Apply(Box::new(volume))));
        let claim = PersistentVolumeClaim {
            meta: meta(Name::new("shop", "data"), "pvc"),
            volume: "pv".into(),
            ..PersistentVolumeClaim::default()
        };
        world.apply(Change::PersistentVolumeClaim(Delta::Apply(Box::new(claim))));
        let attachment = VolumeAttachment {
            meta: Meta {
                finalizers: ["external-attacher/d".into()].into(),
                ..meta(Name::cluster("csi-1"), "csi-1")
            },
            attacher: "d".into(),
            node: "dead".into(),
            volume: "pv".into(),
            is_attached: true,
            ..VolumeAttachment::default()
        };
        world.apply(Change::VolumeAttachment(Delta::Apply(Box::new(attachment))));
        let namespace = Namespace { meta: meta(Name::cluster("shop"), "shop"), ..Namespace::default() };
        world.apply(Change::Namespace(Delta::Apply(Box::new(namespace))));
        for kind in Kind::ALL {
            world.apply(Change::Feed(Feed::Watch(kind), FeedChange::Live));
        }
        world
    }

    /// With nothing but the machine's own left on it, where that is asked for.
    fn of(action: &Action) -> Self {
        let mut world = Self::new();
        if *action == Action::Retire {
            for (name, uid) in [("db-0", "db-0"), ("web-1", "web-1")] {
                world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", name), uid: uid.into() }));
            }
            let (name, uid) = (Name::cluster("csi-1"), "csi-1".into());
            world.apply(Change::VolumeAttachment(Delta::Delete { name, uid }));
            let owner =
                Owner { kind: "DaemonSet".into(), name: "log".into(), uid: "o".into(), is_controller: true };
            let agent = Pod {
                meta: Meta { owner: Some(owner), ..meta(Name::new("shop", "log-1"), "log-1") },
                node: "dead".into(),
                phase: Phase::Running,
                containers: [Container { name: "c".into(), ..Container::default() }].into(),
                ..Pod::default()
            };
            world.apply(Change::Pod(Delta::Apply(Box::new(agent))));
        }
        world
    }

    pub fn apply(&mut self, change: Change) {
        self.cluster.apply(change, at(self.now));
    }

    pub fn node(&mut self, name: &str, (status, reason): (Status, &str), change: impl FnOnce(&mut Node)) {
        self.version += 1;
        let known = self.cluster.node(name).cloned();
        let mut row =
            known.unwrap_or_else(|| Node { meta: meta(Name::cluster(name), name), ..Node::default() });
        row.meta.resource_version = self.version.to_string().into();
        row.conditions = [Condition {
            kind: "Ready".into(),
            status,
            reason: reason.into(),
            message: "".into(),
            changed: Some(at(-240)),
        }]
        .into();
        change(&mut row);
        self.apply(Change::Node(Delta::Apply(Box::new(row))));
    }

    pub fn sight(&self) -> Sight<'_> {
        Sight { cluster: &self.cluster, now: at(self.now), outage: None, is_read_only: false }
    }

    pub fn author(&self) -> Author {
        let (who, run) = ("alice".into(), RunId::new("t-1"));
        Author {
            who,
            run,
            at: at(0),
            kit: Arc::clone(&self.kit),
            fenced: audit::fenced(&self.records(), at(self.now)),
        }
    }

    /// What was written so far, as of a run before.
    fn records(&self) -> Vec<Record> {
        let record =
            |entry: &Entry| Record { run: RunId::new("t-0"), at: at(self.now), entry: entry.clone() };
        self.entries.iter().map(record).collect()
    }

    pub fn draft(&self, action: Action) -> Draft {
        let object = |kind: Kind| match kind {
            Kind::Pod => self.cluster.pods.get(&Name::new("shop", "db-0")).unwrap().object(),
            Kind::VolumeAttachment => {
                self.cluster.volume_attachments.get(&Name::cluster("csi-1")).unwrap().object()
            }
            Kind::PersistentVolumeClaim => {
                let claim = Name::new("shop", "data");
                self.cluster.persistent_volume_claims.get(&claim).unwrap().object()
            }
            _ => self.cluster.node("dead").unwrap().object(),
        };
        let targets = vec![object(action.kind().spec().kinds[0])];
        Draft { action, targets, why: "".into(), powered_off: vec!["dead".into()] }
    }

    pub fn begin(&self, draft: Draft) -> Run {
        let plan = draft.plan(&self.cluster, &self.author());
        let started = Started::new(&draft, &plan, "alice".into(), Place::default());
        let (mut run, _) = Run::begin(RunId::new("t-1"), draft, plan, (started, at(self.now)));
        run.written(Ok(()), at(self.now));
        run
    }

    fn answer(&self, probe: &Probe) -> Answer {
        if let Some(answer) = (self.otherwise)(self, probe) {
            return answer;
        }
        let now = at(self.now);
        match probe {
            Probe::May(_)
            | Probe::DryRun(_)
            | Probe::Needed(_)
            | Probe::Autoscalers { .. }
            | Probe::Quotas { .. } => Answer::Yes,
            Probe::PodsOn(_) => Answer::Pods(Vec::new()),
            Probe::Lease(node) => Answer::Lease(Box::new(Reading {
                lease: Lease {
                    node: node.name.name.clone(),
                    uid: "l".into(),
                    resource_version: self.renewed.to_string().into(),
                    renewed: Some(at(self.renewed)),
                },
                asked: SignedDuration::from_secs(self.now + 1000),
                answered: SignedDuration::from_secs(self.now + 1000),
                at: now,
            })),
            Probe::Node(node) => {
                let Some(row) = self.cluster.nodes.get(&node.name).cloned() else {
                    return Answer::Failed(CallError::NotFound { reason: "not found".into() });
                };
                Answer::Node(Box::new(Seen { row, at: now }))
            }
            Probe::Log { .. } => Answer::Speech(self.speech.clone()),
            Probe::Others(_) => Answer::Others(Survey { at: now, told: Vec::new() }),
            Probe::Leader => {
                Answer::Leader(Leader { renewed: Some(now), acquired: Some(at(-9000)), holder: "kcm".into() })
            }
            Probe::Errand(errand) => Answer::Ran(match errand.purpose {
                Purpose::Probe => ended(i32::from(!self.echoes), ""),
                _ => ended(0, if self.is_on { "on" } else { "off" }),
            }),
        }
    }

    /// What a call does to the world at once.
    fn carry_out(&mut self, call: &Call) {
        let silent = (Status::Unknown, "NodeStatusUnknown");
        let name = call.object().name.name.to_string();
        if let Call::Cordon { .. } = call {
            let run = self.author().run.to_string();
            self.node(&name, silent, |row| {
                row.is_unschedulable = true;
                let note = crate::cluster::Cordon { run: run.into(), ..crate::cluster::Cordon::default() };
                row.cordon_note = Some(Box::new(note));
            });
        }
        if let Call::Dangerous(armed) = call
            && let Dangerous::OutOfService { .. } = armed.what()
        {
            let taints = armed.taints();
            self.node(&name, silent, |row| row.taints = taints.into());
        }
        if let Call::Unmark(unmark) = call {
            let taints = unmark.taints.clone();
            self.node(&name, (Status::True, "KubeletReady"), |row| row.taints = taints.into());
        }
    }

    /// Lets it run for so many seconds.
    pub fn pass(&mut self, run: &mut Run, seconds: i64) {
        for _ in 0..seconds {
            self.now += 1;
            // What is answered at once leads on at once.
            for _ in 0..8 {
                for order in run.advance(&self.sight()) {
                    match order {
                        Order::Write(record) => {
                            self.entries.push(record.entry);
                            run.written(Ok(()), at(self.now));
                        }
                        Order::Run { step, errand } => {
                            self.ran.push(errand.purpose);
                            if self.code == 0 && self.works && errand.purpose == Purpose::SwitchOff {
                                self.is_on = false;
                            }
                            run.ran(step, ended(self.code, "it says this"), at(self.now));
                        }
                        Order::Ask(probe) => {
                            let answer = self.answer(&probe);
                            run.probed(&probe, &answer);
                        }
                        Order::Send { step, call } => {
                            self.sent.push(call.kind());
                            let refusal = self.refuse.clone();
                            self.refuse = refusal.clone().filter(|_| self.refuses_on);
                            match refusal {
                                Some(error) => {
                                    run.answered(step, Err(error), at(self.now));
                                    if self.wakes {
                                        self.renewed = self.now;
                                    }
                                }
                                None => {
                                    run.answered(step, Ok(()), at(self.now));
                                    self.carry_out(&call);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn deadly() -> Vec<Action> {
    vec![
        Action::ForceDetach,
        Action::Retire,
        Action::DetachVolume,
        Action::DeleteNode,
        Action::ReleasePod,
        Action::DeleteAttachment,
        Action::RemoveFinalizer { finalizer: "".into() },
    ]
}

const fn is_dangerous(kind: CallKind) -> bool {
    matches!(
        kind,
        CallKind::OutOfService
            | CallKind::ReleasePod
            | CallKind::DeleteAttachment
            | CallKind::DeleteNode
            | CallKind::RemoveFinalizer
    )
}

#[test]
fn the_mark_is_put_when_the_lease_was_read_twice_and_not_before() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 15);
    assert_eq!(world.sent, [CallKind::Cordon]);
    world.pass(&mut run, 5);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService]);
    assert!(!run.is_over(), "the controllers have not done their part");
}

#[test]
fn a_read_of_the_review_is_the_first_of_the_two() {
    let mut world = World::new();
    let draft = world.draft(Action::ForceDetach);
    let plan = draft.plan(&world.cluster, &world.author());
    let probes = plan.probes(false);
    let mut answers = Answers::to(probes.clone()).awaited(&probes, at(world.now));
    for probe in &probes {
        answers.take(probe, world.answer(probe));
    }
    let preflight = Preflight::of(&draft, &plan, &answers, &world.sight());
    assert!(!preflight.is_blocked(), "{:#?}", preflight.checks);
    world.now = 30;
    let mut run = world.begin(draft);
    run.remember(&answers);
    world.pass(&mut run, 3);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService]);
}

#[test]
fn each_dangerous_request_is_sent_for_a_dead_machine() {
    for action in deadly() {
        let mut world = World::of(&action);
        let is_last_resort = matches!(action, Action::DeleteAttachment);
        if is_last_resort {
            let uid = "db-0".into();
            world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", "db-0"), uid }));
        }
        let mut run = world.begin(world.draft(action.clone()));
        world.pass(&mut run, 25);
        let dangerous = world.sent.iter().filter(|kind| is_dangerous(**kind)).count();
        assert_eq!(dangerous, 1, "{action:?}: {:?} {:?}", world.sent, run.stopped());
    }
}

/// What happens to the world before, or while, a run looks at it.
type Event = fn(&mut World);

const LIVING: &[(&str, Event)] = &[
    ("the lease moves", |world| world.renewed = world.now),
    ("the kubelet gives a log", |world| world.speech = Speech::Life("it gives a log".into())),
    ("the node is Ready", |world| world.node("dead", (Status::True, "KubeletReady"), |_| {})),
    ("the node is NotReady by its own word", |world| {
        world.node("dead", (Status::False, "KubeletNotReady"), |_| {});
    }),
    ("the node registers afresh", |world| {
        world.node("dead", (Status::Unknown, "NodeStatusUnknown"), |row| row.meta.uid = "anew".into());
    }),
    ("half of the cluster is gone", |world| {
        for name in ["a", "b"] {
            world.node(name, (Status::Unknown, "NodeStatusUnknown"), |_| {});
        }
    }),
    ("the picture gets old", |world| {
        let down = FeedChange::Down { reason: "cut".into() };
        world.apply(Change::Feed(Feed::Watch(Kind::Node), down));
    }),
    ("somebody else fences it", |world| {
        world.node("dead", (Status::Unknown, "NodeStatusUnknown"), |row| {
            row.marks = [("fencing/state".into(), "started".into())].into();
        });
    }),
];

#[test]
fn nothing_dangerous_is_sent_when_anything_speaks_against_it_at_any_moment() {
    for action in deadly() {
        for (name, event) in LIVING {
            for moment in [1, 5, 14] {
                let mut world = World::of(&action);
                let mut run = world.begin(world.draft(action.clone()));
                world.pass(&mut run, moment);
                event(&mut world);
                world.pass(&mut run, 40);
                let is_sent = world.sent.iter().any(|kind| is_dangerous(*kind));
                assert!(!is_sent, "{action:?}, and after {moment} s {name}: {:?}", world.sent);
            }
        }
    }
}

#[test]
fn nothing_dangerous_is_sent_that_nobody_has_proved() {
    for action in deadly() {
        let mut world = World::of(&action);
        let draft = Draft { powered_off: Vec::new(), ..world.draft(action.clone()) };
        let mut run = world.begin(draft);
        world.pass(&mut run, 40);
        assert!(!world.sent.iter().any(|kind| is_dangerous(*kind)), "{action:?}: {:?}", world.sent);
    }
}

#[test]
fn every_action_of_the_table_that_can_destroy_is_among_those_that_are_tried() {
    let tried: Vec<ActionKind> = deadly().iter().map(Action::kind).collect();
    let destructive = ActionKind::ALL.iter().filter(|kind| {
        let world = World::of(&Action::from(**kind));
        let draft = world.draft(Action::from(**kind));
        draft.plan(&world.cluster, &world.author()).dangerous().next().is_some()
    });
    assert_eq!(destructive.copied().collect::<std::collections::BTreeSet<_>>(), tried.into_iter().collect());
}

#[test]
fn a_sign_of_life_after_the_mark_takes_it_off_at_once_and_nothing_else_is_sent() {
    for (name, event) in &LIVING[..4] {
        let mut world = World::new();
        let mut run = world.begin(world.draft(Action::ForceDetach));
        world.pass(&mut run, 20);
        assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService], "{name}");
        if *name == "the kubelet gives a log" {
            continue;
        }
        event(&mut world);
        world.pass(&mut run, 2);
        let node = world.cluster.node("dead").unwrap();
        assert!(!node.is_out_of_service() && node.is_cordoned(), "{name}: {:?}", world.sent);
        world.pass(&mut run, 60);
        assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService, CallKind::Unmark], "{name}");
        assert!(run.is_over());
        assert_eq!(run.summary().outcome, Outcome::Stopped);
    }
}

#[test]
fn the_way_back_is_tried_until_the_mark_is_off_whatever_the_server_says() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 20);
    world.renewed = world.now;
    world.refuses_on = true;
    world.refuse = Some(CallError::Conflict { reason: "the object has been modified".into() });
    world.pass(&mut run, 20);
    world.refuse = Some(CallError::Forbidden { reason: "not any more".into(), causes: Vec::new() });
    world.pass(&mut run, 100);
    assert!(!run.is_over() && world.cluster.node("dead").unwrap().is_out_of_service());
    assert!(world.sent.iter().filter(|kind| **kind == CallKind::Unmark).count() > 10, "{:?}", world.sent);
    world.refuse = None;
    world.pass(&mut run, 31);
    assert!(run.is_over() && !world.cluster.node("dead").unwrap().is_out_of_service());
    assert_eq!(run.summary().outcome, Outcome::Stopped);
}

#[test]
fn a_node_that_is_gone_has_no_mark_to_take_off() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 20);
    world.renewed = world.now;
    world.refuse = Some(CallError::NotFound { reason: "nodes \"dead\" not found".into() });
    world.pass(&mut run, 1);
    world.apply(Change::Node(Delta::Delete { name: Name::cluster("dead"), uid: "dead".into() }));
    world.pass(&mut run, 3);
    assert!(run.is_over());
    assert_eq!(world.sent.last(), Some(&CallKind::Unmark));
}

#[test]
fn a_conflict_means_that_the_evidence_is_gathered_anew() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 14);
    world.refuse = Some(CallError::Conflict { reason: "changed".into() });
    world.pass(&mut run, 4);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService, CallKind::OutOfService]);
    // What is said between the two tries counts.
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 14);
    world.refuse = Some(CallError::Conflict { reason: "changed".into() });
    world.wakes = true;
    world.pass(&mut run, 40);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService]);
}

#[test]
fn one_volume_is_waited_for_as_long_as_the_controller_takes() {
    let action = Action::DetachVolume;
    let mut world = World::of(&action);
    let mut run = world.begin(world.draft(action));
    world.pass(&mut run, 20);
    assert_eq!(world.sent, [CallKind::ReleasePod]);
    let uid = "db-0".into();
    world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", "db-0"), uid }));
    world.pass(&mut run, 2);
    let waits = run.steps().position(|(_, progress)| matches!(progress, Progress::Waiting { .. })).unwrap();
    let due = run.due(waits, SignedDuration::from_mins(6)).unwrap();
    assert_eq!(due, at(21).checked_add(SignedDuration::from_mins(6)).unwrap());
    world.pass(&mut run, 300);
    assert!(!run.is_over());
    let (name, uid) = (Name::cluster("csi-1"), "csi-1".into());
    world.apply(Change::VolumeAttachment(Delta::Delete { name, uid }));
    world.pass(&mut run, 2);
    assert_eq!(world.sent, [CallKind::ReleasePod]);
    let last = run.steps().last().unwrap();
    assert!(matches!(last.0, Step::Milestone(Milestone::Replaced { .. })) || run.is_over());
}

#[test]
fn a_node_is_retired_when_nothing_hangs_on_it_and_another_takes_its_place() {
    let action = Action::Retire;
    let full = World::new();
    let draft = full.draft(action.clone());
    let plan = draft.plan(&full.cluster, &full.author());
    assert!(plan.steps.is_empty());
    let preflight = Preflight::of(&draft, &plan, &Answers::default(), &full.sight());
    assert!(preflight.is_blocked() && preflight.checks[0].reason.contains("still on node dead"));

    let mut world = World::of(&action);
    let mut run = world.begin(world.draft(action.clone()));
    world.pass(&mut run, 20);
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::DeleteNode]);
    world.apply(Change::Node(Delta::Delete { name: Name::cluster("dead"), uid: "dead".into() }));
    let uid = "log-1".into();
    world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", "log-1"), uid }));
    world.pass(&mut run, 5);
    assert!(!run.is_over(), "another node is waited for");
    world.node("new", (Status::True, "KubeletReady"), |_| {});
    world.pass(&mut run, 2);
    assert_eq!(run.summary().outcome, Outcome::Done);

    // Who replaces machines by hand is not waited for without end.
    let mut world = World::of(&action);
    let mut run = world.begin(world.draft(action));
    world.pass(&mut run, 20);
    world.apply(Change::Node(Delta::Delete { name: Name::cluster("dead"), uid: "dead".into() }));
    let uid = "log-1".into();
    world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", "log-1"), uid }));
    world.pass(&mut run, 1000);
    assert_eq!(run.summary().outcome, Outcome::Done);
}

#[test]
fn several_machines_are_marked_one_after_the_other_and_one_that_lives_loses_its_mark_alone() {
    let mut world = World::new();
    for node in ["e", "f"] {
        world.node(node, (Status::True, "KubeletReady"), |_| {});
    }
    world.node("c", (Status::Unknown, "NodeStatusUnknown"), |_| {});
    let object = |name: &str| world.cluster.node(name).unwrap().object();
    let draft = Draft {
        targets: vec![object("dead"), object("c")],
        powered_off: vec!["dead".into(), "c".into()],
        ..world.draft(Action::ForceDetach)
    };
    let plan = draft.plan(&world.cluster, &world.author());
    let probes = plan.probes(false);
    assert_eq!(probes.iter().filter(|probe| **probe == Probe::Leader).count(), 1, "each is asked once");
    let mut run = world.begin(draft);
    world.pass(&mut run, 60);
    let marks = world.sent.iter().filter(|kind| **kind == CallKind::OutOfService).count();
    assert_eq!(marks, 2, "{:?}", world.sent);
    assert!(!run.is_over(), "the controllers have not done their part");
    world.node("c", (Status::True, "KubeletReady"), |_| {});
    world.pass(&mut run, 5);
    assert!(run.is_over());
    assert_eq!(world.sent.last(), Some(&CallKind::Unmark));
    assert!(!world.cluster.node("c").unwrap().is_out_of_service());
    assert!(world.cluster.node("dead").unwrap().is_out_of_service(), "it is as dead as before");
}

#[test]
fn what_validation_refuses_is_told_with_its_field_and_not_tried_again() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::RemoveFinalizer { finalizer: "".into() }));
    world.refuses_on = true;
    let reason = "Pod \"db-0\" is invalid: spec.overhead: Forbidden".into();
    world.refuse = Some(CallError::Invalid { reason });
    world.pass(&mut run, 40);
    assert_eq!(world.sent, [CallKind::RemoveFinalizer]);
    let told = run.steps().find_map(|(_, progress)| match progress {
        Progress::Failed { reason } => Some(reason.to_string()),
        _ => None,
    });
    let told = told.unwrap();
    assert!(told.contains("validation") && told.contains("spec.overhead"), "{told}");
}

#[test]
fn a_failure_domain_is_given_up_by_its_name() {
    let mut world = World::new();
    for (node, zone) in [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y"), ("dead", "y")] {
        let labels = [("topology.kubernetes.io/zone".into(), zone.into())];
        let silent = (Status::Unknown, "NodeStatusUnknown");
        world.node(node, silent, |row| row.meta.labels = labels.into());
    }
    let targets = |world: &World, names: &[&str]| {
        let objects = names.iter().map(|name| world.cluster.node(name).unwrap().object());
        Draft { targets: objects.collect(), ..world.draft(Action::ForceDetach) }
    };
    let domains = |world: &World, names: &[&str]| {
        targets(world, names).plan(&world.cluster, &world.author()).domains(&world.cluster)
    };
    // Nodes on which nothing is have nothing to detach, and are marked all the same.
    assert_eq!(domains(&world, &["c", "dead"]), Vec::<crate::cluster::Text>::new());
    assert_eq!(domains(&world, &["c", "d", "dead"]), ["y"]);
    // The last of a domain of which the others are marked.
    for node in ["c", "d"] {
        world.node(node, (Status::Unknown, "NodeStatusUnknown"), |row| {
            row.taints = [crate::cluster::Taint {
                key: crate::actions::dangerous::OUT_OF_SERVICE.into(),
                value: "nodeshutdown".into(),
                effect: crate::cluster::Effect::NoExecute,
                added: None,
            }]
            .into();
        });
    }
    assert_eq!(domains(&world, &["dead"]), ["y"]);
}

#[test]
fn who_stops_after_the_mark_is_told_that_it_stays() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 20);
    run.stop("stopped by alice");
    world.pass(&mut run, 2);
    assert!(run.is_over());
    assert_eq!(world.sent, [CallKind::Cordon, CallKind::OutOfService]);
    let last = run.steps().last().unwrap().1.reason().unwrap().to_owned();
    assert!(last.contains("keeps its mark and its cordon"), "{last}");
}

#[test]
fn it_is_done_when_the_controllers_have_done_their_part() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ForceDetach));
    world.pass(&mut run, 20);
    for name in ["db-0", "web-1"] {
        world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", name), uid: name.into() }));
    }
    world.pass(&mut run, 1);
    assert!(!run.is_over());
    let name = Name::cluster("csi-1");
    world.apply(Change::VolumeAttachment(Delta::Delete { name, uid: "csi-1".into() }));
    world.pass(&mut run, 1);
    assert!(run.is_over());
    assert_eq!(run.summary().outcome, Outcome::Done);
}

#[test]
fn a_node_that_came_back_loses_its_mark_first_and_its_cordon_last() {
    let mut world = World::new();
    let taint = crate::cluster::Taint {
        key: crate::actions::dangerous::OUT_OF_SERVICE.into(),
        value: "x".into(),
        effect: crate::cluster::Effect::NoExecute,
        added: None,
    };
    let taints = [taint];
    world.node("dead", (Status::True, "KubeletReady"), |row| {
        row.taints = taints.into();
        row.is_unschedulable = true;
    });
    let mut run = world.begin(world.draft(Action::ReturnToService));
    world.pass(&mut run, 3);
    assert_eq!(world.sent, [CallKind::Unmark], "an old pod and its volume are still there");
    world.apply(Change::Pod(Delta::Delete { name: Name::new("shop", "db-0"), uid: "db-0".into() }));
    let name = Name::cluster("csi-1");
    world.apply(Change::VolumeAttachment(Delta::Delete { name, uid: "csi-1".into() }));
    world.pass(&mut run, 1);
    assert_eq!(world.sent, [CallKind::Unmark, CallKind::Uncordon]);
}

#[test]
fn the_mark_is_not_taken_off_a_node_that_is_silent() {
    let world = World::new();
    let draft = world.draft(Action::ReturnToService);
    let plan = draft.plan(&world.cluster, &world.author());
    assert!(Preflight::of(&draft, &plan, &Answers::default(), &world.sight()).is_blocked());
}

#[test]
fn stateless_pods_of_a_silent_node_are_made_anew_and_the_others_stay() {
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ReplacePods));
    let objects: Vec<String> = run.plan.calls().map(|call| call.object().to_string()).collect();
    assert_eq!(objects, ["pod shop/web-1"]);
    world.pass(&mut run, 1);
    assert_eq!(world.sent, [CallKind::ReplacePod]);
    // It came back before the deletion was sent.
    let mut world = World::new();
    let mut run = world.begin(world.draft(Action::ReplacePods));
    world.node("dead", (Status::True, "KubeletReady"), |_| {});
    world.pass(&mut run, 5);
    assert_eq!(world.sent, []);
}
