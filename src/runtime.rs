//! The shell around the core: connects, lets the streams and the keys in, carries out effects, draws.
//!
//! One task owns the application. It waits for whatever comes first, takes all that is there, and draws at most
//! once for it.

mod board;
mod findings;
#[cfg(feature = "demo")]
mod serve;
mod start;

use crate::cli::{Arguments, Command};
use crate::cluster::Text;
use crate::terminal::{Environment, Signals};
use std::io::Write as _;
use std::process::ExitCode;

/// How the program ended. The numbers are part of the command line's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
    /// Wrong usage, or no terminal to draw on.
    Usage,
    /// Something of the severity that was asked for was found.
    Found,
    /// Not everything could be seen in time.
    Incomplete,
    /// Ended by a signal: 128 and its number.
    Signal(u8),
}

impl Outcome {
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Found => 3,
            Self::Incomplete => 6,
            Self::Signal(code) => code,
        }
    }
}

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match runtime() {
        Ok(runtime) => {
            let outcome = runtime.block_on(dispatch(arguments));
            // A plugin or a resolver that hangs on the blocking pool is not waited for.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => fail(&format!("could not start the async runtime: {error}")),
    };
    ExitCode::from(outcome.code())
}

/// Two threads: the streams decode on them while the loop has the main one.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

async fn dispatch(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => board(arguments).await,
        Some(Command::Findings(findings)) => findings::run(arguments, findings).await,
        #[cfg(feature = "demo")]
        Some(Command::Demo(demo)) => serve::run(demo).await,
        #[cfg(not(feature = "demo"))]
        Some(Command::Demo(_)) => {
            complain("this sickbay was built without the demo cluster (feature `demo`)");
            Outcome::Usage
        }
    }
}

async fn board(arguments: &Arguments) -> Outcome {
    let environment = Environment::read();
    if let Err(unfit) = environment.check() {
        complain(&unfit.to_string());
        return Outcome::Usage;
    }
    // From here on a panic restores the terminal, wherever it happens.
    let signals = match Signals::watch() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("could not watch for signals: {error}")),
    };
    match start::connect(arguments).await {
        Ok(connection) => board::run(connection, &environment, signals).await,
        Err(outcome) => outcome,
    }
}

/// Says what went wrong on standard error, where nothing else is lost if that is closed. What a message quotes, from
/// the command line or from a file, is made safe here: nothing else has.
fn complain(text: &str) {
    let _closed = writeln!(std::io::stderr(), "sickbay: {}", Text::new(text));
}

fn fail(text: &str) -> Outcome {
    complain(text);
    Outcome::Failed
}
