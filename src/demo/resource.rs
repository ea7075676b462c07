//! The resources that the demo serves, one row each: the names, as discovery and the paths spell them.
//!
//! No objects and no columns here. The list is closed: what is not in it answers 404.

/// A resource of the demo's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    Nodes,
    Pods,
    PersistentVolumes,
    PersistentVolumeClaims,
    VolumeAttachments,
    Events,
    Namespaces,
    Leases,
    Deployments,
    ReplicaSets,
    StatefulSets,
    DaemonSets,
    ControllerRevisions,
    Jobs,
    PodDisruptionBudgets,
    Services,
    EndpointSlices,
    CsiNodes,
    CsiDrivers,
    StorageClasses,
    ConfigMaps,
    ApiServices,
}

/// How a resource is spelt.
#[derive(Debug)]
pub(crate) struct Spelling {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) is_namespaced: bool,
    /// Whether the server counts changes of its spec in `metadata.generation`.
    pub(crate) counts_generations: bool,
    pub(crate) short_names: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
}

const CORE: &str = "";
const APPS: &str = "apps";
const BATCH: &str = "batch";
const POLICY: &str = "policy";
const STORAGE: &str = "storage.k8s.io";
const COORDINATION: &str = "coordination.k8s.io";
const REGISTRATION: &str = "apiregistration.k8s.io";
const DISCOVERY: &str = "discovery.k8s.io";

impl Resource {
    pub const ALL: [Self; 22] = [
        Self::Nodes,
        Self::Pods,
        Self::PersistentVolumes,
        Self::PersistentVolumeClaims,
        Self::VolumeAttachments,
        Self::Events,
        Self::Namespaces,
        Self::Leases,
        Self::Deployments,
        Self::ReplicaSets,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::ControllerRevisions,
        Self::Jobs,
        Self::PodDisruptionBudgets,
        Self::Services,
        Self::EndpointSlices,
        Self::CsiNodes,
        Self::CsiDrivers,
        Self::StorageClasses,
        Self::ConfigMaps,
        Self::ApiServices,
    ];

    pub(crate) const fn spelling(self) -> Spelling {
        match self {
            Self::Nodes => cluster(CORE, ["nodes", "node", "Node"], &["no"]),
            Self::Pods => workload(CORE, ["pods", "pod", "Pod"], &["po"]),
            Self::PersistentVolumes => {
                cluster(CORE, ["persistentvolumes", "persistentvolume", "PersistentVolume"], &["pv"])
            }
            Self::PersistentVolumeClaims => namespaced(
                CORE,
                ["persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim"],
                &["pvc"],
            ),
            Self::VolumeAttachments => {
                cluster(STORAGE, ["volumeattachments", "volumeattachment", "VolumeAttachment"], &[])
            }
            Self::Events => namespaced(CORE, ["events", "event", "Event"], &["ev"]),
            Self::Namespaces => cluster(CORE, ["namespaces", "namespace", "Namespace"], &["ns"]),
            Self::Leases => namespaced(COORDINATION, ["leases", "lease", "Lease"], &[]),
            Self::Deployments => workload(APPS, ["deployments", "deployment", "Deployment"], &["deploy"]),
            Self::ReplicaSets => workload(APPS, ["replicasets", "replicaset", "ReplicaSet"], &["rs"]),
            Self::StatefulSets => workload(APPS, ["statefulsets", "statefulset", "StatefulSet"], &["sts"]),
            Self::DaemonSets => workload(APPS, ["daemonsets", "daemonset", "DaemonSet"], &["ds"]),
            Self::ConfigMaps => namespaced(CORE, ["configmaps", "configmap", "ConfigMap"], &["cm"]),
            Self::ControllerRevisions => {
                namespaced(APPS, ["controllerrevisions", "controllerrevision", "ControllerRevision"], &[])
            }
            Self::Jobs => workload(BATCH, ["jobs", "job", "Job"], &[]),
            Self::PodDisruptionBudgets => {
                let names = ["poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget"];
                Spelling { counts_generations: true, ..namespaced(POLICY, names, &["pdb"]) }
            }
            Self::Services => Spelling {
                categories: &["all"],
                ..namespaced(CORE, ["services", "service", "Service"], &["svc"])
            },
            Self::EndpointSlices => {
                namespaced(DISCOVERY, ["endpointslices", "endpointslice", "EndpointSlice"], &[])
            }
            Self::ApiServices => cluster(REGISTRATION, ["apiservices", "apiservice", "APIService"], &[]),
            Self::CsiNodes => cluster(STORAGE, ["csinodes", "csinode", "CSINode"], &[]),
            Self::CsiDrivers => cluster(STORAGE, ["csidrivers", "csidriver", "CSIDriver"], &[]),
            Self::StorageClasses => {
                cluster(STORAGE, ["storageclasses", "storageclass", "StorageClass"], &["sc"])
            }
        }
    }

