//! Signals, hang-ups and panics, told to the loop; and what happens if the loop does not listen.
//!
//! They are watched by threads of their own, not by the async runtime: the process must end even if every task of
//! it is stuck. That includes the reader of keys, which spins on a terminal that hung up.

use super::guard;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal as Unix, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the loop has to end by itself, to write down what it must.
const HANG_UP_GRACE: Duration = Duration::from_millis(400);
const STOP_GRACE: Duration = Duration::from_secs(3);
/// How long a stop signal may take to stop us. A process whose parent is gone is not stopped at all.
const STOP_ARRIVES: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Stop(Stop),
    /// We were stopped by someone else and go on: take the terminal again and draw everything.
    Continued,
}

/// Why the program must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    HangUp,
    Interrupt,
    Terminate,
    /// Some thread panicked. The terminal is restored and the message is printed.
    Panic,
}

impl Stop {
    /// What a shell expects: 128 and the number of the signal; 101 is what a panic ends with.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Panic => 101,
        }
    }

    fn grace(self) -> Duration {
        match self {
            Self::HangUp => HANG_UP_GRACE,
            Self::Interrupt | Self::Terminate | Self::Panic => STOP_GRACE,
        }
    }
}

#[derive(Debug)]
pub struct Signals {
    received: mpsc::UnboundedReceiver<Signal>,
    continued: Arc<Continued>,
}

#[derive(Debug, Default)]
struct Continued {
    /// Set while we stop ourselves: then the loop need not be told that it went on.
    is_awaited: Mutex<bool>,
    changed: Condvar,
}

impl Signals {
    /// Starts to watch, and makes every panic restore the terminal before it is printed. Once in a process.
    pub fn watch() -> io::Result<Self> {
        let (send, received) = mpsc::unbounded_channel();
        let continued = Arc::new(Continued::default());
        let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGTERM, SIGINT, SIGCONT])?;
        let (told, goes_on) = (send.clone(), Arc::clone(&continued));
        named("signals", move || {
            for signal in signals.forever() {
                match signal {
                    SIGHUP => stop(&told, Stop::HangUp),
                    SIGTERM => stop(&told, Stop::Terminate),
                    SIGINT => stop(&told, Stop::Interrupt),
                    _ if goes_on.was_awaited() => {}
                    // The loop may be gone already, which is no concern of ours.
                    _ => drop(told.send(Signal::Continued)),
                }
            }
        })?;
        let told = send.clone();
        named("hang-up", move || {
            if hangs_up() {
                stop(&told, Stop::HangUp);
            }
        })?;
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            guard::restore();
            previous(panic);
            stop(&send, Stop::Panic);
        }));
        Ok(Self { received, continued })
    }

    /// The next signal. Safe to cancel.
    pub async fn next(&mut self) -> Signal {
        match self.received.recv().await {
            Some(signal) => signal,
            // The panic hook keeps a sender for as long as the process lives.
            None => std::future::pending().await,
        }
    }

    /// Stops the whole process group, as Ctrl-Z does, and returns when it goes on.
    pub(super) fn stop_ourselves(&self) -> io::Result<()> {
        let mut is_awaited = self.continued.is_awaited.lock().unwrap_or_else(PoisonError::into_inner);
        *is_awaited = true;
        kill_current_process_group(Unix::TSTP)?;
        // The signal may reach us a moment later, and taking the terminal in that moment would spoil the shell's.
        let waited =
            self.continued.changed.wait_timeout_while(is_awaited, STOP_ARRIVES, |is_awaited| *is_awaited);
        let (mut is_awaited, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *is_awaited = false;
        Ok(())
    }
}

impl Continued {
    fn was_awaited(&self) -> bool {
        let mut is_awaited = self.is_awaited.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
        std::mem::replace(&mut *is_awaited, false)
    }
}

/// Tells the loop, and ends the process if that does not.
fn stop(told: &mpsc::UnboundedSender<Signal>, reason: Stop) {
    let _ = told.send(Signal::Stop(reason));
    // If there is no thread to be had, there is no grace either.
    let ends = named("end", move || {
        thread::sleep(reason.grace());
        end(reason);
    });
    if ends.is_err() {
        end(reason);
    }
}

fn end(reason: Stop) -> ! {
    if reason != Stop::HangUp {
        // A stalled terminal may keep this from ever returning.
        let (alive, restored) = std::sync::mpsc::channel::<()>();
        let _ = named("restore", move || {
            let _alive = alive;
            guard::restore();
        });
        let _ = restored.recv_timeout(Duration::from_millis(500));
    }
    std::process::exit(reason.exit_code().into())
}

/// Blocks until nobody is at the other end of the terminal. Asked for nothing, `poll` still tells that: it works
/// where SIGHUP is ignored (nohup) or went to someone else (sudo). False if it cannot be watched.
fn hangs_up() -> bool {
    let stdin = rustix::stdio::stdin();
    loop {
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => return true,
            Ok(_) if watched[0].revents().contains(PollFlags::NVAL) => return false,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn named(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}
