//! Whether a machine is dead enough for a dangerous request: facts in, and out comes either a [`Cleared`] or all that
//! speaks against it, each with what to do about it.
//!
//! It deliberately gathers nothing: [`inquiry`] asks and [`facts`] puts together. Invariant: only this module makes a
//! [`Cleared`], for one request, and it is worth nothing after five seconds. There is no override.

pub mod facts;
pub mod inquiry;
mod review;

pub use facts::{Death, Facts, Leadership, ObjectState, Speech};
pub use inquiry::Inquiry;
pub use review::checks;

use super::Sight;
use super::dangerous::Dangerous;
use super::others::{Other, Stage, Survey, others as others_at};
use crate::cluster::{Effect, Kind, ObjectRef, Readiness, Taint, Text};
use jiff::{SignedDuration, Timestamp};

/// How long a proof is worth something: longer than a request takes, shorter than a machine needs to come back.
pub const WORTH: SignedDuration = SignedDuration::from_secs(5);
/// Between the two reads of a lease, by the local monotonic clock.
pub const APART: SignedDuration = SignedDuration::from_secs(15);
/// The later read, and the read of the node, are no older than this.
pub const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// A controller-manager that leads for less than this may not have timed the silence itself.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

/// One request is cleared, at one moment. Cannot be made outside of this module, and is no value that can be kept: a
/// call takes it and is gone with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Cleared {
    pub(super) what: Dangerous,
    /// Of the object, as the evidence was about it.
    pub(super) version: Text,
    pub(super) taints: Box<[Taint]>,
    pub(super) finalizers: Box<[Text]>,
    until: Timestamp,
    /// The same by the local monotonic clock, where a machine had to be dead: whoever was suspended since notices.
    until_steady: Option<SignedDuration>,
    _sealed: (),
}

impl Cleared {
    pub const fn what(&self) -> &Dangerous {
        &self.what
    }

    /// When it is worth nothing any more.
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    pub const fn until_steady(&self) -> Option<SignedDuration> {
        self.until_steady
    }
}

/// What an objection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// What is known may be old.
    Picture,
    /// The object of the request.
    Object,
    /// What the node's status says.
    Node,
    Lease,
    /// A pod's log on it.
    Log,
    /// The machine itself, by a configured command.
    Probe,
    /// Many nodes at once, or the control plane itself.
    Storm,
    Leader,
    Death,
    Quorum,
    Volumes,
    Rights,
    /// Somebody else acts on it.
    Others,
}

/// What speaks against a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    pub ground: Ground,
    pub reason: String,
    pub remedy: String,
    /// It passes when what was asked is answered, or asked again.
    pub is_open: bool,
}

impl Objection {
    fn new(ground: Ground, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { ground, reason: reason.into(), remedy: remedy.into(), is_open: false }
    }

    fn open(self) -> Self {
        Self { is_open: true, ..self }
    }
}

/// Clears a request, or says all that speaks against it.
pub fn clear(facts: &Facts) -> Result<Cleared, Vec<Objection>> {
    let mut objections = Vec::new();
    if let Some(reason) = &facts.staleness {
        let reason = format!("what is known may be old: {reason}");
        objections.push(Objection::new(Ground::Picture, reason, "wait until the picture is live"));
    }
    objections.extend(object(facts));
    let lesser = lesser(facts);
    let is_lesser = lesser.is_some();
    match (facts.what.node(), lesser) {
        (Some(node), None) => death(node, facts, &mut objections),
        // Its own conditions are those of the object.
        (Some(_) | None, Some(more)) => objections.extend(more),
        (None, None) => {}
    }
    objections.extend(rights(facts, is_lesser));
    if !objections.is_empty() {
        objections.sort_by_key(|objection| objection.ground);
        return Err(objections);
    }
    // The later read of the lease is no older than that when the request is sent, and not when it was decided.
    let last =
        facts.leases.as_ref().map(|(_, last)| last).filter(|_| !is_lesser && facts.what.node().is_some());
    let from = last.map_or(facts.now, |last| last.at.min(facts.now));
    let is_of_node = facts.what.object().kind == Kind::Node;
    let seen = facts.node.as_ref().filter(|_| is_of_node);
    Ok(Cleared {
        what: facts.what.clone(),
        version: seen
            .map_or_else(|| facts.object.version.clone(), |seen| seen.row.meta.resource_version.clone()),
        taints: seen.map(|seen| seen.row.taints.clone()).unwrap_or_default(),
        finalizers: facts.object.finalizers.clone(),
        until: from.saturating_add(WORTH).unwrap_or(from),
        until_steady: last.map(|last| last.asked.saturating_add(WORTH)),
        _sealed: (),
    })
}

