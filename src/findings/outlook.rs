//! What will happen to the pods of a node that is not ready: told to go, about to be, to stay.

use super::{Awaited, Bound, Clock, Evidence, Found, View, words};
use crate::cluster::{Cluster, Eviction, Feed, Kind, Node, Pod, SignOfLife, Sync, Text};
use jiff::{SignedDuration, Timestamp};

/// The controller taints one node in ten seconds; one that is not tainted after this is held back.
const TAINT_EXPECTED: SignedDuration = SignedDuration::from_secs(60);

/// The pods of one node, counted by what is before them. Ended ones are not counted.
#[derive(Debug, Default)]
pub struct Outlook {
    is_known: bool,
    /// The only namespace whose pods are known.
    namespace: Option<Text>,
    /// Since when the node has been tainted, for the moments of the evictions.
    is_tainted: bool,
    is_taint_late: bool,
    total: usize,
    /// Told to go, and still there.
    going: usize,
    due: usize,
    coming: usize,
    /// The earliest of those to come.
    earliest: Option<(Timestamp, bool)>,
    /// Tolerate it for ever, or are no business of the controller.
    staying: usize,
    /// Pods that nothing keeps on the node: not of a daemon set, not static.
    movable: usize,
}

impl Outlook {
    pub fn of(view: &View<'_>, node: &Node, found: &mut Found) -> Self {
        let cluster = view.cluster;
        let mut outlook = Self {
            is_known: view.knows(Kind::Pod),
            namespace: cluster.namespace.clone(),
            is_tainted: cluster.no_execute_since(&node.meta.name).is_some(),
            ..Self::default()
        };
        if !outlook.is_tainted
            && let Some(at) = node.ready_since().and_then(|since| since.checked_add(TAINT_EXPECTED).ok())
        {
            outlook.is_taint_late = at <= view.now;
            found.look_again(at, view.now);
        }
        for pod in cluster.pods_on(&node.meta.name.name) {
            outlook.count(cluster, pod, view.now);
        }
        if let Some((at, _)) = outlook.earliest {
            found.look_again(at, view.now);
        }
        outlook
    }

    fn count(&mut self, cluster: &Cluster, pod: &Pod, now: Timestamp) {
        if pod.phase.is_terminal() {
            return;
        }
        self.total += 1;
        self.movable += usize::from(!pod.is_mirror && !pod.is_owned_by("DaemonSet"));
        if pod.meta.is_deleting() {
            self.going += 1;
            return;
        }
        match cluster.eviction(pod, now) {
            None => {}
            Some(Eviction::Never) => self.staying += 1,
            Some(Eviction::Due) => self.due += 1,
            Some(Eviction::NotBefore { at, is_exact }) => {
                self.coming += 1;
                self.earliest = Some(match self.earliest {
                    Some(known) if known.0 <= at => known,
                    Some(_) | None => (at, is_exact),
                });
            }
        }
    }

    /// Whether something is known to be on the node that should run elsewhere.
    pub const fn has_load(&self) -> bool {
        self.movable > 0
    }

    /// Whether something may be on it that is not known.
    pub const fn may_have_more(&self) -> bool {
        !self.is_known || self.namespace.is_some()
    }

    /// What happens to the pods, as far as they are known.
    pub fn sentence(&self) -> String {
        match &self.namespace {
            Some(namespace) if self.is_known && self.total == 0 => {
                format!("No pod of namespace {namespace} is on it; those of others are not known.")
            }
            Some(namespace) if self.is_known => {
                format!("{} Only pods of namespace {namespace} are known.", self.known())
            }
            Some(_) | None => self.known(),
        }
    }

