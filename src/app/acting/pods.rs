//! What happens to the pods of a drain: before it, how many of them do what; and while it runs, where each stands.
//!
//! It decides nothing: `actions::drain` did, and the run says how far each is.

use crate::actions::call::Call;
use crate::actions::drain::{Choice, Options, Replacement, choices, replacements};
use crate::actions::run::Until;
use crate::actions::{Progress, Run, Step};
use crate::app::time::short;
use crate::cluster::{Cluster, Name, ObjectRef};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;

// -- before ---------------------------------------------------------------------------------------------------

/// How many pods of these nodes go, stay and stand in the way, in one line.
pub fn outlook(options: &Options, nodes: &[ObjectRef], (cluster, now): (&Cluster, Timestamp)) -> String {
    let all: Vec<Choice> = nodes
        .iter()
        .flat_map(|node| choices(options, node, (cluster, now)))
        .map(|chosen| chosen.choice)
        .collect();
    let many = |is_meant: fn(Choice) -> bool| all.iter().filter(|choice| is_meant(**choice)).count();
    let parts = [
        (many(|choice| choice == Choice::Block), "in the way"),
        (many(Choice::goes), "to go"),
        (many(|choice| choice == Choice::Skip), "to stay"),
    ];
    let parts = parts.into_iter().filter(|(many, _)| *many > 0);
    let parts: Vec<String> = parts.map(|(many, what)| format!("{many} {what}")).collect();
    match all.len() {
        0 => "no pods".to_owned(),
        1 => format!("1 pod: {}", parts.join(", ")),
        many => format!("{many} pods: {}", parts.join(", ")),
    }
}

// -- while ----------------------------------------------------------------------------------------------------

/// Where a step stands, as an operator cares: what needs a hand comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Failed,
    /// For a budget, a node, a server that is busy.
    Waiting,
    /// Told to go, and not gone yet.
    Going,
    Pending,
    Skipped,
    Done,
}

/// What a step waits for, where that is a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is tried again then.
    Again(Timestamp),
    /// It is killed then.
    Killed(Timestamp),
    /// It was over then.
    Over(Timestamp),
}

/// A line of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub stage: Stage,
    /// Its place in the plan, which never changes.
    pub at: usize,
    pub step: &'a Step,
    pub when: Option<When>,
    pub why: &'a str,
    /// The budget that holds it, as far as the server named it.
    pub budget: Option<&'a Name>,
}

impl Stage {
    fn of(progress: &Progress) -> Self {
        match progress {
            Progress::Pending => Self::Pending,
            Progress::InFlight { .. }
            | Progress::Waiting { until: Until::Shown | Until::Gone { .. }, .. } => Self::Going,
            Progress::Waiting {
                until: Until::Changed | Until::Again(_) | Until::Budget { .. } | Until::Node | Until::Seen,
                ..
            } => Self::Waiting,
            Progress::Done { .. } => Self::Done,
            Progress::Skipped { reason } if reason.is_fine() => Self::Done,
            Progress::Skipped { .. } => Self::Skipped,
            Progress::Failed { .. } => Self::Failed,
        }
    }
}

impl When {
    fn of(progress: &Progress) -> Option<Self> {
        match progress {
            Progress::Waiting { until: Until::Gone { deadline, .. }, .. } => Some(Self::Killed(*deadline)),
            Progress::Done { at, .. } => Some(Self::Over(*at)),
            Progress::Pending
            | Progress::InFlight { .. }
            | Progress::Waiting { .. }
            | Progress::Skipped { .. }
            | Progress::Failed { .. } => progress.next_try().map(Self::Again),
        }
    }

    /// In few cells. What is over is told by how long it took: a line that changes no more costs nothing.
    pub fn told(self, run: &Run, now: Timestamp) -> String {
        let left = |at: Timestamp| at.duration_since(now);
        match self {
            Self::Again(_) if run.is_paused => "paused".to_owned(),
            Self::Again(at) if left(at).is_positive() => format!("try in {}", short(left(at))),
            Self::Again(_) => "next".to_owned(),
            Self::Killed(at) if left(at).is_positive() => format!("kill in {}", short(left(at))),
            Self::Killed(at) => format!("{} over", short(-left(at))),
            Self::Over(at) => format!("after {}", short(at.duration_since(run.began))),
        }
    }
}

impl Line<'_> {
    /// The pod, or what the step does where it is for none.
    pub fn name(&self) -> String {
        match self.step.call().and_then(Call::removal) {
            Some(removal) => removal.pod.name.to_string(),
            None => self.step.sentence(),
        }
    }

    pub fn pod(&self) -> Option<&ObjectRef> {
        self.step.call().and_then(Call::removal).map(|removal| &removal.pod)
    }

    /// Why it stands so, in few cells.
    pub fn brief(&self) -> Cow<'_, str> {
        match self.budget {
            Some(budget) => format!("budget {}", budget.name).into(),
            None => self.why.into(),
        }
    }

    /// What it is called by its stage.
    pub fn word(&self) -> &'static str {
        let is_pod = self.pod().is_some();
        match self.stage {
            Stage::Failed => "failed",
            Stage::Waiting => "waiting",
            Stage::Going if is_pod => "evicting",
            Stage::Going => "asked",
            Stage::Pending => "pending",
            Stage::Skipped => "skipped",
            Stage::Done if is_pod => "gone",
            Stage::Done => "done",
        }
    }
}

