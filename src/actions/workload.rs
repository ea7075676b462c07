//! The small actions on workloads: restart, pause, resume, scale, set image. Each is one edit, and where pods are made
//! anew for it, their rollout.

use super::call::Guard;
use super::edit::{self, Change, Edit, same_workload};
use super::extent;
use super::rollback::{ROLLBACK, gone, there};
use super::rollout::Rollout;
use super::{Action, Author, Call, Check, Danger, Draft, Plan, Right, Sight, Spec, Step, Verdict};
use super::{image, undo};
use crate::cluster::{Cluster, Kind, ObjectRef, Text, Workload};

const EVERY: &[Kind] = &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];
const PATCH_EVERY: &[Right] = &[
    edit::patch_right(Kind::Deployment),
    edit::patch_right(Kind::StatefulSet),
    edit::patch_right(Kind::DaemonSet),
];
const PATCH_DEPLOYMENTS: &[Right] = &[edit::patch_right(Kind::Deployment)];
const PATCH_SCALED: &[Right] = &[edit::patch_right(Kind::Deployment), edit::patch_right(Kind::StatefulSet)];

const fn spec(
    (id, title, doc): (&'static str, &'static str, &'static str),
    kinds: &'static [Kind],
    rights: &'static [Right],
) -> Spec {
    let danger = Danger::Reversible;
    Spec { id, title, doc, kinds, danger, rights, relies_on: ROLLBACK.relies_on, looks_at: &[] }
}

pub const RESTART: Spec = spec(
    ("restart", "Restart", "Make every pod of a workload anew, by its own strategy, and watch the rollout."),
    EVERY,
    PATCH_EVERY,
);
pub const PAUSE: Spec = spec(
    ("pause", "Pause", "Let changes of a deployment wait: nothing rolls out before it is resumed."),
    &[Kind::Deployment],
    PATCH_DEPLOYMENTS,
);
pub const RESUME: Spec = spec(
    ("resume", "Resume", "Let a paused deployment roll out what has changed, and watch the rollout."),
    &[Kind::Deployment],
    PATCH_DEPLOYMENTS,
);
pub const SCALE: Spec = Spec {
    looks_at: &[Kind::Node],
    ..spec(
        ("scale", "Scale", "Have another number of pods of a deployment or stateful set."),
        &[Kind::Deployment, Kind::StatefulSet],
        PATCH_SCALED,
    )
};
pub const SET_IMAGE: Spec = spec(
    ("set-image", "Set image", "Give a container of a workload another image, and watch the rollout."),
    EVERY,
    PATCH_EVERY,
);

/// What an action changes of one workload, or why it cannot.
fn change(action: &Action, workload: Workload<'_>, author: &Author) -> Result<Change, String> {
    Ok(match action {
        Action::Restart => Change::Restart { at: author.at },
        Action::Pause => Change::Pause,
        Action::Resume => Change::Resume,
        Action::Scale { back, .. } | Action::SetImage { back, .. } if !back.is_empty() => {
            let replaced = undo::of(back, workload);
            let replaced = replaced.ok_or_else(|| "that run did nothing to it".to_owned())?;
            replaced.change_back(workload)?
        }
        Action::Scale { replicas: Some(replicas), .. } => {
            Change::Scale { replicas: *replicas, was: workload.counts().desired }
        }
        Action::Scale { replicas: None, .. } => {
            return Err("nobody said how many: `sickbay run scale` takes --replicas N".to_owned());
        }
        Action::SetImage { image, .. } => {
            let (container, image) = image.split_once('=').ok_or_else(|| {
                "nobody said which: `sickbay run set-image` takes --image CONTAINER=IMAGE".to_owned()
            })?;
            let known = workload.images().iter().find(|known| known.container == *container);
            let Some(known) = known else {
                let names: Vec<&str> =
                    workload.images().iter().map(|known| known.container.as_str()).collect();
                return Err(format!("there is no container {container:?}: there are {}", names.join(", ")));
            };
            Change::SetImage {
                container: known.container.clone(),
                image: image.into(),
                was: known.image.clone(),
                is_init: known.is_init,
            }
        }
        Action::Cordon
        | Action::Uncordon { .. }
        | Action::Drain { .. }
        | Action::Rollback { .. }
        | Action::RestartKubelet
        | Action::Fence
        | Action::ReturnToService
        | Action::ReplacePods
        | Action::ForceDetach
        | Action::Retire
        | Action::ReleasePod
        | Action::DetachVolume
        | Action::DeleteAttachment
        | Action::DeleteNode
        | Action::RemoveFinalizer { .. } => {
            return Err("this is no edit of a workload".to_owned());
        }
    })
}

fn edit(object: &ObjectRef, action: &Action, (cluster, author): (&Cluster, &Author)) -> Result<Edit, String> {
    let workload = same_workload(object, cluster)?;
    Edit::of(object, change(action, workload, author)?, cluster)
}

/// One edit for each target, all at once; then the rollouts.
pub fn plan(draft: &Draft, cluster: &Cluster, author: &Author) -> Plan {
    let mut calls = Vec::new();
    let mut rollouts = Vec::new();
    for object in &draft.targets {
        let Ok(edit) = edit(object, &draft.action, (cluster, author)) else { continue };
        let after = edit.generation;
        if let Guard::Send(call) = edit.guard(cluster) {
            calls.push(Step::Call(call));
            rollouts.push(Step::Rollout(Rollout { object: object.clone(), after, goal: None }));
        }
    }
    let takes_down = |step: &Step| {
        let edit = step.call().and_then(Call::edit);
        edit.is_some_and(|edit| matches!(edit.change, Change::Scale { replicas: 0, .. }))
    };
    // It can be had back, and what it serves cannot answer until then.
    let danger = if calls.iter().any(takes_down) { Danger::Destructive } else { Danger::Reversible };
    let mut plan = Plan::of(calls, danger);
    if !matches!(draft.action, Action::Pause) && !rollouts.is_empty() {
        plan.then(rollouts);
    }
    plan
}

pub fn checks(draft: &Draft, sight: &Sight<'_>) -> Vec<Check> {
    let nobody = Author {
        who: Text::default(),
        run: super::RunId::default(),
        at: sight.now,
        kit: std::sync::Arc::default(),
        fenced: Vec::new(),
    };
    let mut checks = Vec::new();
    for object in &draft.targets {
        let workload = match same_workload(object, sight.cluster) {
            Ok(workload) => workload,
            Err(reason) => {
                checks.push(gone(object, reason));
                continue;
            }
        };
        checks.push(there(object, workload).about(object));
        let is_paused = matches!(workload, Workload::Deployment(row) if row.is_paused);
        match edit(object, &draft.action, (sight.cluster, &nobody)) {
            Err(reason) => checks.push(Check::new(Verdict::Block, reason).about(object)),
            Ok(edit) => {
                checks.extend(of_change(&edit).map(|check| check.about(object)));
                match edit.guard(sight.cluster) {
                    Guard::Needless { reason } => {
                        checks.push(Check::new(Verdict::Skip, reason).about(object));
                    }
                    Guard::Stop { reason } => checks.push(Check::new(Verdict::Block, reason).about(object)),
                    Guard::Send(_) | Guard::UnderWay { .. } | Guard::Hold { .. } => {}
                }
            }
        }
        if is_paused && matches!(draft.action, Action::Restart) {
            let reason = format!("{object} is paused: nothing would come of it");
            checks.push(Check::new(Verdict::Block, reason).remedy("resume it first").about(object));
        } else if is_paused && matches!(draft.action, Action::SetImage { .. }) {
            let reason = format!("{object} is paused: it rolls out when it is resumed");
            checks.push(Check::new(Verdict::Warn, reason).about(object));
        }
        checks.extend(extent::of_nodes(draft, object, sight).map(|check| check.about(object)));
    }
    checks
}

/// What a change itself gives to think of.
fn of_change(edit: &Edit) -> Option<Check> {
    let object = &edit.object;
    match &edit.change {
        Change::Scale { replicas: 0, was: 1.. } => {
            let reason = format!("nothing of {object} is left to answer");
            Some(Check::new(Verdict::Warn, reason))
        }
        // One digit too many is a slip of a finger.
        Change::Scale { replicas, was: was @ 1.. } if *replicas >= was.saturating_mul(10) => {
            let reason = format!("{replicas} pods are {} times as many as now ({was})", replicas / was);
            Some(Check::new(Verdict::Warn, reason))
        }
        Change::SetImage { image, .. } => {
            let fault = image::fault(image)?;
            Some(Check::new(Verdict::Block, format!("{image:?} is no name of an image: {fault}")))
        }
        Change::Scale { .. }
        | Change::Revision(_)
        | Change::Restart { .. }
        | Change::Pause
        | Change::Resume => None,
    }
}
