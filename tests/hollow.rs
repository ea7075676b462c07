//! The board on a real control plane: etcd, API server, controllers and scheduler, with nodes that can be broken.
//!
//! Needs the hollow cluster, which `HOLLOW_CLUSTER` names (default: `../shared/hollow-cluster`), and Go to build it:
//! `cargo test --features hollow --test hollow`. Each test that breaks nodes starts a cluster of its own, because
//! one dead node changes how fast the controllers evict from the others.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "live/board.rs"]
mod board;
#[path = "hollow/cluster.rs"]
mod cluster;
#[path = "wire/reading.rs"]
mod reading;
#[path = "pty/terminal.rs"]
#[expect(dead_code, reason = "what of a terminal only the tests of the terminal look at")]
mod terminal;
#[path = "hollow/watching.rs"]
mod watching;

#[path = "hollow/actions.rs"]
mod actions;
#[path = "hollow/casefile.rs"]
mod casefile;
#[path = "hollow/control_plane.rs"]
mod control_plane;
#[path = "hollow/dead_node.rs"]
mod dead_node;
#[path = "hollow/drain.rs"]
mod drain;
#[path = "hollow/encodings.rs"]
mod encodings;
#[path = "hollow/fence.rs"]
mod fence;
#[path = "hollow/ghosts.rs"]
mod ghosts;
#[path = "hollow/incident.rs"]
mod incident;
#[path = "hollow/outage.rs"]
mod outage;
#[path = "hollow/patches.rs"]
mod patches;
#[path = "hollow/refused.rs"]
mod refused;
#[path = "hollow/requests.rs"]
mod requests;
#[path = "hollow/rights.rs"]
mod rights;
#[path = "hollow/rollback.rs"]
mod rollback;
#[path = "hollow/timelines.rs"]
mod timelines;
