//! The demo cluster by itself, for kubectl and for practice, until it is interrupted.

use super::{Outcome, complain, fail};
use crate::cli;
use crate::demo::{Demo, Options, Scenario};
use anyhow::Context as _;
use std::io::{Write as _, stdout};
use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};

pub async fn run(arguments: &cli::Demo) -> Outcome {
    if arguments.list {
        return list();
    }
    let scenario = match arguments.scenario.parse() {
        Ok(scenario) => scenario,
        Err(error) => {
            complain(&format!("{error}"));
            return Outcome::Usage;
        }
    };
    let options = Options {
        scenario,
        from: arguments.from,
        speed: arguments.speed,
        port: arguments.port,
        is_open: true,
    };
    match serve(options).await {
        Ok(outcome) => outcome,
        Err(error) => fail(&format!("{error:#}")),
    }
}

fn list() -> Outcome {
    for scenario in Scenario::all() {
        if writeln!(stdout(), "{:<18} {}", scenario.id(), scenario.description()).is_err() {
            return Outcome::Failed;
        }
    }
    Outcome::Done
}

async fn serve(options: Options) -> anyhow::Result<Outcome> {
    let mut interrupt = signal(SignalKind::interrupt()).context("could not watch for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("could not watch for signals")?;
    let mut hang_up = signal(SignalKind::hangup()).context("could not watch for signals")?;
    let demo = Demo::start(options).await?;
    let kubeconfig = kubeconfig(&demo)?;
    writeln!(stdout(), "kubeconfig {}", kubeconfig.path().display()).context("could not print the path")?;
    Ok(tokio::select! {
        _ = interrupt.recv() => Outcome::Signal(130),
        _ = terminate.recv() => Outcome::Signal(143),
        _ = hang_up.recv() => Outcome::Signal(129),
    })
}

/// The demo's kubeconfig in a file of its own, which is removed when it is dropped. Only its owner can read it.
pub fn kubeconfig(demo: &Demo) -> anyhow::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("sickbay-demo-")
        .suffix(".kubeconfig")
        .tempfile()
        .context("could not create a file for the demo's kubeconfig")?;
    file.write_all(demo.kubeconfig().as_bytes()).context("could not write the demo's kubeconfig")?;
    Ok(file)
}
