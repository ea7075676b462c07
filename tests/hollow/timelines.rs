//! What is said of a real control plane over the life of an incident: which incidents, in which order, and no other.
//!
//! Not at which second: that is held to the demo's clock in `tests/timelines.rs`.

use crate::board::Board;
use crate::cluster::{Api, Hollow, populate};
use serde_json::json;
use sickbay::app::App;
use sickbay::cluster::Phase;
use sickbay::findings::Incident;
use std::cell::RefCell;

/// A board on a cluster of its own, and every incident in the order in which it was first said.
struct Story {
    _hollow: Hollow,
    board: Board,
    api: Api,
    told: RefCell<Vec<String>>,
}

impl Story {
    /// All runs, and nothing is said.
    async fn begin() -> Self {
        let hollow = Hollow::start(5);
        let board = Board::live(&hollow.kubeconfig).await;
        let api = Api(board.session.client());
        populate(&api).await;
        let mut story = Self { _hollow: hollow, board, api, told: RefCell::default() };
        story.until("all pods on their nodes, with their volumes", all_runs).await;
        story.calm().await;
        story
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&App) -> bool) {
        let told = &self.told;
        let look = |app: &App| {
            for incident in &app.findings.incidents {
                let line = title(incident);
                let mut told = told.borrow_mut();
                if !told.contains(&line) {
                    told.push(line);
                }
            }
            holds(app)
        };
        self.board.until(what, look).await;
    }

    async fn calm(&mut self) {
        self.until("nothing wrong, and all runs", |app| app.findings.is_empty() && all_runs(app)).await;
    }

    /// What was said since the last time.
    fn told(&self) -> Vec<String> {
        self.told.take()
    }

    /// Where `postgres-0` runs, and its volume.
    fn postgres(&self) -> (String, String) {
        let cluster = &self.board.app.cluster;
        let pod = cluster.pods.values().find(|pod| &*pod.meta.name.name == "postgres-0").unwrap();
        let is_its = |claim: &str| claim == "data-postgres-0";
        let volume = cluster
            .persistent_volumes
            .values()
            .find(|volume| volume.claim.as_ref().is_some_and(|claim| is_its(&claim.name.name)));
        (pod.node.to_string(), volume.unwrap().meta.name.name.to_string())
    }
}

fn title(incident: &Incident) -> String {
    let subject = &incident.root.subject;
    let name = subject.object().map_or_else(|| subject.to_string(), |object| object.name.to_string());
    format!("{} {name}", incident.root.rule)
}

fn all_runs(app: &App) -> bool {
    let running = app.cluster.pods.values().filter(|pod| pod.phase == Phase::Running && pod.is_ready());
    let attached = app.cluster.volume_attachments.values().filter(|one| one.is_attached);
    running.count() == 9 && attached.count() == 3
}

/// Whether the incident of a root has such a consequence.
fn has_member(app: &App, root: &str, rule: &str) -> bool {
    let of_root = app.findings.incidents.iter().filter(|incident| title(incident) == root);
    of_root.flat_map(|incident| &incident.members).any(|member| member.rule.id() == rule)
}

#[tokio::test]
async fn each_fault_of_a_node_is_told_as_one_incident_that_ends_with_it() {
    let mut story = Box::pin(Story::begin()).await;
    assert_eq!(story.told(), [""; 0], "nothing is said of a cluster that comes up");

    // Off, and back: its pods hang, its volume is held, and all of it is the node's.
    let (node, _) = story.postgres();
    let silent = format!("node-silent {node}");
    story.api.faults(json!({ "down": node })).await;
    story
        .until("its stuck pods and its volume", |app| {
            has_member(app, &silent, "pod-stuck-terminating")
                && has_member(app, &silent, "volume-on-unready-node")
        })
        .await;
    story.api.faults(json!({ "down": null })).await;
    story.calm().await;
    assert_eq!(story.told(), [silent], "a machine that is off");

    // Cut off: as silent as one that is off.
    let (node, _) = story.postgres();
    let silent = format!("node-silent {node}");
    story.api.faults(json!({ "partitioned": node })).await;
    story.until("its stuck pods", |app| has_member(app, &silent, "pod-stuck-terminating")).await;
    story.api.faults(json!({ "partitioned": null })).await;
    story.calm().await;
    assert_eq!(story.told(), [silent], "a machine that is cut off");

    // Not ready by its own word: its kubelet ends the pods, and nothing is stuck.
    let (node, _) = story.postgres();
    let not_ready = format!("node-not-ready {node}");
    story.api.faults(json!({ "notready": node })).await;
    story
        .until("a node that is not ready", |app| {
            app.findings.iter().any(|one| one.rule.id() == "node-not-ready")
        })
        .await;
    story.api.faults(json!({ "notready": null })).await;
    story.calm().await;
    assert_eq!(story.told(), [not_ready], "a kubelet that talks");

    // It talks, and ends nothing: what is deleted there is stuck, and the node is not to blame.
    let (node, _) = story.postgres();
    story.api.faults(json!({ "stuck": node })).await;
    let path = "/api/v1/namespaces/default/pods/postgres-0";
    story.api.delete(path, &json!({ "gracePeriodSeconds": 1 })).await;
    story
        .until("a stuck pod", |app| app.findings.iter().any(|one| one.rule.id() == "pod-stuck-terminating"))
        .await;
    story.api.faults(json!({ "stuck": null })).await;
    story.calm().await;
    assert_eq!(story.told(), ["pod-stuck-terminating default/postgres-0"], "a kubelet that ends nothing");
}

#[tokio::test]
async fn a_detach_that_the_driver_refuses_is_told_in_its_nodes_incident() {
    let mut story = Box::pin(Story::begin()).await;
    let (node, volume) = story.postgres();
    let silent = format!("node-silent {node}");
    story.api.faults(json!({ "down": node, "detach-fails": volume })).await;
    story.until("its stuck pods", |app| has_member(app, &silent, "pod-stuck-terminating")).await;
    // The machine is off, and somebody who knows says so: the controllers detach at once, and the driver refuses.
    let taint = json!({ "spec": { "taints": [
        { "key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute" },
        { "key": "node.kubernetes.io/unreachable", "effect": "NoExecute" },
    ] } });
    story.api.patch(&format!("/api/v1/nodes/{node}"), &taint).await;
    story
        .until("the driver's words", |app| {
            app.findings.iter().any(|one| {
                one.rule.id() == "volume-on-unready-node" && one.sentence.contains("was asked for and fails")
            })
        })
        .await;
    assert_eq!(story.told(), [silent]);
}
