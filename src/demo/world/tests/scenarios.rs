//! The life of each scenario: what the state is at which time.

use serde_json::json;

use super::super::super::scenario::Target;
use super::super::machine::Contact;
use super::*;

const UNREACHABLE: &str = "node.kubernetes.io/unreachable:NoExecute";
const MACHINES: [&str; 6] = ["control-plane-0", "worker-0", "worker-1", "worker-2", "worker-3", "worker-4"];

fn taints_of(play: &Play, node: &str) -> Vec<String> {
    let node = play.get(Resource::Nodes, "", node);
    let taints = object::items(&node, "/spec/taints").iter();
    taints.map(|taint| format!("{}:{}", text(taint, "/key"), text(taint, "/effect"))).collect()
}

fn is_evicting(play: &Play, node: &str) -> bool {
    taints_of(play, node).iter().any(|taint| taint == UNREACHABLE)
}

fn ready_of(play: &Play, node: &str) -> String {
    let node = play.get(Resource::Nodes, "", node);
    text(object::condition(&node, "Ready").unwrap(), "/status").to_owned()
}

fn attachments_on(play: &Play, node: &str) -> Vec<Arc<Value>> {
    let all = play.world.store.list(Resource::VolumeAttachments);
    all.filter(|attachment| attachment["spec"]["nodeName"] == node).cloned().collect()
}

fn pods_on(play: &Play, node: &str) -> Vec<String> {
    let pods = play.world.store.list(Resource::Pods).filter(|pod| node_of(pod) == node);
    pods.map(|pod| object::name(pod).to_owned()).collect()
}

fn is_leaving(play: &Play, namespace: &str, name: &str) -> bool {
    object::is_deleting(&play.pod(namespace, name))
}

fn waiting_reason(pod: &Value) -> &str {
    text(pod, "/status/containerStatuses/0/state/waiting/reason")
}

fn ready_replicas(play: &Play, name: &str) -> i64 {
    let deployment = play.get(Resource::Deployments, "shop", name);
    object::number(&deployment, "/status/readyReplicas").unwrap_or(0)
}

#[test]
fn a_stopped_kubelet_looks_like_a_dead_node_but_its_machine_answers() {
    let mut stopped = Play::new(Scenario::KubeletStopped);
    let mut dead = Play::new(Scenario::DeadNode);
    for play in [&mut stopped, &mut dead] {
        play.at(400);
        assert_eq!(play.ready()["status"], "Unknown");
        assert!(is_leaving(play, "data", "postgres-1"));
    }
    assert_eq!(stopped.world.machines.contact(SILENT), Contact::Stopped);
    assert_eq!(dead.world.machines.contact(SILENT), Contact::Off);
    let boot = stopped.node()["status"]["nodeInfo"]["bootID"].clone();
    stopped.act(&Act::StartKubelet(vec![SILENT.to_owned()])).at(420);
    assert_eq!(stopped.node()["status"]["nodeInfo"]["bootID"], boot, "it is the same boot");
    assert_eq!(stopped.ready()["status"], "True");
}

#[test]
fn a_node_that_returns_stays_empty() {
    let mut play = Play::new(Scenario::DeadNodeReturns);
    play.at(415);
    assert!(is_leaving(&play, "data", "postgres-1"));
    let boot = play.node()["status"]["nodeInfo"]["bootID"].clone();
    play.at(480);
    assert_eq!(play.ready()["status"], "True");
    assert_eq!(play.taints(), Vec::<String>::new());
    assert_ne!(play.node()["status"]["nodeInfo"]["bootID"], boot, "it has booted");
    assert!(play.reasons(SILENT).contains("Rebooted") && play.reasons(SILENT).contains("NodeReady"));
    assert!(pod::is_ready(&play.postgres()));
    play.at(3 * 3_600);
    let pods = pods_on(&play, SILENT);
    for app in ["web-", "checkout-", "coredns-", "media-"] {
        assert!(!pods.iter().any(|name| name.starts_with(app)), "nobody brings {app} back: {pods:?}");
    }
    let proxy = pods.iter().find(|name| name.starts_with("kube-proxy-")).unwrap();
    let proxy = play.pod("kube-system", proxy);
    assert_eq!(proxy["status"]["containerStatuses"][0]["restartCount"], 1, "what stayed was started anew");
    assert!(pod::is_ready(&proxy));
}

