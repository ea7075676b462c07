//! What has to be judged anew because something was touched: the touched objects and all whose verdict can hang on
//! them.
//!
//! Invariant: it may name too much and never too little. A rule that looks further than its neighbours here has to
//! be a rule over the whole picture; a test compares with a judgement of everything.

use crate::cluster::{Cluster, Kind, Labels, Name, Node, Pod, Text, Touched, VolumeId, Workload};
use std::collections::BTreeSet;

/// The subjects of the rules that judge one by one, by name.
#[derive(Debug, Default)]
pub struct Reach {
    pub nodes: BTreeSet<Text>,
    pub pods: BTreeSet<Name>,
    pub workloads: BTreeSet<(Kind, Name)>,
    pub services: BTreeSet<Name>,
}

impl Reach {
    /// Everything of which a rule could have something to say.
    pub fn everything(cluster: &Cluster) -> Self {
        let unready = cluster.unready_nodes().map(|node| node.meta.name.name.clone());
        let gone = cluster.absent_nodes().map(|(name, _)| name.clone());
        let pods = cluster.troubled_pods().chain(cluster.deleting_pods());
        let workloads = cluster.unwell_workloads();
        Self {
            nodes: unready.chain(gone).collect(),
            pods: pods.map(|pod| pod.meta.name.clone()).collect(),
            workloads: workloads.map(|(it, _)| (it.kind(), it.meta().name.clone())).collect(),
            services: cluster.services.values().map(|service| service.meta.name.clone()).collect(),
        }
    }

    pub fn of(cluster: &Cluster, touched: &Touched) -> Self {
        let mut reach = Self { services: touched.services.clone(), ..Self::default() };
        let volumes = volumes(cluster, touched);
        let mut claims = touched.claims.clone();
        claims.extend(volumes.iter().filter_map(|id| claim(cluster, id)));

        // What can be blamed on a node, on a volume, or on a workload that has come or gone.
        let of_nodes = touched.nodes.iter().flat_map(|node| cluster.pods_on(node));
        let of_claims = claims.iter().flat_map(|claim| cluster.pods_of_claim(claim));
        // Who waits for a volume may blame the node where nobody wants it any more.
        let of_mounted = touched.mounted.iter().flat_map(|claim| cluster.pods_of_claim(claim));
        let of_owners = touched.owners.iter().flat_map(|owner| cluster.pods_below(owner));
        let pods: Vec<&Pod> = of_nodes.chain(of_claims).chain(of_mounted).chain(of_owners).collect();
        reach.pods.extend(touched.pods.iter().cloned());
        // Several that do not end on one node that is Ready have it as their cause.
        let able = touched.places.iter().filter(|node| cluster.is_node_ready(node));
        reach.pods.extend(able.flat_map(|node| cluster.deleting_on(node)).map(|pod| pod.meta.name.clone()));
        reach.pods.extend(pods.iter().map(|pod| pod.meta.name.clone()));

        reach.nodes = touched.nodes.union(&touched.places).cloned().collect();
        let mounted =
            touched.mounted.iter().chain(&claims).filter_map(|claim| cluster.volume_of_claim(claim));
        for id in volumes.iter().cloned().chain(mounted).collect::<BTreeSet<_>>() {
            reach.holders(cluster, &id);
        }

        let mut labels: BTreeSet<(&Text, &Labels)> =
            touched.labels.iter().map(|(namespace, labels)| (namespace, labels)).collect();
        labels.extend(pods.iter().map(|pod| (&pod.meta.name.namespace, &pod.meta.labels)));
        for (namespace, labels) in labels {
            let selecting = cluster.services_matching(namespace, labels);
            reach.services.extend(selecting.map(|service| service.meta.name.clone()));
        }

        for (kind, name) in &touched.workloads {
            reach.workload(cluster, cluster.workload_named(*kind, name));
            reach.workloads.insert((*kind, name.clone()));
        }
        // The owners of the touched pods are among the touched workloads.
        for pod in pods {
            reach.workload(cluster, cluster.owner_of(&pod.meta));
        }
        reach
    }

    /// The nodes on which a volume is, or where its data is.
    fn holders(&mut self, cluster: &Cluster, id: &VolumeId) {
        let Some(join) = cluster.volume(id) else { return };
        self.nodes.extend(join.attached.iter().map(|attached| attached.node_name.clone()));
        let hosts: BTreeSet<&Text> = join.volume.into_iter().flat_map(|volume| volume.pinned_to()).collect();
        if !hosts.is_empty() {
            let is_host = |node: &&Node| hosts.contains(&Text::from(node.hostname()));
            let unready = cluster.unready_nodes().filter(is_host);
            self.nodes.extend(unready.map(|node| node.meta.name.name.clone()));
            // The machine of a node that is gone goes by the node's name.
            self.nodes.extend(hosts.into_iter().cloned());
        }
    }

    /// A workload, and what it is a part of.
    fn workload(&mut self, cluster: &Cluster, workload: Option<Workload<'_>>) {
        let Some(workload) = workload else { return };
        self.workloads.insert((workload.kind(), workload.meta().name.clone()));
        if let Some(above) = cluster.owner_of(workload.meta()) {
            self.workloads.insert((above.kind(), above.meta().name.clone()));
        }
    }
}

fn volumes(cluster: &Cluster, touched: &Touched) -> BTreeSet<VolumeId> {
    let named = touched.volumes.iter().map(|name| VolumeId::Persistent(name.clone()));
    let by_status = touched.uniques.iter().map(|unique| cluster.volume_by_unique_name(unique));
    let on_nodes = touched.nodes.iter().flat_map(|node| cluster.volumes_attached_to(node));
    named.chain(by_status).chain(on_nodes).collect()
}

fn claim(cluster: &Cluster, id: &VolumeId) -> Option<Name> {
    match id {
        VolumeId::Persistent(name) => {
            let volume = cluster.persistent_volumes.get(&Name::cluster(name.clone()))?;
            volume.claim.as_ref().map(|claim| claim.name.clone())
        }
        VolumeId::Claim(name) => Some(name.clone()),
        VolumeId::Unknown(_) => None,
    }
}
