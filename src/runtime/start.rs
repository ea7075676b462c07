//! From arguments to a connection: to the cluster of a context, or to the demo in this process.

use super::settings::Settings;
use super::{Outcome, complain, fail};
use crate::actions::history;
use crate::app::App;
use crate::app::acting::Told;
use crate::app::link;
use crate::cli::{Arguments, Global};
use crate::cluster::{Text, Timers};
use crate::findings::Places;
use crate::journal::{self, Journal};
use crate::k8s::connect::{self, Scope, Session, WhyNamespace};
use crate::k8s::identity;
use crate::k8s::kubeconfig::{Env, Flags};
use crate::state;
use std::sync::Arc;

/// A connection that stands, and what must live as long as it does.
pub struct Connection {
    pub session: Arc<Session>,
    speed: u32,
    is_demo: bool,
    /// The uid of the namespace kube-system, where commands are configured for this server.
    kube_system: Option<String>,
    /// What the runs of this session are called by.
    tag: String,
    /// Where its journal lies.
    pub journals: journal::Place,
    #[cfg(feature = "demo")]
    _demo: Option<crate::demo::Demo>,
}

/// Connects, or says on standard error why that is not possible.
pub async fn connect(arguments: &Arguments, settings: &Settings) -> Result<Connection, Outcome> {
    match &arguments.demo {
        Some(scenario) => to_demo(arguments, scenario, settings).await,
        None => {
            let session = to_cluster(&flags(&arguments.global, settings), &Env::of_process()).await?;
            let kube_system = kube_system(&session, settings).await;
            Ok(Connection {
                session,
                kube_system,
                speed: 1,
                is_demo: false,
                tag: tag(),
                journals: journals(&arguments.global),
                #[cfg(feature = "demo")]
                _demo: None,
            })
        }
    }
}

/// Which cluster this is, where that decides about commands. One that cannot be asked has none.
async fn kube_system(session: &Session, settings: &Settings) -> Option<String> {
    if !settings.config.has_kit(&session.server) {
        return None;
    }
    identity::kube_system(session).await.ok()
}

/// Five letters or digits: enough that two sessions of a week are not called alike.
fn tag() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(5).collect::<String>().to_lowercase()
}

/// Where journals lie: in the file that was asked for, or in the user's folder for state.
pub fn journals(global: &Global) -> journal::Place {
    if let Some(path) = &global.journal {
        return journal::Place::File(path.clone());
    }
    let home = std::env::home_dir().map(Into::into);
    match state::place(std::env::var_os("XDG_STATE_HOME"), home) {
        Some(folder) => journal::Place::Folder(folder.join("journal")),
        None => journal::Place::Nowhere,
    }
}

/// Who sits here, as the machine knows them.
fn operator() -> String {
    let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = var("SUDO_USER").or_else(|| var("USER")).or_else(|| var("LOGNAME"));
    let user = user.unwrap_or_else(|| "somebody".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| var("HOSTNAME"));
    match host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
        Some(host) => format!("{user}@{host}"),
        None => user,
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
    let kube_system = kube_system(&session, settings).await;
    Ok(Connection {
        session,
        kube_system,
        speed: arguments.demo_speed,
        is_demo: true,
        tag: tag(),
        journals: journals(&arguments.global),
        _demo: Some(demo),
    })
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
    /// The journal of this session. It has no file before the first record.
    pub fn journal(&self) -> Journal {
        let day = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        Journal::new(self.journals.clone(), format!("{day}-{}.jsonl", self.tag))
    }

    /// What the journals of earlier sessions tell the application.
    pub fn past(&self) -> Told {
        let reading = journal::read(&self.journals);
        let runs = history::runs(&reading.records, |run| reading.is_alive(run));
        Told::Past { runs, records: reading.records }
    }

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
            operator: Text::new(&operator()),
            tag: Text::new(&self.tag),
            is_protected: settings.config.is_protected(&session.context, &session.server),
            most_targets: settings.config.most_targets,
            kit: Arc::new(settings.config.kit(&session.server, self.kube_system.as_deref())),
        };
        let mut app = App::new(facts, settings.keymap(), self.timers(settings), session.clock.now());
        app.cluster.namespace = match &session.scope {
            Scope::All => None,
            Scope::Namespace { name, .. } => Some(Text::new(name)),
        };
        if let Some(labels) = settings.config.places(&session.context, &session.server) {
            app.places = Places::new(labels.iter().map(String::as_str));
        }
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
