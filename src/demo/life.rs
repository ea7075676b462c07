//! A scenario lived through in simulated time: no server, no waiting, and each run is like the one before.
//!
//! What it tells is what the API would send, byte for byte: the lines of a watch, the body of a list. It deliberately
//! decides nothing about when: who lives it says how far to go, and may act in between as an operator would.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::api::selector::Selector;
use super::api::{list, watch};
use super::resource::Resource;
use super::scenario::{Act, Scenario, Target};
use super::store::Key;
use super::world::World;
use super::{Blow, Options};

#[derive(Clone, Debug)]
pub struct Life {
    world: World,
    failure: Timestamp,
}

impl Life {
    /// Begins as the demo does, ten seconds before the failure.
    pub fn new(scenario: Scenario, from: Timestamp) -> Self {
        let options = Options { scenario, from: Duration::ZERO, ..Options::default() };
        let world = World::play(&options, from);
        Self { world, failure: from + SignedDuration::from_secs(10) }
    }

    /// The same beginning with another scenario before it; `None` where that needs a cluster of its own. To bring one
    /// up takes longer than to live through most of them.
    pub fn with(&self, scenario: Scenario) -> Option<Self> {
        let mut life = self.clone();
        life.world.expect(scenario, self.failure);
        scenario.script().before.is_empty().then_some(life)
    }

    /// The zero of the scenario's moments.
    pub const fn failure(&self) -> Timestamp {
        self.failure
    }

    /// Plays on until a moment; gives the next one at which somebody in the cluster has something to do.
    pub fn advance(&mut self, to: Timestamp) -> Option<Timestamp> {
        self.world.advance(to)
    }

    /// What a watch of a resource sends that goes on from a version, and up to which version; without one, all that is
    /// there.
    pub fn watch(&self, resource: Resource, from: Option<u64>) -> (Vec<u8>, u64) {
        let store = &self.world.store;
        let everything = Selector::default();
        let lines: Vec<Value> = match from {
            None => store.list(resource).map(|object| watch::line("ADDED", object)).collect(),
            // Who asks at every moment is never too late: the log holds far more than a moment brings.
            Some(version) => store
                .since(resource, version)
                .into_iter()
                .flatten()
                .filter_map(|entry| watch::seen(entry, &everything))
                .map(|(kind, object)| watch::line(kind, &object))
                .collect(),
        };
        (lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect(), store.version())
    }

    /// The body of a list of what is in a namespace.
    pub fn list(&self, resource: Resource, namespace: &str, now: Timestamp) -> Vec<u8> {
        let selector = Selector::in_namespace(namespace);
        list::whole(&self.world.store, resource, &selector, now).to_string().into_bytes()
    }

    /// Creates an object as `kubectl create` does.
    pub fn create(&mut self, resource: Resource, object: Value) {
        self.world.perform(&Act::Create(vec![(resource, object)]));
    }

    /// Changes an object by a JSON merge patch; `namespace` is empty for what has none. False if there is none.
    pub fn patch(&mut self, resource: Resource, namespace: &str, name: &str, patch: &Value) -> bool {
        let now = self.world.now();
        self.world.store.patch(resource, &Key::new(namespace, name), patch, now).is_some()
    }

    /// Deletes an object as `kubectl delete` does: pods get their grace.
    pub fn delete(&mut self, resource: Resource, namespace: &str, name: &str) {
        let key = Key::new(namespace, name);
        self.world.perform(&Act::Delete(Target { resource, key }));
    }

    /// Does something to a machine.
    pub fn strike(&mut self, node: &str, blow: Blow) {
        self.world.perform(&blow.on(node));
    }
}
