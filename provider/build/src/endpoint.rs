//! Where a builder is reached: a socket of this machine, or an address on the network.

use std::{fmt, path::PathBuf, str::FromStr};

use ecr_registry::Platform;

/// A builder that was given by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub address: Address,
    /// What it builds for; whatever it says itself when empty.
    pub platforms: Vec<Platform>,
    /// The keys for a connection by TLS; a plain one when absent.
    pub tls: Option<ClientTls>,
}

/// Where a builder listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A socket of this machine, of buildkitd or of Docker's daemon.
    Unix(PathBuf),
    /// `host:port`, of a buildkitd.
    Tcp(String),
}

/// What proves to both sides who the other is. The files hold PEM and are read for each connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// Who may have signed the builder's certificate; whom the machine trusts when absent.
    pub ca_file: Option<PathBuf>,
    /// Our certificate.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// The name in the builder's certificate; the host of the address when absent.
    pub server_name: Option<String>,
}

/// A text that is no address of a builder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address of a builder: unix:///path or tcp://host:port")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = || AddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix://") {
            return path.starts_with('/').then(|| Self::Unix(path.into())).ok_or_else(bad);
        }
        let place = text.strip_prefix("tcp://").ok_or_else(bad)?;
        let (host, port) = place.rsplit_once(':').ok_or_else(bad)?;
        let is_host = !host.is_empty() && !host.contains(['/', '@']);
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        (is_host && is_port).then(|| Self::Tcp(place.to_owned())).ok_or_else(bad)
    }
}

impl Address {
    /// The host of an address on the network, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp(place) => Some(place.rsplit_once(':')?.0.trim_matches(['[', ']'])),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(place) => write!(f, "tcp://{place}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        for text in [
            "unix:///run/buildkit/buildkitd.sock",
            "tcp://10.0.0.1:1234",
            "tcp://[::1]:1234",
            "tcp://b.local:1",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "unix://x",
            "tcp://",
            "tcp://x",
            "tcp://:1",
            "tcp://x:0",
            "tcp://x:y",
            "tcp://a/b:1",
            "http://x:1",
        ] {
            let message = format!("`{text}` is no address of a builder: unix:///path or tcp://host:port");
            assert_eq!(text.parse::<Address>().unwrap_err().to_string(), message);
        }
        assert_eq!("tcp://[::1]:1234".parse::<Address>().unwrap().host(), Some("::1"));
    }
}
