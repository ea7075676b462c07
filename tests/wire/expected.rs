//! Rows written by hand, from `objects.yaml` and from what the controllers make of it: two encodings that agree
//! could both be wrong. What differs with each recording (uids, versions, most times) is read from its JSON.

use crate::reading::rows;
use crate::recorded::{ENCODINGS, fixture};
use jiff::Timestamp;
use serde_json::Value;
use sickbay::cluster::{
    Change, Cluster, Container, Cordoner, Deletion, Delta, Effect, Ended, Kind, Labels, Name, Owner, Phase,
    Readiness, Resources, Source, State, Status, Storage, Text, Toleration, VolumeId,
};
use sickbay::wire::Encoding;

/// All recorded lists as one cluster, from one encoding.
pub fn cluster(encoding: Encoding) -> Cluster {
    let mut cluster = Cluster::default();
    for (kind, name) in crate::reading::KINDS {
        let (changes, _) = rows(kind, encoding, [&*fixture(name, encoding)]).expect("a recorded list");
        cluster.apply_all(changes, Timestamp::UNIX_EPOCH);
    }
    cluster
}

/// An object of a recorded list, by an independent reading of its JSON.
pub fn recorded(list: &str, name: &str) -> Value {
    let list: Value = serde_json::from_slice(&fixture(list, Encoding::Json)).expect("JSON");
    let items = list["items"].as_array().expect("items");
    items.iter().find(|item| item["metadata"]["name"] == name).expect("an item of this name").clone()
}

pub fn word(value: &Value) -> &str {
    value.as_str().expect("a string")
}

pub fn time(value: &Value) -> Timestamp {
    word(value).parse().expect("a time")
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| (Text::from(*key), Text::from(*value))).collect()
}

#[test]
fn a_stuck_pod_of_a_stateful_set_has_its_owner_deadline_claim_and_node() {
    let json = recorded("pod", "postgres-0");
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let pod = cluster.pods.get(&Name::new("shop", "postgres-0")).unwrap();
        assert_eq!(pod.meta.uid, *word(&json["metadata"]["uid"]));
        assert_eq!(pod.meta.resource_version, *word(&json["metadata"]["resourceVersion"]));
        assert_eq!(pod.meta.created, Some(time(&json["metadata"]["creationTimestamp"])));
        let deadline = time(&json["metadata"]["deletionTimestamp"]);
        assert_eq!(pod.meta.deletion, Some(Deletion { deadline, grace_seconds: 45 }));
        assert_eq!(
            pod.meta.owner,
            Some(Owner {
                kind: "StatefulSet".into(),
                name: "postgres".into(),
                uid: word(&json["metadata"]["ownerReferences"][0]["uid"]).into(),
                is_controller: true,
            })
        );
        assert_eq!(pod.meta.label("app"), Some("postgres"));
        assert_eq!(pod.meta.label("tier"), Some("data"));
        assert_eq!(pod.meta.label("tie"), None);
        assert_eq!(pod.node, "worker-2");
        assert_eq!(*pod.claims, [Text::from("data-postgres-0")]);
        assert_eq!(pod.ip, *word(&json["status"]["podIP"]));
        let ready = pod.condition("Ready").unwrap();
        assert_eq!(ready.status, Status::False);
        let condition = json["status"]["conditions"].as_array().unwrap();
        let condition = condition.iter().find(|condition| condition["type"] == "Ready").unwrap();
        assert_eq!(ready.changed, Some(time(&condition["lastTransitionTime"])));
        assert_eq!(pod.condition("DisruptionTarget").unwrap().reason, "DeletionByTaintManager");
        assert_eq!(pod.status(), "Terminating");
        let tolerates = |key: &str| Toleration {
            key: key.into(),
            operator: "Exists".into(),
            value: "".into(),
            effect: "NoExecute".into(),
            seconds: Some(5),
        };
        let expected = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(tolerates);
        assert_eq!(*pod.tolerations, expected);
        assert!(!pod.is_mirror);
    }
}

