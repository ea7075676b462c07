//! The board without a terminal: the ordinary connection, the streams and the application, on a server.
//!
//! It is the runtime's loop without keys and drawing, so that a test can look at what is known at any moment.

use jiff::Timestamp;
use sickbay::app::link::{self, Picture};
use sickbay::app::{App, Effect, Msg};
use sickbay::assets;
use sickbay::cluster::{Text, Timers};
use sickbay::k8s::connect::{self, Scope, Session, WhyNamespace};
use sickbay::k8s::kubeconfig::{Env, Flags};
use sickbay::k8s::watch::{Limits, LinkState, LoginState, Streams, Update};
use sickbay::keymap::{self, Keymap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Interval, interval, timeout};

/// Only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_mins(2);

pub struct Board {
    pub app: App,
    pub session: Arc<Session>,
    streams: Streams,
    updates: mpsc::Receiver<Update>,
    ticks: Interval,
}

impl Board {
    /// Connects as the program does, and shows nothing yet.
    pub async fn connect(kubeconfig: &Path, context: Option<&str>) -> Self {
        let flags = Flags {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: context.map(ToOwned::to_owned),
            ..Flags::default()
        };
        let session = Arc::new(connect::connect(&flags, &Env::default()).await.unwrap());
        let (sender, updates) = mpsc::channel(64);
        let facts = link::Session {
            context: Text::new(&session.context),
            server: Text::new(&session.server),
            version: Text::new(&session.version.git_version),
            user: Text::new(session.user.as_deref().unwrap_or_default()),
            scope: scope(&session.scope),
            is_read_only: session.read_only,
            ..link::Session::default()
        };
        let (keymap, problems) = Keymap::load(keymap::DEFAULT, &assets::keymaps());
        assert_eq!(problems, []);
        let timers = Timers::of_version(session.version.minor);
        Self {
            app: App::new(facts, keymap, timers, session.clock.now()),
            streams: Streams::start(
                Arc::clone(&session) as Arc<_>,
                &session.scope,
                sender,
                Limits::default(),
            ),
            session,
            updates,
            ticks: interval(Duration::from_secs(1)),
        }
    }

    /// The same, and waits for the whole picture.
    pub async fn live(kubeconfig: &Path) -> Self {
        let mut board = Self::connect(kubeconfig, None).await;
        board.until("a live picture", |app| app.picture() == Picture::Live && app.are_leases_read()).await;
        board
    }

    /// The server's time.
    pub fn now(&self) -> Timestamp {
        self.session.clock.now()
    }

    /// Lets everything in until something holds, and returns when that was.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&App) -> bool) -> Timestamp {
        let turning = async {
            loop {
                self.app.settle();
                if holds(&self.app) {
                    return;
                }
                self.turn().await;
            }
        };
        let came = timeout(PATIENCE, turning).await.is_ok();
        let findings: Vec<&str> = self
            .app
            .findings
            .incidents
            .iter()
            .flat_map(|one| one.findings())
            .map(|one| &*one.sentence)
            .collect();
        assert!(came, "{what} never came: {:?}, {findings:#?}", self.app.picture());
        self.now()
    }

    /// Lets in the next thing that there is, and returns what is to be carried out for it.
    pub async fn turn(&mut self) -> Vec<Effect> {
        self.streams.set_node_count(self.app.cluster.nodes.len());
        self.streams.set_suspects(self.app.suspects());
        let msg = tokio::select! {
            update = self.updates.recv() => match update.expect("the streams never end") {
                Update::Changes(changes) => Msg::Changes(changes),
                Update::Link(LinkState::Up { .. }) => Msg::Beat(Ok(())),
                Update::Link(LinkState::Down { reason }) => Msg::Beat(Err(reason)),
                Update::ServerTime(offset) => Msg::ClockOffset(offset),
                Update::Login(LoginState::Renewing) => Msg::Login(link::Login::Renewing),
                Update::Login(LoginState::Renewed) => Msg::Login(link::Login::Renewed),
                Update::Login(LoginState::Failed { reason }) => Msg::Login(link::Login::Failed { reason }),
            },
            _ = self.ticks.tick() => Msg::Tick,
        };
        let now = self.now();
        self.app.update(msg, now)
    }
}

fn scope(scope: &Scope) -> link::Scope {
    match scope {
        Scope::All => link::Scope::All,
        Scope::Namespace { name, why } => link::Scope::Namespace {
            name: Text::new(name),
            reason: match why {
                WhyNamespace::Asked => None,
                WhyNamespace::OnlyOne { reason } => Some(Text::new(reason)),
            },
        },
    }
}
