//! Rollouts of the workloads, jobs, and containers that do not do well.

use serde_json::json;

use super::super::super::scenario::Target;
use super::*;

fn set_image(play: &mut Play, resource: Resource, name: [&str; 2], image: &str) {
    let of = Target { resource, key: Key::new(name[0], name[1]) };
    play.act(&Act::SetImage { of, image: image.to_owned() });
}

fn image(pod: &Value) -> &str {
    text(pod, "/spec/containers/0/image")
}

fn images(play: &Play, app: &str) -> BTreeSet<String> {
    play.pods(app).iter().map(|pod| image(pod).to_owned()).collect()
}

fn only(image: &str) -> BTreeSet<String> {
    BTreeSet::from([image.to_owned()])
}

fn ready(play: &Play, app: &str) -> usize {
    play.pods(app).iter().filter(|pod| pod::is_ready(pod) && pod::is_active(pod)).count()
}

fn progress(play: &Play, name: &str) -> String {
    let deployment = play.get(Resource::Deployments, "shop", name);
    text(object::condition(&deployment, "Progressing").unwrap(), "/reason").to_owned()
}

fn delete(play: &mut Play, namespace: &str, name: &str) {
    play.act(&Act::Delete(Target { resource: Resource::Pods, key: Key::new(namespace, name) }));
}

#[test]
fn a_deployment_rolls_without_ever_falling_below_what_may_be_missing() {
    let mut play = Play::new(Scenario::Healthy);
    set_image(&mut play, Resource::Deployments, ["shop", "web"], "web:new");
    let mut seen = (usize::MAX, 0);
    for second in -9..60 {
        play.at(second);
        let active = play.pods("web").iter().filter(|pod| pod::is_active(pod)).count();
        seen = (seen.0.min(ready(&play, "web")), seen.1.max(active));
    }
    assert_eq!(seen, (5, 8), "a quarter of six is one that is missing and two that are added");
    assert_eq!(images(&play, "web"), only("web:new"));
    assert_eq!(progress(&play, "web"), "NewReplicaSetAvailable");
    let told = play.events("web");
    for (start, end) in [("up", " from 0 to 2"), ("down", " from 6 to 5"), ("up", " from 2 to 3")] {
        let start = format!("Scaled {start} replica set web-");
        let is_it = |said: &str| said.starts_with(&start) && said.ends_with(end);
        assert!(told.iter().any(|(_, said)| is_it(said)), "{start}…{end}: {told:?}");
    }
}

#[test]
fn a_rollback_takes_the_old_set_again_under_a_new_number() {
    let mut play = Play::new(Scenario::BadRollout);
    play.at(660);
    let old = "registry.example/shop/web:2026.11.4";
    set_image(&mut play, Resource::Deployments, ["shop", "web"], old);
    play.at(700);
    assert_eq!(images(&play, "web"), only(old));
    assert_eq!(progress(&play, "web"), "NewReplicaSetAvailable");
    let web = play.get(Resource::Deployments, "shop", "web");
    let sets = play.world.store.list(Resource::ReplicaSets);
    let sets: Vec<_> = sets.filter(|set| object::is_controlled_by(set, &web)).collect();
    assert_eq!(sets.len(), 2);
    let back = sets.iter().find(|set| set["spec"]["replicas"] == 6).unwrap();
    let annotations = &back["metadata"]["annotations"];
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "3");
    assert_eq!(annotations["deployment.kubernetes.io/revision-history"], "1");
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
}

#[test]
fn a_paused_deployment_keeps_its_pods_and_rolls_when_it_is_resumed() {
    let mut play = Play::new(Scenario::Healthy);
    let before = images(&play, "cart");
    play.patch(Resource::Deployments, "shop", "cart", &json!({ "spec": { "paused": true } }));
    set_image(&mut play, Resource::Deployments, ["shop", "cart"], "cart:new");
    play.at(30);
    assert_eq!((images(&play, "cart"), progress(&play, "cart")), (before, "DeploymentPaused".to_owned()));
    play.patch(Resource::Deployments, "shop", "cart", &json!({ "spec": { "replicas": 4 } })).at(40);
    assert_eq!(play.pods("cart").len(), 4, "it is scaled all the same");
    play.patch(Resource::Deployments, "shop", "cart", &json!({ "spec": { "paused": null } })).at(80);
    assert_eq!(images(&play, "cart"), only("cart:new"));
    assert_eq!(progress(&play, "cart"), "NewReplicaSetAvailable");
}

