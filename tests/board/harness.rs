//! A board without a terminal, a cluster or a clock: fixtures in, keys in, the drawn screen out.

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sickbay::app::acting::Asked;
use sickbay::app::layout::Size;
use sickbay::app::link::Session;
use sickbay::app::{App, Effect, Msg};
use sickbay::cluster::{Change, Feed, FeedChange, Kind, Timers};
use sickbay::key::Key;
use sickbay::keymap::Keymap;
use sickbay::theme::{ColorDepth, Glyphs, Theme};
use sickbay::ui::{self, Cache, Look};

pub struct Board {
    pub app: App,
    pub now: Timestamp,
    look: Look,
    cache: Cache,
    terminal: Terminal<TestBackend>,
}

impl Board {
    /// Connected, and nothing read yet.
    pub fn new(width: u16, height: u16) -> Self {
        let now: Timestamp = "2026-03-01T03:22:00Z".parse().unwrap();
        let session = Session {
            context: "prod".into(),
            server: "https://10.0.0.1:6443".into(),
            version: "v1.36.2".into(),
            user: "ops".into(),
            ..Session::default()
        };
        let mut app = App::new(session, Keymap::embedded(), Timers::default(), now);
        app.update(Msg::Resize(Size { width, height }), now);
        Self {
            app,
            now,
            look: Look { theme: Theme::embedded(ColorDepth::Indexed256), glyphs: Glyphs::UNICODE },
            cache: Cache::default(),
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
        }
    }

    /// The incident and what runs beside it, all of it read and live.
    pub fn incident(width: u16, height: u16) -> Self {
        let mut board = Self::new(width, height);
        board.read(include_str!("../fixtures/findings/dead-node.yaml"));
        board.read(include_str!("../fixtures/board.yaml"));
        board.go_live();
        board
    }

    /// On the screen that lists the nodes, with this in the cluster, and an operator who may act on it.
    pub fn at_nodes(world: &str, (width, height): (u16, u16)) -> Self {
        let mut board = Self::new(width, height);
        let session = &mut board.app.session;
        (session.operator, session.tag) = ("alice@bastion".into(), "k3f9".into());
        board.read(world);
        board.go_live();
        board.press("2");
        board
    }

    pub fn read(&mut self, manifests: &str) {
        self.tell(Msg::Changes(sickbay::wire::manifest(manifests).unwrap()));
    }

    pub fn go_live(&mut self) {
        for kind in Kind::ALL {
            self.feed(kind, FeedChange::Live);
        }
        self.tell(Msg::Beat(Ok(())));
    }

    pub fn feed(&mut self, kind: Kind, change: FeedChange) {
        self.tell(Msg::Changes(vec![Change::Feed(Feed::Watch(kind), change)]));
    }

    pub fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        self.app.update(msg, self.now)
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.tell(Msg::Tick);
    }

    /// Presses keys, written as in a keymap and separated by blanks; the effects of the last one.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in keys.split(' ') {
            // What a key does may depend on what the one before made of the lists.
            self.app.settle();
            effects = self.tell(Msg::Key(key.parse::<Key>().unwrap()));
        }
        effects
    }

    /// Presses the mouse on the first place where this is written.
    pub fn click(&mut self, text: &str) {
        let screen = self.screen();
        let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
        let column = line[..line.find(text).unwrap()].chars().count();
        let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        let target = self.cache.target(column, row).unwrap().clone();
        self.tell(Msg::Click(target));
        self.app.settle();
    }

    pub fn type_text(&mut self, text: &str) {
        self.tell(Msg::Paste(text.to_owned()));
    }

    /// Draws, and returns the text of the screen.
    pub fn screen(&mut self) -> String {
        self.app.settle();
        let (app, look, cache) = (&self.app, &self.look, &mut self.cache);
        self.terminal.draw(|frame| ui::draw(app, look, cache, frame)).unwrap();
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width);
        let lines = buffer.content().chunks(width).map(|cells| {
            let line: String = cells.iter().map(|cell| cell.symbol()).collect();
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The line of the screen that the cursor is on.
    pub fn selected(&mut self) -> String {
        let screen = self.screen();
        let line = screen.lines().find(|line| line.starts_with(['▸', '→']));
        line.unwrap_or_default().trim_start_matches(['▸', '→']).trim().to_owned()
    }
}

/// What a guided action asks for, and nothing else is.
pub fn asked(effects: Vec<Effect>) -> Vec<Asked> {
    let asked = effects.into_iter().map(|effect| match effect {
        Effect::Acting(asked) => *asked,
        other => panic!("{other:?}"),
    });
    asked.collect()
}
