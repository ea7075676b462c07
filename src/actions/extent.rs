//! How many pods an edit makes, and who else has a say in that: the autoscaler of a workload, the room on the nodes,
//! and the quotas of its namespace.
//!
//! Autoscalers and quotas are not watched: they are read once, before anybody agrees. What may not be read is told as
//! not known, and keeps nobody from anything.

use super::rollback::Goal;
use super::room::{NOT_SIMULATED, Room, shown};
use super::{Action, Answer, Check, Draft, Sight, Verdict};
use crate::cluster::{Cluster, Kind, ObjectRef, Resources, Text};
use crate::revision::Template;

/// Something that sets the number of pods of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaler {
    pub name: Text,
    /// What it scales, as it names it.
    pub kind: Text,
    pub target: Text,
    pub least: u32,
    pub most: u32,
    /// What makes it, where something does.
    pub owner: Option<Text>,
    /// The resources that it goes by in shares of what pods ask for.
    pub shares: Vec<Text>,
}

/// What a namespace may have, and has, of what pods count against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub name: Text,
    /// In thousandths.
    pub rows: Vec<QuotaRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRow {
    /// As the quota names it: `pods`, `requests.cpu`, `limits.memory`.
    pub resource: Text,
    pub hard: u64,
    pub used: u64,
}

/// What an edit wants beside what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extra {
    /// More at a time than there are now.
    pods: u64,
    /// What each of those asks for.
    each: Resources,
    /// What all of it comes to, with what the pods that are made anew ask for more.
    requests: Resources,
    /// What it may use; not known where no template was read.
    limits: Option<Resources>,
}

impl Extra {
    fn of(draft: &Draft, object: &ObjectRef, cluster: &Cluster) -> Option<Self> {
        let workload = cluster.workload(object)?;
        let now = workload.counts().desired;
        let extra = if let Some(goal) = draft.goal() {
            let (history, revision) = goal.target()?.ok()?;
            let pods = u64::from(history.surge);
            let sum = |of: fn(&Template) -> Resources| {
                let (before, after) = (of(&history.template), of(&revision.template));
                after.times(pods).and(after.less(before).times(now.into()))
            };
            let (each, limits) = (revision.template.requests(), Some(sum(Template::limits)));
            Self { pods, each, requests: sum(Template::requests), limits }
        } else if let Action::Scale { replicas, .. } = &draft.action {
            let pods = u64::from(replicas.as_ref()?.saturating_sub(now));
            let asked = cluster.pods_of(workload).into_iter().map(|pod| pod.requests);
            let each = asked.fold(Resources::default(), Resources::or);
            Self { pods, each, requests: each.times(pods), limits: None }
        } else {
            return None;
        };
        (extra.pods > 0 || extra.requests != Resources::default()).then_some(extra)
    }

    /// How much of a quota's resource it takes; nothing where it is not known, or no matter of pods.
    fn of_quota(&self, resource: &str) -> Option<u64> {
        let memory = |of: Resources| of.memory_bytes.saturating_mul(1000);
        match resource {
            "pods" | "count/pods" => Some(self.pods.saturating_mul(1000)),
            "cpu" | "requests.cpu" => Some(self.requests.cpu_millis),
            "memory" | "requests.memory" => Some(memory(self.requests)),
            "limits.cpu" => self.limits.map(|limits| limits.cpu_millis),
            "limits.memory" => self.limits.map(memory),
            _ => None,
        }
    }

    fn words(&self) -> String {
        let requests = shown(self.requests);
        match self.pods {
            0 => format!("the pods of that template request {requests} more"),
            1 => format!("1 pod more at a time requests {requests}"),
            many => format!("{many} pods more at a time request {requests}"),
        }
    }
}

/// Whether the nodes have room for it.
pub fn of_nodes(draft: &Draft, object: &ObjectRef, sight: &Sight<'_>) -> Option<Check> {
    let cluster = sight.cluster;
    let extra = Extra::of(draft, object, cluster)?;
    let words = extra.words();
    let unknown = if cluster.has_read(Kind::Node) {
        cluster.namespace.as_ref().map(|namespace| format!("only pods in {namespace} are watched"))
    } else {
        Some("nodes could not be read".to_owned())
    };
    if let Some(reason) = unknown {
        let reason = format!("{words}: it is not known whether there is room for that, {reason}");
        return Some(Check::new(Verdict::Ok, reason));
    }
    let room = Room::on(cluster.nodes.values(), cluster);
    let words = format!(
        "{words}, and {} nodes have {} and {} places free",
        room.nodes(),
        shown(room.resources()),
        room.places()
    );
    Some(if !room.takes(extra.pods, extra.requests) {
        Check::new(Verdict::Warn, format!("{words}: some will find no place"))
            .remedy("add a node, or uncordon one")
    } else if extra.pods > 0 && !room.takes_one(extra.each) {
        Check::new(Verdict::Warn, format!("{words}, and no single one has room for such a pod"))
    } else {
        Check::new(Verdict::Ok, format!("{words}; {NOT_SIMULATED}"))
    })
}

