//! What takes back what a run did: only what it did itself, and only what can honestly be had back.
//!
//! What was there before an edit is written down with it. Whether somebody has changed it since is not known here: that
//! is checked against the cluster when the way back is planned.

use super::{Action, Call, CallKind, Draft, RunId, Step, rollback};
use crate::actions::edit::Change;
use crate::cluster::{ObjectRef, Text, Workload};
use serde::{Deserialize, Serialize};

/// What an edit has set, and what was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Replaced {
    Replicas { set: u32, was: u32 },
    Image { container: Text, set: Text, was: Text },
}

/// The same, and of which workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    pub uid: Text,
    #[serde(flatten)]
    pub replaced: Replaced,
}

/// A step that a run has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Nothing for a step that changed nothing.
    pub call: Option<CallKind>,
    pub object: ObjectRef,
    pub replaced: Option<Replaced>,
}

impl Replaced {
    pub fn by(call: &Call) -> Option<Self> {
        let Call::Edit(edit) = call else { return None };
        match &edit.change {
            Change::Scale { replicas, was } => Some(Self::Replicas { set: *replicas, was: *was }),
            Change::SetImage { container, image, was, .. } => {
                Some(Self::Image { container: container.clone(), set: image.clone(), was: was.clone() })
            }
            Change::Revision(_) | Change::Restart { .. } | Change::Pause | Change::Resume => None,
        }
    }

    /// What sets on a workload what was before; or why that would undo somebody else's change.
    pub fn change_back(&self, workload: Workload<'_>) -> Result<Change, String> {
        let object = || workload.object();
        match self {
            Self::Replicas { set, was } => {
                let now = workload.counts().desired;
                if now != *set && now != *was {
                    return Err(format!(
                        "somebody has scaled {} since: it wants {now} pods, and that run had set {set}",
                        object()
                    ));
                }
                Ok(Change::Scale { replicas: *was, was: now })
            }
            Self::Image { container, set, was } => {
                let known = workload.images().iter().find(|known| known.container == *container);
                let known =
                    known.ok_or_else(|| format!("{} has no container {container} any more", object()))?;
                if known.image != *set && known.image != *was {
                    return Err(format!(
                        "somebody has changed the image of {container} of {} since: it is {}",
                        object(),
                        known.image
                    ));
                }
                let (container, was_now, is_init) = (container.clone(), known.image.clone(), known.is_init);
                Ok(Change::SetImage { container, image: was.clone(), was: was_now, is_init })
            }
        }
    }
}

impl Done {
    pub fn of(step: &Step) -> Self {
        Self {
            call: step.call().map(Call::kind),
            object: step.object().clone(),
            replaced: step.call().and_then(Replaced::by),
        }
    }
}

/// What of these is of a workload.
pub fn of<'a>(back: &'a [Back], workload: Workload<'_>) -> Option<&'a Replaced> {
    back.iter().find(|back| back.uid == workload.meta().uid).map(|back| &back.replaced)
}

/// What takes back that a run did this; nothing where what was before cannot be had back.
pub fn undo(run: &RunId, action: &Action, done: impl Iterator<Item = Done>) -> Option<Draft> {
    let edits = |done: &Done| done.call == Some(CallKind::Edit);
    let (action, targets) = match action {
        Action::Cordon => (uncordon(run), done.map(|done| done.object).collect()),
        // The pods are gone for good; the node is as it was when it is uncordoned.
        Action::Drain { .. } => {
            let cordoned = done.filter(|done| done.call == Some(CallKind::Cordon));
            (uncordon(run), cordoned.map(|done| done.object).collect())
        }
        Action::Rollback { goal } => {
            let edited = done.filter(edits).take(1).map(|done| done.object).collect();
            (Action::Rollback { goal: rollback::way_back(goal)? }, edited)
        }
        Action::Pause => (Action::Resume, done.filter(edits).map(|done| done.object).collect()),
        Action::Resume => (Action::Pause, done.filter(edits).map(|done| done.object).collect()),
        Action::Scale { .. } => {
            let (back, targets) = replaced(done);
            (Action::Scale { replicas: None, back }, targets)
        }
        Action::SetImage { .. } => {
            let (back, targets) = replaced(done);
            (Action::SetImage { image: Text::default(), back }, targets)
        }
        // Who had cordoned it, and why, was taken off with it; and of what is done about a dead machine nothing can be
        // taken back: return to service is an action of its own.
        Action::Uncordon { .. }
        | Action::Restart
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
        | Action::RemoveFinalizer { .. } => return None,
    };
    let targets: Vec<ObjectRef> = targets;
    let why = format!("takes back {run}").into();
    (!targets.is_empty()).then(|| Draft { action, targets, why, powered_off: Vec::new() })
}

