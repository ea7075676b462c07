//! The machines behind the nodes, and the storage behind the volumes: what the API cannot see of them.
//!
//! A scenario changes them; kubelets and drivers act by them. No object of the API is here.

use std::collections::BTreeMap;

/// All machines, by the names of their nodes. One that nobody has spoken of runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machines {
    known: BTreeMap<String, Machine>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub(super) contact: Contact,
    /// Its kubelet speaks, but its runtime stops nothing.
    pub(super) hangs: bool,
    /// How often it has booted since the cluster began.
    pub(super) boots: u32,
    /// Why the storage does not detach what is attached to it.
    pub(super) detach_refusal: Option<String>,
}

/// What is heard of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Contact {
    /// Its kubelet reports and answers.
    #[default]
    Speaks,
    /// Its kubelet does not run: the machine itself answers that nobody listens.
    Stopped,
    /// It runs, but nothing reaches it and nothing comes from it.
    CutOff,
    /// It has no power.
    Off,
}

impl Machines {
    pub(super) fn of(&mut self, node: &str) -> &mut Machine {
        self.known.entry(node.to_owned()).or_default()
    }

    pub(crate) fn contact(&self, node: &str) -> Contact {
        self.known.get(node).map_or(Contact::Speaks, |machine| machine.contact)
    }

    /// Those without power.
    pub(super) fn off(&self) -> impl Iterator<Item = &str> {
        let off = self.known.iter().filter(|(_, machine)| machine.contact == Contact::Off);
        off.map(|(node, _)| node.as_str())
    }

    pub(super) fn speaks(&self, node: &str) -> bool {
        self.contact(node) == Contact::Speaks
    }

    pub(super) fn hangs(&self, node: &str) -> bool {
        self.known.get(node).is_some_and(|machine| machine.hangs)
    }

    pub(super) fn boots(&self, node: &str) -> u32 {
        self.known.get(node).map_or(0, |machine| machine.boots)
    }

    pub(super) fn detach_refusal(&self, node: &str) -> Option<&str> {
        self.known.get(node)?.detach_refusal.as_deref()
    }
}
