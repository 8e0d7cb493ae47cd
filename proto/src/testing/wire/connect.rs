//! From a handshake's line to a connection.

use std::{io, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use super::{HostError, Identity};

/// What a provider says of itself in its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The version of Terraform's protocol.
    pub protocol: u32,
    /// `unix` or `tcp`.
    pub network: String,
    /// The socket's path, or address and port.
    pub address: String,
    /// Its certificate, in DER; without one there is no TLS.
    pub certificate: Option<Vec<u8>>,
    /// What it says about the broker, if it says anything.
    pub multiplexing: Option<bool>,
}

impl Handshake {
    /// Reads it as go-plugin does.
    pub(super) fn read(line: &str) -> Result<Self, &'static str> {
        let fields: Vec<_> = line.split('|').collect();
        let [core, protocol, network, address, transport, more @ ..] = &fields[..] else {
            return Err("has fewer than five fields");
        };
        if *core != "1" {
            return Err("is of another version of go-plugin");
        }
        if !matches!(*network, "unix" | "tcp") {
            return Err("names a network that is neither `unix` nor `tcp`");
        }
        if *transport != "grpc" {
            return Err("offers something else than gRPC");
        }
        let certificate = more.first().filter(|text| !text.is_empty());
        let certificate = certificate.map(|text| STANDARD_NO_PAD.decode(text)).transpose();
        let multiplexing = more.get(1).map(|text| text.parse()).transpose();
        Ok(Self {
            protocol: protocol.parse().map_err(|_| "has a protocol version that is no number")?,
            network: (*network).to_owned(),
            address: (*address).to_owned(),
            certificate: certificate.map_err(|_| "has a certificate that is not base64 without padding")?,
            multiplexing: multiplexing.map_err(|_| "has a seventh field that is no truth value")?,
        })
    }
}

pub(super) async fn channel(
    handshake: &Handshake,
    identity: Option<&Identity>,
) -> Result<Channel, HostError> {
    let refused = |error: rustls::Error| HostError::Connect(error.into());
    let certificate = handshake.certificate.clone().map(CertificateDer::from);
    let tls = certificate.map(|certificate| config(certificate, identity)).transpose().map_err(refused)?;
    let road = Arc::new((handshake.clone(), tls.map(|config| TlsConnector::from(Arc::new(config)))));
    let connector = tower::service_fn(move |_: Uri| {
        let road = Arc::clone(&road);
        async move { stream(&road.0, road.1.as_ref()).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint.connect_with_connector(connector).await.map_err(|error| HostError::Connect(error.into()))
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn stream(handshake: &Handshake, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Stream>> {
    let plain: Box<dyn Stream> = match handshake.network.as_str() {
        #[cfg(unix)]
        "unix" => Box::new(tokio::net::UnixStream::connect(&handshake.address).await?),
        "tcp" => Box::new(TcpStream::connect(&handshake.address).await?),
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    let Some(tls) = tls else { return Ok(plain) };
    let stream = tls.connect(ServerName::try_from("localhost").expect("a name"), plain).await?;
    // Newer gRPC clients refuse a server that chooses nothing.
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(io::Error::other("the provider does not choose `h2` by ALPN"));
    }
    Ok(Box::new(stream))
}

/// Trusts the announced certificate alone.
fn config(
    certificate: CertificateDer<'static>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { certificate, key, .. }) => {
            builder.with_client_auth_cert(vec![certificate.clone()], key.clone_key())?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_as_go_plugin_does() {
        let shown = |line: &str| match Handshake::read(line) {
            Ok(it) => format!(
                "{} {} {} {:?} {:?}",
                it.protocol, it.network, it.address, it.certificate, it.multiplexing
            ),
            Err(problem) => problem.to_owned(),
        };
        for (line, expected) in [
            ("1|6|unix|/tmp/x|grpc|", "6 unix /tmp/x None None"),
            ("1|6|unix|/tmp/x|grpc", "6 unix /tmp/x None None"),
            ("1|5|tcp|127.0.0.1:10000|grpc|AQI|true", "5 tcp 127.0.0.1:10000 Some([1, 2]) Some(true)"),
            ("1|6|unix|/tmp/x|grpc|AQI=", "has a certificate that is not base64 without padding"),
            ("1|6|unix|/tmp/x|grpc|AQI|perhaps", "has a seventh field that is no truth value"),
            ("1|six|unix|/tmp/x|grpc|", "has a protocol version that is no number"),
            ("2|6|unix|/tmp/x|grpc|", "is of another version of go-plugin"),
            ("1|6|pipe|/tmp/x|grpc|", "names a network that is neither `unix` nor `tcp`"),
            ("1|6|unix|/tmp/x|netrpc|", "offers something else than gRPC"),
            ("hello", "has fewer than five fields"),
            ("", "has fewer than five fields"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }
}
