//! The board from fixtures and keys to the drawn screen: no terminal, no cluster, no clock.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "board/actions.rs"]
mod actions;
#[path = "board/casefile.rs"]
mod casefile;
#[path = "board/config.rs"]
mod config;
#[path = "board/dead_node.rs"]
mod dead_node;
#[path = "board/drain.rs"]
mod drain;
#[path = "board/flows.rs"]
mod flows;
#[path = "board/harness.rs"]
mod harness;
#[path = "board/kinds.rs"]
mod kinds;
#[path = "board/lists.rs"]
mod lists;
#[path = "board/refused.rs"]
mod refused;
#[path = "board/revisions.rs"]
mod revisions;
#[path = "board/screens.rs"]
mod screens;
#[path = "board/workloads.rs"]
mod workloads;
