//! Runs about a machine that is said to be dead, in simulated time: what is asked is answered by a small world, and
//! what is sent is what counts.

use super::*;
use crate::actions::audit::{Place, Started};
use crate::actions::evidence::Speech;
use crate::actions::evidence::inquiry::{Leader, Reading, Seen};
use crate::actions::{
    Action, ActionKind, Answer, Author, CallError, CallKind, Draft, Outcome, Preflight, Probe, RunId,
};
use crate::cluster::{
    AccessModes, Change, Cluster, Condition, Container, Deletion, Delta, Feed, FeedChange, Kind, Lease, Meta,
    Name, Namespace, Node, Owner, PersistentVolume, PersistentVolumeClaim, Phase, Pod, Row as _, Source,
    State, Status, VolumeAttachment,
};
use jiff::{SignedDuration, Timestamp};

mod hostile;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

struct World {
    cluster: Cluster,
    now: i64,
    version: u32,
    renewed: i64,
    speech: Speech,
    sent: Vec<CallKind>,
    refuse: Option<CallError>,
    /// It speaks at the moment of a refusal.
    wakes: bool,
    /// What is answered otherwise.
    otherwise: fn(&World, &Probe) -> Option<Answer>,
}

fn meta(name: Name, uid: &str) -> Meta {
    Meta { name, uid: uid.into(), created: Some(at(-9000)), ..Meta::default() }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            cluster: Cluster::default(),
            now: 0,
            version: 1,
            renewed: -300,
            speech: Speech::Silence("no answer".into()),
            sent: Vec::new(),
            refuse: None,
            wakes: false,
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

    fn apply(&mut self, change: Change) {
        self.cluster.apply(change, at(self.now));
    }

    fn node(&mut self, name: &str, (status, reason): (Status, &str), change: impl FnOnce(&mut Node)) {
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

    fn sight(&self) -> Sight<'_> {
        Sight { cluster: &self.cluster, now: at(self.now), outage: None, is_read_only: false }
    }

    fn author() -> Author {
        Author { who: "alice".into(), run: RunId::new("t-1"), at: at(0) }
    }

    fn draft(&self, action: Action) -> Draft {
        let object = |kind: Kind| match kind {
            Kind::Pod => self.cluster.pods.get(&Name::new("shop", "db-0")).unwrap().object(),
            Kind::VolumeAttachment => {
                self.cluster.volume_attachments.get(&Name::cluster("csi-1")).unwrap().object()
            }
            _ => self.cluster.node("dead").unwrap().object(),
        };
        let targets = vec![object(action.kind().spec().kinds[0])];
        Draft { action, targets, why: "".into(), powered_off: vec!["dead".into()] }
    }

    fn begin(&self, draft: Draft) -> Run {
        let plan = draft.plan(&self.cluster, &Self::author());
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
            Probe::May(_) | Probe::DryRun(_) | Probe::Needed(_) => Answer::Yes,
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
                let row = self.cluster.nodes.get(&node.name).unwrap().clone();
                Answer::Node(Box::new(Seen { row, at: now }))
            }
            Probe::Log { .. } => Answer::Speech(self.speech.clone()),
            Probe::Leader => {
                Answer::Leader(Leader { renewed: Some(now), acquired: Some(at(-9000)), holder: "kcm".into() })
            }
        }
    }

    /// What a call does to the world at once.
    fn carry_out(&mut self, call: &Call) {
        let silent = (Status::Unknown, "NodeStatusUnknown");
        let name = call.object().name.name.to_string();
        if let Call::Cordon { .. } = call {
            let run = World::author().run.to_string();
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
    fn pass(&mut self, run: &mut Run, seconds: i64) {
        for _ in 0..seconds {
            self.now += 1;
            // What is answered at once leads on at once.
            for _ in 0..8 {
                for order in run.advance(&self.sight()) {
                    match order {
                        Order::Write(_) => run.written(Ok(()), at(self.now)),
                        Order::Ask(probe) => {
                            let answer = self.answer(&probe);
                            run.probed(&probe, &answer);
                        }
                        Order::Send { step, call } => {
                            self.sent.push(call.kind());
                            match self.refuse.take() {
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
    let plan = draft.plan(&world.cluster, &World::author());
    let probes = plan.probes(false);
    let mut answers = Answers::to(probes.clone());
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
        let mut world = World::new();
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
                let mut world = World::new();
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
        let mut world = World::new();
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
        let draft = World::new().draft(Action::from(**kind));
        let world = World::new();
        draft.plan(&world.cluster, &World::author()).dangerous().next().is_some()
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
    let plan = draft.plan(&world.cluster, &World::author());
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
