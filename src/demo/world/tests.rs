//! The incident, second by second.

mod rollouts;
mod scenarios;

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::scenario::Act;
use super::super::{Scenario, object};
use super::*;

const SILENT: &str = "worker-2";

/// A world that is asked at seconds from the failure.
struct Play {
    world: World,
    failure: Timestamp,
}

impl Play {
    /// From the scenario's beginning, ten seconds before the failure.
    fn new(scenario: Scenario) -> Self {
        Self::at_speed(scenario, 1)
    }

    fn at_speed(scenario: Scenario, speed: u32) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let options = Options { scenario, from: Duration::ZERO, speed, ..Options::default() };
        let world = World::play(&options, now);
        Self { failure: now + SignedDuration::from_secs(10) / i32::try_from(speed).unwrap(), world }
    }

    fn at(&mut self, seconds: i64) -> &mut Self {
        self.world.advance(self.failure + SignedDuration::from_secs(seconds));
        self
    }

    fn get(&self, resource: Resource, namespace: &str, name: &str) -> Arc<Value> {
        self.find(resource, namespace, name).unwrap_or_else(|| panic!("{namespace}/{name} is there"))
    }

    fn find(&self, resource: Resource, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.world.store.get(resource, &Key::new(namespace, name))
    }

    fn pod(&self, namespace: &str, name: &str) -> Arc<Value> {
        self.get(Resource::Pods, namespace, name)
    }

    /// What comes from outside now.
    fn act(&mut self, act: &Act) -> &mut Self {
        self.world.perform(act);
        let now = self.world.now;
        self.world.advance(now);
        self
    }

    /// Changes an object as a merge patch from outside does.
    fn patch(&mut self, resource: Resource, namespace: &str, name: &str, patch: &Value) -> &mut Self {
        let now = self.world.now;
        self.world.store.patch(resource, &Key::new(namespace, name), patch, now).unwrap();
        self.world.advance(now);
        self
    }

    fn node(&self) -> Arc<Value> {
        self.get(Resource::Nodes, "", SILENT)
    }

    fn ready(&self) -> Value {
        object::condition(&self.node(), "Ready").unwrap().clone()
    }

    fn taints(&self) -> Vec<String> {
        let node = self.node();
        let taints = object::items(&node, "/spec/taints").iter();
        taints.map(|taint| format!("{}:{}", text(taint, "/key"), text(taint, "/effect"))).collect()
    }

    fn pods(&self, app: &str) -> Vec<Arc<Value>> {
        let label = "/metadata/labels/app.kubernetes.io~1name";
        self.world.store.list(Resource::Pods).filter(|pod| text(pod, label) == app).cloned().collect()
    }

    /// The reasons and messages of the events of an object.
    fn events(&self, name: &str) -> Vec<(String, String)> {
        self.world
            .store
            .list(Resource::Events)
            .filter(|event| text(event, "/involvedObject/name") == name)
            .map(|event| (text(event, "/reason").to_owned(), text(event, "/message").to_owned()))
            .collect()
    }

    fn reasons(&self, name: &str) -> BTreeSet<String> {
        self.events(name).into_iter().map(|(reason, _)| reason).collect()
    }

    fn postgres(&self) -> Arc<Value> {
        self.get(Resource::Pods, "data", "postgres-1")
    }

    /// The nodes to which the volume of `postgres-1` is attached.
    fn attachments(&self) -> Vec<Arc<Value>> {
        let claim = self.get(Resource::PersistentVolumeClaims, "data", "data-postgres-1");
        let attachments = self.world.store.list(Resource::VolumeAttachments);
        attachments
            .filter(|attachment| {
                attachment["spec"]["source"]["persistentVolumeName"] == claim["spec"]["volumeName"]
            })
            .cloned()
            .collect()
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object::text(object, pointer)
}

fn node_of(pod: &Value) -> &str {
    text(pod, "/spec/nodeName")
}

