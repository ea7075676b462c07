//! Connecting over real sockets: to servers, through proxies, with certificates and credential plugins.

#![expect(clippy::unwrap_used, reason = "a world that cannot be set up is a test that failed")]

#[path = "connect/world.rs"]
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::future::join_all;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use rcgen::date_time_ymd;
use sickbay::actions::probe::Needed;
use sickbay::actions::{self, CallError};
use sickbay::k8s::connect::{ConnectError, Scope, WhyNamespace};
use sickbay::k8s::kubeconfig::Flags;
use sickbay::k8s::references;
use sickbay::k8s::transport::ReadOnly;
use sickbay::revision::{Held, Reference};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use world::{
    Answer, Authority, Home, Server, VERSION, closed, connect_proxy, header, healthy, path, serve,
    socks_proxy,
};

const TOKEN: &str = "{token: s3cret}";

fn plain_cluster(server: &Server) -> String {
    format!("{{server: '{}'}}", server.http())
}

fn secure_cluster(server: &Server, authority: &Authority) -> String {
    let data = STANDARD.encode(authority.pem());
    format!("{{server: '{}', certificate-authority-data: {data}}}", server.https())
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

// -- what a session knows and sends ---------------------------------------------------------------------------

#[tokio::test]
async fn a_token_over_tls_makes_a_session() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["127.0.0.1"], |_| ())), healthy).await;
    let home = Home::new(&secure_cluster(&server, &authority), TOKEN);
    let session = home.connect(Flags::default()).await.unwrap();

    assert_eq!(
        (session.context.as_str(), session.cluster.as_str(), session.user.as_deref()),
        ("night", "lab", Some("ada"))
    );
    assert_eq!(session.server, server.https());
    assert_eq!(session.version.git_version, "v1.36.0");
    assert_eq!((session.version.major, session.version.minor), (1, 36));
    assert_eq!((&session.scope, &session.denied), (&Scope::All, &None));
    assert_eq!(session.credentials_expire(), None);
    assert!(!session.read_only);

    assert_eq!(server.paths(), ["/version", "/api/v1/pods?limit=1"]);
    for request in server.requests() {
        assert_eq!(header(&request, "authorization"), Some("Bearer s3cret"));
        assert_eq!(header(&request, "user-agent"), Some(concat!("sickbay/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(header(&request, "accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn a_client_certificate_is_found_beside_its_kubeconfig() {
    let authority = Authority::new();
    let server = serve(Some(authority.strict_server()), healthy).await;
    let user = "{client-certificate: pki/ada.crt, client-key: pki/ada.key}";
    let cluster = format!("{{server: '{}', certificate-authority: pki/ca.crt}}", server.https());
    let home = Home::new(&cluster, user);
    let ada = authority.client();
    home.write(".kube/pki/ca.crt", &authority.pem());
    home.write(".kube/pki/ada.crt", &ada.certificate);
    home.write(".kube/pki/ada.key", &ada.key);
    home.connect(Flags::default()).await.unwrap();

    let stranger = Authority::new().client();
    home.write(".kube/pki/ada.crt", &stranger.certificate);
    home.write(".kube/pki/ada.key", &stranger.key);
    let text = home.complaint(server.address).await;
    assert!(
        text.starts_with("cannot trust https://SERVER (context night, kubeconfig ~/.kube/config): it rejects our client certificate ("),
        "{text}"
    );
    assert!(text.ends_with("); renew the certificate of this user"), "{text}");

    home.configure(&cluster, "{}", "night");
    assert_eq!(
        home.complaint(server.address).await,
        "cannot trust https://SERVER (context night, kubeconfig ~/.kube/config): it wants a client certificate \
         and this user has none; choose another user with --user"
    );

    home.configure(&cluster, user, "night");
    home.write(".kube/pki/ada.key", "rubbish");
    let text = home.complaint(server.address).await;
    assert!(
        text.starts_with("cannot connect to https://SERVER (context night, kubeconfig ~/.kube/config): "),
        "{text}"
    );
    assert!(text.ends_with("; correct the entries of this context"), "{text}");
}

#[tokio::test]
async fn a_server_name_and_no_verification_are_honoured() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["api.lab"], |_| ())), healthy).await;
    let cluster = secure_cluster(&server, &authority);
    let named = cluster.replace('}', ", tls-server-name: api.lab}");
    Home::new(&named, TOKEN).connect(Flags::default()).await.unwrap();
    let blind = format!("{{server: '{}', insecure-skip-tls-verify: true}}", server.https());
    Home::new(&blind, TOKEN).connect(Flags::default()).await.unwrap();
}

