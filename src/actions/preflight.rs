//! The check of an action before anybody agrees to it: pure over the cluster, the answers of the probes and the time.

use super::plan::MOST_TRIED;
use super::{Answer, Answers, Call, CallError, Draft, Plan, Probe, Sight};
use super::{extent, rollback};
use crate::cluster::{ObjectRef, Pod};

/// How a check ended, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ok,
    /// Nothing will be done here.
    Skip,
    Warn,
    /// The action cannot be started.
    Block,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Block, Self::Warn, Self::Skip, Self::Ok];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// One check, why it ended so, and for a block what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub verdict: Verdict,
    pub about: Option<ObjectRef>,
    pub reason: String,
    pub remedy: Option<String>,
    /// It is still being looked at, and so neither good nor bad.
    pub is_open: bool,
}

impl Check {
    pub fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { verdict, about: None, reason: reason.into(), remedy: None, is_open: false }
    }

    /// One that has not come to its end, and keeps nobody from agreeing: it is made to its end before anything is sent.
    pub fn open(reason: impl Into<String>) -> Self {
        Self { is_open: true, ..Self::new(Verdict::Ok, reason) }
    }

    pub const fn word(&self) -> &'static str {
        if self.is_open { "look" } else { self.verdict.word() }
    }

    /// Worst first, and what may still become bad before what is only to be thought of.
    const fn rank(&self) -> (u8, bool) {
        let rank = match self.verdict {
            Verdict::Block => 0,
            Verdict::Warn => 2,
            Verdict::Skip => 3,
            Verdict::Ok => 4,
        };
        if self.is_open { (1, true) } else { (rank, false) }
    }

    pub fn about(self, object: &ObjectRef) -> Self {
        Self { about: Some(object.clone()), ..self }
    }

    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// All checks, worst first, and how many answers are still awaited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    pub checks: Vec<Check>,
    pub open: usize,
}

impl Preflight {
    pub fn of(draft: &Draft, plan: &Plan, answers: &Answers, sight: &Sight<'_>) -> Self {
        let mut checks = draft.checks(sight);
        checks.extend(super::evidence::checks(plan, answers, sight));
        checks.extend(super::machine::checks((draft, plan), answers, sight));
        checks.extend(read_only(sight));
        checks.extend(fresh(draft, sight));
        checks.extend(answers.iter().flat_map(|(probe, answer)| {
            answer.map_or_else(Vec::new, |answer| judged(draft, (probe, answer), sight))
        }));
        let tried = plan.calls().filter(|call| call.is_tried()).count();
        if tried > MOST_TRIED {
            let reason =
                format!("the server was asked to try the first {MOST_TRIED} steps, and not all {tried}");
            checks.push(Check::new(Verdict::Ok, reason));
        }
        checks.sort_by_key(Check::rank);
        Self { checks, open: answers.open() + draft.unread() }
    }

    pub fn worst(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok)
    }

    pub fn is_blocked(&self) -> bool {
        self.worst() == Verdict::Block
    }

    /// Whether all answers are there.
    pub const fn is_settled(&self) -> bool {
        self.open == 0
    }

    pub fn of_verdict(&self, verdict: Verdict) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.verdict == verdict)
    }
}

fn read_only(sight: &Sight<'_>) -> Option<Check> {
    sight.is_read_only.then(|| {
        Check::new(Verdict::Block, "this session is read-only")
            .remedy("start without --read-only, and without read-only in config.yaml")
    })
}

fn fresh(draft: &Draft, sight: &Sight<'_>) -> Option<Check> {
    let reason = sight.staleness(draft.action.kind().spec().relies_on)?;
    Some(
        Check::new(Verdict::Block, format!("what is known may be old: {reason}"))
            .remedy("wait until the picture is live"),
    )
}

