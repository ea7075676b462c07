//! The world behind the demo's API: controllers that act on the store, and a clock that is told what time it is.
//!
//! A discrete simulation without a clock and without chance of its own: [`World::advance`] plays everything that is
//! due up to a moment, in order, and says when it wants to be woken next. Controllers know nothing of each other and
//! look at nothing but the store, as in a real cluster, so a write from outside is answered like one of their own.
//! What goes wrong, and when, is in `script`; who is there is in `cast`.

mod attach_detach;
mod cast;
mod controller_revision;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoint_slice;
mod event;
mod external_attacher;
mod front;
mod garbage;
mod heartbeat;
mod job;
mod kubelet;
mod leader;
mod machine;
mod namespace;
mod node;
mod node_lifecycle;
mod pod;
mod pod_gc;
mod provisioner;
mod replica_set;
mod rollout;
mod scheduler;
mod script;
mod stateful_set;
mod taint_eviction;
mod toleration;
mod volume;

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::resource::Resource;
use super::store::{Key, Store};
use super::{Options, Scenario};
pub(crate) use machine::Contact;
use machine::Machines;
use script::Acts;

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Store,
    now: Timestamp,
    due: Option<Timestamp>,
    timers: Timers,
    machines: Machines,
    script: Acts,
    controllers: Vec<Running>,
}

/// One of the programs that run a cluster.
trait Controller: Copied + Send {
    /// The resources whose changes concern it.
    fn watches(&self) -> &'static [Resource];

    /// Looks at the store and does what there is to do now. Gives the next moment at which it has something to do
    /// even if nothing changes.
    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp>;
}

/// So that a world can be copied with everything that its controllers remember.
trait Copied {
    fn copied(&self) -> Box<dyn Controller>;
}

impl<C: Controller + Clone + 'static> Copied for C {
    fn copied(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Controller> {
    fn clone(&self) -> Self {
        self.as_ref().copied()
    }
}

/// A controller, and when it has to look again.
#[derive(Clone)]
struct Running {
    controller: Box<dyn Controller>,
    /// The version up to which it has seen everything; `None` before its first look.
    seen: Option<u64>,
    due: Option<Timestamp>,
}

impl Running {
    fn has_work(&self, store: &Store, now: Timestamp) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        let watches = self.controller.watches();
        is_due
            || self.seen.is_none_or(|seen| watches.iter().any(|resource| store.changed_at(*resource) > seen))
    }
}

/// What a controller sees and may touch.
struct Stage<'a> {
    now: Timestamp,
    store: &'a mut Store,
    timers: Timers,
    machines: &'a Machines,
}

/// The time that things take, divided by the speed of the demo.
#[derive(Clone, Copy, Debug)]
struct Timers {
    speed: u32,
}

impl World {
    /// Nothing in it and nobody acting.
    pub(crate) fn empty() -> Self {
        Self {
            store: Store::new(),
            now: Timestamp::UNIX_EPOCH,
            due: None,
            timers: Timers { speed: 1 },
            machines: Machines::default(),
            script: Acts::default(),
            controllers: Vec::new(),
        }
    }

    /// A cluster some weeks old that has come, at `now`, to where the options want to open it.
    pub(crate) fn play(options: &Options, now: Timestamp) -> Self {
        let timers = Timers { speed: options.speed.clamp(1, MOST_SPEED) };
        let from = SignedDuration::try_from(options.from).unwrap_or(SignedDuration::MAX).min(MOST_PAST);
        let failure = if from.is_zero() { now + timers.seconds(10) } else { now - from / timers.divisor() };
        let script = options.scenario.script();
        let mut world =
            Self { now: failure, timers, controllers: controllers(failure, timers), ..Self::empty() };
        cast::assemble(&mut world, &script.before, failure.min(now) - timers.seconds(60));
        world.script = Acts::of(script, failure, timers);
        world.advance(now);
        world
    }

    /// Has the acts of a scenario before it, which must need nothing that is not there.
    pub(crate) fn expect(&mut self, scenario: Scenario, failure: Timestamp) {
        self.script = Acts::of(scenario.script(), failure, self.timers);
        self.due = sooner(self.due, self.script.next());
    }

    /// What admission adds to a pod that somebody creates.
    pub(crate) fn admit(&self, pod: &mut Value) {
        pod::admit(pod, self.timers);
    }