    /// Whether its status is written apart, so that who writes the object leaves the status alone and the other
    /// way round.
    pub(crate) const fn has_status(self) -> bool {
        match self {
            Self::Nodes
            | Self::Pods
            | Self::PersistentVolumes
            | Self::PersistentVolumeClaims
            | Self::VolumeAttachments
            | Self::Namespaces
            | Self::Deployments
            | Self::ReplicaSets
            | Self::StatefulSets
            | Self::DaemonSets
            | Self::Jobs
            | Self::PodDisruptionBudgets
            | Self::Services
            | Self::ApiServices => true,
            Self::Events
            | Self::Leases
            | Self::CsiNodes
            | Self::CsiDrivers
            | Self::StorageClasses
            | Self::ConfigMaps
            | Self::ControllerRevisions
            | Self::EndpointSlices => false,
        }
    }

    pub(crate) const fn has_scale(self) -> bool {
        matches!(self, Self::Deployments | Self::ReplicaSets | Self::StatefulSets)
    }

    /// Whether it can be replaced by who does not say which version they read.
    pub(crate) const fn is_replaced_blindly(self) -> bool {
        !matches!(
            self,
            Self::VolumeAttachments
                | Self::PodDisruptionBudgets
                | Self::Leases
                | Self::CsiNodes
                | Self::CsiDrivers
        )
    }

    /// `v1`, `apps/v1`.
    pub(crate) fn api_version(self) -> String {
        let spelling = self.spelling();
        if spelling.group.is_empty() {
            spelling.version.to_owned()
        } else {
            format!("{}/{}", spelling.group, spelling.version)
        }
    }

    /// `pods`, `volumeattachments.storage.k8s.io`: as error texts name it.
    pub(crate) fn qualified(self) -> String {
        let spelling = self.spelling();
        if spelling.group.is_empty() {
            spelling.plural.to_owned()
        } else {
            format!("{}.{}", spelling.plural, spelling.group)
        }
    }

    pub(crate) fn of_path(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| {
            let spelling = resource.spelling();
            (spelling.group, spelling.version, spelling.plural) == (group, version, plural)
        })
    }
}

const fn cluster(
    group: &'static str,
    [plural, singular, kind]: [&'static str; 3],
    short_names: &'static [&'static str],
) -> Spelling {
    Spelling {
        group,
        version: "v1",
        plural,
        singular,
        kind,
        is_namespaced: false,
        counts_generations: false,
        short_names,
        categories: &[],
    }
}

const fn namespaced(
    group: &'static str,
    names: [&'static str; 3],
    short_names: &'static [&'static str],
) -> Spelling {
    let mut spelling = cluster(group, names, short_names);
    spelling.is_namespaced = true;
    spelling
}

const fn workload(
    group: &'static str,
    names: [&'static str; 3],
    short_names: &'static [&'static str],
) -> Spelling {
    let mut spelling = namespaced(group, names, short_names);
    spelling.counts_generations = true;
    spelling.categories = &["all"];
    spelling
}
