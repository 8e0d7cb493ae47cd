use std::{ffi::OsString, fmt, net::IpAddr, sync::Arc};

use ipnet::IpNet;
use url::{Host, Url};

use super::NetworkError;

/// The proxies through which registries are reached, and what is reached without one.
///
/// This very machine is always reached directly. A user and password in a proxy's URL go to the proxy and are never
/// printed.
///
/// Source: the rules of Go's `golang.org/x/net/http/httpproxy`, by which Terraform and Helm go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: Arc<[Exception]>,
}

/// The URL of a proxy, with user and password if it wants them.
#[derive(Clone, PartialEq, Eq)]
struct Proxy(Url);

/// What is reached directly.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    to: To,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    Everything,
    Network(IpNet),
    /// The names below this one; and this one, unless it was written with a dot before it.
    Names {
        domain: String,
        itself: bool,
    },
}

impl Proxies {
    /// Proxies for URLs with `http` and with `https`, each `[http|https|socks5|socks5h://][user:password@]host[:port]`,
    /// and a list of exceptions as in `NO_PROXY`: names, addresses and networks, each with a port if need be, or `*`.
    /// What is empty does not count.
    pub fn new(http: &str, https: &str, exceptions: &str) -> Result<Self, NetworkError> {
        Ok(Self {
            http: Proxy::parse(http)?,
            https: Proxy::parse(https)?,
            exceptions: exceptions.split(',').filter_map(Exception::parse).collect(),
        })
    }

    /// As the environment has it: `HTTP_PROXY`, `HTTPS_PROXY`, else `ALL_PROXY`, and `NO_PROXY`, in upper or lower case.
    /// `variable` looks up a variable of the environment.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, NetworkError> {
        let get = |name: &str| {
            let found =
                [name.to_owned(), name.to_ascii_lowercase()].into_iter().filter_map(|name| variable(&name));
            let mut found =
                found.filter_map(|value| value.into_string().ok()).filter(|value| !value.is_empty());
            found.next()
        };
        let of = |name| get(name).or_else(|| get("ALL_PROXY")).unwrap_or_default();
        // In a CGI program this variable is a header that anyone may have sent.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let http = if is_cgi { String::new() } else { of("HTTP_PROXY") };
        Self::new(&http, &of("HTTPS_PROXY"), &get("NO_PROXY").unwrap_or_default())
    }

    /// The proxy for a URL, with user and password; `None` if it is reached directly.
    pub(crate) fn of(&self, url: &Url) -> Option<&Url> {
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            _ => None,
        }?;
        let (host, port) = (url.host()?, url.port_or_known_default());
        let direct =
            is_this_machine(&host) || self.exceptions.iter().any(|exception| exception.covers(&host, port));
        (!direct).then_some(&proxy.0)
    }
}

