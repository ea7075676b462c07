//! The board from fixtures and keys to the drawn screen: no terminal, no cluster, no clock.

#[path = "board/flows.rs"]
mod flows;
#[path = "board/harness.rs"]
mod harness;
#[path = "board/screens.rs"]
mod screens;
