//! A machine that dies, or only seems to, on a real control plane: what the program sends, what the controllers make
//! of it, and that nothing is sent when anything speaks against it.

use crate::actions::User;
use crate::board::Board;
use crate::cluster::{Api, Hollow, populate};
use crate::requests::{Request, Requests, seconds};
use crate::terminal::{Terminal, sickbay};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sickbay::app::App;
use sickbay::app::link::Picture;
use sickbay::cluster::{Node, Phase, Pod};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A cluster with a stateful set on block volumes, and the node of its first pod.
pub struct Ward {
    pub user: User,
    pub board: Board,
    pub api: Api,
    requests: Requests,
    pub node: String,
}

pub fn postgres(app: &App) -> impl Iterator<Item = &Pod> {
    app.cluster.pods.values().filter(|pod| pod.meta.name.name.starts_with("postgres-"))
}

pub fn row<'a>(app: &'a App, node: &str) -> &'a Node {
    app.cluster.node(node).unwrap()
}

/// All replicas run, on other nodes than this.
pub fn is_whole_without(app: &App, node: &str) -> bool {
    let running = |pod: &&Pod| pod.phase == Phase::Running && pod.is_ready() && !pod.meta.is_deleting();
    postgres(app).filter(running).filter(|pod| *pod.node != *node).count() == 3
}

impl Ward {
    pub async fn start() -> Self {
        let user = User::of(Hollow::start(5));
        let mut board = Board::live(&user.hollow.kubeconfig).await;
        let api = Api(board.session.client());
        populate(&api).await;
        board
            .until("nine pods that run, and three volumes that are attached", |app| {
                let running = app.cluster.pods.values().filter(|pod| pod.is_ready()).count();
                running == 9
                    && app.cluster.volume_attachments.values().filter(|one| one.is_attached).count() == 3
            })
            .await;
        let node = postgres(&board.app).next().unwrap().node.to_string();
        let requests = Requests::recorded(&user.hollow, &api).await;
        Self { user, board, api, requests, node }
    }

    /// Another node with a replica and its volume.
    fn turns_to_another_node(&mut self) {
        let ready = postgres(&self.board.app).filter(|pod| pod.is_ready() && !pod.meta.is_deleting());
        let other = ready.map(|pod| pod.node.to_string()).find(|other| *other != self.node);
        self.node = other.unwrap();
    }

    /// The machine fails in this way, and the control plane has seen it.
    pub async fn fails(&mut self, fault: &str) {
        self.api.faults(json!({ (fault): self.node })).await;
        let node = self.node.clone();
        self.board.until("the node to fail", |app| !row(app, &node).is_ready()).await;
    }

    pub async fn heals(&self, fault: &str) {
        self.api.faults(json!({ (fault): "" })).await;
    }

