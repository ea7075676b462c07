//! Each fact that the evidence asks for, taken away or turned round.

use crate::ward::{DEAD, POD, Ward};
use http::StatusCode;
use serde_json::{Value, json};
use sickbay::app::App;
use sickbay::cluster::{Feed, Kind, Sync};
use sickbay::demo::{Resource, Scope};

pub struct Fact {
    pub name: &'static str,
    pub apply: fn(&Ward),
    /// How a watch shows it, where only a watch does.
    pub seen: fn(&App) -> bool,
    /// What is said on the command line otherwise.
    pub said: Said,
}

/// What an operator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    All,
    NotThatItIsOff,
    OfAnotherMachine,
    NotTheName,
    NotYes,
    ReadOnly,
}

const fn fact(name: &'static str, apply: fn(&Ward)) -> Fact {
    Fact { name, apply, seen: |_| true, said: Said::All }
}

const fn watched(name: &'static str, apply: fn(&Ward), seen: fn(&App) -> bool) -> Fact {
    Fact { name, apply, seen, said: Said::All }
}

const fn said(name: &'static str, said: Said) -> Fact {
    Fact { name, apply: |_| {}, seen: |_| true, said }
}

const LEADER: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager";
const OTHERS: [&str; 5] = ["control-plane-0", "worker-0", "worker-1", "worker-3", "worker-4"];

