//! A provider's program, started and spoken to as Terraform does, without Terraform.
//!
//! [`Host`] starts any provider of protocol 6, whatever it is written in: cookie, protocol versions, a
//! P-521 client certificate, unix socket or port, mutual TLS. A [`Client`] holds the connection and the
//! streams that go-plugin keeps open; its [`Calls`] are all of the protocol's, and [`Client::core`] plays
//! Terraform over it, with values instead of bytes. It knows nothing of what a provider manages.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use tfplugin_rs::testing::wire::Host;
//!
//! let client = Host::new("target/debug/terraform-provider-text").start().await?.client().await?;
//! let request = tfplugin_rs::wire::tfplugin6::get_provider_schema::Request {};
//! let answer = client.calls().get_provider_schema(request).await?.into_inner();
//! assert!(answer.diagnostics.is_empty());
//!
//! let ended = client.shutdown().await?;
//! assert_eq!(ended.code, Some(0));
//! # Ok(())
//! # }
//! ```
//!
//! Source: hashicorp/go-plugin, `client.go` and `grpc_client.go`.

mod calls;
mod client;
mod connect;
mod identity;
mod log;
mod plugin;

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};

use tokio::process::Command;

pub(super) use self::calls::in_process;
pub use self::{
    calls::{Calls, Transport},
    client::Client,
    connect::Handshake,
    identity::Identity,
    log::LogLine,
    plugin::{Ended, Plugin},
};

/// The variable and value by which a provider knows that Terraform started it.
pub const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// What this process may have been told as a plugin itself.
const FOR_OTHERS: [&str; 3] = ["PLUGIN_CLIENT_CERT", "PLUGIN_UNIX_SOCKET_DIR", "PLUGIN_UNIX_SOCKET_GROUP"];

/// Long enough for a busy machine, short enough to notice what never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to start a provider.
#[derive(Debug)]
pub struct Host {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    tls: bool,
}

/// Why a provider cannot be started, reached or ended.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be run, or its pipes cannot be read.
    #[error("cannot run `{}`", program.display())]
    Run {
        /// The provider.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It wrote nothing that go-plugin could use.
    #[error("the provider's handshake `{line}` {problem}; its standard error: {stderr}")]
    Handshake {
        /// The first line of its standard output.
        line: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What it wrote there so far.
        stderr: String,
    },
    /// It does not take the connection.
    #[error("cannot connect to the provider")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A call of go-plugin's own failed.
    #[error("the provider refuses a call of go-plugin")]
    Call(#[from] tonic::Status),
    /// It still runs.
    #[error("the provider did not {0} within 30 s")]
    Late(&'static str),
}

impl Host {
    /// A provider's program, without arguments, to be started as Terraform would.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let versions = ("PLUGIN_PROTOCOL_VERSIONS", "5,6");
        let ports = [("PLUGIN_MIN_PORT", "10000"), ("PLUGIN_MAX_PORT", "25000")];
        let host = Self { program: program.into(), arguments: Vec::new(), variables: Vec::new(), tls: true };
        [COOKIE, versions].into_iter().chain(ports).fold(host, |host, (name, value)| host.env(name, value))
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of its environment, which otherwise is that of this process.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable out of its environment.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    /// Asks for no TLS, as `TF_DISABLE_PLUGIN_TLS` does.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.tls = false;
        self
    }

    /// Starts it and waits for the first line it prints, or for the end of its output.
    ///
    /// # Errors
    /// [`HostError::Run`] or [`HostError::Late`]; a bad line is found by [`Plugin::handshake`].
    pub async fn start(self) -> Result<Plugin, HostError> {
        let identity = if self.tls { Some(Identity::new()?) } else { None };
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in FOR_OTHERS {
            command.env_remove(name);
        }
        if let Some(identity) = &identity {
            command.env("PLUGIN_CLIENT_CERT", identity.pem());
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Plugin::start(self.program, command, identity).await
    }
}
