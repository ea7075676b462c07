//! The program in an empty home, run to its end; and a cluster for it that stands still.

use jiff::Timestamp;
use sickbay::demo::{Demo, Options, Resource, Scenario};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::NamedTempFile;

/// The program as nobody's shell has prepared it.
pub fn sickbay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sickbay"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Run {
    Run::of(&mut sickbay(arguments))
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Runs it to its end, and holds it to what is true of every run.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let ended = command.output().unwrap();
        let code = ended.status.code().expect("it ends by itself");
        let run = Self {
            code,
            out: String::from_utf8(ended.stdout).unwrap(),
            err: String::from_utf8(ended.stderr).unwrap(),
        };
        let is_text = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
        assert!(is_text(&run.out) && is_text(&run.err), "control characters: {run:?}");
        if matches!(code, 1 | 2) {
            assert_eq!(run.out, "", "who reads the output of a failure reads nothing: {run:?}");
        }
        run
    }
}

/// A cluster that stands still nine minutes into its scenario, and a kubeconfig that leads there.
#[derive(Debug)]
pub struct Cluster {
    pub demo: Demo,
    kubeconfig: NamedTempFile,
}

impl Cluster {
    pub async fn start(scenario: Scenario) -> Self {
        let options = Options { scenario, from: Duration::from_mins(9), ..Options::default() };
        let demo = Demo::still(options, Timestamp::now()).await.unwrap();
        // Who leads would stand still as well, and be silent: this control plane keeps that to itself.
        for leader in ["kube-controller-manager", "kube-scheduler"] {
            demo.remove(Resource::Leases, "kube-system", leader).unwrap();
        }
        let mut kubeconfig = NamedTempFile::new().unwrap();
        kubeconfig.write_all(demo.kubeconfig().as_bytes()).unwrap();
        Self { demo, kubeconfig }
    }

    pub fn kubeconfig(&self) -> &str {
        self.kubeconfig.path().to_str().unwrap()
    }

    pub async fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, |command| command).await
    }

    pub async fn run_with(
        &self,
        arguments: &[&str],
        change: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Run {
        let mut command = sickbay(arguments);
        command.env("KUBECONFIG", self.kubeconfig.path()).stdout(Stdio::piped());
        change(&mut command);
        tokio::task::spawn_blocking(move || Run::of(&mut command)).await.unwrap()
    }
}
