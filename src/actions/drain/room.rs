//! Whether the rest of the cluster has room for what has to move, by requests.

use super::forecast::{Scene, named};
use crate::actions::preflight::{Check, Verdict};
use crate::actions::room::{NOT_SIMULATED, Room, shown};
use crate::cluster::Resources;

pub fn checks(scene: &Scene<'_>) -> Vec<Check> {
    let moving = || scene.moving();
    let many = moving().count();
    if many == 0 {
        return Vec::new();
    }
    let others = scene.cluster.nodes.values().filter(|node| scene.takes_pods(node));
    let room = Room::on(others, scene.cluster);
    if room.nodes() == 0 {
        let reason = format!("no other node is Ready and takes pods: the {many} pods that go have no place");
        return vec![Check::new(Verdict::Warn, reason).remedy("add a node, or uncordon one")];
    }
    let needed = moving().map(|pod| pod.requests).fold(Resources::default(), Resources::and);
    let words = format!(
        "{} {}, and {} other nodes have {} and {} places free",
        if many == 1 { "a pod requests".to_owned() } else { format!("{many} pods request") },
        shown(needed),
        room.nodes(),
        shown(room.resources()),
        room.places(),
    );
    let mut checks = Vec::new();
    if room.takes(many as u64, needed) {
        checks.push(Check::new(Verdict::Ok, format!("{words}; {NOT_SIMULATED}")));
        let too_large = moving().filter(|pod| !room.takes_one(pod.requests));
        let too_large: Vec<_> = too_large.map(|pod| &pod.meta.name).collect();
        if !too_large.is_empty() {
            let reason = format!("no single node has room for {}", named(too_large.iter()));
            checks.push(Check::new(Verdict::Warn, reason));
        }
    } else {
        checks.push(Check::new(Verdict::Warn, format!("{words}: some will find no place")));
    }
    checks
}