/// What the object itself has against it.
fn object(facts: &Facts) -> Vec<Objection> {
    let object = facts.what.object();
    let state = &facts.object;
    if !state.is_there {
        let reason = format!("{object} is not there any more, or another one has its name");
        return vec![Objection::new(Ground::Object, reason, "look again, and choose what is there now")];
    }
    let mut objections = Vec::new();
    match &facts.what {
        Dangerous::OutOfService { .. } | Dangerous::DeleteNode { .. } => {
            if facts.node.as_ref().is_some_and(|seen| has_unknown_effect(&seen.row.taints)) {
                let reason = format!("{object} has a taint whose effect this version does not know");
                let remedy = "it could not be written back as it is: use kubectl";
                objections.push(Objection::new(Ground::Object, reason, remedy));
            }
        }
        Dangerous::ReleasePod { .. } => {}
        Dangerous::DeleteAttachment { .. } => {
            if let [first, ..] = state.wanted_by.as_slice() {
                let reason = format!("pod {first} still wants the volume there: it would be attached anew");
                objections.push(Objection::new(Ground::Object, reason, "release its pod first"));
            }
        }
        Dangerous::RemoveFinalizer { finalizer, .. } => {
            if !state.is_deleting {
                let reason = format!("{object} is not to go: its finalizer holds nothing up");
                objections.push(Objection::new(Ground::Object, reason, "delete it first, if it has to go"));
            }
            if !state.finalizers.contains(finalizer) {
                let reason = format!("{object} has no finalizer {finalizer}");
                objections.push(Objection::new(Ground::Object, reason, "look again"));
            }
            if let [first, ..] = state.wanted_by.as_slice() {
                let reason = format!("pod {first} still wants the volume there");
                objections.push(Objection::new(Ground::Object, reason, "release its pod first"));
            }
        }
    }
    objections
}

fn has_unknown_effect(taints: &[Taint]) -> bool {
    taints.iter().any(|taint| taint.effect == Effect::Other)
}