#[test]
fn containers_are_in_the_order_of_the_spec_and_carry_what_the_kubelet_said() {
    let at = |text: &str| Some(text.parse().unwrap());
    let init = [
        Container {
            name: "migrate".into(),
            image: "registry.example/migrate:1".into(),
            is_ready: true,
            state: State::Terminated(Ended {
                reason: "Completed".into(),
                finished: at("2026-01-02T03:04:03Z"),
                ..Ended::default()
            }),
            ..Container::default()
        },
        Container {
            name: "proxy".into(),
            image: "registry.example/proxy:2".into(),
            is_sidecar: true,
            is_ready: true,
            is_started: true,
            restarts: 2,
            state: State::Running { since: at("2026-01-02T03:04:05Z") },
            last: Some(Ended { signal: 15, finished: at("2026-01-02T03:04:04Z"), ..Ended::default() }),
            memory_limit: "".into(),
        },
    ];
    let killed = |finished: &str, signal| Ended {
        reason: "OOMKilled".into(),
        exit_code: 137,
        signal,
        finished: at(finished),
    };
    let main = [
        Container {
            name: "main".into(),
            image: "registry.example/main:3".into(),
            state: State::Waiting { reason: "ContainerCreating".into(), message: "soon".into() },
            ..Container::default()
        },
        Container {
            name: "killed".into(),
            image: "registry.example/killed:4".into(),
            restarts: 7,
            state: State::Terminated(killed("2026-01-02T03:04:06Z", 9)),
            last: Some(killed("2026-01-02T03:03:06Z", 0)),
            ..Container::default()
        },
        Container {
            name: "silent".into(),
            image: "registry.example/silent:5".into(),
            state: State::Unreported,
            ..Container::default()
        },
    ];
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let pod = cluster.pods.get(&Name::new("shop", "told")).unwrap();
        assert_eq!(*pod.init_containers, init);
        assert_eq!(*pod.containers, main);
        assert_eq!((pod.phase, pod.reason.as_str(), pod.ip.as_str()), (Phase::Running, "Told", "10.1.2.3"));
        assert_eq!(pod.message, "a message with an escape red and a bell ^G", "made safe on the way in");
    }
}

#[test]
fn a_container_has_the_limit_at_which_it_is_killed_for_memory() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let pod = cluster.pods.get(&Name::new("shop", "everything")).unwrap();
        let limits: Vec<(&str, &str)> = pod
            .init_containers
            .iter()
            .chain(&pod.containers)
            .map(|one| (one.name.as_str(), one.memory_limit.as_str()))
            .collect();
        assert_eq!(limits, [("migrate", ""), ("proxy", ""), ("main", "1Gi"), ("second", "")]);
    }
}

#[test]
fn a_pod_says_what_a_drain_asks_of_it() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let pod = cluster.pods.get(&Name::new("shop", "everything")).unwrap();
        // The init container alone asks for more memory than all that runs after it.
        let requests = Resources { cpu_millis: 350, memory_bytes: 1 << 30 };
        assert_eq!((pod.grace_seconds, pod.requests), (60, requests));
        assert!(pod.has_empty_dir && pod.has_readiness_probe && pod.has_pre_stop);
        let told = cluster.pods.get(&Name::new("shop", "told")).unwrap();
        assert_eq!((told.grace_seconds, told.requests), (30, Resources::default()));
        assert!(!told.has_empty_dir && !told.has_readiness_probe && !told.has_pre_stop);
    }
}

#[test]
fn an_ephemeral_volumes_claim_is_named_after_pod_and_volume() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let pod = cluster.pods.get(&Name::new("shop", "everything")).unwrap();
        assert_eq!(*pod.claims, [Text::from("everything-scratch")]);
        assert_eq!(*pod.meta.finalizers, [Text::from("example.org/hold")]);
        let claim = Name::new("shop", "everything-scratch");
        assert_eq!(cluster.persistent_volume_claims.get(&claim).unwrap().capacity, "2Gi");
        assert!(cluster.pods.get(&Name::new("shop", "static-worker-1")).unwrap().is_mirror);
        assert_eq!(cluster.pods.get(&Name::new("shop", "nowhere")).unwrap().node, "");
    }
}

