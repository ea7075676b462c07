//! `sickbay plan` and `sickbay run`: guided actions without a screen, through the same application.
//!
//! `plan` changes nothing. `run` agrees for the user where they said so beforehand, watches to the end, and tells by
//! its exit code how that went.

mod options;
mod report;

use super::hands::Hands;
use super::settings::Settings;
use super::{Outcome, complain, fail, journal, message, print, start};
use crate::actions::history::PastRun;
use crate::actions::{Action, ActionKind, Draft, Outcome as Ending, Phase, Run, RunId, Spec, target, undo};
use crate::app::acting::Told;
use crate::app::{App, Msg};
use crate::cli::{self, Arguments, Consent, OfRun, Output};
use crate::cluster::{Feed, Kind, Text};
use crate::k8s::clock::Clock;
use crate::k8s::watch::{Limits, Streams, Update};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// What is wanted: by words, or as a run before had it.
enum Wanted {
    Words { action: Action, targets: Vec<String>, why: String, powered_off: Vec<Text> },
    Draft(Draft),
}

/// How it is to be told, and for how long is waited.
struct Manner {
    output: Output,
    timeout: Duration,
}

pub async fn plan(arguments: &Arguments, asked: &cli::Plan, settings: &Settings) -> Outcome {
    let (wanted, manner) = match wanted(asked, &Consent::default()) {
        Ok(wanted) => wanted,
        Err(outcome) => return outcome,
    };
    match Session::reviewed(arguments, settings, (&wanted, &manner)).await {
        Ok(session) if asked.single.patch => session.tell_patch(),
        Ok(session) => session.tell_plan(manner.output),
        Err(outcome) => outcome,
    }
}

pub async fn run(arguments: &Arguments, asked: &cli::Run, settings: &Settings) -> Outcome {
    if asked.plan.single.patch {
        complain("run takes no --patch: `sickbay plan` prints it");
        return Outcome::Usage;
    }
    let (wanted, manner) = match wanted(&asked.plan, &asked.consent) {
        Ok(wanted) => wanted,
        Err(outcome) => return outcome,
    };
    carry_out(arguments, settings, (&wanted, &manner), &asked.consent).await
}

pub async fn runs(arguments: &Arguments, asked: &cli::Runs, settings: &Settings) -> Outcome {
    let past = journal::past(&arguments.global);
    let (again, draft): (&cli::Again, fn(&PastRun) -> Option<Draft>) = match &asked.command {
        None => return journal::print_runs(&past, asked.output),
        Some(OfRun::Resume(again)) => (again, PastRun::resumed),
        Some(OfRun::Undo(again)) => (again, PastRun::undo),
    };
    let Some(run) = past.iter().find(|run| run.id.as_str() == again.id) else {
        return fail(&format!("there is no run {:?}; `sickbay runs` lists them", again.id));
    };
    if run.is_alive && run.ended.is_none() {
        return fail(&format!("run {} is still under way in another sickbay: stop it there", run.id));
    }
    let Some(draft) = draft(run) else {
        return fail(&match &asked.command {
            Some(OfRun::Undo(_)) => format!("run {}: {}", run.id, undo::why_not(&run.started.action)),
            Some(OfRun::Resume(_)) | None => format!("run {} was done to its end", run.id),
        });
    };
    let manner = Manner { output: again.output, timeout: again.sync_timeout };
    carry_out(arguments, settings, (&Wanted::Draft(draft), &manner), &again.consent).await
}

fn wanted(asked: &cli::Plan, consent: &Consent) -> Result<(Wanted, Manner), Outcome> {
    let Some(action) = ActionKind::by_id(&asked.action) else {
        let known: Vec<&str> = ActionKind::ALL.iter().map(|action| action.spec().id).collect();
        complain(&format!("there is no action {:?}: there are {}", asked.action, known.join(", ")));
        return Err(Outcome::Usage);
    };
    let action = match options::action(action, (&asked.drain, &asked.single)) {
        Ok(action) => action,
        Err(reason) => {
            complain(&reason);
            return Err(Outcome::Usage);
        }
    };
    let powered_off = consent.powered_off.iter().map(|name| Text::new(name)).collect();
    let (targets, why) = (asked.targets.clone(), asked.why.clone());
    let wanted = Wanted::Words { action, targets, why, powered_off };
    Ok((wanted, Manner { output: asked.output, timeout: asked.sync_timeout }))
}

