//! What a drain would mean, for all pods together and before anybody agrees: checks with their reasons.
//!
//! It says what can be known from the picture, and does not simulate the scheduler. Budgets, room, volumes and
//! workloads each have a module of their own.

use super::choice::{self, Choice, Chosen, Why};
use super::{Options, budgets, room, volumes, workloads};
use crate::actions::preflight::{Check, Verdict};
use crate::actions::{Draft, Sight, cordon};
use crate::cluster::{Cluster, Kind, ObjectRef, Pod, Readiness};
use std::collections::BTreeMap;

/// A grace that holds a drain up, in seconds.
const LONG_GRACE: u32 = 120;
/// So many names are told of a group of pods.
const MOST_NAMED: usize = 6;

/// What is looked at.
pub struct Scene<'a> {
    pub cluster: &'a Cluster,
    pub options: &'a Options,
    pub targets: &'a [ObjectRef],
    /// The pods that are to go.
    pub going: Vec<(&'a Pod, Chosen)>,
}

impl Scene<'_> {
    /// Whether a node is another than those that are drained, and takes pods.
    pub fn takes_pods(&self, node: &crate::cluster::Node) -> bool {
        node.is_ready()
            && !node.is_cordoned()
            && self.targets.iter().all(|target| target.name != node.meta.name)
    }

    /// The pods that must run somewhere else.
    pub fn moving(&self) -> impl Iterator<Item = &Pod> {
        let moves = |why: &Why| match why {
            Why::Ordinary | Why::Terminating | Why::EmptyDir => true,
            Why::Finished
            | Why::Overdue
            | Why::Mirror
            | Why::DaemonSet
            | Why::DaemonSetGone(_)
            | Why::Bare => false,
        };
        self.going.iter().filter(move |(_, chosen)| moves(&chosen.why)).map(|(pod, _)| *pod)
    }
}

pub fn checks(draft: &Draft, options: &Options, sight: &Sight<'_>) -> Vec<Check> {
    if let Err(reason) = options.selector() {
        return vec![
            Check::new(Verdict::Block, reason).remedy("write it as kubectl takes it: app=web,tier!=front"),
        ];
    }
    let cluster = sight.cluster;
    let mut checks: Vec<Check> = scope(cluster).into_iter().collect();
    let mut all: Vec<Chosen> = Vec::new();
    for target in &draft.targets {
        checks.extend(of_node(target, sight).map(|check| check.about(target)));
        all.extend(choice::choices(options, target, (cluster, sight.now)));
    }
    checks.extend(groups(&all));
    checks.extend(of_options(options, &all));
    let going = all.iter().filter(|chosen| chosen.choice.goes());
    let going = going.filter_map(|chosen| Some((cluster.pods.get(&chosen.pod.name)?, chosen.clone())));
    let scene = Scene { cluster, options, targets: &draft.targets, going: going.collect() };
    checks.extend(budgets::checks(&scene));
    checks.extend(workloads::checks(&scene));
    checks.extend(volumes::checks(&scene));
    checks.extend(room::checks(&scene));
    checks.extend(length(&scene));
    for target in &draft.targets {
        checks.push(Check::new(Verdict::Ok, format!("kubectl would do it so: {}", options.kubectl(target))));
    }
    checks
}

/// Pods of other namespaces could neither be chosen nor seen going.
fn scope(cluster: &Cluster) -> Option<Check> {
    let namespace = cluster.namespace.as_ref()?;
    let reason = format!("only pods in {namespace} are watched, and a node has pods of all namespaces");
    Some(Check::new(Verdict::Block, reason).remedy("start without --namespace, or with --all-namespaces"))
}

fn of_node(target: &ObjectRef, sight: &Sight<'_>) -> impl Iterator<Item = Check> {
    let node = match cordon::same_node(target, sight.cluster) {
        Ok(node) => node,
        Err(reason) => {
            let check = Check::new(Verdict::Block, reason).remedy("look again, and choose what is there now");
            return vec![check].into_iter();
        }
    };
    let mut checks = Vec::new();
    match node.readiness() {
        Readiness::Silent => checks.push(
            Check::new(
                Verdict::Block,
                format!("{target} is silent: nothing there would confirm that a pod is gone"),
            )
            .remedy(
                "get its kubelet going if the machine lives; if it is dead, fence it and take it out of service \
                 instead",
            ),
        ),
        Readiness::NotReady => {
            let reason = format!("{target} is not Ready: its kubelet talks, and may be slow to end pods");
            checks.push(Check::new(Verdict::Warn, reason));
        }
        Readiness::New | Readiness::Ready => {
            checks.push(Check::new(Verdict::Ok, format!("{target} is there, and the one you saw")));
        }
    }
    if node.is_cordoned() {
        checks.push(Check::new(Verdict::Skip, cordon::already(node, sight.now)));
    }
    checks.into_iter()
}

