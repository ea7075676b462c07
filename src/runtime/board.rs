//! The loop of the board.
//!
//! A key is answered at once. What comes from the cluster is gathered: at most ten frames a second are drawn for
//! it, and none while the last one has not left, so a slow link carries few bytes and never holds up the streams.

use super::hands::Hands;
use super::settings::Settings;
use super::start::Connection;
use super::{Outcome, fail, message};
use crate::app::arranged::Arranged;
use crate::app::layout::Size;
use crate::app::notice::Weight;
use crate::app::{App, Effect, Msg};
use crate::clipboard::{self, Clipboard};
use crate::k8s;
use crate::k8s::watch::{Limits, Streams, Update};
use crate::state;
use crate::terminal::{Environment, Input, Inputs, Pointer, Screen, Signal, Signals};
use crate::theme::Glyphs;
use crate::ui::{self, Cache};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// Between two frames that are drawn for what the cluster does.
const DATA_FRAME: Duration = Duration::from_millis(100);
/// Updates on their way to the loop; more hold the streams up.
const QUEUE: usize = 64;
/// Updates that are taken before the loop looks at the keys again.
const BATCH: usize = 64;

struct Board {
    /// In a place of its own: the loop is moved, and the lists are not small.
    app: Box<App>,
    look: ui::Look,
    cache: Cache,
    screen: Screen,
    inputs: Inputs,
    signals: Signals,
    streams: Streams,
    updates: mpsc::Receiver<Update>,
    /// What guided actions need is done by them.
    hands: Hands,
    clock: k8s::clock::Clock,
    over_ssh: bool,
    /// Where what is arranged is kept, and what of it the config sets.
    state: Option<PathBuf>,
    set: Arranged,
    /// What tmux says of a text that it was given.
    copying: Option<JoinHandle<Result<(), String>>>,
    /// When the next frame is due, if something has changed.
    due: Option<Instant>,
    drawn: Instant,
}

pub async fn run(
    connection: Connection,
    (environment, has_mouse): (&Environment, bool),
    signals: Signals,
    settings: Settings,
) -> Outcome {
    let mut app = Box::new(connection.app(&settings));
    let now = connection.session.clock.now();
    for notice in settings.notices() {
        app.update(Msg::Say(Weight::Warning, notice), now);
    }
    let state = state::place(std::env::var_os("XDG_STATE_HOME"), std::env::home_dir().map(Into::into));
    app.restore(&settings.arranged());
    match state.as_deref().map(state::read) {
        Some(Ok(arranged)) => app.restore(&arranged),
        Some(Err(error)) => drop(app.update(Msg::Say(Weight::Warning, format!("{error:#}")), now)),
        None => {}
    }
    let shows_unicode = settings.shows_unicode(environment);
    let look = ui::Look { theme: settings.theme(environment), glyphs: Glyphs::for_utf8(shows_unicode) };
    let (sender, updates) = mpsc::channel(QUEUE);
    let session = Arc::clone(&connection.session);
    let hands = Hands::new(Arc::clone(&session), connection.journal());
    app.update(connection.past().into(), now);
    let keeper = tokio::spawn({
        let session = Arc::clone(&session);
        async move { session.keep_fresh().await }
    });
    let clock = session.clock.clone();
    let scope = session.scope.clone();
    let entered = if has_mouse { Screen::enter_with_mouse() } else { Screen::enter() };
    let screen = match entered {
        Ok(screen) => screen.ascii_only(!shows_unicode),
        Err(error) => return fail(&format!("could not take the terminal: {error}")),
    };
    let board = Board {
        app,
        look,
        cache: Cache::default(),
        screen,
        inputs: Inputs::new(environment.over_ssh),
        signals,
        streams: Streams::start(session, &scope, sender, Limits::default()),
        updates,
        hands,
        clock,
        over_ssh: environment.over_ssh,
        state,
        set: settings.arranged(),
        copying: None,
        due: Some(Instant::now()),
        drawn: Instant::now(),
    };
    let outcome = board.run().await;
    keeper.abort();
    outcome
}

