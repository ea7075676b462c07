//! From the entries of a kubeconfig to a client: credentials, certificates, the address of the server.
//!
//! It deliberately lets kube neither run a plugin nor choose a proxy nor look at a variable: what kube gets is
//! complete and plain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use jiff::Timestamp;
use kube::client::AuthError;
use kube::config::{AuthInfo, ExecAuthCluster};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use super::{ConnectError, expiry, one_line, place_of};
use crate::k8s::kubeconfig::Pinned;
use crate::k8s::plugin::{self, PluginError, Terminal};
use crate::k8s::transport::{self, Route};

/// A client, and how long its credentials last.
pub(super) struct Login {
    pub(super) client: kube::Client,
    /// As the plugin said, or as the credentials themselves say.
    pub(super) expires: Option<Timestamp>,
    /// Whether there was anything to show at the door.
    pub(super) offers_credentials: bool,
}

/// The address of the server, as kubectl completes it.
pub(super) fn server(pinned: &Pinned) -> Result<Uri, ConnectError> {
    let cluster = &pinned.cluster_entry;
    let written = pinned.server().trim();
    let secure = cluster.insecure_skip_tls_verify == Some(true)
        || cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || pinned.user_entry.client_certificate.is_some()
        || pinned.user_entry.client_certificate_data.is_some();
    let address = match (written.contains("://"), secure) {
        (true, _) => written.to_owned(),
        (false, true) => format!("https://{written}"),
        (false, false) => format!("http://{written}"),
    };
    let unusable = || ConnectError::NoServer { files: pinned.files_text(), cluster: pinned.cluster.clone() };
    let server: Uri = address.parse().map_err(|_| unusable())?;
    match (server.scheme_str(), server.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(server),
        _ => Err(unusable()),
    }
}

/// Gets credentials, running a plugin where there is one, and builds a client with them.
pub(super) async fn log_in(
    pinned: &Pinned,
    route: &Route,
    terminal: Terminal,
) -> Result<Login, ConnectError> {
    let server = server(pinned)?;
    let place = place_of(pinned, &server, route.proxy.as_ref());
    let (user, expires) = credentials(pinned, terminal)
        .await
        .map_err(|error| ConnectError::Plugin { place: place.clone(), error })?;
    let offers_credentials = user.token.is_some()
        || user.token_file.is_some()
        || user.username.is_some()
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some()
        || user.auth_provider.is_some();
    let (pinned, route) = (pinned.clone(), route.clone());
    // Reads files and the trust store of the system, and an old auth provider may run a program.
    let built = tokio::task::spawn_blocking(move || {
        let expires = expires.or_else(|| end_of(&user));
        let config = config(&pinned, server, user)?;
        transport::client(&config, &route).map(|client| (client, expires)).map_err(|error| reason(&error))
    });
    let (client, expires) = built
        .await
        .unwrap_or_else(|_| Err("the client could not be built".to_owned()))
        .map_err(|reason| ConnectError::Credentials { place, reason })?;
    Ok(Login { client, expires, offers_credentials })
}

async fn credentials(
    pinned: &Pinned,
    terminal: Terminal,
) -> Result<(AuthInfo, Option<Timestamp>), PluginError> {
    let mut user = pinned.user_entry.clone();
    let is_empty = |secret: &mut SecretString| secret.expose_secret().is_empty();
    user.token.take_if(is_empty);
    user.token_file.take_if(|path| path.is_empty());
    if let Some(provider) = user.auth_provider.as_mut().filter(|provider| provider.name == "oidc") {
        // A public client has none; kube wants the field.
        provider.config.entry("client-secret".to_owned()).or_default();
    }
    let Some(exec) = user.exec.take() else { return Ok((user, None)) };
    let has_login = user.token.is_some()
        || user.token_file.is_some()
        || user.auth_provider.is_some()
        || (user.username.is_some() && user.password.is_some());
    if has_login {
        return Ok((user, None));
    }
    let cluster = exec
        .provide_cluster_info
        .then(|| ExecAuthCluster::try_from(&pinned.cluster_entry))
        .transpose()
        .map_err(|error| PluginError::NoCluster {
            command: exec.command.clone().unwrap_or_default(),
            reason: chain(&error),
        })?;
    let credential = plugin::run(&exec, cluster, terminal).await?;
    user.token = credential.token;
    if let Some(identity) = credential.identity {
        user.client_certificate = None;
        user.client_certificate_data = Some(STANDARD.encode(identity.certificate));
        user.client_key = None;
        user.client_key_data = Some(SecretString::from(STANDARD.encode(identity.key.expose_secret())));
    }
    Ok((user, credential.expires))
}

/// When credentials end that nobody told us the end of. A file that cannot be read is complained about elsewhere.
fn end_of(user: &AuthInfo) -> Option<Timestamp> {
    if let Some(token) = &user.token {
        return expiry::of_token(token.expose_secret());
    }
    let pem = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => STANDARD.decode(data).ok()?,
        (None, Some(file)) => std::fs::read(file).ok()?,
        (None, None) => return None,
    };
    expiry::of_certificate(&pem)
}

fn config(pinned: &Pinned, server: Uri, user: AuthInfo) -> Result<kube::Config, String> {
    let cluster = &pinned.cluster_entry;
    let mut config = kube::Config::new(server);
    config.default_namespace = pinned.namespace.clone().unwrap_or_else(|| "default".to_owned());
    config.root_cert = authorities(pinned)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or_default();
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    config.auth_info = user;
    config.default_retry = false;
    Ok(config)
}

/// The certificates that may sign the server's; none means those that the system trusts.
fn authorities(pinned: &Pinned) -> Result<Option<Vec<Vec<u8>>>, String> {
    // kube reads this field, from data or file, only for plugins; what it reads is the same.
    let cluster = ExecAuthCluster::try_from(&pinned.cluster_entry).map_err(|error| chain(&error))?;
    let Some(pem) = cluster.certificate_authority_data.filter(|pem| !pem.is_empty()) else { return Ok(None) };
    let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("certificate-authority of cluster {} is no PEM: {error}", pinned.cluster))?;
    if certificates.is_empty() {
        return Err(format!("certificate-authority of cluster {} holds no certificate", pinned.cluster));
    }
    Ok(Some(certificates))
}

/// Why kube cannot make a client of it.
fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Auth(error) => fault(error),
        kube::Error::InferKubeconfig(error) => chain(error),
        other => chain(other),
    }
}

/// Why there are no credentials. What a program printed is a secret and is left out.
pub(super) fn fault(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { cmd, out } => format!("{} failed ({})", one_line(cmd), out.status),
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) => {
            "the auth provider answered with something else than a token".to_owned()
        }
        AuthError::Oidc(error) => chain(error),
        other => chain(other),
    }
}

/// An error of kube's as text: its messages hold their causes already.
fn chain(error: &impl std::error::Error) -> String {
    one_line(&error.to_string())
}

impl Login {
    /// The end of the credentials, where it has passed.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        self.expires.filter(|end| *end < Timestamp::now())
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("expires", &self.expires).finish_non_exhaustive()
    }
}