#[test]
fn a_node_deleted_and_registered_afresh_keeps_its_volumes_until_it_is_rebooted() {
    let mut play = Play::new(Scenario::NodeRecreated);
    play.at(59);
    let old = object::uid(&play.node()).to_owned();
    let pods = pods_on(&play, SILENT).len();
    play.at(90);
    assert!(play.find(Resource::Nodes, "", SILENT).is_none());
    assert!(play.find(Resource::Leases, "kube-node-lease", SILENT).is_none(), "its lease goes with it");
    assert!(play.find(Resource::CsiNodes, "", SILENT).is_none());
    assert_eq!(pods_on(&play, SILENT).len(), pods, "they are missed for 40 s first");
    assert!(play.reasons(SILENT).contains("RemovingNode"));
    play.at(145);
    assert_eq!(pods_on(&play, SILENT), [] as [String; 0], "nobody was asked");
    assert!(play.reasons("postgres-1").contains("FailedAttachVolume"));
    play.at(295);
    assert_eq!(attachments_on(&play, SILENT).len(), 2, "attached to a node that does not exist");
    play.at(360);
    assert_ne!(object::uid(&play.node()), old);
    assert_eq!(ready_of(&play, SILENT), "True");
    let born = object::time_at(&play.node(), "/metadata/creationTimestamp").unwrap();
    for attachment in attachments_on(&play, SILENT) {
        let made = object::time_at(&attachment, "/metadata/creationTimestamp").unwrap();
        assert!(made < born && !object::is_deleting(&attachment), "older than its node");
    }
    play.at(890);
    assert_eq!(waiting_reason(&play.postgres()), "ContainerCreating");
    assert_eq!(object::items(&play.node(), "/status/volumesInUse").len(), 2, "mounted, as far as it knows");
    // With nothing mounted any more, the volumes go where they are wanted.
    play.at(1_100);
    assert!(pod::is_ready(&play.postgres()));
}

#[test]
fn a_zone_that_goes_dark_is_evicted_node_by_node() {
    let mut play = Play::new(Scenario::ZoneOutage);
    play.at(56);
    assert_eq!([ready_of(&play, "worker-1"), ready_of(&play, "worker-4")], ["Unknown", "Unknown"]);
    play.at(70);
    let tainted_at = |node: &str| {
        let node = play.get(Resource::Nodes, "", node);
        let mut taints = object::items(&node, "/spec/taints").iter();
        let taint = taints.rfind(|taint| taint["effect"] == "NoExecute").unwrap();
        object::time_at(taint, "/timeAdded").unwrap()
    };
    let apart = tainted_at("worker-1").duration_since(tainted_at("worker-4")).abs();
    assert!((10..=11).contains(&apart.as_secs()), "one after the other: {apart}");
    assert!(!is_evicting(&play, "worker-0"));
    play.at(380);
    assert!(is_leaving(&play, "data", "postgres-2") && is_leaving(&play, "data", "kafka-0"));
    let wiki: Vec<_> = play.pods("wiki").into_iter().filter(|pod| pod::is_active(pod)).collect();
    assert_eq!(wiki.len(), 1);
    let scheduled = object::condition(&wiki[0], "PodScheduled").unwrap();
    assert_eq!([&scheduled["status"], &scheduled["reason"]], ["False", "Unschedulable"]);
    assert_eq!(
        scheduled["message"],
        "0/6 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity, 3 node(s) had untolerated \
         taint(s). no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for \
         scheduling."
    );
}

#[test]
fn with_every_zone_dark_nobody_is_evicted() {
    let mut play = Play::new(Scenario::ControlPlaneBlip);
    let calm: Vec<String> = pods_on(&play, SILENT);
    play.at(70);
    for node in MACHINES {
        assert_eq!(ready_of(&play, node), "Unknown", "{node}");
        assert!(!is_evicting(&play, node), "{node}: it is likelier that the control plane is blind");
        assert!(
            taints_of(&play, node).iter().any(|taint| taint.ends_with("unreachable:NoSchedule")),
            "{node}"
        );
    }
    play.at(710);
    assert!(!play.world.store.list(Resource::Pods).any(|pod| object::is_deleting(pod)));
    assert_eq!(ready_replicas(&play, "web"), 0);
    play.at(760);
    for node in MACHINES {
        assert_eq!(ready_of(&play, node), "True", "{node}");
        assert!(!taints_of(&play, node).iter().any(|taint| taint.contains("unreachable")), "{node}");
    }
    assert_eq!(ready_replicas(&play, "web"), 6);
    assert_eq!(pods_on(&play, SILENT), calm);
}

