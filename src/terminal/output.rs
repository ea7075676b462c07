//! Output: frames leave in a thread of their own, so that a terminal that takes nothing (a stalled SSH link)
//! blocks neither the keys nor the watches.
//!
//! At most one frame is under way. A frame is the difference to the one before and cannot be left out, so while
//! one is under way none is drawn: what is drawn next is then the newest state.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Output {
    frames: Option<mpsc::Sender<Vec<u8>>>,
    state: Arc<State>,
    /// Disconnected when the thread has ended.
    ended: mpsc::Receiver<()>,
}

#[derive(Debug, Default)]
struct State {
    is_busy: AtomicBool,
    has_failed: AtomicBool,
    idle: Notify,
}

impl Output {
    pub(super) fn new(mut writer: impl Write + Send + 'static) -> io::Result<Self> {
        let (frames, received) = mpsc::channel::<Vec<u8>>();
        let (alive, ended) = mpsc::channel::<()>();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::Builder::new().name("output".to_owned()).spawn(move || {
            let _alive = alive;
            for frame in received {
                if writer.write_all(&frame).and_then(|()| writer.flush()).is_err() {
                    shared.has_failed.store(true, Ordering::Release);
                }
                shared.is_busy.store(false, Ordering::Release);
                shared.idle.notify_one();
            }
        })?;
        Ok(Self { frames: Some(frames), state, ended })
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.state.is_busy.load(Ordering::Acquire)
    }

    /// Waits until a frame may be sent. Safe to cancel.
    pub(super) async fn ready(&self) {
        while !self.is_ready() {
            self.state.idle.notified().await;
        }
    }

    pub(super) fn send(&mut self, frame: Vec<u8>) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the terminal takes no more output");
        if self.state.has_failed.load(Ordering::Acquire) {
            return Err(gone());
        }
        self.state.is_busy.store(true, Ordering::Release);
        self.frames.as_ref().and_then(|frames| frames.send(frame).ok()).ok_or_else(gone)
    }

    /// Lets what is under way arrive, for as long as that is worth waiting for.
    pub(super) fn finish(&mut self, limit: Duration) {
        self.frames = None;
        // Either answer will do: it has ended, or it has not and is left behind.
        let _ = self.ended.recv_timeout(limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal that takes a write only when told to, and tells what it took.
    struct Stalled {
        allowed: mpsc::Receiver<()>,
        taken: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.allowed.recv().map_err(io::Error::other)?;
            self.taken.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stalled() -> (mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>, Output) {
        let (allow, allowed) = mpsc::channel();
        let (taken, took) = mpsc::channel();
        (allow, took, Output::new(Stalled { allowed, taken }).unwrap())
    }

    #[tokio::test]
    async fn a_stalled_terminal_blocks_nothing_but_the_next_frame() {
        let (allow, took, mut output) = stalled();
        assert!(output.is_ready());
        output.send(b"one".to_vec()).unwrap();
        assert!(!output.is_ready());
        allow.send(()).unwrap();
        output.ready().await;
        assert_eq!(took.recv().unwrap(), b"one");
        assert!(output.is_ready());
    }

    #[tokio::test]
    async fn a_terminal_that_is_gone_is_an_error() {
        let (allow, _, mut output) = stalled();
        drop(allow);
        output.send(b"lost".to_vec()).unwrap();
        output.ready().await;
        assert!(output.send(b"more".to_vec()).is_err());
    }

    #[test]
    fn finishing_waits_for_what_is_under_way() {
        let (allow, took, mut output) = stalled();
        output.send(b"last".to_vec()).unwrap();
        allow.send(()).unwrap();
        output.finish(Duration::from_mins(1));
        assert_eq!(took.try_recv().unwrap(), b"last");
    }

    #[test]
    fn finishing_does_not_wait_for_a_terminal_that_takes_nothing() {
        let (_allow, took, mut output) = stalled();
        output.send(b"last".to_vec()).unwrap();
        output.finish(Duration::ZERO);
        assert!(took.try_recv().is_err());
    }
}
