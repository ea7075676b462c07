//! Each check of the evidence by itself: all facts speak for a dead machine, but for one.

use super::facts::{Death, Facts, Leadership, ObjectState, Speech};
use super::inquiry::{Reading, Seen};
use super::*;
use crate::actions::dangerous::OUT_OF_SERVICE;
use crate::actions::others::{Other, Party};
use crate::actions::{Access, Call, CallError};
use crate::cluster::{Condition, Lease, Meta, Name, Node, Status};

mod monotone;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn object(kind: Kind, name: Name) -> ObjectRef {
    ObjectRef { kind, name, uid: "u-1".into() }
}

fn node() -> ObjectRef {
    object(Kind::Node, Name::cluster("worker-2"))
}

fn ready(status: Status, reason: &str) -> Box<[Condition]> {
    let condition = Condition {
        kind: "Ready".into(),
        status,
        reason: reason.into(),
        message: "".into(),
        changed: Some(at(-300)),
    };
    [condition].into()
}

fn row() -> Node {
    Node {
        meta: Meta { name: node().name, uid: node().uid, resource_version: "17".into(), ..Meta::default() },
        conditions: ready(Status::Unknown, "NodeStatusUnknown"),
        ..Node::default()
    }
}

fn reading(version: &str, steady: i64, seconds: i64) -> Reading {
    let lease = Lease {
        node: "worker-2".into(),
        uid: "l-1".into(),
        resource_version: version.into(),
        renewed: Some(at(-320)),
    };
    let asked = SignedDuration::from_secs(steady);
    Reading { lease, asked, answered: asked + SignedDuration::from_millis(20), at: at(seconds) }
}

/// A machine that is dead by all that is asked.
fn dead(what: Dangerous) -> Facts {
    Facts {
        what,
        now: at(0),
        staleness: None,
        object: ObjectState { is_there: true, version: "9".into(), ..ObjectState::default() },
        node: Some(Seen { row: row(), at: at(-1) }),
        leases: Some((reading("5", 100, -17), reading("5", 116, -1))),
        moved: None,
        speech: Some(Speech::Silence("the server did not answer within 3 s".into())),
        echo: Some(Speech::NotKnown("no probe is configured".into())),
        unready: (1, 5),
        are_all_zones_down: false,
        leadership: Leadership::Leads { since: Some(at(-86_400)) },
        deaths: vec![Death::Stated { by: "alice".into() }],
        is_last_control_plane: false,
        used_elsewhere: Vec::new(),
        detaching: Vec::new(),
        denied: Vec::new(),
        are_rights_known: true,
        others: Vec::new(),
    }
}

fn other(stage: Stage) -> Other {
    Other { party: Party::NodeHealthCheck, stage, words: "workers has it remedied".to_owned(), since: None }
}

fn taint() -> Dangerous {
    Dangerous::OutOfService { node: node() }
}

fn pod() -> ObjectRef {
    object(Kind::Pod, Name::new("shop", "db-0"))
}

/// All requests that need the death of a machine.
fn deadly() -> Vec<Dangerous> {
    let attachment = object(Kind::VolumeAttachment, Name::cluster("csi-1"));
    vec![
        taint(),
        Dangerous::DeleteNode { node: node() },
        Dangerous::ReleasePod { pod: pod(), node: node() },
        Dangerous::DeleteAttachment { attachment: attachment.clone(), node: node() },
        Dangerous::RemoveFinalizer {
            object: attachment,
            finalizer: "external-attacher/x".into(),
            node: Some(node()),
        },
        Dangerous::RemoveFinalizer { object: pod(), finalizer: "x/y".into(), node: Some(node()) },
    ]
}

/// The facts with which each of them is cleared.
fn cleared(what: Dangerous) -> Facts {
    let mut facts = dead(what);
    if let Dangerous::RemoveFinalizer { finalizer, .. } = &facts.what {
        facts.object.is_deleting = true;
        facts.object.finalizers = [finalizer.clone()].into();
    }
    facts
}

fn grounds(facts: &Facts) -> Vec<Ground> {
    match clear(facts) {
        Ok(_) => Vec::new(),
        Err(objections) => objections.iter().map(|objection| objection.ground).collect(),
    }
}

#[test]
fn a_machine_that_is_dead_by_all_that_is_asked_is_cleared_for_each_request() {
    for what in deadly() {
        let facts = cleared(what.clone());
        let cleared = clear(&facts).unwrap_or_else(|objections| panic!("{what:?}: {objections:?}"));
        assert_eq!(*cleared.what(), what);
    }
}

/// What one fact does to any of the requests.
type Change = fn(&mut Facts);

