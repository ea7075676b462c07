//! The rule `volume-on-unready-node`: a volume that one node alone may have, held by one that is of no use.
//!
//! Judged from state, never from events: those are sent once and expire. Volumes that many nodes may have at a
//! time are left out: nobody waits for their detach.

mod words;

pub use words::{lone_title, title};

use super::{Awaited, Bound, Clock, Evidence, Finding, Found, RuleId, Severity, View, node_gone};
use crate::cluster::{
    Attached, AttachedBy, Feed, Kind, Name, Node, ObjectRef, Pod, Readiness, Row, Since, Storage, Text,
    VolumeAttachment, VolumeId, VolumeJoin,
};
use jiff::Timestamp;

pub const PROSE: &str = "A volume that can be attached to one node at a time is attached to a node that is silent or \
    gone, or to one that is not ready and where no pod wants it any more. The finding names the pods elsewhere \
    that wait for it, the pod that still wants it there (the clock of the forced detach does not run until that \
    one is gone), and when the controller will detach it by force. The kind of storage decides what to do: prove \
    death before a block device is detached; of a volume whose data is on the machine, detaching is no help.";

/// The node that has the volume.
#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    Silent(&'a Node),
    NotReady(&'a Node),
    Gone(&'a Text, Since),
}

/// One volume on one node.
struct Case<'a> {
    place: Place<'a>,
    /// "The volume of db/data-postgres-0".
    title: String,
    subject: ObjectRef,
    storage: Storage,
    attachment: Option<&'a VolumeAttachment>,
    link: Link,
    hold: Hold,
    /// Pods elsewhere that wait, with their nodes.
    waiting: Vec<(ObjectRef, Text)>,
}

/// How the volume is tied to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Attached,
    Attaching,
    /// Its data is on the machine's own disk.
    Disk,
}

/// Why it is still there.
#[derive(Debug)]
enum Hold {
    /// Its detach was asked for.
    Detaching { since: Option<Timestamp>, error: Option<String> },
    /// By pods on the node, and whether all of them were told to go.
    Wanted { by: Vec<ObjectRef>, are_going: bool },
    /// By no pod there; the controller detaches when its time is over.
    Unwanted(Option<Since>),
    /// By no pod there, and the controller need not wait.
    Free,
    /// The pods that could want it are not all known.
    NotKnown,
}

impl<'a> Place<'a> {
    fn name(self) -> &'a Text {
        match self {
            Self::Silent(node) | Self::NotReady(node) => &node.meta.name.name,
            Self::Gone(name, _) => name,
        }
    }

    const fn node(self) -> Option<&'a Node> {
        match self {
            Self::Silent(node) | Self::NotReady(node) => Some(node),
            Self::Gone(..) => None,
        }
    }

    fn object(self) -> ObjectRef {
        self.node().map_or_else(|| node_gone::object(self.name()), Row::object)
    }

    fn since(self) -> Option<Timestamp> {
        match self {
            Self::Silent(node) | Self::NotReady(node) => node.ready_since(),
            Self::Gone(_, since) => since.is_exact.then_some(since.at),
        }
    }
}

pub fn evaluate(view: &View<'_>, name: &Text, found: &mut Found) {
    let is_awaited = |kind| view.cluster.feed(Feed::Watch(kind)).is_first_awaited();
    if [Kind::PersistentVolume, Kind::Pod, Kind::VolumeAttachment].into_iter().any(is_awaited) {
        return;
    }
    // Who wants it where is a matter of all of them; what may not be read at all is said to be not known.
    let is_old = |kind| view.cluster.has_read(kind) && !view.knows(kind);
    if [Kind::Node, Kind::Pod, Kind::PersistentVolume, Kind::VolumeAttachment].into_iter().any(is_old) {
        return;
    }
    let place = match view.cluster.node(name) {
        Some(node) => match node.readiness() {
            Readiness::Silent => Some(Place::Silent(node)),
            Readiness::NotReady => Some(Place::NotReady(node)),
            Readiness::New | Readiness::Ready => None,
        },
        None => view.cluster.absent_since(name).map(|since| Place::Gone(name, since)),
    };
    if let Some(place) = place {
        on_node(view, place, found);
    }
}

fn on_node(view: &View<'_>, place: Place<'_>, found: &mut Found) {
    let cluster = view.cluster;
    let attached = cluster.volumes_attached_to(place.name());
    for id in &attached {
        if let Some(case) = cluster.volume(id).and_then(|join| attached_case(view, place, &join)) {
            judge(view, &case, found);
        }
    }
    for object in cluster.attachments_on(place.name()) {
        if cluster.persistent_volumes.get(&Name::cluster(object.volume.clone())).is_none() {
            judge(view, &lone_case(place, object), found);
        }
    }
    let host = place.node().map_or(place.name().as_str(), Node::hostname);
    for id in cluster.volumes_pinned_to(host).filter(|id| !attached.contains(id)) {
        if let Some(case) = cluster.volume(&id).and_then(|join| pinned_case(view, place, &join)) {
            judge(view, &case, found);
        }
    }
}