/// Where no death has to be proved: the objections of those cases. Nothing where it has to be.
fn lesser(facts: &Facts) -> Option<Vec<Objection>> {
    let state = &facts.object;
    match &facts.what {
        Dangerous::RemoveFinalizer { object, node, .. } => {
            // The kubelet has done its part.
            let has_ended = object.kind == Kind::Pod && state.is_overdue && state.has_stopped;
            if object.kind == Kind::Namespace || has_ended {
                return Some(Vec::new());
            }
            node.is_none().then(|| {
                let reason =
                    format!("the node of {object} is gone: nothing can prove that its machine is off");
                let remedy =
                    "wait for the controllers: they release pods in a minute, and detach by force in six";
                vec![Objection::new(Ground::Death, reason, remedy)]
            })
        }
        Dangerous::ReleasePod { pod, node } => {
            let seen = facts.node.as_ref()?;
            let readiness = seen.row.readiness();
            let speaks = readiness == Readiness::Ready || readiness == Readiness::NotReady;
            if !speaks || seen.row.meta.uid != node.uid {
                return None;
            }
            let mut objections = Vec::new();
            let word = readiness.word();
            if !is_fresh(seen.at, facts.now) {
                let reason = format!("{node} was read more than {} s ago", FRESH.as_secs());
                objections.push(Objection::new(Ground::Node, reason, "it is read again").open());
            }
            if state.is_stateful {
                let reason = format!(
                    "the kubelet of {node} speaks ({word}), and {pod} is a stateful set's: two of it would run"
                );
                let remedy = "find out why the kubelet does not end it: a preStop, the runtime, an unmount";
                objections.push(Objection::new(Ground::Node, reason, remedy));
            }
            if let [first, ..] = state.exclusive.as_slice() {
                let reason = format!(
                    "the kubelet of {node} speaks ({word}), and {pod} has the volume {first} for itself"
                );
                let remedy = "find out why the kubelet does not end it; its process may still write";
                objections.push(Objection::new(Ground::Volumes, reason, remedy));
            }
            if !state.is_overdue {
                let reason = format!("{pod} is not stuck: its kubelet speaks, and its time is not over");
                objections.push(Objection::new(Ground::Object, reason, "delete it, and give it its grace"));
            }
            Some(objections)
        }
        Dangerous::OutOfService { .. }
        | Dangerous::DeleteAttachment { .. }
        | Dangerous::DeleteNode { .. } => None,
    }
}

/// That the machine is dead: all of it, in the order of what is asked.
fn death(node: &ObjectRef, facts: &Facts, objections: &mut Vec<Objection>) {
    objections.extend(status(node, facts));
    objections.extend(lease(node, facts));
    objections.extend(log(node, facts));
    objections.extend(probe(node, facts));
    objections.extend(storm(node, facts.unready, facts.are_all_zones_down));
    objections.extend(leader(facts));
    objections.extend(proof(node, facts));
    objections.extend(volumes(facts));
    objections.extend(quorum(node, facts.is_last_control_plane));
    objections.extend(others(node, &facts.others));
}

fn quorum(node: &ObjectRef, is_last: bool) -> Option<Objection> {
    is_last.then(|| {
        let reason = format!("{node} is the last of the control plane that could answer");
        Objection::new(Ground::Quorum, reason, "bring another member of the control plane up first")
    })
}

fn others(node: &ObjectRef, others: &[Other]) -> Vec<Objection> {
    let objection = |other: &Other| {
        let reason = format!("somebody else acts on {node}: {}", other.sentence());
        let remedy = "let it finish, or pause it, so that two do not act at once";
        Objection::new(Ground::Others, reason, remedy)
    };
    others.iter().filter(|other| other.stage == Stage::Acting).map(objection).collect()
}

fn status(node: &ObjectRef, facts: &Facts) -> Option<Objection> {
    let alive = "it is alive as far as anybody knows: look at the node, or restart its kubelet";
    let Some(seen) = &facts.node else {
        let reason = format!("{node} was not read live");
        return Some(Objection::new(Ground::Node, reason, "it is read right before").open());
    };
    if seen.row.meta.uid != node.uid {
        let reason = format!("{node} was deleted and registered afresh: it is not the one that you saw");
        return Some(Objection::new(Ground::Node, reason, "look at the new one"));
    }
    let readiness = seen.row.readiness();
    let reason = seen.row.condition("Ready").map(|ready| ready.reason.as_str()).unwrap_or_default();
    match readiness {
        Readiness::Silent if reason == "NodeStatusUnknown" => {}
        Readiness::Silent => {
            let said = format!("{node} is Unknown for another reason than silence: {reason}");
            return Some(Objection::new(Ground::Node, said, "find out who wrote it"));
        }
        Readiness::Ready => {
            return Some(Objection::new(Ground::Node, format!("{node} is Ready: its kubelet talks"), alive));
        }
        Readiness::NotReady => {
            let said = format!("{node} is NotReady by its own word: its kubelet talks, so the machine lives");
            return Some(Objection::new(Ground::Node, said, alive));
        }
        Readiness::New => {
            let said = format!("{node} has never said how it is");
            return Some(Objection::new(Ground::Node, said, "wait until the controller has judged it"));
        }
    }
    (!is_fresh(seen.at, facts.now)).then(|| {
        let reason = format!("{node} was read more than {} s ago", FRESH.as_secs());
        Objection::new(Ground::Node, reason, "it is read again").open()
    })
}

