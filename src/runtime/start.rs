//! From arguments to a connection: to the cluster of a context, or to the demo in this process.

use super::settings::Settings;
use super::{Outcome, complain, fail};
use crate::app::App;
use crate::app::link;
use crate::cli::{Arguments, Global};
use crate::cluster::{Text, Timers};
use crate::k8s::connect::{self, Scope, Session, WhyNamespace};
use crate::k8s::kubeconfig::{Env, Flags};
use std::sync::Arc;

/// A connection that stands, and what must live as long as it does.
pub struct Connection {
    pub session: Arc<Session>,
    speed: u32,
    is_demo: bool,
    #[cfg(feature = "demo")]
    _demo: Option<crate::demo::Demo>,
}

/// Connects, or says on standard error why that is not possible.
pub async fn connect(arguments: &Arguments, settings: &Settings) -> Result<Connection, Outcome> {
    match &arguments.demo {
        Some(scenario) => to_demo(arguments, scenario, settings).await,
        None => {
            let session = to_cluster(&flags(&arguments.global, settings), &Env::of_process()).await?;
            Ok(Connection {
                session,
                speed: 1,
                is_demo: false,
                #[cfg(feature = "demo")]
                _demo: None,
            })
        }
    }
}

fn flags(global: &Global, settings: &Settings) -> Flags {
    Flags {
        kubeconfig: global.kubeconfig.clone(),
        context: global.context.clone(),
        cluster: global.cluster.clone(),
        user: global.user.clone(),
        namespace: global.namespace.clone(),
        all_namespaces: global.all_namespaces,
        act_as: global.act_as.clone(),
        act_as_groups: global.act_as_groups.clone(),
        read_only: global.read_only || settings.config.read_only,
        read_only_clusters: settings.config.read_only_clusters(),
    }
}

async fn to_cluster(flags: &Flags, env: &Env) -> Result<Arc<Session>, Outcome> {
    match connect::connect(flags, env).await {
        Ok(session) => Ok(Arc::new(session)),
        Err(error) => Err(fail(&error.to_string())),
    }
}

#[cfg(feature = "demo")]
async fn to_demo(arguments: &Arguments, scenario: &str, settings: &Settings) -> Result<Connection, Outcome> {
    use crate::demo::{Demo, Options};
    let options = Options {
        scenario: scenario.parse().map_err(|error| usage(&error))?,
        from: arguments.demo_from.unwrap_or(Options::default().from),
        speed: arguments.demo_speed,
        port: 0,
        is_open: false,
    };
    let demo = Demo::start(options).await.map_err(|error| fail(&format!("{error:#}")))?;
    // The ordinary client reads an ordinary file: there is no shortcut around the wire.
    let kubeconfig = super::serve::kubeconfig(&demo).map_err(|error| fail(&format!("{error:#}")))?;
    let flags = Flags {
        kubeconfig: Some(kubeconfig.path().to_owned()),
        context: None,
        cluster: None,
        user: None,
        act_as: None,
        act_as_groups: Vec::new(),
        ..flags(&arguments.global, settings)
    };
    let session = to_cluster(&flags, &Env::default()).await?;
    Ok(Connection { session, speed: arguments.demo_speed, is_demo: true, _demo: Some(demo) })
}

#[cfg(not(feature = "demo"))]
fn to_demo(_: &Arguments, _: &str, _: &Settings) -> std::future::Ready<Result<Connection, Outcome>> {
    std::future::ready(Err(usage(&"this sickbay was built without the demo cluster (feature `demo`)")))
}

fn usage(error: &dyn std::fmt::Display) -> Outcome {
    complain(&error.to_string());
    Outcome::Usage
}

impl Connection {
    /// An application that knows where it is connected to, and nothing else yet.
    pub fn app(&self, settings: &Settings) -> App {
        let session = &self.session;
        let facts = link::Session {
            context: Text::new(&session.context),
            server: Text::new(&session.server),
            version: Text::new(&session.version.git_version),
            user: Text::new(session.user.as_deref().unwrap_or("nobody")),
            scope: scope(&session.scope),
            is_read_only: session.read_only,
            is_demo: self.is_demo,
            config_problems: settings.problems.len(),
        };
        let mut app = App::new(facts, settings.keymap(), self.timers(settings), session.clock.now());
        app.cluster.namespace = match &session.scope {
            Scope::All => None,
            Scope::Namespace { name, .. } => Some(Text::new(name)),
        };
        app
    }

    fn timers(&self, settings: &Settings) -> Timers {
        let by_version = match self.session.version.minor {
            // A server that does not say is taken for a new one.
            0 => Timers::default(),
            minor => Timers::of_version(minor),
        };
        let Session { context, server, .. } = &*self.session;
        settings.config.timers(context, server, by_version).hurried(self.speed)
    }
}

fn scope(scope: &Scope) -> link::Scope {
    match scope {
        Scope::All => link::Scope::All,
        Scope::Namespace { name, why } => link::Scope::Namespace {
            name: Text::new(name),
            reason: match why {
                WhyNamespace::Asked => None,
                WhyNamespace::OnlyOne { reason } => Some(Text::new(reason)),
            },
        },
    }
}
