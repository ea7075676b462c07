//! sickbay: a terminal program for operating Kubernetes clusters in trouble.
//!
//! The core is plain values and pure functions: it does no I/O and never reads the clock. The shell around it
//! connects, watches, draws and keeps the terminal. `ARCHITECTURE.md` tells which module is which and who may
//! use whom; `tests/tidy.rs` holds the code to it.

// -- core ----------------------------------------------------------------------------------------------------
pub mod actions;
pub mod app;
pub mod cluster;
pub mod command;
pub mod findings;
pub mod key;
pub mod keymap;
pub mod plain;
pub mod problem;
pub mod revision;
pub mod wire;

// -- shell ---------------------------------------------------------------------------------------------------
pub mod assets;
pub mod cli;
pub mod clipboard;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod fence;
pub mod journal;
pub mod k8s;
pub mod runtime;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod ui;
