//! The account of the pod that the program runs in: what stands in for a kubeconfig where there is none.

use super::Pinned;
use kube::config::{AuthInfo, Cluster};
use std::path::PathBuf;
use std::{env, fs};

/// What the context, the cluster and the user are called that no kubeconfig names.
const NAME: &str = "in-cluster";

/// Where a pod finds the API server and its own account.
#[derive(Clone, Debug)]
pub struct InCluster {
    pub host: String,
    pub port: String,
    /// Holds the token, the namespace and the authority that signs the server's certificate.
    pub folder: PathBuf,
}

impl InCluster {
    pub(super) fn of_process() -> Option<Self> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Some(Self {
            host: variable("KUBERNETES_SERVICE_HOST")?,
            port: variable("KUBERNETES_SERVICE_PORT")?,
            folder: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
        })
    }

    /// What a kubeconfig for this account would say; nothing where the pod was given no token.
    pub(super) fn pin(&self) -> Option<Pinned> {
        let file = |name: &str| {
            let path = self.folder.join(name);
            path.is_file().then(|| path.display().to_string())
        };
        let token = file("token")?;
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let namespace = fs::read_to_string(self.folder.join("namespace")).ok();
        Some(Pinned {
            files: Vec::new(),
            context: NAME.to_owned(),
            cluster: NAME.to_owned(),
            user: Some("service account".to_owned()),
            namespace: namespace.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
            cluster_entry: Cluster {
                server: Some(format!("https://{host}:{}", self.port)),
                certificate_authority: file("ca.crt"),
                ..Cluster::default()
            },
            // Read anew each minute by the client: such tokens live for an hour.
            user_entry: AuthInfo { token_file: Some(token), ..AuthInfo::default() },
        })
    }
}