fn lease(node: &ObjectRef, facts: &Facts) -> Option<Objection> {
    let open = |reason: String| {
        Objection::new(Ground::Lease, reason, "it is read again, and that is waited for").open()
    };
    if let Some(reason) = &facts.moved {
        let remedy = "the node lives, or did a moment ago: a partition is not a death";
        return Some(Objection::new(Ground::Lease, reason.clone(), remedy));
    }
    let Some((first, last)) = &facts.leases else {
        let reason = format!("the lease of {node} is read twice, {} s apart", APART.as_secs());
        return Some(open(reason));
    };
    let is_same = first.lease.renewed == last.lease.renewed
        && first.lease.resource_version == last.lease.resource_version
        && first.lease.uid == last.lease.uid;
    if !is_same {
        let reason = format!("the lease of {node} has moved between two reads");
        let remedy = "the node lives, or did a moment ago: a partition is not a death";
        return Some(Objection::new(Ground::Lease, reason, remedy));
    }
    // The shortest time that can have passed between them.
    let apart = last.asked.saturating_sub(first.answered);
    if apart < APART {
        return Some(open(format!(
            "the two reads of {node}'s lease are less than {} s apart",
            APART.as_secs()
        )));
    }
    (!is_fresh(last.at, facts.now))
        .then(|| open(format!("the lease of {node} was read more than {} s ago", FRESH.as_secs())))
}

/// What was read after now was read by a clock that has been set since: nobody knows when it was.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age <= FRESH
}

fn log(node: &ObjectRef, facts: &Facts) -> Option<Objection> {
    match &facts.speech {
        None => {
            let reason = format!("whether anything on {node} answers is asked");
            Some(Objection::new(Ground::Log, reason, "it is asked right before").open())
        }
        Some(Speech::Life(answer)) => {
            let reason = format!("the kubelet of {node} answers: {answer}");
            Some(Objection::new(
                Ground::Log,
                reason,
                "it lives: the API's picture of it is wrong, and not the machine",
            ))
        }
        Some(Speech::Silence(_) | Speech::NotKnown(_)) => None,
    }
}

fn probe(node: &ObjectRef, facts: &Facts) -> Option<Objection> {
    match &facts.echo {
        None => {
            let reason = format!("whether the machine of {} answers is asked", node.name);
            Some(Objection::new(Ground::Probe, reason, "it is asked right before").open())
        }
        Some(Speech::Life(answer)) => {
            let reason = format!("the machine of {} answers its probe: {answer}", node.name);
            Some(Objection::new(Ground::Probe, reason, "it lives, and what runs there may write: fence it"))
        }
        Some(Speech::Silence(_) | Speech::NotKnown(_)) => None,
    }
}

/// What speaks against acting on a machine at all, whatever it is that is done: the cluster around it, and who else is
/// at it, as far as their objects were read.
pub fn bystanders(node: &ObjectRef, survey: Option<&Survey>, sight: &Sight<'_>) -> Vec<Objection> {
    let cluster = sight.cluster;
    let are_all_down = cluster.nodes.values().all(|row| !row.is_ready());
    let mut objections = Vec::new();
    objections.extend(storm(node, (cluster.unready_nodes().count(), cluster.nodes.len()), are_all_down));
    objections.extend(quorum(node, facts::is_last_control_plane(node, cluster)));
    if let Some(row) = cluster.nodes.same(node) {
        objections.extend(others(node, &others_at(row, survey, (cluster, sight.now))));
    }
    objections
}

