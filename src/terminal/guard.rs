//! Taking the terminal and giving it back: the one pair of functions that quit, error, panic, signal and suspend
//! all go through.
//!
//! Invariant: between [`take`] and [`restore`] the terminal is ours, and after [`restore`] nothing is drawn on it,
//! whichever thread still has a frame.

use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, queue};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

/// Whether the terminal is ours. Held while something is written, so that a frame and the restoring sequences
/// cannot mix. It is global because the terminal is, and because a panic hook is told nothing.
static TAKEN: Mutex<bool> = Mutex::new(false);

/// Whether presses and the wheel are asked for while the terminal is ours. It outlives a suspend.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Presses, releases and the wheel, and no moves: over SSH each of those would be sent.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Asks for the mouse from the next time the terminal is taken.
pub(super) fn with_mouse(is_on: bool) {
    MOUSE.store(is_on, Ordering::Relaxed);
}

/// Takes the terminal, or takes it again if someone changed it behind our back.
pub(super) fn take() -> io::Result<()> {
    let mut taken = lock();
    // A shell may have reset the modes while we were stopped; what is remembered as raw may not be.
    if *taken {
        disable_raw_mode()?;
    }
    enable_raw_mode()?;
    *taken = true;
    let mut bytes = Vec::new();
    queue!(
        bytes,
        EnterAlternateScreen,
        cursor::Hide,
        EnableBracketedPaste,
        EnableFocusChange,
        Clear(ClearType::All)
    )?;
    if MOUSE.load(Ordering::Relaxed) {
        bytes.extend_from_slice(MOUSE_ON);
    }
    let written = write_to_terminal(&bytes);
    drop(taken);
    if written.is_err() {
        restore();
    }
    written
}

/// Gives the terminal back as it was. Does nothing if it is not ours, so it may be called by everyone.
pub fn restore() {
    let taken = lock_soon();
    if taken.as_ref().is_some_and(|taken| !**taken) {
        return;
    }
    // The modes first: this cannot block, whereas a stalled terminal may never take the rest. Errors have nowhere
    // to go: the terminal is either gone or the very thing that is being left.
    let _ = disable_raw_mode();
    let mut bytes = Vec::new();
    // Where it is not on, this changes nothing.
    if MOUSE.load(Ordering::Relaxed) {
        bytes.extend_from_slice(MOUSE_OFF);
    }
    let queued = queue!(
        bytes,
        EndSynchronizedUpdate,
        ResetColor,
        DisableFocusChange,
        DisableBracketedPaste,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = queued.and_then(|()| write_to_terminal(&bytes));
    if let Some(mut taken) = taken {
        *taken = false;
    }
}

fn lock() -> MutexGuard<'static, bool> {
    TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The lock, unless a frame is stuck in it: then it is not worth waiting for, as nobody will see that frame end.
fn lock_soon() -> Option<MutexGuard<'static, bool>> {
    for _ in 0..20 {
        match TAKEN.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    None
}

/// Standard output without a buffer and a lock that a panic could leave held. After [`restore`] it swallows.
#[derive(Debug)]
pub(super) struct Tty;

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = lock();
        if *taken {
            write_to_terminal(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_to_terminal(mut bytes: &[u8]) -> io::Result<()> {
    let stdout = rustix::stdio::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(stdout, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // Whoever started us may have left the terminal in non-blocking mode.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
