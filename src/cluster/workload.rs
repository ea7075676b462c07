//! The workloads as one: what they have in common, whose pods are whose, and what stands before or over a pod.

use super::{
    Cluster, Counts, DaemonSet, Deployment, Feed, Image, Job, JobState, Kind, Labels, Meta, Name, ObjectRef,
    Pod, PodDisruptionBudget, ReplicaSet, Rollout, Row, Selector, Service, StatefulSet, Sync, Text,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What makes pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload<'a> {
    Deployment(&'a Deployment),
    ReplicaSet(&'a ReplicaSet),
    StatefulSet(&'a StatefulSet),
    DaemonSet(&'a DaemonSet),
    Job(&'a Job),
}

/// A service with what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backed<'a> {
    pub service: &'a Service,
    /// `None` where it selects no pods by itself, or not all pods that could be are known.
    pub backing: Option<Backing>,
}

/// The pods that a service selects; those that have ended do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backing {
    pub total: u32,
    /// Ready and staying: those that get traffic.
    pub ready: u32,
    /// On nodes that are not ready or gone, whatever their own status says.
    pub stranded: u32,
}

impl<'a> Workload<'a> {
    pub const fn meta(self) -> &'a Meta {
        match self {
            Self::Deployment(row) => &row.meta,
            Self::ReplicaSet(row) => &row.meta,
            Self::StatefulSet(row) => &row.meta,
            Self::DaemonSet(row) => &row.meta,
            Self::Job(row) => &row.meta,
        }
    }

    pub const fn kind(self) -> Kind {
        match self {
            Self::Deployment(_) => Kind::Deployment,
            Self::ReplicaSet(_) => Kind::ReplicaSet,
            Self::StatefulSet(_) => Kind::StatefulSet,
            Self::DaemonSet(_) => Kind::DaemonSet,
            Self::Job(_) => Kind::Job,
        }
    }

    pub fn object(self) -> ObjectRef {
        match self {
            Self::Deployment(row) => row.object(),
            Self::ReplicaSet(row) => row.object(),
            Self::StatefulSet(row) => row.object(),
            Self::DaemonSet(row) => row.object(),
            Self::Job(row) => row.object(),
        }
    }

    pub fn counts(self) -> Counts {
        match self {
            Self::Deployment(row) => row.counts(),
            Self::ReplicaSet(row) => row.counts(),
            Self::StatefulSet(row) => row.counts(),
            Self::DaemonSet(row) => row.counts(),
            Self::Job(row) => row.counts(),
        }
    }

    pub const fn selector(self) -> &'a Selector {
        match self {
            Self::Deployment(row) => &row.selector,
            Self::ReplicaSet(row) => &row.selector,
            Self::StatefulSet(row) => &row.selector,
            Self::DaemonSet(row) => &row.selector,
            Self::Job(row) => &row.selector,
        }
    }

    pub const fn images(self) -> &'a [Image] {
        match self {
            Self::Deployment(row) => &row.images,
            Self::ReplicaSet(row) => &row.images,
            Self::StatefulSet(row) => &row.images,
            Self::DaemonSet(row) => &row.images,
            Self::Job(row) => &row.images,
        }
    }

    /// `None` for a job, which has no rollout.
    pub fn rollout(self) -> Option<Rollout> {
        match self {
            Self::Deployment(row) => Some(row.rollout()),
            Self::ReplicaSet(row) => Some(row.rollout()),
            Self::StatefulSet(row) => Some(row.rollout()),
            Self::DaemonSet(row) => Some(row.rollout()),
            Self::Job(_) => None,
        }
    }

    /// Whether pods of it are not even there, by its controller's own count.
    pub const fn lacks_pods(self) -> bool {
        match self {
            Self::StatefulSet(row) => row.current < row.replicas,
            Self::DaemonSet(row) => row.scheduled < row.desired,
            // These say by a condition that their pods are refused.
            Self::Deployment(_) | Self::ReplicaSet(_) | Self::Job(_) => false,
        }
    }

    /// Whether there is as much of it as is wanted, and all of it new.
    pub fn is_well(self) -> bool {
        let Counts { desired, ready, available, .. } = self.counts();
        match self {
            Self::Deployment(_) | Self::ReplicaSet(_) | Self::StatefulSet(_) | Self::DaemonSet(_) => {
                self.rollout().is_none_or(Rollout::is_complete) && available.unwrap_or(ready) >= desired
            }
            Self::Job(job) => match job.state() {
                JobState::Failed { .. } => false,
                JobState::Suspended | JobState::Complete => true,
                JobState::Waiting | JobState::Running => job.failed == 0,
            },
        }
    }
}