const AGAINST: &[(&str, Ground, Change)] = &[
    ("a stale picture", Ground::Picture, |facts| facts.staleness = Some("the watch broke".to_owned())),
    ("an object that is gone", Ground::Object, |facts| facts.object.is_there = false),
    ("a node that was not read", Ground::Node, |facts| facts.node = None),
    ("a node that was read long ago", Ground::Node, |facts| seen(facts).at = at(-6)),
    ("a node that was read in the future", Ground::Node, |facts| seen(facts).at = at(2)),
    ("another node of that name", Ground::Node, |facts| seen(facts).row.meta.uid = "u-2".into()),
    ("a node that never spoke", Ground::Node, |facts| seen(facts).row.conditions = [].into()),
    ("an Unknown that somebody wrote", Ground::Node, |facts| {
        seen(facts).row.conditions = ready(Status::Unknown, "NodeFenced");
    }),
    ("no lease", Ground::Lease, |facts| facts.leases = None),
    ("a lease that moved", Ground::Lease, |facts| {
        facts.leases = Some((reading("5", 100, -17), reading("6", 116, -1)));
    }),
    ("reads that are too close", Ground::Lease, |facts| {
        facts.leases = Some((reading("5", 100, -15), reading("5", 115, -1)));
    }),
    ("a read that is too old", Ground::Lease, |facts| {
        facts.leases = Some((reading("5", 100, -30), reading("5", 124, -6)));
    }),
    ("a read from the future", Ground::Lease, |facts| {
        facts.leases = Some((reading("5", 100, -30), reading("5", 124, 2)));
    }),
    ("a lease that the board saw move", Ground::Lease, |facts| facts.moved = Some("it moved".to_owned())),
    ("nobody asked for a log", Ground::Log, |facts| facts.speech = None),
    ("a log", Ground::Log, |facts| facts.speech = Some(Speech::Life("it gives a log".into()))),
    ("two of five", Ground::Storm, |facts| facts.unready = (2, 5)),
    ("all of them", Ground::Storm, |facts| facts.are_all_zones_down = true),
    ("no word of the controller-manager", Ground::Leader, |facts| facts.leadership = Leadership::NotAsked),
    ("a controller-manager that hangs", Ground::Leader, |facts| facts.leadership = Leadership::Quiet),
    ("no right to see it", Ground::Leader, |facts| facts.leadership = Leadership::Unreadable("no".into())),
    ("one that has only begun", Ground::Leader, |facts| {
        facts.leadership = Leadership::Leads { since: Some(at(-30)) };
    }),
    ("silence alone", Ground::Death, |facts| facts.deaths.clear()),
    ("the last of the control plane", Ground::Quorum, |facts| facts.is_last_control_plane = true),
    ("a volume in use elsewhere", Ground::Volumes, |facts| {
        facts.used_elsewhere.push("pod x uses".to_owned());
    }),
    ("a detach under way", Ground::Volumes, |facts| facts.detaching.push(Name::cluster("csi-2"))),
    ("rights that nobody asked for", Ground::Rights, |facts| facts.are_rights_known = false),
    ("a right that lacks", Ground::Rights, |facts| {
        facts.denied.push(Access::to(facts.what.access().right, facts.what.object()));
    }),
    ("somebody else", Ground::Others, |facts| facts.others.push(other(Stage::Acting))),
];

fn seen(facts: &mut Facts) -> &mut Seen {
    facts.node.as_mut().unwrap()
}

