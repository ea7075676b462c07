//! The kubeconfig as kubectl reads it: which files count, how they merge, and which context is meant.
//!
//! It is read once and pinned, so that another shell's `use-context` does not move a running session. It
//! deliberately makes no client: `connect` does.

mod pod;

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};

use super::connect::{ConnectError, Entry};
use super::proxy::ProxyVariables;
pub use pod::InCluster;

/// What the command line says about the cluster. An empty value counts as not given, as kubectl has it.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub namespace: Option<String>,
    pub all_namespaces: bool,
    /// The user to act as, and the groups: the API server asks whether ours may do that.
    pub act_as: Option<String>,
    pub act_as_groups: Vec<String>,
    pub read_only: bool,
    /// Contexts, or URLs of servers, that are read-only whatever the flag says.
    pub read_only_clusters: Vec<String>,
}

/// What of the environment matters to a connection.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The value of `KUBECONFIG`.
    pub kubeconfig: Option<OsString>,
    pub home: Option<PathBuf>,
    pub proxies: ProxyVariables,
    /// Whether somebody sits at a terminal that a credential plugin may use while the first connection is made.
    pub terminal: bool,
    /// Where this is a pod.
    pub in_cluster: Option<InCluster>,
}

impl Env {
    pub fn of_process() -> Self {
        Self {
            kubeconfig: env::var_os("KUBECONFIG"),
            home: env::home_dir(),
            proxies: ProxyVariables::read(|name| env::var(name).ok()),
            terminal: io::IsTerminal::is_terminal(&io::stdin()) && io::IsTerminal::is_terminal(&io::stderr()),
            in_cluster: InCluster::of_process(),
        }
    }
}

/// One context of the kubeconfig, with what it names. Nothing of it changes while the program runs.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The files that were read, in the order of their precedence.
    pub files: Vec<PathBuf>,
    /// Empty where `--cluster` made up for a context.
    pub context: String,
    pub cluster: String,
    pub user: Option<String>,
    /// The namespace of the context.
    pub namespace: Option<String>,
    pub cluster_entry: Cluster,
    pub user_entry: AuthInfo,
}

/// What `flags` and `env` mean: a context of the kubeconfig, or the account of this pod where there is no file and
/// nothing was asked for that only a file could tell.
pub fn pin(flags: &Flags, env: &Env) -> Result<Pinned, ConnectError> {
    let names_entry =
        [&flags.context, &flags.cluster, &flags.user].into_iter().flatten().any(|name| !name.is_empty());
    let pinned = match sources(flags, env) {
        Ok(files) => pin_context(flags, &files)?,
        Err(error @ ConnectError::NoKubeconfig { .. }) if !names_entry => {
            env.in_cluster.as_ref().and_then(InCluster::pin).ok_or(error)?
        }
        Err(error) => return Err(error),
    };
    Ok(pinned.acting_as(flags))
}

fn pin_context(flags: &Flags, files: &[PathBuf]) -> Result<Pinned, ConnectError> {
    let (kubeconfig, files) = read(files)?;
    let given = |flag: &Option<String>| flag.clone().filter(|name| !name.is_empty());
    let list = text_of(&files);

    let named =
        given(&flags.context).or_else(|| kubeconfig.current_context.clone()).filter(|name| !name.is_empty());
    let context = match &named {
        None if given(&flags.cluster).is_some() => None,
        None => {
            return Err(ConnectError::NoContext { files: list, known: names(&kubeconfig, Entry::Context) });
        }
        Some(name) => {
            let found = kubeconfig.contexts.iter().find(|context| context.name == *name);
            let context = found.and_then(|context| context.context.clone());
            Some(context.ok_or_else(|| unknown(&kubeconfig, Entry::Context, name, &files))?)
        }
    };
    let of_context = context.as_ref();

    let cluster = given(&flags.cluster)
        .or_else(|| of_context.map(|context| context.cluster.clone()))
        .unwrap_or_default();
    let cluster_entry = cluster_named(&kubeconfig, &cluster)
        .ok_or_else(|| unknown(&kubeconfig, Entry::Cluster, &cluster, &files))?;
    if cluster_entry.server.as_deref().unwrap_or_default().is_empty() {
        return Err(ConnectError::NoServer { files: list, cluster });
    }
    let user = given(&flags.user)
        .or_else(|| of_context.and_then(|context| context.user.clone()))
        .filter(|name| !name.is_empty());
    let user_entry = match &user {
        None => AuthInfo::default(),
        Some(name) => {
            user_named(&kubeconfig, name).ok_or_else(|| unknown(&kubeconfig, Entry::User, name, &files))?
        }
    };
    Ok(Pinned {
        context: named.unwrap_or_default(),
        namespace: of_context.and_then(|context| context.namespace.clone()).filter(|name| !name.is_empty()),
        files,
        cluster,
        user,
        cluster_entry,
        user_entry,
    })
}

