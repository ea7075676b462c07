//! What is free on nodes, by requests.
//!
//! It deliberately does not simulate the scheduler, and whoever asks says what was left out.

use crate::cluster::{Cluster, Effect, Node, Resources};

pub const NOT_SIMULATED: &str =
    "affinity, spreading, tolerated taints and extended resources are not looked at";

/// What is free on a node.
#[derive(Clone, Copy)]
struct Free {
    resources: Resources,
    pods: u64,
}

/// What is free on each of some nodes.
pub struct Room {
    nodes: Vec<Free>,
}

impl Room {
    /// On those of the nodes that take any pod.
    pub fn on<'a>(nodes: impl Iterator<Item = &'a Node>, cluster: &Cluster) -> Self {
        let takes_any = |node: &&Node| {
            let is_tainted = node.taints.iter().any(|taint| taint.effect != Effect::PreferNoSchedule);
            node.is_ready() && !node.is_cordoned() && !is_tainted
        };
        Self { nodes: nodes.filter(takes_any).map(|node| free(node, cluster)).collect() }
    }

    pub const fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is room for so many pods that ask for so much together.
    pub fn takes(&self, many: u64, needed: Resources) -> bool {
        needed.fit(self.resources()) && many <= self.places()
    }

    /// Whether one of the nodes has room for a pod.
    pub fn takes_one(&self, pod: Resources) -> bool {
        self.nodes.iter().any(|free| free.pods > 0 && pod.fit(free.resources))
    }

    pub fn resources(&self) -> Resources {
        self.nodes.iter().map(|free| free.resources).fold(Resources::default(), Resources::and)
    }

    pub fn places(&self) -> u64 {
        self.nodes.iter().map(|free| free.pods).fold(0, u64::saturating_add)
    }
}

fn free(node: &Node, cluster: &Cluster) -> Free {
    let on = || cluster.pods_on(&node.meta.name.name).filter(|pod| !pod.phase.is_terminal());
    let used = on().map(|pod| pod.requests).fold(Resources::default(), Resources::and);
    let places = u64::from(node.allocatable_pods.unwrap_or(u32::MAX));
    Free { resources: node.allocatable.less(used), pods: places.saturating_sub(on().count() as u64) }
}

pub fn shown(resources: Resources) -> String {
    let Resources { cpu_millis, memory_bytes } = resources;
    let cpu = format!("{}.{} CPU", cpu_millis / 1000, cpu_millis % 1000 / 100);
    format!("{cpu}, {} MiB", memory_bytes >> 20)
}