/// What the answer to a probe means; nothing where it goes without saying.
fn judged(draft: &Draft, (probe, answer): (&Probe, &Answer), sight: &Sight<'_>) -> Vec<Check> {
    let check = match probe {
        Probe::May(access) => Some(match answer {
            Answer::Yes => Check::new(Verdict::Ok, format!("you may {access}")),
            Answer::No { reason } => {
                let because = reason.non_empty().map_or_else(String::new, |reason| format!(": {reason}"));
                Check::new(Verdict::Block, format!("you may not {access}{because}"))
                    .remedy(format!("ask for the right to {}", access.right))
            }
            // Who may not even ask finds out by trying.
            Answer::Failed(CallError::Forbidden { reason, .. }) => {
                Check::new(Verdict::Warn, format!("it is not known whether you may {access}: {reason}"))
            }
            Answer::Failed(error) => Check::new(
                Verdict::Block,
                format!("it could not be asked whether you may {access}: {}", error.reason()),
            )
            .remedy("ask again when the API server answers"),
            // To another question.
            Answer::Autoscalers(_)
            | Answer::Quotas(_)
            | Answer::Pods(_)
            | Answer::Written { .. }
            | Answer::Lease(_)
            | Answer::Node(_)
            | Answer::Speech(_)
            | Answer::Leader(_)
            | Answer::Others(_)
            | Answer::Ran(_) => return Vec::new(),
        }),
        Probe::DryRun(call) => match answer {
            Answer::Yes
            | Answer::Pods(_)
            | Answer::Written { .. }
            | Answer::Autoscalers(_)
            | Answer::Quotas(_)
            | Answer::Lease(_)
            | Answer::Node(_)
            | Answer::Speech(_)
            | Answer::Leader(_)
            | Answer::Others(_)
            | Answer::Ran(_) => Some(tried(call, Verdict::Ok, "the server would do it")),
            Answer::No { reason } => Some(tried(call, Verdict::Block, reason).remedy(REFUSED)),
            // Said already by the question for the right.
            Answer::Failed(CallError::Forbidden { .. }) => None,
            Answer::Failed(error) => Some(tried(call, Verdict::Block, error.reason()).remedy(match error {
                CallError::Unanswered { .. }
                | CallError::TooManyRequests { .. }
                | CallError::Unauthorized { .. } => "ask again when the API server answers",
                CallError::ReadOnly
                | CallError::Forbidden { .. }
                | CallError::NotFound { .. }
                | CallError::Conflict { .. }
                | CallError::Invalid { .. }
                | CallError::Broken { .. } => REFUSED,
            })),
        },
        Probe::PodsOn(node) => Some(listed(node, answer, sight).about(node)),
        Probe::Needed(needed) => rollback::judged(needed, answer, sight.now),
        // Evidence, weighed as a whole; and commands, told with what they are for.
        Probe::Lease(_)
        | Probe::Node(_)
        | Probe::Log { .. }
        | Probe::Leader
        | Probe::Others(_)
        | Probe::Errand(_) => None,
        Probe::Autoscalers { namespace } => return extent::of_autoscalers(draft, namespace, answer),
        Probe::Quotas { namespace } => return extent::of_quotas(draft, namespace, (answer, sight)),
    };
    check.into_iter().collect()
}

/// What a live list of a node's pods says of the picture that the plan is made from.
fn listed(node: &ObjectRef, answer: &Answer, sight: &Sight<'_>) -> Check {
    match answer {
        Answer::Pods(pods) => {
            let is_unseen = |pod: &&Pod| {
                sight.cluster.pods.get(&pod.meta.name).is_none_or(|row| row.meta.uid != pod.meta.uid)
            };
            match pods.iter().filter(is_unseen).count() {
                0 => Check::new(
                    Verdict::Ok,
                    format!("{node} has {} pods, by a live list of all namespaces", pods.len()),
                ),
                unseen => Check::new(
                    Verdict::Warn,
                    format!(
                        "{unseen} pods that a live list shows on {node} are not in the picture, and not in this plan"
                    ),
                ),
            }
        }
        Answer::Failed(error) => {
            Check::new(Verdict::Block, format!("the pods of {node} could not be listed: {}", error.reason()))
                .remedy(
                    "ask for the right to list pods in all namespaces, or again when the API server answers",
                )
        }
        Answer::Yes
        | Answer::No { .. }
        | Answer::Written { .. }
        | Answer::Autoscalers(_)
        | Answer::Quotas(_)
        | Answer::Lease(_)
        | Answer::Node(_)
        | Answer::Speech(_)
        | Answer::Leader(_)
        | Answer::Others(_)
        | Answer::Ran(_) => Check::new(Verdict::Block, format!("it was not told which pods are on {node}"))
            .remedy("ask again"),
    }
}

const REFUSED: &str = "look at the object and at the server's admission rules, then ask again";

fn tried(call: &Call, verdict: Verdict, outcome: &str) -> Check {
    Check::new(verdict, format!("dry run of {}: {outcome}", call.sentence())).about(call.object())
}
