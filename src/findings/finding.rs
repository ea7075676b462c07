//! A finding: a statement about a subject, with its evidence and the next safe step.

use super::{Clock, RuleId, Subject};
use crate::cluster::ObjectRef;
use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: RuleId,
    pub severity: Severity,
    /// What it is about. A node that is gone has no uid, and neither has a volume that only a node's status
    /// names: such a one is a persistent volume by that name.
    pub subject: Subject,
    /// Other objects it concerns.
    pub about: Vec<ObjectRef>,
    /// Pods elsewhere that cannot start because of it.
    pub held_up: Vec<ObjectRef>,
    /// A whole sentence, with no time in it that would change by itself.
    pub sentence: String,
    pub since: Option<Timestamp>,
    pub clock: Option<Clock>,
    pub evidence: Vec<Evidence>,
    /// The next safe step.
    pub next: String,
    /// What explains this one, if there is a finding on it.
    pub cause: Option<Subject>,
}

/// A fact, and when it was so where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub text: String,
    pub at: Option<Timestamp>,
}

/// How bad it is: the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is stuck.
    Notice,
    /// Something is stuck or will be, and what runs goes on.
    Warning,
    /// Something is down, or waits for what will not come by itself.
    Critical,
}

/// What stays the same while a finding lasts: no two findings of one evaluation share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId {
    pub rule: RuleId,
    pub subject: Subject,
    /// One volume can be held by two dead nodes: what is said of it is of both. Empty for all else, so that a
    /// finding stays the same when its cause comes to light later.
    pub place: Option<Subject>,
}

impl Severity {
    /// Worst first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Warning, Self::Notice];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Evidence {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), at: None }
    }

    pub fn at(text: impl Into<String>, at: Option<Timestamp>) -> Self {
        Self { text: text.into(), at }
    }
}

impl Finding {
    /// One with nothing but its identity; the rule fills in the rest.
    pub fn new(rule: RuleId, severity: Severity, subject: impl Into<Subject>) -> Self {
        Self {
            rule,
            severity,
            subject: subject.into(),
            about: Vec::new(),
            held_up: Vec::new(),
            sentence: String::new(),
            since: None,
            clock: None,
            evidence: Vec::new(),
            next: String::new(),
            cause: None,
        }
    }

    pub fn id(&self) -> FindingId {
        let is_placed = self.rule == RuleId::VolumeOnUnreadyNode;
        let place = is_placed.then(|| self.cause.clone()).flatten();
        FindingId { rule: self.rule, subject: self.subject.clone(), place }
    }

    /// All objects it names, the subject first.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.subject.object().into_iter().chain(&self.about).chain(&self.held_up)
    }
}
