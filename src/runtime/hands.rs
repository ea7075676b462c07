//! The hands of guided actions: they ask, send and write what the application asks for, and tell it the outcome.
//!
//! They deliberately decide nothing. Records are written in a thread of their own, one after another, because a disk
//! may be slow and their order counts.

use crate::actions::{Answer, Errand, Probe, Ran, Record, RunId};
use crate::app::Effect;
use crate::app::acting::{Asked, Told};
use crate::cluster::{Text, Trial};
use crate::fence;
use crate::journal::Journal;
use crate::k8s::connect::Session;
use crate::k8s::execute::{Mode, execute, try_update};
use crate::k8s::{access, identity, limits, others, pods, references, revisions, silence};
use std::sync::{Arc, mpsc as thread_mpsc};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, mpsc};

/// Questions that are under way at a time: an ailing API server gets no burst.
const MOST_ASKED: usize = 5;

pub struct Hands {
    session: Arc<Session>,
    asking: Arc<Semaphore>,
    out: mpsc::UnboundedSender<Told>,
    told: mpsc::UnboundedReceiver<Told>,
    records: Option<thread_mpsc::Sender<Record>>,
    writer: Option<JoinHandle<()>>,
    /// Records on their way to the disk.
    unwritten: usize,
}

impl Hands {
    pub fn new(session: Arc<Session>, journal: Journal) -> Self {
        let (out, told) = mpsc::unbounded_channel();
        let (records, queue) = thread_mpsc::channel();
        let writer = std::thread::spawn({
            let out = out.clone();
            move || write(journal, &queue, &out)
        });
        let asking = Arc::new(Semaphore::new(MOST_ASKED));
        Self { session, asking, out, told, records: Some(records), writer: Some(writer), unwritten: 0 }
    }

    /// Carries out what is for the hands, and returns the rest.
    pub fn take_all(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut others = Vec::new();
        for effect in effects {
            match effect {
                Effect::Acting(asked) => self.take(*asked),
                other @ (Effect::Quit
                | Effect::Suspend
                | Effect::Redraw
                | Effect::Refresh
                | Effect::Remember
                | Effect::Copy(_)) => others.push(other),
            }
        }
        others
    }

    pub fn take(&mut self, asked: Asked) {
        match asked {
            Asked::Probe { run, probe } => self.ask(run, probe),
            Asked::Send { run, step, call } => {
                let (session, out) = (Arc::clone(&self.session), self.out.clone());
                tokio::spawn(async move {
                    let answer = execute(&session, &call, Mode::Real).await;
                    // Nobody listens any more when the program ends.
                    let _ended = out.send(Told::Answered { run, step, answer });
                });
            }
            Asked::Trial { object, version } => {
                let (session, out) = (Arc::clone(&self.session), self.out.clone());
                let asking = Arc::clone(&self.asking);
                tokio::spawn(async move {
                    let _turn = asking.acquire().await;
                    let said = try_update(&session, &object).await;
                    let _ended = out.send(Told::Trial(Trial { object, version, said }));
                });
            }
            Asked::Look { probe } => {
                let (session, out) = (Arc::clone(&self.session), self.out.clone());
                let asking = Arc::clone(&self.asking);
                tokio::spawn(async move {
                    let _turn = asking.acquire().await;
                    let answer = answer(&session, &probe).await;
                    let _ended = out.send(Told::Looked { probe, answer });
                });
            }
            Asked::Run { run, step, errand } => {
                let (session, out) = (Arc::clone(&self.session), self.out.clone());
                tokio::spawn(async move {
                    let ran = commanded(&session, &errand).await;
                    let _ended = out.send(Told::Ran { run, step, ran });
                });
            }
            Asked::History { object } => {
                let (session, out) = (Arc::clone(&self.session), self.out.clone());
                let asking = Arc::clone(&self.asking);
                tokio::spawn(async move {
                    let _turn = asking.acquire().await;
                    let read = revisions::read(&session, &object).await.map(Arc::new);
                    let _ended = out.send(Told::History { object, read });
                });
            }
            Asked::Write(record) => {
                self.unwritten += 1;
                let run = record.run.clone();
                let is_sent = self.records.as_ref().is_some_and(|records| records.send(record).is_ok());
                if !is_sent {
                    let written = Err("the journal's writer has ended".into());
                    let _ended = self.out.send(Told::Written { run, written });
                }
            }
        }
    }

    pub const fn are_writing(&self) -> bool {
        self.unwritten > 0
    }

    fn ask(&self, run: RunId, probe: Probe) {
        let (session, out) = (Arc::clone(&self.session), self.out.clone());
        let asking = Arc::clone(&self.asking);
        tokio::spawn(async move {
            let _turn = asking.acquire().await;
            let answer = answer(&session, &probe).await;
            let _ended = out.send(Told::Probed { run, probe, answer });
        });
    }

    /// The next outcome. May be dropped and asked again.
    pub async fn told(&mut self) -> Told {
        match self.told.recv().await {
            Some(told @ Told::Written { .. }) => {
                self.unwritten = self.unwritten.saturating_sub(1);
                told
            }
            Some(told) => told,
            // A sender is ours, so this is not reached.
            None => std::future::pending().await,
        }
    }
}

/// What comes back of a question, whoever asks it.
pub async fn answer(session: &Session, probe: &Probe) -> Answer {
    match probe {
        Probe::May(access) => access::may(session, access).await,
        Probe::DryRun(call) => match execute(session, call, Mode::DryRun).await {
            Ok(()) => Answer::Yes,
            Err(error) => Answer::Failed(error),
        },
        Probe::PodsOn(node) => pods::on(session, node).await,
        Probe::Needed(needed) => references::written(session, needed).await,
        Probe::Lease(node) => silence::lease(session, node).await,
        Probe::Node(node) => silence::node(session, node).await,
        Probe::Log { pod, container, .. } => silence::log(session, pod, container).await,
        Probe::Leader => silence::leader(session).await,
        Probe::Others(node) => Answer::Others(others::read(session, node).await),
        Probe::Errand(errand) => Answer::Ran(commanded(session, errand).await),
        Probe::Autoscalers { namespace } => limits::autoscalers(session, namespace).await,
        Probe::Quotas { namespace } => limits::quotas(session, namespace).await,
    }
}

impl Drop for Hands {
    /// What was given to the journal is on disk when the program ends.
    fn drop(&mut self) {
        self.records = None;
        if let Some(writer) = self.writer.take() {
            let _panicked = writer.join();
        }
    }
}

/// Runs a configured command, if this is the cluster that it is for: the server is asked right before.
async fn commanded(session: &Session, errand: &Errand) -> Ran {
    match identity::kube_system(session).await {
        Ok(uid) if *errand.cluster == *uid => fence::run(errand, session.read_only).await,
        Ok(uid) => Ran::not_run(format!(
            "it is configured for the cluster whose kube-system has the uid {}, and this one has {uid}",
            errand.cluster
        )),
        Err(error) => {
            Ran::not_run(format!("it could not be asked which cluster this is: {}", error.reason()))
        }
    }
}

fn write(mut journal: Journal, queue: &thread_mpsc::Receiver<Record>, out: &mpsc::UnboundedSender<Told>) {
    while let Ok(record) = queue.recv() {
        let written = journal.write(&record).map_err(|error| Text::from(format!("{error:#}")));
        let _ended = out.send(Told::Written { run: record.run, written });
    }
}
