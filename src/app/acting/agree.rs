//! From a draft to its run: what is asked about it, what speaks against it, and what it takes to agree.

use super::{App, Asked, Effect, Review, Weight};
use crate::actions::audit::{self, Place, Started};
use crate::actions::plan::{called, names_to_type, word_to_type};
use crate::actions::probe::Needed;
use crate::actions::rollback::Read;
use crate::actions::{
    Access, Answers, Author, Check, Danger, Dangerous, Draft, Plan, Preflight, Probe, Run, RunId, Verdict,
};
use crate::cluster::{ObjectRef, Text};
use crate::revision::History;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many objects one action takes where nobody says otherwise.
pub const MOST_TARGETS: usize = 20;

impl App {
    /// Begins the review of a draft, and asks what has to be asked.
    pub(super) fn review(&mut self, draft: Draft) -> Vec<Effect> {
        self.begin_draft(draft);
        self.ask()
    }

    /// Takes in what is wanted, and asks nobody yet.
    pub(in crate::app) fn begin_draft(&mut self, draft: Draft) {
        self.acting.drafted += 1;
        let run = RunId::new(format!("{}-{}", self.session.tag, self.acting.drafted));
        let author = Author {
            who: self.session.operator.clone(),
            run,
            at: self.now,
            kit: Arc::clone(&self.session.kit),
            fenced: audit::fenced(&self.acting.records, self.now),
        };
        let plan = draft.plan(&self.cluster, &author);
        let answers = Answers::default();
        let preflight = Preflight::default();
        self.acting.review = Some(Review { draft, author, plan, answers, preflight, is_asked: false });
        self.look_again();
    }

    /// Goes back to what is wanted: what was answered was about something else then.
    pub(in crate::app) fn take_back(&mut self) {
        if let Some(review) = &mut self.acting.review {
            review.answers = Answers::default();
            review.is_asked = false;
        }
    }

    /// Asks everything anew; first for the history that the plan is made of, where there is one.
    pub(in crate::app) fn ask(&mut self) -> Vec<Effect> {
        let wanted = self.acting.review.as_mut().and_then(|review| {
            let (object, goal) = review.draft.history()?;
            goal.read = Read::NotYet;
            Some(object.clone())
        });
        match wanted {
            Some(object) => {
                self.clear_answers();
                vec![Asked::History { object }.into()]
            }
            None => self.ask_probes(),
        }
    }

    fn clear_answers(&mut self) {
        if let Some(review) = &mut self.acting.review {
            review.answers = Answers::default();
            review.is_asked = false;
            review.plan = review.draft.plan(&self.cluster, &review.author);
        }
        self.look_again();
    }

    /// The history that the plan is made of was read: now the rest can be asked.
    pub(super) fn take_read(&mut self, object: &ObjectRef, read: &Result<Arc<History>, Text>) -> Vec<Effect> {
        let review = self.acting.review.as_mut();
        let wanted = review.and_then(|review| review.draft.history()).filter(|(of, _)| *of == object);
        let Some((_, goal)) = wanted.filter(|(_, goal)| goal.read == Read::NotYet) else {
            return Vec::new();
        };
        goal.take(read.clone());
        self.ask_probes()
    }

    fn ask_probes(&mut self) -> Vec<Effect> {
        let is_read_only = self.session.is_read_only;
        let most = self.most_targets();
        let Some(review) = &mut self.acting.review else { return Vec::new() };
        review.plan = review.draft.plan(&self.cluster, &review.author);
        // What is refused for its size alone would be a burst of questions for nothing.
        let is_refused = too_many(&review.draft.targets, most).is_some();
        let probes = if is_refused { Vec::new() } else { review.plan.probes(is_read_only) };
        let before = std::mem::take(&mut review.answers);
        review.answers = Answers::to(probes.clone()).after(before, &self.cluster).awaited(&probes, self.now);
        review.is_asked = true;
        let run = review.author.run.clone();
        self.look_again();
        let ask = |probe| Effect::from(Asked::Probe { run: run.clone(), probe });
        probes.into_iter().map(ask).collect()
    }

    /// What is asked live about machines for as long as somebody reads the review.
    pub(super) fn ask_on(&mut self) -> Vec<Effect> {
        let (cluster, now) = (&self.cluster, self.now);
        let Some(review) = self.acting.review.as_mut().filter(|review| review.is_asked) else {
            return Vec::new();
        };
        let accesses: Vec<Access> = review.plan.dangerous().flat_map(Dangerous::accesses).collect();
        let run = review.author.run.clone();
        let probes = review.answers.asks(&accesses, cluster, now);
        probes.into_iter().map(|probe| Asked::Probe { run: run.clone(), probe }.into()).collect()
    }

    /// Makes the plan and its check anew from what is known now. What has become another plan is asked about anew.
    pub(super) fn look_again(&mut self) -> bool {
        let Some(mut review) = self.acting.review.take() else { return false };
        let plan = review.draft.plan(&self.cluster, &review.author);
        let is_another = review.is_asked && questions(&plan) != questions(&review.plan);
        review.plan = plan;
        review.preflight = Preflight::of(&review.draft, &review.plan, &review.answers, &self.sight());
        // Worst first: nothing is worse.
        review.preflight.checks.splice(0..0, too_many(&review.draft.targets, self.most_targets()));
        self.acting.review = Some(review);
        is_another
    }