impl Pinned {
    /// The same cluster and user with credentials read anew: somebody may have logged in again since. Where the
    /// files no longer tell, the pinned ones stay.
    ///
    /// Invariant: the server never changes. Where the files now name another one, fresh credentials are meant for
    /// that one and are not sent to ours.
    pub fn reread(&self) -> Result<Self, ConnectError> {
        let Ok((kubeconfig, _)) = read(&self.files) else { return Ok(self.clone()) };
        let server = cluster_named(&kubeconfig, &self.cluster).and_then(|cluster| cluster.server);
        if let Some(server) = server.filter(|server| Some(server) != self.cluster_entry.server.as_ref()) {
            return Err(ConnectError::Moved {
                files: self.files_text(),
                cluster: self.cluster.clone(),
                was: self.server().to_owned(),
                now: server,
            });
        }
        let read = self.user.as_ref().and_then(|user| user_named(&kubeconfig, user));
        let ours = self.user_entry.clone();
        let user_entry = read.map_or_else(
            || ours.clone(),
            |read| AuthInfo {
                // Whom the header names does not change either.
                impersonate: ours.impersonate.clone(),
                impersonate_uid: ours.impersonate_uid.clone(),
                impersonate_groups: ours.impersonate_groups.clone(),
                impersonate_user_extra: ours.impersonate_user_extra.clone(),
                ..read
            },
        );
        Ok(Self { user_entry, ..self.clone() })
    }

    /// `--as` replaces whom the kubeconfig would act as, whole.
    fn acting_as(mut self, flags: &Flags) -> Self {
        if let Some(user) = flags.act_as.clone().filter(|user| !user.is_empty()) {
            self.user_entry.impersonate = Some(user);
            self.user_entry.impersonate_uid = None;
            self.user_entry.impersonate_groups = Some(flags.act_as_groups.clone());
            self.user_entry.impersonate_user_extra = None;
        }
        self
    }

    /// The user as people are told: whose credentials are shown at the door, and as whom.
    pub fn shown_user(&self) -> Option<String> {
        match (&self.user_entry.impersonate, &self.user) {
            (Some(other), Some(user)) => Some(format!("{other} (by {user})")),
            (Some(other), None) => Some(other.clone()),
            (None, user) => user.clone(),
        }
    }

    /// The server as the kubeconfig writes it.
    pub fn server(&self) -> &str {
        self.cluster_entry.server.as_deref().unwrap_or_default()
    }

    /// Whether nothing may be sent there that could change it.
    pub fn is_read_only(&self, flags: &Flags) -> bool {
        let server = self.server().trim_end_matches('/');
        let means = |name: &String| {
            // By the cluster's name as well: `--context dev --cluster prod` is prod.
            *name == self.context || *name == self.cluster || name.trim_end_matches('/') == server
        };
        flags.read_only || flags.read_only_clusters.iter().any(means)
    }

    pub fn files_text(&self) -> String {
        text_of(&self.files)
    }
}

