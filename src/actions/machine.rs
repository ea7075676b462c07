//! The actions that a configured command carries out: fence a machine, and restart its kubelet.
//!
//! The commands are made in `errand`; that a machine is dead is said in `evidence`, for which a fence is one proof.

use super::audit::Fenced;
use super::dangerous::Dangerous;
use super::errand::{Errand, Purpose};
use super::milestone::Milestone;
use super::others::Survey;
use super::preflight::{Check, Verdict};
use super::{Action, Answer, Answers, Author, Danger, Draft, Plan, Probe, Right, Sight, Spec, Step};
use super::{cordon, evidence};
use crate::cluster::{Cluster, Kind, Node, ObjectRef, Readiness, Row as _};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// By which the server says which cluster it is: it is asked before each command.
const GET_NAMESPACES: Right = Right { verb: "get", group: "", resource: "namespaces", subresource: "" };

const MACHINE: Spec = Spec {
    id: "fence",
    title: "Fence",
    doc: "Have a machine switched off, or started anew, by the command that is configured for it.",
    kinds: &[Kind::Node],
    danger: Danger::Destructive,
    rights: &[GET_NAMESPACES],
    relies_on: &[Kind::Node],
    looks_at: &[Kind::Pod],
};
pub const FENCE: Spec = MACHINE;
pub const RESTART_KUBELET: Spec = Spec {
    id: "restart-kubelet",
    title: "Restart kubelet",
    doc: "Have the kubelet of a silent node restarted by the command that is configured for it: often the first \
          remedy.",
    danger: Danger::Reversible,
    ..MACHINE
};

/// Where the reader finds how a command is configured.
const CONFIGURE: &str = "docs/fencing.md tells how one is configured";

pub fn plan(draft: &Draft, (cluster, author): (&Cluster, &Author)) -> Plan {
    let rows: Vec<&Node> =
        draft.targets.iter().filter_map(|node| cordon::same_node(node, cluster).ok()).collect();
    let is_silent = rows.iter().all(|row| row.readiness() == Readiness::Silent);
    // Of a machine that says nothing nothing is lost that anybody knows of; several at once are named one by one.
    let danger = match &draft.action {
        Action::Fence if is_silent && draft.targets.len() == 1 => Danger::Reversible,
        action => action.kind().spec().danger,
    };
    let mut plan = Plan::of(Vec::new(), danger);
    for row in rows {
        let errand = match errand(&draft.action, row, author) {
            Some(Ok(errand)) => errand,
            Some(Err(reason)) => {
                plan.objections.push(lacking(draft, row, reason));
                continue;
            }
            None => continue,
        };
        ask_about(&mut plan, row, author);
        if let Some(check) = errand.check.as_deref() {
            plan.ask(check.clone());
        }
        let node = errand.node.clone();
        let seen = match errand.purpose {
            Purpose::SwitchOff => Milestone::Silent { node },
            Purpose::Reset => Milestone::Booted { node, boot: row.boot_id.clone() },
            Purpose::RestartKubelet => Milestone::Speaks { node },
            // None of these is an action's own.
            Purpose::CheckPower | Purpose::Probe | Purpose::Replace => continue,
        };
        plan.then(vec![Step::Errand(errand)]);
        plan.then(vec![Step::Milestone(seen)]);
    }
    plan
}

/// Has the machine asked whether it answers, where there is a command for that.
pub fn ask_about(plan: &mut Plan, node: &Node, author: &Author) {
    if let Ok(probe) = author.kit.errand(Purpose::Probe, node) {
        plan.ask(probe);
    }
}

/// What is known of the machines that have to be dead for a plan: whether they answer, and whether they were switched
/// off before, in this boot.
pub fn known(plan: &mut Plan, (cluster, author): (&Cluster, &Author)) {
    let nodes: BTreeSet<ObjectRef> = plan.dangerous().filter_map(Dangerous::node).cloned().collect();
    for node in nodes.iter().filter_map(|node| cordon::same_node(node, cluster).ok()) {
        ask_about(plan, node, author);
        if let Ok(power) = author.kit.errand(Purpose::CheckPower, node) {
            plan.ask(power);
        }
        plan.fenced.extend(fenced(node, author).map(|at| (node.object(), at)));
    }
}

