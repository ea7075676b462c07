//! Credential plugins: programs named by a kubeconfig that log a user in.
//!
//! We run them and hand kube the outcome, because kube runs them up to three times a client and lets them draw on
//! the terminal. What a plugin prints is a secret: it appears in no message and in no error. It deliberately
//! caches nothing on disk; plugins do that themselves.

use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::connect::one_line;

/// Whether somebody is there for the plugin to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// Before the screen is taken, at a terminal: the plugin may ask and tell.
    Free,
    /// The screen is ours, or there is no terminal: the plugin runs in a session of its own, which has none.
    Taken,
}

/// What a plugin answered.
#[derive(Clone, Debug)]
pub struct Credential {
    pub token: Option<SecretString>,
    pub identity: Option<Identity>,
    pub expires: Option<Timestamp>,
}

/// A client certificate with its key, both as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    pub certificate: String,
    pub key: SecretString,
}

/// Why a plugin gave no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    #[error("the credential plugin {command} is not installed or not in PATH; {}", hint.as_deref().unwrap_or("install it, or correct the command of this user"))]
    Missing { command: String, hint: Option<String> },
    #[error(
        "the credential plugin {command} cannot be started: {reason}; check its mode and its interpreter"
    )]
    CannotStart { command: String, reason: String },
    #[error("the credential plugin {command} failed ({ended}){}; run it by hand", quoted(said))]
    Failed { command: String, ended: String, said: String },
    #[error(
        "the credential plugin {command} gave no answer within {seconds} s{}; run it by hand",
        quoted(said)
    )]
    TimedOut { command: String, seconds: u64, said: String },
    #[error(
        "the credential plugin {command} answered with something else than credentials: {reason}; run it by hand"
    )]
    Rubbish { command: String, reason: Rubbish },
    #[error(
        "the credential plugin {command} must ask you something and there is no terminal for it now; run kubectl get nodes in another shell"
    )]
    NeedsTerminal { command: String },
    #[error(
        "the credential plugin {command} is configured for {version}, which is no longer spoken; update the kubeconfig to client.authentication.k8s.io/v1"
    )]
    UnknownVersion { command: String, version: String },
    #[error("the credential plugin of this user names no command; give it one")]
    NoCommand,
    #[error(
        "the credential plugin {command} must be told about the cluster: {reason}; correct certificate-authority"
    )]
    NoCluster { command: String, reason: String },
}

/// What was wrong with an answer, without a word of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rubbish {
    Empty,
    Unreadable,
    WrongKind,
    WrongVersion { wanted: String },
    NoCredential,
    HalfAnIdentity,
    BadTime,
}

impl fmt::Display for Rubbish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it printed nothing"),
            Self::Unreadable => f.write_str("it is neither JSON nor YAML of an ExecCredential"),
            Self::WrongKind => f.write_str("its kind is not ExecCredential"),
            Self::WrongVersion { wanted } => write!(f, "its apiVersion is not {wanted}"),
            Self::NoCredential => f.write_str("it holds neither a token nor a client certificate"),
            Self::HalfAnIdentity => f.write_str("it holds only one of client certificate and key"),
            Self::BadTime => f.write_str("its expirationTimestamp is no time"),
        }
    }
}

/// Long enough for a program that asks another service over a bad link.
const UNATTENDED: Duration = Duration::from_secs(30);
/// Long enough for somebody to find a phone and type a code.
const ATTENDED: Duration = Duration::from_mins(5);
/// How long to wait for the last words after the end: a browser that the plugin opened keeps the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// No credential is larger.
const LARGEST_ANSWER: u64 = 1 << 20;
const LARGEST_COMPLAINT: usize = 16 << 10;

const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// Runs a plugin once. `cluster` is handed to it where the kubeconfig wants so.
pub async fn run(
    exec: &ExecConfig,
    cluster: Option<ExecAuthCluster>,
    terminal: Terminal,
) -> Result<Credential, PluginError> {
    let limit = match terminal {
        Terminal::Free => ATTENDED,
        Terminal::Taken => UNATTENDED,
    };
    run_within(exec, cluster, terminal, limit).await
}

async fn run_within(
    exec: &ExecConfig,
    cluster: Option<ExecAuthCluster>,
    terminal: Terminal,
    limit: Duration,
) -> Result<Credential, PluginError> {
    let command = exec.command.clone().filter(|command| !command.is_empty()).ok_or(PluginError::NoCommand)?;
    let version = exec.api_version.clone().unwrap_or_default();
    if !VERSIONS.contains(&version.as_str()) {
        let version = if version.is_empty() { "no apiVersion".to_owned() } else { one_line(&version) };
        return Err(PluginError::UnknownVersion { command, version });
    }
    let interactive = terminal == Terminal::Free && exec.interactive_mode != Some(ExecInteractiveMode::Never);
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) && !interactive {
        return Err(PluginError::NeedsTerminal { command });
    }
    let request = Request { kind: KIND, api_version: &version, spec: Spec { interactive, cluster } };
    // Plain strings and numbers: there is nothing in it that JSON could not hold.
    let request = serde_json::to_string(&request).unwrap_or_default();

    let child =
        start(exec, &command, (terminal, interactive), &request).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PluginError::Missing {
                command: command.clone(),
                hint: exec.install_hint.as_deref().map(one_line),
            },
            kind => PluginError::CannotStart { command: command.clone(), reason: kind.to_string() },
        })?;
    let answer = finish(child, limit).await.map_err(|failure| failure.of(command.clone(), limit))?;
    parse(&answer, &version).map_err(|reason| PluginError::Rubbish { command, reason })
}

