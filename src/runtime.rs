//! The shell around the core: connects, lets the streams and the keys in, carries out effects, draws.
//!
//! One task owns the application. It waits for whatever comes first, takes all that is there, and draws at most
//! once for it.

mod act;
mod board;
mod check;
mod findings;
mod hands;
mod journal;
mod keys;
mod rules;
#[cfg(feature = "demo")]
mod serve;
pub mod settings;
mod start;
mod themes;

use crate::app::Msg;
use crate::app::link::Login;
use crate::cli::{Arguments, Command};
use crate::cluster::Text;
use crate::k8s::watch::{LinkState, LoginState, Update};
use crate::terminal::{Environment, Signals};
pub use hands::answer;
use settings::{Asked, Settings};
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
    /// An action was blocked, or nobody has confirmed it.
    Blocked,
    /// An action was stopped, or done in part.
    Partly,
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
            Self::Blocked => 4,
            Self::Partly => 5,
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
    let settings = match Settings::read(&Asked::by(&arguments.global)) {
        Ok(settings) => settings,
        Err(error) => {
            complain(&error.to_string());
            return Outcome::Usage;
        }
    };
    match &arguments.command {
        None => board(arguments, settings).await,
        Some(Command::Findings(findings)) => findings::run(arguments, findings, &settings).await,
        Some(Command::Plan(plan)) => act::plan(arguments, plan, &settings).await,
        Some(Command::Run(run)) => act::run(arguments, run, &settings).await,
        Some(Command::Runs(runs)) => act::runs(arguments, runs, &settings).await,
        Some(Command::Journal(printed)) => journal::print_journal(&arguments.global, printed),
        Some(Command::Actions(printed)) => journal::print_actions(printed),
        Some(Command::Check) => check::run(&settings),
        Some(Command::Keys(keys)) => keys::run(keys, &settings),
        Some(Command::Themes(themes)) => themes::run(themes, &settings),
        Some(Command::Rules(rules)) => rules::run(rules),
        #[cfg(feature = "demo")]
        Some(Command::Demo(demo)) => serve::run(demo).await,
        #[cfg(not(feature = "demo"))]
        Some(Command::Demo(_)) => {
            complain("this sickbay was built without the demo cluster (feature `demo`)");
            Outcome::Usage
        }
    }
}

async fn board(arguments: &Arguments, settings: Settings) -> Outcome {
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
    match start::connect(arguments, &settings).await {
        Ok(connection) => {
            board::run(
                connection,
                (&environment, arguments.mouse || settings.config.mouse),
                signals,
                settings,
            )
            .await
        }
        Err(outcome) => outcome,
    }
}

/// Says what went wrong on standard error, where nothing else is lost if that is closed. What a message quotes, from
/// the command line or from a file, is made safe here: nothing else has.
fn complain(text: &str) {
    let _closed = writeln!(std::io::stderr(), "sickbay: {}", Text::new(text));
}

/// Prints what was asked for.
fn print(text: &str) -> Outcome {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Outcome::Done,
        // Whoever read this has left and knows it.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Outcome::Failed,
        Err(error) => fail(&format!("could not print: {error}; look at where standard output goes")),
    }
}

fn fail(text: &str) -> Outcome {
    complain(text);
    Outcome::Failed
}

/// What an update of the streams is to the application.
fn message(update: Update) -> Msg {
    match update {
        Update::Changes(changes) => Msg::Changes(changes),
        Update::Link(LinkState::Up { .. }) => Msg::Beat(Ok(())),
        Update::Link(LinkState::Down { reason }) => Msg::Beat(Err(reason)),
        Update::ServerTime(offset) => Msg::ClockOffset(offset),
        Update::Login(LoginState::Renewing) => Msg::Login(Login::Renewing),
        Update::Login(LoginState::Renewed) => Msg::Login(Login::Renewed),
        Update::Login(LoginState::Failed { reason }) => Msg::Login(Login::Failed { reason }),
    }
}
