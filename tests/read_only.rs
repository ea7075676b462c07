//! A read-only session, held against everything that a user can invoke: nothing leaves but reads and access reviews.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "live/board.rs"]
mod board;

use board::Board;
use sickbay::actions::errand::{Ended, Template};
use sickbay::actions::{ActionKind, Answer, CallError, Kit, Probe, Purpose};
use sickbay::app::acting::{Asked, Told};
use sickbay::app::{Effect, Msg};
use sickbay::command::{Command, Context, Ui};
use sickbay::demo::{Demo, Options, Scenario};
use sickbay::fence;
use sickbay::k8s::connect::{Session, connect};
use sickbay::k8s::execute::{Mode, execute};
use sickbay::k8s::kubeconfig::{Env, Flags};
use sickbay::k8s::{access, limits, others, pods, references, revisions, silence};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// A board at a cluster, with the hands that do what it asks for.
struct Ward {
    demo: Demo,
    board: Board,
    /// Through which everything goes that is no watch.
    session: Session,
    /// For what configured commands were to be run.
    asked: BTreeSet<Purpose>,
    _kubeconfig: NamedTempFile,
}

/// Commands for everything, none of which is ever run.
fn kit() -> Kit {
    let template = |purpose| {
        let argv = vec!["false".to_owned(), "{node}".to_owned()];
        (purpose, Template { argv, limit: jiff::SignedDuration::from_secs(5) })
    };
    let purposes = [Purpose::SwitchOff, Purpose::CheckPower, Purpose::Probe, Purpose::RestartKubelet];
    Kit { commands: purposes.map(template).into(), means_off: "off".into(), ..Kit::default() }
}

impl Ward {
    async fn start() -> Self {
        let options = Options { scenario: Scenario::Healthy, ..Options::default() };
        let demo = Demo::still(options, jiff::Timestamp::now()).await.unwrap();
        let mut kubeconfig = NamedTempFile::new().unwrap();
        kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
        let flags =
            Flags { kubeconfig: Some(kubeconfig.path().to_owned()), read_only: true, ..Flags::default() };
        let session = connect(&flags, &Env::default()).await.unwrap();
        let mut board = Board::live(kubeconfig.path()).await;
        board.app.session.kit = Arc::new(kit());
        Self { demo, board, session, asked: BTreeSet::new(), _kubeconfig: kubeconfig }
    }

    async fn tell(&mut self, msg: Msg) {
        let now = self.board.now();
        let effects = self.board.app.update(msg, now);
        self.perform(effects).await;
    }

