//! The only module that uses the kube client: how a cluster is reached, and what is said on the way.
//!
//! It deliberately holds no picture of a cluster and draws nothing: what it learns leaves as plain values.

pub mod access;
pub mod backoff;
mod checks;
pub mod clock;
pub mod connect;
pub mod execute;
pub mod identity;
pub mod kubeconfig;
mod leaders;
mod leases;
pub mod limits;
mod once;
pub mod others;
pub mod plugin;
pub mod pods;
mod poll;
pub mod proxy;
mod pulse;
pub mod references;
pub mod revisions;
pub mod silence;
pub mod transport;
pub mod watch;