    /// What is heard of a node's machine.
    pub(crate) fn contact(&self, node: &str) -> Contact {
        self.machines.contact(node)
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// As it is, with nobody left to act.
    pub(crate) fn stopped(self) -> Self {
        Self { controllers: Vec::new(), ..self }
    }

    /// Plays on until a moment; gives the next moment at which something is due.
    pub(crate) fn advance(&mut self, to: Timestamp) -> Option<Timestamp> {
        if self.controllers.is_empty() {
            return None;
        }
        loop {
            let next = self.due.filter(|due| *due <= to).unwrap_or(to).max(self.now);
            self.now = next;
            self.settle();
            if next >= to && self.due.is_none_or(|due| due > to) {
                return self.due;
            }
        }
    }

    /// Goes to a moment without playing what lies between: a quiet past, in which nothing happened but heartbeats.
    fn leap(&mut self, to: Timestamp) {
        self.now = to;
        self.settle();
    }

    /// Lets everybody act until nobody has anything more to do at this moment.
    fn settle(&mut self) {
        /// A pod takes some ten rounds from its owner to its node; more than this is two controllers at war.
        const MOST_ROUNDS: usize = 200;
        for _ in 0..MOST_ROUNDS {
            let mut is_quiet = true;
            for running in &mut self.controllers {
                if !running.has_work(&self.store, self.now) {
                    continue;
                }
                is_quiet = false;
                running.seen = Some(self.store.version());
                let mut stage = Stage {
                    now: self.now,
                    store: &mut self.store,
                    timers: self.timers,
                    machines: &self.machines,
                };
                let due = running.controller.reconcile(&mut stage);
                // Who is due now has just been asked.
                running.due = due.map(|due| due.max(self.now + SignedDuration::from_millis(1)));
            }
            for act in self.script.take_due(self.now) {
                is_quiet = false;
                self.perform(&act);
            }
            if is_quiet {
                self.replace_retired();
                self.due =
                    self.controllers.iter().fold(self.script.next(), |due, running| sooner(due, running.due));
                return;
            }
        }
        debug_assert!(false, "the controllers do not come to rest");
    }
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("now", &self.now)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

/// Faster than this, whole seconds cannot tell the steps of the incident apart.
const MOST_SPEED: u32 = 100;

/// What lies further back than this is not worth playing.
const MOST_PAST: SignedDuration = SignedDuration::from_hours(6);

/// Everybody who acts, in the order in which they look. `origin` is when the periodic ones are in step.
fn controllers(origin: Timestamp, timers: Timers) -> Vec<Running> {
    let controllers: [Box<dyn Controller>; 20] = [
        Box::new(heartbeat::Heartbeats::new(origin)),
        Box::new(kubelet::Kubelets::default()),
        Box::new(node_lifecycle::NodeLifecycle::new(origin + timers.seconds(1))),
        Box::new(taint_eviction::TaintEviction::default()),
        Box::new(pod_gc::PodGc::new(origin + timers.seconds(2))),
        Box::new(garbage::Garbage),
        Box::new(namespace::Namespaces),
        Box::new(deployment::Deployments),
        Box::new(replica_set::ReplicaSets),
        Box::new(stateful_set::StatefulSets),
        Box::new(daemon_set::DaemonSets),
        Box::new(job::Jobs::default()),
        Box::new(provisioner::Provisioner),
        Box::new(scheduler::Scheduler::new(cast::placements())),
        Box::new(attach_detach::AttachDetach::default()),
        Box::new(external_attacher::ExternalAttacher::default()),
        Box::new(disruption::Disruption),
        Box::new(endpoint_slice::EndpointSlices),
        Box::new(leader::Leaders::new(origin)),
        Box::new(event::Expiry),
    ];
    controllers.map(|controller| Running { controller, seen: None, due: None }).into()
}

impl Stage<'_> {
    fn all(&self, resource: Resource) -> Vec<Arc<Value>> {
        self.store.list(resource).cloned().collect()
    }

    fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.store.get(resource, &Key::new(namespace, name))
    }

    fn put(&mut self, resource: Resource, object: Value) -> Arc<Value> {
        self.store.put(resource, object, self.now)
    }

    fn change(&mut self, resource: Resource, key: &Key, edit: impl FnOnce(&mut Value)) {
        self.store.change(resource, key, self.now, edit);
    }

    /// Pods that are bound to a node.
    fn pods_on(&self, node: &str) -> Vec<Arc<Value>> {
        self.store.list(Resource::Pods).filter(|pod| pod["spec"]["nodeName"] == node).cloned().collect()
    }
}

impl Timers {
    fn seconds(self, seconds: i64) -> SignedDuration {
        self.millis(seconds * 1_000)
    }

    fn millis(self, millis: i64) -> SignedDuration {
        SignedDuration::from_millis(millis) / self.divisor()
    }

    /// For fields that hold seconds; never none, which would mean something else.
    fn whole_seconds(self, seconds: i64) -> i64 {
        (seconds / i64::from(self.speed)).max(1)
    }

    fn divisor(self) -> i32 {
        i32::try_from(self.speed).unwrap_or(i32::MAX)
    }
}

/// The earlier of two moments, where there may be none.
fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The first moment at or after `at` on a grid of `period` through `origin`.
fn next_beat(at: Timestamp, origin: Timestamp, period: SignedDuration) -> Timestamp {
    let past = at.duration_since(origin).as_nanos().rem_euclid(period.as_nanos().max(1));
    if past == 0 {
        return at;
    }
    let rest = period.as_nanos() - past;
    at + SignedDuration::from_nanos_i128(rest)
}

#[cfg(test)]
mod tests;
