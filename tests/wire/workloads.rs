//! The rows of workloads, budgets and services, written by hand from `objects.yaml`, after a machine was lost.

use crate::expected::{cluster, labels, recorded, time, word};
use crate::recorded::ENCODINGS;
use sickbay::cluster::{
    Counts, Expression, Image, JobState, Name, Operator, Port, Rollout, Selector, Status, Workload,
};

fn works(name: &str) -> Name {
    Name::new("works", name)
}

fn image(container: &str, image: &str, is_init: bool) -> Image {
    Image { container: container.into(), image: format!("registry.example/{image}").into(), is_init }
}

fn selecting(app: &str) -> Selector {
    Selector::of(labels(&[("app", app)]))
}

#[test]
fn a_deployment_has_its_counts_selector_and_images() {
    let json = recorded("deployment", "late");
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let web = cluster.deployments.get(&works("web")).unwrap();
        assert_eq!(web.counts(), Counts { desired: 2, updated: Some(2), ready: 2, available: Some(2) });
        assert_eq!((web.generation, web.observed_generation, web.current), (1, 1, 2));
        assert_eq!(web.strategy, "RollingUpdate");
        assert_eq!(
            *web.images,
            [
                image("migrate", "migrate:1", true),
                image("web", "web:1", false),
                image("proxy", "proxy:2", false)
            ]
        );
        let not_these = Expression {
            key: "tier".into(),
            operator: Operator::NotIn,
            values: ["back".into(), "side".into()].into(),
        };
        assert_eq!(web.selector, Selector { expressions: [not_these].into(), ..selecting("web") });
        assert_eq!(web.condition("Available").unwrap().status, Status::True);

        let held = cluster.deployments.get(&works("held")).unwrap();
        assert!(held.is_paused);
        assert_eq!(held.strategy, "Recreate");
        assert_eq!(held.rollout(), Rollout::Updating { updated: 0, of: 1 });

        let late = cluster.deployments.get(&works("late")).unwrap();
        let conditions = json["status"]["conditions"].as_array().unwrap();
        let progressing = conditions.iter().find(|told| told["type"] == "Progressing").unwrap();
        let since = Some(time(&progressing["lastTransitionTime"]));
        assert_eq!(late.rollout(), Rollout::DeadlineExceeded { since });
        assert_eq!(late.condition("Progressing").unwrap().message, *word(&progressing["message"]));
    }
}

#[test]
fn a_replica_set_is_its_deployments_or_its_own() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let bare = cluster.replica_sets.get(&works("bare")).unwrap();
        assert_eq!(bare.rollout(), Rollout::Complete);
        assert_eq!((bare.counts().desired, bare.meta.owner.clone()), (1, None));
        let web = cluster.deployments.get(&works("web")).unwrap();
        let [owned] = *cluster.replica_sets_of(web) else { panic!("one replica set") };
        assert_eq!(cluster.owner_of(&owned.meta), Some(Workload::Deployment(web)));
        assert!(owned.selector.labels.iter().any(|(key, _)| *key == "pod-template-hash"));
        let shown: Vec<Workload<'_>> = cluster.workloads().collect();
        assert!(shown.contains(&Workload::ReplicaSet(bare)));
        assert!(!shown.contains(&Workload::ReplicaSet(owned)));
    }
}

#[test]
fn a_replica_set_that_may_not_make_its_pods_says_why() {
    let json = recorded("replica-set", "unmade");
    let told = &json["status"]["conditions"][0];
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let unmade = cluster.replica_sets.get(&Name::new("full", "unmade")).unwrap();
        assert_eq!((unmade.counts().desired, unmade.current), (1, 0));
        let [condition] = &*unmade.conditions else { panic!("{:?}", unmade.conditions) };
        assert_eq!((condition.kind.as_str(), condition.status), ("ReplicaFailure", Status::True));
        assert_eq!(condition.reason, "FailedCreate");
        assert_eq!(condition.message, *word(&told["message"]));
        assert_eq!(condition.changed, Some(time(&told["lastTransitionTime"])));
    }
}

#[test]
fn a_stateful_set_has_its_partition_and_revisions() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let canary = cluster.stateful_sets.get(&works("canary")).unwrap();
        assert_eq!((canary.partition, canary.updated, canary.replicas), (Some(1), 1, 2));
        assert_ne!(canary.current_revision, canary.update_revision);
        assert_eq!(canary.rollout(), Rollout::Complete, "what the partition lets through is updated");
        assert_eq!((canary.service.as_str(), canary.pod_management.as_str()), ("canary", "Parallel"));
        let by_hand = cluster.stateful_sets.get(&works("by-hand")).unwrap();
        assert!(by_hand.is_on_delete() && by_hand.partition.is_none());
        // Its pods were on the machine that was lost.
        let postgres = cluster.stateful_sets.get(&Name::new("shop", "postgres")).unwrap();
        assert_eq!(postgres.rollout(), Rollout::Unready { ready: 0, of: 2 });
        let pod = cluster.pods.get(&Name::new("shop", "postgres-0")).unwrap();
        assert_eq!(pod.meta.labels, labels_of(pod));
    }
}

/// A pod's labels are those of its template and two of its set: nothing is lost on the way.
fn labels_of(pod: &sickbay::cluster::Pod) -> sickbay::cluster::Labels {
    let json = recorded("pod", &pod.meta.name.name);
    let pairs = json["metadata"]["labels"].as_object().expect("labels");
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), word(value))).collect();
    labels(&pairs)
}

