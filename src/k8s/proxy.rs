//! Which proxy leads to a server, as kubectl decides it: `proxy-url` of the cluster, else the variables of Go's
//! `httpproxy`, with `NO_PROXY` matched against the server.
//!
//! It deliberately opens no connection (the transport does) and reads no variable (they are handed in). kube's own
//! choice is not used: it matches `NO_PROXY` against the proxy and refuses the kubeconfig over a trailing comma.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use secrecy::SecretString;

/// The proxy variables that count; upper case wins over lower case, and an empty one is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    pub https_proxy: Option<String>,
    pub http_proxy: Option<String>,
    pub no_proxy: Option<String>,
}

impl ProxyVariables {
    /// Reads them through `look`, so that a test needs no environment.
    pub fn read(look: impl Fn(&str) -> Option<String>) -> Self {
        let first = |upper: &str, lower: &str| {
            look(upper)
                .filter(|value| !value.is_empty())
                .or_else(|| look(lower))
                .filter(|value| !value.is_empty())
        };
        Self {
            https_proxy: first("HTTPS_PROXY", "https_proxy"),
            http_proxy: first("HTTP_PROXY", "http_proxy"),
            no_proxy: first("NO_PROXY", "no_proxy"),
        }
    }
}

/// A proxy, and where it was named. Its text never shows the password.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub kind: ProxyKind,
    /// Where to connect to: always with a port, and with a scheme that an HTTP connector understands.
    pub address: Uri,
    pub login: Option<(String, SecretString)>,
    pub origin: ProxyOrigin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    Http,
    Https,
    Socks5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyOrigin {
    ProxyUrl,
    HttpsProxy,
    HttpProxy,
}

impl fmt::Display for ProxyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProxyUrl => "proxy-url of the cluster",
            Self::HttpsProxy => "HTTPS_PROXY",
            Self::HttpProxy => "HTTP_PROXY",
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Https => "https",
            ProxyKind::Socks5 => "socks5",
        };
        let authority = self.address.authority().map_or("", http::uri::Authority::as_str);
        write!(f, "{scheme}://{authority} from {}", self.origin)
    }
}

/// A proxy that was named but cannot be used. Names where, not the value: that may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin} {reason}")]
pub struct UnusableProxy {
    pub origin: ProxyOrigin,
    pub reason: &'static str,
}

/// The proxy that leads to `server`, if one does. `proxy_url` of the kubeconfig is used even where `NO_PROXY`
/// names the server: it was written for this one cluster.
pub fn proxy_to(
    server: &Uri,
    proxy_url: Option<&str>,
    variables: &ProxyVariables,
) -> Result<Option<Proxy>, UnusableProxy> {
    if let Some(url) = proxy_url.filter(|url| !url.is_empty()) {
        return parsed(url, ProxyOrigin::ProxyUrl).map(Some);
    }
    let (value, origin) = if server.scheme_str() == Some("http") {
        (&variables.http_proxy, ProxyOrigin::HttpProxy)
    } else {
        (&variables.https_proxy, ProxyOrigin::HttpsProxy)
    };
    match value {
        Some(value) if !is_direct(server, variables.no_proxy.as_deref().unwrap_or_default()) => {
            parsed(value, origin).map(Some)
        }
        Some(_) | None => Ok(None),
    }
}

