//! Who is in the demo cluster: nodes, storage and workloads, put there as an operator would and brought up by the
//! controllers, so that nothing in it was written by hand that a cluster writes itself.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::super::api::defaults;
use super::super::object;
use super::super::resource::Resource;
use super::super::store::Key;
use super::World;
use super::front::{budgets, finished_job, services};
use super::node::{Machine, boot_id, register};
use super::pod::admit;

const BLOCK: &str = "block.csi.demo.example";
const FILES: &str = "files.csi.demo.example";

const MACHINES: [Machine; 6] = [
    Machine { name: "control-plane-0", position: 0, zone: "zone-a", is_control_plane: true },
    Machine { name: "worker-0", position: 1, zone: "zone-a", is_control_plane: false },
    Machine { name: "worker-1", position: 2, zone: "zone-b", is_control_plane: false },
    Machine { name: "worker-2", position: 3, zone: "zone-c", is_control_plane: false },
    Machine { name: "worker-3", position: 4, zone: "zone-a", is_control_plane: false },
    Machine { name: "worker-4", position: 5, zone: "zone-b", is_control_plane: false },
];

/// What the plot needs on `worker-2`: by the beginning of the pods' names.
pub(super) fn placements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("coredns-", "worker-2"),
        ("postgres-0", "worker-0"),
        ("postgres-1", "worker-2"),
        ("postgres-2", "worker-4"),
        ("kafka-0", "worker-1"),
        ("kafka-1", "worker-3"),
        ("kafka-2", "worker-2"),
        ("web-", "worker-2"),
        ("web-", "worker-2"),
        ("checkout-", "worker-2"),
        ("media-", "worker-2"),
        ("report-", "worker-1"),
    ]
}

/// A step of building the cluster.
type Act = fn(&mut World);

/// Brings the cluster up in the past and leaves it at `now`, calm.
pub(super) fn assemble(world: &mut World, more: &[(Resource, Value)], now: Timestamp) {
    let acts: [(i64, Act); 6] = [
        (41 * 24, found),
        (40 * 24, storage),
        (38 * 24, system),
        (31 * 24, data),
        (12 * 24, monitoring),
        (3 * 24 + 5, shop),
    ];
    for (hours_ago, act) in acts {
        world.leap(now - SignedDuration::from_hours(hours_ago));
        act(world);
        world.advance(world.now + world.timers.seconds(60));
    }
    world.leap(now - SignedDuration::from_hours(26));
    world.create(more);
    world.advance(world.now + world.timers.seconds(60));
    world.leap(now - SignedDuration::from_hours(7));
    finished_job(world);
    world.leap(now);
}

