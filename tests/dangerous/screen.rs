//! The screen: the application with the hands that the program has, and fields that are filled in by keys.

use crate::board::Board;
use crate::facts::{Fact, Said};
use crate::ward::{ATTEMPTS, Attempt, DEAD, Ward};
use jiff::SignedDuration;
use sickbay::actions::{Action, ActionKind, Answer, Draft, Probe, drain, target};
use sickbay::app::acting::{Asked, Told};
use sickbay::app::{App, Effect, Msg};
use sickbay::cluster::{Feed, Kind, Text};
use sickbay::command::{Command, Ui};
use sickbay::k8s::connect::{Session, connect};
use sickbay::k8s::execute::{Mode, execute};
use sickbay::k8s::kubeconfig::{Env, Flags};
use sickbay::k8s::{revisions, silence};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Actions that never send anything dangerous, whatever is known.
pub const HARMLESS: &[ActionKind] = &[
    ActionKind::Cordon,
    ActionKind::Uncordon,
    ActionKind::Drain,
    ActionKind::Rollback,
    ActionKind::Restart,
    ActionKind::Pause,
    ActionKind::Resume,
    ActionKind::Scale,
    ActionKind::SetImage,
    ActionKind::ReturnToService,
    ActionKind::ReplacePods,
    // No command is configured.
    ActionKind::Fence,
    ActionKind::RestartKubelet,
    // Of a node on which nothing is left it deletes the Node, as the action of that name does; here much is left.
    ActionKind::Retire,
];

/// Only a test that fails looks so often.
const TURNS: usize = 2400;
/// Between two looks at what there is.
const TURN: Duration = Duration::from_millis(50);
/// Turns in which what follows from the last answers would have been sent.
const MORE_TURNS: usize = 4;
/// Turns of a run that may never get so far as to ask.
const MOST_TURNS: usize = 60;
/// So long a review is looked at: the lease is read a second time at once then.
const READ_FOR: SignedDuration = SignedDuration::from_secs(20);

struct Screen<'a> {
    ward: &'a Ward,
    board: Board,
    session: Session,
    /// How often a run was told the last that it asks for, or that it cannot be told.
    rounds: usize,
}

/// What arrives of each attempt under a fact that speaks against all of them.
pub async fn all(ward: &Ward, fact: &Fact) -> Vec<String> {
    let mut screen = Screen::start(ward, (false, fact.said == Said::ReadOnly)).await;
    screen.board.until(fact.name, fact.seen).await;
    for attempt in ATTEMPTS {
        attempt.prepare(ward);
        screen.review(attempt).await;
        let effects = screen.agree(attempt, fact.said).await;
        screen.run(effects, MOST_TURNS).await;
    }
    ward.dangerous().into_iter().map(|request| format!("screen: {request}")).collect()
}

/// The same where the fact becomes so when it has been agreed to.
pub async fn interrupted(ward: &Ward, fact: &Fact, attempt: &Attempt) -> Vec<String> {
    if fact.said != Said::All {
        return Vec::new();
    }
    attempt.prepare(ward);
    let mut screen = Screen::start(ward, (true, false)).await;
    screen.review(attempt).await;
    let effects = screen.agree(attempt, Said::All).await;
    assert!(screen.board.app.acting.under_way().next().is_some(), "nothing was against it");
    (fact.apply)(ward);
    screen.board.until(fact.name, fact.seen).await;
    screen.run(effects, MOST_TURNS).await;
    ward.dangerous().into_iter().map(|request| format!("screen, while it runs: {request}")).collect()
}

pub async fn one(ward: &Ward, attempt: &Attempt) -> Vec<String> {
    attempt.prepare(ward);
    let mut screen = Screen::start(ward, (true, false)).await;
    screen.review(attempt).await;
    let effects = screen.agree(attempt, Said::All).await;
    screen.run(effects, TURNS).await;
    ward.dangerous()
}

