use std::{fmt, path::Path, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::NetworkError;

/// Certificate authorities that are trusted beside those of the machine: a company's own.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    anyone: bool,
}

impl Authorities {
    /// With anyone: a registry may show any certificate, of any name. Passwords then go to whoever answers.
    #[must_use]
    pub fn with_anyone(self) -> Self {
        Self { anyone: true, ..self }
    }

    /// With those in a file of PEM certificates, of which it must have one at least.
    pub fn with_file(mut self, path: impl AsRef<Path>) -> Result<Self, NetworkError> {
        let path = path.as_ref();
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let error = |cause| NetworkError::Authorities { path: path.to_path_buf(), cause };
        let certificates = read.map_err(|cause| error(Arc::new(cause)))?;
        if certificates.is_empty() {
            return Err(NetworkError::NoAuthority(path.to_path_buf()));
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|cause| error(Arc::new(cause)))?;
        }
        self.certificates.extend(certificates);
        Ok(self)
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        self.certificates.iter().cloned()
    }

    pub(crate) fn are_anyone(&self) -> bool {
        self.anyone
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.certificates.len())?;
        f.write_str(if self.anyone { ", and anyone" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_authorities_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = |content: &str, expected: &str| {
            std::fs::write(file.path(), content).unwrap();
            let error = Authorities::default().with_file(file.path()).unwrap_err();
            assert_eq!(error.to_string(), format!("`{}` {expected}", file.path().display()), "{content}");
        };
        let expected = "cannot be used as certificate authorities";
        check("", "has no certificate in PEM form");
        check("hello", "has no certificate in PEM form");
        check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", expected);
        check("-----BEGIN CERTIFICATE-----\nAAAA\n", expected);
        assert!(Authorities::default().with_file("/nonexistent").is_err());
    }
}
