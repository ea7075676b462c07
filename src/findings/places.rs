//! The labels that tell where a node is: what shares a zone, a rack or a host fails together.

use crate::cluster::{Node, Text};

/// Labels that several machines of one cause share, the widest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places(Box<[Text]>);

/// The zone that the node-lifecycle controller reckons by.
pub const ZONE: &str = "topology.kubernetes.io/zone";

impl Places {
    pub fn new<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        Self(labels.into_iter().map(Text::from).collect())
    }

    pub fn labels(&self) -> impl Iterator<Item = &Text> {
        self.0.iter()
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new([
            ZONE,
            "topology.kubernetes.io/rack",
            "topology.kubernetes.io/host",
            "node.openstack.org/host",
        ])
    }
}

/// Where the node is by that label. A zone is told by its old label, too, where a node has only that.
pub fn value<'a>(node: &'a Node, label: &str) -> Option<&'a str> {
    if label == ZONE { node.zone() } else { node.meta.label(label) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Labels;
    use crate::cluster::sample::node;

    #[test]
    fn the_old_label_of_a_zone_counts_where_the_new_one_is_not_there() {
        let old = ("failure-domain.beta.kubernetes.io/zone".into(), Text::from("old"));
        let mut row = node("worker-1");
        row.meta.labels = Labels::from([old.clone()]);
        assert_eq!(value(&row, ZONE), Some("old"));
        row.meta.labels = Labels::from([old, (ZONE.into(), "new".into())]);
        assert_eq!(value(&row, ZONE), Some("new"));
        assert_eq!(value(&row, "topology.kubernetes.io/rack"), None);
    }
}
