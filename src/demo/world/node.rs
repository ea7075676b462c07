//! Nodes as their kubelets register them and post their status.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::store::scatter;
use super::pod::hash;

/// What the images of a node are: as in life the larger part of the object, and of no use to this program.
const IMAGES: [(&str, u64); 14] = [
    ("registry.example/data/postgres:17.4", 438_201_344),
    ("registry.example/data/kafka:4.1.0", 412_883_120),
    ("registry.example/monitoring/prometheus:3.4.1", 301_118_976),
    ("registry.example/monitoring/grafana:12.0.2", 287_410_688),
    ("registry.example/shop/checkout:2026.11.3", 190_442_112),
    ("registry.example/shop/search:2026.11.1", 182_006_784),
    ("registry.example/shop/web:2026.11.4", 164_339_200),
    ("registry.example/shop/cart:2026.10.9", 141_885_440),
    ("registry.example/k8s/kube-proxy:v1.36.2", 102_160_896),
    ("registry.example/k8s/coredns:v1.13.1", 73_195_008),
    ("registry.example/storage/block-csi:2.8.0", 66_112_512),
    ("registry.example/storage/files-csi:1.4.2", 58_720_256),
    ("registry.example/monitoring/node-exporter:1.9.1", 24_117_248),
    ("registry.example/k8s/pause:3.11", 737_280),
];

/// A node: its name, where it stands among all, its zone.
pub(super) struct Machine {
    pub(super) name: &'static str,
    pub(super) position: u64,
    pub(super) zone: &'static str,
    pub(super) is_control_plane: bool,
}

pub(super) fn register(machine: &Machine, now: Timestamp) -> Value {
    let Machine { name, position, zone, is_control_plane } = machine;
    let (cpu, memory) = if *is_control_plane { (4, 16) } else { (8, 32) };
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": format!("demo.{cpu}x{memory}"),
        "topology.kubernetes.io/region": "demo-1",
        "topology.kubernetes.io/zone": zone,
    });
    let mut spec = json!({
        "podCIDR": format!("10.244.{position}.0/24"),
        "podCIDRs": [format!("10.244.{position}.0/24")],
        "providerID": format!("demo://{zone}/{name}"),
    });
    if *is_control_plane {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        spec["taints"] = json!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]);
    } else {
        labels["node-role.kubernetes.io/worker"] = json!("");
    }
    let images: Vec<Value> = IMAGES
        .iter()
        .map(|(image, size)| {
            let repository = image.split(':').next().unwrap_or(image);
            let digest = format!("{repository}@sha256:{:064x}", scatter(hash(image)));
            json!({ "names": [digest, image], "sizeBytes": size })
        })
        .collect();
    let resources = |cpu: &str, memory: u64| {
        json!({
            "cpu": cpu,
            "ephemeral-storage": "101430960Ki",
            "hugepages-1Gi": "0",
            "hugepages-2Mi": "0",
            "memory": format!("{memory}Ki"),
            "pods": "110",
        })
    };
    let memory = memory * 1_024 * 1_024 - 301_128;
    let mut node = json!({
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {
                "csi.volume.kubernetes.io/nodeid": json!({ "block.csi.demo.example": name }).to_string(),
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "managedFields": managed_fields(now),
        },
        "spec": spec,
        "status": {
            "addresses": [
                { "type": "InternalIP", "address": format!("10.20.0.{}", 10 + position) },
                { "type": "Hostname", "address": name },
            ],
            "allocatable": resources(&format!("{}m", cpu * 1_000 - 120), memory - 1_126_400),
            "capacity": resources(&cpu.to_string(), memory),
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "images": images,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": boot_id(name, 0),
                "containerRuntimeVersion": "containerd://2.2.1",
                "kernelVersion": "6.12.48-cloud-amd64",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.36.2",
                "machineID": identity(name, 2).replace('-', ""),
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "systemUUID": identity(name, 3),
            },
        },
    });
    post_healthy(&mut node, now);
    node
}

/// The conditions that a kubelet posts when all is well.
pub(super) fn post_healthy(node: &mut Value, now: Timestamp) {
    let conditions = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    for (kind, status, reason, message) in conditions {
        let fields = json!({
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": object::time(now),
        });
        object::set_condition(node, kind, &fields, now);
    }
}

/// The address at which a node is reached in the cluster.
pub(super) fn address(node: &Value) -> String {
    let addresses = object::items(node, "/status/addresses").iter();
    let internal = addresses.filter(|address| address["type"] == "InternalIP");
    internal.map(|address| object::text(address, "/address")).next().unwrap_or_default().to_owned()
}

/// What a machine calls its present boot.
pub(super) fn boot_id(name: &str, boots: u32) -> String {
    identity(name, 1 + (u64::from(boots) << 8))
}

/// A uuid of a machine: the same in every run.
fn identity(name: &str, what: u64) -> String {
    let (high, low) = (scatter(hash(name) ^ what), scatter(hash(name).wrapping_add(what)));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff,
    )
}

fn managed_fields(now: Timestamp) -> Value {
    let condition = json!({
        ".": {}, "f:lastHeartbeatTime": {}, "f:lastTransitionTime": {}, "f:message": {}, "f:reason": {},
        "f:status": {}, "f:type": {},
    });
    json!([
        {
            "manager": "kubelet",
            "operation": "Update",
            "apiVersion": "v1",
            "time": object::time(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {
                    "f:annotations": { ".": {}, "f:volumes.kubernetes.io/controller-managed-attach-detach": {} },
                    "f:labels": {
                        ".": {}, "f:kubernetes.io/arch": {}, "f:kubernetes.io/hostname": {}, "f:kubernetes.io/os": {},
                    },
                },
            },
        },
        {
            "manager": "kubelet",
            "operation": "Update",
            "apiVersion": "v1",
            "time": object::time(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:status": {
                    "f:conditions": {
                        "k:{\"type\":\"DiskPressure\"}": condition,
                        "k:{\"type\":\"MemoryPressure\"}": condition,
                        "k:{\"type\":\"PIDPressure\"}": condition,
                        "k:{\"type\":\"Ready\"}": condition,
                    },
                    "f:images": {},
                    "f:volumesInUse": {},
                },
            },
            "subresource": "status",
        },
    ])
}