#[test]
fn a_silent_node_and_a_cordoned_one_are_what_the_control_plane_says() {
    let json = recorded("node", "worker-2");
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let silent = cluster.node("worker-2").unwrap();
        assert_eq!(silent.readiness(), Readiness::Silent);
        let ready = silent.condition("Ready").unwrap();
        assert_eq!(ready.reason, "NodeStatusUnknown");
        assert_eq!(ready.message, "Kubelet stopped posting node status.");
        let taint = silent.taint("node.kubernetes.io/unreachable", Effect::NoExecute).unwrap();
        assert_eq!(taint.added, Some(time(&json["spec"]["taints"][1]["timeAdded"])));
        assert_eq!(silent.boot_id, *word(&json["status"]["nodeInfo"]["bootID"]));
        assert_eq!(silent.os_image, "Hollow Linux");
        assert_eq!(silent.kubelet_version, *word(&json["status"]["nodeInfo"]["kubeletVersion"]));
        assert_eq!(silent.internal_ip, "127.0.0.1");
        assert_eq!(silent.allocatable_pods, Some(250));
        assert_eq!(silent.allocatable, Resources { cpu_millis: 8000, memory_bytes: 32 << 30 });
        assert_eq!(silent.zone(), Some("zone-c"));
        assert_eq!(silent.hostname(), "worker-2");
        for volumes in [&silent.volumes_attached, &silent.volumes_in_use] {
            assert_eq!(volumes.len(), 2, "{volumes:?}");
            assert!(volumes.iter().all(|name| name.starts_with("kubernetes.io/csi/hollow.csi^pvc-")));
        }
        assert!(!silent.is_cordoned());

        let cordoned = cluster.node("worker-0").unwrap();
        assert!(cordoned.is_cordoned() && cordoned.is_ready());
        let taint = cordoned.taint("example.org/maintenance", Effect::NoSchedule).unwrap();
        assert_eq!((taint.value.as_str(), taint.added), ("planned", None));
        assert_eq!((cordoned.cordoned_by, silent.cordoned_by), (Some(Cordoner::Kured), None));
        assert_eq!(cordoned.cordoner(), Some(Cordoner::Kured));
    }
}

#[test]
fn volumes_say_what_backs_them_and_who_has_them() {
    let volume =
        |cluster: &Cluster, name: &str| cluster.persistent_volumes.get(&Name::cluster(name)).unwrap().clone();
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let local = volume(&cluster, "disk-local");
        assert_eq!(local.source, Source::Local { path: "/mnt/disk".into() });
        assert!(local.is_raw_block);
        assert_eq!(local.capacity, "100Gi");
        assert_eq!((local.class.as_str(), local.reclaim_policy.as_str()), ("local", "Retain"));
        assert_eq!(local.affinity.len(), 1, "what a node must not be is left out");
        assert_eq!(local.pinned_to().collect::<Vec<_>>(), ["worker-1"]);

        let share = volume(&cluster, "share-nfs");
        assert_eq!(share.source, Source::Nfs { server: "files.example".into(), path: "/export".into() });
        assert_eq!(share.access.short(), "ROX,RWX");
        assert_eq!((share.storage(), share.phase.as_str()), (Storage::File, "Available"));
        assert_eq!(volume(&cluster, "old-iscsi").source, Source::InTree { field: "iscsi".into() });
        assert_eq!(volume(&cluster, "host-path").source, Source::HostPath { path: "/srv/old".into() });

        let claim = Name::new("shop", "data-postgres-0");
        let Some(VolumeId::Persistent(name)) = cluster.volume_of_claim(&claim) else { panic!("{claim}") };
        let csi = volume(&cluster, &name);
        assert_eq!(csi.source, Source::Csi { driver: "hollow.csi".into(), handle: name.clone() });
        assert_eq!(csi.claim.as_ref().unwrap().name, claim);
        let claim = cluster.persistent_volume_claims.get(&claim).unwrap();
        assert_eq!(csi.claim.as_ref().unwrap().uid, claim.meta.uid);
        assert_eq!((claim.volume.clone(), claim.class.as_str()), (name.clone(), "hollow"));
        assert_eq!((claim.phase.as_str(), claim.capacity.as_str()), ("Bound", "1Gi"));
        let attachment = cluster.attachments_of(&name).next().unwrap();
        assert_eq!((attachment.attacher.as_str(), attachment.node.as_str()), ("hollow.csi", "worker-2"));
        assert!(attachment.is_attached && attachment.attach_error.is_none());

        let unmet = cluster.persistent_volume_claims.get(&Name::new("shop", "unmet")).unwrap();
        assert_eq!((unmet.phase.as_str(), unmet.capacity.as_str()), ("Pending", "500Mi"));
        assert_eq!((unmet.access.short().as_str(), unmet.volume.as_str()), ("ROX,RWX", ""));
    }
}