/// One for each group that is served here: nothing stands behind the API server.
fn api_services() -> Vec<Value> {
    let groups: BTreeSet<&str> = Resource::ALL.iter().map(|resource| resource.spelling().group).collect();
    let api_service = |group: &str| {
        json!({
            "metadata": { "name": format!("v1.{group}"), "labels": { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
            "spec": { "group": group, "groupPriorityMinimum": 17_800, "version": "v1", "versionPriority": 15 },
            "status": { "conditions": [{
                "type": "Available",
                "status": "True",
                "reason": "Local",
                "message": "Local APIServices are always available",
            }] },
        })
    };
    groups.into_iter().map(api_service).collect()
}

impl World {
    /// As a server would have stored it: a template that is filled up only later is another revision then.
    pub(super) fn add(&mut self, resource: Resource, mut object: Value) {
        if matches!(resource, Resource::Deployments | Resource::StatefulSets | Resource::DaemonSets) {
            let grace = &mut object["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
            if grace.is_null() {
                *grace = json!(self.timers.whole_seconds(30));
            }
            defaults::fill(&mut object, resource);
        }
        self.store.put(resource, object, self.now);
    }

    pub(super) fn add_all(&mut self, resource: Resource, objects: impl IntoIterator<Item = Value>) {
        for object in objects {
            self.add(resource, object);
        }
    }
}

fn found(world: &mut World) {
    let namespaces =
        ["default", "kube-system", "kube-public", "kube-node-lease", "shop", "data", "monitoring"];
    world.add_all(
        Resource::Namespaces,
        namespaces.map(|name| {
            json!({
                "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
                "spec": { "finalizers": ["kubernetes"] },
                "status": { "phase": "Active" },
            })
        }),
    );
    let now = world.now;
    world.add_all(Resource::Nodes, MACHINES.iter().map(|machine| register(machine, now)));
    services(world, "default");
    let Some(node) = world.store.list(Resource::Nodes).next().cloned() else {
        return;
    };
    for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
        let mut pod = json!({
            "metadata": {
                "namespace": "kube-system",
                "name": format!("{name}-control-plane-0"),
                "labels": { "component": name, "tier": "control-plane" },
                "annotations": { "kubernetes.io/config.mirror": "4f1c", "kubernetes.io/config.source": "file" },
                "ownerReferences": [object::owner_reference(&node)],
            },
            "spec": {
                "nodeName": "control-plane-0",
                "hostNetwork": true,
                "priorityClassName": "system-node-critical",
                "priority": 2_000_001_000,
                "tolerations": [{ "operator": "Exists", "effect": "NoExecute" }],
                "containers": [container(name, &format!("registry.example/k8s/{name}:v1.36.2"))],
            },
            "status": { "phase": "Pending", "qosClass": "Burstable" },
        });
        admit(&mut pod, world.timers);
        world.add(Resource::Pods, pod);
    }
}

fn storage(world: &mut World) {
    world.add_all(
        Resource::CsiDrivers,
        [(BLOCK, true), (FILES, false)].map(|(name, attaches)| {
            json!({
                "metadata": { "name": name },
                "spec": {
                    "attachRequired": attaches,
                    "podInfoOnMount": false,
                    "fsGroupPolicy": "File",
                    "storageCapacity": false,
                    "requiresRepublish": false,
                    "volumeLifecycleModes": ["Persistent"],
                },
            })
        }),
    );
    world.add_all(Resource::ApiServices, api_services());
    world.add_all(
        Resource::StorageClasses,
        [
            ("block-fast", BLOCK, "Delete", true),
            ("block-retain", BLOCK, "Retain", false),
            ("files-shared", FILES, "Delete", false),
            ("local-ssd", "kubernetes.io/no-provisioner", "Delete", false),
        ]
        .map(|(name, provisioner, reclaim, is_default)| {
            let annotations = if is_default {
                json!({ "storageclass.kubernetes.io/is-default-class": "true" })
            } else {
                Value::Null
            };
            json!({
                "metadata": { "name": name, "annotations": annotations },
                "provisioner": provisioner,
                "reclaimPolicy": reclaim,
                "volumeBindingMode": "WaitForFirstConsumer",
                "allowVolumeExpansion": provisioner == BLOCK,
            })
        }),
    );
    let csi_nodes: Vec<Value> = world.store.list(Resource::Nodes).map(|node| csi_node(node)).collect();
    world.add_all(Resource::CsiNodes, csi_nodes);
    world.add(
        Resource::PersistentVolumes,
        json!({
            "metadata": { "name": "local-worker-3-nvme0", "finalizers": ["kubernetes.io/pv-protection"] },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": { "storage": "200Gi" },
                "local": { "path": "/mnt/nvme0" },
                "nodeAffinity": {
                    "required": {
                        "nodeSelectorTerms": [{
                            "matchExpressions": [
                                { "key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-3"] },
                            ],
                        }],
                    },
                },
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "local-ssd",
                "volumeMode": "Filesystem",
            },
            "status": { "phase": "Available" },
        }),
    );
}

fn csi_node(node: &Value) -> Value {
    let name = object::name(node);
    let drivers =
        [BLOCK, FILES].map(|driver| json!({ "name": driver, "nodeID": name, "topologyKeys": null }));
    json!({
        "metadata": {
            "name": name,
            "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": name, "uid": object::uid(node) }],
        },
        "spec": { "drivers": drivers },
    })
}

/// What kubelets do when they start and their Node is gone.
pub(super) fn register_again(world: &mut World, nodes: &[String]) {
    for machine in MACHINES.iter().filter(|machine| nodes.iter().any(|node| node == machine.name)) {
        let name = machine.name;
        if world.store.get(Resource::Nodes, &Key::new("", name)).is_none() {
            let mut node = register(machine, world.now);
            node["status"]["nodeInfo"]["bootID"] = json!(boot_id(name, world.machines.boots(name)));
            let node = world.store.put(Resource::Nodes, node, world.now);
            world.add(Resource::CsiNodes, csi_node(&node));
        }
    }
}

fn system(world: &mut World) {
    let everywhere = json!([{ "operator": "Exists" }]);
    let mut proxy = daemon_set("kube-system", "kube-proxy", "registry.example/k8s/kube-proxy:v1.36.2");
    proxy["spec"]["template"]["spec"]["tolerations"] = everywhere.clone();
    proxy["spec"]["template"]["spec"]["priorityClassName"] = json!("system-node-critical");
    let mut csi = daemon_set("kube-system", "block-csi-node", "registry.example/storage/block-csi:2.8.0");
    csi["spec"]["template"]["spec"]["tolerations"] = everywhere;
    csi["spec"]["template"]["spec"]["containers"] = json!([
        container("block-csi", "registry.example/storage/block-csi:2.8.0"),
        container("node-driver-registrar", "registry.example/k8s/csi-registrar:v2.15.0"),
    ]);
    world.add_all(Resource::DaemonSets, [proxy, csi]);
    let mut dns = deployment("kube-system", "coredns", "registry.example/k8s/coredns:v1.13.1", 2);
    dns["spec"]["template"]["spec"]["priorityClassName"] = json!("system-cluster-critical");
    let controller =
        deployment("kube-system", "block-csi-controller", "registry.example/storage/block-csi:2.8.0", 2);
    world.add_all(Resource::Deployments, [dns, controller]);
    services(world, "kube-system");
    budgets(world, "kube-system");
}