    fn known(&self) -> String {
        let Self { total, going, due, coming, staying, .. } = *self;
        let of_total = |number: usize| {
            if number == total && total == 1 {
                "Its one pod".to_owned()
            } else if number == total {
                format!("All its {total} pods")
            } else {
                format!("{number} of its {}", words::count(total, "pod"))
            }
        };
        if !self.is_known {
            "Its pods are not known.".to_owned()
        } else if total == 0 {
            "No pod is on it.".to_owned()
        } else if !self.is_tainted && going == 0 {
            let who = if total == 1 { "Its one pod is".to_owned() } else { format!("Its {total} pods are") };
            if self.is_taint_late {
                format!("{who} not told to go: evictions are slowed or halted.")
            } else {
                format!("{who} not yet told to go.")
            }
        } else if coming > 0 {
            format!("{} will be told to go.", of_total(coming))
        } else if due > 0 {
            format!("{} {} due to be told to go.", of_total(due), words::verb(due, "is", "are"))
        } else if going > 0 {
            format!("{} {} been told to go.", of_total(going), words::verb(going, "has", "have"))
        } else if staying == 1 {
            "The one pod on it tolerates this and stays.".to_owned()
        } else {
            format!("The {staying} pods on it tolerate this and stay.")
        }
    }

    /// Until the first of its pods is told to go.
    pub fn clock(&self) -> Option<Clock> {
        self.earliest.map(|(at, _)| Clock { what: Awaited::Eviction, at, bound: Bound::NotBefore })
    }

    pub fn evidence(&self, evidence: &mut Vec<Evidence>) {
        if !self.is_tainted {
            evidence.push(Evidence::new("no NoExecute taint is on it"));
        }
        if let Some((_, false)) = self.earliest {
            evidence.push(Evidence::new(
                "its taint carries no time, so the evictions are reckoned from when it was first seen",
            ));
        }
        for (number, one, many) in [
            (self.going, "pod told to go is still there", "pods told to go are still there"),
            (self.staying, "pod tolerates the taint and stays", "pods tolerate the taint and stay"),
        ] {
            if number > 0 {
                evidence.push(Evidence::new(format!("{number} {}", words::verb(number, one, many))));
            }
        }
    }
}

/// Whether its lease was certainly renewed after the controller had given the node up.
pub fn has_stirred(cluster: &Cluster, node: &Node) -> bool {
    let after = cluster.heartbeat(&node.meta.name.name).and_then(|heartbeat| heartbeat.moved_after);
    after.is_some_and(|after| node.ready_since().is_some_and(|since| after > since))
}

/// The last sign of life by the node's lease, with how well it is known.
pub fn sign_of_life(cluster: &Cluster, node: &str) -> Vec<Evidence> {
    let Some(heartbeat) = cluster.heartbeat(node) else {
        let feed = cluster.feed(Feed::Leases);
        let text = match feed.sync {
            Sync::Forbidden { .. } | Sync::Absent { .. } => "node leases may not be read",
            _ if feed.was_complete => "it has no lease",
            Sync::Waiting | Sync::Listing { .. } | Sync::Live { .. } | Sync::Down { .. } => {
                "its lease has not been read"
            }
        };
        return vec![Evidence::new(text)];
    };
    match heartbeat.sign_of_life() {
        Some(SignOfLife::Seen(at)) => vec![Evidence::at("its lease was last seen to move", Some(at))],
        Some(SignOfLife::Stamped(at)) => vec![
            Evidence::at("its lease has not moved since it is watched", Some(heartbeat.watched_since)),
            Evidence::at("its lease was last stamped, by the node's own clock", Some(at)),
        ],
        None => vec![Evidence::new("its lease was never renewed")],
    }
}

/// What the Ready condition says, in its writer's words.
pub fn ready_condition(node: &Node) -> Option<Evidence> {
    let ready = node.condition("Ready")?;
    let mut text = format!("Ready is {}", ready.status.word());
    for part in [&ready.reason, &ready.message] {
        if let Some(part) = part.non_empty() {
            text = format!("{text}: {}", words::quote(part));
        }
    }
    Some(Evidence::at(text, ready.changed))
}
