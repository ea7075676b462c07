//! What stands before and around the workloads: services, disruption budgets, and a job that is over.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::World;
use super::cast::container;
use super::pod::admit;

/// Namespace and name, how it is reached and where, and the port.
type Front = ([&'static str; 2], Reach, u16);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Within the cluster, by an address.
    Inside(&'static str),
    /// By the names of the pods.
    Headless,
    /// From outside: its address within, the node port and the balancer's address.
    Balanced(&'static str, u16, &'static str),
    /// Within the cluster, and what is behind it is nobody's pod.
    Unselected(&'static str),
}

const SERVICES: [Front; 12] = [
    (["default", "kubernetes"], Reach::Unselected("10.96.0.1"), 443),
    (["kube-system", "coredns"], Reach::Inside("10.96.0.10"), 53),
    (["data", "postgres"], Reach::Headless, 5432),
    (["data", "kafka"], Reach::Headless, 9092),
    (["data", "redis"], Reach::Inside("10.96.44.120"), 6379),
    (["monitoring", "grafana"], Reach::Inside("10.96.81.7"), 3000),
    (["monitoring", "prometheus"], Reach::Inside("10.96.12.201"), 9090),
    (["shop", "web"], Reach::Balanced("10.96.190.14", 31_080, "203.0.113.20"), 80),
    (["shop", "cart"], Reach::Inside("10.96.7.33"), 8080),
    (["shop", "search"], Reach::Inside("10.96.155.90"), 8080),
    (["shop", "checkout"], Reach::Inside("10.96.201.6"), 8080),
    (["shop", "media"], Reach::Inside("10.96.66.18"), 8080),
];

/// Namespace and name, the field of the spec, and what it says.
const BUDGETS: [([&str; 2], &str, u32); 5] = [
    (["kube-system", "coredns"], "maxUnavailable", 1),
    (["data", "postgres"], "minAvailable", 2),
    (["data", "kafka"], "maxUnavailable", 1),
    // One of one: it never lets its pod go.
    (["data", "redis"], "minAvailable", 1),
    (["shop", "checkout"], "minAvailable", 2),
];

const JOB: &str = "postgres-backup-29415780";
const JOB_UID: &str = "0b5f8c1e-6d0c-4f43-9a57-3d1f0f6f2a11";
const BACKUP: &str = "registry.example/data/postgres-backup:1.9";

pub(super) fn services(world: &mut World, namespace: &str) {
    let here = SERVICES.into_iter().filter(|([of, _], ..)| *of == namespace);
    world.add_all(Resource::Services, here.map(service));
}

pub(super) fn budgets(world: &mut World, namespace: &str) {
    let here = BUDGETS.into_iter().filter(|([of, _], ..)| *of == namespace);
    world.add_all(
        Resource::PodDisruptionBudgets,
        here.map(|([namespace, name], field, many)| {
            json!({
                "metadata": { "namespace": namespace, "name": name },
                "spec": {
                    field: many,
                    "selector": { "matchLabels": { "app.kubernetes.io/name": name } },
                },
                "status": { "observedGeneration": 0 },
            })
        }),
    );
}

fn service(([namespace, name], reach, number): Front) -> Value {
    let (kind, address) = match reach {
        Reach::Inside(address) | Reach::Unselected(address) => ("ClusterIP", address),
        Reach::Headless => ("ClusterIP", "None"),
        Reach::Balanced(address, ..) => ("LoadBalancer", address),
    };
    let mut port = json!({ "port": number, "targetPort": number, "protocol": "TCP" });
    let mut service = json!({
        "metadata": { "namespace": namespace, "name": name },
        "spec": {
            "type": kind,
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
        },
        "status": { "loadBalancer": {} },
    });
    if !matches!(reach, Reach::Unselected(_)) {
        service["spec"]["selector"] = json!({ "app.kubernetes.io/name": name });
    }
    if let Reach::Balanced(_, node_port, outside) = reach {
        port["nodePort"] = json!(node_port);
        service["status"]["loadBalancer"]["ingress"] = json!([{ "ip": outside, "ipMode": "VIP" }]);
    }
    service["spec"]["ports"] = json!([port]);
    service
}

/// What last night's job left behind.
pub(super) fn finished_job(world: &mut World) {
    let started = world.now;
    let done = started + SignedDuration::from_mins(4);
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind,
            "status": status,
            "reason": "PodCompleted",
            "lastProbeTime": null,
            "lastTransitionTime": object::time(done),
        })
    };
    world.add(Resource::Jobs, job(started, done));
    let mut pod = json!({
        "metadata": {
            "namespace": "data",
            "name": format!("{JOB}-x7k2p"),
            "generateName": format!("{JOB}-"),
            "labels": {
                "batch.kubernetes.io/job-name": JOB,
                "job-name": JOB,
            },
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "Job",
                "name": JOB,
                "uid": JOB_UID,
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "nodeName": "worker-0",
            "restartPolicy": "Never",
            "containers": [container("backup", BACKUP)],
        },
        "status": {
            "phase": "Succeeded",
            "qosClass": "Burstable",
            "hostIP": "10.20.0.11",
            "podIP": "10.244.1.77",
            "startTime": object::time(started),
            "conditions": [
                condition("Initialized", "True"),
                condition("Ready", "False"),
                condition("ContainersReady", "False"),
                condition("PodScheduled", "True"),
            ],
            "containerStatuses": [{
                "name": "backup",
                "image": BACKUP,
                "imageID": "registry.example/data/postgres-backup@sha256:51d9",
                "ready": false,
                "started": false,
                "restartCount": 0,
                "lastState": {},
                "state": {
                    "terminated": {
                        "exitCode": 0,
                        "reason": "Completed",
                        "startedAt": object::time(started),
                        "finishedAt": object::time(done),
                    },
                },
            }],
        },
    });
    admit(&mut pod, world.timers);
    world.add(Resource::Pods, pod);
}

fn job(started: Timestamp, done: Timestamp) -> Value {
    json!({
        "metadata": { "namespace": "data", "name": JOB, "uid": JOB_UID },
        "spec": {
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": 2,
            "completionMode": "NonIndexed",
            "suspend": false,
            "selector": { "matchLabels": { "batch.kubernetes.io/controller-uid": JOB_UID } },
            "template": {
                "metadata": { "labels": { "batch.kubernetes.io/job-name": JOB } },
                "spec": { "restartPolicy": "Never", "containers": [container("backup", BACKUP)] },
            },
        },
        "status": {
            "startTime": object::time(started),
            "completionTime": object::time(done),
            "succeeded": 1,
            "ready": 0,
            "terminating": 0,
            "uncountedTerminatedPods": {},
            "conditions": [{
                "type": "Complete",
                "status": "True",
                "reason": "CompletionsReached",
                "message": "Reached expected number of succeeded pods",
                "lastProbeTime": object::time(done),
                "lastTransitionTime": object::time(done),
            }],
        },
    })
}