/// What arrives of everything else, wherever it can be done.
pub async fn harmless(ward: &Ward) -> Vec<String> {
    let mut screen = Screen::start(ward, (true, false)).await;
    for kind in HARMLESS {
        let targets: &[&str] = match kind.spec().kinds {
            [Kind::Node] => &[DEAD, "worker-0"],
            _ => &["deployment/shop/web", "statefulset/data/postgres"],
        };
        for target in targets {
            let action = match Action::from(*kind) {
                // As hard as it can be asked for.
                Action::Drain { .. } => Action::Drain {
                    options: drain::Options {
                        grace_period: Some(0),
                        disable_eviction: true,
                        force: true,
                        delete_emptydir_data: true,
                        ..drain::Options::default()
                    },
                },
                action => action,
            };
            screen.draft(action, target).await;
            let name = target.rsplit('/').next().unwrap().to_owned();
            let effects = screen.tell(Told::Agree { typed: vec![name] }.into());
            // Nothing of it needs evidence.
            screen.run(effects, MORE_TURNS).await;
        }
    }
    ward.dangerous()
}

/// A board that knows of each list whether it can be had: of some facts it is the point that one cannot.
async fn settled(kubeconfig: &Path) -> Board {
    let mut board = Board::connect(kubeconfig, None).await;
    let is_read = |app: &App| {
        let mut feeds = Kind::ALL.iter().map(|kind| app.cluster.feed(Feed::Watch(*kind)));
        app.are_leases_read() && feeds.all(|feed| feed.is_settled())
    };
    board.until("all lists", is_read).await;
    board
}

impl<'a> Screen<'a> {
    async fn start(ward: &'a Ward, (is_live, is_read_only): (bool, bool)) -> Self {
        let kubeconfig = ward.kubeconfig.path();
        let flags =
            Flags { kubeconfig: Some(kubeconfig.to_owned()), read_only: is_read_only, ..Flags::default() };
        let session = connect(&flags, &Env::default()).await.unwrap();
        let board = if is_live { Board::live(kubeconfig).await } else { settled(kubeconfig).await };
        Self { ward, board, session, rounds: 0 }
    }

    fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        let now = self.board.now();
        self.board.app.update(msg, now)
    }

    async fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.board.app.settle();
            let effects = self.tell(Msg::Key(key.parse().unwrap()));
            self.perform(effects).await;
        }
    }

    async fn invoke(&mut self, command: Command) {
        self.board.app.settle();
        let effects = self.board.app.invoke(command);
        self.perform(effects).await;
    }

    /// By its words, as the command line names it.
    async fn draft(&mut self, action: Action, word: &str) {
        let kind = action.kind();
        let Ok(targets) = target::resolve(kind, &[word.to_owned()], &self.board.app.cluster) else { return };
        let draft = Draft { action, targets, why: Text::default(), powered_off: vec![DEAD.into()] };
        let effects = self.tell(Told::Draft(draft).into());
        self.perform(effects).await;
    }

    /// From the list of its kind, where there is one.
    async fn review(&mut self, attempt: &Attempt) {
        while self.board.app.overlay.is_some() {
            self.invoke(Command::Ui(Ui::Back)).await;
        }
        let list = match attempt.action.spec().kinds {
            [Kind::Node] => Ui::GoNodes,
            [Kind::Pod] => Ui::GoPods,
            _ => {
                self.draft(Action::from(attempt.action), attempt.target).await;
                return;
            }
        };
        for ui in [list, Ui::AllNamespaces, Ui::ClearFilter, Ui::Filter] {
            self.invoke(Command::Ui(ui)).await;
        }
        let effects = self.tell(Msg::Paste(attempt.name().to_owned()));
        self.perform(effects).await;
        self.press("enter").await;
        self.invoke(Command::Act(attempt.action)).await;
        let review = self.board.app.acting.review.as_ref();
        assert!(
            review.is_none_or(|review| *review.draft.targets[0].name.name == *attempt.name()),
            "{review:?}"
        );
    }

    /// Fills in all that is asked for, but for what is not said; what is to be carried out then.
    async fn agree(&mut self, attempt: &Attempt, said: Said) -> Vec<Effect> {
        let name = if said == Said::NotTheName { "worker-3" } else { attempt.name() };
        let off = match said {
            Said::NotThatItIsOff => "",
            Said::OfAnotherMachine => "worker-3",
            Said::All | Said::NotTheName | Said::NotYes | Said::ReadOnly => DEAD,
        };
        if self.board.app.overlay.is_none() {
            if let Some(review) = &mut self.board.app.acting.review {
                review.draft.powered_off = off.split_whitespace().map(Text::from).collect();
            }
            if said == Said::NotYes {
                return Vec::new();
            }
            return self.tell(Told::Agree { typed: vec![name.to_owned()] }.into());
        }
        // From the field that cancels: the word, and what is stated before it.
        self.press("shift-tab").await;
        let effects = self.tell(Msg::Paste(name.to_owned()));
        self.perform(effects).await;
        self.press("shift-tab").await;
        let effects = self.tell(Msg::Paste(off.to_owned()));
        self.perform(effects).await;
        self.press("tab tab").await;
        if said != Said::NotYes {
            self.press("tab").await;
        }
        self.board.app.settle();
        self.tell(Msg::Key("enter".parse().unwrap()))
    }

    /// Lets it run until it is over, or something dangerous was sent, or nothing comes of all that was asked.
    async fn run(&mut self, effects: Vec<Effect>, turns: usize) {
        self.rounds = 0;
        self.perform(effects).await;
        // What is to arrive may have to be asked for again: the machine that this runs on is busy.
        let mut left = if turns == TURNS { TURNS } else { MORE_TURNS };
        for _ in 0..turns {
            let is_over = self.board.app.acting.under_way().next().is_none();
            if is_over || !self.ward.dangerous().is_empty() || left == 0 {
                break;
            }
            // Often there is nothing new.
            if let Ok(effects) = timeout(TURN, self.board.turn()).await {
                self.perform(effects).await;
            }
            left -= usize::from(self.rounds > 1);
        }
        let effects = self.tell(Told::Stop { reason: "the test has seen enough".to_owned() }.into());
        self.perform(effects).await;
        self.board.app.acting.review = None;
    }

    /// What the shell does for guided actions, until nothing is asked for any more. The journal takes everything.
    async fn perform(&mut self, effects: Vec<Effect>) {
        let mut open = effects;
        while let Some(effect) = open.pop() {
            let Effect::Acting(asked) = effect else { continue };
            self.ward.pass();
            let session = &self.session;
            let told = match *asked {
                Asked::Probe { run, probe } => {
                    let is_review = self.board.app.acting.review.is_some();
                    let answer = self.answer(&probe).await;
                    let is_last = matches!(probe, Probe::Node(_) | Probe::Lease(_));
                    self.rounds += usize::from(is_last && !is_review);
                    Told::Probed { run, probe, answer }
                }
                Asked::Send { run, step, call } => {
                    let answer = execute(session, &call, Mode::Real).await;
                    Told::Answered { run, step, answer }
                }
                Asked::Write(record) => Told::Written { run: record.run, written: Ok(()) },
                Asked::Run { errand, .. } => panic!("nothing is configured: {errand:?}"),
                // No case file is open.
                Asked::Trial { .. } | Asked::Look { .. } => continue,
                Asked::History { object } => {
                    let read = revisions::read(session, &object).await.map(Arc::new);
                    Told::History { object, read }
                }
            };
            open.extend(self.tell(told.into()));
        }
    }

    async fn answer(&self, probe: &Probe) -> Answer {
        let session = &self.session;
        let is_review = self.board.app.acting.review.is_some();
        match probe {
            Probe::Lease(node) => match silence::lease(session, node).await {
                Answer::Lease(mut reading) if is_review => {
                    reading.at -= READ_FOR;
                    reading.asked -= READ_FOR;
                    reading.answered -= READ_FOR;
                    Answer::Lease(reading)
                }
                answer => answer,
            },
            _ => sickbay::runtime::answer(session, probe).await,
        }
    }
}
