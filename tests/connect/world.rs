//! What these tests connect to: a server that answers as it is told, certificates, proxies, a home directory.
//!
//! It speaks just enough HTTP to be spoken to by the real client; it deliberately knows nothing of Kubernetes.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use sickbay::k8s::connect::{ConnectError, Session, connect};
use sickbay::k8s::kubeconfig::{Env, Flags};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub const VERSION: &str = r#"{"major":"1","minor":"36+","gitVersion":"v1.36.0"}"#;

/// An answer: status, further headers, body.
pub struct Answer(pub u16, pub String, pub Vec<u8>);

impl Answer {
    pub fn json(status: u16, body: &str) -> Self {
        Self(status, "content-type: application/json\r\n".to_owned(), body.into())
    }

    pub fn status(code: u16, message: &str) -> Self {
        let body =
            serde_json::json!({"kind": "Status", "apiVersion": "v1", "code": code, "message": message});
        Self::json(code, &body.to_string())
    }
}

/// A cluster in which all is allowed.
pub fn healthy(request: &str) -> Answer {
    if path(request) == "/version" {
        Answer::json(200, VERSION)
    } else {
        Answer::json(200, r#"{"items":[]}"#)
    }
}

pub fn path(request: &str) -> &str {
    request.split_whitespace().nth(1).unwrap_or_default()
}

/// The value of a header, as the server saw it.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.requests().iter().map(|request| path(request).to_owned()).collect()
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn https(&self) -> String {
        format!("https://{}", self.address)
    }
}

/// Serves until the test ends; over TLS where there is a certificate to do it with.
pub async fn serve(
    tls: Option<ServerConfig>,
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server { address: listener.local_addr().unwrap(), requests: Arc::default() };
    let requests = Arc::clone(&server.requests);
    let answer = Arc::new(answer);
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (requests, answer, tls) = (Arc::clone(&requests), Arc::clone(&answer), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => talk(stream, &requests, &*answer).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            talk(stream, &requests, &*answer).await;
                        }
                    }
                }
            });
        }
    });
    server
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    requests: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
) {
    while let Some(request) = head(&mut stream).await {
        requests.lock().unwrap().push(request.clone());
        let Answer(status, headers, body) = answer(&request);
        let head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        if stream.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
            return;
        }
    }
}

/// Reads up to the empty line.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// A proxy that speaks CONNECT: leads every name to `to`, or refuses with `status`.
pub async fn connect_proxy(status: u16, to: SocketAddr) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Server { address: listener.local_addr().unwrap(), requests: Arc::default() };
    let requests = Arc::clone(&proxy.requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(request) = head(&mut stream).await else { continue };
            requests.lock().unwrap().push(request);
            let answer = format!("HTTP/1.1 {status} Told\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            if status == 200 {
                tokio::spawn(join(stream, to));
            }
        }
    });
    proxy
}

/// A SOCKS5 proxy without a login that leads every name to `to`, and records the names.
pub async fn socks_proxy(to: SocketAddr) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Server { address: listener.local_addr().unwrap(), requests: Arc::default() };
    let requests = Arc::clone(&proxy.requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut greeting = [0; 3];
            stream.read_exact(&mut greeting).await.unwrap();
            stream.write_all(&[5, 0]).await.unwrap();
            // Version, command, reserved, kind of address (3 is a name), its length.
            let mut request = [0; 5];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(request[3], 3, "names are resolved by the proxy");
            let mut name = vec![0; usize::from(request[4]) + 2];
            stream.read_exact(&mut name).await.unwrap();
            name.truncate(name.len() - 2);
            requests.lock().unwrap().push(String::from_utf8(name).unwrap());
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            tokio::spawn(join(stream, to));
        }
    });
    proxy
}

async fn join(mut stream: TcpStream, to: SocketAddr) {
    let mut server = TcpStream::connect(to).await.unwrap();
    // Ends when either side does.
    let _closed = copy_bidirectional(&mut stream, &mut server).await;
}

/// An address at which nothing listens.
pub async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn sign(&self, params: &CertificateParams) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let issuer: &Issuer<'_, KeyPair> = &self.issuer;
        (params.signed_by(&key, issuer).unwrap(), key)
    }

    /// What a server with these names needs; `change` may spoil its certificate.
    pub fn server(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let (certificate, key) = self.sign(&params);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }

    /// The same, for clients that this authority signed only.
    pub fn strict_server(&self) -> ServerConfig {
        let (certificate, key) = self.sign(&CertificateParams::new(["127.0.0.1".to_owned()]).unwrap());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }

    pub fn client(&self) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(&params);
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// Writes a program from another process: a file that this one has open for writing when some other test forks
/// cannot be started ("text file busy").
fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", r#"cat > "$0" && chmod 755 "$0""#])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

/// A home directory with one kubeconfig: cluster `lab`, user `ada`, context `night`.
pub struct Home {
    dir: TempDir,
    pub env: Env,
}

impl Home {
    /// `cluster` and `user` are the insides of the two entries, as YAML in braces.
    pub fn new(cluster: &str, user: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let env = Env { home: Some(dir.path().into()), ..Env::default() };
        let home = Self { dir, env };
        home.configure(cluster, user, "night");
        home
    }

    pub fn configure(&self, cluster: &str, user: &str, current: &str) {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {current}\n\
             clusters:\n- name: lab\n  cluster: {cluster}\n- name: far\n  cluster: {{server: 'https://192.0.2.1'}}\n\
             users:\n- name: ada\n  user: {user}\n\
             contexts:\n- name: night\n  context: {{cluster: lab, user: ada, namespace: ward}}\n\
             - name: day\n  context: {{cluster: far, user: ada}}\n"
        );
        self.write(".kube/config", &text);
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// A credential plugin in shell; `$DIR` in it is this directory.
    pub fn plugin(&self, body: &str) -> String {
        let body = body.replace("$DIR", self.dir.path().to_str().unwrap());
        let path = self.dir.path().join(".kube/bin/plugin");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_program(&path, &format!("#!/bin/sh\n{body}\n"));
        // As a kubeconfig may write it: relative to itself.
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/plugin, interactiveMode: IfAvailable}}"
            .to_owned()
    }

    pub async fn connect(&self, flags: Flags) -> Result<Session, ConnectError> {
        connect(&flags, &self.env).await
    }

    /// The message of a connection that fails, with what differs from run to run written as names.
    pub async fn complaint(&self, server: SocketAddr) -> String {
        let error = self.connect(Flags::default()).await.unwrap_err();
        error
            .to_string()
            .replace(self.dir.path().to_str().unwrap(), "~")
            .replace(&server.to_string(), "SERVER")
    }
}