#[test]
fn the_cluster_is_calm_before_the_failure() {
    let play = Play::new(Scenario::DeadNode);
    let pods: Vec<_> = play.world.store.list(Resource::Pods).collect();
    assert!((40..=60).contains(&pods.len()), "{}", pods.len());
    for pod in pods.iter().filter(|pod| !pod::is_finished(pod)) {
        assert!(pod::is_ready(pod), "{}", object::name(pod));
    }
    for node in play.world.store.list(Resource::Nodes) {
        assert!(object::condition_is(node, "Ready", "True"));
    }
    for claim in play.world.store.list(Resource::PersistentVolumeClaims) {
        assert_eq!(claim["status"]["phase"], "Bound", "{}", object::name(claim));
    }
    for attachment in play.world.store.list(Resource::VolumeAttachments) {
        assert_eq!(attachment["status"]["attached"], true);
    }
    assert_eq!(play.world.store.list(Resource::Events).count(), 0, "the past is forgotten");
    let mut addresses: Vec<&str> = pods.iter().map(|pod| text(pod, "/status/podIP")).collect();
    addresses.retain(|address| address.starts_with("10.244."));
    let count = addresses.len();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), count, "every pod has its own address");
    let on_silent: Vec<_> = pods.iter().filter(|pod| node_of(pod) == SILENT).collect();
    for app in
        ["postgres-1", "kafka-2", "web-", "coredns-", "checkout-", "media-", "kube-proxy-", "block-csi-node-"]
    {
        assert!(on_silent.iter().any(|pod| object::name(pod).starts_with(app)), "{app}");
    }
    assert_eq!(play.node()["status"]["volumesAttached"].as_array().unwrap().len(), 2);
    assert_eq!(play.node()["status"]["volumesInUse"].as_array().unwrap().len(), 2);
}

#[test]
fn a_healthy_cluster_changes_nothing_but_its_heartbeats() {
    let mut play = Play::new(Scenario::Healthy);
    let version = play.world.store.version();
    play.at(900);
    let beats = [Resource::Leases, Resource::Nodes];
    for resource in Resource::ALL.into_iter().filter(|resource| !beats.contains(resource)) {
        assert_eq!(play.world.store.since(resource, version).unwrap().count(), 0, "{resource:?}");
    }
    let renewals = |namespace: &str| {
        let entries = play.world.store.since(Resource::Leases, version).unwrap();
        entries.filter(|entry| entry.key.namespace == namespace).count()
    };
    assert_eq!(renewals("kube-node-lease"), 6 * 91);
    assert_eq!(renewals("kube-system"), 2 * 455, "two leaders, every two seconds");
    let reports = play.world.store.since(Resource::Nodes, version).unwrap().count();
    assert!((6 * 3..=6 * 4).contains(&reports), "a node's status is written every five minutes: {reports}");
}

#[test]
fn a_silent_node_is_unknown_after_the_grace_and_not_before() {
    let mut play = Play::new(Scenario::DeadNode);
    assert_eq!(play.at(49).ready()["status"], "True");
    let heartbeat = play.ready()["lastHeartbeatTime"].clone();
    let lease = play.get(Resource::Leases, "kube-node-lease", SILENT)["spec"]["renewTime"].clone();
    let ready = play.at(55).ready();
    assert_eq!((&ready["status"], &ready["reason"]), (&"Unknown".into(), &"NodeStatusUnknown".into()));
    assert_eq!(ready["message"], "Kubelet stopped posting node status.");
    assert_eq!(ready["lastHeartbeatTime"], heartbeat, "the kubelet's last word is kept");
    let since =
        object::time_at(&ready, "/lastTransitionTime").unwrap().duration_since(play.failure).as_secs();
    assert!((50..=55).contains(&since), "{since}");
    for kind in ["MemoryPressure", "DiskPressure", "PIDPressure"] {
        assert!(object::condition_is(&play.node(), kind, "Unknown"), "{kind}");
    }
    play.at(300);
    assert_eq!(play.get(Resource::Leases, "kube-node-lease", SILENT)["spec"]["renewTime"], lease);
}