/// Why nothing of it can be taken back.
pub const fn why_not(action: &Action) -> &'static str {
    match action {
        Action::Restart => {
            "a restart is not taken back: its pods were made anew of the same template, and nothing else changed"
        }
        Action::Uncordon { .. } => {
            "an uncordon is not taken back: who had cordoned the node was taken off it; cordon it anew"
        }
        Action::Cordon
        | Action::Drain { .. }
        | Action::Rollback { .. }
        | Action::Pause
        | Action::Resume
        | Action::Scale { .. }
        | Action::SetImage { .. }
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
        | Action::RemoveFinalizer { .. } => "this run did nothing that can honestly be taken back",
    }
}

fn uncordon(run: &RunId) -> Action {
    Action::Uncordon { of: Some(run.clone()) }
}

fn replaced(done: impl Iterator<Item = Done>) -> (Vec<Back>, Vec<ObjectRef>) {
    let known = done.filter_map(|Done { object, replaced, .. }| {
        Some((Back { uid: object.uid.clone(), replaced: replaced? }, object))
    });
    known.unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::audit::{Ended, Entry, Place, Started};
    use crate::actions::history::runs;
    use crate::actions::{Answers, Author, Danger, Order, Plan, Preflight, Run, Sight, Verdict};
    use crate::cluster::sample::{at, live, meta};
    use crate::cluster::{Change as Told, Cluster, Delta, Deployment, Feed, Image, Kind, Row as _};

    fn web(generation: i64, edit: impl FnOnce(&mut Deployment)) -> Deployment {
        let mut row = Deployment {
            meta: meta("shop/web"),
            replicas: 3,
            images: [
                Image { container: "wait".into(), image: "shop/wait:1".into(), is_init: true },
                Image { container: "web".into(), image: "shop/web:1".into(), is_init: false },
            ]
            .into(),
            generation,
            observed_generation: generation,
            current: 3,
            updated: 3,
            ready: 3,
            available: 3,
            ..Deployment::default()
        };
        edit(&mut row);
        row
    }

    fn cluster(web: &Deployment) -> Cluster {
        let mut cluster = Cluster::default();
        for kind in [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Pod] {
            cluster.apply_all([live(Feed::Watch(kind))], at(0));
        }
        show(&mut cluster, web);
        cluster
    }

    fn show(cluster: &mut Cluster, web: &Deployment) {
        cluster.apply(Told::Deployment(Delta::Apply(Box::new(web.clone()))), at(0));
    }

    fn author() -> Author {
        Author {
            who: "alice@bastion".into(),
            run: RunId::new("k3f9-1"),
            at: at(0),
            kit: std::sync::Arc::default(),
            fenced: Vec::new(),
        }
    }

    fn sight(cluster: &Cluster) -> Sight<'_> {
        Sight { cluster, now: at(0), outage: None, is_read_only: false }
    }

    fn draft(action: Action, web: &Deployment) -> Draft {
        Draft { action, targets: vec![web.object()], why: Text::default(), powered_off: Vec::new() }
    }

    fn against(draft: &Draft, cluster: &Cluster) -> Vec<String> {
        let plan = draft.plan(cluster, &author());
        let preflight = Preflight::of(draft, &plan, &Answers::default(), &sight(cluster));
        preflight.of_verdict(Verdict::Block).map(|check| check.reason.clone()).collect()
    }

    /// The draft that takes an action back, which brought the deployment to this: as the run has it, and as the journal.
    fn taken_back(action: Action, before: &Deployment, after: &Deployment) -> Option<Draft> {
        let mut cluster = cluster(before);
        let draft = draft(action, before);
        let plan = draft.plan(&cluster, &author());
        let started = Started::new(&draft, &plan, "alice@bastion".into(), Place::default());
        let (mut run, first) = Run::begin(author().run, draft, plan, (started, at(0)));
        run.written(Ok(()), at(0));
        let sent = run.advance(&sight(&cluster));
        assert!(matches!(sent[..], [Order::Send { step: 0, .. }]), "{sent:?}");
        run.answered(0, Ok(()), at(1));
        show(&mut cluster, after);
        let mut records = vec![first];
        records.extend(run.advance(&sight(&cluster)).into_iter().filter_map(|order| match order {
            Order::Write(record) => Some(record),
            Order::Send { .. } | Order::Ask(_) | Order::Run { .. } => None,
        }));
        assert!(matches!(&records[..], [.., last] if matches!(last.entry, Entry::Ended(Ended { .. }))));
        let written: Vec<String> =
            records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let records: Vec<_> = written.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let undone = run.undo();
        assert_eq!(runs(&records, |_| false)[0].undo(), undone, "the journal tells the same");
        undone
    }

    fn only_change(plan: &Plan) -> &Change {
        let Some(Step::Call(Call::Edit(edit))) = plan.steps.first() else { panic!("{plan:?}") };
        &edit.change
    }

    fn scale(replicas: u32) -> Action {
        Action::Scale { replicas: Some(replicas), back: Vec::new() }
    }

    #[test]
    fn a_scale_goes_back_to_what_it_was_unless_somebody_scaled_it_since() {
        let (before, after) = (web(1, |_| {}), web(2, |web| web.replicas = 0));
        let back = taken_back(scale(0), &before, &after).unwrap();
        assert_eq!(back.why, "takes back k3f9-1");
        let plan = back.plan(&cluster(&after), &author());
        assert_eq!(*only_change(&plan), Change::Scale { replicas: 3, was: 0 });
        assert_eq!(plan.danger, Danger::Reversible);
        let other = cluster(&web(3, |web| web.replicas = 7));
        assert_eq!(
            against(&back, &other),
            ["somebody has scaled deployment shop/web since: it wants 7 pods, and that run had set 0"]
        );
        assert!(back.plan(&cluster(&before), &author()).steps.is_empty(), "it is so already");
        // Back to nothing is as dangerous as there.
        let back = taken_back(scale(3), &after, &web(3, |_| {})).unwrap();
        assert_eq!(back.plan(&cluster(&before), &author()).danger, Danger::Destructive);
    }

    #[test]
    fn an_image_goes_back_to_what_it_was_unless_somebody_changed_it_since() {
        let to = |tag: &str| {
            let image =
                Image { container: "wait".into(), image: format!("shop/wait:{tag}").into(), is_init: true };
            web(2, |web| web.images[0] = image)
        };
        let action = Action::SetImage { image: "wait=shop/wait:2".into(), back: Vec::new() };
        let back = taken_back(action, &web(1, |_| {}), &to("2")).unwrap();
        let plan = back.plan(&cluster(&to("2")), &author());
        let (container, image, was) = ("wait".into(), "shop/wait:1".into(), "shop/wait:2".into());
        assert_eq!(*only_change(&plan), Change::SetImage { container, image, was, is_init: true });
        assert_eq!(
            against(&back, &cluster(&to("3"))),
            ["somebody has changed the image of wait of deployment shop/web since: it is shop/wait:3"]
        );
    }

    #[test]
    fn a_pause_and_a_resume_take_each_other_back() {
        let (on, off) = (web(1, |_| {}), web(2, |web| web.is_paused = true));
        assert_eq!(taken_back(Action::Pause, &on, &off).unwrap().action, Action::Resume);
        let on = web(3, |_| {});
        assert_eq!(taken_back(Action::Resume, &off, &on).unwrap().action, Action::Pause);
    }

    #[test]
    fn a_restart_is_not_taken_back_and_says_why() {
        assert_eq!(taken_back(Action::Restart, &web(1, |_| {}), &web(2, |_| {})), None);
        assert!(why_not(&Action::Restart).contains("not taken back"));
    }

    #[test]
    fn what_a_slip_of_a_finger_makes_is_told_before_it_is_done() {
        let before = web(1, |_| {});
        let cluster = cluster(&before);
        let plan = |action| draft(action, &before).plan(&cluster, &author());
        assert_eq!(plan(scale(0)).danger, Danger::Destructive, "its name is typed");
        assert_eq!(plan(scale(1)).danger, Danger::Reversible);
        let thirty = draft(scale(30), &before);
        let preflight = Preflight::of(&thirty, &plan(scale(30)), &Answers::default(), &sight(&cluster));
        let warned: Vec<&str> =
            preflight.of_verdict(Verdict::Warn).map(|check| check.reason.as_str()).collect();
        assert_eq!(warned, ["30 pods are 10 times as many as now (3)"]);
        let image = Action::SetImage { image: "web=shop/Web:1".into(), back: Vec::new() };
        assert_eq!(
            against(&draft(image, &before), &cluster),
            ["\"shop/Web:1\" is no name of an image: \"Web\" must be lower case"]
        );
    }
}
