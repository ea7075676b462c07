//! The acts of a scenario, carried out when their time comes: on machines, on storage, and on the store as an
//! operator would.
//!
//! All consequences are the controllers'. What a file may say is `scenario`'s.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::scenario::{Act, Script, Target};
use super::super::store::Key;
use super::super::{deletion, object};
use super::machine::{Contact, Machine};
use super::{Timers, World, cast, pod};

/// The acts that are still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Acts {
    acts: VecDeque<(Timestamp, Act)>,
}

impl Acts {
    /// A script's acts; the failure is its zero.
    pub(super) fn of(script: &Script, failure: Timestamp, timers: Timers) -> Self {
        let acts = script.acts.iter();
        Self { acts: acts.map(|(after, act)| (failure + *after / timers.divisor(), act.clone())).collect() }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.acts.front().map(|(at, _)| *at)
    }

    /// One more, which nobody has written down.
    fn add(&mut self, at: Timestamp, act: Act) {
        let place = self.acts.partition_point(|(known, _)| *known <= at);
        self.acts.insert(place, (at, act));
    }

    fn turns_on(&self, node: &str) -> bool {
        let is_of = |act: &Act| matches!(act, Act::PowerOn(nodes) if nodes.iter().any(|known| known == node));
        self.acts.iter().any(|(_, act)| is_of(act))
    }

    /// Takes the acts whose time has come.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Act> {
        let due = self.acts.partition_point(|(at, _)| *at <= now);
        self.acts.drain(..due).map(|(_, act)| act).collect()
    }
}

impl World {
    pub(crate) fn perform(&mut self, act: &Act) {
        // What happens to machines is in no resource: everybody has to look.
        self.controllers.iter_mut().for_each(|running| running.seen = None);
        match act {
            Act::PowerOff(nodes) => self.turn(nodes, |machine| machine.contact = Contact::Off),
            Act::PowerOn(nodes) => {
                self.turn(nodes, |machine| {
                    *machine = Machine {
                        contact: Contact::Speaks,
                        hangs: false,
                        boots: machine.boots + 1,
                        detach_refusal: machine.detach_refusal.take(),
                    };
                });
                cast::register_again(self, nodes);
            }
            Act::StopKubelet(nodes) => self.turn(nodes, |machine| machine.contact = Contact::Stopped),
            Act::StartKubelet(nodes) => {
                self.turn(nodes, |machine| machine.contact = Contact::Speaks);
                cast::register_again(self, nodes);
            }
            Act::CutOff(nodes) => self.turn(nodes, |machine| machine.contact = Contact::CutOff),
            Act::Reconnect(nodes) => self.turn(nodes, |machine| machine.contact = Contact::Speaks),
            Act::Hang(nodes) => self.turn(nodes, |machine| machine.hangs = true),
            Act::Unhang(nodes) => self.turn(nodes, |machine| machine.hangs = false),
            Act::RefuseDetach { nodes, message } => {
                self.turn(nodes, |machine| machine.detach_refusal = Some(message.clone()));
            }
            Act::AllowDetach(nodes) => self.turn(nodes, |machine| machine.detach_refusal = None),
            Act::Cordon(nodes) => {
                self.edit_nodes(nodes, |node| node["spec"]["unschedulable"] = json!(true));
            }
            Act::Taint { nodes, taint } => self.edit_nodes(nodes, |node| {
                let mut taints = object::items(node, "/spec/taints").to_vec();
                taints.retain(|known| known["key"] != taint.key || known["effect"] != taint.effect);
                taints.push(json!({ "key": taint.key, "value": taint.value, "effect": taint.effect }));
                node["spec"]["taints"] = json!(taints);
            }),
            Act::Delete(target) => self.delete(target, None),
            Act::ForceDelete(target) => self.delete(target, Some(0)),
            Act::SetImage { of: Target { resource, key }, image } => {
                self.store.change(*resource, key, self.now, |workload| {
                    workload["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
                });
            }
            Act::Create(objects) => self.create(objects),
        }
    }

    /// Machines that are off, and whose nodes somebody has deleted, are replaced as those of a pool are: a minute later,
    /// by fresh ones under their names.
    pub(super) fn replace_retired(&mut self) {
        let retired: Vec<String> = self
            .machines
            .off()
            .filter(|node| self.store.get(Resource::Nodes, &Key::new("", node)).is_none())
            .filter(|node| !self.script.turns_on(node))
            .map(ToOwned::to_owned)
            .collect();
        for node in retired {
            self.script.add(self.now + self.timers.seconds(60), Act::PowerOn(vec![node]));
        }
    }

    /// Puts objects there as the API server would take them.
    pub(super) fn create(&mut self, objects: &[(Resource, Value)]) {
        for (resource, object) in objects {
            let mut object = object.clone();
            if *resource == Resource::Pods {
                object["status"] = json!({ "phase": "Pending", "qosClass": "BestEffort" });
                pod::admit(&mut object, self.timers);
            } else if object["status"].is_null() {
                object["status"] = json!({});
            }
            self.add(*resource, object);
        }
    }

    fn turn(&mut self, nodes: &[String], change: impl Fn(&mut Machine)) {
        for node in nodes {
            change(self.machines.of(node));
        }
    }

    fn edit_nodes(&mut self, nodes: &[String], edit: impl Fn(&mut Value)) {
        for node in nodes {
            self.store.change(Resource::Nodes, &Key::new("", node), self.now, &edit);
        }
    }

    fn delete(&mut self, target: &Target, grace: Option<i64>) {
        deletion::delete(&mut self.store, target.resource, &target.key, grace, self.now);
    }
}
