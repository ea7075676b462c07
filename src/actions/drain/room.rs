//! Whether the rest of the cluster has room for what has to move, by requests.
//!
//! It deliberately does not simulate the scheduler, and says what it left out.

use super::forecast::{Scene, named};
use crate::actions::preflight::{Check, Verdict};
use crate::cluster::{Effect, Node, Resources};

const NOT_SIMULATED: &str = "affinity, spreading, tolerated taints and extended resources are not looked at";

/// What is free on a node.
#[derive(Clone, Copy)]
struct Free {
    resources: Resources,
    pods: u64,
}

pub fn checks(scene: &Scene<'_>) -> Vec<Check> {
    let moving = || scene.moving();
    let many = moving().count();
    if many == 0 {
        return Vec::new();
    }
    let is_open = |node: &&Node| {
        let is_tainted = node.taints.iter().any(|taint| taint.effect != Effect::PreferNoSchedule);
        scene.takes_pods(node) && !is_tainted
    };
    let free: Vec<Free> =
        scene.cluster.nodes.values().filter(is_open).map(|node| free(node, scene)).collect();
    if free.is_empty() {
        let reason = format!("no other node is Ready and takes pods: the {many} pods that go have no place");
        return vec![Check::new(Verdict::Warn, reason).remedy("add a node, or uncordon one")];
    }
    let needed = sum(moving().map(|pod| pod.requests));
    let left = sum(free.iter().map(|free| free.resources));
    let places: u64 = free.iter().map(|free| free.pods).fold(0, u64::saturating_add);
    let words = format!(
        "{} {}, and {} other nodes have {} and {places} places free",
        if many == 1 { "a pod requests".to_owned() } else { format!("{many} pods request") },
        shown(needed),
        free.len(),
        shown(left)
    );
    let mut checks = Vec::new();
    if !fits(needed, left) || (many as u64) > places {
        checks.push(Check::new(Verdict::Warn, format!("{words}: some will find no place")));
    } else {
        checks.push(Check::new(Verdict::Ok, format!("{words}; {NOT_SIMULATED}")));
        let too_large = moving().filter(|pod| free.iter().all(|free| !fits(pod.requests, free.resources)));
        let too_large: Vec<_> = too_large.map(|pod| &pod.meta.name).collect();
        if !too_large.is_empty() {
            let reason = format!("no single node has room for {}", named(too_large.iter()));
            checks.push(Check::new(Verdict::Warn, reason));
        }
    }
    checks
}

fn free(node: &Node, scene: &Scene<'_>) -> Free {
    let on = || scene.cluster.pods_on(&node.meta.name.name).filter(|pod| !pod.phase.is_terminal());
    let used = sum(on().map(|pod| pod.requests));
    let places = u64::from(node.allocatable_pods.unwrap_or(u32::MAX));
    Free {
        resources: Resources {
            cpu_millis: node.allocatable.cpu_millis.saturating_sub(used.cpu_millis),
            memory_bytes: node.allocatable.memory_bytes.saturating_sub(used.memory_bytes),
        },
        pods: places.saturating_sub(on().count() as u64),
    }
}

fn sum(resources: impl Iterator<Item = Resources>) -> Resources {
    resources.fold(Resources::default(), |one, more| Resources {
        cpu_millis: one.cpu_millis.saturating_add(more.cpu_millis),
        memory_bytes: one.memory_bytes.saturating_add(more.memory_bytes),
    })
}

const fn fits(needed: Resources, free: Resources) -> bool {
    needed.cpu_millis <= free.cpu_millis && needed.memory_bytes <= free.memory_bytes
}

fn shown(resources: Resources) -> String {
    let Resources { cpu_millis, memory_bytes } = resources;
    let cpu = format!("{}.{} CPU", cpu_millis / 1000, cpu_millis % 1000 / 100);
    format!("{cpu}, {} MiB", memory_bytes >> 20)
}
