//! Who is at a node, judged by what is written on it, by what runs in the cluster, and by the objects that were read.

use super::{HealthCheck, Machine, Other, Outcome, Party, Read, Remediation, Remedy, Source, Stage, Survey};
use crate::cluster::{Cluster, Cordoner, Job, Meta, Node, Readiness, Text};
use jiff::Timestamp;

/// Everybody who acts on a node by itself, those first who are at it now.
pub fn others(node: &Node, survey: Option<&Survey>, (cluster, now): (&Cluster, Timestamp)) -> Vec<Other> {
    let read = survey.iter().flat_map(|survey| &survey.told).filter_map(|(source, read)| match read {
        Read::Objects(objects) => Some((*source, objects)),
        Read::NotInstalled | Read::NotKnown(_) => None,
    });
    let mut found: Vec<Other> = read
        .flat_map(|(source, objects)| objects.iter().map(move |object| (source, object)))
        .filter_map(|object| told(object, node, now))
        .collect();
    found.extend(fencing_jobs(&node.meta.name.name, cluster));
    // A mark can outlive what it was for: who says to be done is done.
    let over: Vec<Party> =
        found.iter().filter(|other| other.stage == Stage::Over).map(|other| other.party).collect();
    found.extend(written(node).into_iter().filter(|other| !over.contains(&other.party)));
    let known: Vec<Party> = found.iter().map(|other| other.party).collect();
    found.extend(running(cluster).filter(|other| !known.contains(&other.party)));
    found.sort_by_key(|other| (other.stage, other.party));
    found.dedup();
    found
}

// -- what is written on the node ------------------------------------------------------------------------------------

fn other(party: Party, stage: Stage, words: impl Into<String>) -> Other {
    Other { party, stage, words: words.into(), since: None }
}

fn written(node: &Node) -> Vec<Other> {
    let mut found: Vec<Other> = Vec::new();
    found.extend(kube_fencing(node));
    for taint in &node.taints {
        let (party, stage, does) = match taint.key.as_str() {
            // It stays until whoever asked for the remedy takes its object away.
            "remediation.medik8s.io/self-node-remediation" => {
                (Party::SelfNodeRemediation, Stage::Acting, "remedies it")
            }
            "remediation.medik8s.io/fence-agents-remediation" => {
                (Party::FenceAgentsRemediation, Stage::Acting, "remedies it")
            }
            key if key.starts_with("remediation.medik8s.io/") => {
                (Party::NodeHealthCheck, Stage::Acting, "has it remedied")
            }
            "medik8s.io/drain" => (Party::NodeMaintenance, Stage::Acting, "empties it"),
            "ToBeDeletedByClusterAutoscaler" => {
                (Party::ClusterAutoscaler, Stage::Acting, "deletes its machine")
            }
            "DeletionCandidateOfClusterAutoscaler" => {
                (Party::ClusterAutoscaler, Stage::Armed, "takes it for one that is not needed")
            }
            key if key.starts_with("karpenter.sh/disrupt") => {
                (Party::Karpenter, Stage::Acting, "deletes its machine")
            }
            _ => continue,
        };
        let words = format!("{does}, by the taint {}", taint.key);
        found.push(Other { since: taint.added, ..other(party, stage, words) });
    }
    found.extend(node.cordoned_by.and_then(|tool| match tool {
        Cordoner::Kured => Some(other(Party::Kured, Stage::Acting, "reboots it, by its annotation")),
        Cordoner::MachineConfig => {
            Some(other(Party::MachineConfig, Stage::Acting, "drains and reboots it, by its annotation"))
        }
        // Those are known by their taints.
        Cordoner::ClusterAutoscaler | Cordoner::Karpenter | Cordoner::NodeMaintenance => None,
    }));
    for mark in ["cluster.x-k8s.io/delete-machine", "machine.openshift.io/delete-machine"] {
        if node.mark(mark).is_some() {
            let words = format!("is the next to be deleted, by the annotation {mark}");
            found.push(other(Party::Machine, Stage::Armed, words));
        }
    }
    found
}