/// A volume that is attached to the node.
fn attached_case<'a>(view: &View<'_>, place: Place<'a>, join: &VolumeJoin<'a>) -> Option<Case<'a>> {
    if join.volume.is_some_and(|volume| volume.access.is_shared()) {
        return None;
    }
    let attached = join.attached.iter().find(|attached| attached.node_name == *place.name())?;
    let (attachment, link) = match attached.by {
        AttachedBy::Object(object) if object.is_attached || object.meta.is_deleting() => {
            (Some(object), Link::Attached)
        }
        AttachedBy::Object(object) => (Some(object), Link::Attaching),
        // What a kubelet last said to use, and the controller has detached since.
        AttachedBy::Status { is_in_use_only: true } => return None,
        AttachedBy::Status { is_in_use_only: false } => (None, Link::Attached),
    };
    Some(Case {
        place,
        title: words::title(join),
        subject: subject(join),
        storage: join.storage(),
        attachment,
        link,
        hold: hold(view, place, join, attached),
        waiting: join.waiting().map(|pod| (pod.object(), pod.node.clone())).collect(),
    })
}

/// An attachment whose volume is not known: deleted, inline, or not to be read.
fn lone_case<'a>(place: Place<'a>, object: &'a VolumeAttachment) -> Case<'a> {
    Case {
        place,
        title: words::lone_title(object),
        subject: object.object(),
        storage: Storage::Unknown,
        attachment: Some(object),
        link: if object.is_attached { Link::Attached } else { Link::Attaching },
        hold: detaching(object).unwrap_or(Hold::NotKnown),
        waiting: Vec::new(),
    }
}

/// A volume on the machine's own disk: worth a word only where a pod cannot run without it.
fn pinned_case<'a>(view: &View<'_>, place: Place<'a>, join: &VolumeJoin<'a>) -> Option<Case<'a>> {
    let is_waiting = |pod: &&&Pod| pod.phase == crate::cluster::Phase::Pending && !pod.meta.is_deleting();
    let waiting: Vec<_> =
        join.pods.iter().filter(is_waiting).map(|pod| (pod.object(), pod.node.clone())).collect();
    let is_known = join.claim_name.as_ref().is_some_and(|claim| view.cluster.knows_pods_of(&claim.namespace));
    let is_lost = !matches!(place, Place::NotReady(_));
    (is_known && is_lost && !waiting.is_empty()).then(|| Case {
        place,
        title: words::title(join),
        subject: subject(join),
        storage: Storage::Pinned,
        attachment: None,
        link: Link::Disk,
        hold: wanted(join, place.name()).unwrap_or(Hold::Free),
        waiting,
    })
}

pub fn subject(join: &VolumeJoin<'_>) -> ObjectRef {
    let by_name = |name: &Text| ObjectRef {
        kind: Kind::PersistentVolume,
        name: Name::cluster(name.clone()),
        uid: Text::default(),
    };
    match (&join.id, join.volume, join.claim) {
        (_, Some(volume), _) => volume.object(),
        (VolumeId::Claim(_), None, Some(claim)) => claim.object(),
        (VolumeId::Claim(claim), None, None) => by_name(&claim.name),
        (VolumeId::Persistent(name) | VolumeId::Unknown(name), None, _) => by_name(name),
    }
}

fn hold(view: &View<'_>, place: Place<'_>, join: &VolumeJoin<'_>, attached: &Attached<'_>) -> Hold {
    if let AttachedBy::Object(object) = attached.by
        && let Some(detaching) = detaching(object)
    {
        return detaching;
    }
    if let Some(wanted) = wanted(join, place.name()) {
        return wanted;
    }
    let Some(volume) = join.volume else { return Hold::NotKnown };
    let may_be_wanted = |claim: &Name| !view.cluster.knows_pods_of(&claim.namespace);
    if join.claim_name.as_ref().is_some_and(may_be_wanted) {
        return Hold::NotKnown;
    }
    // The controller waits for the unmount of what the kubelet says to use, and of nothing else.
    let unique = volume.unique_name();
    let is_unused = |node: &Node| {
        unique.as_ref().is_some_and(|unique| node.volumes_in_use.iter().all(|used| used != unique.as_str()))
    };
    if place.node().is_some_and(|node| node.is_out_of_service() || is_unused(node)) {
        return Hold::Free;
    }
    Hold::Unwanted(view.cluster.volume_unwanted_since(place.name(), &volume.meta.name.name))
}