fn start(
    exec: &ExecConfig,
    command: &str,
    (terminal, interactive): (Terminal, bool),
    request: &str,
) -> io::Result<Box<dyn ChildWrapper>> {
    let mut wrapped = CommandWrap::with_new(command, |command| {
        command.args(exec.args.iter().flatten());
        for variable in exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.env("KUBERNETES_EXEC_INFO", request);
        command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
        command.stdout(Stdio::piped());
        command.kill_on_drop(true);
        command.stderr(match terminal {
            Terminal::Free => Stdio::inherit(),
            Terminal::Taken => Stdio::piped(),
        });
    });
    if terminal == Terminal::Taken {
        // A program can open /dev/tty whatever its three streams are; in a new session there is none to open.
        wrapped.wrap(ProcessSession);
    }
    wrapped.spawn()
}

enum Failure {
    Ended { ended: String, said: String },
    TimedOut { said: String },
}

impl Failure {
    fn of(self, command: String, limit: Duration) -> PluginError {
        match self {
            Self::Ended { ended, said } => PluginError::Failed { command, ended, said },
            Self::TimedOut { said } => PluginError::TimedOut { command, seconds: limit.as_secs(), said },
        }
    }
}

/// Waits for the end and gives what was printed.
async fn finish(mut child: Box<dyn ChildWrapper>, limit: Duration) -> Result<Vec<u8>, Failure> {
    let complaint = Arc::new(Mutex::new(Vec::new()));
    let listening = child.stderr().take().map(|stderr| tokio::spawn(listen(stderr, Arc::clone(&complaint))));
    let stdout = child.stdout().take();
    let ended = timeout(limit, async {
        let answer = async {
            let mut answer = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(LARGEST_ANSWER).read_to_end(&mut answer).await?;
            }
            io::Result::Ok(answer)
        };
        tokio::try_join!(answer, child.wait())
    })
    .await;
    if ended.is_err() {
        // Ends the whole session, children included. It can only fail when all of it is gone already.
        let _gone = child.start_kill();
    }
    if let Some(mut listening) = listening
        && timeout(LAST_WORDS, &mut listening).await.is_err()
    {
        listening.abort();
    }
    let said = last_words(&complaint.lock().unwrap_or_else(PoisonError::into_inner));
    match ended {
        Ok(Ok((answer, status))) if status.success() => Ok(answer),
        Ok(Ok((_, status))) => Err(Failure::Ended { ended: ended_how(status), said }),
        Ok(Err(error)) => Err(Failure::Ended { ended: error.kind().to_string(), said }),
        Err(_) => Err(Failure::TimedOut { said }),
    }
}

async fn listen(mut stderr: impl AsyncRead + Unpin, said: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(chunk.get(..length).unwrap_or_default());
        // The reason is told last: a long story loses its beginning.
        let excess = said.len().saturating_sub(LARGEST_COMPLAINT);
        said.drain(..excess);
    }
}

/// The last lines of what a plugin complained about, as one.
fn last_words(said: &[u8]) -> String {
    const LINES: usize = 3;
    const LETTERS: usize = 300;
    let text = String::from_utf8_lossy(said);
    let lines: Vec<String> = text.lines().map(one_line).filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join(" | ");
    let excess = last.chars().count().saturating_sub(LETTERS);
    if excess == 0 { last } else { format!("…{}", last.chars().skip(excess).collect::<String>()) }
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

fn ended_how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

const KIND: &str = "ExecCredential";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ExecAuthCluster>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Reads an answer. The parsers' own complaints are dropped: they quote what they complain about.
fn parse(answer: &[u8], version: &str) -> Result<Credential, Rubbish> {
    if answer.trim_ascii().is_empty() {
        return Err(Rubbish::Empty);
    }
    let answer: Answer = serde_json::from_slice(answer)
        .ok()
        .or_else(|| serde_yaml::from_slice(answer).ok())
        .ok_or(Rubbish::Unreadable)?;
    if answer.kind.as_deref() != Some(KIND) {
        return Err(Rubbish::WrongKind);
    }
    if answer.api_version.as_deref() != Some(version) {
        return Err(Rubbish::WrongVersion { wanted: version.to_owned() });
    }
    let status = answer.status.unwrap_or_default();
    let expires =
        status.expiration_timestamp.map(|time| time.parse()).transpose().map_err(|_| Rubbish::BadTime)?;
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    let token = given(status.token).map(SecretString::from);
    let identity = match (given(status.client_certificate_data), given(status.client_key_data)) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key: key.into() }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(Rubbish::HalfAnIdentity),
    };
    if token.is_none() && identity.is_none() {
        return Err(Rubbish::NoCredential);
    }
    Ok(Credential { token, identity, expires })
}

#[cfg(test)]
mod tests;