#[test]
fn the_node_is_tainted_and_its_pods_are_not_ready() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(66);
    assert_eq!(
        play.taints(),
        ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]
    );
    for taint in object::items(&play.node(), "/spec/taints") {
        assert!(!text(taint, "/timeAdded").is_empty());
    }
    assert!(
        play.events(SILENT)
            .contains(&("NodeNotReady".into(), "Node worker-2 status is now: NodeNotReady".into()))
    );
    let event =
        play.world.store.list(Resource::Events).find(|event| event["involvedObject"]["name"] == SILENT);
    assert_eq!(
        (&event.unwrap()["type"], &event.unwrap()["metadata"]["namespace"]),
        (&"Normal".into(), &"default".into())
    );
    let postgres = play.postgres();
    assert!(object::condition_is(&postgres, "Ready", "False"));
    assert_eq!(postgres["status"]["phase"], "Running");
    assert_eq!(postgres["status"]["containerStatuses"][0]["ready"], true, "nobody is there to say otherwise");
    assert!(play.events("postgres-1").contains(&("NodeNotReady".into(), "Node is not ready".into())));
}

#[test]
fn pods_are_evicted_when_their_own_time_is_up() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(105);
    let is_leaving = |play: &Play, app: &str| {
        play.pods(app).iter().any(|pod| node_of(pod) == SILENT && object::is_deleting(pod))
    };
    assert!(!is_leaving(&play, "checkout"));
    play.at(125);
    assert!(is_leaving(&play, "checkout"), "it tolerates a minute");
    assert!(!is_leaving(&play, "web"));
    play.at(345);
    assert!(!is_leaving(&play, "web") && !is_leaving(&play, "postgres"));
    play.at(366);
    for app in ["web", "postgres", "kafka", "coredns", "media"] {
        assert!(is_leaving(&play, app), "{app}");
    }
    for app in ["kube-proxy", "block-csi-node", "node-exporter"] {
        assert!(!is_leaving(&play, app), "{app} stays where it is");
    }
    let postgres = play.postgres();
    assert_eq!(postgres["metadata"]["deletionGracePeriodSeconds"], 60);
    let deadline = object::time_at(&postgres, "/metadata/deletionTimestamp").unwrap();
    assert!((405..=425).contains(&deadline.duration_since(play.failure).as_secs()));
    let condition = object::condition(&postgres, "DisruptionTarget").unwrap();
    assert_eq!(condition["reason"], "DeletionByTaintManager");
    assert_eq!(condition["message"], "Taint manager: deleting due to NoExecute taint");
    let marked = ("TaintManagerEviction".into(), "Marking for deletion Pod data/postgres-1".into());
    assert!(play.events("postgres-1").contains(&marked));
}

#[test]
fn replicas_come_back_elsewhere_by_way_of_pending() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(350);
    let before: BTreeSet<String> = play.pods("web").iter().map(|pod| object::uid(pod).to_owned()).collect();
    let version = play.world.store.version();
    play.at(366);
    let created: Vec<_> =
        play.pods("web").into_iter().filter(|pod| !before.contains(object::uid(pod))).collect();
    assert!(!created.is_empty());
    for pod in &created {
        assert_ne!(node_of(pod), SILENT);
        assert!(pod::is_ready(pod), "{}", object::name(pod));
        let seen: Vec<String> = play
            .world
            .store
            .since(Resource::Pods, version)
            .unwrap()
            .filter(|entry| object::uid(&entry.object) == object::uid(pod))
            .map(|entry| {
                let waiting = text(&entry.object, "/status/containerStatuses/0/state/waiting/reason");
                format!("{} {waiting}", text(&entry.object, "/status/phase"))
            })
            .collect();
        assert_eq!(seen.first().map(String::as_str), Some("Pending "));
        assert!(seen.contains(&"Pending ContainerCreating".to_owned()), "{seen:?}");
        let reasons = play.reasons(object::name(pod));
        for reason in ["Scheduled", "Pulled", "Created", "Started"] {
            assert!(reasons.contains(reason), "{reason}");
        }
    }
    let active = play.pods("web").iter().filter(|pod| pod::is_active(pod)).count();
    assert_eq!(active, 6);
}

