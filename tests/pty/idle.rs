//! What an idle board writes: the clocks that visibly change, and nothing else.

use crate::board::Board;
use jiff::SignedDuration;
use sickbay::app::layout::Size;
use sickbay::app::{App, Msg};
use sickbay::demo::{Demo, Options, Scenario};
use sickbay::terminal::Screen;
use sickbay::theme::{ColorDepth, DEFAULT, Glyphs, Theme};
use sickbay::ui::{self, Cache, Look};
use std::io::Write as _;
use tempfile::NamedTempFile;

/// A screen that nobody sees, which counts what it is sent.
struct Counted {
    screen: Screen,
    look: Look,
    cache: Cache,
}

impl Counted {
    fn new() -> Self {
        let theme = Theme::load(DEFAULT, &sickbay::assets::themes(), ColorDepth::Indexed256).0;
        let look = Look { theme, glyphs: Glyphs::UNICODE };
        Self { screen: Screen::over(std::io::sink(), (80, 24)).unwrap(), look, cache: Cache::default() }
    }

    /// The bytes that a frame takes.
    async fn draw(&mut self, app: &mut App) -> u64 {
        app.settle();
        let before = self.screen.written().bytes;
        let drawn = self.screen.draw(|frame| ui::draw(app, &self.look, &mut self.cache, frame));
        assert!(drawn.unwrap());
        self.screen.ready().await;
        self.screen.written().bytes - before
    }
}

/// Its clocks are those of the nodes' leases and of the youngest pods.
#[tokio::test]
async fn an_idle_board_writes_only_the_clocks_that_change() {
    let demo = Demo::start(Options { scenario: Scenario::Healthy, ..Options::default() }).await.unwrap();
    let mut kubeconfig = NamedTempFile::new().unwrap();
    kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
    let mut board = Board::live(kubeconfig.path()).await;
    let mut counted = Counted::new();
    let start = board.now();
    board.app.update(Msg::Resize(Size { width: 80, height: 24 }), start);
    for (key, most) in [("1", 0), ("2", 512), ("3", 512), ("4", 0)] {
        board.app.update(Msg::Key(key.parse().unwrap()), start);
        let whole = counted.draw(&mut board.app).await;
        assert!(whole > 500, "screen {key} is drawn");
        for second in 1..=5 {
            let now = board.app.now.max(start) + SignedDuration::from_secs(1);
            board.app.update(Msg::Tick, now);
            let bytes = counted.draw(&mut board.app).await;
            assert!(bytes <= most, "screen {key}, second {second}: {bytes} bytes");
        }
    }
}