/// When a run before this one has switched a machine off, in the boot in which it was last seen.
fn fenced(node: &Node, author: &Author) -> Option<Timestamp> {
    let is_it = |fenced: &&Fenced| fenced.node == node.meta.uid && fenced.boot == node.boot_id;
    author.fenced.iter().filter(is_it).map(|fenced| fenced.at).max()
}

/// Has the machine switched off before what needs its death. Nothing where no command does that, where somebody states
/// that it is off, and where it was done before and there is no way to look.
pub fn switched_off(plan: &mut Plan, (draft, node): (&Draft, &Node), author: &Author) {
    let is_stated = draft.powered_off.contains(&node.meta.name.name);
    match author.kit.errand(Purpose::SwitchOff, node) {
        Ok(errand) if !is_stated && (errand.check.is_some() || fenced(node, author).is_none()) => {
            plan.then(vec![Step::Errand(errand)]);
        }
        Ok(_) | Err(_) => {}
    }
}

/// Has the provider end or replace the machine of a node that is retired, where a command for that is configured.
pub fn replaced(plan: &mut Plan, node: &Node, author: &Author) {
    match author.kit.errand(Purpose::Replace, node) {
        Ok(errand) => plan.then(vec![Step::Errand(errand)]),
        Err(reason) if author.kit.has(Purpose::Replace) => {
            let check =
                Check::new(Verdict::Warn, format!("its machine is not replaced by a command: {reason}"));
            plan.objections.push(check.about(&node.object()));
        }
        Err(_) => {}
    }
}

/// The command of an action of ours, or why there is none.
fn errand(action: &Action, node: &Node, author: &Author) -> Option<Result<Errand, String>> {
    let purpose = match action {
        Action::Fence => author.kit.fence().unwrap_or(Purpose::SwitchOff),
        Action::RestartKubelet => Purpose::RestartKubelet,
        Action::Cordon
        | Action::Uncordon { .. }
        | Action::Drain { .. }
        | Action::Rollback { .. }
        | Action::Restart
        | Action::Pause
        | Action::Resume
        | Action::Scale { .. }
        | Action::SetImage { .. }
        | Action::ReturnToService
        | Action::ReplacePods
        | Action::ForceDetach
        | Action::Retire
        | Action::ReleasePod
        | Action::DetachVolume
        | Action::DeleteAttachment
        | Action::DeleteNode
        | Action::RemoveFinalizer { .. } => return None,
    };
    Some(author.kit.errand(purpose, node))
}

// -- before --------------------------------------------------------------------------------------------------------

/// What a review says of configured commands: of the targets of an action of ours, and of each command of any plan.
pub fn checks((draft, plan): (&Draft, &Plan), answers: &Answers, sight: &Sight<'_>) -> Vec<Check> {
    let mut checks = plan.objections.clone();
    checks.extend(told(plan, answers));
    let is_ours = matches!(draft.action, Action::Fence | Action::RestartKubelet);
    for node in draft.targets.iter().filter(|_| is_ours) {
        let row = match cordon::same_node(node, sight.cluster) {
            Ok(row) => row,
            Err(reason) => {
                let check = Check::new(Verdict::Block, reason);
                checks.push(check.remedy("look again, and choose what is there now").about(node));
                continue;
            }
        };
        let survey = answers.iter().find_map(|(probe, answer)| match (probe, answer?) {
            (Probe::Others(at), Answer::Others(survey)) if at == node => Some(survey),
            _ => None,
        });
        let objections = objections(draft, (row, survey), sight);
        checks.extend(
            objections
                .into_iter()
                .map(|(reason, remedy)| Check::new(Verdict::Block, reason).remedy(remedy).about(node)),
        );
        let is_ours = |errand: &&Errand| errand.node == *node;
        if let Some(errand) = plan.errands().find(is_ours) {
            checks.extend(outlook(errand, row, sight.cluster).into_iter().map(|check| check.about(node)));
        }
    }
    checks
}