#[test]
fn pods_of_a_stateful_set_hang_and_keep_their_volumes() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(475);
    for name in ["postgres-1", "kafka-2"] {
        let pod = play.get(Resource::Pods, "data", name);
        assert_eq!(node_of(&pod), SILENT);
        assert!(object::is_deleting(&pod), "{name}");
    }
    let attachments = play.attachments();
    assert_eq!(attachments.len(), 1);
    assert_eq!(text(&attachments[0], "/spec/nodeName"), SILENT);
    assert_eq!(attachments[0]["status"]["attached"], true);
    assert_eq!(play.node()["status"]["volumesInUse"].as_array().unwrap().len(), 2);
    let deployment = play.get(Resource::Deployments, "shop", "web");
    assert_eq!(deployment["status"]["readyReplicas"], 6);
    let set = play.get(Resource::StatefulSets, "data", "postgres");
    assert_eq!((&set["status"]["replicas"], &set["status"]["readyReplicas"]), (&3.into(), &2.into()));
}

#[test]
fn after_the_force_delete_the_replacement_waits_for_the_volume() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(479);
    let old = play.postgres();
    play.at(482);
    let new = play.postgres();
    assert_ne!(object::uid(&old), object::uid(&new));
    assert!(!node_of(&new).is_empty() && node_of(&new) != SILENT);
    assert_eq!(text(&new, "/status/containerStatuses/0/state/waiting/reason"), "ContainerCreating");
    let volume = play.attachments()[0]["spec"]["source"]["persistentVolumeName"].as_str().unwrap().to_owned();
    let message = format!(
        "Multi-Attach error for volume \"{volume}\" Volume is already exclusively attached to one node and can't be \
         attached to another"
    );
    assert!(play.events("postgres-1").contains(&("FailedAttachVolume".into(), message)));
    play.at(700);
    assert!(play.reasons("postgres-1").contains("FailedMount"), "the kubelet complains too");
    assert_eq!(play.postgres()["status"]["phase"], "Pending");
}

#[test]
fn six_minutes_later_the_volume_is_taken_by_force_and_the_replacement_runs() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(839);
    assert_eq!(text(&play.attachments()[0], "/spec/nodeName"), SILENT);
    assert!(!object::is_deleting(&play.attachments()[0]));
    play.at(841);
    assert!(object::is_deleting(&play.attachments()[0]));
    assert_eq!(play.node()["status"]["volumesAttached"].as_array().unwrap().len(), 1, "kafka's stays");
    play.at(860);
    let attachments = play.attachments();
    assert_eq!(attachments.len(), 1);
    let replacement = play.postgres();
    assert_eq!(text(&attachments[0], "/spec/nodeName"), node_of(&replacement));
    assert!(pod::is_ready(&replacement));
    let volume = text(&attachments[0], "/spec/source/persistentVolumeName");
    let message = format!("AttachVolume.Attach succeeded for volume \"{volume}\" ");
    assert!(play.events("postgres-1").contains(&("SuccessfulAttachVolume".into(), message)));

    play.at(3 * 3_600);
    let kafka = play.get(Resource::Pods, "data", "kafka-2");
    assert!(object::is_deleting(&kafka) && node_of(&kafka) == SILENT, "nobody helps it");
    assert_eq!(play.ready()["status"], "Unknown");
    assert_eq!(play.events("postgres-1"), [], "events last an hour");
}

#[test]
fn a_kubelet_that_comes_back_ends_the_incident() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(600);
    play.world.perform(&Act::StartKubelet(vec![SILENT.to_owned()]));
    play.at(630);
    assert_eq!(play.ready()["status"], "True");
    assert_eq!(play.taints(), Vec::<String>::new());
    for pod in play.world.store.list(Resource::Pods).filter(|pod| !pod::is_finished(pod)) {
        assert!(pod::is_ready(pod) && !object::is_deleting(pod), "{}", object::name(pod));
    }
    let kafka = play.get(Resource::Pods, "data", "kafka-2");
    assert!(!object::is_deleting(&kafka));
}