/// What the autoscalers of a namespace mean for it.
pub fn of_autoscalers(draft: &Draft, namespace: &Text, answer: &Answer) -> Vec<Check> {
    if let Answer::Failed(error) = answer {
        let reason = format!("it is not known whether something scales it by itself: {}", error.reason());
        return vec![Check::new(Verdict::Warn, reason)];
    }
    // Otherwise it is a server without them.
    let Answer::Autoscalers(found) = answer else { return Vec::new() };
    let mut checks = Vec::new();
    for object in draft.targets.iter().filter(|object| object.name.namespace == *namespace) {
        let is_of =
            |scaler: &&Autoscaler| *scaler.kind == *object.kind.word() && scaler.target == object.name.name;
        for scaler in found.iter().filter(is_of) {
            checks.extend(of_autoscaler(draft, scaler).into_iter().map(|check| check.about(object)));
        }
    }
    checks
}

fn of_autoscaler(draft: &Draft, scaler: &Autoscaler) -> Vec<Check> {
    let Autoscaler { name, least, most, owner, .. } = scaler;
    let made = owner.as_ref().map_or_else(String::new, |owner| format!(", made by {owner},"));
    let who = format!("the autoscaler {name}{made} ({least} to {most} pods)");
    if let Action::Scale { replicas: Some(replicas), .. } = &draft.action {
        let reason = match *replicas {
            0 => format!("{who} rests while there is no pod, and goes on when there is one"),
            many if many < *least => format!("{who} undoes this, and brings it back to {least}"),
            many if many > *most => format!("{who} undoes this, and brings it back to {most}"),
            _ => format!("{who} sets the number by itself, and will undo this as it sees fit"),
        };
        let whose = owner.as_ref().map_or_else(|| format!("of {name}"), |owner| format!("in {owner}"));
        return vec![Check::new(Verdict::Warn, reason).remedy(format!("change the bounds {whose} instead"))];
    }
    let Some(Ok((_, revision))) = draft.goal().and_then(Goal::target) else { return Vec::new() };
    let reason = format!("{who} goes on scaling it: what it goes by and its bounds do not go back");
    let mut checks = vec![Check::new(Verdict::Ok, reason)];
    for resource in &scaler.shares {
        let without = revision.template.without_request(resource);
        if !without.is_empty() {
            let names: Vec<&str> = without.iter().map(Text::as_str).collect();
            let reason = format!(
                "{who} goes by shares of the {resource} that pods ask for, and in revision {} {} asks for none: it \
                 would not scale",
                revision.number,
                names.join(", ")
            );
            checks.push(Check::new(Verdict::Warn, reason));
        }
    }
    checks
}

/// What the quotas of a namespace leave for it.
pub fn of_quotas(draft: &Draft, namespace: &Text, (answer, sight): (&Answer, &Sight<'_>)) -> Vec<Check> {
    if let Answer::Failed(error) = answer {
        let reason = format!("it is not known whether a quota is in the way: {}", error.reason());
        return vec![Check::new(Verdict::Warn, reason)];
    }
    let Answer::Quotas(quotas) = answer else { return Vec::new() };
    let mut checks = Vec::new();
    for object in draft.targets.iter().filter(|object| object.name.namespace == *namespace) {
        let Some(extra) = Extra::of(draft, object, sight.cluster) else { continue };
        for Quota { name, rows } in quotas {
            let is_short = |row: &&QuotaRow| {
                let left = row.hard.saturating_sub(row.used);
                extra.of_quota(&row.resource).is_some_and(|wanted| wanted > left)
            };
            let short: Vec<&str> = rows.iter().filter(is_short).map(|row| row.resource.as_str()).collect();
            if !short.is_empty() {
                let reason = format!(
                    "{}, and the quota {name} leaves too little ({}): pods that it has no room for are not made",
                    extra.words(),
                    short.join(", ")
                );
                checks.push(Check::new(Verdict::Warn, reason).about(object));
            }
        }
    }
    checks
}

#[cfg(test)]
mod tests;
