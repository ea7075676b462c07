//! The pictures of the README: drawn from the demo as the ordinary client sees it, nine minutes into its incident.
//!
//! The demo stands still at a moment, so each run draws the same; a screen that looks different now fails here until
//! `UPDATE=1 cargo test --test screenshots` has made its picture anew and somebody has looked at it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![cfg(feature = "demo")]

#[path = "generated/file.rs"]
mod file;
#[path = "screenshots/svg.rs"]
mod svg;

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sickbay::app::layout::Size;
use sickbay::app::link::{self, Picture};
use sickbay::app::{App, Msg};
use sickbay::cluster::{Feed, Kind, Sync, Timers};
use sickbay::demo::{Demo, Options};
use sickbay::k8s::connect::{Session, connect};
use sickbay::k8s::kubeconfig::{Env, Flags};
use sickbay::k8s::watch::{Limits, Streams, Update};
use sickbay::keymap::Keymap;
use sickbay::theme::{ColorDepth, Glyphs, Theme};
use sickbay::ui::{self, Cache, Look};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const SIZE: Size = Size { width: 100, height: 30 };

fn now() -> Timestamp {
    "2026-03-01T03:22:00Z".parse().unwrap()
}

async fn session(demo: &Demo) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    std::fs::write(&kubeconfig, demo.kubeconfig()).unwrap();
    let flags = Flags { kubeconfig: Some(kubeconfig), ..Flags::default() };
    connect(&flags, &Env::default()).await.unwrap()
}

/// An application that knows the whole demo cluster.
async fn app() -> App {
    let options = Options { from: Duration::from_mins(9), ..Options::default() };
    let demo = Demo::still(options, now()).await.unwrap();
    let session = session(&demo).await;
    let facts = link::Session {
        context: "demo".into(),
        // Its port is another one each time.
        server: "http://127.0.0.1:40000".into(),
        version: session.version.git_version.as_str().into(),
        user: session.user.as_deref().unwrap_or_default().into(),
        is_demo: true,
        ..link::Session::default()
    };
    let mut app = App::new(facts, Keymap::embedded(), Timers::of_version(session.version.minor), now());
    app.update(Msg::Resize(SIZE), now());
    let (sender, mut updates) = mpsc::channel(64);
    let scope = session.scope.clone();
    let _streams = Streams::start(Arc::new(session), &scope, sender, Limits::default());
    while !is_complete(&app) {
        if let Update::Changes(changes) = updates.recv().await.unwrap() {
            app.update(Msg::Changes(changes), now());
        }
    }
    app.settle();
    app
}

fn is_complete(app: &App) -> bool {
    let are_events_read = matches!(app.cluster.feed(Feed::Watch(Kind::Event)).sync, Sync::Live { .. });
    app.picture() == Picture::Live && app.are_leases_read() && are_events_read
}

/// What the screen shows after some keys.
fn drawn(app: &mut App, keys: &str) -> ratatui::buffer::Buffer {
    for key in keys.split_whitespace() {
        app.update(Msg::Key(key.parse().unwrap()), now());
        app.settle();
    }
    let look = Look { theme: Theme::embedded(ColorDepth::Indexed256), glyphs: Glyphs::UNICODE };
    let mut terminal = Terminal::new(TestBackend::new(SIZE.width, SIZE.height)).unwrap();
    terminal.draw(|frame| ui::draw(app, &look, &mut Cache::default(), frame)).unwrap();
    terminal.backend().buffer().clone()
}

#[tokio::test]
async fn pictures_show_what_the_screens_look_like_today() {
    let mut app = tokio::time::timeout(Duration::from_mins(1), app()).await.expect("the picture completes");
    for (name, keys, title) in [
        ("triage", "", "Triage: what is wrong, worst first, each with its clock"),
        ("nodes", "2", "Nodes: readiness and cordon apart, and the last sign of life"),
        ("pods", "3 !", "Pods with problems: their status and what they wait for"),
        ("volumes", "4", "Volumes: where each is attached against where it is wanted"),
        ("object", "2 j j j enter", "An open node: what is wrong with it, its facts, its pods"),
    ] {
        let picture = svg::svg(&drawn(&mut app, keys), title);
        file::is_up_to_date(&format!("screenshots/{name}.svg"), &picture, "screenshots");
    }
}