#[test]
fn most_of_a_small_zone_stops_its_evictions_and_some_of_it_does_not() {
    let mut play = Play::new(Scenario::Healthy);
    // Four more in zone-c, so that three of five is most of it.
    for number in 5..9 {
        let mut node = Value::clone(&play.node());
        node["metadata"] =
            json!({ "name": format!("worker-{number}"), "labels": node["metadata"]["labels"] });
        let now = play.world.now;
        play.world.store.put(Resource::Nodes, node, now);
    }
    play.at(60);
    let dead: Vec<String> = (5..8).map(|number| format!("worker-{number}")).collect();
    play.act(&Act::PowerOff(dead.clone())).at(400);
    for node in &dead {
        assert_eq!(ready_of(&play, node), "Unknown");
    }
    let evicting = dead.iter().filter(|node| is_evicting(&play, node)).count();
    assert!(evicting < 3, "it stops as soon as it is most of the zone: {evicting}");
    // With one of them back it is no longer most of it.
    play.act(&Act::PowerOn(vec!["worker-5".to_owned()])).at(460);
    assert!(is_evicting(&play, "worker-6") && is_evicting(&play, "worker-7"));
}

#[test]
fn where_the_runtime_hangs_deleted_pods_stay_on_a_ready_node() {
    let mut play = Play::new(Scenario::KubeletStuck);
    play.at(360);
    assert_eq!(play.ready()["status"], "True");
    let postgres = play.postgres();
    assert!(object::is_deleting(&postgres));
    assert_eq!(postgres["status"]["phase"], "Running");
    let deadline = object::time_at(&postgres, "/metadata/deletionTimestamp").unwrap();
    assert_eq!(play.world.now.duration_since(deadline).as_secs(), 360 - 30 - 60);
    assert!(play.reasons("postgres-1").contains("Killing"));
    let told = play.events("postgres-1");
    let (_, message) = told.iter().find(|(reason, _)| reason == "FailedKillPod").unwrap();
    let start = "error killing pod: [failed to \"KillContainer\" for \"postgres\" with KillContainerError: ";
    assert!(message.starts_with(start), "{message}");
    assert_eq!(attachments_on(&play, SILENT).len(), 2);
    play.act(&Act::Unhang(vec![SILENT.to_owned()])).at(480);
    assert_ne!(object::uid(&play.postgres()), object::uid(&postgres));
    assert!(pod::is_ready(&play.postgres()));
}

#[test]
fn a_finalizer_holds_what_has_long_stopped() {
    let mut play = Play::new(Scenario::Finalizer);
    assert!(pod::is_ready(&play.pod("shop", "export-orders")));
    play.at(360);
    let pod = play.pod("shop", "export-orders");
    assert_eq!(pod["metadata"]["finalizers"], json!(["backup.example.com/archive-logs"]));
    assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(pod["status"]["phase"], "Succeeded");
    let claim = play.get(Resource::PersistentVolumeClaims, "data", "scratch");
    assert!(object::is_deleting(&claim));
    assert_eq!(claim["metadata"]["finalizers"], json!(["backup.example.com/snapshot-first"]));
    let volume = text(&claim, "/spec/volumeName").to_owned();
    let free = json!({ "metadata": { "finalizers": null } });
    play.patch(Resource::Pods, "shop", "export-orders", &free);
    play.patch(Resource::PersistentVolumeClaims, "data", "scratch", &free);
    play.at(365);
    assert!(play.find(Resource::Pods, "shop", "export-orders").is_none());
    assert!(play.find(Resource::PersistentVolumeClaims, "data", "scratch").is_none());
    assert!(play.find(Resource::PersistentVolumes, "", &volume).is_none(), "reclaimed");
}

#[test]
fn every_reason_why_a_drain_stops_is_on_the_node() {
    let mut play = Play::new(Scenario::DrainBlocked);
    play.at(360);
    assert_eq!(play.node()["spec"]["unschedulable"], true);
    assert_eq!(play.taints(), ["node.kubernetes.io/unschedulable:NoSchedule"]);
    let names = pods_on(&play, SILENT);
    for start in ["debug-shell", "thumbnails-", "pricing-", "stock-", "reindex-"] {
        assert!(names.iter().any(|name| name.starts_with(start)), "{start}: {names:?}");
    }
    let budget = |name: &str| {
        let budget = play.get(Resource::PodDisruptionBudgets, "shop", name);
        [budget["status"]["currentHealthy"].clone(), budget["status"]["disruptionsAllowed"].clone()]
    };
    assert_eq!(budget("pricing"), [2, 1]);
    assert_eq!(budget("backend"), [2, 1]);
    assert_eq!(budget("stock"), [0, 0], "nobody of it is ready");
    let pricing = object::name(&play.pods("pricing")[0]).to_owned();
    assert!(play.reasons(&pricing).contains("MultiplePodDisruptionBudgets"));
    let job = play.get(Resource::Jobs, "shop", "reindex");
    assert_eq!([&job["status"]["active"], &job["status"]["ready"]], [1, 1]);
}