/// The choices, pods of one kind together.
fn groups(all: &[Chosen]) -> Vec<Check> {
    let mut groups: BTreeMap<(Choice, &Why), Vec<&ObjectRef>> = BTreeMap::new();
    for chosen in all {
        groups.entry((chosen.choice, &chosen.why)).or_default().push(&chosen.pod);
    }
    let check = |((choice, why), pods): ((Choice, &Why), Vec<&ObjectRef>)| {
        let (names, sentence) = (named(pods.iter().map(|pod| &pod.name)), why.sentence(choice));
        let verb = if choice.goes() { "goes" } else { "stays" };
        let text = match pods.as_slice() {
            [_] => format!("{names} {verb}: {sentence}"),
            many => format!("{} pods, each {verb}: {sentence}: {names}", many.len()),
        };
        match choice {
            Choice::Block => Check::new(Verdict::Block, text).remedy(why.remedy()),
            Choice::Warn => Check::new(Verdict::Warn, text),
            Choice::Evict => Check::new(Verdict::Ok, text),
            Choice::Skip => Check::new(Verdict::Skip, text),
        }
    };
    let mut checks: Vec<Check> = groups.into_iter().map(check).collect();
    if all.iter().all(|chosen| !chosen.choice.goes()) {
        checks.push(Check::new(Verdict::Ok, "no pod has to go"));
    }
    checks
}

fn of_options(options: &Options, all: &[Chosen]) -> Vec<Check> {
    let mut checks = Vec::new();
    if all.iter().all(|chosen| !chosen.choice.goes()) {
        return checks;
    }
    if options.disable_eviction {
        checks
            .push(Check::new(Verdict::Warn, "pods are deleted, and no budget is asked (--disable-eviction)"));
    }
    if options.grace_period == Some(0) {
        let reason = "pods are struck off at once (--grace-period=0): nobody knows whether they have ended";
        checks.push(Check::new(Verdict::Warn, reason));
    }
    checks
}

/// How long it can take: what is known of it.
fn length(scene: &Scene<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    let long =
        scene.going.iter().filter(|(_, chosen)| chosen.grace >= LONG_GRACE && chosen.why != Why::Finished);
    let mut long: Vec<&Chosen> = long.map(|(_, chosen)| chosen).collect();
    long.sort_by_key(|chosen| std::cmp::Reverse(chosen.grace));
    if let Some(first) = long.first() {
        let names = named(long.iter().map(|chosen| &chosen.pod.name));
        let reason = format!("long to end, up to {}: {names}", duration(first.grace.into()));
        checks.push(Check::new(Verdict::Warn, reason));
    }
    let Some(grace) = scene.going.iter().map(|(_, chosen)| chosen.grace).max() else { return checks };
    let rounds = budgets::rounds(scene);
    let longest = u64::from(grace).saturating_mul(rounds);
    let graces = if rounds > 1 {
        format!("{} for {rounds} rounds behind budgets, and the start of the replacements", duration(longest))
    } else {
        duration(longest)
    };
    let end = match scene.options.timeout {
        0 => "it has no --timeout".to_owned(),
        seconds => format!("it is given up after {}", duration(seconds)),
    };
    checks.push(Check::new(Verdict::Ok, format!("the longest that pods may take to end: {graces}; {end}")));
    checks
}

/// Some names, and how many more.
pub fn named<T: ToString>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    let more = names.len().saturating_sub(MOST_NAMED);
    let shown = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

pub fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        7200.. => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// Whether a kind was read, and what it lacks where it was not.
pub fn unread(cluster: &Cluster, kind: Kind) -> Option<String> {
    (!cluster.has_read(kind)).then(|| format!("{} could not be read", kind.plural()))
}