async fn carry_out(
    arguments: &Arguments,
    settings: &Settings,
    (wanted, manner): (&Wanted, &Manner),
    consent: &Consent,
) -> Outcome {
    let mut session = match Session::reviewed(arguments, settings, (wanted, manner)).await {
        Ok(session) => session,
        Err(outcome) => return outcome,
    };
    let Some(review) = &session.app.acting.review else { return Outcome::Failed };
    let is_nothing = review.plan.steps.is_empty() && !review.preflight.is_blocked();
    if is_nothing {
        return session.tell_plan(manner.output);
    }
    if let Some(objection) = session.app.objection(&consent.confirm) {
        session.tell_plan(Output::Table);
        let hint = match session.app.word_asked() {
            Some(_) if !review_is_blocked(&session.app) => ": give it with --confirm",
            Some(_) | None => "",
        };
        complain(&format!("not carried out: {objection}{hint}"));
        return Outcome::Blocked;
    }
    if !consent.yes {
        session.tell_plan(Output::Table);
        complain("not carried out: nobody has agreed; say so with --yes");
        return Outcome::Blocked;
    }
    session.run(&consent.confirm, manner.output).await
}

fn review_is_blocked(app: &App) -> bool {
    app.acting.review.as_ref().is_some_and(|review| review.preflight.is_blocked())
}

/// A connection with an application that has no screen.
struct Session {
    app: Box<App>,
    clock: Clock,
    hands: Hands,
    updates: mpsc::Receiver<Update>,
    _streams: Streams,
    _connection: start::Connection,
}

impl Session {
    /// Connects, looks, drafts, and waits until all that has to be asked is answered.
    async fn reviewed(
        arguments: &Arguments,
        settings: &Settings,
        (wanted, manner): (&Wanted, &Manner),
    ) -> Result<Self, Outcome> {
        let connection = start::connect(arguments, settings).await?;
        let deadline = Instant::now() + manner.timeout;
        let app = Box::new(connection.app(settings));
        if !settings.problems.is_empty() {
            complain(&settings.summary());
        }
        let (sender, updates) = mpsc::channel(64);
        let upstream = Arc::clone(&connection.session);
        let action = match wanted {
            Wanted::Words { action, .. } => action.kind(),
            Wanted::Draft(draft) => draft.action.kind(),
        };
        let Spec { relies_on: relied_on, looks_at, .. } = action.spec();
        // Whoever may see nothing but what it relies on can do it.
        let seen = [relied_on, looks_at].concat();
        let scope = &connection.session.scope;
        let streams = Streams::start_for(upstream, (scope, &seen), sender, Limits::default());
        let hands = Hands::new(Arc::clone(&connection.session), connection.journal());
        let clock = connection.session.clock.clone();
        // What was switched off before is known from the journal.
        let past = connection.past();
        let mut session = Self { app, clock, hands, updates, _streams: streams, _connection: connection };
        session.tell(past.into());
        // Of the others is told what there is: none of them is waited for longer.
        if !session.until(deadline, |app| is_read(app, &seen)).await && !is_read(&session.app, relied_on) {
            let reason = session.app.sight().staleness(relied_on);
            let reason = reason.unwrap_or_else(|| "it was not read in time".to_owned());
            complain(&format!("the picture is incomplete: {reason}; try a longer --sync-timeout"));
            return Err(Outcome::Incomplete);
        }
        let draft = session.draft(wanted).map_err(|reason| fail(&reason))?;
        session.tell(Told::Draft(draft).into());
        let is_settled =
            |app: &App| app.acting.review.as_ref().is_none_or(|review| review.preflight.is_settled());
        if !session.until(deadline, is_settled).await {
            complain(
                "the API server has not answered in time what is asked before an action; try a longer --sync-timeout",
            );
            return Err(Outcome::Incomplete);
        }
        Ok(session)
    }

    fn draft(&self, wanted: &Wanted) -> Result<Draft, String> {
        match wanted {
            Wanted::Draft(draft) => Ok(draft.clone()),
            Wanted::Words { action, targets, why, powered_off } => Ok(Draft {
                action: action.clone(),
                targets: target::resolve(action.kind(), targets, &self.app.cluster)?,
                why: Text::new(why),
                powered_off: powered_off.clone(),
            }),
        }
    }

    fn tell_plan(&self, output: Output) -> Outcome {
        let Some(review) = &self.app.acting.review else { return Outcome::Failed };
        match print(&report::plan(&self.app, review, output)) {
            Outcome::Done if review.preflight.is_blocked() => Outcome::Blocked,
            outcome => outcome,
        }
    }

