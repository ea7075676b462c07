//! What becomes of a container is in the name of its image, as on the hollow cluster: one that contains `broken` is not
//! to be had, `crash` falls over and over, `unready` runs and never serves. Two more are the demo's own: `slow` takes
//! all its grace to stop, and `brief` has done its work after ten seconds.

use serde_json::Value;

use super::super::super::object;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Nature {
    Sound,
    Slow,
    Brief,
    Unready,
    Crashing,
    Broken,
}

impl Nature {
    pub(in super::super) fn of(image: &str) -> Self {
        let marks = [
            ("broken", Self::Broken),
            ("crash", Self::Crashing),
            ("unready", Self::Unready),
            ("brief", Self::Brief),
            ("slow", Self::Slow),
        ];
        let found = marks.into_iter().find(|(mark, _)| image.contains(mark));
        found.map_or(Self::Sound, |(_, nature)| nature)
    }

    /// The worst of a pod's containers.
    pub(in super::super) fn of_pod(pod: &Value) -> Self {
        let containers = object::items(pod, "/spec/containers").iter();
        containers.map(|container| Self::of(object::text(container, "/image"))).max().unwrap_or(Self::Sound)
    }
}
