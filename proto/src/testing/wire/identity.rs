//! The certificate by which a client proves that it is the one the provider was started for.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P521_SHA512};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::HostError;

/// A certificate as go-plugin makes them: P-521, signed by itself, and an authority.
#[derive(Debug)]
pub struct Identity {
    pem: String,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn new() -> Result<Self, HostError> {
        Self::make().map_err(|error| HostError::Connect(error.into()))
    }

    fn make() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512)?;
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        })
    }

    /// The certificate, as `PLUGIN_CLIENT_CERT` holds it.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}