fn parsed(value: &str, origin: ProxyOrigin) -> Result<Proxy, UnusableProxy> {
    let unusable = |reason| UnusableProxy { origin, reason };
    let value = value.trim();
    // A variable may leave the scheme away; a kubeconfig may not.
    let url = if value.contains("://") || origin == ProxyOrigin::ProxyUrl {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    let uri: Uri = url.parse().map_err(|_| unusable("is not a URL"))?;
    let (kind, scheme, default_port) = match uri.scheme_str() {
        Some("http") => (ProxyKind::Http, "http", 80),
        Some("https") => (ProxyKind::Https, "https", 443),
        Some("socks5" | "socks5h") => (ProxyKind::Socks5, "http", 1080),
        Some(_) | None => return Err(unusable("must begin with http://, https:// or socks5://")),
    };
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| unusable("names no host"))?;
    let port = uri.port_u16().unwrap_or(default_port);
    let address = Uri::builder()
        .scheme(scheme)
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build()
        .map_err(|_| unusable("is not a URL"))?;
    let login = uri
        .authority()
        .and_then(|authority| authority.as_str().rsplit_once('@'))
        .map(|(userinfo, _)| userinfo.split_once(':').unwrap_or((userinfo, "")))
        .map(|(name, password)| (unescaped(name), SecretString::from(unescaped(password))));
    Ok(Proxy { kind, address, login, origin })
}

/// Percent escapes resolved; what is no escape stays as it is.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            (byte, ..) => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether the variables leave `server` alone: itself local, or named by `NO_PROXY`.
fn is_direct(server: &Uri, no_proxy: &str) -> bool {
    let Some(host) = server.host() else { return true };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
    let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    no_proxy
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || names(&entry, &host, port, ip))
}

/// Whether one entry of `NO_PROXY` names the host: a network, an address, or a domain with all below it.
fn names(entry: &str, host: &str, port: u16, ip: Option<IpAddr>) -> bool {
    if let Some((network, bits)) = network(entry) {
        return ip.is_some_and(|ip| contains(network, bits, ip));
    }
    let (name, wanted_port) = split_port(entry);
    if wanted_port.is_some_and(|wanted| wanted != port.to_string()) {
        return false;
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return ip == Some(address.to_canonical());
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some("") => false,
        // A leading dot means what is below the domain, not the domain.
        Some(domain) => is_below(host, domain),
        None => !name.is_empty() && (host == name || is_below(host, name)),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// `host:port` or `[v6]:port` apart; a bare IPv6 address has no port.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some(inner) = entry.strip_prefix('[') {
        return match inner.split_once(']') {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => (entry, None),
        };
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        Some(_) | None => (entry, None),
    }
}

fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some((address, bits))
}