fn detaching(object: &VolumeAttachment) -> Option<Hold> {
    let error = object.detach_error.as_ref().map(|error| error.message.to_string());
    let is_asked = object.meta.is_deleting() || error.is_some();
    let since = object.meta.deletion.map(|deletion| deletion.deadline);
    is_asked.then_some(Hold::Detaching { since, error })
}

fn wanted(join: &VolumeJoin<'_>, node: &str) -> Option<Hold> {
    let pods: Vec<&Pod> = join.wanting_on(node).collect();
    (!pods.is_empty()).then(|| Hold::Wanted {
        by: pods.iter().map(|pod| pod.object()).collect(),
        are_going: pods.iter().all(|pod| pod.meta.is_deleting()),
    })
}

/// Whether the case is worth a finding; a kubelet that talks gets the time to unmount.
fn judge(view: &View<'_>, case: &Case<'_>, found: &mut Found) {
    if let Place::NotReady(_) = case.place {
        let since = match &case.hold {
            Hold::Wanted { .. } | Hold::NotKnown => return,
            Hold::Detaching { error: Some(_), .. } => None,
            Hold::Detaching { since, .. } => *since,
            Hold::Unwanted(since) => since.map(|since| since.at),
            Hold::Free => case.place.since(),
        };
        let due = since.and_then(|since| since.checked_add(view.timers.deletion_slack).ok());
        if let Some(due) = due.filter(|due| *due > view.now) {
            found.look_again(due, view.now);
            return;
        }
    }
    found.add(finding(view, case));
}

fn finding(view: &View<'_>, case: &Case<'_>) -> Finding {
    let holders = match &case.hold {
        Hold::Wanted { by, .. } => by.as_slice(),
        Hold::Detaching { .. } | Hold::Unwanted(_) | Hold::Free | Hold::NotKnown => &[],
    };
    let clock = match &case.hold {
        Hold::Unwanted(Some(since)) => since.at.checked_add(view.timers.force_detach).ok().map(|at| Clock {
            what: Awaited::ForceDetach,
            at,
            bound: if since.is_exact { Bound::Exact } else { Bound::AtLatest },
        }),
        Hold::Detaching { .. } | Hold::Wanted { .. } | Hold::Unwanted(None) | Hold::Free | Hold::NotKnown => {
            None
        }
    };
    let since = match &case.hold {
        Hold::Detaching { since, .. } => *since,
        Hold::Unwanted(since) => since.map(|since| since.at),
        Hold::Wanted { .. } | Hold::Free | Hold::NotKnown => None,
    };
    let node = case.place.object();
    let mut about = vec![node.clone()];
    about.extend(case.attachment.map(Row::object).filter(|object| *object != case.subject));
    about.extend(holders.iter().cloned());
    Finding {
        rule: RuleId::VolumeOnUnreadyNode,
        severity: if case.waiting.is_empty() { Severity::Warning } else { Severity::Critical },
        subject: case.subject.clone().into(),
        about,
        held_up: case.waiting.iter().map(|(pod, _)| pod.clone()).collect(),
        sentence: words::sentence(case),
        since: since.or_else(|| case.place.since()),
        clock,
        evidence: evidence(view, case),
        next: words::next(case),
        cause: Some(node.into()),
    }
}

fn evidence(view: &View<'_>, case: &Case<'_>) -> Vec<Evidence> {
    let cluster = view.cluster;
    let mut evidence = Vec::new();
    match (case.attachment, case.link) {
        (Some(object), _) => evidence.push(Evidence::at(
            format!("attachment {} of {} is there", object.meta.name, object.attacher),
            object.meta.created,
        )),
        (None, Link::Attached | Link::Attaching) => {
            evidence.push(Evidence::new("the node's status lists it as attached"));
            let feed = cluster.feed(Feed::Watch(Kind::VolumeAttachment));
            if !feed.was_complete {
                evidence.push(Evidence::new(
                    "volume attachments are not known: judged by the node's status alone",
                ));
            }
        }
        (None, Link::Disk) => evidence.push(Evidence::new("its node affinity names that machine alone")),
    }
    if let Some(volume) = cluster.persistent_volumes.get(&case.subject.name) {
        evidence.extend(words::facts(volume, case.place.node()));
    }
    if let Some(object) = case.attachment {
        for (error, what) in [(&object.attach_error, "attach"), (&object.detach_error, "detach")] {
            if let Some(error) = error {
                evidence.push(Evidence::at(format!("{what} failed: {}", error.message), error.at));
            }
        }
    }
    if let Hold::Unwanted(Some(Since { is_exact: false, .. })) = case.hold {
        evidence
            .push(Evidence::new("the clock of the forced detach was already running when it was first seen"));
    }
    evidence
}
