//! A cluster that stands still with a machine in it that is dead by all that can be asked, and what its API was asked.

use serde_json::{Value, json};
use sickbay::actions::ActionKind;
use sickbay::demo::{Demo, Options, Received, Resource, Scenario};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::NamedTempFile;

pub const DEAD: &str = "worker-2";
pub const POD: (&str, &str) = ("data", "postgres-1");
const FINALIZER: &str = "example.com/held";

/// Something dangerous that is wanted.
#[derive(Debug)]
pub struct Attempt {
    pub what: &'static str,
    pub action: ActionKind,
    pub target: &'static str,
}

pub const ATTEMPTS: &[Attempt] = &[
    Attempt { what: "the mark", action: ActionKind::ForceDetach, target: DEAD },
    Attempt { what: "the node", action: ActionKind::DeleteNode, target: DEAD },
    Attempt { what: "the pod", action: ActionKind::ReleasePod, target: "data/postgres-1" },
    Attempt { what: "the attachment", action: ActionKind::DeleteAttachment, target: "csi-idle" },
    Attempt {
        what: "the finalizer of a pod",
        action: ActionKind::RemoveFinalizer,
        target: "pod/data/postgres-1",
    },
    Attempt {
        what: "the pod of a volume",
        action: ActionKind::DetachVolume,
        target: "persistentvolumeclaim/data/data-postgres-1",
    },
    DETACHING,
];

/// The last of them: what is to go already is against all others.
pub const DETACHING: Attempt = Attempt {
    what: "the finalizer of an attachment",
    action: ActionKind::RemoveFinalizer,
    target: "volumeattachment/csi-going",
};

impl Attempt {
    /// The name that has to be typed.
    pub fn name(&self) -> &'static str {
        self.target.rsplit('/').next().unwrap_or_default()
    }

    /// What has to be so for it, and for no other.
    pub fn prepare(&self, ward: &Ward) {
        if self.what == DETACHING.what {
            let going = json!({ "metadata": { "deletionTimestamp": "2026-11-21T00:00:00Z", "deletionGracePeriodSeconds": 0 } });
            ward.demo.patch(Resource::VolumeAttachments, "", self.name(), &going).unwrap();
        }
    }
}

pub struct Ward {
    pub demo: Demo,
    pub kubeconfig: NamedTempFile,
    /// The machine's lease goes on to move.
    beats: AtomicBool,
}

impl Ward {
    pub async fn start() -> Self {
        let from = Duration::from_mins(7);
        let options = Options { scenario: Scenario::DeadNode, from, ..Options::default() };
        let demo = Demo::still(options, jiff::Timestamp::now()).await.unwrap();
        // Who leads would stand still as well, and be silent: this control plane keeps that to itself.
        for leader in ["kube-controller-manager", "kube-scheduler"] {
            demo.remove(Resource::Leases, "kube-system", leader).unwrap();
        }
        let mut kubeconfig = NamedTempFile::new().unwrap();
        kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
        let ward = Self { demo, kubeconfig, beats: AtomicBool::new(false) };
        let held = json!({ "metadata": { "finalizers": [FINALIZER] } });
        ward.demo.patch(Resource::Pods, POD.0, POD.1, &held).unwrap();
        // Two attachments more, of volumes that nothing there wants.
        for name in ["csi-idle", "csi-going"] {
            ward.demo.put(
                Resource::PersistentVolumes,
                json!({
                    "metadata": { "name": format!("pv-of-{name}") },
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "capacity": { "storage": "1Gi" },
                        "csi": { "driver": "block.csi.demo.example", "volumeHandle": name },
                    },
                    "status": { "phase": "Released" },
                }),
            );
            ward.demo.put(
                Resource::VolumeAttachments,
                json!({
                    "metadata": {
                        "name": name,
                        "finalizers": ["external-attacher/block-csi-demo-example"],
                    },
                    "spec": {
                        "attacher": "block.csi.demo.example",
                        "nodeName": DEAD,
                        "source": { "persistentVolumeName": format!("pv-of-{name}") },
                    },
                    "status": { "attached": true },
                }),
            );
        }
        ward.demo.faults().forget_received();
        ward
    }

    pub fn patch_node(&self, name: &str, patch: &Value) {
        self.demo.patch(Resource::Nodes, "", name, patch).unwrap();
    }

    /// What the node's Ready condition says from now on.
    pub fn says(&self, name: &str, status: &str, reason: &str) {
        let mut node = self.demo.get(Resource::Nodes, "", name).unwrap();
        let conditions = node["status"]["conditions"].as_array_mut().unwrap();
        let ready = conditions.iter_mut().find(|condition| condition["type"] == "Ready").unwrap();
        (ready["status"], ready["reason"]) = (json!(status), json!(reason));
        self.demo.put(Resource::Nodes, node);
    }

    pub fn let_it_beat(&self) {
        self.beats.store(true, Ordering::SeqCst);
    }

    /// Time passes.
    pub fn pass(&self) {
        if self.beats.load(Ordering::SeqCst) {
            let now = jiff::Timestamp::now().to_string();
            let spec = json!({ "spec": { "renewTime": now } });
            self.demo.patch(Resource::Leases, "kube-node-lease", DEAD, &spec).unwrap();
        }
    }

    /// The dangerous requests that arrived, dry ones included.
    pub fn dangerous(&self) -> Vec<String> {
        let received = self.demo.faults().received();
        received.iter().filter(|request| is_dangerous(request)).map(told).collect()
    }

    pub fn lease_reads(&self) -> usize {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{DEAD}");
        self.demo.faults().received().iter().filter(|request| request.path == path).count()
    }
}

fn told(request: &Received) -> String {
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let finalizers = &body["metadata"]["finalizers"];
    format!("{} {} {} {finalizers}", request.method, request.path, body["gracePeriodSeconds"])
}

/// Whether a request can ruin data: judged by what it says, and not by what it was meant for.
fn is_dangerous(request: &Received) -> bool {
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let of = |plural: &str| request.path.split('/').any(|part| part == plural);
    let is_at_once = [&body["gracePeriodSeconds"], &body["deleteOptions"]["gracePeriodSeconds"]]
        .contains(&&json!(0))
        || request.query.contains("gracePeriodSeconds=0");
    match request.method.as_str() {
        "GET" => false,
        "DELETE" => of("volumeattachments") || (of("nodes") && !of("pods")) || is_at_once,
        "POST" => is_at_once,
        _ => {
            let is_marked = body["spec"]["taints"].to_string().contains("out-of-service");
            is_marked || !body["metadata"]["finalizers"].is_null() || !body["spec"]["finalizers"].is_null()
        }
    }
}