#[test]
fn opened_in_the_middle_it_is_where_it_would_have_come() {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let from = Duration::from_mins(9);
    let options = Options { scenario: Scenario::DeadNode, from, speed: 1, ..Options::default() };
    let world = World::play(&options, now);
    let mut play = Play { world, failure: now - SignedDuration::from_secs(540) };
    assert_eq!(text(&play.postgres(), "/status/phase"), "Pending");
    assert_eq!(play.ready()["status"], "Unknown");
    play.at(860);
    assert!(pod::is_ready(&play.postgres()));
}

#[test]
fn ten_times_the_speed_is_the_same_incident_in_a_tenth_of_the_time() {
    let mut play = Play::at_speed(Scenario::DeadNode, 10);
    assert_eq!(play.at(4).ready()["status"], "True");
    assert_eq!(play.at(6).ready()["status"], "Unknown");
    assert!(object::is_deleting(&play.at(37).postgres()));
    assert_eq!(play.postgres()["metadata"]["deletionGracePeriodSeconds"], 6);
    assert_eq!(play.at(49).postgres()["status"]["phase"], "Pending");
    assert!(pod::is_ready(&play.at(88).postgres()));
    assert_eq!(play.get(Resource::Leases, "kube-node-lease", "worker-0")["spec"]["leaseDurationSeconds"], 4);
}

#[test]
fn two_runs_are_the_same_to_the_last_byte() {
    let world = |_| {
        let mut play = Play::new(Scenario::DeadNode);
        play.at(500);
        let objects: Vec<Arc<Value>> =
            Resource::ALL.into_iter().flat_map(|resource| play.world.store.list(resource).cloned()).collect();
        objects
    };
    assert_eq!(world(1), world(2));
}

#[test]
fn the_steps_of_the_simulation_do_not_depend_on_who_asks_when() {
    let mut coarse = Play::new(Scenario::DeadNode);
    let mut fine = Play::new(Scenario::DeadNode);
    coarse.at(400);
    (0..=400).for_each(|second| {
        fine.at(second);
    });
    for resource in Resource::ALL {
        let names = |play: &Play| {
            play.world.store.list(resource).map(|object| object::key(object)).collect::<Vec<_>>()
        };
        assert_eq!(names(&coarse), names(&fine));
    }
}

#[test]
fn a_cordon_from_outside_brings_its_taint() {
    let mut play = Play::new(Scenario::Healthy);
    let now = play.world.now;
    let cordon = serde_json::json!({ "spec": { "unschedulable": true } });
    play.world.store.patch(Resource::Nodes, &Key::new("", SILENT), &cordon, now);
    play.at(0);
    assert_eq!(play.taints(), ["node.kubernetes.io/unschedulable:NoSchedule"]);
}

#[test]
fn budgets_count_what_the_silent_node_takes_away() {
    let mut play = Play::new(Scenario::DeadNode);
    let allowed = |play: &Play, namespace: &str, name: &str| {
        let budget = play.get(Resource::PodDisruptionBudgets, namespace, name);
        assert_eq!(budget["status"]["observedGeneration"], budget["metadata"]["generation"]);
        object::number(&budget, "/status/disruptionsAllowed").unwrap()
    };
    play.at(-5);
    assert_eq!(allowed(&play, "data", "postgres"), 1);
    assert_eq!(allowed(&play, "data", "redis"), 0, "one of one");
    play.at(60);
    assert_eq!(allowed(&play, "data", "postgres"), 0);
    let kafka = play.get(Resource::PodDisruptionBudgets, "data", "kafka");
    let count = |field: &str| object::number(&kafka, &format!("/status/{field}")).unwrap();
    assert_eq!((count("expectedPods"), count("currentHealthy"), count("desiredHealthy")), (3, 2, 2));
}

#[test]
fn the_job_that_is_over_is_the_owner_of_its_pod() {
    let play = Play::new(Scenario::Healthy);
    let job = play.get(Resource::Jobs, "data", "postgres-backup-29415780");
    assert!(object::condition_is(&job, "Complete", "True"));
    let pod = play.get(Resource::Pods, "data", "postgres-backup-29415780-x7k2p");
    assert!(object::is_controlled_by(&pod, &job));
}