impl Proxy {
    fn parse(text: &str) -> Result<Option<Self>, NetworkError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).ok().filter(Url::has_host);
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h"));
        // Not the text: where no host can be told from a password, either may stand in it.
        let place = text.rsplit('@').next().unwrap_or_default();
        url.map(|url| Some(Self(url))).ok_or_else(|| NetworkError::Proxy(place.to_owned()))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[url::Position::BeforeHost..url::Position::AfterPort])
    }
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if let Some(network) = network(&text) {
            return Some(Self { to: To::Network(network), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        let to = match (host, network(host.trim_start_matches('[').trim_end_matches(']'))) {
            ("*", _) => To::Everything,
            (_, Some(network)) => To::Network(network),
            (host, None) => {
                let domain = host.strip_prefix('*').unwrap_or(host);
                let itself = !domain.starts_with('.');
                To::Names { domain: domain.trim_start_matches('.').to_owned(), itself }
            }
        };
        Some(Self { to, port })
    }

    fn covers(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        let covered = match (&self.to, host) {
            (To::Everything, _) => true,
            (To::Network(network), Host::Ipv4(address)) => network.contains(&IpAddr::V4(*address)),
            (To::Network(network), Host::Ipv6(address)) => network.contains(&address.to_canonical()),
            (To::Names { domain, itself }, Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name.strip_suffix(domain.as_str()).is_some_and(|before| match before {
                    "" => *itself,
                    before => before.ends_with('.'),
                })
            }
            _ => false,
        };
        covered && self.port.is_none_or(|own| Some(own) == port)
    }
}

/// A network, or an address as a network of its own.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let lookup = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
        };
        let proxies = Proxies::from_environment(lookup).unwrap();
        proxies.of(&Url::parse(url).unwrap()).map(ToString::to_string)
    }

    #[test]
    fn the_environment_names_them() {
        let check = |variables: &[(&str, &str)], url: &str, expected: Option<&str>| {
            assert_eq!(of(variables, url).as_deref(), expected, "{variables:?} {url}");
        };
        let (http, https, all) =
            (("HTTP_PROXY", "http://a:1"), ("https_proxy", "b:2"), ("ALL_PROXY", "socks5h://c:3"));
        check(&[], "https://ghcr.io/", None);
        check(&[http], "https://ghcr.io/", None);
        check(&[http, https], "http://ghcr.io/", Some("http://a:1/"));
        check(&[http, https, all], "https://ghcr.io/", Some("http://b:2/"));
        check(&[http, all], "https://ghcr.io/", Some("socks5h://c:3"));
        check(&[("HTTPS_PROXY", ""), https], "https://ghcr.io/", Some("http://b:2/"));
        check(
            &[("HTTPS_PROXY", "https://u:p%40ss@d"), https],
            "https://ghcr.io/",
            Some("https://u:p%40ss@d/"),
        );
        check(&[http, ("REQUEST_METHOD", "GET")], "http://ghcr.io/", None);
        for here in ["http://localhost:5000/", "http://x.localhost/", "http://127.0.0.9/", "http://[::1]/"] {
            check(&[http], here, None);
        }
    }

    #[test]
    fn exceptions() {
        let check = |exceptions: &str, url: &str, direct: bool| {
            let proxied = of(&[("ALL_PROXY", "http://p"), ("NO_PROXY", exceptions)], url);
            assert_eq!(proxied.is_none(), direct, "{exceptions} {url}");
        };
        check("", "https://a.io/", false);
        check("*", "https://a.io/", true);
        check("b.io, A.io", "https://a.io/", true);
        check("a.io", "https://x.a.io/", true);
        check("a.io", "https://xa.io/", false);
        check(".a.io", "https://x.a.io/", true);
        check(".a.io", "https://a.io/", false);
        check("*.a.io", "https://x.y.a.io/", true);
        check("*.a.io", "https://a.io/", false);
        check("a.io:443", "https://a.io/", true);
        check("a.io:5000", "https://a.io/", false);
        check("a.io:5000", "http://a.io:5000/", true);
        check("a.io:x", "https://a.io/", false);
        check("10.0.0.0/8", "https://10.1.2.3/", true);
        check("10.0.0.0/8", "https://11.1.2.3/", false);
        check("10.1.2.3", "https://10.1.2.3:5000/", true);
        check("10.1.2.3:5001", "https://10.1.2.3:5000/", false);
        check("fd00::/8", "https://[fd00::1]/", true);
        check("[fd00::1]:5000", "https://[fd00::1]:5000/", true);
        check("10.0.0.0/8", "https://[::ffff:10.0.0.1]/", true);
        check("10.0.0.0/8", "https://ten.example/", false); // names are not looked up for this
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_its_password() {
        for (text, shown) in
            [("ftp://u:hunter2@p:1", "p:1"), ("http://u:hunter2@", ""), ("u:hunter2@:80", ":80")]
        {
            let error = Proxies::new("", text, "").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "proxy `{shown}` is not of the form http(s)://[user:password@]host[:port], or socks5://…"
                )
            );
        }
        let proxies = Proxies::new("", "http://ada:hunter2@proxy:3128", "a.io").unwrap();
        assert!(format!("{proxies:?}").contains("proxy:3128"));
        assert!(!format!("{proxies:?}").contains("hunter2"));
    }
}