/// Why the loop ends.
enum End {
    Quit,
    Signal(u8),
    Broken(std::io::Error),
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Board {
    async fn run(mut self) -> Outcome {
        let end = self.turn().await;
        // The terminal is given back before anything is said on it.
        drop(self);
        match end {
            End::Quit => Outcome::Done,
            End::Signal(code) => Outcome::Signal(code),
            End::Broken(error) => fail(&format!("the terminal failed: {error}")),
        }
    }

    async fn turn(&mut self) -> End {
        match crossterm::terminal::size() {
            Ok((width, height)) => self.tell(Msg::Resize(Size { width, height })),
            Err(error) => return End::Broken(error),
        };
        let mut ticks: Interval = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            if let Err(end) = self.draw_if_due() {
                return end;
            }
            let due = self.due.filter(|_| self.screen.is_ready());
            let is_held_up = self.due.is_some() && due.is_none();
            let step = tokio::select! {
                biased;
                signal = self.signals.next() => self.take_signal(signal),
                input = self.inputs.next() => self.take_input(input),
                () = sleep_until(due.unwrap_or(self.drawn)), if due.is_some() => Ok(()),
                () = self.screen.ready(), if is_held_up => Ok(()),
                _ = ticks.tick() => {
                    self.tell(Msg::Tick);
                    self.draw_at(Instant::now());
                    Ok(())
                }
                told = self.hands.told() => {
                    self.tell(told.into());
                    self.draw_at(Instant::now());
                    Ok(())
                }
                copied = async { self.copying.as_mut()?.await.ok() }, if self.copying.is_some() => {
                    self.copying = None;
                    let copied = copied.unwrap_or_else(|| Err("the copying was cut off".to_owned()));
                    self.tell(match copied {
                        Ok(()) => Msg::Say(Weight::Hint, "copied, by tmux".to_owned()),
                        Err(reason) => Msg::Say(Weight::Warning, format!("not copied: {reason}")),
                    });
                    self.draw_at(Instant::now());
                    Ok(())
                }
                many = self.updates.recv_many(&mut batch, BATCH) => {
                    if many == 0 {
                        return End::Broken(std::io::Error::other("the streams have ended"));
                    }
                    for update in batch.drain(..) {
                        self.take_update(update);
                    }
                    self.draw_at(self.drawn + DATA_FRAME);
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Tells the application, and returns what is to be done to the terminal and the streams for it.
    fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = self.app.update(msg, self.clock.now());
        self.hands.take_all(effects)
    }

    /// Something has changed: a frame is due by then.
    fn draw_at(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    fn draw_if_due(&mut self) -> Result<(), End> {
        if self.due.is_none_or(|due| due > Instant::now()) || !self.screen.is_ready() {
            return Ok(());
        }
        self.app.settle();
        self.streams.set_node_count(self.app.cluster.nodes.len());
        self.streams.set_suspects(self.app.suspects());
        let (app, look, cache) = (&self.app, &self.look, &mut self.cache);
        self.screen.draw(|frame| ui::draw(app, look, cache, frame))?;
        self.due = None;
        self.drawn = Instant::now();
        Ok(())
    }

    fn take_update(&mut self, update: Update) {
        self.tell(message(update));
    }

    fn take_input(&mut self, input: Input) -> Result<(), End> {
        // What a key does depends on what the one before made of the lists, and a slow terminal may not have been drawn
        // since: an action must not find the row that was under the cursor before the filter was typed.
        self.app.settle();
        let msg = match input {
            Input::Key(key) => Msg::Key(key),
            Input::Paste(text) => Msg::Paste(text),
            Input::Resize(width, height) => {
                self.screen.resize(width, height)?;
                Msg::Resize(Size { width, height })
            }
            Input::Pointer(Pointer::Press(column, row)) => match self.cache.target(column, row) {
                Some(target) => Msg::Click(target.clone()),
                None => return Ok(()),
            },
            Input::Pointer(Pointer::WheelUp) => Msg::Wheel(-1),
            Input::Pointer(Pointer::WheelDown) => Msg::Wheel(1),
            Input::Focus(_) => return Ok(()),
            // Nobody can see or press anything any more: as if the line had been hung up.
            Input::Closed => return Err(End::Signal(129)),
        };
        for effect in self.tell(msg) {
            self.carry_out(effect)?;
        }
        self.draw_at(Instant::now());
        Ok(())
    }

    fn take_signal(&mut self, signal: Signal) -> Result<(), End> {
        match signal {
            Signal::Stop(stop) => Err(End::Signal(stop.exit_code())),
            Signal::Continued => {
                self.screen.resume()?;
                self.resized()
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), End> {
        match effect {
            Effect::Quit => Err(End::Quit),
            Effect::Acting(asked) => {
                self.hands.take(*asked);
                Ok(())
            }
            Effect::Redraw => Ok(self.screen.redraw()?),
            Effect::Refresh => {
                self.streams.refresh();
                Ok(())
            }
            Effect::Remember => {
                self.remember();
                Ok(())
            }
            Effect::Copy(text) => self.copy(text),
            Effect::Suspend => {
                self.screen.suspend(&self.signals)?;
                self.inputs = Inputs::new(self.over_ssh);
                self.resized()
            }
        }
    }

    fn copy(&mut self, text: String) -> Result<(), End> {
        match Clipboard::of_environment() {
            Clipboard::Tmux => {
                self.copying = Some(tokio::task::spawn_blocking(move || clipboard::to_tmux(&text)));
            }
            Clipboard::Terminal if text.len() > clipboard::LONGEST => {
                let kib = text.len() >> 10;
                let words = format!("not copied: {kib} KiB are more than terminals take; use `sickbay plan`");
                self.tell(Msg::Say(Weight::Warning, words));
            }
            Clipboard::Terminal => {
                self.screen.copy(&text)?;
                self.tell(Msg::Say(Weight::Hint, "sent to the terminal's clipboard".to_owned()));
            }
        }
        Ok(())
    }

    /// Keeps what the config does not say. Not done is told: the screen stays as it is for as long as it runs.
    fn remember(&mut self) {
        let Some(folder) = &self.state else { return };
        let arranged = self.app.arranged().beyond(&self.set);
        if let Err(error) = state::write(folder, &arranged) {
            self.tell(Msg::Say(Weight::Warning, format!("what you arranged is not remembered: {error:#}")));
        }
    }

    /// The terminal may have another size than before.
    fn resized(&mut self) -> Result<(), End> {
        let (width, height) = crossterm::terminal::size()?;
        self.tell(Msg::Resize(Size { width, height }));
        self.draw_at(Instant::now());
        Ok(())
    }
}