    /// What has to be typed to agree; nothing where a plain yes is enough.
    pub fn word_asked(&self) -> Option<Text> {
        let review = self.acting.review.as_ref()?;
        let is_asked = match review.plan.danger {
            Danger::Destructive => true,
            Danger::Reversible => self.session.is_protected,
        };
        let is_each = review.plan.dangerous().next().is_some() || review.plan.is_fencing();
        is_asked.then(|| {
            if is_each {
                names_to_type(&review.draft.targets, &review.plan.domains(&self.cluster), &self.cluster)
            } else {
                word_to_type(&review.draft.targets)
            }
        })
    }

    /// Why nobody can agree to what is reviewed, as it stands.
    pub fn objection(&self, typed: &[String]) -> Option<String> {
        let review = self.acting.review.as_ref()?;
        if !review.is_asked {
            return Some("it has not been checked".to_owned());
        }
        if !review.preflight.is_settled() {
            return Some(format!("{} answers are still awaited", review.preflight.open));
        }
        if let Some(block) = review.preflight.of_verdict(Verdict::Block).next() {
            let remedy = block.remedy.as_deref().map_or_else(String::new, |remedy| format!("; {remedy}"));
            return Some(format!("{}{remedy}", block.reason));
        }
        if review.plan.steps.is_empty() {
            return Some("there is nothing to do".to_owned());
        }
        let word = self.word_asked()?;
        // Each of them by its name: how many there are says of no dead machine which one is meant.
        let is_named = |name: &Text| {
            let mut words = typed.iter().flat_map(|typed| typed.split_whitespace());
            words.any(|typed| *typed == **name)
        };
        let domains = review.plan.domains(&self.cluster);
        let are_named = review
            .draft
            .targets
            .iter()
            .all(|target| is_named(&target.name.name) || is_named(&called(target, &self.cluster)))
            && domains.iter().all(is_named);
        let is_typed = typed.iter().any(|typed| *typed == *word) || are_named;
        (!is_typed).then(|| format!("type {word:?} to confirm"))
    }

    /// Begins the run that is reviewed, unless something is against it.
    pub(in crate::app) fn agree(&mut self, typed: &[String]) -> Vec<Effect> {
        self.look_again();
        if let Some(objection) = self.objection(typed) {
            self.notices.say(Weight::Warning, objection, self.now);
            return Vec::new();
        }
        let Some(Review { draft, mut author, preflight, answers, .. }) = self.acting.review.take() else {
            return Vec::new();
        };
        // Reviews can take long: what is written on the object is when it was agreed to.
        author.at = self.now;
        let plan = draft.plan(&self.cluster, &author);
        let session = &self.session;
        let place = Place {
            context: session.context.clone(),
            server: session.server.clone(),
            user: session.user.clone(),
        };
        let mut started = Started::new(&draft, &plan, author.who, place);
        started.checks = preflight
            .checks
            .iter()
            .map(|check| format!("{}: {}", check.word(), check.reason).into())
            .collect();
        let (mut run, record) = Run::begin(author.run, draft, plan, (started, self.now));
        run.remember(&answers);
        self.acting.runs.push(run);
        self.write(record)
    }

    fn most_targets(&self) -> usize {
        self.session.most_targets.unwrap_or(MOST_TARGETS)
    }
}

/// What a plan makes one ask: of whom, whatever versions they have by now.
fn questions(plan: &Plan) -> BTreeSet<Question> {
    let question = |probe| match probe {
        Probe::May(access) => Question::May(access),
        Probe::DryRun(call) => Question::About(call.object().clone()),
        Probe::Needed(needed) => Question::Needed(needed),
        Probe::PodsOn(node)
        | Probe::Lease(node)
        | Probe::Node(node)
        | Probe::Log { node, .. }
        | Probe::Others(node) => Question::About(node),
        Probe::Leader => Question::Leader,
        Probe::Autoscalers { namespace } => Question::Autoscalers(namespace),
        Probe::Quotas { namespace } => Question::Quotas(namespace),
        Probe::Errand(errand) => Question::About(errand.node),
    };
    plan.probes(false).into_iter().map(question).collect()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    May(Access),
    About(ObjectRef),
    Needed(Needed),
    Leader,
    Autoscalers(Text),
    Quotas(Text),
}

/// That an action is for more objects than one may take.
fn too_many(targets: &[ObjectRef], most: usize) -> Option<Check> {
    let first = targets.first().filter(|_| targets.len() > most)?;
    let what = first.kind.plural();
    let reason = format!("these are {} {what}, and one action takes {most} at most", targets.len());
    let remedy = "take fewer, or set actions.most-targets in config.yaml";
    Some(Check::new(Verdict::Block, reason).remedy(remedy))
}
