//! The command line: the program itself, told everything that it could want to hear.

use crate::facts::{Fact, Said};
use crate::ward::{ATTEMPTS, Attempt, DEAD, DETACHING, Ward};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_mins(4);
/// So often a lease is read by a run that gets no further.
const ENOUGH_READS: usize = 4;

/// What arrives of the attempts under a fact that speaks against all of them.
pub async fn all(ward: &Ward, fact: &Fact, attempts: &[&Attempt]) -> Vec<String> {
    // What has to be so for the last of them is against all others.
    let (last, first): (Vec<&Attempt>, Vec<&Attempt>) =
        attempts.iter().partition(|attempt| attempt.what == DETACHING.what);
    for attempts in [first, last] {
        for attempt in &attempts {
            attempt.prepare(ward);
        }
        let start = |attempt: &&Attempt| Running::start(ward, attempt, fact.said);
        let running: Vec<Running> = attempts.iter().map(start).collect();
        for running in running {
            running.end(ward, Patience::UntilItIsClear).await;
        }
    }
    ward.dangerous().into_iter().map(|request| format!("command line: {request}")).collect()
}

pub async fn one(ward: &Ward, attempt: &Attempt) -> Vec<String> {
    attempt.prepare(ward);
    Running::start(ward, attempt, Said::All).end(ward, Patience::UntilItArrives).await;
    ward.dangerous()
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// What was asked does not clear it, whatever comes of asking again.
    UntilItIsClear,
    UntilItArrives,
}

struct Running {
    child: Child,
    lines: Receiver<String>,
    _home: TempDir,
}

impl Running {
    fn start(ward: &Ward, attempt: &Attempt, said: Said) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sickbay"));
        command
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("USER", "alice")
            .env("XDG_STATE_HOME", home.path());
        command.env("KUBECONFIG", ward.kubeconfig.path());
        command.args(["run", attempt.action.spec().id, attempt.target]);
        let name = if said == Said::NotTheName { "worker-3" } else { attempt.name() };
        command.args(["--confirm", name]);
        match said {
            Said::NotThatItIsOff => {}
            Said::OfAnotherMachine => drop(command.args(["--powered-off", "worker-3"])),
            Said::All | Said::NotTheName | Said::NotYes | Said::ReadOnly => {
                command.args(["--powered-off", DEAD]);
            }
        }
        if said != Said::NotYes {
            command.arg("--yes");
        }
        if said == Said::ReadOnly {
            command.arg("--read-only");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            while let Some(Ok(line)) = err.next() {
                let _heard_enough = sender.send(line);
            }
        });
        Self { child, lines, _home: home }
    }

    /// Until it has ended, or was told why it does not get on, or has sent something dangerous.
    async fn end(mut self, ward: &Ward, patience: Patience) {
        let since = Instant::now();
        let mut told = String::new();
        loop {
            ward.pass();
            while let Ok(line) = self.lines.try_recv() {
                told.push_str(&line);
                told.push('\n');
            }
            let is_clear = told.contains("; so far: ") || ward.lease_reads() >= ENOUGH_READS * ATTEMPTS.len();
            let has_heard = is_clear && patience == Patience::UntilItIsClear;
            let has_ended = self.child.try_wait().unwrap().is_some();
            let has_sent = !ward.dangerous().is_empty();
            if has_ended || has_heard || has_sent {
                assert!(has_sent || patience == Patience::UntilItIsClear, "it sent nothing:\n{told}");
                break;
            }
            assert!(since.elapsed() < PATIENCE, "it neither ends nor gets on:\n{told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // It may have ended by itself.
        let _ended = kill_process(Pid::from_child(&self.child), Signal::KILL);
        self.child.wait().unwrap();
    }
}
