//! The columns of each kind, as `kubectl get` shows them.
//!
//! What is in them is in `table`.

use super::super::super::resource::Resource;

/// A column: its name, its type, and 1 if it shows in the wide output only.
pub(super) type Column = (&'static str, &'static str, u8);

const NAME: Column = ("Name", "string", 0);
const AGE: Column = ("Age", "string", 0);
const WORKLOAD_WIDE: [Column; 3] =
    [("Containers", "string", 1), ("Images", "string", 1), ("Selector", "string", 1)];

pub(super) fn columns(resource: Resource) -> Vec<Column> {
    let texts = |names: &[&'static str]| names.iter().map(|name| (*name, "string", 0)).collect::<Vec<_>>();
    let wide = |names: &[&'static str]| names.iter().map(|name| (*name, "string", 1)).collect::<Vec<_>>();
    let numbers = |names: &[&'static str]| names.iter().map(|name| (*name, "integer", 0)).collect::<Vec<_>>();
    let name = vec![NAME];
    match resource {
        Resource::Nodes => [
            texts(&["Name", "Status", "Roles", "Age", "Version"]),
            wide(&["Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"]),
        ]
        .concat(),
        Resource::Pods => [
            texts(&["Name", "Ready", "Status", "Restarts", "Age"]),
            wide(&["IP", "Node", "Nominated Node", "Readiness Gates"]),
        ]
        .concat(),
        Resource::PersistentVolumes => [
            texts(&["Name", "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"]),
            texts(&["Reason", "Age"]),
            wide(&["VolumeMode"]),
        ]
        .concat(),
        Resource::PersistentVolumeClaims => [
            texts(&["Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "Age"]),
            wide(&["VolumeMode"]),
        ]
        .concat(),
        Resource::VolumeAttachments => {
            [texts(&["Name", "Attacher", "PV", "Node"]), vec![("Attached", "boolean", 0), AGE]].concat()
        }
        Resource::Events => [
            texts(&["Last Seen", "Type", "Reason", "Object"]),
            wide(&["Subobject", "Source"]),
            texts(&["Message"]),
            wide(&["First Seen", "Count", "Name"]),
        ]
        .concat(),
        Resource::Namespaces => texts(&["Name", "Status", "Age"]),
        Resource::Leases => texts(&["Name", "Holder", "Age"]),
        Resource::Deployments => {
            [texts(&["Name", "Ready", "Up-to-date", "Available", "Age"]), WORKLOAD_WIDE.to_vec()].concat()
        }
        Resource::ReplicaSets => {
            [name, numbers(&["Desired", "Current", "Ready"]), vec![AGE], WORKLOAD_WIDE.to_vec()].concat()
        }
        Resource::StatefulSets => {
            [texts(&["Name", "Ready", "Age"]), wide(&["Containers", "Images"])].concat()
        }
        Resource::DaemonSets => [
            name,
            numbers(&["Desired", "Current", "Ready", "Up-to-date", "Available"]),
            texts(&["Node Selector", "Age"]),
            WORKLOAD_WIDE.to_vec(),
        ]
        .concat(),
        Resource::ControllerRevisions => {
            [texts(&["Name", "Controller"]), numbers(&["Revision"]), vec![AGE]].concat()
        }
        Resource::EndpointSlices => texts(&["Name", "AddressType", "Ports", "Endpoints", "Age"]),
        Resource::Jobs => {
            [texts(&["Name", "Status", "Completions", "Duration", "Age"]), WORKLOAD_WIDE.to_vec()].concat()
        }
        Resource::PodDisruptionBudgets => [
            texts(&["Name", "Min Available", "Max Unavailable"]),
            numbers(&["Allowed Disruptions"]),
            vec![AGE],
        ]
        .concat(),
        Resource::Services => {
            [texts(&["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"]), wide(&["Selector"])]
                .concat()
        }
        Resource::ConfigMaps => [name, numbers(&["Data"]), vec![AGE]].concat(),
        Resource::ApiServices => texts(&["Name", "Service", "Available", "Age"]),
        Resource::CsiNodes => [name, numbers(&["Drivers"]), vec![AGE]].concat(),
        Resource::CsiDrivers => texts(&["Name", "AttachRequired", "PodInfoOnMount", "Modes", "Age"]),
        Resource::StorageClasses => texts(&[
            "Name",
            "Provisioner",
            "ReclaimPolicy",
            "VolumeBindingMode",
            "AllowVolumeExpansion",
            "Age",
        ]),
    }
}
