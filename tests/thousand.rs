//! A drain of a thousand pods against the API double: how much is asked of the server at a time, how much is drawn, and
//! that a key is never kept waiting.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "live/board.rs"]
mod board;

use board::Board;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;
use sickbay::actions::run::MOST_IN_FLIGHT;
use sickbay::actions::{Answer, Outcome, Probe};
use sickbay::app::acting::{Asked, Told};
use sickbay::app::layout::Size;
use sickbay::app::{Effect, Msg};
use sickbay::demo::{Demo, Options, Resource, Scenario};
use sickbay::k8s::connect::Session;
use sickbay::k8s::execute::{Mode, execute};
use sickbay::k8s::{access, pods};
use sickbay::theme::{ColorDepth, Glyphs, Theme};
use sickbay::ui::{self, Cache, Look};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio::task::JoinSet;

const PODS: usize = 1000;
/// Things that happen between two looks.
const LOOK: usize = 10;

/// The hands of guided actions, and how many calls they have had in them at most.
struct Hands {
    session: Arc<Session>,
    tasks: JoinSet<Told>,
    sending: usize,
    most: usize,
}

impl Hands {
    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Acting(asked) = effect else { continue };
            let session = Arc::clone(&self.session);
            match *asked {
                Asked::Send { run, step, call } => {
                    self.sending += 1;
                    self.most = self.most.max(self.sending);
                    self.tasks.spawn(async move {
                        let answer = execute(&session, &call, Mode::Real).await;
                        Told::Answered { run, step, answer }
                    });
                }
                Asked::Write(record) => {
                    self.tasks.spawn(async move { Told::Written { run: record.run, written: Ok(()) } });
                }
                Asked::Probe { run, probe } => {
                    self.tasks.spawn(async move {
                        let answer = match &probe {
                            Probe::May(access) => access::may(&session, access).await,
                            Probe::PodsOn(node) => pods::on(&session, node).await,
                            Probe::Needed(needed) => panic!("a drain needs no {}", needed.reference),
                            Probe::DryRun(call) => match execute(&session, call, Mode::DryRun).await {
                                Ok(()) => Answer::Yes,
                                Err(error) => Answer::Failed(error),
                            },
                            Probe::Autoscalers { namespace } | Probe::Quotas { namespace } => {
                                panic!("a drain asks nothing of {namespace}")
                            }
                            Probe::Lease(_)
                            | Probe::Node(_)
                            | Probe::Log { .. }
                            | Probe::Leader
                            | Probe::Others(_)
                            | Probe::Errand(_) => {
                                panic!("nobody is said to be dead: {probe:?}")
                            }
                        };
                        Told::Probed { run, probe, answer }
                    });
                }
                Asked::Look { probe } => panic!("no case file is open: {probe:?}"),
                Asked::Run { errand, .. } => panic!("a drain runs no command: {}", errand.line()),
                Asked::History { object } | Asked::Trial { object, .. } => {
                    panic!("a drain does not ask about {object}")
                }
            }
        }
    }
}

/// The screen at 80x24, as it was last drawn.
struct Screen {
    terminal: Terminal<TestBackend>,
    look: Look,
    cache: Cache,
    shown: Vec<String>,
}

impl Screen {
    fn new() -> Self {
        let look = Look { theme: Theme::embedded(ColorDepth::Ansi16), glyphs: Glyphs::UNICODE };
        let terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        Self { terminal, look, cache: Cache::default(), shown: vec![String::new(); 24] }
    }

    /// Draws, and returns which lines are others than before.
    fn draw(&mut self, board: &mut Board) -> BTreeSet<usize> {
        board.app.settle();
        let (app, look, cache) = (&board.app, &self.look, &mut self.cache);
        self.terminal.draw(|frame| ui::draw(app, look, cache, frame)).unwrap();
        let cells = self.terminal.backend().buffer().content();
        let lines: Vec<String> =
            cells.chunks(80).map(|line| line.iter().map(|cell| cell.symbol()).collect()).collect();
        let changed = (0..24).filter(|line| lines[*line] != self.shown[*line]).collect();
        self.shown = lines;
        changed
    }

    fn has(&self, text: &str) -> bool {
        self.shown.iter().any(|line| line.contains(text))
    }
}

