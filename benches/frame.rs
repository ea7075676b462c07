//! How long a board of 500 nodes and 15,000 pods takes from a batch of changes, or a key, to the drawn screen.
//! Screens: 1 Triage, 2 Nodes, 3 Pods, 4 Volumes.

use divan::Bencher;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sickbay::app::layout::Size;
use sickbay::app::link::Session;
use sickbay::app::{App, Msg};
use sickbay::cluster::{Change, Delta, Feed, FeedChange, Kind, Name, Node, Pod, Timers};
use sickbay::keymap::Keymap;
use sickbay::theme::{ColorDepth, Glyphs, Theme};
use sickbay::ui::{self, Cache, Look};
use sickbay::wire;

const NODES: usize = 500;
const PODS: usize = 15_000;
/// The incident: worker-2 is silent.
const MANIFESTS: &str = include_str!("../tests/fixtures/findings/dead-node.yaml");
const SIZE: Size = Size { width: 160, height: 48 };

fn main() {
    divan::main();
}

struct Board {
    app: App,
    now: Timestamp,
    look: Look,
    cache: Cache,
    terminal: Terminal<TestBackend>,
    pods: Vec<Pod>,
}

impl Board {
    /// One dead node, and a large cluster that is well.
    fn new() -> Self {
        let now: Timestamp = "2026-03-01T03:22:00Z".parse().expect("a time");
        let mut app = App::new(Session::default(), Keymap::embedded(), Timers::default(), now);
        app.update(Msg::Resize(SIZE), now);
        let incident = wire::manifest(MANIFESTS).expect("manifests");
        let (node, pod) = well(&incident);
        let pods: Vec<Pod> = (0..PODS).map(|number| numbered_pod(&pod, number)).collect();
        let nodes =
            (0..NODES).map(|number| Change::Node(Delta::Apply(Box::new(numbered_node(&node, number)))));
        let feeds = Kind::ALL.into_iter().map(|kind| Change::Feed(Feed::Watch(kind), FeedChange::Live));
        let changes = nodes.chain(pods.iter().map(apply)).chain(incident).chain(feeds).collect();
        app.update(Msg::Changes(changes), now);
        app.update(Msg::Beat(Ok(())), now);
        app.settle();
        Self {
            app,
            now,
            look: Look { theme: Theme::embedded(ColorDepth::Indexed256), glyphs: Glyphs::UNICODE },
            cache: Cache::default(),
            terminal: Terminal::new(TestBackend::new(SIZE.width, SIZE.height)).expect("a buffer"),
            pods,
        }
    }

    fn tell(&mut self, msg: Msg) {
        self.app.update(msg, self.now);
    }

    fn press(&mut self, key: &str) {
        self.tell(Msg::Key(key.parse().expect("a key")));
    }

    fn draw(&mut self) {
        self.app.settle();
        let (app, look, cache) = (&self.app, &self.look, &mut self.cache);
        self.terminal.draw(|frame| ui::draw(app, look, cache, frame)).expect("a buffer");
    }
}

/// A node and a pod of the fixture with which nothing is wrong.
fn well(changes: &[Change]) -> (Node, Pod) {
    let mut nodes = changes.iter().filter_map(|change| match change {
        Change::Node(Delta::Apply(node)) => Some(&**node),
        _ => None,
    });
    let pods = changes.iter().filter_map(|change| match change {
        Change::Pod(Delta::Apply(pod)) => Some(&**pod),
        _ => None,
    });
    let mut pods = pods.filter(|pod| pod.meta.deletion.is_none() && pod.node != "worker-2");
    let node = nodes.find(|node| node.meta.name.name != "worker-2").expect("a node");
    (node.clone(), pods.next().expect("a pod").clone())
}

fn numbered_node(node: &Node, number: usize) -> Node {
    let mut node = node.clone();
    node.meta.name = Name::cluster(format!("node-{number}"));
    node.meta.uid = format!("node-{number}").into();
    node
}

fn numbered_pod(pod: &Pod, number: usize) -> Pod {
    let mut pod = pod.clone();
    pod.meta.name = Name::new(format!("team-{}", number % 40), format!("web-6d4f-{number}"));
    pod.meta.uid = format!("pod-{number}").into();
    pod.node = format!("node-{}", number % NODES).into();
    pod
}

fn apply(pod: &Pod) -> Change {
    Change::Pod(Delta::Apply(Box::new(pod.clone())))
}

/// A hundred pods have changed, and the screen shows it.
#[divan::bench(args = ["1", "2", "3", "4"])]
fn batch_to_frame(bencher: Bencher<'_, '_>, screen: &str) {
    let mut board = Board::new();
    board.press(screen);
    board.draw();
    let mut round = 0;
    bencher.bench_local(|| {
        round += 1;
        let changes = (0..100).map(|step| {
            let mut pod = board.pods[(round * 7 + step * 131) % PODS].clone();
            pod.meta.resource_version = round.to_string().into();
            apply(&pod)
        });
        let changes = changes.collect();
        board.tell(Msg::Changes(changes));
        board.draw();
    });
}

/// The cursor moves a line.
#[divan::bench(args = ["1", "2", "3", "4"])]
fn key_to_frame(bencher: Bencher<'_, '_>, screen: &str) {
    let mut board = Board::new();
    board.press(screen);
    board.draw();
    bencher.bench_local(|| {
        board.press("j");
        board.draw();
    });
}

/// A second passes.
#[divan::bench]
fn second_to_frame(bencher: Bencher<'_, '_>) {
    let mut board = Board::new();
    board.draw();
    bencher.bench_local(|| {
        board.now += SignedDuration::from_secs(1);
        board.tell(Msg::Tick);
        board.draw();
    });
}
