//! A Kubernetes API in this process, and the small cluster behind it: what `--demo` shows, and the double of all
//! tests that need an API server.
//!
//! It speaks HTTP on loopback and is reached by the ordinary client with an ordinary kubeconfig. It uses nothing of
//! the rest of the program on purpose: the field names that both need are written twice, so that a wrong one cannot
//! hide. It is no general API server: it serves what practising an incident takes, with this program or with kubectl.
//!
//! What it does is held to a real control plane by `tests/behaviour.rs`. Where its API differs, and stays so:
//!
//! - **Bodies are JSON**. YAML is refused with 415, and so is protobuf, except for what kubectl writes in it: access
//!   reviews, and the objects of `kubectl create KIND NAME`.
//! - **No server-side apply** (415): it would need to know who owns which field. `managedFields` are not kept up.
//! - **Validation** is by type, and of what people run into; a real server knows a thousand rules more. The texts of
//!   type errors name the types and not the fields.
//! - **Some strategic merges**: the lists that operators patch are merged by their keys, all others are replaced.
//! - **Schemas** are empty, so `kubectl explain` finds nothing.
//! - **Logs are made up**, a line a second, and from a machine that cannot be reached they fail at once instead of hanging.
//!   `exec`, `attach`, `port-forward` and `proxy` are not there (404).
//! - **Everybody may do everything**, except what a test denies: there are no roles.
//! - **Deleting** a job without saying what becomes of its pods leaves them, as a server does, but without its warning.
//!   In a dry run a new object gets a uid that is not used again.
//! - **Generations** count changes of the spec alone; a server counts an operator's annotation on a deployment too.
//!
//! What its controllers do otherwise than real ones, and why:
//!
//! - A pod counts as available as soon as it is ready: nothing here sets `minReadySeconds`.
//! - A deployment that is scaled in the middle of a rollout moves its new set first and the old ones as they become
//!   spare, instead of sharing the change among all: no incident turns on it.
//! - Daemon sets do not surge, jobs know neither indexes nor failure policies, and the scheduler reads neither
//!   affinity to pods nor spread constraints nor priorities, and preempts nobody: the cast uses none of them.
//! - A container does what the name of its image says (`broken`, `crash`, `unready`, `slow`, `brief`): nothing runs.
//! - A claim is bound before its pod has a node, whatever its class says; a class is tied to a zone by its parameter
//!   `zone`, for there is no driver that would know.
//! - A service has one endpoint slice, whatever its size, and the leaders of the control plane never change: the
//!   controllers' memory (timers of evictions, the six minutes) is never lost as a restart would lose it.

mod api;
mod backend;
mod deletion;
mod faults;
mod life;
mod object;
mod resource;
mod scenario;
mod store;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use backend::Backend;
use scenario::Act;
use store::Key;
use world::World;

pub use faults::{Faults, Received, Scope};
pub use life::Life;
pub use resource::Resource;
pub use scenario::{Scenario, UnknownScenario};

/// The token of the demo's kubeconfig: no secret, but the client's ordinary way in.
const TOKEN: &str = "demo-token";

/// What to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub scenario: Scenario,
    /// How far into the scenario to open, counted from the failure; zero is its healthy beginning.
    pub from: Duration,
    /// How many times as fast the controllers run.
    pub speed: u32,
    /// The port to listen on; zero takes a free one.
    pub port: u16,
    /// Answers requests without a token too: kubectl sends none over plain HTTP. A wrong one is refused all the same.
    pub is_open: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scenario: Scenario::default(),
            from: Duration::from_mins(6),
            speed: 1,
            port: 0,
            is_open: false,
        }
    }
}

/// What happens to a machine of the demo cluster besides its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    PowerOff,
    PowerOn,
    /// It lives, but nothing is heard of it.
    CutOff,
    Reconnect,
    /// It is heard of, but stops no pod.
    Hang,
    Unhang,
}

impl Blow {
    fn on(self, node: &str) -> Act {
        let nodes = vec![node.to_owned()];
        match self {
            Self::PowerOff => Act::PowerOff(nodes),
            Self::PowerOn => Act::PowerOn(nodes),
            Self::CutOff => Act::CutOff(nodes),
            Self::Reconnect => Act::Reconnect(nodes),
            Self::Hang => Act::Hang(nodes),
            Self::Unhang => Act::Unhang(nodes),
        }
    }
}