#[test]
fn recreate_starts_the_new_ones_when_the_old_are_gone() {
    let mut play = Play::new(Scenario::Healthy);
    let recreate = json!({ "spec": { "strategy": { "type": "Recreate", "rollingUpdate": null } } });
    play.patch(Resource::Deployments, "shop", "cart", &recreate);
    set_image(&mut play, Resource::Deployments, ["shop", "cart"], "cart:new");
    for second in -9..20 {
        play.at(second);
        assert!(images(&play, "cart").len() <= 1, "never two releases at once");
    }
    assert_eq!(images(&play, "cart"), only("cart:new"));
    assert_eq!(ready(&play, "cart"), 2);
}

#[test]
fn scaling_down_takes_the_youngest_first() {
    let mut play = Play::new(Scenario::Healthy);
    let names = |play: &Play| -> BTreeSet<String> {
        play.pods("cart").iter().map(|pod| object::name(pod).to_owned()).collect()
    };
    let old = names(&play);
    play.patch(Resource::Deployments, "shop", "cart", &json!({ "spec": { "replicas": 5 } })).at(20);
    assert_eq!(ready(&play, "cart"), 5);
    play.patch(Resource::Deployments, "shop", "cart", &json!({ "spec": { "replicas": 2 } })).at(40);
    assert_eq!(names(&play), old);
}

#[test]
fn a_stateful_set_rolls_from_the_highest_number_down() {
    let mut play = Play::new(Scenario::Healthy);
    set_image(&mut play, Resource::StatefulSets, ["data", "postgres"], "postgres:new");
    let mut order: Vec<String> = Vec::new();
    for second in -9..60 {
        play.at(second);
        assert!(ready(&play, "postgres") >= 2, "one at a time");
        for pod in play.pods("postgres").iter().filter(|pod| image(pod) == "postgres:new") {
            let name = object::name(pod).to_owned();
            if !order.contains(&name) {
                order.push(name);
            }
        }
    }
    assert_eq!(order, ["postgres-2", "postgres-1", "postgres-0"]);
    let set = play.get(Resource::StatefulSets, "data", "postgres");
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    assert_eq!([&set["status"]["updatedReplicas"], &set["status"]["currentReplicas"]], [3, 3]);
    let told = "Delete Pod postgres-2 in StatefulSet postgres successful";
    assert!(play.events("postgres").contains(&("SuccessfulDelete".to_owned(), told.to_owned())));
}

#[test]
fn a_partition_keeps_the_lower_ones_as_they_are() {
    let mut play = Play::new(Scenario::Healthy);
    let partition = json!({ "spec": { "updateStrategy": { "rollingUpdate": { "partition": 2 } } } });
    play.patch(Resource::StatefulSets, "data", "postgres", &partition);
    set_image(&mut play, Resource::StatefulSets, ["data", "postgres"], "postgres:new");
    play.at(60);
    assert_eq!(image(&play.pod("data", "postgres-2")), "postgres:new");
    delete(&mut play, "data", "postgres-0");
    play.at(80);
    let kept = play.pod("data", "postgres-0");
    assert_eq!(image(&kept), "registry.example/data/postgres:17.4");
    assert!(pod::is_ready(&kept));
}

#[test]
fn a_broken_pod_of_a_stateful_set_stops_the_way_back_too() {
    let mut play = Play::new(Scenario::BadRollout);
    play.at(120);
    set_image(&mut play, Resource::StatefulSets, ["data", "postgres"], "registry.example/data/postgres:17.4");
    play.at(600);
    assert!(image(&play.pod("data", "postgres-2")).ends_with("-broken"));
    let set = play.get(Resource::StatefulSets, "data", "postgres");
    let revisions = play.world.store.list(Resource::ControllerRevisions);
    let revisions: BTreeSet<i64> = revisions
        .filter(|revision| object::is_controlled_by(revision, &set))
        .map(|revision| revision["revision"].as_i64().unwrap())
        .collect();
    assert_eq!(revisions, BTreeSet::from([2, 3]), "the first came back as the third");
    delete(&mut play, "data", "postgres-2");
    play.at(630);
    assert!(pod::is_ready(&play.pod("data", "postgres-2")), "deleted by hand, it comes back whole");
}