#[test]
fn a_bad_release_stops_half_way() {
    let mut play = Play::new(Scenario::BadRollout);
    play.at(360);
    let web = play.get(Resource::Deployments, "shop", "web");
    // Six, a quarter more (2) and a quarter less (1): three new ones that never come, and five that serve.
    let count = |field: &str| object::number(&web["status"], field).unwrap_or(0);
    assert_eq!((count("/updatedReplicas"), count("/readyReplicas"), count("/replicas")), (3, 5, 8));
    assert!(object::condition_is(&web, "Available", "True"));
    assert_eq!(object::condition(&web, "Progressing").unwrap()["reason"], "ReplicaSetUpdated");
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    let pods = play.pods("web");
    let broken: Vec<_> = pods.iter().filter(|pod| waiting_reason(pod) == "ImagePullBackOff").collect();
    assert_eq!(broken.len(), 3);
    let told = play.reasons(object::name(broken[0]));
    assert!(["Pulling", "Failed", "BackOff"].iter().all(|reason| told.contains(*reason)), "{told:?}");

    let postgres = play.get(Resource::StatefulSets, "data", "postgres");
    assert_eq!([&postgres["status"]["updatedReplicas"], &postgres["status"]["readyReplicas"]], [1, 2]);
    assert_ne!(postgres["status"]["currentRevision"], postgres["status"]["updateRevision"]);
    assert_eq!(waiting_reason(&play.pod("data", "postgres-2")), "ImagePullBackOff");
    assert!(pod::is_ready(&play.postgres()), "it waits for the one above");

    play.at(660);
    let web = play.get(Resource::Deployments, "shop", "web");
    let progressing = object::condition(&web, "Progressing").unwrap();
    assert_eq!([&progressing["status"], &progressing["reason"]], ["False", "ProgressDeadlineExceeded"]);
}

#[test]
fn storage_that_refuses_to_detach_keeps_the_replacement_waiting() {
    let mut play = Play::new(Scenario::DetachFails);
    play.at(89);
    assert!(!is_leaving(&play, "data", "postgres-1"));
    play.at(130);
    let attachments = attachments_on(&play, SILENT);
    assert_eq!(attachments.len(), 2);
    for attachment in &attachments {
        assert!(object::is_deleting(attachment), "gone at once, if it were for Kubernetes");
        assert!(text(attachment, "/status/detachError/message").contains("backend is locked"));
        assert!(!object::items(attachment, "/metadata/finalizers").is_empty());
    }
    assert_eq!(
        pods_on(&play, SILENT).len(),
        2,
        "those that tolerate everything: {:?}",
        pods_on(&play, SILENT)
    );
    assert_eq!(waiting_reason(&play.postgres()), "ContainerCreating");
    play.at(3_600);
    assert_eq!(attachments_on(&play, SILENT).len(), 2);
    play.act(&Act::AllowDetach(vec![SILENT.to_owned()])).at(3_600 + 320);
    assert_eq!(attachments_on(&play, SILENT).len(), 0, "it is tried again within five minutes");
    assert!(pod::is_ready(&play.postgres()));
}

#[test]
fn out_of_service_takes_the_volumes_from_a_node_that_lives() {
    let mut play = Play::new(Scenario::LiveNodeTainted);
    play.at(290);
    assert_eq!(play.ready()["status"], "True");
    assert!(is_leaving(&play, "data", "postgres-1"), "evicted at once");
    assert_eq!(node_of(&play.postgres()), SILENT, "but not removed by force while the node is ready");
    assert_eq!(attachments_on(&play, SILENT).len(), 2);
    play.at(310);
    assert_eq!(attachments_on(&play, SILENT).len(), 1, "taken without a look at the mounts");
    assert_eq!(object::items(&play.node(), "/status/volumesInUse").len(), 2, "still mounted there");
    assert!(pod::is_ready(&play.postgres()), "two of them write now");
    assert_ne!(node_of(&play.postgres()), SILENT);
}