const fn budget(progress: &Progress) -> Option<&Name> {
    match progress {
        Progress::Waiting { until: Until::Budget { budget, .. }, .. } => budget.as_ref(),
        Progress::Waiting { .. }
        | Progress::Pending
        | Progress::InFlight { .. }
        | Progress::Done { .. }
        | Progress::Skipped { .. }
        | Progress::Failed { .. } => None,
    }
}

/// A run's steps, what needs a hand first, and within that in the plan's order.
pub fn lines(run: &Run) -> Vec<Line<'_>> {
    let line = |(at, (step, progress))| Line {
        stage: Stage::of(progress),
        at,
        step,
        when: When::of(progress),
        why: progress.reason().unwrap_or_default(),
        budget: budget(progress),
    };
    let mut lines: Vec<Line<'_>> = run.steps().enumerate().map(line).collect();
    // A change and its rollout are read as they happen.
    if !has_rollout(run) {
        lines.sort_by_key(|line| line.stage);
    }
    lines
}

/// Whether a rollout is a part of it, to be watched.
pub fn has_rollout(run: &Run) -> bool {
    run.plan.steps.iter().any(|step| matches!(step, Step::Rollout(_)))
}

/// The workload whose rollout is shown: of the line that somebody chose, or of the first that is not over.
pub fn rollout_shown(run: &Run, chosen: Option<usize>) -> Option<&ObjectRef> {
    let rollouts = || run.steps().filter(|(step, _)| matches!(step, Step::Rollout(_)));
    let chosen = chosen.and_then(|at| run.plan.steps.get(at)).map(Step::object);
    let of_chosen = chosen.and_then(|object| rollouts().find(|(step, _)| step.object() == object));
    let first = || rollouts().find(|(_, progress)| !progress.is_over()).or_else(|| rollouts().last());
    of_chosen.or_else(first).map(|(step, _)| step.object())
}

/// How many pods have gone, and how many are to go; of a run that is about no pods, how many steps.
pub fn counts(run: &Run) -> (usize, usize) {
    let pods = run.steps().filter(|(step, _)| step.call().and_then(Call::removal).is_some());
    let pods: Vec<bool> = pods.map(|(_, progress)| progress.is_fine()).collect();
    let summary = run.summary();
    match pods.len() {
        0 => (summary.done, summary.done + summary.not_done),
        many => (pods.into_iter().filter(|is_gone| *is_gone).count(), many),
    }
}

/// How far a run is, in one line: `12 of 30 gone, 2 wait for budget shop/web, 5 going, longest 48s`.
pub fn sum(run: &Run, now: Timestamp) -> String {
    let pods: Vec<&Progress> = run
        .steps()
        .filter(|(step, _)| step.call().and_then(Call::removal).is_some())
        .map(|(_, progress)| progress)
        .collect();
    if pods.is_empty() {
        let (done, all) = counts(run);
        return format!("{done} of {all} done");
    }
    let count = |stage: Stage| pods.iter().filter(|progress| Stage::of(progress) == stage).count();
    let mut parts = vec![format!("{} of {} gone", count(Stage::Done), pods.len())];
    let mut tell = |many: usize, words: &str| {
        if many > 0 {
            parts.push(format!("{many} {words}"));
        }
    };
    tell(count(Stage::Failed), "failed");
    let held = held(&pods);
    let by_budgets: usize = held.values().sum();
    match held.iter().max_by_key(|(_, many)| **many) {
        Some((Some(budget), many)) if *many == by_budgets => tell(*many, &format!("held by budget {budget}")),
        Some(_) => tell(by_budgets, &format!("held by {} budgets", held.len())),
        None => {}
    }
    tell(count(Stage::Waiting).saturating_sub(by_budgets), "waiting");
    tell(count(Stage::Skipped), "stay");
    let longest = pods.iter().filter_map(|progress| match When::of(progress) {
        Some(When::Killed(at)) => Some(at.duration_since(now)),
        Some(When::Again(_) | When::Over(_)) | None => None,
    });
    match longest.max() {
        Some(left) if left.is_positive() => {
            tell(count(Stage::Going), &format!("going, longest {}", short(left)));
        }
        Some(left) => tell(count(Stage::Going), &format!("going, {} overdue", short(-left))),
        None => tell(count(Stage::Going), "going"),
    }
    parts.join(", ")
}

/// Pods that wait for a budget, by the budget as far as the server named it.
fn held<'a>(pods: &[&'a Progress]) -> BTreeMap<Option<&'a Name>, usize> {
    let mut held = BTreeMap::new();
    for progress in pods {
        if let Progress::Waiting { until: Until::Budget { budget, .. }, .. } = progress {
            *held.entry(budget.as_ref()).or_default() += 1;
        }
    }
    held
}

/// What comes up elsewhere, in one line; nothing where nothing was moved.
pub fn elsewhere(run: &Run, cluster: &Cluster) -> Option<String> {
    // Objects are dated in whole seconds: one made a moment after the run began would seem to be from before it.
    let since = Timestamp::from_second(run.began.as_second()).unwrap_or(run.began);
    let new: Vec<Replacement> = replacements(&run.plan, since, cluster);
    let (ready, open): (Vec<&Replacement>, Vec<&Replacement>) = new.iter().partition(|new| new.is_ready);
    let first = open.first().map(|one| {
        let place = one
            .node
            .non_empty()
            .map_or_else(|| "on no node yet".to_owned(), |node: &str| format!("on {node}"));
        format!("; {} {place}", one.pod.name)
    });
    (!new.is_empty()).then(|| {
        format!("coming up elsewhere: {} of {} ready{}", ready.len(), new.len(), first.unwrap_or_default())
    })
}