    fn force_detach(&self, more: &[&'static str]) -> Vec<String> {
        let node = self.node.as_str();
        let words = ["run", "force-detach", node, "--yes", "--confirm", node, "--powered-off", node];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    async fn run(&self, words: &[String]) -> (i32, String) {
        self.user.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    pub async fn run_words(&self, words: &[&str]) -> (i32, String) {
        self.user.run(words).await
    }

    /// What was recorded as done, by the kind of its call.
    pub fn done(&self) -> Vec<String> {
        let mut records = self.user.records();
        // Each run has a file of its own.
        records.sort_by_key(|record| record["at"].as_str().unwrap().to_owned());
        let steps = records.iter().filter(|record| record["record"] == "step" && record["result"] == "done");
        steps.filter_map(|step| Some(step["call"].as_str()?.to_owned())).collect()
    }
}

/// A run that goes on while the test does something else.
pub struct Going {
    child: Child,
    lines: Receiver<String>,
    told: String,
}

impl Going {
    pub fn begin(user: &User, words: &[String]) -> Self {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Self::spawned(user.command(&words))
    }

    fn spawned(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            while let Some(Ok(line)) = err.next() {
                // The test may have heard enough.
                let _ended = sender.send(line);
            }
        });
        Self { child, lines, told: String::new() }
    }

    /// Waits until it tells this.
    pub fn until(&mut self, words: &str) {
        while !self.told.contains(words) {
            let line = self.lines.recv_timeout(Duration::from_mins(2));
            let line = line.unwrap_or_else(|_| panic!("it did not tell {words:?}:\n{}", self.told));
            self.told.push_str(&line);
            self.told.push('\n');
        }
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    pub async fn end(self) -> (i32, String) {
        let Self { child, lines, mut told } = self;
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        for line in &lines {
            told.push_str(&line);
            told.push('\n');
        }
        told.push_str(&String::from_utf8(ended.stdout).unwrap());
        (ended.status.code().unwrap_or(-1), told)
    }
}

const MARKED: &str = "mark node";

/// Every replica runs elsewhere within a minute after the mark, by the clock of the API server's log.
async fn assert_whole_within_a_minute(ward: &mut Ward, mark: &Request) {
    let node = ward.node.clone();
    ward.board.until("every replica elsewhere", |app| is_whole_without(app, &node)).await;
    let now = ward.requests.all().last().unwrap().at;
    let took = seconds(mark.at, now);
    assert!(took < 60.0, "{took} s");
}

/// What was changed of the node, and carried out: so many requests, of which the second is the mark.
fn mark(ward: &Ward, many: usize) -> Request {
    let changes = ward.requests.changes(&ward.node, many);
    ward.requests.assert_proved(&ward.node, &changes[1]);
    changes[1].clone()
}

fn board(ward: &Ward, home: &str) -> Terminal {
    let kubeconfig = ward.user.hollow.kubeconfig.to_str().unwrap();
    let start = sickbay(&["--kubeconfig", kubeconfig]).env("XDG_STATE_HOME", home).size(160, 48);
    let mut terminal = start.start();
    terminal.wait_for("worker-");
    // The node alone, under the cursor.
    terminal.press("2/");
    terminal.press(&ward.node);
    terminal.press("\r");
    terminal
}

#[tokio::test]
async fn a_dead_node_is_detached_and_returned_from_the_screen() {
    let mut ward = Box::pin(Ward::start()).await;
    let node = ward.node.clone();
    let at = &node;
    ward.fails("down").await;
    let home = tempfile::tempdir().unwrap();
    let mut terminal = board(&ward, home.path().to_str().unwrap());
    terminal.wait_for(&format!("▸ {node}"));
    terminal.press("fd");
    terminal.wait_for("nothing proves that");
    // Backwards from the field that cancels: the name, and what is stated of the machine; and on to agree.
    terminal.press("\u{1b}[Z");
    terminal.press(at);
    terminal.press("\u{1b}[Z");
    terminal.press(at);
    terminal.press("\t");
    terminal.wait_for("Nothing speaks against it; all is read again right before");
    terminal.press("\t\t\r");
    ward.board.until("the mark", |app| row(app, at).is_out_of_service()).await;
    let mark = mark(&ward, 2);
    assert_whole_within_a_minute(&mut ward, &mark).await;
    ward.board.until("no attachment", |app| app.cluster.attachments_on(at).next().is_none()).await;
    terminal.wait_for("done");
    ward.heals("down").await;
    ward.board.until("the node is back", |app| row(app, at).is_ready()).await;
    // By itself: with a letter right after it, it is another key.
    terminal.press("\u{1b}");
    terminal.wait_until("the list", |screen| !screen.contents().contains(" Runs "));
    terminal.press("fr");
    terminal.wait_for("Return to service node");
    terminal.wait_until("all answers", |screen| {
        let text = screen.contents();
        text.contains("dry run of take the out-of-service mark off") && !text.contains("answers awaited")
    });
    terminal.press("\t\r");
    ward.board
        .until("a node as new", |app| !row(app, at).is_out_of_service() && !row(app, at).is_cordoned())
        .await;
    assert!(is_whole_without(&ward.board.app, &node));
    // Cordon, mark, and both of the way back.
    ward.requests.changes(at, 4);
    let others: Vec<Request> = ward.requests.writes();
    assert!(
        others.iter().all(|request| request.path.starts_with(&format!("/api/v1/nodes/{node}?"))),
        "{others:#?}"
    );
}

#[tokio::test]
async fn a_dead_node_is_detached_by_two_at_once_and_returns_clean() {
    let mut ward = Box::pin(Ward::start()).await;
    let node = ward.node.clone();
    // Nobody is told that a machine that runs is dead.
    let (code, text) = ward.run(&ward.force_detach(&[])).await;
    assert!(code == 4 && text.contains("is Ready: its kubelet talks"), "{text}");
    ward.fails("down").await;
    ward.board
        .until("a stateful pod that hangs", |app| postgres(app).any(|pod| pod.meta.is_deleting()))
        .await;
    let (code, text) = ward.run_words(&["run", "force-detach", &node, "--yes", "--confirm", &node]).await;
    assert!(code == 4 && text.contains("nothing proves that"), "{text}");
    let (code, text) = ward.run(&ward.force_detach(&["--context", "viewer"])).await;
    assert!(code == 4 && text.contains("you may not patch nodes"), "{text}");
    let (code, text) = ward.run_words(&["run", "return-to-service", &node, "--yes"]).await;
    assert!(code == 4 && text.contains("it has not come back"), "{text}");
    assert!(!row(&ward.board.app, &node).is_out_of_service());
    assert_eq!(ward.requests.changes_of(&node).len(), 0, "nothing was agreed to");

    // Somebody else, with a journal of their own.
    let elsewhere = tempfile::tempdir().unwrap();
    let words = ward.force_detach(&[]);
    let mut command = ward.user.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    command.env("XDG_STATE_HOME", elsewhere.path()).env("USER", "bob");
    let second = Going::spawned(command);
    let mut first = Going::begin(&ward.user, &ward.force_detach(&[]));
    first.until("looking whether the machine is dead");
    let at = &node;
    ward.board.until("the mark", |app| row(app, at).is_out_of_service()).await;
    let mark = mark(&ward, 2);
    assert_whole_within_a_minute(&mut ward, &mark).await;
    let (code, text) = first.end().await;
    assert_eq!(code, 0, "{text}");
    let (code, more) = second.end().await;
    assert_eq!(code, 0, "{more}");
    let marks = [&text, &more].iter().filter(|text| text.contains(&done_mark(&node))).count();
    assert_eq!(marks, 1, "one of them puts the mark:\n{text}\n{more}");
    assert!(text.contains("states that"), "{text}");
    ward.board.until("no attachment", |app| app.cluster.attachments_on(at).next().is_none()).await;

    ward.heals("down").await;
    ward.board.until("the node is back", |app| row(app, at).is_ready()).await;
    let (code, text) = ward.run_words(&["run", "return-to-service", &node, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    ward.board
        .until("a node as new", |app| !row(app, at).is_out_of_service() && !row(app, at).is_cordoned())
        .await;
    assert!(is_whole_without(&ward.board.app, &node));
}

/// How a run tells that it has put the mark.
fn done_mark(node: &str) -> String {
    format!("{MARKED} {node} out of service: its pods are released and its volumes detached: done")
}

#[tokio::test]
async fn a_partition_that_heals_is_no_death() {
    let mut ward = Box::pin(Ward::start()).await;
    let node = ward.node.clone();
    let at = &node;
    // By its own word not ready: it lives.
    ward.fails("notready").await;
    let (code, text) = ward.run(&ward.force_detach(&[])).await;
    assert!(code == 4 && text.contains("NotReady by its own word"), "{text}");
    assert_eq!(ward.requests.changes_of(&node).len(), 0);
    ward.heals("notready").await;
    ward.board.until("the node is ready", |app| row(app, at).is_ready()).await;

    // Before the mark: nothing is sent.
    ward.fails("partitioned").await;
    let before: Vec<_> = postgres(&ward.board.app).map(|pod| pod.meta.uid.clone()).collect();
    let mut going = Going::begin(&ward.user, &ward.force_detach(&[]));
    going.until("looking whether the machine is dead");
    ward.heals("partitioned").await;
    let (code, text) = going.end().await;
    assert_eq!(code, 5, "{text}");
    assert_eq!(ward.done(), ["cordon"], "{text}");
    assert_eq!(ward.requests.changes_of(&node).len(), 1, "the cordon");
    ward.board.until("the node is ready", |app| row(app, at).is_ready()).await;
    assert!(!row(&ward.board.app, &node).is_out_of_service());
    let left = postgres(&ward.board.app).filter(|pod| before.contains(&pod.meta.uid)).count();
    assert!(left >= 2, "what was told to go by the controllers is theirs");

    // After it: it is taken off at once, and nothing else is sent. Another node, because that one is empty by now.
    ward.turns_to_another_node();
    let node = ward.node.clone();
    let at = &node;
    ward.fails("partitioned").await;
    let going = Going::begin(&ward.user, &ward.force_detach(&[]));
    ward.board.until("the mark", |app| row(app, at).is_out_of_service()).await;
    ward.heals("partitioned").await;
    ward.board.until("the mark is off", |app| !row(app, at).is_out_of_service()).await;
    let (code, text) = going.end().await;
    assert_taken_off_at_once(&ward);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("a sign of life"), "{text}");
    assert_eq!(ward.done(), ["cordon", "cordon", "out-of-service", "unmark"], "{text}");
    assert!(row(&ward.board.app, &node).is_cordoned(), "the cordon stays");
}

/// From the first sign of life that the API shows to the end of the mark, and that nothing else was sent.
fn assert_taken_off_at_once(ward: &Ward) {
    let mark = mark(ward, 3);
    let off = &ward.requests.changes(&ward.node, 3)[2];
    let life = ward.requests.life(&ward.node, mark.at).unwrap();
    let took = seconds(life.at, off.at);
    assert!(took < 2.0, "{took} s: {life:?} {off:?}");
    // One that came too late for the version that it was for is the same request.
    let path = format!("/api/v1/nodes/{}?fieldManager=sickbay", ward.node);
    let writes = ward.requests.writes();
    let others: Vec<&Request> = writes.iter().filter(|one| one.at > mark.at && one.path != path).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn a_driver_that_refuses_is_told_and_a_machine_that_boots_in_the_middle_stops_it() {
    let mut ward = Box::pin(Ward::start()).await;
    let node = ward.node.clone();
    let at = &node;
    let volume = {
        let attachment = ward.board.app.cluster.attachments_on(&node).next().unwrap();
        attachment.volume.to_string()
    };
    ward.api.faults(json!({ "detach-fails": volume })).await;
    ward.fails("down").await;
    let mut going = Going::begin(&ward.user, &ward.force_detach(&[]));
    going.until("hollow.csi says");
    // Its attachment is to go already, so that it cannot be asked for once more.
    let attachment = ward.board.app.cluster.attachments_on(&node).next().unwrap().meta.name.name.to_string();
    let words =
        ["run", "delete-attachment", &attachment, "--yes", "--confirm", &attachment, "--powered-off", &node];
    let (code, text) = ward.run_words(&words).await;
    assert!(code == 4 || (code == 0 && text.contains("is to go already")), "{code} {text}");
    going.interrupt();
    let (code, text) = going.end().await;
    assert_eq!(code, 5, "{text}");
    ward.board.until("the mark", |app| row(app, at).is_out_of_service()).await;

    // Taken up, and the driver does it after all.
    let mut going = Going::begin(&ward.user, &ward.force_detach(&[]));
    going.until("waiting: still attached");
    ward.api.faults(json!({ "detach-fails": "" })).await;
    let (code, text) = going.end().await;
    assert_eq!(code, 0, "{text}");
    ward.board.until("every replica elsewhere", |app| is_whole_without(app, at)).await;
    mark(&ward, 2);

    // On another node the machine boots in the middle.
    ward.heals("down").await;
    ward.board.until("the node is back", |app| row(app, at).is_ready()).await;
    let (code, text) = ward.run_words(&["run", "return-to-service", &node, "--yes"]).await;
    assert_eq!(code, 0, "{text}");
    ward.turns_to_another_node();
    let node = ward.node.clone();
    let at = &node;
    let volume = ward.board.app.cluster.attachments_on(&node).next().unwrap().volume.to_string();
    ward.api.faults(json!({ "detach-fails": volume })).await;
    ward.fails("down").await;
    let mut going = Going::begin(&ward.user, &ward.force_detach(&[]));
    going.until("waiting: still attached");
    ward.heals("down").await;
    ward.board.until("the mark is off", |app| !row(app, at).is_out_of_service()).await;
    let (code, text) = going.end().await;
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("a sign of life"), "{text}");
    assert_taken_off_at_once(&ward);
    let words = ward.user.records();
    let asked = words.iter().filter(|record| record["call"] == "delete-attachment").count();
    assert_eq!(asked, 0, "{words:?}");
}

#[tokio::test]
async fn a_node_that_registers_afresh_and_a_picture_that_is_old_clear_nothing() {
    let mut ward = Box::pin(Ward::start()).await;
    let node = ward.node.clone();
    ward.fails("down").await;
    let mut going = Going::begin(&ward.user, &ward.force_detach(&[]));
    going.until("looking whether the machine is dead");
    let old = row(&ward.board.app, &node).meta.uid.clone();
    ward.api.delete(&format!("/api/v1/nodes/{node}"), &Value::Null).await;
    ward.heals("down").await;
    let at = &node;
    let is_anew = |app: &App| app.cluster.node(at).is_some_and(|row| row.meta.uid != old);
    ward.board.until("a node created anew", is_anew).await;
    let (code, text) = going.end().await;
    assert_eq!(code, 5, "{text}");
    assert_eq!(ward.done(), ["cordon"], "{text}");
    assert!(!row(&ward.board.app, &node).is_out_of_service());

    // On another node the API server hangs in the middle.
    ward.turns_to_another_node();
    let node = ward.node.clone();
    ward.fails("down").await;
    let mut going = Going::begin(&ward.user, &ward.force_detach(&[]));
    going.until("looking whether the machine is dead");
    kill_process(ward.user.hollow.process("kube-apiserver"), Signal::STOP).unwrap();
    let (code, text) = going.end().await;
    kill_process(ward.user.hollow.process("kube-apiserver"), Signal::CONT).unwrap();
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("not sent: what is known may be old"), "{text}");
    // What was on its way when it hung would arrive now.
    ward.board.until("the outage to be noticed", |app| app.picture() != Picture::Live).await;
    ward.board.until("a live picture", |app| app.picture() == Picture::Live).await;
    assert!(!row(&ward.board.app, &node).is_out_of_service());
    assert_eq!(ward.requests.changes_of(&node).len(), 1, "the cordon");
}