fn press(board: &mut Board, hands: &mut Hands, keys: &str) {
    for key in keys.split(' ') {
        board.app.settle();
        let now = board.now();
        let effects = board.app.update(Msg::Key(key.parse().unwrap()), now);
        hands.take(effects);
    }
}

/// Takes in one thing that happens, wherever from.
async fn turn(board: &mut Board, hands: &mut Hands) {
    tokio::select! {
        told = hands.tasks.join_next(), if !hands.tasks.is_empty() => {
            let told = told.unwrap().unwrap();
            hands.sending -= usize::from(matches!(told, Told::Answered { .. }));
            let now = board.now();
            let effects = board.app.update(told.into(), now);
            hands.take(effects);
        }
        effects = board.turn() => hands.take(effects),
    }
}

async fn until(board: &mut Board, hands: &mut Hands, holds: impl Fn(&Board) -> bool) {
    while !holds(board) {
        turn(board, hands).await;
    }
}

/// One that needs no kubelet to end: nobody plays one here.
fn pod(number: usize) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": "shop", "name": format!("many-{number:04}"), "labels": { "app": "many" } },
        "spec": {
            "nodeName": "worker-1", "terminationGracePeriodSeconds": 0,
            "containers": [{ "name": "main", "image": "registry.example/shop/web:1" }],
        },
    })
}

#[tokio::test]
async fn a_thousand_pods_go_a_few_at_a_time_and_hold_up_no_key() {
    let options = Options { scenario: Scenario::Healthy, ..Options::default() };
    let demo = Demo::still(options, jiff::Timestamp::now()).await.unwrap();
    let mut kubeconfig = NamedTempFile::new().unwrap();
    kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
    let mut board = Board::live(kubeconfig.path()).await;
    let session = Arc::clone(&board.session);
    for number in 0..PODS {
        demo.put(Resource::Pods, pod(number));
    }
    let mut hands = Hands { session, tasks: JoinSet::new(), sending: 0, most: 0 };
    let mut screen = Screen::new();
    let now = board.now();
    board.app.update(Msg::Resize(Size { width: 80, height: 24 }), now);
    board.until("a thousand pods", |app| app.cluster.pods_on("worker-1").count() >= PODS).await;

    press(&mut board, &mut hands, "2 /");
    board.app.update(Msg::Paste("worker-1".to_owned()), now);
    // Nothing makes them anew, which is what `force` is for; and only they, by their label.
    press(&mut board, &mut hands, "enter shift-d j space j space down down down down down down");
    board.app.update(Msg::Paste("app=many".to_owned()), now);
    press(&mut board, &mut hands, "enter");
    until(&mut board, &mut hands, |board| {
        board.app.acting.review.as_ref().is_some_and(|review| review.preflight.is_settled())
    })
    .await;
    press(&mut board, &mut hands, "shift-tab");
    let now = board.now();
    board.app.update(Msg::Paste("worker-1".to_owned()), now);
    press(&mut board, &mut hands, "tab tab enter");
    assert_eq!(board.app.acting.runs.len(), 1, "{:?}", board.app.objection(&["worker-1".to_owned()]));

    screen.draw(&mut board);
    let mut turns = 0_usize;
    while !board.app.acting.runs[0].is_over() {
        turn(&mut board, &mut hands).await;
        turns += 1;
        // Drawing is most of what a test in debug mode does: now and then shows as much.
        if !turns.is_multiple_of(LOOK) {
            continue;
        }
        screen.draw(&mut board);
        // Nothing has happened since: not a cell is drawn.
        assert_eq!(screen.draw(&mut board), BTreeSet::new());
        // A key between any two things that happen is answered in the next frame, and changes what it is for alone.
        press(&mut board, &mut hands, "?");
        screen.draw(&mut board);
        assert!(screen.has("Keys on nodes"), "{:#?}", screen.shown);
        press(&mut board, &mut hands, "esc");
        screen.draw(&mut board);
    }
    assert!(hands.most > 1 && hands.most <= MOST_IN_FLIGHT, "{} at a time", hands.most);
    let run = &board.app.acting.runs[0];
    assert_eq!(run.summary().outcome, Outcome::Done, "{:#?}", screen.shown);
    let left = demo.list(Resource::Pods);
    let is_left = |pod: &&serde_json::Value| pod["metadata"]["name"].as_str().unwrap().starts_with("many-");
    assert_eq!(left.iter().filter(is_left).count(), 0);
}
