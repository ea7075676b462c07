//! Runs configured commands: no shell, whole arguments, a time limit, and nothing of it on the terminal.
//!
//! Whether a command may be run, and what its end means, is said in `actions`; this only refuses where nothing may be
//! changed. Invariant: configured commands are run here and nowhere else.

use crate::actions::errand::{Ended, Errand, Ran};
use crate::cluster::Text;
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout, timeout_at};

/// So much is kept of each stream: its end, where the outcome is told.
const MOST_BYTES: usize = 8 << 10;
const MOST_LINES: usize = 40;
const LONGEST_LINE: usize = 400;
/// How long to wait for the last words after the end: what a command leaves behind keeps the pipe, as a shared ssh
/// connection does.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs a command to its end, or to the end of its time. When this is dropped all of it is killed.
pub async fn run(errand: &Errand, is_read_only: bool) -> Ran {
    if is_read_only {
        return Ran::not_run("this session is read-only");
    }
    let Some((program, arguments)) = errand.argv.split_first() else {
        return Ran::not_run("it names no program");
    };
    match start(program, arguments) {
        Ok(child) => Running { child, is_over: false }.finish(errand.limit.unsigned_abs()).await,
        Err(error) => {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "it is not installed, or not in PATH".to_owned(),
                io::ErrorKind::PermissionDenied => "it may not be executed: look at its mode".to_owned(),
                kind => format!("it cannot be started: {kind}"),
            };
            Ran::not_run(format!("{program}: {reason}"))
        }
    }
}

fn start(program: &str, arguments: &[String]) -> io::Result<Box<dyn ChildWrapper>> {
    let mut wrapped = CommandWrap::with_new(program, |command| {
        command.args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    });
    // A program can open /dev/tty whatever its streams are; in a session of its own there is none to open.
    wrapped.wrap(ProcessSession);
    wrapped.spawn()
}

/// A command with all that it has started, which dies with this.
struct Running {
    child: Box<dyn ChildWrapper>,
    /// Nothing of it is left: its number may be somebody else's by now.
    is_over: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            // Fails where all of it is gone already.
            let _gone = self.child.start_kill();
        }
    }
}

impl Running {
    async fn finish(mut self, limit: Duration) -> Ran {
        let Self { child, is_over } = &mut self;
        let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let end = Instant::now() + limit;
        // Both are read while it runs: a pipe that is full holds it up.
        let ended = {
            let listening = async {
                tokio::join!(listen(stdout, &mut said), listen(stderr, &mut complained));
            };
            tokio::pin!(listening);
            let mut is_heard = false;
            let waiting = child.wait();
            tokio::pin!(waiting);
            let ended = loop {
                tokio::select! {
                    ended = &mut waiting => break Some(ended),
                    () = &mut listening, if !is_heard => is_heard = true,
                    () = tokio::time::sleep_until(end) => break None,
                }
            };
            if !is_heard && ended.is_some() {
                // What is in the pipes already is there at once; who keeps them open is not waited for.
                is_heard = timeout(LAST_WORDS, &mut listening).await.is_ok();
            }
            *is_over = ended.is_some() && is_heard;
            ended
        };
        let ended = match ended {
            Some(Ok(status)) => ended_how(status),
            Some(Err(error)) => {
                Ended::NotRun { reason: format!("it could not be waited for: {error}").into() }
            }
            None => {
                let _gone = child.start_kill();
                // It is gone when this returns, or the system has lost it.
                let _reaped = timeout_at(Instant::now() + LAST_WORDS, child.wait()).await;
                Ended::TimedOut { seconds: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX) }
            }
        };
        Ran { ended, said: lines(&said), complained: lines(&complained) }
    }
}

/// Reads to the end, and keeps the last of it.
async fn listen(stream: Option<impl AsyncRead + Unpin>, heard: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        heard.extend_from_slice(chunk.get(..length).unwrap_or_default());
        let excess = heard.len().saturating_sub(MOST_BYTES);
        heard.drain(..excess);
    }
}

fn lines(heard: &[u8]) -> Vec<Text> {
    let text = String::from_utf8_lossy(heard);
    let all: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = all.get(all.len().saturating_sub(MOST_LINES)..).unwrap_or_default();
    last.iter().map(|line| Text::from(line.chars().take(LONGEST_LINE).collect::<String>())).collect()
}

fn ended_how(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited { code },
        (None, Some(signal)) => Ended::Killed { signal },
        (None, None) => Ended::NotRun { reason: "it ended without a code".into() },
    }
}

#[cfg(test)]
mod tests;