#[test]
fn a_daemon_set_rolls_node_by_node() {
    let mut play = Play::new(Scenario::Healthy);
    set_image(&mut play, Resource::DaemonSets, ["monitoring", "node-exporter"], "node-exporter:new");
    for second in -9..60 {
        play.at(second);
        assert!(ready(&play, "node-exporter") >= 5, "{second}: one of six may be missing");
    }
    assert_eq!(images(&play, "node-exporter"), only("node-exporter:new"));
    let set = play.get(Resource::DaemonSets, "monitoring", "node-exporter");
    assert_eq!([&set["status"]["updatedNumberScheduled"], &set["status"]["numberReady"]], [6, 6]);
}

#[test]
fn a_crashing_container_is_waited_with_ever_longer() {
    let mut play = Play::new(Scenario::Healthy);
    set_image(&mut play, Resource::Deployments, ["shop", "cart"], "cart:crash");
    play.at(120);
    let pods = play.pods("cart");
    let pod = pods.iter().find(|pod| image(pod) == "cart:crash").unwrap();
    let status = &pod["status"]["containerStatuses"][0];
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 1);
    assert_eq!(status["restartCount"], 3, "10, 20 and 40 seconds apart");
    assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
    let message = text(status, "/state/waiting/message");
    assert!(message.starts_with("back-off 1m20s restarting failed container=cart pod=cart-"), "{message}");
    assert!(!pod::is_ready(pod));
    assert!(play.reasons(object::name(pod)).contains("BackOff"));
    assert_eq!(ready(&play, "cart"), 2, "the old ones stay");
}

#[test]
fn a_job_succeeds_or_gives_up() {
    let mut play = Play::new(Scenario::Healthy);
    let job = |name: &str, image: &str| {
        let pod = json!({ "restartPolicy": "Never", "containers": [{ "name": "x", "image": image }] });
        let spec = json!({ "backoffLimit": 2, "template": { "spec": pod } });
        (Resource::Jobs, json!({ "metadata": { "namespace": "shop", "name": name }, "spec": spec }))
    };
    play.act(&Act::Create(vec![job("good", "x:brief"), job("bad", "x:crash")])).at(300);
    let good = play.get(Resource::Jobs, "shop", "good");
    assert!(object::condition_is(&good, "Complete", "True"));
    assert_eq!(good["status"]["succeeded"], 1);
    let bad = play.get(Resource::Jobs, "shop", "bad");
    assert_eq!(object::condition(&bad, "Failed").unwrap()["reason"], "BackoffLimitExceeded");
    assert_eq!(bad["status"]["failed"], 3);
    let pods = play.world.store.list(Resource::Pods);
    let pods: Vec<_> = pods.filter(|pod| object::is_controlled_by(pod, &bad)).collect();
    assert_eq!(pods.len(), 3);
    for pod in pods {
        assert_eq!(pod["status"]["phase"], "Failed");
        assert!(object::items(pod, "/metadata/finalizers").is_empty(), "counted, and let go");
    }
}

#[test]
fn a_pod_that_asks_for_more_than_there_is_stays_pending() {
    let mut play = Play::new(Scenario::Healthy);
    let container = json!({ "name": "x", "image": "x", "resources": { "requests": { "cpu": "64" } } });
    let pod = json!({
        "metadata": { "namespace": "shop", "name": "huge" },
        "spec": { "containers": [container] },
    });
    play.act(&Act::Create(vec![(Resource::Pods, pod)])).at(10);
    let huge = play.pod("shop", "huge");
    let scheduled = object::condition(&huge, "PodScheduled").unwrap();
    assert_eq!(
        scheduled["message"],
        "0/6 nodes are available: 1 node(s) had untolerated taint(s), 5 Insufficient cpu. no new claims to deallocate, \
         preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling."
    );
    assert!(play.reasons("huge").contains("FailedScheduling"));
}

#[test]
fn a_slow_pod_takes_all_its_grace() {
    let mut play = Play::new(Scenario::Healthy);
    let pod = json!({
        "metadata": { "namespace": "shop", "name": "slow" },
        "spec": { "terminationGracePeriodSeconds": 45, "containers": [{ "name": "x", "image": "x:slow" }] },
    });
    play.act(&Act::Create(vec![(Resource::Pods, pod)])).at(10);
    delete(&mut play, "shop", "slow");
    play.at(54);
    assert!(object::is_deleting(&play.pod("shop", "slow")));
    play.at(56);
    assert!(play.find(Resource::Pods, "shop", "slow").is_none());
}