/// Which files to read: all of them exist.
fn sources(flags: &Flags, env: &Env) -> Result<Vec<PathBuf>, ConnectError> {
    if let Some(path) = flags.kubeconfig.clone().filter(|path| !path.as_os_str().is_empty()) {
        return if path.exists() {
            Ok(vec![path])
        } else {
            Err(ConnectError::MissingFile { file: path.display().to_string() })
        };
    }
    let candidates: Vec<PathBuf> = match env.kubeconfig.as_ref().filter(|list| !list.is_empty()) {
        Some(list) => env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => env.home.iter().map(|home| home.join(".kube/config")).collect(),
    };
    let found: Vec<PathBuf> = candidates.iter().filter(|path| path.exists()).cloned().collect();
    if found.is_empty() {
        return Err(ConnectError::NoKubeconfig {
            looked: candidates.iter().map(|file| file.display().to_string()).collect(),
        });
    }
    Ok(found)
}

/// Reads and merges: the first file that names a thing wins, whole. Relative paths are relative to their own file.
fn read(files: &[PathBuf]) -> Result<(Kubeconfig, Vec<PathBuf>), ConnectError> {
    let mut merged = Kubeconfig::default();
    for file in files {
        let one = Kubeconfig::read_from(file).map_err(|error| unreadable(file, &error))?;
        merged = merged.merge(one).map_err(|error| unreadable(file, &error))?;
    }
    // An empty file that only sets nothing must not hide the context of the next one.
    Ok((merged, files.to_vec()))
}

fn unreadable(file: &Path, error: &KubeconfigError) -> ConnectError {
    let file = file.display().to_string();
    match error {
        KubeconfigError::ReadConfig(error, _) if error.kind() == io::ErrorKind::InvalidData => {
            ConnectError::InvalidFile {
                file,
                line: None,
                reason: "it is not text in UTF-8 or UTF-16".to_owned(),
            }
        }
        KubeconfigError::ReadConfig(error, _) => {
            ConnectError::UnreadableFile { file, reason: error.kind().to_string() }
        }
        KubeconfigError::Parse(error) => {
            let line = error.location().map(|location| location.line());
            ConnectError::InvalidFile { file, line, reason: complaint(&error.without_snippet().to_string()) }
        }
        other => ConnectError::InvalidFile { file, line: None, reason: other.to_string() },
    }
}

/// The parser's complaint, unless it quotes the file: what it quotes may be a token.
fn complaint(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    let text = text.split(" at line ").next().unwrap_or(text);
    if text.contains("invalid type") || text.contains("invalid value") || text.contains(['"', '\'']) {
        "a value there is not what a kubeconfig has in this place".to_owned()
    } else {
        text.to_owned()
    }
}

fn cluster_named(kubeconfig: &Kubeconfig, name: &str) -> Option<Cluster> {
    kubeconfig.clusters.iter().find(|cluster| cluster.name == name)?.cluster.clone()
}

fn user_named(kubeconfig: &Kubeconfig, name: &str) -> Option<AuthInfo> {
    // `user:` with nothing under it is a user without credentials.
    kubeconfig
        .auth_infos
        .iter()
        .find(|user| user.name == name)
        .map(|user| user.auth_info.clone().unwrap_or_default())
}

fn names(kubeconfig: &Kubeconfig, entry: Entry) -> Vec<String> {
    match entry {
        Entry::Context => kubeconfig.contexts.iter().map(|context| context.name.clone()).collect(),
        Entry::Cluster => kubeconfig.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
        Entry::User => kubeconfig.auth_infos.iter().map(|user| user.name.clone()).collect(),
    }
}

fn unknown(kubeconfig: &Kubeconfig, entry: Entry, name: &str, files: &[PathBuf]) -> ConnectError {
    ConnectError::Unknown {
        entry,
        name: name.to_owned(),
        files: text_of(files),
        known: names(kubeconfig, entry),
    }
}

fn text_of(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