#[test]
fn a_daemon_set_wants_no_pod_on_a_lost_node_and_counts_the_one_that_is_there() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let set = |name: &str| cluster.daemon_sets.get(&works(name)).unwrap();
        let everywhere = set("everywhere");
        let three = Some(3);
        assert_eq!(everywhere.counts(), Counts { desired: 3, updated: three, ready: 3, available: three });
        assert_eq!((everywhere.rollout(), everywhere.misscheduled), (Rollout::Complete, 1));
        let scheduled = ["everywhere", "nowhere", "crashing"].map(|name| set(name).scheduled);
        assert_eq!(scheduled, [3, 0, 3]);
        assert_eq!((set("nowhere").rollout(), set("nowhere").desired), (Rollout::Complete, 0));
        assert!(set("crashing").is_on_delete());
        assert_eq!(set("crashing").rollout(), Rollout::Waiting { available: 0, of: 3 });
    }
}

#[test]
fn a_job_has_its_retries_and_how_it_ended() {
    let json = recorded("job", "unable");
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let unable = cluster.jobs.get(&works("unable")).unwrap();
        let JobState::Failed { reason, since } = unable.state() else { panic!("{:?}", unable.state()) };
        assert_eq!((reason.as_str(), unable.backoff_limit, unable.wanted()), ("DeadlineExceeded", 0, 1));
        assert!(since.is_some() && unable.finished.is_none());
        assert_eq!(unable.started, Some(time(&json["status"]["startTime"])));
        let waiting = cluster.jobs.get(&works("waiting")).unwrap();
        assert_eq!(waiting.state(), JobState::Suspended);
        assert_eq!((waiting.completions, waiting.parallelism, waiting.backoff_limit), (Some(4), 2, 6));
        let running = cluster.jobs.get(&works("running")).unwrap();
        assert_eq!(running.state(), JobState::Running);
        assert_eq!((running.active, running.completions, running.parallelism), (2, None, 2));
    }
}

#[test]
fn a_budget_says_what_it_asks_for_and_allows() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let budget = |namespace: &str, name: &str| {
            cluster.pod_disruption_budgets.get(&Name::new(namespace, name)).unwrap()
        };
        let web = budget("works", "web");
        assert_eq!((web.min_available.as_str(), web.max_unavailable.as_str()), ("", "50%"));
        assert!(web.always_allows_unhealthy() && web.is_observed());
        assert_eq!((web.disruptions_allowed, web.current_healthy), (1, 2));
        assert_eq!((web.desired_healthy, web.expected_pods), (1, 2));
        let exists = Expression { key: "tier".into(), operator: Operator::Exists, values: Box::default() };
        assert_eq!(web.selector, Some(Selector { expressions: [exists].into(), ..selecting("web") }));
        let none = budget("works", "none");
        assert_eq!((none.selector.clone(), none.min_available.as_str()), (None, "0"));
        let postgres = budget("shop", "postgres");
        assert_eq!((postgres.min_available.as_str(), postgres.disruptions_allowed), ("2", 0));
        let pod = cluster.pods.get(&Name::new("shop", "postgres-0")).unwrap();
        assert_eq!(cluster.budgets_covering(pod).collect::<Vec<_>>(), [postgres]);
    }
}

#[test]
fn a_service_has_its_type_ports_and_selector() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let service =
            |namespace: &str, name: &str| cluster.services.get(&Name::new(namespace, name)).unwrap();
        let web = service("works", "web");
        let port = |name: &str, protocol: &str, (port, target): (u16, &str)| Port {
            name: name.into(),
            protocol: protocol.into(),
            port,
            target: target.into(),
            node_port: web.ports.iter().find(|known| known.port == port).unwrap().node_port,
        };
        assert_eq!(*web.ports, [port("http", "TCP", (80, "http")), port("dns", "UDP", (53, "5353"))]);
        assert_eq!((web.kind.as_str(), web.ports[0].node_port), ("NodePort", 30080));
        assert!(web.publishes_unready);
        assert_eq!(web.selector(), Some(selecting("web")));
        let elsewhere = service("works", "elsewhere");
        assert_eq!(elsewhere.external_name, "elsewhere.example");
        assert_eq!((elsewhere.selector(), elsewhere.cluster_ip.as_str()), (None, ""));
        assert_eq!(*service("works", "balanced").ingress, ["192.0.2.7", "lb.example"]);
        assert!(service("shop", "postgres").is_headless());
    }
}

#[test]
fn an_api_service_has_who_serves_it_and_why_it_is_not_available() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let api_service = |name: &str| cluster.api_services.get(&Name::cluster(name)).unwrap();
        let metrics = api_service("v1beta1.metrics.k8s.io");
        assert_eq!((metrics.group.as_str(), metrics.version.as_str()), ("metrics.k8s.io", "v1beta1"));
        assert_eq!(metrics.service, Some(Name::new("kube-system", "metrics-server")));
        let outage = metrics.outage().unwrap();
        assert_eq!(outage.reason, "ServiceNotFound");
        assert!(outage.message.contains("is not present") && outage.changed.is_some(), "{outage:?}");
        let apps = api_service("v1.apps");
        assert_eq!((&apps.service, apps.outage()), (&None, None));
    }
}