impl Cluster {
    /// All that is a workload of its own: replica sets that somebody owns are part of their owner.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'_>> {
        let free = self.replica_sets.values().filter(|set| set.meta.owner.is_none());
        self.deployments
            .values()
            .map(Workload::Deployment)
            .chain(self.stateful_sets.values().map(Workload::StatefulSet))
            .chain(self.daemon_sets.values().map(Workload::DaemonSet))
            .chain(self.jobs.values().map(Workload::Job))
            .chain(free.map(Workload::ReplicaSet))
    }

    /// The workload of this name, if it is still the same one.
    pub fn workload(&self, object: &ObjectRef) -> Option<Workload<'_>> {
        let found = self.workload_named(object.kind, &object.name)?;
        (found.meta().uid == object.uid).then_some(found)
    }

    /// The workload of this name, whichever it is now.
    pub fn workload_named(&self, kind: Kind, name: &Name) -> Option<Workload<'_>> {
        let found = match kind {
            Kind::Deployment => Workload::Deployment(self.deployments.get(name)?),
            Kind::ReplicaSet => Workload::ReplicaSet(self.replica_sets.get(name)?),
            Kind::StatefulSet => Workload::StatefulSet(self.stateful_sets.get(name)?),
            Kind::DaemonSet => Workload::DaemonSet(self.daemon_sets.get(name)?),
            Kind::Job => Workload::Job(self.jobs.get(name)?),
            Kind::Node
            | Kind::Pod
            | Kind::PersistentVolume
            | Kind::PersistentVolumeClaim
            | Kind::VolumeAttachment
            | Kind::Namespace
            | Kind::PodDisruptionBudget
            | Kind::Service
            | Kind::ApiService
            | Kind::Event => return None,
        };
        Some(found)
    }

    /// The workload that owns an object, if it is known.
    pub fn owner_of(&self, meta: &Meta) -> Option<Workload<'_>> {
        let owner = meta.owner.as_ref()?;
        let kind = Kind::ALL.into_iter().find(|kind| owner.kind == *kind.word())?;
        let name = Name::new(meta.name.namespace.clone(), owner.name.clone());
        self.workload(&ObjectRef { kind, name, uid: owner.uid.clone() })
    }

    /// The workload that people mean when they speak of whose pod it is: a deployment rather than its replica set.
    pub fn workload_of(&self, pod: &Pod) -> Option<Workload<'_>> {
        let owner = self.owner_of(&pod.meta)?;
        Some(self.owner_of(owner.meta()).unwrap_or(owner))
    }

    /// The replica sets of a deployment, newest first.
    pub fn replica_sets_of<'a>(&'a self, deployment: &'a Deployment) -> Vec<&'a ReplicaSet> {
        let names = self.indexes.sets_by_owner.keys(deployment.meta.uid.as_str());
        let mut sets: Vec<&ReplicaSet> = names.filter_map(|name| self.replica_sets.get(name)).collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.meta.created));
        sets
    }

    /// The replica set of what a deployment wants, as far as its controller has seen that. One that it went back to is
    /// not the youngest.
    pub fn newest_set_of<'a>(&'a self, deployment: &'a Deployment) -> Option<&'a ReplicaSet> {
        self.replica_sets_of(deployment).into_iter().max_by_key(|set| (set.revision, set.meta.created))
    }

    /// A workload's pods, those of a deployment's replica sets included.
    pub fn pods_of<'a>(&'a self, workload: Workload<'a>) -> Vec<&'a Pod> {
        match workload {
            Workload::Deployment(deployment) => self
                .replica_sets_of(deployment)
                .into_iter()
                .flat_map(|set| self.pods_owned_by(&set.meta))
                .collect(),
            Workload::ReplicaSet(_)
            | Workload::StatefulSet(_)
            | Workload::DaemonSet(_)
            | Workload::Job(_) => self.pods_owned_by(workload.meta()).collect(),
        }
    }

    /// The pods of a namespace that a selector matches. Each set of labels is looked at once, however many pods
    /// have it.
    pub fn pods_matching<'a>(
        &'a self,
        namespace: &'a Text,
        selector: &'a Selector,
    ) -> impl Iterator<Item = &'a Pod> {
        self.label_sets_in(namespace)
            .filter(|(labels, _)| selector.matches(labels))
            .flat_map(|(_, names)| names)
            .filter_map(|name| self.pods.get(name))
    }

    /// The label sets of a namespace's pods, each with the pods that have it.
    pub(super) fn label_sets_in<'a>(
        &'a self,
        namespace: &'a Text,
    ) -> impl Iterator<Item = (&'a Labels, &'a BTreeSet<Name>)> {
        let first = (namespace.clone(), Labels::default());
        let sets = self.indexes.pods_by_labels.from(first);
        sets.take_while(move |((of, _), _)| of == namespace).map(|((_, labels), names)| (labels, names))
    }

    /// The pods of a workload by its uid, those of its replica sets included.
    pub fn pods_below<'a>(&'a self, owner: &'a Text) -> impl Iterator<Item = &'a Pod> {
        let sets = self.indexes.sets_by_owner.keys(owner.as_str());
        let sets = sets.filter_map(|name| Some(&self.replica_sets.get(name)?.meta.uid));
        let owners = std::iter::once(owner).chain(sets);
        let names = owners.flat_map(|owner| self.indexes.pods_by_owner.keys(owner.as_str()));
        names.filter_map(|name| self.pods.get(name))
    }

    fn pods_owned_by<'a>(&'a self, owner: &Meta) -> impl Iterator<Item = &'a Pod> + use<'a> {
        let names: Vec<&Name> = self.indexes.pods_by_owner.keys(owner.uid.as_str()).collect();
        names.into_iter().filter_map(|name| self.pods.get(name))
    }

    pub fn budgets_covering<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = &'a PodDisruptionBudget> {
        let in_namespace = self.pod_disruption_budgets.in_namespace(&pod.meta.name.namespace);
        in_namespace.filter(|budget| budget.covers(pod))
    }

    pub fn services_selecting<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = &'a Service> {
        let in_namespace = self.services.in_namespace(&pod.meta.name.namespace);
        in_namespace
            .filter(|service| service.selector().is_some_and(|selector| selector.matches(&pod.meta.labels)))
    }

    /// The services of a namespace that select pods with these labels.
    pub fn services_matching<'a>(
        &'a self,
        namespace: &'a Text,
        labels: &'a Labels,
    ) -> impl Iterator<Item = &'a Service> {
        let in_namespace = self.services.in_namespace(namespace);
        in_namespace.filter(|service| service.selector().is_some_and(|selector| selector.matches(labels)))
    }

    pub fn service<'a>(&'a self, service: &'a Service) -> Backed<'a> {
        let namespace = &service.meta.name.namespace;
        let selector = service.selector().filter(|_| self.knows_pods_of(namespace));
        let backing = selector.map(|selector| {
            let mut backing = Backing::default();
            for pod in self.pods_matching(namespace, &selector).filter(|pod| !pod.phase.is_terminal()) {
                let is_serving = pod.is_ready() && !pod.meta.is_deleting();
                backing.total += 1;
                backing.ready += u32::from(is_serving || service.publishes_unready);
                backing.stranded += u32::from(self.is_stranded(pod));
            }
            backing
        });
        Backed { service, backing }
    }

    /// Whether a pod is bound to a node that is known not to be ready, or not to be there.
    pub fn is_stranded(&self, pod: &Pod) -> bool {
        match self.node(&pod.node) {
            Some(node) => !node.is_ready(),
            None => self.absent_since(&pod.node).is_some(),
        }
    }

    /// Whether what a stream brings was read at some time, and a leader long enough to tell whether it leads.
    pub fn has_judgement(&self, feed: Feed) -> bool {
        match feed {
            Feed::Leader(component) => self.has_judged(component),
            Feed::Checks => self.readiness().is_some(),
            Feed::Watch(_) | Feed::Leases => self.feed(feed).was_complete,
        }
    }

    /// Whether all rows of a kind were read at some time: only then does it mean anything that one is not there.
    pub fn has_read(&self, kind: Kind) -> bool {
        self.feed(Feed::Watch(kind)).was_complete
    }

    /// Since when the rows of a kind are older than those of others: its stream is broken and another is live. Where
    /// all are broken, the picture is old and fits together.
    pub fn behind_since(&self, kind: Kind) -> Option<Timestamp> {
        let Sync::Down { since, .. } = self.feed(Feed::Watch(kind)).sync else { return None };
        let mut watches = self.feeds().filter(|(feed, _)| matches!(feed, Feed::Watch(_)));
        watches.any(|(_, other)| matches!(other.sync, Sync::Live { .. })).then_some(since)
    }
}

