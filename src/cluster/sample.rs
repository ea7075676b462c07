//! Rows for tests, small and ordinary: what is not said is as a healthy cluster has it.

use super::{
    AccessModes, Change, ClaimRef, Cluster, Condition, Container, Deletion, Delta, Effect, Feed, FeedChange,
    Kind, Lease, Meta, Name, Node, Owner, PersistentVolume, PersistentVolumeClaim, Phase, Pod, Source, State,
    Status, Taint, Toleration, VolumeAttachment,
};
use jiff::Timestamp;

pub const DRIVER: &str = "block.example.com";

/// Seconds since the beginning of a test's story.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn meta(name: &str) -> Meta {
    Meta { name: Name::parse(name).unwrap(), uid: format!("uid-of-{name}").into(), ..Meta::default() }
}

pub fn condition(kind: &str, status: Status, reason: &str, second: i64) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: "".into(),
        changed: Some(at(second)),
    }
}

pub fn node(name: &str) -> Node {
    let ready = condition("Ready", Status::True, "KubeletReady", -3600);
    Node { meta: meta(name), conditions: [ready].into(), ..Node::default() }
}

impl Node {
    pub fn silent(mut self, second: i64) -> Self {
        let mut ready = condition("Ready", Status::Unknown, "NodeStatusUnknown", second);
        ready.message = "Kubelet stopped posting node status.".into();
        self.conditions = [ready].into();
        self.tainted("node.kubernetes.io/unreachable", Effect::NoSchedule, second)
    }

    pub fn not_ready(mut self, second: i64, message: &str) -> Self {
        let mut ready = condition("Ready", Status::False, "KubeletNotReady", second);
        ready.message = message.into();
        self.conditions = [ready].into();
        self.tainted("node.kubernetes.io/not-ready", Effect::NoSchedule, second)
    }

    pub fn tainted(mut self, key: &str, effect: Effect, second: i64) -> Self {
        let mut taints = self.taints.to_vec();
        taints.push(Taint { key: key.into(), value: "".into(), effect, added: Some(at(second)) });
        self.taints = taints.into();
        self
    }

    pub fn unreachable(self, second: i64) -> Self {
        self.tainted("node.kubernetes.io/unreachable", Effect::NoExecute, second)
    }

    pub fn cordoned(mut self) -> Self {
        self.is_unschedulable = true;
        self
    }

    /// Attached and in use by its status.
    pub fn with_volume(mut self, volume: &str) -> Self {
        self.volumes_attached = [unique(volume).as_str().into()].into();
        self.volumes_in_use = self.volumes_attached.clone();
        self
    }
}

pub fn toleration(key: &str, seconds: Option<i64>) -> Toleration {
    Toleration {
        key: key.into(),
        operator: "Exists".into(),
        value: "".into(),
        effect: "NoExecute".into(),
        seconds,
    }
}

/// Running, with the tolerations that the API server adds.
pub fn pod(name: &str, node: &str) -> Pod {
    let container = Container {
        name: "main".into(),
        is_ready: true,
        is_started: true,
        state: State::Running { since: Some(at(-3600)) },
        ..Container::default()
    };
    Pod {
        meta: meta(name),
        node: node.into(),
        phase: Phase::Running,
        conditions: [condition("Ready", Status::True, "", -3600)].into(),
        containers: [container].into(),
        tolerations: ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
            .map(|key| toleration(key, Some(300)))
            .into(),
        ..Pod::default()
    }
}

impl Pod {
    pub fn of(mut self, kind: &str, owner: &str) -> Self {
        let owner = Owner { kind: kind.into(), name: owner.into(), uid: "".into(), is_controller: true };
        self.meta.owner = Some(owner);
        if kind == "DaemonSet" {
            self.tolerations = [toleration("", None)].into();
        }
        self
    }

    pub fn mounting(mut self, claim: &str) -> Self {
        self.claims = [claim.into()].into();
        self
    }

    pub fn deleting(mut self, deadline: i64, grace_seconds: i64) -> Self {
        self.meta.deletion = Some(Deletion { deadline: at(deadline), grace_seconds });
        self
    }

    pub fn pending(mut self) -> Self {
        self.phase = Phase::Pending;
        self.conditions = [].into();
        for container in &mut self.containers {
            container.is_ready = false;
            container.state = State::Waiting { reason: "ContainerCreating".into(), message: "".into() };
        }
        self
    }

    pub fn ended(mut self, exit_code: i32) -> Self {
        for container in &mut self.containers {
            container.is_ready = false;
            container.state = State::Terminated(super::Ended { exit_code, ..super::Ended::default() });
        }
        self
    }

    pub fn with_uid(mut self, uid: &str) -> Self {
        self.meta.uid = uid.into();
        self
    }
}

pub fn unique(volume: &str) -> String {
    format!("kubernetes.io/csi/{DRIVER}^handle-of-{volume}")
}

/// `ReadWriteOnce`, bound to the claim.
pub fn volume(name: &str, claim: &str) -> PersistentVolume {
    PersistentVolume {
        meta: meta(name),
        phase: "Bound".into(),
        access: AccessModes::parse(["ReadWriteOnce"]),
        claim: Some(ClaimRef { name: Name::parse(claim).unwrap(), uid: "".into() }),
        source: Source::Csi { driver: DRIVER.into(), handle: format!("handle-of-{name}").into() },
        ..PersistentVolume::default()
    }
}

pub fn claim(name: &str, volume: &str) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        meta: meta(name),
        phase: "Bound".into(),
        volume: volume.into(),
        ..PersistentVolumeClaim::default()
    }
}

pub fn attachment(volume: &str, node: &str) -> VolumeAttachment {
    VolumeAttachment {
        meta: Meta { created: Some(at(-3600)), ..meta(&format!("csi-{volume}-{node}")) },
        attacher: DRIVER.into(),
        node: node.into(),
        volume: volume.into(),
        is_attached: true,
        ..VolumeAttachment::default()
    }
}

pub fn lease(node: &str, renewed: i64) -> Lease {
    Lease {
        node: node.into(),
        uid: format!("lease-of-{node}").into(),
        resource_version: renewed.to_string().into(),
        renewed: Some(at(renewed)),
    }
}

macro_rules! changes {
    ($($row:ident),*) => { $(
        impl From<super::$row> for Change {
            fn from(row: super::$row) -> Self {
                Self::$row(Delta::Apply(Box::new(row)))
            }
        }
    )* };
}

changes!(Node, Pod, PersistentVolume, PersistentVolumeClaim, VolumeAttachment, Namespace, Event);

pub fn gone(pod: &Pod) -> Change {
    Change::Pod(Delta::Delete { name: pod.meta.name.clone(), uid: pod.meta.uid.clone() })
}

pub fn live(feed: Feed) -> Change {
    Change::Feed(feed, FeedChange::Live)
}

/// All kinds are complete and followed from the beginning, and hold these.
pub fn cluster(changes: impl IntoIterator<Item = Change>) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.apply_all(changes, at(0));
    cluster.apply_all(Kind::ALL.map(|kind| live(Feed::Watch(kind))), at(0));
    cluster.apply(live(Feed::Leases), at(0));
    cluster
}