/// It fences what the controller-manager calls silent, and nothing else.
fn kube_fencing(node: &Node) -> Option<Other> {
    let after = match node.mark("fencing/mode").unwrap_or("flush") {
        "none" => "fences it",
        "taint" => "fences it, then marks it out-of-service",
        "delete" => "fences it, then deletes the Node",
        _ => "fences it, then deletes its pods by force and its attachments",
    };
    let is_silent = node.condition("Ready").is_some_and(|ready| ready.reason == "NodeStatusUnknown");
    let (stage, words) = match node.mark("fencing/state") {
        Some(state @ ("pending" | "started")) => (Stage::Acting, format!("{after}: {state}")),
        Some("fenced") => (Stage::Over, "has fenced it, by its annotation fencing/state".to_owned()),
        Some("failed") => {
            (Stage::Over, "could not fence it, and waits until somebody clears fencing/state".to_owned())
        }
        Some(_) | None if node.mark("fencing/enabled") != Some("true") => return None,
        Some(_) | None if is_silent => (Stage::Armed, format!("{after} as soon as its controller runs")),
        Some(_) | None => (Stage::Idle, "is enabled for it".to_owned()),
    };
    Some(other(Party::KubeFencing, stage, words))
}

fn fencing_jobs(node: &str, cluster: &Cluster) -> Option<Other> {
    let is_of =
        |job: &&Job| job.meta.label("fencing") == Some("fence") && job.meta.label("node") == Some(node);
    let job = cluster.jobs.values().filter(is_of).find(|job| job.active > 0)?;
    let words = format!("fences it, by the job {}", job.meta.name);
    Some(Other { since: job.started, ..other(Party::KubeFencing, Stage::Acting, words) })
}

// -- what the objects say -------------------------------------------------------------------------------------------

fn told((source, object): (Source, &Remedy), node: &Node, now: Timestamp) -> Option<Other> {
    let name = &node.meta.name.name;
    match object {
        Remedy::HealthCheck(check) => health_check(check, node),
        Remedy::Remediation(remediation) if remediation.node == *name => {
            Some(remedied(source, remediation, now))
        }
        Remedy::Machine(machine) => Some(of_machine(machine)),
        Remedy::Lease { holder, until } if until.is_none_or(|until| until > now) => {
            let words = format!("{holder} has taken it for itself, by its lease");
            Some(other(source.party(), Stage::Acting, words))
        }
        Remedy::Lock { node, since } if node == name => {
            let words = "reboots it: it has the lock";
            Some(Other { since: *since, ..other(Party::Kured, Stage::Acting, words) })
        }
        Remedy::Remediation(_) | Remedy::Lease { .. } | Remedy::Lock { .. } => None,
    }
}

/// The label by which a node is left alone.
const EXCLUDED: &str = "remediation.medik8s.io/exclude-from-remediation";

fn health_check(check: &HealthCheck, node: &Node) -> Option<Other> {
    let party = Party::NodeHealthCheck;
    let name = &check.name;
    if let Some((_, since)) = check.at_it.iter().find(|(at, _)| *at == node.meta.name.name) {
        let words = format!("{name} has it remedied");
        return Some(Other { since: *since, ..other(party, Stage::Acting, words) });
    }
    if !check.selector.matches(&node.meta.labels) {
        return None;
    }
    let (stage, words) = if node.meta.label(EXCLUDED) == Some("true") {
        (Stage::Idle, format!("{name} leaves it out, by its label"))
    } else if check.is_paused {
        (Stage::Idle, format!("{name} watches it and is paused"))
    } else if check.phase == "Disabled" {
        (Stage::Idle, format!("{name} watches it and is disabled: {}", check.reason))
    } else if node.readiness() == Readiness::Ready {
        (Stage::Idle, format!("{name} watches it"))
    } else {
        (Stage::Armed, format!("{name} watches it, and may have it remedied"))
    };
    Some(other(party, stage, words))
}

