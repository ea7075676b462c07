//! The whole program in a terminal: what it shows, how it leaves, and what it writes.
//!
//! Nothing here knows the layout of a screen: that is the business of the board's own tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "live/board.rs"]
mod board;
#[path = "pty/terminal.rs"]
mod terminal;

#[path = "pty/config.rs"]
mod config;
#[path = "pty/idle.rs"]
mod idle;
#[path = "pty/leaving.rs"]
mod leaving;
#[path = "pty/looks.rs"]
mod looks;
#[path = "pty/text.rs"]
mod text;
