use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use url::Url;

use super::{Authorities, NetworkError};

/// Certificates for single hosts, as docker and podman keep them: a folder for each, named `host` or `host:port`, in it
/// the authorities that vouch for the host (`*.crt`), and what we show it (`NAME.cert` with its `NAME.key`).
///
/// The files are read when the host is first spoken to.
///
/// Source: containers-certs.d(5); "Verify repository client with certificates" in docker's documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates(BTreeMap<String, PathBuf>);

/// What we show to a host, and its key.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Certificates {
    /// Those in these folders, as far as they are there. A host that is in several has what the first one has.
    pub fn in_folders(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let entries = folders.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let mut hosts = BTreeMap::new();
        for entry in entries {
            if let (Ok(host), path) = (entry.file_name().into_string(), entry.path()) {
                hosts.entry(host).or_insert(path);
            }
        }
        Self(hosts)
    }

    /// The folder for the host that a URL leads to.
    pub(crate) fn of(&self, url: &Url) -> Option<&Path> {
        let host = url.host_str()?;
        let with_port = format!("{host}:{}", url.port_or_known_default()?);
        let named = self.0.get(&with_port);
        let named = named.or_else(|| self.0.get(host).filter(|_| url.port().is_none()));
        named.map(PathBuf::as_path)
    }
}

/// These authorities with those of a host's folder, and what we show to that host, if anything.
pub(crate) fn of_host(
    mut authorities: Authorities,
    folder: &Path,
) -> Result<(Authorities, Option<Identity>), NetworkError> {
    let mut identity = None;
    for file in sorted(folder)? {
        match file.extension().and_then(|end| end.to_str()) {
            Some("crt") => authorities = authorities.with_file(&file)?,
            Some("cert") if identity.is_none() => identity = Some(shown(&file)?),
            _ => {}
        }
    }
    Ok((authorities, identity))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, NetworkError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut files = listed.map_err(|cause| unusable(folder, cause))?;
    files.sort_unstable();
    Ok(files)
}

fn shown(file: &Path) -> Result<Identity, NetworkError> {
    let chain = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let key = file.with_extension("key");
    let secret = PrivateKeyDer::from_pem_file(&key).map_err(|cause| unusable(&key, cause))?;
    Ok((chain.map_err(|cause| unusable(file, cause))?, secret))
}

fn unusable(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> NetworkError {
    NetworkError::Certificates { path: path.to_path_buf(), cause: Arc::new(cause) }
}

/// Where a user of this machine has such folders.
pub(super) fn folders(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let home = variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let own = home.map(|home| home.join(".config/containers/certs.d"));
    own.into_iter().chain(["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_one_host_and_port() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for folder in
            [first.path().join("a.test"), first.path().join("b.test:5000"), second.path().join("a.test")]
        {
            fs::create_dir(folder).unwrap();
        }
        let folders = [Path::new("/nonexistent"), first.path(), second.path()];
        let certificates = Certificates::in_folders(folders.map(Path::to_path_buf));
        let check = |url: &str, expected: Option<&str>| {
            let expected = expected.map(|name| first.path().join(name));
            assert_eq!(certificates.of(&url.parse().unwrap()), expected.as_deref(), "{url}");
        };
        check("https://a.test/v2/", Some("a.test"));
        check("https://a.test:443/v2/", Some("a.test"));
        check("https://a.test:8443/v2/", None);
        check("https://b.test:5000/v2/", Some("b.test:5000"));
        check("https://b.test/v2/", None);
        check("https://c.test/v2/", None);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("client.cert"), "").unwrap();
        let error = of_host(Authorities::default(), folder.path()).unwrap_err().to_string();
        let key = folder.path().join("client.key");
        assert_eq!(error, format!("`{}` cannot be used as a certificate or its key", key.display()));
        fs::remove_file(folder.path().join("client.cert")).unwrap();
        assert!(of_host(Authorities::default(), folder.path()).unwrap().1.is_none());
        fs::write(folder.path().join("ca.crt"), "hello").unwrap();
        assert!(of_host(Authorities::default(), folder.path()).is_err());
    }
}