fn remedied(source: Source, remediation: &Remediation, now: Timestamp) -> Other {
    let Remediation { name, phase, created, outcome, assumed_rebooted, error, .. } = remediation;
    let phase = phase.non_empty().map_or_else(String::new, |phase| format!(" ({phase})"));
    let (stage, mut words) = match outcome {
        Outcome::UnderWay => (Stage::Acting, format!("{name} is at it{phase}")),
        Outcome::Succeeded => (Stage::Over, format!("{name} has remedied it{phase}")),
        Outcome::Failed => (Stage::Over, format!("{name} has failed{phase}")),
        Outcome::TimedOut => (Stage::Over, format!("{name} took too long, and was given up{phase}")),
    };
    if let Some(at) = assumed_rebooted.filter(|at| *at > now && *outcome == Outcome::UnderWay) {
        let left = at.duration_since(now).as_secs();
        words = format!("{words}; it takes the machine for rebooted in {left} s, and not before");
    }
    if let Some(error) = error.non_empty() {
        words = format!("{words}: {error}");
    }
    Other { since: *created, ..other(source.party(), stage, words) }
}

fn of_machine(machine: &Machine) -> Other {
    let Machine { name, phase, deleted, remedied, is_watched } = machine;
    let (stage, words, since) = match (deleted, remedied) {
        (Some(at), _) => (
            Stage::Acting,
            format!("{name} is being deleted: the machine goes, and the Node with it"),
            Some(*at),
        ),
        (None, Some((reason, since))) => {
            let why = reason.non_empty().map_or_else(String::new, |reason| format!(": {reason}"));
            (Stage::Acting, format!("{name} is being remedied, which replaces the machine{why}"), *since)
        }
        (None, None) if *is_watched => {
            (Stage::Armed, format!("{name} is watched by a health check, which may have it replaced"), None)
        }
        (None, None) => (Stage::Idle, format!("{name} is {phase}, and no health check watches it"), None),
    };
    Other { since, ..other(Party::Machine, stage, words) }
}

// -- what runs in the cluster ---------------------------------------------------------------------------------------

/// Programs that act on nodes and write nothing on this one.
const PROGRAMS: [(&str, Party, &str); 5] = [
    ("descheduler", Party::Descheduler, "may evict its pods by rules of its own; it fences nothing"),
    ("kured", Party::Kured, "reboots nodes one after another; it is not at this one"),
    ("cluster-autoscaler", Party::ClusterAutoscaler, "may delete machines that are not ready for long"),
    ("karpenter", Party::Karpenter, "may delete machines that are not ready for long"),
    ("fencing-controller", Party::KubeFencing, "fences nodes on which it is enabled; on this one it is not"),
];

fn running(cluster: &Cluster) -> impl Iterator<Item = Other> {
    PROGRAMS.into_iter().filter_map(|(name, party, words)| {
        let deployments = cluster.deployments.values().map(|row| &row.meta);
        let daemon_sets = cluster.daemon_sets.values().map(|row| &row.meta);
        let is_run =
            |meta: &&Meta| meta.name.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        // It may be a cron job, and those are known by their jobs; there can be many, so by the name alone.
        let jobs = cluster.jobs.values().map(|row| &row.meta).filter(|_| party == Party::Descheduler);
        let lasting = deployments.chain(daemon_sets).find(|meta| is_called(meta, name));
        let meta = lasting.or_else(|| jobs.filter(is_run).last())?;
        Some(other(party, Stage::Idle, format!("runs as {}: it {words}", meta.name)))
    })
}

/// Whether an object is that program, by its name or by the labels that charts put on it.
fn is_called(meta: &Meta, program: &str) -> bool {
    let labels = ["app.kubernetes.io/name", "k8s-app", "app", "name"];
    let is_labelled = labels.iter().any(|label| meta.label(label) == Some(program));
    let name: &Text = &meta.name.name;
    is_labelled
        || name.as_str() == program
        || name.strip_suffix(program).is_some_and(|before| before.ends_with('-'))
}
