//! What stands out among many rows: kept in indexes, so that looking for trouble costs what there is of it.

use super::{
    Cluster, Kind, Labels, Name, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget,
    Service, Since, Text, VolumeAttachment, VolumeId, Workload,
};

impl Cluster {
    /// Nodes that are cordoned, tainted, or run out of something.
    pub fn marked_nodes(&self) -> impl Iterator<Item = &Node> {
        self.indexes.nodes_marked.iter().filter_map(|name| self.nodes.get(name))
    }

    /// Pods that have not started, have a container that waits, or were evicted by their kubelet.
    pub fn troubled_pods(&self) -> impl Iterator<Item = &Pod> {
        self.indexes.pods_troubled.iter().filter_map(|name| self.pods.get(name))
    }

    /// Whether a pod that a service selects is not ready.
    pub fn has_unready_pods(&self, service: &Service) -> bool {
        let namespace = &service.meta.name.namespace;
        let sets = self.indexes.pods_unready.from((namespace.clone(), Labels::default()));
        let Some(selector) = service.selector() else { return false };
        sets.take_while(|((of, _), _)| of == namespace).any(|((_, labels), _)| selector.matches(labels))
    }

    /// Deployments, stateful sets, daemon sets and replica sets of their own that do not have what they want; and since when that is seen.
    pub fn unwell_workloads(&self) -> impl Iterator<Item = (Workload<'_>, Since)> {
        self.indexes
            .unwell
            .iter()
            .filter_map(|((kind, name), since)| Some((self.workload_named(*kind, name)?, *since)))
    }

    /// The same of one workload; `None` where it has what it wants.
    pub fn unwell_workload(&self, kind: Kind, name: &Name) -> Option<(Workload<'_>, Since)> {
        let since = self.indexes.unwell.get(&(kind, name.clone()))?;
        Some((self.workload_named(kind, name)?, *since))
    }

    /// Since when a workload is seen to have fewer pods than it wants, ready or not.
    pub fn unmade_since(&self, workload: Workload<'_>) -> Option<Since> {
        self.indexes.unmade.get(&(workload.kind(), workload.meta().name.clone())).copied()
    }

    /// Claims with a deletion timestamp.
    pub fn deleting_claims(&self) -> impl Iterator<Item = &PersistentVolumeClaim> {
        self.indexes.claims_deleting.iter().filter_map(|name| self.persistent_volume_claims.get(name))
    }

    /// Claims that are not bound.
    pub fn unbound_claims(&self) -> impl Iterator<Item = &PersistentVolumeClaim> {
        self.indexes.claims_unbound.iter().filter_map(|name| self.persistent_volume_claims.get(name))
    }

    pub fn failed_volumes(&self) -> impl Iterator<Item = &PersistentVolume> {
        self.indexes.volumes_failed.iter().filter_map(|name| self.persistent_volumes.get(name))
    }

    /// Attachments that fail, are to go, or are not there yet.
    pub fn odd_attachments(&self) -> impl Iterator<Item = &VolumeAttachment> {
        self.indexes.attachments_odd.iter().filter_map(|name| self.volume_attachments.get(name))
    }

    /// Attachments that name a persistent volume which is not there. Both are in order, so they are walked side by
    /// side.
    pub fn lone_attachments(&self) -> impl Iterator<Item = &VolumeAttachment> {
        let mut volumes = self.persistent_volumes.values().map(|volume| &volume.meta.name.name).peekable();
        let named = self.indexes.attachments_by_volume.iter().filter(|(volume, _)| !volume.is_empty());
        let lone = named.filter(move |(volume, _)| {
            while volumes.next_if(|there| there < volume).is_some() {}
            volumes.peek().is_none_or(|there| there != volume)
        });
        lone.flat_map(|(_, names)| names).filter_map(|name| self.volume_attachments.get(name))
    }

    /// The volumes that a pod mounts, as far as they are known.
    pub fn volumes_of(&self, pod: &Pod) -> impl Iterator<Item = VolumeId> {
        let namespace = &pod.meta.name.namespace;
        let claims = pod.claims.iter().map(|claim| Name::new(namespace.clone(), claim.clone()));
        claims.filter_map(|claim| self.volume_of_claim(&claim))
    }

    /// Pods that more than one disruption budget covers, by the budgets.
    pub fn pods_under_several_budgets(&self) -> Vec<(Vec<&Pod>, Vec<&PodDisruptionBudget>)> {
        let mut found = Vec::new();
        let mut budgets = self.pod_disruption_budgets.values().peekable();
        while let Some(first) = budgets.next() {
            let namespace: &Text = &first.meta.name.namespace;
            let mut together = vec![first];
            while let Some(next) = budgets.next_if(|next| next.meta.name.namespace == *namespace) {
                together.push(next);
            }
            if together.len() < 2 {
                continue;
            }
            // Mostly none can overlap, and then no pod has to be looked at.
            together.retain(|budget| self.may_overlap(budget));
            if together.len() < 2 {
                continue;
            }
            for (labels, names) in self.label_sets_in(namespace) {
                let covers = |budget: &&PodDisruptionBudget| {
                    budget.selector.as_ref().is_some_and(|selector| selector.matches(labels))
                };
                let over: Vec<_> = together.iter().copied().filter(covers).collect();
                if over.len() < 2 {
                    continue;
                }
                let pods = names.iter().filter_map(|name| self.pods.get(name));
                let pods: Vec<&Pod> = pods.filter(|pod| !pod.phase.is_terminal()).collect();
                if !pods.is_empty() {
                    found.push((pods, over));
                }
            }
        }
        found
    }

    /// Whether another budget of the namespace does not ask for another value of a label that this one asks for.
    fn may_overlap(&self, budget: &PodDisruptionBudget) -> bool {
        let others = self.pod_disruption_budgets.in_namespace(&budget.meta.name.namespace);
        let mut others = others.filter(|other| other.meta.name != budget.meta.name);
        let may = |other: &PodDisruptionBudget| match (&budget.selector, &other.selector) {
            (Some(one), Some(two)) => !one.excludes(two),
            (Some(_) | None, Some(_) | None) => false,
        };
        others.any(may)
    }
}
