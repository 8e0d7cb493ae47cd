//! Opens a connection to a builder: a socket, TCP, or TLS on it with a certificate of ours.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::endpoint::{Address, ClientTls};

/// How long a builder may take to accept a connection and to show its certificate.
const ACCEPT: Duration = Duration::from_secs(10);

/// Bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A builder that cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens there, or this user may not.
    #[error("no connection to `{address}`")]
    Refused {
        /// Where it should be.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// No answer.
    #[error("`{address}` did not answer in {} s", ACCEPT.as_secs())]
    Timeout {
        /// Where it should be.
        address: Address,
    },
    /// One of the two sides does not trust the other.
    #[error("no trusted connection to `{address}`")]
    Tls {
        /// Where it is.
        address: Address,
        /// What is wrong.
        source: io::Error,
    },
    /// A file of certificates or keys that cannot be used.
    #[error("cannot use `{}` for the connection to `{address}`", path.display())]
    Key {
        /// Where it was for.
        address: Address,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
}

impl ConnectError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Refused { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "this user may not use it; add the user to the group that the socket belongs to"
            }
            Self::Refused { .. } | Self::Timeout { .. } => {
                "start the builder, or correct its address in the provider's `builder`"
            }
            Self::Tls { .. } => {
                "check `ca_file`, `cert_file`, `key_file` and `server_name` against the builder's certificates"
            }
            Self::Key { .. } => "give a file that holds PEM",
        }
    }
}

/// Opens it.
pub(crate) async fn connect(
    address: &Address,
    tls: Option<&ClientTls>,
) -> Result<Box<dyn Stream>, ConnectError> {
    match timeout(ACCEPT, open(address, tls)).await {
        Ok(opened) => opened,
        Err(_) => Err(ConnectError::Timeout { address: address.clone() }),
    }
}

async fn open(address: &Address, tls: Option<&ClientTls>) -> Result<Box<dyn Stream>, ConnectError> {
    let refused = |source| ConnectError::Refused { address: address.clone(), source };
    let place = match address {
        Address::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await.map_err(refused)?)),
        Address::Tcp(place) => place,
    };
    let stream = TcpStream::connect(place.as_str()).await.map_err(refused)?;
    stream.set_nodelay(true).map_err(refused)?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let failed = |source| ConnectError::Tls { address: address.clone(), source };
    let name = tls.server_name.as_deref().or(address.host()).unwrap_or_default().to_owned();
    let name = ServerName::try_from(name).map_err(|error| failed(io::Error::other(error)))?;
    let connector = TlsConnector::from(Arc::new(config(address, tls)?));
    Ok(Box::new(connector.connect(name, stream).await.map_err(failed)?))
}

fn config(address: &Address, tls: &ClientTls) -> Result<ClientConfig, ConnectError> {
    let unusable = |path: &PathBuf| {
        let path = path.clone();
        move |source| ConnectError::Key { address: address.clone(), path, source }
    };
    let failed = |error: rustls::Error| ConnectError::Tls {
        address: address.clone(),
        source: io::Error::other(error),
    };
    let certificates = |path: &PathBuf| {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        read.map_err(unusable(path))
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let builder = match &tls.ca_file {
        None => builder.with_platform_verifier().map_err(failed)?,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(failed)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let mut config = match (&tls.cert_file, &tls.key_file) {
        (Some(cert), Some(key)) => {
            let own = PrivateKeyDer::from_pem_file(key).map_err(unusable(key))?;
            builder.with_client_auth_cert(certificates(cert)?, own).map_err(failed)?
        }
        _ => builder.with_no_client_auth(),
    };
    // BuildKit speaks gRPC and insists on hearing so.
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