#[test]
fn an_attachment_that_fails_says_why_and_since_when() {
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let attachment = cluster.attachments_on("worker-3").next().unwrap();
        let json = recorded("volume-attachment", &attachment.meta.name.name);
        assert!(!attachment.is_attached);
        let error = attachment.attach_error.as_ref().unwrap();
        assert_eq!(error.message, *word(&json["status"]["attachError"]["message"]));
        assert_eq!(error.at, Some(time(&json["status"]["attachError"]["time"])));
        assert_eq!(attachment.detach_error, None);
    }
}

#[test]
fn a_namespace_has_its_phase_and_labels() {
    for encoding in ENCODINGS {
        let (changes, _) = rows(Kind::Namespace, encoding, [&*fixture("namespace", encoding)]).unwrap();
        let shop = changes.iter().find_map(|change| match change {
            Change::Namespace(Delta::Apply(row)) if row.meta.name.name == "shop" => Some(row),
            _ => None,
        });
        let shop = shop.unwrap();
        assert_eq!(shop.phase, "Active");
        assert_eq!(shop.meta.labels, labels(&[("kubernetes.io/metadata.name", "shop"), ("team", "store")]));
    }
}

#[test]
fn a_namespace_that_does_not_go_says_on_what() {
    let json = recorded("namespace", "leaving");
    let told = json["status"]["conditions"].as_array().unwrap();
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let leaving = cluster.namespaces.get(&Name::cluster("leaving")).unwrap();
        assert_eq!(leaving.phase, "Terminating");
        assert_eq!(leaving.meta.deletion.unwrap().deadline, time(&json["metadata"]["deletionTimestamp"]));
        assert_eq!(leaving.conditions.len(), told.len());
        for (condition, told) in leaving.conditions.iter().zip(told) {
            assert_eq!(condition.kind, *word(&told["type"]));
            assert_eq!(condition.status == Status::True, told["status"] == "True");
            assert_eq!(condition.reason, *word(&told["reason"]));
            assert_eq!(condition.message, *word(&told["message"]));
            assert_eq!(condition.changed, Some(time(&told["lastTransitionTime"])));
        }
        let held = leaving.conditions.iter().find(|one| one.kind == "NamespaceFinalizersRemaining").unwrap();
        assert_eq!(held.status, Status::True);
        assert!(held.message.contains("backup.example.com/snapshot-first in 1 resource instances"));
    }
}

#[test]
fn events_of_both_recorders_have_their_time_count_and_source() {
    let json: Value = serde_json::from_slice(&fixture("event", Encoding::Json)).unwrap();
    let old = json["items"].as_array().unwrap();
    let old =
        old.iter().find(|event| event["reason"] == "BackOff" && event["count"].as_u64() > Some(1)).unwrap();
    for encoding in ENCODINGS {
        let cluster = cluster(encoding);
        let new = cluster.events.get(&Name::new("default", "worker-1.new")).unwrap();
        assert_eq!(new.last, Some("2026-01-02T03:05:05.123456Z".parse().unwrap()));
        assert_eq!((new.count, new.is_warning), (3, true));
        assert_eq!((new.source.as_str(), new.reason.as_str()), ("example.org/node-watcher", "NodeNotReady"));
        assert_eq!(new.note, "Node worker-1 status is now: NodeNotReady");
        assert_eq!(new.regarding.name, Name::cluster("worker-1"));
        assert_eq!((new.regarding.kind.as_str(), new.regarding.uid.as_str()), ("Node", "worker-1"));

        let event = cluster.events.get(&Name::new("shop", word(&old["metadata"]["name"]))).unwrap();
        assert_eq!(event.last, Some(time(&old["lastTimestamp"])));
        assert_eq!(Some(u64::from(event.count)), old["count"].as_u64());
        assert_eq!(event.source, *word(&old["source"]["component"]));
    }
}