fn contains(network: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => {
            (network.to_bits() ^ ip.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) => {
            (network.to_bits() ^ ip.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn variables(https_proxy: &str, no_proxy: &str) -> ProxyVariables {
        ProxyVariables {
            https_proxy: Some(https_proxy.to_owned()),
            http_proxy: None,
            no_proxy: Some(no_proxy.to_owned()),
        }
    }

    fn goes_through(server: &str, no_proxy: &str) -> bool {
        let server: Uri = server.parse().unwrap();
        proxy_to(&server, None, &variables("http://proxy:3128", no_proxy)).unwrap().is_some()
    }

    #[test]
    fn no_proxy_is_matched_against_the_server() {
        let cases = [
            ("https://api.example.com:6443", "", true),
            ("https://api.example.com:6443", "example.com", false),
            ("https://api.example.com:6443", ".example.com", false),
            ("https://api.example.com:6443", "*.example.com", false),
            ("https://api.example.com:6443", "API.Example.COM", false),
            ("https://example.com:6443", "example.com", false),
            ("https://example.com:6443", ".example.com", true),
            ("https://badexample.com:6443", "example.com", true),
            ("https://api.example.com:6443", "example.com:6443", false),
            ("https://api.example.com:6443", "example.com:443", true),
            ("https://api.example.com", "example.com:443", false),
            ("https://api.example.com:6443", "other.com,", true),
            ("https://api.example.com:6443", ", ,example.com,,", false),
            ("https://api.example.com:6443", "*", false),
            ("https://api.example.com:6443", ".", true),
            ("https://10.1.2.3:6443", "10.0.0.0/8", false),
            ("https://11.1.2.3:6443", "10.0.0.0/8", true),
            ("https://11.1.2.3:6443", "0.0.0.0/0", false),
            ("https://10.1.2.3:6443", "10.1.2.3", false),
            ("https://10.1.2.3:6443", "10.1.2.3:6443", false),
            ("https://10.1.2.3:6443", "10.1.2.3:443", true),
            ("https://10.1.2.3:6443", "10.1.2", true),
            ("https://[fd00::5]:6443", "fd00::/8", false),
            ("https://[fd00::5]:6443", "fd00::5", false),
            ("https://[fd00::5]:6443", "[fd00::5]:6443", false),
            ("https://[fd00::5]:6443", "[fd00::5]:443", true),
        ];
        for (server, no_proxy, expected) in cases {
            assert_eq!(goes_through(server, no_proxy), expected, "{server} with NO_PROXY={no_proxy}");
        }
    }

    #[test]
    fn loopback_is_never_proxied_by_a_variable() {
        for server in
            ["https://localhost:6443", "https://127.0.0.1:6443", "https://127.8.8.8", "https://[::1]:6443"]
        {
            assert!(!goes_through(server, ""), "{server}");
        }
    }

    #[test]
    fn proxy_url_wins_and_ignores_no_proxy() {
        let server: Uri = "https://127.0.0.1:6443".parse().unwrap();
        let proxy =
            proxy_to(&server, Some("socks5://bastion"), &variables("http://proxy", "*")).unwrap().unwrap();
        assert_eq!(proxy.kind, ProxyKind::Socks5);
        assert_eq!(proxy.to_string(), "socks5://bastion:1080 from proxy-url of the cluster");
    }

    #[test]
    fn plain_http_servers_use_http_proxy_only() {
        let server: Uri = "http://api.example.com".parse().unwrap();
        assert!(proxy_to(&server, None, &variables("http://proxy", "")).unwrap().is_none());
        let http = ProxyVariables { http_proxy: Some("proxy:3128".to_owned()), ..ProxyVariables::default() };
        let proxy = proxy_to(&server, None, &http).unwrap().unwrap();
        assert_eq!(proxy.to_string(), "http://proxy:3128 from HTTP_PROXY");
    }

    #[test]
    fn upper_case_wins_and_empty_is_none() {
        let set = |name: &str| match name {
            "https_proxy" => Some("lower".to_owned()),
            "HTTPS_PROXY" | "http_proxy" => Some(String::new()),
            "NO_PROXY" => Some("upper".to_owned()),
            "no_proxy" => Some("ignored".to_owned()),
            _ => None,
        };
        let expected = ProxyVariables {
            https_proxy: Some("lower".to_owned()),
            http_proxy: None,
            no_proxy: Some("upper".to_owned()),
        };
        assert_eq!(ProxyVariables::read(set), expected);
    }

    #[test]
    fn the_password_is_unescaped_and_never_shown() {
        let proxy = parsed("https://me:pa%40ss%3Aword@proxy.example.com", ProxyOrigin::HttpsProxy).unwrap();
        let (name, password) = proxy.login.as_ref().unwrap();
        assert_eq!((name.as_str(), password.expose_secret()), ("me", "pa@ss:word"));
        assert_eq!(proxy.to_string(), "https://proxy.example.com:443 from HTTPS_PROXY");
        assert!(!format!("{proxy:?}").contains("pa@ss"));
    }

    #[test]
    fn what_cannot_be_used_says_where_it_was_named() {
        let server: Uri = "https://10.0.0.1".parse().unwrap();
        let text = |url| proxy_to(&server, Some(url), &ProxyVariables::default()).unwrap_err().to_string();
        assert_eq!(
            text("ftp://proxy"),
            "proxy-url of the cluster must begin with http://, https:// or socks5://"
        );
        assert_eq!(
            text("proxy:3128"),
            "proxy-url of the cluster must begin with http://, https:// or socks5://"
        );
        assert_eq!(text("http://pro xy"), "proxy-url of the cluster is not a URL");
    }
}