fn data(world: &mut World) {
    let postgres = stateful_set("data", "postgres", "registry.example/data/postgres:17.4", 3);
    let mut postgres = with_claim(postgres, "block-retain", "50Gi");
    postgres["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] =
        json!(world.timers.whole_seconds(60));
    let kafka = stateful_set("data", "kafka", "registry.example/data/kafka:4.1.0", 3);
    let mut kafka = with_claim(kafka, "block-fast", "100Gi");
    kafka["spec"]["podManagementPolicy"] = json!("Parallel");
    kafka["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] =
        json!(world.timers.whole_seconds(120));
    let redis = with_claim(
        stateful_set("data", "redis", "registry.example/data/redis:8.2.1", 1),
        "block-fast",
        "8Gi",
    );
    world.add_all(Resource::StatefulSets, [postgres, kafka, redis]);
    services(world, "data");
    budgets(world, "data");
}

fn monitoring(world: &mut World) {
    let exporter =
        daemon_set("monitoring", "node-exporter", "registry.example/monitoring/node-exporter:1.9.1");
    let mut exporter = exporter;
    exporter["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    exporter["spec"]["template"]["spec"]["tolerations"] = json!([
        { "key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule" },
    ]);
    world.add(Resource::DaemonSets, exporter);
    let prometheus =
        stateful_set("monitoring", "prometheus", "registry.example/monitoring/prometheus:3.4.1", 1);
    world.add(Resource::StatefulSets, with_claim(prometheus, "local-ssd", "200Gi"));
    let grafana = deployment("monitoring", "grafana", "registry.example/monitoring/grafana:12.0.2", 1);
    world.add(Resource::Deployments, grafana);
    services(world, "monitoring");
}

fn shop(world: &mut World) {
    world.add(
        Resource::PersistentVolumeClaims,
        json!({
            "metadata": { "namespace": "shop", "name": "media", "finalizers": ["kubernetes.io/pvc-protection"] },
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": { "requests": { "storage": "500Gi" } },
                "storageClassName": "files-shared",
            },
            "status": { "phase": "Pending" },
        }),
    );
    let mut media = deployment("shop", "media", "registry.example/shop/media:2026.9.2", 3);
    media["spec"]["template"]["spec"]["volumes"] =
        json!([{ "name": "media", "persistentVolumeClaim": { "claimName": "media" } }]);
    let mut checkout = deployment("shop", "checkout", "registry.example/shop/checkout:2026.11.3", 3);
    // It is worth moving early: it does not wait out the default five minutes.
    let early = |key: &str| {
        json!({
            "key": format!("node.kubernetes.io/{key}"),
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": world.timers.whole_seconds(60),
        })
    };
    checkout["spec"]["template"]["spec"]["tolerations"] = json!([early("unreachable"), early("not-ready")]);
    let deployments = [
        deployment("shop", "web", "registry.example/shop/web:2026.11.4", 6),
        deployment("shop", "cart", "registry.example/shop/cart:2026.10.9", 2),
        deployment("shop", "search", "registry.example/shop/search:2026.11.1", 2),
        checkout,
        media,
    ];
    world.add_all(Resource::Deployments, deployments);
    services(world, "shop");
    budgets(world, "shop");
}

pub(super) fn container(name: &str, image: &str) -> Value {
    json!({
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{ "name": "GOMAXPROCS", "value": "2" }],
        "resources": { "requests": { "cpu": "100m", "memory": "128Mi" }, "limits": { "memory": "512Mi" } },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [],
    })
}

fn workload(namespace: &str, name: &str, image: &str) -> Value {
    let labels = json!({ "app.kubernetes.io/name": name });
    json!({
        "metadata": { "namespace": namespace, "name": name, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container(name, image)] } },
        },
        "status": {},
    })
}

fn deployment(namespace: &str, name: &str, image: &str, replicas: u32) -> Value {
    let mut deployment = workload(namespace, name, image);
    deployment["metadata"]["annotations"] = json!({ "deployment.kubernetes.io/revision": "1" });
    deployment["spec"]["replicas"] = json!(replicas);
    deployment["spec"]["progressDeadlineSeconds"] = json!(600);
    deployment["spec"]["revisionHistoryLimit"] = json!(10);
    deployment["spec"]["strategy"] =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } });
    deployment
}

fn stateful_set(namespace: &str, name: &str, image: &str, replicas: u32) -> Value {
    let mut set = workload(namespace, name, image);
    set["spec"]["replicas"] = json!(replicas);
    set["spec"]["serviceName"] = json!(name);
    set["spec"]["podManagementPolicy"] = json!("OrderedReady");
    set["spec"]["updateStrategy"] = json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } });
    set
}

fn with_claim(mut set: Value, class: &str, size: &str) -> Value {
    set["spec"]["volumeClaimTemplates"] = json!([{
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": "data" },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": size } },
            "storageClassName": class,
        },
    }]);
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{ "name": "data", "mountPath": "/data" }]);
    set
}

fn daemon_set(namespace: &str, name: &str, image: &str) -> Value {
    let mut set = workload(namespace, name, image);
    set["spec"]["updateStrategy"] =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } });
    set
}