/// A running demo. Dropping it ends it: the listener, every connection, the world.
#[derive(Debug)]
pub struct Demo {
    backend: Arc<Backend>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    living: JoinHandle<()>,
}

impl Demo {
    /// Starts the demo cluster.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        // The past is played in one go: not on a thread that others wait for.
        let world = tokio::task::spawn_blocking(move || World::play(&options, Timestamp::now()))
            .await
            .context("the demo cluster could not be brought up")?;
        Self::serve(Backend::new(world, TOKEN, options.is_open), options.port).await
    }

    /// Starts the demo cluster as it stands at a moment: nobody acts, so what is drawn of it is always the same.
    pub async fn still(options: Options, at: Timestamp) -> anyhow::Result<Self> {
        let world = tokio::task::spawn_blocking(move || World::play(&options, at).stopped())
            .await
            .context("the demo cluster could not be brought up")?;
        Self::serve(Backend::new(world, TOKEN, options.is_open), options.port).await
    }

    /// Starts a server with nothing in it and nobody acting: tests put there what they need.
    pub async fn empty() -> anyhow::Result<Self> {
        Self::serve(Backend::new(World::empty(), TOKEN, false), 0).await
    }

    async fn serve(backend: Backend, port: u16) -> anyhow::Result<Self> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(wanted).await.with_context(|| {
            format!("the demo cannot listen on {wanted}: choose another port, or none to take a free one")
        })?;
        let address = listener.local_addr().context("the demo's address cannot be read")?;
        let backend = Arc::new(backend);
        let serving = tokio::spawn(api::serve(Arc::clone(&backend), listener, address));
        let living = tokio::spawn({
            let backend = Arc::clone(&backend);
            async move { backend.live().await }
        });
        Ok(Self { backend, address, serving, living })
    }

    /// `http://127.0.0.1:…`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn token(&self) -> &str {
        &self.backend.token
    }

    /// A kubeconfig with one context, `demo`.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: demo\nclusters:\n- name: demo\n  cluster:\n    server: {}\n\
             contexts:\n- name: demo\n  context:\n    cluster: demo\n    user: {user}\nusers:\n- name: {user}\n  user:\n    \
             token: {}\n",
            self.url(),
            self.token(),
            user = api::USER,
        )
    }

    /// What can be made to go wrong, and what was seen.
    pub fn faults(&self) -> Faults {
        Faults::new(Arc::clone(&self.backend))
    }

    /// Does something to a machine, now.
    pub fn strike(&self, node: &str, blow: Blow) {
        self.backend.with(|world| world.perform(&blow.on(node)));
        // What happens to a machine is in no object, and yet there is something to look at.
        self.backend.ring();
    }

    /// Creates an object, or replaces the one of its name, and gives it as it is stored.
    pub fn put(&self, resource: Resource, object: Value) -> Value {
        self.backend.with(|world| world.store.put(resource, object, Timestamp::now()).as_ref().clone())
    }

    /// Changes an object by a JSON merge patch; `None` if there is none. `namespace` is empty for what has none.
    pub fn patch(&self, resource: Resource, namespace: &str, name: &str, patch: &Value) -> Option<Value> {
        let key = Key::new(namespace, name);
        let patched = self.backend.with(|world| world.store.patch(resource, &key, patch, Timestamp::now()));
        patched.map(|object| object.as_ref().clone())
    }

    /// Removes an object at once, without grace; `None` if there was none.
    pub fn remove(&self, resource: Resource, namespace: &str, name: &str) -> Option<Value> {
        let key = Key::new(namespace, name);
        self.backend.with(|world| world.store.remove(resource, &key)).map(|object| object.as_ref().clone())
    }

    pub fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<Value> {
        let key = Key::new(namespace, name);
        self.backend.with(|world| world.store.get(resource, &key)).map(|object| object.as_ref().clone())
    }

    pub fn list(&self, resource: Resource) -> Vec<Value> {
        self.backend.with(|world| world.store.list(resource).map(|object| object.as_ref().clone()).collect())
    }

    /// Ends the demo, and waits until it has ended.
    pub async fn shutdown(mut self) {
        self.serving.abort();
        self.living.abort();
        // An error here says that they were aborted: that is what is waited for.
        let _ = (&mut self.serving).await;
        let _ = (&mut self.living).await;
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.serving.abort();
        self.living.abort();
    }
}
