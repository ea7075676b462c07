//! What a drain waits for and does not send: that a live look at the node shows nothing more that was to go, and that
//! what had to move is ready elsewhere.

use super::{Options, choice};
use crate::actions::call::Call;
use crate::actions::plan::Plan;
use crate::cluster::{Cluster, Kind, Name, ObjectRef, Pod, Row as _, Text, Workload};
use jiff::Timestamp;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A live list of the node's pods, in all namespaces, shows none that was to go.
    Emptied { node: ObjectRef, options: Box<Options> },
    /// What had pods there is as ready as it was.
    Replaced { node: ObjectRef, workloads: Vec<Moving> },
}

/// A workload whose pods have to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    pub workload: ObjectRef,
    /// Pods of it that were ready before.
    pub ready: u32,
}

/// A pod that came up elsewhere for one that had to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    pub pod: ObjectRef,
    pub workload: ObjectRef,
    /// Empty until it is scheduled.
    pub node: Text,
    pub is_ready: bool,
}

impl Wait {
    pub const fn node(&self) -> &ObjectRef {
        match self {
            Self::Emptied { node, .. } | Self::Replaced { node, .. } => node,
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Emptied { node, .. } => format!("look whether {node} is empty"),
            Self::Replaced { node, workloads } => match workloads.as_slice() {
                [one] => format!("wait until {} is as ready as before", one.workload),
                many => format!("wait until the {} workloads of {node} are as ready as before", many.len()),
            },
        }
    }

    pub fn kubectl(&self) -> Option<String> {
        match self {
            Self::Emptied { node, .. } => {
                Some(format!("kubectl get pods -A --field-selector spec.nodeName={}", node.name))
            }
            Self::Replaced { .. } => None,
        }
    }
}

/// The wait for what the workloads of these calls' pods had ready. A job is not waited for: its pod starts over.
pub fn replaced<'a>(node: &ObjectRef, calls: impl Iterator<Item = &'a Call>, cluster: &Cluster) -> Wait {
    let mut workloads: Vec<Moving> = Vec::new();
    for workload in calls.filter_map(|call| call.removal()?.workload.as_ref()) {
        let Some(known) = cluster.workload(workload) else { continue };
        if workload.kind != Kind::Job && workloads.iter().all(|moving| moving.workload != *workload) {
            workloads.push(Moving { workload: workload.clone(), ready: ready(known, cluster) });
        }
    }
    Wait::Replaced { node: node.clone(), workloads }
}

/// Its pods that are ready and stay; its own count of them comes later than they go.
fn ready(workload: Workload<'_>, cluster: &Cluster) -> u32 {
    let pods = cluster.pods_of(workload);
    let ready = pods.iter().filter(|pod| pod.is_ready() && !pod.meta.is_deleting());
    u32::try_from(ready.count()).unwrap_or(u32::MAX)
}

/// What is still less ready than it was, in words; nothing where all is well.
pub fn lacking(workloads: &[Moving], cluster: &Cluster) -> Option<String> {
    let lacks = workloads.iter().filter_map(|moving| {
        // Deleted meanwhile: nobody waits for it.
        let workload = cluster.workload(&moving.workload)?;
        let (wanted, ready) = (moving.ready.min(workload.counts().desired), ready(workload, cluster));
        (ready < wanted).then(|| format!("{}: {ready} of {wanted} ready", moving.workload))
    });
    let lacks: Vec<String> = lacks.collect();
    (!lacks.is_empty()).then(|| lacks.join(", "))
}

/// Pods that came up for those that a plan moves, since then and on other nodes, by name.
pub fn replacements(plan: &Plan, since: Timestamp, cluster: &Cluster) -> Vec<Replacement> {
    let moved = || plan.calls().filter_map(Call::removal);
    let drained: BTreeSet<&Text> = moved().map(|removal| &removal.node.name.name).collect();
    let mut owners: Vec<&ObjectRef> = moved().filter_map(|removal| removal.workload.as_ref()).collect();
    owners.sort();
    owners.dedup();
    let owned = owners.into_iter().filter_map(|owner| cluster.workload(owner));
    let mut found: Vec<Replacement> = Vec::new();
    for workload in owned {
        let is_new = |pod: &&Pod| {
            pod.meta.created.is_some_and(|created| created >= since) && !drained.contains(&pod.node)
        };
        found.extend(cluster.pods_of(workload).into_iter().filter(is_new).map(|pod| Replacement {
            pod: pod.object(),
            workload: workload.object(),
            node: pod.node.clone(),
            is_ready: pod.is_ready(),
        }));
    }
    found.sort_by(|one, two| one.pod.name.cmp(&two.pod.name));
    found
}

/// The pods of a live list that were to go and are there all the same, by name.
pub fn left<'a>(
    listed: &'a [Pod],
    options: &Options,
    (cluster, now): (&Cluster, Timestamp),
) -> Vec<(&'a Name, bool)> {
    let Ok(selector) = options.selector() else { return Vec::new() };
    let is_left = |pod: &&Pod| {
        let chosen = choice::chosen(options, pod, (cluster, now));
        selector.matches(&pod.meta.labels) && (chosen.choice.goes() || chosen.is_blocked())
    };
    let mut left: Vec<(&Name, bool)> =
        listed.iter().filter(is_left).map(|pod| (&pod.meta.name, pod.meta.is_deleting())).collect();
    left.sort();
    left
}