    async fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.board.app.settle();
            self.tell(Msg::Key(key.parse().unwrap())).await;
        }
    }

    async fn invoke(&mut self, command: Command) {
        self.board.app.settle();
        let effects = self.board.app.invoke(command);
        self.perform(effects).await;
    }

    /// What the shell does for guided actions, until nothing is asked for any more. The journal takes everything.
    async fn perform(&mut self, effects: Vec<Effect>) {
        let mut open = effects;
        while let Some(effect) = open.pop() {
            let Effect::Acting(asked) = effect else { continue };
            let session = &self.session;
            let told = match *asked {
                Asked::Probe { run, probe } => {
                    let answer = match &probe {
                        Probe::May(access) => access::may(session, access).await,
                        Probe::PodsOn(node) => pods::on(session, node).await,
                        Probe::Needed(needed) => references::written(session, needed).await,
                        Probe::Autoscalers { namespace } => limits::autoscalers(session, namespace).await,
                        Probe::Quotas { namespace } => limits::quotas(session, namespace).await,
                        Probe::Lease(node) => silence::lease(session, node).await,
                        Probe::Node(node) => silence::node(session, node).await,
                        Probe::Log { pod, container, .. } => silence::log(session, pod, container).await,
                        Probe::Leader => silence::leader(session).await,
                        Probe::Others(node) => Answer::Others(others::read(session, node).await),
                        Probe::Errand(errand) => {
                            let ran = fence::run(errand, session.read_only).await;
                            assert!(matches!(ran.ended, Ended::NotRun { .. }), "{ran:?}");
                            self.asked.insert(errand.purpose);
                            Answer::Ran(ran)
                        }
                        Probe::DryRun(call) => {
                            let tried = execute(session, call, Mode::DryRun).await;
                            assert_eq!(tried, Err(CallError::ReadOnly));
                            // Or it would not be tried in earnest.
                            Answer::Yes
                        }
                    };
                    Told::Probed { run, probe, answer }
                }
                Asked::Send { run, step, call } => {
                    let answer = execute(session, &call, Mode::Real).await;
                    assert_eq!(answer, Err(CallError::ReadOnly));
                    Told::Answered { run, step, answer }
                }
                Asked::Run { run, step, errand } => {
                    let ran = fence::run(&errand, session.read_only).await;
                    assert!(matches!(ran.ended, Ended::NotRun { .. }), "{ran:?}");
                    Told::Ran { run, step, ran }
                }
                Asked::Write(record) => Told::Written { run: record.run, written: Ok(()) },
                Asked::Trial { object, .. } => {
                    panic!("a read-only session asks whether {object} can be updated")
                }
                Asked::Look { probe } => {
                    let answer = match &probe {
                        Probe::Others(node) => Answer::Others(others::read(session, node).await),
                        Probe::Log { pod, container, .. } => silence::log(session, pod, container).await,
                        other => panic!("{other:?} is not asked for a case file"),
                    };
                    Told::Looked { probe, answer }
                }
                Asked::History { object } => {
                    let read = revisions::read(session, &object).await.map(Arc::new);
                    Told::History { object, read }
                }
            };
            let now = self.board.now();
            open.extend(self.board.app.update(told.into(), now));
        }
    }

    /// Gives the focus to this, from wherever it is; false where that cannot be had.
    async fn go(&mut self, context: Context) -> bool {
        let ui = |ui| Command::Ui(ui);
        while self.board.app.overlay.is_some() {
            self.invoke(ui(Ui::Back)).await;
        }
        self.invoke(ui(Ui::GoNodes)).await;
        self.invoke(ui(Ui::AllNamespaces)).await;
        self.invoke(ui(Ui::ClearFilter)).await;
        if self.board.app.view().is_some_and(|view| view.problems_only) {
            self.invoke(ui(Ui::ProblemsOnly)).await;
        }
        self.invoke(ui(Ui::MarkAll)).await;
        if matches!(context, Context::History | Context::Difference | Context::Patch) {
            self.invoke(ui(Ui::GoWorkloads)).await;
            self.invoke(ui(Ui::ClearFilter)).await;
            if self.board.app.view().is_some_and(|view| view.problems_only) {
                self.invoke(ui(Ui::ProblemsOnly)).await;
            }
            self.invoke(ui(Ui::Top)).await;
            // Past what has no history, however the list is sorted by now.
            for _ in 0..self.board.app.view().map_or(0, |view| view.len()) {
                self.invoke(ui(Ui::History)).await;
                if self.board.app.focus() == Context::History {
                    break;
                }
                self.invoke(ui(Ui::Down)).await;
            }
        }
        let act = Command::Act(ActionKind::Cordon);
        let drain = Command::Act(ActionKind::Drain);
        let way: &[Command] = match context {
            Context::Global | Context::Table | Context::Nodes | Context::History => &[],
            Context::Triage => &[ui(Ui::GoTriage)],
            Context::Pods => &[ui(Ui::GoPods)],
            Context::Volumes => &[ui(Ui::GoVolumes)],
            Context::Workloads => &[ui(Ui::GoWorkloads)],
            Context::Events => &[ui(Ui::GoEvents)],
            Context::Services => &[ui(Ui::GoServices)],
            Context::Object | Context::Difference => &[ui(Ui::Open)],
            Context::Help => &[ui(Ui::Help)],
            Context::Notices => &[ui(Ui::Notices)],
            Context::Prompt => &[ui(Ui::Filter)],
            Context::Palette => &[ui(Ui::Palette)],
            Context::Namespaces => &[ui(Ui::Namespaces)],
            Context::Columns => &[ui(Ui::Columns)],
            Context::Patch => &[ui(Ui::Patch)],
            Context::Review => &[act],
            Context::ReviewLine => &[act, ui(Ui::PreviousField)],
            Context::Draft => &[drain],
            Context::DraftLine => &[drain, ui(Ui::Bottom)],
            Context::Runs => &[ui(Ui::Runs)],
            // Nothing runs where it is known that nothing may.
            Context::Run if self.board.app.acting.runs.is_empty() => return false,
            Context::Run => &[ui(Ui::Runs), ui(Ui::Open)],
            Context::Journal => &[ui(Ui::Journal)],
        };
        for command in way {
            self.invoke(*command).await;
        }
        let focus = self.board.app.focus();
        // What has had one template only differs from nothing.
        if matches!(context, Context::Difference | Context::Patch) && focus == Context::History {
            return false;
        }
        let is_shared = matches!(context, Context::Global | Context::Table);
        assert!(focus == context || is_shared, "{focus:?} instead of {context:?}");
        true
    }

    /// Types whatever may be asked for and says yes in every field, as far as there are any.
    async fn agree(&mut self) {
        if self.board.app.focus() == Context::Draft {
            // What stands in the way of a drain, and the step to what the server says of it.
            self.press("j space j space enter").await;
        }
        let Some(word) = self.board.app.word_asked() else { return self.press("tab enter").await };
        self.press("shift-tab shift-tab").await;
        self.tell(Msg::Paste(word.to_string())).await;
        self.press("tab tab enter").await;
    }

    /// The requests that were no reads.
    fn writes(&self) -> BTreeSet<String> {
        let received = self.demo.faults().received();
        let writes = received.into_iter().filter(|request| request.method != "GET");
        writes.map(|request| format!("{} {}?{}", request.method, request.path, request.query)).collect()
    }
}

const REVIEWS: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews?";

#[tokio::test]
async fn whatever_is_invoked_only_reads_and_access_reviews_leave() {
    let mut ward = Ward::start().await;
    for is_known in [true, false] {
        // The application that does not know of it tries everything: the last guard is where requests are sent.
        ward.board.app.session.is_read_only = is_known;
        for command in Command::all() {
            for context in Context::ALL.iter().filter(|context| command.applies_in(**context)) {
                if !ward.go(*context).await {
                    continue;
                }
                ward.invoke(command).await;
                if ward.board.app.acting.review.is_some() {
                    ward.agree().await;
                }
            }
        }
        let runs = &ward.board.app.acting.runs;
        let begun: BTreeSet<ActionKind> = runs.iter().map(|run| run.draft.action.kind()).collect();
        // Nothing is cordoned, so there is nothing to put back; nor anything that was paused.
        let tried = BTreeSet::from([ActionKind::Cordon, ActionKind::Drain, ActionKind::Restart]);
        // What may not be changed is not even asked where that takes a command.
        let questions = BTreeSet::from([Purpose::CheckPower, Purpose::Probe]);
        assert_eq!(ward.asked, if is_known { BTreeSet::new() } else { questions });
        assert!(if is_known { begun.is_empty() } else { begun.is_superset(&tried) }, "{begun:?}");
    }
    assert_eq!(ward.writes(), BTreeSet::from([REVIEWS.to_owned()]));
}
