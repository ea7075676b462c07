//! The clipboard of whoever sits at the terminal, which is seldom the machine that this runs on.
//!
//! Inside tmux, tmux is asked: it has a clipboard of its own, drops what programs send past it, and says whether it
//! took it. Everywhere else the terminal is, which answers nothing: so it is told as sent, and not as copied.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Longer sequences are cut off by many terminals.
pub const LONGEST: usize = 74_000;

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clipboard {
    Tmux,
    Terminal,
}

impl Clipboard {
    /// By what the environment tells.
    pub fn of_environment() -> Self {
        let is_tmux = std::env::var_os("TMUX").is_some_and(|socket| !socket.is_empty());
        if is_tmux { Self::Tmux } else { Self::Terminal }
    }
}

/// Hands a text to tmux, for its own clipboard and that of the terminal around it. Waits for its answer.
pub fn to_tmux(text: &str) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| format!("tmux did not take it: {error}");
    let mut tmux = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| said(&error))?;
    // Closed at the end of the statement, so that it knows that this is all.
    let sent = tmux.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let ended = tmux.wait().map_err(|error| said(&error))?;
    sent.map_err(|error| said(&error))?;
    if ended.success() { Ok(()) } else { Err(said(&ended)) }
}