/// The words of each command of a plan, and what the questions about its machines have brought.
fn told(plan: &Plan, answers: &Answers) -> Vec<Check> {
    let fenced = plan.fenced.iter().map(|(node, at)| {
        let reason = format!("the machine of {} was switched off by a run before, at {at:.0}", node.name);
        Check::new(Verdict::Ok, reason).about(node)
    });
    let commands = plan.errands().map(|errand| {
        let known = if errand.id.is_empty() { String::new() } else { format!(", as {}", errand.id) };
        let (verdict, what) = match errand.purpose {
            Purpose::SwitchOff => (Verdict::Warn, "is switched off"),
            Purpose::Reset => (Verdict::Warn, "is started anew"),
            Purpose::RestartKubelet => (Verdict::Ok, "has its kubelet restarted"),
            Purpose::Replace => (Verdict::Warn, "is replaced"),
            Purpose::CheckPower | Purpose::Probe => (Verdict::Ok, "is asked"),
        };
        let reason = format!(
            "{} {what}{known}, by a command that runs here for {} s at most: {}",
            errand.node.name,
            errand.limit.as_secs(),
            errand.line()
        );
        Check::new(verdict, reason).about(&errand.node)
    });
    let answered = answers.iter().filter_map(|(probe, answer)| match (probe, answer?) {
        (Probe::Errand(errand), Answer::Ran(ran)) => Some((errand, ran)),
        _ => None,
    });
    let answered = answered.map(|(errand, ran)| {
        let name = &errand.node.name;
        let (verdict, reason) = match errand.purpose {
            Purpose::CheckPower if errand.proves_off(ran) => {
                (Verdict::Ok, format!("the machine of {name} is off already, by its power command"))
            }
            // It says something else, and says so with success: that is no silence, but a word against another.
            Purpose::CheckPower if ran.ended.is_success() && is_stated(plan, &errand.node) => (
                Verdict::Block,
                format!("you state that {name} is off, and its power command says: {}", ran.summary()),
            ),
            Purpose::CheckPower => (Verdict::Ok, format!("the power command of {name}: {}", ran.summary())),
            Purpose::Probe if ran.ended.is_success() => (
                Verdict::Warn,
                format!(
                    "the machine of {name} answers its probe: it lives, and what runs there goes on; its kubelet may be \
                     all that is dead"
                ),
            ),
            Purpose::Probe
            | Purpose::SwitchOff
            | Purpose::Reset
            | Purpose::RestartKubelet
            | Purpose::Replace => {
                (Verdict::Ok, format!("the machine of {name} does not answer its probe: {}", ran.summary()))
            }
        };
        let check = Check::new(verdict, reason).about(&errand.node);
        if verdict == Verdict::Block { check.remedy("look at the machine itself") } else { check }
    });
    commands.chain(fenced).chain(answered).collect()
}

fn is_stated(plan: &Plan, node: &ObjectRef) -> bool {
    plan.steps.iter().any(|step| matches!(step, Step::Attest { node: stated, .. } if stated == node))
}

/// What speaks against it, and what to do about that.
fn objections(
    draft: &Draft,
    (node, survey): (&Node, Option<&Survey>),
    sight: &Sight<'_>,
) -> Vec<(String, String)> {
    let object = node.object();
    let mut objections = Vec::new();
    match (&draft.action, node.readiness()) {
        (Action::Fence, Readiness::Ready) => objections.push((
            format!("{object} is Ready: its kubelet talks"),
            "drain it first; a machine that works is not fenced".to_owned(),
        )),
        (Action::Fence, Readiness::New) => objections.push((
            format!("{object} has never said how it is"),
            "wait until the controller has judged it".to_owned(),
        )),
        (Action::RestartKubelet, Readiness::Ready) => objections
            .push((format!("{object} is Ready: its kubelet talks"), "there is nothing to remedy".to_owned())),
        (_, Readiness::Silent | Readiness::NotReady | Readiness::New | Readiness::Ready) => {}
    }
    objections.extend(evidence::bystanders(&object, survey, sight).into_iter().filter_map(|objection| {
        matches!(draft.action, Action::Fence).then_some((objection.reason, objection.remedy))
    }));
    objections
}

/// That there is no command for a node, and what else there is.
fn lacking(draft: &Draft, node: &Node, reason: String) -> Check {
    let node = node.object();
    let otherwise = if matches!(draft.action, Action::Fence) {
        format!("; or switch it off by hand, and state with --powered-off {} that it is", node.name)
    } else {
        String::new()
    };
    Check::new(Verdict::Block, reason).remedy(format!("{CONFIGURE}{otherwise}")).about(&node)
}

