//! A pseudo-terminal with a program in it, and a model of the screen that the program draws.
//!
//! It never sleeps: reading blocks until the program writes. What never comes is ended by a watchdog, which kills
//! the program, so that reading ends and the test fails with the screen as it was.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Far more than anything takes; only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_mins(4);

/// A program to be started in a terminal of its own.
pub struct Start {
    command: CommandBuilder,
    columns: u16,
    rows: u16,
}

/// The program under test, with a terminal that can show everything.
pub fn sickbay(arguments: &[&str]) -> Start {
    program(env!("CARGO_BIN_EXE_sickbay"), arguments)
}

pub fn program(program: impl AsRef<OsStr>, arguments: &[&str]) -> Start {
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    for inherited in ["NO_COLOR", "LC_ALL", "LC_CTYPE", "KUBECONFIG", "SSH_CONNECTION", "SSH_TTY"] {
        command.env_remove(inherited);
    }
    command.env("LANG", "C.UTF-8");
    command.env("TERM", "xterm-256color");
    command.env("RUST_BACKTRACE", "0");
    // Not the settings of whoever runs the tests.
    // Nothing that lies there is a folder of ours.
    command.env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    Start { command, columns: 80, rows: 24 }
}

impl Start {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub fn start(self) -> Terminal {
        let pair = native_pty_system().openpty(size(self.columns, self.rows)).unwrap();
        let before = modes(&*pair.master);
        let child = pair.slave.spawn_command(self.command).unwrap();
        // Or the end of the program would not be the end of what can be read.
        drop(pair.slave);
        let (alive, ended) = mpsc::channel::<()>();
        let process = child.process_id().and_then(|id| Pid::from_raw(id.try_into().unwrap())).unwrap();
        std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                // So hard that it cannot clear the screen, which the failure shows.
                let _ended_by_itself = kill_process(process, Signal::KILL);
            }
        });
        let (columns, rows) = cells(self.columns, self.rows);
        Terminal {
            process,
            lines: Some(Lines {
                reader: pair.master.try_clone_reader().unwrap(),
                writer: pair.master.take_writer().unwrap(),
                master: pair.master,
            }),
            child,
            parser: vt100::Parser::new(rows, columns, 0),
            written: Vec::new(),
            before,
            _alive: alive,
        }
    }
}

pub struct Terminal {
    /// Gone when it was hung up.
    lines: Option<Lines>,
    child: Box<dyn Child + Send + Sync>,
    process: Pid,
    parser: vt100::Parser,
    /// All that the program has written.
    pub written: Vec<u8>,
    /// How the terminal was set before.
    before: String,
    _alive: mpsc::Sender<()>,
}

/// Our end of the terminal.
struct Lines {
    master: Box<dyn MasterPty + Send>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
}

impl Terminal {
    /// Reads on until the screen is as it is wanted.
    pub fn wait_until(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        while !is_so(self.parser.screen()) {
            let is_open = self.read();
            assert!(is_open, "it ended, or was ended, before this came: {what}\n{}", self.shown());
        }
    }

    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    /// False when nothing will come any more, which a pseudo-terminal tells by an error.
    fn read(&mut self) -> bool {
        let Some(lines) = &mut self.lines else { return false };
        let mut buffer = [0; 4096];
        let read = lines.reader.read(&mut buffer).unwrap_or(0);
        self.parser.process(&buffer[..read]);
        self.written.extend_from_slice(&buffer[..read]);
        read > 0
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub fn shown(&self) -> String {
        self.parser.screen().contents()
    }

    pub fn press(&mut self, keys: &str) {
        self.lines.as_mut().unwrap().writer.write_all(keys.as_bytes()).unwrap();
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.lines.as_ref().unwrap().master.resize(size(columns, rows)).unwrap();
        let (columns, rows) = cells(columns, rows);
        self.parser.screen_mut().set_size(rows, columns);
    }

    /// Writes to the screen behind the program's back, as a shell does while it is stopped.
    pub fn spoil(&mut self, bytes: &str) {
        self.parser.process(bytes.as_bytes());
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.process, signal).unwrap();
    }

    pub fn wait_until_stopped(&self) {
        let stopped = waitid(WaitId::Pid(self.process), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT);
        assert!(stopped.unwrap().unwrap().stopped(), "the process ended instead of being stopped");
    }

    /// The line is cut: our end of the terminal is gone.
    pub fn hang_up(&mut self) {
        self.lines = None;
    }

    /// Reads to the end, and returns the exit code.
    pub fn end(&mut self) -> u32 {
        while self.read() {}
        self.child.wait().unwrap().exit_code()
    }

    /// How long it takes until the process has ended, and how much of a processor it has used by then.
    pub fn wait_for_end(&self) -> (Duration, Duration) {
        let start = Instant::now();
        // Left to be waited for: what a process has used can be read until then.
        waitid(WaitId::Pid(self.process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        (start.elapsed(), self.cpu())
    }

    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process)).unwrap();
        // The name is in brackets and may hold anything; user and system time are the 12th and 13th after it.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        // To programs a tick is a hundredth of a second, whatever it is to the kernel.
        Duration::from_millis(ticks * 10)
    }

    /// The terminal is as the program found it.
    pub fn assert_restored(&self) {
        assert_eq!(modes(&*self.lines.as_ref().unwrap().master), self.before, "the modes are as they were");
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pastes are not bracketed");
        let last = |switch: &str| String::from_utf8_lossy(&self.written).rfind(switch);
        assert!(last("\u{1b}[?1004l") > last("\u{1b}[?1004h"), "focus is not reported");
    }

    /// The program has the terminal for itself.
    pub fn assert_taken(&self) {
        assert_ne!(modes(&*self.lines.as_ref().unwrap().master), self.before, "the terminal is raw");
        assert!(self.screen().alternate_screen() && self.screen().hide_cursor());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Of a test that failed; otherwise it has ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, ..PtySize::default() }
}

fn cells(columns: u16, rows: u16) -> (NonZero<u16>, NonZero<u16>) {
    (NonZero::new(columns).unwrap(), NonZero::new(rows).unwrap())
}
