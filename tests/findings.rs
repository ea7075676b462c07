//! The rules over ordinary manifests: each fixture, and all that is said of it, word for word.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use jiff::Timestamp;
use sickbay::cluster::{Change, Cluster, Feed, FeedChange, Kind, Timers};
use sickbay::findings::{Evidence, Finding, Findings, RULES, RuleId, evaluate};
use sickbay::wire::manifest;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

fn now() -> Timestamp {
    "2026-03-01T03:20:00Z".parse().unwrap()
}

/// A cluster that holds the manifests of a fixture, with all kinds read once.
fn cluster(fixture: &str) -> Cluster {
    cluster_without(fixture, &[])
}

fn cluster_without(fixture: &str, forbidden: &[Kind]) -> Cluster {
    read(&text(fixture), fixture, forbidden)
}

fn text(fixture: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/findings").join(fixture);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(text: &str, fixture: &str, forbidden: &[Kind]) -> Cluster {
    let mut cluster = Cluster::default();
    let changes = manifest(text).unwrap_or_else(|error| panic!("{fixture}: {error}"));
    let is_read = |change: &Change| match change {
        Change::Node(_) => !forbidden.contains(&Kind::Node),
        _ => true,
    };
    cluster.apply_all(changes.into_iter().filter(is_read), now());
    for kind in Kind::ALL {
        let change = if forbidden.contains(&kind) {
            FeedChange::Forbidden { reason: "no".into() }
        } else {
            FeedChange::Live
        };
        cluster.apply(Change::Feed(Feed::Watch(kind), change), now());
    }
    cluster
}

fn found(cluster: &Cluster) -> Findings {
    evaluate(cluster, now(), &Timers::default())
}

fn line(finding: &Finding) -> String {
    let clock = finding.clock.map_or_else(String::new, |clock| {
        let reading = clock.reading(now());
        let span = reading.span.map_or_else(String::new, |span| format!(" {span:#}"));
        format!(" [{}{span}]", reading.words)
    });
    format!("{} {}: {}{clock}", finding.severity.word(), finding.rule, finding.sentence)
}

fn evidence(finding: &Finding) -> Vec<String> {
    let line = |fact: &Evidence| match fact.at {
        Some(at) => format!("{}, {at}", fact.text),
        None => fact.text.clone(),
    };
    finding.evidence.iter().map(line).collect()
}