#[test]
fn each_fact_alone_is_enough_against_each_request() {
    for what in deadly() {
        for (name, ground, change) in AGAINST {
            let mut facts = cleared(what.clone());
            change(&mut facts);
            assert_eq!(grounds(&facts), [*ground], "{name} against {what:?}");
            let objections = clear(&facts).unwrap_err();
            assert!(!objections[0].reason.is_empty() && !objections[0].remedy.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_node_that_speaks_is_never_said_to_be_dead() {
    for (status, reason) in [(Status::True, "KubeletReady"), (Status::False, "KubeletNotReady")] {
        for what in deadly() {
            let mut facts = cleared(what.clone());
            seen(&mut facts).row.conditions = ready(status, reason);
            assert!(!grounds(&facts).is_empty(), "{status:?}: {what:?}");
        }
    }
}

#[test]
fn one_silent_node_is_always_allowed_however_few_there_are() {
    for (unready, is_allowed) in
        [((1, 1), true), ((1, 2), true), ((2, 6), true), ((2, 5), false), ((4, 9), false)]
    {
        let facts = Facts { unready, ..dead(taint()) };
        assert_eq!(grounds(&facts).is_empty(), is_allowed, "{unready:?}");
    }
    let facts = Facts { unready: (1, 1), are_all_zones_down: true, ..dead(taint()) };
    assert_eq!(grounds(&facts), []);
}

#[test]
fn a_log_that_nobody_can_ask_for_and_a_cluster_without_an_election_are_no_objection() {
    let facts = Facts {
        speech: Some(Speech::NotKnown("forbidden".into())),
        leadership: Leadership::NoLease,
        ..dead(taint())
    };
    assert_eq!(grounds(&facts), []);
}

#[test]
fn a_leader_that_timed_the_silence_itself_need_not_be_old() {
    let mut facts = Facts { leadership: Leadership::Leads { since: Some(at(-30)) }, ..dead(taint()) };
    seen(&mut facts).row.conditions[0].changed = Some(at(-10));
    assert_eq!(grounds(&facts), []);
}

#[test]
fn a_pod_is_released_under_a_kubelet_that_speaks_only_if_nothing_is_at_stake() {
    let speaking = |change: Change| {
        let mut facts = dead(Dangerous::ReleasePod { pod: pod(), node: node() });
        seen(&mut facts).row.conditions = ready(Status::True, "KubeletReady");
        // None of it is proved, and none of it is asked for.
        facts.deaths.clear();
        facts.leases = None;
        facts.object.is_overdue = true;
        change(&mut facts);
        grounds(&facts)
    };
    assert_eq!(speaking(|_| {}), []);
    assert_eq!(speaking(|facts| facts.object.is_stateful = true), [Ground::Node]);
    let exclusive: Change = |facts| facts.object.exclusive.push(Name::new("shop", "data"));
    assert_eq!(speaking(exclusive), [Ground::Volumes]);
    assert_eq!(speaking(|facts| facts.object.is_overdue = false), [Ground::Object]);
    assert_eq!(speaking(|facts| seen(facts).at = at(-6)), [Ground::Node]);
    // Another one has the name.
    assert!(!speaking(|facts| seen(facts).row.meta.uid = "u-2".into()).is_empty());
}

#[test]
fn a_finalizer_is_removed_without_a_death_only_where_the_kubelet_has_done_its_part() {
    let of = |object: ObjectRef, node: Option<ObjectRef>| {
        let what = Dangerous::RemoveFinalizer { object, finalizer: "x/y".into(), node };
        let mut facts = cleared(what);
        (facts.node, facts.leases, facts.speech) = (None, None, None);
        facts.leadership = Leadership::NotAsked;
        facts.deaths.clear();
        facts
    };
    let mut stopped = of(pod(), Some(node()));
    assert!(!grounds(&stopped).is_empty());
    (stopped.object.is_overdue, stopped.object.has_stopped) = (true, true);
    assert_eq!(grounds(&stopped), []);
    stopped.object.is_deleting = false;
    assert_eq!(grounds(&stopped), [Ground::Object]);
    assert_eq!(grounds(&of(object(Kind::Namespace, Name::cluster("shop")), None)), []);
    // Nothing can prove anything of a node that is gone.
    assert_eq!(grounds(&of(pod(), None)), [Ground::Death]);
    assert_eq!(grounds(&of(object(Kind::VolumeAttachment, Name::cluster("csi-1")), None)), [Ground::Death]);
}

#[test]
fn an_attachment_is_not_deleted_while_a_pod_wants_its_volume_there() {
    for what in deadly().into_iter().filter(|what| what.object().kind != Kind::Pod) {
        let mut facts = cleared(what.clone());
        facts.object.wanted_by.push(Name::new("shop", "db-0"));
        let is_about_it = what.object().kind == Kind::VolumeAttachment;
        assert_eq!(!grounds(&facts).is_empty(), is_about_it, "{what:?}");
    }
}

#[test]
fn a_proof_expires_five_seconds_after_the_last_look_and_holds_for_one_object_alone() {
    let cleared = clear(&dead(taint())).unwrap();
    let Call::Dangerous(armed) = Call::dangerous(cleared) else { panic!("it is dangerous") };
    assert_eq!(*armed.what(), taint());
    // The lease was read a second before it was cleared, at 116 s by the local clock.
    let (last, bit) = (SignedDuration::from_secs(121), SignedDuration::from_millis(1));
    assert_eq!(armed.left(at(4), last), Some(SignedDuration::ZERO));
    assert_eq!(armed.left(at(0), last - bit), Some(bit));
    assert_eq!(armed.left(at(4) + bit, last), None);
    // The server's time did not go on, as far as anybody knows: the machine that this runs on was suspended.
    assert_eq!(armed.left(at(0), last + bit), None);
    assert_eq!(armed.version().as_str(), "17");
    let keys: Vec<String> = armed.taints().iter().map(|taint| taint.key.to_string()).collect();
    assert_eq!(keys, [OUT_OF_SERVICE]);
    let conflict = CallError::Conflict { reason: "changed".into() };
    assert!(matches!(armed.refusal(conflict), crate::actions::call::Refusal::Changed(_)));
}

#[test]
fn what_is_not_there_under_its_uid_is_not_there() {
    let mut cluster = crate::cluster::Cluster::default();
    let delta = crate::cluster::Delta::Apply(Box::new(row()));
    cluster.apply(crate::cluster::Change::Node(delta), at(0));
    assert!(cluster.meta(&node()).is_some());
    assert!(cluster.meta(&ObjectRef { uid: "u-2".into(), ..node() }).is_none());
}

#[test]
fn only_who_is_at_it_stands_against_a_request() {
    for (stage, is_against) in
        [(Stage::Acting, true), (Stage::Armed, false), (Stage::Over, false), (Stage::Idle, false)]
    {
        let mut facts = dead(taint());
        facts.others.push(other(stage));
        assert_eq!(!grounds(&facts).is_empty(), is_against, "{stage:?}");
    }
}