    /// The patch for the repository: whoever may not roll back here may well commit there.
    fn tell_patch(&self) -> Outcome {
        let Some(review) = &self.app.acting.review else { return Outcome::Failed };
        if let Some(text) = report::patch(review) {
            return print(&text);
        }
        let objection = self.app.objection(&[]).unwrap_or_else(|| "there is nothing to change".to_owned());
        complain(&format!("there is no patch: {objection}"));
        Outcome::Blocked
    }

    /// Agrees, and sees the run to its end. The first interrupt stops it, the second leaves it.
    async fn run(&mut self, typed: &[String], output: Output) -> Outcome {
        let Some(id) = self.app.acting.review.as_ref().map(|review| review.author.run.clone()) else {
            return Outcome::Failed;
        };
        // Before anything is sent: from here on an interrupt stops the run, and not the program.
        let mut interrupts = match signal(SignalKind::interrupt()) {
            Ok(interrupts) => interrupts,
            Err(error) => return fail(&format!("could not watch for interrupts: {error}")),
        };
        self.tell(Told::Agree { typed: typed.to_vec() }.into());
        let mut told = 0;
        let mut waits = report::Waits::default();
        let mut was_interrupted = false;
        loop {
            let is_begun = self.app.acting.run(&id).is_some_and(|run| run.phase != Phase::Recording);
            if output == Output::Table && is_begun {
                told = self.tell_records(&id, told);
            }
            let Some(run) = self.app.acting.run(&id) else {
                complain(
                    "not carried out: it is not any more what it was when it was checked; plan it again",
                );
                return Outcome::Blocked;
            };
            if output == Output::Table {
                waits.told(run).iter().for_each(|line| complain(line));
            }
            if run.is_over() && !self.hands.are_writing() {
                return match (ended(run), output) {
                    // Who reads the output of a failure as text reads nothing.
                    (Outcome::Failed, Output::Table) => {
                        report::run(run, output).lines().for_each(complain);
                        Outcome::Failed
                    }
                    (outcome, _) => match print(&report::run(run, output)) {
                        Outcome::Done => outcome,
                        unprinted => unprinted,
                    },
                };
            }
            tokio::select! {
                () = self.step() => {}
                _ = interrupts.recv() => {
                    if was_interrupted {
                        complain(&format!("left run {id} before its end: `sickbay runs` tells what was done"));
                        return Outcome::Partly;
                    }
                    was_interrupted = true;
                    complain("stopping: what is under way is seen to its end; interrupt again to leave it");
                    self.tell(Told::Stop { reason: "stopped by an interrupt".to_owned() }.into());
                }
            }
        }
    }

    /// Tells the steps that have ended since, beside the output; how many records were told.
    fn tell_records(&self, id: &RunId, told: usize) -> usize {
        let records: Vec<_> = self.app.acting.records.iter().filter(|record| record.run == *id).collect();
        for record in records.iter().skip(told) {
            if let Some(line) = report::record(record) {
                complain(&line);
            }
        }
        records.len()
    }

    /// Takes in what happens until this holds; false where it did not in time.
    async fn until(&mut self, deadline: Instant, holds: impl Fn(&App) -> bool) -> bool {
        while !holds(&self.app) {
            tokio::select! {
                () = self.step() => {}
                () = sleep_until(deadline) => return false,
            }
        }
        true
    }

    /// Waits for the next thing that happens, and tells the application.
    async fn step(&mut self) {
        let msg = tokio::select! {
            told = self.hands.told() => told.into(),
            update = self.updates.recv() => match update {
                Some(update) => message(update),
                // The streams live as long as this session.
                None => std::future::pending().await,
            },
            () = sleep(Duration::from_secs(1)) => Msg::Tick,
        };
        self.tell(msg);
    }

    fn tell(&mut self, msg: Msg) {
        let effects = self.app.update(msg, self.clock.now());
        // There is no screen for what is left.
        let _for_a_screen = self.hands.take_all(effects);
    }
}

/// Whether the kinds are read and followed, or never will be.
fn is_read(app: &App, kinds: &[Kind]) -> bool {
    let feed = |kind: &Kind| app.cluster.feed(Feed::Watch(*kind));
    kinds.iter().all(|kind| feed(kind).is_settled())
}

fn ended(run: &Run) -> Outcome {
    match run.summary().outcome {
        Ending::Done => Outcome::Done,
        Ending::Partly | Ending::Stopped => Outcome::Partly,
        Ending::Failed => Outcome::Failed,
    }
}