#[test]
fn a_machine_whose_node_was_retired_is_replaced() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(550);
    let old = object::uid(&play.node()).to_owned();
    let node = Target { resource: Resource::Nodes, key: Key::new("", SILENT) };
    play.act(&Act::Delete(node)).at(590);
    assert!(play.find(Resource::Nodes, "", SILENT).is_none());
    play.at(650);
    assert_ne!(object::uid(&play.node()), old);
    assert_eq!(ready_of(&play, SILENT), "True");
}

#[test]
fn out_of_service_on_a_dead_node_frees_everything_within_seconds() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(70);
    let taint = json!({ "key": "node.kubernetes.io/out-of-service", "effect": "NoExecute" });
    play.patch(Resource::Nodes, "", SILENT, &json!({ "spec": { "taints": [taint] } }));
    play.at(100);
    assert_eq!(attachments_on(&play, SILENT).len(), 0);
    assert!(pod::is_ready(&play.postgres()) && node_of(&play.postgres()) != SILENT);
    let taints = play.taints();
    assert!(taints.iter().any(|taint| taint.contains("out-of-service")), "only the operator takes it off");
    assert!(is_evicting(&play, SILENT), "the other taints are put back");
}

#[test]
fn dependents_go_with_their_owner_unless_they_are_orphaned() {
    let mut play = Play::new(Scenario::Healthy);
    let deployment = Target { resource: Resource::Deployments, key: Key::new("shop", "cart") };
    play.act(&Act::Delete(deployment)).at(10);
    let sets = |play: &Play, app: &str| {
        let sets = play.world.store.list(Resource::ReplicaSets);
        sets.filter(|set| object::name(set).starts_with(app)).count()
    };
    assert_eq!((sets(&play, "cart-"), play.pods("cart").len()), (0, 0));

    let now = object::time(play.world.now);
    let orphan = json!({
        "metadata": { "finalizers": ["orphan"], "deletionTimestamp": now, "deletionGracePeriodSeconds": 0 },
    });
    play.patch(Resource::Deployments, "shop", "search", &orphan).at(20);
    assert!(play.find(Resource::Deployments, "shop", "search").is_none());
    assert_eq!((sets(&play, "search-"), play.pods("search").len()), (1, 2));
}

#[test]
fn a_namespace_that_is_deleted_is_emptied_first() {
    let mut play = Play::new(Scenario::Healthy);
    let now = object::time(play.world.now);
    let deleted = json!({ "metadata": { "deletionTimestamp": now }, "status": { "phase": "Terminating" } });
    play.patch(Resource::Namespaces, "", "shop", &deleted);
    assert!(play.find(Resource::Namespaces, "", "shop").is_some(), "its pods are still stopping");
    play.at(20);
    assert!(play.find(Resource::Namespaces, "", "shop").is_none());
    for resource in Resource::ALL.into_iter().filter(|resource| *resource != Resource::Events) {
        let mut inside = play.world.store.list(resource);
        assert!(!inside.any(|object| object::namespace(object) == "shop"), "{resource:?}");
    }
    assert!(play.find(Resource::Namespaces, "", "data").is_some());
}

#[test]
fn the_leaders_show_that_they_lead() {
    let mut play = Play::new(Scenario::DeadNode);
    play.at(100);
    for name in ["kube-controller-manager", "kube-scheduler"] {
        let lease = play.get(Resource::Leases, "kube-system", name);
        let renewed: Timestamp = text(&lease, "/spec/renewTime").parse().unwrap();
        assert!(play.world.now.duration_since(renewed).as_secs() <= 2, "{name}");
        assert!(text(&lease, "/spec/holderIdentity").starts_with("control-plane-0_"));
    }
}

#[test]
fn a_service_knows_which_of_its_pods_serve() {
    let mut play = Play::new(Scenario::DeadNode);
    let serving = |play: &Play| {
        let mut slices = play.world.store.list(Resource::EndpointSlices);
        let slice = slices.find(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == "web");
        let endpoints = object::items(slice.unwrap(), "/endpoints");
        endpoints.iter().filter(|endpoint| endpoint["conditions"]["ready"] == true).count()
    };
    assert_eq!(serving(&play), 6);
    play.at(60);
    assert_eq!(serving(&play), 4, "two were on the dead node");
}