/// Every finding as a line, the members of an incident under its root.
fn said(cluster: &Cluster) -> Vec<String> {
    found(cluster)
        .incidents
        .iter()
        .flat_map(|incident| {
            let members = incident.members.iter().map(|member| format!("  {}", line(member)));
            std::iter::once(line(&incident.root)).chain(members).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_dead_node_its_stuck_pod_and_the_volume_that_is_wanted_elsewhere_are_one_incident() {
    let cluster = cluster("dead-node.yaml");
    assert_eq!(
        said(&cluster),
        [
            "critical node-silent: Node worker-2, cordoned, is silent: its kubelet stopped reporting. 1 of its 2 \
             pods has been told to go.",
            "  critical pod-stuck-terminating: Pod mq/queue-0 cannot end: its node worker-2 is silent, so no \
             kubelet confirms it. StatefulSet queue creates no replacement until it is gone. [overdue 1m 35s]",
            "  critical volume-on-unready-node: The volume of db/data-postgres-0 is attached to \
             worker-2, which is silent, and pod db/postgres-0 waits for it on worker-1. No pod there wants it \
             any more, so it will be detached by force. [force-detached in at most 6m]",
            "  warning volume-on-unready-node: The volume of mq/data-queue-0 is attached to \
             worker-2, which is silent. It is not detached while pod mq/queue-0 is not gone.",
        ]
    );
    let findings = found(&cluster);
    let counts = findings.incidents[0].counts;
    assert_eq!((counts.pods, counts.volumes, counts.held_up), (1, 2, 1));
    assert_eq!(
        evidence(&findings.incidents[0].root),
        [
            "its lease has not moved since it is watched, 2026-03-01T03:20:00Z",
            "its lease was last stamped, by the node's own clock, 2026-03-01T03:11:58.104411Z",
            "Ready is Unknown: NodeStatusUnknown: Kubelet stopped posting node status, 2026-03-01T03:12:50Z",
            "1 pod told to go is still there",
            "1 pod tolerates the taint and stays",
        ]
    );
    assert_eq!(
        evidence(&findings.incidents[0].members[1]),
        [
            "attachment csi-0a1b of block.example.com is there, 2026-01-11T00:00:05Z",
            "block storage, RWO",
            "driver block.example.com, handle vol-0a1b",
            "the kubelet last said that it uses it",
            "the clock of the forced detach was already running when it was first seen",
        ]
    );
    assert_eq!(
        findings.incidents[0].members[2].next,
        "Prove that worker-2 is off, then release pod mq/queue-0: the detach begins when it is gone."
    );
}

#[test]
fn a_cordon_a_pod_within_its_grace_and_a_volume_where_it_is_wanted_are_no_findings() {
    let cluster = cluster("calm.yaml");
    assert_eq!(said(&cluster), [""; 0]);
    let stuck: Timestamp = "2026-03-01T03:20:50Z".parse().unwrap();
    assert_eq!(found(&cluster).next_due, Some(stuck), "the deadline of the pod and the slack");
}

#[test]
fn a_kubelet_that_talks_is_not_silent_and_keeps_the_volumes_that_its_pods_want() {
    assert_eq!(
        said(&cluster("node-not-ready.yaml")),
        [
            "warning node-not-ready: Node worker-1 is not ready: its kubelet reports container runtime is down, \
          PLEG is not healthy. Its one pod will be told to go. [evicted in at least 4m 5s]"
        ]
    );
}

#[test]
fn an_out_of_service_taint_on_a_kubelet_that_talks_is_critical() {
    let cluster = cluster("out-of-service-alive.yaml");
    assert_eq!(
        said(&cluster),
        [
            "critical node-not-ready: Node worker-1 is not ready: its kubelet reports KubeletNotReady. It is marked \
          out-of-service although its kubelet talks: volumes are detached under it. No pod is on it."
        ]
    );
    assert_eq!(
        found(&cluster).incidents[0].root.next,
        "Remove the out-of-service taint now: the kubelet is alive."
    );
}

#[test]
fn a_volume_that_many_nodes_may_have_is_no_finding() {
    assert_eq!(
        said(&cluster("shared-volume.yaml")),
        [
            "critical node-silent: Node worker-2 is silent: its kubelet stopped reporting. Its one pod is not told \
          to go: evictions are slowed or halted."
        ]
    );
}

#[test]
fn a_detach_that_fails_is_told_in_the_drivers_words() {
    let cluster = cluster("detach-fails.yaml");
    assert_eq!(
        said(&cluster)[1],
        "  warning volume-on-unready-node: The volume of db/data is attached to worker-2, which is \
         silent. Its detach was asked for and fails: rpc error: code = Internal desc = volume vol-1 is locked by \
         a snapshot."
    );
    let since: Timestamp = "2026-03-01T03:19:10Z".parse().unwrap();
    assert_eq!(found(&cluster).incidents[0].members[0].since, Some(since));
}

#[test]
fn without_attachments_the_volumes_are_judged_by_the_nodes_status_and_the_evidence_says_so() {
    let cluster = cluster_without("no-attachment.yaml", &[Kind::VolumeAttachment]);
    assert_eq!(
        said(&cluster)[1..],
        [
            "  warning volume-on-unready-node: Volume \
             kubernetes.io/iscsi/10.0.0.9:iqn.2001-04.com.example:disk:1 is attached to worker-2, which is \
             silent. Whether a pod there wants it is not known.",
            "  warning volume-on-unready-node: The volume of db/data is attached to worker-2, which is \
             silent. No pod there wants it any more, so it will be detached by force. [force-detached in at \
             most 6m]",
        ]
    );
    assert_eq!(
        evidence(&found(&cluster).incidents[0].members[1])[..2],
        [
            "the node's status lists it as attached",
            "volume attachments are not known: judged by the node's status alone",
        ]
    );
}

#[test]
fn data_on_the_machines_own_disk_is_not_helped_by_a_detach() {
    let cluster = cluster("local-disk.yaml");
    assert_eq!(
        said(&cluster)[1],
        "  critical volume-on-unready-node: The volume of db/data has its data on worker-2, which is \
         silent, and pod db/etcd-0 waits for it."
    );
    assert_eq!(
        found(&cluster).incidents[0].members[0].next,
        "Bring worker-2 back: the data is on that machine, and detaching does not help."
    );
}

#[test]
fn a_node_that_pods_name_and_that_is_not_there_is_gone() {
    let cluster = cluster("node-gone.yaml");
    assert_eq!(
        said(&cluster),
        [
            "notice node-gone: Node worker-2 is gone, and 1 pod and 1 volume attachment still name it. \
             [collected in at most 1m]",
            "  warning volume-on-unready-node: The volume of db/data is attached to worker-2, which is \
             gone. It is not detached while pod db/postgres-0 wants it there.",
        ]
    );
}

#[test]
fn a_pod_that_stays_on_a_ready_node_is_told_apart_by_what_keeps_it() {
    let cluster = cluster("stuck-on-a-ready-node.yaml");
    assert_eq!(
        said(&cluster),
        [
            "warning pods-stuck-on-node: Node worker-1 is Ready, but pods web/not-finished and web/not-released do \
             not end there: its kubelet has not ended the containers of some, and does not release the others. One \
             cause there is likelier than 2.",
            "  warning pod-stuck-terminating: Pod web/not-finished does not end: the kubelet of worker-1 talks, \
             but has not finished it. [overdue 1m 35s]",
            "  warning pod-stuck-terminating: Pod web/not-released has stopped, but the kubelet of worker-1, which \
             talks, does not release it. [overdue 1m 35s]",
            "warning pod-stuck-terminating: Pod web/held-by-jobs is there only because of the finalizer \
             batch.kubernetes.io/job-tracking of the Job controller. [overdue 1m 35s]",
            "warning pod-stuck-terminating: Pod web/held-by-two is there only because of the finalizers \
             foregroundDeletion, example.com/backup of the garbage collector and example.com. [overdue 1m 35s]",
        ]
    );
}

#[test]
fn a_user_who_may_not_read_nodes_is_not_told_that_they_are_gone() {
    let mut cluster = cluster_without("stuck-on-a-ready-node.yaml", &[Kind::Node]);
    assert_eq!(
        said(&cluster)[2],
        "warning pod-stuck-terminating: Pod web/not-finished does not end, and the state of its node worker-1 is \
         not known. [overdue 1m 35s]"
    );
    let says_gone = |cluster: &Cluster| said(cluster).iter().any(|line| line.contains("node-gone"));
    assert!(!says_gone(&cluster));
    cluster.apply(Change::Feed(Feed::Watch(Kind::Node), FeedChange::Live), now());
    assert!(says_gone(&cluster), "once all nodes are known, one that is not among them is gone");
}

#[test]
fn nothing_is_said_of_a_picture_that_is_half_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/findings/dead-node.yaml");
    let changes = manifest(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut cluster = Cluster::default();
    let is_node = |change: &Change| matches!(change, Change::Node(_));
    cluster.apply_all(changes.iter().filter(|change| !is_node(change)).cloned(), now());
    assert_eq!(said(&cluster), [""; 0], "its nodes are not absent, they were not read yet");
    cluster.apply_all(changes.iter().filter(|change| is_node(change)).cloned(), now());
    assert_eq!(
        said(&cluster),
        [
            "critical node-silent: Node worker-2, cordoned, is silent: its kubelet stopped reporting. Its pods are \
          not known."
        ]
    );
}

const BY_READINGS: [RuleId; 6] = [
    RuleId::UpdateRefused,
    RuleId::NodeLeaseQuiet,
    RuleId::ApiServerNotReady,
    RuleId::ControllerManagerSilent,
    RuleId::SchedulerSilent,
    RuleId::CloudControllerManagerSilent,
];

#[test]
fn every_rule_has_an_id_of_its_own_and_its_prose() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id.id()).collect();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        assert!(rule.id.id().chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'));
        assert!(rule.id.prose().ends_with('.') && !rule.id.prose().contains("  "), "{}", rule.id);
    }
}

/// Each rule has a fixture of two parts: one in which it speaks, and one, a little different, in which it is silent.
/// Rules that judge by readings, which no manifest has, have their tests with the code: `findings/tests.rs`.
#[test]
fn every_rule_speaks_in_its_fixture_and_is_silent_where_it_has_no_reason() {
    let mut all = String::new();
    for rule in RULES.iter().filter(|rule| !BY_READINGS.contains(&rule.id)) {
        let name = format!("rules/{}.yaml", rule.id);
        let text = text(&name);
        let (speaks, silent) =
            text.split_once("# --- calm\n").unwrap_or_else(|| panic!("{name} has one part"));
        let [speaks, silent] = [speaks, silent].map(|part| read(part, &name, &[]));
        let is_said = |cluster: &Cluster| found(cluster).iter().any(|finding| finding.rule == rule.id);
        assert!(is_said(&speaks), "{name} does not make it speak: {:#?}", said(&speaks));
        assert!(!is_said(&silent), "{name} does not leave it silent: {:#?}", said(&silent));
        let _ = writeln!(all, "-- {}", rule.id);
        for (line, finding) in said(&speaks).iter().zip(found(&speaks).iter()) {
            let _ = writeln!(all, "{line}");
            if finding.rule == rule.id {
                for fact in evidence(finding) {
                    let _ = writeln!(all, "    because  {fact}");
                }
                let _ = writeln!(all, "    next     {}", finding.next);
            }
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_rule_that_may_not_read_what_it_needs_says_nothing_and_that_it_could_not_judge() {
    let by_manifests = RULES.iter().filter(|rule| !BY_READINGS.contains(&rule.id));
    for rule in by_manifests.filter(|rule| !rule.needs.is_empty()) {
        let name = format!("rules/{}.yaml", rule.id);
        let text = text(&name);
        let speaks = text.split_once("# --- calm\n").unwrap().0;
        for need in rule.needs {
            let mut cluster = Cluster::default();
            cluster.apply_all(manifest(speaks).unwrap(), now());
            for kind in Kind::ALL.into_iter().filter(|kind| Feed::Watch(*kind) != *need) {
                cluster.apply(Change::Feed(Feed::Watch(kind), FeedChange::Live), now());
            }
            let found = found(&cluster);
            assert!(
                found.iter().all(|finding| finding.rule != rule.id),
                "{} without {}",
                rule.id,
                need.name()
            );
            let blind = found.blind.iter().find(|(id, _)| *id == rule.id).map(|(_, kinds)| kinds.clone());
            assert_eq!(blind, Some(vec![*need]));
        }
    }
}
