//! How a provider is started: what its environment and its arguments say, and the one line of the answer.
//!
//! Source: hashicorp/go-plugin, `server.go` and `client.go`.

use std::{ops::RangeInclusive, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::socket::Listener;

const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// What the process is started for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// By Terraform, which waits for our line.
    Plugin(Environment),
    /// By a person who wants Terraform to attach to it.
    Debug,
    /// By a person who wonders what this is.
    Unknown,
}

impl Start {
    /// Reads it from the arguments and the environment.
    pub(super) fn read(
        arguments: impl IntoIterator<Item = String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        for argument in arguments {
            match argument.as_str() {
                "-debug" | "--debug" => return Self::Debug,
                "-h" | "-help" | "--help" => return Self::Unknown,
                _ => {}
            }
        }
        Environment::read(variable).map_or(Self::Unknown, Self::Plugin)
    }
}

/// What Terraform asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Environment {
    /// PEM; without one there is no TLS.
    pub(super) client_certificate: Option<String>,
    /// Where to put a socket, if not among the temporary files.
    pub(super) socket_folder: Option<PathBuf>,
    /// Name or number of the group that may use the socket.
    pub(super) socket_group: Option<String>,
    /// Ports to choose from where a socket is not possible.
    pub(super) ports: RangeInclusive<u16>,
    /// Whether the answer must say if the broker can share one connection.
    multiplexing_asked: bool,
}

impl Environment {
    /// Reads it; `None` if this process was not started as a plugin.
    ///
    /// The versions on offer are not looked at: 6 is the only one there is here, and a client that does
    /// not have it explains that better than we could.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if variable(COOKIE.0)? != COOKIE.1 {
            return None;
        }
        let variable = |name| variable(name).filter(|text| !text.is_empty());
        let Self { ports, .. } = Self::default();
        let port = |name, default| variable(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        Some(Self {
            client_certificate: variable("PLUGIN_CLIENT_CERT"),
            socket_folder: variable("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
            socket_group: variable("PLUGIN_UNIX_SOCKET_GROUP"),
            ports: port("PLUGIN_MIN_PORT", *ports.start())..=port("PLUGIN_MAX_PORT", *ports.end()),
            multiplexing_asked: variable("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// The answer: go-plugin's version, ours, where to connect, and our certificate without padding.
    pub(super) fn line(&self, listener: &Listener, certificate: Option<&[u8]>) -> String {
        let (network, address) = listener.address();
        let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
        // Old clients take a seventh field for a part of the certificate.
        let multiplexing = if self.multiplexing_asked { "|false" } else { "" };
        format!("1|6|{network}|{address}|grpc|{certificate}{multiplexing}")
    }
}

impl Default for Environment {
    /// Nothing in particular.
    fn default() -> Self {
        Self {
            client_certificate: None,
            socket_folder: None,
            socket_group: None,
            ports: 10_000..=25_000,
            multiplexing_asked: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Option<Environment> {
        let variables = variables.to_vec();
        Environment::read(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn cookie_and_arguments_tell_who_started_us() {
        let check = |arguments: &[&str], variables: &[(&str, &str)], expected| {
            let arguments = arguments.iter().map(|&one| one.to_owned());
            let started = Start::read(arguments, |name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(started, expected, "{variables:?}");
        };
        let plain = || Start::Plugin(Environment::default());
        check(&[], &[], Start::Unknown);
        check(&[], &[(COOKIE.0, "something else")], Start::Unknown);
        check(&[], &[COOKIE, ("PLUGIN_CLIENT_CERT", "")], plain());
        check(&["-verbose"], &[COOKIE], plain());
        check(&["-debug"], &[], Start::Debug);
        check(&["--debug"], &[COOKIE], Start::Debug);
        check(&["--help"], &[COOKIE], Start::Unknown);
    }

    #[test]
    fn ports_are_read() {
        let read =
            |low, high| read(&[COOKIE, ("PLUGIN_MIN_PORT", low), ("PLUGIN_MAX_PORT", high)]).unwrap().ports;
        assert_eq!(read("7000", "7001"), 7000..=7001);
        assert_eq!(read("seven", "70000"), 10_000..=25_000);
    }
}
