//! A host for plugins, as go-plugin is one: starts the example provider and connects to it.

use std::{io, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P521_SHA512};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader},
    net::{TcpStream, UnixStream},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

pub(crate) const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// Long enough for a busy machine, short enough to notice what never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate as go-plugin makes them: P-521, signed by itself, and an authority.
pub(crate) struct Identity {
    pub(crate) pem: String,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}

/// A provider that runs.
pub(crate) struct Plugin {
    /// The first line that it printed.
    pub(crate) line: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// What it wrote to standard error, as far as that is read.
    said: String,
}

/// The provider of these tests.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/process")
}

/// How a provider ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Plugin {
    /// Starts the provider with this environment and reads the first line it prints, if any.
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Self {
        Self::launch(Command::new(program()).env_remove(COOKIE.0).envs(environment.iter().copied())).await
    }

    /// The same, by any command that leads to a provider.
    pub(crate) async fn launch(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut plugin = Self { line: String::new(), child, stdout, stderr, said: String::new() };
        plugin.line = plugin.next_line().await;
        plugin
    }

    /// The next line that it prints; empty at the end.
    pub(crate) async fn next_line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stdout.read_line(&mut line)).await;
        read.expect("the provider prints nothing").unwrap();
        line
    }

    /// Waits until it has said this so often on standard error.
    pub(crate) async fn says(&mut self, words: &str, times: usize) {
        let said = async {
            while self.said.matches(words).count() < times {
                assert_ne!(self.stderr.read_line(&mut self.said).await.unwrap(), 0, "said: {}", self.said);
            }
        };
        timeout(PATIENCE, said).await.expect("the provider does not say it");
    }

    pub(crate) fn field(&self, position: usize) -> &str {
        self.line.trim_end().split('|').nth(position).unwrap_or_default()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.field(3).into()
    }

    pub(crate) fn process(&self) -> rustix::process::Pid {
        let number = self.child.id().unwrap().try_into().unwrap();
        rustix::process::Pid::from_raw(number).unwrap()
    }

    /// Waits for the end: of the process, and of everybody who could still write to its streams.
    pub(crate) async fn end(mut self) -> Ended {
        let mut rest = String::new();
        let ended = async {
            self.stderr.read_to_string(&mut self.said).await.unwrap();
            self.stdout.read_to_string(&mut rest).await.unwrap();
            self.child.wait().await.unwrap()
        };
        let status = timeout(PATIENCE, ended).await.expect("the provider does not end");
        Ended { code: status.code(), stdout: self.line + &rest, stderr: self.said }
    }

    /// Connects, without proof of who we are if `identity` is `None`, and without TLS if the provider
    /// has none.
    pub(crate) async fn connect(
        &self,
        identity: Option<&Identity>,
    ) -> Result<Channel, tonic::transport::Error> {
        channel(self.stream(identity).await).await
    }

    async fn stream(&self, identity: Option<&Identity>) -> io::Result<Box<dyn Stream>> {
        let plain = dial(self.field(2), self.field(3)).await?;
        if self.field(5).is_empty() {
            return Ok(plain);
        }
        let tls = TlsConnector::from(Arc::new(self.client(identity)));
        let stream = tls.connect(ServerName::try_from("localhost").unwrap(), plain).await?;
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(&b"h2"[..]),
            "newer gRPC clients refuse anything else"
        );
        Ok(Box::new(stream))
    }

    fn client(&self, identity: Option<&Identity>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(STANDARD_NO_PAD.decode(self.field(5)).unwrap().into()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut client = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { certificate, key, .. }) => {
                builder.with_client_auth_cert(vec![certificate.clone()], key.clone_key()).unwrap()
            }
        };
        client.alpn_protocols = vec![b"h2".to_vec()];
        client
    }
}

/// Connects to where a provider listens, and says nothing yet.
pub(crate) async fn dial(network: &str, address: &str) -> io::Result<Box<dyn Stream>> {
    Ok(match network {
        "unix" => Box::new(UnixStream::connect(address).await?),
        "tcp" => Box::new(TcpStream::connect(address).await?),
        other => panic!("unknown network `{other}`"),
    })
}

/// Speaks gRPC over a stream.
pub(crate) async fn channel(stream: io::Result<Box<dyn Stream>>) -> Result<Channel, tonic::transport::Error> {
    let mut stream = Some(stream);
    let connector = tower::service_fn(move |_: Uri| {
        let stream = stream.take().unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()));
        async move { stream.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await
}