impl Backed<'_> {
    /// Nothing answers for it, or a part of what does is on a machine that may be dead.
    pub fn is_problem(&self) -> bool {
        self.backing.is_some_and(|backing| backing.ready == 0 || backing.stranded > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::{at, live, meta, node, pod};
    use crate::cluster::{Change, Delta, Owner};

    fn owner(kind: &str, of: &Meta) -> Owner {
        let (name, uid) = (of.name.name.clone(), of.uid.clone());
        Owner { kind: kind.into(), name, uid, is_controller: true }
    }

    fn labelled(name: &str, on: &str, app: &str) -> Pod {
        let mut row = pod(name, on);
        row.meta.labels = Labels::from([("app".into(), app.into())]);
        row
    }

    #[test]
    fn a_selector_finds_the_pods_of_its_namespace_and_no_others() {
        let mut cluster = Cluster::default();
        let rows =
            [("a/one", "web"), ("a/two", "web"), ("a/three", "api"), ("aa/four", "web"), ("b/five", "web")];
        cluster.apply_all(rows.map(|(name, app)| labelled(name, "worker-1", app).into()), at(0));
        let names = |namespace: &str, selector: &Selector| {
            let namespace = Text::from(namespace);
            let found = cluster.pods_matching(&namespace, selector);
            found.map(|pod| pod.meta.name.to_string()).collect::<Vec<_>>()
        };
        let web = Selector::of(Labels::from([("app".into(), "web".into())]));
        assert_eq!(names("a", &web), ["a/one", "a/two"]);
        assert_eq!(names("b", &web), ["b/five"]);
        assert_eq!(names("a", &Selector::default()).len(), 3);
        assert!(names("", &Selector::default()).is_empty());
    }

    #[test]
    fn a_pod_belongs_to_the_deployment_above_its_replica_set() {
        let deployment = Deployment { meta: meta("shop/web"), ..Deployment::default() };
        let mut set = ReplicaSet { meta: meta("shop/web-7d4b"), ..ReplicaSet::default() };
        set.meta.owner = Some(owner("Deployment", &deployment.meta));
        let mut row = pod("shop/web-7d4b-x", "worker-1");
        row.meta.owner = Some(owner("ReplicaSet", &set.meta));
        let mut cluster = Cluster::default();
        cluster.apply(row.clone().into(), at(0));
        assert_eq!(cluster.workload_of(&row), None);
        cluster.apply(Change::ReplicaSet(Delta::Apply(Box::new(set.clone()))), at(0));
        assert_eq!(cluster.workload_of(&row), Some(Workload::ReplicaSet(&set)));
        cluster.apply(Change::Deployment(Delta::Apply(Box::new(deployment.clone()))), at(0));
        assert_eq!(cluster.workload_of(&row), Some(Workload::Deployment(&deployment)));
        assert_eq!(cluster.pods_of(Workload::Deployment(&deployment)), [&row]);
        // Another of this name is another one.
        let anew = Deployment { meta: Meta { uid: "anew".into(), ..deployment.meta }, ..deployment };
        cluster.apply(Change::Deployment(Delta::Apply(Box::new(anew.clone()))), at(0));
        assert_eq!(cluster.workload_of(&row), Some(Workload::ReplicaSet(&set)));
        assert!(cluster.pods_of(Workload::Deployment(&anew)).is_empty());
    }

    #[test]
    fn a_service_counts_who_gets_traffic_and_who_is_on_a_silent_node() {
        let service = Service {
            meta: meta("shop/web"),
            labels: Labels::from([("app".into(), "web".into())]),
            ..Service::default()
        };
        let mut cluster = Cluster::default();
        cluster.apply(node("worker-1").into(), at(0));
        cluster.apply(node("worker-2").silent(0).into(), at(0));
        let ready = |name: &str, on: &str| {
            let mut row = labelled(name, on, "web");
            row.conditions =
                [crate::cluster::sample::condition("Ready", crate::cluster::Status::True, "", 0)].into();
            row
        };
        cluster.apply(ready("shop/a", "worker-1").into(), at(0));
        cluster.apply(ready("shop/b", "worker-2").deleting(30, 30).into(), at(0));
        cluster.apply(ready("shop/c", "worker-9").into(), at(0));
        assert_eq!(cluster.service(&service).backing, None, "the pods are not all read");
        cluster.apply(live(Feed::Watch(Kind::Pod)), at(0));
        let backing = cluster.service(&service).backing;
        assert_eq!(backing, Some(Backing { total: 3, ready: 2, stranded: 1 }), "nodes are not all read");
        cluster.apply(live(Feed::Watch(Kind::Node)), at(0));
        let backing = cluster.service(&service).backing;
        assert_eq!(backing, Some(Backing { total: 3, ready: 2, stranded: 2 }));
        assert!(cluster.service(&service).is_problem());
    }
}
