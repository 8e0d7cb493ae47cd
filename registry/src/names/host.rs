use std::{fmt, net::IpAddr, str::FromStr};

use url::Url;

use super::{EcrHost, NameError, Noun, Problem};

/// A registry's host, with its port when one was given: `docker.io`, `127.0.0.1:5000`, `[::1]:5000`,
/// `123456789012.dkr.ecr.eu-central-1.amazonaws.com`. Kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    const MAX_LENGTH: usize = 253;

    /// Docker Hub, the registry of names that have no host.
    pub fn docker_hub() -> Self {
        Self("docker.io".to_owned())
    }

    /// ECR's public gallery.
    pub fn public_ecr() -> Self {
        Self("public.ecr.aws".to_owned())
    }

    /// The host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the host says when it is that of a private ECR registry.
    pub fn ecr(&self) -> Option<EcrHost> {
        EcrHost::parse(self.0.strip_suffix(":443").unwrap_or(&self.0))
    }

    /// Whether this is ECR's public gallery.
    pub fn is_public_ecr(&self) -> bool {
        matches!(self.name(), "public.ecr.aws" | "ecr-public.aws.com")
    }

    /// Whether this is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        self.name() == "docker.io"
    }

    /// Whether the host is this very machine: `localhost`, `*.localhost`, `127.0.0.0/8`, `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let name = self.name();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        name == "localhost"
            || name.ends_with(".localhost")
            || address.is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// The host without its port; an IPv6 address keeps its brackets.
    pub fn name(&self) -> &str {
        split_port(&self.0).0
    }

    /// Whether the first segment of a reference is a host, by Docker's rule.
    pub(super) fn is_meant_by(segment: &str) -> bool {
        segment.contains(['.', ':']) || segment.eq_ignore_ascii_case("localhost")
    }
}

/// Splits at the port's colon, which is not one inside the brackets of an IPv6 address.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match problem(text) {
            Some(problem) => Err(NameError::new(Noun::Host, text, problem).suggest::<Self>(near_miss(text))),
            None => match text.to_ascii_lowercase().as_str() {
                "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => {
                    Ok(Self::docker_hub())
                }
                lower => Ok(Self(lower.to_owned())),
            },
        }
    }
}

fn problem(text: &str) -> Option<Problem> {
    if text.is_empty() {
        return Some(Problem::Empty);
    }
    if text.contains("://") {
        return Some(Problem::Url);
    }
    if text.len() > Host::MAX_LENGTH {
        return Some(Problem::TooLong { length: text.len(), limit: Host::MAX_LENGTH });
    }
    let (name, port) = split_port(text);
    if port.is_some_and(|port| !is_port(port)) {
        return Some(Problem::Port);
    }
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    if address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()) {
        return None;
    }
    label_problem(name).or_else(|| address_problem(name)).or_else(|| {
        let lower = text.to_ascii_lowercase();
        let is_ecr = EcrHost::parse(lower.strip_suffix(":443").unwrap_or(&lower)).is_some();
        (EcrHost::is_meant_by(&lower) && !is_ecr).then_some(Problem::EcrHost)
    })
}

/// What URLs cannot carry, or read as another host: `1.2.3.999`, `127.1` and `0x7f.1`.
fn address_problem(name: &str) -> Option<Problem> {
    let url = Url::parse(&format!("https://{name}/")).ok();
    let same = url.is_some_and(|url| url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(name)));
    (!same).then_some(Problem::Address)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
}

fn label_problem(name: &str) -> Option<Problem> {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some((index, character)) = name.chars().enumerate().find(|(_, c)| !is_inner(*c)) {
        let allowed = "a letter, a digit, . or -";
        return Some(Problem::Character { character, position: index + 1, allowed });
    }
    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    (!name.split('.').all(is_label)).then_some(Problem::Label)
}

fn near_miss(text: &str) -> String {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    text.split('/').next().unwrap_or_default().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        let check = |text: &str, expected: &str| assert_eq!(text.parse::<Host>().unwrap().as_str(), expected);
        check("docker.io", "docker.io");
        check("index.docker.io", "docker.io");
        check("registry-1.docker.io", "docker.io");
        check("localhost:5000", "localhost:5000");
        check("127.0.0.1:65535", "127.0.0.1:65535");
        check("[::1]:5000", "[::1]:5000");
        check("[::1]", "[::1]");
        check("GHCR.io", "ghcr.io");
        check("a_b.example", "a_b.example");
        check("my-registry", "my-registry");
        check(
            "123456789012.dkr.ecr.us-east-1.amazonaws.com:443",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com:443",
        );
    }

    #[test]
    fn refuses_with_a_near_miss() {
        let check = |text: &str, problem: Problem, near_miss: Option<&str>| {
            let error = text.parse::<Host>().unwrap_err();
            assert_eq!((error.problem, error.near_miss.as_deref()), (problem, near_miss), "{text}");
        };
        let bad = |character, position| Problem::Character {
            character,
            position,
            allowed: "a letter, a digit, . or -",
        };
        check("", Problem::Empty, None);
        check("https://ghcr.io/x", Problem::Url, Some("ghcr.io"));
        check("ghcr.io/x", bad('/', 8), Some("ghcr.io"));
        check("ghcr.io.", Problem::Label, Some("ghcr.io"));
        check("-x.io", Problem::Label, None);
        check("a..b", Problem::Label, None);
        check("localhost:", Problem::Port, None);
        check("localhost:0", Problem::Port, None);
        check("localhost:65536", Problem::Port, None);
        check("localhost:+5", Problem::Port, None);
        check(
            "::1",
            Problem::Character { character: ':', position: 1, allowed: "a letter, a digit, . or -" },
            None,
        );
        check("1.2.3.999", Problem::Address, None);
        check("127.1", Problem::Address, None);
        check("0x7f.1", Problem::Address, None);
        check("xn--a", Problem::Address, None);
        check("[::g]:5", bad('[', 1), None);
        check("user@host", bad('@', 5), None);
        check("12345.dkr.ecr.us-east-1.amazonaws.com", Problem::EcrHost, None);
        check("123456789012.dkr.ecr.us-east-1.amazonaws.con", Problem::EcrHost, None);
        check(&"a".repeat(254), Problem::TooLong { length: 254, limit: 253 }, None);
    }

    #[test]
    fn kinds() {
        let check = |text: &str, loopback: bool, ecr: bool| {
            let host: Host = text.parse().unwrap();
            assert_eq!((host.is_loopback(), host.ecr().is_some()), (loopback, ecr), "{text}");
        };
        check("localhost", true, false);
        check("registry.localhost:5000", true, false);
        check("127.1.2.3:5000", true, false);
        check("[::1]:5000", true, false);
        check("[::ffff:127.0.0.1]", true, false);
        check("localhost.example.com", false, false);
        check("127.0.0.1.example.com", false, false);
        check("10.0.0.1", false, false);
        check("123456789012.DKR.ecr.us-east-1.amazonaws.com:443", false, true);
        assert!("public.ecr.aws".parse::<Host>().unwrap().is_public_ecr());
    }
}
