//! The terminal is given back, and the process ends, whatever goes wrong: tried on a real pseudo-terminal.
//!
//! Each test starts this same executable again as the program in the terminal: only its `child` test, told by a
//! variable how to fail. So nothing in the product has to know how to fail on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use sickbay::terminal::{self, Input, Inputs, Screen, Signals};
use std::io::{Read, Write as _};
use std::num::NonZero;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const FAILURE: &str = "TERMINAL_TEST_FAILURE";
/// Far more than anything here takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Not a test by itself: what runs in the terminal when another test starts it there.
#[test]
fn child() {
    let Ok(failure) = std::env::var(FAILURE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let code = runtime.block_on(async {
        let mut signals = Signals::watch().unwrap();
        let has_mouse = failure.ends_with("with the mouse");
        let mut screen = if has_mouse { Screen::enter_with_mouse() } else { Screen::enter() }.unwrap();
        let mut inputs = Inputs::new(false);
        screen.draw(|frame| frame.render_widget("calm", frame.area())).unwrap();
        // What goes wrong goes wrong at the first key.
        tokio::select! {
            input = inputs.next() => assert!(matches!(input, Input::Key(_)), "{input:?}"),
            signal = signals.next() => return code(signal),
        }
        screen.ready().await;
        screen.draw(|frame| frame.render_widget("WRONG", frame.area())).unwrap();
        screen.ready().await;
        match failure.as_str() {
            "panic" | "panic with the mouse" => panic!("the loop fell over"),
            "panic in a task" => drop(tokio::spawn(async { panic!("a task fell over") })),
            "stuck" => loop {
                std::thread::park();
            },
            _ => {}
        }
        code(signals.next().await)
    });
    std::process::exit(code);
}

fn code(signal: terminal::Signal) -> i32 {
    match signal {
        terminal::Signal::Stop(stop) => stop.exit_code().into(),
        terminal::Signal::Continued => 0,
    }
}

/// A terminal with the child in it.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    reader: Box<dyn Read + Send>,
    parser: vt100::Parser,
    /// Everything that was sent so far: the screen may show it for a moment only. One word at a time, as the
    /// gaps between words need not be sent.
    sent: Vec<u8>,
    ended: mpsc::Receiver<ExitStatus>,
    process: Pid,
    /// How the terminal was set before.
    before: String,
}

impl Terminal {
    /// Starts the child and goes on when it is about to go wrong.
    fn start(failure: &str) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        let before = modes(&*pair.master);
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["child", "--exact", "--nocapture"]);
        command.env(FAILURE, failure);
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        let mut child = pair.slave.spawn_command(command).unwrap();
        // Or the end of the child would not be the end of what can be read.
        drop(pair.slave);
        let process = child.process_id().and_then(|id| Pid::from_raw(id.try_into().unwrap())).unwrap();
        let (end, ended) = mpsc::channel();
        std::thread::spawn(move || end.send(child.wait().unwrap()));
        let parser = vt100::Parser::new(NonZero::new(24).unwrap(), NonZero::new(80).unwrap(), 0);
        let reader = pair.master.try_clone_reader().unwrap();
        let mut terminal =
            Self { master: pair.master, reader, parser, sent: Vec::new(), ended, process, before };
        terminal.read_until("calm");
        let mouse = terminal.parser.screen().mouse_protocol_mode();
        // Moves are never asked for.
        let wanted = if failure.ends_with("with the mouse") {
            vt100::MouseProtocolMode::PressRelease
        } else {
            vt100::MouseProtocolMode::None
        };
        assert_eq!(mouse, wanted);
        assert!(terminal.parser.screen().alternate_screen() && terminal.parser.screen().hide_cursor());
        assert_ne!(modes(&*terminal.master), terminal.before);
        terminal.master.take_writer().unwrap().write_all(b"x").unwrap();
        terminal.read_until("WRONG");
        terminal
    }

    fn read_until(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.sent).contains(text) {
            assert!(self.read(), "the terminal closed before it showed `{text}`");
        }
    }

    /// False when nothing will come any more, which a pseudo-terminal tells by an error.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = self.reader.read(&mut buffer).unwrap_or(0);
        self.parser.process(&buffer[..read]);
        self.sent.extend_from_slice(&buffer[..read]);
        read > 0
    }

    /// Waits for the end, sees to it that all is as it was, and returns the exit code and what is to be read.
    fn end(mut self) -> (u32, String) {
        while self.read() {}
        let status = self.ended.recv_timeout(PATIENCE).expect("the process ends");
        assert_eq!(modes(&*self.master), self.before, "the modes are as they were");
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        (status.exit_code(), screen.contents())
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

#[test]
fn a_panic_restores_the_terminal_and_is_read_there() {
    let (code, text) = Terminal::start("panic").end();
    assert_eq!(code, 101);
    assert!(text.contains("the loop fell over"), "{text}");
}

#[test]
fn a_panic_in_a_task_restores_the_terminal_and_ends_the_loop() {
    let (code, text) = Terminal::start("panic in a task").end();
    assert_eq!(code, 101);
    assert!(text.contains("a task fell over"), "{text}");
}

#[test]
fn the_mouse_is_given_back_after_a_panic_and_a_signal() {
    assert_eq!(Terminal::start("panic with the mouse").end().0, 101);
    let terminal = Terminal::start("nothing, with the mouse");
    kill_process(terminal.process, Signal::TERM).unwrap();
    assert_eq!(terminal.end().0, 143);
}

#[test]
fn sigterm_restores_the_terminal_even_if_the_loop_is_stuck() {
    for failure in ["nothing", "stuck"] {
        let terminal = Terminal::start(failure);
        kill_process(terminal.process, Signal::TERM).unwrap();
        assert_eq!(terminal.end().0, 143, "{failure}");
    }
}

#[test]
fn a_hang_up_ends_the_process_within_a_second_even_if_the_loop_is_stuck() {
    for failure in ["nothing", "stuck"] {
        let Terminal { master, reader, ended, .. } = Terminal::start(failure);
        drop((master, reader));
        let hung_up = Instant::now();
        let status = ended.recv_timeout(PATIENCE).expect("the process ends");
        assert!(hung_up.elapsed() < Duration::from_secs(1), "{failure}: {:?}", hung_up.elapsed());
        assert_eq!(status.exit_code(), 129, "{failure}");
    }
}