pub const FACTS: &[Fact] = &[
    said("nobody says that it is off", Said::NotThatItIsOff),
    said("another machine is said to be off", Said::OfAnotherMachine),
    said("the name is not typed", Said::NotTheName),
    said("nobody agrees", Said::NotYes),
    said("the session is read-only", Said::ReadOnly),
    fact("it is Ready", |ward| ward.says(DEAD, "True", "KubeletReady")),
    fact("it is NotReady by its own word", |ward| ward.says(DEAD, "False", "KubeletNotReady")),
    fact("somebody else wrote that it is Unknown", |ward| ward.says(DEAD, "Unknown", "NodeFenced")),
    fact("it never said how it is", |ward| {
        let mut node = ward.demo.get(Resource::Nodes, "", DEAD).unwrap();
        node["status"]["conditions"] = json!([]);
        ward.demo.put(Resource::Nodes, node);
    }),
    fact("it was registered afresh", |ward| {
        let mut node = ward.demo.remove(Resource::Nodes, "", DEAD).unwrap();
        node["metadata"]["uid"] = json!("5e1f0000-0000-4000-8000-000000000001");
        node["metadata"]["resourceVersion"] = Value::Null;
        node["status"]["conditions"] = json!([{
            "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "",
        }]);
        ward.demo.put(Resource::Nodes, node);
    }),
    fact("its lease cannot be read", |ward| {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{DEAD}");
        ward.demo.faults().fail(&path, usize::MAX, StatusCode::INTERNAL_SERVER_ERROR, None);
    }),
    fact("its lease moves", |ward| ward.let_it_beat()),
    fact("it has no lease", |ward| {
        ward.demo.remove(Resource::Leases, "kube-node-lease", DEAD).unwrap();
    }),
    fact("it cannot be read live", |ward| {
        let path = format!("/api/v1/nodes/{DEAD}");
        ward.demo.faults().fail(&path, usize::MAX, StatusCode::INTERNAL_SERVER_ERROR, None);
    }),
    fact("its kubelet answers", |ward| {
        let pods = ward.demo.list(Resource::Pods);
        for pod in pods.iter().filter(|pod| pod["spec"]["nodeName"] == DEAD) {
            let text = |field: &str| pod["metadata"][field].as_str().unwrap();
            let path = format!("/api/v1/namespaces/{}/pods/{}/log", text("namespace"), text("name"));
            ward.demo.faults().fail_with_body(&path, usize::MAX, StatusCode::OK, "x");
        }
    }),
    fact("its kubelet knows no such container", |ward| {
        let pods = ward.demo.list(Resource::Pods);
        for pod in pods.iter().filter(|pod| pod["spec"]["nodeName"] == DEAD) {
            let text = |field: &str| pod["metadata"][field].as_str().unwrap();
            let path = format!("/api/v1/namespaces/{}/pods/{}/log", text("namespace"), text("name"));
            let body =
                json!({ "kind": "Status", "code": 404, "message": "container \"x\" not found in pod" });
            ward.demo.faults().fail_with_body(&path, usize::MAX, StatusCode::NOT_FOUND, &body.to_string());
        }
    }),
    watched(
        "more than a third of all nodes is gone",
        |ward| {
            for name in ["worker-0", "worker-1"] {
                ward.says(name, "Unknown", "NodeStatusUnknown");
            }
        },
        |app| app.cluster.unready_nodes().count() == 3,
    ),
    watched(
        "no node is ready",
        |ward| {
            for name in OTHERS {
                ward.says(name, "Unknown", "NodeStatusUnknown");
            }
        },
        |app| app.cluster.unready_nodes().count() == 6,
    ),
    watched(
        "what is known is old",
        |ward| {
            for verb in ["list", "watch"] {
                ward.demo.faults().deny(verb, Resource::PersistentVolumes, Scope::Everywhere);
            }
            ward.demo.faults().end_watches();
        },
        |app| !matches!(app.cluster.feed(Feed::Watch(Kind::PersistentVolume)).sync, Sync::Live { .. }),
    ),
    fact("the controller-manager has not renewed its lease", |ward| {
        let at = "2026-01-01T00:00:00.000000Z";
        ward.demo.put(
            Resource::Leases,
            json!({
                "metadata": { "namespace": "kube-system", "name": "kube-controller-manager" },
                "spec": { "holderIdentity": "one", "acquireTime": at, "renewTime": at },
            }),
        );
    }),
    fact("it cannot be read who leads", |ward| {
        ward.demo.faults().fail(LEADER, usize::MAX, StatusCode::FORBIDDEN, None);
    }),
    watched(
        "it is the last of the control plane",
        |ward| {
            let role = |role: Value| json!({ "metadata": { "labels": { "node-role.kubernetes.io/control-plane": role } } });
            ward.patch_node("control-plane-0", &role(Value::Null));
            ward.patch_node(DEAD, &role(json!("")));
        },
        |app| app.cluster.node(DEAD).is_some_and(|node| node.roles().any(|role| role == "control-plane")),
    ),
    watched(
        "its volumes are in use elsewhere",
        |ward| {
            let volumes: Vec<Value> = ward.demo.list(Resource::VolumeAttachments);
            let volumes = volumes.iter().filter(|one| one["spec"]["nodeName"] == DEAD);
            for (n, attachment) in volumes.enumerate() {
                let volume = attachment["spec"]["source"]["persistentVolumeName"].as_str().unwrap();
                let claim = match ward.demo.get(Resource::PersistentVolumes, "", volume).unwrap()["spec"]["claimRef"]
                    ["name"]
                {
                    Value::String(ref name) => name.clone(),
                    _ => {
                        let name = format!("claim-{n}");
                        let bound = json!({ "spec": { "claimRef": { "namespace": POD.0, "name": name } } });
                        ward.demo.patch(Resource::PersistentVolumes, "", volume, &bound).unwrap();
                        ward.demo.put(
                            Resource::PersistentVolumeClaims,
                            json!({
                                "metadata": { "namespace": POD.0, "name": name },
                                "spec": { "volumeName": volume, "accessModes": ["ReadWriteOnce"] },
                                "status": { "phase": "Bound" },
                            }),
                        );
                        name
                    }
                };
                ward.demo.put(
                    Resource::Pods,
                    json!({
                        "metadata": { "namespace": POD.0, "name": format!("elsewhere-{n}") },
                        "spec": {
                            "nodeName": "worker-0",
                            "containers": [{ "name": "c", "image": "c" }],
                            "volumes": [{ "name": "v", "persistentVolumeClaim": { "claimName": claim } }],
                        },
                        "status": {
                            "phase": "Running",
                            "conditions": [{ "type": "Ready", "status": "True" }],
                        },
                    }),
                );
            }
        },
        |app| {
            app.cluster.pods.values().filter(|pod| pod.meta.name.name.starts_with("elsewhere-")).count() >= 4
        },
    ),
    fact("somebody else fences it", |ward| {
        ward.patch_node(DEAD, &json!({ "metadata": { "annotations": { "fencing/state": "started" } } }));
    }),
    fact("nodes may not be patched", |ward| {
        ward.demo.faults().deny("patch", Resource::Nodes, Scope::Everywhere);
    }),
    fact("pods may not be deleted", |ward| {
        ward.demo.faults().deny("delete", Resource::Pods, Scope::Everywhere);
    }),
    fact("attachments may not be deleted", |ward| {
        ward.demo.faults().deny("delete", Resource::VolumeAttachments, Scope::Everywhere);
    }),
    fact("leases may not be read", |ward| {
        ward.demo.faults().deny("get", Resource::Leases, Scope::Everywhere);
    }),
    fact("nobody answers what may be done", |ward| {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        ward.demo.faults().fail(path, usize::MAX, StatusCode::INTERNAL_SERVER_ERROR, None);
    }),
];