fn storm(node: &ObjectRef, (unready, total): (usize, usize), are_all_down: bool) -> Option<Objection> {
    if are_all_down && total > 1 {
        let reason =
            "no node of any zone is ready: the control plane has lost touch, and not every machine its life";
        return Some(Objection::new(Ground::Storm, reason, "look at the control plane and its network"));
    }
    // One is always allowed.
    if unready > 1 && unready * 3 > total {
        let reason =
            format!("{unready} of {total} nodes are not ready, {} among them: more than a third", node.name);
        let remedy = "look for what they share; one machine rarely dies in company";
        return Some(Objection::new(Ground::Storm, reason, remedy));
    }
    None
}

fn leader(facts: &Facts) -> Option<Objection> {
    match &facts.leadership {
        Leadership::NotAsked => {
            let reason = "whether the controller-manager leads is asked";
            Some(Objection::new(Ground::Leader, reason, "it is asked right before").open())
        }
        Leadership::Unreadable(reason) => {
            let reason = format!("it is not known whether the controller-manager works: {reason}");
            let remedy =
                "ask for the right to get leases in kube-system, or again when the API server answers";
            Some(Objection::new(Ground::Leader, reason, remedy))
        }
        Leadership::Quiet => {
            let reason =
                "the controller-manager has not renewed its lease: what it wrote of the node may be old";
            // It may have been held up for a moment; nothing is cleared before it works.
            Some(
                Objection::new(Ground::Leader, reason, "it is asked again; look at the controller-manager")
                    .open(),
            )
        }
        Leadership::Leads { since } => {
            let silent = facts.node.as_ref().and_then(|seen| seen.row.ready_since());
            let has_timed_it = since.is_none_or(|since| {
                silent.is_some_and(|silent| since <= silent) || facts.now.duration_since(since) >= SETTLED
            });
            (!has_timed_it).then(|| {
                let reason = "the controller-manager leads for less than a minute, and has not timed this silence itself";
                Objection::new(Ground::Leader, reason, "wait a minute, and look again")
            })
        }
        // Some distributions elect none.
        Leadership::NoLease => None,
    }
}

fn proof(node: &ObjectRef, facts: &Facts) -> Option<Objection> {
    facts.deaths.is_empty().then(|| {
        let reason = format!("nothing proves that {} is off: silence is no proof", node.name);
        let remedy = format!(
            "switch it off and see that it is, then state it (--powered-off {}), or configure a fence command",
            node.name
        );
        Objection::new(Ground::Death, reason, remedy)
    })
}

fn volumes(facts: &Facts) -> Vec<Objection> {
    let elsewhere = facts.used_elsewhere.iter().map(|used| {
        let remedy = "two machines have it: stop the pod there before anything is detached here";
        Objection::new(Ground::Volumes, used.clone(), remedy)
    });
    let deleting = facts.detaching.iter().map(|attachment| {
        let reason = format!("volumeattachment {attachment} is to go already");
        Objection::new(Ground::Volumes, reason, "wait for it, and look at what its driver says")
    });
    elsewhere.chain(deleting).collect()
}

fn rights(facts: &Facts, is_lesser: bool) -> Vec<Objection> {
    // Where no death is proved, nothing but the request itself is done.
    let own = facts.what.access().right;
    let denied = facts.denied.iter().filter(|access| !is_lesser || access.right == own).map(|access| {
        let remedy = format!("ask for the right to {}", access.right);
        Objection::new(Ground::Rights, format!("you may not {access}"), remedy)
    });
    let unasked = (!facts.are_rights_known).then(|| {
        Objection::new(Ground::Rights, "what you may do is asked", "it is asked right before").open()
    });
    denied.chain(unasked).collect()
}

#[cfg(test)]
mod tests;