#[tokio::test]
async fn a_path_before_the_api_is_kept() {
    let server = serve(None, |request| healthy(&request.replace("/k8s/clusters/c1", ""))).await;
    let home = Home::new(&format!("{{server: '{}/k8s/clusters/c1/'}}", server.http()), TOKEN);
    let session = home.connect(Flags::default()).await.unwrap();
    assert_eq!(session.server, format!("{}/k8s/clusters/c1", server.http()));
    assert_eq!(server.paths(), ["/k8s/clusters/c1/version", "/k8s/clusters/c1/api/v1/pods?limit=1"]);
}

#[tokio::test]
async fn the_server_s_time_is_learnt_from_its_answers() {
    let server = serve(None, |request| {
        let Answer(status, headers, body) = healthy(request);
        Answer(status, format!("{headers}date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"), body)
    })
    .await;
    let session = Home::new(&plain_cluster(&server), TOKEN).connect(Flags::default()).await.unwrap();
    assert!(session.clock.is_known());
    let off = session.clock.now().as_second() - 4_102_444_800;
    assert!((0..30).contains(&off), "{off} s off");
}

#[tokio::test]
async fn compression_is_for_those_who_ask() {
    const HELLO: &str = "H4sIAAAAAAAC/8tIzcnJBwCGphA2BQAAAA==";
    let server = serve(None, |request| match path(request) {
        "/big" => Answer(200, "content-encoding: gzip\r\n".to_owned(), STANDARD.decode(HELLO).unwrap()),
        _ => healthy(request),
    })
    .await;
    let session = Home::new(&plain_cluster(&server), TOKEN).connect(Flags::default()).await.unwrap();
    let mut request = get("/big");
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let answer = session.client().send(request).await.unwrap();
    assert_eq!(&answer.into_body().collect().await.unwrap().to_bytes()[..], b"hello");
    assert_eq!(header(server.requests().last().unwrap(), "accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn read_only_lets_nothing_out_that_could_write() {
    let server = serve(None, healthy).await;
    let home = Home::new(&plain_cluster(&server), TOKEN);
    let session = home.connect(Flags { read_only: true, ..Flags::default() }).await.unwrap();
    assert!(session.read_only);
    let before = server.requests().len();
    let upgrade = Request::get("/api/v1/namespaces/a/pods/b/exec").header("upgrade", "websocket");
    let mut requests = vec![upgrade.body(Body::empty()).unwrap()];
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::CONNECT]
    {
        requests.push(
            Request::builder().method(method).uri("/api/v1/nodes/a?dryRun=All").body(Body::empty()).unwrap(),
        );
    }
    for request in requests {
        let method = request.method().clone();
        let Err(kube::Error::Service(refusal)) = session.client().send(request).await else {
            panic!("{method} went out");
        };
        assert_eq!(refusal.downcast_ref::<ReadOnly>().unwrap().method, method);
    }
    assert_eq!(server.requests().len(), before);
    session.client().send(get("/api/v1/nodes")).await.unwrap();
    session.client().send(Request::head("/api/v1/nodes").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(server.requests().len(), before + 2);
}

// -- which namespaces -----------------------------------------------------------------------------------------

fn narrow(request: &str) -> Answer {
    match path(request) {
        "/version" => Answer::json(200, VERSION),
        "/api/v1/namespaces/ward/pods?limit=1" => Answer::json(200, "{}"),
        _ => Answer::status(403, "pods is forbidden: User \"ada\" cannot list"),
    }
}

#[tokio::test]
async fn who_may_not_list_all_gets_the_namespace_of_the_context() {
    let server = serve(None, narrow).await;
    let home = Home::new(&plain_cluster(&server), TOKEN);
    let reason = "pods is forbidden: User \"ada\" cannot list".to_owned();

    let session = home.connect(Flags::default()).await.unwrap();
    let why = WhyNamespace::OnlyOne { reason: reason.clone() };
    assert_eq!(session.scope, Scope::Namespace { name: "ward".to_owned(), why });
    assert_eq!(session.denied, None);

    let session = home.connect(Flags { all_namespaces: true, ..Flags::default() }).await.unwrap();
    assert_eq!((session.scope, session.denied), (Scope::All, Some(reason.clone())));

    let session =
        home.connect(Flags { namespace: Some("other".to_owned()), ..Flags::default() }).await.unwrap();
    assert_eq!(session.scope, Scope::Namespace { name: "other".to_owned(), why: WhyNamespace::Asked });
    assert_eq!(session.denied, Some(reason));
}

#[tokio::test]
async fn a_server_too_ill_to_list_is_connected_to_all_the_same() {
    let server = serve(None, |request| match path(request) {
        "/version" => Answer::json(200, VERSION),
        _ => Answer::status(500, "etcdserver: no leader"),
    })
    .await;
    let session = Home::new(&plain_cluster(&server), TOKEN).connect(Flags::default()).await.unwrap();
    assert_eq!((session.scope, session.denied), (Scope::All, None));
}

// -- each way to fail is one message --------------------------------------------------------------------------

#[tokio::test]
async fn a_closed_port_refuses() {
    let nobody = closed().await;
    let home = Home::new(&format!("{{server: 'https://{nobody}'}}"), TOKEN);
    assert_eq!(
        home.complaint(nobody).await,
        "cannot connect to https://SERVER (context night, kubeconfig ~/.kube/config): connection refused; \
         check that the API server runs and that the port is right"
    );
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let home = Home::new("{server: 'https://api.invalid:6443'}", TOKEN);
    let text = home.complaint(closed().await).await;
    assert!(
        text.starts_with(
            "cannot connect to https://api.invalid:6443 (context night, kubeconfig ~/.kube/config): \
             host api.invalid is not found: "
        ),
        "{text}"
    );
    assert!(text.ends_with("; check the name, the resolver and the VPN"), "{text}");
}

#[tokio::test]
async fn distrust_tells_its_reason() {
    const PLACE: &str = "cannot trust https://SERVER (context night, kubeconfig ~/.kube/config): ";
    let authority = Authority::new();
    let complaint = async |config| {
        let server = serve(Some(config), healthy).await;
        Home::new(&secure_cluster(&server, &authority), TOKEN).complaint(server.address).await
    };
    assert_eq!(
        complaint(Authority::new().server(&["127.0.0.1"], |_| ())).await,
        format!(
            "{PLACE}its certificate is signed by an authority that the kubeconfig does not name; check certificate-authority, and that this is the cluster you mean"
        )
    );
    assert_eq!(
        complaint(authority.server(&["127.0.0.1"], |params| params.not_after = date_time_ymd(2021, 2, 3)))
            .await,
        format!(
            "{PLACE}its certificate has expired (on 2021-02-03T00:00:00Z); renew it, or check the clock of this machine"
        )
    );
    assert_eq!(
        complaint(authority.server(&["127.0.0.1"], |params| params.not_before = date_time_ymd(2095, 2, 3)))
            .await,
        format!(
            "{PLACE}its certificate is not valid yet (from 2095-02-03T00:00:00Z); check the clock of this machine"
        )
    );
    assert_eq!(
        complaint(authority.server(&["kubernetes", "10.96.0.1"], |_| ())).await,
        format!(
            "{PLACE}its certificate is for other names: kubernetes, 10.96.0.1; check the server, or set tls-server-name"
        )
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_not_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.read_u8().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    let home = Home::new(&format!("{{server: 'https://{plain}', insecure-skip-tls-verify: true}}"), TOKEN);
    assert_eq!(
        home.complaint(plain).await,
        "cannot trust https://SERVER (context night, kubeconfig ~/.kube/config): it does not speak TLS; \
         check the port, or write http:// if that is meant"
    );
}

/// The message when every request is answered so.
async fn complaint(answer: impl Fn() -> Answer + Send + Sync + 'static) -> String {
    let server = serve(None, move |_| answer()).await;
    Home::new(&plain_cluster(&server), TOKEN).complaint(server.address).await
}

#[tokio::test]
async fn answers_that_are_no_version_are_told_apart() {
    const PLACE: &str = "http://SERVER (context night, kubeconfig ~/.kube/config)";
    assert_eq!(
        complaint(|| Answer::status(401, "Unauthorized")).await,
        format!(
            "{PLACE} does not accept user ada: 401, Unauthorized; log in again or renew the credentials of this user"
        )
    );
    assert_eq!(
        complaint(|| Answer::status(403, "forbidden: User \"ada\" cannot get path \"/version\"")).await,
        format!(
            "{PLACE} forbids user ada to read its version: 403, forbidden: User \"ada\" cannot get path \"/version\"; ask for the cluster role system:public-info-viewer"
        )
    );
    assert_eq!(
        complaint(|| Answer(503, "content-type: text/html\r\n".to_owned(), b"<h1>\x1b[2Jsorry</h1>".into()))
            .await,
        format!("{PLACE} fails: 503, service unavailable; look at the API server and its etcd")
    );
    assert_eq!(
        complaint(|| Answer(200, "content-type: text/html\r\n".to_owned(), b"<h1>log in</h1>".into())).await,
        format!(
            "{PLACE} is not a Kubernetes API: it answered /version with text/html; check the server of this context"
        )
    );
    assert_eq!(
        complaint(|| Answer(302, "location: https://sso.example.com/\r\n".to_owned(), Vec::new())).await,
        format!(
            "{PLACE} is not a Kubernetes API: it redirects to https://sso.example.com/; check the server of this context"
        )
    );
    assert_eq!(
        complaint(|| Answer(
            404,
            "content-type: text/plain\r\n".to_owned(),
            b"404 page\x1b[2J not found\n".into()
        ))
        .await,
        format!(
            "{PLACE} is not a Kubernetes API: it answered /version with 404, 404 page not found; check the server of this context"
        )
    );
    assert_eq!(
        complaint(|| Answer(
            400,
            "content-type: text/plain\r\n".to_owned(),
            b"Client sent an HTTP request to an HTTPS server.\n".into()
        ))
        .await,
        format!(
            "{PLACE} is not a Kubernetes API: it wants https:// and the kubeconfig says http://; check the server of this context"
        )
    );
}

#[tokio::test]
async fn credentials_that_have_ended_are_found_out() {
    let server = serve(None, |_| Answer::status(401, "Unauthorized")).await;
    let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(r#"{"exp":1577836800}"#));
    let home = Home::new(&plain_cluster(&server), &format!("{{token: {token}}}"));
    assert_eq!(
        home.complaint(server.address).await,
        "http://SERVER (context night, kubeconfig ~/.kube/config) does not accept user ada: 401, Unauthorized \
         (these credentials ended on 2020-01-01T00:00:00Z); log in again or renew the credentials of this user"
    );
}

/// A token of an identity provider that ends then.
fn id_token(end: u32) -> String {
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{end}}}")))
}

#[tokio::test]
async fn an_id_token_is_shown_while_it_lasts_and_complained_about_when_it_has_ended() {
    let server = serve(None, healthy).await;
    let user = |end, more| {
        format!(
            "{{auth-provider: {{name: oidc, config: {{client-id: board, id-token: {}{more}}}}}}}",
            id_token(end)
        )
    };
    let home = Home::new(&plain_cluster(&server), &user(u32::MAX, ""));
    home.connect(Flags::default()).await.unwrap();
    let expected = format!("Bearer {}", id_token(u32::MAX));
    assert_eq!(header(&server.requests()[0], "authorization"), Some(expected.as_str()));

    let home = Home::new(&plain_cluster(&server), &user(1_577_836_800, ""));
    let complaint = home.complaint(server.address).await;
    assert!(complaint.contains("ID token expired and refreshing is not possible"), "{complaint}");
    assert!(complaint.contains("idp-issuer-url"), "{complaint}");
}

#[tokio::test]
async fn acting_as_somebody_else_is_asked_for_with_every_request() {
    let server = serve(None, healthy).await;
    let home = Home::new(&plain_cluster(&server), TOKEN);
    let flags =
        Flags { act_as: Some("alice".to_owned()), act_as_groups: vec!["ops".to_owned()], ..Flags::default() };
    let session = home.connect(flags).await.unwrap();
    assert_eq!(session.user.as_deref(), Some("alice (by ada)"));
    for request in server.requests() {
        assert_eq!(header(&request, "impersonate-user"), Some("alice"), "{request}");
        assert_eq!(header(&request, "impersonate-group"), Some("ops"), "{request}");
    }
}

#[tokio::test]
async fn an_anonymous_user_is_told_why() {
    let anonymous = |request: &str| match path(request) {
        "/version" => Answer::json(200, VERSION),
        _ => Answer::status(403, "pods is forbidden: User \"system:anonymous\" cannot list"),
    };
    let server = serve(None, anonymous).await;
    let home = Home::new(&plain_cluster(&server), "{}");
    assert_eq!(
        home.complaint(server.address).await,
        "http://SERVER (context night, kubeconfig ~/.kube/config) takes us for an anonymous user: \
         user ada has no credentials; log in, or choose another with --user"
    );
    home.configure(&plain_cluster(&server), TOKEN, "night");
    assert_eq!(
        home.complaint(server.address).await,
        "http://SERVER (context night, kubeconfig ~/.kube/config) takes us for an anonymous user: \
         the credentials of user ada do not reach it; look for a load balancer or proxy that ends TLS"
    );
}

// -- proxies --------------------------------------------------------------------------------------------------

#[tokio::test]
async fn proxies_lead_to_servers_that_have_no_address_here() {
    let authority = Authority::new();
    let server = serve(Some(authority.server(&["api.lab.invalid"], |_| ())), healthy).await;
    let data = STANDARD.encode(authority.pem());
    let cluster = |proxy: &str| {
        format!("{{server: 'https://api.lab.invalid:6443', certificate-authority-data: {data}{proxy}}}")
    };

    let http = connect_proxy(200, server.address).await;
    let home = Home::new(&cluster(&format!(", proxy-url: 'http://me:pa%40ss@{}'", http.address)), TOKEN);
    home.connect(Flags::default()).await.unwrap();
    let request = &http.requests()[0];
    assert!(request.starts_with("CONNECT api.lab.invalid:6443 HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(request, "proxy-authorization"), Some("Basic bWU6cGFAc3M="));

    let socks = socks_proxy(server.address).await;
    let home = Home::new(&cluster(&format!(", proxy-url: 'socks5://{}'", socks.address)), TOKEN);
    home.connect(Flags::default()).await.unwrap();
    assert_eq!(socks.requests()[0], "api.lab.invalid");

    let variable = connect_proxy(200, server.address).await;
    let mut home = Home::new(&cluster(""), TOKEN);
    home.env.proxies.https_proxy = Some(variable.address.to_string());
    home.env.proxies.no_proxy = Some("other.invalid,".to_owned());
    home.connect(Flags::default()).await.unwrap();
    assert!(!variable.requests().is_empty());

    home.env.proxies.no_proxy = Some("lab.invalid".to_owned());
    let error = home.connect(Flags::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::HostNotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_proxy_that_fails_is_named() {
    let server = serve(None, healthy).await;
    let complaint = async |proxy: &str| {
        let home = Home::new(&format!("{{server: '{}', proxy-url: '{proxy}'}}", server.http()), TOKEN);
        home.complaint(server.address).await
    };
    let place = |proxy: &str| {
        format!(
            "cannot connect to http://SERVER (context night, kubeconfig ~/.kube/config, \
             proxy {proxy} from proxy-url of the cluster): the proxy "
        )
    };
    let nobody = closed().await;
    assert_eq!(
        complaint(&format!("http://me:s3cret@{nobody}")).await,
        place(&format!("http://{nobody}"))
            + "cannot be reached: connection refused; check the proxy, or correct proxy-url"
    );
    let nobody = format!("socks5://{nobody}");
    assert_eq!(
        complaint(&nobody).await,
        place(&nobody) + "cannot be reached: connection refused; check the proxy, or correct proxy-url"
    );
    let strict = format!("http://{}", connect_proxy(403, server.address).await.address);
    assert_eq!(
        complaint(&strict).await,
        place(&strict)
            + "does not let us through: it refused to connect to the server; ask its operator, or correct proxy-url"
    );
    let locked = format!("http://{}", connect_proxy(407, server.address).await.address);
    assert_eq!(
        complaint(&locked).await,
        place(&locked)
            + "does not let us through: it wants a name and a password; ask its operator, or correct proxy-url"
    );
    assert_eq!(
        complaint("ftp://proxy").await,
        "cannot connect to http://SERVER (context night, kubeconfig ~/.kube/config): proxy-url of the cluster \
         must begin with http://, https:// or socks5://; correct or unset it"
    );
}

// -- credential plugins and renewal ---------------------------------------------------------------------------

/// A plugin whose tokens are numbered by its runs.
fn counting(end: &str) -> String {
    format!(
        r#"echo run >> $DIR/runs
n=$(wc -l < $DIR/runs | tr -d ' ')
echo '{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"t'$n'"{end}}}}}'"#
    )
}

#[tokio::test]
async fn a_plugin_runs_once_per_login() {
    let server = serve(None, healthy).await;
    let home = Home::new("{}", "{}");
    let user = home.plugin(&counting(r#","expirationTimestamp":"2099-01-01T00:00:00Z""#));
    home.configure(&plain_cluster(&server), &user, "night");
    let session = home.connect(Flags::default()).await.unwrap();
    assert_eq!(home.read("runs"), "run\n");
    assert_eq!(session.credentials_expire().unwrap().to_string(), "2099-01-01T00:00:00Z");
    assert_eq!(header(&server.requests()[0], "authorization"), Some("Bearer t1"));

    let client = session.renew().await.unwrap();
    client.send(get("/again")).await.unwrap();
    session.client().send(get("/again")).await.unwrap();
    assert_eq!(home.read("runs"), "run\nrun\n");
    for request in &server.requests()[2..] {
        assert_eq!(header(request, "authorization"), Some("Bearer t2"));
    }
}

#[tokio::test]
async fn many_that_fail_together_log_in_once() {
    let server = serve(None, healthy).await;
    let home = Home::new("{}", "{}");
    let user = home.plugin(&counting(""));
    home.configure(&plain_cluster(&server), &user, "night");
    let session = home.connect(Flags::default()).await.unwrap();
    for renewed in join_all((0..10).map(|_| session.renew())).await {
        renewed.unwrap();
    }
    assert_eq!(home.read("runs"), "run\nrun\n");
}

#[tokio::test]
async fn credentials_are_renewed_before_they_end() {
    let server = serve(None, healthy).await;
    let home = Home::new("{}", "{}");
    // The first token ends within the minute that renewal is ahead; the second one does not.
    let end =
        r#","expirationTimestamp":"'$(if [ $n = 1 ]; then echo 2020; else echo 2099; fi)'-01-01T00:00:00Z""#;
    let user = home.plugin(&counting(end));
    home.configure(&plain_cluster(&server), &user, "night");
    let session = home.connect(Flags::default()).await.unwrap();
    let renewed = async {
        while session.credentials_expire().unwrap().to_string() != "2099-01-01T00:00:00Z" {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = session.keep_fresh() => unreachable!("it never ends"),
        () = renewed => assert_eq!(home.read("runs"), "run\nrun\n"),
    }
}

/// A server that takes the second token and no other.
fn after_one_renewal(request: &str) -> Answer {
    let metadata = r#"{"metadata":{"creationTimestamp":"2026-11-21T10:00:00Z"}}"#;
    match (path(request), header(request, "authorization")) {
        ("/version" | "/api/v1/pods?limit=1", _) => healthy(request),
        (_, Some("Bearer t2")) => Answer::json(200, metadata),
        _ => Answer::status(401, "Unauthorized"),
    }
}

#[tokio::test]
async fn what_is_asked_once_is_asked_again_after_one_new_login() {
    let server = serve(None, after_one_renewal).await;
    let home = Home::new("{}", "{}");
    let user = home.plugin(&counting(""));
    home.configure(&plain_cluster(&server), &user, "night");
    let session = home.connect(Flags::default()).await.unwrap();
    let reference = Reference { held: Held::ConfigMap, name: "web".into(), is_optional: false };
    let needed = Needed { reference, namespace: "shop".into(), replaced: None };
    let at = "2026-11-21T10:00:00Z".parse().ok();
    assert_eq!(references::written(&session, &needed).await, actions::Answer::Written { at });
    assert_eq!(home.read("runs"), "run\nrun\n");

    let strict = serve(None, |request| match path(request) {
        "/version" | "/api/v1/pods?limit=1" => healthy(request),
        _ => Answer::status(401, "Unauthorized"),
    })
    .await;
    let home = Home::new("{}", "{}");
    let user = home.plugin(&counting(""));
    home.configure(&plain_cluster(&strict), &user, "night");
    let session = home.connect(Flags::default()).await.unwrap();
    let answer = references::written(&session, &needed).await;
    assert!(matches!(answer, actions::Answer::Failed(CallError::Unauthorized { .. })), "{answer:?}");
    assert_eq!(strict.requests().len(), 4, "one new login, and no more");
}

#[tokio::test]
async fn a_plugin_may_give_a_client_certificate() {
    let authority = Authority::new();
    let server = serve(Some(authority.strict_server()), healthy).await;
    let home = Home::new("{}", "{}");
    let ada = authority.client();
    let answer = serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "status": {"clientCertificateData": ada.certificate, "clientKeyData": ada.key},
    });
    home.write("answer", &answer.to_string());
    let user = home.plugin("cat $DIR/answer");
    home.configure(&secure_cluster(&server, &authority), &user, "night");
    home.connect(Flags::default()).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_fails_is_one_message() {
    let server = serve(None, healthy).await;
    let home = Home::new("{}", "{}");
    let user = home.plugin("echo 'no session, run lab login' >&2; exit 3");
    home.configure(&plain_cluster(&server), &user, "night");
    assert_eq!(
        home.complaint(server.address).await,
        "cannot log in to http://SERVER (context night, kubeconfig ~/.kube/config) as user ada: the credential plugin \
         ~/.kube/./bin/plugin failed (exit code 3): no session, run lab login; run it by hand"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_session_stays_where_it_is_when_the_kubeconfig_changes() {
    let server = serve(None, healthy).await;
    let home = Home::new(&plain_cluster(&server), TOKEN);
    let session = home.connect(Flags::default()).await.unwrap();

    home.configure(&plain_cluster(&server), "{token: newer}", "day");
    session.renew().await.unwrap().send(get("/again")).await.unwrap();
    assert_eq!(header(server.requests().last().unwrap(), "authorization"), Some("Bearer newer"));
    assert_eq!((session.context.as_str(), session.server.as_str()), ("night", server.http().as_str()));

    home.configure("{server: 'http://192.0.2.1'}", "{token: others}", "night");
    let error = session.renew().await.err().unwrap();
    assert!(matches!(error, ConnectError::Moved { .. }), "{error}");
    session.client().send(get("/still")).await.unwrap();
    assert_eq!(header(server.requests().last().unwrap(), "authorization"), Some("Bearer newer"));
}