fn outlook(errand: &Errand, node: &Node, cluster: &Cluster) -> Vec<Check> {
    let name = &errand.node.name;
    let mut checks = Vec::new();
    let running = cluster.pods_on(&name.name).filter(|pod| !pod.phase.is_terminal()).count();
    let many = if running == 1 { "1 pod ends".to_owned() } else { format!("{running} pods end") };
    match errand.purpose {
        Purpose::SwitchOff | Purpose::Reset if node.readiness() == Readiness::NotReady => {
            checks.push(Check::new(
                Verdict::Warn,
                format!("{name} speaks, so its machine lives: {many} there at once, without any grace"),
            ));
        }
        Purpose::SwitchOff | Purpose::Reset if node.readiness() == Readiness::Silent => {
            checks.push(Check::new(
                Verdict::Warn,
                format!(
                    "{name} is silent, which is no proof that it is dead: should it live, {many} at once"
                ),
            ));
        }
        Purpose::RestartKubelet => checks
            .push(Check::new(Verdict::Ok, format!("what runs on {name} goes on meanwhile: {running} pods"))),
        Purpose::SwitchOff | Purpose::Reset | Purpose::CheckPower | Purpose::Probe | Purpose::Replace => {}
    }
    match errand.purpose {
        Purpose::SwitchOff if errand.check.is_none() => checks.push(Check::new(
            Verdict::Warn,
            "no power command is configured: that the machine is off is believed by the exit code alone",
        )),
        Purpose::Reset => checks.push(Check::new(
            Verdict::Ok,
            format!("the machine of {name} comes back: nothing is detached, and its pods end or go on there"),
        )),
        Purpose::SwitchOff
        | Purpose::CheckPower
        | Purpose::Probe
        | Purpose::RestartKubelet
        | Purpose::Replace => {}
    }
    checks
}

// -- while ---------------------------------------------------------------------------------------------------------

/// Why a command of a run must not be run now, by what is seen at this moment.
pub fn guard(errand: &Errand, action: &Action, sight: &Sight<'_>) -> Result<(), String> {
    let row = match (cordon::same_node(&errand.node, sight.cluster), errand.purpose) {
        (Ok(row), _) => row,
        // Its Node is gone when its machine is replaced.
        (Err(_), Purpose::Replace) => return Ok(()),
        (Err(reason), _) => return Err(reason),
    };
    let readiness = row.readiness();
    let speaks = || Err(format!("{} is {}: its kubelet talks", errand.node, readiness.word()));
    match errand.purpose {
        Purpose::SwitchOff | Purpose::Reset => {
            // Whoever agreed to fence a machine that speaks has typed its name; elsewhere it has to be silent.
            let is_meant = readiness == Readiness::Silent
                || (readiness == Readiness::NotReady && matches!(action, Action::Fence));
            if !is_meant {
                return speaks();
            }
            match evidence::bystanders(&errand.node, None, sight).into_iter().next() {
                Some(objection) => Err(format!("{}; {}", objection.reason, objection.remedy)),
                None => Ok(()),
            }
        }
        Purpose::RestartKubelet | Purpose::Replace if readiness == Readiness::Ready => speaks(),
        Purpose::RestartKubelet | Purpose::Replace | Purpose::CheckPower | Purpose::Probe => Ok(()),
    }
}

/// Whether a run waits for the node of a command to speak.
pub const fn awaited(step: &Step) -> Option<&ObjectRef> {
    match step {
        Step::Milestone(Milestone::Speaks { node }) => Some(node),
        Step::Call(_)
        | Step::Wait(_)
        | Step::Rollout(_)
        | Step::Attest { .. }
        | Step::Errand(_)
        | Step::Danger(_)
        | Step::Milestone(
            Milestone::Released { .. }
            | Milestone::Detached { .. }
            | Milestone::Replaced { .. }
            | Milestone::Clean { .. }
            | Milestone::Booted { .. }
            | Milestone::Silent { .. }
            | Milestone::Joined { .. },
        )
        | Step::Retract(_) => None,
    }
}

#[cfg(test)]
mod tests;
